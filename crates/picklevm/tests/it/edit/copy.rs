//! Copies between graphs, copy on write, detaching and compacting.

use picklevm::{Graph, Id, Value, loads, same_graph, value};

use super::shown;

/// A graph with sharing, a cycle, and every kind that has children.
fn tangle() -> Graph {
    let mut graph = Graph::new();
    let text = graph.add("shared text");
    let pair = graph.add((text, 1.5));
    let list = graph.list([pair, pair, text]);
    graph.value_mut(list).push(list).unwrap();
    let set = graph.set([pair, text]).unwrap();
    let frozen = graph.frozenset([pair]).unwrap();
    let dict = graph.dict([(pair, list), (frozen, set)]).unwrap();
    let class = graph.instance("m", "C").build().unwrap();
    let object = graph.instance("m", "C").arg(list).kwarg("k", dict).items([dict]).pair(list, set).state(frozen);
    let object = object.build().unwrap();
    let by_identity: Vec<(Id, i32)> = (0..20).map(|n| (class, n)).collect();
    let keyed = graph.dict(by_identity).unwrap();
    let reference = graph.persistent(pair);
    graph.set_root([dict, object, reference, keyed, list]);
    graph
}

#[test]
fn a_copy_preserves_shape_sharing_and_cycles() {
    let graph = tangle();
    let copy = graph.root().detach();
    assert!(same_graph(graph.root(), copy.root()));
    let mut host = value!(["before"]);
    let inside = host.add(graph.root());
    assert!(same_graph(graph.root(), host.value(inside)));
}

#[test]
fn a_copied_shared_string_is_one_object() {
    let graph = tangle();
    let copy = graph.root().detach();
    let list = copy.root().at(4);
    assert!(list.at(2).is(list.at(0).at(0)));
}

#[test]
fn keys_by_identity_are_found_in_a_copy() {
    let mut graph = Graph::new();
    let keys: Vec<Id> = (0..30).map(|_| graph.instance("m", "C").build().unwrap()).collect();
    let dict = graph.dict(keys.iter().zip(0..)).unwrap();
    let pairs: Vec<Id> = keys.iter().map(|key| graph.tuple([*key])).collect();
    let nested = graph.set(&pairs).unwrap();
    graph.set_root([dict, nested]);
    let mut copy = graph.root().detach();
    copy.compact();
    let [dict, nested] = copy.root().items().as_array().unwrap();
    for (key, value) in dict.entries() {
        assert!(dict.get(key).unwrap().is(value));
    }
    assert!(nested.items().all(|member| nested.contains(member)));
}

#[test]
fn detach_copies_a_value_without_the_rest() {
    let graph = value!([[1, 2], "x"]);
    let handle = graph.keep(graph.root().at(0));
    drop(graph);
    let alone = handle.detach();
    assert_eq!(shown(alone.root()), "[1, 2]");
}

#[test]
fn compact_preserves_roots_and_reachable_values() {
    let mut graph = tangle();
    let before = graph.clone();
    graph.add_root("second");
    for _ in 0..1000 {
        graph.list(["garbage"]);
    }
    graph.compact();
    assert!(same_graph(graph.root(), before.root()));
    assert_eq!(graph.roots().map(|root| root.type_name()).collect::<Vec<_>>(), ["list", "str"]);
}

#[test]
fn compact_frees_memory() {
    let input = bytes::Bytes::from(value_pickle(100_000));
    let mut graph = picklevm::Unpickler::new().load_bytes(input.clone()).unwrap();
    assert!(!input.is_unique());
    graph.root_mut().clear().unwrap();
    assert!(!input.is_unique());
    graph.compact();
    assert!(input.is_unique(), "the input is let go of");
}

/// Returns a protocol 3 pickle of a list of bytes of length `len` and a few short ones.
fn value_pickle(len: u32) -> Vec<u8> {
    let mut pickle = b"\x80\x03](B".to_vec();
    pickle.extend(len.to_le_bytes());
    pickle.extend(vec![b'x'; len as usize]);
    pickle.extend(b"C\x03abcC\x03defe.");
    pickle
}

#[test]
fn a_small_part_of_the_input_does_not_keep_the_input_alive() {
    let mut pickle = b"\x80\x03(B".to_vec();
    for (n, len) in [20_000u32, 1_000_000].into_iter().enumerate() {
        if n > 0 {
            pickle.push(b'B');
        }
        pickle.extend(len.to_le_bytes());
        pickle.extend(vec![b'x'; len as usize]);
    }
    pickle.extend(b"t.");
    let input = bytes::Bytes::from(pickle);
    let graph = picklevm::Unpickler::new().load_bytes(input.clone()).unwrap();
    let small = graph.root().at(0).detach();
    drop(graph);
    assert!(input.is_unique());
    assert_eq!(small.root().as_bytes().map(<[u8]>::len), Some(20_000));
}

#[test]
fn a_change_of_one_handle_is_not_seen_by_another() {
    let mut graph = value!({"n": [1]});
    let other = graph.clone();
    graph.root_mut().at("n").unwrap().push(2).unwrap();
    assert_eq!(shown(graph.root()), "{'n': [1, 2]}");
    assert_eq!(shown(other.root()), "{'n': [1]}");
}

#[test]
fn ids_remain_valid_after_a_copy_on_write() {
    let mut graph = value!([["a"], ["b"]]);
    let second = graph.root().at(1).id();
    let _other = graph.clone();
    graph.value_mut(second).push("c").unwrap();
    assert_eq!(shown(graph.root()), "[['a'], ['b', 'c']]");
}

#[test]
fn threads_read_one_graph_and_change_their_own() {
    let graph = Graph::from((0..1000).collect::<Vec<i32>>());
    std::thread::scope(|scope| {
        for n in 0..4 {
            let mut mine = graph.clone();
            scope.spawn(move || {
                assert_eq!(mine.root().len(), 1000);
                mine.root_mut().push(n).unwrap();
                assert_eq!(mine.root().at(1000).as_i64(), Some(n.into()));
            });
        }
        let sum: i64 = graph.root().items().filter_map(Value::as_i64).sum();
        assert_eq!(sum, 499_500);
    });
    assert_eq!(graph.root().len(), 1000);
}

#[test]
fn a_million_nested_lists_are_copied_and_compacted_on_a_small_stack() {
    let depth = 1_000_000;
    let mut pickle = vec![b']'; depth];
    pickle.extend(vec![b'a'; depth - 1]);
    pickle.push(b'.');
    let work = move || {
        let mut graph = loads(&pickle).unwrap();
        let copy = graph.root().detach();
        graph.compact();
        assert!(same_graph(graph.root(), copy.root()));
    };
    std::thread::Builder::new().stack_size(256 * 1024).spawn(work).unwrap().join().unwrap();
}

#[test]
fn compact_preserves_effects() {
    // A call made for its effect and dropped.
    let mut graph = loads(b"cm\nf\n(tR0K\x01.").unwrap();
    assert_eq!(graph.effects().len(), 1);
    graph.compact();
    assert_eq!(graph.effects().map(shown).collect::<Vec<_>>(), ["m.f()"]);
    graph.clear_effects();
    assert_eq!(graph.effects().len(), 0);
}
