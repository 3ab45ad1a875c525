//! Operands as `pickletools` reads and prints them.

use std::borrow::Cow;
use std::fmt::{self, Display};

use super::integer::Decimals;
use crate::error::Error;
use crate::memo::Index;
use crate::op::Op;
use crate::operand::{Base, Literal, Operand, RawUnicode, parse_float, unescape_all, without_suffix};
use crate::repr;
use crate::text::Text;
use crate::undecoded::RawOp;

/// The value of an operand: a Python object, printed with `repr`.
pub(super) enum Argument<'a> {
    Bool(bool),
    Uint(u64),
    /// Decimal digits.
    Int(String),
    Float(f64),
    /// UTF-8 that may contain surrogates.
    Str(Cow<'a, [u8]>),
    /// Bytes printed as text.
    Latin1(Cow<'a, [u8]>),
    Bytes(&'a [u8]),
    ByteArray(&'a [u8]),
}

impl<'a> Argument<'a> {
    /// Returns the operand of an op, if its opcode has one.
    pub(super) fn of(raw: &RawOp<'a>, decimals: &mut Decimals) -> Result<Option<Self>, Error> {
        let Some(operand) = raw.opcode.operand() else { return Ok(None) };
        match Self::as_pickletools(operand, &raw.bytes[1..], decimals) {
            Some(argument) => Ok(Some(argument)),
            None => raw.decode().map(|op| Self::as_machine(op, decimals)),
        }
    }

    /// Reads the operand as `pickletools` does; `bytes` is the whole operand.
    fn as_pickletools(operand: Operand, bytes: &'a [u8], decimals: &mut Decimals) -> Option<Self> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let after = |len: usize| bytes.get(len..);
        Some(match operand {
            Operand::Uint1 | Operand::Uint2 | Operand::Uint4 | Operand::Uint8 => Argument::Uint(unsigned(bytes)?),
            Operand::Int4 => Argument::Int(decimals.twos_complement(bytes)),
            Operand::Float8 => Argument::Float(f64::from_be_bytes(*bytes.first_chunk()?)),
            Operand::DecimalnlShort => match line {
                b"00" => Argument::Bool(false),
                b"01" => Argument::Bool(true),
                _ => Argument::Int(decimals.literal(&Literal::parse(line, Base::Ten)?.value())),
            },
            Operand::DecimalnlLong => {
                Argument::Int(decimals.literal(&Literal::parse(without_suffix(line), Base::Ten)?.value()))
            }
            Operand::Floatnl => Argument::Float(parse_float(line)?),
            Operand::Stringnl => Argument::Str(ascii(unescape_all(unquoted(line)?)?)?),
            Operand::StringnlNoescape => Argument::Str(ascii(unescape_all(line)?)?),
            Operand::StringnlNoescapePair => {
                let mut lines = line.splitn(2, |&byte| byte == b'\n').map(|line| ascii(unescape_all(line)?));
                Argument::pair(&lines.next()??, &lines.next()??)
            }
            Operand::Unicodestringnl => Argument::Str(RawUnicode::new(line)?.decode()),
            Operand::String1 => Argument::Latin1(after(1)?.into()),
            Operand::String4 => Argument::Latin1(after(4)?.into()),
            Operand::Bytes1 => Argument::Bytes(after(1)?),
            Operand::Bytes4 => Argument::Bytes(after(4)?),
            Operand::Bytes8 => Argument::Bytes(after(8)?),
            Operand::Bytearray8 => Argument::ByteArray(after(8)?),
            Operand::Long1 => Argument::Int(decimals.twos_complement(after(1)?)),
            Operand::Long4 => Argument::Int(decimals.twos_complement(after(4)?)),
            Operand::Unicodestring1 => Argument::Str(Text::new(after(1)?)?.as_bytes().into()),
            Operand::Unicodestring4 => Argument::Str(Text::new(after(4)?)?.as_bytes().into()),
            Operand::Unicodestring8 => Argument::Str(Text::new(after(8)?)?.as_bytes().into()),
        })
    }

    /// Reads the operand as the machine does, where `pickletools` refuses it.
    fn as_machine(op: Op<'a>, decimals: &mut Decimals) -> Option<Self> {
        Some(match op {
            Op::Int(number) | Op::Long(number) => Argument::Int(decimals.literal(&number.value())),
            Op::String(string) => Argument::Latin1(string.decode()),
            Op::PersId(id) => Argument::Str(id.as_bytes().into()),
            Op::Global(module, name) | Op::Inst(module, name) => Argument::pair(module.as_bytes(), name.as_bytes()),
            // Both read the others the same way.
            _ => return None,
        })
    }

    fn pair(module: &[u8], name: &[u8]) -> Self {
        Argument::Str([module, b" ", name].concat().into())
    }

    /// Returns the operand as a memo index.
    pub(super) fn index(&self) -> Option<Index> {
        match self {
            Argument::Bool(value) => Some(Index::Small((*value).into())),
            Argument::Uint(value) => Some(Index::Small(*value)),
            Argument::Int(value) => Some(value.parse().map_or_else(|_| Index::Other(value.clone()), Index::Small)),
            _ => None,
        }
    }
}

/// Decodes a little-endian integer of at most eight bytes.
fn unsigned(bytes: &[u8]) -> Option<u64> {
    let mut word = [0; 8];
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(word))
}

/// Removes the quotes. A single quote character counts as a pair, as in `pickletools`.
fn unquoted(line: &[u8]) -> Option<&[u8]> {
    match line {
        [b'"'] | [b'\''] => Some(&[]),
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => Some(inner),
        _ => None,
    }
}

fn ascii(text: Cow<'_, [u8]>) -> Option<Cow<'_, [u8]>> {
    text.is_ascii().then_some(text)
}

impl Display for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Bool(false) => f.write_str("False"),
            Argument::Bool(true) => f.write_str("True"),
            Argument::Uint(value) => value.fmt(f),
            Argument::Int(value) => f.write_str(value),
            Argument::Float(value) => repr::Float(*value).fmt(f),
            Argument::Str(text) => repr::Str(Text::trusted(text, false)).fmt(f),
            Argument::Latin1(bytes) => repr::Latin1(bytes).fmt(f),
            Argument::Bytes(bytes) => repr::Bytes(bytes).fmt(f),
            Argument::ByteArray(bytes) => repr::ByteArray(bytes).fmt(f),
        }
    }
}
