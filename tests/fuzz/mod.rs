//! The bodies of the fuzz targets, shared by `fuzz/` (libFuzzer, nightly) and the runner of the tests (stable).
//!
//! Each takes any bytes and panics where a promise is broken. Limits are far below the defaults, so that an input that
//! grows ends early.

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

/// Limits that a fuzzer's input may meet.
pub(crate) fn limits() -> Limits {
    Limits::untrusted().nodes(1 << 18).bytes(16 << 20).stack(1 << 18).memo(1 << 18).digits(20_000)
}

/// An unpickler that leaves everything a name.
pub(crate) fn symbolic() -> Unpickler {
    Unpickler::new().resolver(Symbolic).limits(limits())
}

/// The graph form of all roots.
pub(crate) fn form(graph: &Graph) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to a vector cannot fail; a form that grows too large is cut.
    let _ = picklevm::write_graph_form(graph.root(), &mut out);
    out
}
