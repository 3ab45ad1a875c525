//! Views of the compound kinds: items, dicts, globals, buffers and objects.

use std::fmt;
use std::iter::FusedIterator;

use bytes::Bytes;
use picklevm_ops::Text;

use super::arena::{Arena, BufferNode, How, ObjectNode, OpKind};
use super::cell::{Cell, Tag};
use super::key::Key;
use super::value::{Id, Value};

/// The items of a list, tuple, set or frozenset: an iterator that knows its length and can be asked by position.
#[derive(Clone, Copy)]
pub struct Items<'g> {
    arena: &'g Arena,
    cells: &'g [Cell],
}

impl<'g> Items<'g> {
    #[inline]
    pub(crate) fn new(arena: &'g Arena, cells: &'g [Cell]) -> Self {
        Items { arena, cells }
    }

    /// The item at a position, counted from 0.
    #[inline]
    pub fn get(self, at: usize) -> Option<Value<'g>> {
        self.cells.get(at).map(|cell| Value::new(self.arena, *cell))
    }

    /// How many items are left.
    #[inline]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether no item is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The items as an array, if there are exactly `N`.
    ///
    /// ```
    /// let graph = picklevm::loads(b"\x80\x02K\x01K\x02\x86.")?;   // (1, 2)
    /// let Some([x, y]) = graph.root().items().as_array() else { panic!() };
    /// assert_eq!((x.as_i64(), y.as_i64()), (Some(1), Some(2)));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn as_array<const N: usize>(self) -> Option<[Value<'g>; N]> {
        let cells: &[Cell; N] = self.cells.try_into().ok()?;
        Some(cells.map(|cell| Value::new(self.arena, cell)))
    }

    pub(crate) fn cells(self) -> &'g [Cell] {
        self.cells
    }
}

impl<'g> Iterator for Items<'g> {
    type Item = Value<'g>;

    #[inline]
    fn next(&mut self) -> Option<Value<'g>> {
        let (first, rest) = self.cells.split_first()?;
        self.cells = rest;
        Some(Value::new(self.arena, *first))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.cells.len(), Some(self.cells.len()))
    }

    fn nth(&mut self, n: usize) -> Option<Value<'g>> {
        self.cells = self.cells.get(n..).unwrap_or(&[]);
        self.next()
    }
}

impl<'g> DoubleEndedIterator for Items<'g> {
    #[inline]
    fn next_back(&mut self) -> Option<Value<'g>> {
        let (last, rest) = self.cells.split_last()?;
        self.cells = rest;
        Some(Value::new(self.arena, *last))
    }
}

impl ExactSizeIterator for Items<'_> {}
impl FusedIterator for Items<'_> {}

/// A dict, in the order of insertion.
#[derive(Clone, Copy)]
pub struct Dict<'g> {
    arena: &'g Arena,
    cell: Cell,
}

impl<'g> Dict<'g> {
    pub(crate) fn new(arena: &'g Arena, cell: Cell) -> Self {
        Dict { arena, cell }
    }

    /// The value of a key. A `&str` also finds the 8-bit string of Python 2 with the same bytes.
    pub fn get<'k>(self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        let row = key.into().find(self.arena, self.cell)?;
        let cell = self.arena.items(self.cell).get(2 * row + 1)?;
        Some(Value::new(self.arena, *cell))
    }

    /// Keys and values.
    pub fn entries(self) -> impl DoubleEndedIterator<Item = (Value<'g>, Value<'g>)> + ExactSizeIterator + Clone + 'g {
        Value::new(self.arena, self.cell).entries()
    }

    /// The keys.
    pub fn keys(self) -> impl DoubleEndedIterator<Item = Value<'g>> + ExactSizeIterator + Clone + 'g {
        self.entries().map(|(key, _)| key)
    }

    /// The values.
    pub fn values(self) -> impl DoubleEndedIterator<Item = Value<'g>> + ExactSizeIterator + Clone + 'g {
        self.entries().map(|(_, value)| value)
    }

    /// How many entries there are.
    pub fn len(self) -> usize {
        self.arena.items(self.cell).len() / 2
    }

    /// Whether there is no entry.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A class or function by name.
