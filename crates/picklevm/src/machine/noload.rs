//! The builder that builds nothing and collects persistent ids.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use picklevm_ops::{Number, Text};
use smallvec::SmallVec;

use super::builder::Builder;
use super::graph_builder::GraphBuilder;
use super::memo::Slot;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Cell, Tag};

/// Items of a list that are remembered, in case it turns out to be part of a persistent id.
const LIST_ITEMS: u32 = 64;

/// A tuple of at most this many atoms is made each time it is an id; what is larger is made once.
const SHORT: u32 = 4;

/// A value that was met: enough of it to make it, should it be part of a persistent id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Met {
    /// No value.
    Hole,
    /// A value that no persistent id is made of: a dict, a set, an instance, a buffer.
    Opaque,
    /// A value that is in the graph already.
    Made(Cell),
    /// A payload that lies in the input.
    Payload { kind: Payload, len: u32, offset: u64 },
    /// A tuple: items from a place on.
    Tuple { len: u32, start: usize },
    /// A global: two items from a place on.
    Global { start: usize },
    /// A list, by number.
    List(usize),
}

/// What a payload is one of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Payload {
    Text,
    /// A text that holds surrogates.
    WildText,
    Bytes,
    ByteStr,
    ByteArray,
    Int,
}

/// A list: a range of items.
#[derive(Clone, Copy, Default)]
struct List {
    start: usize,
    len: u32,
}

impl Slot for Met {
    const HOLE: Met = Met::Hole;

    #[inline(always)]
    fn is_hole(self) -> bool {
        self == Met::Hole
    }
}

/// What compound values hold, kept from load to load for its memory.
#[derive(Default)]
pub(crate) struct Scratch {
    /// The items of tuples and lists.
    items: Vec<Met>,
    lists: Vec<List>,
}

impl Scratch {
    pub(crate) const fn new() -> Self {
        Scratch { items: Vec::new(), lists: Vec::new() }
    }
}

/// Keeps the stack of one pickle in order, and makes its persistent ids in a graph.
pub(crate) struct NoLoad<'a> {
    /// Makes what does not lie in the input, and the ids.
    graph: GraphBuilder<'a>,
    input: &'a [u8],
    scratch: &'a mut Scratch,
    /// The tuples and lists that were made for an id.
    made: HashMap<Met, Cell, RandomState>,
}

impl<'a> NoLoad<'a> {
    pub(crate) fn new(graph: GraphBuilder<'a>, input: &'a [u8], scratch: &'a mut Scratch) -> Self {
        scratch.items.clear();
        scratch.lists.clear();
        NoLoad { graph, input, scratch, made: HashMap::default() }
    }

    /// A payload as a place in the input; only what was decoded from it must be copied.
    #[inline(always)]
    fn payload(&mut self, kind: Payload, bytes: &[u8]) -> Result<Met> {
        // Only a part of the input has an address inside of it.
        let at = bytes.as_ptr().addr().wrapping_sub(self.input.as_ptr().addr());
        if at < self.input.len()
            && let Ok(len) = u32::try_from(bytes.len())
        {
            return Ok(Met::Payload { kind, len, offset: at as u64 });
        }
        self.make_payload(kind, bytes).map(Met::Made)
    }

    #[cold]
    #[inline(never)]
    fn make_payload(&mut self, kind: Payload, bytes: &[u8]) -> Result<Cell> {
        match kind {
            Payload::Text => self.graph.text(Text::trusted(bytes, true)),
            Payload::WildText => self.graph.text(Text::trusted(bytes, false)),
            Payload::Bytes => self.graph.bytes(bytes),
            Payload::ByteStr => self.graph.byte_str(bytes),
            Payload::ByteArray => self.graph.byte_array(bytes),
            Payload::Int => self.graph.int_le(bytes),
        }
    }

    /// A list of these items, the start of which is remembered.
    fn add_to_list(&mut self, number: usize, items: &[Met]) {
        if !self.made.is_empty() {
            // An id that follows sees more of the list than those before.
            self.made.remove(&Met::List(number));
        }
        let List { start, len } = self.scratch.lists[number];
        let total = len.saturating_add(u32::try_from(items.len()).unwrap_or(u32::MAX));
        let mut list = List { start, len: total };
        if total <= LIST_ITEMS {
            let kept = len as usize;
            if start + kept != self.scratch.items.len() {
                list.start = self.scratch.items.len();
                self.scratch.items.reserve(total as usize);
                for at in start..start + kept {
                    self.scratch.items.push(self.scratch.items[at]);
                }
            }
            self.scratch.items.extend_from_slice(items);
        }
        self.scratch.lists[number] = list;
    }

