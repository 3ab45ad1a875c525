//! Objects of Python's types, pickled by CPython at every protocol, are read into derived structs.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use picklevm::serde::{Instance, from_slice, from_value};
use picklevm::{Graph, loads};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::json;

/// The dicts pickled by `tests/data/serde/make.py`, with their file names.
fn files() -> Vec<(String, Graph)> {
    let folder = picklevm_testing::root().join("tests/data/serde");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder of test data")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "pkl"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, loads(fs::read(&path).expect("a file")).expect("a pickle"))
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

/// Reads one entry of every file that has it, and compares it. The number of such files must match.
#[track_caller]
fn everywhere<T: DeserializeOwned + PartialEq + std::fmt::Debug>(key: &str, expected: T, files_with_it: usize) {
    let mut seen = 0;
    for (name, graph) in files() {
        let Some(value) = graph.root().get(key) else { continue };
        seen += 1;
        match from_value::<T>(value) {
            Ok(read) => assert_eq!(read, expected, "{name}"),
            Err(error) => panic!("{name}: {error}: {value:?}"),
        }
    }
    assert_eq!(seen, files_with_it, "files with {key}");
}

/// Python 2.7 at protocols 0 to 2, Python 3.8 and 3.13 at 0 to 5.
const ALL: usize = 15;
const PYTHON_3: usize = 12;

#[derive(Deserialize, PartialEq, Debug)]
struct Thing {
    name: String,
    size: u32,
}

fn thing(name: &str, size: u32) -> Thing {
    Thing { name: name.into(), size }
}

#[test]
fn an_instance_is_a_struct_of_its_attributes() {
    everywhere("plain", thing("pen", 3), ALL);
    everywhere(
        "plain",
        BTreeMap::from([("name".to_owned(), Field::Text("pen".into())), ("size".into(), Field::Number(3))]),
        ALL,
    );
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(untagged)]
enum Field {
    Number(i64),
    Text(String),
}

#[test]
fn instances_may_be_nested() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Outer {
        name: Thing,
        size: u32,
    }
    everywhere("nested", [Outer { name: thing("inner", 1), size: 2 }], ALL);
}

#[test]
fn an_old_style_instance_is_a_struct_too() {
    everywhere("old", thing("old", 2), 3);
}

#[test]
fn slots_are_attributes() {
    everywhere("slots", thing("slim", 9), 9);
    #[derive(Deserialize, PartialEq, Debug)]
    struct Both {
        name: String,
        size: u32,
        extra: bool,
    }
    everywhere("slots_and_dict", Both { name: "both".into(), size: 4, extra: true }, 9);
}

#[test]
fn dataclasses_are_structs() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Item {
        name: String,
        price: f64,
        tags: Vec<String>,
    }
    #[derive(Deserialize, PartialEq, Debug)]
    struct Key {
        a: i32,
        b: String,
    }
    everywhere("item", Item { name: "pen".into(), price: 1.5, tags: vec!["a".into()] }, PYTHON_3);
    everywhere("key", Key { a: 1, b: "x".into() }, PYTHON_3);
}

#[test]
fn frozen_dataclasses_with_slots_are_structs_though_their_state_is_a_list() {
    everywhere("slim", thing("slim", 9), 6);
    everywhere("frozen_slim", thing("ice", 0), 6);
}

#[derive(Deserialize, PartialEq, Debug)]
struct Point<X, Y> {
    x: X,
    y: Y,
}

#[test]
fn a_namedtuple_is_a_struct_or_a_tuple() {
    everywhere("point", Point { x: 1, y: 2.5 }, ALL);
    everywhere("point", (1, 2.5), ALL);
    everywhere("point_of_points", Point { x: (1, 2), y: vec![3] }, ALL);
}

#[test]
fn subclasses_of_builtin_types_are_read_as_the_base_type() {
    everywhere("list_sub", vec![1, 2, 3], ALL);
    everywhere("dict_sub", BTreeMap::from([("a".to_owned(), 1)]), ALL);
    everywhere("int_sub", 5, ALL);
    everywhere("text_sub", "text".to_owned(), ALL);
    everywhere("tuple_sub", (1, 2), ALL);
    everywhere("set_sub", [7], ALL);
    everywhere("frozenset", [1], ALL);
}

