//! Tests: a type is read once, with the value or error that it gets from a graph.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Debug;

use ::serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use ::serde::{Deserialize, Deserializer, Serialize};

use super::{Any, Kind, Map, Record, record, variations};
use crate::dump::Pickler;
use crate::graph::Graph;
use crate::limits::Limits;
use crate::load::Unpickler;
use crate::protocol::Protocol;
use crate::serde::{Config, Error, Instance, Shared, from_slice, from_value};

thread_local! {
    static RUNS: Cell<usize> = const { Cell::new(0) };
}

/// Counts how often it is read.
#[derive(Serialize, Debug)]
#[serde(transparent)]
struct Counted<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Counted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RUNS.set(RUNS.get() + 1);
        T::deserialize(deserializer).map(Counted)
    }
}

fn text_of<T: Debug>(result: Result<T, Error>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{:?} {:?} {error}", error.kind(), error.path()),
    }
}

/// Reads a type from the slice and from a graph. Returns how often it was read from the slice.
#[track_caller]
fn compare<T: for<'de> Deserialize<'de> + Debug>(pickle: &[u8]) -> usize {
    RUNS.set(0);
    let read = text_of(from_slice::<Counted<T>>(pickle));
    let runs = RUNS.get();
    let by_graph = crate::loads(pickle).map_err(Error::from).and_then(|graph| from_value::<Counted<T>>(graph.root()));
    assert_eq!(read, text_of(by_graph), "{}", pickle.escape_ascii());
    runs
}

#[track_caller]
fn is_read_once<T: for<'de> Deserialize<'de> + Debug>(pickle: &[u8]) {
    assert_eq!(compare::<T>(pickle), 1, "{}", pickle.escape_ascii());
}

#[track_caller]
fn is_read_twice<T: for<'de> Deserialize<'de> + Debug>(pickle: &[u8]) {
    assert_eq!(compare::<T>(pickle), 2, "{}", pickle.escape_ascii());
}

/// `datetime.date(2024, 1, 2)`
const DATE: &[u8] = b"\x8c\x08datetime\x94\x8c\x04date\x94\x93\x94C\x04\x07\xe8\x01\x02\x94\x85\x94R\x94";

/// The same at protocol 2 and 3.
const OLD_DATE: &[u8] = b"cdatetime\ndate\nq\x05C\x04\x07\xe8\x01\x02\x85q\x06R";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
#[allow(dead_code)]
struct Dated {
    id: u8,
    date: String,
    tags: Vec<u8>,
    note: Option<String>,
}

/// `{'id': 1, 'date': date, 'tags': [2, 3], 'note': 'x'}`
fn dated(date: &[u8]) -> Vec<u8> {
    [b"}\x94(\x8c\x02idK\x01\x8c\x04date", date, b"\x8c\x04tags](K\x02K\x03e\x8c\x04note\x8c\x01xu"].concat()
}

fn pickle(parts: &[&[u8]]) -> Vec<u8> {
    [&b"\x80\x04"[..], &parts.concat(), b"."].concat()
}

#[test]
fn what_follows_a_date_is_read_from_the_graph() {
    for date in [DATE, OLD_DATE] {
        let row = dated(date);
        is_read_once::<Dated>(&pickle(&[&row]));
        is_read_once::<Vec<Dated>>(&pickle(&[b"](", &dated(b"\x8c\x01d"), &row, &row, b"e"]));
        is_read_once::<Vec<Dated>>(&pickle(&[b"]", &row, b"a"]));
        is_read_once::<BTreeMap<String, Vec<Dated>>>(&pickle(&[b"}\x8c\x01a](", &row, &row, b"es"]));
        is_read_once::<(u8, Dated, u8)>(&pickle(&[b"K\x01", &row, b"K\x03\x87"]));
        is_read_once::<(u8, u8, Dated, u8)>(&pickle(&[b"(K\x01K\x02", &row, b"K\x03t"]));
        is_read_once::<(String, u8)>(&pickle(&[date, b"K\x03\x86"]));
        is_read_once::<((String, u8), u8)>(&pickle(&[date, b"K\x03\x86K\x04\x86"]));
        is_read_once::<String>(&pickle(&[date]));
        is_read_once::<Vec<String>>(&pickle(&[b"](\x8c\x01a", date, b"\x8c\x01b", date, b"e"]));
        is_read_once::<Vec<IgnoredAny>>(&pickle(&[b"](\x8c\x01a", date, b"\x8c\x01b", date, b"e"]));
        is_read_once::<(u8, u8)>(&pickle(&[date]));
    }
}

