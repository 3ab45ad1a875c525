//! Bytes -> load -> walk: all ways to load agree, and all operations on the graph terminate.

use std::io::BufReader;

use picklevm::{Error, ErrorKind, Graph, Unpickler};

use super::{form, limits, symbolic};

/// Runs the target.
pub(crate) fn run(data: &[u8]) {
    all_ways(&symbolic(), data);
    all_ways(&Unpickler::new().limits(limits()), data);
}

/// Loads from a slice, from shared bytes and from readers.
pub(crate) fn all_ways(unpickler: &Unpickler, data: &[u8]) {
    let graph = unpickler.loads(data);
    let expected = outcome(&graph);
    assert_eq!(expected, outcome(&unpickler.load_bytes(data.to_vec())), "shared bytes");
    for capacity in [1, 3, 4096] {
        let read = unpickler.load(BufReader::with_capacity(capacity, data));
        // For a length beyond the limit, a reader returns a limit error where a slice reports truncation.
        if !matches!(&read, Err(error) if error.kind() == ErrorKind::Limit) {
            assert_eq!(expected, outcome(&read), "buffer of {capacity}");
        }
    }
    if let Ok(graph) = graph {
        walk(&graph);
    }
}

/// Returns the graph form or the error message of a load.
fn outcome(graph: &Result<Graph, Error>) -> Result<Vec<u8>, String> {
    graph.as_ref().map(form).map_err(ToString::to_string)
}

/// Runs every operation that reads a graph.
pub(crate) fn walk(graph: &Graph) {
    let _ = format!("{graph:?} {:?}", graph.root());
    assert!(graph.clone() == *graph, "a graph is equal to itself");
    let mut copy = graph.clone();
    copy.compact();
    assert!(picklevm::same_graph(copy.root(), graph.root()), "compact keeps the graph");
    let detached = graph.root().detach();
    assert!(picklevm::same_graph(detached.root(), graph.root()), "detach copies the graph");
    for (key, value) in graph.root().entries() {
        assert!(graph.root().get(key).is_some_and(|found| found.is(value)), "every key is found");
    }
}
