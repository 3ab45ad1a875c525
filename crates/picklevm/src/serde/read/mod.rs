//! Reads values of a graph into Rust types.

mod access;
mod context;
mod deserializer;
mod instance;
mod parts;
mod recorder;
mod shared;
mod std_text;
mod variant;

use ::serde::de::value::{MapDeserializer, SeqDeserializer};
use ::serde::de::{self, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};

use self::access::{Entry, ItemsAccess, ListAccess, RowsAccess};
pub(super) use self::context::{Context, FromGraph, FromInput, Lend};
use self::instance::ObjectForm;
use self::parts::{ItemsReader, RowsReader};
use super::error::Error;
use super::recorded::takes_tokens;
use crate::graph::{Cell, Items, Kind, Tag, Value};
use crate::graph::{InstanceView, Rows};
use crate::python::Class;
use crate::typed::builtins::text as text_of;
use crate::typed::contents::Contents;
use crate::typed::{ArrayItems, Range};

pub(super) use self::shared::{lookup, remember, take_note};
pub(super) use self::variant::UnitVariant;

/// Reads one value.
pub(super) struct Reader<'c, 'g, 'de, L> {
    value: Value<'g>,
    context: &'c mut Context<'g, 'de, L>,
}

impl<'c, 'g, 'de, L: Lend<'g, 'de>> Reader<'c, 'g, 'de, L> {
    #[inline]
    pub(super) fn new(value: Value<'g>, context: &'c mut Context<'g, 'de, L>) -> Self {
        Reader { value, context }
    }

