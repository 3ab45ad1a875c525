//! A million levels of nesting, in threads with a stack of 256 KiB.

use picklevm::{Graph, loads, same_graph};

const LEVELS: usize = 1_000_000;

/// Loads, prints, compares, clones and drops.
fn survives(pickle: Vec<u8>) {
    crate::support::on_a_small_stack(move || {
        let graph = loads(&pickle).expect("it loads");
        assert!(!format!("{graph:?}").is_empty());
        let again = loads(&pickle).expect("it loads again");
        assert!(same_graph(graph.root(), again.root()));
        assert!(graph.root() == graph.root());
        let kept = graph.keep(graph.root());
        drop(graph.clone());
        let mut changed: Graph = again.clone();
        // What others hold is copied before it is changed.
        let _ = &mut *changed;
        drop((again, changed, graph));
        assert!(!format!("{kept:?}").is_empty());
    });
}

fn pickle(parts: &[(&[u8], usize)]) -> Vec<u8> {
    parts.iter().flat_map(|(bytes, count)| bytes.repeat(*count)).collect()
}

#[test]
fn a_million_lists() {
    survives(pickle(&[(b"]", LEVELS), (b"a", LEVELS - 1), (b".", 1)]));
}

#[test]
fn a_million_tuples() {
    survives(pickle(&[(b")", 1), (b"\x85", LEVELS), (b".", 1)]));
}

#[test]
fn a_million_dicts() {
    survives(pickle(&[(b"}K\x00", LEVELS), (b"N", 1), (b"s", LEVELS), (b".", 1)]));
}

#[test]
fn a_million_frozensets() {
    survives(pickle(&[(b"(", LEVELS), (b"\x91", LEVELS), (b".", 1)]));
}

#[test]
fn a_million_objects_by_their_arguments() {
    survives(pickle(&[(b"cm\nC\n", LEVELS), (b")", 1), (b"R\x85", LEVELS), (b".", 1)]));
}

#[test]
fn a_million_objects_by_their_state() {
    survives(pickle(&[(b"cm\nC\n)\x81", LEVELS), (b"N", 1), (b"b", LEVELS), (b".", 1)]));
}

#[test]
fn a_million_tuples_as_a_key() {
    survives(pickle(&[(b"})", 1), (b"\x85", LEVELS), (b"Ns.", 1)]));
}

#[test]
fn equal_lists_of_two_graphs_are_equal_however_deep() {
    crate::support::on_a_small_stack(|| {
        let nested = pickle(&[(b"]", LEVELS), (b"a", LEVELS - 1), (b".", 1)]);
        let [one, two] = [(); 2].map(|()| loads(&nested).expect("it loads"));
        assert!(one.root() == two.root());
        let deeper = loads(pickle(&[(b"]", LEVELS + 1), (b"a", LEVELS), (b".", 1)])).expect("it loads");
        assert!(one.root() != deeper.root());
    });
}
