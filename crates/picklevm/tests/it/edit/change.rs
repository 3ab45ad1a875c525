//! Lists, dicts, sets and bytearrays can be changed; other values cannot.

use picklevm::{Error, ErrorKind, Graph, Id, ValueMut, loads, value};

use super::shown;

/// Changes the root of a graph and prints it.
fn changed<T>(mut graph: Graph, change: impl FnOnce(&mut ValueMut<'_>) -> Result<T, Error>) -> String {
    change(&mut graph.root_mut()).unwrap();
    shown(graph.root())
}

/// Returns the error of a change and asserts that the root is unchanged.
fn error_of<T>(mut graph: Graph, change: impl FnOnce(&mut ValueMut<'_>) -> Result<T, Error>) -> Error {
    let before = shown(graph.root());
    let Err(error) = change(&mut graph.root_mut()) else { panic!("an error") };
    assert_eq!(shown(graph.root()), before);
    error
}

#[test]
fn a_list_grows_at_its_end_and_inside() {
    assert_eq!(changed(value!([1]), |v| v.push("a")), "[1, 'a']");
    assert_eq!(changed(value!([1]), |v| v.extend([2, 3])), "[1, 2, 3]");
    assert_eq!(changed(value!([1, 2]), |v| v.insert(1, 9)), "[1, 9, 2]");
    assert_eq!(changed(value!([1, 2]), |v| v.insert(2, 9)), "[1, 2, 9]");
    assert_eq!(changed(value!([]), |v| v.insert(0, 9)), "[9]");
}

#[test]
fn a_list_shrinks() {
    assert_eq!(changed(value!([1, 2, 3]), |v| v.remove(0)), "[2, 3]");
    assert_eq!(changed(value!([1, 2, 3]), |v| v.pop()), "[1, 2]");
    assert_eq!(changed(value!([1, 2, 3]), |v| v.retain(|n| n.as_i64() != Some(2))), "[1, 3]");
    assert_eq!(changed(value!([1, 2, 3]), |v| v.clear()), "[]");
}

#[test]
fn removed_and_replaced_values_are_returned() {
    let mut graph = value!(["a", "b"]);
    let old = graph.root_mut().set(0, "c").unwrap().unwrap();
    let gone = graph.root_mut().remove(1).unwrap();
    let last = graph.root_mut().pop().unwrap().unwrap();
    assert_eq!([old, gone, last].map(|id| shown(graph.value(id))), ["'a'", "'b'", "'c'"]);
    assert_eq!(graph.root_mut().pop().unwrap(), None);

    let mut graph = value!({"a": 1});
    assert_eq!(graph.root_mut().set("b", 2).unwrap(), None);
    let old = graph.root_mut().set("a", 3).unwrap().unwrap();
    let gone = graph.root_mut().remove("a").unwrap();
    assert_eq!([old, gone].map(|id| shown(graph.value(id))), ["1", "3"]);
}

#[test]
fn an_index_out_of_range_is_an_error() {
    for error in [
        error_of(value!([1, 2]), |v| v.set(2, 0)),
        error_of(value!([1, 2]), |v| v.remove(2)),
        error_of(value!([1, 2]), |v| v.set(-1, 0)),
        error_of(value!([1, 2]), |v| v.insert(3, 0)),
    ] {
        assert_eq!(error.kind(), ErrorKind::Missing);
    }
    assert_eq!(
        error_of(value!([1, 2]), |v| v.remove(2)).to_string(),
        "expected the position 2, found a list of length 2"
    );
}

#[test]
fn a_dict_keeps_the_first_key_and_the_last_value() {
    assert_eq!(changed(value!({"a": 1}), |v| v.set("b", 2)), "{'a': 1, 'b': 2}");
    assert_eq!(changed(value!({1: "int"}), |v| v.set(1.0, "float")), "{1: 'float'}");
    assert_eq!(changed(value!({1: "int"}), |v| v.set(true, "bool")), "{1: 'bool'}");
    assert_eq!(changed(value!({"a": 1}), |v| v.update([("b", 2), ("a", 3)])), "{'a': 3, 'b': 2}");
}

#[test]
fn a_str_replaces_an_equal_8_bit_key_of_python_2() {
    let graph = loads(b"(dS'a'\nI1\ns.").unwrap();
    assert_eq!(changed(graph, |v| v.set("a", 2)), "{'a': 2}");
}

#[test]
fn removing_from_a_dict_preserves_order() {
    assert_eq!(changed(value!({"a": 1, "b": 2, "c": 3}), |v| v.remove("b")), "{'a': 1, 'c': 3}");
    let odd = |v: &mut ValueMut<'_>| v.retain_entries(|_, value| value.as_i64().unwrap() % 2 == 1);
    assert_eq!(changed(value!({"a": 1, "b": 2, "c": 3}), odd), "{'a': 1, 'c': 3}");
    assert_eq!(changed(value!({"a": 1}), |v| v.clear()), "{}");
}

#[test]
fn an_error_names_the_missing_key() {
    let error = error_of(value!({"a": 1}), |v| v.remove("b"));
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert_eq!(error.to_string(), "expected the key \"b\", found a dict of length 1 without it");
}

#[test]
fn adding_to_a_set_returns_whether_the_member_is_new() {
    let mut graph = value!({1, "a"});
    assert!(!graph.root_mut().add(1.0).unwrap());
    assert!(graph.root_mut().add(2).unwrap());
    assert_eq!(shown(graph.root()), "{1, 'a', 2}");
    graph.root_mut().remove("a").unwrap();
    graph.root_mut().extend([3, 1]).unwrap();
    graph.root_mut().retain(|n| n.as_i64() != Some(2)).unwrap();
    assert_eq!(shown(graph.root()), "{1, 3}");
}

#[test]
fn an_unhashable_key_leaves_the_dict_unchanged() {
    let with_list = |v: &mut ValueMut<'_>| {
        let list = v.arena().list([1]);
        let key = v.arena().add("b");
        v.update([(key, 1), (list, 2)])
    };
    assert_eq!(error_of(value!({"a": 1}), with_list).kind(), ErrorKind::Unhashable);
    let as_key = |v: &mut ValueMut<'_>| {
        let list = v.arena().list([1]);
        v.set(list, 1)
    };
    assert_eq!(error_of(value!({"a": 1}), as_key).kind(), ErrorKind::Unhashable);
}

