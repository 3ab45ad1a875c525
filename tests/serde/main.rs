//! Tests of reading and writing Rust types with serde.

mod cpython;
mod errors;
mod formats;
#[allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#[path = "../support/python.rs"]
mod python;
mod python_types;
mod shapes;
mod sharing;
mod table;
mod writing;

/// The root of the repository.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
