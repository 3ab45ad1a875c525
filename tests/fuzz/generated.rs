//! Valid pickles -> load: every pickle loads, and optimizing preserves the graph.

use super::{generate, load, symbolic};

/// Runs the target.
pub(crate) fn run(data: &[u8]) {
    let pickle = generate::pickle(data);
    if let Err(error) = symbolic().loads(&pickle) {
        panic!("{error}: {}", pickle.escape_ascii());
    }
    load::all_ways(&symbolic(), &pickle);
    super::ops::run(&pickle);
}
