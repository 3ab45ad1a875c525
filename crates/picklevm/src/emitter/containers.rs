//! Lists, dicts, sets, tuples and frozensets.

use picklevm_ops::{Op, Sink};

use super::memo::Entry;
use super::{Emitter, Place, Step, unrepresentable};
use crate::error::Result;
use crate::graph::{Cell, Tag};

/// Items in one batch, at the most.
const BATCH: usize = 1000;

/// What is left of the items of a list, dict, set or object.
#[derive(Clone, Copy)]
pub(super) struct Items<'g> {
    rest: &'g [Cell],
    /// How many cells of the batch that is open are left.
    left: u32,
    how: Adding,
    place: Place,
    /// A batch is open, behind a MARK or not.
    is_open: bool,
    has_mark: bool,
    /// Even a batch of one item has a MARK.
    always_marks: bool,
    /// An empty batch ends it.
    ends_empty: bool,
    /// The container, if it was made for the arguments of an object; else it counts among the barriers.
    pub(super) argument: Option<Cell>,
}

/// How items are added.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Adding {
    Append,
    SetItem,
    Add,
}

impl Adding {
    /// Cells an item.
    fn stride(self) -> usize {
        if self == Adding::SetItem { 2 } else { 1 }
    }

    fn one(self) -> Op<'static> {
        match self {
            Adding::Append => Op::Append,
            Adding::SetItem => Op::SetItem,
            Adding::Add => Op::AddItems,
        }
    }

    fn batch(self) -> Op<'static> {
        match self {
            Adding::Append => Op::Appends,
            Adding::SetItem => Op::SetItems,
            Adding::Add => Op::AddItems,
        }
    }
}

/// What is left of a tuple or frozenset.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'g> {
    cell: Cell,
    rest: &'g [Cell],
    place: Place,
}

