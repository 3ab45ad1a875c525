//! Writes atoms: numbers, text, bytes, and globals by name.

use picklevm_ops::{Escaped, Number, Op, RawUnicode, Sink, Text};

use super::{Emitter, unrepresentable};
use crate::error::Result;
use crate::graph::{Cell, Int, Tag};

/// Maximum decimal digits of an integer that Python reads by default: `sys.int_info.default_max_str_digits`.
const MAX_DIGITS: usize = 4300;

/// Length in bytes from which a shared integer is memoized.
const MEMOIZED_INT_LEN: usize = 255;

impl<S: Sink> Emitter<'_, '_, S> {
    /// Writes the value if it is an atom, and returns whether it is.
    pub(super) fn atom(&mut self, cell: Cell) -> Result<bool> {
        match cell.tag() {
            Tag::Int => self.int(cell.as_int())?,
            Tag::Str => self.text(cell)?,
            Tag::None => self.op(Op::None)?,
            Tag::Float => self.float(cell.as_float())?,
            Tag::True => self.bool(true)?,
            Tag::False => self.bool(false)?,
            _ => return self.rare_atom(cell),
        }
        Ok(true)
    }

    #[inline(never)]
    fn rare_atom(&mut self, cell: Cell) -> Result<bool> {
        match cell.tag() {
            Tag::Tuple | Tag::List | Tag::Dict | Tag::Set | Tag::FrozenSet | Tag::Persistent | Tag::Object => {
                return Ok(false);
            }
            Tag::EmptyTuple => self.empty_tuple()?,
            Tag::BigInt => self.shared_int(cell)?,
            Tag::Buffer => self.buffer(cell)?,
            Tag::Ext => self.ext(cell.high())?,
            Tag::NativeObject => return Err(unrepresentable("a value that can be pickled", "a native object")),
            Tag::Bytes | Tag::ByteStr | Tag::ByteArray | Tag::Global | Tag::Complex => {
                let slot = self.memo.slot(cell);
                match self.memo.entry(slot).number() {
                    Some(number) => self.get(number)?,
                    None => self.memoized_atom(cell, slot)?,
                }
            }
            _ => match self.arena.float(cell) {
                Some(value) => self.float(value)?,
                None => self.op(Op::None)?,
            },
        }
        Ok(true)
    }

    /// Writes an integer that is a node. CPython memoizes no integer; a long one that is shared in the graph is memoized
    /// here, so that the output is no longer than the input.
    fn shared_int(&mut self, cell: Cell) -> Result<()> {
        if let Some(value) = self.arena.small_int(cell) {
            let is_long = cell.is_short_long() && self.options.writer.quirks().wide_ints;
            return if is_long { self.big_int(Int::small(value)) } else { self.int(value) };
        }
        let digits = self.arena.payload(cell);
        let is_long = digits.len() > MEMOIZED_INT_LEN && !self.options.fast;
        let slot = self.memo.slot(cell);
        if is_long && let Some(number) = self.memo.entry(slot).number() {
            return self.get(number);
        }
        self.big_int(Int::from_le(digits))?;
        if is_long && self.refcounts().is_shared(cell) { self.put(slot) } else { Ok(()) }
    }

