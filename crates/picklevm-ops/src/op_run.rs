//! `OpRun`: reserved space for a run of short ops.

use crate::forms;
use crate::int_op::{int_op, short_int_op};
use crate::opcode::Opcode;

/// Reserved space in a frame for a run of short ops, returned by [`Writer::reserve`](crate::Writer::reserve).
///
/// While it [is not full](Self::is_full), at least [128 bytes](Self::SLACK) fit into it. The rest is kept as a slice,
/// not as a position in memory, so that writing an op takes few instructions.
#[derive(Debug)]
pub struct OpRun<'w> {
    /// The rest of the space; the run is full when this is shorter than the slack.
    left: &'w mut [u8],
    /// Length of the space in bytes.
    size: usize,
}

/// Protocol whose opcodes are written: those that have an opcode in a run are the same from 2 on, except text and PUTs.
pub(crate) const RUN_PROTOCOL: u8 = 2;

impl<'w> OpRun<'w> {
    /// Number of bytes that can be written after [`is_full`](Self::is_full) returned `false`.
    pub const SLACK: usize = 128;

    /// Minimum length of a reserved run.
    pub(crate) const MIN_LEN: usize = Self::SLACK + 64;

    /// Creates a run that is full after `left` bytes, or at the end of `bytes`.
    #[inline(always)]
    pub(crate) fn new(bytes: &'w mut [u8], left: usize) -> Self {
        let size = bytes.len().min(left.saturating_add(Self::SLACK - 1));
        OpRun { left: &mut bytes[..size], size }
    }

    /// Creates a run on memory of the caller, which is never full because of a frame.
    #[inline(always)]
    pub fn over(bytes: &'w mut [u8]) -> Self {
        OpRun { size: bytes.len(), left: bytes }
    }

    /// Returns the number of bytes written.
    #[inline(always)]
    #[expect(clippy::len_without_is_empty, reason = "what matters is whether it is full")]
    pub fn len(&self) -> usize {
        self.size - self.left.len()
    }

