//! Reading ops from a feed: what it is asked for, and where frames count.

use std::io;

use picklevm_ops::{Error, ErrorKind, Feed, FeedReader, Op, Source};

/// A file that gives what it is asked for, and records it.
struct File<'a> {
    data: &'a [u8],
    /// How much of the data was read, and how much of that was used.
    read: usize,
    used: usize,
    asked: Vec<String>,
}

impl<'a> File<'a> {
    fn new(data: &'a [u8]) -> Self {
        File { data, read: 0, used: 0, asked: Vec::new() }
    }
}

impl Feed for File<'_> {
    fn bytes(&self) -> &[u8] {
        &self.data[self.used..self.read]
    }

    fn consume(&mut self, len: usize) {
        self.used += len;
    }

    fn fill(&mut self, len: u64) -> io::Result<bool> {
        let len = len.min(self.data.len() as u64 + 1);
        let missing = (len as usize).saturating_sub(self.read - self.used);
        if missing > 0 {
            self.asked.push(format!("read {missing}"));
            self.read = (self.read + missing).min(self.data.len());
        }
        Ok(self.bytes().len() as u64 >= len)
    }

    fn fill_payload(&mut self, from: usize, len: u64) -> io::Result<bool> {
        let arrived = self.fill(from as u64 + len)?;
        if let Some(asked) = self.asked.last_mut() {
            *asked = asked.replace("read", "payload");
        }
        Ok(arrived)
    }

    fn fill_line(&mut self, from: usize) -> io::Result<bool> {
        self.asked.push("readline".into());
        let line = self.data[self.used + from..].iter().position(|byte| *byte == b'\n');
        self.read = line.map_or(self.data.len(), |len| self.used + from + len + 1);
        Ok(line.is_some())
    }
}

/// Reads to STOP; returns the names of the opcodes, and what the file was asked for.
fn read_all(data: &[u8]) -> Result<(Vec<&'static str>, Vec<String>), Error> {
    let mut reader = FeedReader::new(File::new(data));
    let mut names = Vec::new();
    loop {
        let op = reader.next_op()?;
        names.push(op.opcode().name());
        if op == Op::Stop {
            return Ok((names, reader.into_inner().asked));
        }
    }
}

#[test]
fn a_feed_is_asked_for_the_bytes_of_each_part_of_an_op() {
    let (names, asked) = read_all(b"X\x03\0\0\0abcI12\n.rest").unwrap();
    assert_eq!(names, ["BINUNICODE", "INT", "STOP"]);
    assert_eq!(asked, ["read 1", "read 4", "read 3", "read 1", "readline", "read 1"]);
}

#[test]
fn a_feed_is_told_what_is_the_payload_of_bytes() {
    let (_, asked) = read_all(b"C\x02ab\x8e\x03\0\0\0\0\0\0\0abc\x96\x01\0\0\0\0\0\0\0aT\x01\0\0\0a.").unwrap();
    let lengths: Vec<_> = asked.iter().filter(|asked| **asked != "read 1").map(String::as_str).collect();
    assert_eq!(lengths, ["payload 2", "read 8", "payload 3", "read 8", "payload 1", "read 4"]);
}

#[test]
fn a_frame_is_asked_for_at_once() {
    let (names, asked) = read_all(b"\x80\x04\x95\x04\0\0\0\0\0\0\0K\x01N.rest").unwrap();
    assert_eq!(names, ["PROTO", "FRAME", "BININT1", "NONE", "STOP"]);
    assert_eq!(asked, ["read 1", "read 1", "read 1", "read 8", "read 4"]);
}

#[test]
fn an_op_may_cross_the_end_of_a_frame() {
    let data = b"\x95\x01\0\0\0\0\0\0\0K\x07.";
    assert_eq!(read_all(data).unwrap().0, ["FRAME", "BININT1", "STOP"]);
    let mut memory = FeedReader::new(&data[..]);
    assert_eq!(memory.next_op().unwrap(), Op::Frame(1));
    assert_eq!(memory.next_op().unwrap(), Op::BinInt1(7));
}

#[test]
fn a_frame_that_the_data_do_not_hold_is_truncated() {
    for data in [&b"\x95\xff\0\0\0\0\0\0\0N."[..], b"\x95\xff\xff\xff\xff\xff\xff\xff\x7fN."] {
        let error = read_all(data).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Truncated, 0));
    }
}

#[test]
fn the_end_of_the_data_is_one_error_before_a_pickle_and_another_inside() {
    assert_eq!(read_all(b"").unwrap_err().kind(), ErrorKind::End);
    for data in [&b"N"[..], b"K", b"X\x05\0\0\0ab", b"I12"] {
        assert_eq!(read_all(data).unwrap_err().kind(), ErrorKind::Truncated, "{data:?}");
    }
}

#[test]
fn the_feed_is_left_after_stop() {
    let mut reader = FeedReader::new(File::new(b"N.N."));
    assert_eq!(reader.next_op().unwrap(), Op::None);
    assert_eq!(reader.next_op().unwrap(), Op::Stop);
    let file = reader.into_inner();
    assert_eq!((file.read, file.used), (2, 2));
}

#[test]
fn the_feed_is_left_at_an_op_that_cannot_be_read() {
    let mut reader = FeedReader::new(&b"N\xffrest"[..]);
    reader.next_op().unwrap();
    assert_eq!(reader.next_op().unwrap_err().kind(), ErrorKind::UnknownOpcode);
    assert_eq!(reader.op_offset(), 1);
    assert_eq!(reader.into_inner(), b"\xffrest");
}
