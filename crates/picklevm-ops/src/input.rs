//! What operands are decoded from: the quick way through a slice.
//!
//! Every op is tried first on a [`Window`], which knows no frames and makes no errors: it says [`Miss`] whenever
//! anything is out of the ordinary, and the op is read again, in a cold place, from an
//! [`Unframer`](crate::frame::Unframer), which knows all the rules. Both run the same table.

use crate::opcode::Opcode;
use crate::operand::{IntRun, ShortInt, Unfit};

const BININT1: u8 = ShortInt::BININT1;

/// Where the bytes of an op come from. Each method is one read, as CPython's `_Unframer` means it.
pub(crate) trait Input<'a> {
    type Error;

    /// The byte of the opcode.
    fn opcode(&mut self) -> Result<u8, Self::Error>;

    /// Exactly `N` bytes.
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Self::Error>;

    /// Exactly `len` bytes.
    fn bytes(&mut self, len: u64) -> Result<&'a [u8], Self::Error>;

    /// Exactly `len` bytes, and whether they are known to be ASCII: if not, they may still be.
    #[inline(always)]
    fn text(&mut self, len: u64) -> Result<(&'a [u8], bool), Self::Error> {
        Ok((self.bytes(len)?, false))
    }

    /// The bytes up to the next newline, without it.
    fn line(&mut self) -> Result<&'a [u8], Self::Error>;

    /// Whether short integers are read as such, whichever opcode holds them.
    const SHORT_INTS: bool = false;

    /// The operand of an opcode that holds a [`ShortInt`], if it is short.
    #[inline(always)]
    fn short_int(&mut self, _opcode: u8) -> Result<Option<ShortInt<'a>>, Self::Error> {
        Ok(None)
    }

    /// The same with those behind it, if such integers mostly come together.
    #[inline(always)]
    fn small_ints(&mut self, _opcode: u8) -> Result<Option<IntRun>, Self::Error> {
        Ok(None)
    }

    /// The operands of four BININT1 one behind the other, if such come next; the first opcode has been read.
    #[inline(always)]
    fn four_bytes(&mut self) -> Option<[u8; 4]> {
        None
    }

    /// The same of two.
    #[inline(always)]
    fn two_bytes(&mut self) -> Option<[u8; 2]> {
        None
    }

    /// MEMOIZE, if it comes next, and where it does.
    #[inline(always)]
    fn memoize(&mut self) -> Option<u64> {
        None
    }

    /// A frame of `len` bytes begins after the op.
    fn open_frame(&mut self, len: u64) -> Result<(), Self::Error>;

    /// The byte that was read is no opcode.
    fn unknown(&self, byte: u8) -> Self::Error;

    /// The operand that was read is none.
    fn unfit(&self, unfit: Unfit<'_>) -> Self::Error;
}

/// The bytes that can be read without a thought: those of the current frame, or all when there is none. `LONG` tells
/// that the input is long: branches that tell its integers and texts apart are often foreseen wrongly then, so that it
/// is read with fewer of them. What is short and read often, processors know by heart.
pub(crate) struct Window<'a, const LONG: bool> {
    bytes: &'a [u8],
    pos: usize,
    last: LastInts,
}

/// What the last integers were like, a bit for each. What was so of many is so of the next one, mostly, and then it is
/// foreseen; asked of that one alone, it would not be.
#[derive(Default)]
struct LastInts {
    /// Whether no [`IntRun`] begins with it.
    larger: u64,
    /// Whether it is the only one of its [`IntRun`].
    single: u8,
}

impl LastInts {
    /// Whether all of the last and the one of this opcode are small.
    #[inline(always)]
    fn are_small(&mut self, opcode: u8) -> bool {
        let is_larger = u64::from(!IntRun::is_held_by(opcode));
        if self.larger | is_larger == 0 {
            return true;
        }
        self.larger = self.larger << 1 | is_larger;
        false
    }

    /// Whether all of the last and this one came one by one.
    #[inline(always)]
    fn are_single(&mut self, ints: IntRun) -> bool {
        let were = self.single == u8::MAX;
        self.single = self.single << 1 | u8::from(ints.is_single());
        were & ints.is_single()
    }
}

/// The op is not plainly there.
pub(crate) struct Miss;