    /// Returns whether the frame or the memory ends here.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.left.len() < Self::SLACK
    }

    /// Returns whether `len` bytes fit in addition to the slack.
    #[inline(always)]
    pub fn has(&self, len: usize) -> bool {
        self.left.len().checked_sub(Self::SLACK).is_some_and(|left| left >= len)
    }

    /// Returns a run on the rest of the space. What it writes counts once it is [advanced](Self::advance) over.
    #[inline(always)]
    pub fn rest(&mut self) -> OpRun<'_> {
        OpRun::over(self.left)
    }

    /// Counts `len` bytes as written.
    ///
    /// # Panics
    ///
    /// If fewer bytes are left.
    #[inline(always)]
    pub fn advance(&mut self, len: usize) {
        self.put_part(&[], len);
    }

    /// Appends `bytes`, of which only the first `len` count.
    #[inline(always)]
    fn put_part(&mut self, bytes: &[u8], len: usize) {
        let left = std::mem::take(&mut self.left);
        left[..bytes.len()].copy_from_slice(bytes);
        self.left = &mut left[len..];
    }

    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.put_part(&bytes, N);
    }

    /// Writes an opcode that has no operand.
    ///
    /// # Panics
    ///
    /// If no byte is left.
    #[inline(always)]
    pub fn bare(&mut self, opcode: Opcode) {
        debug_assert_eq!(opcode.operand(), None);
        self.put([opcode.byte()]);
    }

    /// Writes the first `count` of some opcodes that have no operands.
    ///
    /// # Panics
    ///
    /// If fewer bytes are left than there are opcodes.
    #[inline(always)]
    pub fn first_of<const N: usize>(&mut self, opcodes: [Opcode; N], count: usize) {
        self.put_part(&opcodes.map(Opcode::byte), count);
    }

    /// Writes NEWTRUE or NEWFALSE.
    ///
    /// # Panics
    ///
    /// If no byte is left.
    #[inline(always)]
    pub fn bool(&mut self, value: bool) {
        self.bare(forms::bool(RUN_PROTOCOL, value));
    }

    /// Writes BINFLOAT.
    ///
    /// # Panics
    ///
    /// If fewer than 9 bytes are left.
    #[inline(always)]
    pub fn float(&mut self, value: f64) {
        let mut bytes = [const { forms::float(RUN_PROTOCOL) }.byte(); 9];
        bytes[1..].copy_from_slice(&value.to_be_bytes());
        self.put(bytes);
    }

    /// Writes four BINFLOAT. If the run would be full before the last of them, the frame may end between two of them: then
    /// writes nothing and returns `false`.
    #[inline(always)]
    pub fn four_floats(&mut self, values: [f64; 4]) -> bool {
        const OP_LEN: usize = 9;
        let has_room = self.has(3 * OP_LEN);
        if has_room {
            let mut ops = [const { forms::float(RUN_PROTOCOL) }.byte(); 4 * OP_LEN];
            for (op, value) in ops.chunks_exact_mut(OP_LEN).zip(values) {
                op[1..].copy_from_slice(&value.to_be_bytes());
            }
            self.put(ops);
        }
        has_room
    }

    /// Writes an integer with the shortest of BININT1, BININT2, BININT and LONG1, as picklers do from protocol 2 on.
    ///
    /// # Panics
    ///
    /// If fewer than 16 bytes are left.
    #[inline(always)]
    pub fn int(&mut self, value: i64) {
        let (op, len) = int_op(value);
        self.put_part(&op, len);
    }

    /// Writes a short integer, as [`int`](Self::int) does.
    ///
    /// # Panics
    ///
    /// If fewer than 8 bytes are left.
    #[inline(always)]
    pub fn short_int(&mut self, value: i32) {
        let (op, len) = short_int_op(value);
        self.put_part(&op, len);
    }

    /// Writes four integers as [`int`](Self::int) does. If the run would be full before the last of them, the frame may end
    /// between two of them: then writes nothing and returns `false`.
    #[inline(always)]
    pub fn four_ints(&mut self, values: [i64; 4]) -> bool {
        // LONG1 with eight bytes is the longest.
        let has_room = self.has(3 * 10);
        if has_room {
            let left = std::mem::take(&mut self.left);
            // No length is above 15, so that all positions are known to lie within the array.
            let ops: &mut [u8; 64] = left.first_chunk_mut().expect("the slack is longer");
            let mut end = 0;
            for value in values {
                let (op, len) = int_op(value);
                ops[end..end + op.len()].copy_from_slice(&op);
                end += len;
            }
            self.left = &mut left[end..];
        }
        has_room
    }

    /// Writes four integers with BININT1. If the run would be full before the last of them, the frame may end between
    /// two of them: then writes nothing and returns `false`.
    #[inline(always)]
    pub fn four_bytes(&mut self, [a, b, c, d]: [u8; 4]) -> bool {
        let op = const { forms::int(RUN_PROTOCOL, 0) }.byte();
        let run = [op, a, op, b, op, c, op, d];
        let has_room = self.has(run.len() - 2);
        if has_room {
            self.put(run);
        }
        has_room
    }

    /// Writes BINGET, or LONG_BINGET from 256 on.
    ///
    /// # Panics
    ///
    /// If fewer than 8 bytes are left.
    #[inline(always)]
    pub fn get(&mut self, index: u32) {
        self.index(forms::get(RUN_PROTOCOL, index), index);
    }

    /// Writes BINPUT, or LONG_BINPUT from 256 on.
    ///
    /// # Panics
    ///
    /// If fewer than 8 bytes are left.
    #[inline(always)]
    pub fn put_index(&mut self, index: u32) {
        self.index(forms::put(RUN_PROTOCOL, index), index);
    }

    #[inline(always)]
    fn index(&mut self, opcode: Opcode, index: u32) {
        let len = if index < 256 { 2 } else { 5 };
        self.put_part(&(opcode.byte() as u64 | (index as u64) << 8).to_le_bytes(), len);
    }

    /// Writes an op with a one-byte length and a payload of up to 255 bytes, such as SHORT_BINUNICODE or LONG1. The
    /// payload is the first `len` bytes of `head`.
    ///
    /// All of `head` is copied: if its length is a constant, that is faster than copying `len` bytes. As with
    /// [`Text::trusted`](crate::Text::trusted), the caller guarantees that the bytes are valid for the opcode.
    ///
    /// # Panics
    ///
    /// If fewer bytes are left than two and the length of `head`.
    #[inline(always)]
    pub fn short(&mut self, opcode: Opcode, head: &[u8], len: u8) {
        self.counted([opcode.byte(), len], head, len.into());
    }

    /// Writes an op with a four-byte length, such as BINUNICODE; see [`short`](Self::short).
    ///
    /// # Panics
    ///
    /// If fewer bytes are left than five and the length of `head`.
    #[inline(always)]
    pub fn long(&mut self, opcode: Opcode, head: &[u8], len: u32) {
        let [a, b, c, d] = len.to_le_bytes();
        self.counted([opcode.byte(), a, b, c, d], head, len as usize);
    }

    /// Writes SHORT_BINUNICODE, or BINUNICODE below protocol 4. As with [`Text::trusted`](crate::Text::trusted), the
    /// caller guarantees that the text is valid.
    ///
    /// # Panics
    ///
    /// If fewer bytes are left than five and the length of the text, or if the text has 256 bytes or more.
    #[inline(always)]
    pub fn text<const PROTOCOL_4: bool>(&mut self, text: &[u8]) {
        let left = std::mem::take(&mut self.left);
        let start = if PROTOCOL_4 { 2 } else { 5 };
        let place = &mut left[..start + text.len()];
        if PROTOCOL_4 {
            place[0] = SHORT_TEXT.byte();
            place[1] = text.len() as u8;
        } else {
            place[0] = LONG_TEXT.byte();
            place[1..5].copy_from_slice(&(text.len() as u32).to_le_bytes());
        }
        copy_short(&mut place[start..], text);
        self.left = &mut left[start + text.len()..];
    }

    /// Writes an opcode with its length and a payload, with one bounds check.
    #[inline(always)]
    fn counted<const N: usize>(&mut self, start: [u8; N], head: &[u8], len: usize) {
        let left = std::mem::take(&mut self.left);
        let place = &mut left[..N + head.len()];
        place[..N].copy_from_slice(&start);
        place[N..].copy_from_slice(head);
        self.left = &mut left[N + len..];
    }
}

