//! Fast path for trees.
//!
//! If a pickle fetches nothing and calls nothing, like most short ones, its graph is a tree ([`Arena::is_tree`]): memo
//! indices are never read, and no value is in the arguments of an object. This module writes the same ops as the steps of
//! [`Emitter`](super::Emitter), in one loop with little state. Data that is not plain, containers that fill a batch, and
//! everything after them are left to the steps.

use picklevm_ops::internal::OpRun;
use picklevm_ops::internal::forms::{self, BATCH};
use picklevm_ops::{self as ops, Opcode, Sink};

use super::containers::{Adding, Open, Owner};
use super::payload::{Form, INT_WIDTH, Payloads, TEXT_WIDTH};
use super::{Place, Scratch, Step};
use crate::error::{Error, Result};
use crate::graph::{Arena, Cell, Fixed, Row, Tag, Value};

/// A container being written, or the outermost level.
#[derive(Clone, Copy)]
pub(super) struct Level {
    /// The node. The outermost level has none; its only item is the root.
    id: u32,
    /// Index of the next item, except in the innermost level.
    at: u32,
    /// End of the items.
    end: u32,
    close: Close,
}

/// How a container is ended. A number instead of an enum, so that a level is copied as four numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Close(u32);

impl Close {
    /// The outermost level.
    const NONE: Close = Close(0);
    const APPEND: Close = Close(1);
    const APPENDS: Close = Close(2);
    const SET_ITEM: Close = Close(3);
    const SET_ITEMS: Close = Close(4);
    const ADD_ITEMS: Close = Close(5);
    /// Tuples from here on: of one, two, three, and more items.
    const TUPLE: Close = Close(6);

    const OPCODES: [Opcode; 16] = {
        use Opcode::*;
        let [one, two, three, more] = [forms::tuple(2, 1), forms::tuple(2, 2), forms::tuple(2, 3), forms::tuple(2, 4)];
        [Stop, Append, Appends, SetItem, SetItems, AddItems, one, two, three, more, Stop, Stop, Stop, Stop, Stop, Stop]
    };

    /// Returns the end of a tuple of `len` items, at least one.
    #[inline(always)]
    fn tuple(len: u32) -> Close {
        Close(Close::TUPLE.0 - 1 + len.min(4))
    }

    #[inline(always)]
    fn opcode(self) -> Opcode {
        Close::OPCODES[self.0 as usize & 15]
    }

    #[inline(always)]
    fn is_tuple(self) -> bool {
        self.0 >= Close::TUPLE.0
    }

    /// Returns the kind of container, and how items are added to it.
    fn container(self) -> Option<(Tag, Adding)> {
        match self {
            Close::NONE => None,
            Close::APPEND | Close::APPENDS => Some((Tag::List, Adding::APPEND)),
            Close::SET_ITEM | Close::SET_ITEMS => Some((Tag::Dict, Adding::SET_ITEM)),
            Close::ADD_ITEMS => Some((Tag::Set, Adding::ADD)),
            _ => Some((Tag::Tuple, Adding::TUPLE)),
        }
    }
}

impl Level {
    const OUTSIDE: Level = Level { id: 0, at: 0, end: 1, close: Close::NONE };
}

/// Protocol for the division into batches, which is the same from 1 on.
const BATCH_PROTOCOL: u8 = 1;

/// Writes a value of a tree, with an empty memo. Returns `None` if it is complete, or the number of open barriers if the
/// steps must write the rest.
#[inline]
pub(super) fn whole<S: Sink>(
    value: Value<'_>,
    out: &mut ops::Writer<S>,
    scratch: &mut Scratch,
    protocol: u8,
) -> Result<Option<u32>> {
    let (arena, root) = (value.arena(), value.cell());
    scratch.levels.clear();
    scratch.levels.push(Level::OUTSIDE);
    loop {
        let Scratch { memo, levels, .. } = &mut *scratch;
        let (run, number, has_bytes) = (out.reserve(), memo.next(), protocol >= 3);
        let tree = Tree { arena, root, run, levels, number, has_bytes };
        let Done { written, number, left } = tree.run(protocol);
        out.commit(written);
        memo.end_run(number);
        match left {
            Left::Nothing => return Ok(None),
            Left::Rest => return Ok(Some(hand_over(arena, root, scratch))),
            Left::More => {
                memo.end_run(match protocol {
                    4.. => end::<true, S>(out, levels, number),
                    _ => end::<false, S>(out, levels, number),
                });
                if levels.last().is_none_or(|level| level.at == level.end) {
                    return Ok(None);
                }
                out.boundary().map_err(Error::unwritable)?;
            }
        }
    }
}

