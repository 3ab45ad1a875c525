//! Tests: what is written in one pass is what a graph of it is written as.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Debug;
use std::sync::Arc;

use num_bigint::BigInt;
use picklevm_testing::Random;

use super::{Rest, ToValue, WriteContext, to_pickle};
use crate::PickleClass;
use crate::direct_write::Written;
use crate::dump::Pickler;
use crate::emitter::cpython::PicklerVersion;
use crate::error::Result;
use crate::graph::{Graph, Id};
use crate::protocol::Protocol;

/// Names of fields, classes and modules are the same, as are some texts.
#[derive(PickleClass, Debug)]
#[pickle(module = "shop", crate = crate)]
struct Record {
    shop: u64,
    #[pickle(rename = "Record")]
    record: f64,
    name: String,
    #[pickle(rename = "a")]
    letter: char,
    parent: Option<Box<Record>>,
    tags: Vec<u16>,
    #[pickle(skip)]
    _skipped: u8,
    sizes: Sizes,
}

#[derive(PickleClass, Debug)]
#[pickle(module = "shop", state = "slots", crate = crate)]
struct Sizes {
    width: i64,
    height: i128,
}

#[derive(PickleClass, Debug)]
#[pickle(module = "a", name = "b", crate = crate)]
struct Both<T> {
    #[pickle(slot)]
    width: u32,
    label: String,
    #[pickle(slot)]
    content: T,
}

#[derive(PickleClass, Debug)]
#[pickle(module = "shop", crate = crate)]
struct OnlySlot(#[pickle(slot, rename = "only")] BigInt);

#[derive(PickleClass, Debug)]
#[pickle(module = "shop", namedtuple, crate = crate)]
struct Pair<A, B>(A, B);

#[derive(PickleClass, Debug)]
#[pickle(module = "shop", crate = crate)]
struct Mixed {
    size: u128,
    #[pickle(arg)]
    first: String,
    name: (),
    #[pickle(arg)]
    second: Vec<u8>,
}

#[derive(PickleClass, Debug)]
#[pickle(module = "shop", state = "tuple", crate = crate)]
struct TupleState {
    x: f32,
    #[pickle(arg)]
    y: i8,
}

#[derive(PickleClass, Debug)]
#[pickle(module = "shop", state = "list", crate = crate)]
struct ListState {
    x: bool,
    y: Vec<bool>,
}

#[derive(PickleClass, Debug)]
#[pickle(dict, crate = crate)]
struct Options {
    title: Box<str>,
    width: (u8, u64),
}

#[derive(PickleClass, Debug)]
#[pickle(module = "shop", name = "Cart.Line", crate = crate)]
struct Line;

#[derive(PickleClass, Debug, Clone, Copy)]
#[pickle(module = "shop", crate = crate)]
enum ByName {
    #[pickle(rename = "name")]
    A,
    B,
    #[pickle(rename = "a")]
    C,
}

#[derive(PickleClass, Debug, Clone, Copy)]
#[pickle(module = "builtins", crate = crate)]
enum ByValue {
    One = 1,
    Many = 1_000_000,
    #[pickle(value = "a")]
    Letter,
    #[pickle(value = "name")]
    Name,
}

#[derive(PickleClass, Debug)]
#[pickle(module = "shop", crate = crate)]
struct Maps {
    by_name: BTreeMap<String, Vec<f64>>,
    by_number: HashMap<i64, Option<String>>,
    by_pair: BTreeMap<(u8, char), i16>,
    members: BTreeSet<u32>,
    texts: BTreeSet<String>,
}

/// Not written in one pass.
#[derive(PickleClass, Debug)]
#[pickle(module = "shop", crate = crate)]
struct Twice {
    #[pickle(arg, attr)]
    name: String,
    #[pickle(kwarg)]
    size: i64,
}

#[derive(PickleClass, Debug)]
#[pickle(module = "shop", crate = crate)]
struct Kept {
    name: String,
    #[pickle(rest)]
    rest: Rest,
}

/// A value of random type.
#[derive(Debug)]
struct Any(Box<dyn Value>);

trait Value: ToValue + Debug {}
impl<T: ToValue + Debug> Value for T {}

impl ToValue for Any {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        self.0.to_value(context)
    }

    fn to_ops(&self, out: super::OpWriter<'_, '_>) -> Result<super::Position> {
        self.0.to_ops(out)
    }
}

