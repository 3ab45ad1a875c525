//! Tests: which pickles are read directly, and that reading directly and from a graph gives the same values.

mod fields;
mod once;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

use ::serde::de::IgnoredAny;
use ::serde::{Deserialize, Serialize};

use super::cursor::Cursor;
use super::failure::Call;
use super::reader::Plain;
use super::switch::Loader;
use super::{Outcome, read};
use crate::dump::Pickler;
use crate::limits::Limits;
use crate::load::Unpickler;
use crate::protocol::Protocol;
use crate::serde::{Config, Shared, from_value};

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Record {
    id: u64,
    score: f64,
    name: String,
    parent: Option<u64>,
    active: bool,
    place: (i16, i16),
    tags: Vec<u16>,
    kind: Kind,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum Kind {
    Plain,
    Fancy,
}

fn record(id: u64) -> Record {
    Record {
        id,
        score: id as f64 / 3.0,
        name: format!("name{id}"),
        parent: id.checked_sub(1),
        active: id.is_multiple_of(2),
        place: (id as i16, -1),
        tags: (0..id as u16 % 4).collect(),
        kind: if id.is_multiple_of(3) { Kind::Fancy } else { Kind::Plain },
    }
}

/// Reads a value if that needs no graph.
fn direct<'de, T: Deserialize<'de>>(pickle: &'de [u8]) -> Option<T> {
    direct_with(&Unpickler::new(), pickle)
}

fn direct_with<'de, T: Deserialize<'de>>(unpickler: &Unpickler, input: &'de [u8]) -> Option<T> {
    let graph = OnceCell::new();
    let call = Call::start();
    let mut cursor = Cursor::new(Loader { input, unpickler, graph: &graph, depth: 128 });
    let result = T::deserialize(Plain::new(&mut cursor));
    match cursor.finish(result, &call) {
        Outcome::Read(result) if graph.get().is_none() => result.ok(),
        _ => None,
    }
}

fn by_graph<T: for<'de> Deserialize<'de>>(pickle: &[u8]) -> Option<T> {
    from_value(crate::loads(pickle).ok()?.root()).ok()
}

/// Writes a value at every binary protocol and reads it directly.
#[track_caller]
fn is_read<T: Serialize + for<'de> Deserialize<'de> + PartialEq + Debug>(value: &T) {
    for protocol in 2..=5 {
        let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
        let pickle = Config::new().pickler(pickler).to_vec(value).expect("written");
        assert_eq!(direct::<T>(&pickle).as_ref(), Some(value), "protocol {protocol}");
    }
}

#[test]
fn records_are_read_directly() {
    is_read(&(0..20).map(record).collect::<Vec<_>>());
}

#[test]
fn batches_of_a_thousand_follow_each_other() {
    for len in [0, 1, 2, 999, 1000, 1001, 1002, 2000, 2001] {
        is_read(&(0..len).collect::<Vec<u32>>());
        is_read(&(0..len).map(|n| (n, vec![n])).collect::<Vec<_>>());
    }
}

#[test]
fn atoms_options_newtypes_and_tuples_are_read_directly() {
    is_read(&());
    is_read(&(true, i64::MIN, 1.5f32, 'x', "text".to_owned()));
    is_read(&((1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((1, 2), 3), ()));
    is_read(&(i64::MAX, u64::MAX, 1u64 << 63, i128::from(u64::MAX), -1i128));
    is_read(&vec![Some(Some(1)), None]);
    is_read(&[[1, 2], [3, 4]]);
}

#[test]
fn maps_are_read_directly() {
    is_read(&BTreeMap::from([("a".to_owned(), vec![1]), ("b".to_owned(), vec![])]));
    is_read(&(0..2500).map(|n| (n, n % 7)).collect::<BTreeMap<i64, i64>>());
    is_read(&BTreeMap::from([(true, BTreeMap::from([('x', 1)])), (false, BTreeMap::new())]));
    is_read(&vec![BTreeMap::from([("key".to_owned(), 1)]); 3]);
    is_read(&(0..300).map(|n| (format!("key {n}"), n)).collect::<std::collections::HashMap<_, _>>());
}

#[test]
fn maps_with_equal_keys_are_left_to_the_graph() {
    for keys in [["K\x01", "\u{88}"], ["K\x00", "\u{89}"], ["N", "N"], ["\u{8c}\x01a", "\u{8c}\x01a"]] {
        let [first, second] = keys.map(|key| key.chars().map(|c| c as u8).collect::<Vec<_>>());
        let pickle = [b"\x80\x04}(", &first[..], b"K\x07", &second, b"K\x08u."].concat();
        assert!(direct::<Vec<(Any, u8)>>(&pickle).is_none());
        assert!(direct::<Map>(&pickle).is_none());
        assert_eq!(by_graph::<Map>(&pickle).map(|map| map.0.len()), Some(1));
    }
}

#[test]
fn equal_keys_are_found_after_keys_in_ascending_order() {
    let read = |keys: &[&str]| {
        let rows: Vec<_> = keys.iter().map(|key| [b"\x8c\x01", key.as_bytes(), b"K\x07"].concat()).collect();
        let pickle = [b"\x80\x04}(", &rows.concat()[..], b"u."].concat();
        direct::<BTreeMap<String, u8>>(&pickle).map(|map| map.len())
    };
    assert_eq!(read(&["a", "b", "c"]), Some(3));
    assert_eq!(read(&["a", "c", "b"]), Some(3));
    assert_eq!(read(&["a", "b", "a"]), None);
    assert_eq!(read(&["a", "b", "b"]), None);
    assert_eq!(read(&["b", "a", "b"]), None);
    // Keys of other types, and maps within maps.
    is_read(&BTreeMap::from([(1, BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)])), (2, BTreeMap::new())]));
    let nested = |key: &[u8]| [b"\x80\x04}(\x8c\x01a}(\x8c\x01aK\x01\x8c\x01bK\x02u\x8c\x01b}", key, b"}u."].concat();
    assert_eq!(direct::<Map<Map>>(&nested(b"\x8c\x01c")).map(|map| map.0.len()), Some(3));
    assert_eq!(direct::<Map<Map>>(&nested(b"K\x01")).map(|map| map.0.len()), Some(3));
    assert!(direct::<Map<Map>>(&nested(b"\x8c\x01a")).is_none());
}

