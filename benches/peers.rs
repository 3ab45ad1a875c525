//! Loading and writing beside the other crates that read pickles, on what they can.
//!
//!     cargo bench -p picklevm --bench peers --features serde
//!
//! serde-pickle makes values of its own; deser-pickle reads into Rust types only, so that both read into these too.
//! Protocol 3, as serde-pickle knows no later one.

mod workloads;

use std::collections::BTreeMap;
use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use picklevm::{Pickler, Protocol, Symbolic, Unpickler};
use workloads::{WORKLOADS, pickle};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Into values, and from values.
fn values(c: &mut Criterion) {
    let unpickler = Unpickler::new().resolver(Symbolic);
    let pickler = Pickler::new().protocol(Protocol::V3);
    for (name, make) in WORKLOADS {
        let bytes = Bytes::from(pickle(&make(1.0), Protocol::V3));
        let options = serde_pickle::DeOptions::new;
        // What it refuses: objects, cycles, bytearrays.
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

/// Into the types of Rust.
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