fn text(random: &mut Random) -> String {
    const TEXTS: [&str; 8] = ["", "a", "b", "é", "€", "shop", "name", "Record"];
    match random.below(4) {
        0 => "x".repeat(*random.pick(&[2, 3, 96, 97, 255, 256])),
        _ => (*random.pick(&TEXTS)).to_owned(),
    }
}

fn number(random: &mut Random) -> i64 {
    (random.number() as i64) >> random.below(64)
}

fn record(random: &mut Random, depth: usize) -> Record {
    Record {
        shop: random.number() >> random.below(64),
        record: *random.pick(&[0.0, -0.0, 1.5, f64::NAN, 1e300]),
        name: text(random),
        letter: *random.pick(&['a', 'é', '€']),
        parent: (depth > 0).then(|| Box::new(record(random, depth - 1))),
        tags: (0..random.below(4)).map(|_| number(random) as u16).collect(),
        _skipped: 0,
        sizes: Sizes { width: number(random), height: i128::from(number(random)) << random.below(64) },
    }
}

fn any(random: &mut Random, depth: usize) -> Any {
    let inner = |random: &mut Random| any(random, depth.saturating_sub(1));
    let several = |random: &mut Random| {
        let count = if depth == 0 { 0 } else { *random.pick(&[0, 1, 1, 2, 3, 4]) };
        (0..count).map(|_| any(random, depth - 1)).collect::<Vec<_>>()
    };
    let kinds = if depth == 0 { 15 } else { 27 };
    Any(match random.below(kinds) {
        0 => Box::new(number(random)),
        1 => Box::new(text(random)),
        2 => Box::new(vec![7_u8; *random.pick(&[0, 1, 2, 255, 256])]),
        3 => Box::new(record(random, depth)),
        4 => Box::new(OnlySlot(BigInt::from(number(random)) << random.below(300))),
        5 => Box::new(Mixed { size: u128::MAX >> random.below(128), first: text(random), name: (), second: vec![1] }),
        6 => Box::new(TupleState { x: 0.5, y: number(random) as i8 }),
        7 => Box::new(ListState { x: true, y: vec![false; *random.pick(&[0, 1, 2, 999, 1000, 1001])] }),
        8 => Box::new(Options { title: text(random).into(), width: (1, random.number()) }),
        9 => Box::new(Line),
        10 | 11 => Box::new(*random.pick(&[ByName::A, ByName::B, ByName::C])),
        12 => Box::new(*random.pick(&[ByValue::One, ByValue::Many, ByValue::Letter, ByValue::Name])),
        13 => Box::new(vec![number(random); *random.pick(&[1000, 1001, 2000])]),
        14 if random.below(40) == 0 => Box::new(Twice { name: text(random), size: number(random) }),
        14 if random.below(40) == 0 => Box::new(Kept { name: text(random), rest: Rest::default() }),
        14 => Box::new((number(random), text(random))),
        15 | 16 => Box::new(Pair(inner(random), text(random))),
        17 => Box::new(Pair(number(random), inner(random))),
        18 => Box::new(Both { width: 7, label: text(random), content: inner(random) }),
        19 => Box::new(Both { width: 7, label: text(random), content: number(random) }),
        20 => Box::new(several(random)),
        21 => Box::new(VecDeque::from(several(random))),
        22 => Box::new((inner(random), inner(random), inner(random), (), inner(random))),
        23 => Box::new(Some(inner(random))),
        24 => Box::new([inner(random), inner(random)]),
        25 => Box::new(several(random).into_iter().map(|value| (text(random), value)).collect::<BTreeMap<_, _>>()),
        _ => Box::new(Maps {
            by_name: (0..random.below(3)).map(|_| (text(random), vec![1.5; random.below(3)])).collect(),
            by_number: (0..*random.pick(&[0, 1, 2, 1200])).map(|_| (number(random), Some(text(random)))).collect(),
            by_pair: (0..random.below(3)).map(|at| ((at as u8, 'a'), at as i16)).collect(),
            members: (0..*random.pick(&[0, 1, 2, 1000, 1500])).collect(),
            texts: (0..random.below(3)).map(|_| text(random)).collect(),
        }),
    })
}

