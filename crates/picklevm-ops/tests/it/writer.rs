//! How frames are written.

use picklevm_ops::{Error, ErrorKind, Framing, Op, Writer, ops};

const TARGET: usize = 64 * 1024;

/// Returns what `write` writes in frames. Into memory and to a stream, it must be the same.
fn framed(framing: Framing, write: impl Fn(&mut dyn FnMut(Op<'_>))) -> Vec<u8> {
    let mut memory = Writer::new();
    memory.start_framing(framing).unwrap();
    write(&mut |op| {
        memory.op(op).unwrap();
        memory.boundary().unwrap();
    });
    let mut stream = Writer::stream(Vec::new());
    stream.start_framing(framing).unwrap();
    write(&mut |op| {
        stream.op(op).unwrap();
        stream.boundary().unwrap();
    });
    let memory = memory.into_vec().unwrap();
    assert!(stream.finish().unwrap() == memory);
    memory
}

/// Returns the offsets and lengths of the frames.
fn frames(pickle: &[u8]) -> Vec<(usize, u64)> {
    let frame = |(offset, op): (usize, Op<'_>)| if let Op::Frame(len) = op { Some((offset, len)) } else { None };
    ops(pickle).filter_map(|op| frame(op.unwrap())).collect()
}

#[test]
fn ops_go_into_one_frame() {
    let pickle = framed(Framing::Python37, |write| {
        write(Op::BinInt2(7));
        write(Op::Stop);
    });
    assert_eq!(pickle, b"\x95\x04\0\0\0\0\0\0\0M\x07\0.");
}

#[test]
fn fewer_than_four_bytes_get_a_frame_only_in_python_3_6() {
    let none = |write: &mut dyn FnMut(Op<'_>)| {
        write(Op::None);
        write(Op::Stop);
    };
    assert_eq!(framed(Framing::Python37, none), b"N.");
    assert_eq!(framed(Framing::Python34, none), b"\x95\x02\0\0\0\0\0\0\0N.");
}

#[test]
fn no_ops_get_no_frame() {
    assert_eq!(framed(Framing::Python37, |_| {}), b"");
    assert_eq!(framed(Framing::Python34, |_| {}), b"");
}

#[test]
fn a_frame_ends_at_the_first_boundary_after_64_kib() {
    let pickle = framed(Framing::Python37, |write| {
        for _ in 0..TARGET {
            write(Op::BinInt1(1));
        }
        write(Op::Stop);
    });
    let (first, second) = (TARGET as u64, TARGET as u64);
    assert_eq!(frames(&pickle), [(0, first), (9 + TARGET, second)]);
    assert_eq!(pickle.len(), 9 + TARGET + 9 + TARGET + 1, "the last frame is one byte and has no header");
}

#[test]
fn large_payloads_are_between_frames_since_python_3_7() {
    let large = vec![b'x'; TARGET];
    let write = |write: &mut dyn FnMut(Op<'_>)| {
        write(Op::EmptyList);
        write(Op::BinInt(1));
        write(Op::BinBytes(&large));
        write(Op::Memoize);
        write(Op::BinInt(2));
        write(Op::Stop);
    };
    let pickle = framed(Framing::Python37, write);
    assert_eq!(frames(&pickle), [(0, 6), (9 + 6 + 5 + TARGET, 7)]);
    let pickle = framed(Framing::Python34, write);
    assert_eq!(frames(&pickle), [(0, 1 + 5 + 5 + TARGET as u64), (9 + 1 + 5 + 5 + TARGET, 7)]);
}

#[test]
fn ops_written_in_frames_read_back() {
    let text = "y".repeat(TARGET - 1);
    let all = [
        Op::EmptyList,
        Op::BinUnicode(text.as_str().into()),
        Op::Append,
        Op::ShortBinBytes(b"z"),
        Op::Append,
        Op::Stop,
    ];
    for framing in [Framing::Python34, Framing::Python37] {
        let pickle = framed(framing, |write| all.iter().for_each(|&op| write(op)));
        let read: Vec<_> = ops(&pickle).map(|op| op.unwrap().1).filter(|op| !matches!(op, Op::Frame(_))).collect();
        assert_eq!(read, all);
    }
}

#[test]
fn framing_can_begin_and_end_several_times_in_one_output() {
    let mut writer = Writer::append_to(b"before".to_vec());
    for _ in 0..2 {
        writer.op(Op::Proto(4)).unwrap();
        writer.start_framing(Framing::Python37).unwrap();
        writer.op(Op::BinInt(1)).unwrap();
        writer.op(Op::Stop).unwrap();
        writer.end_framing().unwrap();
    }
    let one = b"\x80\x04\x95\x06\0\0\0\0\0\0\0J\x01\0\0\0.";
    assert_eq!(writer.into_vec().unwrap(), [b"before", &one[..], one].concat());
}

#[test]
fn the_error_for_an_invalid_op_has_its_offset() {
    let mut writer = Writer::stream(Vec::new());
    writer.op(Op::None).unwrap();
    let error = writer.op(Op::PersId("two\nlines")).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::BadOperand, 1));
    writer.op(Op::Stop).unwrap();
    assert_eq!(writer.finish().unwrap(), b"N.");
}

#[test]
fn a_pickle_longer_than_the_reused_memory_extends_it() -> Result<(), Error> {
    let mut memory = vec![0xff; 20];
    for ops in [1, 5, 100, 2] {
        let mut writer = Writer::from_vec(memory);
        writer.start_framing(Framing::Python37)?;
        for _ in 0..ops {
            writer.op(Op::BinInt1(7))?;
            writer.op(Op::ShortBinBytes(b"abc"))?;
        }
        writer.end_framing()?;
        let mut expected = vec![0x95];
        expected.extend((7 * ops as u64).to_le_bytes());
        expected.extend(b"K\x07C\x03abc".repeat(ops));
        assert_eq!(writer.written(), expected, "{ops} times");
        memory = writer.into_memory();
    }
    Ok(())
}
