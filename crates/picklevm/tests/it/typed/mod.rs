//! Typed views: reading and writing standard library objects of every Python version.

mod bound_calls;
mod calls;
#[cfg(all(feature = "chrono-04", feature = "jiff-02"))]
mod conversions;
mod frozen;
mod live;
mod malformed;
mod objects;
mod robust;
mod vectors;

use picklevm_testing::unhex;

/// An object pickled by Python.
struct Sample {
    /// Its name in tests/python/typed_objects.py.
    name: String,
    protocol: picklevm::Protocol,
    pickle: Vec<u8>,
}

/// Parses the lines `NAME PROTOCOL HEX` that the script writes.
fn samples(lines: &str) -> Vec<Sample> {
    let sample = |line: &str| {
        let (name, rest) = line.split_once(' ')?;
        let (protocol, hex) = rest.split_once(' ')?;
        Some(Sample { name: name.into(), protocol: protocol.parse().expect("a protocol"), pickle: unhex(hex) })
    };
    lines.lines().map(|line| sample(line).unwrap_or_else(|| panic!("{line}"))).collect()
}
