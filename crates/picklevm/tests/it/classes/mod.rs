//! Tests of Rust types that map to Python classes.

mod cpython;
mod errors;
mod forms;
mod rest;
mod types;
mod vectors;