#[derive(Clone, Copy)]
pub struct Global<'g> {
    arena: &'g Arena,
    cell: Cell,
}

impl<'g> Global<'g> {
    pub(crate) fn new(arena: &'g Arena, cell: Cell) -> Self {
        Global { arena, cell }
    }

    /// The module, as the pickle has it: `copy_reg` below protocol 3 is not mapped to `copyreg`.
    pub fn module(self) -> Text<'g> {
        self.arena.text(self.arena.globals[self.cell.id()].module)
    }

    /// The qualified name inside the module, with dots for what is nested.
    pub fn name(self) -> Text<'g> {
        self.arena.text(self.arena.globals[self.cell.id()].name)
    }

    /// Whether this is the global of these names.
    pub fn is(self, module: &str, name: &str) -> bool {
        self.module().as_bytes() == module.as_bytes() && self.name().as_bytes() == name.as_bytes()
    }
}

/// `module.name`, with U+FFFD for surrogates.
impl fmt::Display for Global<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module(), self.name())
    }
}

/// An out-of-band buffer (PEP 574).
#[derive(Clone, Copy)]
pub struct Buffer<'g>(&'g BufferNode);

impl<'g> Buffer<'g> {
    pub(crate) fn new(arena: &'g Arena, cell: Cell) -> Self {
        Buffer(&arena.buffers[cell.id()])
    }

    /// Which of the buffers it is, counted from 0.
    pub fn index(self) -> usize {
        self.0.index as usize
    }

    /// Whether the pickle says that the buffer cannot be written to.
    pub fn is_readonly(self) -> bool {
        self.0.readonly
    }

    /// The bytes, if they were given when the pickle was loaded.
    pub fn data(self) -> Option<&'g Bytes> {
        self.0.data.as_ref()
    }
}

/// What a call that was not made would have returned: an instance, as a rule.
///
/// Nothing about it is lost: how it was made, of which class or by which function, with which arguments, and what
/// happened to it next, in order.
#[derive(Clone, Copy)]
pub struct Object<'g> {
    arena: &'g Arena,
    cell: Cell,
}