/// Picklers of every protocol, of versions that differ.
fn picklers() -> impl Iterator<Item = Pickler> {
    let versions =
        ["3.15-c", "3.13-c", "3.12-py", "3.6-c", "2.7-c"].map(|name| name.parse::<PicklerVersion>().expect("one"));
    versions.into_iter().flat_map(|version| {
        let protocols = (0..=5).map(|protocol| Protocol::try_from(protocol).expect("a protocol"));
        let protocols = protocols.filter(move |protocol| *protocol <= version.highest_protocol());
        protocols.map(move |protocol| Pickler::new().protocol(protocol).writer(version))
    })
}

/// Checks that the bytes are those of the graph. Returns whether there was no graph.
#[track_caller]
fn is_same(pickler: &Pickler, value: &(impl ToValue + Debug + ?Sized)) -> bool {
    let shown = |pickle: Result<Vec<u8>>| match pickle {
        Ok(pickle) => pickle.escape_ascii().to_string(),
        Err(error) => error.to_string(),
    };
    let expected = shown(pickler.to_graph(value).and_then(|graph| pickler.dumps(graph.root())));
    assert_eq!(shown(pickler.to_vec(value)), expected, "{pickler:?} {value:?}");
    match to_pickle(pickler, value) {
        Written::Result(Ok(pickle)) => {
            assert_eq!(shown(Ok(pickle)), expected, "{pickler:?} {value:?}");
            true
        }
        _ => false,
    }
}

#[test]
fn random_values_are_written_as_by_a_graph() {
    let mut random = Random::new(1);
    let picklers: Vec<_> = picklers().collect();
    let mut direct = 0;
    for _ in 0..600 {
        let value = any(&mut random, 3);
        direct += picklers.iter().filter(|pickler| is_same(pickler, &value)).count();
    }
    assert!(direct > 600 * picklers.len() / 3, "{direct} of {}", 600 * picklers.len());
}

#[test]
fn classes_need_no_graph_from_protocol_4_on_and_few_do_from_2_on() {
    let mut random = Random::new(2);
    let pickler = |protocol| Pickler::new().protocol(protocol);
    let several: Vec<_> = (0..2000).map(|_| record(&mut random, 3)).collect();
    for protocol in [Protocol::V2, Protocol::V3, Protocol::V4, Protocol::V5] {
        assert!(is_same(&pickler(protocol), &several));
        assert!(is_same(&pickler(protocol), &[Pair("a", ByValue::Letter), Pair("b", ByValue::Letter)]));
    }
    let maps = Maps {
        by_name: BTreeMap::from([("a".to_owned(), vec![1.0])]),
        by_number: HashMap::from([(1, None), (2, Some("a".to_owned()))]),
        by_pair: BTreeMap::from([((1, 'a'), 5)]),
        members: BTreeSet::from([1]),
        texts: BTreeSet::from(["a".to_owned()]),
    };
    let both = Both { width: 1, label: "b".to_owned(), content: [ByName::A, ByName::C, ByName::A] };
    assert!(is_same(&pickler(Protocol::V5), &(maps, both, Line, b"bytes")));
}

#[test]
fn what_depends_on_a_graph_is_written_from_one() {
    let pickler = Pickler::new();
    let twice = Twice { name: "a".into(), size: 1 };
    let kept = Kept { name: "a".into(), rest: Rest::default() };
    assert!(!is_same(&pickler, &twice) && !is_same(&pickler, &kept));
    assert!(!is_same(&pickler, &Arc::new(1)) && !is_same(&pickler, &Graph::new()));
    assert!(!is_same(&pickler.clone().protocol(Protocol::V1), &Line));
    assert!(!is_same(&pickler.protocol(Protocol::V2).writer("2.7-c".parse().expect("a version")), &1));
}

#[test]
fn depth_is_limited_as_by_a_graph() {
    let nested = |depth| (0..depth).fold(Any(Box::new(1)), |inner, _| Any(Box::new([inner])));
    for depth in 120..135 {
        assert_eq!(is_same(&Pickler::new(), &nested(depth)), Pickler::new().to_graph(&nested(depth)).is_ok());
    }
}
