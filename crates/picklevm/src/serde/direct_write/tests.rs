//! Tests: the bytes are those of the graph, and ordinary data needs no graph.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use ::serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use picklevm_testing::Random;

use super::{to_vec, to_writer};
use crate::direct_write::Written;
use crate::dump::Pickler;
use crate::emitter::cpython::PicklerVersion;
use crate::protocol::Protocol;
use crate::serde::{Config, Instance, Shared, Variants};

/// Any call of a serializer.
#[derive(Debug, Clone)]
enum Data {
    Bool(bool),
    Int(i64),
    Wide(i128),
    Wider(u128),
    Float(f64),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<Data>),
    UnitStruct(&'static str),
    UnitVariant(&'static str, &'static str),
    Newtype(&'static str, Box<Data>),
    NewtypeVariant(&'static str, Box<Data>),
    /// The length that is announced, and the items.
    Seq(Option<usize>, Vec<Data>),
    Tuple(Option<usize>, Vec<Data>),
    TupleStruct(&'static str, Vec<Data>),
    TupleVariant(&'static str, Vec<Data>),
    Map(Option<usize>, Vec<(Data, Data)>),
    Struct(&'static str, Vec<(&'static str, Data)>),
    StructVariant(&'static str, Vec<(&'static str, Data)>),
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Data::Bool(value) => s.serialize_bool(*value),
            Data::Int(value) => s.serialize_i64(*value),
            Data::Wide(value) => s.serialize_i128(*value),
            Data::Wider(value) => s.serialize_u128(*value),
            Data::Float(value) => s.serialize_f64(*value),
            Data::Char(value) => s.serialize_char(*value),
            Data::Text(text) => s.serialize_str(text),
            Data::Bytes(bytes) => s.serialize_bytes(bytes),
            Data::None => s.serialize_none(),
            Data::Some(value) => s.serialize_some(value),
            Data::UnitStruct(name) => s.serialize_unit_struct(name),
            Data::UnitVariant(name, variant) => s.serialize_unit_variant(name, 0, variant),
            Data::Newtype(name, value) => s.serialize_newtype_struct(name, value),
            Data::NewtypeVariant(variant, value) => s.serialize_newtype_variant("Any", 0, variant, value),
            Data::Seq(len, items) => {
                let mut seq = s.serialize_seq(*len)?;
                items.iter().try_for_each(|item| seq.serialize_element(item))?;
                seq.end()
            }
            Data::Tuple(len, items) => {
                let mut tuple = s.serialize_tuple(len.unwrap_or(items.len()))?;
                items.iter().try_for_each(|item| tuple.serialize_element(item))?;
                tuple.end()
            }
            Data::TupleStruct(name, items) => {
                let mut tuple = s.serialize_tuple_struct(name, items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_field(item))?;
                tuple.end()
            }
            Data::TupleVariant(variant, items) => {
                let mut tuple = s.serialize_tuple_variant("Any", 0, variant, items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_field(item))?;
                tuple.end()
            }
            Data::Map(len, entries) => {
                let mut map = s.serialize_map(*len)?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
            Data::Struct(name, fields) => {
                let mut fields_of = s.serialize_struct(name, fields.len())?;
                fields.iter().try_for_each(|(name, value)| fields_of.serialize_field(name, value))?;
                fields_of.end()
            }
            Data::StructVariant(variant, fields) => {
                let mut fields_of = s.serialize_struct_variant("Any", 0, variant, fields.len())?;
                fields.iter().try_for_each(|(name, value)| fields_of.serialize_field(name, value))?;
                fields_of.end()
            }
        }
    }
}

const NAMES: [&str; 12] =
    ["id", "x", "", "é", "name", "geometry", "a.B", "a.C", "a:B", "a:B.C", "builtins.getattr", "Plain"];

fn data(random: &mut Random, depth: usize) -> Data {
    let kinds = if depth == 0 { 12 } else { 22 };
    let name = NAMES[random.below(NAMES.len())];
    let inner = |random: &mut Random| Box::new(data(random, depth - 1));
    let several = |random: &mut Random| {
        let count = *random.pick(&[0, 1, 1, 2, 2, 3, 4, 5]);
        (0..count).map(|_| data(random, depth - 1)).collect::<Vec<_>>()
    };
    let announced = |random: &mut Random, len: usize| match random.below(12) {
        0 => Some(random.below(4)),
        1..=3 => None,
        _ => Some(len),
    };
    let fields = |random: &mut Random| {
        let from = random.below(NAMES.len() - 4);
        let names = NAMES[from..from + random.below(5)].iter();
        names.map(|name| (*name, data(random, depth - 1))).collect::<Vec<_>>()
    };
    match random.below(kinds) {
        0 => Data::Bool(random.below(2) == 0),
        1 | 2 => Data::Int((random.number() as i64) >> random.below(64)),
        3 => Data::Wide((i128::from(random.number()) << 64 | i128::from(random.number())) >> random.below(128)),
        4 => Data::Wider((u128::from(random.number()) << 64 | 7) >> random.below(128)),
        5 => Data::Float(*random.pick(&[0.0, -0.0, 1.0, 1.5, f64::NAN, f64::INFINITY, 1e300, -7.25])),
        6 => Data::Char(*random.pick(&['a', 'b', 'é', '€', '\n', '\\'])),
        7 => {
            let len = *random.pick(&[0, 1, 2, 3, 7, 20, 96, 97, 255, 256, 300]);
            Data::Text((0..len).map(|at| if at % 5 == 4 { 'ü' } else { 'a' }).collect())
        }
        8 => Data::Bytes(vec![7; *random.pick(&[0, 1, 2, 255, 256])]),
        9 => Data::None,
        10 => Data::UnitStruct(name),
        11 => Data::UnitVariant(NAMES[random.below(NAMES.len())], name),
        12 => Data::Some(inner(random)),
        13 => Data::Newtype(name, inner(random)),
        14 => Data::NewtypeVariant(name, inner(random)),
        15 => {
            let items = several(random);
            Data::Seq(announced(random, items.len()), items)
        }
        16 => {
            let items = several(random);
            let len = if random.below(8) == 0 { Some(random.below(5)) } else { None };
            Data::Tuple(len, items)
        }
        17 => Data::TupleStruct(name, several(random)),
        18 => Data::TupleVariant(name, several(random)),
        19 => {
            let entries: Vec<_> = several(random).into_iter().map(|key| (key, data(random, depth - 1))).collect();
            Data::Map(announced(random, entries.len()), entries)
        }
        20 => Data::Struct(name, fields(random)),
        _ => Data::StructVariant(name, fields(random)),
    }
}

/// Configurations of every protocol, of picklers that differ, and of both forms of variants.
fn configs() -> impl Iterator<Item = Config> {
    let writers =
        ["3.15-c", "3.13-c", "3.12-py", "3.6-c"].map(|name| name.parse::<PicklerVersion>().expect("a version"));
    writers.into_iter().flat_map(|writer| {
        (0..=5).filter_map(move |protocol| {
            let protocol = Protocol::try_from(protocol).expect("a protocol");
            let variants = if u8::from(protocol) % 2 == 0 { Variants::Dict } else { Variants::Tuple };
            let pickler = Pickler::new().protocol(protocol).writer(writer);
            (protocol <= writer.highest_protocol()).then(|| Config::new().pickler(pickler).variants(variants))
        })
    })
}

/// Checks that the bytes are those of the graph, and returns whether there was no graph.
#[track_caller]
fn is_same<T: Serialize + std::fmt::Debug + ?Sized>(config: &Config, value: &T) -> bool {
    let of_graph = |value: &T| Ok::<_, crate::serde::Error>(config.pickler.dumps(config.to_graph(value)?.root())?);
    let expected = of_graph(value);
    let shown = |result: &Result<Vec<u8>, crate::serde::Error>| match result {
        Ok(bytes) => bytes.escape_ascii().to_string(),
        Err(error) => error.to_string(),
    };
    let mut streamed = Vec::new();
    let is_direct = match (to_vec(config, value), to_writer(config, &mut streamed, value)) {
        (Written::Result(ours), Written::Result(written)) => {
            assert_eq!(shown(&ours), shown(&expected), "{:?} {value:?}", config.pickler);
            assert_eq!(shown(&written.map(|()| streamed)), shown(&expected), "{:?} {value:?}", config.pickler);
            true
        }
        (Written::Graph(_), Written::Graph(passed)) => {
            let expected = expected.as_ref().map_or(&[][..], |expected| expected);
            assert_eq!(passed, streamed.len() as u64);
            assert!(expected.is_empty() || expected.starts_with(&streamed), "{:?} {value:?}", config.pickler);
            false
        }
        _ => panic!("a vector and a writer differ: {:?} {value:?}", config.pickler),
    };
    let mut streamed = Vec::new();
    let written = config.to_writer(&mut streamed, value).map(|()| streamed);
    assert_eq!(shown(&written), shown(&expected), "{:?} {value:?}", config.pickler);
    is_direct
}

#[test]
fn random_data_are_written_as_by_a_graph() {
    let mut random = Random::new(22);
    let configs: Vec<_> = configs().collect();
    let mut direct = 0;
    for round in 0..4000 {
        let value = data(&mut random, round % 5);
        direct += usize::from(is_same(&configs[round % configs.len()], &value));
    }
    assert!(direct > 2000, "only {direct} of 4000 without a graph");
}

#[test]
fn batches_of_every_length_are_written_as_by_a_graph() {
    for config in configs() {
        for len in [0, 1, 2, 999, 1000, 1001, 1002, 2000, 2001] {
            let items: Vec<_> = (0..len as i64).map(Data::Int).collect();
            for announced in [Some(len), None, Some(0), Some(1), Some(2), Some(len + 1), Some(5000)] {
                let is_direct = is_same(&config, &Data::Seq(announced, items.clone()));
                assert!(is_direct || (announced == Some(1) && len > 1), "{len} items, announced {announced:?}");
                let entries = items.iter().map(|item| (item.clone(), Data::None)).collect();
                let is_direct = is_same(&config, &Data::Map(announced, entries));
                assert!(is_direct || (announced == Some(1) && len > 1), "{len} entries, announced {announced:?}");
            }
        }
    }
}

#[test]
fn frames_are_written_as_by_a_graph() {
    for config in configs() {
        for len in [65_000, 65_535, 65_536, 70_000] {
            let long = |len| Data::Text("x".repeat(len));
            let pair = Data::Seq(Some(2), vec![long(len), Data::Int(1)]);
            assert!(is_same(&config, &Data::Seq(None, vec![pair.clone(), pair.clone()])));
            // The MARK before the only item is in an earlier frame.
            is_same(&config, &Data::Seq(Some(2), vec![Data::Int(1), Data::Seq(None, vec![pair])]));
        }
        let records: Vec<_> = (0..6000)
            .map(|id| Data::Struct("Record", vec![("id", Data::Int(id)), ("name", Data::Text("some name".into()))]))
            .collect();
        assert!(is_same(&config, &records));
        let keyed: BTreeMap<i64, Vec<i64>> = (0..9000).map(|id| (id, vec![id; 3])).collect();
        assert!(is_same(&config, &keyed));
    }
}

#[test]
fn a_single_item_at_the_end_of_a_frame_does_not_end_it_early() {
    // With the MARK that is removed later, the frame would be full one byte earlier.
    for filler in 65_400..65_540 {
        let config = Config::new();
        let text = |len: usize| Data::Seq(None, vec![Data::Bytes(vec![1; len])]);
        let value = Data::Seq(None, vec![Data::Seq(None, vec![Data::Bytes(vec![1; filler]), text(200)]), Data::Int(1)]);
        is_same(&config, &value);
        is_same(
            &config,
            &Data::Seq(None, vec![Data::Seq(Some(3), vec![Data::Bytes(vec![1; filler]), text(9), text(9)])]),
        );
    }
}

#[test]
fn equal_keys_are_one_entry_with_the_last_value() {
    let text = |text: &str| Data::Text(text.into());
    let keys = [
        [Data::Int(1), Data::Float(1.0)],
        [Data::Int(0), Data::Bool(false)],
        [text("same"), text("same")],
        [text("x"), Data::Char('x')],
        [text("name"), Data::UnitVariant("Any", "name")],
        [Data::Tuple(None, vec![Data::Int(1)]), Data::Tuple(None, vec![Data::Bool(true)])],
    ];
    for [first, second] in keys {
        let entries = vec![(first.clone(), text("one")), (text("other"), Data::None), (second.clone(), text("two"))];
        assert!(!is_same(&Config::new(), &Data::Map(None, entries)), "{first:?} and {second:?}");
        let graph = Config::new().to_graph(&Data::Map(None, vec![(first, text("one")), (second, text("two"))]));
        assert_eq!(graph.expect("a dict").root().len(), 1);
    }
}

#[test]
fn maps_of_ascending_keys_are_written_as_by_a_graph_if_a_key_out_of_order_follows() {
    let texts = |n: i64| Data::Text(format!("key {n:06}"));
    let makes: [&dyn Fn(i64) -> Data; 3] =
        [&Data::Int, &texts, &|n| if n % 2 == 0 { Data::Int(n) } else { Data::Float(n as f64) }];
    for make in makes {
        for (count, late) in [(10, 3), (2000, 1999), (2000, 5), (10, -1), (2000, -1)] {
            let keys = (0..count).chain([late, count]);
            let entries: Vec<_> = keys.map(|n| (make(n), Data::None)).collect();
            for config in [Config::new(), Config::new().pickler(Pickler::new().protocol(Protocol::V2))] {
                is_same(&config, &Data::Map(Some(entries.len()), entries.clone()));
                assert!(is_same(&config, &Data::Map(None, entries[..count as usize].to_vec())));
            }
        }
    }
}

#[test]
fn names_of_the_last_pickle_do_not_count_for_the_next() {
    let fields = |names: &[&'static str]| Data::Struct("Plain", names.iter().map(|name| (*name, Data::None)).collect());
    // Equal, and elsewhere in memory.
    let other: &'static str = String::from("name").leak();
    for [first, second] in [
        [&["name", "geometry", "id"][..], &["name", "id"]],
        [&["name", "geometry", "id"], &["name", "id"]],
        [&["name", "id"], &["geometry", other]],
        [&["name", "id"], &[other, "geometry"]],
        [&["name"], &[]],
        [&["name", "id"], &[other, "geometry"]],
        [&[other], &["name", "id"]],
    ] {
        assert!(is_same(&Config::new(), &vec![fields(first), fields(second)]), "{first:?} {second:?}");
    }
}

#[test]
fn maps_whose_keys_are_not_compared_are_written_as_by_a_graph() {
    for len in [0, 1, 2, 999, 1000, 1001, 2000] {
        // Among them are all single characters, which are one object each.
        let texts =
            || (0..len).map(|key: u32| (char::from_u32(key).map_or_else(|| key.to_string(), String::from), key));
        let numbers = || (0..len).map(|key| (i64::from(key) * 0x0123_4567, key));
        for config in &configs().collect::<Vec<_>>() {
            assert!(is_same(config, &texts().collect::<BTreeMap<_, _>>()), "{len}");
            assert!(is_same(config, &texts().collect::<HashMap<_, _>>()), "{len}");
            assert!(is_same(config, &numbers().collect::<BTreeMap<_, _>>()), "{len}");
            assert!(is_same(config, &numbers().collect::<HashMap<_, _>>()), "{len}");
        }
    }
}

#[test]
fn more_names_than_are_kept_are_written_as_by_a_graph() {
    let fields = (0..5000).map(|number| (&*format!("field{number}").leak(), Data::None)).collect();
    let value = Data::Struct("Plain", fields);
    for _ in 0..2 {
        assert!(is_same(&Config::new(), &vec![value.clone(), value.clone()]));
    }
}

#[test]
fn a_name_is_that_of_a_class_only_where_the_configuration_says_so() {
    let value = Data::Struct("Plain", vec![("name", Data::None)]);
    let config = Config::new().class("Plain", "geometry.Point");
    for config in [&Config::new(), &config, &Config::new(), &config] {
        assert!(is_same(config, &value));
    }
}

#[test]
fn a_list_as_a_key_is_the_error_of_the_graph() {
    let value = Data::Map(Some(1), vec![(Data::Seq(Some(0), vec![]), Data::None)]);
    assert!(!is_same(&Config::new(), &value));
    assert_eq!(Config::new().to_vec(&value).expect_err("unhashable").kind(), crate::serde::ErrorKind::Pickle);
}

#[test]
fn shared_pointers_and_instances_by_name_are_left_to_the_graph() {
    let shared = Shared::from(vec![1, 2]);
    assert!(!is_same(&Config::new(), &vec![shared.clone(), shared]));
    let instance = Instance { class: "m.Thing".to_owned(), args: (), state: 1 };
    assert!(!is_same(&Config::new(), &vec![instance]));
}

#[test]
fn graphs_are_written_as_by_a_graph() {
    let mut made = crate::Graph::new();
    let date = made.add(crate::typed::Date::new(2030, 1, 2).expect("a date"));
    let both = made.tuple([date, date]);
    made.set_root(both);
    let loaded =
        crate::loads(b"\x80\x02cdatetime\ndate\nq\0U\x04\x07\xee\x01\x02q\x01\x85q\x02Rq\x03.").expect("loads");
    for config in configs() {
        let is_direct =
            is_same(&config, &(vec![made.clone(); 3], "name", loaded.clone(), Data::UnitStruct("datetime.date")));
        assert_eq!(is_direct, config.protocol() >= Protocol::V4);
    }
    let many = vec![made; 2000];
    assert!(is_same(&Config::new(), &many));
}

#[test]
fn hooks_and_limits_are_left_to_the_graph() {
    let hooked = Pickler::new().persistent_id(|_| Ok(None));
    let limited = Pickler::new().limits(crate::DumpLimits::default().output(10));
    for pickler in
        [hooked, limited, Pickler::new().fast(true), Pickler::new().writer("2.7-c".parse().expect("a version"))]
    {
        let config = Config::new().pickler(pickler.protocol(Protocol::V2));
        assert!(matches!(to_vec(&config, &[1, 2]), Written::Graph(0)));
    }
}

#[test]
fn depth_is_limited_as_by_a_graph() {
    #[derive(::serde::Serialize, Debug)]
    struct Nested(Option<Box<Nested>>, Vec<u8>);
    #[track_caller]
    fn check<T: Serialize + std::fmt::Debug + ?Sized>(value: &T) {
        let config = Config::new().depth(8);
        // The graph reports the error.
        assert_eq!(is_same(&config, value), config.to_graph(value).is_ok());
    }
    let nested = |depth| (0..depth).fold(None, |inner, _| Some(Box::new(Nested(inner, vec![]))));
    for depth in [1, 5, 6, 7, 8, 9, 100] {
        check(&nested(depth));
        check(&(0..depth).fold(Data::None, |inner, _| Data::Some(Box::new(inner))));
    }
    check(&(0..200).fold(Data::None, |inner, _| Data::Some(Box::new(inner))));
}

#[test]
fn an_error_of_the_writer_is_returned() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = Config::new().to_writer(Full, &vec!["text"; 100_000]).expect_err("it is full");
    assert_eq!(error.kind(), crate::serde::ErrorKind::Pickle);
    assert!(error.to_string().contains("full"), "{error}");
}

#[test]
fn what_was_written_before_the_graph_took_over_is_not_written_twice() {
    let shared = Shared::from("text".to_owned());
    let value = (vec!["some text"; 20_000], shared.clone(), shared);
    let mut streamed = Vec::new();
    match to_writer(&Config::new(), &mut streamed, &value) {
        Written::Graph(passed) => assert!(passed > 65_536),
        Written::Result(_) => panic!("it has shared values"),
    }
    let mut all = Vec::new();
    Config::new().to_writer(&mut all, &value).expect("written");
    assert_eq!(all, Config::new().to_vec(&value).expect("written"));
}

#[test]
fn an_error_of_a_type_is_returned() {
    struct Failing(Cell<u32>);
    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            Err(::serde::ser::Error::custom("not today"))
        }
    }
    let failing = Failing(Cell::new(0));
    assert_eq!(Config::new().to_vec(&[&failing]).expect_err("it fails").to_string(), "not today");
    assert_eq!(failing.0.get(), 1, "it runs once");
}

