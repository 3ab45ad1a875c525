//! Constructors of every kind of value, and the roots of a graph.

use bytes::Bytes;

use super::super::arena::{Arena, BufferNode};
use super::super::cell::{Cell, Tag};
use super::super::value::Id;
use super::into_value::IntoValue;
use crate::error::{Error, ErrorKind, Result};

/// How many of the newest globals are searched for an equal one.
const GLOBALS_SEARCHED: usize = 32;

/// # Building
///
/// Each constructor adds a node and returns its id; using an id twice shares the node. All of them panic if a graph
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
    /// Adds a Rust value, converted as [`IntoValue`] describes. The other constructors add the types that Rust does not
    /// have.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.add(vec![("a", 1), ("b", 2)]);
    /// assert_eq!(format!("{:?}", graph.value(id)), r#"[('a', 1), ('b', 2)]"#);
    /// ```
    pub fn add(&mut self, value: impl IntoValue) -> Id {
        value.into_value(self)
    }

    /// Adds a complex number.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.complex(1.0, -2.5);
    /// assert_eq!(format!("{:?}", graph.value(id)), "(1-2.5j)");
    /// ```
    pub fn complex(&mut self, re: f64, im: f64) -> Id {
        Id(self.new_complex(re, im))
    }

    /// Adds bytes.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.bytes(b"abc");
    /// assert_eq!(format!("{:?}", graph.value(id)), "b'abc'");
    /// ```
    pub fn bytes(&mut self, bytes: impl AsRef<[u8]>) -> Id {
        Id(self.new_text(Tag::Bytes, bytes.as_ref(), false))
    }

    /// Adds an 8-bit string of Python 2.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.byte_str("abc");
    /// assert_eq!(format!("{:?}", graph.value(id)), "'abc'");
    /// ```
    pub fn byte_str(&mut self, bytes: impl AsRef<[u8]>) -> Id {
        Id(self.new_text(Tag::ByteStr, bytes.as_ref(), false))
    }

    /// Adds a bytearray.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let id = graph.bytearray("abc");
    /// assert_eq!(format!("{:?}", graph.value(id)), "bytearray(b'abc')");
    /// ```
    pub fn bytearray(&mut self, bytes: impl AsRef<[u8]>) -> Id {
        Id(self.new_text(Tag::ByteArray, bytes.as_ref(), false))
    }

    /// Adds a list.
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

    /// Adds a tuple of values of one Rust type. For values of several types, [add](Arena::add) a Rust tuple.
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

    /// Adds a dict. For equal keys, the first key and the last value are kept, as in Python.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unhashable`] if Python cannot hash a key.
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

    /// Adds a set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unhashable`] if Python cannot hash a member.
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

    /// Adds a frozenset.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unhashable`] if Python cannot hash a member.
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

    /// Adds a class or function by its module and its qualified name in the module.
    ///
    /// A global that was added recently is shared, as a class is one object in Python.
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

    /// Adds a class or function by its code in the extension registry (PEP 307).
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

    /// Adds a persistent reference, which Python resolves with `persistent_load`.
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

    /// Adds a writable out-of-band buffer (PEP 574).
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
        Id(self.new_indexed_buffer(data.into(), false))
    }

    /// Adds a read-only out-of-band buffer (PEP 574).
    pub fn readonly_buffer(&mut self, data: impl Into<Bytes>) -> Id {
        Id(self.new_indexed_buffer(data.into(), true))
    }

    /// Sets the root, and removes all other roots.
    ///
    /// Values that only the old roots reached stay in memory until [`compact`](crate::Graph::compact).
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

    /// Adds a root after the others.
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

    /// Removes the objects that were made only for their [effect](Arena::effects).
    pub fn clear_effects(&mut self) {
        self.effects.clear();
    }
}

/// Creates a vector for this many cells, up to a limit: a size hint may be any number.
fn with_hint(cells: usize) -> Vec<Cell> {
    Vec::with_capacity(cells.min(1 << 17))
}

impl Arena {
    /// Returns the global `module.name` if it is one of the newest, and the text of its module if one of the newest has
    /// it.
    pub(crate) fn latest_global(&self, module: &str, name: &str) -> (Option<Cell>, Option<Cell>) {
        let is = |text, expected: &str| self.payload(text) == expected.as_bytes();
        let latest = self.globals.cells(Tag::Global).skip(self.globals.len().saturating_sub(GLOBALS_SEARCHED));
        let mut of_module = latest.filter(|(_, global)| is(global.module, module)).peekable();
        let text = of_module.peek().map(|(_, global)| global.module);
        let known = of_module.find(|(_, global)| is(global.name, name));
        (known.map(|(cell, _)| cell), text)
    }

    /// Returns the cell of an id, or that of `None` if there is no such node.
    #[inline]
    pub(crate) fn checked(&self, id: Id) -> Cell {
        if self.has(id.0) { id.0 } else { Cell::NONE }
    }

    pub(crate) fn cells_of<T: IntoValue>(&mut self, items: impl IntoIterator<Item = T>) -> Vec<Cell> {
        let items = items.into_iter();
        let mut cells = with_hint(items.size_hint().0);
        // `extend` would reserve what the size hint claims.
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

    /// Adds bytes or a bytearray; long ones are shared.
    pub(crate) fn new_bytes(&mut self, tag: Tag, bytes: Bytes) -> Cell {
        if bytes.len() < 256 { self.new_text(tag, &bytes, false) } else { self.new_block(tag, bytes) }
    }

    fn new_keyed(&mut self, tag: Tag, rows: &[Cell]) -> Result<Id> {
        let keyed = if tag == Tag::Dict { self.new_dict() } else { self.new_set(tag) };
        self.insert_rows(keyed, rows)?;
        Ok(Id(keyed))
    }

    /// Adds rows to a settled dict or set. Does not change it if a key cannot be hashed.
    pub(crate) fn insert_rows(&mut self, keyed: Cell, rows: &[Cell]) -> Result<()> {
        let stride = if keyed.is(Tag::Dict) { 2 } else { 1 };
        for key in rows.iter().step_by(stride) {
            self.key_hash(*key).map_err(|unhashable| unhashable.error(self))?;
        }
        let added = self.add_rows(keyed, rows);
        self.settle_all();
        added.map_err(|unhashable| unhashable.error(self))
    }

    /// Adds a dict with keys that [`IntoKey`](super::IntoKey) made.
    pub(super) fn new_dict_of_keys(&mut self, rows: &[Cell]) -> Id {
        // That trait is sealed: its types make only hashable values.
        self.new_keyed(Tag::Dict, rows).unwrap_or(Id(Cell::NONE))
    }

    /// Adds a set with members that [`IntoKey`](super::IntoKey) made.
    pub(super) fn new_set_of_keys(&mut self, rows: &[Cell]) -> Id {
        self.new_keyed(Tag::Set, rows).unwrap_or(Id(Cell::NONE))
    }

    /// Adds a buffer with a new index.
    fn new_indexed_buffer(&mut self, data: Bytes, readonly: bool) -> Cell {
        // Indexes count from 0, and each has a node.
        let index = u32::try_from(self.buffers.len()).unwrap_or(u32::MAX);
        self.new_buffer(BufferNode { index, readonly, data: Some(data) })
    }
}