#[test]
fn batches_go_on_in_the_graph() {
    for len in [998, 999, 1000, 1001, 2500] {
        for at in [0, 1, 998, 999, 1000, len - 1] {
            let items: Vec<Vec<u8>> =
                (0..len).map(|n| if n == at { DATE.to_vec() } else { vec![b'M', n as u8, (n >> 8) as u8] }).collect();
            let batches: Vec<u8> = items
                .chunks(1000)
                .flat_map(|batch| match batch {
                    [only] => [only, &b"a"[..]].concat(),
                    batch => [&b"("[..], &batch.concat(), b"e"].concat(),
                })
                .collect();
            is_read_once::<Vec<NumberOrText>>(&pickle(&[b"]\x94", &batches]));
            is_read_once::<(Vec<NumberOrText>, u8)>(&pickle(&[b"]\x94", &batches, b"K\x07\x86"]));
        }
    }
}

/// A number, or the default of another value.
#[derive(Debug, Default)]
#[allow(dead_code)]
struct NumberOrText(u16, bool);

impl<'de> Deserialize<'de> for NumberOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(u16::deserialize(deserializer).map_or(NumberOrText(0, true), |number| NumberOrText(number, false)))
    }
}

#[test]
fn values_that_need_the_graph_are_read_once() {
    let shared = b"](]\x94K\x01ah\x00h\x00e";
    is_read_once::<Vec<Vec<u8>>>(&pickle(&[shared]));
    is_read_once::<Vec<Shared<Vec<u8>>>>(&pickle(&[shared]));
    is_read_once::<(u8, Vec<Shared<Vec<u8>>>)>(&pickle(&[b"K\x05", shared, b"\x86"]));
    is_read_once::<Vec<Graph>>(&pickle(&[b"](K\x01K\x02", DATE, b"e"]));
    is_read_once::<BTreeMap<String, Graph>>(&pickle(&[b"}(\x8c\x01aK\x01\x8c\x01b", DATE, b"u"]));
    is_read_once::<Vec<Instance>>(&pickle(&[b"](", DATE, DATE, b"e"]));
    is_read_once::<(u8, u8)>(&pickle(&[b"\x8c\x01m\x94\x8c\x01P\x94\x93\x94K\x01K\x02\x86\x94\x81"]));
    is_read_once::<Vec<u8>>(&pickle(&[b"(K\x01K\x02K\x03K\x04t"]));
    is_read_once::<Vec<Vec<u8>>>(&pickle(&[b"](K\x01K\x02\x86K\x01\x85e"]));
    is_read_once::<Vec<f64>>(&pickle(&[b"](G\0\0\0\0\0\0\0\0", b"F2.5\n", b"K\x07e"]));
    // Sets, bytes of protocol 2, a cycle.
    is_read_once::<Vec<Vec<u8>>>(&pickle(&[b"](\x8f(K\x01\x90(K\x02\x91e"]));
    is_read_once::<Vec<serde_bytes::ByteBuf>>(&pickle(&[b"](c_codecs\nencode\nX\x01\0\0\0aX\x06\0\0\0latin1\x86Re"]));
    is_read_once::<Lists>(&pickle(&[b"]\x94(]\x94h\x00ae"]));
}

#[derive(Deserialize, Debug)]
#[allow(dead_code)]
struct Lists(Vec<Lists>);