#[test]
fn the_collections_are_maps_and_sequences() {
    everywhere("ordered", BTreeMap::from([("b".to_owned(), 1), ("a".into(), 2)]), ALL);
    everywhere("default", BTreeMap::from([("a".to_owned(), vec![1])]), ALL);
    everywhere("counter", BTreeMap::from([('a', 2), ('b', 1)]), ALL);
    everywhere("deque", vec![1, 2], ALL);
    everywhere("deque_empty", Vec::<u8>::new(), ALL);
}

#[test]
fn an_enum_member_is_its_value_or_the_variant_of_that_name() {
    #[derive(Deserialize, PartialEq, Debug)]
    enum Color {
        #[serde(rename = "1")]
        Red,
        #[serde(rename = "g")]
        Green,
    }
    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(rename_all = "UPPERCASE")]
    enum Named {
        First,
        Second,
    }
    everywhere("colors", (1, 'g'), PYTHON_3);
    everywhere("colors", [Color::Red, Color::Green], PYTHON_3);
    everywhere("named", Named::Second, PYTHON_3);
    everywhere("named", "SECOND".to_owned(), PYTHON_3);
    everywhere("level", 2, PYTHON_3);
    assert_ne!(Named::First, Named::Second);
}

#[test]
fn a_class_is_the_variant_of_its_name() {
    #[derive(Deserialize, PartialEq, Debug)]
    enum Shape {
        Circle {
            radius: f64,
        },
        #[serde(rename = "modern.Square")]
        Square {
            side: u32,
        },
    }
    everywhere("shapes", [Shape::Circle { radius: 1.5 }, Shape::Square { side: 2 }], PYTHON_3);
}

#[test]
fn dates_and_times_are_what_chrono_parses() {
    use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
    let day = NaiveDate::from_ymd_opt(2014, 3, 9).expect("a date");
    everywhere("datetime", day.and_hms_micro_opt(12, 30, 5, 250_000).expect("a time"), ALL);
    everywhere("datetime_whole", day.and_hms_opt(0, 0, 0).expect("a time"), ALL);
    everywhere::<NaiveDate>("date", day, ALL);
    everywhere::<NaiveTime>("time", NaiveTime::from_hms_opt(23, 59, 1).expect("a time"), ALL);
    let noon: NaiveDateTime = day.and_hms_opt(12, 0, 0).expect("a time");
    everywhere::<DateTime<Utc>>("utc", noon.and_utc(), PYTHON_3);
    for (key, minutes) in [("east", 330), ("west", -210)] {
        let offset = FixedOffset::east_opt(minutes * 60).expect("an offset");
        let time = noon.and_local_timezone(offset).single().expect("a time");
        everywhere::<DateTime<FixedOffset>>(key, time, PYTHON_3);
    }
}

#[test]
fn dates_and_times_are_what_jiff_parses() {
    use jiff::civil::{date, time};
    use jiff::{SignedDuration, Timestamp};
    everywhere("datetime", date(2014, 3, 9).at(12, 30, 5, 250_000_000), ALL);
    everywhere("date", date(2014, 3, 9), ALL);
    everywhere("time", time(23, 59, 1, 0), ALL);
    everywhere::<Timestamp>("utc", "2014-03-09T12:00:00Z".parse().expect("a time"), PYTHON_3);
    everywhere::<Timestamp>("east", "2014-03-09T06:30:00Z".parse().expect("a time"), PYTHON_3);
    everywhere("span", SignedDuration::new(129_601, 500_000_000), ALL);
    everywhere("span_back", SignedDuration::new(-90, 0), ALL);
}

#[test]
fn times_are_written_as_in_rfc_3339_and_9557() {
    everywhere("datetime", "2014-03-09T12:30:05.250000".to_owned(), ALL);
    everywhere("time_utc", "01:02:03.000004+00:00".to_owned(), PYTHON_3);
    everywhere("west", "2014-03-09T12:00:00-03:30".to_owned(), PYTHON_3);
    everywhere("zoned", "2014-03-09T12:00:00[Europe/Berlin]".to_owned(), 6);
}

#[test]
fn a_timedelta_is_a_duration_a_number_of_seconds_or_a_string() {
    everywhere("span", Duration::new(129_601, 500_000_000), ALL);
    everywhere("span", 129_601.5, ALL);
    everywhere("span", "PT36H1.500000S".to_owned(), ALL);
    everywhere("span_back", -90.0, ALL);
    everywhere("span_back", "-PT1M30S".to_owned(), ALL);
    everywhere("span_back", (-90i64, 0u32), ALL);
}

