//! Typed references to dicts, globals, buffers and objects.

use std::fmt;

use bytes::Bytes;
use picklevm_ops::Text;

use super::arena::{Arena, BufferNode};
use super::cell::{Cell, Tag};
use super::items::{Entries, Items};
use super::lookup::Key;
use super::object::{Construction, ObjectNode, OpKind};
use super::value::{Id, Value};
use crate::python::is_builtins;

/// A dict, in insertion order.
#[derive(Clone, Copy)]
pub struct Dict<'g> {
    arena: &'g Arena,
    cell: Cell,
}

impl<'g> Dict<'g> {
    pub(crate) fn new(arena: &'g Arena, cell: Cell) -> Self {
        Dict { arena, cell }
    }

    /// Returns the dict as a value.
    pub fn value(self) -> Value<'g> {
        Value::new(self.arena, self.cell)
    }

    /// Returns the value of a key. A `&str` also finds an 8-bit string of Python 2 with the same bytes.
    pub fn get<'k>(self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        let row = key.into().find(self.arena, self.cell)?;
        let cell = self.arena.items(self.cell).get(2 * row + 1)?;
        Some(Value::new(self.arena, *cell))
    }

    /// Returns the keys and values.
    pub fn entries(self) -> Entries<'g> {
        Entries::new(self.arena, self.arena.items(self.cell))
    }

    /// Returns the keys.
    pub fn keys(self) -> impl DoubleEndedIterator<Item = Value<'g>> + ExactSizeIterator + Clone + 'g {
        self.entries().map(|(key, _)| key)
    }

    /// Returns the values.
    pub fn values(self) -> impl DoubleEndedIterator<Item = Value<'g>> + ExactSizeIterator + Clone + 'g {
        self.entries().map(|(_, value)| value)
    }

    /// Returns the number of entries.
    pub fn len(self) -> usize {
        self.arena.items(self.cell).len() / 2
    }

    /// Returns whether there are no entries.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Keys and values, as by [`Dict::entries`].
impl<'g> IntoIterator for Dict<'g> {
    type Item = (Value<'g>, Value<'g>);
    type IntoIter = Entries<'g>;

    fn into_iter(self) -> Entries<'g> {
        self.entries()
    }
}

/// A class or function by name, or a constant such as `Ellipsis`.
///
/// ```
/// let graph = picklevm::loads(b"c__builtin__\nEllipsis\n.")?;
/// let picklevm::Kind::Global(global) = graph.root().kind() else { panic!() };
/// assert!(global.module() == "__builtin__" && global.name() == "Ellipsis");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Global<'g> {
    arena: &'g Arena,
    cell: Cell,
}

impl<'g> Global<'g> {
    pub(crate) fn new(arena: &'g Arena, cell: Cell) -> Self {
        Global { arena, cell }
    }

    /// Returns the global as a value.
    pub fn value(self) -> Value<'g> {
        Value::new(self.arena, self.cell)
    }

    /// Returns the module as the pickle has it: `copy_reg` below protocol 3 is not mapped to `copyreg`.
    pub fn module(self) -> Text<'g> {
        self.arena.text(self.arena.globals[self.cell].module)
    }

    /// Returns the qualified name in the module, dotted if nested in a class.
    pub fn name(self) -> Text<'g> {
        self.arena.text(self.arena.globals[self.cell].name)
    }

    /// Returns the texts of module and name.
    pub(crate) fn parts(self) -> [Value<'g>; 2] {
        let node = self.arena.globals[self.cell];
        [node.module, node.name].map(|text| Value::new(self.arena, text))
    }

    /// Returns whether this is the global `module.name`.
    pub fn is(self, module: &str, name: &str) -> bool {
        self.module().as_bytes() == module.as_bytes() && self.name().as_bytes() == name.as_bytes()
    }

    /// Returns whether this is a name of the module `builtins`, which is `__builtin__` in Python 2.
    pub(crate) fn is_builtin(self, name: &str) -> bool {
        is_builtins(self.module().as_bytes()) && self.name().as_bytes() == name.as_bytes()
    }
}

/// Prints `module.name`, with U+FFFD for surrogates.
impl fmt::Display for Global<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module(), self.name())
    }
}

/// An out-of-band buffer (PEP 574), as Python's `PickleBuffer` makes one.
#[derive(Clone, Copy)]
pub struct Buffer<'g>(&'g BufferNode);

impl<'g> Buffer<'g> {
    pub(crate) fn new(arena: &'g Arena, cell: Cell) -> Self {
        Buffer(&arena.buffers[cell])
    }

    /// Returns the index of the buffer among the buffers of the pickle, from 0.
    pub fn index(self) -> usize {
        self.0.index as usize
    }

    /// Returns whether the buffer is read-only (READONLY_BUFFER).
    pub fn is_readonly(self) -> bool {
        self.0.readonly
    }

    /// Returns the bytes, if they were passed when the pickle was loaded or the buffer was [made](Arena::buffer):
    /// `PickleBuffer.raw`.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let buffer = graph.buffer(vec![1, 2, 3]);
    /// let picklevm::Kind::Buffer(buffer) = graph.value(buffer).kind() else { panic!() };
    /// assert_eq!(buffer.data().unwrap()[..], [1, 2, 3]);
    /// ```
    pub fn data(self) -> Option<&'g Bytes> {
        self.0.data.as_ref()
    }
}

/// The result of a call that was not executed: usually an instance.
///
/// It keeps everything the pickle holds: the opcode that made it, the class or function, the arguments, and the changes
/// after that, in order.
#[derive(Clone, Copy)]
pub struct Object<'g> {
    arena: &'g Arena,
    cell: Cell,
}

