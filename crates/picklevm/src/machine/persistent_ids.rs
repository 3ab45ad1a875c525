//! A builder that builds no values and collects persistent ids.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use picklevm_ops::{Decoder, Number, Op, Opcode, Text, Visitor};

use super::builder::Builder;
use super::graph_builder::GraphBuilder;
use super::literal::make_literal;
use super::memo::Slot;
use super::shadow::{Kind, ShadowValue};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Cell, Tag};

/// Number of list items that are recorded, because the list may be part of a persistent id.
const LIST_ITEMS: u32 = 64;

/// Number of bits for the length of a recorded tuple.
const TUPLE_BITS: u32 = 17;

/// A list: a range of items.
#[derive(Clone, Copy, Default)]
struct List {
    start: usize,
    len: u32,
}

/// The items of recorded tuples and lists, whose memory is reused for the next load.
#[derive(Default)]
pub(crate) struct Scratch {
    /// The items of tuples and lists.
    items: Vec<ShadowValue>,
    lists: Vec<List>,
    /// The tuples and lists that were built for an id.
    made: HashMap<ShadowValue, Cell, RandomState>,
}

impl Scratch {
    /// Clears everything, and frees memory beyond the capacity to reuse.
    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.items.shrink_to(super::REUSED_STACK_CAPACITY);
        self.lists.clear();
        self.lists.shrink_to(super::REUSED_STACK_CAPACITY);
        if !self.made.is_empty() {
            self.made = HashMap::default();
        }
    }
}

/// Tracks the stack of one pickle, and builds its persistent ids in a graph.
pub(crate) struct NoLoad<'a> {
    /// Builds the ids.
    graph: GraphBuilder<'a>,
    input: &'a [u8],
    /// Offset of the current op.
    offset: u64,
    scratch: &'a mut Scratch,
    /// The last global, with its shadow value: consecutive ids often have the same class.
    global: (ShadowValue, Cell),
}

impl<'a> NoLoad<'a> {
    pub(crate) fn new(mut graph: GraphBuilder<'a>, input: &'a [u8], scratch: &'a mut Scratch) -> Self {
        // This builder does not observe fetches.
        graph.is_tree = false;
        NoLoad { graph, input, offset: 0, scratch, global: (ShadowValue::HOLE, Cell::NONE) }
    }

    /// Returns the shadow value of the current op.
    #[inline(always)]
    fn atom(&self) -> ShadowValue {
        ShadowValue::new(Kind::Atom, self.offset)
    }

    /// Returns the index of the next recorded item.
    #[inline(always)]
    fn next_index(&self) -> u64 {
        self.scratch.items.len() as u64
    }

    /// Returns the items of a tuple.
    #[inline(always)]
    fn tuple_items(&self, tuple: ShadowValue) -> &[ShadowValue] {
        let (from, len) = (tuple.at() >> TUPLE_BITS, tuple.at() & ((1 << TUPLE_BITS) - 1));
        self.scratch.items.get(from..from + len).unwrap_or_default()
    }

    /// Appends items to a list, recording the first ones.
    fn add_to_list(&mut self, number: usize, items: &[ShadowValue]) {
        if !self.scratch.made.is_empty() {
            // A later id sees more of the list than earlier ones.
            self.scratch.made.remove(&ShadowValue::new(Kind::List, number as u64));
        }
        let List { start, len } = self.scratch.lists[number];
        let total = len.saturating_add(u32::try_from(items.len()).unwrap_or(u32::MAX));
        let mut list = List { start, len: total };
        if total <= LIST_ITEMS {
            let recorded = len as usize;
            if start + recorded != self.scratch.items.len() {
                list.start = self.scratch.items.len();
                self.scratch.items.reserve(total as usize);
                for at in start..start + recorded {
                    self.scratch.items.push(self.scratch.items[at]);
                }
            }
            self.scratch.items.extend_from_slice(items);
        }
        self.scratch.lists[number] = list;
    }

