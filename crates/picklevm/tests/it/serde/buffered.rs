//! `Graph` and `as_…` fields in what serde buffers: flattened fields, tagged and untagged enums.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use indexmap::IndexMap;
use picklevm::serde::{Config, from_reader, from_slice, from_value, to_vec};
use picklevm::{Graph, Pickler, Protocol, literal, loads};
use picklevm_ops::{Decoder, Op};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

fn graph(python: &str) -> Graph {
    literal::parse(python).unwrap_or_else(|error| panic!("{python}: {error}"))
}

/// Reads a value from a graph, from a slice and from a reader, and writes it again: all give the second value.
#[track_caller]
fn becomes<T: Serialize + DeserializeOwned>(python: &str, expected: &str, change: impl Fn(&mut T)) {
    let graphs = [graph(python), graph(expected)];
    for protocol in 0..=5 {
        let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
        let [pickle, expected] = graphs.each_ref().map(|graph| pickler.dumps(graph.root()).expect("written"));
        let loaded = loads(&pickle).expect("loaded");
        let read = [from_value::<T>(loaded.root()), from_slice(&pickle), from_reader(&pickle[..])];
        for (way, read) in ["value", "slice", "reader"].iter().zip(read) {
            let mut read = read.unwrap_or_else(|error| panic!("{way} at {protocol}: {error}"));
            change(&mut read);
            let written = Config::new().pickler(pickler.clone()).to_vec(&read).expect("written");
            let [written_graph, expected_graph] = [&written, &expected].map(|pickle| loads(pickle).expect("loaded"));
            assert_eq!(
                written_graph.root().to_string(),
                expected_graph.root().to_string(),
                "from a {way} at protocol {protocol}"
            );
            // Two values of a type share nothing.
            if !shares(&expected) {
                assert_eq!(written, expected, "from a {way} at protocol {protocol}");
            }
        }
    }
}

/// Whether a pickle refers to an earlier value.
fn shares(pickle: &[u8]) -> bool {
    let mut ops = Decoder::new(pickle);
    loop {
        match ops.next_op().expect("an op") {
            Op::Get(_) | Op::BinGet(_) | Op::LongBinGet(_) => return true,
            Op::Stop => return false,
            _ => {}
        }
    }
}

/// Checks that a value is written as it was read.
#[track_caller]
fn stays<T: Serialize + DeserializeOwned>(python: &str) {
    becomes::<T>(python, python, |_| {});
}

#[derive(Serialize, Deserialize)]
struct Flat<Rest> {
    id: u32,
    #[serde(flatten)]
    rest: Rest,
}

const VALUES: &str = "'tuple': (1, 'a'), 'set': {1, 2}, 'frozen': frozenset({3}), 'day': datetime.date(2030, 1, 2), \
    'when': datetime.datetime(2030, 1, 2, 3, 4, 5), 'price': decimal.Decimal('9.90'), 'raw': bytearray(b'ab'), \
    'bytes': b'\\xff', 'wave': (1.5+2j), 'user': shop.User() with state {'name': 'Ann', 'tags': ('b',)}, \
    'big': 123456789012345678901234567890, 'nested': [{'k': (1,)}, ((), [])], 'span': datetime.timedelta(seconds=90), \
    'none': None, 'true': True, 'float': 0.5, 'text': 'text', 'class': shop.User";

#[test]
fn a_flattened_map_keeps_the_python_type_of_every_value() {
    let python = format!("{{'id': 7, {VALUES}}}");
    becomes::<Flat<IndexMap<String, Graph>>>(&python, &python.replace("'id': 7", "'id': 8"), |flat| flat.id += 1);
}

#[test]
fn a_flattened_map_can_be_changed() {
    becomes::<Flat<BTreeMap<String, Graph>>>(
        "{'id': 7, 'a': (1,), 'b': {2}, 'c': datetime.date(2030, 1, 2)}",
        "{'id': 7, 'a': (1,), 'b': (3, [4]), 'c': datetime.date(2030, 1, 2)}",
        |flat| {
            flat.rest.insert("b".into(), graph("(3, [4])"));
        },
    );
}

#[test]
fn a_flattened_hash_map_keeps_types() {
    stays::<Flat<HashMap<String, Graph>>>("{'id': 7, 'a': (1, {2})}");
}

#[test]
fn a_flattened_graph_keeps_the_types_of_its_values() {
    stays::<Flat<Graph>>("{'id': 7, 'a': (1,), 'b': {2}, 'c': [(), []]}");
}

