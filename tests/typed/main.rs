//! Typed views: reading and writing standard library objects of every Python version.

mod calls;
#[cfg(all(feature = "chrono-04", feature = "jiff-02"))]
mod conversions;
mod frozen;
mod live;
mod malformed;
mod objects;
#[allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#[path = "../support/python.rs"]
mod python;
mod robust;
mod vectors;

/// Returns the root of the repository.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

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

fn unhex(hex: &str) -> Vec<u8> {
    let byte = |digits: &[u8; 2]| {
        let digits = std::str::from_utf8(digits).expect("ASCII");
        u8::from_str_radix(digits, 16).expect("hexadecimal digits")
    };
    hex.as_bytes().as_chunks().0.iter().map(byte).collect()
}
