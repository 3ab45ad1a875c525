//! Copies of values within their graph, by the rules of Python's `copy` module (`Lib/copy.py`).

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::super::arena::{Arena, Keyed, Row, next_id};
use super::super::cell::{Cell, Tag};
use super::super::object::{ObjectNode, OpKind};
use super::super::value::{Id, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::python::python3_name;

/// Classes and functions whose results `copy` takes for atoms, or that return themselves from `__copy__` and `__deepcopy__`.
const ATOMS: &[(&str, &str)] = &[
    ("builtins", "bytes"),
    ("builtins", "complex"),
    ("builtins", "range"),
    ("builtins", "type"),
    ("_codecs", "encode"),
    ("decimal", "Decimal"),
    ("fractions", "Fraction"),
    ("re", "_compile"),
];

/// What was copied so far: the `memo` of `copy.deepcopy`.
///
/// Values that are copied with one memo share in their copies what they share. A value can be given a copy beforehand.
///
/// ```
/// use picklevm::{CopyMemo, Graph, value};
///
/// let mut graph = value!([["shared"], ["kept"]]);
/// let [shared, kept] = [0, 1].map(|n| graph.root().at(n).id());
/// let mut memo = CopyMemo::new();
/// memo.insert(kept, kept);
/// let root = graph.root().id();
/// let copy = graph.deepcopy_with(root, &mut memo)?;
/// assert_ne!(graph.value(copy).at(0).id(), shared);
/// assert_eq!(graph.value(copy).at(1).id(), kept);
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CopyMemo {
    copies: HashMap<Cell, Cell, RandomState>,
}

impl CopyMemo {
    /// Creates an empty memo.
    pub fn new() -> Self {
        CopyMemo::default()
    }

    /// Makes `copy` the copy of `value`.
    pub fn insert(&mut self, value: Id, copy: Id) {
        self.copies.insert(value.0, copy.0);
    }

    /// Returns the copy of a value, if it has one.
    pub fn get(&self, value: Id) -> Option<Id> {
        self.copies.get(&value.0).copied().map(Id)
    }
}

impl Arena {
    /// Copies a value, but not what is in it: Python's `copy.copy`.
    ///
    /// Immutable values are their own copies. An instance gets attributes, items and members of its own, whose values it
    /// shares with the first.
    ///
    /// ```
    /// use picklevm::value;
    ///
    /// let mut graph = value!([["inner"], 1]);
    /// let root = graph.root().id();
    /// let copy = graph.copy(root)?;
    /// graph.value_mut(copy).push(2)?;
    /// assert_eq!(graph.value(copy).to_string(), "[['inner'], 1, 2]");
    /// assert_eq!(graph.root().to_string(), "[['inner'], 1]");
    /// assert_eq!(graph.value(copy).at(0).id(), graph.root().at(0).id());
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unrepresentable`] for a native object that
    /// [cannot be copied](crate::NativeObject::clone_object), and for an object that other calls changed.
    pub fn copy(&mut self, value: Id) -> Result<Id> {
        let cell = self.checked(value);
        if !self.is_copied(cell) {
            return Ok(Id(cell));
        }
        let items = self.items(cell).to_vec();
        let copy = match cell.tag() {
            Tag::List => self.new_list(&items),
            Tag::Dict | Tag::Set => self.copy_keyed(cell),
            Tag::Object => self.copy_object(self.objects[cell])?,
            // Immutable, though their items may not be.
            Tag::FrozenSet => cell,
            _ => self.copy_leaf(cell)?,
        };
        Ok(Id(copy))
    }

    /// Copies a value and all that is in it: Python's `copy.deepcopy`.
    ///
    /// Immutable values, classes and functions are their own copies, and so are tuples of such; persistent references name the
    /// same object. Sharing and cycles are kept.
    ///
    /// ```
    /// use picklevm::value;
    ///
    /// let mut graph = value!([["inner"], 1]);
    /// let root = graph.root().id();
    /// let copy = graph.deepcopy(root)?;
    /// assert_eq!(graph.value(copy), graph.root());
    /// assert_ne!(graph.value(copy).at(0).id(), graph.root().at(0).id());
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unrepresentable`] for a native object that [cannot be copied](crate::NativeObject::deepcopy).
    pub fn deepcopy(&mut self, value: Id) -> Result<Id> {
        self.deepcopy_with(value, &mut CopyMemo::new())
    }

    /// [`deepcopy`](Self::deepcopy) with a memo, which has the copies of several values share what the values share.
    ///
    /// # Errors
    ///
    /// As those of [`deepcopy`](Self::deepcopy).
    pub fn deepcopy_with(&mut self, value: Id, memo: &mut CopyMemo) -> Result<Id> {
        let cell = self.checked(value);
        let copied = self.copied_values(cell, memo);
        let mut deep = DeepCopy { arena: self, memo, copied, open: Vec::new(), keyed: Vec::new() };
        let copy = deep.copy_of(cell)?;
        while let Some(cell) = deep.open.pop() {
            deep.fill(cell)?;
        }
        for keyed in std::mem::take(&mut deep.keyed) {
            self.hash_again(keyed);
        }
        Ok(Id(copy))
    }

    /// Whether a value gets a copy of its own whatever is in it.
    fn is_copied(&self, cell: Cell) -> bool {
        match cell.tag() {
            Tag::List | Tag::Dict | Tag::Set | Tag::FrozenSet | Tag::ByteArray | Tag::NativeObject => true,
            Tag::Buffer => !self.buffers[cell].readonly,
            Tag::Object => {
                let class = Value::new(self, self.objects[cell].class).as_global();
                let name = class.and_then(|class| Some((class.module().as_str()?, class.name().as_str()?)));
                !name.is_some_and(|(module, name)| ATOMS.contains(&python3_name(module, name)))
            }
            _ => false,
        }
    }

    /// A copy of a value that holds no other values, or ids that the graph does not see.
    fn copy_leaf(&mut self, cell: Cell) -> Result<Cell> {
        match cell.tag() {
            Tag::ByteArray => {
                let payload = self.payload(cell).to_vec();
                Ok(self.new_text(Tag::ByteArray, &payload, false))
            }
            Tag::Buffer => Ok(self.new_buffer(self.buffers[cell].clone())),
            _ => {
                let copy = self.native(cell).clone_object().ok_or_else(|| self.cannot_copy(cell))?;
                Ok(self.new_native(copy))
            }
        }
    }

    #[cold]
    fn cannot_copy(&self, cell: Cell) -> Error {
        let expected = "a native object that can be copied (NativeObject::clone_object)";
        let class = self.native(cell).class_name().to_owned();
        Error::new(ErrorKind::Unrepresentable, expected, "one that cannot").about(|| class)
    }

    /// A dict or set of the same rows.
    fn copy_keyed(&mut self, cell: Cell) -> Cell {
        let copy = if cell.is(Tag::Dict) { self.new_dict() } else { self.new_set(cell.tag()) };
        let rows = self.items(cell).to_vec();
        self.set_rows(cell, copy, &rows);
        self.hash_again(copy);
        copy
    }

    /// Gives a new dict or set the rows of another, with other values; it has a hash table if the other has.
    fn set_rows(&mut self, like: Cell, keyed: Cell, rows: &[Cell]) {
        let start = next_id(self.cells.len());
        self.cells.extend_from_slice(rows);
        let table = if self.keyed(like).table == 0 { 0 } else { self.new_table() };
        let len = rows.len() as u32;
        self.set_keyed(keyed, Keyed { row: Row { start, len, cap: len }, table });
    }

    /// Computes hashes of keys that were replaced, and builds the hash table anew.
    fn hash_again(&mut self, keyed: Cell) {
        let stride = if keyed.is(Tag::Dict) { 2 } else { 1 };
        let Row { start, len, .. } = self.keyed(keyed).row;
        for at in (start as usize..start as usize + len as usize).step_by(stride) {
            // They are copies of keys, so they can be hashed.
            let _ = self.key_hash(self.cells[at]);
        }
        self.rebuild(keyed);
    }

    /// An instance with attributes, items and members of its own.
    fn copy_object(&mut self, node: ObjectNode) -> Result<Cell> {
        let copy = self.new_object(node.how, node.class, node.args);
        let ops: Vec<_> = self.object_ops(node).collect();
        let mut copies = Vec::with_capacity(ops.len());
        for (kind, value) in ops {
            let value = match kind {
                OpKind::Build => self.copy_state(value),
                OpKind::Effect => {
                    let found = "one that another call changed";
                    return Err(Error::new(ErrorKind::Unrepresentable, "an object that can be copied", found));
                }
                _ => {
                    let items = self.items(value).to_vec();
                    self.new_list(&items)
                }
            };
            copies.push((kind, value));
        }
        self.set_object_ops(copy, &copies);
        Ok(copy)
    }

    /// The state of a copy: attributes in a dict, or a pair of a dict and a dict of slots, are its own.
    fn copy_state(&mut self, state: Cell) -> Cell {
        if state.is(Tag::Dict) {
            return self.copy_keyed(state);
        }
        let is_attributes = |cell: &Cell| cell.is(Tag::Dict) || cell.is(Tag::None);
        if state.is(Tag::Tuple) && self.items(state).len() == 2 && self.items(state).iter().all(is_attributes) {
            let parts = self.items(state).to_vec();
            let parts: Vec<_> =
                parts.into_iter().map(|part| if part.is(Tag::Dict) { self.copy_keyed(part) } else { part }).collect();
            return self.new_tuple(&parts);
        }
        state
    }

    /// The values that a deep copy copies: mutable ones, and tuples that lead to them.
    fn copied_values(&self, root: Cell, memo: &CopyMemo) -> HashSet<Cell, RandomState> {
        let mut copied: HashSet<Cell, RandomState> = HashSet::default();
        let mut seen: HashSet<Cell, RandomState> = HashSet::default();
        let mut tuples_around: HashMap<Cell, Vec<Cell>, RandomState> = HashMap::default();
        let mut work = vec![root];
        while let Some(cell) = work.pop() {
            if !seen.insert(cell) {
                continue;
            }
            if memo.copies.contains_key(&cell) {
                copied.insert(cell);
                continue;
            }
            if self.is_copied(cell) {
                copied.insert(cell);
            } else if !cell.is(Tag::Tuple) {
                continue;
            }
            self.each_held(cell, |child| {
                if cell.is(Tag::Tuple) {
                    tuples_around.entry(child).or_default().push(cell);
                }
                work.push(child);
            });
        }
        let mut work: Vec<_> = copied.iter().copied().collect();
        while let Some(cell) = work.pop() {
            for tuple in tuples_around.remove(&cell).unwrap_or_default() {
                if copied.insert(tuple) {
                    work.push(tuple);
                }
            }
        }
        copied
    }

    /// Calls `each` with the values in a value that a deep copy copies: not the class of an object.
    fn each_held(&self, cell: Cell, mut each: impl FnMut(Cell)) {
        if !cell.is(Tag::Object) {
            return self.items(cell).iter().copied().for_each(each);
        }
        let node = self.objects[cell];
        each(node.args);
        for (kind, value) in self.object_ops(node) {
            match kind {
                OpKind::Build | OpKind::Effect => each(value),
                _ => self.items(value).iter().copied().for_each(&mut each),
            }
        }
    }
}

/// A deep copy on its way. There is no recursion: each copy is made empty, and filled later.
struct DeepCopy<'a> {
    arena: &'a mut Arena,
    memo: &'a mut CopyMemo,
    copied: HashSet<Cell, RandomState>,
    /// Values whose copies are still to be filled.
    open: Vec<Cell>,
    /// Copies of dicts and sets, to be hashed at the end.
    keyed: Vec<Cell>,
}

impl DeepCopy<'_> {
    /// The copy of a value: itself, or one that is filled later.
    fn copy_of(&mut self, cell: Cell) -> Result<Cell> {
        if let Some(copy) = self.memo.copies.get(&cell) {
            return Ok(*copy);
        }
        if !self.copied.contains(&cell) {
            return Ok(cell);
        }
        let arena = &mut *self.arena;
        let copy = match cell.tag() {
            Tag::List => arena.new_list(&vec![Cell::HOLE; arena.items(cell).len()]),
            Tag::Tuple => arena.new_tuple(&vec![Cell::HOLE; arena.items(cell).len()]),
            Tag::Dict => arena.new_dict(),
            Tag::Set | Tag::FrozenSet => arena.new_set(cell.tag()),
            Tag::Object => arena.new_object(arena.objects[cell].how, arena.objects[cell].class, Cell::EMPTY_TUPLE),
            Tag::NativeObject => arena.new_unset_native(),
            _ => arena.copy_leaf(cell)?,
        };
        self.memo.copies.insert(cell, copy);
        self.open.push(cell);
        Ok(copy)
    }

    fn copies_of(&mut self, cells: &[Cell]) -> Result<Vec<Cell>> {
        cells.iter().map(|cell| self.copy_of(*cell)).collect()
    }

    /// Fills the copy of a value.
    fn fill(&mut self, cell: Cell) -> Result<()> {
        let copy = self.memo.copies[&cell];
        match cell.tag() {
            Tag::List | Tag::Tuple => {
                let items = self.arena.items(cell).to_vec();
                let items = self.copies_of(&items)?;
                let start =
                    if cell.is(Tag::List) { self.arena.lists[copy].start } else { self.arena.tuples[copy].start };
                self.arena.cells[start as usize..start as usize + items.len()].copy_from_slice(&items);
            }
            Tag::Dict | Tag::Set | Tag::FrozenSet => {
                let rows = self.arena.items(cell).to_vec();
                let rows = self.copies_of(&rows)?;
                self.arena.set_rows(cell, copy, &rows);
                self.keyed.push(copy);
            }
            Tag::Object => self.fill_object(cell, copy)?,
            Tag::NativeObject => self.fill_native(cell, copy)?,
            _ => {}
        }
        Ok(())
    }

    /// Has a native object copied, which asks for the copies of what it holds.
    fn fill_native(&mut self, cell: Cell, copy: Cell) -> Result<()> {
        let Some(native) = self.arena.natives.get(cell).cloned() else { return Ok(()) };
        let mut failed = None;
        let copied = native.deepcopy(&mut |held| {
            let held = self.arena.checked(held);
            self.copied.extend(self.arena.copied_values(held, self.memo));
            match self.copy_of(held) {
                Ok(copy) => Id(copy),
                Err(error) => {
                    failed.get_or_insert(error);
                    Id(held)
                }
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        self.arena.natives.set(copy, copied.ok_or_else(|| self.arena.cannot_copy(cell))?);
        Ok(())
    }

    fn fill_object(&mut self, cell: Cell, copy: Cell) -> Result<()> {
        let node = self.arena.objects[cell];
        let args = self.copy_of(node.args)?;
        let ops: Vec<_> = self.arena.object_ops(node).collect();
        let mut copies = Vec::with_capacity(ops.len());
        for (kind, value) in ops {
            let value = match kind {
                OpKind::Build | OpKind::Effect => self.copy_of(value)?,
                _ => {
                    let items = self.arena.items(value).to_vec();
                    let items = self.copies_of(&items)?;
                    self.arena.new_list(&items)
                }
            };
            copies.push((kind, value));
        }
        if let Some(object) = self.arena.objects.get_mut(copy) {
            object.args = args;
        }
        self.arena.set_object_ops(copy, &copies);
        Ok(())
    }
}
