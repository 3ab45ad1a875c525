//! Random values of Rust types as pickles of every protocol, with what Python is to see in them.
//!
//! `tests/python/random_types.py` runs it, loads the pickles, and compares. A line is a shape, a protocol, a pickle in
//! hexadecimal and the value in the notation of [`Shown`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::io::{self, Write};

use picklevm::serde::{Config, as_bytes, as_frozenset, as_set, as_tuple};
use picklevm::{PickleClass, Pickler, Protocol, class};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A linear congruential generator.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 ^ self.0 >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// Mostly small lengths, and sometimes those beside the limits of an op or a batch.
    fn len(&mut self) -> usize {
        const BORDERS: [usize; 7] = [255, 256, 257, 999, 1000, 1001, 2000];
        if self.below(60) == 0 { BORDERS[self.below(7) as usize] } else { self.below(5) as usize }
    }
}

/// A type with random values.
trait Make: Sized {
    fn make(random: &mut Random) -> Self;
}

/// A type whose values are shown as `random_types.py` shows what it loaded.
trait Shown {
    fn show(&self, out: &mut String);
}

macro_rules! ints {
    ($($type:ty)*) => {$(
        impl Make for $type {
            fn make(random: &mut Random) -> Self {
                let bits = random.bits() as u128 | (random.bits() as u128) << 48 | (random.bits() as u128) << 96;
                // Of any number of bits.
                let len = random.below(u64::from(<$type>::BITS)) as u32;
                (bits as $type) >> len
            }
        }

        impl Shown for $type {
            fn show(&self, out: &mut String) {
                *out += &format!("{self}");
            }
        }
    )*};
}
ints!(i8 i32 i64 i128 u8 u16 u64 u128);

impl Make for f64 {
    fn make(random: &mut Random) -> f64 {
        const SPECIAL: [f64; 6] = [0.0, -0.0, f64::INFINITY, f64::MIN_POSITIVE, 5e-324, -1e300];
        match random.below(8) {
            0 => SPECIAL[random.below(6) as usize],
            _ => random.bits() as f64 / 1024.0 - 1e9,
        }
    }
}

impl Shown for f64 {
    fn show(&self, out: &mut String) {
        *out += &format!("f{:016x}", self.to_bits());
    }
}

impl Make for bool {
    fn make(random: &mut Random) -> bool {
        random.below(2) == 0
    }
}

impl Shown for bool {
    fn show(&self, out: &mut String) {
        *out += if *self { "True" } else { "False" };
    }
}

impl Make for () {
    fn make(_: &mut Random) {}
}

impl Shown for () {
    fn show(&self, out: &mut String) {
        *out += "None";
    }
}

impl Make for char {
    fn make(random: &mut Random) -> char {
        const BOUNDS: [u64; 4] = [0x80, 0x100, 0xd800, 0x11_0000];
        let bound = BOUNDS[random.below(4) as usize];
        char::from_u32(random.below(bound) as u32).unwrap_or('\n')
    }
}

impl Shown for char {
    fn show(&self, out: &mut String) {
        self.to_string().show(out);
    }
}

impl Make for String {
    fn make(random: &mut Random) -> String {
        match random.below(12) {
            0 => "long ".repeat(14_000 + random.below(3) as usize),
            1..4 => (0..random.len()).map(|_| char::make(random)).collect(),
            _ => (0..random.len()).map(|_| char::from(b'a' + random.below(26) as u8)).collect(),
        }
    }
}

impl Shown for String {
    fn show(&self, out: &mut String) {
        self.as_str().show(out);
    }
}

impl Shown for str {
    fn show(&self, out: &mut String) {
        *out += "u";
        self.chars().for_each(|c| *out += &format!("{:x}.", u32::from(c)));
    }
}

