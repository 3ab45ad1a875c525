//! `copy` and `deepcopy`, by the behaviours that CPython's `test_copy` asks for.

use std::sync::Arc;

use picklevm::{CopyMemo, ErrorKind, Graph, Id, NativeObject, Value, dumps, loads, same_graph, value};

/// Loads a pickle, and copies its root.
fn copied(pickle: &[u8]) -> (Graph, Id) {
    let mut graph = loads(pickle).unwrap();
    let root = graph.root().id();
    let copy = graph.copy(root).unwrap();
    (graph, copy)
}

fn deepcopied(pickle: &[u8]) -> (Graph, Id) {
    let mut graph = loads(pickle).unwrap();
    let root = graph.root().id();
    let copy = graph.deepcopy(root).unwrap();
    (graph, copy)
}

/// What `dumps` makes of a value that is read back equals the graph of another.
#[track_caller]
fn assert_same(a: Value<'_>, b: Value<'_>) {
    assert!(same_graph(a, b), "{a} is not {b}");
}

/// Pickles of values that are their own copies, shallow and deep.
const ATOMS: [&[u8]; 14] = [
    b"N.",
    b"\x88.",
    b"K\x2a.",
    b"\x8a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09.",
    b"G\x3f\xb9\x99\x99\x99\x99\x99\x9a.",
    b"\x8c\x02\xc3\xa9.",
    b"C\x01a.",
    b"U\x01a.",
    b").",
    b"cos\nsystem\n.",
    b"cbuiltins\nrange\nK\x00K\x05K\x01\x87R.",
    b"cbuiltins\ncomplex\nG\x3f\xf0\0\0\0\0\0\0G\x40\0\0\0\0\0\0\0\x86R.",
    b"cdecimal\nDecimal\n\x8c\x031.5\x85R.",
    b"cbuiltins\ntype\nN\x85R.",
];

#[test]
fn atoms_are_their_own_copies() {
    for pickle in ATOMS {
        for (graph, copy) in [copied(pickle), deepcopied(pickle)] {
            assert_eq!(copy, graph.root().id(), "{}", pickle.escape_ascii());
        }
    }
}

#[test]
fn a_persistent_reference_is_its_own_copy() {
    for (graph, copy) in [copied(b"K\x01Q."), deepcopied(b"K\x01Q.")] {
        assert_eq!(copy, graph.root().id());
    }
}

mod shallow {
    use super::*;

    #[test]
    fn a_list_has_the_same_items() {
        let (mut graph, copy) = copied(b"](]K\x01e.");
        assert_ne!(copy, graph.root().id());
        assert_eq!(graph.value(copy).at(0).id(), graph.root().at(0).id());
        graph.value_mut(copy).push(2).unwrap();
        assert_eq!(graph.root().to_string(), "[[], 1]");
    }

    #[test]
    fn a_tuple_is_its_own_copy() {
        let (graph, copy) = copied(b"]\x85.");
        assert_eq!(copy, graph.root().id());
    }

    #[test]
    fn a_dict_has_the_same_keys_and_values() {
        let (mut graph, copy) = copied(b"}\x8c\x01a]s.");
        graph.value_mut(copy).set("b", 1).unwrap();
        assert_eq!(graph.root().to_string(), "{'a': []}");
        assert_eq!(graph.value(copy).to_string(), "{'a': [], 'b': 1}");
        assert_eq!(graph.value(copy).at("a").id(), graph.root().at("a").id());
    }

    #[test]
    fn a_large_dict_finds_its_keys() {
        let mut graph = Graph::new();
        let dict = graph.dict((0..1000).map(|n| (n, n))).unwrap();
        let copy = graph.copy(dict).unwrap();
        graph.value_mut(copy).set(7, "seven").unwrap();
        assert_eq!(graph.value(copy).at(7).as_str(), Some("seven"));
        assert_eq!(graph.value(dict).at(7).as_i64(), Some(7));
        assert_eq!(graph.value(copy).len(), 1000);
    }