#[test]
fn tuples_are_told_from_their_first_items() {
    is_read_once::<(Vec<u8>, u8)>(&pickle(&[b"](K\x01K\x02eK\x03\x86"]));
    is_read_once::<((u8, u8, u8, u8), u8)>(&pickle(&[b"(K\x01K\x02K\x03K\x04tK\x03\x86"]));
    is_read_once::<(u8, u8)>(&pickle(&[b"(K\x01K\x02t"]));
    is_read_once::<(u8, u8)>(&pickle(&[b"](K\x01K\x02e"]));
    is_read_once::<(serde_bytes::ByteBuf, u8)>(&pickle(&[b"C\x01aK\x03\x86"]));
    is_read_once::<((), u8)>(&pickle(&[b")K\x03\x86"]));
    is_read_once::<BTreeMap<(u8, u8), u8>>(&pickle(&[b"}(K\x01K\x02\x86K\x03K\x01K\x03\x86K\x03u"]));
    is_read_once::<BTreeMap<(String, u8), u8>>(&pickle(&[b"}(\x8c\x01aK\x02\x86K\x03\x8c\x01aK\x03\x86K\x03u"]));
    // Longer and shorter than the type.
    is_read_once::<(u8, u8)>(&pickle(&[b"K\x01K\x02K\x03\x87"]));
    is_read_once::<(u8, u8)>(&pickle(&[b"K\x01\x85"]));
    is_read_once::<Vec<(u8, u8)>>(&pickle(&[b"](K\x01K\x02\x86K\x01K\x02K\x03\x87e"]));
    is_read_once::<(u8, u8, u8, u8)>(&pickle(&[b"(K\x01K\x02K\x03t"]));
    is_read_once::<(u8, u8, u8, u8)>(&pickle(&[b"(K\x01K\x02K\x03K\x04K\x05t"]));
}

#[test]
fn empty_lists_before_long_values_are_read_once() {
    let long = [&b"}("[..], b"\x8c\x01aK\x01", b"\x8c\x01b](", &b"K\x01".repeat(100), b"eu"].concat();
    is_read_once::<(Vec<u8>, IgnoredAny)>(&pickle(&[b"]\x94", &long, b"\x86"]));
    is_read_once::<Vec<Vec<IgnoredAny>>>(&pickle(&[b"](]]", &long, b"a]", DATE, b"ae"]));
    is_read_once::<(Vec<u8>, String)>(&pickle(&[b"]\x94", DATE, b"\x86"]));
}

#[test]
fn errors_have_the_path_of_the_graph_and_are_found_once() {
    let row = |id: &[u8]| [b"}(\x8c\x02id", id, b"\x8c\x04tags](K\x02K\x03eu"].concat();
    for id in
        [&b"\x8c\x01x"[..], b"J\xff\xff\xff\xff", b"M\0\x02", b"N", b"}", b"]", DATE, b"G\0\0\0\0\0\0\0\0", b"C\x01a"]
    {
        is_read_once::<Dated>(&pickle(&[&row(id)]));
        is_read_once::<Vec<Dated>>(&pickle(&[b"](", &row(b"K\x01"), &row(id), b"e"]));
        is_read_once::<BTreeMap<String, (u8, Dated)>>(&pickle(&[b"}\x8c\x01aK\x05", &row(id), b"\x86s"]));
        is_read_once::<BTreeMap<u8, Vec<u8>>>(&pickle(&[b"}K\x01](K\x05", id, b"es"]));
    }
    is_read_once::<Record>(&pickle(&[b"}\x8c\x02idK\x01s"]));
    is_read_once::<Vec<Kind>>(&pickle(&[b"](\x8c\x05Plain\x8c\x05Other\x8c\x05Fancye"]));
    is_read_once::<Vec<Content>>(&pickle(&[b"](\x8c\x01A\x8c\x01Be"]));
    is_read_once::<Vec<Content>>(&pickle(&[b"](\x8c\x01A}\x8c\x01BK\x01s\x8c\x01A}\x8c\x01BK\x02se"]));
    is_read_once::<Strict>(&pickle(&[b"}\x8c\x01zK\x01s"]));
    is_read_once::<Strict>(&pickle(&[b"}K\x01K\x01s"]));
    is_read_once::<BTreeMap<u8, u8>>(&pickle(&[b"}(\x8c\x01zK\x01u"]));
    is_read_once::<u8>(&pickle(&[b"M\0\x02"]));
    is_read_once::<u8>(b"\x80\x04](K\x01");
    is_read_once::<Vec<u8>>(b"\x80\x04](K\x01\x8c\x01aK\x02K\xffc.");
    is_read_once::<Vec<u8>>(b"");
    // Deeper than allowed.
    is_read_once::<Lists>(&pickle(&[&b"]".repeat(129), &b"a".repeat(128)]));
    is_read_once::<IgnoredAny>(&pickle(&[&b"]".repeat(300), &b"a".repeat(299)]));
}

