//! Bytes -> graph -> pickle -> graph: what is written loads to an isomorphic graph.

use picklevm::{ErrorKind, Pickler, Protocol, same_graph};

use super::symbolic;

/// Runs the target: the first byte chooses the protocol.
pub(crate) fn run(data: &[u8]) {
    let Some((choice, pickle)) = data.split_first() else { return };
    let Ok(graph) = symbolic().loads(pickle) else { return };
    let protocol = Protocol::try_from(choice % 6).expect("there are six");
    let written = match Pickler::new().protocol(protocol).dumps(graph.root()) {
        Ok(written) => written,
        Err(error) => return assert_eq!(error.kind(), ErrorKind::Unrepresentable, "{error}"),
    };
    let again = symbolic().loads(&written).unwrap_or_else(|error| panic!("{error}: {}", written.escape_ascii()));
    assert!(same_graph(graph.root(), again.root()), "{:?} became {:?}", graph.root(), again.root());
}
