//! The macro `value!`.

use picklevm::{Graph, value};

use super::shown;

#[test]
fn a_literal_may_use_python_syntax() {
    assert_eq!(shown(value!(None).root()), "None");
    assert_eq!(shown(value!(True).root()), "True");
    assert_eq!(shown(value!(1).root()), "1");
    assert_eq!(shown(value!(-1).root()), "-1");
    assert_eq!(shown(value!([]).root()), "[]");
    assert_eq!(shown(value!([1, -2, 3.5, "a", None, [True, False],]).root()), "[1, -2, 3.5, 'a', None, [True, False]]");
    assert_eq!(shown(value!(()).root()), "()");
    assert_eq!(shown(value!((1,)).root()), "(1,)");
    assert_eq!(shown(value!((1, (2, 3))).root()), "(1, (2, 3))");
    assert_eq!(shown(value!((1)).root()), "1");
    assert_eq!(shown(value!({}).root()), "{}");
    assert_eq!(shown(value!({ 1 }).root()), "{1}");
    assert_eq!(shown(value!({1, 2, 1}).root()), "{1, 2}");
}

#[test]
fn a_literal_may_use_json_syntax() {
    let graph = value!({"a": null, "b": [true, false], "c": {"d": 1.5}});
    assert_eq!(shown(graph.root()), "{'a': None, 'b': [True, False], 'c': {'d': 1.5}}");
}

#[test]
fn keys_may_be_any_hashable_value() {
    let graph = value!({None: 1, True: 2, "a": 3, (1, "b"): 4, -5: 5, (): 6, 2.5: 7});
    assert_eq!(shown(graph.root()), "{None: 1, True: 2, 'a': 3, (1, 'b'): 4, -5: 5, (): 6, 2.5: 7}");
}

#[test]
fn equal_keys_are_merged_as_in_python() {
    assert_eq!(shown(value!({1: "a", 1.0: "b", True: "c"}).root()), "{1: 'c'}");
}

#[test]
fn values_and_keys_may_be_expressions() {
    let (name, numbers) = ("n", vec![1, 2]);
    let graph = value!({name: numbers.len() + 1, "l": numbers.clone(), "f": (numbers[0] + 1, "x".repeat(2))});
    assert_eq!(shown(graph.root()), "{'n': 3, 'l': [1, 2], 'f': (2, 'xx')}");
}

#[test]
fn ids_share_nodes() {
    let mut graph = Graph::new();
    let shared = value!(in graph, [1]);
    let root = value!(in graph, [shared, {"again": shared}, (shared,)]);
    graph.set_root(root);
    assert!(graph.root().at(0).is(graph.root().at(1).at("again")));
    assert!(graph.root().at(0).is(graph.root().at(2).at(0)));
}

#[test]
fn the_graph_may_be_any_place_expression() {
    struct Holder {
        graph: Graph,
    }
    fn add(holder: &mut Holder) {
        let id = value!(in holder.graph, [holder.graph.roots().len()]);
        holder.graph.add_root(id);
    }
    fn add_by_reference(graph: &mut Graph) {
        let id = value!(in graph, {"k": {1}});
        graph.add_root(id);
    }
    let mut holder = Holder { graph: Graph::new() };
    add(&mut holder);
    add(&mut holder);
    add_by_reference(&mut holder.graph);
    assert_eq!(holder.graph.roots().map(shown).collect::<Vec<_>>(), ["[0]", "[1]", "{'k': {1}}"]);
}