    /// Builds a persistent id in the graph. An atom or a pair of atoms, the most frequent ids, is built for each id;
    /// larger ones are built once.
    #[inline(always)]
    fn make(&mut self, id: ShadowValue) -> Result<Cell> {
        if !id.is_compound() {
            return self.make_atom(id);
        }
        if id.kind() == Kind::Tuple
            && let &[first, second] = self.tuple_items(id)
            && !first.is_compound()
            && !second.is_compound()
        {
            let pair = [self.make_atom(first)?, self.make_atom(second)?];
            return Ok(self.graph.arena.new_tuple(&pair));
        }
        self.make_compound(id)
    }

    /// Builds a value that may lead to itself: tuples after their items, lists before theirs, which may contain the
    /// tuple.
    #[inline(never)]
    fn make_compound(&mut self, id: ShadowValue) -> Result<Cell> {
        enum Task {
            Make(ShadowValue),
            Tuple(ShadowValue, usize),
            Fill(Cell, usize),
        }
        let mut work = vec![Task::Make(id)];
        let mut done = Vec::new();
        let mut unfilled = Vec::new();
        loop {
            match work.pop() {
                Some(Task::Make(shadow)) => match (self.scratch.made.get(&shadow), shadow.kind()) {
                    (Some(cell), _) => done.push(*cell),
                    (None, Kind::Tuple) => {
                        work.push(Task::Tuple(shadow, done.len()));
                        work.extend(self.tuple_items(shadow).iter().rev().map(|item| Task::Make(*item)));
                    }
                    (None, Kind::LongTuple) => {
                        return Err(Error::new(
                            ErrorKind::Limit,
                            format!("fewer than {} items in a tuple inside a persistent id", 1 << TUPLE_BITS),
                            "more",
                        ));
                    }
                    (None, Kind::List) => {
                        let list = self.graph.arena.new_list(&[]);
                        self.scratch.made.insert(shadow, list);
                        unfilled.push((self.scratch.lists[shadow.at()], list));
                        done.push(list);
                    }
                    (None, _) => done.push(self.make_atom(shadow)?),
                },
                Some(Task::Tuple(shadow, from)) => {
                    let tuple = self.graph.arena.new_tuple(&done[from..]);
                    done.truncate(from);
                    done.push(tuple);
                    self.scratch.made.insert(shadow, tuple);
                }
                Some(Task::Fill(list, from)) => {
                    self.graph.append(list, &mut done[from..])?;
                    done.truncate(from);
                }
                // No tuple is being built here, so every cycle ends at a value that was built.
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
                            format!("at most {LIST_ITEMS} items in a list inside a persistent id"),
                            len.to_string(),
                        ));
                    }
                    None => return Ok(done.first().copied().unwrap_or(Cell::NONE)),
                },
            }
        }
    }

    /// Builds a value without items.
    #[inline(always)]
    fn make_atom(&mut self, shadow: ShadowValue) -> Result<Cell> {
        if shadow == self.global.0 {
            return Ok(self.global.1);
        }
        match shadow.kind() {
            Kind::Atom | Kind::Text => self.make_from_op(shadow),
            Kind::Global => self.make_global(shadow),
            _ => Ok(Cell::NONE),
        }
    }

    /// Builds a global from two names on the stack.
    #[inline(never)]
    fn make_global(&mut self, shadow: ShadowValue) -> Result<Cell> {
        let [module, name] = [shadow.at(), shadow.at() + 1].map(|at| self.scratch.items[at]);
        let (module, name) = (self.make_from_op(module)?, self.make_from_op(name)?);
        let global = self.graph.arena.new_loaded_global(module, name);
        self.global = (shadow, global);
        Ok(global)
    }

    /// Builds the value of an op that needs nothing from the stack.
    #[inline(never)]
    fn make_from_op(&mut self, shadow: ShadowValue) -> Result<Cell> {
        let input = self.input.get(shadow.at()..).unwrap_or_default();
        let value = Decoder::new(input).visit_op(&mut AtomBuilder(&mut self.graph))??;
        if value.is(Tag::Global) {
            self.global = (shadow, value);
        }
        Ok(value)
    }
}