    /// Makes a persistent id in the graph.
    fn make(&mut self, id: Met) -> Result<Cell> {
        let Met::Tuple { len, start } = id else { return self.make_compound(id) };
        let items = start..start + len as usize;
        let is_compound = |item: &Met| matches!(item, Met::Tuple { .. } | Met::List(_));
        if len > SHORT || self.scratch.items[items.clone()].iter().any(is_compound) {
            return self.make_compound(id);
        }
        let mut cells: SmallVec<[Cell; SHORT as usize]> = SmallVec::new();
        for at in items {
            cells.push(self.make_atom(self.scratch.items[at])?);
        }
        Ok(self.graph.tuple(&cells))
    }

    /// Makes what may lead to what was made before: tuples after their items; lists before theirs, which may hold the tuple.
    #[inline(never)]
    fn make_compound(&mut self, id: Met) -> Result<Cell> {
        enum Task {
            Make(Met),
            Tuple(Met, usize),
            Fill(Cell, usize),
        }
        let mut work = vec![Task::Make(id)];
        let mut done = Vec::new();
        let mut unfilled = Vec::new();
        loop {
            match work.pop() {
                Some(Task::Make(met)) => match (self.made.get(&met), met) {
                    (Some(cell), _) => done.push(*cell),
                    (None, Met::Tuple { start, len }) => {
                        work.push(Task::Tuple(met, done.len()));
                        work.extend(
                            self.scratch.items[start..start + len as usize].iter().rev().map(|item| Task::Make(*item)),
                        );
                    }
                    (None, Met::List(number)) => {
                        let list = self.graph.list(&[]);
                        self.made.insert(met, list);
                        unfilled.push((self.scratch.lists[number], list));
                        done.push(list);
                    }
                    (None, met) => done.push(self.make_atom(met)?),
                },
                Some(Task::Tuple(met, from)) => {
                    let tuple = self.graph.tuple(&done[from..]);
                    done.truncate(from);
                    done.push(tuple);
                    self.made.insert(met, tuple);
                }
                Some(Task::Fill(list, from)) => {
                    self.graph.append(list, &done[from..])?;
                    done.truncate(from);
                }
                // No tuple is under way here, so that every cycle ends at something made.
                None => match unfilled.pop() {
                    Some((List { start, len }, list)) if len <= LIST_ITEMS => {
                        work.push(Task::Fill(list, done.len()));
                        work.extend(
                            self.scratch.items[start..start + len as usize].iter().rev().map(|item| Task::Make(*item)),
                        );
                    }
                    Some((List { len, .. }, _)) => {
                        return Err(Error::new(
                            ErrorKind::Limit,
                            format!("at most {LIST_ITEMS} items in a list inside of a persistent id"),
                            len.to_string(),
                        ));
                    }
                    None => return Ok(done.first().copied().unwrap_or(Cell::NONE)),
                },
            }
        }
    }

    /// Makes what holds nothing but names.
    fn make_atom(&mut self, met: Met) -> Result<Cell> {
        match met {
            Met::Made(cell) => Ok(cell),
            Met::Payload { kind, len, offset } => {
                let from = offset as usize;
                self.make_payload(kind, &self.input[from..from + len as usize])
            }
            Met::Global { start } => {
                let (module, name) =
                    (self.make_atom(self.scratch.items[start])?, self.make_atom(self.scratch.items[start + 1])?);
                Ok(self.graph.arena.new_global(module, name))
            }
            _ => Ok(Cell::NONE),
        }
    }

    fn is_text(&self, met: Met) -> bool {
        match met {
            Met::Payload { kind, .. } => matches!(kind, Payload::Text | Payload::WildText),
            Met::Made(cell) => cell.is(Tag::Str),
            _ => false,
        }
    }
}

