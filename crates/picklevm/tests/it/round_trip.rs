//! Graphs are written and loaded as the same graphs.

use std::io;
use std::thread;

use picklevm::{ErrorKind, Graph, Pickler, PicklerVersion, Protocol, Unpickler};

use crate::support::{assert_isomorphic, random_graph};

const PROTOCOLS: [Protocol; 6] = [Protocol::V0, Protocol::V1, Protocol::V2, Protocol::V3, Protocol::V4, Protocol::V5];

/// Writes the root and loads it with [`Standard`](picklevm::Standard), which turns calls that stand for data into data.
fn there_and_back(graph: &Graph, pickler: &Pickler) -> Graph {
    let pickle = pickler.dumps(graph.root()).expect("is written");
    Unpickler::new().loads(&pickle).unwrap_or_else(|error| panic!("{error} in {pickle:?}"))
}

#[test]
fn random_graphs_round_trip_at_every_protocol() {
    for protocol in PROTOCOLS {
        for seed in 0..150 {
            let graph = random_graph(seed, 5 + seed as usize, protocol.into());
            let back = there_and_back(&graph, &Pickler::new().protocol(protocol));
            assert_isomorphic(graph.root(), back.root(), &format!("protocol {protocol}, seed {seed}"));
        }
    }
}

#[test]
fn random_graphs_round_trip_with_every_writer() {
    for writer in PicklerVersion::all() {
        let protocol = writer.highest_protocol();
        for seed in 1000..1030 {
            let graph = random_graph(seed, 40, protocol.into());
            let back = there_and_back(&graph, &Pickler::new().protocol(protocol).writer(writer));
            assert_isomorphic(graph.root(), back.root(), &format!("writer {writer}, seed {seed}"));
        }
    }
}

#[test]
fn a_pickle_written_to_a_writer_equals_the_pickle_in_memory() {
    for protocol in PROTOCOLS {
        let graph = random_graph(7, 20_000, protocol.into());
        let pickler = Pickler::new().protocol(protocol);
        let mut streamed = Vec::new();
        pickler.dump(graph.root(), &mut streamed).expect("is written");
        assert!(streamed == pickler.dumps(graph.root()).expect("is written"), "protocol {protocol}");
    }
}

#[test]
fn an_empty_batch_of_items_is_written_back() {
    for (pickle, rest) in [
        (&b"\x80\x02cm\nC\nq\x00)\x81q\x01(e."[..], "append"),
        (b"\x80\x02cm\nC\nq\x00)\x81q\x01(u.", "setitem"),
        (b"\x80\x04\x8c\x01m\x94\x8c\x01C\x94\x93\x94)\x81\x94(\x90.", "add"),
    ] {
        let graph = Unpickler::new().loads(pickle).expect("it loads");
        let protocol = Protocol::try_from(pickle[1]).expect("2 or 4");
        let written = Pickler::new().protocol(protocol).dumps(graph.root()).expect("it is written");
        assert!(written.ends_with(&pickle[pickle.len() - 4..]), "{rest}: {}", written.escape_ascii());
        let again = Unpickler::new().loads(&written).expect("it loads");
        assert_isomorphic(graph.root(), again.root(), rest);
    }
}

#[test]
fn an_empty_batch_of_items_is_not_representable_at_protocol_0() {
    let graph = Unpickler::new().loads(b"cm\nC\n)\x81(e.").expect("it loads");
    let error = Pickler::new().protocol(Protocol::V0).dumps(graph.root()).expect_err("APPENDS is of protocol 1");
    assert_eq!(error.kind(), ErrorKind::Unrepresentable);
    assert!(Pickler::new().protocol(Protocol::V1).dumps(graph.root()).is_ok());
}

