//! Rust types are written byte for byte as CPython writes the equal objects, and CPython's pickles are read.

use std::collections::BTreeMap;
use std::fs;

use picklevm::serde::{Config, Shared, from_value};
use picklevm::{Pickler, Protocol, Unpickler};
use serde::{Deserialize, Serialize};

use picklevm_testing::python;

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Record {
    id: u8,
    name: String,
    tags: Vec<u8>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Shape {
    Empty,
    Circle(f64),
    Rect(u8, u8),
    Named { name: String },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "geometry.Point")]
struct Point {
    x: f64,
    y: f64,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "geometry.Span")]
struct Span(u8, u8);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Drawn {
    #[serde(rename = "geometry.Circle")]
    Circle { center: Point },
    #[serde(rename = "geometry.Nothing")]
    Nothing,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "geometry.Meters")]
struct Meters(f64);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "geometry.Count")]
struct Count(i128);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "geometry.Label")]
struct Label(String);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "geometry.Color", rename_all = "UPPERCASE")]
enum Color {
    Red,
    Green,
}

/// The integers of the script's second object.
type Integers = (bool, bool, u8, i8, u8, u32, u64, i128, u128);

/// One of the script's objects: its Rust value is written, and Python's pickle of it is read.
struct Case<'a> {
    config: &'a Config,
    theirs: picklevm::Graph,
    bytes: &'a [u8],
}

impl Case<'_> {
    fn is<T: Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(&self, value: &T) {
        let ours = self.config.to_vec(value).expect("written");
        assert_eq!(ours.escape_ascii().to_string(), self.bytes.escape_ascii().to_string(), "{value:?}");
        assert_eq!(&from_value::<T>(self.theirs.root()).expect("read"), value);
    }
}

/// A tuple that is written as a list.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(transparent)]
struct AsList<T>(T);

macro_rules! as_list {
    ($($type:ty: [$($field:tt)*])*) => {$(
        impl Serialize for AsList<$type> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeSeq;
                let mut seq = serializer.serialize_seq(None)?;
                $(seq.serialize_element(&self.0.$field)?;)*
                seq.end()
            }
        }
    )*};
}
type Bytes = serde_bytes::ByteBuf;
type Texts = (String, String, char, char, char, Bytes, Bytes, Bytes, Bytes);
as_list! {
    Integers: [0 1 2 3 4 5 6 7 8]
    Texts: [0 1 2 3 4 5 6 7 8]
}

/// The output of `typed_writer.py` at a protocol.
fn written(protocol: u8) -> Vec<u8> {
    fs::read(picklevm_testing::root().join(format!("tests/data/serde/written/p{protocol}.pkl"))).expect("a file")
}

#[test]
fn rust_types_are_written_as_cpython_writes_the_equal_objects() {
    for protocol in 0..=5u8 {
        let output = written(protocol);
        let config = Config::new().pickler(Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol")));
        let mut rest = &output[..];
        let mut next = || {
            let before = rest;
            let theirs = Unpickler::new().load(&mut rest).expect("Python's pickle");
            Case { config: &config, theirs, bytes: &before[..before.len() - rest.len()] }
        };
        next().is(&());
        next().is(&AsList((true, false, 0, -1, 255, 65536, 1 << 63, i128::MIN, u128::MAX)));
        next().is(&(1.5, f64::INFINITY, -0.0));
        let bytes = |bytes: &[u8]| Bytes::from(bytes.to_vec());
        let texts: Texts =
            ("text".into(), "".into(), 'a', 'a', '€', bytes(b"bytes"), bytes(b""), bytes(b"x"), bytes(b"x"));
        let case = next();
        // Below protocol 3, bytes are calls with separate text.
        if protocol >= 3 {
            case.is(&AsList(texts));
        }
        let record = |id| Record { id, name: format!("n{id}"), tags: vec![id, id + 1] };
        next().is(&(0..3).map(record).collect::<Vec<_>>());
        let named = Shape::Named { name: "N".into() };
        next().is(&vec![Shape::Empty, Shape::Circle(1.5), Shape::Rect(1, 2), named, Shape::Empty]);
        next().is(&BTreeMap::from([(1, "one".to_owned()), (2, "two".to_owned())]));
        next().is(&vec![Point { x: 1.0, y: 2.0 }, Point { x: 3.0, y: 4.0 }]);
        next().is(&vec![Span(1, 2), Span(3, 4)]);
        next().is(&vec![Drawn::Circle { center: Point { x: 0.5, y: 1.5 } }, Drawn::Nothing, Drawn::Nothing]);
        next().is(&(Meters(1.5), Count(7), Count(-1 << 70), Label("text".into())));
        next().is(&vec![Color::Red, Color::Green, Color::Red]);
        let shared = Shared::from(vec![1, 2]);
        next().is(&vec![shared.clone(), shared]);
        assert!(rest.is_empty(), "protocol {protocol}");
    }
}

#[test]
fn the_python_of_this_machine_writes_the_same() {
    let Some(python) = python::reference("the_python_of_this_machine_writes_the_same") else { return };
    for protocol in 0..=5u8 {
        let output = python::run(&python, "typed_writer.py", &[protocol.to_string().as_ref()]).stdout;
        assert_eq!(output.escape_ascii().to_string(), written(protocol).escape_ascii().to_string());
    }
}
