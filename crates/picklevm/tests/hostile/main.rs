//! Resource exhaustion tests: every input ends quickly, in a value or an error.
//!
//! With the sizes used here, quadratic work takes minutes and linear work less than a second; the time limit lies
//! between.

mod broken;
mod corpus;
mod leaks;
mod limits;
mod memory;
mod nesting;
mod sharing;
mod threads;

use std::time::{Duration, Instant};

/// Runs `work` and panics if it took longer than linear work can take, even on a busy machine.
fn soon<T>(work: impl FnOnce() -> T) -> T {
    const TIME_LIMIT: Duration = Duration::from_secs(30);
    let start = Instant::now();
    let done = work();
    assert!(start.elapsed() < TIME_LIMIT, "it took {:?}", start.elapsed());
    done
}

/// Encodes a text as BINUNICODE.
fn text(text: &[u8]) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text].concat()
}
