//! The value graph: nodes in arenas, with one reference count for the whole graph.
//!
//! A [`Graph`] is a reference-counted handle of everything that one load made. Cloning costs one atomic increment,
//! other threads can read it, and dropping the last handle frees everything at once, cycles included. A [`Value`] is a
//! `Copy` reference into it.

mod arena;
mod cell;
mod compare;
mod decimal;
mod dict_set;
mod edit;
mod error_text;
mod frozen_dict;
mod graph_form;
mod hash;
mod instance;
mod int;
mod items;
mod lookup;
mod map_children;
mod memoized;
mod memory;
mod native;
mod node_index;
mod nodes;
mod number;
mod object;
mod outer_calls;
mod payloads;
mod pool;
mod table;
mod value;
mod views;
mod walk;

use std::ops::{Deref, DerefMut};

use triomphe::Arc;

pub use arena::Arena;
pub(crate) use arena::{BufferNode, Fixed, GlobalNode, Growth, Known, Row};
pub(crate) use cell::{Cell, Tag};
pub(crate) use compare::is_compound;
pub use compare::{same_contents, same_graph};
pub(crate) use decimal::{from_digits, to_decimal};
pub use edit::{CopyMemo, InstanceBuilder, IntoKey, IntoValue, ValueMut, macro_support};
pub(crate) use error_text::{describe, shorten};
pub use graph_form::write_graph_form;
pub(crate) use hash::Unhashable;
pub use instance::InstanceView;
#[cfg(feature = "serde")]
pub(crate) use instance::Rows;
pub(crate) use instance::{BoundCall, ConstructorCall, attribute, partial_parts, qualified_name};
pub use int::{Int, OutOfRange};
pub use items::{Entries, Items};
pub use lookup::Key;
pub(crate) use memoized::{Memoized, Unmemoized};
pub(crate) use native::Copies;
pub use native::{Call, CallResult, HashMode, NativeObject, ReduceContext};
pub(crate) use node_index::NodeIndex;
pub(crate) use number::trimmed_len;
pub use object::Construction;
pub(crate) use object::OpKind;
pub(crate) use payloads::Span;
pub(crate) use pool::trim;
pub use value::{Id, Kind, Value};
pub use views::{Buffer, Change, Dict, Global, Object};
pub(crate) use walk::Walk;

use crate::protocol::Protocol;

/// A graph of Python values, loaded from a pickle or built to be written as one.
///
/// Clones share the graph. A shared graph is copied before it is changed, as by
/// [`Arc::make_mut`](std::sync::Arc::make_mut). It dereferences to [`Arena`], which has the methods to read, build and
/// edit.
pub struct Graph(Option<Arc<Arena>>);

impl Graph {
    /// Creates an empty graph.
    pub fn new() -> Graph {
        Graph(Some(pool::take().shareable()))
    }

    /// Creates an empty graph with reused memory suited to an input of `len` bytes.
    #[inline]
    pub(crate) fn for_input(len: Option<u64>) -> Graph {
        Graph(Some(len.map_or_else(pool::take, pool::take_for).shareable()))
    }

    fn of(arena: Arena) -> Graph {
        Graph(Some(Arc::new(arena)))
    }

