//! Benchmarks reading and writing Rust types, compared with serde-pickle and with loading only a graph.
//!
//!     cargo bench --features serde,derive --bench serde
//!
//! `records` is 100,000 dicts, or instances, of eight fields.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use picklevm::serde::{Config, from_slice, from_value, to_graph, to_vec};
use picklevm::{PickleClass, Pickler, Protocol, class};
use serde::{Deserialize, Serialize};

/// One allocator for all crates, so that the system allocator does not affect the comparison.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Deserialize, Serialize, PickleClass, PartialEq, Debug, Clone)]
#[pickle(module = "shop")]
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

/// A linear congruential generator, for deterministic records.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn records(count: u64) -> Vec<Record> {
    let mut numbers = Numbers(4);
    let float = |numbers: &mut Numbers| numbers.below(1 << 31) as f64 / (1u64 << 31) as f64;
    (0..count)
        .map(|id| Record {
            id,
            score: float(&mut numbers),
            name: (0..4 + numbers.below(12)).map(|_| (b'a' + numbers.below(26) as u8) as char).collect(),
            parent: None,
            active: numbers.below(2) == 0,
            count: numbers.below(100_000) as u32,
            ratio: float(&mut numbers),
            tags: vec![numbers.below(10) as u16, numbers.below(1000) as u16, numbers.below(100) as u16],
        })
        .collect()
}

/// Returns the pickle of the records as CPython writes it at a protocol, with keys in the memo.
fn pickle(records: &[Record], protocol: Protocol) -> Vec<u8> {
    let pickler = Pickler::new().protocol(protocol);
    Config::new().pickler(pickler).to_vec(records).expect("records can be written")
}

/// Benchmarks reading. The measured time includes freeing the result.
fn reading(c: &mut Criterion) {
    let records = records(100_000);
    for protocol in [Protocol::V3, Protocol::V5] {
        let bytes = pickle(&records, protocol);
        let mut group = c.benchmark_group(format!("serde/read records, protocol {protocol}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
        group.bench_function("load and free the graph", |b| {
            b.iter(|| picklevm::loads(black_box(&bytes)).expect("loads"));
        });
        group.bench_function("picklevm, from a graph", |b| {
            b.iter(|| {
                let graph = picklevm::loads(black_box(&bytes)).expect("loads");
                from_value::<Vec<Record>>(graph.root()).expect("reads")
            });
        });
        group.bench_function("picklevm", |b| {
            let read = || from_slice::<Vec<Record>>(black_box(&bytes)).expect("reads");
            assert_eq!(read(), records);
            b.iter(read);
        });
        group.bench_function("serde-pickle", |b| {
            let options = serde_pickle::DeOptions::new;
            let read = || serde_pickle::from_slice::<Vec<Record>>(black_box(&bytes), options()).expect("reads");
            assert_eq!(read(), records);
            b.iter(read);
        });
        group.finish();
    }
}

fn writing(c: &mut Criterion) {
    let records = records(100_000);
    let mut group = c.benchmark_group("serde/write records");
    group.sample_size(20);
    group.bench_function("picklevm, graph alone", |b| {
        b.iter(|| to_graph(black_box(&records)).expect("written"));
    });
    group.bench_function("picklevm", |b| {
        b.iter(|| to_vec(black_box(&records)).expect("written"));
    });
    group.bench_function("picklevm, instances of a derived class", |b| {
        b.iter(|| class::to_vec(black_box(&records)).expect("written"));
    });
    group.bench_function("serde-pickle", |b| {
        b.iter(|| serde_pickle::to_vec(black_box(&records), serde_pickle::SerOptions::new()).expect("written"));
    });
    group.finish();
}

criterion_group!(benches, reading, writing);
criterion_main!(benches);
