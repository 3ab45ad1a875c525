//! New and changed graphs are written as pickles that load as the same graph.

use picklevm::{Graph, Id, Pickler, PicklerVersion, Protocol, Symbolic, Unpickler, same_graph, value};

/// Writes a root at protocols from `lowest` on, loads it and compares.
#[track_caller]
fn assert_round_trip(graph: &Graph, lowest: u8) {
    for protocol in lowest..=5 {
        let pickler = Pickler::new().protocol(Protocol::try_from(protocol).unwrap());
        let pickle = pickler.dumps(graph.root()).unwrap();
        let again = Unpickler::new().loads(&pickle).unwrap();
        assert!(same_graph(graph.root(), again.root()), "protocol {protocol}: {graph:?} became {again:?}");
        // CPython's pure-Python pickler traverses the graph in another order.
        let writer: PicklerVersion = "3.13-py".parse().unwrap();
        let pickle = pickler.writer(writer).dumps(graph.root()).unwrap();
        assert!(same_graph(graph.root(), Unpickler::new().loads(&pickle).unwrap().root()), "protocol {protocol}");
    }
}

#[test]
fn plain_data_round_trips_at_every_protocol() {
    let numbers: Vec<i64> = vec![0, -1, 255, 65536, i64::MAX];
    assert_round_trip(&value!({"a": [1, 2.5, None, True], (1, "b"): numbers, "n": {1, "x"}, "e": [(), [], {}]}), 0);
    assert_round_trip(&Graph::from((0..2500).collect::<Vec<i32>>()), 0);
    assert_round_trip(
        &Graph::from((0..2500).map(|n| (n.to_string(), n)).collect::<std::collections::BTreeMap<_, _>>()),
        0,
    );
}

#[test]
fn bytes_sets_and_complex_numbers_round_trip_at_every_protocol() {
    let mut graph = Graph::new();
    let parts = [
        graph.bytes(b"\x00\xff"),
        graph.bytearray(b"abc"),
        graph.set([1, 2]).unwrap(),
        graph.frozenset(["a"]).unwrap(),
        graph.complex(1.0, -2.0),
        graph.add("\u{1f600} ß"),
        graph.add(u128::MAX),
    ];
    graph.set_root(parts);
    assert_round_trip(&graph, 0);
}

#[test]
fn instances_round_trip() {
    let mut graph = Graph::new();
    let point = graph.instance("geometry", "Point").arg(1).attr("x", 1).items([1, 2]).pair("k", "v").build().unwrap();
    let price = graph.call("decimal", "Decimal").arg("1.5").build().unwrap();
    let class = graph.global("collections", "OrderedDict");
    graph.set_root([point, price, point, class]);
    assert_round_trip(&graph, 2);
    let with_names = graph.instance("m", "C").kwarg("size", 3).build().unwrap();
    graph.set_root(with_names);
    assert_round_trip(&graph, 4);
}

#[test]
fn sharing_and_cycles_round_trip() {
    let mut graph = Graph::new();
    let list = graph.list::<Id>([]);
    let pair = graph.tuple([list, list]);
    graph.value_mut(list).push(pair).unwrap();
    let node = graph.instance("m", "Node").build().unwrap();
    graph.value_mut(node).set_attr("next", node).unwrap();
    graph.set_root([list, pair, node]);
    assert_round_trip(&graph, 2);
}

#[test]
fn a_changed_pickle_round_trips() {
    let pickle = b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\0\0\0aK\x01X\x01\0\0\0bK\x02u}X\x01\0\0\0xK\x05sb.";
    let mut graph = Unpickler::new().resolver(Symbolic).loads(pickle).unwrap();
    graph.root_mut().set("a", vec![1, 2]).unwrap();
    graph.root_mut().remove("b").unwrap();
    graph.root_mut().set_attr("x", "y").unwrap();
    assert_round_trip(&graph, 2);
    graph.root_mut().remove("a").unwrap();
    graph.root_mut().remove_attr("x").unwrap();
    assert_round_trip(&graph, 2);
    graph.root_mut().clear().unwrap();
    graph.root_mut().push("item").unwrap();
    graph.compact();
    assert_round_trip(&graph, 2);
}

#[test]
fn a_copy_is_written_as_the_same_bytes() {
    let mut graph = value!(["text", ("text", 1), {"k": [1.5]}]);
    let shared = graph.root().at(1).id();
    graph.root_mut().push(shared).unwrap();
    let bytes = picklevm::dumps(graph.root()).unwrap();
    assert_eq!(picklevm::dumps(graph.root().detach().root()).unwrap(), bytes);
    graph.compact();
    assert_eq!(picklevm::dumps(graph.root()).unwrap(), bytes);
}