/// Ends levels without remaining items. They belong to the frame even if it is full: a frame ends before an item.
fn end<const PROTOCOL_4: bool, S: Sink>(out: &mut ops::Writer<S>, levels: &mut Vec<Level>, mut number: u32) -> u32 {
    while let Some(level) = levels.pop_if(|level| level.at == level.end && level.close != Close::NONE) {
        let mut output = Output::<PROTOCOL_4> { run: out.reserve(), number };
        output.end(level.close);
        let written = output.run.len();
        number = output.number;
        out.commit(written);
    }
    number
}

/// Writes a value of a tree, and returns its length; `None` if there is not enough space, or the steps are needed.
#[inline]
pub(super) fn short(value: Value<'_>, run: OpRun<'_>, levels: &mut Vec<Level>, protocol: u8) -> Option<usize> {
    levels.clear();
    levels.push(Level::OUTSIDE);
    let tree = Tree { arena: value.arena(), root: value.cell(), run, levels, number: 0, has_bytes: protocol >= 3 };
    let Done { written, left, .. } = tree.run(protocol);
    matches!(left, Left::Nothing).then_some(written)
}

/// Result of a run.
struct Done {
    written: usize,
    /// Memo index of the next PUT.
    number: u32,
    left: Left,
}

/// What remains to be written.
enum Left {
    Nothing,
    /// Values for which there was no space.
    More,
    /// Values that the steps must write.
    Rest,
}

/// State of a run.
struct Tree<'e> {
    arena: &'e Arena,
    root: Cell,
    run: OpRun<'e>,
    levels: &'e mut Vec<Level>,
    /// Memo index of the next PUT.
    number: u32,
    has_bytes: bool,
}