#[test]
fn graphs_in_vectors_and_options_of_a_flattened_map_keep_types() {
    stays::<Flat<IndexMap<String, Vec<Graph>>>>("{'id': 7, 'a': [(1,), {2}, [3]], 'b': []}");
    stays::<Flat<IndexMap<String, Option<Graph>>>>("{'id': 7, 'a': (1,), 'b': None, 'c': {2}}");
    stays::<Flat<IndexMap<String, IndexMap<String, Graph>>>>("{'id': 7, 'a': {'b': (1,), 'c': [1]}, 'd': {'b': {1}}}");
}

#[test]
fn a_flattened_struct_keeps_the_types_of_its_graphs() {
    #[derive(Serialize, Deserialize)]
    struct Inner {
        name: String,
        value: Graph,
        other: Option<Graph>,
    }
    stays::<Flat<Inner>>("{'id': 7, 'name': 'n', 'value': ({1},), 'other': frozenset({2})}");
}

#[test]
fn two_flattened_members_share_the_values() {
    #[derive(Serialize, Deserialize)]
    struct Inner {
        value: Graph,
    }
    #[derive(Serialize, Deserialize)]
    struct Two {
        #[serde(flatten)]
        inner: Inner,
        #[serde(flatten)]
        rest: IndexMap<String, Graph>,
    }
    becomes::<Two>("{'a': (1,), 'value': {2}, 'b': {3}}", "{'value': {2}, 'a': (1,), 'b': {3}}", |_| {});
}

#[test]
fn values_of_the_same_plain_form_are_told_apart_by_their_order() {
    stays::<Flat<IndexMap<String, Graph>>>(
        "{'id': 7, 'a': [1, 2], 'b': (1, 2), 'c': {1, 2}, 'd': [], 'e': (), 'f': [1, 2], 'g': '2030-01-02', \
         'h': datetime.date(2030, 1, 2), 'i': (1, 2)}",
    );
}

#[test]
fn instances_without_a_plain_form_are_kept() {
    stays::<Flat<IndexMap<String, Graph>>>(
        "{'id': 7, 'a': shop.Color(1), 'b': [shop.Color(2)], 'c': app.Array() with state (1, b'data'), 'd': shop.Color(1)}",
    );
}

#[test]
fn an_instance_without_a_plain_form_is_an_error_for_other_types() {
    let pickle = picklevm::dumps(graph("{'id': 7, 'a': shop.Color(1)}").root()).expect("written");
    let error = from_slice::<Flat<BTreeMap<String, String>>>(&pickle).map(|_| ()).expect_err("no string");
    assert_eq!(error.to_string(), "expected a string, found an instance that only a Graph or serde::Instance reads");
    from_slice::<Flat<BTreeMap<String, serde_json::Value>>>(&pickle).map(|_| ()).expect_err("no JSON");
}

#[test]
fn an_unknown_field_without_a_plain_form_is_ignored() {
    #[derive(Serialize, Deserialize)]
    struct Name {
        name: String,
    }
    becomes::<Flat<Name>>("{'id': 7, 'a': shop.Color(1), 'name': 'n'}", "{'id': 7, 'name': 'n'}", |_| {});
}

#[test]
fn keys_of_any_type_are_kept_in_a_graph_of_a_flattened_map() {
    stays::<Flat<IndexMap<String, Graph>>>("{'id': 7, 'a': {(1, 2): 3, frozenset({4}): [5], 6: (7,)}}");
}