    #[test]
    fn a_set_has_the_same_members_and_a_frozenset_is_its_own_copy() {
        let (graph, copy) = copied(b"\x8f(K\x01K\x02\x90.");
        assert_ne!(copy, graph.root().id());
        assert_same(graph.value(copy), graph.root());
        let (graph, copy) = copied(b"(K\x01\x91.");
        assert_eq!(copy, graph.root().id());
    }

    #[test]
    fn a_bytearray_is_copied() {
        let (graph, copy) = copied(b"\x96\x01\0\0\0\0\0\0\0a.");
        assert_ne!(copy, graph.root().id());
        assert_eq!(graph.value(copy).as_bytes(), Some(&b"a"[..]));
    }

    #[test]
    fn an_instance_has_attributes_of_its_own_with_the_same_values() {
        let (mut graph, copy) = copied(b"\x80\x02cm\nC\n)\x81}(X\x01\0\0\0a]X\x01\0\0\0bK\x01ub.");
        graph.value_mut(copy).set_attr("b", 2).unwrap();
        let attr = |id: Id, name: &str| graph.value(id).as_object().unwrap().attr(name).unwrap();
        let root = graph.root().id();
        assert_eq!((attr(root, "b").as_i64(), attr(copy, "b").as_i64()), (Some(1), Some(2)));
        assert_eq!(attr(copy, "a").id(), attr(root, "a").id());
    }

    #[test]
    fn an_instance_with_slots_has_slots_of_its_own() {
        let (graph, copy) = copied(b"\x80\x02cm\nC\n)\x81N}X\x01\0\0\0xK\x01s\x86b.");
        assert_same(graph.value(copy), graph.root());
        let state = |id: Id| graph.value(id).as_object().unwrap().state().unwrap().at(1).id();
        assert_ne!(state(copy), state(graph.root().id()));
    }

    #[test]
    fn a_state_for_setstate_is_the_same() {
        let (graph, copy) = copied(b"\x80\x02cm\nC\n)\x81]b.");
        let state = |id: Id| graph.value(id).as_object().unwrap().state().unwrap().id();
        assert_eq!(state(copy), state(graph.root().id()));
    }

    #[test]
    fn arguments_of_new_are_kept() {
        for pickle in
            [&b"\x80\x02cm\nC\nK\x07\x85\x81."[..], b"\x80\x04\x8c\x01m\x8c\x01C\x93K\x07\x85}\x8c\x01aK\x01s\x92."]
        {
            let (graph, copy) = copied(pickle);
            assert_ne!(copy, graph.root().id());
            assert_same(graph.value(copy), graph.root());
        }
    }

    #[test]
    fn subclasses_of_list_and_dict_have_items_of_their_own() {
        let (mut graph, copy) = copied(b"\x80\x02cm\nL\n)\x81(K\x01K\x02e.");
        assert_same(graph.value(copy), graph.root());
        graph.value_mut(copy).push(3).unwrap();
        assert!(!same_graph(graph.value(copy), graph.root()));
        let (graph, copy) = copied(b"\x80\x02cm\nD\n)\x81(K\x01K\x02u.");
        assert_same(graph.value(copy), graph.root());
    }

    #[test]
    fn what_is_written_of_a_value_and_its_copy_is_two_values() {
        let (mut graph, copy) = copied(b"\x80\x02cm\nC\n)\x81}X\x01\0\0\0a]sb.");
        let root = graph.root().id();
        let both = graph.list([root, copy]);
        graph.set_root(both);
        let again = loads(dumps(graph.root()).unwrap()).unwrap();
        assert_ne!(again.root().at(0).id(), again.root().at(1).id());
        let inner = |n: usize| again.root().at(n).as_object().unwrap().attr("a").unwrap().id();
        assert_eq!(inner(0), inner(1));
    }
}

mod deep {
    use super::*;