/// A change to an object after it was made.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Change<'g> {
    /// APPEND, APPENDS: items were appended, as to a list.
    Append(Items<'g>),
    /// SETITEM, SETITEMS: pairs were set, as in a dict.
    SetItem(Entries<'g>),
    /// ADDITEMS: members were added, as to a set.
    Add(Items<'g>),
    /// BUILD: the state was set.
    Build(Value<'g>),
    /// An object that was made only for its effect on this one, its first argument, and dropped.
    Effect(Value<'g>),
}

impl<'g> Object<'g> {
    pub(crate) fn new(arena: &'g Arena, cell: Cell) -> Self {
        Object { arena, cell }
    }

    fn node(self) -> &'g ObjectNode {
        &self.arena.objects[self.cell]
    }

    fn to_value(self, cell: Cell) -> Value<'g> {
        Value::new(self.arena, cell)
    }

    /// Returns the object as a value.
    pub fn value(self) -> Value<'g> {
        self.to_value(self.cell)
    }

    /// Returns the object's id.
    pub fn id(self) -> Id {
        Id(self.cell)
    }

    /// Returns the opcode that made the object.
    pub fn construction(self) -> Construction {
        self.node().how
    }

    /// Returns the class or function that was called: usually a global, or an extension code, an object or a persistent
    /// reference.
    pub fn class(self) -> Value<'g> {
        self.to_value(self.node().class)
    }

    /// Returns the arguments.
    pub fn args(self) -> Items<'g> {
        self.args_tuple().items()
    }

    /// Returns the tuple of the arguments, which other values may share.
    pub fn args_tuple(self) -> Value<'g> {
        let node = self.node();
        self.to_value(match node.how {
            Construction::NewObjEx => self.arena.items(node.args)[0],
            _ => node.args,
        })
    }

    /// Returns the keyword arguments, a dict, if the opcode is NEWOBJ_EX.
    pub fn kwargs(self) -> Option<Value<'g>> {
        let node = self.node();
        (node.how == Construction::NewObjEx).then(|| self.to_value(self.arena.items(node.args)[1]))
    }

    /// Returns the changes after it was made, in order.
    pub fn changes(self) -> impl Iterator<Item = Change<'g>> + 'g {
        let arena = self.arena;
        arena.object_ops(*self.node()).map(move |(kind, cell)| {
            let items = Items::new(arena, arena.items(cell));
            match kind {
                OpKind::Append => Change::Append(items),
                OpKind::SetItem => Change::SetItem(Entries::new(arena, items.cells())),
                OpKind::Add => Change::Add(items),
                OpKind::Effect => Change::Effect(Value::new(arena, cell)),
                OpKind::Build | OpKind::Nothing => Change::Build(Value::new(arena, cell)),
            }
        })
    }

    /// Returns the items that were appended as to a list, and the members that were added as to a set, in order.
    pub fn items(self) -> impl Iterator<Item = Value<'g>> + 'g {
        self.changes().flat_map(|change| match change {
            Change::Append(items) | Change::Add(items) => items,
            _ => Items::new(self.arena, &[]),
        })
    }

    /// Returns the pairs that were set with `__setitem__` as on a dict, in order. Equal keys are not merged.
    ///
    /// ```
    /// let graph = picklevm::loads(b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\0\0\0aK\x01X\x01\0\0\0bK\x02u.")?;
    /// let ordered = graph.root().as_object().unwrap();
    /// assert!(ordered.is_instance("collections", "OrderedDict"));
    /// assert_eq!(ordered.entries().filter_map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    /// assert_eq!(graph.root().at("b").as_i64(), Some(2));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn entries(self) -> impl Iterator<Item = (Value<'g>, Value<'g>)> + 'g {
        self.changes().flat_map(|change| match change {
            Change::SetItem(pairs) => pairs,
            _ => Entries::new(self.arena, &[]),
        })
    }

    /// Returns the value that was last set for a key, as on a dict. Takes linear time in the number of pairs.
    pub fn get<'k>(self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        let key = key.into().of(self.arena);
        self.entries().filter(|(other, _)| key.equals(*other)).last().map(|(_, value)| value)
    }

    /// Returns the state that BUILD set last: usually a dict of attributes, or what `__getstate__` returned.
    pub fn state(self) -> Option<Value<'g>> {
        self.changes().filter_map(|change| if let Change::Build(state) = change { Some(state) } else { None }).last()
    }

    /// Returns the value of an attribute. It is looked up where Python stores them: in a state that is a dict, or a
    /// pair of a dict (or `None`) and a dict of slots.
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

    /// Returns whether the class is the global `module.name`.
    pub fn is_instance(self, module: &str, name: &str) -> bool {
        self.class().as_global().is_some_and(|global| global.is(module, name))
    }
}

impl Arena {
    /// Calls `each` with the values directly inside a value, from left to right: keys before their values; for an
    /// object its class, arguments, keyword arguments and changes.
    #[inline]
    pub(crate) fn each_child(&self, cell: Cell, mut each: impl FnMut(Cell)) {
        match cell.tag() {
            Tag::List | Tag::Tuple | Tag::Dict | Tag::Set | Tag::FrozenSet => {
                self.items(cell).iter().copied().for_each(each);
            }
            Tag::Persistent => each(self.persistents[cell]),
            Tag::Object => {
                let node = self.objects[cell];
                each(node.class);
                match node.how {
                    Construction::Reduce | Construction::NewObj => each(node.args),
                    Construction::NewObjEx | Construction::Inst | Construction::Obj => {
                        self.items(node.args).iter().copied().for_each(&mut each)
                    }
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
