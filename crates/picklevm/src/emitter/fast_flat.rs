//! The bulk of a pickle, written in runs.
//!
//! Most of a graph is numbers, short texts, values that the memo knows, lists, dicts and tuples of these, and instances
//! with such a state. What is written here is what the steps of [`Emitter`] write, but into room that is ready
//! ([`OpRun`]), without a look at frames, memory and errors for each op, and where what comes next cannot be foretold (the
//! size of an integer, the length of a text) without a branch. Nothing is decided here that differs from writer to
//! writer: all else, and what is rare, is left to the steps, one at a time.

use picklevm_ops::{self as ops, OpRun, Opcode, Sink};

use super::containers::{Adding, Open, Owner, short_tuple};
use super::memo::{Entry, Memo, MemoRun};
use super::payload::{Form, Payloads, SHORT, WIDE};
use super::{Bare, Emitter, Place, Scratch, Step};
use crate::graph::{Arena, Cell, Construction, Fixed, OpKind, Row, Tag, Value};

impl<S: Sink> Emitter<'_, '_, S> {
    /// Goes on with a container as far as it is plain and the frame has room; returns what is left where the steps must
    /// take the next item or the end, and nothing where a step must be taken.
    pub(super) fn plain(&mut self, open: Open) -> Option<Open> {
        // What is met inside its own arguments is not plain any more.
        if !self.has_runs || self.reentries.is_some() || self.memo.is_nearly_full() {
            return Some(open);
        }
        let Emitter { arena, out, memo, steps, barriers, protocol, .. } = self;
        Ground { arena, out, memo, steps, barriers, protocol: *protocol }.run(Some(open), Cell::HOLE)
    }
}

/// Begins a value, and goes on with it as far as it is plain; returns nothing if that is all of it, and how many barriers
/// are open if some is left to the steps.
#[inline]
pub(super) fn whole<S: Sink>(
    value: Value<'_>,
    out: &mut ops::Writer<S>,
    scratch: &mut Scratch,
    protocol: u8,
) -> Option<u32> {
    let Scratch { memo, steps, .. } = scratch;
    let mut barriers = 0;
    memo.turn_to(value.arena());
    if memo.is_nearly_full() {
        steps.push(Step::Save(value.cell(), Place::DATA));
        return Some(barriers);
    }
    let ground = Ground { arena: value.arena(), out, memo, steps, barriers: &mut barriers, protocol };
    if let Some(left) = ground.run(None, value.cell()) {
        steps.push(Step::Open(left));
    }
    (!steps.is_empty()).then_some(barriers)
}

/// What a run works on.
struct Ground<'e, S> {
    arena: &'e Arena,
    out: &'e mut ops::Writer<S>,
    memo: &'e mut Memo,
    steps: &'e mut Vec<Step>,
    barriers: &'e mut u32,
    protocol: u8,
}

impl<S: Sink> Ground<'_, S> {
    /// Goes on with a container, or begins a value.
    #[inline]
    fn run(self, open: Option<Open>, value: Cell) -> Option<Open> {
        match self.protocol {
            4.. => self.run_of::<true>(open, value),
            _ => self.run_of::<false>(open, value),
        }
    }

    #[inline(never)]
    fn run_of<const PROTOCOL_4: bool>(self, open: Option<Open>, value: Cell) -> Option<Open> {
        let Ground { arena, out, memo, steps, barriers, protocol } = self;
        let mut plain = Plain::<PROTOCOL_4> {
            arena,
            payloads: Payloads::of(arena),
            memo: memo.run(),
            steps,
            run: out.reserve(),
            barriers: *barriers,
            protocol,
            // Persistent references may have to be remembered.
            has_objects: arena.persistents.is_empty(),
            open: open.unwrap_or(Open::NOTHING),
            cell: value,
            place: Place::DATA,
        };
        let next = if open.is_some() { Next::Items } else { Next::Value };
        let left = plain.run(next);
        let (written, next, open) = (plain.run.len(), plain.memo.next(), plain.barriers);
        out.commit(written);
        memo.end_run(next);
        *barriers = open;
        left
    }
}

