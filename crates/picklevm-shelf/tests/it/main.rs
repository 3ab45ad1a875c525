//! Tests of the shelf.

mod damage;
mod pythons;
mod writing;

use std::path::{Path, PathBuf};

/// A shelf that Python wrote, by its name.
fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/shelf").join(name)
}