#[test]
fn sharing_inside_a_value_of_a_flattened_map_is_kept() {
    stays::<Flat<IndexMap<String, Graph>>>("{'id': 7, 'a': [&1 (1, 2), *1]}");
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Internal {
    Text {
        text: String,
    },
    Any {
        x: Graph,
        y: Graph,
        n: i64,
    },
    Map(IndexMap<String, Graph>),
    All(Graph),
    Span {
        #[serde(with = "picklevm::serde::as_timedelta")]
        span: Duration,
    },
    Day {
        #[serde(with = "picklevm::serde::as_date")]
        day: chrono::NaiveDate,
    },
}

#[test]
fn an_internally_tagged_enum_keeps_the_types_of_its_graphs() {
    stays::<Internal>("{'type': 'Any', 'x': (1, {2}), 'y': datetime.date(2030, 1, 2), 'n': 5}");
    stays::<Internal>("{'type': 'Map', 'a': (1, {2}), 'b': [1]}");
    stays::<Vec<Internal>>(
        "[{'type': 'Any', 'x': (1,), 'y': [1], 'n': 5}, {'type': 'Any', 'x': [1], 'y': (1,), 'n': 5}, \
         {'type': 'Text', 'text': 't'}]",
    );
}

#[test]
fn the_tag_may_stand_behind_the_values() {
    becomes::<Internal>(
        "{'x': (1,), 'type': 'Any', 'n': 5, 'y': {1}}",
        "{'type': 'Any', 'x': (1,), 'y': {1}, 'n': 5}",
        |_| {},
    );
}

#[test]
fn a_newtype_variant_of_a_graph_keeps_types() {
    let pickle = picklevm::dumps(graph("{'type': 'All', 'a': (1, {2}), 'b': [1]}").root()).expect("written");
    for read in [from_slice::<Internal>(&pickle), from_value(loads(&pickle).expect("loaded").root())] {
        let Ok(Internal::All(all)) = read else { panic!("the variant") };
        assert_eq!(all.root().to_string(), "{'a': (1, {2}), 'b': [1]}");
    }
}

#[test]
fn as_fields_of_a_tagged_enum_keep_their_python_type() {
    stays::<Internal>("{'type': 'Span', 'span': datetime.timedelta(seconds=90, microseconds=5)}");
    stays::<Internal>("{'type': 'Day', 'day': datetime.date(2030, 1, 2)}");
}

#[test]
fn as_fields_of_a_tagged_enum_are_read_from_text() {
    becomes::<Internal>(
        "{'type': 'Day', 'day': '2030-01-02'}",
        "{'type': 'Day', 'day': datetime.date(2030, 1, 2)}",
        |_| {},
    );
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Any { x: Graph },
    One(Graph),
    Two(Graph, Graph),
}

#[test]
fn an_adjacently_tagged_enum_keeps_the_types_of_its_graphs() {
    stays::<Adjacent>("{'t': 'Any', 'c': {'x': (1, {2})}}");
    stays::<Adjacent>("{'t': 'One', 'c': (1, {2})}");
    stays::<Adjacent>("{'t': 'Two', 'c': ((1,), {2})}");
}

#[test]
fn the_content_may_stand_before_the_tag() {
    let change = |_: &mut Adjacent| {};
    becomes::<Adjacent>("{'c': {'x': (1, {2})}, 't': 'Any'}", "{'t': 'Any', 'c': {'x': (1, {2})}}", change);
    becomes::<Adjacent>("{'c': (1, {2}), 't': 'One'}", "{'t': 'One', 'c': (1, {2})}", change);
    becomes::<Adjacent>("{'c': ((1,), {2}), 't': 'Two'}", "{'t': 'Two', 'c': ((1,), {2})}", change);
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Wrong { x: Graph, missing: u8 },
    Wrong2 { x: Graph, y: i8 },
    Point { x: Graph, y: Graph },
    Wrapped { inner: Box<Untagged> },
    Any(Graph),
}

#[test]
fn an_untagged_enum_keeps_the_types_of_its_graphs() {
    stays::<Untagged>("(1, {2})");
    stays::<Untagged>("datetime.date(2030, 1, 2)");
    stays::<Untagged>("'2030-01-02'");
    stays::<Vec<Untagged>>("[5, (1,), [1], {1}, {'x': (), 'y': []}, 'text', datetime.date(2030, 1, 2), shop.Color(1)]");
}

#[test]
fn variants_that_were_tried_before_take_no_values_away() {
    stays::<Untagged>("{'x': (1, {2}), 'y': {3}}");
    stays::<Untagged>("{'x': (1,), 'y': (1,)}");
}

#[test]
fn enums_in_enums_keep_types() {
    stays::<Untagged>("{'inner': {'inner': (1, {2})}}");
    stays::<Untagged>("{'inner': {'x': datetime.date(2030, 1, 2), 'y': frozenset({3})}}");
    stays::<Flat<IndexMap<String, Untagged>>>(
        "{'id': 7, 'a': (1,), 'b': {'x': {1, 2}, 'y': (3,)}, 'c': shop.Color(1)}",
    );
    stays::<Flat<IndexMap<String, Internal>>>("{'id': 7, 'a': {'type': 'Any', 'x': (1,), 'y': {1}, 'n': 5}}");
}

#[test]
fn structs_in_structs_have_their_own_values() {
    #[derive(Serialize, Deserialize)]
    struct Outer {
        #[serde(flatten)]
        rest: IndexMap<String, Graph>,
        inner: Flat<IndexMap<String, Graph>>,
        either: Untagged,
    }
    becomes::<Outer>(
        "{'a': (1,), 'inner': {'id': 7, 'b': [1], 'c': {2}}, 'd': [2], 'either': {1}, 'e': {1}}",
        "{'a': (1,), 'd': [2], 'e': {1}, 'inner': {'id': 7, 'b': [1], 'c': {2}}, 'either': {1}}",
        |_| {},
    );
}

#[test]
fn a_flattened_map_is_not_disturbed_by_what_its_last_field_buffered() {
    #[derive(Serialize, Deserialize)]
    struct Outer {
        #[serde(flatten)]
        rest: IndexMap<String, Graph>,
        either: Untagged,
    }
    stays::<Vec<Outer>>(
        "[{'a': (1,), 'either': {1}}, {'a': {2}, 'either': {'x': (2,), 'y': {3}}}, {'b': (), 'either': 5}]",
    );
}

#[test]
fn a_value_that_is_read_twice_keeps_types_each_time() {
    becomes::<Vec<Flat<IndexMap<String, Graph>>>>(
        "[&1 {'id': 7, 'a': (1,), 'b': [1]}, *1]",
        "[{'id': 7, 'a': (1,), 'b': [1]}, {'id': 7, 'a': (1,), 'b': [1]}]",
        |_| {},
    );
}

#[test]
fn many_equal_values_take_linear_time() {
    const COUNT: usize = 50_000;
    let rest: IndexMap<String, Graph> = (0..COUNT).map(|at| (at.to_string(), graph("(1, 2)"))).collect();
    let pickle = to_vec(&Flat { id: 7, rest }).expect("written");
    let read: Flat<Twice> = from_slice(&pickle).expect("read");
    assert_eq!(read.rest.0.len(), COUNT);

    /// Takes each value twice: the second time all are taken.
    struct Twice(Vec<Graph>);
    impl<'de> Deserialize<'de> for Twice {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Twice, D::Error> {
            #[derive(Deserialize)]
            #[serde(untagged)]
            enum Either {
                Wrong(BTreeMap<String, [Graph; 3]>),
                Right(BTreeMap<String, Graph>),
            }
            match Either::deserialize(deserializer)? {
                Either::Wrong(map) => Ok(Twice(map.into_values().flatten().collect())),
                Either::Right(map) => Ok(Twice(map.into_values().collect())),
            }
        }
    }
}

#[test]
fn values_of_python_2_keep_their_types() {
    // {'id': 7, 'a': 5L, u'b': ('c', u'd')} by Python 2.7.
    let pickle = b"\x80\x02}q\x00(U\x02idq\x01K\x07U\x01aq\x02\x8a\x01\x05X\x01\x00\x00\x00bq\x03U\x01cq\x04X\x01\x00\x00\x00dq\x05\x86q\x06u.";
    let read: Flat<IndexMap<String, Graph>> = from_slice(pickle).expect("read");
    assert_eq!(read.rest["b"].root().to_string(), "('c', u'd')");
}

#[test]
fn a_graph_of_another_format_inside_has_no_types_of_the_pickle() {
    struct Json(Graph);
    impl<'de> Deserialize<'de> for Json {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
            let text = String::deserialize(deserializer)?;
            serde_json::from_str(&text).map(Json).map_err(serde::de::Error::custom)
        }
    }
    #[derive(Deserialize)]
    struct Both {
        json: Json,
        value: Graph,
    }
    let pickle = picklevm::dumps(graph("{'id': 7, 'value': (1,), 'json': '[1]'}").root()).expect("written");
    let read: Flat<Both> = from_slice(&pickle).expect("read");
    assert_eq!(read.rest.json.0.root().to_string(), "[1]");
    assert_eq!(read.rest.value.root().to_string(), "(1,)");
}

