//! Copying values between graphs, with everything they reach, sharing and cycles included.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::super::arena::{Arena, Fixed, GlobalNode, Keyed, Row, next_id};
use super::super::cell::{Cell, Tag};
use super::super::object::{ObjectNode, OpKind};
use super::super::value::Value;
use super::super::{Graph, Handle};
use crate::python::{Names, python2_names};

/// Copies nodes between two arenas. There is no recursion: each node is created empty when first reached, and filled
/// later.
pub(super) struct Copier<'a> {
    from: &'a Arena,
    into: &'a mut Arena,
    /// The copy of each node reached so far.
    copies: HashMap<Cell, Cell, RandomState>,
    /// Nodes whose copies are still to be filled.
    open: Vec<Cell>,
    /// Copies of dicts and sets, to be rebuilt at the end.
    keyed: Vec<Cell>,
}

impl<'a> Copier<'a> {
    pub(super) fn new(from: &'a Arena, into: &'a mut Arena) -> Self {
        Copier { from, into, copies: HashMap::default(), open: Vec::new(), keyed: Vec::new() }
    }

    /// Copies a value and everything it reaches.
    pub(super) fn copy(mut self, cell: Cell) -> Cell {
        let copy = self.reach(cell);
        self.finish();
        copy
    }

    /// Copies roots and effects and everything they reach.
    fn copy_all(mut self) {
        for root in &self.from.roots {
            let copy = self.reach(*root);
            self.into.roots.push(copy);
        }
        for effect in &self.from.effects {
            let copy = self.reach(*effect);
            self.into.effects.push(copy);
            if let Some(object) = self.from.outer_calls.fetched_for(*effect)
                && let Some(object) = self.copies.get(&object)
            {
                self.into.outer_calls.add_effect(copy, *object);
            }
        }
        self.finish();
    }

    fn reach(&mut self, cell: Cell) -> Cell {
        let copy = self.node(cell);
        while let Some(open) = self.open.pop() {
            self.fill(open);
        }
        copy
    }

    /// Returns the copy of a node, created empty if the node has not been reached before.
    fn node(&mut self, old: Cell) -> Cell {
        let from = self.from;
        if matches!(
            old.tag(),
            Tag::Int | Tag::Float | Tag::ZeroFloat | Tag::None | Tag::True | Tag::False | Tag::EmptyTuple | Tag::Ext
        ) {
            return old;
        }
        if let Some(copy) = self.copies.get(&old) {
            return *copy;
        }
        let into = &mut *self.into;
        let copy = match old.tag() {
            Tag::WideFloat => into.new_float(from.floats[old]),
            Tag::Complex => {
                let [re, im] = from.complexes[old];
                into.new_complex(re, im)
            }
            Tag::Str | Tag::Bytes | Tag::ByteStr | Tag::ByteArray | Tag::BigInt => into.copy_payload(from, old),
            Tag::Buffer => into.new_buffer(from.buffers[old].clone()),
            // Ids that a native object holds are not copied.
            Tag::NativeObject => from.natives.get(old).cloned().map_or(Cell::NONE, |native| into.new_native(native)),
            Tag::Global => into.new_global(Cell::HOLE, Cell::HOLE),
            Tag::Persistent => into.new_persistent(Cell::HOLE),
            Tag::Object => into.new_object(from.objects[old].how, Cell::HOLE, Cell::HOLE),
            Tag::List => into.new_list(&vec![Cell::HOLE; from.items(old).len()]),
            Tag::Tuple => into.new_tuple(&vec![Cell::HOLE; from.items(old).len()]),
            Tag::Dict => into.new_dict(),
            Tag::Set | Tag::FrozenSet => into.new_set(old.tag()),
            _ => Cell::NONE,
        };
        self.copies.insert(old, copy);
        self.open.push(old);
        copy
    }

    /// Fills the copy of a node.
    fn fill(&mut self, old: Cell) {
        let from = self.from;
        let copy = self.copies[&old];
        match old.tag() {
            Tag::Global => {
                let global = self.global(from.globals[old]);
                self.into.globals.set(copy, global);
            }
            Tag::Persistent => {
                let pid = self.node(from.persistents[old]);
                self.into.persistents.set(copy, pid);
            }
            Tag::Object => self.fill_object(from.objects[old], copy),
            Tag::List => self.fill_range(from.items(old), self.into.lists[copy].start),
            Tag::Tuple => {
                let Fixed { start, .. } = self.into.tuples[copy];
                self.fill_range(from.items(old), start);
            }
            Tag::Dict | Tag::Set | Tag::FrozenSet => {
                let rows = from.items(old);
                let start = next_id(self.into.cells.len());
                let end = self.into.cells.len() + rows.len();
                self.into.cells.resize(end, Cell::HOLE);
                let len = rows.len() as u32;
                // A small dict gets a hash table only when rows are added.
                let row = Row { start, len, cap: len };
                let table = match from.keyed(old).table {
                    0 => 0,
                    _ => self.into.new_table(),
                };
                self.into.set_keyed(copy, Keyed { row, table });
                self.fill_range(rows, start);
                self.keyed.push(copy);
            }
            _ => {}
        }
    }

