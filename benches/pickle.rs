//! Benchmarks decoding, loading, freeing and writing, by workload.
//!
//!     cargo bench -p picklevm --bench pickle
//!     cargo bench -p picklevm --bench pickle -- load/records

mod workloads;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use picklevm::{Pickler, Protocol, Symbolic, Unpickler, ops};
use workloads::{WORKLOADS, pickle};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn benches(c: &mut Criterion) {
    let unpickler = Unpickler::new().resolver(Symbolic);
    let pickler = Pickler::new().protocol(Protocol::V5);
    for (name, make) in WORKLOADS {
        let bytes = Bytes::from(pickle(&make(1.0), Protocol::V5));
        let graph = unpickler.load_bytes(bytes.clone()).expect("it was just written");
        assert_eq!(pickler.dumps(graph.root()).expect("it was read"), bytes, "{name}");
        let mut group = |kind: &str, run: &mut dyn FnMut(&mut criterion::Bencher<'_>)| {
            let mut group = c.benchmark_group(kind);
            group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
            group.bench_function(*name, |b| run(b));
            group.finish();
        };
        group("decode", &mut |b| b.iter(|| ops::ops(black_box(&bytes)).for_each(|op| drop(black_box(op)))));
        group("load", &mut |b| b.iter(|| unpickler.load_bytes(black_box(bytes.clone())).expect("it loads")));
        group("drop", &mut |b| {
            let load = || unpickler.load_bytes(bytes.clone()).expect("it loads");
            b.iter_batched(load, drop, BatchSize::LargeInput);
        });
        group("dump", &mut |b| b.iter(|| pickler.dumps(black_box(graph.root())).expect("it is written")));
    }
}

/// Benchmarks workloads at 10 and 100 times the size. Time should grow linearly.
fn growth(c: &mut Criterion) {
    let unpickler = Unpickler::new().resolver(Symbolic);
    for (name, make) in WORKLOADS.iter().filter(|(name, _)| ["ints", "records", "strdict"].contains(name)) {
        let mut group = c.benchmark_group(format!("growth/{name}"));
        for size in [0.01, 0.1, 1.0] {
            let bytes = Bytes::from(pickle(&make(size), Protocol::V5));
            let graph = unpickler.load_bytes(bytes.clone()).expect("it was just written");
            group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
            group.bench_function(format!("load x{size}"), |b| {
                b.iter(|| unpickler.load_bytes(black_box(bytes.clone())).expect("it loads"));
            });
            let pickler = Pickler::new().protocol(Protocol::V5);
            group.bench_function(format!("dump x{size}"), |b| {
                b.iter(|| pickler.dumps(black_box(graph.root())).expect("it is written"));
            });
        }
        group.finish();
    }
}

criterion_group!(all, benches, growth);
criterion_main!(all);
