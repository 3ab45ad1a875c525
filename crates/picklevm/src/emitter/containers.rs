//! Writes lists, dicts, sets, tuples and frozensets.

use picklevm_ops::internal::forms::{self, BATCH};
use picklevm_ops::{Op, Opcode, Sink};

use super::cpython::Quirks;
use super::memo::Entry;
use super::{Emitter, Place, Step, unrepresentable};
use crate::error::Result;
use crate::graph::{Cell, Fixed, Tag};

/// A container being written, or the items of an object.
#[derive(Clone, Copy)]
pub(super) struct Open {
    /// The container or object; a hole if it is not a node.
    pub(super) cell: Cell,
    /// Index of the next item.
    pub(super) at: u32,
    /// End of the open batch.
    pub(super) end: u32,
    /// End of the items.
    last: u32,
    flags: OpenFlags,
}

/// How a container is written, in one register: an [`Adding`], a [`Place`] from bit 3 on, and flags.
#[derive(Clone, Copy)]
struct OpenFlags(u32);

impl OpenFlags {
    /// The open batch has a MARK.
    const MARK: u32 = 1 << 5;
    /// The open batch is full.
    const FULL: u32 = 1 << 6;
    /// The container was put into the memo before its items, and is not in arguments: cycles end here.
    const BARRIER: u32 = 1 << 7;

    #[cfg_attr(not(debug_assertions), inline(always))]
    const fn new(how: Adding, place: Place) -> OpenFlags {
        OpenFlags(how.0 as u32 | (place.0 as u32) << 3)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    const fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn set(&mut self, flag: u32, is_set: bool) {
        self.0 = self.0 & !flag | if is_set { flag } else { 0 };
    }
}

/// How items are added to a container, or a container is made from items: a number below eight, like [`Place`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Adding(u8);

impl Adding {
    pub(super) const APPEND: Adding = Adding(0);
    pub(super) const SET_ITEM: Adding = Adding(1);
    pub(super) const ADD: Adding = Adding(2);
    /// All at once, at the end.
    pub(super) const TUPLE: Adding = Adding(3);
    pub(super) const FROZEN_SET: Adding = Adding(4);

    /// Cells per item.
    fn stride(self) -> u32 {
        if self == Adding::SET_ITEM { 2 } else { 1 }
    }

    /// Returns the op that ends a batch of items.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn op(self, has_mark: bool) -> Op<'static> {
        match (self, has_mark) {
            (Adding::APPEND, true) => Op::Appends,
            (Adding::APPEND, false) => Op::Append,
            (Adding::SET_ITEM, true) => Op::SetItems,
            (Adding::SET_ITEM, false) => Op::SetItem,
            _ => Op::AddItems,
        }
    }
}

/// What items are added to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A list, dict or set.
    Container(Place),
    /// An object, after it was made.
    Object,
    /// A list that is not a node, in the arguments of a set.
    Temporary,
}

impl Open {
    /// No container.
    pub(super) const NOTHING: Open =
        Open { cell: Cell::HOLE, at: 0, end: 0, last: 0, flags: OpenFlags::new(Adding::APPEND, Place::DATA) };

