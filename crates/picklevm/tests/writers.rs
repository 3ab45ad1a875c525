//! What CPython's picklers wrote is written again to the byte.

use picklevm::{Pickler, Symbolic, Unpickler, Writer, ops};

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
            .writer(writer.parse::<Writer>().expect("a writer"))
            .protocol(protocol.parse().expect("a protocol"));
        let written = pickler.dumps(graph.root()).expect("is written");
        assert_eq!(written, pickle, "{writer} {protocol} {name}");
    }
}
