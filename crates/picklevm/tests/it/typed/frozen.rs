//! `frozendict`, as CPython 3.15 pickles it.

use picklevm::typed::FrozenDict;
use picklevm::{Graph, Pickler, Protocol};

/// `pickle.dumps(frozendict({'a': 1, 'b': [2]}), protocol)` of CPython 3.15, at protocols 2 and 3.
const PICKLES: [&[u8]; 2] = [
    b"\x80\x02c__builtin__\nfrozendict\nq\x00}q\x01(X\x01\0\0\0aq\x02K\x01X\x01\0\0\0bq\x03]q\x04K\x02au\x85q\x05\x81q\x06.",
    b"\x80\x03cbuiltins\nfrozendict\nq\x00}q\x01(X\x01\0\0\0aq\x02K\x01X\x01\0\0\0bq\x03]q\x04K\x02au\x85q\x05\x81q\x06.",
];

#[test]
fn a_frozendict_has_a_view_and_is_written_back_byte_for_byte() {
    for (pickle, protocol) in PICKLES.into_iter().zip([Protocol::V2, Protocol::V3]) {
        let graph = picklevm::loads(pickle).expect("a pickle");
        let dict: FrozenDict<'_> = graph.root().view().expect("a frozendict");
        let keys: Vec<_> = dict.entries().filter_map(|(key, _)| key.as_str()).collect();
        assert_eq!((keys, dict.get("b").map(|list| list.len())), (vec!["a", "b"], Some(1)));
        assert_eq!(graph.root().to_string(), "frozendict({'a': 1, 'b': [2]})");
        let pickler = Pickler::new().protocol(protocol);
        assert_eq!(pickler.dumps(graph.root()).expect("written"), pickle);
    }
}

#[test]
fn a_new_frozendict_is_written_like_cpython() {
    let mut graph = Graph::new();
    let list = graph.list([2]);
    let one = graph.add(1);
    let dict = graph.frozen_dict([("a", one), ("b", list)]).expect("hashable");
    graph.set_root(dict);
    let pickle = Pickler::new().protocol(Protocol::V3).dumps(graph.root()).expect("written");
    assert_eq!(pickle, PICKLES[1]);
}

/// The opcodes of a `frozendict` with the keys and values that these opcodes push.
fn frozen(rows: &[u8]) -> Vec<u8> {
    [b"cbuiltins\nfrozendict\n}(", rows, b"u\x85\x81"].concat()
}

/// Loads what these opcodes push, at protocol 4.
fn load(ops: &[&[u8]]) -> picklevm::Result<Graph> {
    picklevm::loads([b"\x80\x04", &ops.concat()[..], b"."].concat())
}

#[test]
fn frozendicts_with_equal_contents_are_one_key() {
    let [one, other] = [frozen(b"K\x01K\x02K\x03K\x04"), frozen(b"K\x03K\x04G\x3f\xf0\0\0\0\0\0\0K\x02")];
    let empty = frozen(b"");
    let graph = load(&[b"}(", &one, b"\x8c\x01a", &empty, b"K\0", &other, b"\x8c\x01bu"]).expect("a dict");
    assert_eq!(graph.root().to_string(), "{frozendict({1: 2, 3: 4}): 'b', frozendict({}): 0}");
    for (open, close) in [(&b"\x8f("[..], &b"\x90"[..]), (b"(", b"\x91")] {
        let set = load(&[open, &one, &other, b"K\x05", close]).expect("a set");
        assert_eq!(set.root().len(), 2, "{}", set.root());
    }
    // Inside of other keys, and inside of one another.
    let nested = |inner: &[u8]| [&frozen(&[b"K\x01", inner].concat())[..], b"\x85"].concat();
    let set = load(&[b"\x8f(", &nested(&one), &nested(&other), b"\x90"]);
    assert_eq!(set.expect("a set").root().len(), 1);
}