    /// Opens the items of a container or object, at least one.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn items(protocol: u8, cell: Cell, Fixed { start, len }: Fixed, how: Adding, owner: Owner) -> Open {
        // Sets are never guarded: their members are hashed before they can lead back.
        let items_place = match owner {
            Owner::Container(Place::ARGUMENTS) if how != Adding::ADD => Some(Place::ARGUMENTS),
            Owner::Container(Place::SHALLOW_ARGUMENTS) if how != Adding::ADD => Some(Place::GUARDED_ARGUMENTS),
            _ => None,
        };
        let mut open = Open {
            cell,
            at: start,
            end: start,
            last: start + len,
            flags: OpenFlags::new(how, items_place.unwrap_or(Place::DATA)),
        };
        open.flags.set(OpenFlags::BARRIER, items_place.is_none() && owner != Owner::Temporary);
        let batch = open.take_batch(protocol);
        open.set_mark(batch > how.stride() || how == Adding::ADD);
        open
    }

    /// Opens the items of a tuple or frozenset.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn sequence(cell: Cell, Fixed { start, len }: Fixed, how: Adding, place: Place) -> Open {
        let end = start + len;
        Open { cell, at: start, end, last: end, flags: OpenFlags::new(how, place) }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn adding(&self) -> Adding {
        Adding((self.flags.0 & 7) as u8)
    }

    /// Returns the place of the items.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn place(&self) -> Place {
        Place((self.flags.0 >> 3 & 3) as u8)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn has_mark(&self) -> bool {
        self.flags.has(OpenFlags::MARK)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn set_mark(&mut self, has_mark: bool) {
        self.flags.set(OpenFlags::MARK, has_mark);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn is_full(&self) -> bool {
        self.flags.has(OpenFlags::FULL)
    }

    /// Number of barriers: one or none.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn barriers(&self) -> u32 {
        u32::from(self.flags.has(OpenFlags::BARRIER))
    }

    /// Advances to the next batch, and returns its length in cells.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take_batch(&mut self, protocol: u8) -> u32 {
        let stride = self.adding().stride();
        let batch = (self.last - self.end).min(forms::batch(protocol) * stride);
        self.flags.set(OpenFlags::FULL, batch == BATCH * stride);
        (self.at, self.end) = (self.end, self.end + batch);
        batch
    }

    /// Whether the open batch is the last, and no empty one can follow.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn is_last(&self) -> bool {
        self.end == self.last && !self.is_full()
    }

    /// Whether picklers in C write these items like those of an exact list, dict or set: the last of several batches has a
    /// MARK even for one item, and dicts and sets with only full batches end with an empty one.
    fn is_exact(&self, protocol: u8, quirks: &Quirks) -> bool {
        protocol > 0
            && !self.cell.is(Tag::Object)
            && match self.adding() {
                Adding::APPEND => quirks.exact_lists,
                Adding::SET_ITEM => quirks.exact_dicts,
                _ => quirks.exact_sets,
            }
    }

    /// Returns the list or dict, if it was made for the arguments of an object.
    pub(super) fn argument(&self) -> Option<Cell> {
        let is_one = self.barriers() == 0 && matches!(self.adding(), Adding::APPEND | Adding::SET_ITEM);
        (is_one && self.cell != Cell::HOLE).then_some(self.cell)
    }
}

impl<S: Sink> Emitter<'_, '_, S> {
    /// Starts a compound value, or fetches it from the memo. The rest goes on the stack of steps.
    pub(super) fn compound(&mut self, cell: Cell, place: Place) -> Result<()> {
        let slot = self.memo.slot(cell);
        let entry = self.memo.entry(slot);
        if let Some(number) = entry.number()
            && !self.is_fresh(cell, place)
        {
            return self.get(number);
        }
        if self.options.fast {
            if entry != Entry::NONE {
                return Err(unrepresentable(
                    "data without cycles in fast mode, which has no memo",
                    "a value that contains itself",
                ));
            }
            self.memo.set(slot, Entry::open(0));
            self.steps.push(Step::Close(slot));
        }
        let items = self.arena.item_range(cell);
        match cell.tag() {
            Tag::List => {
                self.leaf().empty_list()?;
                self.put(slot)?;
                self.begin_items(cell, items, Adding::APPEND, Owner::Container(place))
            }
            Tag::Dict => {
                self.leaf().empty_dict()?;
                self.put(slot)?;
                self.begin_items(cell, items, Adding::SET_ITEM, Owner::Container(place))
            }
            Tag::Tuple => {
                if place == Place::DATA {
                    self.open_immutable(slot, entry)?;
                }
                self.tuple_start(items.len as usize)?;
                self.steps.push(Step::Open(Open::sequence(cell, items, Adding::TUPLE, place)));
                Ok(())
            }
            Tag::Set | Tag::FrozenSet if self.protocol < 4 => self.set_by_call(cell, slot, entry),
            Tag::Set => {
                self.op(Op::EmptySet)?;
                self.put(slot)?;
                self.begin_items(cell, items, Adding::ADD, Owner::Container(Place::DATA))
            }
            Tag::FrozenSet => {
                self.open_immutable(slot, entry)?;
                self.op(Op::Mark)?;
                self.steps.push(Step::Open(Open::sequence(cell, items, Adding::FROZEN_SET, Place::DATA)));
                Ok(())
            }
            Tag::Persistent => self.persistent(cell, slot, entry),
            _ => self.object(cell, slot, entry),
        }
    }

    /// Marks a value as open that gets its memo index at its end. It may occur inside itself, but only inside a container
    /// that was put into the memo before.
    pub(super) fn open_immutable(&mut self, slot: usize, entry: Entry) -> Result<()> {
        if entry.barriers().is_some_and(|barriers| barriers >= self.barriers) && !self.options.fast {
            return Err(unbroken_cycle());
        }
        self.memo.set(slot, Entry::open(self.barriers));
        Ok(())
    }

