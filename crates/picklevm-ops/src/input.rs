//! Inputs that ops are decoded from, and the fast path over a slice.
//!
//! Every op is first tried on a [`Window`], which ignores frames and builds no errors: it returns [`Miss`] for anything
//! unusual. A cold path then reads the op again from an [`Unframer`](crate::frame::Unframer), which applies all the
//! rules. Both run the same table.

use crate::ints::{IntRun, ShortInt};
use crate::opcode::Opcode;
use crate::unfit::Unfit;

const BININT1: u8 = ShortInt::BININT1;

/// The bytes that an op is read from. Each method is one read in the sense of CPython's `_Unframer`.
pub(crate) trait Input<'a> {
    type Error;

    /// Reads the byte of the opcode.
    fn opcode(&mut self) -> Result<u8, Self::Error>;

    /// Reads exactly `N` bytes.
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Self::Error>;

    /// Reads exactly `len` bytes.
    fn bytes(&mut self, len: u64) -> Result<&'a [u8], Self::Error>;

    /// Reads exactly `len` bytes, and returns whether they are known to be ASCII (`false`: not known).
    #[inline(always)]
    fn text(&mut self, len: u64) -> Result<(&'a [u8], bool), Self::Error> {
        Ok((self.bytes(len)?, false))
    }

    /// Reads the bytes up to the next newline, without it.
    fn line(&mut self) -> Result<&'a [u8], Self::Error>;

    /// Whether short integers are read as [`ShortInt`] whatever their opcode.
    const SHORT_INTS: bool = false;

    /// Reads the operand of an opcode that holds a [`ShortInt`], if it is at most seven bytes.
    #[inline(always)]
    fn short_int(&mut self, _opcode: u8) -> Result<Option<ShortInt<'a>>, Self::Error> {
        Ok(None)
    }

    /// Reads the operand and the small integers after it, if recent integers mostly came in runs.
    #[inline(always)]
    fn small_ints(&mut self, _opcode: u8) -> Result<Option<IntRun>, Self::Error> {
        Ok(None)
    }

    /// Reads the operands of four consecutive BININT1, if four come next; the first opcode has been read.
    #[inline(always)]
    fn four_bytes(&mut self) -> Option<[u8; 4]> {
        None
    }

    /// Reads the operands of two consecutive BININT1; see [`four_bytes`](Self::four_bytes).
    #[inline(always)]
    fn two_bytes(&mut self) -> Option<[u8; 2]> {
        None
    }

    /// Reads MEMOIZE if it comes next, and returns its offset.
    #[inline(always)]
    fn memoize(&mut self) -> Option<u64> {
        None
    }

    /// Begins a frame of `len` bytes after the op.
    fn open_frame(&mut self, len: u64) -> Result<(), Self::Error>;

    /// Returns the error for a byte that is not an opcode.
    fn unknown(&self, byte: u8) -> Self::Error;

    /// Returns the error for an invalid operand.
    fn unfit(&self, unfit: Unfit<'_>) -> Self::Error;
}

/// The bytes readable without a frame check: those of the current frame, or all if there is none. `LONG_INPUT` selects
/// the code for long inputs: there, branches on the kinds of integers and texts are often mispredicted, so fewer are
/// taken. For short inputs that are read often, the branch predictor has learned the pattern.
///
/// It keeps a position for short inputs, and the bytes that are left for long ones: with a position, compilers moved that of
/// the long loop to the stack, and each op waited for the store of the one before; short inputs take more instructions with
/// the bytes that are left. What the other one keeps is never read, and compilers remove it.
pub(crate) struct Window<'a, const LONG_INPUT: bool> {
    bytes: &'a [u8],
    pos: usize,
    /// The bytes that were not read yet, if the input is long. An iterator: its end stays, so that only its start changes.
    rest: std::slice::Iter<'a, u8>,
    /// Offset of the end of `rest`.
    end: usize,
    last: IntHistory,
}

/// History of the last integers, one bit each. Code branches on the whole history, which is predictable, instead of on
/// one integer, which is not.
#[derive(Default)]
struct IntHistory {
    /// Bit set: the integer is too large to begin an [`IntRun`].
    larger: u64,
    /// Bit set: the integer was the only one of its [`IntRun`].
    single: u8,
}

impl IntHistory {
    /// Returns whether the last integers and the one of this opcode are all small.
    #[inline(always)]
    fn are_small(&mut self, opcode: u8) -> bool {
        let is_larger = u64::from(!IntRun::is_held_by(opcode));
        if self.larger | is_larger == 0 {
            return true;
        }
        self.larger = self.larger << 1 | is_larger;
        false
    }

    /// Returns whether the last runs and this one all held a single integer.
    #[inline(always)]
    fn are_single(&mut self, ints: IntRun) -> bool {
        let were = self.single == u8::MAX;
        self.single = self.single << 1 | u8::from(ints.is_single());
        were & ints.is_single()
    }
}

/// The op cannot be read on the fast path.
pub(crate) struct Miss;

impl<'a, const LONG_INPUT: bool> Window<'a, LONG_INPUT> {
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8], pos: usize) -> Self {
        let rest = bytes.get(pos..).unwrap_or_default();
        Window { bytes, pos, rest: rest.iter(), end: pos + rest.len(), last: IntHistory::default() }
    }

    /// Returns the position after the last read.
    #[inline(always)]
    pub(crate) fn pos(&self) -> usize {
        if LONG_INPUT { self.end - self.rest.len() } else { self.pos }
    }

    /// Returns the bytes that were not read yet.
    #[inline(always)]
    fn rest(&self) -> Result<&'a [u8], Miss> {
        if LONG_INPUT { Ok(self.rest.as_slice()) } else { self.bytes.get(self.pos..).ok_or(Miss) }
    }

    /// Returns the next byte.
    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        if LONG_INPUT { self.rest.clone().next().copied() } else { self.bytes.get(self.pos).copied() }
    }

    /// Skips bytes that were read.
    #[inline(always)]
    fn advance(&mut self, len: usize) {
        if !LONG_INPUT {
            self.pos += len;
        } else if let Some(before_last) = len.checked_sub(1) {
            self.rest.nth(before_last);
        }
    }

    /// Returns the opcode that was just read, and the bytes after it.
    #[inline(always)]
    fn op_and_rest(&self) -> Option<&'a [u8]> {
        self.bytes.get(self.pos().checked_sub(1)?..)
    }
}