/// Builds the value of an op that needs nothing from the stack; for other ops, `None`.
struct AtomBuilder<'b, 'a>(&'b mut GraphBuilder<'a>);

impl<'o> Visitor<'o> for AtomBuilder<'_, '_> {
    type Output = Result<Cell>;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit<const BYTE: u8>(&mut self, _: u64, op: Op<'o>) -> Result<Cell> {
        let graph = &mut *self.0;
        if let Some(literal) = op.literal() {
            return make_literal(graph, literal);
        }
        match op {
            Op::PersId(pid) => graph.text(Text::from(pid)),
            Op::Ext1(code) => graph.ext(code.into()),
            Op::Ext2(code) => graph.ext(code.into()),
            Op::Ext4(code) => graph.ext(code),
            Op::Global(module, name) => global_from_names(graph, module, name),
            _ => Ok(Cell::NONE),
        }
    }
}

/// Not inlined, because its stack frame would be reserved for every atom.
#[inline(never)]
fn global_from_names(graph: &mut GraphBuilder<'_>, module: Text<'_>, name: Text<'_>) -> Result<Cell> {
    let (module, name) = (graph.text(module)?, graph.text(name)?);
    Ok(graph.arena.new_loaded_global(module, name))
}

impl Builder for NoLoad<'_> {
    type Value = ShadowValue;

    const IS_LIGHT: bool = true;

    #[inline(always)]
    fn at(&mut self, offset: u64, _: Opcode) {
        self.offset = offset;
    }

    #[inline(always)]
    fn none(&mut self) -> ShadowValue {
        ShadowValue::OPAQUE
    }

    #[inline(always)]
    fn bool(&mut self, _: bool) -> ShadowValue {
        self.atom()
    }

    #[inline(always)]
    fn int(&mut self, _: i64) -> Result<ShadowValue> {
        Ok(self.atom())
    }

    #[inline(always)]
    fn int_le(&mut self, _: &[u8]) -> Result<ShadowValue> {
        Ok(self.atom())
    }

    fn number(&mut self, _: Number<'_>) -> Result<ShadowValue> {
        Ok(self.atom())
    }

    #[inline(always)]
    fn float(&mut self, _: f64) -> Result<ShadowValue> {
        Ok(self.atom())
    }

    #[inline(always)]
    fn text(&mut self, _: Text<'_>) -> Result<ShadowValue> {
        Ok(ShadowValue::new(Kind::Text, self.offset))
    }

    #[inline(always)]
    fn bytes(&mut self, _: &[u8]) -> Result<ShadowValue> {
        Ok(self.atom())
    }

    #[inline(always)]
    fn byte_str(&mut self, _: &[u8]) -> Result<ShadowValue> {
        Ok(self.atom())
    }

    #[inline(always)]
    fn byte_array(&mut self, _: &[u8]) -> Result<ShadowValue> {
        Ok(self.atom())
    }

    #[inline(always)]
    fn tuple(&mut self, items: &mut [ShadowValue]) -> Result<ShadowValue> {
        if items.len() >> TUPLE_BITS != 0 {
            return Ok(ShadowValue::new(Kind::LongTuple, 0));
        }
        let tuple = ShadowValue::new(Kind::Tuple, self.next_index() << TUPLE_BITS | items.len() as u64);
        self.scratch.items.extend_from_slice(items);
        Ok(tuple)
    }

    #[inline(always)]
    fn list(&mut self, items: &mut [ShadowValue]) -> Result<ShadowValue> {
        let number = self.scratch.lists.len();
        self.scratch.lists.push(List::default());
        if !items.is_empty() {
            self.add_to_list(number, items);
        }
        Ok(ShadowValue::new(Kind::List, number as u64))
    }

    #[inline(always)]
    fn dict(&mut self, _: &[ShadowValue]) -> Result<ShadowValue> {
        Ok(ShadowValue::OPAQUE)
    }

    fn set(&mut self) -> Result<ShadowValue> {
        Ok(ShadowValue::OPAQUE)
    }

    fn frozenset(&mut self, _: &[ShadowValue]) -> Result<ShadowValue> {
        Ok(ShadowValue::OPAQUE)
    }

    #[inline(always)]
    fn append(&mut self, target: ShadowValue, items: &mut [ShadowValue]) -> Result<()> {
        if target.kind() == Kind::List {
            self.add_to_list(target.at(), items);
        }
        Ok(())
    }

    #[inline(always)]
    fn set_items(&mut self, _: ShadowValue, _: &[ShadowValue]) -> Result<()> {
        Ok(())
    }

    fn add_items(&mut self, _: ShadowValue, _: &[ShadowValue]) -> Result<()> {
        Ok(())
    }

    #[inline(always)]
    fn global(&mut self, _: Text<'_>, _: Text<'_>) -> Result<ShadowValue> {
        Ok(self.atom())
    }

    fn stack_global(&mut self, module: ShadowValue, name: ShadowValue) -> Result<ShadowValue> {
        if module.kind() != Kind::Text || name.kind() != Kind::Text {
            return Err(Error::new(ErrorKind::Type, "a str as the name of a global", "another value"));
        }
        let global = ShadowValue::new(Kind::Global, self.next_index());
        self.scratch.items.extend_from_slice(&[module, name]);
        Ok(global)
    }

    fn ext(&mut self, code: i32) -> Result<ShadowValue> {
        // Only for the error if the code is invalid.
        self.graph.ext(code)?;
        Ok(self.atom())
    }

    #[inline(always)]
    fn reduce(
        &mut self,
        _: ShadowValue,
        _: ShadowValue,
        _: impl FnOnce() -> Option<ShadowValue>,
    ) -> Result<ShadowValue> {
        Ok(ShadowValue::OPAQUE)
    }

    #[inline(always)]
    fn new_obj(&mut self, _: ShadowValue, _: ShadowValue) -> Result<ShadowValue> {
        Ok(ShadowValue::OPAQUE)
    }

    fn new_obj_ex(&mut self, _: ShadowValue, _: ShadowValue, _: ShadowValue) -> Result<ShadowValue> {
        Ok(ShadowValue::OPAQUE)
    }

    fn inst(&mut self, _: ShadowValue, _: &[ShadowValue]) -> Result<ShadowValue> {
        Ok(ShadowValue::OPAQUE)
    }

    fn obj(&mut self, _: ShadowValue, _: &[ShadowValue]) -> Result<ShadowValue> {
        Ok(ShadowValue::OPAQUE)
    }

    #[inline(always)]
    fn build(&mut self, _: ShadowValue, _: ShadowValue) -> Result<()> {
        Ok(())
    }

    fn persistent(&mut self, pid: ShadowValue) -> Result<ShadowValue> {
        let pid = self.make(pid)?;
        self.graph.arena.roots.push(pid);
        Ok(ShadowValue::OPAQUE)
    }

    fn next_buffer(&mut self) -> Result<ShadowValue> {
        Ok(ShadowValue::OPAQUE)
    }

    fn readonly_buffer(&mut self, buffer: ShadowValue) -> Result<ShadowValue> {
        Ok(buffer)
    }

    #[inline(always)]
    fn is_call(&self, _: &ShadowValue) -> bool {
        false
    }

    fn dropped(&mut self, _: ShadowValue, _: Option<ShadowValue>) {}

    fn protocol(&mut self, _: u8) {}

    fn is_empty(&self) -> bool {
        self.graph.is_empty() && self.scratch.items.is_empty() && self.scratch.lists.is_empty()
    }

    fn node_count(&self) -> u64 {
        self.graph.node_count() + self.scratch.lists.len() as u64
    }

    fn held_bytes(&self) -> u64 {
        let held = self.scratch.items.len() * size_of::<ShadowValue>() + self.scratch.lists.len() * size_of::<List>();
        self.graph.held_bytes() + held as u64
    }

    fn extrapolate(&mut self, _: u64, _: u64) {}

    fn finish(&mut self, _: &ShadowValue, _: &[ShadowValue]) -> Result<()> {
        Ok(())
    }
}