    /// Starts the items of a container or object that was just written. They go on the stack of steps.
    pub(super) fn begin_items(&mut self, cell: Cell, items: Fixed, how: Adding, owner: Owner) -> Result<()> {
        if items.len == 0 {
            return if owner == Owner::Object { self.no_items(how) } else { Ok(()) };
        }
        let open = Open::items(self.protocol, cell, items, how, owner);
        self.barriers += open.barriers();
        self.steps.push(Step::Open(open));
        if open.has_mark() { self.op(Op::Mark) } else { Ok(()) }
    }

    /// Writes an empty batch for an object. No pickler does, but the object's methods may notice it.
    fn no_items(&mut self, how: Adding) -> Result<()> {
        if self.protocol == 0 {
            return Err(unrepresentable(
                "protocol 1 or higher to add an empty batch of items to an object",
                "protocol 0",
            ));
        }
        self.op(Op::Mark)?;
        self.op(how.op(true))
    }

    /// Writes the items of a container, up to one that needs steps, or the end.
    pub(super) fn items(&mut self, mut open: Open) -> Result<()> {
        loop {
            match self.write_flat(open) {
                Some(rest) => open = rest,
                None => return Ok(()),
            }
            let [first] = self.arena.range(open.at, u32::from(open.at < open.end)) else {
                if self.end(&mut open)? {
                    return Ok(());
                }
                continue;
            };
            open.at += 1;
            self.boundary()?;
            if !self.atom(*first)? {
                let depth = self.steps.len();
                self.steps.push(Step::Open(open));
                self.compound(*first, open.place())?;
                if self.steps.len() > depth + 1 {
                    return Ok(());
                }
                self.steps.pop();
            }
        }
    }

    /// Ends a batch of items and starts the next. Returns whether it was the last.
    fn end(&mut self, open: &mut Open) -> Result<bool> {
        if let Adding::TUPLE | Adding::FROZEN_SET = open.adding() {
            self.end_sequence(*open)?;
            return Ok(true);
        }
        let how = open.adding();
        self.op(how.op(open.has_mark()))?;
        let is_exact = open.is_exact(self.protocol, self.options.writer.quirks());
        let was_full = open.is_full();
        let batch = open.take_batch(self.protocol);
        if batch > 0 {
            open.set_mark(batch > how.stride() || is_exact || how == Adding::ADD);
            if open.has_mark() {
                self.op(Op::Mark)?;
            }
            return Ok(false);
        }
        if was_full && is_exact && how != Adding::APPEND {
            self.op(Op::Mark)?;
            self.op(how.op(true))?;
        }
        self.barriers -= open.barriers();
        Ok(true)
    }

    fn end_sequence(&mut self, open: Open) -> Result<()> {
        let (cell, place) = (open.cell, open.place());
        let slot = self.memo.slot(cell);
        let len = self.arena.item_range(cell).len as usize;
        if let Some(number) = self.memo.entry(slot).number()
            && !self.is_fresh(cell, place)
        {
            // It occurred inside itself, and was written completely there.
            let is_short = forms::is_short_tuple(self.protocol, len);
            if cell.is(Tag::FrozenSet) || (self.protocol > 0 && !is_short) {
                self.op(Op::PopMark)?;
            } else {
                for _ in 0..len + usize::from(!is_short) {
                    self.op(Op::Pop)?;
                }
            }
            return self.get(number);
        }
        if cell.is(Tag::FrozenSet) {
            self.op(Op::FrozenSet)?;
        } else {
            self.tuple_end(len)?;
            if place != Place::DATA && self.has_put_rule() && !self.refcounts().is_shared(cell) {
                // Synthetic by a call of `__reduce_ex__`, which has the only reference.
                self.memo.set(slot, Entry::NONE);
                return Ok(());
            }
        }
        self.put(slot)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn tuple_start(&mut self, len: usize) -> Result<()> {
        if forms::is_short_tuple(self.protocol, len) { Ok(()) } else { self.op(Op::Mark) }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn tuple_end(&mut self, len: usize) -> Result<()> {
        self.op(match forms::tuple(self.protocol, len) {
            Opcode::Tuple1 => Op::Tuple1,
            Opcode::Tuple2 => Op::Tuple2,
            Opcode::Tuple3 => Op::Tuple3,
            _ => Op::Tuple,
        })
    }
}

#[cold]
#[inline(never)]
pub(super) fn unbroken_cycle() -> crate::error::Error {
    unrepresentable(
        "a list, dict, set or state in every cycle",
        "a value that contains itself only through tuples, frozensets and arguments",
    )
}