/// Bytes.
#[derive(PartialEq, Debug, Clone, Serialize, Deserialize)]
struct Blob(#[serde(with = "as_bytes")] Vec<u8>);

impl Make for Blob {
    fn make(random: &mut Random) -> Blob {
        Blob((0..random.len()).map(|_| random.below(256) as u8).collect())
    }
}

impl Shown for Blob {
    fn show(&self, out: &mut String) {
        *out += "b";
        self.0.iter().for_each(|byte| *out += &format!("{byte:02x}"));
    }
}

impl<T: Make> Make for Option<T> {
    fn make(random: &mut Random) -> Option<T> {
        bool::make(random).then(|| T::make(random))
    }
}

impl<T: Shown> Shown for Option<T> {
    fn show(&self, out: &mut String) {
        match self {
            Some(value) => value.show(out),
            None => ().show(out),
        }
    }
}

impl<T: Make> Make for Box<T> {
    fn make(random: &mut Random) -> Box<T> {
        Box::new(T::make(random))
    }
}

impl<T: Shown> Shown for Box<T> {
    fn show(&self, out: &mut String) {
        (**self).show(out);
    }
}

fn show_items<'a>(open: &str, items: impl Iterator<Item = &'a (dyn Shown + 'a)>, close: &str, out: &mut String) {
    *out += open;
    items.for_each(|item| {
        item.show(out);
        *out += ",";
    });
    *out += close;
}

impl<T: Make> Make for Vec<T> {
    fn make(random: &mut Random) -> Vec<T> {
        (0..random.len()).map(|_| T::make(random)).collect()
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn show(&self, out: &mut String) {
        show_items("[", self.iter().map(|item| item as _), "]", out);
    }
}

impl<K: Make + Ord, V: Make> Make for BTreeMap<K, V> {
    fn make(random: &mut Random) -> BTreeMap<K, V> {
        (0..random.len()).map(|_| (K::make(random), V::make(random))).collect()
    }
}

impl<K: Shown, V: Shown> Shown for BTreeMap<K, V> {
    fn show(&self, out: &mut String) {
        *out += "{";
        for (key, value) in self {
            show_row(key, value, out);
        }
        *out += "}";
    }
}

fn show_row(key: &dyn Shown, value: &dyn Shown, out: &mut String) {
    key.show(out);
    *out += ":";
    value.show(out);
    *out += ",";
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: Make),+> Make for ($($name,)+) {
            fn make(random: &mut Random) -> Self {
                ($($name::make(random),)+)
            }
        }

        impl<$($name: Shown),+> Shown for ($($name,)+) {
            #[allow(non_snake_case, reason = "the names are those of the types")]
            fn show(&self, out: &mut String) {
                let ($($name,)+) = self;
                show_items("(", [$($name as &dyn Shown),+].into_iter(), ")", out);
            }
        }
    )*};
}
tuples! { A; A B; A B C; A B C D; }