    #[test]
    fn lists_dicts_and_sets_are_copied_with_all_that_is_in_them() {
        for pickle in [&b"](]K\x01e."[..], b"}\x8c\x01a]s.", b"\x8f(K\x01K\x02\x90.", b"(K\x01\x91."] {
            let (graph, copy) = deepcopied(pickle);
            assert_ne!(copy, graph.root().id());
            assert_same(graph.value(copy), graph.root());
        }
        let (graph, copy) = deepcopied(b"](]K\x01e.");
        assert_ne!(graph.value(copy).at(0).id(), graph.root().at(0).id());
    }

    #[test]
    fn a_tuple_is_copied_if_something_in_it_is() {
        let (graph, copy) = deepcopied(b"](K\x01\x85]\x85e.");
        assert_eq!(graph.value(copy).at(0).id(), graph.root().at(0).id());
        assert_ne!(graph.value(copy).at(1).id(), graph.root().at(1).id());
        let (graph, copy) = deepcopied(b"K\x01\x85\x85\x85.");
        assert_eq!(copy, graph.root().id());
        let (graph, copy) = deepcopied(b"]\x85\x85\x85.");
        assert_ne!(copy, graph.root().id());
        assert_same(graph.value(copy), graph.root());
    }

    #[test]
    fn values_that_contain_themselves_are_copied() {
        // A list, a dict, a tuple with a list, and an instance in its own attribute.
        for pickle in [
            &b"]q\0h\0a."[..],
            b"}q\0K\x01h\0s.",
            b"]q\0h\0\x85q\x01a0h\x01.",
            b"\x80\x02cm\nC\n)\x81q\0}X\x01\0\0\0ah\0sb.",
        ] {
            let (graph, copy) = deepcopied(pickle);
            assert_ne!(copy, graph.root().id());
            assert_same(graph.value(copy), graph.root());
        }
    }

    #[test]
    fn what_is_shared_is_shared_in_the_copy() {
        let (graph, copy) = deepcopied(b"(]q\0h\0l.");
        let copy = graph.value(copy);
        assert_eq!(copy.at(0).id(), copy.at(1).id());
        assert_ne!(copy.at(0).id(), graph.root().at(0).id());
    }

    #[test]
    fn an_instance_is_copied_with_arguments_state_and_items() {
        for pickle in [
            &b"\x80\x02cm\nC\n)\x81}X\x01\0\0\0a]sb."[..],
            b"\x80\x02cm\nC\n]\x85\x81N}X\x01\0\0\0x]s\x86b.",
            b"\x80\x02cm\nL\n)\x81(]]e.",
            b"\x80\x02cm\nD\n)\x81(K\x01]u.",
            b"\x80\x04\x8c\x01m\x8c\x01C\x93]\x85}\x8c\x01a]s\x92.",
        ] {
            let (graph, copy) = deepcopied(pickle);
            assert_same(graph.value(copy), graph.root());
            assert_ne!(copy, graph.root().id());
        }
    }

    #[test]
    fn a_bound_method_is_that_of_the_copy() {
        let (graph, copy) = deepcopied(b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93]\x8c\x06append\x86R.");
        let receiver = |id: Id| graph.value(id).as_object().unwrap().args().next().unwrap().id();
        assert_ne!(receiver(copy), receiver(graph.root().id()));
    }

    #[test]
    fn keys_are_copied_and_found() {
        let mut graph = loads(b"\x80\x02}cm\nC\n)\x81q\0K\x01s.").unwrap();
        let root = graph.root().id();
        let copy = graph.deepcopy(root).unwrap();
        let key = |id: Id| graph.value(id).as_dict().unwrap().keys().next().unwrap().id();
        assert_ne!(key(copy), key(root));
    }

