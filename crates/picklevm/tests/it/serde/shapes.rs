//! serde's attributes: flatten, untagged and tagged enums, defaults, borrowing, ignored values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use picklevm::loads;
use picklevm::serde::{from_slice, from_value, to_graph};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    rest: BTreeMap<String, i64>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Inner {
    name: String,
}

#[test]
fn flattened_fields_are_read_from_the_enclosing_dict() {
    let flat =
        Flat { id: 1, inner: Inner { name: "x".into() }, rest: BTreeMap::from([("a".into(), 5), ("b".into(), -6)]) };
    let graph = to_graph(&flat).expect("written");
    assert_eq!(format!("{:?}", graph.root()), "{'id': 1, 'name': 'x', 'a': 5, 'b': -6}");
    assert_eq!(from_value::<Flat>(graph.root()).expect("read"), flat);
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(untagged)]
enum Untagged {
    Nothing(()),
    Number(i64),
    Float(f64),
    Text(String),
    Pair(u8, u8),
    Point { x: f64 },
    List(Vec<Untagged>),
}

#[test]
fn untagged_enums_take_the_first_variant_that_fits() {
    let values = vec![
        Untagged::Nothing(()),
        Untagged::Number(5),
        Untagged::Float(0.5),
        Untagged::Text("t".into()),
        Untagged::Pair(1, 2),
        Untagged::Point { x: 1.5 },
        Untagged::List(vec![Untagged::Number(-1)]),
    ];
    let graph = to_graph(&values).expect("written");
    assert_eq!(format!("{:?}", graph.root()), "[None, 5, 0.5, 't', (1, 2), {'x': 1.5}, [-1]]");
    assert_eq!(from_value::<Vec<Untagged>>(graph.root()).expect("read"), values);
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "type")]
enum Internal {
    Circle { radius: f64 },
    Unit,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Circle { radius: f64 },
    Pair(u8, u8),
}

#[test]
fn tagged_enums_find_their_tag() {
    let graph = to_graph(&(Internal::Circle { radius: 1.0 }, Internal::Unit, Adjacent::Pair(1, 2))).expect("written");
    assert_eq!(
        format!("{:?}", graph.root()),
        "({'type': 'Circle', 'radius': 1.0}, {'type': 'Unit'}, {'t': 'Pair', 'c': (1, 2)})"
    );
    let read: (Internal, Internal, Adjacent) = from_value(graph.root()).expect("read");
    assert_eq!(read, (Internal::Circle { radius: 1.0 }, Internal::Unit, Adjacent::Pair(1, 2)));
}

#[derive(Deserialize, PartialEq, Debug)]
struct Defaults {
    #[serde(default)]
    missing: u8,
    optional: Option<String>,
    #[serde(alias = "old_name")]
    new_name: u8,
}

#[test]
fn defaults_options_and_aliases_are_applied() {
    let graph = loads(b"\x80\x04}\x8c\x08old_nameK\x07s.").expect("loads");
    let read: Defaults = from_value(graph.root()).expect("read");
    assert_eq!(read, Defaults { missing: 0, optional: None, new_name: 7 });
}

#[derive(Deserialize, PartialEq, Debug)]
struct Borrowed<'a> {
    text: &'a str,
    #[serde(with = "serde_bytes")]
    bytes: &'a [u8],
    #[serde(borrow)]
    cow: Cow<'a, str>,
}

// {'text': 'héllo', 'bytes': b'ab', 'cow': 'cow'}
const BORROWED: &[u8] = b"\x80\x04}(\x8c\x04text\x8c\x06h\xc3\xa9llo\x8c\x05bytesC\x02ab\x8c\x03cow\x8c\x03cowu.";

#[test]
fn text_and_bytes_are_borrowed_from_the_slice() {
    let read: Borrowed<'_> = from_slice(BORROWED).expect("read");
    assert_eq!((read.text, read.bytes, &*read.cow), ("héllo", &b"ab"[..], "cow"));
    assert!(BORROWED.as_ptr_range().contains(&read.text.as_ptr()));
    assert!(BORROWED.as_ptr_range().contains(&read.bytes.as_ptr()));
    assert!(matches!(read.cow, Cow::Borrowed(_)));
}

#[test]
fn text_and_bytes_are_borrowed_from_the_graph() {
    let graph = loads(BORROWED).expect("loads");
    let read: Borrowed<'_> = from_value(graph.root()).expect("read");
    assert_eq!(read.text.as_ptr(), graph.root().at("text").as_str().expect("text").as_ptr());
    assert!(matches!(read.cow, Cow::Borrowed(_)));
}

#[test]
fn text_with_escapes_can_be_owned_but_not_borrowed() {
    let escaped = b"V\\u20ac\n.";
    assert_eq!(from_slice::<String>(escaped).expect("read"), "€");
    let error = from_slice::<&str>(escaped).expect_err("not in the input");
    assert_eq!(error.to_string(), "expected a borrowed string, found string \"€\"");
}

