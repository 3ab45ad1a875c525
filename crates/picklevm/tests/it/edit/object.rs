//! Changes of objects: state, attributes, items and pairs.

use picklevm::{ErrorKind, Graph, Id, loads};

use super::shown;

fn point() -> Graph {
    let mut graph = Graph::new();
    let point = graph.instance("geometry", "Point").attr("x", 1).build().unwrap();
    graph.set_root(point);
    graph
}

#[test]
fn an_attribute_is_set_in_the_state() {
    let mut graph = point();
    let old = graph.root_mut().set_attr("x", 5).unwrap().unwrap();
    assert_eq!(graph.value(old).as_i64(), Some(1));
    assert_eq!(graph.root_mut().set_attr("y", 6).unwrap(), None);
    assert_eq!(shown(graph.root()), "geometry.Point() with state {'x': 5, 'y': 6}");
}

#[test]
fn an_attribute_can_be_changed_and_removed() {
    let mut graph = point();
    graph.root_mut().set_attr("tags", vec!["a"]).unwrap();
    graph.root_mut().attr("tags").unwrap().push("b").unwrap();
    graph.root_mut().remove_attr("x").unwrap();
    assert_eq!(shown(graph.root()), "geometry.Point() with state {'tags': ['a', 'b']}");
    assert_eq!(graph.root_mut().remove_attr("x").unwrap_err().kind(), ErrorKind::Missing);
    let error = graph.root_mut().attr("x").unwrap_err();
    assert_eq!(error.to_string(), "expected the attribute \"x\", found an instance of geometry.Point without it");
}

#[test]
fn an_object_without_a_state_gets_one() {
    let mut graph = Graph::new();
    let object = graph.instance("m", "C").build().unwrap();
    graph.value_mut(object).set_attr("x", 1).unwrap();
    assert_eq!(shown(graph.value(object)), "m.C() with state {'x': 1}");
}

#[test]
fn a_slot_is_set_in_the_slots_dict() {
    let mut graph = Graph::new();
    let slots = graph.dict([("x", 1)]).unwrap();
    let object = graph.instance("m", "C").state((None::<Id>, slots)).build().unwrap();
    graph.value_mut(object).set_attr("x", 2).unwrap();
    assert_eq!(shown(graph.value(object)), "m.C() with state (None, {'x': 2})");
    graph.value_mut(object).set_attr("y", 3).unwrap();
    assert_eq!(shown(graph.value(object)), "m.C() with state ({'y': 3}, {'x': 2})");
    graph.value_mut(object).remove_attr("x").unwrap();
    assert_eq!(shown(graph.value(object)), "m.C() with state ({'y': 3}, {})");
}

#[test]
fn a_state_of_another_kind_has_no_attributes() {
    let mut graph = Graph::new();
    let object = graph.instance("m", "C").state(1).build().unwrap();
    assert_eq!(graph.value_mut(object).set_attr("x", 1).unwrap_err().kind(), ErrorKind::Type);
    graph.value_mut(object).set_state("s").unwrap();
    assert_eq!(shown(graph.value(object)), "m.C() with state 's'");
}

#[test]
fn items_and_pairs_are_added_to_existing_ones() {
    let mut graph = Graph::new();
    let object = graph.instance("m", "C").items([1]).pair("a", 1).state(0).build().unwrap();
    graph.value_mut(object).set("a", 2).unwrap();
    assert_eq!(shown(graph.value(object)), "m.C() with items [1] with items {'a': 2} with state 0");
    graph.value_mut(object).push(2).unwrap();
    graph.value_mut(object).set("b", 3).unwrap();
    assert_eq!(
        shown(graph.value(object)),
        "m.C() with items [1] with items {'a': 2} with state 0 with items [2] with items {'b': 3}"
    );
    graph.value_mut(object).remove("a").unwrap();
    assert_eq!(shown(graph.value(object)), "m.C() with items [1] with state 0 with items [2] with items {'b': 3}");
    assert_eq!(graph.value_mut(object).remove("a").unwrap_err().kind(), ErrorKind::Missing);
    graph.value_mut(object).clear().unwrap();
    assert_eq!(shown(graph.value(object)), "m.C() with state 0");
}

