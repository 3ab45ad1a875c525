//! Errors of the machine as the exceptions that `_pickle` raises.

use std::error::Error as _;
use std::io;

use picklevm::{Cause, Error, ErrorKind};
use picklevm_ops::{self as ops, Opcode};
use pyo3::exceptions::{PyEOFError, PyMemoryError, PyOverflowError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt};

use crate::state::State;

/// Returns the exception for an error. `op` are the bytes at hand from the op on, if that could not be read.
#[cold]
pub(crate) fn to_python(py: Python<'_>, state: &State, error: &Error, op: &[u8]) -> PyErr {
    let unpickling = |message: String| state.unpickling(py, message);
    match error.cause() {
        Cause::Op(kind) => of_op(py, state, error, kind, op),
        Cause::NoValue { is_above_mark: true } => unpickling("unexpected MARK found".into()),
        Cause::NoValue { .. } => unpickling("unpickling stack underflow".into()),
        // POP drops a value or a mark.
        Cause::NoMark if error.opcode() == Some(Opcode::Pop) => unpickling("unpickling stack underflow".into()),
        Cause::NoMark => unpickling("could not find MARK".into()),
        Cause::OddItems if error.opcode() == Some(Opcode::Dict) => unpickling("odd number of items for DICT".into()),
        Cause::OddItems => unpickling("odd number of items for SETITEMS".into()),
        Cause::NotInMemo(index) => unpickling(format!("Memo value not found at index {index}")),
        _ if error.kind() == ErrorKind::Limit => PyMemoryError::new_err(error.to_string()),
        _ => unpickling(error.to_string()),
    }
}

/// Returns the exception for an op that could not be read.
fn of_op(py: Python<'_>, state: &State, error: &Error, kind: ops::ErrorKind, op: &[u8]) -> PyErr {
    match kind {
        ops::ErrorKind::End => PyEOFError::new_err("Ran out of input"),
        ops::ErrorKind::Truncated if error.opcode().is_none() => PyEOFError::new_err("Ran out of input"),
        ops::ErrorKind::Truncated => {
            too_long(error, op).unwrap_or_else(|| state.unpickling(py, "pickle data was truncated"))
        }
        ops::ErrorKind::UnknownOpcode => {
            state.unpickling(py, format!("invalid load key, '{}'.", op.first().map_or(String::new(), load_key)))
        }
        ops::ErrorKind::Io => of_io(py, error),
        ops::ErrorKind::Frame if error.opcode() == Some(Opcode::Frame) => {
            state.unpickling(py, "beginning of a new frame before end of current frame")
        }
        ops::ErrorKind::Frame => state.unpickling(py, "pickle exhausted before end of frame"),
        _ => of_operand(py, state, error, op),
    }
}

