//! Per-thread reuse of memory between loads: a machine, and the scratch memory of a builder.

use std::cell::Cell;
use std::thread::LocalKey;

use super::{Machine, Slot};

/// State that is cleared and reused for the next load.
pub(crate) trait Reuse: Default {
    /// Clears everything, and frees memory beyond the capacity to reuse.
    fn clear(&mut self);
}

impl<V: Slot> Reuse for Machine<V> {
    #[inline]
    fn clear(&mut self) {
        Machine::clear(self);
    }
}

/// The reused state of a thread, after its first load.
pub(crate) struct ThreadReuse<T>(Cell<Option<Box<T>>>);

impl<T> ThreadReuse<T> {
    pub(crate) const fn new() -> Self {
        ThreadReuse(Cell::new(None))
    }
}

/// Runs a load on the thread's reused state, which is empty before and after.
///
/// A nested load, started by a resolver, finds none and creates its own. After a panic in the caller's code, the state
/// is dropped.
#[inline]
pub(crate) fn with<T: Reuse, R>(reused: &'static LocalKey<ThreadReuse<T>>, load: impl FnOnce(&mut T) -> R) -> R {
    let mut taken = reused.try_with(|reused| reused.0.take()).ok().flatten().unwrap_or_default();
    let loaded = load(&mut taken);
    taken.clear();
    // When the thread is ending, the state is dropped.
    let _ = reused.try_with(|reused| reused.0.set(Some(taken)));
    loaded
}

/// Frees the thread's reused state, unless a load is using it.
pub(crate) fn trim<T>(reused: &'static LocalKey<ThreadReuse<T>>) {
    let _ = reused.try_with(|reused| reused.0.take());
}
