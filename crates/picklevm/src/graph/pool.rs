//! Arenas of dropped graphs, kept a thread so that the next load need not allocate.

use std::cell::RefCell;
use std::sync::Arc;

use super::arena::Arena;

/// How many arenas a thread keeps.
const KEPT: usize = 4;
/// An arena that takes more bytes than this is given back to the allocator.
const KEPT_BYTES: usize = 1 << 18;

thread_local! {
    static POOL: RefCell<Vec<Arc<Arena>>> = const { RefCell::new(Vec::new()) };
}

/// An empty arena that nobody shares.
#[inline]
pub(crate) fn take() -> Arc<Arena> {
    POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop()).ok().flatten().unwrap_or_default()
}

/// Keeps the memory of an arena, if nobody else holds it and it is small.
#[inline]
pub(crate) fn give(mut arena: Arc<Arena>) {
    let Some(unique) = Arc::get_mut(&mut arena) else { return };
    if unique.capacity_bytes() > KEPT_BYTES {
        return;
    }
    unique.clear();
    // A thread that ends, or a drop inside of a drop, keeps nothing.
    let _ = POOL.try_with(|pool| {
        if let Ok(mut pool) = pool.try_borrow_mut()
            && pool.len() < KEPT
        {
            pool.push(arena);
        }
    });
}
