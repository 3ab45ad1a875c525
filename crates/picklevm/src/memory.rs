//! The memory that the library keeps between loads and dumps.

use crate::{direct_write, emitter, graph, load};

/// Frees the memory kept for the next loads: up to 64 MiB for the process and up to 18 MiB for this thread.
///
/// New memory costs more than most of the work of a load, so the memory of dropped graphs is reused. Call this when a
/// program has no more pickles to load.
///
/// ```
/// let graph = picklevm::loads(b"\x80\x02]q\x00(K\x01K\x02e.")?;
/// drop(graph);
/// picklevm::trim_memory();
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn trim_memory() {
    graph::trim();
    load::trim();
    emitter::trim();
    direct_write::trim();
    #[cfg(feature = "serde")]
    crate::serde::trim();
}
