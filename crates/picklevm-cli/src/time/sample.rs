//! Samples of how long something takes, in nanoseconds a call.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A sample is the mean over as many calls as last this long.
const SAMPLE: Duration = Duration::from_millis(1);
/// Graphs that are loaded, then dropped, to see how a short load and its drop share their time.
const BATCH: usize = 64;

/// Samples of a call, including the time to drop its result.
pub(super) fn call<T>(repeat: usize, call: impl Fn() -> T) -> Vec<u64> {
    let calls = calls_a_sample(&call);
    (0..repeat).map(|_| nanoseconds(time(calls, &call), calls)).collect()
}

/// Samples of a call without dropping its result, unless it is too short to be timed alone.
pub(super) fn call_alone<T>(repeat: usize, call: impl Fn() -> T) -> Vec<u64> {
    let calls = calls_a_sample(&call);
    let sample = |_| if calls > 1 { nanoseconds(time(calls, &call), calls) } else { once(&call).0 };
    (0..repeat).map(sample).collect()
}

/// Samples of a call, and of dropping its result.
///
/// A call that lasts a sample is timed apart from the drop. Shorter ones are timed in turns with their drops, as in a
/// program that loads many short pickles, and that time is divided as a batch of calls and the drops of their results
/// divide theirs: reading the clock for each would take as long as the calls.
pub(super) fn call_and_drop<T>(repeat: usize, call: impl Fn() -> T) -> (Vec<u64>, Vec<u64>) {
    let calls = calls_a_sample(&call);
    let sample = |_| {
        if calls == 1 {
            return once(&call);
        }
        let both = time(calls, &call);
        let mut results = Vec::with_capacity(BATCH);
        let start = Instant::now();
        for _ in 0..BATCH {
            results.push(black_box(call()));
        }
        let called = start.elapsed();
        let start = Instant::now();
        results.clear();
        let dropped = start.elapsed();
        let calling = both.mul_f64(called.as_secs_f64() / (called + dropped).as_secs_f64().max(f64::MIN_POSITIVE));
        (nanoseconds(calling, calls), nanoseconds(both.saturating_sub(calling), calls))
    };
    (0..repeat).map(sample).unzip()
}

/// Nanoseconds of one call, and of dropping its result.
fn once<T>(call: impl Fn() -> T) -> (u64, u64) {
    let start = Instant::now();
    let result = call();
    black_box(&result);
    let called = start.elapsed();
    let start = Instant::now();
    drop(result);
    (nanoseconds(called, 1), nanoseconds(start.elapsed(), 1))
}

/// How many calls last as long as a sample.
fn calls_a_sample<T>(call: impl Fn() -> T) -> u32 {
    let mut calls = 1;
    while time(calls, &call) < SAMPLE && calls < 1 << 24 {
        calls *= 2;
    }
    calls
}

fn time<T>(calls: u32, call: impl Fn() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        // By reference: moving a result into the black box and out takes longer than to write a short pickle.
        black_box(&call());
    }
    start.elapsed()
}

fn nanoseconds(total: Duration, calls: u32) -> u64 {
    u64::try_from(total.as_nanos() / u128::from(calls)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_call_and_its_drop_both_take_time() {
        let (called, dropped) = call_and_drop(20, || vec![black_box(7u8); 4096]);
        assert!(called.iter().chain(&dropped).all(|&sample| sample > 1), "{called:?} {dropped:?}");
    }
}