    /// Returns the names of a global, mapped if the target graph has the names of the other Python.
    fn global(&mut self, GlobalNode { module, name, is_one_name }: GlobalNode) -> GlobalNode {
        let [from, into] = [self.from, &*self.into].map(|arena| Names::of_protocol(arena.protocol.unwrap_or(3)));
        if from != into
            && let [Some(module), Some(name)] = [module, name].map(|cell| self.from.text(cell).as_str())
            && let Some((module, name)) = python2_names::renamed(module, name, into)
        {
            let [module, name] = [module, name].map(|name| self.into.new_text(Tag::Str, name.as_bytes(), false));
            return GlobalNode { module, name, is_one_name };
        }
        GlobalNode { module: self.node(module), name: self.node(name), is_one_name }
    }

    fn fill_range(&mut self, items: &[Cell], start: u32) {
        for (at, item) in (start as usize..).zip(items) {
            self.into.cells[at] = self.node(*item);
        }
    }

    fn fill_object(&mut self, node: ObjectNode, copy: Cell) {
        let class = self.node(node.class);
        let args = self.node(node.args);
        let ops: Vec<(OpKind, Cell)> =
            self.from.object_ops(node).map(|(kind, value)| (kind, self.node(value))).collect();
        if let Some(object) = self.into.objects.get_mut(copy) {
            (object.class, object.args, object.memoized) = (class, args, node.memoized);
            object.args_memoized = node.args_memoized;
        }
        self.into.set_object_ops(copy, &ops);
    }

    /// Computes hashes and rebuilds hash tables: hashes by identity differ between graphs.
    fn finish(self) {
        for keyed in self.keyed {
            let stride = if keyed.is(Tag::Dict) { 2 } else { 1 };
            let Keyed { row, .. } = self.into.keyed(keyed);
            let start = row.start as usize;
            for at in (start..start + row.len as usize).step_by(stride) {
                // They are keys in the source graph, so they can be hashed.
                let _ = self.into.key_hash(self.into.cells[at]);
            }
            self.into.rebuild(keyed);
        }
    }
}

impl Arena {
    /// Copies values of another graph, sharing included.
    pub(crate) fn copy_each(&mut self, from: &Arena, cells: impl IntoIterator<Item = Cell>) -> Vec<Cell> {
        let mut copier = Copier::new(from, self);
        let copies = cells.into_iter().map(|cell| copier.reach(cell)).collect();
        copier.finish();
        copies
    }

    fn copy_payload(&mut self, from: &Arena, old: Cell) -> Cell {
        let span = from.spans[old];
        let payload = from.payload(old);
        if old.is_short_long() {
            return self.new_short_long(from.small_int(old).unwrap_or_default());
        }
        match from.payloads.block(span) {
            // A block that is a small part of the input would keep the whole input alive.
            Some(block) if !from.payloads.is_small_part_of_input(block) => {
                let span = self.payloads.push_block(block.clone()).with_surrogates(span.has_surrogates());
                let cell = self.push_span(old.tag(), span);
                Cell::payload(old.tag(), cell.high(), payload)
            }
            _ => self.new_text(old.tag(), payload, span.has_surrogates()),
        }
    }
}

impl Value<'_> {
    /// Copies the value and everything it reaches into a new graph, as its root: for keeping a small part of a large
    /// graph.
    ///
    /// ```
    /// let large = picklevm::Graph::from(vec![vec![1, 2], vec![3]]);
    /// let small = large.root().at(1).detach();
    /// drop(large);
    /// assert_eq!(format!("{:?}", small.root()), "[3]");
    /// ```
    pub fn detach(self) -> Graph {
        let mut graph = Graph::new();
        // Globals keep their names.
        graph.protocol = self.arena().protocol;
        graph.set_root(self);
        graph
    }
}

impl Handle {
    /// Copies the value and everything it reaches into a new graph, as its root, so that the rest can be freed.
    pub fn detach(&self) -> Graph {
        self.value().detach()
    }
}

impl Graph {
    /// Frees values that are no longer reached by roots or effects.
    ///
    /// All values get new ids; old ids become invalid, including ids in native objects. Handles and clones of the graph
    /// are not affected. Takes the time and temporarily the memory of a copy of what is reached.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::from(vec!["a".repeat(1000), "b".to_owned()]);
    /// graph.root_mut().remove(0)?;
    /// graph.compact();
    /// assert_eq!(format!("{:?}", graph.root()), "['b']");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn compact(&mut self) {
        let mut compacted = Arena { protocol: self.protocol, ..Arena::default() };
        Copier::new(self, &mut compacted).copy_all();
        *self = Graph::of(compacted);
    }
}
