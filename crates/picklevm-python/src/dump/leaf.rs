//! Objects that are saved at once: constants, numbers, strings, bytes, and what the memo has.

use std::fmt::Write as _;

use picklevm_ops::{Number, Op, RawUnicode, Text};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyString, PyType};
use pyo3::{PyTypeInfo, intern};

use super::save::Saver;
use crate::state::State;

/// The addresses of the types that have opcodes of their own. Like CPython's pickler, this one compares addresses.
pub(crate) struct Types {
    none: usize,
    bool: usize,
    int: usize,
    pub(crate) float: usize,
    str: usize,
    bytes: usize,
    pub(crate) r#type: usize,
    pub(crate) function: usize,
    pub(crate) pickle_buffer: usize,
}

impl Types {
    pub(crate) fn new(py: Python<'_>, state: &State) -> Types {
        Types {
            none: py.None().bind(py).get_type_ptr().addr(),
            bool: PyBool::type_object_raw(py).addr(),
            int: PyInt::type_object_raw(py).addr(),
            float: PyFloat::type_object_raw(py).addr(),
            str: PyString::type_object_raw(py).addr(),
            bytes: PyBytes::type_object_raw(py).addr(),
            r#type: PyType::type_object_raw(py).addr(),
            function: state.function.as_ptr().addr(),
            pickle_buffer: state.pickle_buffer.as_ptr().addr(),
        }
    }

    /// Whether an object is an int or a float.
    #[inline]
    pub(crate) fn is_number(&self, object: &Bound<'_, PyAny>) -> bool {
        let class = object.get_type_ptr().addr();
        class == self.int || class == self.float
    }
}

