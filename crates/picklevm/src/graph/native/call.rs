//! Calls that a pickle makes, and their results.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Construction, Dict, Id, Items, NativeObject, Value};
use crate::limits;

/// A call that a pickle makes: its arguments, and the graph to build the result in.
///
/// Dereferences to the [`Arena`] of the load, whose methods make values. Items and state that the pickle sets after the
/// call are missing from the arguments; in pickles that Python writes this happens only with cycles.
pub struct Call<'a> {
    arena: &'a mut Arena,
    how: Construction,
    callable: Cell,
    /// A tuple.
    args: Cell,
    /// A dict, or [`Cell::HOLE`].
    kwargs: Cell,
    copies: &'a mut Copies,
}

/// Counts the bytes that calls have copied from their arguments.
pub(crate) struct Copies {
    pub(crate) bytes: u64,
    pub(crate) most: u64,
    /// The maximum number of bytes that the load may hold.
    pub(crate) most_held: u64,
}

impl Copies {
    /// Counts bytes that are about to be copied.
    pub(crate) fn count(&mut self, arena: &Arena, len: usize) -> Result<()> {
        // Most calls copy nothing, and to add up what the graph holds takes longer than many of them.
        if len == 0 {
            return Ok(());
        }
        let held = arena.held_bytes();
        limits::check_value_count((arena.cells.len() + len / size_of::<Cell>()) as u64)?;
        // Copied cells may become rows of a hash table.
        let copied = len + len / size_of::<Cell>() * Arena::TABLE_ROW;
        limits::check("bytes", "bytes held", self.most_held, (held + copied) as u64)?;
        self.bytes = self.bytes.saturating_add(len as u64);
        let rest = (held as u64).saturating_sub(self.bytes);
        let counted = self.bytes.saturating_sub(4 * rest);
        limits::check("copies", "bytes copied from shared arguments", self.most, counted)
    }
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        arena: &'a mut Arena,
        how: Construction,
        [callable, args, kwargs]: [Cell; 3],
        copies: &'a mut Copies,
    ) -> Self {
        Call { arena, how, callable, args, kwargs, copies }
    }

    /// Counts bytes that are about to be copied from the arguments, which other calls may share.
    pub(crate) fn count_copy(&mut self, len: usize) -> Result<()> {
        self.copies.count(self.arena, len)
    }

    /// Returns the opcode of the call. For a function of `copyreg` or a `functools.partial` that stands for an opcode
    /// of a later protocol, that opcode.
    pub fn construction(&self) -> Construction {
        self.how
    }

    /// Returns what is called: a global, or a native object.
    pub fn callable(&self) -> Value<'_> {
        Value::new(self.arena, self.callable)
    }

    /// Returns the positional arguments.
    pub fn args(&self) -> Items<'_> {
        self.args_tuple().items()
    }

    /// Returns the tuple of the positional arguments, which other values may share.
    pub fn args_tuple(&self) -> Value<'_> {
        Value::new(self.arena, self.args)
    }

    /// Returns the keyword arguments, if the opcode is NEWOBJ_EX, or if the call is that of a `functools.partial`.
    pub fn kwargs(&self) -> Option<Dict<'_>> {
        Value::new(self.arena, self.kwargs).as_dict()
    }

    /// Returns the positional arguments as an array.
    ///
    /// # Errors
    ///
    /// Returns an error if there are not exactly `N` arguments, or if there are keyword arguments.
    pub fn args_array<const N: usize>(&self) -> Result<[Value<'_>; N]> {
        let named = self.kwargs().map_or(0, Dict::len);
        self.args().as_array().filter(|_| named == 0).ok_or_else(|| self.wrong_count(N, named))
    }

    #[cold]
    fn wrong_count(&self, wanted: usize, named: usize) -> Error {
        let plural = |n| if n == 1 { "" } else { "s" };
        let mut found = self.args().len().to_string();
        if named > 0 {
            found += &format!(" and {named} keyword argument{}", plural(named));
        }
        Error::new(ErrorKind::Resolver, format!("{wanted} argument{}", plural(wanted)), found)
    }
}

impl Deref for Call<'_> {
    type Target = Arena;

    fn deref(&self) -> &Arena {
        self.arena
    }
}

impl DerefMut for Call<'_> {
    fn deref_mut(&mut self) -> &mut Arena {
        self.arena
    }
}

/// Shows the opcode, what is called, and the arguments.
impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}{:?}", self.how, self.callable(), self.args_tuple())
    }
}

/// The result of a call or of a persistent id. Converts from an [`Id`] of the graph and from a [`NativeObject`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallResult {
    /// Not resolved: the call stays a symbolic object, the persistent reference its id.
    Symbolic,
    /// A value of the graph.
    Value(Id),
    /// A native object.
    NativeObject(Arc<dyn NativeObject>),
}

impl From<Id> for CallResult {
    fn from(id: Id) -> Self {
        CallResult::Value(id)
    }
}

impl<T: NativeObject> From<T> for CallResult {
    fn from(native: T) -> Self {
        CallResult::NativeObject(Arc::new(native))
    }
}

/// `None` is [`CallResult::Symbolic`].
impl<T: Into<CallResult>> From<Option<T>> for CallResult {
    fn from(made: Option<T>) -> Self {
        made.map_or(CallResult::Symbolic, Into::into)
    }
}
