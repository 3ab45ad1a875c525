//! Pickles among other bytes: where they begin and end, and what openers need to know of what is in them.

mod complete;
mod evaluate;
mod extent;
mod latin1;
mod line_ends;
mod numpy_dtype;

pub use complete::{Completed, complete};
pub use extent::RawArray;
pub use line_ends::{has_converted_line_ends, restore_line_ends};

pub(crate) use evaluate::{Evaluation, Value};
pub(crate) use extent::{Broken, Extent, extent};
pub(crate) use latin1::Latin1;
pub(crate) use numpy_dtype::size_of_code;
