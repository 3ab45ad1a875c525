//! What a thread keeps from load to load for its memory: a machine, and what a builder has of its own.

use std::cell::RefCell;
use std::thread::LocalKey;

use super::{Machine, Slot};

/// What is emptied after each load.
pub(crate) trait Reuse: Default {
    /// Forgets all, keeping memory unless it is much.
    fn clear(&mut self);
}

impl<V: Slot> Reuse for Machine<V> {
    fn clear(&mut self) {
        Machine::clear(self);
    }
}

/// What is kept, once there was a load.
pub(crate) struct Kept<T>(RefCell<Option<T>>);

impl<T> Kept<T> {
    pub(crate) const fn new() -> Self {
        Kept(RefCell::new(None))
    }
}

/// Runs a load on what the thread keeps, which is empty before and after, even if the load panics in code of the caller's.
pub(crate) fn with<T: Reuse, R>(kept: &'static LocalKey<Kept<T>>, load: impl FnOnce(&mut T) -> R) -> R {
    kept.with(|kept| match kept.0.try_borrow_mut() {
        Ok(mut kept) => {
            let cleared = Cleared(kept.get_or_insert_with(T::default));
            load(cleared.0)
        }
        // A resolver loads a pickle itself.
        Err(_) => load(&mut T::default()),
    })
}

/// Drops what the thread keeps, unless a load is using it.
pub(crate) fn trim<T>(kept: &'static LocalKey<Kept<T>>) {
    let _ = kept.try_with(|kept| kept.0.try_borrow_mut().map(|mut kept| kept.take()));
}

/// Clears what is kept when it is dropped.
struct Cleared<'k, T: Reuse>(&'k mut T);

impl<T: Reuse> Drop for Cleared<'_, T> {
    fn drop(&mut self) {
        self.0.clear();
    }
}
