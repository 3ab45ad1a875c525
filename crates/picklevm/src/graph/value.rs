//! `Value`: a `Copy` reference to a value of a graph.

use std::fmt;

use picklevm_ops::Text;

use super::arena::Arena;
use super::cell::{Cell, Tag};
use super::int::Int;
use super::items::{Entries, Items};
use super::lookup::Key;
use super::native::NativeObject;
use super::views::{Buffer, Dict, Global, Object};

/// The id of a value in its graph. Unlike a [`Value`], it does not borrow the graph.
///
/// An id stays valid while values are added to the graph and changed; [`compact`](crate::Graph::compact) assigns new
/// ids. In another graph, an id refers to a different value or to none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(pub(crate) Cell);

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value of a graph.
///
/// `Copy`, 16 bytes, and used like a `serde_json::Value`: by type ([`kind`](Value::kind), [`as_str`](Value::as_str),
/// …), by key or position ([`get`](Value::get), [`at`](Value::at)), or with iterators ([`items`](Value::items),
/// [`entries`](Value::entries)). Strings and bytes are borrowed from the graph, not from the value.
///
/// `==` is Python's: `1 == 1.0 == True`, dicts and sets compare in any order, instances by identity. [`is`](Value::is)
/// is Python's `is`.
///
/// ```
/// let graph = picklevm::loads(b"\x80\x04}(\x8c\x04user}\x8c\x04name\x8c\x05Alices\x8c\x01n]K\x01au.")?;
/// let root = graph.root();
/// assert_eq!(root.at("user").at("name").as_str(), Some("Alice"));
/// assert_eq!(root.at("n").items().next().and_then(|v| v.as_i64()), Some(1));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Value<'g> {
    arena: &'g Arena,
    cell: Cell,
}

