//! Writes atoms: numbers, text, bytes, and globals by name.

use picklevm_ops::{Op, Sink, Text};

use super::leaf::Leaf;
use super::{Emitter, unrepresentable};
use crate::error::Result;
use crate::graph::{Cell, Int, Tag};

/// Length in bytes from which a shared integer is memoized.
const MEMOIZED_INT_LEN: usize = 255;

impl<S: Sink> Emitter<'_, '_, S> {
    /// Returns the writer of single ops.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn leaf(&mut self) -> Leaf<'_, S> {
        Leaf::new(self.out, self.protocol, self.options.writer.quirks())
    }

    /// Writes the value if it is an atom, and returns whether it is.
    pub(super) fn atom(&mut self, cell: Cell) -> Result<bool> {
        match cell.tag() {
            Tag::Int => self.leaf().int(cell.as_int())?,
            Tag::Str => self.text(cell)?,
            Tag::None => self.op(Op::None)?,
            Tag::Float => self.leaf().float(cell.as_float())?,
            Tag::True => self.leaf().bool(true)?,
            Tag::False => self.leaf().bool(false)?,
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
            Tag::EmptyTuple => self.leaf().empty_tuple()?,
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
                Some(value) => self.leaf().float(value)?,
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
            return if is_long { self.leaf().long(Int::small(value)) } else { self.leaf().int(value) };
        }
        let digits = self.arena.payload(cell);
        let is_long = digits.len() > MEMOIZED_INT_LEN && !self.options.fast;
        let slot = self.memo.slot(cell);
        if is_long && let Some(number) = self.memo.entry(slot).number() {
            return self.get(number);
        }
        self.leaf().long(Int::from_le(digits))?;
        if is_long && self.refcounts().is_shared(cell) { self.put(slot) } else { Ok(()) }
    }

    fn memoized_atom(&mut self, cell: Cell, slot: usize) -> Result<()> {
        match cell.tag() {
            Tag::Global => return self.global(cell, slot),
            Tag::Bytes => self.bytes(self.arena.payload(cell))?,
            Tag::ByteStr => {
                let string = self.arena.payload(cell);
                self.leaf().byte_str(string)?;
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
        self.leaf().text(text)
    }

    /// Writes bytes without a PUT.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        if self.protocol < 3 { self.bytes_by_call(bytes) } else { self.leaf().bytes(bytes) }
    }

    /// Writes a bytearray without a PUT.
    pub(super) fn byte_array(&mut self, bytes: &[u8]) -> Result<()> {
        if self.protocol < 5 { self.byte_array_by_call(bytes) } else { self.op(Op::ByteArray8(bytes)) }
    }
}

/// Whether UTF-8 text has fewer than two characters.
fn is_tiny(text: &[u8]) -> bool {
    text.len() < 5 && text.iter().filter(|byte| **byte & 0xc0 != 0x80).count() < 2
}
