//! Compares loading and writing with other pickle crates, on workloads that they support.
//!
//!     cargo bench -p picklevm --bench peers --features serde
//!
//! serde-pickle has its own value type; deser-pickle reads only into Rust types, so all are also compared on these.
//! Uses protocol 3, the latest that serde-pickle supports.

mod workloads;

use std::collections::BTreeMap;
use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use picklevm::{Pickler, Protocol, Symbolic, Unpickler};
use workloads::{WORKLOADS, pickle};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Benchmarks loading into values and writing values.
fn values(c: &mut Criterion) {
    let unpickler = Unpickler::new().resolver(Symbolic);
    let pickler = Pickler::new().protocol(Protocol::V3);
    for (name, make) in WORKLOADS {
        let bytes = Bytes::from(pickle(&make(1.0), Protocol::V3));
        let options = serde_pickle::DeOptions::new;
        // serde-pickle does not support objects, cycles and bytearrays.
        let Ok(theirs) = serde_pickle::value_from_slice(&bytes, options()) else { continue };
        let ours = unpickler.load_bytes(bytes.clone()).expect("it was just written");
        let mut group = c.benchmark_group(format!("peers/{name}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
        group.bench_function("load: picklevm", |b| {
            b.iter(|| unpickler.load_bytes(black_box(bytes.clone())).expect("it loads"));
        });
        group.bench_function("load: serde-pickle", |b| {
            b.iter(|| serde_pickle::value_from_slice(black_box(&bytes), options()).expect("it loads"));
        });
        group.bench_function("dump: picklevm", |b| {
            b.iter(|| pickler.dumps(black_box(ours.root())).expect("it is written"));
        });
        group.bench_function("dump: serde-pickle", |b| {
            let options = serde_pickle::SerOptions::new;
            b.iter(|| serde_pickle::value_to_vec(black_box(&theirs), options()).expect("it is written"));
        });
        group.finish();
    }
}

/// Benchmarks reading into Rust types.
fn types(c: &mut Criterion) {
    typed::<Vec<i64>>(c, "ints");
    typed::<Vec<f64>>(c, "floats");
    typed::<Vec<String>>(c, "strings");
    typed::<BTreeMap<String, u32>>(c, "strdict");
}

fn typed<T>(c: &mut Criterion, name: &str)
where
    T: serde::de::DeserializeOwned + for<'de> deser_core::Deserialize<'de>,
{
    let (_, make) = WORKLOADS.iter().find(|(known, _)| *known == name).expect("a workload");
    let bytes = pickle(&make(1.0), Protocol::V3);
    let mut group = c.benchmark_group(format!("peers/{name} as types"));
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
    group.bench_function("picklevm", |b| {
        b.iter(|| picklevm::serde::from_slice::<T>(black_box(&bytes)).expect("it reads"));
    });
    group.bench_function("serde-pickle", |b| {
        let options = serde_pickle::DeOptions::new;
        b.iter(|| serde_pickle::from_slice::<T>(black_box(&bytes), options()).expect("it reads"));
    });
    group.bench_function("deser-pickle", |b| {
        b.iter(|| deser_pickle::from_slice::<T>(black_box(&bytes)).expect("it reads"));
    });
    group.finish();
}

criterion_group!(benches, values, types);
criterion_main!(benches);
