//! For any bytes: no panic, no endless loop, and all ways to read them agree.

use std::{fs, io};

use picklevm_ops::{Decoder, Disassembler, Error, Op, Opcode, Reader, ops, optimize};
use picklevm_testing::Random;

/// Returns real pickles.
fn seeds() -> Vec<Vec<u8>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tools");
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pkl"));
    paths.sort();
    let mut seeds: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    seeds.retain(|seed| seed.len() < 10_000);
    seeds
}

/// Reads `data` in every way.
fn read_every_way(data: &[u8]) {
    let mut decoder = Decoder::new(data);
    let mut reader = Reader::new(io::BufReader::with_capacity(5, data));
    let mut end = 0;
    loop {
        let (slice, stream) = (decoder.next_op(), reader.next_op());
        match (slice, stream) {
            (Ok(slice), Ok(stream)) => {
                assert!(same(slice, stream), "{slice:?} {stream:?}");
                assert_eq!((decoder.op_offset(), end), (end, decoder.op_offset()));
                end = decoder.offset();
                check_encoding(slice, &data[decoder.op_offset()..end]);
                if slice == Op::Stop {
                    break;
                }
            }
            (Err(slice), Err(stream)) => {
                assert_eq!((slice.kind(), slice.to_string()), (stream.kind(), stream.to_string()));
                break;
            }
            (slice, stream) => panic!("{slice:?} {stream:?}"),
        }
    }
    let count = ops(data).filter(Result::is_ok).count();
    assert!(count <= data.len());
    let _ = Disassembler::new().annotate(30).dis(data, &mut io::sink());
    if let Ok(optimized) = optimize(data) {
        assert!(optimized.len() <= data.len() + 9 * (data.len() / 65536 + 1), "{data:?}");
    }
}

/// Compares ops; NaN equals NaN.
fn same(a: Op<'_>, b: Op<'_>) -> bool {
    match (a, b) {
        (Op::Float(a), Op::Float(b)) | (Op::BinFloat(a), Op::BinFloat(b)) => a.to_bits() == b.to_bits() || a.is_nan(),
        _ => a == b,
    }
}

/// Checks that an op encodes to bytes that decode to it again, and that they are the original ones, unless its operand
/// is text that has another form.
fn check_encoding(op: Op<'_>, bytes: &[u8]) {
    let mut encoded = Vec::new();
    op.encode(&mut encoded).unwrap();
    let in_text = matches!(op, Op::Float(_) | Op::Get(_) | Op::Put(_));
    assert!(in_text || encoded == bytes, "{op:?}");
    assert!(same(Decoder::new(&encoded).next_op().unwrap(), op), "{op:?}");
}

#[test]
fn random_bytes_are_read_the_same_in_every_way() {
    let mut random = Random::new(1);
    for _ in 0..20_000 {
        let len = random.below(40);
        let data: Vec<u8> = (0..len).map(|_| random.number() as u8).collect();
        read_every_way(&data);
    }
}

#[test]
fn random_opcodes_are_read_the_same_in_every_way() {
    let mut random = Random::new(2);
    for _ in 0..20_000 {
        let mut data = Vec::new();
        for _ in 0..random.below(30) {
            match random.below(4) {
                0 => data.push(random.below(4) as u8),
                1 => data.push(b'\n'),
                _ => data.push(Opcode::ALL[random.below(Opcode::ALL.len())].byte()),
            }
        }
        read_every_way(&data);
    }
}

#[test]
fn truncated_pickles_end_in_an_error() {
    for seed in seeds() {
        for len in 0..seed.len() {
            assert!(ops(&seed[..len]).last().is_none_or(|op: Result<_, Error>| op.is_err()));
        }
    }
}

#[test]
fn mutated_pickles_are_read_the_same_in_every_way() {
    let mut random = Random::new(3);
    let seeds = seeds();
    for _ in 0..10_000 {
        let mut data = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(3) {
            let at = random.below(data.len());
            match random.below(4) {
                0 => data[at] = random.number() as u8,
                1 => data[at] ^= 1 << random.below(8),
                2 => data.truncate(at.max(1)),
                _ => data.insert(at, Opcode::ALL[random.below(Opcode::ALL.len())].byte()),
            }
        }
        read_every_way(&data);
    }
}