#[derive(Deserialize, Debug)]
#[allow(dead_code)]
enum Content {
    A,
    B(u8),
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Strict {
    a: u8,
}

/// The default if the value does not fit.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[allow(dead_code)]
struct Lenient<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Lenient(T::deserialize(deserializer).ok()))
    }
}

#[test]
fn what_follows_an_error_that_the_type_handles_is_read() {
    let (good, bad) = (&b"](K\x01K\x02e"[..], &b"](K\x01\x8c\x01aK\x02e"[..]);
    is_read_once::<Vec<Lenient<Vec<u8>>>>(&pickle(&[b"](", good, bad, good, bad, b"e"]));
    is_read_once::<(Lenient<Vec<u8>>, u8)>(&pickle(&[bad, b"K\x01\x86"]));
    is_read_once::<Vec<(Lenient<(u8, u8)>, u8)>>(&pickle(&[
        b"](K\x01NK\x02K\x03\x87\x86K\x05\x86K\x01K\x02\x86K\x03\x86e",
    ]));
    is_read_once::<Lenient<Vec<Vec<u8>>>>(&pickle(&[b"](", good, bad, good, b"e"]));
    is_read_once::<BTreeMap<Lenient<u8>, Lenient<Strict>>>(&pickle(&[
        b"}(K\x01}\x8c\x01aK\x01sK\x02}\x8c\x01bK\x01sK\x03}u",
    ]));
    // A broken pickle stays one.
    is_read_once::<Lenient<Vec<u8>>>(b"\x80\x04](K\x01\x8c\x01a");
}

/// The errors of three parts, which it handles.
#[derive(PartialEq, Debug)]
struct Told(String);

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;

        impl<'de> Visitor<'de> for Parts {
            type Value = Told;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("three parts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Told, A::Error> {
                let mut errors = Vec::new();
                for _ in 0..3 {
                    errors.push(items.next_element::<bool>().err());
                }
                Ok(Told(errors.iter().flatten().map(ToString::to_string).collect()))
            }
        }

        deserializer.deserialize_tuple(3, Parts)
    }
}

/// A list, the entries of a dict, or text.
#[derive(Debug, PartialEq)]
enum Held {
    Items(Vec<u8>),
    Rows(Vec<(u8, u8)>),
    Text,
}

impl<'de> Deserialize<'de> for Held {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyOf;

        impl<'de> Visitor<'de> for AnyOf {
            type Value = Held;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list, dict or text")
            }

            fn visit_str<E>(self, _: &str) -> Result<Held, E> {
                Ok(Held::Text)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Held, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(Held::Items(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut rows: A) -> Result<Held, A::Error> {
                let mut all = Vec::new();
                while let Some(row) = rows.next_entry()? {
                    all.push(row);
                }
                Ok(Held::Rows(all))
            }
        }

        deserializer.deserialize_any(AnyOf)
    }
}