#[test]
fn lists_that_start_with_a_number_may_go_on_with_anything() {
    let rest = b"](K\x02]K\x03aeNK\x04](J\0\0\0\0\x8c\x01a\x94e](K\x05e\x88e.";
    for numbers in [&b"K\x01"[..], b"G\0\0\0\0\0\0\0\0"] {
        let pickle = [&b"\x80\x04]("[..], &numbers.repeat(20), rest].concat();
        let lists: Vec<Any> = direct(&pickle).expect("read");
        assert_eq!(format!("{lists:?}"), format!("{:?}", by_graph::<Vec<Any>>(&pickle).expect("read")));
    }
    let options: Vec<_> = (0..5000).map(|n| (n % 20 != 19).then_some(n)).collect();
    is_read(&options);
    is_read(&(0..3000).map(|n| (1.5, n)).collect::<Vec<_>>());
}

#[test]
fn arrays_are_read_from_lists() {
    let pickle = b"\x80\x04](](K\x01J\x02\0\0\0e](K\x03K\x04ee.";
    assert_eq!(direct(pickle), Some(vec![[1, 2], [3, 4]]));
    assert_eq!(direct(pickle), Some([(1, 2), (3, 4)]));
    assert_eq!(direct::<Vec<[u8; 1]>>(pickle), None);
    assert_eq!(direct::<Vec<[u8; 3]>>(pickle), None);
}

