//! Graphs are written and read back as the same graphs.

mod support;

use std::io;
use std::thread;

use picklevm::{Graph, Pickler, Protocol, Unpickler, Writer};

use crate::support::{assert_isomorphic, random_graph};

const PROTOCOLS: [Protocol; 6] = [Protocol::V0, Protocol::V1, Protocol::V2, Protocol::V3, Protocol::V4, Protocol::V5];

/// Writes the root, and reads it back with [`Standard`](picklevm::Standard): calls that stand for data are data again.
fn there_and_back(graph: &Graph, pickler: &Pickler) -> Graph {
    let pickle = pickler.dumps(graph.root()).expect("is written");
    Unpickler::new().loads(&pickle).unwrap_or_else(|error| panic!("{error} in {pickle:?}"))
}

#[test]
fn random_graphs_come_back_at_every_protocol() {
    for protocol in PROTOCOLS {
        for seed in 0..150 {
            let graph = random_graph(seed, 5 + seed as usize, protocol.into());
            let back = there_and_back(&graph, &Pickler::new().protocol(protocol));
            assert_isomorphic(graph.root(), back.root(), &format!("protocol {protocol}, seed {seed}"));
        }
    }
}

#[test]
fn random_graphs_come_back_from_every_writer() {
    for writer in Writer::all() {
        let protocol = writer.highest_protocol();
        for seed in 1000..1030 {
            let graph = random_graph(seed, 40, protocol.into());
            let back = there_and_back(&graph, &Pickler::new().protocol(protocol).writer(writer));
            assert_isomorphic(graph.root(), back.root(), &format!("writer {writer}, seed {seed}"));
        }
    }
}

#[test]
fn a_pickle_streamed_to_a_writer_is_the_pickle_in_memory() {
    for protocol in PROTOCOLS {
        let graph = random_graph(7, 20_000, protocol.into());
        let pickler = Pickler::new().protocol(protocol);
        let mut streamed = Vec::new();
        pickler.dump(graph.root(), &mut streamed).expect("is written");
        assert!(streamed == pickler.dumps(graph.root()).expect("is written"), "protocol {protocol}");
    }
}

/// Runs in a thread with a stack of 256 KiB.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(256 << 10).spawn(run).expect("a thread");
    thread.join().expect("no overflow");
}

#[test]
fn a_million_nested_lists_are_written_on_a_small_stack() {
    on_a_small_stack(|| {
        let mut graph = Graph::new();
        let mut inner = graph.list([0]);
        for _ in 0..1_000_000 {
            inner = graph.list([inner]);
        }
        graph.set_root(inner);
        for protocol in [Protocol::V0, Protocol::V2, Protocol::V5] {
            let back = there_and_back(&graph, &Pickler::new().protocol(protocol));
            assert_isomorphic(graph.root(), back.root(), &format!("protocol {protocol}"));
        }
    });
}

#[test]
fn a_million_shared_references_are_written_on_a_small_stack() {
    on_a_small_stack(|| {
        let mut graph = Graph::new();
        let mut pair = graph.tuple([1]);
        // Each level holds the one below twice: written out, it would be 2^20 times as long.
        for _ in 0..20 {
            pair = graph.tuple([pair, pair]);
        }
        let root = graph.list(vec![pair; 1_000_000]);
        graph.set_root(root);
        let back = there_and_back(&graph, &Pickler::new());
        assert_isomorphic(graph.root(), back.root(), "shared references");
    });
}

/// Takes what is written, and remembers where long payloads lie.
#[derive(Default)]
struct Addresses(Vec<(usize, usize)>);

impl io::Write for Addresses {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > 1 << 20 {
            self.0.push((bytes.as_ptr().addr(), bytes.len()));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn long_bytes_go_to_the_writer_without_a_copy() {
    let mut graph = Graph::new();
    let bytes = graph.bytes(vec![7; 64 << 20]);
    graph.set_root(bytes);
    let payload = graph.root().as_bytes().expect("bytes");
    for protocol in [Protocol::V3, Protocol::V4, Protocol::V5] {
        let mut addresses = Addresses::default();
        Pickler::new().protocol(protocol).dump(graph.root(), &mut addresses).expect("is written");
        assert_eq!(addresses.0, [(payload.as_ptr().addr(), payload.len())], "protocol {protocol}");
    }
}
