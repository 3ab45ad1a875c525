//! Operands and frames are read as CPython 3.13 reads them. The data are made by `tests/data/make.py`; if that Python
//! is installed, more are made at test time.

use std::fmt::Write;
use std::process::Command;

use bytes::Bytes;
use picklevm_ops::internal::{IntRun, PredictableDecoder, RunVisitor};
use picklevm_ops::{Decoder, Error, ErrorKind, IntValue, Op, Opcode, Reader, Source, Visitor, shared_ops};

use picklevm_testing::{OneByte, hex, unhex};

/// Checks every line of `cases`: a pickle, a tab, and what Python reads.
fn check(cases: &str) {
    let mut count = 0;
    for case in cases.lines() {
        let (pickle, expected) = case.split_once('\t').unwrap();
        let pickle = unhex(pickle);
        let slice = reading(&mut Decoder::new(&pickle));
        let reader = reading(&mut Reader::new(OneByte(&pickle)));
        assert_eq!(slice.as_deref().unwrap_or("refused"), expected, "{pickle:?}: {slice:?}");
        let others = [
            reader,
            visited(&mut Decoder::new(&pickle)),
            visited(&mut Reader::new(OneByte(&pickle))),
            visited_until(Decoder::new(&pickle), 7),
            visited_until(PredictableDecoder::new(&pickle), 7),
            visited_until(Reader::new(OneByte(&pickle)), 7),
            shared(&pickle),
        ];
        for other in others {
            let same = match (&slice, &other) {
                (Ok(slice), Ok(other)) => slice == other,
                (Err(slice), Err(other)) => (slice.kind(), slice.to_string()) == (other.kind(), other.to_string()),
                _ => false,
            };
            assert!(same, "{pickle:?}: slice: {slice:?} other: {other:?}");
        }
        count += 1;
    }
    assert!(count >= 500);
}

/// Returns OFFSET:NAME:OPERAND of each op, as `reading` in `make.py` prints it.
fn reading(source: &mut impl Source) -> Result<String, Error> {
    let mut out = Printed::default();
    while !out.ended {
        let op = source.next_op()?;
        let (opcode, operand) = (op.opcode(), operand(op));
        out.push(source.op_offset(), opcode, &operand);
    }
    Ok(out.text)
}

/// Like [`reading`], with a visitor.
fn visited(source: &mut impl Source) -> Result<String, Error> {
    let mut out = Printed::default();
    while !out.ended {
        source.visit_op(&mut out)?;
    }
    Ok(out.text)
}

/// Like [`reading`], with a visitor that visits the ops of `bytes` bytes at once.
fn visited_until(mut source: impl Source, bytes: u64) -> Result<String, Error> {
    let mut out = Many::default();
    while !out.0.ended {
        let until = source.offset() + bytes;
        let (after, visited) = source.visit_until(until, &mut out);
        visited?;
        assert!(out.0.ended || after.offset() >= until, "only its end or its visitor ends it earlier");
        source = after;
    }
    Ok(out.0.text)
}

#[test]
fn runs_of_small_integers_are_read_like_single_ones() {
    for len in 0..10 {
        for apart in 0..=len {
            // Something other than BININT1, a frame that ends among them, text that looks like them, and memoized
            // values.
            let ints = |range: std::ops::Range<u8>| range.flat_map(|n| [b'K', n]).collect::<Vec<u8>>();
            for between in [
                &b""[..],
                b"N",
                b"M\x4b\x4b",
                b"\x95\x04\0\0\0\0\0\0\0K\x4bK\x4b",
                b"\x8c\x04KKKK",
                b"]\x94\x94\x8c\x01a\x94",
            ] {
                let pickle = [&ints(0..apart), between, &ints(apart..len), b"."].concat();
                let expected = reading(&mut Decoder::new(&pickle)).unwrap();
                for bytes in 1..=pickle.len() as u64 + 1 {
                    assert_eq!(visited_until(Decoder::new(&pickle), bytes).unwrap(), expected, "{pickle:?}");
                    assert_eq!(visited_until(PredictableDecoder::new(&pickle), bytes).unwrap(), expected, "{pickle:?}");
                }
            }
        }
    }
}

