//! Constructors of every kind of value, and the roots of a graph.

use bytes::Bytes;

use super::super::arena::{Arena, BufferNode};
use super::super::cell::{Cell, Tag};
use super::super::value::Id;
use super::into_value::IntoValue;
use crate::error::{Error, ErrorKind, Result};

/// How many of the globals that were made last are looked through for one that is made again.
const LATEST: usize = 32;

/// # Building
///
/// Each constructor makes a node and returns its id; using an id twice shares the node. All of them panic when a graph
/// would hold more than 2^32 - 1 nodes of a kind.
///
/// ```
/// let mut graph = picklevm::Graph::new();
/// let origin = graph.tuple([0.0, 0.0]);
/// let shapes = graph.list([origin, origin]);
/// graph.set_root(shapes);
///
/// let items = graph.root().items().as_array::<2>().unwrap();
/// assert!(items[0].is(items[1]));
/// ```
impl Arena {
    /// Makes what a Rust value stands for, as [`IntoValue`] says: for every kind that Rust has a type for. The other
    /// constructors make the rest.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.add(vec![("a", 1), ("b", 2)]);
    /// assert_eq!(format!("{:?}", graph.value(id)), r#"[('a', 1), ('b', 2)]"#);
    /// ```
    pub fn add(&mut self, value: impl IntoValue) -> Id {
        value.into_value(self)
    }

    /// A complex number.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.complex(1.0, -2.5);
    /// assert_eq!(format!("{:?}", graph.value(id)), "(1-2.5j)");
    /// ```
    pub fn complex(&mut self, re: f64, im: f64) -> Id {
        Id(self.new_complex(re, im))
    }

    /// Bytes.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.bytes(b"abc");
    /// assert_eq!(format!("{:?}", graph.value(id)), "b'abc'");
    /// ```
    pub fn bytes(&mut self, bytes: impl AsRef<[u8]>) -> Id {
        Id(self.new_text(Tag::Bytes, bytes.as_ref(), false))
    }

    /// An 8-bit string of Python 2.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.byte_str("abc");
    /// assert_eq!(format!("{:?}", graph.value(id)), "'abc'");
    /// ```
    pub fn byte_str(&mut self, bytes: impl AsRef<[u8]>) -> Id {
        Id(self.new_text(Tag::ByteStr, bytes.as_ref(), false))
    }

    /// A bytearray.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.bytearray("abc");
    /// assert_eq!(format!("{:?}", graph.value(id)), "bytearray(b'abc')");
    /// ```
    pub fn bytearray(&mut self, bytes: impl AsRef<[u8]>) -> Id {
        Id(self.new_text(Tag::ByteArray, bytes.as_ref(), false))
    }

    /// A list.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.list(["a", "b"]);
    /// assert_eq!(format!("{:?}", graph.value(id)), "['a', 'b']");
    /// ```
    pub fn list<T: IntoValue>(&mut self, items: impl IntoIterator<Item = T>) -> Id {
        let cells = self.cells_of(items);
        Id(self.new_list(&cells))
    }

    /// A tuple of values of one Rust type; one of several types is [added](Arena::add) as a Rust tuple.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.tuple([1, 2]);
    /// assert_eq!(format!("{:?}", graph.value(id)), "(1, 2)");
    /// ```
    pub fn tuple<T: IntoValue>(&mut self, items: impl IntoIterator<Item = T>) -> Id {
        let cells = self.cells_of(items);
        Id(self.new_tuple(&cells))
    }