#[test]
fn ignored_values_may_contain_cycles() {
    // a = []; a.append(a); {'a': a, 'n': 1}
    let bytes = b"\x80\x04}(\x8c\x01a]\x94h\x00a\x8c\x01nK\x01u.";
    #[derive(Deserialize)]
    struct OnlyN {
        n: u8,
    }
    assert_eq!(from_slice::<OnlyN>(bytes).expect("read").n, 1);
    from_slice::<IgnoredAny>(bytes).expect("read");
}

#[test]
fn bytes_are_read_as_a_vector_of_integers() {
    assert_eq!(from_slice::<Vec<u8>>(b"\x80\x03C\x02ab.").expect("read"), b"ab");
    assert_eq!(from_slice::<[u8; 2]>(b"\x80\x03C\x02ab.").expect("read"), *b"ab");
}

#[test]
fn eight_bit_strings_are_text_if_they_are_utf_8() {
    assert_eq!(from_slice::<String>(b"U\x02ab.").expect("read"), "ab");
    assert_eq!(from_slice::<serde_bytes::ByteBuf>(b"U\x02\xff\xfe.").expect("read").as_ref(), b"\xff\xfe");
    assert!(from_slice::<String>(b"U\x02\xff\xfe.").is_err());
    #[derive(Deserialize)]
    struct Field {
        a: u8,
    }
    assert_eq!(from_slice::<Field>(b"(dS'a'\nI1\ns.").expect("read").a, 1);
}

#[test]
fn huge_integers_are_strings_or_big_integers() {
    // 1 << 200
    let bytes = b"\x80\x02\x8a\x1a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01.";
    let digits = "1606938044258990275541962092341162602522202993782792835301376";
    assert_eq!(from_slice::<String>(bytes).expect("read"), digits);
    #[derive(Deserialize)]
    struct Big(#[serde(with = "picklevm::serde::bigint")] num_bigint::BigInt);
    assert_eq!(from_slice::<Big>(bytes).expect("read").0.to_string(), digits);
    assert_eq!(from_slice::<Big>(b"\x80\x02J\xff\xff\xff\xff.").expect("read").0.to_string(), "-1");
    let error = from_slice::<u128>(bytes).expect_err("too large");
    assert_eq!(error.to_string(), "expected u128, found an integer of more than 128 bits");
}

#[test]
fn enums_are_read_from_names_dicts_and_tuples() {
    #[derive(Deserialize, PartialEq, Debug)]
    enum Shape {
        Empty,
        Circle(f64),
        Rect(u8, u8),
        Named {
            name: String,
        },
        #[serde(rename = "7")]
        Seven,
    }
    for (bytes, expected) in [
        (&b"\x80\x04\x8c\x05Empty."[..], Shape::Empty),
        (b"\x80\x04\x8c\x05Empty\x85.", Shape::Empty),
        (b"\x80\x04}\x8c\x05EmptyNs.", Shape::Empty),
        (b"\x80\x04}\x8c\x06CircleK\x02s.", Shape::Circle(2.0)),
        (b"\x80\x04\x8c\x06CircleK\x02\x86.", Shape::Circle(2.0)),
        (b"\x80\x04}\x8c\x04RectK\x01K\x02\x86s.", Shape::Rect(1, 2)),
        (b"\x80\x04\x8c\x04RectK\x01K\x02\x86\x86.", Shape::Rect(1, 2)),
        (b"\x80\x04\x8c\x04RectK\x01K\x02\x87.", Shape::Rect(1, 2)),
        (b"\x80\x04}\x8c\x05Named}\x8c\x04name\x8c\x01nss.", Shape::Named { name: "n".into() }),
        (b"(S'Empty'\nt.", Shape::Empty),
        (b"K\x07.", Shape::Seven),
    ] {
        assert_eq!(from_slice::<Shape>(bytes).expect("read"), expected);
    }
}

#[test]
fn a_key_that_is_not_text_is_not_a_field() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Optional {
        a: Option<i64>,
    }
    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(tag = "a")]
    enum Tagged {
        B,
    }
    // 0, 1, -1, 2 ** 40, 0.5, 1e300, None, True, (), (1,), a class, an instance, b'a', a complex number.
    let keys: [&[u8]; 14] = [
        // serde would take an integer for the index of a field.
        b"K\0",
        b"K\x01",
        b"J\xff\xff\xff\xff",
        b"\x8a\x06\0\0\0\0\0\x01",
        b"G\x3f\xe0\0\0\0\0\0\0",
        b"G\x7e\x37\xe4\x3c\x88\0\x75\x9c",
        b"N",
        b"\x88",
        b")",
        b"K\x01\x85",
        b"cm\nC\n",
        b"cm\nC\n)\x81",
        b"C\x01b",
        b"cbuiltins\ncomplex\nK\x01K\x02\x86R",
    ];
    for key in keys {
        let pickle = [b"}", key, b"K\x02s."].concat();
        let graph = loads(&pickle).expect("a pickle");
        for read in [from_slice::<Optional>(&pickle), from_value(graph.root())] {
            assert!(!matches!(read, Ok(Optional { a: Some(_) })), "{}: {read:?}", key.escape_ascii());
        }
        from_value::<Tagged>(graph.root()).expect_err("no tag");
        from_slice::<Tagged>(&pickle).expect_err("no tag");
    }
}
