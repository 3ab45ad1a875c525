//! Pickles that CPython wrote with each hook and option of its `Pickler`; `tests/data/hooks.py` makes them.

use bytes::Bytes;

/// One pickle and its out-of-band buffers.
pub(crate) struct Vector {
    pub(crate) name: &'static str,
    pub(crate) pickle: Bytes,
    pub(crate) buffers: Vec<Bytes>,
}

/// The vectors whose names begin with `prefix`; there is at least one.
pub(crate) fn vectors(prefix: &str) -> Vec<Vector> {
    let lines = include_str!("../data/hooks.txt").lines().filter(|line| line.starts_with(prefix));
    let vectors: Vec<Vector> = lines
        .map(|line| {
            let mut parts = line.split(' ');
            let name = parts.next().expect("a name");
            let pickle = unhex(parts.next().expect("a pickle"));
            // What Python refused to decode has the word `error` in the place of a pickle.
            let buffers = parts.filter(|part| *part != "error").map(unhex).collect();
            Vector { name, pickle, buffers }
        })
        .collect();
    assert!(!vectors.is_empty(), "no vector is called {prefix}");
    vectors
}

fn unhex(hex: &str) -> Bytes {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a hexadecimal digit") as u8;
    hex.as_bytes().as_chunks::<2>().0.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect()
}
