//! Editing objects: class, arguments, state and attributes, items and pairs.

use super::super::arena::Row;
use super::super::cell::{Cell, Tag};
use super::super::instance::InstanceView;
use super::super::lookup::Key;
use super::super::object::{Construction, ObjectNode, OpKind};
use super::super::value::{Id, Kind, Value};
use super::super::views::Change;
use super::into_value::IntoValue;
use super::value_mut::ValueMut;
use crate::error::{Error, ErrorKind, Result};
use crate::python::Class;

/// # Objects
impl<'g> ValueMut<'g> {
    /// Returns a mutable reference to the value of an attribute of an object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not an object; [`ErrorKind::Missing`] if it has no such attribute.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let point = graph.instance("geometry", "Point").attr("x", vec![1]).build()?;
    /// graph.value_mut(point).attr("x")?.push(2)?;
    /// assert_eq!(format!("{:?}", graph.value(point)), "geometry.Point() with state {'x': [1, 2]}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn attr(self, name: &str) -> Result<ValueMut<'g>> {
        self.object("an object with attributes")?;
        match self.value().as_object().and_then(|object| object.attr(name)).map(Value::cell) {
            Some(cell) => Ok(ValueMut { arena: self.arena, cell }),
            None => Err(self.no_attribute(name)),
        }
    }

    /// Sets an attribute of an object where Python stores it: in the dict that is its state, or in the dict of slots if
    /// that already has it. Adds a state if there is none. Returns the old value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not an object, or its state cannot hold attributes.
    ///
    /// ```
    /// let mut graph = picklevm::loads(b"\x80\x02cgeometry\nPoint\n)\x81}X\x01\0\0\0xK\x05sb.")?;
    /// graph.root_mut().set_attr("x", 6)?;
    /// graph.root_mut().set_attr("y", 7)?;
    /// assert_eq!(graph.root().as_object().unwrap().attr("x").unwrap().as_i64(), Some(6));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn set_attr(&mut self, name: &str, value: impl IntoValue) -> Result<Option<Id>> {
        let attributes = self.attributes_with(name)?;
        ValueMut { arena: self.arena, cell: attributes }.set(name, value)
    }

    /// Removes an attribute of an object and returns its value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not an object, or its state cannot hold attributes; [`ErrorKind::Missing`]
    /// if it has no such attribute.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let point = graph.instance("geometry", "Point").attr("x", vec![1]).build()?;
    /// graph.value_mut(point).remove_attr("x")?;
    /// assert!(graph.value(point).attr("x").is_none());
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn remove_attr(&mut self, name: &str) -> Result<Id> {
        self.object("an object to remove an attribute of")?;
        let attributes = self.attributes()?.into_iter().flatten();
        let holder = attributes.rev().find(|dict| Value::new(self.arena, *dict).contains(name));
        match holder {
            Some(dict) => ValueMut { arena: self.arena, cell: dict }.remove(name),
            None => Err(self.no_attribute(name)),
        }
    }

    /// Sets the state of an object, as BUILD does: replaces the last state, or is added as the last change.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not an object.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let point = graph.instance("geometry", "Point").attr("x", vec![1]).build()?;
    /// graph.value_mut(point).set_state("new")?;
    /// assert_eq!(graph.value(point).as_object().unwrap().state().unwrap(), "new");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn set_state(&mut self, state: impl IntoValue) -> Result<()> {
        self.object("an object to set the state of")?;
        let Id(state) = self.arena.add(state);
        let mut ops = self.ops();
        match ops.iter_mut().rev().find(|(kind, _)| *kind == OpKind::Build) {
            Some((_, last)) => *last = state,
            None => ops.push((OpKind::Build, state)),
        }
        self.arena.set_object_ops(self.cell, &ops);
        Ok(())
    }

    /// Sets the class of an object, or the function that makes it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not an object, or the class cannot be called.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let point = graph.instance("geometry", "Point").attr("x", vec![1]).build()?;
    /// let class = graph.global("geometry", "Vector");
    /// graph.value_mut(point).set_class(class)?;
    /// assert!(graph.value(point).as_object().unwrap().is_instance("geometry", "Vector"));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn set_class(&mut self, class: impl IntoValue) -> Result<()> {
        self.object("an object to set the class of")?;
        let Id(class) = self.arena.add(class);
        self.arena.check_callable(class)?;
        if let Some(node) = self.arena.objects.get_mut(self.cell) {
            node.class = class;
        }
        Ok(())
    }

    /// Sets the arguments that an object is made with.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not an object.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let price = graph.call("decimal", "Decimal").arg("1.5").build()?;
    /// graph.value_mut(price).set_args(["2.5"])?;
    /// assert_eq!(format!("{:?}", graph.value(price)), "decimal.Decimal('2.5')");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn set_args<T: IntoValue>(&mut self, args: impl IntoIterator<Item = T>) -> Result<()> {
        self.object("an object to set the arguments of")?;
        let Id(args) = self.arena.tuple(args);
        let node = self.arena.objects[self.cell];
        let args = match (node.how, self.arena.items(node.args)) {
            (Construction::NewObjEx, &[_, kwargs]) => self.arena.new_tuple(&[args, kwargs]),
            _ => args,
        };
        self.arena.objects.set(self.cell, ObjectNode { args, ..node });
        Ok(())
    }

    fn object(&self, expected: &'static str) -> Result<()> {
        if self.cell.is(Tag::Object) { Ok(()) } else { Err(self.wrong_type(expected)) }
    }

    fn ops(&self) -> Vec<(OpKind, Cell)> {
        self.arena.object_ops(self.arena.objects[self.cell]).collect()
    }

    /// Returns the dicts that hold attributes: the instance's own and that of its slots.
    fn attributes(&self) -> Result<[Option<Cell>; 2]> {
        let Some(state) = self.value().as_object().and_then(|object| object.state()) else { return Ok([None; 2]) };
        let dict = |value: Value<'_>| value.as_dict().map(|_| value.cell());
        match state.as_tuple().and_then(|items| items.as_array()) {
            Some([own, slots]) => Ok([dict(own), dict(slots)]),
            None if state.as_dict().is_some() => Ok([Some(state.cell()), None]),
            None => {
                Err(self.arena.wrong_type("a state that holds attributes: a dict, or a pair of dicts", state.cell()))
            }
        }
    }

    /// Returns the dict that holds an attribute or will hold it; created if there is none.
    fn attributes_with(&mut self, name: &str) -> Result<Cell> {
        self.object("an object to set an attribute of")?;
        match self.attributes()? {
            [_, Some(slots)] if Value::new(self.arena, slots).contains(name) => Ok(slots),
            [Some(own), _] => Ok(own),
            [None, slots] => {
                let own = self.arena.new_dict();
                let state = slots.map_or(own, |slots| self.arena.new_tuple(&[own, slots]));
                self.set_state(Id(state))?;
                Ok(own)
            }
        }
    }

    /// Appends items, or adds them if the last items were added.
    pub(super) fn append_items<T: IntoValue>(&mut self, items: impl IntoIterator<Item = T>) {
        let cells = self.arena.cells_of(items);
        let last = self.ops().into_iter().rfind(|(kind, _)| matches!(kind, OpKind::Append | OpKind::Add));
        self.arena.object_op(self.cell, last.map_or(OpKind::Append, |(kind, _)| kind), &cells);
    }

    pub(super) fn append_pairs<K: IntoValue, V: IntoValue>(&mut self, pairs: impl IntoIterator<Item = (K, V)>) {
        let cells = self.arena.cells_of_pairs(pairs);
        self.arena.object_op(self.cell, OpKind::SetItem, &cells);
    }

    /// Checks that items can be set on the object: some were set before, or its class is a dict.
    pub(crate) fn check_takes_items(&self) -> Result<()> {
        if self.takes_pairs() { Ok(()) } else { Err(self.takes_no_items()) }
    }

    /// Checks that items can be appended or added to the object: it takes items of some kind, or its class is a list or
    /// a set.
    pub(crate) fn check_takes_more(&self) -> Result<()> {
        let is_base = |base: Value<'_>| matches!(base.kind(), Kind::List(_) | Kind::Set(_));
        let is_item = |change: Change<'_>| matches!(change, Change::Append(_) | Change::Add(_));
        if self.takes(|class| class == Class::Deque, is_item, is_base) || self.takes_pairs() {
            return Ok(());
        }
        Err(self.takes_no_items())
    }

    fn takes_pairs(&self) -> bool {
        let is_known = |class| matches!(class, Class::OrderedDict | Class::DefaultDict | Class::Counter);
        let is_dict = |base: Value<'_>| base.as_dict().is_some();
        self.takes(is_known, |change| matches!(change, Change::SetItem(_)), is_dict)
    }

    fn takes(
        &self,
        is_known: impl Fn(Class) -> bool,
        is_item: impl Fn(Change<'_>) -> bool,
        is_base: impl Fn(Value<'_>) -> bool,
    ) -> bool {
        self.value().as_object().is_some_and(|object| {
            let instance = || InstanceView::of(object.value());
            is_known(Class::of(object.class()))
                || object.changes().any(is_item)
                || instance().and_then(|instance| instance.base).is_some_and(is_base)
        })
    }

    #[cold]
    fn takes_no_items(&self) -> Error {
        self.wrong_type("an object that takes items (set_attr sets attributes)")
    }

    /// Sets a pair of an object; replaces the last one with an equal key.
    pub(super) fn set_pair(&mut self, key: Key<'_>, value: impl IntoValue) -> Option<Id> {
        let Id(value) = self.arena.add(value);
        let place = self.ops().into_iter().rev().filter(|(kind, _)| *kind == OpKind::SetItem).find_map(|(_, list)| {
            let row = self.arena.lists[list];
            let found = self.arena.row(row).chunks_exact(2).rposition(|pair| self.is_key(key, pair[0]))?;
            Some(row.start as usize + 2 * found + 1)
        });
        match place {
            Some(place) => Some(Id(std::mem::replace(&mut self.arena.cells[place], value))),
            None => {
                let key = key.make(self.arena);
                self.arena.object_op(self.cell, OpKind::SetItem, &[key, value]);
                None
            }
        }
    }

    /// Removes all pairs of an object with a key.
    pub(super) fn remove_pairs(&mut self, key: Key<'_>) -> Result<Id> {
        let mut removed = None;
        let mut ops = self.ops();
        for (_, list) in ops.iter().filter(|(kind, _)| *kind == OpKind::SetItem) {
            let cells = self.arena.items(*list);
            let mut kept = Vec::with_capacity(cells.len());
            for pair in cells.chunks_exact(2) {
                if self.is_key(key, pair[0]) {
                    removed = Some(Id(pair[1]));
                } else {
                    kept.extend_from_slice(pair);
                }
            }
            let Row { start, cap, .. } = self.arena.lists[*list];
            self.arena.lists.set(*list, Row { start, len: kept.len() as u32, cap });
            let start = start as usize;
            self.arena.cells[start..start + kept.len()].copy_from_slice(&kept);
        }
        ops.retain(|(kind, list)| *kind != OpKind::SetItem || !self.arena.items(*list).is_empty());
        self.arena.set_object_ops(self.cell, &ops);
        removed.ok_or_else(|| self.missing(key))
    }

    pub(super) fn clear_items(&mut self) {
        let mut ops = self.ops();
        ops.retain(|(kind, _)| matches!(kind, OpKind::Build | OpKind::Effect));
        self.arena.set_object_ops(self.cell, &ops);
    }

    fn is_key(&self, key: Key<'_>, cell: Cell) -> bool {
        key.of(self.arena).equals(Value::new(self.arena, cell))
    }

    #[cold]
    #[inline(never)]
    fn no_attribute(&self, name: &str) -> Error {
        let found = format!("{} without it", super::describe(self.arena, self.cell));
        Error::new(ErrorKind::Missing, format!("the attribute {:?}", Key::from(name)), found)
    }
}