    /// Returns the object. Only for objects.
    #[inline]
    fn instance(&mut self) -> InstanceView<'g> {
        match self.value.kind() {
            Kind::Object(object) => {
                let class = object.class();
                if self.context.class.0 != class.cell() {
                    self.context.class = (class.cell(), Class::of(class));
                }
                InstanceView::new(object, self.context.class.1)
            }
            _ => unreachable!("only objects have parts"),
        }
    }

    /// Reads another value in place of this one.
    fn stand_in<T>(
        self,
        value: Value<'g>,
        read: impl FnOnce(Reader<'_, 'g, 'de, L>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.context.enter(self.value.cell(), 1)?;
        let result = read(Reader { value, context: self.context });
        self.context.leave();
        result.map_err(Error::inside)
    }

    /// Reads a persistent reference as its id.
    fn pid<T>(self, read: impl FnOnce(Reader<'_, 'g, 'de, L>) -> Result<T, Error>) -> Result<T, Error> {
        match self.value.kind() {
            Kind::Persistent(pid) => self.stand_in(pid, read),
            _ => read(Reader { value: self.value, context: self.context }),
        }
    }

    /// Reads an object in a form.
    fn object<V: Visitor<'de>>(self, form: ObjectForm<'g>, visitor: V) -> Result<V::Value, Error> {
        let object = self.value;
        let result = match form {
            ObjectForm::Value(value) => return self.stand_in(value, |reader| reader.deserialize_any(visitor)),
            ObjectForm::Text(text) => {
                self.context.spend(text.len())?;
                visitor.visit_string(text)
            }
            ObjectForm::Items(items) => self.items(items, visitor),
            ObjectForm::Rows(rows) => self.rows(rows, visitor),
            ObjectForm::Entries(items) => self.pairs(items, visitor),
            ObjectForm::Call => self.call(visitor),
            ObjectForm::Array(items) => self.array(items, visitor),
            ObjectForm::Bytes(bytes) => {
                self.context.spend(bytes.len())?;
                visitor.visit_byte_buf(bytes)
            }
            ObjectForm::Sequence(items) => self.sequence(&items, visitor),
            ObjectForm::Mapping(entries) => self.mapping(&entries, visitor),
            ObjectForm::Range(range) => self.range(&range, visitor),
            ObjectForm::Fields(fields) => {
                self.list(fields.into_iter().map(|(name, part)| (Entry::Name(name), part)).collect(), visitor)
            }
            ObjectForm::Values(values) => self.values(values, visitor),
            ObjectForm::Opaque if takes_tokens::<V::Value>() => self.context.token(visitor),
            ObjectForm::Opaque => return Err(Error::invalid_type(Unexpected::Other(&opaque(object)), &visitor)),
        };
        result.map_err(|error| error.found_here(|| describe(object)))
    }

    /// Reads the items of an `array.array`.
    fn array<V: Visitor<'de>>(self, items: ArrayItems, visitor: V) -> Result<V::Value, Error> {
        self.context.spend(8 * items.len())?;
        match items {
            ArrayItems::Int(items) => sequence(items.into_iter(), visitor),
            ArrayItems::UInt(items) => sequence(items.into_iter(), visitor),
            ArrayItems::Float(items) => sequence(items.into_iter(), visitor),
            ArrayItems::Text(text) => visitor.visit_string(text),
        }
    }

    #[inline]
    fn items<V: Visitor<'de>>(self, items: Items<'g>, visitor: V) -> Result<V::Value, Error> {
        self.context.enter(self.value.cell(), items.len())?;
        let mut access = ItemsAccess::new(items, self.context);
        let result = visitor.visit_seq(&mut access);
        let left = access.left();
        self.context.leave();
        if left > 0 && result.is_ok() {
            return Err(superfluous(items.len(), items.len() - left));
        }
        result
    }

    #[inline]
    fn rows<V: Visitor<'de>>(self, rows: Rows<'g>, visitor: V) -> Result<V::Value, Error> {
        self.context.enter(self.value.cell(), 2 * rows.len())?;
        let mut access = RowsAccess::new(rows, self.context);
        let result = visitor.visit_map(&mut access);
        let left = access.left();
        self.context.leave();
        if left > 0 && result.is_ok() {
            return Err(superfluous(rows.len(), rows.len() - left));
        }
        result
    }

    /// Reads the items that a call such as `deque('abc')` lists.
    fn sequence<V: Visitor<'de>>(self, items: &Contents<'g>, visitor: V) -> Result<V::Value, Error> {
        self.context.spend(8 * items.cells().len())?;
        match items {
            Contents::Listed(listed) => {
                let values = listed.cells().iter().map(|cell| Entry::Value(Value::new(listed.arena(), *cell)));
                self.values(values.collect(), visitor)
            }
            Contents::Owned(_) => sequence(items.items().map(|item| character(item)), visitor),
        }
    }

    /// Reads values that are not listed in the graph as a sequence.
    fn values<V: Visitor<'de>>(self, values: Vec<Entry<'g>>, visitor: V) -> Result<V::Value, Error> {
        let len = values.len();
        self.context.enter(self.value.cell(), len)?;
        let none = Entry::Value(Value::new(self.context.arena, Cell::NONE));
        let mut access = ListAccess::new(values.into_iter().map(|value| (value, none)).collect(), self.context);
        let result = visitor.visit_seq(&mut access);
        let left = access.left();
        self.context.leave();
        if left > 0 && result.is_ok() { Err(superfluous(len, len - left)) } else { result }
    }

    /// Reads the integers of a range.
    fn range<V: Visitor<'de>>(self, range: &Range, visitor: V) -> Result<V::Value, Error> {
        self.context.spend_long((range.len() as u64).saturating_mul(8))?;
        match range.small_items() {
            Some(items) => sequence(items, visitor),
            None => Err(Error::invalid_type(Unexpected::Other(&opaque(self.value)), &visitor)),
        }
    }

    /// Reads the entries that a call such as `Counter('abba')` makes.
    fn mapping<V: Visitor<'de>>(self, entries: &Contents<'g>, visitor: V) -> Result<V::Value, Error> {
        self.context.spend(8 * entries.cells().len())?;
        match entries {
            Contents::Listed(listed) => {
                let entries = listed.entries().map(|(key, value)| (Entry::Key(key), Entry::Value(value)));
                self.list(entries.collect(), visitor)
            }
            Contents::Owned(_) => {
                let counts = entries.entries().map(|(key, count)| Some((character(key), count.as_i64()?)));
                match counts.collect::<Option<Vec<_>>>() {
                    Some(counts) => visitor.visit_map(MapDeserializer::new(counts.into_iter())),
                    None => Err(Error::invalid_type(Unexpected::Other(&opaque(self.value)), &visitor)),
                }
            }
        }
    }

    /// Reads `[(key, value), …]` as a map.
    fn pairs<V: Visitor<'de>>(self, items: Items<'g>, visitor: V) -> Result<V::Value, Error> {
        let entries = items
            .map(|pair| match pair.items().as_array() {
                Some([key, value]) => Ok((Entry::Key(key), Entry::Value(value))),
                None => Err(Error::invalid_type(Unexpected::Other(pair.type_name()), &"a (key, value) pair")),
            })
            .collect::<Result<Vec<_>, Error>>()?;
        self.list(entries, visitor)
    }

    /// Reads class and arguments of a call, then the attributes, as a map.
    fn call<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let instance = self.instance();
        let mut entries = vec![
            (Entry::Name("class"), Entry::Class(instance.class)),
            (Entry::Name("args"), Entry::Items(instance.args)),
        ];
        let attributes = instance.attribute_rows().unwrap_or(Rows::NONE);
        for [key, value] in attributes.first.iter().chain(attributes.second) {
            let [key, value] = [key, value].map(|cell| Value::new(self.context.arena, *cell));
            entries.push((Entry::Key(key), Entry::Value(value)));
        }
        self.list(entries, visitor)
    }

    /// Reads class, arguments and state of an instance, for [`Instance`](super::Instance).
    fn class_args_state<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let instance = self.instance();
        let state = match (instance.attribute_rows(), instance.state) {
            (Some(rows), Some(_)) => Entry::Rows(rows),
            (Some(rows), None) if rows.len() > 0 => Entry::Rows(rows),
            (_, state) => Entry::Value(state.unwrap_or(Value::new(self.context.arena, Cell::NONE))),
        };
        let entries = vec![
            (Entry::Name("class"), Entry::Class(instance.class)),
            (Entry::Name("args"), Entry::Items(instance.args)),
            (Entry::Name("state"), state),
        ];
        self.list(entries, visitor)
    }

    fn list<V: Visitor<'de>>(self, entries: Vec<(Entry<'g>, Entry<'g>)>, visitor: V) -> Result<V::Value, Error> {
        self.context.enter(self.value.cell(), 2 * entries.len())?;
        let result = visitor.visit_map(ListAccess::new(entries, self.context));
        self.context.leave();
        result
    }

    /// Reads a value as what it is.
    fn any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match self.value.cell().tag() {
            Tag::Object => {
                let form = self.instance().as_any();
                self.object(form, visitor)
            }
            Tag::Persistent => self.pid(|reader| reader.deserialize_any(visitor)),
            _ => self.atom(visitor),
        }
    }

    /// Reads anything but an object or a persistent reference.
    fn atom<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value.kind() {
            Kind::None => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(value),
            Kind::Int(int) => match (u64::try_from(int), int.as_i64()) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Some(value)) => visitor.visit_i64(value),
                _ => visitor.visit_string(int.to_string()),
            },
            Kind::Float(value) => visitor.visit_f64(value),
            Kind::Complex(re, im) => sequence([re, im].into_iter(), visitor),
            Kind::Str(_) => match self.context.text(self.value.cell())? {
                Some(text) => match self.context.lend.str(text) {
                    Some(text) => visitor.visit_borrowed_str(text),
                    None => visitor.visit_str(text),
                },
                None => Err(surrogates(&visitor)),
            },
            Kind::ByteStr(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => {
                    self.context.spend(text.len())?;
                    match self.context.lend.str(text) {
                        Some(text) => visitor.visit_borrowed_str(text),
                        None => visitor.visit_str(text),
                    }
                }
                Err(_) => self.bytes(bytes, visitor),
            },
            Kind::Bytes(bytes) | Kind::ByteArray(bytes) => self.bytes(bytes, visitor),
            Kind::Tuple(items) | Kind::List(items) | Kind::Set(items) | Kind::FrozenSet(items) => {
                self.items(items, visitor)
            }
            Kind::Dict(_) => {
                let cells = self.context.arena.items(self.value.cell());
                self.rows(Rows::single(cells.as_chunks().0), visitor)
            }
            Kind::Global(global) => visitor.visit_string(global.to_string()),
            Kind::Buffer(buffer) => match buffer.data() {
                Some(bytes) => self.bytes(bytes, visitor),
                None => Err(Error::invalid_type(Unexpected::Other("an out-of-band buffer without data"), &visitor)),
            },
            _ => Err(Error::invalid_type(Unexpected::Other(&describe(self.value)), &visitor)),
        }
    }

    #[inline]
    fn bytes<V: Visitor<'de>>(self, bytes: &'g [u8], visitor: V) -> Result<V::Value, Error> {
        self.context.spend(bytes.len())?;
        match self.context.lend.bytes(bytes) {
            Some(bytes) => visitor.visit_borrowed_bytes(bytes),
            None => visitor.visit_bytes(bytes),
        }
    }

    /// Reads numbers that are not stored in the cell, and objects read as numbers.
    #[inline(never)]
    fn number<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match self.value.kind() {
            Kind::Int(int) => match (i128::try_from(int), u128::try_from(int)) {
                (_, Ok(value)) if u64::try_from(value).is_ok() => visitor.visit_u64(value as u64),
                (Ok(value), _) => visitor.visit_i128(value),
                (_, Ok(value)) => visitor.visit_u128(value),
                _ => Err(Error::invalid_value(Unexpected::Other("an integer of more than 128 bits"), &visitor)),
            },
            Kind::Object(_) => match self.instance().as_scalar() {
                ObjectForm::Value(value) => self.stand_in(value, |reader| reader.deserialize_i128(visitor)),
                form => self.object(form, visitor),
            },
            Kind::Persistent(_) => self.pid(|reader| reader.deserialize_i128(visitor)),
            _ => self.atom(visitor),
        }
    }
}

