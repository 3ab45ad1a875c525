//! Reading instances: what their fields are read from, and what guards against data that goes too deep.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::def::{Attr, Base, ClassDef, Field};
use super::{FromValue, PickleClass};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Items, Kind, Object, Tag, Value, describe};
use crate::limits::Limits;
use crate::typed::InstanceView;
use crate::typed::class::qualified_name;

/// Values inside each other that are read at the most: implementations of [`FromValue`] call each other, so that the
/// depth of the data is depth of the call stack.
const DEPTH: usize = 128;

/// What reading Rust values from a graph remembers, handed from one [`FromValue`] to the next.
pub struct ReadContext<'g> {
    arena: &'g Arena,
    /// The compound values that are being read, the outermost first.
    open: Vec<Cell>,
    /// Bytes that may still be read.
    budget: u64,
    /// How many of them are for values that are read again.
    again: u64,
    /// The counted values that were made, by what they were made of.
    shared: HashMap<(Cell, TypeId), Box<dyn Any>, RandomState>,
}

impl std::fmt::Debug for ReadContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl<'g> ReadContext<'g> {
    pub(super) fn new(arena: &'g Arena, limits: &Limits) -> Self {
        // What each value costs when it is read once is what it takes in the graph, at the most.
        let once = (arena.held_bytes() + arena.payloads.len()) as u64;
        let budget = once.saturating_add(limits.shared);
        ReadContext { arena, open: Vec::new(), budget, again: limits.shared, shared: HashMap::default() }
    }

    /// Reads a value: what an implementation of [`FromValue`] calls for the values inside its own.
    ///
    /// # Errors
    ///
    /// [`Type`](ErrorKind::Type) and others of the type that is read; [`Limit`](ErrorKind::Limit) for more than 128
    /// values inside each other, or more values read again than [`Limits::shared`] allows; [`Type`](ErrorKind::Type) for
    /// a value that contains itself.
    pub fn read<T: FromValue>(&mut self, value: Value<'_>) -> Result<T> {
        if !std::ptr::eq(value.arena(), self.arena) {
            return ReadContext::new(value.arena(), &Limits::default()).read(value);
        }
        let cell = value.cell();
        match cell.tag() {
            Tag::List | Tag::Tuple | Tag::Dict | Tag::Set | Tag::FrozenSet | Tag::Object | Tag::Persistent => {
                self.enter(cell)?;
                let read = T::from_value(value, self);
                self.open.pop();
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
    /// Those of [`read`](ReadContext::read), with the number of the item.
    pub(super) fn items<'v, T: FromValue, C: FromIterator<T>>(
        &mut self,
        items: impl Iterator<Item = Value<'v>>,
    ) -> Result<C> {
        items.enumerate().map(|(n, item)| self.read(item).map_err(|e| e.in_item(n))).collect()
    }

    /// Reads the entries of a mapping.
    ///
    /// # Errors
    ///
    /// Those of [`read`](ReadContext::read), with the key.
    pub(super) fn entries<'v, K: FromValue, V: FromValue, C: FromIterator<(K, V)>>(
        &mut self,
        entries: impl Iterator<Item = (Value<'v>, Value<'v>)>,
    ) -> Result<C> {
        entries.map(|(key, value)| self.entry(key, value).map_err(|e| e.in_key(key))).collect()
    }

    fn entry<K: FromValue, V: FromValue>(&mut self, key: Value<'_>, value: Value<'_>) -> Result<(K, V)> {
        Ok((self.read(key)?, self.read(value)?))
    }

    fn enter(&mut self, cell: Cell) -> Result<()> {
        // An object holds no items of its own; its node takes more than this.
        self.spend(8 * self.arena.items(cell).len().max(1))?;
        if self.open.len() >= DEPTH {
            let expected = format!("at most {DEPTH} values inside each other");
            return Err(Error::new(ErrorKind::Limit, expected, "another"));
        }
        if self.open.contains(&cell) {
            let found = format!("{} that contains itself", describe(self.arena, cell));
            return Err(Error::new(ErrorKind::Type, "a value without cycles", found));
        }
        self.open.push(cell);
        Ok(())
    }

    /// Counts bytes that are read.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<()> {
        let Some(left) = self.budget.checked_sub(bytes as u64) else {
            let expected = format!("at most {} bytes of shared values read again (Limits::shared)", self.again);
            return Err(Error::new(ErrorKind::Limit, expected, "more of them"));
        };
        self.budget = left;
        Ok(())
    }

    /// A counted value: the one that was made before of the same value of the graph, or a new one.
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
        // Two small numbers that are equal are one cell, but no one's shared value.
        if crate::graph::NodeIndex::has(value.cell()) {
            self.shared.insert(key, Box::new(made.clone()));
        }
        Ok(made)
    }

    /// Reads an instance of a class: the [`FromValue`] of a [`PickleClass`].
    ///
    /// # Errors
    ///
    /// [`Type`](ErrorKind::Type) for anything but an instance of the class, and those of the class's fields.
    pub fn object<T: PickleClass>(&mut self, value: Value<'_>) -> Result<T> {
        let def = &T::CLASS;
        if def.is_dict {
            let Some(_) = value.as_dict() else { return Err(not_of(def, value, None)) };
            return T::from_object(&mut ObjectReader { reading: self, def, state: Some(value), instance: None });
        }
        let instance = value.as_object().zip(InstanceView::of(value));
        let name = instance.and_then(|(_, instance)| qualified_name(instance.class));
        match (instance, name) {
            (Some((_, InstanceView { state, .. })), Some((module, name))) if def.is_called(module, &name) => {
                T::from_object(&mut ObjectReader { reading: self, def, state, instance })
            }
            (_, name) => Err(not_of(def, value, name)),
        }
    }
}

