//! Constructors create values of every kind.

use picklevm::{Construction, ErrorKind, Graph, Id, Kind};

use super::shown;

/// Creates a value in a new graph and prints it.
fn made(make: impl FnOnce(&mut Graph) -> Id) -> String {
    let mut graph = Graph::new();
    let id = make(&mut graph);
    shown(graph.value(id))
}

#[test]
fn each_constructor_creates_its_kind() {
    assert_eq!(made(|g| g.complex(1.0, -0.0)), "(1-0j)");
    assert_eq!(made(|g| g.bytes(b"\xff")), r"b'\xff'");
    assert_eq!(made(|g| g.byte_str("a")), "'a'");
    assert_eq!(made(|g| g.bytearray([1, 2])), r"bytearray(b'\x01\x02')");
    assert_eq!(made(|g| g.list(["a", "b"])), "['a', 'b']");
    assert_eq!(made(|g| g.tuple([1])), "(1,)");
    assert_eq!(made(|g| g.dict([(1, "a")]).unwrap()), "{1: 'a'}");
    assert_eq!(made(|g| g.set([1, 2, 1]).unwrap()), "{1, 2}");
    assert_eq!(made(|g| g.frozenset([1]).unwrap()), "frozenset({1})");
    assert_eq!(made(|g| g.global("os.path", "join")), "os.path.join");
    assert_eq!(made(|g| g.ext(7).unwrap()), "extension(7)");
    assert_eq!(made(|g| g.persistent("row 1")), "persistent('row 1')");
    assert_eq!(made(|g| g.buffer(&b"abc"[..])), "buffer(0)");
}

#[test]
fn the_empty_tuple_is_one_value() {
    let mut graph = Graph::new();
    assert_eq!(graph.tuple::<Id>([]), graph.tuple::<Id>([]));
}

#[test]
fn an_extension_code_is_above_zero() {
    for code in [0, -1] {
        assert_eq!(Graph::new().ext(code).unwrap_err().kind(), ErrorKind::OutOfRange);
    }
}

#[test]
fn buffers_are_numbered_in_creation_order() {
    let mut graph = Graph::new();
    let ids = [graph.buffer(&b"a"[..]), graph.readonly_buffer(&b"b"[..])];
    let buffers = ids.map(|id| match graph.value(id).kind() {
        Kind::Buffer(buffer) => (buffer.index(), buffer.is_readonly(), buffer.data().map(|data| data.to_vec())),
        _ => panic!("a buffer"),
    });
    assert_eq!(buffers, [(0, false, Some(b"a".to_vec())), (1, true, Some(b"b".to_vec()))]);
}

#[test]
fn an_id_used_twice_is_shared() {
    let mut graph = Graph::new();
    let inner = graph.list([1]);
    let outer = graph.set_root((inner, inner));
    graph.value_mut(inner).push(2).unwrap();
    assert_eq!(shown(graph.value(outer)), "(&1 [1, 2], *1)");
    assert!(graph.root().at(0).is(graph.root().at(1)));
}

#[test]
fn an_unhashable_key_is_an_error() {
    let mut graph = Graph::new();
    let list = graph.list([1]);
    let inside = graph.tuple([list]);
    let set = graph.set([1]).unwrap();
    let array = graph.bytearray(b"a");
    for key in [list, inside, set, array] {
        assert_eq!(graph.dict([(key, 1)]).unwrap_err().kind(), ErrorKind::Unhashable);
        assert_eq!(graph.set([key]).unwrap_err().kind(), ErrorKind::Unhashable);
        assert_eq!(graph.frozenset([key]).unwrap_err().kind(), ErrorKind::Unhashable);
    }
}

#[test]
fn an_unhashable_key_is_named_in_the_error() {
    let mut graph = Graph::new();
    let list = graph.list([1]);
    let error = graph.set([list]).unwrap_err();
    assert_eq!(error.to_string(), "expected a key that Python can hash, found a value of type list");
}

#[test]
fn an_invalid_id_refers_to_none() {
    let other = Graph::from(vec![vec![1]]);
    let mut graph = Graph::new();
    let list = graph.list([other.root().id(), other.root().at(0).id()]);
    // The list is the only list of this graph, and is created after its items.
    assert_eq!(shown(graph.value(list)), "[None, None]");
}

#[test]
fn several_roots_keep_their_order() {
    let mut graph = Graph::from(1);
    graph.add_root("two");
    assert_eq!(graph.roots().map(shown).collect::<Vec<_>>(), ["1", "'two'"]);
    graph.set_root(3);
    assert_eq!(graph.roots().map(shown).collect::<Vec<_>>(), ["3"]);
}

#[test]
fn an_instance_has_arguments_keyword_arguments_items_pairs_and_state() {
    let mut graph = Graph::new();
    let id = graph
        .instance("shop", "Cart")
        .arg(1)
        .args(["a", "b"])
        .kwarg("size", 3)
        .items([10, 20])
        .pair("k", "v")
        .state("full")
        .build()
        .unwrap();
    let cart = graph.value(id).as_object().unwrap();
    assert_eq!(cart.construction(), Construction::NewObjEx);
    assert!(cart.is_instance("shop", "Cart"));
    assert_eq!(cart.args().map(shown).collect::<Vec<_>>(), ["1", "'a'", "'b'"]);
    assert_eq!(shown(cart.kwargs().unwrap()), "{'size': 3}");
    assert_eq!(
        shown(graph.value(id)),
        "shop.Cart(1, 'a', 'b', **{'size': 3}) with items [10, 20] with items {'k': 'v'} with state 'full'"
    );
}

#[test]
fn attributes_of_an_instance_are_a_dict() {
    let mut graph = Graph::new();
    let id = graph.instance("geometry", "Point").attr("x", 1).attr("y", 2).build().unwrap();
    let point = graph.value(id).as_object().unwrap();
    assert_eq!(point.construction(), Construction::NewObj);
    assert_eq!(shown(point.state().unwrap()), "{'x': 1, 'y': 2}");
}

#[test]
fn a_call_has_function_and_arguments() {
    assert_eq!(made(|g| g.call("datetime", "date").args([2024, 2, 29]).build().unwrap()), "datetime.date(2024, 2, 29)");
}

#[test]
fn keyword_arguments_need_newobj_ex() {
    let mut graph = Graph::new();
    let error = graph.call("m", "f").kwarg("a", 1).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
}

#[test]
fn a_class_must_be_callable() {
    let mut graph = Graph::new();
    let number = graph.add(1);
    assert_eq!(graph.instance_of(number).build().unwrap_err().kind(), ErrorKind::Type);
    let code = graph.ext(1).unwrap();
    assert!(graph.instance_of(code).build().is_ok());
}
