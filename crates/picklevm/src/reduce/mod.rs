//! Reduction: what is written in the place of native objects, and of what the hooks of a pickler claim.

pub(crate) mod lower;
mod pickler;

use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::error::Result;
use crate::graph::{Arena, Cell, Id, Value};
use crate::protocol::Protocol;

/// A value that is being pickled, and the graph to make in what is written for it.
///
/// Dereferences to an [`Arena`] that is a copy of the graph: what hooks make is not seen in the graph itself. What
/// `__reduce_ex__` returns as a tuple of two to six items is an object here, made by [`Arena::call`] or
/// [`Arena::instance`] with its arguments, items, pairs, state and [setter](crate::Instance::state_setter) of the state;
/// what it returns as a string is an [`Arena::global`].
pub struct ReduceContext<'a> {
    arena: &'a mut Arena,
    this: Cell,
    protocol: Protocol,
}

impl ReduceContext<'_> {
    /// The value that is being pickled.
    pub fn this(&self) -> Value<'_> {
        Value::new(self.arena, self.this)
    }

    /// The protocol it is pickled at.
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

/// The value and the protocol.
impl fmt::Debug for ReduceContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at protocol {}", self.this(), self.protocol)
    }
}

/// A hook that may claim a value.
pub(crate) type Claim = dyn Fn(&mut ReduceContext<'_>) -> Result<Option<Id>> + Send + Sync;
/// A function that reduces the instances of a class.
type Reducer = dyn Fn(&mut ReduceContext<'_>) -> Result<Id> + Send + Sync;

/// How the instances of classes are reduced, by the names of the classes: `copyreg.dispatch_table`, as a value.
///
/// It holds for native objects by their [`class_name`](crate::NativeObject::class_name) and for symbolic ones by their class.
/// Cheap to clone; picklers may share one or have each its own.
///
/// ```
/// use picklevm::{DispatchTable, Pickler, Protocol};
///
/// let table = DispatchTable::new().reduce("geometry.Point", |point| {
///     let x = point.this().as_object().and_then(|o| o.attr("x")).and_then(|x| x.as_i64());
///     point.call("geometry", "point_at").arg(x).build()
/// });
/// let mut graph = picklevm::Graph::new();
/// let point = graph.instance("geometry", "Point").attr("x", 7).build()?;
/// let pickle = Pickler::new().protocol(Protocol::V2).dispatch_table(table).dumps(graph.value(point))?;
/// assert_eq!(format!("{:?}", picklevm::loads(pickle)?.root()), "geometry.point_at(7)");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct DispatchTable {
    classes: HashMap<String, Arc<Reducer>>,
}

impl DispatchTable {
    /// No classes.
    pub fn new() -> Self {
        DispatchTable::default()
    }

    /// Reduces the instances of a class (`module.name`) by a function: `copyreg.pickle`.
    #[must_use]
    pub fn reduce(
        mut self,
        class: &str,
        reducer: impl Fn(&mut ReduceContext<'_>) -> Result<Id> + Send + Sync + 'static,
    ) -> Self {
        self.classes.insert(class.replace(':', "."), Arc::new(reducer));
        self
    }
}

/// The names of the classes.
impl fmt::Debug for DispatchTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.classes.keys()).finish()
    }
}

/// The hooks of a pickler, in the order in which they are asked.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) persistent_id: Option<Arc<Claim>>,
    pub(crate) reducer_override: Option<Arc<Claim>>,
    pub(crate) dispatch_table: Arc<DispatchTable>,
}

impl Hooks {
    /// Whether anything of a graph may have to be replaced.
    pub(crate) fn concern(&self, arena: &Arena) -> bool {
        self.persistent_id.is_some()
            || self.reducer_override.is_some()
            || !self.dispatch_table.classes.is_empty()
            || !arena.lives.is_empty()
    }
}