/// Returns a character of a text or of an 8-bit string of Python 2.
fn character(value: Value<'_>) -> String {
    match value.as_bytes() {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => value.as_str().unwrap_or_default().to_owned(),
    }
}

/// Reads items that are not in the graph. Unread items are an error.
pub(super) fn sequence<'de, T, V, E>(items: impl Iterator<Item = T>, visitor: V) -> Result<V::Value, E>
where
    T: IntoDeserializer<'de, E>,
    E: de::Error,
    V: Visitor<'de>,
{
    let mut items = SeqDeserializer::new(items);
    let value = visitor.visit_seq(&mut items)?;
    items.end().map(|()| value)
}

/// Describes an instance that only [`Instance`](super::Instance) reads.
#[cold]
fn opaque(object: Value<'_>) -> String {
    let state = InstanceView::of(object).and_then(|instance| instance.state);
    let state = state.map_or(String::new(), |state| format!(", whose state is a {}", state.type_name()));
    format!("{}{state} (use serde::Instance)", describe(object))
}

/// Describes a value for errors.
#[cold]
fn describe(value: Value<'_>) -> String {
    crate::graph::describe(value.arena(), value.cell())
}

#[cold]
fn surrogates(expected: &dyn de::Expected) -> Error {
    Error::invalid_type(Unexpected::Other("text with lone surrogates"), expected)
}

#[cold]
pub(super) fn superfluous(found: usize, read: usize) -> Error {
    Error::invalid_length(found, &format!("{read} items").as_str())
}
