//! What the two picklers of Python 2.7 wrote is written again to the byte.

use picklevm::{Graph, Pickler, PicklerVersion, Protocol, Symbolic, Unpickler, ops, value};

/// Writer, protocol, name and the pickle in hexadecimal; `make_python2.py` makes it.
const GOLDEN: &str = include_str!("data/python2.txt");

struct Golden {
    writer: PicklerVersion,
    protocol: Protocol,
    name: String,
    pickle: Vec<u8>,
}

fn golden() -> impl Iterator<Item = Golden> {
    GOLDEN.lines().map(|line| {
        let [writer, protocol, name, hex] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        Golden {
            writer: writer.parse().expect("a writer"),
            protocol: protocol.parse().expect("a protocol"),
            name: name.to_owned(),
            pickle: (0..hex.len()).step_by(2).map(byte).collect(),
        }
    })
}

fn load(pickle: &[u8]) -> Graph {
    Unpickler::new().resolver(Symbolic).loads(pickle).expect("a pickle")
}

fn cpickle(protocol: Protocol) -> Pickler {
    Pickler::new().writer("2.7-c".parse().expect("a writer")).protocol(protocol)
}

#[test]
fn what_python_2_wrote_is_written_again_to_the_byte() {
    for Golden { writer, protocol, name, pickle } in golden() {
        let written = Pickler::new().writer(writer).protocol(protocol).dumps(load(&pickle).root()).expect("is written");
        assert_eq!(written, pickle, "{writer} {protocol} {name}");
    }
}

#[test]
fn a_copy_of_the_graph_knows_what_cpickle_left_out() {
    for Golden { writer, protocol, name, pickle } in golden().filter(|golden| golden.writer.name() == "2.7-c") {
        let mut graph = load(&pickle);
        let other = graph.clone();
        let root = graph.root().id();
        graph.set_root(root);
        for graph in [graph, other] {
            let written = cpickle(protocol).dumps(graph.root()).expect("is written");
            assert_eq!(written, pickle, "{writer} {protocol} {name}");
        }
    }
}

#[test]
fn other_writers_put_what_cpickle_left_out_and_make_no_difference_between_int_and_long() {
    for Golden { protocol, name, pickle, .. } in golden().filter(|golden| golden.writer.name() == "2.7-c") {
        let graph = load(&pickle);
        let again =
            load(&Pickler::new().protocol(protocol).fix_imports(false).dumps(graph.root()).expect("is written"));
        assert!(picklevm::same_graph(graph.root(), again.root()), "{name} at protocol {protocol}");
        let newest =
            load(&Pickler::new().protocol(Protocol::V5).fix_imports(false).dumps(graph.root()).expect("is written"));
        let bytes = Pickler::new().protocol(Protocol::V5).dumps(newest.root()).expect("is written");
        assert!(!bytes.contains(&b'L') || name != "longs", "{name}: {}", bytes.escape_ascii());
    }
}

#[test]
fn the_memo_of_cpickle_begins_at_1() {
    let graph = value!([[1], "text"]);
    assert_eq!(
        cpickle(Protocol::V2).dumps(graph.root()).unwrap(),
        b"\x80\x02]q\x01(]q\x02K\x01aX\x04\0\0\0textq\x03e."
    );
    let mut dumper = cpickle(Protocol::V1).stream(Vec::new());
    dumper.dump(graph.root().at(0)).unwrap();
    dumper.dump(graph.root()).unwrap();
    assert_eq!(dumper.finish().unwrap(), b"]q\x01K\x01a.]q\x02(h\x01X\x04\0\0\0textq\x03e.");
}

#[test]
fn a_value_made_by_hand_is_put_unless_cpickle_could_not_have_two_references_to_it() {
    let mut graph = Graph::new();
    let set = graph.set([1]).unwrap();
    let date = graph.call("datetime", "date").arg("x").arg("ab").build().unwrap();
    let bytearray = graph.bytearray(b"ab");
    let list = graph.list(Vec::<i64>::new());
    let all = graph.tuple([set, date, bytearray, list]);
    graph.set_root(all);
    let expected = [
        &b"\x80\x02(c__builtin__\nset\nq\x01]q\x02K\x01a\x85Rq\x03"[..],
        b"cdatetime\ndate\nq\x04X\x01\0\0\0xX\x02\0\0\0abq\x05\x86Rq\x06",
        b"c__builtin__\nbytearray\nq\x07X\x02\0\0\0abU\x07latin-1\x86Rq\x08]q\ttq\n.",
    ];
    let written = cpickle(Protocol::V2).dumps(graph.root()).unwrap();
    assert_eq!(written.escape_ascii().to_string(), expected.concat().escape_ascii().to_string());
}

#[test]
fn what_is_added_to_a_pickle_of_cpickle_is_put_and_what_is_shared_now_too() {
    let mut graph = load(b"\x80\x02}q\x01U\x02ab]K\x01as.");
    let list = graph.root().at("ab").id();
    graph.root_mut().set("again", list).unwrap();
    graph.root_mut().set("more", vec![2]).unwrap();
    let written = cpickle(Protocol::V2).dumps(graph.root()).unwrap();
    let expected = b"\x80\x02}q\x01(U\x02ab]q\x02K\x01aX\x05\0\0\0againq\x03h\x02X\x04\0\0\0moreq\x04]q\x05K\x02au.";
    assert_eq!(written.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn of_an_optimized_pickle_of_cpickle_the_puts_that_are_left_are_written() {
    let pickle = b"\x80\x02]q\x01(]q\x02]q\x03h\x02e.";
    let optimized = ops::optimize(pickle).unwrap();
    assert_eq!(optimized, b"\x80\x02](]q\x00]h\x00e.");
    // It begins at 0, as no pickle of cPickle does: nothing tells what was left out.
    assert_eq!(cpickle(Protocol::V2).dumps(load(&optimized).root()).unwrap(), pickle);
    assert_eq!(cpickle(Protocol::V2).dumps(load(b"\x80\x02]].").root()).unwrap(), b"\x80\x02].");
}

#[test]
fn a_long_is_kept_apart_from_an_int_by_its_opcode_alone() {
    let graph = load(b"\x80\x02(\x8a\x01\x05K\x05I1099511627776\n\x8a\x06\0\0\0\0\0\x01t.");
    assert_eq!(format!("{:?}", graph.root()), "(5, 5, 1099511627776, 1099511627776)");
    assert_eq!(graph.root().at(0), graph.root().at(1));
    assert_eq!(graph.root().at(0).as_i64(), Some(5));
    let dict = load(b"\x80\x02}(\x8a\x01\x05K\x01K\x05K\x02u.");
    assert_eq!(dict.root().get(5).and_then(|value| value.as_i64()), Some(2), "one key");
    assert_eq!(dict.root().len(), 1);
    let pickler = Pickler::new().protocol(Protocol::V2);
    assert_eq!(
        pickler.dumps(graph.root()).unwrap(),
        b"\x80\x02(K\x05K\x05\x8a\x06\0\0\0\0\0\x01\x8a\x06\0\0\0\0\0\x01tq\0."
    );
    let detached = graph.root().detach();
    assert_eq!(
        cpickle(Protocol::V1).dumps(detached.root()).unwrap(),
        b"(L5L\nK\x05I1099511627776\nL1099511627776L\ntq\x01."
    );
}