impl<'a, const LONG: bool> Window<'a, LONG> {
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8], pos: usize) -> Self {
        Window { bytes, pos, last: LastInts::default() }
    }

    /// How far it was read.
    #[inline(always)]
    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    #[inline(always)]
    fn rest(&self) -> Result<&'a [u8], Miss> {
        self.bytes.get(self.pos..).ok_or(Miss)
    }

    /// The rest, with the opcode that has been read.
    #[inline(always)]
    fn op_and_rest(&self) -> Option<&'a [u8]> {
        self.bytes.get(self.pos.checked_sub(1)?..)
    }
}

impl<'a, const LONG: bool> Input<'a> for Window<'a, LONG> {
    type Error = Miss;

    #[inline(always)]
    fn opcode(&mut self) -> Result<u8, Miss> {
        let byte = *self.bytes.get(self.pos).ok_or(Miss)?;
        self.pos += 1;
        Ok(byte)
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Miss> {
        let array = *self.rest()?.first_chunk().ok_or(Miss)?;
        self.pos += N;
        Ok(array)
    }

    #[inline(always)]
    fn bytes(&mut self, len: u64) -> Result<&'a [u8], Miss> {
        let len = usize::try_from(len).map_err(|_| Miss)?;
        let bytes = self.rest()?.get(..len).ok_or(Miss)?;
        self.pos += len;
        Ok(bytes)
    }

    #[inline(always)]
    fn text(&mut self, len: u64) -> Result<(&'a [u8], bool), Miss> {
        let rest = self.rest()?;
        let bytes = self.bytes(len)?;
        Ok((bytes, LONG && rest.first_chunk().is_some_and(|start| starts_with_ascii(start, bytes.len()))))
    }

    #[inline(always)]
    fn line(&mut self) -> Result<&'a [u8], Miss> {
        let rest = self.rest()?;
        let len = find_newline(rest).ok_or(Miss)?;
        self.pos += len + 1;
        Ok(&rest[..len])
    }

    const SHORT_INTS: bool = LONG;

    #[inline(always)]
    fn short_int(&mut self, opcode: u8) -> Result<Option<ShortInt<'a>>, Miss> {
        let int = ShortInt::new(opcode, self.rest()?.first_chunk().ok_or(Miss)?);
        self.pos += int.map_or(0, ShortInt::width);
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
        self.pos += width;
        Ok(Some(ints))
    }

    #[inline(always)]
    fn four_bytes(&mut self) -> Option<[u8; 4]> {
        const OPCODES: u64 = u64::from_le_bytes([BININT1, 0, BININT1, 0, BININT1, 0, BININT1, 0]);
        let ops: &[u8; 8] = self.op_and_rest()?.first_chunk()?;
        if u64::from_le_bytes(*ops) & 0x00ff_00ff_00ff_00ff != OPCODES {
            return None;
        }
        self.pos += 7;
        Some([ops[1], ops[3], ops[5], ops[7]])
    }

    #[inline(always)]
    fn two_bytes(&mut self) -> Option<[u8; 2]> {
        let &[_, first, opcode, second] = self.op_and_rest()?.first_chunk()?;
        if opcode != BININT1 {
            return None;
        }
        self.pos += 3;
        Some([first, second])
    }

    #[inline(always)]
    fn memoize(&mut self) -> Option<u64> {
        let offset = self.pos as u64;
        if *self.bytes.get(self.pos)? != Opcode::Memoize.byte() {
            return None;
        }
        self.pos += 1;
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

/// Bytes of a text that are looked at in one go.
const AT_ONCE: usize = 32;

/// The high bits of as many bytes as are looked at, and then none.
const HIGH_BITS: [u8; 2 * AT_ONCE] = {
    let mut bits = [0; 2 * AT_ONCE];
    let mut at = 0;
    while at < AT_ONCE {
        bits[at] = 0x80;
        at += 1;
    }
    bits
};

/// Whether the first `len` bytes are no more than are looked at in one go, and ASCII. The lengths of short texts vary, so
/// that a branch on them would often be foreseen wrongly: what comes behind the text is masked instead.
#[inline(always)]
fn starts_with_ascii(start: &[u8; AT_ONCE], len: usize) -> bool {
    let mask = AT_ONCE.checked_sub(len).and_then(|unused| HIGH_BITS.get(unused..)?.first_chunk::<AT_ONCE>());
    mask.is_some_and(|mask| start.iter().zip(mask).fold(0, |high, (byte, mask)| high | byte & mask) == 0)
}

/// Where the first newline lies.
#[inline]
pub(crate) fn find_newline(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', bytes)
}
