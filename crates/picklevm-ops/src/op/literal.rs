//! The values that ops push by themselves.

use std::borrow::Cow;

use super::Op;
use crate::ints::int_from_le_bytes;
use crate::operand::{Escaped, IntValue, Number, RawUnicode};
use crate::text::Text;

/// A value that an op pushes by itself, whichever of its opcodes the pickle has: `None`, a boolean, a number, text or bytes.
///
/// ```
/// use picklevm_ops::{Literal, Op};
///
/// assert_eq!(Op::BinInt1(7).literal(), Some(Literal::Int(7)));
/// assert_eq!(Op::Long1(b"\x07").literal().unwrap().as_i128(), Some(7));
/// assert_eq!(Op::ShortBinBytes(b"ab").literal(), Some(Literal::Bytes(b"ab")));
/// assert_eq!(Op::EmptyList.literal(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Literal<'a> {
    /// NONE.
    None,
    /// NEWTRUE or NEWFALSE.
    Bool(bool),
    /// BININT, BININT1 or BININT2.
    Int(i64),
    /// LONG1 or LONG4: an integer in little-endian two's complement.
    IntBytes(&'a [u8]),
    /// INT or LONG: an integer or a boolean in digits.
    Number(Number<'a>),
    /// FLOAT or BINFLOAT.
    Float(f64),
    /// SHORT_BINUNICODE, BINUNICODE or BINUNICODE8.
    Text(Text<'a>),
    /// UNICODE: text with escapes.
    RawUnicode(RawUnicode<'a>),
    /// SHORT_BINBYTES, BINBYTES or BINBYTES8.
    Bytes(&'a [u8]),
    /// BYTEARRAY8.
    ByteArray(&'a [u8]),
    /// SHORT_BINSTRING or BINSTRING: an 8-bit string of Python 2.
    ByteStr(&'a [u8]),
    /// STRING: an 8-bit string of Python 2 with escapes.
    Escaped(Escaped<'a>),
}

impl<'a> Op<'a> {
    /// Returns the value that the op pushes by itself. `None` if it needs the stack, the memo, or anything outside of the
    /// pickle, and for the start of a container.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn literal(self) -> Option<Literal<'a>> {
        Some(match self {
            Op::None => Literal::None,
            Op::NewTrue => Literal::Bool(true),
            Op::NewFalse => Literal::Bool(false),
            Op::BinInt(value) => Literal::Int(value.into()),
            Op::BinInt1(value) => Literal::Int(value.into()),
            Op::BinInt2(value) => Literal::Int(value.into()),
            Op::Long1(bytes) | Op::Long4(bytes) => Literal::IntBytes(bytes),
            Op::Int(number) | Op::Long(number) => Literal::Number(number),
            Op::Float(value) | Op::BinFloat(value) => Literal::Float(value),
            Op::ShortBinUnicode(text) | Op::BinUnicode(text) | Op::BinUnicode8(text) => Literal::Text(text),
            Op::Unicode(raw) => Literal::RawUnicode(raw),
            Op::ShortBinBytes(bytes) | Op::BinBytes(bytes) | Op::BinBytes8(bytes) => Literal::Bytes(bytes),
            Op::ByteArray8(bytes) => Literal::ByteArray(bytes),
            Op::ShortBinString(bytes) | Op::BinString(bytes) => Literal::ByteStr(bytes),
            Op::String(escaped) => Literal::Escaped(escaped),
            _ => return None,
        })
    }
}

impl<'a> Literal<'a> {
    /// Returns the integer. `None` for another value, and for an integer of more than 128 bits, or in digits of more than 64.
    pub fn as_i128(self) -> Option<i128> {
        match self {
            Literal::Int(value) => Some(value.into()),
            Literal::IntBytes(bytes) => int_from_le_bytes(bytes).map(i128::from).or_else(|| {
                let sign = if *bytes.last()? < 0x80 { 0 } else { 0xff };
                let mut wide = [sign; 16];
                wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
                Some(i128::from_le_bytes(wide))
            }),
            Literal::Number(number) => match number.value() {
                IntValue::Small(value) => Some(value.into()),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns text in UTF-8 that may contain surrogates, bytes, or an 8-bit string; escapes are decoded.
    pub fn as_bytes(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Literal::Text(text) => Some(text.as_bytes().into()),
            Literal::RawUnicode(raw) => Some(raw.decode()),
            Literal::Bytes(bytes) | Literal::ByteArray(bytes) | Literal::ByteStr(bytes) => Some(bytes.into()),
            Literal::Escaped(escaped) => Some(escaped.decode()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::opcode::{Opcode, StackObject};
    use crate::ops;

    #[test]
    fn an_op_is_a_literal_if_it_pushes_an_atom_and_needs_nothing() {
        use StackObject::{Bool, ByteArray, Bytes, BytesOrStr, Float, Int, IntOrBool, None, Str};
        let atoms = [Bool, ByteArray, Bytes, BytesOrStr, Float, Int, IntOrBool, None, Str];
        for opcode in Opcode::ALL {
            // Operands of zeros: numbers, no bytes, or a line of one digit.
            let line = if *opcode == Opcode::String { "''\n''\n" } else { "0\n0\n" };
            let is_line = opcode.operand().is_some_and(|operand| operand.is_line());
            let operand = if is_line { line.as_bytes() } else { &[0; 9] };
            let data = [&[opcode.byte()], operand].concat();
            let Some(Ok((_, op))) = ops(&data).next() else { panic!("{opcode}") };
            let pushes_atom = matches!(opcode.stack_after(), [after] if atoms.contains(after));
            assert_eq!(op.literal().is_some(), pushes_atom, "{opcode}");
        }
    }

    #[test]
    fn integers_of_all_forms_have_one_value() {
        let data = b"I7\nJ\x07\0\0\0K\x07M\x07\0L7L\n\x8a\x01\x07\x8b\x09\0\0\0\x07\0\0\0\0\0\0\0\0.";
        let values: Vec<_> = ops(data).filter_map(|op| op.unwrap().1.literal()?.as_i128()).collect();
        assert_eq!(values, [7; 7]);
        let long = ops(b"\x8a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80.").next().unwrap().unwrap().1;
        assert_eq!(long.literal().unwrap().as_i128(), Some(i128::MIN));
    }
}