    /// A dict. Of equal keys the first key and the last value stay, as in Python.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unhashable`] if a key is one that Python cannot hash.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let dict = graph.dict([("a", 1), ("b", 2), ("a", 3)])?;
    /// assert_eq!(format!("{:?}", graph.value(dict)), "{'a': 3, 'b': 2}");
    ///
    /// let list = graph.list([1]);
    /// assert_eq!(graph.dict([(list, 1)]).unwrap_err().kind(), picklevm::ErrorKind::Unhashable);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn dict<K: IntoValue, V: IntoValue>(&mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<Id> {
        let rows = self.cells_of_pairs(pairs);
        self.new_keyed(Tag::Dict, &rows)
    }

    /// A set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unhashable`] if a member is one that Python cannot hash.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.set([1, 2, 1])?;
    /// assert_eq!(format!("{:?}", graph.value(id)), "{1, 2}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn set<T: IntoValue>(&mut self, members: impl IntoIterator<Item = T>) -> Result<Id> {
        let rows = self.cells_of(members);
        self.new_keyed(Tag::Set, &rows)
    }

    /// A frozenset.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unhashable`] if a member is one that Python cannot hash.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.frozenset([1, 2])?;
    /// assert_eq!(format!("{:?}", graph.value(id)), "frozenset({1, 2})");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn frozenset<T: IntoValue>(&mut self, members: impl IntoIterator<Item = T>) -> Result<Id> {
        let rows = self.cells_of(members);
        self.new_keyed(Tag::FrozenSet, &rows)
    }

    /// A class or function by name: its module, and its qualified name inside the module.
    ///
    /// What is used again and again stays one value as a rule, as a class is one object in Python.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let class = graph.global("collections", "OrderedDict");
    /// assert_eq!(graph.value(class).as_global().unwrap().to_string(), "collections.OrderedDict");
    /// assert_eq!(graph.global("collections", "OrderedDict"), class);
    /// ```
    pub fn global(&mut self, module: &str, name: &str) -> Id {
        let (known, module_text) = self.latest_global(module, name);
        if let Some(known) = known {
            return Id(known);
        }
        let module = module_text.unwrap_or_else(|| self.add(module).0);
        let Id(name) = self.add(name);
        Id(self.new_global(module, name))
    }

    /// A class or function by its code in the extension registry (PEP 307).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] if the code is not between 1 and 2^31 - 1.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.ext(240)?;
    /// assert_eq!(format!("{:?}", graph.value(id)), "extension(240)");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn ext(&mut self, code: i32) -> Result<Id> {
        match u32::try_from(code) {
            Ok(code) if code > 0 => Ok(Id(Cell::node(Tag::Ext, code))),
            _ => Err(Error::new(ErrorKind::OutOfRange, "an extension code above 0", code.to_string())),
        }
    }

    /// A persistent reference: what a `persistent_load` of Python will find by this id.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.persistent(("table", 7));
    /// assert_eq!(format!("{:?}", graph.value(id)), "persistent(('table', 7))");
    /// ```
    pub fn persistent(&mut self, id: impl IntoValue) -> Id {
        let Id(id) = self.add(id);
        Id(self.new_persistent(id))
    }

    /// An out-of-band buffer that can be written to (PEP 574).
    ///
    /// ```
    /// use picklevm::{Graph, Kind};
    ///
    /// let mut graph = Graph::new();
    /// let id = graph.buffer(&b"abc"[..]);
    /// let Kind::Buffer(buffer) = graph.value(id).kind() else { panic!() };
    /// assert_eq!(buffer.data().unwrap().as_ref(), b"abc");
    /// ```
    pub fn buffer(&mut self, data: impl Into<Bytes>) -> Id {
        Id(self.new_numbered_buffer(data.into(), false))
    }

    /// An out-of-band buffer that cannot be written to (PEP 574).
    pub fn readonly_buffer(&mut self, data: impl Into<Bytes>) -> Id {
        Id(self.new_numbered_buffer(data.into(), true))
    }

    /// Makes a value the root, the only one.
    ///
    /// What the roots before reached stays until [`compact`](crate::Graph::compact).
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// graph.set_root("text");
    /// assert_eq!(graph.root(), "text");
    /// ```
    pub fn set_root(&mut self, value: impl IntoValue) -> Id {
        let Id(root) = self.add(value);
        self.roots.clear();
        self.roots.push(root);
        Id(root)
    }

    /// Makes a value the last of the roots.
    ///
    /// ```
    /// let mut graph = picklevm::value!(1);
    /// graph.add_root(2);
    /// assert_eq!(graph.roots().len(), 2);
    /// ```
    pub fn add_root(&mut self, value: impl IntoValue) -> Id {
        let Id(root) = self.add(value);
        self.roots.push(root);
        Id(root)
    }

    /// Forgets the objects that were made for their effect alone.
    pub fn clear_effects(&mut self) {
        self.effects.clear();
    }
}

