//! The bulk of a pickle, written in runs.
//!
//! Most of a graph is numbers, short texts, values that the memo knows, lists, dicts and tuples of these, and instances
//! with such a state. What is written here is what the steps of [`Emitter`] write, but into room that is ready
//! ([`Room`]), without a look at frames, memory and errors for each op, and where what comes next cannot be foretold (the
//! size of an integer, the length of a text) without a branch. Nothing is decided here that differs from writer to
//! writer: all else, and what is rare, is left to the steps, one at a time.

use picklevm_ops::{Opcode, Room, Sink};

use super::containers::{Adding, Open, Owner, short_tuple};
use super::memo::MemoRun;
use super::writers::Habits;
use super::{Bare, Emitter, Place, Step};
use crate::graph::{Arena, Cell, How, OpKind, Tag};

/// Texts and bytes of up to so many bytes are copied by that width.
const SHORT: usize = 32;
/// Integers of up to so many bytes are.
const WIDE: usize = 64;
/// What is longer is left to the steps.
const LONGEST: usize = 96;

impl<S: Sink> Emitter<'_, '_, S> {
    /// Goes on with a container as far as it is plain and the frame has room; returns what is left where the steps must
    /// take the next item or the end, and nothing where a step must be taken.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn plain(&mut self, open: Open) -> Option<Open> {
        match self.protocol {
            // What is met inside its own arguments is not plain any more.
            _ if !self.has_runs || self.reentries.is_some() || self.memo.is_nearly_full() => Some(open),
            4.. => self.plain_run::<true>(open),
            _ => self.plain_run::<false>(open),
        }
    }

    #[inline(never)]
    fn plain_run<const PROTOCOL_4: bool>(&mut self, open: Open) -> Option<Open> {
        let mut plain = Plain::<PROTOCOL_4> {
            arena: self.arena,
            memo: self.memo.run(),
            steps: self.steps,
            room: self.out.room(),
            barriers: self.barriers,
            protocol: self.protocol,
            habits: self.options.habits,
        };
        let left = plain.run(open);
        let (written, next, barriers) = (plain.room.len(), plain.memo.next(), plain.barriers);
        self.out.take(written);
        self.memo.end_run(next);
        self.barriers = barriers;
        left
    }
}

/// What plain values are written from and to, from protocol 2 on; `PROTOCOL_4` has SHORT_BINUNICODE and MEMOIZE.
struct Plain<'e, const PROTOCOL_4: bool> {
    arena: &'e Arena,
    memo: MemoRun<'e>,
    steps: &'e mut Vec<Step>,
    room: Room<'e>,
    barriers: u32,
    protocol: u8,
    habits: &'static Habits,
}

/// What is to be done next.
enum Next {
    /// Going on with a container.
    Items(Open),
    /// A value that is no item, or no leaf.
    Value(Cell, Place),
    /// The step at the end of the stack.
    Step,
    /// A step that is not plain.
    Leave,
}

