//! Timings as a table.

use std::io::{self, Write};

use super::Timings;
use crate::failure::count;

/// Prints the header, and a line for each measurement.
pub(super) fn print(name: &str, timings: &Timings, out: &mut impl Write) -> io::Result<()> {
    let Timings { bytes, ops, protocol, decode, load, drop, dump, identical, writer: _ } = timings;
    let (size, ops) = (count(*bytes, "byte"), count(usize::try_from(*ops).unwrap_or(usize::MAX), "op"));
    writeln!(out, "{name}: {size}, {ops}, protocol {}", u8::from(*protocol))?;
    writeln!(out, "{:8}{:>10}{:>10}{:>10}{:>12}", "", "median", "fastest", "slowest", "MB/s")?;
    for (what, samples) in [("decode", decode), ("load", load), ("drop", drop), ("dump", dump)] {
        let mut sorted = samples.clone();
        sorted.sort_unstable();
        let (Some(&fastest), Some(&slowest)) = (sorted.first(), sorted.last()) else { continue };
        let median = sorted[sorted.len() / 2];
        let [middle, low, high] = [median, fastest, slowest].map(duration);
        let rate = *bytes as f64 * 1e3 / median.max(1) as f64;
        writeln!(out, "{what:8}{middle:>10}{low:>10}{high:>10}{rate:>12.1}")?;
    }
    let sentence = if *identical { "The dump equals the pickle." } else { "The dump differs from the pickle." };
    writeln!(out, "{sentence}")
}

/// Nanoseconds with three digits and a unit.
fn duration(nanoseconds: u64) -> String {
    let units = [("ns", 1e0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
    let value = nanoseconds as f64;
    let (unit, size) = units.into_iter().rev().find(|(_, size)| value >= *size).unwrap_or(units[0]);
    let value = value / size;
    let digits = if unit == "ns" || value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        for (nanoseconds, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1234, "1.23 µs"),
            (12_345, "12.3 µs"),
            (123_456, "123 µs"),
            (5_000_000, "5.00 ms"),
            (61_000_000_000, "61.0 s"),
        ] {
            assert_eq!(duration(nanoseconds), text);
        }
    }
}
