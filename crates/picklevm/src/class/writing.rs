//! `WriteContext` and `ObjectWriter`: writing instances as Python's classes reduce them.

use std::any::Any;
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};

use foldhash::fast::RandomState;

use super::def::{Attr, Base, ClassDef, Field, State};
use super::rest::{self, Rest};
use super::{PickleClass, ToValue};
use crate::convert::Interner;
use crate::emitter::cpython::PicklerVersion;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Construction, Id, OpKind, Tag, Value, describe};
use crate::protocol::Protocol;

/// Maximum nesting depth. [`ToValue`] implementations call each other, so nested data deepens the call stack.
pub(super) const DEPTH: usize = 128;

/// State of writing Rust values into a graph, passed from one [`ToValue`] to the next.
///
/// Dereferences to the [`Arena`] of the graph, whose methods make values. A graph is made for one protocol, since Python's
/// classes reduce their instances for a protocol.
pub struct WriteContext<'a> {
    arena: &'a mut Arena,
    protocol: Protocol,
    writer: PicklerVersion,
    depth: usize,
    interner: Interner,
    /// The `__new__` of classes, if it is not a global.
    methods: HashMap<Cell, Cell, RandomState>,
    /// Cells of shared pointers, by address. A clone of the pointer keeps the address in use.
    shared: HashMap<usize, (Cell, Box<dyn Any>), RandomState>,
    /// Members of enums, by class and name.
    members: HashMap<(Id, &'static str), Id, RandomState>,
}

impl std::fmt::Debug for WriteContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteContext")
            .field("protocol", &self.protocol)
            .field("writer", &self.writer)
            .finish_non_exhaustive()
    }
}

impl<'a> WriteContext<'a> {
    pub(super) fn new(arena: &'a mut Arena, protocol: Protocol, writer: PicklerVersion) -> Self {
        WriteContext {
            arena,
            protocol,
            writer,
            depth: 0,
            interner: Interner::default(),
            methods: HashMap::default(),
            shared: HashMap::default(),
            members: HashMap::default(),
        }
    }

    /// Returns the protocol that the graph is made for.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether the [pickler version](crate::PicklerVersion) is one of Python 2, where attribute names are 8-bit strings.
    pub fn is_python2(&self) -> bool {
        self.writer.highest_protocol() < Protocol::V3
    }

    /// Writes a value. Implementations of [`ToValue`] call it for the values inside their own.
    ///
    /// # Errors
    ///
    /// Errors of the type; [`Limit`](ErrorKind::Limit) for more than 128 nested values.
    pub fn write<T: ToValue + ?Sized>(&mut self, value: &T) -> Result<Id> {
        if self.depth >= DEPTH {
            return Err(Error::new(ErrorKind::Limit, format!("at most {DEPTH} nested values"), "more"));
        }
        self.depth += 1;
        let written = value.to_value(self);
        self.depth -= 1;
        written
    }

    /// Returns the value of a name, such as that of an attribute. All uses share one value, like Python's interned strings.
    /// It is an 8-bit string for Python 2.
    pub fn name(&mut self, name: &str) -> Id {
        let tag = if self.is_python2() { Tag::ByteStr } else { Tag::Str };
        Id(self.interner.name(self.arena, tag, name.as_bytes()))
    }

    /// Makes text.
    pub(super) fn text(&mut self, text: &str) -> Id {
        Id(self.interner.text(self.arena, text))
    }

    /// Makes bytes or an 8-bit string.
    pub(super) fn bytes(&mut self, tag: Tag, bytes: &[u8]) -> Id {
        Id(self.interner.bytes(self.arena, tag, bytes))
    }

    /// Returns the value of a class or function. All uses share one value.
    pub fn global(&mut self, module: &str, name: &str) -> Id {
        Id(self.interner.global(self.arena, [module, name], |arena| arena.latest_global(module, name).0))
    }

    /// Returns the function `cls.__new__`, which all uses share: below protocol 4 a path of attributes.
    fn new_method(&mut self, def: &ClassDef, class: Cell) -> Cell {
        if self.writer.quirks().bare_paths {
            return self.global(def.module, &format!("{}.__new__", def.name)).0;
        }
        if let Some(known) = self.methods.get(&class) {
            return *known;
        }
        let Id(getattr) = self.global("builtins", "getattr");
        let name = self.interner.name(self.arena, Tag::Str, b"__new__");
        let method = self.new_attribute(getattr, class, name);
        self.methods.insert(class, method);
        method
    }