#[test]
fn class_and_arguments_can_be_replaced() {
    let mut graph = Graph::new();
    let object = graph.instance("m", "C").arg(1).kwarg("k", 2).build().unwrap();
    let class = graph.global("n", "D");
    graph.value_mut(object).set_class(class).unwrap();
    graph.value_mut(object).set_args([3, 4]).unwrap();
    let view = graph.value(object).as_object().unwrap();
    assert!(view.is_instance("n", "D"));
    assert_eq!(view.args().map(shown).collect::<Vec<_>>(), ["3", "4"]);
    assert_eq!(shown(view.kwargs().unwrap()), "{'k': 2}");
    assert_eq!(graph.value_mut(object).set_class(1).unwrap_err().kind(), ErrorKind::Type);
}

#[test]
fn a_loaded_object_changes_like_a_new_one() {
    let mut graph = loads(b"\x80\x02cm\nC\n)\x81}X\x01\0\0\0xK\x05sb.").unwrap();
    graph.root_mut().set_attr("x", "y").unwrap();
    assert_eq!(shown(graph.root()), "m.C() with state {'x': 'y'}");
}

#[test]
fn only_objects_that_support_items_accept_them() {
    let mut graph = Graph::new();
    let plain = graph.instance("m", "C").attr("x", 1).build().unwrap();
    for error in
        [graph.value_mut(plain).set("x", 2).unwrap_err(), graph.value_mut(plain).update([("x", 2)]).unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::Type);
        assert!(error.to_string().contains("set_attr"), "{error}");
    }
    assert_eq!(shown(graph.value(plain)), "m.C() with state {'x': 1}");
    let ordered = graph.call("collections", "OrderedDict").build().unwrap();
    graph.value_mut(ordered).set("x", 2).unwrap();
    assert_eq!(shown(graph.value(ordered)), "collections.OrderedDict({'x': 2})");
}

/// As `set`: APPEND on an instance that has no `append` fails when Python loads the pickle.
#[test]
fn items_are_appended_only_to_objects_that_take_items() {
    let mut graph = Graph::new();
    let plain = graph.instance("m", "C").attr("x", 1).build().unwrap();
    let errors = [graph.value_mut(plain).push(1), graph.value_mut(plain).extend([1, 2])];
    for error in errors.map(|done| done.expect_err("no items")) {
        assert_eq!(error.kind(), ErrorKind::Type);
        assert!(error.to_string().contains("takes items (set_attr sets attributes)"), "{error}");
    }
    assert_eq!(shown(graph.value(plain)), "m.C() with state {'x': 1}");
    let list = graph.instance("m", "L").items([1]).build().unwrap();
    let deque = graph.deque([0; 0], None);
    graph.value_mut(list).extend([2]).unwrap();
    graph.value_mut(deque).push(1).unwrap();
    assert_eq!(shown(graph.value(list)), "m.L() with items [1, 2]");
    assert_eq!(shown(graph.value(deque)), "collections.deque([1])");
    // `copyreg._reconstructor(m.L, list, [])`, and a set to which ADDITEMS added a member.
    for (pickle, expected) in [
        (&b"ccopy_reg\n_reconstructor\n(cm\nL\nc__builtin__\nlist\n(ltR."[..], "__builtin__.list, []) with items [7]"),
        (b"\x80\x04cm\nS\n)\x81(K\x01\x90.", "m.S() with members {1, 7}"),
    ] {
        let mut graph = picklevm::loads(pickle).unwrap();
        graph.root_mut().push(7).unwrap();
        assert!(shown(graph.root()).contains(expected), "{}", shown(graph.root()));
    }
}
