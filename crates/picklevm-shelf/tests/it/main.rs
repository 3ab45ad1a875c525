//! Tests of the shelf.

mod damage;
mod pythons;
mod writing;

use std::path::PathBuf;

/// A shelf that Python wrote, by its name.
fn data(name: &str) -> PathBuf {
    picklevm_testing::root().join("tests/data/shelf").join(name)
}