    pub(super) fn known_member(&self, class: Id, name: &'static str) -> Option<Id> {
        self.members.get(&(class, name)).copied()
    }

    pub(super) fn remember_member(&mut self, class: Id, name: &'static str, member: Id) {
        self.members.insert((class, name), member);
    }

    /// Returns the value made before from a shared pointer, or a new value. `keep_alive` keeps its address in use.
    pub(super) fn shared(
        &mut self,
        address: usize,
        keep_alive: impl FnOnce() -> Box<dyn Any>,
        make: impl FnOnce(&mut Self) -> Result<Id>,
    ) -> Result<Id> {
        if let Some((cell, _)) = self.shared.get(&address) {
            return Ok(Id(*cell));
        }
        let made = make(self)?;
        self.shared.insert(address, (made.0, keep_alive()));
        Ok(made)
    }

    /// Writes an instance of a class: the [`ToValue`] of a [`PickleClass`].
    ///
    /// # Errors
    ///
    /// Errors of the fields, which name class and field; [`Unrepresentable`](ErrorKind::Unrepresentable) for a class with
    /// only `__slots__` below protocol 2, which Python cannot pickle either.
    pub fn object<T: PickleClass>(&mut self, value: &T) -> Result<Id> {
        let mut object = ObjectWriter {
            context: self,
            def: &T::CLASS,
            args: Vec::new(),
            kwargs: Vec::new(),
            own: Vec::new(),
            slots: Vec::new(),
            base: None,
            state: None,
            rest: Vec::new(),
        };
        value.to_object(&mut object)?;
        object.finish().map_err(|e| e.about(|| T::CLASS.to_string()))
    }
}

impl Deref for WriteContext<'_> {
    type Target = Arena;

    fn deref(&self) -> &Arena {
        self.arena
    }
}

impl DerefMut for WriteContext<'_> {
    fn deref_mut(&mut self) -> &mut Arena {
        self.arena
    }
}

/// Writer of an instance, to which a [`PickleClass`] passes its fields, in the order of the class.
pub struct ObjectWriter<'w, 'a> {
    context: &'w mut WriteContext<'a>,
    def: &'w ClassDef,
    args: Vec<Cell>,
    /// Alternating names and values, as in the two below.
    kwargs: Vec<Cell>,
    /// Attributes in `__dict__`, or the items of a tuple or list state.
    own: Vec<Cell>,
    /// Attributes in `__slots__`.
    slots: Vec<Cell>,
    base: Option<Cell>,
    /// The value returned by `__getstate__`.
    state: Option<Cell>,
    /// The attributes that were read, in order.
    rest: Vec<rest::Written>,
}

impl std::fmt::Debug for ObjectWriter<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectWriter").field("def", &self.def).finish_non_exhaustive()
    }
}

impl ObjectWriter<'_, '_> {
    /// Writes a field.
    ///
    /// # Errors
    ///
    /// Errors of the type, which name class and field.
    pub fn put<T: ToValue + ?Sized>(&mut self, field: &Field, value: &T) -> Result<()> {
        self.put_with(field, value, |value, context| context.write(value))
    }

