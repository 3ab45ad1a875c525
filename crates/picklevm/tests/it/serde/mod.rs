//! Tests of reading and writing Rust types with serde.

mod as_types;
mod cpython;
mod errors;
mod formats;
mod python_types;
mod shapes;
mod sharing;
mod table;
mod writing;