impl<'a, const LONG_INPUT: bool> Input<'a> for Window<'a, LONG_INPUT> {
    type Error = Miss;

    #[inline(always)]
    fn opcode(&mut self) -> Result<u8, Miss> {
        let byte = self.peek().ok_or(Miss)?;
        self.advance(1);
        Ok(byte)
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Miss> {
        let array = *self.rest()?.first_chunk().ok_or(Miss)?;
        self.advance(N);
        Ok(array)
    }

    #[inline(always)]
    fn bytes(&mut self, len: u64) -> Result<&'a [u8], Miss> {
        let len = usize::try_from(len).map_err(|_| Miss)?;
        let bytes = self.rest()?.get(..len).ok_or(Miss)?;
        self.advance(len);
        Ok(bytes)
    }

    #[inline(always)]
    fn text(&mut self, len: u64) -> Result<(&'a [u8], bool), Miss> {
        let rest = self.rest()?;
        let bytes = self.bytes(len)?;
        Ok((bytes, LONG_INPUT && rest.first_chunk().is_some_and(|start| starts_with_ascii(start, bytes.len()))))
    }

    #[inline(always)]
    fn line(&mut self) -> Result<&'a [u8], Miss> {
        let rest = self.rest()?;
        let len = find_newline(rest).ok_or(Miss)?;
        self.advance(len + 1);
        Ok(&rest[..len])
    }

    const SHORT_INTS: bool = LONG_INPUT;

    #[inline(always)]
    fn short_int(&mut self, opcode: u8) -> Result<Option<ShortInt<'a>>, Miss> {
        let bytes: &[u8; 8] = self.rest()?.first_chunk().ok_or(Miss)?;
        let int = ShortInt::new(opcode, bytes);
        let width = int.map_or(0, ShortInt::width);
        // Never more, and so known to be there: the next op does not wait for a check.
        if width > bytes.len() {
            return Err(Miss);
        }
        self.advance(width);
        Ok(int)
    }

    #[inline(always)]
    fn small_ints(&mut self, opcode: u8) -> Result<Option<IntRun>, Miss> {
        if !self.last.are_small(opcode) {
            return Ok(None);
        }
        let (ints, width) = IntRun::new(opcode, self.rest()?.first_chunk().ok_or(Miss)?);
        if self.last.are_single(ints) {
            return Ok(None);
        }
        self.advance(width);
        Ok(Some(ints))
    }

    #[inline(always)]
    fn four_bytes(&mut self) -> Option<[u8; 4]> {
        const OPCODES: u64 = u64::from_le_bytes([BININT1, 0, BININT1, 0, BININT1, 0, BININT1, 0]);
        let ops: &[u8; 8] = self.op_and_rest()?.first_chunk()?;
        if u64::from_le_bytes(*ops) & 0x00ff_00ff_00ff_00ff != OPCODES {
            return None;
        }
        self.advance(7);
        Some([ops[1], ops[3], ops[5], ops[7]])
    }

    #[inline(always)]
    fn two_bytes(&mut self) -> Option<[u8; 2]> {
        let &[_, first, opcode, second] = self.op_and_rest()?.first_chunk()?;
        if opcode != BININT1 {
            return None;
        }
        self.advance(3);
        Some([first, second])
    }

    #[inline(always)]
    fn memoize(&mut self) -> Option<u64> {
        let offset = self.pos() as u64;
        if self.peek()? != Opcode::Memoize.byte() {
            return None;
        }
        self.advance(1);
        Some(offset)
    }

    #[inline(always)]
    fn open_frame(&mut self, _len: u64) -> Result<(), Miss> {
        Err(Miss)
    }

    #[inline(always)]
    fn unknown(&self, _byte: u8) -> Miss {
        Miss
    }

    #[inline(always)]
    fn unfit(&self, _unfit: Unfit<'_>) -> Miss {
        Miss
    }
}

/// Number of bytes of a text that are checked for ASCII at once.
const ASCII_CHUNK: usize = 32;

/// [`ASCII_CHUNK`] bytes with the high bit set, then as many zeros.
const ASCII_MASKS: [u8; 2 * ASCII_CHUNK] = {
    let mut bits = [0; 2 * ASCII_CHUNK];
    let mut at = 0;
    while at < ASCII_CHUNK {
        bits[at] = 0x80;
        at += 1;
    }
    bits
};

/// Returns whether `len` is at most [`ASCII_CHUNK`] and the first `len` bytes are ASCII. Lengths of short texts vary,
/// so a branch on them would often be mispredicted: the bytes after the text are masked instead.
#[inline(always)]
fn starts_with_ascii(start: &[u8; ASCII_CHUNK], len: usize) -> bool {
    let mask = ASCII_CHUNK.checked_sub(len).and_then(|unused| ASCII_MASKS.get(unused..)?.first_chunk::<ASCII_CHUNK>());
    mask.is_some_and(|mask| start.iter().zip(mask).fold(0, |high, (byte, mask)| high | byte & mask) == 0)
}

/// Returns the position of the first newline.
#[inline]
pub(crate) fn find_newline(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', bytes)
}
