//! What the tests of this workspace share: hexadecimal text, pseudorandom numbers, slow readers, paths, golden files and
//! the Pythons of the machine.
//!
//! It depends on no other crate, so that the tests of every crate can use it.

mod golden;
mod hex;
pub mod python;
mod random;
mod readers;

use std::path::{Path, PathBuf};

pub use golden::assert_golden;
pub use hex::{hex, unhex};
pub use random::Random;
pub use readers::OneByte;

/// Returns the root of the repository.
///
/// # Panics
///
/// If the repository was moved after the tests were built.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}
