//! `ReadContext` and `ObjectReader`: reading instances, with limits on depth and shared data.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::def::{Attr, Base, ClassDef, Field};
use super::{FromObject, FromValue};
use crate::convert::{Budget, Refusal};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::qualified_name;
use crate::graph::{Arena, Cell, Dict, Items, Kind, Object, Tag, Value, describe};
use crate::limits::Limits;
use crate::typed::InstanceView;

/// Maximum nesting depth. [`FromValue`] implementations call each other, so nested data deepens the call stack.
const DEPTH: usize = 128;

/// State of reading Rust values from a graph, passed from one [`FromValue`] to the next.
pub struct ReadContext<'g> {
    arena: &'g Arena,
    budget: Budget,
    /// Shared pointers made so far, by value and type.
    shared: HashMap<(Cell, TypeId), Box<dyn Any>, RandomState>,
}

impl std::fmt::Debug for ReadContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadContext").field("budget", &self.budget.left()).finish_non_exhaustive()
    }
}

impl<'g> ReadContext<'g> {
    pub(super) fn new(arena: &'g Arena, limits: &Limits) -> Self {
        ReadContext { arena, budget: Budget::new(arena, DEPTH, limits.shared), shared: HashMap::default() }
    }

    /// Reads a value. Implementations of [`FromValue`] call it for the values inside their own.
    ///
    /// # Errors
    ///
    /// Errors of the type that is read; [`Limit`](ErrorKind::Limit) for more than 128 nested values, or more shared values
    /// read again than [`Limits::shared`] allows; [`Type`](ErrorKind::Type) for a value that contains itself.
    pub fn read<T: FromValue<'g>>(&mut self, value: Value<'g>) -> Result<T> {
        if !std::ptr::eq(value.arena(), self.arena) {
            return ReadContext::new(value.arena(), &Limits::default()).read(value);
        }
        let cell = value.cell();
        match cell.tag() {
            Tag::List | Tag::Tuple | Tag::Dict | Tag::Set | Tag::FrozenSet | Tag::Object | Tag::Persistent => {
                self.enter(cell)?;
                let read = T::from_value(value, self);
                self.budget.leave();
                read
            }
            Tag::Str | Tag::Bytes | Tag::ByteArray | Tag::ByteStr | Tag::BigInt => {
                self.spend(self.arena.payload(cell).len())?;
                T::from_value(value, self)
            }
            _ => T::from_value(value, self),
        }
    }

    /// Reads the items of a sequence.
    ///
    /// # Errors
    ///
    /// Those of [`read`](ReadContext::read), with the index of the item.
    pub(super) fn items<T: FromValue<'g>, C: FromIterator<T>>(
        &mut self,
        items: impl Iterator<Item = Value<'g>>,
    ) -> Result<C> {
        items.enumerate().map(|(n, item)| self.read(item).map_err(|e| e.in_item(n))).collect()
    }

    /// Reads the entries of a mapping.
    ///
    /// # Errors
    ///
    /// Those of [`read`](ReadContext::read), with the key.
    pub(super) fn entries<K: FromValue<'g>, V: FromValue<'g>, C: FromIterator<(K, V)>>(
        &mut self,
        entries: impl Iterator<Item = (Value<'g>, Value<'g>)>,
    ) -> Result<C> {
        entries.map(|(key, value)| self.entry(key, value).map_err(|e| e.in_key(key.as_i64(), key))).collect()
    }

    fn entry<K: FromValue<'g>, V: FromValue<'g>>(&mut self, key: Value<'g>, value: Value<'g>) -> Result<(K, V)> {
        Ok((self.read(key)?, self.read(value)?))
    }

    fn enter(&mut self, cell: Cell) -> Result<()> {
        // An object has no items in its cell; its node is larger than this.
        let len = self.arena.items(cell).len().max(1);
        self.budget.enter(cell, len).map_err(|refusal| self.refused(refusal, cell))
    }

    /// Subtracts bytes read from the budget.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<()> {
        self.budget.spend(bytes as u64).map_err(|refusal| self.refused(refusal, Cell::NONE))
    }

    #[cold]
    fn refused(&self, refusal: Refusal, cell: Cell) -> Error {
        match refusal {
            Refusal::TooMuch => Error::new(ErrorKind::Limit, self.budget.expected(), "more"),
            Refusal::TooDeep => Error::new(ErrorKind::Limit, format!("at most {DEPTH} nested values"), "more"),
            Refusal::Cycle => {
                let found = format!("{} that contains itself", describe(self.arena, cell));
                Error::new(ErrorKind::Type, "a value without cycles", found)
            }
        }
    }

    /// Returns a shared pointer: the one made before from the same value of the graph, or a new one.
    pub(super) fn shared<P: Clone + 'static>(
        &mut self,
        value: Value<'_>,
        make: impl FnOnce(&mut Self) -> Result<P>,
    ) -> Result<P> {
        let key = (value.cell(), TypeId::of::<P>());
        if let Some(known) = self.shared.get(&key).and_then(|known| known.downcast_ref::<P>()) {
            return Ok(known.clone());
        }
        let made = make(self)?;
        // Equal small numbers have equal cells, but are not one shared value.
        if crate::graph::NodeIndex::has(value.cell()) {
            self.shared.insert(key, Box::new(made.clone()));
        }
        Ok(made)
    }

    /// Reads an instance of a class: the [`FromValue`] of a [`PickleClass`](super::PickleClass).
    ///
    /// # Errors
    ///
    /// [`Type`](ErrorKind::Type) for anything but an instance of the class, and those of the class's fields.
    pub fn object<T: FromObject<'g>>(&mut self, value: Value<'g>) -> Result<T> {
        let def = &T::CLASS;
        if def.is_dict {
            let Some(_) = value.as_dict() else { return Err(wrong_class(def, value, None)) };
            return T::from_object(&mut ObjectReader { context: self, def, state: Some(value), instance: None });
        }
        let instance = value.as_object().zip(InstanceView::of(value));
        let name = instance.and_then(|(_, instance)| qualified_name(instance.class));
        match (instance, name) {
            (Some((_, InstanceView { state, .. })), Some((module, name))) if def.is_called(module, &name) => {
                T::from_object(&mut ObjectReader { context: self, def, state, instance })
            }
            (_, name) => Err(wrong_class(def, value, name)),
        }
    }
}

