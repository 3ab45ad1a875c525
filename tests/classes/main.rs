//! Tests of Rust types that map to Python classes.

mod cpython;
mod errors;
mod forms;
#[allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#[path = "../support/python.rs"]
mod python;
mod types;
mod vectors;

/// The root of the repository.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
