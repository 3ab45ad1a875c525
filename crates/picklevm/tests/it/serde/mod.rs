//! Tests of reading and writing Rust types with serde.

mod as_types;
mod buffered;
mod cpython;
mod errors;
mod formats;
mod python_types;
mod shapes;
mod sharing;
mod table;
mod views;
mod writing;

/// Reads a pickle as JSON.
fn json(pickle: &[u8]) -> Result<serde_json::Value, String> {
    picklevm::serde::from_slice(pickle).map_err(|error| error.to_string())
}
