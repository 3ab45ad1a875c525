//! `ValueMut`: editing lists, dicts, sets and bytearrays.

use std::fmt;

use super::super::arena::Arena;
use super::super::cell::{Cell, Tag};
use super::super::lookup::Key;
use super::super::value::{Id, Value};
use super::into_value::IntoValue;
use crate::error::{Error, ErrorKind, Result};

/// A mutable reference to a value of a graph, from [`Graph::root_mut`](Arena::root_mut) or
/// [`value_mut`](Arena::value_mut).
///
/// Lists, dicts, sets, bytearrays and objects can be changed; a method that does not apply to the type of the value
/// returns an error of kind [`Type`](ErrorKind::Type). New values are anything that is [`IntoValue`]: Rust values, the
/// [`Id`] of a value of the same graph, which is then shared, or a [`Value`] of another graph, which is copied.
///
/// On an error the value is unchanged.
///
/// ```
/// let mut graph = picklevm::loads(b"\x80\x04}(\x8c\x04user}\x8c\x04name\x8c\x05Alices\x8c\x01n]K\x01au.")?;
/// graph.root_mut().at("user")?.set("name", "Bob")?;
/// graph.root_mut().at("n")?.extend([2, 3])?;
/// assert_eq!(format!("{:?}", graph.root()), "{'user': {'name': 'Bob'}, 'n': [1, 2, 3]}");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub struct ValueMut<'g> {
    pub(super) arena: &'g mut Arena,
    pub(super) cell: Cell,
}

/// # Editing
impl Arena {
    /// Returns a mutable reference to the [`root`](Arena::root).
    ///
    /// ```
    /// let mut graph = picklevm::value!({"n": 1});
    /// graph.root_mut().set("n", 2)?;
    /// assert_eq!(graph.root().at("n"), 2);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn root_mut(&mut self) -> ValueMut<'_> {
        let cell = self.root().cell();
        ValueMut { arena: self, cell }
    }

    /// Returns a mutable reference to the [`value`](Arena::value) of an id.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let list = graph.list([1]);
    /// graph.value_mut(list).push(list)?;   // a list that holds itself
    /// graph.set_root(list);
    /// assert!(graph.root().at(1).is(graph.root()));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn value_mut(&mut self, id: Id) -> ValueMut<'_> {
        let cell = self.checked(id);
        ValueMut { arena: self, cell }
    }
}

impl<'g> ValueMut<'g> {
    /// Returns the value's id.
    pub fn id(&self) -> Id {
        Id(self.cell)
    }