#[test]
fn decimals_uuids_paths_and_addresses_are_strings_that_their_crates_parse() {
    everywhere::<rust_decimal::Decimal>("decimal", "12.50".parse().expect("a decimal"), ALL);
    everywhere("decimal", 12.5, ALL);
    everywhere::<uuid::Uuid>("uuid", "12345678-1234-5678-1234-567812345678".parse().expect("a uuid"), ALL);
    everywhere("path", PathBuf::from("/usr/lib/x.py"), PYTHON_3);
    everywhere("path_relative", PathBuf::from("a/b"), PYTHON_3);
    everywhere("path_windows", r"C:\x\y".to_owned(), PYTHON_3);
    let addresses: [IpAddr; 2] = ["10.1.2.3", "::1"].map(|text| text.parse().expect("an address"));
    everywhere("addresses", addresses, PYTHON_3);
}

#[test]
fn an_exception_is_a_struct_of_class_and_args_and_attributes() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Error {
        args: (String, i32),
    }
    everywhere("error", Error { args: ("bad".into(), 3) }, ALL);
    #[derive(Deserialize, PartialEq, Debug)]
    struct Failure {
        class: String,
        args: (i32, String),
        code: i32,
    }
    let failure = Failure { class: "__main__.Failure".into(), args: (5, "five".into()), code: 5 };
    everywhere("failure", failure, ALL);
}

#[test]
fn numbers_and_bytes_of_python_are_numbers_and_bytes() {
    everywhere("complex", (1.5, -2.0), ALL);
    everywhere("big", 1i128 << 100, ALL);
    everywhere("bytearray", serde_bytes::ByteBuf::from(b"ab".to_vec()), ALL);
    everywhere("bytes", serde_bytes::ByteBuf::from(b"\x00\xff".to_vec()), PYTHON_3);
    everywhere("huge", format!("-{}", num_bigint::BigInt::from(1) << 200), ALL);
}

#[test]
fn the_wrapper_keeps_class_arguments_and_state() {
    let plain = Instance {
        class: "__main__.Plain".into(),
        args: (),
        state: BTreeMap::from([("name".into(), Field::Text("pen".into())), ("size".into(), Field::Number(3))]),
    };
    everywhere::<Instance<BTreeMap<String, Field>>>("plain", plain, ALL);
    let point = Instance { class: "__main__.Point".into(), args: (1, 2.5), state: () };
    everywhere::<Instance<(), (i32, f64)>>("point", point, ALL);
}

#[test]
fn a_call_with_several_arguments_is_a_map_of_class_and_args() {
    // fractions.Fraction(1, 3)
    let bytes = b"\x80\x04\x8c\x09fractions\x8c\x08Fraction\x93K\x01K\x03\x86R.";
    let parts: (u8, u8) = from_slice(bytes).expect("read");
    assert_eq!(parts, (1, 3));
    let map: BTreeMap<String, serde_json::Value> = from_slice(bytes).expect("read");
    assert_eq!(serde_json::json!(map), serde_json::json!({"class": "fractions.Fraction", "args": [1, 3]}));
}

#[test]
fn a_persistent_reference_is_its_id() {
    assert_eq!(from_slice::<(String, u8)>(b"\x80\x04\x8c\x07storageK\x05\x86Q.").expect("read"), ("storage".into(), 5));
}

