//! Reading and writing Rust types, compared with other formats and with loading and dumping a graph of the same data.
//!
//!     cargo bench --manifest-path benches/formats/Cargo.toml
//!
//! Reading includes freeing the value. All write into a new vector, and use one allocator.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Deserialize, Serialize, PartialEq, Debug, Clone)]
struct Record {
    id: u64,
    score: f64,
    name: String,
    parent: Option<u64>,
    active: bool,
    count: u32,
    ratio: f64,
    tags: Vec<u16>,
}

#[derive(Deserialize, Serialize, PartialEq, Debug, Clone)]
struct Order {
    id: u64,
    customer: Customer,
    lines: Vec<Line>,
    status: Status,
    note: Option<String>,
}

#[derive(Deserialize, Serialize, PartialEq, Debug, Clone)]
struct Customer {
    name: String,
    address: Address,
}

#[derive(Deserialize, Serialize, PartialEq, Debug, Clone)]
struct Address {
    street: String,
    town: String,
    zip: u32,
}

#[derive(Deserialize, Serialize, PartialEq, Debug, Clone)]
struct Line {
    article: String,
    amount: u32,
    price: f64,
}

#[derive(Deserialize, Serialize, PartialEq, Debug, Clone)]
enum Status {
    Open,
    Paid,
    Sent,
}

/// A message of about 150 bytes.
#[derive(Deserialize, Serialize, PartialEq, Debug, Clone)]
struct Message {
    id: u64,
    kind: String,
    sender: String,
    time: f64,
    values: Vec<u32>,
    urgent: bool,
}

/// A linear congruential generator, for deterministic data.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn float(&mut self) -> f64 {
        self.below(1 << 31) as f64 / (1u64 << 31) as f64
    }

    fn word(&mut self) -> String {
        (0..4 + self.below(12)).map(|_| (b'a' + self.below(26) as u8) as char).collect()
    }
}

fn records(numbers: &mut Numbers) -> Vec<Record> {
    (0..100_000)
        .map(|id| Record {
            id,
            score: numbers.float(),
            name: numbers.word(),
            parent: None,
            active: numbers.below(2) == 0,
            count: numbers.below(100_000) as u32,
            ratio: numbers.float(),
            tags: vec![numbers.below(10) as u16, numbers.below(1000) as u16, numbers.below(100) as u16],
        })
        .collect()
}

fn orders(numbers: &mut Numbers) -> Vec<Order> {
    (0..20_000)
        .map(|id| Order {
            id,
            customer: Customer {
                name: numbers.word(),
                address: Address { street: numbers.word(), town: numbers.word(), zip: numbers.below(100_000) as u32 },
            },
            lines: (0..1 + numbers.below(5))
                .map(|_| Line { article: numbers.word(), amount: numbers.below(100) as u32, price: numbers.float() })
                .collect(),
            status: [Status::Open, Status::Paid, Status::Sent][numbers.below(3) as usize].clone(),
            note: (numbers.below(4) == 0).then(|| numbers.word()),
        })
        .collect()
}

fn message(numbers: &mut Numbers) -> Message {
    Message {
        id: 123_456,
        kind: "measurement".to_owned(),
        sender: "sensor-17.example".to_owned(),
        time: 1_700_000_000.25,
        values: (0..5).map(|_| numbers.below(70_000) as u32).collect(),
        urgent: false,
    }
}

/// Compares all formats on one value.
fn compare<T>(c: &mut Criterion, name: &str, value: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let mut group = c.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));

    let pickle = picklevm::serde::to_vec(value).expect("written");
    let graph = picklevm::loads(&pickle).expect("loads");
    group.bench_function("read: graph", |b| b.iter(|| picklevm::loads(black_box(&pickle)).expect("loads")));
    group.bench_function("write: graph", |b| b.iter(|| picklevm::dumps(black_box(graph.root())).expect("written")));

    macro_rules! format {
        ($name:literal, $write:expr, $read:expr) => {
            format!($name, $write, $read, true)
        };
        ($name:literal, $write:expr, $read:expr, $is_exact:literal) => {{
            let write = $write;
            let read = $read;
            let bytes: Vec<u8> = write(value);
            let back: T = read(&bytes);
            assert!(!$is_exact || &back == value, $name);
            println!("{name}: {} bytes by {}", bytes.len(), $name);
            group.bench_function(concat!("read: ", $name), |b| {
                b.iter(|| {
                    let back: T = read(black_box(&bytes));
                    back
                });
            });
            group.bench_function(concat!("write: ", $name), |b| b.iter(|| write(black_box(value))));
        }};
    }

    format!(
        "picklevm",
        |value: &T| picklevm::serde::to_vec(value).expect("written"),
        |bytes: &[u8]| picklevm::serde::from_slice(bytes).expect("read")
    );
    format!(
        "serde-pickle",
        |value: &T| serde_pickle::to_vec(value, serde_pickle::SerOptions::new()).expect("written"),
        |bytes: &[u8]| serde_pickle::from_slice(bytes, serde_pickle::DeOptions::new()).expect("read")
    );
    // By name, as in a pickle.
    format!(
        "rmp-serde (named)",
        |value: &T| rmp_serde::to_vec_named(value).expect("written"),
        |bytes: &[u8]| rmp_serde::from_slice(bytes).expect("read")
    );
    format!(
        "serde_json",
        |value: &T| serde_json::to_vec(value).expect("written"),
        |bytes: &[u8]| serde_json::from_slice(bytes).expect("read"),
        // Without its feature `float_roundtrip`, it rounds floats.
        false
    );
    format!(
        "sonic-rs",
        |value: &T| sonic_rs::to_vec(value).expect("written"),
        |bytes: &[u8]| sonic_rs::from_slice(bytes).expect("read")
    );
    format!(
        "ciborium",
        |value: &T| {
            let mut out = Vec::new();
            ciborium::into_writer(value, &mut out).expect("written");
            out
        },
        |bytes: &[u8]| ciborium::from_reader(bytes).expect("read")
    );
    // Without names.
    format!(
        "bincode",
        |value: &T| bincode::serde::encode_to_vec(value, bincode::config::standard()).expect("written"),
        |bytes: &[u8]| bincode::serde::decode_from_slice(bytes, bincode::config::standard()).expect("read").0
    );
    format!(
        "postcard",
        |value: &T| postcard::to_stdvec(value).expect("written"),
        |bytes: &[u8]| postcard::from_bytes(bytes).expect("read")
    );
    group.finish();
}

fn all(c: &mut Criterion) {
    let mut numbers = Numbers(4);
    compare(c, "records", &records(&mut numbers));
    compare(c, "nested", &orders(&mut numbers));
    compare(c, "floats", &(0..500_000).map(|_| numbers.float()).collect::<Vec<_>>());
    compare(c, "ints", &(0..500_000).map(|_| numbers.below(1 << 20) as i64).collect::<Vec<_>>());
    compare(c, "strings", &(0..200_000).map(|_| numbers.word()).collect::<Vec<_>>());
    let words = (0..100_000).map(|id| (format!("{}{id}", numbers.word()), id));
    compare(c, "map", &words.collect::<std::collections::BTreeMap<String, u64>>());
    compare(c, "message", &message(&mut numbers));
}

criterion_group!(benches, all);
criterion_main!(benches);
