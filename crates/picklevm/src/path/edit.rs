//! Changing what a path leads to.

use super::follow::{indexed_len, kind_text, step_into};
use super::{Part, Path, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Change, Construction, Id, IntoValue, Kind, OpKind, Tag, Value};
use crate::literal::Strings;

/// # Editing by path
///
/// Values that other values share stay shared. On an error nothing is changed.
impl Arena {
    /// Sets the value at a path: the root, an item, the value of a key, or an attribute. A new key or attribute is added;
    /// everything before the last step must be there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Missing`] if the path leads nowhere; [`ErrorKind::Type`] if what it leads to cannot hold the value.
    ///
    /// ```
    /// use picklevm::{Path, value};
    ///
    /// let mut graph = value!({"cart": [{"price": 5}], "at": (1, 2)});
    /// graph.set_at(&Path::parse("cart[0].price")?, 7)?;
    /// graph.set_at(&Path::parse("at[1]")?, 3)?;
    /// graph.set_at(&Path::parse("['new key']")?, ())?;
    /// assert_eq!(graph.root().to_string(), "{'cart': [{'price': 7}], 'at': (1, 3), 'new key': None}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn set_at(&mut self, path: &Path, value: impl IntoValue) -> Result<()> {
        let Some((last, parent)) = path.0.split_last() else {
            let id = self.add(value);
            // The other roots stay.
            match self.roots.first_mut() {
                Some(root) => *root = id.0,
                None => self.roots.push(id.0),
            }
            return Ok(());
        };
        let parent = self.holder(path, parent)?;
        let Id(value) = self.add(value);
        self.set_step(parent, last, value).map_err(|error| error.in_path(path))
    }

    /// Removes the value at a path: an item of a list, the entry of a key, a member of a set, or an attribute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Missing`] if the path leads nowhere; [`ErrorKind::Type`] if nothing can be removed there.
    ///
    /// ```
    /// use picklevm::{Path, value};
    ///
    /// let mut graph = value!({"a": [1, 2], "b": 3});
    /// graph.remove_at(&Path::parse("a[0]")?)?;
    /// graph.remove_at(&Path::parse("b")?)?;
    /// assert_eq!(graph.root().to_string(), "{'a': [2]}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn remove_at(&mut self, path: &Path) -> Result<()> {
        let Some((last, parent)) = path.0.split_last() else {
            return Err(Error::new(ErrorKind::Type, "a path with steps", "that of the root, which cannot be removed"));
        };
        let parent = self.holder(path, parent)?;
        let holder = Value::new(self, parent);
        step_into(holder, last).ok_or_else(|| path.missing(path.0.len() - 1, holder))?;
        self.remove_step(parent, last).map_err(|error| error.in_path(path))
    }

    /// Appends to the list, or adds to the set, that is at a path. Instances of such classes take items too.
    ///
    /// # Errors
    ///
    /// Like [`set_at`](Arena::set_at).
    ///
    /// ```
    /// use picklevm::{Path, value};
    ///
    /// let mut graph = value!({"tags": ["a"]});
    /// graph.append_at(&Path::parse("tags")?, "b")?;
    /// assert_eq!(graph.root().to_string(), "{'tags': ['a', 'b']}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn append_at(&mut self, path: &Path, value: impl IntoValue) -> Result<()> {
        let list = path.resolve(self.root())?.cell();
        let Id(value) = self.add(value);
        self.append_to(list, value).map_err(|error| error.in_path(path))
    }

    /// Inserts into a list before the item at a path, whose last step is a position.
    ///
    /// # Errors
    ///
    /// Like [`set_at`](Arena::set_at).
    ///
    /// ```
    /// use picklevm::{Path, value};
    ///
    /// let mut graph = value!(["b"]);
    /// graph.insert_at(&Path::parse("[0]")?, "a")?;
    /// assert_eq!(graph.root().to_string(), "['a', 'b']");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn insert_at(&mut self, path: &Path, value: impl IntoValue) -> Result<()> {
        let Some((last, parent)) = path.0.split_last() else {
            return Err(Error::new(ErrorKind::Type, "a path that ends with a position", "that of the root"));
        };
        let list = self.holder(path, parent)?;
        let holder = Value::new(self, list);
        let len = indexed_len(holder);
        let at = position(last, len).filter(|at| *at <= len).ok_or_else(|| path.missing(path.0.len() - 1, holder))?;
        let Id(value) = self.add(value);
        let inserted = match list.tag() {
            Tag::List => self.value_mut(Id(list)).insert(at, Id(value)),
            _ => self.change_items(list, |items| items.insert(at, value)),
        };
        inserted.map_err(|error| error.in_path(path))
    }

    /// Returns whether the root reaches an 8-bit string of Python 2, also as a key.
    pub fn has_byte_strings(&self) -> bool {
        let is_byte_string = |value: Value<'_>| matches!(value.kind(), Kind::ByteStr(_));
        self.walk().iter().any(|place| {
            let value = place.value();
            let pairs = value.as_object().into_iter().flat_map(|object| object.entries());
            is_byte_string(value) || value.entries().chain(pairs).any(|(key, _)| is_byte_string(key))
        })
    }

    /// Returns what the steps before the last one lead to.
    fn holder(&self, path: &Path, parent: &[Step]) -> Result<Cell> {
        let mut value = self.root();
        for (at, step) in parent.iter().enumerate() {
            value = step_into(value, step).ok_or_else(|| path.missing(at, value))?;
        }
        Ok(value.cell())
    }

    fn set_step(&mut self, holder: Cell, step: &Step, value: Cell) -> Result<()> {
        let parent = Value::new(self, holder);
        match (parent.kind(), step) {
            (Kind::List(_) | Kind::Tuple(_), _) => {
                let at = position(step, parent.len()).filter(|at| *at < parent.len());
                let at =
                    at.ok_or_else(|| Error::new(ErrorKind::Missing, "an item at this position", kind_text(parent)))?;
                if holder.is(Tag::Tuple) {
                    self.check_no_key(holder)?;
                }
                let start = self.item_range(holder).start as usize;
                self.cells[start + at] = value;
                Ok(())
            }
            (Kind::Dict(_), _) => {
                let key = self.key_of(holder, step)?;
                self.value_mut(Id(holder)).set(key, Id(value)).map(drop)
            }
            (Kind::Persistent(_), Step::Name(name)) if name == "id" => {
                self.persistents.set(holder, value);
                Ok(())
            }
            (Kind::Object(_), _) => self.set_part(holder, step, value),
            _ => Err(Error::new(ErrorKind::Type, "a value whose parts can be set", kind_text(parent))),
        }
    }

    /// Sets a part of an object: an attribute that it has, a key or an item that it has, or a new attribute or key.
    fn set_part(&mut self, holder: Cell, step: &Step, value: Cell) -> Result<()> {
        let parent = Value::new(self, holder);
        let has_key = |key: crate::Key<'_>| parent.as_object().is_some_and(|object| object.get(key).is_some());
        match step {
            Step::Name(name) => {
                let is_attribute = parent.attr(name).is_some();
                if !is_attribute && has_key(name.as_str().into()) {
                    return self.value_mut(Id(holder)).set(name.as_str(), Id(value)).map(drop);
                }
                let base = super::follow::base_of(parent)
                    .filter(|base| base.as_dict().is_some_and(|dict| dict.get(name.as_str()).is_some()));
                if let (false, Some(base)) = (is_attribute, base.map(Value::id)) {
                    return self.value_mut(base).set(name.as_str(), Id(value)).map(drop);
                }
                let is_new = !is_attribute && step_into(parent, step).is_none();
                if !is_attribute && !is_new {
                    match name.as_str() {
                        "state" => return self.value_mut(Id(holder)).set_state(Id(value)),
                        "class" => return self.value_mut(Id(holder)).set_class(Id(value)),
                        "args" => {
                            let args: Vec<Id> = Value::new(self, value).items().map(Value::id).collect();
                            return self.value_mut(Id(holder)).set_args(args);
                        }
                        _ => {}
                    }
                }
                // What holds pairs and has no attributes gets another pair.
                if is_new && parent.as_object().is_some_and(|object| object.state().is_none()) {
                    let (holder, key) = (Id(holder), self.key_of(holder, step)?);
                    let mut holder = self.value_mut(holder);
                    if holder.check_takes_items().is_ok() {
                        return holder.set(key, Id(value)).map(drop);
                    }
                }
                // An attribute of Python 2 has an 8-bit string as its name.
                let state = Value::new(self, holder).as_object().and_then(|object| object.state());
                match state.filter(|state| state.as_dict().is_some()) {
                    Some(state) => {
                        let state = state.cell();
                        let key = self.key_of(state, step)?;
                        self.value_mut(Id(state)).set(key, Id(value)).map(drop)
                    }
                    None => self.value_mut(Id(holder)).set_attr(name, Id(value)).map(drop),
                }
            }
            Step::Index(_) if step_into(parent, step).is_some() => {
                let Step::Index(index) = step else { return Ok(()) };
                if has_key((*index).into()) {
                    return self.value_mut(Id(holder)).set(*index, Id(value)).map(drop);
                }
                let at = position(step, indexed_len(parent)).unwrap_or(usize::MAX);
                let is_args = parent.as_object().is_some_and(|object| {
                    object.items().next().is_none() && object.construction() == Construction::NewObj
                });
                match parent.as_object().map(|object| object.args_tuple().cell()) {
                    Some(args) if is_args => self.set_step(args, &Step::Index(at as i64), value),
                    _ => self.change_items(holder, |items| items[at] = value),
                }
            }
            Step::Index(_) | Step::Key(_) => {
                let key = self.key_of(holder, step)?;
                if let Some(base) = self.base_of(holder).filter(|base| base.is(Tag::Dict)) {
                    return self.value_mut(Id(base)).set(key, Id(value)).map(drop);
                }
                self.value_mut(Id(holder)).set(key, Id(value)).map(drop)
            }
            Step::Part(Part::State(_)) => self.value_mut(Id(holder)).set_state(Id(value)),
            _ => Err(Error::new(ErrorKind::Type, "a part that can be set", kind_text(parent))),
        }
    }

    fn remove_step(&mut self, holder: Cell, step: &Step) -> Result<()> {
        let parent = Value::new(self, holder);
        match (parent.kind(), step) {
            (Kind::List(_), _) => {
                let at = position(step, parent.len()).unwrap_or(usize::MAX);
                self.value_mut(Id(holder)).remove(at).map(drop)
            }
            (Kind::Dict(_) | Kind::Set(_), _) => {
                let key = self.key_of(holder, step)?;
                self.value_mut(Id(holder)).remove(key).map(drop)
            }
            (Kind::Object(object), _) => {
                if let Step::Name(name) = step
                    && object.attr(name).is_some()
                {
                    return self.value_mut(Id(holder)).remove_attr(name).map(drop);
                }
                let key = self.key_of(holder, step)?;
                if Value::new(self, holder).as_object().is_some_and(|object| object.get(key).is_some()) {
                    return self.value_mut(Id(holder)).remove(key).map(drop);
                }
                if let Some(base) = self.base_of(holder) {
                    return self.remove_step(base, step);
                }
                let parent = Value::new(self, holder);
                let has_items = parent.as_object().is_some_and(|object| object.items().next().is_some());
                match position(step, indexed_len(parent)) {
                    Some(at) if has_items => self.change_items(holder, |items| {
                        items.remove(at);
                    }),
                    _ => Err(Error::new(ErrorKind::Type, "a part that can be removed", kind_text(parent))),
                }
            }
            _ => Err(Error::new(ErrorKind::Type, "a value whose parts can be removed", kind_text(parent))),
        }
    }

    fn append_to(&mut self, list: Cell, value: Cell) -> Result<()> {
        let holder = Value::new(self, list);
        match holder.kind() {
            Kind::List(_) | Kind::Set(_) => self.value_mut(Id(list)).extend([Id(value)]),
            Kind::ByteArray(bytes) if Value::new(self, value).as_bytes().is_some() => {
                let mut all = bytes.to_vec();
                all.extend_from_slice(Value::new(self, value).as_bytes().unwrap_or_default());
                self.value_mut(Id(list)).set_bytes(all)
            }
            Kind::Object(object) => {
                let takes_pairs = object.changes().any(|change| matches!(change, Change::SetItem(_)));
                match self.base_of(list) {
                    Some(base) if !base.is(Tag::Dict) => self.append_to(base, value),
                    None if !takes_pairs => self.change_items(list, |items| items.push(value)),
                    _ => Err(Error::new(ErrorKind::Type, "a value that takes items without a key", kind_text(holder))),
                }
            }
            _ => Err(Error::new(ErrorKind::Type, "a list or a set", kind_text(holder))),
        }
    }

    /// Returns the list, dict or set that an instance is made of, if it has items.
    fn base_of(&self, object: Cell) -> Option<Cell> {
        super::follow::base_of(Value::new(self, object)).map(Value::cell)
    }

    /// Changes the items that were appended to an object, or the members that were added. The first ones are appended
    /// before the state is set, as pickles of Python do it.
    fn change_items(&mut self, object: Cell, change: impl FnOnce(&mut Vec<Cell>)) -> Result<()> {
        let mut ops: Vec<(OpKind, Cell)> = self.object_ops(self.objects[object]).collect();
        let is_items = |kind: OpKind| matches!(kind, OpKind::Append | OpKind::Add);
        let mut items: Vec<Cell> = Vec::new();
        for (_, list) in ops.iter().filter(|(kind, _)| is_items(*kind)) {
            items.extend_from_slice(self.items(*list));
        }
        let kind = ops.iter().map(|(kind, _)| *kind).find(|kind| is_items(*kind)).unwrap_or(OpKind::Append);
        let at = ops.iter().position(|(kind, _)| is_items(*kind) || *kind == OpKind::Build).unwrap_or(ops.len());
        change(&mut items);
        ops.retain(|(kind, _)| !is_items(*kind));
        if !items.is_empty() {
            let list = self.new_list(&items);
            ops.insert(at.min(ops.len()), (kind, list));
        }
        self.set_object_ops(object, &ops);
        Ok(())
    }

    /// Returns the key that a step names: the one that is there, or a new one.
    fn key_of(&mut self, holder: Cell, step: &Step) -> Result<Id> {
        let value = Value::new(self, holder);
        let keys: Vec<Value<'_>> = match value.kind() {
            Kind::Dict(dict) => dict.keys().collect(),
            Kind::Set(members) => members.collect(),
            Kind::Object(object) => object.entries().map(|(key, _)| key).collect(),
            _ => Vec::new(),
        };
        let is_python2 = keys.iter().any(|key| matches!(key.kind(), Kind::ByteStr(_)))
            && !keys.iter().any(|key| key.as_text().is_some());
        let named = |key: &Value<'_>, name: &str| key.as_str() == Some(name) || *key == name;
        let id = match step {
            Step::Name(name) => {
                if let Some(key) = keys.iter().find(|key| named(key, name)) {
                    return Ok(key.id());
                }
                let index = name.parse::<i64>().ok().filter(|index| keys.iter().any(|key| *key == *index));
                match index {
                    Some(index) => self.add(index),
                    None if is_python2 => self.byte_str(name),
                    None => self.add(name),
                }
            }
            Step::Index(index) => self.add(*index),
            Step::Key(key) => {
                // The key that the path leads to may be an instance, which is equal only to itself.
                let found = keys.iter().find(|found| super::key_text(**found) == *key).map(|key| key.id());
                let strings = if is_python2 { Strings::Bytes } else { Strings::Text };
                match found {
                    Some(key) => key,
                    None => {
                        self.add_literal(key, strings).or_else(|_| self.add_literal(&format!("({key})"), strings))?
                    }
                }
            }
            Step::Part(Part::Value(at) | Part::Key(at)) if keys.len() > *at as usize => keys[*at as usize].id(),
            _ => return Err(Error::new(ErrorKind::Type, "a key", format!("`{step}`"))),
        };
        Ok(id)
    }

    /// Checks that a tuple is no part of a key: its hash would change.
    fn check_no_key(&self, tuple: Cell) -> Result<()> {
        let mut work: Vec<Value<'_>> = Vec::new();
        for place in self.walk().iter() {
            match place.value().kind() {
                Kind::Dict(dict) => work.extend(dict.keys()),
                Kind::Set(members) | Kind::FrozenSet(members) => work.extend(members),
                _ => {}
            }
        }
        let mut seen = std::collections::HashSet::new();
        while let Some(key) = work.pop() {
            if key.cell() == tuple {
                let found = "one that is part of a key: set the key";
                return Err(Error::new(ErrorKind::Type, "a tuple that can be changed", found));
            }
            if matches!(key.kind(), Kind::Tuple(_)) && seen.insert(key.id()) {
                work.extend(key.items());
            }
        }
        Ok(())
    }
}

/// Returns the position that a step means, which may be counted from the end.
fn position(step: &Step, len: usize) -> Option<usize> {
    let index = match step {
        Step::Index(index) => *index,
        Step::Name(name) => name.parse().ok()?,
        Step::Part(Part::Item(at)) => i64::from(*at),
        _ => return None,
    };
    match usize::try_from(index) {
        Ok(at) => Some(at),
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}
