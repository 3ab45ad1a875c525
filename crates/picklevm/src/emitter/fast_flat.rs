//! Fast path for most of a pickle, which writes runs of ops.
//!
//! Most of a graph is numbers, short texts, memoized values, lists, dicts and tuples of these, and instances with such a
//! state. This module writes the same ops as the steps of [`Emitter`], but into reserved space ([`OpRun`]), without checking
//! frames, memory and errors for each op, and without branches on unpredictable data (the size of an integer, the length of
//! text). Nothing here depends on the pickler version: anything else, and anything rare, is left to the steps.

use picklevm_ops::internal::{OpRun, forms};
use picklevm_ops::{self as ops, Opcode, Sink};

use super::containers::{Adding, Open, Owner};
use super::memo::{Entry, Memo, MemoRun};
use super::payload::{Form, INT_WIDTH, Payloads, TEXT_WIDTH};
use super::{BareOp, Emitter, Place, Scratch, Step};
use crate::graph::{Arena, Cell, Construction, Fixed, OpKind, Row, Tag, Value};

impl<S: Sink> Emitter<'_, '_, S> {
    /// Writes a container as far as it is plain and the frame has space. Returns the rest if steps must write the next item
    /// or the end, or `None` if a step must run.
    pub(super) fn write_flat(&mut self, open: Open) -> Option<Open> {
        // Objects inside their own arguments are not plain.
        if !self.has_runs || self.reentries.is_some() || self.memo.is_nearly_full() {
            return Some(open);
        }
        let Emitter { arena, out, memo, steps, barriers, protocol, .. } = self;
        FlatRun { arena, out, memo, steps, barriers, protocol: *protocol }.run(Some(open), Cell::HOLE)
    }
}

/// Writes a value as far as it is plain. Returns `None` if it is complete, or the number of open barriers if the steps must
/// write the rest.
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
    let run = FlatRun { arena: value.arena(), out, memo, steps, barriers: &mut barriers, protocol };
    if let Some(left) = run.run(None, value.cell()) {
        steps.push(Step::Open(left));
    }
    (!steps.is_empty()).then_some(barriers)
}

/// Writes numbers, four of one type at a time, as far as there are four and the frame has space. Returns the number of bytes
/// and of numbers.
///
/// Not inlined, and called from a branch that the compiler takes for rare, so that the loop over items keeps its registers.
#[cold]
#[inline(never)]
fn numbers(mut run: OpRun<'_>, items: &[Cell]) -> (usize, usize) {
    let mut done = 0;
    loop {
        let before = done;
        while Cell::four_bytes(&items[done..]).is_some_and(|four| run.four_bytes(four)) {
            done += 4;
        }
        while Cell::four_ints(&items[done..]).is_some_and(|four| run.four_ints(four)) {
            done += 4;
        }
        while Cell::four_floats(&items[done..]).is_some_and(|four| run.four_floats(four)) {
            done += 4;
        }
        if done == before {
            return (run.len(), done);
        }
    }
}

/// State of a run.
struct FlatRun<'e, S> {
    arena: &'e Arena,
    out: &'e mut ops::Writer<S>,
    memo: &'e mut Memo,
    steps: &'e mut Vec<Step>,
    barriers: &'e mut u32,
    protocol: u8,
}

impl<S: Sink> FlatRun<'_, S> {
    /// Continues a container, or starts a value.
    #[inline]
    fn run(self, open: Option<Open>, value: Cell) -> Option<Open> {
        match self.protocol {
            4.. => self.run_of::<true>(open, value),
            _ => self.run_of::<false>(open, value),
        }
    }

    #[inline(never)]
    fn run_of<const PROTOCOL_4: bool>(self, open: Option<Open>, value: Cell) -> Option<Open> {
        let FlatRun { arena, out, memo, steps, barriers, protocol } = self;
        let mut writer = FlatWriter::<PROTOCOL_4> {
            arena,
            payloads: Payloads::of(arena),
            memo: memo.run(),
            steps,
            run: out.reserve(),
            barriers: *barriers,
            protocol,
            // Persistent references inside objects may have to be memoized.
            writes_objects: arena.persistents.is_empty(),
            open: open.unwrap_or(Open::NOTHING),
            cell: value,
            place: Place::DATA,
        };
        let next = if open.is_some() { Next::Items } else { Next::Value };
        let left = writer.run(next);
        let (written, next, open) = (writer.run.len(), writer.memo.next(), writer.barriers);
        out.commit(written);
        memo.end_run(next);
        *barriers = open;
        left
    }
}

