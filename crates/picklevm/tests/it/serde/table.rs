//! Every type of serde's data model, read and written: the table of types of serde_json's tests.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use picklevm::serde::{Config, from_slice, from_value, to_graph, to_vec};
use picklevm::{Pickler, Protocol};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use picklevm_testing::python;

thread_local! {
    /// The values of the table as pickles of every protocol, each followed by its `repr`, for Python to check.
    static FOR_PYTHON: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes a value, checks its Python `repr`, and reads it back: as a graph, and as a pickle of each protocol.
#[track_caller]
fn both<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, python: &str) {
    let graph = to_graph(&value).expect("the value can be written");
    // An infinity is written as a literal.
    assert_eq!(format!("{:?}", graph.root()), if python == "inf" { "1e309" } else { python });
    assert_eq!(from_value::<T>(graph.root()).expect("the value can be read"), value);
    for protocol in 0..=5 {
        let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
        let pickle = Config::new().pickler(pickler).to_vec(&value).expect("the value can be pickled");
        let read: T = from_slice(&pickle).unwrap_or_else(|error| panic!("protocol {protocol}: {error}"));
        assert_eq!(read, value, "protocol {protocol}");
        FOR_PYTHON.with_borrow_mut(|all| {
            all.extend(pickle);
            all.extend(to_vec(python).expect("text can be pickled"));
        });
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum Animal {
    Dog,
    Frog(String, Vec<isize>),
    Cat { age: usize, name: String },
    AntHive(Vec<String>),
    Owl(Box<Animal>),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Inner {
    a: (),
    b: usize,
    c: Vec<String>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Outer {
    inner: Vec<Inner>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Unit;

#[derive(Serialize, Deserialize, PartialEq, Debug, PartialOrd, Ord, Eq)]
struct Newtype(i32);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Pair(u8, String);

#[derive(Serialize, Deserialize, PartialEq, Debug, PartialOrd, Ord, Eq)]
enum KeyKind {
    One,
    Two,
}

#[test]
fn none_is_unit_and_the_absence_of_an_option() {
    both((), "None");
    both(Unit, "None");
    both(None::<u8>, "None");
    both(Some(7), "7");
    both(Some(Vec::<u8>::new()), "[]");
}

#[test]
fn booleans_are_booleans() {
    both(true, "True");
    both(false, "False");
}

#[test]
fn integers_of_every_width_keep_their_limits() {
    both(i8::MIN, "-128");
    both(i16::MIN, "-32768");
    both(i32::MIN, "-2147483648");
    both(i64::MIN, "-9223372036854775808");
    both(i64::MAX, "9223372036854775807");
    both(i128::MIN, "-170141183460469231731687303715884105728");
    both(i128::MAX, "170141183460469231731687303715884105727");
    both(u8::MAX, "255");
    both(u16::MAX, "65535");
    both(u32::MAX, "4294967295");
    both(u64::MAX, "18446744073709551615");
    both(0u64, "0");
    let graph = to_graph(&u128::MAX).expect("written");
    assert_eq!(graph.root().as_int().map(|int| int.to_string()), Some(u128::MAX.to_string()));
    assert_eq!(from_value::<u128>(graph.root()).expect("read"), u128::MAX);
}

#[test]
fn floats_round_trip_bit_for_bit() {
    both(0.0, "0.0");
    both(3.5, "3.5");
    both(-1e-300, "-1e-300");
    both(f64::INFINITY, "inf");
    both(f64::MIN_POSITIVE, "2.2250738585072014e-308");
    both(0.1f32, "0.10000000149011612");
    let negative_zero = from_value::<f64>(to_graph(&-0.0).expect("written").root()).expect("read");
    assert_eq!(negative_zero.to_bits(), (-0.0f64).to_bits());
    let nan = from_value::<f64>(to_graph(&f64::NAN).expect("written").root()).expect("read");
    assert!(nan.is_nan());
}

#[test]
fn integers_are_read_as_floats() {
    let graph = to_graph(&(1, -5, u128::MAX)).expect("written");
    let floats: (f64, f32, f64) = from_value(graph.root()).expect("read");
    assert_eq!(floats, (1.0, -5.0, u128::MAX as f64));
}

#[test]
fn text_is_text() {
    both(String::new(), "''");
    both("foo\"\n€ 🥒".to_owned(), "'foo\"\\n€ 🥒'");
    both('a', "'a'");
    both('🥒', "'🥒'");
}

#[test]
fn bytes_are_bytes_and_vectors_of_integers_lists() {
    both(serde_bytes::ByteBuf::from(b"\x00ab".to_vec()), "b'\\x00ab'");
    both(vec![0u8, 97], "[0, 97]");
    both([1, 2, 3], "(1, 2, 3)");
}

#[test]
fn sequences_are_lists_and_tuples_tuples() {
    both(Vec::<bool>::new(), "[]");
    both(vec![vec![], vec![false], vec![true, false]], "[[], [False], [True, False]]");
    both((5,), "(5,)");
    both((5, "x".to_owned(), (true, [(); 0])), "(5, 'x', (True, ()))");
    both(BTreeSet::from([3, 1, 2]), "[1, 2, 3]");
}

#[test]
fn structs_are_dicts_and_tuple_structs_tuples() {
    both(Inner { a: (), b: 2, c: vec!["abc".into()] }, "{'a': None, 'b': 2, 'c': ['abc']}");
    both(Outer { inner: vec![] }, "{'inner': []}");
    both(Newtype(12), "12");
    both(Pair(1, "b".into()), "(1, 'b')");
}

#[test]
fn enums_are_names_or_dicts_of_one_entry() {
    both(Animal::Dog, "'Dog'");
    both(Animal::Frog("Henry".into(), vec![]), "{'Frog': ('Henry', [])}");
    both(Animal::Frog("Henry".into(), vec![349, -1]), "{'Frog': ('Henry', [349, -1])}");
    both(Animal::Cat { age: 5, name: "Kate".into() }, "{'Cat': {'age': 5, 'name': 'Kate'}}");
    both(Animal::AntHive(vec!["Bob".into()]), "{'AntHive': ['Bob']}");
    both(Animal::Owl(Box::new(Animal::Dog)), "{'Owl': 'Dog'}");
}

#[test]
fn maps_take_keys_of_any_kind() {
    both(BTreeMap::from([("a".to_owned(), 1)]), "{'a': 1}");
    both(BTreeMap::<String, ()>::new(), "{}");
    both(BTreeMap::from([(1, 2), (-3, 4)]), "{-3: 4, 1: 2}");
    both(BTreeMap::from([('x', true)]), "{'x': True}");
    both(BTreeMap::from([(true, 1)]), "{True: 1}");
    both(BTreeMap::from([(u128::from(u64::MAX), 1)]), "{18446744073709551615: 1}");
    both(BTreeMap::from([((1, 'c'), 1)]), "{(1, 'c'): 1}");
    both(BTreeMap::from([(KeyKind::One, 1), (KeyKind::Two, 2)]), "{'One': 1, 'Two': 2}");
    both(BTreeMap::from([(Newtype(5), 1)]), "{5: 1}");
    both(BTreeMap::from([((), 1)]), "{None: 1}");
    both(BTreeMap::from([("a".to_owned(), BTreeMap::from([(1u8, vec![1u8])]))]), "{'a': {1: [1]}}");
}

#[test]
fn nested_options_are_transparent() {
    both(vec![Some("jodhpurs".to_owned()), None], "['jodhpurs', None]");
    both(BTreeMap::from([("x".to_owned(), Some(Animal::Dog))]), "{'x': 'Dog'}");
    both((Some(Some(5)), None::<Option<u8>>), "(5, None)");
}

#[test]
fn standard_library_types_round_trip() {
    both(std::time::Duration::new(5, 3), "{'secs': 5, 'nanos': 3}");
    both(std::net::Ipv4Addr::new(10, 0, 0, 1), "'10.0.0.1'");
    both(std::path::PathBuf::from("a/b"), "'a/b'");
    both(Ok::<u8, String>(1), "{'Ok': 1}");
    both(1..5, "{'start': 1, 'end': 5}");
    both(std::num::NonZeroU16::MAX, "65535");
}

#[test]
fn python_prints_the_table_the_same() {
    let Some(python) = python::reference("python_prints_the_table_the_same") else { return };
    for table in [
        none_is_unit_and_the_absence_of_an_option,
        booleans_are_booleans,
        integers_of_every_width_keep_their_limits,
        floats_round_trip_bit_for_bit,
        text_is_text,
        bytes_are_bytes_and_vectors_of_integers_lists,
        sequences_are_lists_and_tuples_tuples,
        structs_are_dicts_and_tuple_structs_tuples,
        enums_are_names_or_dicts_of_one_entry,
        maps_take_keys_of_any_kind,
        nested_options_are_transparent,
        standard_library_types_round_trip,
    ] {
        table();
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), FOR_PYTHON.take()).expect("written");
    let printed = python::run(&python, "typed_table.py", &[file.path().as_ref()]).stdout;
    assert_eq!(String::from_utf8_lossy(&printed), "");
}
