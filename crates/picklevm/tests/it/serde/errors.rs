//! Errors name the place in the data, what was expected and what was found.

use std::collections::BTreeMap;

use picklevm::serde::{Config, ErrorKind, from_slice, from_value, to_graph, to_vec};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields)]
struct Order {
    id: u8,
    customer: Customer,
    lines: Vec<(String, u8)>,
}

#[derive(Deserialize, Serialize, Debug)]
struct Customer {
    name: String,
}

#[derive(Deserialize, Serialize, Debug)]
enum Kind {
    A,
    B(u8),
}

/// Reads data given as JSON, and returns kind and text of the error.
#[track_caller]
fn error<T: for<'de> Deserialize<'de> + std::fmt::Debug>(data: serde_json::Value) -> (ErrorKind, String) {
    let graph = to_graph(&data).expect("written");
    let error = from_value::<T>(graph.root()).expect_err("the data is wrong");
    (error.kind(), error.to_string())
}

#[test]
fn a_mismatch_is_reported_with_its_path() {
    let order = |name: serde_json::Value| json!({"id": 1, "customer": {"name": name}, "lines": []});
    assert_eq!(
        error::<Vec<Order>>(json!([order("x".into()), order(5.into())])),
        (ErrorKind::Type, "[1].customer.name: expected a string, found integer `5`".into())
    );
    assert_eq!(
        error::<Order>(json!({"id": 1, "customer": {"name": "x"}, "lines": [["a", 1], ["b", 256]]})),
        (ErrorKind::Value, "lines[1][1]: expected u8, found integer `256`".into())
    );
    assert_eq!(
        error::<BTreeMap<String, u8>>(json!({"two words": "x"})),
        (ErrorKind::Type, "['two words']: expected u8, found string \"x\"".into())
    );
}

#[test]
fn fields_and_variants_are_named() {
    assert_eq!(
        error::<Vec<Customer>>(json!([{}])),
        (ErrorKind::MissingField, "[0]: expected a field `name`, found none".into())
    );
    assert_eq!(
        error::<Order>(json!({"ID": 1})),
        (ErrorKind::UnknownField, "ID: expected field `id` or `customer` or `lines`, found `ID`".into())
    );
    assert_eq!(
        error::<(Kind,)>(json!(["C"])),
        (ErrorKind::UnknownVariant, "[0]: expected variant `A` or `B`, found `C`".into())
    );
    assert_eq!(error::<Kind>(json!({"B": "x"})), (ErrorKind::Type, "B: expected u8, found string \"x\"".into()));
    assert_eq!(error::<Kind>(json!("B")), (ErrorKind::Type, "expected a newtype variant, found unit variant".into()));
    assert_eq!(
        error::<Kind>(json!({"A": 1, "B": 1})),
        (
            ErrorKind::Type,
            "expected a variant: its name, or a dict of its name and content, found a value of type dict".into()
        )
    );
}

#[test]
fn sequences_of_the_wrong_length_are_errors() {
    assert_eq!(error::<(u8, u8)>(json!([1])), (ErrorKind::Length, "expected a tuple of size 2, found length 1".into()));
    assert_eq!(error::<(u8, u8)>(json!([1, 2, 3])), (ErrorKind::Length, "expected 2 items, found length 3".into()));
}

#[test]
fn an_instance_is_named_by_its_class() {
    // [shop.Order()]
    let error = from_slice::<Vec<u8>>(b"\x80\x04]cshop\nOrder\n)\x81}\x8c\x02idK\x01sba.").expect_err("no u8");
    assert_eq!(error.to_string(), "[0]: expected u8, found an instance of shop.Order");
    assert_eq!((error.expected(), error.found()), (Some("u8"), Some("an instance of shop.Order")));
}

#[test]
fn none_is_reported_as_none() {
    assert_eq!(error::<u8>(json!(null)), (ErrorKind::Type, "expected u8, found None".into()));
}

#[test]
fn a_cycle_is_reported_with_its_start() {
    #[derive(Deserialize, Debug)]
    #[allow(dead_code)]
    struct Node {
        next: Option<Box<Node>>,
    }
    // a = Node(); a.next = Node(); a.next.next = a; [a]
    let bytes = b"\x80\x04]cm\nNode\n)\x81\x94}\x8c\x04nextcm\nNode\n)\x81}\x8c\x04nexth\x00sbsba.";
    let error = from_slice::<Vec<Node>>(bytes).expect_err("a cycle");
    assert_eq!(error.kind(), ErrorKind::Cycle);
    assert_eq!(error.to_string(), "[0].next.next: expected data without cycles, found [0] again");
    assert_eq!(error.cycle_start().map(|path| path.to_string()), Some("[0]".into()));
    // a = []; a.append(a)
    #[derive(Deserialize, Debug)]
    #[allow(dead_code)]
    struct Lists(Vec<Lists>);
    let error = from_slice::<Lists>(b"\x80\x04]\x94h\x00a.").expect_err("a cycle");
    assert_eq!(error.to_string(), "[0]: expected data without cycles, found the root again");
}

