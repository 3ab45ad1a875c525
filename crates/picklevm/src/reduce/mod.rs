//! Reduction: replaces native objects, and values that the hooks of a pickler handle, before writing.

pub(crate) mod lower;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::error::Result;
use crate::graph::{Arena, Id, ReduceContext};

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
        !self.is_empty() || !arena.natives.is_empty()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.persistent_id.is_none() && self.reducer_override.is_none() && self.dispatch_table.classes.is_empty()
    }
}