/// Writer of plain values, from protocol 2 on; `PROTOCOL_4` has SHORT_BINUNICODE and MEMOIZE.
struct FlatWriter<'e, const PROTOCOL_4: bool> {
    arena: &'e Arena,
    payloads: Payloads<'e>,
    memo: MemoRun<'e>,
    steps: &'e mut Vec<Step>,
    run: OpRun<'e>,
    barriers: u32,
    protocol: u8,
    /// Whether objects are written here.
    writes_objects: bool,
    /// The container being written.
    open: Open,
    /// The next value to write or start, and its place.
    cell: Cell,
    place: Place,
}

/// The next action. Its operands are fields of [`FlatWriter`], which are in registers.
#[derive(Clone, Copy)]
enum Next {
    /// Continue the open container.
    Items,
    /// Write the value.
    Value,
    /// Start the value, which is not in the memo.
    List,
    Dict,
    Set,
    Tuple,
    Object,
    /// Leave the value to the steps.
    Save,
    /// Run the next step.
    Step,
    /// Return to the steps: the next one is not plain.
    Leave,
    /// Return to the steps: the next item or the end is not plain.
    LeaveItems,
}

// Each method is inlined once into one loop, so that fields stay in registers and each action jumps to the next.
impl<const PROTOCOL_4: bool> FlatWriter<'_, PROTOCOL_4> {
    #[inline(always)]
    fn run(&mut self, mut next: Next) -> Option<Open> {
        loop {
            next = match next {
                Next::Items => self.items(),
                Next::List => match self.arena.lists.get(self.cell) {
                    Some(&Row { start, len, .. }) => {
                        self.container(Tag::List, Opcode::EmptyList, Fixed { start, len }, Adding::APPEND)
                    }
                    None => Next::Save,
                },
                Next::Dict => match self.arena.dicts.get(self.cell) {
                    Some(dict) => {
                        let Row { start, len, .. } = dict.row;
                        self.container(Tag::Dict, Opcode::EmptyDict, Fixed { start, len }, Adding::SET_ITEM)
                    }
                    None => Next::Save,
                },
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

    /// Writes items up to a compound one, or the end.
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
            if done % 4 == 0 && Cell::are_four_numbers(&items[done..]) {
                let (len, written) = numbers(self.run.rest(), &items[done..]);
                if written > 0 {
                    self.run.advance(len);
                    done += written;
                    continue;
                }
            }
            done += 1;
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
        // Fast path for containers in containers.
        let Some(Step::Open(open)) = self.steps.last() else { return Next::Step };
        self.open = *open;
        self.steps.pop();
        Next::Items
    }

    /// Runs a step, if it is plain.
    #[inline(always)]
    fn step(&mut self) -> Next {
        let Some(step) = self.steps.last().filter(|_| !self.run.is_full()) else { return Next::Leave };
        match *step {
            Step::Open(open) => {
                self.steps.pop();
                self.open = open;
                Next::Items
            }
            Step::Op(BareOp::Build) => {
                self.steps.pop();
                self.run.bare(Opcode::Build);
                Next::Step
            }
            Step::Change(_, 0) => {
                self.steps.pop();
                self.barriers -= 1;
                Next::Step
            }
            Step::Finish(cell, op @ (BareOp::Reduce | BareOp::NewObj)) if self.memo.number(cell).is_none() => {
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

    /// Ends a container. Returns false if that is left to the steps: the end of one batch of several.
    #[inline(always)]
    fn end(&mut self) -> bool {
        let open = self.open;
        let how = open.adding();
        if how == Adding::TUPLE {
            let slot = self.memo.slot_of(Tag::Tuple, open.cell);
            if self.memo.entry(slot).number().is_some() {
                return false;
            }
            let Some(&Fixed { len, .. }) = self.arena.tuples.get(open.cell) else { return false };
            self.run.bare(forms::tuple(2, len as usize));
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

    /// Writes a value if it is empty or in the memo.
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

    /// Returns the action that starts a set.
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
        // Batches are the same from protocol 1 on.
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
            // The tuple contains itself.
            return Next::Save;
        }
        let Some(&items) = self.arena.tuples.get(self.cell) else { return Next::Save };
        if self.place == Place::DATA {
            self.memo.set(slot, Entry::open(self.barriers));
        }
        if items.len > 3 {
            self.run.bare(Opcode::Mark);
        }
        self.open = Open::sequence(self.cell, items, Adding::TUPLE, self.place);
        Next::Items
    }

    /// Starts an object of a memoized class, made by REDUCE or NEWOBJ.
    #[inline(always)]
    fn object(&mut self) -> Next {
        let slot = self.memo.slot_of(Tag::Object, self.cell);
        let Some(node) = self.arena.objects.get(self.cell) else { return Next::Save };
        let op = match node.how {
            // Below protocol 4 a call may be a path of attributes.
            Construction::Reduce if PROTOCOL_4 => BareOp::Reduce,
            Construction::NewObj => BareOp::NewObj,
            _ => return Next::Save,
        };
        if self.memo.entry(slot) == Entry::NONE
            && self.writes_objects
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

    /// Writes the opcode that makes an object, and starts its changes.
    #[inline(always)]
    fn finish(&mut self, cell: Cell, op: BareOp) -> Next {
        self.run.bare(if op == BareOp::Reduce { Opcode::Reduce } else { Opcode::NewObj });
        self.put(self.memo.slot_of(Tag::Object, cell));
        let node = &self.arena.objects[cell];
        match node.first_kind {
            OpKind::Nothing => Next::Step,
            OpKind::Build if node.next == 0 => {
                self.barriers += 1;
                self.steps.push(Step::Change(cell, 0));
                self.steps.push(Step::Op(BareOp::Build));
                (self.cell, self.place) = (node.first, Place::DATA);
                Next::Value
            }
            _ => {
                self.steps.push(Step::Changes(cell));
                Next::Leave
            }
        }
    }

    /// Writes an atom, or returns the action that starts the value.
    #[inline(always)]
    fn item(&mut self, cell: Cell) -> Option<Next> {
        match cell.tag() {
            Tag::Int => self.run.int(cell.as_int()),
            Tag::Float => self.run.float(cell.as_float()),
            Tag::Str => return self.text(cell),
            Tag::None => self.run.bare(Opcode::None),
            Tag::True => self.run.bool(true),
            Tag::False => self.run.bool(false),
            Tag::EmptyTuple => self.run.bare(Opcode::EmptyTuple),
            Tag::ZeroFloat => self.run.float(0.0),
            Tag::WideFloat => self.run.float(self.arena.floats[cell]),
            Tag::BigInt if cell.is_short_long() => self.run.int(self.arena.small_int(cell).unwrap_or_default()),
            Tag::BigInt if self.payloads.write::<INT_WIDTH>(&mut self.run, Form::INT, cell) => {}
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
                    if !self.payloads.write::<TEXT_WIDTH>(&mut self.run, Form::BYTES, cell) {
                        return Some(Next::Save);
                    }
                    self.put(self.memo.slot_of(Tag::Bytes, cell));
                }
                None => return Some(Next::Save),
            },
        }
        None
    }

    /// Fetches a value if it is in the memo, otherwise returns `unknown`.
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
        if !self.payloads.write::<TEXT_WIDTH>(&mut self.run, const { Form::text::<PROTOCOL_4>() }, cell) {
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
