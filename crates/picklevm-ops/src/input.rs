//! What operands are decoded from: the quick way through a slice.
//!
//! Every op is tried first on a [`Window`], which knows no frames and makes no errors: it says [`Miss`] whenever
//! anything is out of the ordinary, and the op is read again, in a cold place, from an
//! [`Unframer`](crate::frame::Unframer), which knows all the rules. Both run the same table.

use crate::operand::Unfit;

/// Where the bytes of an op come from. Each method is one read, as CPython's `_Unframer` means it.
pub(crate) trait Input<'a> {
    type Error;

    /// The byte of the opcode.
    fn opcode(&mut self) -> Result<u8, Self::Error>;

    /// Exactly `N` bytes.
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Self::Error>;

    /// Exactly `len` bytes.
    fn bytes(&mut self, len: u64) -> Result<&'a [u8], Self::Error>;

    /// The bytes up to the next newline, without it.
    fn line(&mut self) -> Result<&'a [u8], Self::Error>;

    /// A frame of `len` bytes begins after the op.
    fn open_frame(&mut self, len: u64) -> Result<(), Self::Error>;

    /// The byte that was read is no opcode.
    fn unknown(&self, byte: u8) -> Self::Error;

    /// The operand that was read is none.
    fn unfit(&self, unfit: Unfit<'_>) -> Self::Error;
}

/// The bytes that can be read without a thought: those of the current frame, or all when there is none.
pub(crate) struct Window<'a> {
    bytes: &'a [u8],
    pos: usize,
}

/// The op is not plainly there.
pub(crate) struct Miss;

impl<'a> Window<'a> {
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8], pos: usize) -> Self {
        Window { bytes, pos }
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
}

impl<'a> Input<'a> for Window<'a> {
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
    fn line(&mut self) -> Result<&'a [u8], Miss> {
        let rest = self.rest()?;
        let len = find_newline(rest).ok_or(Miss)?;
        self.pos += len + 1;
        Ok(&rest[..len])
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

/// Where the first newline lies.
#[inline]
pub(crate) fn find_newline(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', bytes)
}