    fn memoized_atom(&mut self, cell: Cell, slot: usize) -> Result<()> {
        match cell.tag() {
            Tag::Global => return self.global(cell, slot),
            Tag::Bytes => self.bytes(self.arena.payload(cell))?,
            Tag::ByteStr => {
                let string = self.arena.payload(cell);
                self.byte_str(string)?;
                if string.len() < 2 && self.has_put_rule() {
                    return Ok(());
                }
            }
            Tag::ByteArray => {
                self.byte_array(self.arena.payload(cell))?;
                if self.protocol >= 5
                    && !self.options.writer.quirks().memoizes_bytearrays
                    && !self.refcounts().is_shared(cell)
                {
                    return Ok(());
                }
            }
            _ => self.complex(self.arena.complexes[cell])?,
        }
        self.put(slot)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn bool(&mut self, value: bool) -> Result<()> {
        match (self.protocol >= 2, value) {
            (true, true) => self.op(Op::NewTrue),
            (true, false) => self.op(Op::NewFalse),
            (false, value) => self.int_line(if value { "01" } else { "00" }),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn int(&mut self, value: i64) -> Result<()> {
        if self.protocol == 0 || value as i32 as i64 != value {
            return self.rare_int(value);
        }
        match value as i32 {
            value @ 0..=0xff => self.op(Op::BinInt1(value as u8)),
            value @ 0x100..=0xffff => self.op(Op::BinInt2(value as u16)),
            value => self.op(Op::BinInt(value)),
        }
    }

    #[inline(never)]
    fn rare_int(&mut self, value: i64) -> Result<()> {
        let quirks = self.options.writer.quirks();
        if i32::try_from(value).is_ok() {
            return if quirks.small_longs { self.long_line(&value) } else { self.int_line(&value.to_string()) };
        }
        if quirks.wide_ints {
            return self.int_line(&value.to_string());
        }
        self.big_int(Int::small(value))
    }

    fn big_int(&mut self, value: Int<'_>) -> Result<()> {
        if self.protocol < 2 {
            return self.decimal_or_hexadecimal(value);
        }
        value.with_le_bytes(|digits| match digits.len() {
            0..=0xff => self.op(Op::Long1(digits)),
            len if i32::try_from(len).is_ok() => self.op(Op::Long4(digits)),
            len => Err(unrepresentable("an integer of less than 2 GiB", format!("{len} bytes"))),
        })
    }

    fn decimal_or_hexadecimal(&mut self, value: Int<'_>) -> Result<()> {
        if self.options.writer.quirks().limits_digits {
            let decimal = value.with_le_bytes(|bytes| bytes.len() <= MAX_DIGITS / 2).then(|| value.to_string());
            return match decimal.filter(|decimal| decimal.trim_start_matches('-').len() <= MAX_DIGITS) {
                Some(decimal) => self.long_line(&decimal),
                None => self.long_line(&format_args!("{value:#x}")),
            };
        }
        self.long_line(&value)
    }

    fn int_line(&mut self, digits: &str) -> Result<()> {
        match Number::int(digits.as_bytes()) {
            Some(number) => self.op(Op::Int(number)),
            None => Err(unrepresentable("digits", digits.to_owned())),
        }
    }

    fn long_line(&mut self, value: &dyn std::fmt::Display) -> Result<()> {
        let digits = format!("{value}L");
        match Number::long(digits.as_bytes()) {
            Some(number) => self.op(Op::Long(number)),
            None => Err(unrepresentable("digits", digits)),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn float(&mut self, value: f64) -> Result<()> {
        if self.protocol > 0 {
            return self.op(Op::BinFloat(value));
        }
        if self.options.writer.quirks().long_floats {
            self.out.float_of_17_digits(value);
            return Ok(());
        }
        self.op(Op::Float(value))
    }

    /// Writes text and memoizes it.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn text(&mut self, cell: Cell) -> Result<()> {
        let slot = self.memo.slot(cell);
        if let Some(number) = self.memo.entry(slot).number() {
            return self.get(number);
        }
        let text = self.arena.text(cell);
        if self.write_text(text)? { self.put_text(slot, text) } else { self.put_unread() }
    }

    /// Puts text into the memo. cPickle does so only for two or more characters.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn put_text(&mut self, slot: usize, text: Text<'_>) -> Result<()> {
        if self.selects_puts && self.has_put_rule() && is_tiny(text.as_bytes()) {
            return Ok(());
        }
        self.put(slot)
    }

    /// Writes text without a PUT. Returns whether the memo entry will be this text.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn write_text(&mut self, text: Text<'_>) -> Result<bool> {
        if self.protocol >= 4 && text.as_bytes().len() < 256 {
            self.op(Op::ShortBinUnicode(text))?;
            return Ok(true);
        }
        self.write_long_text(text)
    }

    #[inline(never)]
    fn write_long_text(&mut self, text: Text<'_>) -> Result<bool> {
        match (self.protocol, u32::try_from(text.as_bytes().len())) {
            (0, _) => return self.write_text_line(text),
            (_, Ok(_)) => self.op(Op::BinUnicode(text))?,
            (4.., Err(_)) => self.op(Op::BinUnicode8(text))?,
            _ => return Err(too_long("text")),
        }
        Ok(true)
    }

    fn write_text_line(&mut self, text: Text<'_>) -> Result<bool> {
        let quirks = self.options.writer.quirks();
        let mut escaped = Vec::with_capacity(text.as_bytes().len());
        RawUnicode::escape(text, quirks.controls, &mut escaped);
        match RawUnicode::new(&escaped) {
            Some(escaped) => self.op(Op::Unicode(escaped))?,
            None => return Err(unrepresentable("text", text.to_string())),
        }
        let is_escaped = |byte: &u8| matches!(byte, b'\\' | b'\n') || quirks.controls.contains(byte);
        Ok(!(quirks.forgets_escaped && text.as_bytes().iter().any(is_escaped)))
    }

    /// Writes bytes without a PUT.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        if self.protocol < 3 {
            return self.bytes_by_call(bytes);
        }
        match (self.protocol, bytes.len(), u32::try_from(bytes.len())) {
            (_, 0..=0xff, _) => self.op(Op::ShortBinBytes(bytes)),
            (_, _, Ok(_)) => self.op(Op::BinBytes(bytes)),
            (4.., ..) => self.op(Op::BinBytes8(bytes)),
            _ => Err(too_long("bytes")),
        }
    }

    /// Writes a bytearray without a PUT.
    pub(super) fn byte_array(&mut self, bytes: &[u8]) -> Result<()> {
        if self.protocol < 5 { self.byte_array_by_call(bytes) } else { self.op(Op::ByteArray8(bytes)) }
    }

    /// Writes an 8-bit string of Python 2 without a PUT, at every protocol: Python 3 reads it but never writes one.
    pub(super) fn byte_str(&mut self, string: &[u8]) -> Result<()> {
        if self.protocol == 0 {
            let mut quoted = Vec::with_capacity(string.len() + 2);
            Escaped::escape(string, &mut quoted);
            return match Escaped::new(&quoted) {
                Some(escaped) => self.op(Op::String(escaped)),
                None => Err(unrepresentable("an 8-bit string", format!("{quoted:?}"))),
            };
        }
        match string.len() {
            0..=0xff => self.op(Op::ShortBinString(string)),
            len if i32::try_from(len).is_ok() => self.op(Op::BinString(string)),
            _ => Err(too_long("8-bit string")),
        }
    }
}

/// Whether UTF-8 text has fewer than two characters.
fn is_tiny(text: &[u8]) -> bool {
    text.len() < 5 && text.iter().filter(|byte| **byte & 0xc0 != 0x80).count() < 2
}

#[cold]
fn too_long(what: &str) -> crate::error::Error {
    unrepresentable(format!("{what} short enough for the protocol"), "4 GiB or more (2 GiB for an 8-bit string)")
}