    /// Returns an owned handle of one value, which keeps the whole graph alive.
    ///
    /// ```
    /// let kept = {
    ///     let graph = picklevm::loads(b"\x80\x02X\x05\0\0\0hello.")?;
    ///     graph.keep(graph.root())
    /// };
    /// assert_eq!(kept.value().as_str(), Some("hello"));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn keep(&self, value: Value<'_>) -> Handle {
        Handle { graph: self.clone(), id: value.id() }
    }

    /// Creates a graph that is a copy of an arena.
    pub(crate) fn copy_of(arena: &Arena) -> Graph {
        Graph::of(arena.clone())
    }

    /// Returns the arena, copied first if it is shared.
    #[inline]
    pub(crate) fn unique(&mut self) -> &mut Arena {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl Default for Graph {
    fn default() -> Self {
        Graph::new()
    }
}

impl Clone for Graph {
    fn clone(&self) -> Self {
        Graph(self.0.clone())
    }
}

impl Drop for Graph {
    #[inline]
    fn drop(&mut self) {
        if let Some(arena) = self.0.take() {
            pool::give(arena);
        }
    }
}

impl Deref for Graph {
    type Target = Arena;

    #[inline]
    fn deref(&self) -> &Arena {
        match &self.0 {
            Some(arena) => arena,
            None => unreachable!("the arena exists until the graph is dropped"),
        }
    }
}

/// Copies the graph first if it is shared.
impl DerefMut for Graph {
    #[inline]
    fn deref_mut(&mut self) -> &mut Arena {
        let arena = self.unique();
        arena.is_tree = Known(false);
        if !arena.outer_calls.is_empty() {
            arena.outer_calls.forget_equal();
        }
        arena
    }
}

/// Compares the roots by Python's `==`.
impl PartialEq for Graph {
    fn eq(&self, other: &Graph) -> bool {
        let pairs = || self.roots.iter().copied().zip(other.roots.iter().copied());
        self.roots.len() == other.roots.len() && compare::all_equal(self, other, pairs().collect())
    }
}

/// An owned handle of one value in its graph.
///
/// It keeps the whole graph alive; [`detach`](Handle::detach) copies only what the value reaches.
#[derive(Clone)]
pub struct Handle {
    graph: Graph,
    id: Id,
}

impl Handle {
    /// Returns the value.
    pub fn value(&self) -> Value<'_> {
        self.graph.value(self.id)
    }

    /// Returns the graph of the value.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value().fmt(f)
    }
}

impl Arena {
    /// Returns the root: the value that was loaded or set as root. The first one if there are several; `None` (the
    /// Python value) in an empty graph.
    #[inline]
    pub fn root(&self) -> Value<'_> {
        Value::new(self, self.roots.first().copied().unwrap_or(Cell::NONE))
    }

    /// Returns the protocol that the last loaded pickle declares; `None` if the graph was not loaded. Pickles of
    /// protocols 0 and 1 declare nothing: both return protocol 0.
    ///
    /// ```
    /// use picklevm::{Graph, Protocol};
    ///
    /// assert_eq!(picklevm::loads(b"\x80\x04N.")?.protocol(), Some(Protocol::V4));
    /// assert_eq!(picklevm::loads(b"N.")?.protocol(), Some(Protocol::V0));
    /// assert_eq!(Graph::new().protocol(), None);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn protocol(&self) -> Option<Protocol> {
        Protocol::try_from(self.protocol?).ok()
    }

    /// Returns all roots: the values that were loaded into this graph, in order.
    pub fn roots(&self) -> Items<'_> {
        Items::new(self, &self.roots)
    }

    /// Returns objects that were made only for their effect and dropped by POP, and that belong to no other object.
    pub fn effects(&self) -> Items<'_> {
        Items::new(self, &self.effects)
    }

    /// Returns the value of an id; `None` (the Python value) if there is no such node.
    #[inline]
    pub fn value(&self, id: Id) -> Value<'_> {
        Value::new(self, if self.has(id.0) { id.0 } else { Cell::NONE })
    }

    /// Whether there is such a node.
    fn has(&self, cell: Cell) -> bool {
        match cell.tag() {
            Tag::List => self.lists.get(cell).is_some(),
            Tag::Tuple => self.tuples.get(cell).is_some(),
            Tag::Dict => self.dicts.get(cell).is_some(),
            Tag::Set | Tag::FrozenSet => self.sets.get(cell).is_some(),
            Tag::Str | Tag::Bytes | Tag::ByteStr => {
                // An id of another graph most likely has a different fingerprint.
                self.spans.get(cell).is_some() && cell == Cell::text(cell.tag(), cell.high(), self.payload(cell))
            }
            Tag::ByteArray | Tag::BigInt => self.spans.get(cell).is_some(),
            Tag::WideFloat => self.floats.get(cell).is_some(),
            Tag::Complex => self.complexes.get(cell).is_some(),
            Tag::Global => self.globals.get(cell).is_some(),
            Tag::Buffer => self.buffers.get(cell).is_some(),
            Tag::Persistent => self.persistents.get(cell).is_some(),
            Tag::Object => self.objects.get(cell).is_some(),
            Tag::NativeObject => self.natives.get(cell).is_some(),
            Tag::Hole => false,
            _ => true,
        }
    }
}
