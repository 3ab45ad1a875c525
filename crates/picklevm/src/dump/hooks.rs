//! Hooks of `Pickler`.

use std::sync::Arc;

use super::pickler::Pickler;
use crate::error::Result;
use crate::graph::{Id, ReduceContext};
use crate::reduce::DispatchTable;

impl Pickler {
    /// Sets a function that returns the persistent id to write for a value: Python's `persistent_id`. It is called
    /// first, for every value except the ids themselves. For `Ok(None)` the value is written.
    ///
    /// An id is any value; at protocol 0, one line of ASCII text. The function is called once for each value, however
    /// often the value occurs.
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

    /// Sets a function that reduces objects, native objects and globals: Python's `reducer_override`. It is called
    /// before the [dispatch table](Pickler::dispatch_table) and [`NativeObject::reduce`](crate::NativeObject::reduce).
    /// `Ok(None)` is its `NotImplemented`.
    ///
    /// ```
    /// // Writes a class of `__main__`, which another program does not have, as one of a module.
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

    /// Sets the reducers of classes: Python's `dispatch_table`. Takes a table, or an [`Arc`] of one that picklers
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