impl Tree<'_> {
    /// Continues at the innermost level.
    #[inline]
    fn run(self, protocol: u8) -> Done {
        if protocol >= 4 { self.run_of::<true>() } else { self.run_of::<false>() }
    }

    #[inline(never)]
    fn run_of<const PROTOCOL_4: bool>(self) -> Done {
        let Tree { arena, root, run, levels, number, has_bytes } = self;
        let payloads = Payloads::of(arena);
        let mut out = Output::<PROTOCOL_4> { run, number };
        let root = [root];
        let mut items = match levels.last() {
            Some(&Level { at, end, close, .. }) if close != Close::NONE || at > 0 => arena.range(at, end - at).iter(),
            _ => root.iter(),
        };
        let (left, ahead) = loop {
            if out.run.is_full() {
                break (Left::More, items.len());
            }
            let Some(cell) = items.next() else {
                let [.., outer, level] = levels.as_slice() else { break (Left::Nothing, 0) };
                out.end(level.close);
                items = arena.range(outer.at, outer.end - outer.at).iter();
                levels.pop();
                continue;
            };
            let begun = match cell.tag() {
                Tag::Int => out.leaf(|run| run.int(cell.as_int())),
                Tag::Float => out.leaf(|run| run.float(cell.as_float())),
                Tag::ZeroFloat => out.leaf(|run| run.float(0.0)),
                Tag::WideFloat => out.leaf(|run| run.float(arena.floats[*cell])),
                Tag::None => out.leaf(|run| run.bare(Opcode::None)),
                Tag::True => out.leaf(|run| run.bool(true)),
                Tag::False => out.leaf(|run| run.bool(false)),
                Tag::EmptyTuple => out.leaf(|run| run.bare(Opcode::EmptyTuple)),
                Tag::Str => {
                    let form = const { Form::text::<PROTOCOL_4>() };
                    let is_written = payloads.write::<TEXT_WIDTH>(&mut out.run, form, *cell);
                    out.memoized(is_written)
                }
                Tag::Bytes if has_bytes => {
                    let is_written = payloads.write::<TEXT_WIDTH>(&mut out.run, Form::BYTES, *cell);
                    out.memoized(is_written)
                }
                // Left to `fast_flat`: a second place that writes integers would make all of them slower.
                Tag::BigInt if cell.is_short_long() => Begun::Other,
                Tag::BigInt => match payloads.write::<INT_WIDTH>(&mut out.run, Form::INT, *cell) {
                    true => Begun::Leaf,
                    false => Begun::Other,
                },
                Tag::List => arena.lists.get(*cell).map_or(Begun::Other, |row| out.list(*row)),
                Tag::Dict => arena.dicts.get(*cell).map_or(Begun::Other, |dict| out.dict(dict.row)),
                Tag::Set if PROTOCOL_4 => arena.sets.get(*cell).map_or(Begun::Other, |set| out.set(set.row)),
                Tag::Tuple => arena.tuples.get(*cell).map_or(Begun::Other, |items| out.tuple(*items)),
                _ => Begun::Other,
            };
            match begun {
                Begun::Leaf => {}
                Begun::Container(Fixed { start, len }, close) => {
                    if let Some(outer) = levels.last_mut() {
                        outer.at = outer.end - items.len() as u32;
                    }
                    levels.push(Level { id: cell.high(), at: start, end: start + len, close });
                    items = arena.range(start, len).iter();
                    while let Some(four) = Cell::four_bytes(items.as_slice())
                        && out.run.four_bytes(four)
                    {
                        items = items.as_slice()[four.len()..].iter();
                    }
                }
                Begun::Other => break (Left::Rest, items.len() + 1),
            }
        };
        if let Some(level) = levels.last_mut() {
            level.at = level.end - ahead as u32;
        }
        Done { written: out.run.len(), number: out.number, left }
    }
}

/// How a value was started.
enum Begun {
    /// It is complete.
    Leaf,
    /// Its items and its end follow.
    Container(Fixed, Close),
    /// The steps must write it.
    Other,
}

struct Output<'e, const PROTOCOL_4: bool> {
    run: OpRun<'e>,
    number: u32,
}

impl<const PROTOCOL_4: bool> Output<'_, PROTOCOL_4> {
    /// Writes a PUT for the last value.
    #[inline(always)]
    fn put(&mut self) {
        if PROTOCOL_4 {
            self.run.bare(Opcode::Memoize);
        } else {
            self.run.put_index(self.number);
        }
        self.number += 1;
    }

    #[inline(always)]
    fn leaf(&mut self, write: impl FnOnce(&mut OpRun<'_>)) -> Begun {
        write(&mut self.run);
        Begun::Leaf
    }

    #[inline(always)]
    fn memoized(&mut self, is_written: bool) -> Begun {
        if !is_written {
            return Begun::Other;
        }
        self.put();
        Begun::Leaf
    }

    #[inline(always)]
    fn list(&mut self, row: Row) -> Begun {
        let close = if row.len > 1 { Close::APPENDS } else { Close::APPEND };
        self.container(Opcode::EmptyList, row, 1, row.len > 1, close)
    }

    #[inline(always)]
    fn dict(&mut self, row: Row) -> Begun {
        let close = if row.len > 2 { Close::SET_ITEMS } else { Close::SET_ITEM };
        self.container(Opcode::EmptyDict, row, 2, row.len > 2, close)
    }

    #[inline(always)]
    fn set(&mut self, row: Row) -> Begun {
        self.container(Opcode::EmptySet, row, 1, true, Close::ADD_ITEMS)
    }

    #[inline(always)]
    fn container(&mut self, empty: Opcode, row: Row, stride: u32, has_mark: bool, close: Close) -> Begun {
        let Row { start, len, .. } = row;
        if len == 0 {
            self.run.bare(empty);
            self.put();
            return Begun::Leaf;
        }
        if len >= BATCH * stride {
            return Begun::Other;
        }
        if PROTOCOL_4 {
            self.run.first_of([empty, Opcode::Memoize, Opcode::Mark, Opcode::Mark], 2 + usize::from(has_mark));
            self.number += 1;
        } else {
            self.run.bare(empty);
            self.put();
            self.run.first_of([Opcode::Mark], usize::from(has_mark));
        }
        Begun::Container(Fixed { start, len }, close)
    }

    #[inline(always)]
    fn tuple(&mut self, items: Fixed) -> Begun {
        self.run.first_of([Opcode::Mark], usize::from(items.len > 3));
        Begun::Container(items, Close::tuple(items.len))
    }

    /// Ends a container.
    #[inline(always)]
    fn end(&mut self, close: Close) {
        self.run.bare(close.opcode());
        if close.is_tuple() {
            self.put();
        }
    }
}