#[test]
fn an_instance_with_an_opaque_state_is_an_error_that_names_the_class() {
    // numpy.array([1, 'a'], dtype=object), by NumPy 1.26 at protocol 2, in short.
    let array: &[u8] = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85c_codecs\nencode\n\
        X\x01\0\0\0bX\x06\0\0\0latin1\x86R\x87R(K\x01K\x02\x85cnumpy\ndtype\nX\x02\0\0\0O8\x89\x88\x87R(K\x03\
        X\x01\0\0\0|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89]q\x00(K\x01X\x01\0\0\0aetb.";
    // An instance of a user-defined class with `__getstate__`.
    let own: &[u8] = b"\x80\x02cshop\nCart\n)\x81K\x01K\x02\x86b.";
    for (pickle, class, state) in [(array, "numpy.core.multiarray._reconstruct", "tuple"), (own, "shop.Cart", "tuple")]
    {
        let errors = [
            from_slice::<serde_json::Value>(pickle).map(drop),
            from_slice::<Vec<serde_json::Value>>(pickle).map(drop),
            from_slice::<BTreeMap<String, serde_json::Value>>(pickle).map(drop),
            from_slice::<(u8, u8)>(pickle).map(drop),
            from_slice::<Thing3>(pickle).map(drop),
        ];
        for error in errors.map(|read| read.expect_err("an opaque state").to_string()) {
            let expected = format!("found an instance of {class}, whose state is a {state}");
            assert!(error.contains(&expected), "{error}");
        }
    }
    let own: Instance<(u8, u8)> = from_slice(own).expect("any object");
    assert_eq!((&*own.class, own.state), ("shop.Cart", (1, 2)));
}

/// A struct with another number of fields than any state above has items.
#[derive(Deserialize, Debug)]
#[allow(dead_code)]
struct Thing3 {
    a: u8,
    b: u8,
    c: u8,
}

#[test]
fn an_array_is_a_sequence_at_every_protocol_or_bytes_if_the_type_asks_for_bytes() {
    let arrays = |typecode: &str, list: &str, format: u8, bytes: &[u8]| {
        let by_list = format!("carray\narray\n(V{typecode}\n(l{list}tR.").into_bytes();
        let mut by_bytes = b"\x80\x03carray\n_array_reconstructor\n(carray\narray\nX\x01\0\0\0".to_vec();
        by_bytes.extend(typecode.bytes().chain([b'K', format, b'C', bytes.len() as u8]).chain(bytes.iter().copied()));
        by_bytes.extend(b"tR.");
        [by_list, by_bytes]
    };
    for pickle in arrays("H", "I1\naI515\na", 2, &[1, 0, 3, 2]) {
        assert_eq!(from_slice::<Vec<u16>>(&pickle).expect("a sequence"), [1, 515]);
        assert_eq!(from_slice::<(u16, u16)>(&pickle).expect("a sequence"), (1, 515));
        assert_eq!(from_slice::<serde_json::Value>(&pickle).expect("a sequence"), serde_json::json!([1, 515]));
        from_slice::<(u16,)>(&pickle).expect_err("one more than asked for");
        let error = from_slice::<String>(&pickle).expect_err("no text");
        assert!(error.to_string().starts_with("expected a string, found an instance of array."), "{error}");
    }
    for pickle in arrays("b", "I1\naI-1\na", 1, &[1, 255]) {
        assert_eq!(from_slice::<serde_bytes::ByteBuf>(&pickle).expect("bytes"), [1, 255]);
        assert_eq!(from_slice::<Vec<i8>>(&pickle).expect("a sequence"), [1, -1]);
    }
    let empty = b"carray\narray\n(VH\n(ltR.";
    assert_eq!(from_slice::<Vec<u16>>(empty).expect("a sequence").len(), 0);
    for pickle in arrays("u", "Va\naVb\na", 20, b"a\0\0\0b\0\0\0") {
        assert_eq!(from_slice::<String>(&pickle).expect("text"), "ab");
        assert_eq!(from_slice::<Vec<char>>(&pickle).expect("characters"), ['a', 'b']);
    }
}

#[test]
fn a_range_is_the_sequence_of_its_integers() {
    let range = b"cbuiltins\nrange\n(K\0K\x05K\x02tR.";
    assert_eq!(from_slice::<Vec<u8>>(range).expect("a sequence"), [0, 2, 4]);
    assert_eq!(json(range), Ok(serde_json::json!([0, 2, 4])));
    assert_eq!(
        from_slice::<(i32, i32)>(b"cbuiltins\nrange\n(K\x05J\xfe\xff\xff\xffJ\xfb\xff\xff\xfftR.").expect("two"),
        (5, 0)
    );
    assert_eq!(from_slice::<Vec<u8>>(b"cbuiltins\nrange\n(K\x05K\x05tR.").expect("a sequence").len(), 0);
    // range(10**15) is not read in full.
    let error = from_slice::<Vec<u64>>(b"cbuiltins\nrange\n(I1000000000000000\ntR.").expect_err("too many");
    assert!(error.to_string().contains("shared"), "{error}");
}