    /// Writes a field with a function instead of [`ToValue`].
    ///
    /// # Errors
    ///
    /// Errors of the function, which name class and field.
    pub fn put_with<T: ?Sized>(
        &mut self,
        field: &Field,
        value: &T,
        write: impl FnOnce(&T, &mut WriteContext<'_>) -> Result<Id>,
    ) -> Result<()> {
        let written = write(value, self.context).map_err(|e| e.in_field(self.def, field.name))?;
        let cell = self.context.checked(written);
        if field.is_base {
            let is_items = self.def.base == Base::Tuple && cell.is(Tag::List);
            let items = if is_items { self.context.items(cell).to_vec() } else { Vec::new() };
            self.base = Some(if is_items { self.context.new_tuple(&items) } else { cell });
        }
        if field.arg.is_some() {
            self.args.push(cell);
        }
        if field.is_kwarg {
            let Id(name) = self.context.name(field.name);
            self.kwargs.extend([name, cell]);
        }
        match (field.attr, self.def.state) {
            (None, _) => {}
            (Some(Attr::At(_)), _) => self.own.push(cell),
            (Some(attr), state) => {
                let Id(name) = self.context.name(field.name);
                let is_slot = attr == Attr::Slot || state == State::Slots;
                if is_slot { &mut self.slots } else { &mut self.own }.extend([name, cell]);
            }
        }
        Ok(())
    }

    /// Writes the attributes that have no field, and puts all in the order in which they were read.
    ///
    /// # Errors
    ///
    /// [`Limit`](ErrorKind::Limit) for more than 128 nested values.
    pub fn put_rest(&mut self, rest: &Rest) -> Result<()> {
        self.rest = rest.write(self.context)?;
        Ok(())
    }

    /// Sets the state that `__getstate__` returns, instead of one made from attributes.
    ///
    /// # Errors
    ///
    /// Errors of the type, which name the class.
    pub fn set_state<T: ToValue + ?Sized>(&mut self, state: &T) -> Result<()> {
        let written = self.context.write(state).map_err(|e| e.about(|| format!("{}.__getstate__", self.def)))?;
        self.state = Some(self.context.checked(written));
        Ok(())
    }

    /// Makes the object, like `object.__reduce_ex__` in `Objects/typeobject.c` and `copyreg.py`.
    fn finish(mut self) -> Result<Id> {
        if self.def.is_dict {
            let rows = rest::in_order(std::mem::take(&mut self.own), &self.rest, false);
            return self.dict_of(&rows).map(Id);
        }
        let Id(class) = self.context.global(self.def.module, self.def.name);
        self.check_base()?;
        let has_slots = !self.slots.is_empty() || self.rest.iter().any(|(_, is_slot, _)| *is_slot);
        let needs_protocol_2 = self.state.is_none() && has_slots;
        let state = self.make_state()?;
        let object = if self.def.is_old_style {
            let args = self.context.new_tuple(&self.args);
            self.context.new_object(Construction::Obj, class, args)
        } else if self.context.protocol < Protocol::V2 {
            if needs_protocol_2 {
                return Err(self.needs_protocol_2());
            }
            self.reconstructed(class)
        } else {
            self.new_obj(class)?
        };
        // Below protocol 2, a state is written if it is true (`copyreg._reduce_ex`); from 2 on, if it is not None.
        let must_be_true = self.context.protocol < Protocol::V2 && !self.def.is_old_style;
        let state = state.filter(|state| match must_be_true {
            true => !is_false(self.context.arena, *state),
            false => !state.is(Tag::None),
        });
        if let Some(state) = state {
            self.context.object_op(object, OpKind::Build, &[state]);
        }
        Ok(Id(object))
    }

    #[cold]
    fn needs_protocol_2(&self) -> Error {
        let expected = "protocol 2 or higher for a class with __slots__ and no __getstate__";
        Error::new(ErrorKind::Unrepresentable, expected, format!("protocol {}", self.context.protocol))
    }

    /// `copyreg._reconstructor(cls, base, base(self))`.
    fn reconstructed(&mut self, class: Cell) -> Cell {
        let base = match self.def.base {
            Base::Object => Cell::NONE,
            Base::NamedTuple => self.context.new_tuple(&self.args),
            _ => self.base.unwrap_or(Cell::NONE),
        };
        // Below protocol 3, Python 3 writes its `int` as Python 2's `long`. Python 2's `int` is another type.
        let is_own_int = self.def.base == Base::Int && self.context.is_python2();
        let module = if is_own_int { "__builtin__" } else { "builtins" };
        let Id(builtin) = self.context.global(module, self.def.base.name());
        let Id(function) = self.context.global("copyreg", "_reconstructor");
        self.context.new_reconstructed(function, class, builtin, base)
    }

    /// Makes `cls.__new__(cls, *args, **kwargs)`, and adds the items of a list or dict.
    fn new_obj(&mut self, class: Cell) -> Result<Cell> {
        let added = match (self.def.base, self.base) {
            (Base::List, Some(base)) => Some((OpKind::Append, base)),
            (Base::Dict, Some(base)) => Some((OpKind::SetItem, base)),
            (_, Some(base)) => {
                self.args.insert(0, base);
                None
            }
            _ => None,
        };
        let object = if self.kwargs.is_empty() {
            let args = self.context.new_tuple(&self.args);
            self.context.new_object(Construction::NewObj, class, args)
        } else {
            self.new_obj_ex(class)?
        };
        if let Some((kind, base)) = added {
            let items = self.context.items(base).to_vec();
            if !items.is_empty() {
                self.context.object_op(object, kind, &items);
            }
        }
        Ok(object)
    }

    /// Makes an object with keyword arguments: by NEWOBJ_EX from protocol 4 on, below by
    /// `functools.partial(cls.__new__, cls, *args, **kwargs)()` (PEP 3154).
    fn new_obj_ex(&mut self, class: Cell) -> Result<Cell> {
        let kwargs = std::mem::take(&mut self.kwargs);
        let kwargs = self.dict_of(&kwargs)?;
        if self.context.protocol >= Protocol::V4 {
            let args = self.context.new_tuple(&self.args);
            let both = self.context.new_tuple(&[args, kwargs]);
            return Ok(self.context.new_object(Construction::NewObjEx, class, both));
        }
        self.args.insert(0, class);
        let args = self.context.new_tuple(&self.args);
        let method = self.context.new_method(self.def, class);
        let Id(partial) = self.context.global("functools", "partial");
        let partial = self.context.new_partial(partial, [method, args, kwargs, Cell::NONE]);
        Ok(self.context.new_object(Construction::Reduce, partial, Cell::EMPTY_TUPLE))
    }

    fn make_state(&mut self) -> Result<Option<Cell>> {
        if self.state.is_some() {
            return Ok(self.state);
        }
        let (own, slots) = (std::mem::take(&mut self.own), std::mem::take(&mut self.slots));
        match self.def.state {
            State::Tuple => return Ok(Some(self.context.new_tuple(&own))),
            State::List => return Ok(Some(self.context.new_list(&own))),
            State::Dict | State::Slots => {}
        }
        let own = rest::in_order(own, &self.rest, false);
        let slots = rest::in_order(slots, &self.rest, true);
        // Python 2 writes the `__dict__` of an instance even if it is empty, Python 3 does not.
        let has_dict = self.def.state == State::Dict && self.def.base != Base::NamedTuple;
        let is_written = !own.is_empty() || (has_dict && (self.context.is_python2() || self.def.is_old_style));
        let dict = if is_written { Some(self.dict_of(&own)?) } else { None };
        if slots.is_empty() {
            return Ok(dict);
        }
        let slots = self.dict_of(&slots)?;
        Ok(Some(self.context.new_tuple(&[dict.unwrap_or(Cell::NONE), slots])))
    }

    fn dict_of(&mut self, rows: &[Cell]) -> Result<Cell> {
        let pairs: Vec<_> = rows.as_chunks().0.iter().map(|[name, value]| (Id(*name), Id(*value))).collect();
        self.context.arena.dict(pairs).map(|Id(dict)| dict)
    }

    fn check_base(&self) -> Result<()> {
        let Some(base) = self.base else { return Ok(()) };
        let fits = match self.def.base {
            Base::Object | Base::NamedTuple => false,
            Base::Tuple => matches!(base.tag(), Tag::Tuple | Tag::EmptyTuple),
            Base::List => base.is(Tag::List),
            Base::Dict => base.is(Tag::Dict),
            Base::Int => matches!(base.tag(), Tag::Int | Tag::BigInt),
            Base::Float => matches!(base.tag(), Tag::Float | Tag::ZeroFloat | Tag::WideFloat),
            Base::Complex => base.is(Tag::Complex),
            Base::Str => matches!(base.tag(), Tag::Str | Tag::ByteStr),
            Base::Bytes => matches!(base.tag(), Tag::Bytes | Tag::ByteStr),
        };
        if fits {
            return Ok(());
        }
        let expected = format!("a value of type `{}`", self.def.base.name());
        Err(Error::new(ErrorKind::Type, expected, describe(self.context.arena, base)))
    }
}

/// Whether Python's `bool` of a state is false.
fn is_false(arena: &Arena, cell: Cell) -> bool {
    let value = Value::new(arena, cell);
    match cell.tag() {
        Tag::None | Tag::False | Tag::EmptyTuple => true,
        Tag::Int | Tag::BigInt => value.as_i64() == Some(0),
        Tag::Float | Tag::ZeroFloat => value.as_f64() == Some(0.0),
        Tag::Str | Tag::Bytes | Tag::ByteStr | Tag::ByteArray => arena.payload(cell).is_empty(),
        Tag::List | Tag::Dict | Tag::Set | Tag::FrozenSet => value.is_empty(),
        _ => false,
    }
}
