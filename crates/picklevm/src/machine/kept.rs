//! The machine of a thread, kept from load to load for the memory of its stack, marks and memo.

use std::cell::RefCell;
use std::thread::LocalKey;

use super::{Machine, Slot};

/// A machine, once there was a load.
pub(crate) struct Kept<V>(RefCell<Option<Machine<V>>>);

impl<V> Kept<V> {
    pub(crate) const fn new() -> Self {
        Kept(RefCell::new(None))
    }
}

/// Runs a load on the thread's machine, which is empty before and after, even if the load panics in code of the caller's.
pub(crate) fn with<V: Slot, T>(kept: &'static LocalKey<Kept<V>>, load: impl FnOnce(&mut Machine<V>) -> T) -> T {
    kept.with(|kept| match kept.0.try_borrow_mut() {
        Ok(mut machine) => {
            let cleared = Cleared(machine.get_or_insert_with(Machine::new));
            load(cleared.0)
        }
        // A resolver loads a pickle itself.
        Err(_) => load(&mut Machine::new()),
    })
}

/// Drops the thread's machine, unless a load is using it.
pub(crate) fn trim<V: Slot>(kept: &'static LocalKey<Kept<V>>) {
    let _ = kept.try_with(|kept| kept.0.try_borrow_mut().map(|mut machine| machine.take()));
}

/// Clears a machine when it is dropped.
struct Cleared<'m, V: Slot>(&'m mut Machine<V>);

impl<V: Slot> Drop for Cleared<'_, V> {
    fn drop(&mut self) {
        self.0.clear();
    }
}