impl<'py> Saver<'py, '_> {
    /// Begins the saving of an object, and saves it if it is a leaf. Returns whether it is saved.
    #[inline]
    pub(crate) fn save_leaf(&mut self, object: &Bound<'py, PyAny>) -> PyResult<bool> {
        self.boundary()?;
        if self.options.persistent_id.is_some() {
            return Ok(false);
        }
        self.save_atom(object)
    }

    /// Saves an object if it is a leaf. Returns whether it is saved.
    #[inline]
    pub(crate) fn save_atom(&mut self, object: &Bound<'py, PyAny>) -> PyResult<bool> {
        let class = object.get_type_ptr().addr();
        if class == self.types.int {
            self.save_int(object)?;
        } else if class == self.types.none {
            self.op(Op::None)?;
        } else if class == self.types.bool {
            self.save_bool(object.is_truthy()?)?;
        } else if class == self.types.float {
            self.save_float(object.extract()?)?;
        } else if let Some(index) = self.memo.get(object) {
            self.fetch(index)?;
        } else if class == self.types.str {
            self.save_str(object)?;
        } else if class == self.types.bytes && self.options.protocol >= 3 {
            let Ok(bytes) = object.cast::<PyBytes>() else { return Ok(false) };
            self.save_bytes(bytes)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn save_bool(&mut self, value: bool) -> PyResult<()> {
        let op = match (value, self.options.protocol) {
            (true, 2..) => Op::NewTrue,
            (false, 2..) => Op::NewFalse,
            (true, _) => return self.text_int(b"01"),
            (false, _) => return self.text_int(b"00"),
        };
        self.op(op)
    }

    /// Writes INT.
    fn text_int(&mut self, text: &[u8]) -> PyResult<()> {
        match Number::int(text) {
            Some(number) => self.op(Op::Int(number)),
            None => Err(self.state.pickling(self.py, "an int is written in another way than in decimal")),
        }
    }

    fn save_int(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        let Ok(value) = object.extract::<i64>() else { return self.save_big_int(object) };
        if self.options.protocol >= 2 {
            // A run has room for more than one op, whatever the frame has left.
            let mut run = self.writer.reserve();
            run.int(value);
            let written = run.len();
            self.writer.commit(written);
            return Ok(());
        }
        if self.options.protocol == 0 && i32::try_from(value).is_ok() {
            let mut text = String::new();
            // Writing to a string cannot fail.
            let _ = write!(text, "{value}");
            return self.text_int(text.as_bytes());
        }
        match value {
            0..=0xff => self.op(Op::BinInt1(value as u8)),
            0x100..=0xffff => self.op(Op::BinInt2(value as u16)),
            -0x8000_0000..=0x7fff_ffff => self.op(Op::BinInt(value as i32)),
            _ => self.save_big_int(object),
        }
    }

    fn save_big_int(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        if self.options.protocol < 2 {
            let text = format!("{}L", object.repr()?.to_str()?);
            return match Number::long(text.as_bytes()) {
                Some(number) => self.op(Op::Long(number)),
                None => Err(self.state.pickling(self.py, "an int is written in another way than in decimal")),
            };
        }
        let bits: usize = object.call_method0(intern!(self.py, "bit_length"))?.extract()?;
        let len = bits / 8 + 1;
        if len > 0x7fff_ffff {
            return Err(PyOverflowError::new_err("int too large to pickle"));
        }
        let kwargs = PyDict::new(self.py);
        kwargs.set_item(intern!(self.py, "signed"), true)?;
        let to_bytes = object.getattr(intern!(self.py, "to_bytes"))?;
        let bytes = to_bytes.call((len, intern!(self.py, "little")), Some(&kwargs))?.cast_into::<PyBytes>()?;
        let bytes = match bytes.as_bytes() {
            [rest @ .., 0xff] if rest.last().is_some_and(|byte| *byte >= 0x80) => rest,
            bytes => bytes,
        };
        self.op(if bytes.len() < 256 { Op::Long1(bytes) } else { Op::Long4(bytes) })
    }

    fn save_float(&mut self, value: f64) -> PyResult<()> {
        self.op(if self.options.protocol > 0 { Op::BinFloat(value) } else { Op::Float(value) })
    }

    fn save_str(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        let Ok(string) = object.cast::<PyString>() else { return Ok(()) };
        match string.to_str() {
            Ok(text) => self.save_text(text.into())?,
            // It has surrogates.
            Err(_) => {
                let encode = intern!(self.py, "encode");
                let encoded = object.call_method1(encode, ("utf-8", "surrogatepass"))?.cast_into::<PyBytes>()?;
                let Some(text) = Text::new(encoded.as_bytes()) else {
                    return Err(self.state.pickling(self.py, "a str is encoded in another way than in UTF-8"));
                };
                self.save_text(text)?;
            }
        }
        // It was looked for in the memo, and no other code has run.
        self.memoize_new(object)
    }

    fn save_text(&mut self, text: Text<'_>) -> PyResult<()> {
        match (self.options.protocol, text.as_bytes().len()) {
            (0, _) => {
                let mut escaped = Vec::new();
                RawUnicode::escape(text, RawUnicode::CONTROLS, &mut escaped);
                match RawUnicode::new(&escaped) {
                    Some(escaped) => self.op(Op::Unicode(escaped)),
                    None => Err(self.state.pickling(self.py, "a str cannot be escaped")),
                }
            }
            (4.., ..=0xff) => self.op(Op::ShortBinUnicode(text)),
            (_, ..=0xffff_ffff) => self.op(Op::BinUnicode(text)),
            (4.., _) => self.op(Op::BinUnicode8(text)),
            _ => Err(PyOverflowError::new_err(
                "serializing a string larger than 4 GiB requires pickle protocol 4 or higher",
            )),
        }
    }

    /// Writes bytes at protocol 3 or later.
    fn save_bytes(&mut self, object: &Bound<'py, PyBytes>) -> PyResult<()> {
        let bytes = object.as_bytes();
        if bytes.len() > 0xff {
            self.lent.set(Some(object.clone()));
        }
        self.write_bytes(bytes)?;
        // It was looked for in the memo, and no other code has run.
        self.memoize_new(object)
    }

    /// Writes the op of bytes at protocol 3 or later.
    pub(crate) fn write_bytes(&mut self, bytes: &[u8]) -> PyResult<()> {
        let done = match (self.options.protocol, bytes.len()) {
            (_, ..=0xff) => return self.op(Op::ShortBinBytes(bytes)),
            (_, ..=0xffff_ffff) => self.op(Op::BinBytes(bytes)),
            (4.., _) => self.op(Op::BinBytes8(bytes)),
            _ => Err(PyOverflowError::new_err(
                "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher",
            )),
        };
        // What did not go to the sink by itself is not asked for there.
        self.lent.set(None);
        done
    }
}
