//! Building and editing graphs: constructors, conversions from and to Rust values, mutable references, copies.

mod construct;
mod copy;
mod deepcopy;
mod extract;
mod instance;
mod into_value;
mod macros;
mod object;
mod rename;
mod value_mut;

pub use deepcopy::CopyMemo;
pub use instance::InstanceBuilder;
pub use into_value::{IntoKey, IntoValue};
pub use macros::macro_support;
pub use value_mut::ValueMut;

use super::arena::Arena;
use super::cell::Cell;
use super::error_text::describe;
use crate::error::{Error, ErrorKind};

impl Arena {
    /// Returns an error for a value of the wrong type.
    #[cold]
    #[inline(never)]
    fn wrong_type(&self, expected: &'static str, found: Cell) -> Error {
        Error::new(ErrorKind::Type, expected, describe(self, found))
    }
}