const SHORT_TEXT: Opcode = forms::text(4, 0).expect("text has an opcode");
const LONG_TEXT: Opcode = forms::text(RUN_PROTOCOL, 0).expect("text has an opcode");

/// Copies a slice of the same length, without a call if it is short: two copies of fixed width that may overlap.
#[inline(always)]
fn copy_short(to: &mut [u8], from: &[u8]) {
    #[inline(always)]
    fn ends<const N: usize>(to: &mut [u8], from: &[u8]) -> bool {
        let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) else { return false };
        if let Some(to) = to.first_chunk_mut::<N>() {
            *to = *first;
        }
        if let Some(to) = to.last_chunk_mut::<N>() {
            *to = *last;
        }
        true
    }
    let is_copied =
        from.len() <= 32 && (ends::<16>(to, from) || ends::<8>(to, from) || ends::<4>(to, from) || ends::<2>(to, from));
    if !is_copied {
        to.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Op;

    #[test]
    fn integers_of_all_sizes_are_written_as_their_ops_are() {
        let edges =
            (0..64).flat_map(|bits| [1i64 << bits, (1i64 << bits).wrapping_sub(1), (1i64 << bits).wrapping_add(1)]);
        for value in edges.flat_map(|value| [value, value.wrapping_neg()]) {
            let bytes = value.to_le_bytes();
            let len = (1..8).find(|len| value << (64 - 8 * len) >> (64 - 8 * len) == value).unwrap_or(8);
            let op = match value {
                0..=0xff => Op::BinInt1(value as u8),
                0x100..=0xffff => Op::BinInt2(value as u16),
                _ if value as i32 as i64 == value => Op::BinInt(value as i32),
                _ => Op::Long1(&bytes[..len]),
            };
            let mut expected = Vec::new();
            op.encode(&mut expected).expect("fits");
            let mut bytes = [0; 256];
            let mut run = OpRun::new(&mut bytes, 1000);
            run.int(value);
            let len = run.len();
            assert_eq!(bytes[..len], expected, "{value}");
            if let Ok(value) = i32::try_from(value) {
                let mut run = OpRun::new(&mut bytes, 1000);
                run.short_int(value);
                let len = run.len();
                assert_eq!(bytes[..len], expected, "{value}");
            }
        }
    }

    #[test]
    fn a_run_is_full_at_the_end_of_the_frame_or_of_the_memory() {
        for (memory, left, writes) in [
            (1000, 3, 2),
            (OpRun::SLACK + 5, 1000, 3),
            (OpRun::SLACK, 1000, 1),
            (OpRun::SLACK - 1, 1000, 0),
            (1000, 0, 0),
        ] {
            let mut bytes = vec![0; memory];
            let mut run = OpRun::new(&mut bytes, left);
            let mut written = 0;
            while !run.is_full() {
                assert!(run.has(0) && !run.has(memory));
                run.int(7);
                written += 1;
            }
            assert_eq!(written, writes, "{memory} bytes, {left} left in the frame");
        }
    }

    #[test]
    fn has_counts_the_bytes_left_beyond_the_slack() {
        let mut bytes = [0; OpRun::SLACK + 72];
        let run = OpRun::new(&mut bytes, 1000);
        assert!(run.has(72) && !run.has(73) && !run.has(usize::MAX));
        let run = OpRun::new(&mut bytes, 10);
        assert!(run.has(9) && !run.has(10));
    }

    #[test]
    fn four_integers_are_written_unless_the_frame_may_end_between_them() {
        for left in 0..20 {
            let mut bytes = [0; 256];
            let mut one_by_one = OpRun::new(&mut bytes, left);
            for byte in [1, 2, 3, 4] {
                if !one_by_one.is_full() {
                    one_by_one.int(byte);
                }
            }
            let fits = one_by_one.len() == 8;
            let mut bytes = [0; 256];
            let mut run = OpRun::new(&mut bytes, left);
            assert_eq!(run.four_bytes([1, 2, 3, 4]), fits, "{left} bytes left in the frame");
            assert_eq!(run.len(), if fits { 8 } else { 0 });
        }
    }

    #[test]
    fn four_integers_of_any_sizes_are_written_as_one_by_one() {
        let sizes = [0, 255, 256, -1, 65_536, i64::from(i32::MIN), 1 << 40, i64::MAX, i64::MIN];
        for at in 0..sizes.len().pow(4) {
            let four = [0, 1, 2, 3].map(|place| sizes[at / sizes.len().pow(place) % sizes.len()]);
            let mut bytes = [0; 256];
            let mut one_by_one = OpRun::new(&mut bytes, 100);
            four.into_iter().for_each(|value| one_by_one.int(value));
            let len = one_by_one.len();
            let mut at_once = [0; 256];
            let mut run = OpRun::new(&mut at_once, 100);
            assert!(run.four_ints(four));
            let written = run.len();
            assert_eq!(at_once[..written], bytes[..len], "{four:?}");
        }
    }

    #[test]
    fn four_integers_of_any_sizes_are_written_only_if_the_frame_cannot_end_between_them() {
        for left in 0..50 {
            let mut bytes = [0; 256];
            let mut run = OpRun::new(&mut bytes, left);
            assert_eq!(run.four_ints([i64::MAX; 4]), left > 30, "{left} bytes left in the frame");
            assert_eq!(run.len(), if left > 30 { 40 } else { 0 });
        }
    }

    #[test]
    fn what_a_run_on_the_rest_writes_counts_when_it_is_advanced_over() {
        let mut bytes = [0; 256];
        let mut run = OpRun::new(&mut bytes, 200);
        run.int(1);
        let mut rest = run.rest();
        rest.int(2);
        let len = rest.len();
        run.advance(len);
        run.int(3);
        let len = run.len();
        assert_eq!(bytes[..len], *b"K\x01K\x02K\x03");
    }

    #[test]
    fn four_floats_are_written_unless_the_frame_may_end_between_them() {
        for left in 0..40 {
            let mut bytes = [0; 256];
            let mut one_by_one = OpRun::new(&mut bytes, left);
            for value in [1.5, -2.0, 0.25, 4e300] {
                if !one_by_one.is_full() {
                    one_by_one.float(value);
                }
            }
            let len = one_by_one.len();
            let mut at_once = [0; 256];
            let mut run = OpRun::new(&mut at_once, left);
            assert_eq!(run.four_floats([1.5, -2.0, 0.25, 4e300]), len == 36, "{left} bytes left in the frame");
            let expected: &[u8] = if len == 36 { &bytes[..36] } else { &[] };
            let written = run.len();
            assert_eq!(&at_once[..written], expected);
        }
    }

    #[test]
    fn text_of_every_length_is_copied_whole() {
        let text: Vec<u8> = (0..=254).collect();
        for len in 0..=text.len() {
            let mut bytes = [0; 1024];
            let mut run = OpRun::new(&mut bytes, 1024);
            run.text::<true>(&text[..len]);
            run.bare(Opcode::Memoize);
            run.text::<false>(&text[..len]);
            let written = run.len();
            let mut expected = vec![0x8c, len as u8];
            expected.extend(&text[..len]);
            expected.extend([0x94, b'X', len as u8, 0, 0, 0]);
            expected.extend(&text[..len]);
            assert_eq!(bytes[..written], expected, "{len} bytes");
        }
    }

    #[test]
    fn only_the_first_len_copied_bytes_count() {
        let mut bytes = [0; 256];
        let mut run = OpRun::new(&mut bytes, 100);
        run.short(Opcode::ShortBinUnicode, b"abcdefgh", 3);
        run.long(Opcode::BinUnicode, b"\x01\x02\x03\x04", 2);
        run.bare(Opcode::Memoize);
        assert!(run.four_bytes([1, 2, 3, 4]));
        run.get(255);
        run.put_index(256);
        let len = run.len();
        assert_eq!(bytes[..len], *b"\x8c\x03abcX\x02\0\0\0\x01\x02\x94K\x01K\x02K\x03K\x04h\xffr\0\x01\0\0");
    }
}
