//! Reduction: replaces native objects, and values that the hooks of a pickler handle, before writing.

pub(crate) mod lower;
mod pickler;

use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::error::Result;
use crate::graph::{Arena, Cell, Id, Value};
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

impl ReduceContext<'_> {
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

/// A hook that may replace a value.
pub(crate) type Hook = dyn Fn(&mut ReduceContext<'_>) -> Result<Option<Id>> + Send + Sync;
/// A function that reduces the instances of a class.
type Reducer = dyn Fn(&mut ReduceContext<'_>) -> Result<Id> + Send + Sync;

/// A table of reducers by class name: Python's `copyreg.dispatch_table`.
///
/// It applies to native objects by their [`class_name`](crate::NativeObject::class_name) and to symbolic objects by
/// their class. Cheap to clone; picklers can share one.
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
    /// Creates an empty table.
    pub fn new() -> Self {
        DispatchTable::default()
    }

    /// Registers the reducer of a class (`module.name`): `copyreg.pickle`.
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

/// Shows the names of the classes.
impl fmt::Debug for DispatchTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.classes.keys()).finish()
    }
}

/// The hooks of a pickler, in the order in which they are called.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) persistent_id: Option<Arc<Hook>>,
    pub(crate) reducer_override: Option<Arc<Hook>>,
    pub(crate) dispatch_table: Arc<DispatchTable>,
}

impl Hooks {
    /// Whether the hooks may replace values of a graph.
    pub(crate) fn may_replace(&self, arena: &Arena) -> bool {
        self.persistent_id.is_some()
            || self.reducer_override.is_some()
            || !self.dispatch_table.classes.is_empty()
            || !arena.natives.is_empty()
    }
}
