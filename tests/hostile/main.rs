//! Input made to exhaust a reader: every case ends soon, in a value or an error.
//!
//! Sizes are such that work that grows with the square of the input takes minutes, and work that grows with the input
//! less than a second; the bound lies between.

mod broken;
mod corpus;
mod leaks;
mod limits;
mod memory;
mod nesting;
mod sharing;
mod threads;

use std::time::{Duration, Instant};

/// Runs `work` and panics if it took longer than work in proportion to the input can take, even on a busy machine.
fn soon<T>(work: impl FnOnce() -> T) -> T {
    const BOUND: Duration = Duration::from_secs(30);
    let start = Instant::now();
    let done = work();
    assert!(start.elapsed() < BOUND, "it took {:?}", start.elapsed());
    done
}

/// BINUNICODE of a text.
fn text(text: &[u8]) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text].concat()
}