#[test]
fn integers_of_all_widths_are_read_like_single_ones() {
    // Pickles of pseudorandom ops, with phases in which integers are small, single, or of all widths.
    let mut state = 1_u32;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    for _ in 0..300 {
        let mut pickle = Vec::new();
        for _ in 0..1 + random(4) {
            let (widths, others) = (1 + random(6), random(4));
            for _ in 0..random(60) {
                match random(widths) {
                    0 => pickle.extend([b'K', *b"KMJ\x8a.\0".get(random(6) as usize).unwrap()]),
                    1 | 2 => pickle.extend([b'M', random(256) as u8, b"KM"[random(2) as usize]]),
                    3 => pickle.extend([b'J', b'K', b'M', b'J', 0xff]),
                    4 => pickle.extend([0x8a, 2, b'M', 0x80]),
                    _ => pickle.extend([0x8a, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
                }
                match random(4) < others {
                    true if random(30) == 0 => pickle.extend(b"\x95\x09\0\0\0\0\0\0\0K\x4bM\x4b\x4bK\x4bK\x4b"),
                    true => pickle.extend(
                        *[&b"N"[..], b"]\x94", b"\x85\x86\x87\x94(", b"\x8c\x02KM"].get(random(4) as usize).unwrap(),
                    ),
                    false => {}
                }
            }
        }
        pickle.push(b'.');
        let expected = reading(&mut Decoder::new(&pickle)).unwrap();
        for bytes in [1, 2, 3, 7, 8, 9, 16, 29, u64::MAX / 2] {
            assert_eq!(visited_until(Decoder::new(&pickle), bytes).unwrap(), expected, "{pickle:?}");
            assert_eq!(visited_until(PredictableDecoder::new(&pickle), bytes).unwrap(), expected, "{pickle:?}");
        }
    }
}

#[test]
fn several_small_integers_are_visited_at_once() {
    let runs = |pickle: &[u8], is_long: bool| {
        let mut out = Many::default();
        let visited = match is_long {
            false => Decoder::new(pickle).visit_until(u64::MAX, &mut out).1,
            true => PredictableDecoder::new(pickle).visit_until(u64::MAX, &mut out).1,
        };
        visited.unwrap();
        out.1
    };
    assert_eq!(runs(b"K\x01K\x02K\x03K\x04K\x05K\x06K\x07.", false), [4, 2]);
    // Nothing is read past the end: the ops in the last eight bytes are read one by one.
    assert_eq!(runs(b"(M\x01\x01M\x02\x02M\x03\x03K\x04t(M\x05\x05K\x06t........", true), [3, 1, 2]);
}

#[test]
fn single_integers_are_visited_one_by_one() {
    // A run begins as soon as two come together, but not if one was large recently.
    let (singles, pair, large) = (b"K\x01N".repeat(20), b"K\x01K\x02N".to_vec(), b"J\x01\0\0\0N".to_vec());
    let mut out = Many::default();
    let pickle = [&singles[..], &pair, &singles, &large, &pair, b".........."].concat();
    PredictableDecoder::new(&pickle).visit_until(u64::MAX, &mut out).1.unwrap();
    assert_eq!(out.1, [&[1; 8][..], &[2], &[1; 8]].concat());
}

/// Like [`reading`], from shared bytes.
fn shared(pickle: &[u8]) -> Result<String, Error> {
    let mut out = Printed::default();
    for op in shared_ops(Bytes::copy_from_slice(pickle)) {
        let op = op?;
        assert_eq!(op.bytes()[..], pickle[op.offset()..][..op.bytes().len()]);
        out.push(op.offset() as u64, op.opcode(), &operand(op.decode()?));
    }
    Ok(out.text)
}

#[derive(Default)]
struct Printed {
    text: String,
    last: Option<Opcode>,
    ended: bool,
}

impl Printed {
    fn push(&mut self, offset: u64, opcode: Opcode, operand: &str) {
        if self.last.is_some() {
            self.text.push(' ');
        }
        write!(self.text, "{offset}:{opcode}:{operand}").unwrap();
        self.last = Some(opcode);
        self.ended = opcode == Opcode::Stop;
    }
}

impl<'a> Visitor<'a> for Printed {
    type Output = ();

    fn visit<const BYTE: u8>(&mut self, offset: u64, op: Op<'a>) {
        assert!(BYTE == 0 || BYTE == op.opcode().byte());
        self.push(offset, op.opcode(), &operand(op));
    }
}

/// What was printed, and the lengths of the runs.
#[derive(Default)]
struct Many(Printed, Vec<usize>);

impl<'a> Visitor<'a> for Many {
    type Output = bool;

    fn visit<const BYTE: u8>(&mut self, offset: u64, op: Op<'a>) -> bool {
        self.0.visit::<BYTE>(offset, op);
        !self.0.ended
    }
}

impl<'a> RunVisitor<'a> for Many {
    fn visit_run<const N: usize>(&mut self, offset: u64, operands: [u8; N]) -> bool {
        for (n, operand) in operands.into_iter().enumerate() {
            self.0.visit::<0>(offset + 2 * n as u64, Op::BinInt1(operand));
        }
        self.1.push(N);
        true
    }

    fn visit_ints(&mut self, offset: u64, ints: IntRun) -> bool {
        for (at, op) in ints.ops() {
            self.0.visit::<0>(offset + at, op);
        }
        self.1.push(ints.count());
        true
    }
}

fn operand(op: Op<'_>) -> String {
    match op {
        Op::Int(number) | Op::Long(number) => match number.value() {
            IntValue::Bool(true) => "True".into(),
            IntValue::Bool(false) => "False".into(),
            IntValue::Small(value) => value.to_string(),
            IntValue::Big { negative, radix, digits } => {
                let sign = if negative { '-' } else { '+' };
                format!("{sign}big%{}", remainder(radix, &digits))
            }
        },
        Op::Float(value) => hex(&value.to_be_bytes()),
        Op::BinFloat(value) => value.to_bits().to_string(),
        Op::String(string) => hex(&string.decode()),
        Op::Unicode(text) => hex(&text.decode()),
        Op::Get(index) | Op::Put(index) => index.to_string(),
        Op::Global(module, name) | Op::Inst(module, name) => {
            format!("{},{}", hex(module.as_bytes()), hex(name.as_bytes()))
        }
        Op::PersId(id) => hex(id.as_bytes()),
        Op::Frame(len) => len.to_string(),
        Op::Proto(value) | Op::BinInt1(value) => value.to_string(),
        Op::BinInt2(value) => value.to_string(),
        Op::BinInt(value) => value.to_string(),
        op => op.payload().map_or(String::new(), hex),
    }
}

/// Modulo 2**61 - 1.
fn remainder(radix: u32, digits: &[u8]) -> u128 {
    digits.iter().fold(0, |value, &digit| {
        let digit = char::from(digit).to_digit(radix).unwrap();
        (value * u128::from(radix) + u128::from(digit)) % ((1 << 61) - 1)
    })
}

#[test]
fn operands_in_text_read_as_in_python() {
    check(include_str!("../data/operands.txt"));
}

#[test]
fn frames_in_odd_places_read_as_in_python() {
    check(include_str!("../data/frames.txt"));
}

/// Checks new cases if Python 3.13 is installed; `PYTHON` may name the executable.
#[test]
fn an_installed_python_reads_new_cases_the_same() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3.13".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/make.py");
    let seed = std::process::id().to_string();
    match Command::new(python).args([script, &seed]).output() {
        Ok(output) if output.status.success() => check(&String::from_utf8(output.stdout).unwrap()),
        _ => eprintln!("Python 3.13 is not installed; only the committed readings were checked"),
    }
}