impl<'g, S: Sink> Emitter<'g, '_, S> {
    /// Begins a value with content, or fetches it; what is left goes on the stack of steps.
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
                return Err(unrepresentable("no cycle in fast mode, which has no memo", "a value inside itself"));
            }
            self.memo.set(slot, Entry::open(0));
            self.steps.push(Step::Close(slot));
        }
        let items = self.arena.items(cell);
        match cell.tag() {
            Tag::List => {
                self.empty_list()?;
                self.put(slot)?;
                self.begin_items(items, Adding::Append, true, argument(cell, place))
            }
            Tag::Dict => {
                if self.protocol > 0 {
                    self.op(Op::EmptyDict)?;
                } else {
                    self.op(Op::Mark)?;
                    self.op(Op::Dict)?;
                }
                self.put(slot)?;
                self.begin_items(items, Adding::SetItem, true, argument(cell, place))
            }
            Tag::Tuple => {
                if place == Place::Data {
                    self.open_immutable(slot, entry)?;
                }
                self.tuple_start(items.len())?;
                self.steps.push(Step::Sequence(Sequence { cell, rest: items, place }));
                Ok(())
            }
            Tag::Set | Tag::FrozenSet if self.protocol < 4 => self.set_by_call(cell, slot, entry),
            Tag::Set => {
                self.op(Op::EmptySet)?;
                self.put(slot)?;
                self.begin_items(items, Adding::Add, true, None)
            }
            Tag::FrozenSet => {
                self.open_immutable(slot, entry)?;
                self.op(Op::Mark)?;
                self.steps.push(Step::Sequence(Sequence { cell, rest: items, place: Place::Data }));
                Ok(())
            }
            Tag::Persistent => self.persistent(cell, slot, entry),
            _ => self.object(cell, slot, entry),
        }
    }

    /// Notes that a value is being written that gets its number at its end. It may be met again inside itself, but not
    /// without a container between that was put into the memo.
    pub(super) fn open_immutable(&mut self, slot: usize, entry: Entry) -> Result<()> {
        if entry.barriers().is_some_and(|barriers| barriers >= self.barriers) && !self.options.fast {
            return Err(endless());
        }
        self.memo.set(slot, Entry::open(self.barriers));
        Ok(())
    }

    pub(super) fn empty_list(&mut self) -> Result<()> {
        if self.protocol > 0 {
            return self.op(Op::EmptyList);
        }
        self.op(Op::Mark)?;
        self.op(Op::List)
    }

    /// Begins the items of a container that was just written; `exact` for those of a list, dict or set itself,
    /// `argument` for one that was made for the arguments of an object (the empty tuple, for a list that is no node).
    pub(super) fn begin_items(
        &mut self,
        rest: &'g [Cell],
        how: Adding,
        exact: bool,
        argument: Option<Cell>,
    ) -> Result<()> {
        if rest.is_empty() {
            return Ok(());
        }
        let habits = self.options.habits;
        let len = rest.len() / how.stride();
        let exact = exact
            && self.protocol > 0
            && match how {
                Adding::Append => habits.exact_lists && len > 1,
                Adding::SetItem => habits.exact_dicts && len > 1,
                Adding::Add => habits.exact_sets,
            };
        self.barriers += u32::from(argument.is_none());
        let items = Items {
            rest,
            left: 0,
            how,
            place: match argument {
                Some(cell) if !cell.is(Tag::EmptyTuple) => Place::Arguments,
                _ => Place::Data,
            },
            is_open: false,
            has_mark: false,
            always_marks: exact || how == Adding::Add,
            ends_empty: exact && how != Adding::Append && len.is_multiple_of(BATCH),
            argument,
        };
        self.steps.push(Step::Items(items));
        Ok(())
    }

    /// Writes items until one has content of its own.
    pub(super) fn items(&mut self, mut items: Items<'g>) -> Result<()> {
        loop {
            if !items.is_open {
                if items.rest.is_empty() {
                    return self.end_items(items);
                }
                let stride = items.how.stride();
                let batch = items.rest.len().min(if self.protocol == 0 { stride } else { BATCH * stride });
                items.has_mark = items.always_marks || batch > stride;
                items.left = batch as u32;
                items.is_open = true;
                if items.has_mark {
                    self.op(Op::Mark)?;
                }
            }
            while items.left > 0 {
                let Some((first, rest)) = items.rest.split_first() else { break };
                items.rest = rest;
                items.left -= 1;
                self.boundary()?;
                if self.atom(*first)? {
                    continue;
                }
                let depth = self.steps.len();
                self.steps.push(Step::Items(items));
                self.compound(*first, items.place)?;
                if self.steps.len() > depth + 1 {
                    return Ok(());
                }
                self.steps.pop();
            }
            self.op(if items.has_mark { items.how.batch() } else { items.how.one() })?;
            items.is_open = false;
        }
    }

    fn end_items(&mut self, items: Items<'g>) -> Result<()> {
        self.barriers -= u32::from(items.argument.is_none());
        if items.ends_empty {
            self.op(Op::Mark)?;
            self.op(items.how.batch())?;
        }
        Ok(())
    }

    /// Writes items of a tuple or frozenset until one has content of its own, or the end.
    pub(super) fn sequence(&mut self, mut sequence: Sequence<'g>) -> Result<()> {
        while let [first, rest @ ..] = sequence.rest {
            sequence.rest = rest;
            self.boundary()?;
            if self.atom(*first)? {
                continue;
            }
            let depth = self.steps.len();
            self.steps.push(Step::Sequence(sequence));
            self.compound(*first, sequence.place)?;
            if self.steps.len() > depth + 1 {
                return Ok(());
            }
            self.steps.pop();
        }
        self.end_sequence(sequence)
    }

    fn end_sequence(&mut self, Sequence { cell, place, .. }: Sequence<'g>) -> Result<()> {
        let slot = self.memo.slot(cell);
        let len = self.arena.items(cell).len();
        if let Some(number) = self.memo.entry(slot).number()
            && !self.is_fresh(cell, place)
        {
            // It was met inside itself, and written completely there.
            if cell.is(Tag::FrozenSet) || (self.protocol > 0 && !self.is_short(len)) {
                self.op(Op::PopMark)?;
            } else {
                for _ in 0..len + usize::from(!self.is_short(len)) {
                    self.op(Op::Pop)?;
                }
            }
            return self.get(number);
        }
        if cell.is(Tag::FrozenSet) {
            self.op(Op::FrozenSet)?;
        } else {
            self.tuple_end(len)?;
        }
        self.put(slot)
    }

    pub(super) fn empty_tuple(&mut self) -> Result<()> {
        if self.protocol > 0 {
            return self.op(Op::EmptyTuple);
        }
        self.op(Op::Mark)?;
        self.op(Op::Tuple)
    }

    /// Whether a tuple of so many items needs no MARK.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn is_short(&self, len: usize) -> bool {
        len <= 3 && self.protocol >= 2
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn tuple_start(&mut self, len: usize) -> Result<()> {
        if self.is_short(len) { Ok(()) } else { self.op(Op::Mark) }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn tuple_end(&mut self, len: usize) -> Result<()> {
        self.op(match len {
            1 if self.is_short(len) => Op::Tuple1,
            2 if self.is_short(len) => Op::Tuple2,
            3 if self.is_short(len) => Op::Tuple3,
            _ => Op::Tuple,
        })
    }
}

/// The list or dict, if it stands in arguments.
fn argument(cell: Cell, place: Place) -> Option<Cell> {
    (place == Place::Arguments).then_some(cell)
}

#[cold]
#[inline(never)]
pub(super) fn endless() -> crate::error::Error {
    unrepresentable(
        "a list, dict, set or state on every way that leads back to a value",
        "a value inside of itself through tuples, frozensets and arguments alone",
    )
}