#[test]
fn what_the_ops_show_too_late_is_read_again() {
    // Errors after others.
    is_read_twice::<(Lenient<Vec<u8>>, u8)>(&pickle(&[b"](K\x01\x8c\x01aeN\x86"]));
    let told = pickle(&[b"\x8c\x01aNK\x01\x87"]);
    is_read_twice::<Told>(&told);
    assert_ne!(from_slice::<Told>(&told).expect("errors are handled"), Told(String::new()));
    // What serde buffers is recorded from the start.
    is_read_twice::<Vec<Any>>(&pickle(&[b"](K\x05K\x01K\x02\x86K\x06)K\x01\x85\x85e"]));
    is_read_twice::<BTreeMap<u8, Any>>(&pickle(&[b"}(K\x01", DATE, b"u"]));
    // A tuple whose first item fits, equal keys, POP, a value changed later, an id that is an integer.
    is_read_twice::<Vec<u8>>(&pickle(&[b"](K\x01K\x02\x86e"]));
    is_read_twice::<Option<(Option<u8>, u8)>>(&pickle(&[b"NK\x02\x86"]));
    is_read_twice::<Map>(&pickle(&[b"}(K\x01K\x02\x88K\x03u"]));
    is_read_twice::<Vec<u8>>(&pickle(&[b"](K\x01K\x020e"]));
    is_read_twice::<Vec<Vec<u8>>>(&pickle(&[b"](]\x94K\x01ah\x00K\x02ae"]));
    is_read_twice::<Vec<u8>>(&pickle(&[b"](K\x01Qe"]));
    // The same after the place in the graph is known: a list, a dict, by every op that fetches.
    for fetch in [&b"h\x00"[..], b"j\0\0\0\0", b"g0\n"] {
        is_read_twice::<(Vec<u8>, String, IgnoredAny)>(&pickle(&[b"](K\x01e\x94", DATE, fetch, b"K\x02a\x87"]));
        is_read_twice::<Vec<Held>>(&pickle(&[b"](]\x94", DATE, b"e(", fetch, b"K\x02ae"]));
        is_read_twice::<Vec<Held>>(&pickle(&[b"](}\x94K\x01K\x02s", DATE, b"e(", fetch, b"K\x01K\x03se"]));
    }
    is_read_once::<Vec<Held>>(&pickle(&[b"](}\x94K\x01K\x02s", DATE, b"e(h\x00e"]));
}

#[test]
fn text_is_borrowed_before_and_after_the_change() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Row<'a> {
        text: &'a str,
        #[serde(borrow)]
        date: Cow<'a, str>,
    }
    let row = [b"}(\x8c\x04text\x8c\x03one\x8c\x04date", DATE, b"u"].concat();
    let all = pickle(&[b"](", &row, &row, b"e"]);
    let rows: Vec<Row<'_>> = from_slice(&all).expect("read");
    for row in &rows {
        assert_eq!(*row, Row { text: "one", date: "2024-01-02".into() });
        assert!(all.as_ptr_range().contains(&row.text.as_ptr()));
    }
}

#[test]
fn the_budget_of_shared_values_counts_what_was_read_before() {
    let text = [&b"\x8c\x80"[..], &[b'a'; 128], b"\x94"].concat();
    let all = pickle(&[b"](", &text, &b"h\0".repeat(50), DATE, &b"h\0".repeat(50), b"e"]);
    let read =
        |limits| text_of(Config::new().unpickler(Unpickler::new().limits(limits)).from_slice::<Vec<String>>(&all));
    for shared in [0, 1000, 6000, 7000, 12_000, 12_700, 12_800, 20_000] {
        let limits = Limits::default().shared(shared);
        // The ops are not read directly if they might be too many.
        assert_eq!(read(limits), read(limits.opcodes(all.len() as u64 - 1)), "{shared}");
    }
}