/// What plain values are written from and to, from protocol 2 on; `PROTOCOL_4` has SHORT_BINUNICODE and MEMOIZE.
struct Plain<'e, const PROTOCOL_4: bool> {
    arena: &'e Arena,
    payloads: Payloads<'e>,
    memo: MemoRun<'e>,
    steps: &'e mut Vec<Step>,
    run: OpRun<'e>,
    barriers: u32,
    protocol: u8,
    /// No object needs a closer look.
    has_objects: bool,
    /// The container that is being written.
    open: Open,
    /// The value that is written or begun next, and where it stands.
    cell: Cell,
    place: Place,
}

/// What is to be done next. What it is done with is in [`Plain`], where it is in registers.
#[derive(Clone, Copy)]
enum Next {
    /// Going on with the container that is open.
    Items,
    /// Writing the value.
    Value,
    /// Beginning the value, which the memo does not know.
    List,
    Dict,
    Set,
    Tuple,
    Object,
    /// Leaving the value to the steps.
    Save,
    /// The step at the end of the stack.
    Step,
    /// A step that is not plain.
    Leave,
    /// An item, or an end, that is not plain.
    LeaveItems,
}

// Each method is in one place of one loop: what it changes is in registers, and it jumps to what is next.
impl<const PROTOCOL_4: bool> Plain<'_, PROTOCOL_4> {
    #[inline(always)]
    fn run(&mut self, mut next: Next) -> Option<Open> {
        loop {
            next = match next {
                Next::Items => self.items(),
                Next::List => {
                    let Row { start, len, .. } = self.arena.lists[self.cell];
                    self.container(Tag::List, Opcode::EmptyList, Fixed { start, len }, Adding::APPEND)
                }
                Next::Dict => {
                    let Row { start, len, .. } = self.arena.dicts[self.cell].row;
                    self.container(Tag::Dict, Opcode::EmptyDict, Fixed { start, len }, Adding::SET_ITEM)
                }
                Next::Set => {
                    let items = self.arena.item_range(self.cell);
                    self.container(Tag::Set, Opcode::EmptySet, items, Adding::ADD)
                }
                Next::Tuple => self.tuple(),
                Next::Object => self.object(),
                Next::Value => self.value(),
                Next::Step => self.step(),
                Next::Save => {
                    self.steps.push(Step::Save(self.cell, self.place));
                    Next::Leave
                }
                Next::Leave => return None,
                Next::LeaveItems => return Some(self.open),
            }
        }
    }

    /// Writes items up to one that has content of its own, or the end.
    #[inline(always)]
    fn items(&mut self) -> Next {
        let Open { at, end, .. } = self.open;
        let items = self.arena.range(at, end - at);
        let mut done = 0;
        while let Some(cell) = items.get(done) {
            if self.run.is_full() {
                self.open.at = at + done as u32;
                return Next::LeaveItems;
            }
            if done % 4 == 0
                && let Some(four) = Cell::four_bytes(&items[done..])
                && self.run.four_bytes(four)
            {
                done += 4;
                continue;
            }
            done += 1;
            if cell.is(Tag::Float) {
                self.run.float(cell.as_float());
                // One seldom comes alone.
                while let Some(next) = items.get(done).filter(|next| next.is(Tag::Float) && !self.run.is_full()) {
                    self.run.float(next.as_float());
                    done += 1;
                }
                continue;
            }
            let Some(next) = self.item(*cell) else { continue };
            self.open.at = at + done as u32;
            self.steps.push(Step::Open(self.open));
            self.place = self.open.place();
            self.cell = *cell;
            return next;
        }
        if self.run.is_full() || !self.end() {
            self.open.at = end;
            return Next::LeaveItems;
        }
        // Containers in containers follow one another without a look at what else there could be.
        let Some(Step::Open(open)) = self.steps.last() else { return Next::Step };
        self.open = *open;
        self.steps.pop();
        Next::Items
    }

    /// Takes a step, if it is plain.
    #[inline(always)]
    fn step(&mut self) -> Next {
        let Some(step) = self.steps.last().filter(|_| !self.run.is_full()) else { return Next::Leave };
        match *step {
            Step::Open(open) => {
                self.steps.pop();
                self.open = open;
                Next::Items
            }
            Step::Op(Bare::Build) => {
                self.steps.pop();
                self.run.bare(Opcode::Build);
                Next::Step
            }
            Step::Change(_, 0) => {
                self.steps.pop();
                self.barriers -= 1;
                Next::Step
            }
            Step::Finish(cell, op @ (Bare::Reduce | Bare::NewObj)) if self.memo.number(cell).is_none() => {
                self.steps.pop();
                self.finish(cell, op)
            }
            Step::Save(cell, place) => {
                self.steps.pop();
                (self.cell, self.place) = (cell, place);
                Next::Value
            }
            _ => Next::Leave,
        }
    }

    /// Ends a container; tells whether that was plain: not the end of one batch of several.
    #[inline(always)]
    fn end(&mut self) -> bool {
        let open = self.open;
        let how = open.construction();
        if how == Adding::TUPLE {
            let slot = self.memo.slot_of(Tag::Tuple, open.cell);
            if self.memo.entry(slot).number().is_some() {
                return false;
            }
            let len = self.arena.tuples[open.cell].len;
            self.run.bare(short_tuple(len as usize).opcode());
            self.put(slot);
            return true;
        }
        if how == Adding::FROZEN_SET || !open.is_last() {
            return false;
        }
        self.run.bare(how.op(open.has_mark()).opcode());
        self.barriers -= open.barriers();
        true
    }

    /// Writes a value if it has no content or the memo knows it.
    #[inline(always)]
    fn value(&mut self) -> Next {
        if self.run.is_full() {
            return Next::Save;
        }
        let next = match self.cell.tag() {
            Tag::EmptyTuple => {
                self.run.bare(Opcode::EmptyTuple);
                return Next::Step;
            }
            Tag::List => Next::List,
            Tag::Dict => Next::Dict,
            Tag::Set => self.set(),
            Tag::Tuple => Next::Tuple,
            Tag::Object => Next::Object,
            _ => return Next::Save,
        };
        match self.memo.number(self.cell) {
            Some(number) => {
                self.run.get(number);
                Next::Step
            }
            None => next,
        }
    }

    /// How a set begins that the memo does not know.
    #[inline(always)]
    fn set(&self) -> Next {
        if PROTOCOL_4 { Next::Set } else { Next::Save }
    }

    #[inline(always)]
    fn container(&mut self, tag: Tag, empty: Opcode, items: Fixed, how: Adding) -> Next {
        let slot = self.memo.slot_of(tag, self.cell);
        if items.len == 0 {
            self.run.bare(empty);
            self.put(slot);
            return Next::Step;
        }
        // Protocols from 1 on have the same batches.
        self.open = Open::items(2, self.cell, items, how, Owner::Container(self.place));
        self.barriers += self.open.barriers();
        let has_mark = self.open.has_mark();
        if PROTOCOL_4 {
            self.memo.put(slot);
            self.run.first_of([empty, Opcode::Memoize, Opcode::Mark, Opcode::Mark], 2 + usize::from(has_mark));
        } else {
            self.run.bare(empty);
            self.put(slot);
            if has_mark {
                self.run.bare(Opcode::Mark);
            }
        }
        Next::Items
    }

    #[inline(always)]
    fn tuple(&mut self) -> Next {
        let slot = self.memo.slot_of(Tag::Tuple, self.cell);
        if self.memo.entry(slot) != Entry::NONE {
            // What is being written already leads back to itself.
            return Next::Save;
        }
        let items = self.arena.tuples[self.cell];
        if self.place == Place::DATA {
            self.memo.set(slot, Entry::open(self.barriers));
        }
        if items.len > 3 {
            self.run.bare(Opcode::Mark);
        }
        self.open = Open::sequence(self.cell, items, Adding::TUPLE, self.place);
        Next::Items
    }

    /// An object of a class that the memo knows, made by REDUCE or NEWOBJ.
    #[inline(always)]
    fn object(&mut self) -> Next {
        let slot = self.memo.slot_of(Tag::Object, self.cell);
        let node = &self.arena.objects[self.cell];
        let op = match node.how {
            // Below protocol 4 a call may be a path of attributes.
            Construction::Reduce if PROTOCOL_4 => Bare::Reduce,
            Construction::NewObj => Bare::NewObj,
            _ => return Next::Save,
        };
        if self.memo.entry(slot) == Entry::NONE
            && self.has_objects
            && node.class.is(Tag::Global)
            && let Some(class) = self.memo.number(node.class)
        {
            self.memo.set(slot, Entry::open(self.barriers));
            self.run.get(class);
            self.steps.push(Step::Finish(self.cell, op));
            (self.cell, self.place) = (node.args, Place::ARGUMENTS);
            return Next::Value;
        }
        Next::Save
    }

    /// The opcode that makes an object of class and arguments, and the beginning of what happens to it next.
    #[inline(always)]
    fn finish(&mut self, cell: Cell, op: Bare) -> Next {
        self.run.bare(if op == Bare::Reduce { Opcode::Reduce } else { Opcode::NewObj });
        self.put(self.memo.slot_of(Tag::Object, cell));
        let node = &self.arena.objects[cell];
        match node.first_kind {
            OpKind::Nothing => Next::Step,
            OpKind::Build if node.next == 0 => {
                self.barriers += 1;
                self.steps.push(Step::Change(cell, 0));
                self.steps.push(Step::Op(Bare::Build));
                (self.cell, self.place) = (node.first, Place::DATA);
                Next::Value
            }
            _ => {
                self.steps.push(Step::Changes(cell));
                Next::Leave
            }
        }
    }

    /// Writes an item that takes a few bytes wherever it stands; of others tells how they begin.
    #[inline(always)]
    fn item(&mut self, cell: Cell) -> Option<Next> {
        match cell.tag() {
            Tag::Int => self.run.int(cell.as_int()),
            Tag::Float => self.run.float(cell.as_float()),
            Tag::Str => return self.text(cell),
            Tag::None => self.run.bare(Opcode::None),
            Tag::True => self.run.bare(Opcode::NewTrue),
            Tag::False => self.run.bare(Opcode::NewFalse),
            Tag::EmptyTuple => self.run.bare(Opcode::EmptyTuple),
            Tag::ZeroFloat => self.run.float(0.0),
            Tag::WideFloat => self.run.float(self.arena.floats[cell]),
            Tag::BigInt if cell.is_short_long() => self.run.int(self.arena.small_int(cell).unwrap_or_default()),
            Tag::BigInt if self.payloads.write::<WIDE>(&mut self.run, Form::INT, cell) => {}
            Tag::BigInt => return Some(Next::Save),
            Tag::Hole | Tag::Ext | Tag::NativeObject => return Some(Next::Save),
            Tag::List => return self.known(Tag::List, cell, Next::List),
            Tag::Dict => return self.known(Tag::Dict, cell, Next::Dict),
            Tag::Tuple => return self.known(Tag::Tuple, cell, Next::Tuple),
            Tag::Set => return self.known(Tag::Set, cell, self.set()),
            Tag::Object => return self.known(Tag::Object, cell, Next::Object),
            tag => match self.memo.number(cell) {
                Some(number) => self.run.get(number),
                None if tag == Tag::Bytes && (PROTOCOL_4 || self.protocol >= 3) => {
                    if !self.payloads.write::<SHORT>(&mut self.run, Form::BYTES, cell) {
                        return Some(Next::Save);
                    }
                    self.put(self.memo.slot_of(Tag::Bytes, cell));
                }
                None => return Some(Next::Save),
            },
        }
        None
    }

    /// Writes a value that the memo knows.
    #[inline(always)]
    fn known(&mut self, tag: Tag, cell: Cell, unknown: Next) -> Option<Next> {
        match self.memo.entry(self.memo.slot_of(tag, cell)).number() {
            Some(number) => {
                self.run.get(number);
                None
            }
            None => Some(unknown),
        }
    }

    #[inline(always)]
    fn text(&mut self, cell: Cell) -> Option<Next> {
        let slot = self.memo.slot_of(Tag::Str, cell);
        if let Some(number) = self.memo.entry(slot).number() {
            self.run.get(number);
            return None;
        }
        if !self.payloads.write::<SHORT>(&mut self.run, const { Form::text::<PROTOCOL_4>() }, cell) {
            return Some(Next::Save);
        }
        self.put(slot);
        None
    }

    #[inline(always)]
    fn put(&mut self, slot: usize) {
        let number = self.memo.put(slot);
        if PROTOCOL_4 {
            self.run.bare(Opcode::Memoize);
        } else {
            self.run.put_index(number);
        }
    }
}