#[test]
fn a_tuple_finds_an_equal_key() {
    let mut graph = value!({(1, "a"): "old"});
    let key = graph.add((1.0, "a"));
    graph.root_mut().set(key, "new").unwrap();
    assert_eq!(shown(graph.root()), "{(1, 'a'): 'new'}");
    let other = Graph::from((1, "a"));
    assert_eq!(graph.root().get(other.root()).and_then(|v| v.as_str()), Some("new"));
    graph.root_mut().remove(key).unwrap();
    assert!(graph.root().is_empty());
}

#[test]
fn changing_a_bytearray_affects_all_references() {
    let mut graph = Graph::new();
    let array = graph.bytearray(b"abc");
    graph.set_root([array, array]);
    graph.value_mut(array).set_bytes(b"wxyz").unwrap();
    assert_eq!(graph.root().items().map(|v| v.as_bytes().unwrap()).collect::<Vec<_>>(), [b"wxyz", b"wxyz"]);
    let same = graph.bytes(b"wxyz");
    assert!(graph.value(array) == graph.value(same));
}

#[test]
fn immutable_values_cannot_be_changed() {
    let mut frozen = Graph::new();
    let members = frozen.frozenset([1]).unwrap();
    frozen.set_root(members);
    for graph in [value!((1, 2)), frozen, value!("text"), value!(1), value!(None)] {
        let name = graph.root().type_name();
        for error in [
            error_of(graph.clone(), |v| v.push(1)),
            error_of(graph.clone(), |v| v.extend([1])),
            error_of(graph.clone(), |v| v.insert(0, 1)),
            error_of(graph.clone(), |v| v.set(0, 1)),
            error_of(graph.clone(), |v| v.update([(1, 1)])),
            error_of(graph.clone(), |v| v.add(1)),
            error_of(graph.clone(), |v| v.remove(0)),
            error_of(graph.clone(), |v| v.pop()),
            error_of(graph.clone(), |v| v.retain(|_| false)),
            error_of(graph.clone(), |v| v.retain_entries(|_, _| false)),
            error_of(graph.clone(), |v| v.clear()),
            error_of(graph.clone(), |v| v.set_bytes(b"a")),
            error_of(graph.clone(), |v| v.set_attr("a", 1)),
            error_of(graph.clone(), |v| v.remove_attr("a")),
            error_of(graph.clone(), |v| v.set_state(1)),
        ] {
            assert_eq!(error.kind(), ErrorKind::Type, "{error}");
            assert!(error.found().ends_with(name), "{error}");
        }
    }
}

#[test]
fn a_cursor_reaches_nested_values() {
    let mut graph = value!({"users": [{"name": "a"}, {"name": "b"}]});
    graph.root_mut().at("users").unwrap().at(1).unwrap().set("name", "c").unwrap();
    assert_eq!(shown(graph.root()), "{'users': [{'name': 'a'}, {'name': 'c'}]}");
    let error = graph.root_mut().at("groups").unwrap_err();
    assert_eq!(error.to_string(), "expected the key \"groups\", found a dict of length 1 without it");
}

#[test]
fn reusing_an_id_creates_a_cycle() {
    let mut graph = Graph::new();
    let node = graph.dict::<Id, Id>([]).unwrap();
    graph.value_mut(node).set("self", node).unwrap();
    graph.set_root(node);
    assert!(graph.root().at("self").at("self").is(graph.root()));
}