    /// Returns the value, for reading.
    pub fn value(&self) -> Value<'_> {
        Value::new(self.arena, self.cell)
    }

    /// Returns the graph of the value, to add nodes.
    pub fn arena(&mut self) -> &mut Arena {
        self.arena
    }

    /// Returns a mutable reference to the value of a dict's key, or to the item of a list or tuple at a position.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Missing`] if there is no such key or position.
    ///
    /// ```
    /// let mut graph = picklevm::value!({"users": [{"name": "a"}]});
    /// graph.root_mut().at("users")?.at(0)?.set("name", "b")?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'users': [{'name': 'b'}]}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn at<'k>(self, key: impl Into<Key<'k>>) -> Result<ValueMut<'g>> {
        let key = key.into();
        match self.value().get(key) {
            Some(value) => {
                let cell = value.cell();
                Ok(ValueMut { arena: self.arena, cell })
            }
            None => Err(self.missing(key)),
        }
    }

    /// Appends an item to a list, or to an object that takes items, as APPEND does.
    ///
    /// Objects take items only if some were appended, added or set before, or if their class is a list, set or dict, such
    /// as `collections.deque`. [`set_attr`](ValueMut::set_attr) sets an attribute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is neither.
    ///
    /// ```
    /// let mut graph = picklevm::value!([1]);
    /// graph.root_mut().push([2])?;
    /// assert_eq!(format!("{:?}", graph.root()), "[1, [2]]");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn push(&mut self, item: impl IntoValue) -> Result<()> {
        self.extend([item])
    }

    /// Appends items to a list or to an object that [takes items](ValueMut::push), or adds members to a set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is none of these; [`ErrorKind::Unhashable`] if a member cannot be hashed.
    ///
    /// ```
    /// let mut graph = picklevm::value!([1]);
    /// graph.root_mut().extend([2, 3])?;
    /// assert_eq!(format!("{:?}", graph.root()), "[1, 2, 3]");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn extend<T: IntoValue>(&mut self, items: impl IntoIterator<Item = T>) -> Result<()> {
        match self.cell.tag() {
            Tag::List => {
                let cells = self.arena.cells_of(items);
                self.arena.extend_list(self.cell, &cells);
                Ok(())
            }
            Tag::Set => {
                let cells = self.arena.cells_of(items);
                self.arena.insert_rows(self.cell, &cells)
            }
            Tag::Object => {
                self.check_takes_more()?;
                self.append_items(items);
                Ok(())
            }
            _ => Err(self.wrong_type("a list, a set or an object to extend")),
        }
    }

    /// Inserts an item into a list at a position, counted from 0.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not a list; [`ErrorKind::Missing`] if the list is shorter than that.
    ///
    /// ```
    /// let mut graph = picklevm::value!(["a", "c"]);
    /// graph.root_mut().insert(1, "b")?;
    /// assert_eq!(format!("{:?}", graph.root()), "['a', 'b', 'c']");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn insert(&mut self, at: usize, item: impl IntoValue) -> Result<()> {
        self.list("a list to insert an item into")?;
        if at > self.value().len() {
            return Err(self.missing(at.into()));
        }
        let Id(item) = self.arena.add(item);
        self.arena.extend_list(self.cell, &[item]);
        let row = self.arena.lists[self.cell];
        let start = row.start as usize;
        self.arena.cells[start + at..start + row.len as usize].rotate_right(1);
        Ok(())
    }

    /// Sets the item of a list at a position, the value of a dict's key, or a pair of an object as SETITEM does,
    /// replacing the last one with an equal key. Returns the old value.
    ///
    /// Objects take items only if some were set before, or if their class is a dict, such as `collections.OrderedDict`.
    /// [`set_attr`](ValueMut::set_attr) sets an attribute.
    ///
    /// As in Python, an existing key is kept: `1` does not become `1.0`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is none of these; [`ErrorKind::Missing`] if the list is shorter than that;
    /// [`ErrorKind::Unhashable`] if the key cannot be hashed.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::from(vec![1, 2]);
    /// graph.root_mut().set(0, "one")?;
    /// assert_eq!(format!("{:?}", graph.root()), "['one', 2]");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn set<'k>(&mut self, key: impl Into<Key<'k>>, value: impl IntoValue) -> Result<Option<Id>> {
        let key = key.into();
        match self.cell.tag() {
            Tag::List => {
                let place = self.position(key)?;
                let Id(value) = self.arena.add(value);
                Ok(Some(Id(std::mem::replace(&mut self.arena.cells[place], value))))
            }
            Tag::Dict => {
                if let Some(row) = key.find(self.arena, self.cell) {
                    let Id(value) = self.arena.add(value);
                    let place = self.arena.keyed(self.cell).row.start as usize + 2 * row + 1;
                    return Ok(Some(Id(std::mem::replace(&mut self.arena.cells[place], value))));
                }
                let row = [key.make(self.arena), self.arena.add(value).0];
                self.arena.insert_rows(self.cell, &row)?;
                Ok(None)
            }
            Tag::Object => {
                self.check_takes_items()?;
                Ok(self.set_pair(key, value))
            }
            _ => Err(self.wrong_type("a list, a dict or an object to set an item of")),
        }
    }

    /// Sets several values of a dict, or pairs of an object: Python's `dict.update`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is neither; [`ErrorKind::Unhashable`] if a key cannot be hashed.
    ///
    /// ```
    /// let mut graph = picklevm::value!({"a": 1});
    /// graph.root_mut().update([("a", 2), ("b", 3)])?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'a': 2, 'b': 3}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn update<K: IntoValue, V: IntoValue>(&mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<()> {
        match self.cell.tag() {
            Tag::Dict => {
                let rows = self.arena.cells_of_pairs(pairs);
                self.arena.insert_rows(self.cell, &rows)
            }
            Tag::Object => {
                self.check_takes_items()?;
                self.append_pairs(pairs);
                Ok(())
            }
            _ => Err(self.wrong_type("a dict or an object to update")),
        }
    }

    /// Adds a member to a set. Returns whether it was new.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not a set; [`ErrorKind::Unhashable`] if the member cannot be hashed.
    ///
    /// ```
    /// let mut graph = picklevm::value!({1, 2});
    /// assert!(!graph.root_mut().add(1.0)?);
    /// assert!(graph.root_mut().add(3)?);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn add(&mut self, member: impl IntoValue) -> Result<bool> {
        if !self.cell.is(Tag::Set) {
            return Err(self.wrong_type("a set to add a member to"));
        }
        let before = self.value().len();
        let Id(member) = self.arena.add(member);
        self.arena.insert_rows(self.cell, &[member])?;
        Ok(self.value().len() > before)
    }

    /// Removes the item of a list at a position, the entry of a dict's key, a member of a set, or the pairs of an
    /// object with a key. Returns the removed item, value or member.
    ///
    /// The order of the rest is kept, so this takes linear time in the number of items after it.
    /// [`retain`](ValueMut::retain) and [`retain_entries`](ValueMut::retain_entries) remove many items at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is none of these; [`ErrorKind::Missing`] if there is no such item or key.
    ///
    /// ```
    /// let mut graph = picklevm::value!({"a": 1, "b": 2});
    /// let removed = graph.root_mut().remove("a")?;
    /// assert_eq!(graph.value(removed), 1);
    /// assert_eq!(format!("{:?}", graph.root()), "{'b': 2}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn remove<'k>(&mut self, key: impl Into<Key<'k>>) -> Result<Id> {
        let key = key.into();
        match self.cell.tag() {
            Tag::List => {
                let place = self.position(key)?;
                let row = self.arena.lists[self.cell];
                let end = row.start as usize + row.len as usize;
                self.set_len(row.len - 1);
                self.arena.cells[place..end].rotate_left(1);
                Ok(Id(self.arena.cells[end - 1]))
            }
            Tag::Dict | Tag::Set => {
                let row = key.find(self.arena, self.cell).ok_or_else(|| self.missing(key))?;
                let rows = self.arena.items(self.cell);
                let removed = if self.cell.is(Tag::Dict) { rows[2 * row + 1] } else { rows[row] };
                self.arena.remove_row(self.cell, row);
                Ok(Id(removed))
            }
            Tag::Object => self.remove_pairs(key),
            _ => Err(self.wrong_type("a list, a dict, a set or an object to remove an item from")),
        }
    }

    /// Removes the last item of a list.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not a list.
    ///
    /// ```
    /// let mut graph = picklevm::value!([1, 2]);
    /// let last = graph.root_mut().pop()?.unwrap();
    /// assert_eq!(graph.value(last), 2);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn pop(&mut self) -> Result<Option<Id>> {
        self.list("a list to pop an item from")?;
        match self.value().len() {
            0 => Ok(None),
            len => self.remove(len - 1).map(Some),
        }
    }

    /// Keeps the items of a list or members of a set for which `keep` returns `true`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is neither.
    ///
    /// ```
    /// let mut graph = (0..6).collect::<picklevm::Graph>();
    /// graph.root_mut().retain(|item| item.as_i64().is_some_and(|n| n % 2 == 0))?;
    /// assert_eq!(format!("{:?}", graph.root()), "[0, 2, 4]");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(Value<'_>) -> bool) -> Result<()> {
        match self.cell.tag() {
            Tag::Set => self.arena.retain_rows(self.cell, |arena, row| keep(Value::new(arena, row[0]))),
            Tag::List => {
                let row = self.arena.lists[self.cell];
                // `keep` may panic: the list is changed only after it was called for all items.
                let is_kept = |item: &Cell| keep(Value::new(self.arena, *item));
                let kept: Vec<Cell> = self.arena.row(row).iter().copied().filter(is_kept).collect();
                let start = row.start as usize;
                self.arena.cells[start..start + kept.len()].copy_from_slice(&kept);
                self.set_len(kept.len() as u32);
            }
            _ => return Err(self.wrong_type("a list or a set to retain items of")),
        }
        Ok(())
    }

    /// Keeps the entries of a dict for which `keep` returns `true`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not a dict.
    ///
    /// ```
    /// let mut graph = picklevm::value!({"a": 1, "b": null});
    /// graph.root_mut().retain_entries(|_, value| !value.is_none())?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'a': 1}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn retain_entries(&mut self, mut keep: impl FnMut(Value<'_>, Value<'_>) -> bool) -> Result<()> {
        if !self.cell.is(Tag::Dict) {
            return Err(self.wrong_type("a dict to retain entries of"));
        }
        self.arena.retain_rows(self.cell, |arena, row| keep(Value::new(arena, row[0]), Value::new(arena, row[1])));
        Ok(())
    }

    /// Clears a list, a dict, a set or a bytearray. For an object, removes items, pairs and members, and keeps the
    /// state.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is none of these.
    ///
    /// ```
    /// let mut graph = picklevm::value!({"a": 1});
    /// graph.root_mut().clear()?;
    /// assert_eq!(format!("{:?}", graph.root()), "{}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn clear(&mut self) -> Result<()> {
        match self.cell.tag() {
            Tag::List => self.set_len(0),
            Tag::Dict | Tag::Set => self.arena.retain_rows(self.cell, |_, _| false),
            Tag::ByteArray => return self.set_bytes(b""),
            Tag::Object => self.clear_items(),
            _ => return Err(self.wrong_type("a list, a dict, a set, a bytearray or an object to clear")),
        }
        Ok(())
    }

    /// Sets the bytes of a bytearray.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is not a bytearray.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let array = graph.bytearray(b"abc");
    /// graph.value_mut(array).set_bytes(b"xyz")?;
    /// assert_eq!(graph.value(array).as_bytes(), Some(&b"xyz"[..]));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn set_bytes(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        if !self.cell.is(Tag::ByteArray) {
            return Err(self.wrong_type("a bytearray to set the bytes of"));
        }
        let span = self.arena.payloads.keep(bytes.as_ref());
        self.arena.spans.set(self.cell, span);
        Ok(())
    }

    fn list(&self, expected: &'static str) -> Result<()> {
        if self.cell.is(Tag::List) { Ok(()) } else { Err(self.wrong_type(expected)) }
    }

    /// Truncates a list.
    fn set_len(&mut self, len: u32) {
        if let Some(row) = self.arena.lists.get_mut(self.cell) {
            row.len = len;
        }
    }

    /// Returns the index of a list item in the cells.
    fn position(&self, key: Key<'_>) -> Result<usize> {
        let row = self.arena.lists[self.cell];
        match key.position() {
            Some(at) if at < row.len as usize => Ok(row.start as usize + at),
            _ => Err(self.missing(key)),
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn wrong_type(&self, expected: &'static str) -> Error {
        self.arena.wrong_type(expected, self.cell)
    }

    /// Returns an error for a missing key or position.
    #[cold]
    #[inline(never)]
    pub(super) fn missing(&self, key: Key<'_>) -> Error {
        let value = self.value();
        let found = match self.cell.tag() {
            Tag::List | Tag::Tuple | Tag::EmptyTuple => format!("a {} of length {}", value.type_name(), value.len()),
            Tag::Dict | Tag::Set => format!("a {} of length {} without it", value.type_name(), value.len()),
            _ => super::describe(self.arena, self.cell),
        };
        match key.position() {
            Some(at) if matches!(self.cell.tag(), Tag::List | Tag::Tuple | Tag::EmptyTuple) => {
                Error::new(ErrorKind::Missing, format!("the position {at}"), found)
            }
            _ => Error::new(ErrorKind::Missing, format!("the key {:?}", key.of(self.arena)), found),
        }
    }
}

impl fmt::Debug for ValueMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}
