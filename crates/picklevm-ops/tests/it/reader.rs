//! What a reader consumes from its stream, and what it leaves there.

use std::io::{self, BufRead, BufReader, Read};

use picklevm_ops::{Decoder, ErrorKind, Op, Reader};

use picklevm_testing::OneByte;

#[test]
fn nothing_is_read_past_stop() {
    for mut stream in [&b"K\x01.rest"[..], b"N.rest", b".rest"] {
        let mut reader = Reader::new(&mut stream);
        while reader.next_op().unwrap() != Op::Stop {}
        assert_eq!(stream, b"rest");
    }
}

#[test]
fn the_rest_of_a_frame_is_consumed_with_stop() {
    let mut stream = &b"\x95\x05\0\0\0\0\0\0\0N.xyzrest"[..];
    let mut reader = Reader::new(&mut stream);
    while reader.next_op().unwrap() != Op::Stop {}
    assert_eq!(reader.offset(), 11);
    reader.start_pickle();
    assert_eq!(reader.offset(), 14);
    assert_eq!(stream, b"rest");
}

#[test]
fn nothing_is_read_past_stop_from_a_stream_of_single_bytes() {
    let mut reader = Reader::new(OneByte(b"X\x03\0\0\0abc.rest"));
    while reader.next_op().unwrap() != Op::Stop {}
    assert_eq!(reader.into_inner().0, b"rest");
}

#[test]
fn consecutive_pickles_are_read() {
    let mut reader = Reader::new(&b"N.K\x02."[..]);
    assert_eq!(reader.next_op().unwrap(), Op::None);
    assert_eq!(reader.next_op().unwrap(), Op::Stop);
    reader.start_pickle();
    assert_eq!(reader.next_op().unwrap(), Op::BinInt1(2));
    assert_eq!(reader.next_op().unwrap(), Op::Stop);
    reader.start_pickle();
    assert_eq!(reader.next_op().unwrap_err().kind(), ErrorKind::End);
}

#[test]
fn buffers_of_every_size_give_the_same_ops_as_a_slice() {
    let pickle = b"\x80\x04\x95\x1b\0\0\0\0\0\0\0](X\x05\0\0\0helloI123\nM\x01\x02\x8c\x01k\x94e.";
    let mut expected = Vec::new();
    let mut decoder = Decoder::new(pickle);
    while expected.last() != Some(&Op::Stop) {
        expected.push(decoder.next_op().unwrap());
    }
    for capacity in 1..pickle.len() + 2 {
        let mut reader = Reader::new(BufReader::with_capacity(capacity, &pickle[..]));
        for op in &expected {
            assert_eq!(reader.next_op().unwrap(), *op, "capacity {capacity}");
        }
    }
}

#[test]
fn the_next_opcode_can_be_peeked() {
    let mut reader = Reader::new(&b"K\x01."[..]);
    assert_eq!(reader.peek_opcode().unwrap().name(), "BININT1");
    assert_eq!(reader.next_op().unwrap(), Op::BinInt1(1));
    assert_eq!(reader.peek_opcode().unwrap().name(), "STOP");
    assert_eq!(reader.next_op().unwrap(), Op::Stop);
    assert_eq!(reader.peek_opcode(), None);
}

#[test]
fn a_claimed_length_allocates_no_memory() {
    let error = Reader::new(&b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc"[..]).next_op().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert_eq!(error.to_string(), "offset 0: BINBYTES8: expected 9223372036854775807 bytes, found 3 before the end");
}

#[test]
fn the_maximum_length_is_truncated_at_the_end_of_the_data_as_in_a_slice() {
    let data = b"N\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc";
    let mut decoder = Decoder::new(data);
    let mut reader = Reader::new(BufReader::with_capacity(1, &data[..]));
    for _ in 0..2 {
        let from_slice = decoder.next_op().map(|op| format!("{op:?}")).map_err(|error| error.to_string());
        assert_eq!(reader.next_op().map(|op| format!("{op:?}")).map_err(|error| error.to_string()), from_slice);
    }
}

#[test]
fn an_op_longer_than_the_limit_is_refused_for_every_buffer_size() {
    for pickle in [&b"C\x04abcd."[..], b"I12345\n."] {
        let mut reader = Reader::new(pickle).max_op_len(5);
        assert_eq!(reader.next_op().unwrap_err().kind(), ErrorKind::Limit);
        let mut reader = Reader::new(OneByte(pickle)).max_op_len(5);
        assert_eq!(reader.next_op().unwrap_err().kind(), ErrorKind::Limit);
        let mut reader = Reader::new(OneByte(pickle)).max_op_len(7);
        assert!(reader.next_op().is_ok());
    }
}

/// A reader that is interrupted once, then yields its bytes, then fails.
struct Flaky {
    interrupted: bool,
    bytes: &'static [u8],
}

impl Read for Flaky {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(out)
    }
}

impl BufRead for Flaky {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !std::mem::replace(&mut self.interrupted, true) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.bytes.is_empty() {
            return Err(io::Error::other("the cable was pulled"));
        }
        Ok(self.bytes)
    }

    fn consume(&mut self, len: usize) {
        self.bytes = &self.bytes[len..];
    }
}

#[test]
fn an_interrupted_read_is_retried_and_a_failed_one_returns_its_error() {
    let mut reader = Reader::new(Flaky { interrupted: false, bytes: b"NI1" });
    assert_eq!(reader.next_op().unwrap(), Op::None);
    let error = reader.next_op().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the cable was pulled");
}