impl Builder for NoLoad<'_> {
    type Value = Met;

    #[inline(always)]
    fn none(&mut self) -> Met {
        Met::Made(Cell::NONE)
    }

    #[inline(always)]
    fn bool(&mut self, value: bool) -> Met {
        Met::Made(Cell::bool(value))
    }

    #[inline(always)]
    fn int(&mut self, value: i64) -> Met {
        Met::Made(self.graph.int(value))
    }

    #[inline(always)]
    fn int_le(&mut self, bytes: &[u8]) -> Result<Met> {
        self.payload(Payload::Int, bytes)
    }

    fn number(&mut self, number: Number<'_>) -> Result<Met> {
        self.graph.number(number).map(Met::Made)
    }

    #[inline(always)]
    fn float(&mut self, value: f64) -> Met {
        Met::Made(self.graph.float(value))
    }

    #[inline(always)]
    fn text(&mut self, text: Text<'_>) -> Result<Met> {
        let kind = if text.is_utf8() { Payload::Text } else { Payload::WildText };
        self.payload(kind, text.as_bytes())
    }

    #[inline(always)]
    fn bytes(&mut self, bytes: &[u8]) -> Result<Met> {
        self.payload(Payload::Bytes, bytes)
    }

    #[inline(always)]
    fn byte_str(&mut self, bytes: &[u8]) -> Result<Met> {
        self.payload(Payload::ByteStr, bytes)
    }

    #[inline(always)]
    fn byte_array(&mut self, bytes: &[u8]) -> Result<Met> {
        self.payload(Payload::ByteArray, bytes)
    }

    #[inline(always)]
    fn tuple(&mut self, items: &[Met]) -> Met {
        if items.is_empty() {
            return Met::Made(Cell::EMPTY_TUPLE);
        }
        let start = self.scratch.items.len();
        self.scratch.items.extend_from_slice(items);
        Met::Tuple { len: items.len() as u32, start }
    }

    #[inline(always)]
    fn list(&mut self, items: &[Met]) -> Met {
        let number = self.scratch.lists.len();
        self.scratch.lists.push(List::default());
        if !items.is_empty() {
            self.add_to_list(number, items);
        }
        Met::List(number)
    }

    #[inline(always)]
    fn dict(&mut self, _: &[Met]) -> Result<Met> {
        Ok(Met::Opaque)
    }

    fn set(&mut self) -> Met {
        Met::Opaque
    }

    fn frozenset(&mut self, _: &[Met]) -> Result<Met> {
        Ok(Met::Opaque)
    }

    #[inline(always)]
    fn append(&mut self, target: Met, items: &[Met]) -> Result<()> {
        if let Met::List(number) = target {
            self.add_to_list(number, items);
        }
        Ok(())
    }

    #[inline(always)]
    fn set_items(&mut self, _: Met, _: &[Met]) -> Result<()> {
        Ok(())
    }

    fn add_items(&mut self, _: Met, _: &[Met]) -> Result<()> {
        Ok(())
    }

    fn global(&mut self, module: Text<'_>, name: Text<'_>) -> Result<Met> {
        let module = self.text(module)?;
        let name = self.text(name)?;
        self.stack_global(module, name)
    }

    fn stack_global(&mut self, module: Met, name: Met) -> Result<Met> {
        if !self.is_text(module) || !self.is_text(name) {
            return Err(Error::new(ErrorKind::Type, "the names of a global as str", "other values"));
        }
        let start = self.scratch.items.len();
        self.scratch.items.extend_from_slice(&[module, name]);
        Ok(Met::Global { start })
    }

    fn ext(&mut self, code: i32) -> Result<Met> {
        self.graph.ext(code).map(Met::Made)
    }

    #[inline(always)]
    fn reduce(&mut self, _: Met, _: Met) -> Result<Met> {
        Ok(Met::Opaque)
    }

    #[inline(always)]
    fn new_obj(&mut self, _: Met, _: Met) -> Result<Met> {
        Ok(Met::Opaque)
    }

    fn new_obj_ex(&mut self, _: Met, _: Met, _: Met) -> Result<Met> {
        Ok(Met::Opaque)
    }

    fn inst(&mut self, _: Met, _: &[Met]) -> Result<Met> {
        Ok(Met::Opaque)
    }

    fn obj(&mut self, _: Met, _: &[Met]) -> Result<Met> {
        Ok(Met::Opaque)
    }

    #[inline(always)]
    fn build(&mut self, _: Met, _: Met) -> Result<()> {
        Ok(())
    }

    fn persistent(&mut self, pid: Met) -> Result<Met> {
        let pid = self.make(pid)?;
        self.graph.arena.roots.push(pid);
        Ok(Met::Opaque)
    }

    fn next_buffer(&mut self) -> Result<Met> {
        Ok(Met::Opaque)
    }

    fn readonly_buffer(&mut self, buffer: Met) -> Result<Met> {
        Ok(buffer)
    }

    #[inline(always)]
    fn memoized(&mut self, _: Met) {}

    #[inline(always)]
    fn is_call(&self, _: Met) -> bool {
        false
    }

    fn dropped(&mut self, _: Met, _: Option<Met>) {}

    fn protocol(&mut self, _: u8) {}

    fn usage(&self) -> (u64, u64) {
        let (nodes, bytes) = self.graph.usage();
        let held = self.scratch.items.len() * size_of::<Met>() + self.scratch.lists.len() * size_of::<List>();
        (nodes + self.scratch.lists.len() as u64, bytes + held as u64)
    }

    fn extrapolate(&mut self, _: u64, _: u64) {}

    fn finish(&mut self, _: Met) -> Result<()> {
        Ok(())
    }
}