#[test]
fn a_list_or_tuple_of_another_length_than_announced_is_an_error_once_its_start_was_passed_on() {
    struct Announced(usize, usize);
    impl Serialize for Announced {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut list = serializer.serialize_seq(Some(self.0))?;
            (0..self.1).try_for_each(|_| list.serialize_element(&"y".repeat(70_000)))?;
            list.end()
        }
    }
    struct AnnouncedTuple(usize, usize);
    impl Serialize for AnnouncedTuple {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut tuple = serializer.serialize_tuple(self.0)?;
            (0..self.1).try_for_each(|_| tuple.serialize_element(&"y".repeat(70_000)))?;
            tuple.end()
        }
    }
    /// Returns the error, or checks what was written.
    fn error_of<T: Serialize>(value: &T) -> Option<String> {
        let whole = Config::new().to_vec(value).expect("a graph has it");
        let mut streamed = Vec::new();
        let error = Config::new().to_writer(&mut streamed, value).err().map(|error| error.to_string());
        assert!(error.is_some() || streamed == whole);
        error
    }
    let error = Some("expected as many items as announced, found another number of them".to_owned());
    for (announced, written) in [(1, 2), (1, 3)] {
        assert_eq!(error_of(&Announced(announced, written)), error);
    }
    for (announced, written) in [(2, 4), (4, 3)] {
        assert_eq!(error_of(&AnnouncedTuple(announced, written)), error);
    }
    for (announced, written) in [(0, 2), (1, 0), (1, 1), (2, 1), (2, 4), (4, 3)] {
        assert_eq!(error_of(&Announced(announced, written)), None);
    }
    for (announced, written) in [(0, 2), (1, 0), (1, 1), (1, 2), (2, 1), (5, 4)] {
        assert_eq!(error_of(&AnnouncedTuple(announced, written)), None);
    }
}