#[derive(Deserialize, Debug)]
#[allow(dead_code)]
struct Lists(Vec<Lists>);

fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = b"\x80\x02".to_vec();
    bytes.extend(std::iter::repeat_n(b']', depth));
    bytes.extend(std::iter::repeat_n(b'a', depth - 1));
    bytes.push(b'.');
    bytes
}

#[test]
fn deep_data_is_an_error_instead_of_an_overflow() {
    from_slice::<Lists>(&nested(128)).expect("128 lists are read");
    let error = from_slice::<Lists>(&nested(1_000_000)).expect_err("too deep");
    assert_eq!(error.kind(), ErrorKind::Depth);
    assert!(error.to_string().ends_with("expected at most 128 nested values (Config::depth), found more"));
    Config::new().depth(200).from_slice::<Lists>(&nested(200)).expect("a larger depth is allowed");
}

#[test]
fn objects_read_in_place_of_each_other_count_as_nested() {
    // c(c(c(… 5 …)))
    let nested = |ops: &[u8]| {
        let mut bytes = b"\x80\x02".to_vec();
        bytes.extend(b"cm\nc\n".repeat(100_000));
        bytes.extend(b"K\x05");
        bytes.extend(ops.repeat(100_000));
        bytes.push(b'.');
        bytes
    };
    let by_new = nested(b"\x85\x81");
    assert_eq!(from_slice::<u8>(&nested(b"\x85R")).expect_err("too deep").kind(), ErrorKind::Depth);
    assert_eq!(from_slice::<u8>(&by_new).expect_err("too deep").kind(), ErrorKind::Depth);
    assert_eq!(from_slice::<serde_json::Value>(&by_new).expect_err("too deep").kind(), ErrorKind::Depth);
}

#[test]
fn a_broken_pickle_is_reported_as_the_error_of_loading_it() {
    let error = from_slice::<u8>(b"\x80\x04K").expect_err("truncated");
    assert_eq!(error.kind(), ErrorKind::Pickle);
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<picklevm::Error>());
    assert_eq!(source.map(picklevm::Error::kind), Some(picklevm::ErrorKind::Truncated));
}

#[test]
fn text_with_surrogates_is_not_a_string() {
    let error = from_slice::<String>(b"\x80\x04\x8c\x03\xed\xa0\x80.").expect_err("no string");
    assert_eq!(error.to_string(), "expected a string, found text with lone surrogates");
}

#[test]
fn a_key_that_python_cannot_hash_is_refused() {
    let error = to_graph(&BTreeMap::from([(vec![1], 1)])).map(drop).expect_err("a list as key");
    assert_eq!(error.kind(), ErrorKind::Pickle);
    assert_eq!(error.to_string(), "expected a key that Python can hash, found a value of type list");
}

#[test]
fn an_error_is_one_word_wide() {
    assert_eq!(size_of::<picklevm::serde::Error>(), size_of::<usize>());
}

#[test]
fn writing_too_deeply_nested_rust_values_is_an_error() {
    #[derive(Serialize)]
    struct Lists(Vec<Lists>);
    #[derive(Serialize)]
    enum Chain {
        End,
        Link(Box<Chain>),
    }
    #[derive(Serialize)]
    struct Wrapped(Option<Box<Wrapped>>);

    let lists = (0..1_000_000).fold(Lists(vec![]), |inner, _| Lists(vec![inner]));
    let chain = (0..1_000_000).fold(Chain::End, |inner, _| Chain::Link(Box::new(inner)));
    let wrapped = (0..1_000_000).fold(Wrapped(None), |inner, _| Wrapped(Some(Box::new(inner))));
    for error in [to_vec(&lists), to_vec(&chain), to_vec(&wrapped)].map(|written| written.expect_err("too deep")) {
        assert_eq!(error.kind(), ErrorKind::Depth);
        assert_eq!(error.to_string(), "expected at most 128 nested values (Config::depth), found more");
    }
    // Dropping them recurses.
    std::mem::forget((lists, chain, wrapped));
}

#[test]
fn any_depth_that_can_be_written_can_be_read() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Lists(Option<Vec<Lists>>);

    let nested = |depth| (1..depth).fold(Lists(Some(vec![])), |inner, _| Lists(Some(vec![inner])));
    let pickle = to_vec(&nested(128)).expect("as deep as can be read");
    from_slice::<Lists>(&pickle).expect("as deep as can be written");
    to_vec(&nested(129)).expect_err("too deep");
    Config::new().depth(200).to_vec(&nested(200)).expect("as deep as configured");
}
