//! Shared values.

use std::sync::Arc;

use picklevm::serde::{Config, ErrorKind, Shared, from_slice, from_value, to_graph};
use picklevm::{Limits, Unpickler};
use serde::{Deserialize, Serialize};

// a = [1]; [a, a, [1]]
const TWICE: &[u8] = b"\x80\x04](]\x94K\x01ah\x00]K\x01ae.";

#[test]
fn a_shared_value_is_read_at_each_place() {
    assert_eq!(from_slice::<[Vec<u8>; 3]>(TWICE).expect("read"), [[1], [1], [1]]);
}

#[test]
fn shared_keeps_one_arc_for_one_value() {
    let [a, b, c]: [Shared<Vec<u8>>; 3] = from_slice(TWICE).expect("read");
    assert!(Arc::ptr_eq(&a.0, &b.0));
    assert!(!Arc::ptr_eq(&a.0, &c.0));
    assert_eq!(a, c);
}

#[test]
fn a_shared_value_read_as_two_types_is_two_arcs() {
    let (a, b, _) = from_slice::<(Shared<Vec<u8>>, Shared<[i64; 1]>, Vec<u8>)>(TWICE).expect("read");
    assert_eq!((&**a, &*b), (&[1][..], &[1]));
}

#[test]
fn two_read_calls_share_nothing() {
    let graph = picklevm::loads(TWICE).expect("loads");
    let [a, ..]: [Shared<Vec<u8>>; 3] = from_value(graph.root()).expect("read");
    let [b, ..]: [Shared<Vec<u8>>; 3] = from_value(graph.root()).expect("read");
    assert!(!Arc::ptr_eq(&a.0, &b.0));
    drop(graph);
    assert_eq!(Arc::strong_count(&b.0), 1);
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Node {
    name: String,
    next: Option<Shared<Node>>,
}

#[test]
fn shared_values_inside_shared_values_keep_their_identity() {
    let last = Shared::from(Node { name: "last".into(), next: None });
    let first = Shared::from(Node { name: "first".into(), next: Some(last.clone()) });
    let graph = to_graph(&[first, last]).expect("written");
    let [first, last] = graph.root().items().as_array().expect("two");
    assert!(first.at("next").is(last));
    let [first, last]: [Shared<Node>; 2] = from_value(graph.root()).expect("read");
    assert!(Arc::ptr_eq(&first.next.as_ref().expect("there").0, &last.0));
}

#[test]
fn in_another_format_a_shared_value_is_the_value() {
    let shared = Shared::from(5);
    assert_eq!(serde_json::to_string(&shared).expect("json"), "5");
    assert_eq!(serde_json::from_str::<Shared<u8>>("5").expect("json"), shared);
}

/// `levels` lists, each with the previous one twice: 2^levels lists without sharing.
fn doubling(levels: usize) -> Vec<u8> {
    let mut bytes = b"\x80\x04]\x94".to_vec();
    for level in 1..levels as u8 {
        bytes.extend([b']', b'\x94', b'(', b'h', level - 1, b'h', level - 1, b'e']);
    }
    bytes.push(b'.');
    bytes
}

#[derive(Deserialize, Debug)]
#[allow(dead_code)]
struct Lists(Vec<Lists>);

#[test]
fn the_budget_for_shared_values_stops_exponential_data() {
    let config = |limits| Config::new().unpickler(Unpickler::new().limits(limits));
    from_slice::<Lists>(&doubling(10)).expect("a thousand lists");
    let error = config(Limits::default().shared(1 << 20)).from_slice::<Lists>(&doubling(60)).expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(
        error
            .to_string()
            .ends_with("expected at most 1048576 bytes of shared values read again (Limits::shared), found more")
    );
}

#[test]
fn text_read_again_counts_by_its_length() {
    // a text of 1,000 characters, 1,000 times
    let mut bytes = b"\x80\x04](X\xe8\x03\x00\x00".to_vec();
    bytes.extend([b'x'; 1000]);
    bytes.push(0x94);
    bytes.extend(b"h\x00".repeat(999));
    bytes.extend(b"e.");
    let config = |most| Config::new().unpickler(Unpickler::new().limits(Limits::default().shared(most)));
    assert_eq!(config(1_000_000).from_slice::<Vec<String>>(&bytes).expect("read").len(), 1000);
    assert_eq!(config(900_000).from_slice::<Vec<String>>(&bytes).expect_err("too much").kind(), ErrorKind::Limit);
}

#[test]
fn unshared_values_do_not_use_the_budget() {
    let config = Config::new().unpickler(Unpickler::new().limits(Limits::default().shared(0)));
    let data: Vec<(String, Vec<u32>)> = (0..1000).map(|n| (format!("name{n}"), (0..n).collect())).collect();
    let graph = to_graph(&data).expect("written");
    assert_eq!(config.from_value::<Vec<(String, Vec<u32>)>>(graph.root()).expect("read"), data);
}
