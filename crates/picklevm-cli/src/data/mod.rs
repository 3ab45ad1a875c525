//! Arrays, tables and tensors of a file, and plain data: what `list` and `convert` read.

pub(crate) mod convert;
mod input;
pub(crate) mod items;
mod output;
mod plain_json;
mod python;
mod several;
mod text_input;
mod yaml;

pub(crate) use plain_json::PlainJson;
