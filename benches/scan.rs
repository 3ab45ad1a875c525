//! Benchmarks scanning benign pickles: records, documents of many lines, and large bytes.
//!
//!     cargo bench -p picklevm-scan --bench scan

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use picklevm_scan::{Scanner, Verdict};

/// Returns a protocol 4 pickle of a list of encoded items.
fn list(items: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut pickle = b"\x80\x04]\x94(".to_vec();
    items.for_each(|item| pickle.extend(item));
    pickle.extend_from_slice(b"e.");
    pickle
}

fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes(), b"\x94"].concat()
}

/// Returns dicts of a number, a float, a name, a bool and a list of tags.
fn records(count: u32) -> Vec<u8> {
    list((0..count).map(|n| {
        let mut record = b"}\x94(".to_vec();
        record.extend([text("id"), [b"J", &n.to_le_bytes()[..]].concat()].concat());
        record.extend([text("score"), [b"G", &(f64::from(n) / 7.0).to_be_bytes()[..]].concat()].concat());
        record.extend([text("name"), text(&format!("user_{n:x}"))].concat());
        record.extend([text("active"), vec![if n % 3 == 0 { 0x88 } else { 0x89 }]].concat());
        record.extend([text("tags"), b"]\x94(K\x01K\x02M\x10\x27eu".to_vec()].concat());
        record
    }))
}

/// Returns texts of a hundred lines, some of which look like the start of a GLOBAL.
fn documents(count: u32) -> Vec<u8> {
    list((0..count).map(|n| text(&format!("line {n}\ncat {n}\ncase\nword\n").repeat(25))))
}

/// Returns bytes without opcode patterns.
fn blobs(count: u32) -> Vec<u8> {
    let mut state = 1u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    list((0..count).map(|_| {
        let blob: Vec<u8> = std::iter::repeat_with(&mut byte).take(10_000).collect();
        [b"B", &(blob.len() as u32).to_le_bytes()[..], &blob, b"\x94"].concat()
    }))
}

fn scan(c: &mut Criterion) {
    let scanner = Scanner::new();
    let mut group = c.benchmark_group("scan");
    group.sample_size(10);
    for (name, pickle) in [("records", records(100_000)), ("documents", documents(10_000)), ("blobs", blobs(1000))] {
        assert_eq!(scanner.scan(&pickle).verdict, Verdict::Safe, "{name}");
        group.throughput(Throughput::Bytes(pickle.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| scanner.scan(black_box(&pickle))));
    }
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
