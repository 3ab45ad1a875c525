//! Writes values without an opcode at the protocol, as calls.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use picklevm_ops::{Op, Sink, Text};

use super::containers::{Adding, Owner};
use super::memo::Entry;
use super::{BareOp, Emitter, Place, Step};
use crate::error::Result;
use crate::graph::{Cell, Tag};

impl<S: Sink> Emitter<'_, '_, S> {
    /// Writes bytes below protocol 3: `_codecs.encode(text, 'latin1')`, or `bytes()` if empty.
    pub(super) fn bytes_by_call(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return self.call_without_args("bytes");
        }
        self.synthetic_global("_codecs", "encode")?;
        self.tuple_start(2)?;
        self.latin_1(bytes)?;
        self.synthetic_text("latin1".into())?;
        self.end_call(2)
    }

    /// Writes a bytearray below protocol 5: `bytearray()`, `bytearray(bytes)`, or `bytearray(text, 'latin-1')`.
    pub(super) fn byte_array_by_call(&mut self, bytes: &[u8]) -> Result<()> {
        let of_text = self.protocol < 3 && self.options.writer.quirks().bytearrays_of_text;
        if bytes.is_empty() && !of_text {
            return self.call_without_args("bytearray");
        }
        self.synthetic_global("builtins", "bytearray")?;
        if of_text {
            self.tuple_start(2)?;
            self.latin_1(bytes)?;
            // A new string each time.
            if self.options.writer.quirks().wide_ints {
                self.leaf().byte_str(b"latin-1")?;
            } else {
                self.boundary()?;
                self.write_text("latin-1".into())?;
            }
            self.put_unread()?;
            return self.end_call(2);
        }
        self.tuple_start(1)?;
        self.boundary()?;
        self.bytes(bytes)?;
        self.put_unread()?;
        self.end_call(1)
    }

    /// Writes `complex(real, imaginary)`, at every protocol.
    pub(super) fn complex(&mut self, parts: [f64; 2]) -> Result<()> {
        self.synthetic_global("builtins", "complex")?;
        self.boundary()?;
        self.tuple_start(2)?;
        for part in parts {
            self.boundary()?;
            self.leaf().float(part)?;
        }
        self.end_call(2)
    }

    /// Writes a set or frozenset below protocol 4: `set([…])` and `frozenset([…])`, each time with a new list.
    pub(super) fn set_by_call(&mut self, cell: Cell, slot: usize, entry: Entry) -> Result<()> {
        if entry == Entry::NONE && cell.is(Tag::Set) && self.contains_itself(cell) {
            return self.set_by_update(cell, slot);
        }
        self.enter(cell, slot, entry)?;
        self.synthetic_global("builtins", if cell.is(Tag::Set) { "set" } else { "frozenset" })?;
        self.tuple_start(1)?;
        self.leaf().empty_list()?;
        self.put_unread_list(self.arena.item_range(cell).len)?;
        self.steps.push(Step::Finish(cell, BareOp::Reduce));
        self.steps.push(Step::Op(BareOp::Tuple(1)));
        self.begin_items(Cell::HOLE, self.arena.item_range(cell), Adding::APPEND, Owner::Temporary)
    }

    /// Writes a set that `set([…])` cannot make, since its members refer to it: `s = set()`, then
    /// `getattr(s, 'update')([…])`. CPython's picklers recurse without end on such a set below protocol 4.
    fn set_by_update(&mut self, cell: Cell, slot: usize) -> Result<()> {
        self.call_without_args("set")?;
        self.put(slot)?;
        self.synthetic_global("builtins", "getattr")?;
        self.tuple_start(2)?;
        self.save(cell, Place::DATA)?;
        self.synthetic_text("update".into())?;
        self.end_call(2)?;
        self.put_unread()?;
        self.tuple_start(1)?;
        self.leaf().empty_list()?;
        self.put_unread_list(self.arena.item_range(cell).len)?;
        self.steps.extend([Step::Op(BareOp::Pop), Step::Op(BareOp::ReducePut), Step::Op(BareOp::Tuple(1))]);
        self.begin_items(Cell::HOLE, self.arena.item_range(cell), Adding::APPEND, Owner::Temporary)
    }

    /// Whether a set occurs in its own members, without a memoized container between. Returns `false` if the search is too
    /// expensive.
    fn contains_itself(&mut self, set: Cell) -> bool {
        let is_made = |cell: &Cell| matches!(cell.tag(), Tag::Tuple | Tag::FrozenSet | Tag::Set | Tag::Object);
        if self.options.fast || !self.arena.items(set).iter().any(is_made) || !self.refcounts().is_shared(set) {
            return false;
        }
        let mut left = self.arena.items(set).to_vec();
        let mut seen = HashSet::with_hasher(RandomState::default());
        while let Some(cell) = left.pop() {
            if cell == set {
                return true;
            }
            if !is_made(&cell) || self.memo.entry(self.memo.slot(cell)).number().is_some() || !seen.insert(cell) {
                continue;
            }
            let from = left.len();
            left.extend(self.constructor_values(cell));
            let Some(rest) = self.reentry_work.checked_sub(1 + (left.len() - from) as u32) else { return false };
            self.reentry_work = rest;
        }
        false
    }

    fn call_without_args(&mut self, name: &str) -> Result<()> {
        self.synthetic_global("builtins", name)?;
        self.boundary()?;
        self.leaf().empty_tuple()?;
        self.op(Op::Reduce)
    }

    /// Writes the end of the arguments, and the call.
    fn end_call(&mut self, args: usize) -> Result<()> {
        self.tuple_end(args)?;
        self.put_unread()?;
        self.op(Op::Reduce)
    }

    /// Writes the text of these Latin-1 characters.
    fn latin_1(&mut self, bytes: &[u8]) -> Result<()> {
        self.boundary()?;
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        self.write_text(Text::from(&*text))?;
        self.put_unread()
    }
}