/// Entries in order.
#[derive(Debug)]
struct Map<V = u8>(Vec<(Any, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Map<V> {
    fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> ::serde::de::Visitor<'de> for Entries<V> {
            type Value = Map<V>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Map<V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Map(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// Writes the same struct several times, so that its field names come from the memo, and reads it directly.
#[track_caller]
fn rows_are_read<T: Serialize + for<'de> Deserialize<'de> + PartialEq + Debug + Clone>(value: &T) {
    is_read(&vec![value.clone(); 5]);
}

#[test]
fn fields_with_other_names_are_found_in_every_row() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct Named {
        #[serde(alias = "aa", alias = "zz")]
        a: u8,
        #[serde(rename = "B")]
        b: u8,
        #[serde(default)]
        c: u8,
        #[serde(skip)]
        skipped: u8,
        d: Option<u8>,
        #[serde(rename = "type", alias = "0")]
        kind: String,
    }
    rows_are_read(&Named { a: 1, b: 2, c: 3, skipped: 0, d: Some(4), kind: "five".into() });
    #[derive(Serialize)]
    struct Written {
        zz: u8,
        unknown: u8,
        kind: &'static str,
        r#type: &'static str,
        d: u8,
        #[serde(rename = "B")]
        b: u8,
    }
    let written = Written { zz: 1, unknown: 9, kind: "unknown too", r#type: "five", d: 4, b: 2 };
    let pickle = Config::new().to_vec(&[&written; 4][..]).expect("written");
    let read = Named { a: 1, b: 2, c: 0, skipped: 0, d: Some(4), kind: "five".into() };
    assert_eq!(direct::<Vec<Named>>(&pickle), Some(vec![read; 4]));
}

#[test]
fn structs_with_visitors_of_their_own_are_read_directly() {
    rows_are_read(&std::time::Duration::new(5, 7));
    rows_are_read(&(1..5));
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct Borrowing {
        a: u8,
        inner: Inner,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        b: u8,
        a: u8,
    }
    rows_are_read(&Borrowing { a: 1, inner: Inner { b: 2, a: 3 } });
}

#[test]
fn two_structs_may_have_one_name_in_different_places() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct First {
        x: u8,
        y: u8,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct Second {
        y: String,
        x: String,
    }
    is_read(&vec![(First { x: 1, y: 2 }, Second { y: "y".into(), x: "x".into() }); 4]);
}

#[test]
fn empty_lists_before_other_values_are_read_as_empty() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Default)]
    struct Lists {
        a: Vec<u8>,
        b: Vec<u8>,
        c: u8,
    }
    is_read(&Lists::default());
    is_read(&Lists { a: vec![], b: vec![1], c: 2 });
    is_read(&vec![Lists::default(), Lists::default()]);
}

#[test]
fn text_is_borrowed_from_the_input() {
    let pickle = b"\x80\x04]\x94(\x8c\x03one\x94h\x01\x8c\x03two\x94e.";
    let texts: Vec<&str> = direct(pickle).expect("read");
    assert_eq!(texts, ["one", "one", "two"]);
    assert_eq!(texts[0].as_ptr(), texts[1].as_ptr());
    assert!(pickle.as_ptr_range().contains(&texts[0].as_ptr()));
}

#[test]
fn fields_borrow_from_the_input() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Borrowed<'a> {
        text: &'a str,
        bytes: &'a [u8],
        #[serde(borrow)]
        note: Cow<'a, str>,
        owned: String,
    }
    // By name in the first row, by memo index in the second.
    let first = b"\x8c\x04text\x94\x8c\x02\xc3\xa9\x94\x8c\x05bytes\x94C\x02\xff\0\x94\x8c\x04note\x94\x8c\x04some\x94\x8c\x05owned\x94\x8c\x03own\x94";
    let second = b"h\x02h\x03h\x04C\x01a\x94h\x06h\x07h\x08h\x03";
    let pickle = [&b"\x80\x04]\x94(}\x94("[..], first, b"u}\x94(", second, b"ue."].concat();
    let rows: Vec<Borrowed<'_>> = direct(&pickle).expect("read");
    assert_eq!(rows[0], Borrowed { text: "é", bytes: b"\xff\0", note: "some".into(), owned: "own".to_owned() });
    assert_eq!(rows[1], Borrowed { text: "é", bytes: b"a", note: "some".into(), owned: "é".to_owned() });
    assert!(rows.iter().all(|row| matches!(row.note, Cow::Borrowed(_))));
    assert!(pickle.as_ptr_range().contains(&rows[1].text.as_ptr()));
}

