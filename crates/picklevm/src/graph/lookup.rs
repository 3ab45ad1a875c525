//! Lookup keys: Rust values that stand for Python keys.

use std::fmt;

use super::arena::Arena;
use super::cell::{Cell, Tag};
use super::edit::IntoValue;
use super::error_text::shorten;
use super::number::Number;
use super::value::{Id, Value};

/// A key of a dict or set, or a position in a list: converted from `&str`, `&[u8]`, integers, floats, `bool`, `()` (for
/// `None`), a [`Value`], or an [`Id`] of the same graph.
#[derive(Clone, Copy)]
pub struct Key<'k>(Repr<'k>);

#[derive(Clone, Copy)]
enum Repr<'k> {
    None,
    Int(i128),
    Float(f64),
    Text(&'k str),
    Bytes(&'k [u8]),
    Value(Value<'k>),
    Id(Id),
}

impl<'k> Key<'k> {
    /// Returns the key as a position in a list.
    pub(crate) fn position(&self) -> Option<usize> {
        match self.0 {
            Repr::Int(at) => at.try_into().ok(),
            Repr::Value(value) => value.as_i64()?.try_into().ok(),
            Repr::Id(Id(cell)) if cell.is(Tag::Int) => cell.as_int().try_into().ok(),
            _ => None,
        }
    }

    /// Replaces an id by its value in the graph.
    pub(crate) fn of(self, arena: &'k Arena) -> Key<'k> {
        match self.0 {
            Repr::Id(id) => Key(Repr::Value(arena.value(id))),
            _ => self,
        }
    }

    /// Returns the index of the row of a dict or set that has this key.
    pub(crate) fn find(self, arena: &Arena, keyed: Cell) -> Option<usize> {
        match self.0 {
            Repr::Text(text) => find_text(arena, keyed, Tag::Str, text.as_bytes())
                .or_else(|| find_text(arena, keyed, Tag::ByteStr, text.as_bytes())),
            Repr::Bytes(bytes) => {
                find_text(arena, keyed, Tag::Bytes, bytes).or_else(|| find_text(arena, keyed, Tag::ByteStr, bytes))
            }
            Repr::Value(value) => {
                let hash = value.arena().lookup_hash(value.cell())?;
                arena.find_row(keyed, hash, |key| Value::new(arena, key) == value)
            }
            Repr::Id(id) => Key::from(arena.value(id)).find(arena, keyed),
            Repr::None => arena.find_row(keyed, arena.known_hash(Cell::NONE)?, |key| key == Cell::NONE),
            Repr::Int(_) | Repr::Float(_) => {
                let hash = arena.hash_number(&self.number()?);
                arena.find_row(keyed, hash, |key| self.equals(Value::new(arena, key)))
            }
        }
    }

    fn number(&self) -> Option<Number<'static>> {
        match self.0 {
            Repr::Int(value) => Some(Number::from_int(value)),
            Repr::Float(value) => Some(Number::from_float(value)),
            _ => None,
        }
    }

    /// Whether Python's `==` holds. Ids must have been replaced by [`Key::of`].
    pub(crate) fn equals(&self, value: Value<'_>) -> bool {
        match self.0 {
            Repr::None => value.is_none(),
            Repr::Text(text) => match value.cell().tag() {
                Tag::Str | Tag::ByteStr => value.arena().payload(value.cell()) == text.as_bytes(),
                _ => false,
            },
            Repr::Bytes(bytes) => value.as_bytes() == Some(bytes),
            Repr::Value(key) => key == value,
            Repr::Id(id) => id.0 == value.cell(),
            Repr::Int(_) | Repr::Float(_) => {
                let (arena, cell) = (value.arena(), value.cell());
                self.number().zip(arena.number(cell)).is_some_and(|(a, b)| a.equals(&b))
            }
        }
    }

    /// Adds the key to the graph as a value.
    pub(crate) fn make(self, arena: &mut Arena) -> Cell {
        match self.0 {
            Repr::None => Cell::NONE,
            Repr::Int(value) => arena.new_int_le(&value.to_le_bytes()),
            Repr::Float(value) => arena.new_float(value),
            Repr::Text(text) => arena.new_text(Tag::Str, text.as_bytes(), false),
            Repr::Bytes(bytes) => arena.new_text(Tag::Bytes, bytes, false),
            Repr::Value(value) => value.into_value(arena).0,
            Repr::Id(id) => id.into_value(arena).0,
        }
    }
}

/// Prints the key as Python does, shortened if it is long.
impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::None => f.write_str("None"),
            Repr::Int(value) => value.fmt(f),
            Repr::Float(value) => value.fmt(f),
            Repr::Text(text) => write!(f, "{:?}", shorten(text)),
            Repr::Bytes(bytes) => write!(f, "b\"{}\"", shorten(&bytes.escape_ascii().to_string())),
            Repr::Value(value) => value.fmt(f),
            Repr::Id(id) => id.fmt(f),
        }
    }
}

