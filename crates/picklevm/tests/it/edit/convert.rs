//! Conversions between Rust and Python values.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use num_bigint::BigInt;
use picklevm::{Error, ErrorKind, Graph, IntoValue, Kind, Text, Value};

use super::shown;

#[track_caller]
fn becomes(value: impl IntoValue, expected: &str) {
    assert_eq!(shown(Graph::from(value).root()), expected);
}

#[test]
fn scalars_convert_to_scalars() {
    becomes((), "None");
    becomes(true, "True");
    becomes('ß', "'ß'");
    becomes("text", "'text'");
    becomes(String::from("text"), "'text'");
    becomes(1.5f32, "1.5");
    becomes(-0.0, "-0.0");
    becomes(Some(1), "1");
    becomes(None::<i32>, "None");
    becomes(Text::new(b"\xed\xa0\x80").unwrap(), r"'\ud800'");
}

#[test]
fn integers_of_any_width_keep_their_value() {
    becomes(i8::MIN, "-128");
    becomes(u8::MAX, "255");
    becomes(i64::MIN, "-9223372036854775808");
    becomes(u64::MAX, "18446744073709551615");
    becomes(i128::MIN, "-170141183460469231731687303715884105728");
    becomes(usize::MAX, &usize::MAX.to_string());
    becomes(BigInt::from(u128::MAX), "340282366920938463463374607431768211455");
    assert_eq!(Graph::from(u128::MAX), Graph::from(BigInt::from(u128::MAX)));
}

#[test]
fn sequences_of_bytes_are_bytes_and_all_others_lists() {
    becomes(b"ab", "b'ab'");
    becomes(&b"ab"[..], "b'ab'");
    becomes(vec![97u8], "b'a'");
    becomes(Bytes::from_static(b"ab"), "b'ab'");
    becomes(vec![97u16], "[97]");
    becomes([1.5, 2.5], "[1.5, 2.5]");
    becomes(&["a", "b"][..], "['a', 'b']");
    becomes(vec![vec![1], vec![]], "[[1], []]");
}

#[test]
fn tuples_maps_and_sets_convert_to_their_python_types() {
    becomes((1, "a", [2]), "(1, 'a', [2])");
    becomes(BTreeMap::from([("a", 1), ("b", 2)]), "{'a': 1, 'b': 2}");
    becomes(HashMap::from([((1, "k"), vec![1])]), "{(1, 'k'): [1]}");
    becomes(BTreeSet::from([2, 1]), "{1, 2}");
    becomes(HashSet::from(["a"]), "{'a'}");
}

#[test]
fn long_bytes_are_shared_not_copied() {
    let bytes = Bytes::from(vec![7; 100_000]);
    let graph = Graph::from(bytes.clone());
    assert_eq!(graph.root().as_bytes().unwrap().as_ptr(), bytes.as_ptr());
    let back = Bytes::try_from(graph.root()).unwrap();
    assert_eq!(back.as_ptr(), bytes.as_ptr());
}

#[test]
fn an_iterator_collects_into_a_list() {
    let graph: Graph = ["a", "b"].into_iter().collect();
    assert_eq!(shown(graph.root()), "['a', 'b']");
}

#[test]
fn values_convert_back_to_rust_values() {
    fn back<T>(value: impl IntoValue) -> T
    where
        T: for<'g> TryFrom<Value<'g>, Error = Error>,
    {
        T::try_from(Graph::from(value).root()).unwrap()
    }
    assert!(back::<bool>(true));
    assert_eq!(back::<u8>(255), 255);
    assert_eq!(back::<i128>(i128::MIN), i128::MIN);
    assert_eq!(back::<f64>(1.5), 1.5);
    assert_eq!(back::<f64>(2), 2.0);
    assert_eq!(back::<BigInt>(u128::MAX), BigInt::from(u128::MAX));
    assert_eq!(back::<String>("a"), "a");
    assert_eq!(back::<Vec<u8>>(b"ab"), b"ab");
    assert_eq!(back::<Vec<String>>(["a", "b"]), ["a", "b"]);
    assert_eq!(back::<[u64; 2]>([1, 2]), [1, 2]);
    assert_eq!(back::<(i32, String)>((1, "a")), (1, "a".to_owned()));
    assert_eq!(back::<BTreeMap<String, Vec<i32>>>(BTreeMap::from([("a", [1])])), [("a".into(), vec![1])].into());
    assert_eq!(back::<HashMap<i32, bool>>(BTreeMap::from([(1, true)])), [(1, true)].into());
}

#[test]
fn borrowed_types_borrow_from_the_graph() {
    let graph = Graph::from(("text", b"bytes"));
    let (text, bytes) = <(&str, &[u8])>::try_from(graph.root()).unwrap();
    assert_eq!((text, bytes), ("text", &b"bytes"[..]));
    let items = Vec::<Value<'_>>::try_from(graph.root()).unwrap();
    assert!(matches!(items[0].kind(), Kind::Str(_)));
}

#[test]
fn a_value_of_another_type_is_an_error_that_names_both() {
    let graph = Graph::from("text");
    let error = i32::try_from(graph.root()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(error.to_string(), "expected an integer, found a value of type str");
}

#[test]
fn an_integer_that_does_not_fit_is_an_error_that_names_it() {
    let error = u8::try_from(Graph::from(256).root()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    assert_eq!(error.to_string(), "expected an integer that fits u8, found 256");
    assert_eq!(<(i32, i32)>::try_from(Graph::from((1, 2, 3)).root()).unwrap_err().kind(), ErrorKind::OutOfRange);
}
