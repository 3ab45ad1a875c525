//! Building objects: instances and calls.

use super::super::arena::Arena;
use super::super::cell::{Cell, Tag};
use super::super::object::{Construction, OpKind};
use super::super::value::Id;
use super::into_value::IntoValue;
use crate::error::{Error, ErrorKind, Result};

/// Builder of an object; see [`Arena::instance`]. It takes what Python's `__reduce__` returns as a tuple of two to six
/// items.
#[must_use = "nothing is made before `build`"]
pub struct InstanceBuilder<'g> {
    arena: &'g mut Arena,
    class: Cell,
    how: Construction,
    args: Vec<Cell>,
    kwargs: Vec<Cell>,
    items: Vec<Cell>,
    pairs: Vec<Cell>,
    state: Option<Cell>,
    attrs: Vec<(String, Cell)>,
    setter: Option<Cell>,
}

/// Shows the class and the opcode.
impl std::fmt::Debug for InstanceBuilder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstanceBuilder")
            .field("class", &crate::graph::Value::new(self.arena, self.class))
            .field("how", &self.how)
            .finish_non_exhaustive()
    }
}

impl Arena {
    /// Builds an instance of the class `name` of `module`, made by `cls.__new__(cls, *args)` as in pickles of protocol
    /// 2 and later (PEP 307).
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let point = graph.instance("geometry", "Point").attr("x", 1).attr("y", 2).build()?;
    /// let path = graph.instance("geometry", "Path").arg("closed").items([point, point]).build()?;
    /// graph.set_root(path);
    ///
    /// let path = graph.root().as_object().unwrap();
    /// assert!(path.is_instance("geometry", "Path"));
    /// assert_eq!(graph.value(point).as_object().unwrap().attr("y").unwrap().as_i64(), Some(2));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn instance(&mut self, module: &str, name: &str) -> InstanceBuilder<'_> {
        let class = self.global(module, name);
        self.instance_of(class)
    }

    /// Builds an instance of a class that is in the graph: usually a global, or an extension code, an object or a
    /// persistent reference.
    pub fn instance_of(&mut self, class: Id) -> InstanceBuilder<'_> {
        let class = self.checked(class);
        InstanceBuilder {
            arena: self,
            class,
            how: Construction::NewObj,
            args: Vec::new(),
            kwargs: Vec::new(),
            items: Vec::new(),
            pairs: Vec::new(),
            state: None,
            attrs: Vec::new(),
            setter: None,
        }
    }

    /// Builds a call of the function `name` of `module`, such as `Decimal("1.5")`. The value is the result of the call.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let price = graph.call("decimal", "Decimal").arg("1.5").build()?;
    /// assert_eq!(format!("{:?}", graph.value(price)), "decimal.Decimal('1.5')");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn call(&mut self, module: &str, name: &str) -> InstanceBuilder<'_> {
        self.instance(module, name).construction(Construction::Reduce)
    }

    /// Checks that a value may be callable.
    pub(crate) fn check_callable(&self, class: Cell) -> Result<()> {
        match class.tag() {
            Tag::Global | Tag::Ext | Tag::Object | Tag::Persistent => Ok(()),
            _ => {
                Err(self
                    .wrong_type("a callable: a global, an extension code, an object or a persistent reference", class))
            }
        }
    }
}