#[test]
fn variations_are_read_as_from_a_graph() {
    fn check<T: for<'de> Deserialize<'de> + Debug>(pickles: &[Vec<u8>]) {
        for pickle in pickles {
            compare::<T>(pickle);
        }
    }
    let mut pickles = Vec::new();
    for protocol in [0, 2, 4] {
        let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
        let config = Config::new().pickler(pickler);
        pickles.push(config.to_vec(&vec![record(1), record(7)]).expect("written"));
        pickles.push(config.to_vec(&(vec![(1, vec![2])], ((1, 2), [3.5]), "a")).expect("written"));
    }
    pickles.push(pickle(&[b"](", &dated(DATE), &dated(OLD_DATE), b"e"]));
    pickles.push(pickle(&[b"](]\x94K\x01ah\x00(K\x01K\x02th\x00K\x02\x86K\x03\x85e"]));
    pickles.push(pickle(&[b"}(\x8c\x01a\x94](K\x01K\x02e\x8c\x01b}h\x00K\x05sK\x01\x8f(h\x00\x90u"]));
    let all: Vec<Vec<u8>> = pickles.iter().flat_map(|pickle| variations(pickle)).collect();
    // One type a thread.
    std::thread::scope(|scope| {
        let checks: [fn(&[Vec<u8>]); 12] = [
            check::<Vec<Record>>,
            check::<(Vec<(u8, Vec<u8>)>, ((u8, u8), [f64; 1]), String)>,
            check::<Vec<Dated>>,
            check::<Vec<Lenient<Dated>>>,
            check::<Lists>,
            check::<Vec<Vec<Lenient<u8>>>>,
            check::<BTreeMap<String, Any>>,
            check::<Any>,
            check::<IgnoredAny>,
            check::<BTreeMap<String, IgnoredAny>>,
            check::<Vec<(u8, u8)>>,
            check::<Vec<(Option<String>, Lenient<(u8, u8, Vec<u8>)>)>>,
        ];
        for check in checks {
            let all = &all;
            scope.spawn(move || check(all));
        }
    });
}

#[test]
fn a_list_or_dict_in_batches_that_are_not_full_is_read_whole() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Two {
        a: i64,
        b: i64,
    }
    for list in
        [&b"]K\x01aK\x02a."[..], b"](K\x01e(K\x02e.", b"](K\x01eK\x02a.", b"]\x94(K\x01eK\x02a.", b"]K\x01a(K\x02e."]
    {
        let pickle = [b"\x80\x04", list].concat();
        compare::<(i64, i64)>(&pickle);
        assert_eq!(from_slice::<(i64, i64)>(&pickle).expect("two items"), (1, 2));
        compare::<(i64, String)>(&pickle);
        compare::<[f64; 2]>(&pickle);
        compare::<Vec<i64>>(&pickle);
        compare::<Two>(&pickle);
    }
    for dict in [
        &b"}\x8c\x01a\x94K\x01s\x8c\x01b\x94K\x02s."[..],
        b"}\x94(\x8c\x01a\x94K\x01u(\x8c\x01b\x94K\x02u.",
        b"}(\x8c\x01a\x94K\x01u\x8c\x01b\x94K\x02s.",
    ] {
        let pickle = [b"\x80\x04", dict].concat();
        compare::<Two>(&pickle);
        assert_eq!(from_slice::<Two>(&pickle).expect("two rows"), Two { a: 1, b: 2 });
        compare::<BTreeMap<String, i64>>(&pickle);
        compare::<BTreeMap<String, String>>(&pickle);
    }
}

#[test]
fn a_struct_that_keeps_its_keys_gets_one_of_equal_keys() {
    #[derive(PartialEq, Debug)]
    struct Rows(Vec<(String, i64)>);
    impl<'de> Deserialize<'de> for Rows {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Keeping;
            impl<'de> Visitor<'de> for Keeping {
                type Value = Rows;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("rows")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
                    let mut rows = Vec::new();
                    while let Some(row) = map.next_entry()? {
                        rows.push(row);
                    }
                    Ok(Rows(rows))
                }
            }
            deserializer.deserialize_struct("Rows", &["a", "b"], Keeping)
        }
    }
    let equal = b"\x80\x04}\x94(\x8c\x01a\x94K\x01\x8c\x01b\x94K\x02h\x01K\x03u.";
    compare::<Rows>(equal);
    let rows = Rows(vec![("a".to_owned(), 3), ("b".to_owned(), 2)]);
    assert_eq!(from_slice::<Rows>(equal).expect("two rows"), rows);
    is_read_once::<Rows>(b"\x80\x04}\x94(\x8c\x01a\x94K\x01\x8c\x01b\x94K\x02u.");
}
