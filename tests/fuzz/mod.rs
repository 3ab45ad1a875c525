//! Fuzz target bodies, shared by `fuzz/` (libFuzzer, nightly) and the test runner (stable).
//!
//! Each takes arbitrary bytes and panics if an invariant is violated. Limits are far below the defaults, so that inputs
//! that expand end early.

pub(crate) mod data;
pub(crate) mod decode;
pub(crate) mod generate;
pub(crate) mod generated;
pub(crate) mod load;
pub(crate) mod open;
pub(crate) mod ops;
pub(crate) mod roundtrip;
#[cfg(feature = "serde")]
pub(crate) mod shapes;

use picklevm::{Graph, Limits, Symbolic, Unpickler};

/// A target: its name and its body.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All targets.
pub(crate) const TARGETS: &[Target] = &[
    ("data", data::run),
    ("decode", decode::run),
    ("load", load::run),
    ("generated", generated::run),
    ("open", open::run),
    ("ops", ops::run),
    ("roundtrip", roundtrip::run),
    #[cfg(feature = "serde")]
    ("shapes", shapes::run),
];

/// Returns the limits for fuzz inputs.
pub(crate) fn limits() -> Limits {
    Limits::untrusted().nodes(1 << 18).bytes(16 << 20).stack(1 << 18).memo(1 << 18).digits(20_000)
}

/// Returns an unpickler that resolves no names.
pub(crate) fn symbolic() -> Unpickler {
    Unpickler::new().resolver(Symbolic).limits(limits())
}

/// Returns the graph form of a graph.
pub(crate) fn form(graph: &Graph) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to a vector cannot fail; a form that grows too large is truncated.
    let _ = picklevm::write_graph_form(graph.root(), &mut out);
    out
}
