//! Memory that a thread keeps for its next load or dump: taking it back costs less than allocating it.

use std::cell::Cell;
use std::thread::LocalKey;

/// State that is cleared and reused.
pub(crate) trait Reuse: Default {
    /// Clears everything, and frees memory beyond the capacity to reuse.
    fn clear(&mut self);
}

/// The state of a thread, after its first use.
pub(crate) struct ThreadReuse<T>(Cell<Option<T>>);

impl<T> ThreadReuse<T> {
    pub(crate) const fn new() -> Self {
        ThreadReuse(Cell::new(None))
    }
}

/// Takes the thread's state. Creates one for the first use, and if it is taken already, as in a load that a resolver
/// starts.
#[inline]
pub(crate) fn take<T: Default>(reused: &'static LocalKey<ThreadReuse<T>>) -> T {
    match reused.try_with(|reused| reused.0.take()) {
        Ok(Some(state)) => state,
        _ => new(),
    }
}

/// Creates a state. Out of line, as what is made on its way into a box takes space on the stack of the caller.
#[cold]
#[inline(never)]
fn new<T: Default>() -> T {
    T::default()
}

/// Keeps the state for the thread's next use. When the thread is ending, the state is dropped.
#[inline]
pub(crate) fn keep<T>(reused: &'static LocalKey<ThreadReuse<T>>, state: T) {
    let _ = reused.try_with(|reused| reused.0.set(Some(state)));
}

/// Runs a load on the thread's state, which is empty before and after. After a panic in the caller's code, the state is
/// dropped.
#[inline]
pub(crate) fn with<T: Reuse, R>(reused: &'static LocalKey<ThreadReuse<Box<T>>>, load: impl FnOnce(&mut T) -> R) -> R {
    let mut state = take(reused);
    let loaded = load(&mut state);
    state.clear();
    keep(reused, state);
    loaded
}

/// Frees the thread's state, unless it is in use.
pub(crate) fn trim<T>(reused: &'static LocalKey<ThreadReuse<T>>) {
    let _ = reused.try_with(|reused| reused.0.take());
}
