//! Fields that keep their Python type: `#[serde(with = "picklevm::serde::as_…")]`, and graphs as fields.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use picklevm::serde::{Config, PythonClass, from_slice, from_value, to_graph, to_vec};
use picklevm::{Graph, Pickler, Protocol, loads};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Checks the Python value of a field, that it is read back from every protocol, and that JSON has it as before.
#[track_caller]
fn both<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, python: &str, json: &str) {
    let graph = to_graph(&value).expect("written");
    assert_eq!(format!("{:?}", graph.root()), python);
    assert_eq!(from_value::<T>(graph.root()).expect("read"), value);
    for protocol in 0..=5 {
        let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
        let config = Config::new().pickler(pickler);
        let pickle = config.to_vec(&value).expect("written");
        assert_eq!(
            pickle,
            config.to_vec(&config.to_graph(&value).expect("written")).expect("written"),
            "protocol {protocol}"
        );
        assert_eq!(from_slice::<T>(&pickle).expect("read"), value, "protocol {protocol}");
    }
    let text = serde_json::to_string(&value).expect("json");
    assert_eq!(text, json);
    assert_eq!(serde_json::from_str::<T>(&text).expect("read from json"), value);
}

macro_rules! fields {
    ($($(#[$attribute:meta])* $name:ident: $type:ty;)*) => {$(
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        #[serde(transparent)]
        struct $name($(#[$attribute])* $type);
    )*};
}

fields! {
    #[serde(with = "picklevm::serde::as_datetime")] Naive: chrono::NaiveDateTime;
    #[serde(with = "picklevm::serde::as_datetime")] Fixed: chrono::DateTime<chrono::FixedOffset>;
    #[serde(with = "picklevm::serde::as_datetime")] Utc: chrono::DateTime<chrono::Utc>;
    #[serde(with = "picklevm::serde::as_datetime")] Civil: jiff::civil::DateTime;
    #[serde(with = "picklevm::serde::as_datetime")] Stamp: jiff::Timestamp;
    #[serde(with = "picklevm::serde::as_datetime")] Zoned: jiff::Zoned;
    #[serde(with = "picklevm::serde::as_date")] Day: chrono::NaiveDate;
    #[serde(with = "picklevm::serde::as_date")] CivilDay: jiff::civil::Date;
    #[serde(with = "picklevm::serde::as_date")] NoDay: Option<chrono::NaiveDate>;
    #[serde(with = "picklevm::serde::as_time")] Clock: chrono::NaiveTime;
    #[serde(with = "picklevm::serde::as_time")] CivilClock: jiff::civil::Time;
    #[serde(with = "picklevm::serde::as_timedelta")] Timeout: Duration;
    #[serde(with = "picklevm::serde::as_timedelta")] Delta: chrono::TimeDelta;
    #[serde(with = "picklevm::serde::as_timedelta")] Signed: jiff::SignedDuration;
    #[serde(with = "picklevm::serde::as_decimal")] Digits: String;
    #[serde(with = "picklevm::serde::as_decimal")] Price: rust_decimal::Decimal;
    #[serde(with = "picklevm::serde::as_decimal")] BigPrice: bigdecimal::BigDecimal;
    #[serde(with = "picklevm::serde::as_uuid")] Id: uuid::Uuid;
    #[serde(with = "picklevm::serde::as_uuid")] Number: u128;
    #[serde(with = "picklevm::serde::as_path")] File: PathBuf;
    #[serde(with = "picklevm::serde::as_complex")] Complex: (f64, f64);
    #[serde(with = "picklevm::serde::as_tuple")] Tuple: Vec<u8>;
    #[serde(with = "picklevm::serde::as_set")] Set: BTreeSet<u8>;
    #[serde(with = "picklevm::serde::as_frozenset")] Frozen: BTreeSet<String>;
    #[serde(with = "picklevm::serde::as_deque")] Deque: VecDeque<u8>;
    #[serde(with = "picklevm::serde::as_bytes")] Bytes: Vec<u8>;
    #[serde(with = "picklevm::serde::as_bytearray")] Buffer: Vec<u8>;
    #[serde(with = "picklevm::serde::as_namedtuple")] Named: Point;
    #[serde(with = "picklevm::serde::as_enum")] Member: Color;
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Point {
    x: i64,
    y: String,
}

impl PythonClass for Point {
    const CLASS: &'static str = "geometry.Point";
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(transparent)]
struct Color(String);

impl PythonClass for Color {
    const CLASS: &'static str = "paint:Palette.Color";
}

#[test]
fn dates_and_times_are_objects() {
    let text = r#""2030-01-02T03:04:05.000600""#;
    both(
        Naive("2030-01-02T03:04:05.0006".parse().expect("a time")),
        "datetime.datetime(2030, 1, 2, 3, 4, 5, 600)",
        text,
    );
    both(
        Civil("2030-01-02T03:04:05.0006".parse().expect("a time")),
        "datetime.datetime(2030, 1, 2, 3, 4, 5, 600)",
        text,
    );
    both(
        Fixed("2030-01-02T03:04:05+01:00".parse().expect("a time")),
        "datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone(datetime.timedelta(seconds=3600)))",
        r#""2030-01-02T03:04:05+01:00""#,
    );
    let utc = "datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)";
    both(Utc("2030-01-02T03:04:05Z".parse().expect("a time")), utc, r#""2030-01-02T03:04:05+00:00""#);
    both(Stamp("2030-01-02T03:04:05Z".parse().expect("a time")), utc, r#""2030-01-02T03:04:05+00:00""#);
    both(
        Zoned("2030-01-02T03:04:05+01:00[Europe/Paris]".parse().expect("a time")),
        "datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=zoneinfo.ZoneInfo('Europe/Paris'))",
        r#""2030-01-02T03:04:05+01:00[Europe/Paris]""#,
    );
    both(Day("2030-01-02".parse().expect("a date")), "datetime.date(2030, 1, 2)", r#""2030-01-02""#);
    both(CivilDay("2030-01-02".parse().expect("a date")), "datetime.date(2030, 1, 2)", r#""2030-01-02""#);
    both(NoDay(None), "None", "null");
    both(NoDay("2030-01-02".parse().ok()), "datetime.date(2030, 1, 2)", r#""2030-01-02""#);
    both(Clock("03:04:05".parse().expect("a time")), "datetime.time(3, 4, 5)", r#""03:04:05""#);
    both(CivilClock("03:04:05".parse().expect("a time")), "datetime.time(3, 4, 5)", r#""03:04:05""#);
}

#[test]
fn durations_are_timedeltas() {
    let delta = "datetime.timedelta(seconds=90, microseconds=500000)";
    both(Timeout(Duration::from_millis(90_500)), delta, r#""90.5""#);
    both(Signed(jiff::SignedDuration::from_millis(90_500)), delta, r#""90.5""#);
    both(Delta(chrono::TimeDelta::seconds(-1)), "datetime.timedelta(days=-1, seconds=86399)", r#""-1""#);
}

#[test]
fn decimals_ids_paths_and_complex_numbers_are_objects() {
    both(Digits("1E+30".into()), "decimal.Decimal('1E+30')", r#""1E+30""#);
    both(Price("9.90".parse().expect("a decimal")), "decimal.Decimal('9.90')", r#""9.90""#);
    both(BigPrice("9.90".parse().expect("a decimal")), "decimal.Decimal('9.90')", r#""9.90""#);
    let id = "00000000-0000-0000-0000-000000001234";
    both(Number(0x1234), &format!("uuid.UUID('{id}')"), &format!("\"{id}\""));
    both(Id(uuid::Uuid::from_u128(0x1234)), &format!("uuid.UUID('{id}')"), &format!("\"{id}\""));
    both(File("a/b.txt".into()), "pathlib.PurePosixPath('a/b.txt')", r#""a/b.txt""#);
    both(Complex((1.5, -2.0)), "(1.5-2j)", "[1.5,-2.0]");
}

#[test]
fn sequences_and_bytes_have_the_type_that_is_asked_for() {
    both(Tuple(vec![1, 2, 3, 4]), "(1, 2, 3, 4)", "[1,2,3,4]");
    both(Tuple(vec![]), "()", "[]");
    both(Set([2, 1].into()), "{1, 2}", "[1,2]");
    both(Frozen(["a".to_owned()].into()), "frozenset({'a'})", r#"["a"]"#);
    both(Deque([1, 2].into()), "collections.deque([1, 2])", "[1,2]");
    both(Bytes(b"ab".to_vec()), "b'ab'", "[97,98]");
    both(Buffer(b"ab".to_vec()), "bytearray(b'ab')", "[97,98]");
}

#[test]
fn named_tuples_and_enum_members_are_instances() {
    both(Named(Point { x: 1, y: "a".into() }), "geometry.Point(1, 'a')", r#"{"x":1,"y":"a"}"#);
    both(Member(Color("red".into())), "paint:Palette.Color('red')", r#""red""#);
}

#[test]
fn an_enum_member_is_one_value_wherever_it_is() {
    let graph = to_graph(&[Member(Color("red".into())), Member(Color("red".into()))]).expect("written");
    let [a, b] = graph.root().items().as_array().expect("two");
    assert_eq!(a.id(), b.id());
}

#[test]
fn a_class_of_many_dates_is_written_once() {
    let days: Vec<Day> =
        (1..=28).map(|day| Day(chrono::NaiveDate::from_ymd_opt(2030, 1, day).expect("a date"))).collect();
    let pickle = to_vec(&days).expect("written");
    assert_eq!(pickle.windows(8).filter(|window| window == b"datetime").count(), 1);
}

#[test]
fn text_that_is_no_date_is_an_error_that_says_so() {
    let pickle = to_vec("someday").expect("written");
    let error = from_slice::<Day>(&pickle).expect_err("no date");
    assert_eq!(error.to_string(), r#"expected a datetime.date, found the text "someday""#);
    let error = from_slice::<Day>(&to_vec(&7).expect("written")).expect_err("no date");
    assert!(error.to_string().contains("expected a datetime.date"), "{error}");
}

#[test]
fn a_set_of_unhashable_members_is_an_error() {
    #[derive(Serialize)]
    struct Lists(#[serde(serialize_with = "picklevm::serde::as_set::serialize")] Vec<Vec<u8>>);
    let error = to_vec(&Lists(vec![vec![1]])).expect_err("lists cannot be hashed");
    assert_eq!(error.kind(), picklevm::serde::ErrorKind::Pickle);
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    id: u32,
    payload: Graph,
    more: Vec<Graph>,
    named: BTreeMap<String, Graph>,
    maybe: Option<Graph>,
}

/// `{'id': 1, 'payload': (…), …}` with values that serde cannot hold.
fn envelope() -> Graph {
    let mut graph = Graph::new();
    let day = graph.add(picklevm::typed::Date::new(2030, 1, 2).expect("a date"));
    let shared = graph.list([1]);
    let point = graph.instance("geometry", "Point").attr("x", 1).attr("tags", shared).build().expect("an instance");
    let members = graph.set([1, 2]).expect("a set");
    let payload = graph.tuple([day, point, shared, members]);
    let bytes = graph.bytearray(b"ab");
    let more = graph.list([day, bytes, members]);
    let named = graph.dict([("day", day)]).expect("a dict");
    let root = picklevm::value!(in graph, {"id": 1, "payload": payload, "more": more, "named": named, "maybe": null});
    graph.set_root(root);
    graph
}

#[test]
fn graphs_as_fields_keep_python_types_and_sharing() {
    let graph = envelope();
    for protocol in 0..=5 {
        let pickler = Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol"));
        let pickle = pickler.dumps(graph.root()).expect("written");
        let mut read: Envelope = from_slice(&pickle).expect("read");
        let tags = read.payload.root().at(1).attr("tags").expect("an attribute");
        assert!(tags.is(read.payload.root().at(2)), "sharing inside a field");
        read.id += 1;
        let written = Config::new().pickler(pickler).to_vec(&read).expect("written");
        let again = loads(&written).expect("loads");
        let shown = format!("{:?}", again.root());
        assert!(shown.starts_with("{'id': 2, 'payload': (datetime.date(2030, 1, 2), "), "protocol {protocol}: {shown}");
        for kept in ["geometry.Point", "'more': [datetime.date(2030, 1, 2), bytearray(b'ab'), {1, 2}]", "'maybe': None"]
        {
            assert!(shown.contains(kept), "protocol {protocol}: {kept} in {shown}");
        }
    }
}

#[test]
fn a_graph_as_a_field_may_contain_itself() {
    let mut graph = Graph::new();
    let list = graph.list([1]);
    graph.value_mut(list).push(list).expect("a list");
    graph.set_root(list);
    let pickle = to_vec(&(graph, 7)).expect("written");
    let (read, seven): (Graph, u8) = from_slice(&pickle).expect("read");
    assert!(read.root().at(1).is(read.root()));
    assert_eq!(seven, 7);
}

#[test]
fn reading_shared_values_into_many_graphs_is_limited() {
    let limits = picklevm::Limits::default().shared(100_000);
    let mut graph = Graph::new();
    let shared = graph.list(0..10_000);
    let all = graph.list(vec![shared; 1000]);
    graph.set_root(all);
    let config = Config::new().unpickler(picklevm::Unpickler::new().limits(limits));
    let error = config.from_value::<Vec<Graph>>(graph.root()).map(drop).expect_err("too much");
    assert_eq!(error.kind(), picklevm::serde::ErrorKind::Limit);
}

#[test]
fn a_graph_in_another_format_is_what_it_was() {
    let json = serde_json::to_string(&Envelope {
        id: 1,
        payload: picklevm::value!((1, "a")),
        more: vec![picklevm::value!({"k": null})],
        named: BTreeMap::new(),
        maybe: None,
    })
    .expect("json");
    assert_eq!(json, r#"{"id":1,"payload":[1,"a"],"more":[{"k":null}],"named":{},"maybe":null}"#);
    let read: Envelope = serde_json::from_str(&json).expect("read");
    assert_eq!(format!("{:?}", read.payload.root()), "[1, 'a']");
}