fn load_key(byte: &u8) -> String {
    match byte {
        b' '..=b'~' if !matches!(byte, b'\'' | b'\\') => char::from(*byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    }
}

/// Returns the exception that a method of the file raised.
fn of_io(py: Python<'_>, error: &Error) -> PyErr {
    let io = error.source().and_then(|op| op.source()).and_then(|io| io.downcast_ref::<io::Error>());
    match io.and_then(|io| io.get_ref()).and_then(|inner| inner.downcast_ref::<PyErr>()) {
        Some(raised) => raised.clone_ref(py),
        None => pyo3::exceptions::PyOSError::new_err(error.to_string()),
    }
}

/// Returns the exception for a length that no object can have.
fn too_long(error: &Error, op: &[u8]) -> Option<PyErr> {
    let len = u64::from_le_bytes(*op.get(1..)?.first_chunk()?);
    let name = match error.opcode()? {
        Opcode::BinBytes8 => "BINBYTES",
        Opcode::BinUnicode8 => "BINUNICODE",
        Opcode::ByteArray8 => "BYTEARRAY8",
        _ => return None,
    };
    (len > isize::MAX as u64).then(|| {
        let most = isize::MAX;
        PyOverflowError::new_err(format!("{name} exceeds system's maximum size of {most} bytes"))
    })
}

/// Returns the exception for an operand that its opcode does not allow: the one of the function by which `_pickle`
/// reads it.
fn of_operand(py: Python<'_>, state: &State, error: &Error, op: &[u8]) -> PyErr {
    let operand = op.get(1..).unwrap_or_default();
    let mut lines = operand.split(|byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    let unpickling = |message: &str| state.unpickling(py, message);
    let decode = |bytes: &[u8], encoding: &str, errors: &str| match PyBytes::new(py, bytes)
        .call_method1(intern!(py, "decode"), (encoding, errors))
    {
        Err(raised) => raised,
        Ok(_) => state.unpickling(py, error.to_string()),
    };
    let truncated = || unpickling("pickle data was truncated");
    let payload = |width: usize| operand.get(width..).unwrap_or_default();
    match error.opcode() {
        // `_pickle` asks for a line that is not empty.
        Some(Opcode::Int | Opcode::Long | Opcode::Float | Opcode::Get | Opcode::Put) if line.is_empty() => truncated(),
        Some(Opcode::Int) => PyValueError::new_err("could not convert string to int"),
        // `_pickle` tells the text if not even its beginning is a number.
        Some(Opcode::Float) => PyValueError::new_err(match begins_with_number(line) {
            true => "could not convert string to float".into(),
            false => format!("could not convert string to float: '{}\n'", String::from_utf8_lossy(line)),
        }),
        Some(Opcode::Long) => invalid_int(py, line).unwrap_or_else(|| unpickling(&error.to_string())),
        Some(opcode @ (Opcode::Get | Opcode::Put)) => invalid_int(py, line).unwrap_or_else(|| match opcode {
            _ if !line.contains(&b'-') => PyOverflowError::new_err("Python int too large to convert to C ssize_t"),
            Opcode::Put => PyValueError::new_err("negative PUT argument"),
            _ => unpickling(&format!("Memo value not found at index {}", String::from_utf8_lossy(line))),
        }),
        Some(Opcode::String) => match line {
            [quote @ (b'\'' | b'"'), text @ .., end] if quote == end => {
                let decode = py.import("codecs").and_then(|codecs| codecs.getattr("escape_decode"));
                match decode.and_then(|decode| decode.call1((PyBytes::new(py, text),))) {
                    Err(raised) => raised,
                    Ok(_) => unpickling(&error.to_string()),
                }
            }
            _ => unpickling("the STRING opcode argument must be quoted"),
        },
        Some(Opcode::Unicode) => decode(line, "raw-unicode-escape", "strict"),
        Some(Opcode::ShortBinUnicode) => decode(payload(1), "utf-8", "surrogatepass"),
        Some(Opcode::BinUnicode) => decode(payload(4), "utf-8", "surrogatepass"),
        Some(Opcode::BinUnicode8) => decode(payload(8), "utf-8", "surrogatepass"),
        Some(opcode @ (Opcode::Global | Opcode::Inst)) => {
            let encoding = if opcode == Opcode::Global { "utf-8" } else { "ascii" };
            let names = [line, lines.next().unwrap_or_default()];
            let invalid = names.into_iter().find(|name| match opcode {
                Opcode::Global => str::from_utf8(name).is_err(),
                _ => !name.is_ascii(),
            });
            decode(invalid.unwrap_or(line), encoding, "strict")
        }
        Some(Opcode::PersId) => unpickling("persistent IDs in protocol 0 must be ASCII strings"),
        Some(Opcode::Long4) => unpickling("LONG pickle has negative byte count"),
        // Until 3.13 the length had no sign.
        Some(Opcode::BinString) if state.minor < 14 => truncated(),
        Some(Opcode::BinString) => unpickling("BINSTRING pickle has negative byte count"),
        Some(Opcode::Proto) => {
            let version = operand.first().copied().unwrap_or_default();
            PyValueError::new_err(format!("unsupported pickle protocol: {version}"))
        }
        Some(Opcode::Frame) => {
            let most = isize::MAX;
            PyOverflowError::new_err(format!("FRAME length exceeds system's maximum of {most} bytes"))
        }
        _ => unpickling(&error.to_string()),
    }
}

/// Returns whether a text begins as a float does.
fn begins_with_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let is_word = |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    match text {
        [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => true,
        _ => is_word(b"inf") || is_word(b"nan"),
    }
}

/// Returns the exception that `int` raises for a line, if it does. C's functions see the newline, unless an `L` is before it.
fn invalid_int(py: Python<'_>, line: &[u8]) -> Option<PyErr> {
    let text = match line.strip_suffix(b"L") {
        Some(digits) => String::from_utf8_lossy(digits).into_owned(),
        None => String::from_utf8_lossy(line).into_owned() + "\n",
    };
    py.get_type::<PyInt>().call1((text,)).err()
}

/// Returns the value of an INT or LONG that the op reader refuses, but this version of Python reads: one with leading zeros.
pub(crate) fn padded_int(state: &State, error: &Error, op: &[u8]) -> Option<i64> {
    let line = op.get(1..)?.split(|byte| *byte == b'\n').next()?;
    let radix = match (error.opcode()?, state.minor) {
        (Opcode::Int | Opcode::Long, 14..) => 10,
        // C's `strtol`.
        (Opcode::Int, _) => 8,
        _ => return None,
    };
    let text = str::from_utf8(line).ok()?;
    i64::from_str_radix(text.strip_suffix('L').unwrap_or(text), radix).ok()
}