#[cold]
fn not_of(def: &ClassDef, value: Value<'_>, class: Option<(&str, Cow<'_, str>)>) -> Error {
    let expected = if def.is_dict { "a dict".to_owned() } else { format!("an instance of {def}") };
    let found = match class {
        Some((module, name)) => format!("one of {module}.{name}"),
        None => describe(value.arena(), value.cell()),
    };
    Error::new(ErrorKind::Type, expected, found)
}

/// An instance that is being read, from which a [`PickleClass`] takes its fields.
pub struct ObjectReader<'r, 'a> {
    reading: &'r mut ReadContext<'a>,
    def: &'r ClassDef,
    /// What `__setstate__` is given, or a dict that is read itself.
    state: Option<Value<'r>>,
    /// `None` for such a dict.
    instance: Option<(Object<'r>, InstanceView<'r>)>,
}

impl std::fmt::Debug for ObjectReader<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectReader").field("def", &self.def).field("state", &self.state).finish_non_exhaustive()
    }
}

impl ObjectReader<'_, '_> {
    /// The value of a field.
    ///
    /// # Errors
    ///
    /// [`Missing`](ErrorKind::Missing) if the instance does not have it; those of the type, with class and field named.
    pub fn get<T: FromValue>(&mut self, field: &Field) -> Result<T> {
        self.get_with(field, |value, reading| reading.read(value))
    }

    /// The value of a field, or what `default` makes where the instance does not have it.
    ///
    /// # Errors
    ///
    /// Those of the type, with class and field named.
    pub fn get_or<T: FromValue>(&mut self, field: &Field, default: impl FnOnce() -> T) -> Result<T> {
        self.get_or_with(field, default, |value, reading| reading.read(value))
    }

    /// The value of a field, by a function in the place of [`FromValue`].
    ///
    /// # Errors
    ///
    /// Those of [`get`](ObjectReader::get), and those of the function.
    pub fn get_with<T>(
        &mut self,
        field: &Field,
        read: impl FnOnce(Value<'_>, &mut ReadContext<'_>) -> Result<T>,
    ) -> Result<T> {
        self.find_with(field, read)?.ok_or_else(|| self.name(field, missing(self.def, field)))
    }

    /// The value of a field, by a function in the place of [`FromValue`], or what `default` makes.
    ///
    /// # Errors
    ///
    /// Those of the function.
    pub fn get_or_with<T>(
        &mut self,
        field: &Field,
        default: impl FnOnce() -> T,
        read: impl FnOnce(Value<'_>, &mut ReadContext<'_>) -> Result<T>,
    ) -> Result<T> {
        Ok(self.find_with(field, read)?.unwrap_or_else(default))
    }

    fn find_with<T>(
        &mut self,
        field: &Field,
        read: impl FnOnce(Value<'_>, &mut ReadContext<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let instance = self.instance.as_ref().map(|(_, instance)| instance);
        let found = in_state(self.state, field).or_else(|| in_arguments(instance?, field));
        let found = found.map(|value| read(value, self.reading));
        found.transpose().map_err(|e| self.name(field, e))
    }

    /// What the built-in class holds that the class extends.
    ///
    /// # Errors
    ///
    /// Those of the type, with class and field named.
    pub fn get_base<T: FromValue>(&mut self, field: &Field) -> Result<T> {
        let Some((object, instance)) = &self.instance else { return Err(missing(self.def, field)) };
        let read = match (instance.base, self.def.base) {
            (Some(base), _) => self.reading.read(base),
            (None, Base::List) => T::from_items(&mut object.items(), self.reading),
            (None, Base::Dict) => T::from_pairs(&mut object.entries(), self.reading),
            (None, _) => match instance.args.get(0) {
                Some(value) => self.reading.read(value),
                None => Err(missing(self.def, field)),
            },
        };
        read.map_err(|e| self.name(field, e))
    }

    /// Hands the state to a function, as BUILD hands it to `__setstate__`; does nothing where BUILD does not come.
    ///
    /// # Errors
    ///
    /// Those of the state's type, with the class named, and those of the function.
    pub fn set_state<T, S: FromValue>(
        &mut self,
        this: &mut T,
        set: impl FnOnce(&mut T, S) -> Result<()>,
    ) -> Result<()> {
        let Some(state) = self.state else { return Ok(()) };
        let done = self.reading.read(state).and_then(|state| set(this, state));
        done.map_err(|e| e.about(|| format!("{}.__setstate__", self.def)))
    }

    #[cold]
    fn name(&self, field: &Field, error: Error) -> Error {
        error.in_field(self.def, field.name)
    }
}

/// The value of an attribute. A state sets what the constructor made of its arguments, so that it is looked at first.
fn in_state<'v>(state: Option<Value<'v>>, field: &Field) -> Option<Value<'v>> {
    let state = state?;
    match field.attr? {
        Attr::At(index) => match state.kind() {
            Kind::Tuple(items) | Kind::List(items) => items.get(index),
            _ => None,
        },
        Attr::Own | Attr::Slot => {
            let dicts = match state.as_tuple().and_then(Items::as_array) {
                Some([own, slots]) => [own.as_dict(), slots.as_dict()],
                None => [state.as_dict(), None],
            };
            field.names().find_map(|name| dicts.into_iter().flatten().find_map(|dict| dict.get(name)))
        }
    }
}

/// The value of an argument.
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