#[test]
fn texts_are_stored_across_frame_borders() {
    // A long text is written outside of frames, and the next one begins with its MEMOIZE.
    let pickle = b"\x80\x04\x95\x02\0\0\0\0\0\0\0](X\x03\0\0\0one\x95\x05\0\0\0\0\0\0\0\x94h\0e.";
    assert_eq!(direct::<Vec<&str>>(pickle), Some(vec!["one"; 2]));
    assert_eq!(by_graph::<Vec<String>>(pickle), Some(vec!["one".to_owned(); 2]));
    // Stored twice, and fetched by both numbers.
    assert_eq!(direct::<Vec<&str>>(b"\x80\x04](\x8c\x03one\x94\x94h\0h\x01e."), Some(vec!["one"; 3]));
}

#[test]
fn a_put_without_a_new_value_is_not_read_directly() {
    for pickle in [&b"\x80\x04\x94K\x01."[..], b"\x94K\x01.", b"\x80\x04](\x94K\x01e."] {
        assert!(direct::<IgnoredAny>(pickle).is_none(), "{}", pickle.escape_ascii());
        assert!(crate::loads(pickle).is_err(), "{}", pickle.escape_ascii());
    }
}

#[test]
fn a_memo_is_empty_at_the_start_of_the_next_pickle() {
    assert_eq!(direct::<Vec<&str>>(b"\x80\x04](\x8c\x03one\x94h\0e."), Some(vec!["one"; 2]));
    assert!(direct::<Vec<&str>>(b"\x80\x04](\x8c\x03onehh\0e.").is_none());
    assert!(direct::<&str>(b"h\0.").is_none());
    crate::trim_memory();
    assert_eq!(direct::<Vec<&str>>(b"\x80\x04](\x8c\x03one\x94h\0e."), Some(vec!["one"; 2]));
}

#[test]
fn ignored_values_may_be_shared() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct One {
        a: u8,
    }
    // b = [1]; {'b': b, 'c': b, 'd': {'x': []}, 'a': 7}
    let pickle = b"\x80\x04}\x94(\x8c\x01b]\x94K\x01a\x8c\x01ch\x01\x8c\x01d}\x8c\x01x]s\x8c\x01aK\x07u.";
    assert_eq!(direct(pickle), Some(One { a: 7 }));
    assert!(direct::<IgnoredAny>(pickle).is_some());
}

#[test]
fn data_that_is_not_plain_is_left_to_the_graph() {
    // A shared list, a call, duplicate keys, an identity.
    assert_eq!(direct::<Vec<Vec<u8>>>(b"\x80\x04](]\x94K\x01ah\x00e."), None);
    assert_eq!(direct::<u8>(b"\x80\x04cm\nf\nK\x01\x85R."), None);
    #[derive(Deserialize, PartialEq, Debug)]
    struct A {
        a: u8,
    }
    let twice = b"\x80\x04}(\x8c\x01aK\x01\x8c\x01aK\x02u.";
    assert_eq!((direct::<A>(twice), by_graph(twice)), (None, Some(A { a: 2 })));
    assert!(direct::<BTreeMap<String, u8>>(twice).is_none());
    assert!(direct::<Shared<u8>>(b"\x80\x04K\x01.").is_none());
    // Too few items for the type, too many on the stack, none left for STOP.
    assert_eq!(direct::<(u8, u8)>(b"\x80\x04K\x01\x85."), None);
    assert_eq!(direct::<u8>(b"\x80\x04K\x01K\x02."), None);
    assert_eq!(direct::<u8>(b"\x80\x04K\x01"), None);
}

#[test]
fn limits_that_might_be_exceeded_are_left_to_the_graph() {
    let pickle = b"\x80\x04](K\x01K\x02e.";
    let with = |limits| read::<Vec<u8>>(pickle, &Unpickler::new().limits(limits), 128);
    assert!(with(Limits::untrusted()).is_ok());
    for limits in [
        Limits::default().input(4),
        Limits::default().opcodes(4),
        Limits::default().stack(4),
        Limits::default().marks(4),
        Limits::default().memo(4),
        Limits::default().nodes(4),
        Limits::default().bytes(100),
        Limits::default().nesting(4),
    ] {
        assert!(with(limits).is_err());
    }
    assert!(read::<Vec<u8>>(pickle, &Unpickler::new().buffers(Vec::<Vec<u8>>::new()), 128).is_err());
}