impl InstanceBuilder<'_> {
    /// Sets the opcode that makes the object. By default [`Construction::NewObj`], or [`Construction::NewObjEx`] if
    /// there are keyword arguments.
    pub fn construction(mut self, how: Construction) -> Self {
        self.how = how;
        self
    }

    /// Adds an argument: an item of the second item of what `__reduce__` returns.
    pub fn arg(mut self, arg: impl IntoValue) -> Self {
        self.args.push(arg.into_value(self.arena).0);
        self
    }

    /// Adds arguments.
    pub fn args<T: IntoValue>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(self.arena.cells_of(args));
        self
    }

    /// Adds a keyword argument.
    pub fn kwarg(mut self, name: &str, value: impl IntoValue) -> Self {
        self.kwargs.extend([name.into_value(self.arena).0, value.into_value(self.arena).0]);
        self
    }

    /// Adds items that are appended as to a list: the fourth item of what `__reduce__` returns.
    pub fn items<T: IntoValue>(mut self, items: impl IntoIterator<Item = T>) -> Self {
        self.items.extend(self.arena.cells_of(items));
        self
    }

    /// Adds a pair that is set as on a dict.
    pub fn pair(self, key: impl IntoValue, value: impl IntoValue) -> Self {
        self.pairs([(key, value)])
    }

    /// Adds pairs that are set as on a dict: the fifth item of what `__reduce__` returns.
    pub fn pairs<K: IntoValue, V: IntoValue>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        self.pairs.extend(self.arena.cells_of_pairs(pairs));
        self
    }

    /// Sets the state, which BUILD passes to `__setstate__` or takes attributes from: the third item of what
    /// `__reduce__` returns.
    pub fn state(mut self, state: impl IntoValue) -> Self {
        self.state = Some(state.into_value(self.arena).0);
        self
    }

    /// Sets an attribute of the state, like [`ValueMut::set_attr`](crate::ValueMut::set_attr).
    pub fn attr(mut self, name: &str, value: impl IntoValue) -> Self {
        self.attrs.push((name.to_owned(), value.into_value(self.arena).0));
        self
    }

    /// Sets the function `name` of `module` that is called with the object and the state instead of BUILD: the sixth
    /// item of what `__reduce__` returns. Without a state it is not called.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let point = graph.call("geometry", "Point").state((1, 2)).state_setter("geometry", "move_to").build()?;
    /// graph.set_root(point);
    /// let picklevm::Change::Effect(call) = graph.root().as_object().unwrap().changes().next().unwrap() else { panic!() };
    /// assert!(call.as_object().unwrap().is_instance("geometry", "move_to"));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn state_setter(mut self, module: &str, name: &str) -> Self {
        self.setter = Some(self.arena.global(module, name).0);
        self
    }

    /// Adds the object to the graph. Items and pairs are added before the state is set, as in CPython.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the class cannot be called, if there are keyword arguments and the chosen opcode takes
    /// none, or if there are attributes and the state cannot hold attributes.
    pub fn build(self) -> Result<Id> {
        let arena = self.arena;
        arena.check_callable(self.class)?;
        let args = arena.new_tuple(&self.args);
        let object = match (self.how, self.kwargs.is_empty()) {
            (Construction::NewObj, false) | (Construction::NewObjEx, _) => {
                let kwargs = arena.new_dict();
                arena.insert_rows(kwargs, &self.kwargs)?;
                let both = arena.new_tuple(&[args, kwargs]);
                arena.new_object(Construction::NewObjEx, self.class, both)
            }
            (how, true) => arena.new_object(how, self.class, args),
            (_, false) => {
                return Err(Error::new(
                    ErrorKind::Type,
                    "no keyword arguments",
                    "some, which this opcode does not take",
                ));
            }
        };
        for (kind, cells) in [(OpKind::Append, self.items), (OpKind::SetItem, self.pairs)] {
            if !cells.is_empty() {
                arena.object_op(object, kind, &cells);
            }
        }
        if let Some(state) = self.state {
            arena.object_op(object, OpKind::Build, &[state]);
        }
        for (name, value) in self.attrs {
            arena.value_mut(Id(object)).set_attr(&name, Id(value))?;
        }
        if let Some(setter) = self.setter {
            arena.set_state_by(object, setter);
        }
        Ok(Id(object))
    }
}

impl Arena {
    /// Replaces BUILD by a call of a function that sets the state.
    fn set_state_by(&mut self, object: Cell, setter: Cell) {
        let mut ops: Vec<_> = self.object_ops(self.objects[object]).collect();
        for (kind, value) in &mut ops {
            if *kind == OpKind::Build {
                let args = self.new_tuple(&[object, *value]);
                (*kind, *value) = (OpKind::Effect, self.new_object(Construction::Reduce, setter, args));
            }
        }
        self.set_object_ops(object, &ops);
    }
}
