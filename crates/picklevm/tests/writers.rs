//! What CPython's picklers wrote is written again to the byte.

use picklevm::{Pickler, PicklerVersion, Protocol, Symbolic, Unpickler, ops};

/// What CPython's picklers wrote: writer, protocol, name and the pickle in hexadecimal; `make_writers.py` makes it.
const GOLDEN: &str = include_str!("data/writers.txt");

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

#[test]
fn every_writer_is_followed_to_the_byte() {
    for line in GOLDEN.lines() {
        let [writer, protocol, name, hex] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let pickle = bytes(hex);
        // Without superfluous PUTs, so that the numbering is the writer's own.
        let optimized = ops::optimize(&pickle).expect("a pickle");
        let graph = Unpickler::new().resolver(Symbolic).loads(&optimized).expect("a pickle");
        let pickler = Pickler::new()
            .writer(writer.parse::<PicklerVersion>().expect("a writer"))
            .protocol(protocol.parse().expect("a protocol"));
        let written = pickler.dumps(graph.root()).expect("is written");
        assert_eq!(written, pickle, "{writer} {protocol} {name}");
    }
}

/// How CPython's picklers divide items into batches: writers, protocols, what holds the items, how many there are, opcodes;
/// `make_batches.py` makes it.
const BATCHES: &str = include_str!("data/batches.txt");

/// A pickle of what holds so many items, in one batch.
fn of_items(kind: &str, len: usize) -> Vec<u8> {
    let numbers = || (0..len as u32).map(|n| [&b"J"[..], &n.to_le_bytes()].concat()).collect::<Vec<_>>();
    let entries = || numbers().join(&b'N').into_iter().chain(b"N".repeat(len.min(1))).collect::<Vec<_>>();
    let [begin, items, end]: [&[u8]; 3] = match kind {
        "list" => [b"](", &b"N".repeat(len), b"e."],
        "dict" => [b"}(", &entries(), b"u."],
        "set" => [b"\x8f(", &numbers().concat(), b"\x90."],
        "frozenset" => [b"(", &numbers().concat(), b"\x91."],
        "appended" if len > 0 => [b"cshop\nItems\n)R(", &b"N".repeat(len), b"e."],
        "set_items" if len > 0 => [b"cshop\nItems\n)R(", &entries(), b"u."],
        _ => [b"cshop\nItems\n)", b"", b"R."],
    };
    [begin, items, end].concat()
}

/// The opcodes that make containers and add items to them, as the golden file has them.
fn shape(pickle: &[u8]) -> String {
    use picklevm::ops::Op;
    let codes = ops::ops(pickle).filter_map(|op| match op.expect("a pickle").1 {
        Op::Mark => Some('('),
        Op::EmptyList => Some(']'),
        Op::EmptyDict => Some('}'),
        Op::EmptySet => Some('S'),
        Op::List => Some('l'),
        Op::Dict => Some('d'),
        Op::Append => Some('a'),
        Op::Appends => Some('e'),
        Op::SetItem => Some('s'),
        Op::SetItems => Some('u'),
        Op::AddItems => Some('A'),
        Op::FrozenSet => Some('F'),
        _ => None,
    });
    let codes: Vec<char> = codes.collect();
    let runs = codes.chunk_by(|a, b| a == b).map(|run| match run.len() {
        len @ 0..=3 => run[..len].iter().collect(),
        len => format!("{}*{len}", run[0]),
    });
    let shape: String = runs.collect();
    if shape.is_empty() { "-".into() } else { shape }
}

#[test]
fn items_are_divided_into_the_batches_of_each_writer() {
    for line in BATCHES.lines() {
        let [writers, protocols, kind, len, expected] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let pickle = of_items(kind, len.parse().expect("a number"));
        let graph = Unpickler::new().resolver(Symbolic).loads(&pickle).expect("a pickle");
        for writer in writers.split(',').map(|name| name.parse::<PicklerVersion>().expect("a writer")) {
            for protocol in protocols.bytes().map(|digit| Protocol::try_from(digit - b'0').expect("a protocol")) {
                let pickler = Pickler::new().writer(writer).protocol(protocol);
                let written = pickler.dumps(graph.root()).expect("it is written");
                assert_eq!(shape(&written), expected, "{kind} of {len}, {writer}, protocol {protocol}");
            }
        }
    }
}
