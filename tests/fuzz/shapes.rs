//! Bytes -> Rust types of every shape that serde's derive supports: no panics, and all ways of reading agree.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::io::BufReader;
use std::time::Duration;

use picklevm::serde::{Config, Instance, Shared};
use picklevm::{Graph, Unpickler};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

use super::{generate, limits, symbolic};

#[derive(Serialize, Deserialize, Debug)]
struct Fields {
    a: Option<i64>,
    b: Option<Box<Fields>>,
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
#[derive(Default)]
struct Strict {
    a: u8,
    b_c: Vec<Strict>,
}

#[derive(Serialize, Deserialize, Debug)]
struct Flat {
    a: Option<i64>,
    #[serde(flatten)]
    inner: Fields,
    #[serde(flatten)]
    rest: BTreeMap<String, Untagged>,
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(untagged)]
enum Untagged {
    Nothing(()),
    Yes(bool),
    Number(i64),
    Float(f64),
    Text(String),
    Bytes(ByteBuf),
    Pair(u8, u8),
    Named { a: Box<Untagged> },
    Many(Vec<Untagged>),
    Map(BTreeMap<String, Untagged>),
}

#[derive(Serialize, Deserialize, Debug)]
enum External {
    A,
    B(i64),
    C(i64, String),
    D { a: Option<Box<External>> },
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(tag = "a")]
enum Internal {
    A,
    B { b: i64 },
    C(Fields),
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(tag = "a", content = "b")]
enum Adjacent {
    A,
    B(i64),
    C(i64, i64),
    D { a: String },
}

#[derive(Serialize, Deserialize, Debug)]
struct Borrowed<'a> {
    a: &'a str,
    #[serde(borrow)]
    b: Option<Cow<'a, str>>,
    #[serde(default)]
    c: Option<&'a Bytes>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Newtype<T>(T);

#[derive(Serialize, Deserialize, Debug)]
struct Several(u8, Option<String>, (i64, f64));

#[derive(Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unit;

/// An ignored value.
#[derive(Serialize, Deserialize, Debug)]
struct Ignored(#[serde(serialize_with = "nothing")] IgnoredAny);

fn nothing<S: serde::Serializer>(_: &IgnoredAny, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_unit()
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    A,
    B(u8),
}

/// Runs the target.
pub(crate) fn run(data: &[u8]) {
    all_shapes(data);
    all_shapes(&generate::pickle(data));
}

fn all_shapes(pickle: &[u8]) {
    let graph = symbolic().loads(pickle).ok();
    macro_rules! read {
        ($($type:ty),* $(,)?) => {$( shape::<$type>(pickle, graph.as_ref()); )*};
    }
    read! {
        Fields, Strict, Flat, Untagged, External, Internal, Adjacent, Several, Unit, Newtype<Option<i64>>,
        (), bool, i8, u64, i128, u128, f32, f64, char, String, Box<str>, ByteBuf, Vec<u8>, [u8; 3], (i64, String, Unit),
        Option<Option<i64>>, Vec<Option<Newtype<String>>>, Vec<Untagged>, Vec<Fields>, BTreeSet<i64>, Duration,
        BTreeMap<String, Ignored>, BTreeMap<i64, i64>, BTreeMap<u8, ()>, BTreeMap<bool, bool>, BTreeMap<char, i64>,
        BTreeMap<ByteBuf, i64>, BTreeMap<(i64, i64), i64>, BTreeMap<Option<i64>, i64>, BTreeMap<Vec<u8>, i64>,
        BTreeMap<Newtype<i64>, i64>, BTreeMap<Newtype<String>, i64>, BTreeMap<Unit, i64>, BTreeMap<Key, i64>,
        BTreeMap<(), i64>, BTreeMap<BTreeMap<i64, i64>, i64>, Vec<(Key, Internal)>, Vec<Adjacent>, Ignored,
        Vec<Ignored>, Vec<Instance<Untagged, Untagged>>, Graph,
    }
    if let Some(graph) = &graph {
        let config = Config::new();
        let _ = config.from_value::<Borrowed<'_>>(graph.root());
        let _ = config.from_value::<HashMap<&str, &str>>(graph.root());
        let _ = config.from_value::<Vec<Shared<Untagged>>>(graph.root());
    }
    let config = Config::new().unpickler(Unpickler::new().limits(limits()));
    let _ = config.from_slice::<Borrowed<'_>>(pickle);
    let _ = config.from_slice::<HashMap<&str, &str>>(pickle);
    let _ = config.from_slice::<Vec<Shared<Untagged>>>(pickle);
}

/// Reads a type in all ways. The result is written and read again.
fn shape<T: for<'de> Deserialize<'de> + Serialize + Debug>(pickle: &[u8], graph: Option<&Graph>) {
    let config = Config::new().unpickler(Unpickler::new().limits(limits()));
    let from_slice = config.from_slice::<T>(pickle).ok();
    let from_reader = config.from_reader::<T>(BufReader::with_capacity(3, pickle)).ok();
    let name = std::any::type_name::<T>();
    // Reading from a slice skips ignored values, while a graph rejects invalid ones, such as unhashable keys.
    if let (Some(slice), Some(reader)) = (&from_slice, &from_reader) {
        assert_eq!(format!("{slice:?}"), format!("{reader:?}"), "{name} from a slice and from a reader");
    }
    if let Some(graph) = graph {
        let _ = config.from_value::<T>(graph.root());
    }
    if let Some(value) = from_slice
        && let Ok(pickle) = config.to_vec(&value)
    {
        let _ = config.from_slice::<T>(&pickle);
    }
}