    #[test]
    fn one_memo_for_several_values_keeps_what_they_share() {
        let mut graph = value!([[["shared"]], []]);
        let shared = graph.root().at(0).at(0).id();
        let second = graph.root().at(1).id();
        graph.value_mut(second).push(shared).unwrap();
        let mut memo = CopyMemo::new();
        let first = graph.root().at(0).id();
        let [first, second] = [first, second].map(|value| graph.deepcopy_with(value, &mut memo).unwrap());
        assert_eq!(graph.value(first).at(0).id(), graph.value(second).at(0).id());
        assert_eq!(memo.get(shared), Some(graph.value(first).at(0).id()));
    }

    #[test]
    fn a_value_a_million_levels_deep_is_copied() {
        let mut pickle = vec![b']'; 1_000_000];
        pickle.extend(vec![b'a'; 999_999]);
        pickle.push(b'.');
        let (graph, copy) = deepcopied(&pickle);
        assert_same(graph.value(copy), graph.root());
    }

    #[test]
    fn a_copy_in_another_graph_keeps_sharing_and_cycles() {
        let graph = loads(b"]q\0(h\0]q\x01h\x01e.").unwrap();
        let mut other = Graph::new();
        other.set_root(graph.root());
        assert_same(other.root(), graph.root());
    }
}

mod native {
    use super::*;

    /// Holds a value of the graph; can be copied.
    #[derive(Debug, Clone)]
    struct Holder(Id);

    impl NativeObject for Holder {
        fn clone_object(&self) -> Option<Arc<dyn NativeObject>> {
            Some(Arc::new(self.clone()))
        }

        fn deepcopy(&self, copy_of: &mut dyn FnMut(Id) -> Id) -> Option<Arc<dyn NativeObject>> {
            Some(Arc::new(Holder(copy_of(self.0))))
        }
    }

    /// Cannot be copied.
    #[derive(Debug)]
    struct Handle;

    impl NativeObject for Handle {}

    fn held(graph: &Graph, id: Id) -> Id {
        graph.value(id).downcast_ref::<Holder>().unwrap().0
    }

    #[test]
    fn an_object_is_copied_by_its_own_copy() {
        let mut graph = Graph::new();
        let list = graph.list([1]);
        let holder = graph.native_object(Holder(list));
        let copy = graph.copy(holder).unwrap();
        assert_ne!(copy, holder);
        assert_eq!(held(&graph, copy), list);
    }

    #[test]
    fn a_deep_copy_asks_for_copies_of_what_an_object_holds() {
        let mut graph = Graph::new();
        let list = graph.list([1]);
        let holder = graph.native_object(Holder(list));
        let root = graph.list([holder, list]);
        let copy = graph.deepcopy(root).unwrap();
        let [holder, inner] = [0, 1].map(|n| graph.value(copy).at(n).id());
        assert_ne!(inner, list);
        assert_eq!(held(&graph, holder), inner);
        assert_eq!(graph.value(inner).to_string(), "[1]");
    }

    #[test]
    fn objects_that_hold_each_other_a_million_levels_deep_are_copied() {
        let mut graph = Graph::new();
        let mut last = graph.list([1]);
        for _ in 0..1_000_000 {
            last = graph.native_object(Holder(last));
        }
        let copy = graph.deepcopy(last).unwrap();
        assert_ne!(held(&graph, copy), held(&graph, last));
    }

    #[test]
    fn an_object_that_holds_itself_through_a_list_is_copied() {
        let mut graph = Graph::new();
        let list = graph.list([0; 0]);
        let holder = graph.native_object(Holder(list));
        graph.value_mut(list).push(holder).unwrap();
        let copy = graph.deepcopy(holder).unwrap();
        let inner = held(&graph, copy);
        assert_ne!(inner, list);
        assert_eq!(graph.value(inner).at(0).id(), copy);
    }

    #[test]
    fn an_object_without_a_copy_is_an_error_that_names_it() {
        let mut graph = Graph::new();
        let handle = graph.native_object(Handle);
        let root = graph.list([handle]);
        for error in [graph.copy(handle).unwrap_err(), graph.deepcopy(root).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Unrepresentable);
            assert!(error.to_string().contains("Handle"), "{error}");
        }
    }
}