/// One thing that happened to an object after it was made.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Change<'g> {
    /// APPEND, APPENDS: items were appended, as to a list.
    Append(Items<'g>),
    /// SETITEM, SETITEMS: pairs were set, as in a dict.
    SetItem(Pairs<'g>),
    /// ADDITEMS: members were added, as to a set.
    Add(Items<'g>),
    /// BUILD: the state was set.
    Build(Value<'g>),
    /// An object that was made for its effect on this one, its first argument, and dropped.
    Effect(Value<'g>),
}

/// Keys and values that were set on an object. Equal keys have not been merged: that is up to its class.
#[derive(Clone, Copy)]
pub struct Pairs<'g>(Items<'g>);

impl<'g> Pairs<'g> {
    pub(crate) fn new(arena: &'g Arena, cells: &'g [Cell]) -> Self {
        Pairs(Items::new(arena, cells))
    }
}

impl<'g> Iterator for Pairs<'g> {
    type Item = (Value<'g>, Value<'g>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len() / 2, Some(self.0.len() / 2))
    }
}

impl ExactSizeIterator for Pairs<'_> {}
impl FusedIterator for Pairs<'_> {}

impl<'g> Object<'g> {
    pub(crate) fn new(arena: &'g Arena, cell: Cell) -> Self {
        Object { arena, cell }
    }

    fn node(self) -> &'g ObjectNode {
        &self.arena.objects[self.cell.id()]
    }

    fn value(self, cell: Cell) -> Value<'g> {
        Value::new(self.arena, cell)
    }

    /// The object's id.
    pub fn id(self) -> Id {
        Id(self.cell)
    }

    /// The opcode that made it.
    pub fn how(self) -> How {
        self.node().how
    }

    /// The class or function that was called: a global as a rule, or an extension code, an object, a persistent
    /// reference.
    pub fn class(self) -> Value<'g> {
        self.value(self.node().class)
    }

    /// The arguments.
    pub fn args(self) -> Items<'g> {
        self.args_tuple().items()
    }

    /// The tuple of the arguments, which other values may share.
    pub fn args_tuple(self) -> Value<'g> {
        let node = self.node();
        self.value(match node.how {
            How::NewObjEx => self.arena.items(node.args)[0],
            _ => node.args,
        })
    }

    /// The keyword arguments, which NEWOBJ_EX alone has: a dict.
    pub fn kwargs(self) -> Option<Value<'g>> {
        let node = self.node();
        (node.how == How::NewObjEx).then(|| self.value(self.arena.items(node.args)[1]))
    }

    /// What happened to it after it was made, in order.
    pub fn changes(self) -> impl Iterator<Item = Change<'g>> + 'g {
        let arena = self.arena;
        arena.object_ops(*self.node()).map(move |(kind, cell)| {
            let items = Items::new(arena, arena.items(cell));
            match kind {
                OpKind::Append => Change::Append(items),
                OpKind::SetItem => Change::SetItem(Pairs(items)),
                OpKind::Add => Change::Add(items),
                OpKind::Effect => Change::Effect(Value::new(arena, cell)),
                OpKind::Build | OpKind::Nothing => Change::Build(Value::new(arena, cell)),
            }
        })
    }

    /// The state that BUILD set last: a dict of attributes as a rule, or what `__getstate__` returned.
    pub fn state(self) -> Option<Value<'g>> {
        self.changes().filter_map(|change| if let Change::Build(state) = change { Some(state) } else { None }).last()
    }

    /// The value of an attribute, looked for where Python keeps them: in a state that is a dict, or a pair of a dict
    /// (or `None`) and a dict of slots.
    ///
    /// ```
    /// let graph = picklevm::loads(b"\x80\x02cgeometry\nPoint\n)\x81}X\x01\0\0\0xK\x05sb.")?;
    /// let point = graph.root().as_object().unwrap();
    /// assert_eq!(point.class().as_global().unwrap().to_string(), "geometry.Point");
    /// assert_eq!(point.attr("x").and_then(|x| x.as_i64()), Some(5));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn attr(self, name: &str) -> Option<Value<'g>> {
        let state = self.state()?;
        match state.as_tuple().and_then(Items::as_array) {
            Some([attributes, slots]) => slots.get(name).or_else(|| attributes.get(name)),
            None => state.as_dict()?.get(name),
        }
    }

    /// Whether the class is the global of these names.
    pub fn is_instance(self, module: &str, name: &str) -> bool {
        self.class().as_global().is_some_and(|global| global.is(module, name))
    }
}

impl Arena {
    /// Hands over the values directly inside a value, from left to right: keys before their values; of an object its
    /// class, arguments, keyword arguments and what happened to it next.
    #[inline]
    pub(crate) fn each_child(&self, cell: Cell, mut each: impl FnMut(Cell)) {
        match cell.tag() {
            Tag::List | Tag::Tuple | Tag::Dict | Tag::Set | Tag::FrozenSet => {
                self.items(cell).iter().copied().for_each(each);
            }
            Tag::Persistent => each(self.persistents[cell.id()]),
            Tag::Object => {
                let node = self.objects[cell.id()];
                each(node.class);
                match node.how {
                    How::Reduce | How::NewObj => each(node.args),
                    How::NewObjEx | How::Inst | How::Obj => self.items(node.args).iter().copied().for_each(&mut each),
                }
                for (kind, value) in self.object_ops(node) {
                    match kind {
                        OpKind::Build | OpKind::Effect | OpKind::Nothing => each(value),
                        OpKind::Append | OpKind::SetItem | OpKind::Add => {
                            self.items(value).iter().copied().for_each(&mut each)
                        }
                    }
                }
            }
            _ => {}
        }
    }
}
