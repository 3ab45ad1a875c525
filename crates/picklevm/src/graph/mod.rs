//! The value graph: nodes in arenas, counted as a whole.
//!
//! A [`Graph`] owns everything that one load made and is itself a reference-counted handle: cloning costs one atomic
//! increment, it can be sent to and read from other threads, and the last handle frees everything at once, cycles
//! included. A [`Value`] is a `Copy` reference into it.

mod arena;
mod cell;
mod compare;
mod decimal;
mod dict_set;
mod edit;
mod error_text;
mod graph_form;
mod hash;
mod int;
mod items;
mod live;
mod lookup;
mod map_children;
mod memoized;
mod memory;
mod node_index;
mod nodes;
mod number;
mod object;
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
pub use compare::same_graph;
pub(crate) use decimal::{from_digits, to_decimal};
pub use edit::{InstanceBuilder, IntoKey, IntoValue, ValueMut, macro_support};
pub(crate) use error_text::{describe, shorten};
pub use graph_form::write_graph_form;
pub(crate) use hash::Unhashable;
pub use int::{Int, OutOfRange};
pub use items::{Entries, Items};
pub use live::{HashMode, NativeObject};
pub use lookup::Key;
pub(crate) use node_index::NodeIndex;
pub(crate) use number::from_le_bytes;
pub use object::Construction;
pub(crate) use object::OpKind;
pub(crate) use payloads::Span;
pub(crate) use pool::trim;
pub use value::{Id, Kind, Value};
pub use views::{Buffer, Change, Dict, Global, Object};
pub(crate) use walk::Walk;

use crate::protocol::Protocol;

/// A graph of Python values: what loading a pickle makes, and what is written as one.
///
/// A handle: clones share the graph. A graph that others hold is copied before it is changed, as by
/// [`Arc::make_mut`](std::sync::Arc::make_mut). Reading, building and changing are methods of [`Arena`], to which it dereferences.
pub struct Graph(Option<Arc<Arena>>);

impl Graph {
    /// A graph without any value.
    pub fn new() -> Graph {
        Graph(Some(pool::take().shareable()))
    }

    /// An empty graph, with memory at hand for what an input of `len` bytes makes.
    #[inline]
    pub(crate) fn for_input(len: Option<u64>) -> Graph {
        Graph(Some(len.map_or_else(pool::take, pool::take_for).shareable()))
    }

    fn of(arena: Arena) -> Graph {
        Graph(Some(Arc::new(arena)))
    }

    /// A handle of one value, which keeps the whole graph.
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

    /// A graph that is a copy of an arena.
    pub(crate) fn copy_of(arena: &Arena) -> Graph {
        Graph::of(arena.clone())
    }

    /// The arena, if nobody else holds it.
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
            None => unreachable!("the arena is there until the graph is dropped"),
        }
    }
}

/// Copies the graph first if others hold it.
impl DerefMut for Graph {
    #[inline]
    fn deref_mut(&mut self) -> &mut Arena {
        let arena = self.unique();
        arena.is_tree = Known(false);
        arena
    }
}

/// Whether the roots are equal by Python's `==`.
impl PartialEq for Graph {
    fn eq(&self, other: &Graph) -> bool {
        let pairs = || self.roots.iter().copied().zip(other.roots.iter().copied());
        self.roots.len() == other.roots.len() && compare::all_equal(self, other, pairs().collect())
    }
}

/// One value together with the graph it lives in: for keeping a value beyond its graph's handle.
///
/// It keeps the whole graph alive; [`detach`](Handle::detach) copies out what the value reaches.
#[derive(Clone)]
pub struct Handle {
    graph: Graph,
    id: Id,
}

impl Handle {
    /// The value.
    pub fn value(&self) -> Value<'_> {
        self.graph.value(self.id)
    }

    /// The graph that it lives in.
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
    /// The value that was loaded, or made the root: the first of them where there are several, and `None` in an
    /// empty graph.
    #[inline]
    pub fn root(&self) -> Value<'_> {
        Value::new(self, self.roots.first().copied().unwrap_or(Cell::NONE))
    }

    /// The protocol that the pickle said which was loaded last; `None` in a graph that was not loaded. Pickles of protocols
    /// 0 and 1 say nothing: both are protocol 0 here.
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

    /// All values that were loaded into this graph, in order.
    pub fn roots(&self) -> Items<'_> {
        Items::new(self, &self.roots)
    }

    /// Objects that were made for their effect alone and dropped by POP, without an object that they belong to.
    pub fn effects(&self) -> Items<'_> {
        Items::new(self, &self.effects)
    }

    /// The value of an id; `None` (the Python value) for an id that no node has.
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
                // The id of another graph most likely has another fingerprint.
                self.spans.get(cell).is_some() && cell == Cell::text(cell.tag(), cell.high(), self.payload(cell))
            }
            Tag::ByteArray | Tag::BigInt => self.spans.get(cell).is_some(),
            Tag::WideFloat => self.floats.get(cell).is_some(),
            Tag::Complex => self.complexes.get(cell).is_some(),
            Tag::Global => self.globals.get(cell).is_some(),
            Tag::Buffer => self.buffers.get(cell).is_some(),
            Tag::Persistent => self.persistents.get(cell).is_some(),
            Tag::Object => self.objects.get(cell).is_some(),
            Tag::NativeObject => self.lives.get(cell).is_some(),
            Tag::Hole => false,
            _ => true,
        }
    }
}