fn find_text(arena: &Arena, keyed: Cell, tag: Tag, bytes: &[u8]) -> Option<usize> {
    // The id is not part of the fingerprint.
    let fingerprint = Cell::text(tag, 0, bytes).fingerprint();
    let hash = if arena.keyed(keyed).table == 0 { 0 } else { arena.hash_text(tag, bytes) };
    arena.find_row(keyed, hash, |key| key.fingerprint() == fingerprint && arena.payload(key) == bytes)
}

impl<'k> From<&'k str> for Key<'k> {
    fn from(text: &'k str) -> Self {
        Key(Repr::Text(text))
    }
}

impl<'k> From<&'k String> for Key<'k> {
    fn from(text: &'k String) -> Self {
        Key(Repr::Text(text))
    }
}

impl<'k> From<&'k [u8]> for Key<'k> {
    fn from(bytes: &'k [u8]) -> Self {
        Key(Repr::Bytes(bytes))
    }
}

impl<'k, const N: usize> From<&'k [u8; N]> for Key<'k> {
    fn from(bytes: &'k [u8; N]) -> Self {
        Key(Repr::Bytes(bytes))
    }
}

impl From<f64> for Key<'_> {
    fn from(value: f64) -> Self {
        Key(Repr::Float(value))
    }
}

impl From<bool> for Key<'_> {
    fn from(value: bool) -> Self {
        Key(Repr::Int(value.into()))
    }
}

/// Python's `None`.
impl From<()> for Key<'_> {
    fn from((): ()) -> Self {
        Key(Repr::None)
    }
}

impl<'k> From<Value<'k>> for Key<'k> {
    fn from(value: Value<'k>) -> Self {
        Key(Repr::Value(value))
    }
}

macro_rules! from_int {
    ($($type:ty),*) => {$(
        impl From<$type> for Key<'_> {
            fn from(value: $type) -> Self {
                Key(Repr::Int(value.into()))
            }
        }
    )*};
}
from_int!(i8, i16, i32, i64, i128, u8, u16, u32, u64);

impl From<usize> for Key<'_> {
    fn from(value: usize) -> Self {
        Key::from(value as u64)
    }
}

impl From<isize> for Key<'_> {
    fn from(value: isize) -> Self {
        Key::from(value as i64)
    }
}

impl From<Id> for Key<'_> {
    fn from(id: Id) -> Self {
        Key(Repr::Id(id))
    }
}

macro_rules! equals {
    ($($type:ty),*) => {$(
        /// Python's `==`; a `&str` also equals an 8-bit string of Python 2 with the same bytes.
        impl PartialEq<$type> for Value<'_> {
            fn eq(&self, other: &$type) -> bool {
                Key::from(*other).equals(*self)
            }
        }
    )*};
}
equals!(&str, bool, i32, i64, u8, u32, u64, usize, f64, &[u8]);