#[test]
fn a_pickle_that_is_read_inside_has_its_own_values() {
    struct Nested(Untagged);
    impl<'de> Deserialize<'de> for Nested {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Nested, D::Error> {
            let pickle: serde_bytes::ByteBuf = Deserialize::deserialize(deserializer)?;
            from_slice(&pickle).map(Nested).map_err(serde::de::Error::custom)
        }
    }
    #[derive(Deserialize)]
    struct Both {
        nested: Nested,
        value: Graph,
        after: Graph,
    }
    let inner = picklevm::dumps(graph("[{1}]").root()).expect("written");
    let mut outer = graph("{'id': 7, 'value': ([1],), 'nested': None, 'after': {1}}");
    outer.root_mut().set("nested", inner).expect("set");
    let read: Flat<Both> = from_value(outer.root()).expect("read");
    let Untagged::Any(any) = &read.rest.nested.0 else { panic!("the variant") };
    assert_eq!(any.root().to_string(), "[{1}]");
    assert_eq!(read.rest.value.root().to_string(), "([1],)");
    assert_eq!(read.rest.after.root().to_string(), "{1}");
}

#[test]
fn other_formats_read_the_same_types_as_before() {
    let flat: Flat<BTreeMap<String, Graph>> = serde_json::from_str(r#"{"id": 7, "a": [1, "b"]}"#).expect("read");
    assert_eq!(flat.rest["a"].root().to_string(), "[1, 'b']");
    assert_eq!(
        to_vec(&flat).expect("written"),
        picklevm::dumps(graph("{'id': 7, 'a': [1, 'b']}").root()).expect("written")
    );
}