// Each method is in one place of one loop: what it changes is in registers.
impl<const PROTOCOL_4: bool> Plain<'_, PROTOCOL_4> {
    #[inline(always)]
    fn run(&mut self, open: Open) -> Option<Open> {
        let mut next = Next::Items(open);
        loop {
            next = match next {
                Next::Items(mut open) => {
                    let mut next = Next::Step;
                    for cell in self.arena.range(open.at, open.end - open.at) {
                        if self.room.is_full() {
                            return Some(open);
                        }
                        open.at += 1;
                        if !self.leaf(*cell) {
                            self.steps.push(Step::Open(open));
                            next = Next::Value(*cell, open.place);
                            break;
                        }
                    }
                    if let Next::Step = next {
                        if self.room.is_full() || !self.end(&mut open) {
                            return Some(open);
                        }
                        if open.at < open.end {
                            next = Next::Items(open);
                        }
                    }
                    next
                }
                Next::Value(cell, place) => self.value(cell, place),
                Next::Step => self.step(),
                Next::Leave => return None,
            }
        }
    }

    /// Takes a step, if it is plain.
    #[inline(always)]
    fn step(&mut self) -> Next {
        let Some(step) = self.steps.last().filter(|_| !self.room.is_full()) else { return Next::Leave };
        match *step {
            Step::Open(open) => {
                self.steps.pop();
                Next::Items(open)
            }
            Step::Op(Bare::Build) => {
                self.steps.pop();
                self.room.bare(Opcode::Build);
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
                Next::Value(cell, place)
            }
            _ => Next::Leave,
        }
    }

    /// Ends a batch of items, and begins the next; tells whether that was plain.
    #[inline(always)]
    fn end(&mut self, open: &mut Open) -> bool {
        match open.how {
            Adding::FrozenSet => false,
            Adding::Tuple => {
                if self.memo.number(open.cell).is_some() {
                    return false;
                }
                let len = self.arena.item_range(open.cell).len;
                self.room.bare(short_tuple(len as usize).opcode());
                self.put(open.cell)
            }
            how => {
                self.room.bare(how.op(open.has_mark).opcode());
                if open.next_batch(self.protocol) {
                    if open.has_mark {
                        self.room.bare(Opcode::Mark);
                    }
                    return true;
                }
                if open.ends_empty {
                    self.room.bare(Opcode::Mark);
                    self.room.bare(how.op(true).opcode());
                }
                self.barriers -= u32::from(open.is_barrier);
                true
            }
        }
    }

    /// Begins a value, or writes it; one that is not plain is left to the steps.
    #[inline(always)]
    fn value(&mut self, cell: Cell, place: Place) -> Next {
        let tag = cell.tag();
        let (op, how) = match tag {
            _ if self.room.is_full() => return self.leave(cell, place),
            Tag::EmptyTuple => {
                self.room.bare(Opcode::EmptyTuple);
                return Next::Step;
            }
            Tag::List => (Opcode::EmptyList, Adding::Append),
            Tag::Dict => (Opcode::EmptyDict, Adding::SetItem),
            Tag::Set if self.protocol >= 4 => (Opcode::EmptySet, Adding::Add),
            Tag::Tuple | Tag::Object => (Opcode::Mark, Adding::Tuple),
            _ => return self.leave(cell, place),
        };
        if let Some(number) = self.memo.number(cell) {
            self.room.get(number);
            return Next::Step;
        }
        if how == Adding::Tuple {
            // What is being written already leads back to itself.
            if !self.memo.is_new(cell) {
                return self.leave(cell, place);
            }
            return if tag == Tag::Tuple { self.tuple(cell, place) } else { self.object(cell, place) };
        }
        self.room.bare(op);
        self.put(cell);
        let items = self.arena.item_range(cell);
        if items.len == 0 {
            return Next::Step;
        }
        let open = Open::items((self.protocol, self.habits), cell, items, how, Owner::Container(place));
        self.barriers += u32::from(open.is_barrier);
        if open.has_mark {
            self.room.bare(Opcode::Mark);
        }
        Next::Items(open)
    }

    #[inline(always)]
    fn leave(&mut self, cell: Cell, place: Place) -> Next {
        self.steps.push(Step::Save(cell, place));
        Next::Leave
    }

    #[inline(always)]
    fn tuple(&mut self, cell: Cell, place: Place) -> Next {
        let items = self.arena.item_range(cell);
        if place == Place::Data {
            self.memo.open(cell, self.barriers);
        }
        if items.len > 3 {
            self.room.bare(Opcode::Mark);
        }
        Next::Items(Open::sequence(cell, items, Adding::Tuple, place))
    }

    /// An object of a class that the memo knows, made by REDUCE or NEWOBJ.
    #[inline(always)]
    fn object(&mut self, cell: Cell, place: Place) -> Next {
        let node = &self.arena.objects[cell.id()];
        let op = match node.how {
            How::Reduce => Bare::Reduce,
            How::NewObj => Bare::NewObj,
            _ => return self.leave(cell, place),
        };
        // Below protocol 4 it may be a path of attributes.
        if PROTOCOL_4
            && node.class.is(Tag::Global)
            && let Some(class) = self.memo.number(node.class)
        {
            self.memo.open(cell, self.barriers);
            self.room.get(class);
            self.steps.push(Step::Finish(cell, op));
            return Next::Value(node.args, Place::Arguments);
        }
        self.leave(cell, place)
    }

    /// The opcode that makes an object of class and arguments, and the beginning of what happens to it next.
    #[inline(always)]
    fn finish(&mut self, cell: Cell, op: Bare) -> Next {
        self.room.bare(if op == Bare::Reduce { Opcode::Reduce } else { Opcode::NewObj });
        self.put(cell);
        let node = &self.arena.objects[cell.id()];
        match node.first_kind {
            OpKind::Nothing => Next::Step,
            OpKind::Build if node.next == 0 => {
                self.barriers += 1;
                self.steps.push(Step::Change(cell, 0));
                self.steps.push(Step::Op(Bare::Build));
                Next::Value(node.first, Place::Data)
            }
            _ => {
                self.steps.push(Step::Changes(cell));
                Next::Leave
            }
        }
    }

    /// Writes a value, if it is a leaf: one that takes a few bytes wherever it stands. Tells whether it did.
    #[inline(always)]
    fn leaf(&mut self, cell: Cell) -> bool {
        match cell.tag() {
            Tag::Int => self.room.int(cell.as_int()),
            Tag::Float => self.room.float(cell.as_float()),
            Tag::Str => return self.text(cell),
            Tag::None => self.room.bare(Opcode::None),
            Tag::True => self.room.bare(Opcode::NewTrue),
            Tag::False => self.room.bare(Opcode::NewFalse),
            Tag::EmptyTuple => self.room.bare(Opcode::EmptyTuple),
            Tag::ZeroFloat => self.room.float(0.0),
            Tag::WideFloat => self.room.float(self.arena.floats[cell.id()]),
            Tag::BigInt => return self.payload::<WIDE>(cell, Opcode::Long1),
            Tag::Hole | Tag::Ext | Tag::Live => return false,
            tag => match self.memo.number(cell) {
                Some(number) => self.room.get(number),
                None if tag == Tag::Bytes && self.protocol >= 3 => {
                    return self.payload::<SHORT>(cell, Opcode::ShortBinBytes) && self.put(cell);
                }
                None => return false,
            },
        }
        true
    }

    #[inline(always)]
    fn text(&mut self, cell: Cell) -> bool {
        if let Some(number) = self.memo.number(cell) {
            self.room.get(number);
            return true;
        }
        let opcode = if PROTOCOL_4 { Opcode::ShortBinUnicode } else { Opcode::BinUnicode };
        self.payload::<SHORT>(cell, opcode) && self.put(cell)
    }

    /// Writes an op with a payload, from the first `N` bytes from where that begins or from itself; none that is long.
    #[inline(always)]
    fn payload<const N: usize>(&mut self, cell: Cell, opcode: Opcode) -> bool {
        let Arena { spans, payloads, .. } = self.arena;
        let span = spans[cell.id()];
        if let Some((head, len)) = payloads.head::<N>(span) {
            self.counted(opcode, head, len);
            return true;
        }
        let payload = payloads.get(span);
        if payload.len() > LONGEST {
            return false;
        }
        self.counted(opcode, payload, payload.len());
        true
    }

    #[inline(always)]
    fn counted(&mut self, opcode: Opcode, head: &[u8], len: usize) {
        match opcode {
            Opcode::BinUnicode => self.room.long(opcode, head, len as u32),
            _ => self.room.short(opcode, head, len as u8),
        }
    }

    #[inline(always)]
    fn put(&mut self, cell: Cell) -> bool {
        let number = self.memo.put(cell);
        if PROTOCOL_4 {
            self.room.bare(Opcode::Memoize);
        } else {
            self.room.put_index(number);
        }
        true
    }
}
