//! A value that is being pickled, for hooks and native objects.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::super::arena::Arena;
use super::super::cell::Cell;
use super::super::value::Value;
use crate::protocol::Protocol;

/// A value that is being pickled, and the graph in which a hook builds its replacement.
///
/// Dereferences to an [`Arena`] that is a copy of the graph: values that hooks make do not appear in the graph itself.
/// For what `__reduce_ex__` returns as a tuple of two to six items, build an object with [`Arena::call`] or
/// [`Arena::instance`], with arguments, items, pairs, state and [state setter](crate::InstanceBuilder::state_setter);
/// for what it returns as a string, an [`Arena::global`].
pub struct ReduceContext<'a> {
    arena: &'a mut Arena,
    this: Cell,
    protocol: Protocol,
}

impl<'a> ReduceContext<'a> {
    pub(crate) fn new(arena: &'a mut Arena, this: Cell, protocol: Protocol) -> Self {
        ReduceContext { arena, this, protocol }
    }

    /// Returns the value that is being pickled.
    pub fn this(&self) -> Value<'_> {
        Value::new(self.arena, self.this)
    }

    /// Returns the protocol of the pickle.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }
}

impl Deref for ReduceContext<'_> {
    type Target = Arena;

    fn deref(&self) -> &Arena {
        self.arena
    }
}

impl DerefMut for ReduceContext<'_> {
    fn deref_mut(&mut self) -> &mut Arena {
        self.arena
    }
}

/// Shows the value and the protocol.
impl fmt::Debug for ReduceContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at protocol {}", self.this(), self.protocol)
    }
}
