//! Arenas of dropped graphs, kept so that the next load need not allocate.
//!
//! Fresh memory costs a page fault every 4 KiB, which is most of what loading a large graph takes. A thread keeps a few
//! small arenas for itself; large ones are kept for the whole process, so that what is kept does not grow with the
//! number of threads.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use triomphe::{Arc, UniqueArc};

use super::arena::Arena;

/// How many small arenas a thread keeps.
const SMALL_KEPT: usize = 4;
/// A small arena takes at most this many bytes.
const SMALL_BYTES: usize = 1 << 18;
/// Bytes of all the large arenas that are kept.
const LARGE_BYTES: usize = 64 << 20;
/// A large arena serves an input if it takes at most this many bytes for each of the input's: no graph of honest data
/// is so much larger than its pickle.
const BYTES_A_BYTE: u64 = 16;

thread_local! {
    /// Small arenas, the one that was dropped last in front.
    static SMALL: [Cell<Option<UniqueArc<Arena>>>; SMALL_KEPT] = const { [const { Cell::new(None) }; SMALL_KEPT] };
}

/// The large ones, the one that was dropped last at the end.
static LARGE: Mutex<Vec<UniqueArc<Arena>>> = Mutex::new(Vec::new());

/// An empty arena that nobody shares.
#[inline]
pub(crate) fn take() -> UniqueArc<Arena> {
    let small = SMALL.try_with(|small| small.iter().find_map(Cell::take));
    small.ok().flatten().unwrap_or_else(|| UniqueArc::new(Arena::default()))
}

/// An empty arena for what an input of `len` bytes makes.
#[inline]
pub(crate) fn take_for(len: u64) -> UniqueArc<Arena> {
    let most = len.saturating_mul(BYTES_A_BYTE);
    if most <= SMALL_BYTES as u64 {
        return take();
    }
    take_large(most).unwrap_or_else(take)
}

/// The largest of the large ones that takes at most so many bytes.
fn take_large(most: u64) -> Option<UniqueArc<Arena>> {
    let mut large = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = large.iter().map(|arena| arena.capacity_bytes() as u64).enumerate();
    let (best, _) = bytes.filter(|(_, bytes)| *bytes <= most).max_by_key(|(_, bytes)| *bytes)?;
    Some(large.remove(best))
}

/// Keeps the memory of an arena, if nobody else holds it and it is not too much.
#[inline]
pub(crate) fn give(arena: Arc<Arena>) {
    let Ok(mut arena) = Arc::try_unique(arena) else { return };
    if !arena.is_tiny() {
        let bytes = arena.capacity_bytes();
        if bytes > SMALL_BYTES {
            return give_large(arena, bytes);
        }
    }
    // Native objects are dropped here, before anything is taken: their code may drop graphs itself.
    arena.clear();
    // A thread that ends keeps nothing.
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
    if bytes > LARGE_BYTES {
        return;
    }
    // As above, before anything is locked.
    arena.clear();
    let mut large = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    large.push(arena);
    let mut room = LARGE_BYTES;
    let kept = large.iter().rev().take_while(|arena| match room.checked_sub(arena.capacity_bytes()) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    });
    let surplus = large.len() - kept.count();
    let surplus: Vec<_> = large.drain(..surplus).collect();
    // Freeing is slow; others need not wait for it.
    drop(large);
    drop(surplus);
}

/// Gives back all that is kept for this thread, and for the process.
pub(crate) fn trim() {
    let _ = SMALL.try_with(|small| small.iter().for_each(|slot| drop(slot.take())));
    let large = std::mem::take(&mut *LARGE.lock().unwrap_or_else(PoisonError::into_inner));
    drop(large);
}
