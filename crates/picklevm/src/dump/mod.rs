//! Dumping: `Pickler`, its hooks, and streams of pickles.

mod hooks;
#[cfg(feature = "huge-pages")]
mod huge_pages;
mod pickler;

pub use pickler::{Pickler, StreamPickler, dump, dumps};
