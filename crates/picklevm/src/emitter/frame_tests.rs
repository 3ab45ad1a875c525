//! Tests that frames end where CPython's picklers end them, in both fast paths and in steps.

use std::ops::Range;

use super::cpython::PicklerVersion;
use crate::dump::Pickler;
use crate::graph::Graph;
use crate::load::Unpickler;
use crate::protocol::Protocol;
use crate::resolve::Symbolic;

/// Ends of frames of CPython's picklers. `make_frames.py` generates and describes it.
const GOLDEN: &str = include_str!("../../tests/data/frames.txt");

const FRAME_SIZE_TARGET: usize = 64 * 1024;

/// Splits `part*count` into part and count.
fn repeated(part: &str) -> (&str, usize) {
    match part.split_once('*') {
        Some((part, count)) => (part, count.parse().expect("a count")),
        None => (part, 1),
    }
}

fn bytes(tail: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (hex, count) in tail.split(',').map(repeated) {
        bytes.extend(picklevm_testing::unhex(hex).repeat(count));
    }
    bytes
}

/// Returns the pickle, without frames, of a list of text of `pad` bytes and the values of `tail`, and the start of the tail.
fn pickle(protocol: u8, pad: usize, tail: &[u8]) -> (Vec<u8>, usize) {
    let len = u32::try_from(pad).expect("short enough").to_le_bytes();
    let head = [&[0x80, protocol][..], b"]\x94(X", &len, &b"x".repeat(pad), b"\x94"].concat();
    let start = head.len();
    ([&head, tail].concat(), start)
}

/// Returns the pickle without its frames, and their ranges in it.
fn without_frames(pickle: &[u8]) -> (Vec<u8>, Vec<Range<usize>>) {
    let (mut bare, mut frames) = (Vec::new(), Vec::new());
    for op in picklevm_ops::ops(pickle) {
        match op.expect("a pickle").1 {
            picklevm_ops::Op::Frame(len) => frames.push(bare.len()..bare.len() + len as usize),
            op => op.encode(&mut bare).expect("it was decoded"),
        }
    }
    (bare, frames)
}

/// Returns the frames in the notation of the golden file.
fn cuts(frames: &[Range<usize>], start: usize, end: usize) -> String {
    let (mut cuts, mut position) = (Vec::new(), 2);
    let relative = |at: usize| at as i64 - start as i64;
    for frame in frames.iter().cloned().chain(std::iter::once(end..end)) {
        if frame.start > position {
            cuts.push(format!("{}~{}", relative(position), relative(frame.start)));
        } else if position > 2 {
            cuts.push(relative(frame.start).to_string());
        }
        position = frame.end;
    }
    cuts.join("/")
}

/// Returns a graph, and a copy that is not known to be a tree.
fn loaded_and_copied(pickle: &[u8]) -> (Graph, Graph) {
    let loaded = Unpickler::new().resolver(Symbolic).loads(pickle).expect("a pickle");
    let mut copied = loaded.clone();
    let root = copied.root().id();
    copied.set_root(root);
    (loaded, copied)
}

/// Rewrites a pickle in three ways: on the fast path for trees, on the flat one, and in steps.
fn written(pickler: &Pickler, pickle: &[u8]) -> [Vec<u8>; 3] {
    let (loaded, copied) = loaded_and_copied(pickle);
    let mut stepwise = pickler.clone();
    stepwise.options.is_stepwise = true;
    [(pickler, &loaded), (pickler, &copied), (&stepwise, &loaded)]
        .map(|(pickler, graph)| pickler.dumps(graph.root()).expect("it is written"))
}

const WAYS: [&str; 3] = ["as a tree", "in runs", "in steps"];

/// Rewrites a pickle in which calls that make plain data, such as `bytearray` below protocol 5, were resolved to that data.
fn written_of_data(pickler: &Pickler, pickle: &[u8]) -> Vec<u8> {
    let graph = Unpickler::new().loads(pickle).expect("a pickle");
    pickler.dumps(graph.root()).expect("it is written")
}

#[test]
fn frames_end_where_each_cpython_pickler_ends_them() {
    let mut turn = 0;
    for line in GOLDEN.lines() {
        let [writers, protocol, name, tail, first, expected] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let writers: Vec<PicklerVersion> = writers.split(',').map(|name| name.parse().expect("a writer")).collect();
        let (protocol, first): (u8, usize) = (protocol.parse().expect("a number"), first.parse().expect("a number"));
        let tail = bytes(tail);
        let expected = expected.split(',').map(repeated).flat_map(|(cuts, count)| std::iter::repeat_n(cuts, count));
        for (pad, expected) in (first..).zip(expected) {
            let (pickle, start) = pickle(protocol, pad, &tail);
            // All versions would take minutes.
            turn += 1;
            let writer = writers[turn % writers.len()];
            let pickler = Pickler::new().writer(writer).protocol(Protocol::try_from(protocol).expect("a protocol"));
            let of_data = (&written_of_data(&pickler, &pickle), "of plain data");
            for (written, way) in written(&pickler, &pickle).iter().zip(WAYS).chain([of_data]) {
                let (bare, frames) = without_frames(written);
                assert!(bare == pickle, "{name}, protocol {protocol}, {pad} bytes before, {writer}, {way}");
                let found = cuts(&frames, start, bare.len());
                assert_eq!(found, expected, "{name}, protocol {protocol}, {pad} bytes before, {writer}, {way}");
            }
        }
    }
}

/// Values for which each way has separate code, at protocol 4.
const ITEMS: [&[u8]; 24] = [
    b"K\x01",
    b"K\x01K\x02K\x03K\x04K\x05",
    b"M\0\x01",
    b"J\xff\xff\xff\xff",
    b"\x8a\x05\0\0\0\0\x01",
    b"G\x3f\xf8\0\0\0\0\0\0",
    b"G\x3f\xf8\0\0\0\0\0\0G\x40\0\0\0\0\0\0\0",
    b"N",
    b"\x88",
    b")",
    b"\x8c\x03abc\x94",
    b"\x8c\x00\x94",
    b"C\x02ab\x94",
    b"]\x94",
    b"]\x94(K\x01K\x02K\x03K\x04K\x05e",
    b"]\x94]\x94K\x01aa",
    b"}\x94K\x01Ns",
    b"}\x94(K\x01K\x02K\x03K\x04u",
    b"\x8f\x94(K\x01\x90",
    b"(K\x01\x91\x94",
    b"K\x01\x85\x94",
    b"(K\x01K\x02K\x03K\x04K\x05t\x94",
    b"h\0",
    b"\x8c\x01m\x8c\x01C\x93)\x81}\x8c\x01aK\x01sb",
];

#[test]
fn the_fast_ways_to_write_end_frames_where_steps_do() {
    let pickler = Pickler::new();
    for first in ITEMS {
        for second in ITEMS {
            let tail = [first, second, first, b"e."].concat();
            // The head of a frame is `]\x94(X....` and the MEMOIZE after the text.
            let whole = FRAME_SIZE_TARGET - 9;
            for pad in whole - tail.len().min(40)..whole + 2 {
                let (pickle, _) = pickle(4, pad, &tail);
                let [tree, runs, steps] = written(&pickler, &pickle);
                let what = || format!("{} after {pad} bytes", tail.escape_ascii());
                assert!(tree == steps, "{}, as a tree", what());
                assert!(runs == steps, "{}, in runs", what());
            }
        }
    }
}
