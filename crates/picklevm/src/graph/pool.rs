//! A pool of the arenas of dropped graphs, reused by the next loads.
//!
//! New memory costs a page fault every 4 KiB, which is most of the time of loading a large graph. Each thread keeps a
//! few small arenas; large ones are kept for the whole process, so that the pool does not grow with the number of
//! threads.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use triomphe::{Arc, UniqueArc};

use super::arena::Arena;

/// Number of small arenas that a thread keeps.
const SMALL_PER_THREAD: usize = 4;
/// Maximum size of a small arena in bytes.
const MAX_SMALL_BYTES: usize = 1 << 18;
/// Maximum size of all large arenas in the pool in bytes.
const MAX_LARGE_BYTES: usize = 64 << 20;
/// A large arena is used for an input if it takes at most this many bytes per input byte. Graphs are rarely that much
/// larger than their pickles.
const MAX_BYTES_PER_INPUT_BYTE: u64 = 16;

thread_local! {
    /// Small arenas, last dropped first.
    static SMALL: [Cell<Option<UniqueArc<Arena>>>; SMALL_PER_THREAD] = const { [const { Cell::new(None) }; SMALL_PER_THREAD] };
}

/// Large arenas, last dropped last.
static LARGE: Mutex<Vec<UniqueArc<Arena>>> = Mutex::new(Vec::new());

/// Takes an empty arena from the pool, or creates one.
#[inline]
pub(crate) fn take() -> UniqueArc<Arena> {
    let small = SMALL.try_with(|small| small.iter().find_map(Cell::take));
    small.ok().flatten().unwrap_or_else(|| UniqueArc::new(Arena::default()))
}

/// Takes an empty arena suited to an input of `len` bytes.
#[inline]
pub(crate) fn take_for(len: u64) -> UniqueArc<Arena> {
    let most = len.saturating_mul(MAX_BYTES_PER_INPUT_BYTE);
    if most <= MAX_SMALL_BYTES as u64 {
        return take();
    }
    take_large(most).unwrap_or_else(take)
}

/// Takes the largest large arena of at most `most` bytes.
fn take_large(most: u64) -> Option<UniqueArc<Arena>> {
    let mut large = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = large.iter().map(|arena| arena.capacity_bytes() as u64).enumerate();
    let (best, _) = bytes.filter(|(_, bytes)| *bytes <= most).max_by_key(|(_, bytes)| *bytes)?;
    Some(large.remove(best))
}

/// Returns an arena to the pool, if it is not shared and not too large.
#[inline]
pub(crate) fn give(arena: Arc<Arena>) {
    let Ok(mut arena) = Arc::try_unique(arena) else { return };
    if !arena.is_tiny() {
        let bytes = arena.capacity_bytes();
        if bytes > MAX_SMALL_BYTES {
            return give_large(arena, bytes);
        }
    }
    // Native objects are dropped here, before the pool is borrowed: their code may drop graphs itself.
    arena.clear();
    // A thread that is ending keeps nothing.
    let _ = SMALL.try_with(|small| {
        let mut arena = Some(arena);
        for slot in small {
            arena = slot.replace(arena);
            if arena.is_none() {
                break;
            }
        }
    });
}

#[inline(never)]
fn give_large(mut arena: UniqueArc<Arena>, bytes: usize) {
    if bytes > MAX_LARGE_BYTES {
        return;
    }
    // As above, before the lock.
    arena.clear();
    let mut large = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    large.push(arena);
    let mut budget = MAX_LARGE_BYTES;
    let kept = large.iter().rev().take_while(|arena| match budget.checked_sub(arena.capacity_bytes()) {
        Some(left) => {
            budget = left;
            true
        }
        None => false,
    });
    let surplus = large.len() - kept.count();
    let surplus: Vec<_> = large.drain(..surplus).collect();
    // Freeing is slow, so the lock is released first.
    drop(large);
    drop(surplus);
}

/// Frees the arenas of this thread and of the process.
pub(crate) fn trim() {
    let _ = SMALL.try_with(|small| small.iter().for_each(|slot| drop(slot.take())));
    let large = std::mem::take(&mut *LARGE.lock().unwrap_or_else(PoisonError::into_inner));
    drop(large);
}
