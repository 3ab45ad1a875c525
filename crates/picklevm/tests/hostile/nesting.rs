//! Deep nesting through any opcode: the stack does not overflow, and time is linear in the depth.

use std::thread;

use picklevm::{Pickler, Protocol, Symbolic, Unpickler, same_graph};

use crate::soon;

const LEVELS: usize = 100_000;

/// Loads, prints, compares, copies and writes in a thread with a stack of 256 KiB.
fn survives(name: &str, parts: &[(&[u8], usize)]) {
    let body: Vec<u8> = parts.iter().flat_map(|(bytes, count)| bytes.repeat(*count)).collect();
    let pickle = [b"\x80\x04", &body[..], b"."].concat();
    let run = move || {
        let load = |pickle: &[u8]| Unpickler::new().resolver(Symbolic).loads(pickle).expect("a sound pickle");
        let (graph, other) = soon(|| (load(&pickle), load(&pickle)));
        assert!(soon(|| same_graph(graph.root(), other.root())));
        assert!(soon(|| graph == other || graph != other));
        soon(|| format!("{graph:?}"));
        soon(|| graph.root().detach());
        soon(|| picklevm::write_graph_form(graph.root(), std::io::sink())).expect("writing to a sink");
        for protocol in [Protocol::V2, Protocol::V4] {
            // Lower protocols cannot represent some of it; that is an error, not an overflow.
            if let Ok(written) = soon(|| Pickler::new().protocol(protocol).dumps(graph.root())) {
                let again = soon(|| load(&written));
                assert!(protocol == Protocol::V2 || same_graph(again.root(), graph.root()));
            }
        }
    };
    let thread = thread::Builder::new().stack_size(256 << 10).spawn(run).expect("a thread");
    assert!(thread.join().is_ok(), "{name}");
}

#[test]
fn nested_container_items() {
    survives("APPENDS", &[(b"](", LEVELS), (b"N", 1), (b"e", LEVELS)]);
    survives("LIST", &[(b"(", LEVELS), (b"l", LEVELS)]);
    survives("TUPLE", &[(b"(", LEVELS), (b"t", LEVELS)]);
    survives("TUPLE3", &[(b"NN", LEVELS), (b")", 1), (b"\x87", LEVELS)]);
    survives("DICT", &[(b"(K\0", LEVELS), (b"N", 1), (b"d", LEVELS)]);
    survives("SETITEM", &[(b"}K\0", LEVELS), (b"N", 1), (b"s", LEVELS)]);
    survives("SETITEMS", &[(b"}(K\0", LEVELS), (b"N", 1), (b"u", LEVELS)]);
    survives("FROZENSET", &[(b"(", LEVELS), (b"\x91", LEVELS)]);
    survives("FROZENSET of TUPLE1", &[(b"(", LEVELS), (b")", 1), (b"\x85\x91", LEVELS)]);
}

#[test]
fn nested_keys() {
    survives("a key of frozensets", &[(b"}", 1), (b"(", LEVELS), (b"\x91", LEVELS), (b"Ns", 1)]);
    survives("a member of frozensets", &[(b"\x8f(", 1), (b"(", LEVELS), (b"\x91", LEVELS), (b"\x90", 1)]);
    survives("a key of tuples", &[(b"})", 1), (b"\x85", LEVELS), (b"Ns", 1)]);
    survives("a key of persistent ids", &[(b"}N", 1), (b"Q", LEVELS), (b"Ns", 1)]);
    survives("a key of calls", &[(b"}cm\nC\n", 1), (b")R", LEVELS), (b"Ns", 1)]);
}

#[test]
fn nested_callables() {
    survives("REDUCE", &[(b"cm\nC\n", 1), (b")R", LEVELS)]);
    survives("NEWOBJ", &[(b"cm\nC\n", 1), (b")\x81", LEVELS)]);
    survives("OBJ", &[(b"(", LEVELS), (b"cm\nC\n", 1), (b"o", LEVELS)]);
    survives("NEWOBJ_EX", &[(b"cm\nC\n", 1), (b")}\x92", LEVELS)]);
}

#[test]
fn nested_arguments() {
    survives("REDUCE", &[(b"cm\nC\n", LEVELS), (b")", 1), (b"R\x85", LEVELS)]);
    survives("NEWOBJ", &[(b"cm\nC\n", LEVELS), (b")", 1), (b"\x81\x85", LEVELS)]);
    survives("NEWOBJ_EX", &[(b"cm\nC\n)}K\0", LEVELS), (b"N", 1), (b"s\x92", LEVELS)]);
    survives("INST", &[(b"(", LEVELS), (b"im\nC\n", LEVELS)]);
    survives("OBJ", &[(b"(cm\nC\n", LEVELS), (b"o", LEVELS)]);
    survives("BINPERSID", &[(b"N", 1), (b"\x85Q", LEVELS)]);
}

#[test]
fn nested_object_changes() {
    survives("BUILD", &[(b"cm\nC\n)\x81", LEVELS), (b"N", 1), (b"b", LEVELS)]);
    survives("APPENDS", &[(b"cm\nC\n)\x81(", LEVELS), (b"N", 1), (b"e", LEVELS)]);
    survives("SETITEM", &[(b"cm\nC\n)\x81N", LEVELS), (b"N", 1), (b"s", LEVELS)]);
    survives("ADDITEMS", &[(b"cm\nC\n)\x81(", LEVELS), (b"N", 1), (b"\x90", LEVELS)]);
    survives("POP", &[(b"cm\nC\n)\x81q\0", 1), (b"cm\nC\nh\0\x85Rq\x000h\0", LEVELS)]);
}
