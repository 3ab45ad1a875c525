//! Bytes -> graph -> pickle -> graph: what was written once changes no more.

use picklevm::{ErrorKind, Graph, Pickler, Protocol, same_graph};

use super::symbolic;

/// Runs the target: the first byte chooses the protocol.
///
/// The first writing may change what no pickler makes: sets and bytes become calls below their protocol, names those
/// of the protocol's Python, and calls that add nothing to an object are left out.
pub(crate) fn run(data: &[u8]) {
    let Some((choice, pickle)) = data.split_first() else { return };
    let Ok(graph) = symbolic().loads(pickle) else { return };
    let pickler = Pickler::new().protocol(Protocol::try_from(choice % 6).expect("there are six"));
    let Some(once) = rewritten(&graph, &pickler) else { return };
    let Some(twice) = rewritten(&once, &pickler) else { return };
    assert!(same_graph(once.root(), twice.root()), "{:?} became {:?}", once.root(), twice.root());
}

/// The graph that is loaded from what is written of `graph`; `None` where it cannot be written.
fn rewritten(graph: &Graph, pickler: &Pickler) -> Option<Graph> {
    match pickler.dumps(graph.root()) {
        Ok(written) => {
            Some(symbolic().loads(&written).unwrap_or_else(|error| panic!("{error}: {}", written.escape_ascii())))
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unrepresentable, "{error}");
            None
        }
    }
}
