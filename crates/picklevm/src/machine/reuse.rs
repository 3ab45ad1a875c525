//! What a thread keeps from load to load for its memory: a machine, and what a builder has of its own.

use std::cell::Cell;
use std::thread::LocalKey;

use super::{Machine, Slot};

/// What is emptied after each load.
pub(crate) trait Reuse: Default {
    /// Forgets all, keeping memory unless it is much.
    fn clear(&mut self);
}

impl<V: Slot> Reuse for Machine<V> {
    #[inline]
    fn clear(&mut self) {
        Machine::clear(self);
    }
}

/// What is kept, once there was a load.
pub(crate) struct Kept<T>(Cell<Option<Box<T>>>);

impl<T> Kept<T> {
    pub(crate) const fn new() -> Self {
        Kept(Cell::new(None))
    }
}

/// Runs a load on what the thread keeps, which is empty before and after.
///
/// A load inside of a load, as a resolver may ask for, finds nothing and makes it anew. One that panics in code of the
/// caller's leaves nothing.
#[inline]
pub(crate) fn with<T: Reuse, R>(kept: &'static LocalKey<Kept<T>>, load: impl FnOnce(&mut T) -> R) -> R {
    let mut taken = kept.try_with(|kept| kept.0.take()).ok().flatten().unwrap_or_default();
    let loaded = load(&mut taken);
    taken.clear();
    // A thread that ends keeps nothing.
    let _ = kept.try_with(|kept| kept.0.set(Some(taken)));
    loaded
}

/// Drops what the thread keeps, unless a load is using it.
pub(crate) fn trim<T>(kept: &'static LocalKey<Kept<T>>) {
    let _ = kept.try_with(|kept| kept.0.take());
}