#[test]
fn a_frame_that_ends_within_an_operand_is_refused() {
    let error = reading(&mut Decoder::new(b"\x95\x03\0\0\0\0\0\0\0J\x01\0\0\0.")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Frame);
    assert_eq!(
        error.to_string(),
        "offset 9: BININT: expected no more bytes than are left in the frame, found 4 with 2 left"
    );
}

#[test]
fn a_frame_may_be_longer_than_the_data() {
    assert!(reading(&mut Decoder::new(b"\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.")).is_ok());
}

#[test]
fn a_frame_before_the_end_of_another_is_refused() {
    let pickle = b"\x95\x0b\0\0\0\0\0\0\0N\x95\x01\0\0\0\0\0\0\0..";
    assert_eq!(reading(&mut Decoder::new(pickle)).unwrap_err().kind(), ErrorKind::Frame);
}

#[test]
fn the_rest_of_the_frame_after_stop_is_skipped() {
    let mut decoder = Decoder::new(b"\x95\x05\0\0\0\0\0\0\0N.xyzK\x01.");
    assert_eq!(reading(&mut decoder).unwrap(), "0:FRAME:5 9:NONE: 10:STOP:");
    decoder.start_pickle();
    assert_eq!(reading(&mut decoder).unwrap(), "14:BININT1:1 16:STOP:");
}