#[cold]
fn wrong_class(def: &ClassDef, value: Value<'_>, class: Option<(&str, Cow<'_, str>)>) -> Error {
    let expected = if def.is_dict { "a dict".to_owned() } else { format!("an instance of {def}") };
    let found = match class {
        Some((module, name)) => format!("an instance of {module}.{name}"),
        None => describe(value.arena(), value.cell()),
    };
    Error::new(ErrorKind::Type, expected, found)
}

/// Reader of an instance, from which a [`PickleClass`](super::PickleClass) gets its fields.
pub struct ObjectReader<'r, 'g> {
    context: &'r mut ReadContext<'g>,
    def: &'r ClassDef,
    /// The argument of `__setstate__`; for a plain dict, the dict.
    state: Option<Value<'g>>,
    /// `None` for a plain dict.
    instance: Option<(Object<'g>, InstanceView<'g>)>,
}

impl std::fmt::Debug for ObjectReader<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectReader").field("def", &self.def).field("state", &self.state).finish_non_exhaustive()
    }
}

impl<'g> ObjectReader<'_, 'g> {
    /// Reads a field.
    ///
    /// # Errors
    ///
    /// [`Missing`](ErrorKind::Missing) if the instance does not have it; errors of the type, which name class and field.
    pub fn get<T: FromValue<'g>>(&mut self, field: &Field) -> Result<T> {
        self.get_with(field, |value, context| context.read(value))
    }

    /// Reads a field, or calls `default` if the instance does not have it.
    ///
    /// # Errors
    ///
    /// Errors of the type, which name class and field.
    pub fn get_or<T: FromValue<'g>>(&mut self, field: &Field, default: impl FnOnce() -> T) -> Result<T> {
        self.get_or_with(field, default, |value, context| context.read(value))
    }

    /// Reads a field with a function instead of [`FromValue`].
    ///
    /// # Errors
    ///
    /// Those of [`get`](ObjectReader::get), and those of the function.
    pub fn get_with<T>(
        &mut self,
        field: &Field,
        read: impl FnOnce(Value<'g>, &mut ReadContext<'g>) -> Result<T>,
    ) -> Result<T> {
        self.find_with(field, read)?.ok_or_else(|| self.name(field, missing(self.def, field)))
    }

    /// Reads a field with a function instead of [`FromValue`], or calls `default` if the instance does not have it.
    ///
    /// # Errors
    ///
    /// Errors of the function.
    pub fn get_or_with<T>(
        &mut self,
        field: &Field,
        default: impl FnOnce() -> T,
        read: impl FnOnce(Value<'g>, &mut ReadContext<'g>) -> Result<T>,
    ) -> Result<T> {
        Ok(self.find_with(field, read)?.unwrap_or_else(default))
    }

    fn find_with<T>(
        &mut self,
        field: &Field,
        read: impl FnOnce(Value<'g>, &mut ReadContext<'g>) -> Result<T>,
    ) -> Result<Option<T>> {
        let instance = self.instance.as_ref().map(|(_, instance)| instance);
        let found = in_state(self.state, field).or_else(|| in_arguments(instance?, field));
        let found = found.map(|value| read(value, self.context));
        found.transpose().map_err(|e| self.name(field, e))
    }

    /// Reads the contents of the built-in base class.
    ///
    /// # Errors
    ///
    /// Errors of the type, which name class and field.
    pub fn get_base<T: FromValue<'g>>(&mut self, field: &Field) -> Result<T> {
        let Some((object, instance)) = &self.instance else { return Err(missing(self.def, field)) };
        let read = match (instance.base, self.def.base) {
            (Some(base), _) => self.context.read(base),
            (None, Base::List) => T::from_items(&mut object.items(), self.context),
            (None, Base::Dict) => T::from_pairs(&mut object.entries(), self.context),
            (None, _) => match instance.args.get(0) {
                Some(value) => self.context.read(value),
                None => Err(missing(self.def, field)),
            },
        };
        read.map_err(|e| self.name(field, e))
    }

    /// Passes the state to a function, as BUILD passes it to `__setstate__`. Does nothing if there is no BUILD.
    ///
    /// # Errors
    ///
    /// Errors of the state's type and of the function, which name the class.
    pub fn set_state<T, S: FromValue<'g>>(
        &mut self,
        this: &mut T,
        set: impl FnOnce(&mut T, S) -> Result<()>,
    ) -> Result<()> {
        let Some(state) = self.state else { return Ok(()) };
        let done = self.context.read(state).and_then(|state| set(this, state));
        done.map_err(|e| e.about(|| format!("{}.__setstate__", self.def)))
    }

    pub(super) fn context(&mut self) -> &mut ReadContext<'g> {
        self.context
    }

    /// Returns the dicts of attributes and of slots in the state, or the plain dict.
    pub(super) fn state_dicts(&self) -> [Option<Dict<'g>>; 2] {
        self.state.map_or([None, None], dicts_of)
    }

    #[cold]
    fn name(&self, field: &Field, error: Error) -> Error {
        error.in_field(self.def, field.name)
    }
}

