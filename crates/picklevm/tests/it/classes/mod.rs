//! Tests of Rust types that map to Python classes.

mod cpython;
mod errors;
mod forms;
mod types;
mod vectors;