#[test]
fn depth_and_text_fetched_again_are_limited() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Lists(Vec<Lists>);
    let nested = |depth: usize| [&b"]".repeat(depth)[..], &b"a".repeat(depth - 1), b"."].concat();
    assert!(direct::<Lists>(&nested(64)).is_some());
    assert!(direct::<Lists>(&nested(65)).is_none());
    assert!(crate::serde::from_slice::<Lists>(&nested(128)).is_ok());
    assert!(direct::<IgnoredAny>(&nested(100_000)).is_none());
    let texts = b"\x80\x04](\x8c\x03one\x94h\x00h\x00e.";
    let with = |limits| direct_with::<Vec<String>>(&Unpickler::new().limits(limits), texts);
    assert_eq!(with(Limits::default().shared(6)), Some(vec!["one".to_owned(); 3]));
    assert_eq!(with(Limits::default().shared(5)), None);
}

/// Every pickle that differs from this one in one byte, or lacks one, or has one twice.
fn variations(pickle: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..pickle.len()).flat_map(move |at| {
        let with = move |middle: &[u8]| [&pickle[..at], middle, &pickle[at + 1..]].concat();
        let replaced = (0..=255).map(move |byte| with(&[byte]));
        replaced.chain([with(&[]), with(&[pickle[at]; 2])])
    })
}

#[test]
fn values_read_directly_equal_those_read_from_a_graph() {
    fn check<T: Serialize + for<'de> Deserialize<'de> + PartialEq + Debug>(value: &T) {
        let mut read = 0;
        for protocol in [2, 4] {
            let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
            let pickle = Config::new().pickler(pickler).to_vec(value).expect("written");
            for pickle in variations(&pickle) {
                if let Some(value) = direct::<T>(&pickle) {
                    read += 1;
                    // NaN is not equal to itself; its text is.
                    let (direct, graph) = (format!("{:?}", Some(value)), format!("{:?}", by_graph::<T>(&pickle)));
                    assert_eq!(direct, graph, "{}", pickle.escape_ascii());
                }
            }
        }
        assert!(read > 100, "{read} are read");
    }
    check(&vec![record(1), record(7)]);
    check(&(u64::MAX, i64::MIN, vec![1u64 << 63], 1.0));
    check(&vec![BTreeMap::from([("a".to_owned(), 1.5), ("b".to_owned(), 2.0)]); 2]);
    check(&(vec![(1, vec![2])], ((1, 2), [3.5]), vec![vec![vec![1, 2], vec![]]], "a".to_owned()));
    // Runs of numbers, and texts with enough bytes after them to be padded.
    check(&vec![1, 300, 70_000, -70_000, 1 << 40, i64::MIN, 5, 6]);
    check(&vec![1.5; 5]);
    check(&["a\u{e9}b".to_owned(), "\u{1f600}".repeat(8), "x".repeat(33), String::new(), "y".repeat(32)]);
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Ignoring {
        a: u8,
    }
    let other = Pickled(b"\x80\x04}\x94(\x8c\x01a\x94K\x07\x8c\x01b\x94]\x94(K\x01h\x00}h\x01h\x02seu.");
    other.check::<Ignoring>();
    Pickled(b"\x80\x04](K\x01G\0\0\0\0\0\0\0\0\x8c\x01x\x94h\0NC\x01b\x88e.").check::<Vec<Any>>();
}

/// A pickle that no Rust type writes.
struct Pickled(&'static [u8]);

impl Pickled {
    fn check<T: for<'de> Deserialize<'de> + Debug>(&self) {
        assert!(direct::<T>(self.0).is_some());
        for pickle in variations(self.0) {
            if let Some(value) = direct::<T>(&pickle) {
                let (direct, graph) = (format!("{:?}", Some(value)), format!("{:?}", by_graph::<T>(&pickle)));
                assert_eq!(direct, graph, "{}", pickle.escape_ascii());
            }
        }
    }
}

/// Any atom.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
#[allow(dead_code)]
enum Any {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Nothing(()),
    List(Vec<Any>),
    Other(IgnoredAny),
}
