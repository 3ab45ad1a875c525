//! The classes and instances of tests/python/class_objects.py as Rust types.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use num_bigint::BigInt;
use picklevm::PickleClass;
use picklevm::class::byte_str;
use picklevm::typed::{Date, Range, TimeDelta, Uuid};

#[derive(PickleClass, Clone, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Point {
    pub(crate) lat: f64,
    pub(crate) lon: Number,
}

/// A number. For Python, 2 equals 2.0.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Float(a), Number::Float(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl<'g> picklevm::class::FromValue<'g> for Number {
    fn from_value(
        value: picklevm::Value<'g>,
        context: &mut picklevm::class::ReadContext<'g>,
    ) -> picklevm::Result<Self> {
        match value.kind() {
            picklevm::Kind::Float(float) => Ok(Number::Float(float)),
            _ => context.read(value).map(Number::Int),
        }
    }
}

impl picklevm::class::ToValue for Number {
    fn to_value(&self, context: &mut picklevm::class::WriteContext<'_>) -> picklevm::Result<picklevm::Id> {
        match self {
            Number::Int(int) => context.write(int),
            Number::Float(float) => context.write(float),
        }
    }
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Route {
    pub(crate) start: Arc<Point>,
    pub(crate) end: Arc<Point>,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Marker;

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", state = "slots")]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Crate {
    #[pickle(slot)]
    pub(crate) width: u32,
    #[pickle(slot)]
    pub(crate) height: u32,
    pub(crate) label: String,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", namedtuple)]
pub(crate) struct Pair<A, B>(pub(crate) A, pub(crate) B);

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Triple(#[pickle(base = "tuple")] pub(crate) Vec<i64>);

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Span {
    #[pickle(arg, attr)]
    pub(crate) start: i64,
    #[pickle(arg, attr)]
    pub(crate) end: i64,
}

#[derive(PickleClass, Debug, Default, PartialEq)]
#[pickle(module = "shop", getstate = Self::getstate, setstate = Self::setstate)]
pub(crate) struct Settings {
    pub(crate) entries: BTreeMap<String, i64>,
    pub(crate) name: String,
}

impl Settings {
    fn getstate(&self) -> (u8, &BTreeMap<String, i64>, &str) {
        (2, &self.entries, &self.name)
    }

    fn setstate(&mut self, (_, entries, name): (u8, BTreeMap<String, i64>, String)) -> picklevm::Result<()> {
        (self.entries, self.name) = (entries, name);
        Ok(())
    }
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", getstate = Self::getstate, setstate = Self::setstate)]
pub(crate) struct Secret {
    pub(crate) key: i64,
}

impl Secret {
    fn getstate(&self) -> i64 {
        self.key
    }

    fn setstate(&mut self, key: i64) -> picklevm::Result<()> {
        self.key = key;
        Ok(())
    }
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Basket {
    #[pickle(base = "list")]
    pub(crate) items: Vec<String>,
    pub(crate) owner: String,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Index(#[pickle(base = "dict")] pub(crate) BTreeMap<String, i64>);

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Metres {
    #[pickle(base = "int")]
    pub(crate) value: i64,
    pub(crate) unit: String,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Celsius(#[pickle(base = "float")] pub(crate) f64);

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Label(#[pickle(base = "str")] pub(crate) String);

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", old_style)]
pub(crate) struct Account {
    #[pickle(arg, attr, with = byte_str)]
    pub(crate) owner: String,
    pub(crate) balance: i64,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", old_style)]
pub(crate) struct Legacy {
    #[pickle(with = byte_str)]
    pub(crate) name: String,
    pub(crate) size: u8,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", name = "Legacy", old_style)]
pub(crate) struct BareLegacy {}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Everything {
    pub(crate) a_flag: bool,
    pub(crate) b_count: i32,
    pub(crate) c_big: BigInt,
    pub(crate) d_ratio: f64,
    pub(crate) e_text: String,
    pub(crate) f_data: Vec<u8>,
    pub(crate) g_none: Option<u8>,
    pub(crate) h_some: Vec<Option<String>>,
    pub(crate) i_numbers: Vec<u16>,
    pub(crate) j_pair: (String, u8),
    pub(crate) k_table: BTreeMap<String, f64>,
    pub(crate) l_members: BTreeSet<i8>,
    pub(crate) m_letter: char,
    pub(crate) n_empty: Box<str>,
    pub(crate) o_bytes: bytes::Bytes,
    pub(crate) p_keys: BTreeMap<(u8, u8), Vec<i64>>,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Money {
    #[pickle(arg, attr)]
    pub(crate) amount: i64,
    #[pickle(kwarg, attr)]
    pub(crate) unit: String,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", name = "Cart.Line")]
pub(crate) struct Line {
    pub(crate) sku: String,
    pub(crate) quantity: u32,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Address {
    pub(crate) street: String,
    pub(crate) city: String,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) age: u8,
    pub(crate) tags: Vec<String>,
    pub(crate) address: Address,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Colour {
    pub(crate) red: u8,
    pub(crate) green: u8,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", state = "slots")]
pub(crate) struct Item {
    pub(crate) sku: String,
    pub(crate) quantity: u32,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop", state = "list")]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Report {
    pub(crate) title: String,
    pub(crate) columns: Vec<Column>,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(dict)]
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) width: u8,
}

#[derive(PickleClass, Debug, PartialEq)]
#[pickle(module = "shop")]
pub(crate) struct Event {
    pub(crate) first: Date,
    pub(crate) last: Date,
    pub(crate) span: TimeDelta,
    pub(crate) id: Uuid,
    pub(crate) rounds: Range,
}

fn point(lat: f64, lon: Number) -> Point {
    Point { lat, lon }
}

fn person(name: &str) -> Person {
    Person {
        name: name.into(),
        age: 44,
        tags: vec!["a".into(), format!("{name}'s")],
        address: Address { street: format!("{name} Street"), city: format!("{name}ville") },
    }
}

/// Visitor of the instances.
pub(crate) trait EachInstance {
    fn instance<T>(&mut self, name: &str, value: &T)
    where
        T: picklevm::class::FromValueOwned + picklevm::class::ToValue + PartialEq + std::fmt::Debug;
}

/// Visits the instances of the script, by name.
pub(crate) fn instances(each: &mut impl EachInstance) {
    each.instance("point", &point(1.5, Number::Int(-2)));
    each.instance("points", &vec![point(1.5, Number::Int(-2)), point(0.0, Number::Int(1_000_000_000_000))]);
    let corner = Arc::new(point(3.0, Number::Int(4)));
    each.instance("route", &Route { start: corner.clone(), end: corner });
    each.instance("marker", &Marker);
    each.instance("size", &Size { width: 3, height: 4 });
    each.instance("crate", &Crate { width: 3, height: 4, label: "fragile".into() });
    each.instance("pair", &Pair("a".to_owned(), "second".to_owned()));
    each.instance("pairs", &(Pair("one".to_owned(), 1), Pair("two".to_owned(), 2)));
    each.instance("triple", &Triple(vec![1, 2, 3]));
    each.instance("empty_triple", &Triple(vec![]));
    each.instance("span", &Span { start: 10, end: 20 });
    each.instance("settings", &Settings { entries: BTreeMap::from([("depth".into(), 3)]), name: "mine".into() });
    each.instance("secret", &Secret { key: 0 });
    each.instance("basket", &Basket { items: vec!["tea".into(), "rice".into()], owner: "ann".into() });
    each.instance("empty_basket", &Basket { items: vec![], owner: "ann".into() });
    each.instance("index", &Index(BTreeMap::from([("tea".into(), 1)])));
    each.instance("metres", &Metres { value: 42, unit: "m".into() });
    each.instance("celsius", &Celsius(20.5));
    each.instance("account", &Account { owner: "ann".into(), balance: 7 });
    each.instance("legacy", &Legacy { name: "old".into(), size: 3 });
    each.instance("bare_legacy", &BareLegacy {});
    each.instance(
        "everything",
        &Everything {
            a_flag: true,
            b_count: -1,
            c_big: BigInt::from(1) << 100,
            d_ratio: 0.5,
            e_text: "text".into(),
            f_data: b"data".into(),
            g_none: None,
            h_some: vec![None, Some("x".into())],
            i_numbers: vec![1, 2, 3],
            j_pair: ("p".into(), 1),
            k_table: BTreeMap::from([("one".into(), 1.0)]),
            l_members: BTreeSet::from([7]),
            m_letter: 'x',
            n_empty: "".into(),
            o_bytes: bytes::Bytes::new(),
            p_keys: BTreeMap::from([((1, 2), vec![])]),
        },
    );
    let money = |amount, unit: &str| Money { amount, unit: unit.into() };
    each.instance("money", &money(5, "EUR"));
    each.instance("moneys", &vec![money(5, "EUR"), money(6, "USD")]);
    each.instance("line", &Line { sku: "PX-104".into(), quantity: 2 });
    let column = |title: &str, width| Column { title: title.into(), width };
    let columns = vec![column("Region", 20), column("Sum", 8)];
    each.instance("report", &Report { title: "Sales".into(), columns });
    each.instance("label", &Label("fragile".into()));
    let date = |day| Date::new(2030, 1, day).expect("a date");
    each.instance(
        "event",
        &Event {
            first: date(2),
            last: date(31),
            span: TimeDelta::new(29, 0, 0).expect("days"),
            id: Uuid::from(0x1234),
            rounds: Range::from(1..4),
        },
    );
    each.instance("person", &person("Ann"));
    each.instance("people", &BTreeMap::from([("people".to_owned(), vec![person("Ann"), person("Bob")])]));
    each.instance("colour", &Colour { red: 255, green: 127 });
    each.instance("item", &Item { sku: "PX-104".into(), quantity: 2 });
    each.instance("host", &Host { name: "example.org".into(), port: 443 });
}