/// A struct: what its values show before and after the fields.
macro_rules! structs {
    ($($(#[$meta:meta])* $open:literal $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* } $close:literal)*) => {$(
        $(#[$meta])*
        #[derive(PartialEq, Debug, Clone)]
        struct $name { $($(#[$field_meta])* $field: $type,)* }

        impl Make for $name {
            fn make(random: &mut Random) -> Self {
                $name { $($field: Make::make(random),)* }
            }
        }

        impl Shown for $name {
            fn show(&self, out: &mut String) {
                *out += $open;
                $(show_row(&stringify!($field).to_owned(), &self.$field, out);)*
                *out += $close;
            }
        }
    )*};
}

structs! {
    #[derive(Serialize, Deserialize)]
    "{" Record { id: u64, small: i8, score: f64, name: String, parent: Option<u64>, active: bool, letter: char, nothing: (), } "}"

    #[derive(Serialize, Deserialize)]
    "{" Order { id: u64, customer: Customer, lines: Vec<Line>, status: Status, note: Option<String>, } "}"
    #[derive(Serialize, Deserialize)]
    "{" Customer { name: String, place: (f64, f64), } "}"
    #[derive(Serialize, Deserialize)]
    "{" Line { article: String, amount: u16, price: f64, } "}"

    #[derive(Serialize, Deserialize)]
    "{" Wide { signed: i128, unsigned: u128, } "}"

    #[derive(Serialize, Deserialize)]
    #[serde(rename = "random_types.Point")]
    "Point{" Point { x: i32, y: f64, label: Option<String>, } "}"
    #[derive(Serialize, Deserialize)]
    "{" Picture { points: Vec<Point>, origin: Point, blobs: Vec<Blob>, } "}"

    #[derive(PickleClass)]
    #[pickle(module = "random_types")]
    "Plain{" Plain { id: i64, name: String, items: Vec<f64>, table: BTreeMap<String, i64>, inner: Option<Box<Plain2>>, } "}"
    #[derive(PickleClass)]
    #[pickle(module = "random_types", name = "Plain.Inner")]
    "Inner{" Plain2 { id: u64, pair: (bool, char), } "}"
    #[derive(PickleClass)]
    #[pickle(module = "random_types", state = "slots")]
    "Slotted{" Slotted { name: String, x: f64, } "}"
    #[derive(PickleClass)]
    #[pickle(dict)]
    "{" Settings { name: String, sizes: Vec<u16>, plain: Plain2, } "}"

    #[derive(Serialize, Deserialize)]
    "{" Sets { set: Members, frozen: Frozen, tuple: Many, } "}"

    #[derive(Serialize, Deserialize)]
    "{" Tree { value: u8, children: Children, } "}"
}

/// Containers with a Python type of their own: `as_…`, and what is shown before the items.
macro_rules! containers {
    ($($module:literal $name:ident($type:ty) $open:literal $close:literal)*) => {$(
        #[derive(PartialEq, Debug, Clone, Serialize, Deserialize)]
        struct $name(#[serde(with = $module)] $type);

        impl Make for $name {
            fn make(random: &mut Random) -> Self {
                $name(Vec::<i32>::make(random).into_iter().collect())
            }
        }

        impl Shown for $name {
            fn show(&self, out: &mut String) {
                show_items($open, self.0.iter().map(|item| item as _), $close, out);
            }
        }
    )*};
}
containers! {
    "as_set" Members(BTreeSet<i32>) "set[" "]"
    "as_frozenset" Frozen(BTreeSet<i32>) "frozenset[" "]"
    "as_tuple" Many(Vec<i32>) "(" ")"
}

/// Children up to a depth of about five.
#[derive(PartialEq, Debug, Clone, Serialize, Deserialize)]
struct Children(Vec<Tree>);

impl Make for Children {
    fn make(random: &mut Random) -> Self {
        let count = random.below(3) * random.below(2);
        Children((0..count).map(|_| Tree::make(random)).collect())
    }
}

impl Shown for Children {
    fn show(&self, out: &mut String) {
        self.0.show(out);
    }
}

#[derive(PartialEq, Debug, Clone, Copy, Serialize, Deserialize)]
enum Status {
    Open,
    Paid,
}

impl Make for Status {
    fn make(random: &mut Random) -> Self {
        if bool::make(random) { Status::Open } else { Status::Paid }
    }
}

impl Shown for Status {
    fn show(&self, out: &mut String) {
        format!("{self:?}").show(out);
    }
}

#[derive(PartialEq, Debug, Clone, Serialize, Deserialize)]
enum Shape {
    Empty,
    Circle(f64),
    Rect(i32, i32),
    Named { name: String, parts: Vec<Shape> },
}

impl Make for Shape {
    fn make(random: &mut Random) -> Self {
        match random.below(4) {
            0 => Shape::Empty,
            1 => Shape::Circle(f64::make(random)),
            2 => Shape::Rect(i32::make(random), i32::make(random)),
            _ => {
                let count = random.below(3) * random.below(2);
                Shape::Named { name: String::make(random), parts: (0..count).map(|_| Shape::make(random)).collect() }
            }
        }
    }
}

impl Shown for Shape {
    fn show(&self, out: &mut String) {
        let (variant, content): (&str, &dyn Shown) = match self {
            Shape::Empty => return "Empty".show(out),
            Shape::Circle(radius) => ("Circle", radius),
            Shape::Rect(width, height) => ("Rect", &(*width, *height)),
            Shape::Named { name, parts } => ("Named", &Named(name, parts)),
        };
        *out += "{";
        show_row(&variant.to_owned(), content, out);
        *out += "}";
    }
}

/// The content of [`Shape::Named`].
struct Named<'s>(&'s String, &'s Vec<Shape>);

impl Shown for Named<'_> {
    fn show(&self, out: &mut String) {
        *out += "{";
        show_row(&"name".to_owned(), self.0, out);
        show_row(&"parts".to_owned(), self.1, out);
        *out += "}";
    }
}

/// A namedtuple by serde.
#[derive(PartialEq, Debug, Clone, Serialize, Deserialize)]
#[serde(rename = "random_types.Pair")]
struct Pair(i64, String);

/// The same by a class.
#[derive(PickleClass, PartialEq, Debug, Clone)]
#[pickle(module = "random_types", name = "Pair", namedtuple)]
struct DerivedPair {
    first: i64,
    second: String,
}

/// A member of a Python enum, by value.
#[derive(PickleClass, PartialEq, Debug, Clone, Copy)]
#[pickle(module = "random_types")]
enum Color {
    #[pickle(value = 1)]
    Red,
    #[pickle(value = "g")]
    Green,
}

impl Make for Pair {
    fn make(random: &mut Random) -> Self {
        Pair(i64::make(random), String::make(random))
    }
}

impl Shown for Pair {
    fn show(&self, out: &mut String) {
        show_items("Pair(", [&self.0 as &dyn Shown, &self.1].into_iter(), ")", out);
    }
}

impl Make for DerivedPair {
    fn make(random: &mut Random) -> Self {
        DerivedPair { first: i64::make(random), second: String::make(random) }
    }
}

impl Shown for DerivedPair {
    fn show(&self, out: &mut String) {
        show_items("Pair(", [&self.first as &dyn Shown, &self.second].into_iter(), ")", out);
    }
}

impl Make for Color {
    fn make(random: &mut Random) -> Self {
        if bool::make(random) { Color::Red } else { Color::Green }
    }
}

impl Shown for Color {
    fn show(&self, out: &mut String) {
        *out += &format!("Color.{self:?}");
    }
}

/// Writes what Python is to load: the shape, the protocol, the pickle and the value.
fn line(shape: &str, protocol: u8, pickle: &[u8], value: &dyn Shown) -> String {
    let mut line = format!("{shape} {protocol} ");
    pickle.iter().for_each(|byte| line += &format!("{byte:02x}"));
    line += " ";
    value.show(&mut line);
    line
}

fn pickler(protocol: u8) -> Pickler {
    Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"))
}

/// Writes a value with serde, at each protocol from `first` on, into memory and to a writer, and reads it back.
fn by_serde<T: Make + Shown + Serialize + DeserializeOwned + PartialEq + Debug>(
    shape: &str,
    first: u8,
    random: &mut Random,
    out: &mut dyn Write,
) -> io::Result<()> {
    let value = T::make(random);
    for protocol in first..=5 {
        let config = Config::new().pickler(pickler(protocol));
        let pickle = config.to_vec(&value).expect("written");
        let mut streamed = Vec::new();
        config.to_writer(&mut streamed, &value).expect("written");
        assert_eq!(pickle, streamed, "{shape} at protocol {protocol}");
        assert_eq!(config.from_slice::<T>(&pickle).expect("read"), value, "{shape} at protocol {protocol}");
        writeln!(out, "{}", line(shape, protocol, &pickle, &value))?;
    }
    Ok(())
}

/// Writes a value of derived classes.
fn by_class<T: Make + Shown + class::ToValue + class::FromValueOwned + PartialEq + Debug>(
    shape: &str,
    first: u8,
    random: &mut Random,
    out: &mut dyn Write,
) -> io::Result<()> {
    let value = T::make(random);
    for protocol in first..=5 {
        let pickle = pickler(protocol).to_vec(&value).expect("written");
        assert_eq!(class::from_slice::<T>(&pickle).expect("read"), value, "{shape} at protocol {protocol}");
        writeln!(out, "{}", line(shape, protocol, &pickle, &value))?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let (seed, count) = (arguments.next().unwrap_or(1), arguments.next().unwrap_or(20));
    let random = &mut Random(seed);
    let out = &mut io::BufWriter::new(io::stdout().lock());
    for _ in 0..count {
        by_serde::<Vec<Record>>("records", 0, random, out)?;
        by_serde::<Vec<Order>>("nested", 0, random, out)?;
        by_serde::<Vec<f64>>("floats", 0, random, out)?;
        by_serde::<Vec<i64>>("ints", 0, random, out)?;
        by_serde::<(Vec<u8>, (i8, String), Vec<(u16, u16, u16, char)>)>("tuples", 0, random, out)?;
        by_serde::<Vec<Option<String>>>("texts", 0, random, out)?;
        by_serde::<BTreeMap<String, Vec<i32>>>("map", 0, random, out)?;
        by_serde::<BTreeMap<(i32, Option<bool>), BTreeMap<char, f64>>>("keys", 0, random, out)?;
        by_serde::<Vec<Wide>>("wide", 0, random, out)?;
        by_serde::<Vec<Blob>>("bytes", 0, random, out)?;
        by_serde::<Vec<Shape>>("variants", 0, random, out)?;
        by_serde::<Tree>("tree", 0, random, out)?;
        by_serde::<Picture>("instances", 0, random, out)?;
        by_serde::<Vec<Pair>>("namedtuples", 0, random, out)?;
        by_serde::<Sets>("sets", 0, random, out)?;
        by_class::<Vec<Plain>>("classes", 0, random, out)?;
        by_class::<Vec<Slotted>>("slots", 2, random, out)?;
        by_class::<(Vec<DerivedPair>, BTreeMap<u8, DerivedPair>)>("derived-namedtuples", 0, random, out)?;
        by_class::<Vec<Color>>("enum", 2, random, out)?;
        by_class::<Vec<Settings>>("dicts-of-classes", 0, random, out)?;
    }
    out.flush()
}