/// Returns the value of an attribute. The state overwrites what the constructor set, so it comes first.
fn in_state<'v>(state: Option<Value<'v>>, field: &Field) -> Option<Value<'v>> {
    let state = state?;
    match field.attr? {
        Attr::At(index) => match state.kind() {
            Kind::Tuple(items) | Kind::List(items) => items.get(index),
            _ => None,
        },
        Attr::Own | Attr::Slot => {
            let dicts = dicts_of(state);
            field.names().find_map(|name| dicts.into_iter().flatten().find_map(|dict| dict.get(name)))
        }
    }
}

/// Returns the dicts of attributes and of slots in a state.
fn dicts_of(state: Value<'_>) -> [Option<Dict<'_>>; 2] {
    match state.as_tuple().and_then(Items::as_array) {
        Some([own, slots]) => [own.as_dict(), slots.as_dict()],
        None => [state.as_dict(), None],
    }
}

/// Returns the value of an argument.
fn in_arguments<'v>(instance: &InstanceView<'v>, field: &Field) -> Option<Value<'v>> {
    field.arg.and_then(|at| instance.args.get(at)).or_else(|| {
        let kwargs = instance.kwargs.filter(|_| field.is_kwarg)?;
        field.names().find_map(|name| kwargs.get(name))
    })
}

#[cold]
fn missing(def: &ClassDef, field: &Field) -> Error {
    let (expected, found) = match field {
        _ if def.is_dict => ("the key".to_owned(), "a dict without it"),
        Field { attr: Some(Attr::At(index)), .. } => (format!("item {index} of the state"), "an instance without it"),
        Field { attr: Some(_), .. } => ("the attribute".to_owned(), "an instance without it"),
        Field { arg: Some(index), .. } => (format!("argument {index}"), "an instance without it"),
        Field { is_kwarg: true, .. } => ("the keyword argument".to_owned(), "an instance without it"),
        _ => ("a value".to_owned(), "an instance without it"),
    };
    Error::new(ErrorKind::Missing, expected, found)
}
