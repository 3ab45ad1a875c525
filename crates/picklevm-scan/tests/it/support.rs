//! Ops of pickles, as bytes, for the tests that write them.

/// Ops that push a text.
pub(crate) fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

/// Ops that push a global, by its dotted name.
pub(crate) fn name(dotted: &str) -> Vec<u8> {
    let (module, name) = dotted.rsplit_once('.').unwrap();
    [text(module), text(name), b"\x93".to_vec()].concat()
}

/// Ops that push a tuple of what the items push.
pub(crate) fn tuple(items: &[&[u8]]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

/// Ops that push a list of what the items push.
pub(crate) fn list(items: &[&[u8]]) -> Vec<u8> {
    [b"](", &items.concat()[..], b"e"].concat()
}
