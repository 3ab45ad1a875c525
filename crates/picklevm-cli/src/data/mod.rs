//! Arrays, tables and tensors of a file: what `list` and `convert` read.

pub(crate) mod convert;
mod input;
pub(crate) mod items;
mod output;
mod python;
