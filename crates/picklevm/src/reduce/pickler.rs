//! The hooks of `Pickler`.

use std::sync::Arc;

use super::{DispatchTable, ReduceContext};
use crate::error::Result;
use crate::graph::Id;
use crate::pickler::Pickler;

impl Pickler {
    /// Who knows values by an id that is written in their place: Python's `persistent_id`, asked first and about every
    /// value but the ids themselves. `Ok(None)` leaves a value to be written.
    ///
    /// An id is any value; at protocol 0, one line of ASCII text. Each value is asked about once, however often it
    /// occurs.
    ///
    /// ```
    /// let pickler = picklevm::Pickler::new().persistent_id(|value| {
    ///     let is_secret = value.this().as_str() == Some("secret");
    ///     Ok(is_secret.then(|| value.add(7)))
    /// });
    /// let graph = picklevm::Graph::from(["open", "secret"]);
    /// let pickle = pickler.dumps(graph.root())?;
    /// assert_eq!(format!("{:?}", picklevm::loads(pickle)?.root()), "['open', persistent(7)]");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn persistent_id(
        mut self,
        hook: impl Fn(&mut ReduceContext<'_>) -> Result<Option<Id>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.persistent_id = Some(Arc::new(hook));
        self
    }

    /// Who reduces objects, native objects and globals before the [dispatch table](Pickler::dispatch_table) and
    /// [`NativeObject::reduce`](crate::NativeObject::reduce) do: Python's `reducer_override`. `Ok(None)` is its `NotImplemented`.
    ///
    /// ```
    /// // Classes of `__main__`, which another program does not have, are written as those of a module.
    /// let pickler = picklevm::Pickler::new().reducer_override(|value| {
    ///     let is_main = value.this().as_global().is_some_and(|global| global.is("__main__", "Point"));
    ///     Ok(is_main.then(|| value.global("geometry", "Point")))
    /// });
    /// let mut graph = picklevm::Graph::new();
    /// let point = graph.instance("__main__", "Point").attr("x", 1).build()?;
    /// let pickle = pickler.dumps(graph.value(point))?;
    /// assert_eq!(format!("{:?}", picklevm::loads(pickle)?.root()), "geometry.Point() with state {'x': 1}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn reducer_override(
        mut self,
        hook: impl Fn(&mut ReduceContext<'_>) -> Result<Option<Id>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.reducer_override = Some(Arc::new(hook));
        self
    }

    /// How the instances of classes are reduced, Python's `dispatch_table`: its own, or one in an [`Arc`] that picklers
    /// share.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use picklevm::{DispatchTable, Pickler, Protocol};
    ///
    /// let table = Arc::new(DispatchTable::new().reduce("app.Now", |now| now.call("time", "time").build()));
    /// let [old, new] = [Protocol::V0, Protocol::V5].map(|p| Pickler::new().protocol(p).dispatch_table(table.clone()));
    /// let mut graph = picklevm::Graph::new();
    /// let now = graph.instance("app", "Now").build()?;
    /// for pickler in [old, new] {
    ///     let pickle = pickler.dumps(graph.value(now))?;
    ///     assert_eq!(format!("{:?}", picklevm::loads(pickle)?.root()), "time.time()");
    /// }
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn dispatch_table(mut self, table: impl Into<Arc<DispatchTable>>) -> Self {
        self.hooks.dispatch_table = table.into();
        self
    }
}
