//! Writes values of one op, without the memo: numbers, text, bytes. Which opcode they get is in [`forms`].

use picklevm_ops::internal::forms;
use picklevm_ops::{Escaped, Number, Op, Opcode, RawUnicode, Sink, Text, Writer};

use super::cpython::Quirks;
use super::unrepresentable;
use crate::error::{Error, Result};
use crate::graph::Int;

/// Maximum decimal digits of an integer that Python reads by default: `sys.int_info.default_max_str_digits`.
const MAX_DIGITS: usize = 4300;

/// Writer of single ops, for the emitter of graphs and the serializer of Rust types.
pub(crate) struct Leaf<'o, S> {
    out: &'o mut Writer<S>,
    protocol: u8,
    quirks: &'static Quirks,
}

impl<'o, S: Sink> Leaf<'o, S> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn new(out: &'o mut Writer<S>, protocol: u8, quirks: &'static Quirks) -> Self {
        Leaf { out, protocol, quirks }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn op(self, op: Op<'_>) -> Result<()> {
        self.out.op(op).map_err(Error::unwritable)
    }

    pub(crate) fn none(self) -> Result<()> {
        self.op(Op::None)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn bool(self, value: bool) -> Result<()> {
        match forms::bool(self.protocol, value) {
            Opcode::NewTrue => self.op(Op::NewTrue),
            Opcode::NewFalse => self.op(Op::NewFalse),
            _ => self.int_line(if value { "01" } else { "00" }),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn int(self, value: i64) -> Result<()> {
        match forms::int(self.protocol, value) {
            Opcode::BinInt1 => self.op(Op::BinInt1(value as u8)),
            Opcode::BinInt2 => self.op(Op::BinInt2(value as u16)),
            Opcode::BinInt => self.op(Op::BinInt(value as i32)),
            _ => self.rare_int(value),
        }
    }

    #[inline(never)]
    fn rare_int(self, value: i64) -> Result<()> {
        if i32::try_from(value).is_ok() {
            return if self.quirks.small_longs { self.long_line(&value) } else { self.int_line(&value.to_string()) };
        }
        if self.quirks.wide_ints {
            return self.int_line(&value.to_string());
        }
        self.long(Int::small(value))
    }

    /// Writes an integer of more than 32 bits, or a `long` of Python 2.
    pub(crate) fn long(self, value: Int<'_>) -> Result<()> {
        if forms::long(self.protocol, 0) == Opcode::Long {
            return self.decimal_or_hexadecimal(value);
        }
        value.with_le_bytes(|digits| match forms::long(self.protocol, digits.len() as u64) {
            Opcode::Long1 => self.op(Op::Long1(digits)),
            _ if i32::try_from(digits.len()).is_ok() => self.op(Op::Long4(digits)),
            _ => Err(unrepresentable("an integer of less than 2 GiB", format!("{} bytes", digits.len()))),
        })
    }

    fn decimal_or_hexadecimal(self, value: Int<'_>) -> Result<()> {
        if self.quirks.limits_digits {
            let decimal = value.with_le_bytes(|bytes| bytes.len() <= MAX_DIGITS / 2).then(|| value.to_string());
            return match decimal.filter(|decimal| decimal.trim_start_matches('-').len() <= MAX_DIGITS) {
                Some(decimal) => self.long_line(&decimal),
                None => self.long_line(&format_args!("{value:#x}")),
            };
        }
        self.long_line(&value)
    }

    fn int_line(self, digits: &str) -> Result<()> {
        match Number::int(digits.as_bytes()) {
            Some(number) => self.op(Op::Int(number)),
            None => Err(unrepresentable("digits", digits.to_owned())),
        }
    }

    fn long_line(self, value: &dyn std::fmt::Display) -> Result<()> {
        let digits = format!("{value}L");
        match Number::long(digits.as_bytes()) {
            Some(number) => self.op(Op::Long(number)),
            None => Err(unrepresentable("digits", digits)),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn float(self, value: f64) -> Result<()> {
        if forms::float(self.protocol) == Opcode::BinFloat {
            return self.op(Op::BinFloat(value));
        }
        if self.quirks.long_floats {
            self.out.float_of_17_digits(value);
            return Ok(());
        }
        self.op(Op::Float(value))
    }

    /// Writes text. Returns whether the memo entry will be this text.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn text(self, text: Text<'_>) -> Result<bool> {
        if forms::text(self.protocol, text.as_bytes().len() as u64) == Some(Opcode::ShortBinUnicode) {
            self.op(Op::ShortBinUnicode(text))?;
            return Ok(true);
        }
        self.long_text(text)
    }

    #[inline(never)]
    fn long_text(self, text: Text<'_>) -> Result<bool> {
        match forms::text(self.protocol, text.as_bytes().len() as u64) {
            Some(Opcode::Unicode) => return self.text_line(text),
            Some(Opcode::BinUnicode8) => self.op(Op::BinUnicode8(text))?,
            Some(_) => self.op(Op::BinUnicode(text))?,
            None => return Err(too_long("text")),
        }
        Ok(true)
    }

    fn text_line(self, text: Text<'_>) -> Result<bool> {
        let quirks = self.quirks;
        let mut escaped = Vec::with_capacity(text.as_bytes().len());
        RawUnicode::escape(text, quirks.controls, &mut escaped);
        match RawUnicode::new(&escaped) {
            Some(escaped) => self.op(Op::Unicode(escaped))?,
            None => return Err(unrepresentable("text", text.to_string())),
        }
        let is_escaped = |byte: &u8| matches!(byte, b'\\' | b'\n') || quirks.controls.contains(byte);
        Ok(!(quirks.forgets_escaped && text.as_bytes().iter().any(is_escaped)))
    }

    /// Writes bytes, at protocol 3 or later. Below, they have no opcode.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<()> {
        match forms::bytes(self.protocol, bytes.len() as u64) {
            Some(Opcode::ShortBinBytes) => self.op(Op::ShortBinBytes(bytes)),
            Some(Opcode::BinBytes) => self.op(Op::BinBytes(bytes)),
            Some(_) => self.op(Op::BinBytes8(bytes)),
            None => Err(too_long("bytes")),
        }
    }

    /// Writes an 8-bit string of Python 2, at every protocol: Python 3 reads it but never writes one.
    pub(crate) fn byte_str(self, string: &[u8]) -> Result<()> {
        match forms::byte_str(self.protocol, string.len() as u64) {
            Some(Opcode::String) => {
                let mut quoted = Vec::with_capacity(string.len() + 2);
                Escaped::escape(string, &mut quoted);
                match Escaped::new(&quoted) {
                    Some(escaped) => self.op(Op::String(escaped)),
                    None => Err(unrepresentable("an 8-bit string", format!("{quoted:?}"))),
                }
            }
            Some(Opcode::ShortBinString) => self.op(Op::ShortBinString(string)),
            Some(_) => self.op(Op::BinString(string)),
            None => Err(too_long("8-bit string")),
        }
    }

    /// Writes the opcode that fetches a memo index.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn get(self, index: u32) -> Result<()> {
        match forms::get(self.protocol, index) {
            Opcode::BinGet => self.op(Op::BinGet(index as u8)),
            Opcode::LongBinGet => self.op(Op::LongBinGet(index)),
            _ => self.op(Op::Get(index.into())),
        }
    }

    /// Writes the opcode that stores a value under the next memo index.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn put(self, index: u32) -> Result<()> {
        match forms::put(self.protocol, index) {
            Opcode::Memoize => self.op(Op::Memoize),
            Opcode::BinPut => self.op(Op::BinPut(index as u8)),
            Opcode::LongBinPut => self.op(Op::LongBinPut(index)),
            _ => self.op(Op::Put(index.into())),
        }
    }

    /// Writes an empty list.
    pub(crate) fn empty_list(self) -> Result<()> {
        self.empty(Op::EmptyList, Op::List)
    }

    /// Writes an empty dict.
    pub(crate) fn empty_dict(self) -> Result<()> {
        self.empty(Op::EmptyDict, Op::Dict)
    }

    /// Writes an empty tuple.
    pub(crate) fn empty_tuple(self) -> Result<()> {
        self.empty(Op::EmptyTuple, Op::Tuple)
    }

    /// Writes an empty container: at protocol 0 one of no items after a MARK.
    fn empty(self, empty: Op<'_>, of_items: Op<'_>) -> Result<()> {
        if self.protocol > 0 {
            return self.op(empty);
        }
        self.out.op(Op::Mark).map_err(Error::unwritable)?;
        self.op(of_items)
    }
}

#[cold]
fn too_long(what: &str) -> Error {
    unrepresentable(format!("{what} short enough for the protocol"), "4 GiB or more (2 GiB for an 8-bit string)")
}
