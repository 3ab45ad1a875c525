//! What the globals of a pickle stand for: names, as a rule; plain data and the caller's own functions, where a
//! resolver says so. Loading never calls anything that the caller did not register.

pub(crate) mod compat;
mod standard;

use std::sync::Arc;

pub use standard::Standard;

use crate::error::Result;
use crate::graph::{Arena, Id, Value};

/// Decides what a global of a pickle stands for: Python's `find_class`.
pub trait Resolver: Send + Sync {
    /// Says what the global `name` of `module` is. Names are as the pickle has them.
    ///
    /// # Errors
    ///
    /// An error ends the load; offset and opcode are added to it.
    fn find_class(&self, module: &str, name: &str) -> Result<Class>;
}

/// What a resolver says a global is.
#[derive(Clone)]
#[non_exhaustive]
pub enum Class {
    /// Two names; calling it makes a symbolic object.
    Symbolic,
    /// A function that calls are handed to.
    Function(Arc<dyn Function>),
}

/// A function that stands for a Python callable.
pub trait Function: Send + Sync {
    /// Makes the value of a call in `arena`, or `None` to leave the call a symbolic object.
    ///
    /// # Errors
    ///
    /// An error ends the load; offset and opcode are added to it.
    fn call(&self, arena: &mut Arena, args: Id) -> Result<Option<Id>>;
}

/// Keeps every global a name and every call an object: nothing of a pickle is interpreted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Symbolic;

impl Resolver for Symbolic {
    fn find_class(&self, _: &str, _: &str) -> Result<Class> {
        Ok(Class::Symbolic)
    }
}

impl Arena {
    /// The arguments of a call, if there are exactly `N`.
    fn args<const N: usize>(&self, args: Id) -> Option<[Value<'_>; N]> {
        self.value(args).items().as_array()
    }
}