/// A vector for so many cells, if that is true: an iterator may claim any number.
fn with_hint(cells: usize) -> Vec<Cell> {
    Vec::with_capacity(cells.min(1 << 17))
}

impl Arena {
    /// The global of these names, if it is one of those that were made last; or at least the text of its module.
    pub(crate) fn latest_global(&self, module: &str, name: &str) -> (Option<Cell>, Option<Cell>) {
        let is = |text, expected: &str| self.payload(text) == expected.as_bytes();
        let latest = self.globals.cells(Tag::Global).skip(self.globals.len().saturating_sub(LATEST));
        let mut of_module = latest.filter(|(_, global)| is(global.module, module)).peekable();
        let text = of_module.peek().map(|(_, global)| global.module);
        let known = of_module.find(|(_, global)| is(global.name, name));
        (known.map(|(cell, _)| cell), text)
    }

    /// The cell of an id, or that of `None` if there is no such node.
    #[inline]
    pub(crate) fn checked(&self, id: Id) -> Cell {
        if self.has(id.0) { id.0 } else { Cell::NONE }
    }

    pub(crate) fn cells_of<T: IntoValue>(&mut self, items: impl IntoIterator<Item = T>) -> Vec<Cell> {
        let items = items.into_iter();
        let mut cells = with_hint(items.size_hint().0);
        // `extend` would take the iterator's word for how many there are.
        for item in items {
            cells.push(item.into_value(self).0);
        }
        cells
    }

    pub(crate) fn cells_of_pairs<K: IntoValue, V: IntoValue>(
        &mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Vec<Cell> {
        let pairs = pairs.into_iter();
        let mut rows = with_hint(pairs.size_hint().0.saturating_mul(2));
        for (key, value) in pairs {
            rows.extend([key.into_value(self).0, value.into_value(self).0]);
        }
        rows
    }

    /// Bytes or a bytearray; long ones are shared.
    pub(crate) fn new_bytes(&mut self, tag: Tag, bytes: Bytes) -> Cell {
        if bytes.len() < 256 { self.new_text(tag, &bytes, false) } else { self.new_block(tag, bytes) }
    }

    fn new_keyed(&mut self, tag: Tag, rows: &[Cell]) -> Result<Id> {
        let keyed = if tag == Tag::Dict { self.new_dict() } else { self.new_set(tag) };
        self.insert_rows(keyed, rows)?;
        Ok(Id(keyed))
    }

    /// Adds rows to a settled dict or set, or leaves it as it was if a key cannot be hashed.
    pub(super) fn insert_rows(&mut self, keyed: Cell, rows: &[Cell]) -> Result<()> {
        let stride = if keyed.is(Tag::Dict) { 2 } else { 1 };
        for key in rows.iter().step_by(stride) {
            self.key_hash(*key).map_err(|unhashable| unhashable.error(self))?;
        }
        let added = self.add_rows(keyed, rows);
        self.settle_all();
        added.map_err(|unhashable| unhashable.error(self))
    }

    /// A dict of keys that [`IntoKey`](super::IntoKey) made.
    pub(super) fn new_dict_of_keys(&mut self, rows: &[Cell]) -> Id {
        // That trait is sealed: its types make hashable values only.
        self.new_keyed(Tag::Dict, rows).unwrap_or(Id(Cell::NONE))
    }

    /// A set of members that [`IntoKey`](super::IntoKey) made.
    pub(super) fn new_set_of_keys(&mut self, rows: &[Cell]) -> Id {
        self.new_keyed(Tag::Set, rows).unwrap_or(Id(Cell::NONE))
    }

    /// A buffer with a number that no other has.
    fn new_numbered_buffer(&mut self, data: Bytes, readonly: bool) -> Cell {
        // Numbers are counted from 0, and each has a node.
        let index = u32::try_from(self.buffers.len()).unwrap_or(u32::MAX);
        self.new_buffer(BufferNode { index, readonly, data: Some(data) })
    }
}