#[test]
fn a_million_objects_that_call_each_other_are_written_on_a_small_stack() {
    for (start, call) in [(&b"\x80\x02cm\nC\n"[..], &b")R"[..]), (b"\x80\x02cm\nC\n", b")\x81")] {
        let pickle = [start, &call.repeat(1_000_000), b"."].concat();
        on_a_small_stack(move || {
            let graph = Unpickler::new().loads(&pickle).expect("it loads");
            assert_isomorphic(graph.root(), there_and_back(&graph, &Pickler::new()).root(), "calls");
        });
    }
    let pickle = [&b"("[..], &b"(".repeat(999_999), b"cm\nC\n", &b"o".repeat(1_000_000), b"."].concat();
    on_a_small_stack(move || {
        let graph = Unpickler::new().loads(&pickle).expect("it loads");
        assert_isomorphic(graph.root(), there_and_back(&graph, &Pickler::new()).root(), "OBJ");
    });
}

#[test]
fn an_object_that_is_its_own_argument_has_one_persistent_reference_in_both_calls() {
    for (what, pickle) in [
        ("called", &b"]q\x00(Pid\nh\x00\x85Rq\x01e0h\x01."[..]),
        ("beside", b"]q\x00(cm\nC\nPid\nh\x00\x86Rq\x01e0h\x01."),
        ("behind", b"]q\x00(cm\nC\nh\x00Pid\n\x86Rq\x01e0h\x01."),
        ("nested", b"]q\x00(cm\nC\n(Pid\n]Pid\n\x85ah\x00tRq\x01e0h\x01."),
        ("in keywords", b"]\x94(cm\nC\nh\x00\x85}\x8c\x01kPid\ns\x92\x94e0h\x01."),
        ("of an instance", b"]q\x00((cm\nC\nPid\nh\x00oq\x01e0h\x01."),
    ] {
        let graph = Unpickler::new().loads(pickle).unwrap_or_else(|error| panic!("{what}: {error}"));
        for protocol in PROTOCOLS.into_iter().filter(|protocol| what != "in keywords" || *protocol >= Protocol::V4) {
            let pickle = Pickler::new().protocol(protocol).dumps(graph.root()).expect("it is written");
            let back = Unpickler::new().loads(&pickle).expect("it loads");
            if (what, protocol) != ("of an instance", Protocol::V0) {
                assert_isomorphic(graph.root(), back.root(), &format!("{what}, protocol {protocol}"));
            }
            assert_eq!(back.effects().len(), 0, "{what}, protocol {protocol}");
        }
    }
}

#[test]
fn a_set_whose_members_refer_to_it_is_filled_after_its_creation_below_protocol_4() {
    let graph = Unpickler::new().loads(b"\x8f\x94(\x8c\x01m\x8c\x01K\x93h\x00\x85R\x90.").expect("it loads");
    let pickle = Pickler::new().protocol(Protocol::V2).dumps(graph.root()).expect("it is written");
    assert_eq!(
        pickle,
        b"\x80\x02c__builtin__\nset\nq\x00)Rq\x01c__builtin__\ngetattr\nq\x02h\x01X\x06\0\0\0updateq\x03\x86q\x04Rq\x05\
          ]q\x06cm\nK\nq\x07h\x01\x85q\x08Rq\x09a\x85q\x0aRq\x0b0."
    );
}

#[test]
fn a_million_nested_persistent_ids_are_written_on_a_small_stack() {
    on_a_small_stack(|| {
        let pickle = [&b"\x80\x04N"[..], &b"Q".repeat(1_000_000), b"."].concat();
        let graph = Unpickler::new().loads(&pickle).expect("it loads");
        assert!(Pickler::new().protocol(Protocol::V2).dumps(graph.root()).expect("it is written").ends_with(b"QQQ."));
        assert_isomorphic(graph.root(), there_and_back(&graph, &Pickler::new()).root(), "persistent ids");
    });
}

/// Runs a closure in a thread with a stack of 256 KiB.
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
        // Each level refers to the one below twice: without sharing, the output would be 2^20 times as long.
        for _ in 0..20 {
            pair = graph.tuple([pair, pair]);
        }
        let root = graph.list(vec![pair; 1_000_000]);
        graph.set_root(root);
        let back = there_and_back(&graph, &Pickler::new());
        assert_isomorphic(graph.root(), back.root(), "shared references");
    });
}

/// A writer that records the addresses of long payloads.
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
fn long_bytes_are_passed_to_the_writer_without_a_copy() {
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