#[test]
fn a_frozendict_with_many_entries_is_hashed_by_its_last_values() {
    let rows =
        |numbers: std::ops::Range<u8>, value: u8| numbers.flat_map(|n| [b'K', n, b'K', value]).collect::<Vec<_>>();
    // The second and the third were given values that were then replaced.
    let keys =
        [rows(0..100, 1), [rows(0..100, 2), rows(0..100, 1)].concat(), [rows(50..100, 3), rows(0..100, 1)].concat()];
    let [one, two, three] = keys.map(|rows| frozen(&rows));
    let graph = load(&[b"\x8f(", &one, &two, &three, b"\x90"]).expect("a set");
    assert_eq!(graph.root().len(), 1);
    let graph = load(&[b"\x8f(", &one, &frozen(&rows(0..99, 1)), b"\x90"]).expect("a set");
    assert_eq!(graph.root().len(), 2);
}

#[test]
fn a_frozendict_with_unhashable_contents_is_no_key() {
    let outer = |value: &[u8]| frozen(&[b"K\x01", value].concat());
    for bad in [outer(b"]"), outer(b"}"), outer(&outer(b"]")), outer(b"(K\x01]t"), outer(b"\x8f")] {
        for ops in [
            vec![b"}", &bad[..], b"K\x01s"],
            vec![b"\x8f(", &bad, b"\x90"],
            vec![b"(", &bad, b"\x91"],
            vec![b"}", &bad, b"\x85K\x01s"],
        ] {
            let error = load(&ops).expect_err("unhashable");
            assert_eq!(error.kind(), picklevm::ErrorKind::Unhashable, "{error}");
        }
        load(&[&bad]).expect("no key");
    }
}

#[test]
fn a_frozendict_equals_a_dict_and_a_frozendict_of_another_graph() {
    let graph = load(&[b"}", &frozen(b"K\x01(K\x02]tK\x03K\x04"), b"\x85\x94K\x01s"]);
    assert!(graph.is_err(), "a list in a key");
    let graph = load(&[b"(", &frozen(b"K\x01K\x02"), b"}K\x01K\x02s}K\x01K\x03s}", &frozen(b"K\x01K\x02"), b"K\x07st"]);
    let graph = graph.expect("a tuple");
    let [frozen_dict, dict, other, keyed] = graph.root().as_tuple().and_then(|items| items.as_array()).expect("four");
    assert!(frozen_dict == dict && frozen_dict != other);
    let copy = frozen_dict.detach();
    assert!(dict == frozen_dict);
    assert!(copy.root() == frozen_dict && copy.root() == dict && copy.root() != other);
    assert_eq!(keyed.get(copy.root()).and_then(|value| value.as_i64()), Some(7));
    let whole = keyed.detach();
    assert_eq!(whole.root().get(frozen_dict).and_then(|value| value.as_i64()), Some(7));
}

#[test]
fn an_instance_of_another_class_that_holds_a_dict_is_a_key_by_identity() {
    let one = b"cshop\nfrozendict\n}K\x01K\x02s\x85\x81";
    assert_eq!(load(&[b"\x8f(", one, one, b"\x90"]).expect("a set").root().len(), 2);
}

/// Each holds the one before twice: a walk that does not know what it met takes 2^20,000 steps.
#[test]
fn shared_frozendicts_are_hashed_and_compared_once() {
    let chain = |start: &[u8]| {
        let mut ops = start.to_vec();
        for _ in 0..20_000 {
            ops.extend(b"p0\n0");
            ops.extend(frozen(b"K\x01g0\nK\x02g0\n"));
        }
        ops
    };
    let [one, other] = [chain(b"N"), chain(b"N")];
    let graph = load(&[b"\x8f(", &one, &other, b"\x90"]).expect("a set");
    assert_eq!(graph.root().len(), 1);
}

/// Hashing and comparing the dict for each would take 10^10 steps.
#[test]
fn frozendicts_that_share_a_large_dict_hash_it_once() {
    let mut ops = b"}p0\n(".to_vec();
    for number in 0..100_000_u32 {
        ops.push(b'J');
        ops.extend(number.to_le_bytes());
        ops.extend(b"N");
    }
    ops.extend(b"u0cbuiltins\nfrozendict\np1\n0\x8f(");
    ops.extend(b"g1\ng0\n\x85\x81".repeat(100_000));
    ops.extend(b"\x90");
    assert_eq!(load(&[&ops]).expect("a set").root().len(), 1);
}
