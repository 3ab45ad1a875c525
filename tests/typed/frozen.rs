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
