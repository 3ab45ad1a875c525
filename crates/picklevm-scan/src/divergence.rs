//! Where readers disagree: C, pure Python, Python 2's pickle and cPickle, pickletools.
//!
//! The machine reads as pure Python does. Here is what the others make of bytes that it reads otherwise or not at all,
//! so that what any of them would do is seen.

use std::error::Error as _;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use picklevm::machine::{self, Machine};
use picklevm::{Error, ErrorKind, Limits};
use picklevm_ops::{self as ops, Escaped, Op, Opcode, Text};

use crate::token::Packed;
use crate::trace::Tracer;

/// How a run continues after an error.
pub(crate) enum Recovery {
    /// At this offset in the data. Some reader would, if `accepted`.
    Resume { at: usize, accepted: bool },
    /// Not at all.
    Stop,
}

/// Applies an op that the machine refuses as the most lenient reader does. The op is at `at` in the data, and ends at `end`
/// if it could be decoded.
pub(crate) fn recover(
    error: &Error,
    at: usize,
    end: usize,
    tracer: &mut Tracer<'_>,
    machine: &mut Machine<Packed>,
) -> Recovery {
    let data = tracer.data;
    let kind = error.source().and_then(|source| source.downcast_ref::<ops::Error>()).map(ops::Error::kind);
    let Some(opcode) = data.get(at).and_then(|&byte| Opcode::from_byte(byte)) else { return Recovery::Stop };
    match kind {
        Some(ops::ErrorKind::Frame) => {
            tracer.diverge("a frame that does not hold what is in it: C and pickletools skip frames");
            Recovery::Resume { at, accepted: true }
        }
        Some(ops::ErrorKind::BadOperand) => recover_operand(opcode, at, tracer, machine),
        Some(ops::ErrorKind::Truncated) => {
            cut_name(opcode, &data[at + 1..], tracer, machine);
            Recovery::Stop
        }
        // What one reader stored under an odd index, another may find elsewhere.
        None if error.kind() == ErrorKind::Memo && tracer.divergent => {
            run(Op::None, tracer, machine);
            Recovery::Resume { at: end, accepted: true }
        }
        _ => Recovery::Stop,
    }
}

fn run(op: Op<'_>, tracer: &mut Tracer<'_>, machine: &mut Machine<Packed>) {
    // An op that pushes cannot fail, and PUT on an empty stack is nothing.
    let _ = machine::step(machine, tracer, op, &Limits::none());
}

fn recover_operand(opcode: Opcode, at: usize, tracer: &mut Tracer<'_>, machine: &mut Machine<Packed>) -> Recovery {
    let data = tracer.data;
    let operand = &data[at + 1..];
    let line = operand.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let after_line = (at + 1 + line.len() + 1).min(data.len());
    let (at, accepted) = match opcode {
        Opcode::Proto => (at + 2, false),
        Opcode::Frame => (at + 9, false),
        Opcode::Int | Opcode::Long | Opcode::Float => {
            run(Op::BinInt(0), tracer, machine);
            (after_line, is_number_to_some(opcode, line))
        }
        Opcode::Get | Opcode::Put => {
            let index = index_to_some(line);
            run(if opcode == Opcode::Get { Op::Get(index) } else { Op::Put(index) }, tracer, machine);
            (after_line, true)
        }
        Opcode::String => {
            let trimmed = line.trim_ascii_end();
            let escaped = Escaped::new(trimmed);
            let string = escaped.map_or(line.into(), Escaped::decode);
            run(Op::BinString(&string), tracer, machine);
            (after_line, escaped.is_some())
        }
        Opcode::Unicode => {
            run(Op::BinString(line), tracer, machine);
            (after_line, false)
        }
        Opcode::PersId => {
            run(Op::PersId("<not ASCII>"), tracer, machine);
            (after_line, true)
        }
        Opcode::Global | Opcode::Inst => {
            let name = operand.get(line.len() + 1..).unwrap_or_default().split(|&byte| byte == b'\n').next();
            let name = name.unwrap_or_default();
            let texts = (String::from_utf8_lossy(line), String::from_utf8_lossy(name));
            let (module, name_text) = (Text::from(&*texts.0), Text::from(&*texts.1));
            let op = if opcode == Opcode::Global { Op::Global(module, name_text) } else { Op::Inst(module, name_text) };
            run(op, tracer, machine);
            ((after_line + name.len() + 1).min(data.len()), true)
        }
        Opcode::ShortBinUnicode | Opcode::BinUnicode | Opcode::BinUnicode8 => {
            let Some(text) = counted(opcode, operand) else { return Recovery::Stop };
            run(Op::BinString(text), tracer, machine);
            (text.as_ptr() as usize - data.as_ptr() as usize + text.len(), false)
        }
        _ => return Recovery::Stop,
    };
    let name = opcode.name();
    if accepted {
        tracer.diverge(format!("an operand of {name} that some readers take and others refuse"));
    }
    Recovery::Resume { at, accepted }
}

/// The payload of an operand that begins with its length.
fn counted(opcode: Opcode, operand: &[u8]) -> Option<&[u8]> {
    let (len, rest) = match opcode {
        Opcode::ShortBinUnicode => operand.split_first().map(|(len, rest)| (u64::from(*len), rest))?,
        Opcode::BinUnicode => operand.split_first_chunk().map(|(len, rest)| (u32::from_le_bytes(*len).into(), rest))?,
        _ => operand.split_first_chunk().map(|(len, rest)| (u64::from_le_bytes(*len), rest))?,
    };
    rest.get(..usize::try_from(len).ok()?)
}

/// What C sees of a line: all up to the first NUL.
fn c_string(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == 0).next().unwrap_or_default().trim_ascii()
}

/// Whether strtol, strtod or Python 2 read a number that Python 3's `int` and `float` refuse.
fn is_number_to_some(opcode: Opcode, line: &[u8]) -> bool {
    let text = c_string(line);
    if opcode == Opcode::Float {
        return str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok());
    }
    let text = text.strip_suffix(b"L").unwrap_or(text);
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// The memo index that C reads from a line, or one that stands for the line as a key, as Python 2 keeps it.
fn index_to_some(line: &[u8]) -> u64 {
    let number = str::from_utf8(c_string(line)).ok().and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| FixedState::with_seed(0).hash_one(line) | 1 << 63)
}

/// A name that the data end in: readers drop its last byte for the newline and import what is left.
fn cut_name(opcode: Opcode, operand: &[u8], tracer: &mut Tracer<'_>, machine: &mut Machine<Packed>) {
    if !matches!(opcode, Opcode::Global | Opcode::Inst) {
        return;
    }
    let mut lines = operand.splitn(2, |&byte| byte == b'\n');
    if let (Some(module), Some([name @ .., _])) = (lines.next(), lines.next())
        && let (Some(module), Some(name)) = (Text::new(module), Text::new(name))
    {
        run(Op::Global(module, name), tracer, machine);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_reads_a_memo_index_up_to_a_nul() {
        assert_eq!(index_to_some(b"12\0junk"), 12);
        assert_eq!(index_to_some(b"-1"), index_to_some(b"-1"));
        assert_ne!(index_to_some(b"-1"), index_to_some(b"-2"));
    }
}
