//! Short descriptions of values, for errors.

use super::arena::Arena;
use super::cell::{Cell, Tag};
use super::hash::Unhashable;
use super::value::Value;
use crate::error::{Error, ErrorKind};

/// Describes a value in a few words.
pub(crate) fn describe(arena: &Arena, cell: Cell) -> String {
    let value = Value::new(arena, cell);
    match value.as_object().map(|object| object.class()).or(Some(value)).and_then(Value::as_global) {
        Some(global) if cell.is(Tag::Object) => format!("an instance of {}", shorten(&global.to_string())),
        Some(global) => format!("the global {}", shorten(&global.to_string())),
        None => format!("a value of type {}", value.type_name()),
    }
}

/// Shortens a name to 100 characters.
pub(crate) fn shorten(name: &str) -> String {
    match name.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

impl Unhashable {
    /// Returns the error for an unhashable key.
    #[cold]
    #[inline(never)]
    pub(crate) fn error(self, arena: &Arena) -> Error {
        Error::new(ErrorKind::Unhashable, "a key that Python can hash", describe(arena, self.0))
    }
}