/// Passes the levels to the steps. Returns the number of open barriers.
#[cold]
#[inline(never)]
fn hand_over(arena: &Arena, root: Cell, scratch: &mut Scratch) -> u32 {
    let mut barriers = 0;
    scratch.memo.turn_to(arena);
    for Level { id, at, close, .. } in scratch.levels.drain(..) {
        let Some((tag, how)) = close.container() else {
            // The root was not started.
            if at == 0 {
                scratch.steps.push(Step::Save(root, Place::DATA));
            }
            continue;
        };
        let cell = Cell::node(tag, id);
        let items = arena.item_range(cell);
        let mut open = match how {
            Adding::TUPLE => Open::sequence(cell, items, how, Place::DATA),
            _ => Open::items(BATCH_PROTOCOL, cell, items, how, Owner::Container(Place::DATA)),
        };
        open.at = at;
        barriers += open.barriers();
        scratch.steps.push(Step::Open(open));
    }
    barriers
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::dump::Pickler;
    use crate::load::Unpickler;
    use crate::resolve::Symbolic;

    #[test]
    fn a_load_that_fetches_and_calls_nothing_makes_a_tree() {
        for pickle in
            [&b"N."[..], b"\x80\x04]\x94(K\x01}\x94\x8c\x01ae.", b"(lp0\nI1\na(dp1\na.", b"\x80\x02(K\x01N0t."]
        {
            assert!(Unpickler::new().loads(pickle).expect("it loads").is_tree.0, "{}", pickle.escape_ascii());
        }
    }

    #[test]
    fn a_load_that_fetches_or_calls_does_not_make_a_tree() {
        let pickles: [&[u8]; 8] = [
            b"\x80\x04]\x94h\x00\x86.",
            b"]p0\ng0\n\x86.",
            b"]2\x86.",
            b"cm\nf\n.",
            b"\x8c\x01m\x8c\x01f\x93.",
            b"\x82\x01.",
            b"Pid\n.",
            b"\x80\x05\x97.",
        ];
        for pickle in pickles {
            let buffers = pickle.ends_with(b"\x97.").then_some(Bytes::from_static(b"abc"));
            let graph = Unpickler::new().resolver(Symbolic).buffers(buffers).loads(pickle).expect("it loads");
            assert!(!graph.is_tree.0, "{}", pickle.escape_ascii());
        }
    }

    #[test]
    fn an_edited_graph_is_not_a_tree() {
        let graph = Unpickler::new().loads(b"]N\x86.").expect("it loads");
        let mut copy = graph.clone();
        copy.set_root(1);
        assert!(graph.is_tree.0 && !copy.is_tree.0);
    }

    #[test]
    fn a_short_tree_is_written_into_reused_memory() {
        let pickle = b"\x80\x04\x95\x0b\0\0\0\0\0\0\0]\x94(K\x01K\x02N\x88e.";
        let graph = Unpickler::new().loads(pickle).expect("it loads");
        let written = super::super::short(graph.root(), &Pickler::new().options).expect("it is a short tree");
        assert_eq!(written[..], pickle[..]);
    }
}