/// The type of a [`Value`], with its contents.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Kind<'g> {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer of any size.
    Int(Int<'g>),
    /// A float.
    Float(f64),
    /// A complex number: real and imaginary part.
    Complex(f64, f64),
    /// Text.
    Str(Text<'g>),
    /// Bytes of Python 3.
    Bytes(&'g [u8]),
    /// An 8-bit string of Python 2: bytes that may be text.
    ByteStr(&'g [u8]),
    /// A bytearray.
    ByteArray(&'g [u8]),
    /// A tuple.
    Tuple(Items<'g>),
    /// A list.
    List(Items<'g>),
    /// A dict, in insertion order.
    Dict(Dict<'g>),
    /// A set, in insertion order.
    Set(Items<'g>),
    /// A frozenset, in insertion order.
    FrozenSet(Items<'g>),
    /// A class or function by name.
    Global(Global<'g>),
    /// A class or function by its code in the extension registry (PEP 307).
    Ext(i32),
    /// An out-of-band buffer (PEP 574).
    Buffer(Buffer<'g>),
    /// A persistent reference, by its id.
    Persistent(Value<'g>),
    /// The result of a call that was not executed: usually an instance.
    Object(Object<'g>),
    /// A Rust value that represents a Python object.
    NativeObject(&'g dyn NativeObject),
}

impl<'g> Value<'g> {
    #[inline(always)]
    pub(crate) fn new(arena: &'g Arena, cell: Cell) -> Self {
        Value { arena, cell }
    }

    #[inline(always)]
    pub(crate) fn cell(self) -> Cell {
        self.cell
    }

    #[inline(always)]
    pub(crate) fn arena(self) -> &'g Arena {
        self.arena
    }

    /// Returns the value's id, which does not borrow the graph.
    #[inline]
    pub fn id(self) -> Id {
        Id(self.cell)
    }

    /// Returns the type of the value, with its contents.
    #[inline]
    pub fn kind(self) -> Kind<'g> {
        let (arena, cell) = (self.arena, self.cell);
        match cell.tag() {
            Tag::Int => Kind::Int(Int::small(cell.as_int())),
            Tag::Float | Tag::ZeroFloat | Tag::WideFloat => Kind::Float(arena.float(cell).unwrap_or_default()),
            Tag::None | Tag::Hole => Kind::None,
            Tag::True => Kind::Bool(true),
            Tag::False => Kind::Bool(false),
            Tag::BigInt => Kind::Int(Int::from_le(arena.payload(cell))),
            Tag::Complex => {
                let [re, im] = arena.complexes[cell];
                Kind::Complex(re, im)
            }
            Tag::Str => Kind::Str(arena.text(cell)),
            Tag::Bytes => Kind::Bytes(arena.payload(cell)),
            Tag::ByteStr => Kind::ByteStr(arena.payload(cell)),
            Tag::ByteArray => Kind::ByteArray(arena.payload(cell)),
            Tag::EmptyTuple | Tag::Tuple => Kind::Tuple(self.items()),
            Tag::List => Kind::List(self.items()),
            Tag::Dict => Kind::Dict(Dict::new(arena, cell)),
            Tag::Set => Kind::Set(self.items()),
            Tag::FrozenSet => Kind::FrozenSet(self.items()),
            Tag::Global => Kind::Global(Global::new(arena, cell)),
            Tag::Ext => Kind::Ext(cell.high() as i32),
            Tag::Buffer => Kind::Buffer(Buffer::new(arena, cell)),
            Tag::Persistent => Kind::Persistent(Value::new(arena, arena.persistents[cell])),
            Tag::Object => Kind::Object(Object::new(arena, cell)),
            Tag::NativeObject => Kind::NativeObject(arena.native(cell)),
        }
    }

    /// Returns the name of the value's type: Python's `type(v).__name__` where there is one.
    pub fn type_name(self) -> &'static str {
        match self.kind() {
            Kind::None => "NoneType",
            Kind::Bool(_) => "bool",
            Kind::Int(_) => "int",
            Kind::Float(_) => "float",
            Kind::Complex(..) => "complex",
            Kind::Str(_) => "str",
            Kind::Bytes(_) => "bytes",
            Kind::ByteStr(_) => "8-bit str",
            Kind::ByteArray(_) => "bytearray",
            Kind::Tuple(_) => "tuple",
            Kind::List(_) => "list",
            Kind::Dict(_) => "dict",
            Kind::Set(_) => "set",
            Kind::FrozenSet(_) => "frozenset",
            Kind::Global(_) => "global",
            Kind::Ext(_) => "extension code",
            Kind::Buffer(_) => "buffer",
            Kind::Persistent(_) => "persistent reference",
            Kind::Object(_) => "object",
            Kind::NativeObject(_) => "native object",
        }
    }

    /// Returns whether the value is `None`.
    pub fn is_none(self) -> bool {
        self.cell == Cell::NONE
    }

    /// Returns the boolean, if the value is one.
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the integer, if the value is one of any size. A bool is not an integer here.
    #[inline]
    pub fn as_int(self) -> Option<Int<'g>> {
        match self.kind() {
            Kind::Int(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the integer, if the value is one that fits.
    #[inline]
    pub fn as_i64(self) -> Option<i64> {
        self.arena.small_int(self.cell)
    }

    /// Returns the integer, if the value is one that fits.
    pub fn as_u64(self) -> Option<u64> {
        self.as_int()?.try_into().ok()
    }

    /// Returns the value as a float, if it is a float or an integer (not a bool). An integer becomes the nearest float,
    /// as in `serde_json`, or an infinity if it is too large.
    ///
    /// ```
    /// let graph = picklevm::value!([1.5, 2, 9007199254740993i64, true]);
    /// let floats: Vec<_> = graph.root().items().map(|item| item.as_f64()).collect();
    /// assert_eq!(floats, [Some(1.5), Some(2.0), Some(9007199254740992.0), None]);
    /// ```
    #[inline]
    pub fn as_f64(self) -> Option<f64> {
        self.arena.float(self.cell).or_else(|| self.as_int().map(Int::to_f64))
    }

    /// Returns the text, if the value is text without surrogates.
    #[inline]
    pub fn as_str(self) -> Option<&'g str> {
        self.as_text()?.as_str()
    }

    /// Returns the text, if the value is text.
    #[inline]
    pub fn as_text(self) -> Option<Text<'g>> {
        self.cell.is(Tag::Str).then(|| self.arena.text(self.cell))
    }

    /// Returns the bytes, if the value is bytes, a bytearray or an 8-bit string of Python 2.
    #[inline]
    pub fn as_bytes(self) -> Option<&'g [u8]> {
        match self.cell.tag() {
            Tag::Bytes | Tag::ByteArray | Tag::ByteStr => Some(self.arena.payload(self.cell)),
            _ => None,
        }
    }

    /// Returns the dict, if the value is one.
    pub fn as_dict(self) -> Option<Dict<'g>> {
        self.cell.is(Tag::Dict).then(|| Dict::new(self.arena, self.cell))
    }

    /// Returns the items, if the value is a list.
    pub fn as_list(self) -> Option<Items<'g>> {
        self.cell.is(Tag::List).then(|| self.items())
    }

    /// Returns the items, if the value is a tuple.
    pub fn as_tuple(self) -> Option<Items<'g>> {
        matches!(self.cell.tag(), Tag::Tuple | Tag::EmptyTuple).then(|| self.items())
    }

    /// Returns the object, if the value is one.
    pub fn as_object(self) -> Option<Object<'g>> {
        self.cell.is(Tag::Object).then(|| Object::new(self.arena, self.cell))
    }

    /// Returns the global, if the value is one.
    pub fn as_global(self) -> Option<Global<'g>> {
        self.cell.is(Tag::Global).then(|| Global::new(self.arena, self.cell))
    }

    /// Returns the items of a list, tuple, set or frozenset; none for any other value.
    #[inline]
    pub fn items(self) -> Items<'g> {
        let cells = if self.cell.is(Tag::Dict) { &[] } else { self.arena.items(self.cell) };
        Items::new(self.arena, cells)
    }

    /// Returns the keys and values of a dict; none for any other value.
    #[inline]
    pub fn entries(self) -> Entries<'g> {
        Entries::new(self.arena, if self.cell.is(Tag::Dict) { self.arena.items(self.cell) } else { &[] })
    }

    /// Returns the number of items or entries; 0 for values without any.
    pub fn len(self) -> usize {
        self.arena.items(self.cell).len() / if self.cell.is(Tag::Dict) { 2 } else { 1 }
    }

    /// Returns whether there are no items or entries.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns the value of a dict's key, the item of a list or tuple at a position, or the value that was
    /// [set](Object::get) on an object for a key.
    ///
    /// A `&str` also finds an 8-bit string of Python 2 with the same bytes. An integer is a key in a dict and a
    /// position elsewhere.
    ///
    /// ```
    /// let graph = picklevm::loads(b"(dS'a'\nI1\ns.")?;   // {'a': 1}, as Python 2 writes it
    /// assert_eq!(graph.root().get("a").and_then(|v| v.as_i64()), Some(1));
    /// assert!(graph.root().get("b").is_none());
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn get<'k>(self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        let key = key.into();
        match (self.cell.tag(), key.position()) {
            (Tag::Dict, _) => Dict::new(self.arena, self.cell).get(key),
            (Tag::List | Tag::Tuple, Some(at)) => self.items().get(at),
            (Tag::Object, _) => Object::new(self.arena, self.cell).get(key),
            _ => None,
        }
    }

    /// Like [`get`](Value::get), but returns `None` (the Python value) if there is no such key or position, so that
    /// calls can be chained.
    pub fn at<'k>(self, key: impl Into<Key<'k>>) -> Value<'g> {
        self.get(key).unwrap_or(Value::new(self.arena, Cell::NONE))
    }

    /// Returns the value of an object's attribute, like [`Object::attr`]; `None` if the value is not an object.
    pub fn attr(self, name: &str) -> Option<Value<'g>> {
        self.as_object()?.attr(name)
    }

    /// Returns whether a list, tuple or set holds the key, or a dict has it.
    pub fn contains<'k>(self, key: impl Into<Key<'k>>) -> bool {
        let key = key.into().of(self.arena);
        match self.cell.tag() {
            Tag::Dict | Tag::Set | Tag::FrozenSet => key.find(self.arena, self.cell).is_some(),
            _ => self.items().any(|item| key.equals(item)),
        }
    }

    /// Returns whether both are the same value of the same graph: Python's `is`. Equal small atoms are the same value.
    pub fn is(self, other: Value<'_>) -> bool {
        std::ptr::eq(self.arena, other.arena) && self.cell == other.cell
    }
}

impl Arena {
    /// Returns a text; an empty one if the cell is not a text.
    #[inline]
    pub(crate) fn text(&self, cell: Cell) -> Text<'_> {
        match self.spans.get_of(Tag::Str, cell) {
            Some(span) => Text::trusted(self.payloads.get(*span), !span.has_surrogates()),
            None => Text::from(""),
        }
    }
}
