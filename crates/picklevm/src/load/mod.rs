//! Loading: `Unpickler`, streams of pickles, and persistent ids alone.

mod noload;
mod stream;
mod unpickler;

pub use stream::Stream;
pub use unpickler::{Unpickler, load, loads};

/// Frees the memory that this thread reuses for loads.
pub(crate) fn trim() {
    unpickler::trim();
    noload::trim();
}