#[test]
fn a_dict_may_shrink_and_grow_across_the_index_threshold() {
    let mut graph = value!({});
    for round in 0..3 {
        for n in 0..100 {
            graph.root_mut().set(n, round).unwrap();
        }
        assert_eq!(graph.root().len(), 100);
        for n in (0..100).filter(|n| n % 7 != 0) {
            graph.root_mut().remove(n).unwrap();
        }
        assert_eq!(graph.root().len(), 15);
        assert!((0..100).all(|n| graph.root().get(n).is_some() == (n % 7 == 0)));
        graph.root_mut().clear().unwrap();
        graph.root_mut().update([("x", 1), ("y", 2)]).unwrap();
        assert_eq!(graph.root().at("y").as_i64(), Some(2));
        graph.root_mut().clear().unwrap();
    }
}

#[test]
fn values_equal_rust_values_as_in_python() {
    let graph = value!({"a": 1, "b": 2.0, "c": "text", "d": True, "e": b"raw"});
    let root = graph.root();
    assert_eq!(root.at("a"), 1);
    assert_eq!(root.at("a"), 1.0);
    assert_eq!(root.at("b"), 2);
    assert_eq!(root.at("c"), "text");
    assert_eq!(root.at("d"), true);
    assert_eq!(root.at("d"), 1);
    assert_eq!(root.at("e"), &b"raw"[..]);
    assert_ne!(root.at("c"), &b"text"[..]);
    assert_ne!(root.at("missing"), 0);
}

#[test]
fn an_id_of_another_graph_does_not_panic() {
    // The id refers to a frozenset in the other graph and to a set in this one.
    let mut other = Graph::new();
    let foreign = other.frozenset([1]).unwrap();
    let mut graph = value!({ 1 });
    assert!(graph.root_mut().add(foreign).unwrap());
    let copy = graph.root().detach();
    assert_eq!(copy.root().len(), 2);
    graph.compact();
    assert_eq!(graph.root().len(), 2);
}

#[test]
fn retain_with_a_panicking_closure_changes_nothing() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let large: Vec<i64> = (0..100).collect();
    let mut graph = Graph::new();
    let set = graph.set(large.clone()).expect("numbers");
    let dict = graph.dict(large.iter().map(|n| (*n, *n))).expect("numbers");
    let list = graph.list(large);
    let all = graph.list([list, set, dict]);
    graph.set_root(all);
    let before = format!("{:?}", graph.root());
    let keep = |item: picklevm::Value<'_>| match item.as_i64() {
        Some(70) => panic!("a closure that panics"),
        item => item.is_some_and(|n| n % 2 == 1),
    };
    for id in [list, set] {
        catch_unwind(AssertUnwindSafe(|| graph.value_mut(id).retain(keep))).expect_err("it panics");
    }
    catch_unwind(AssertUnwindSafe(|| graph.value_mut(dict).retain_entries(|key, _| keep(key)))).expect_err("it panics");
    assert_eq!(format!("{:?}", graph.root()), before);
    assert!(graph.value(set).contains(99) && graph.value(dict).get(99).is_some());
}

#[test]
fn size_hints_of_iterators_are_not_trusted() {
    /// Claims the maximum length.
    struct WrongSizeHint(u32);
    impl Iterator for WrongSizeHint {
        type Item = u32;

        fn next(&mut self) -> Option<u32> {
            self.0 = self.0.checked_sub(1)?;
            Some(self.0)
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::MAX, None)
        }
    }

    let mut graph = Graph::new();
    let list = graph.list(WrongSizeHint(2));
    let tuple = graph.tuple(WrongSizeHint(2));
    let set = graph.set(WrongSizeHint(2)).expect("numbers");
    let frozenset = graph.frozenset(WrongSizeHint(2)).expect("numbers");
    let dict = graph.dict(WrongSizeHint(2).map(|n| (n, n))).expect("numbers");
    graph.value_mut(list).extend(WrongSizeHint(2)).expect("a list");
    graph.value_mut(set).extend(WrongSizeHint(3)).expect("a set");
    graph.value_mut(dict).update(WrongSizeHint(3).map(|n| (n, n))).expect("a dict");
    let object = graph
        .instance("m", "C")
        .items(WrongSizeHint(1))
        .pairs(WrongSizeHint(1).map(|n| (n, n)))
        .build()
        .expect("an instance");
    graph.value_mut(object).extend(WrongSizeHint(1)).expect("an object");
    let call = graph.call("m", "f").args(WrongSizeHint(2)).build().expect("a call");
    let lens = [list, tuple, set, frozenset, dict].map(|id| graph.value(id).len());
    assert_eq!(lens, [4, 2, 3, 2, 3]);
    assert_eq!(graph.value(call).as_object().map(|call| call.args().len()), Some(2));
    assert_eq!(WrongSizeHint(3).collect::<Graph>().root().len(), 3);
}
