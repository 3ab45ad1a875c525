//! Reading through frames, by the rules of CPython's pure-Python `_Unframer`.

use crate::error::{Error, ErrorKind};
use crate::input::{Input, find_newline};
use crate::opcode::Opcode;
use crate::unfit::Unfit;

/// An input that checks frames: each read must lie within the current frame or begin at its end.
///
/// A read may also fail because bytes have not arrived yet, which is not an error while more may arrive.
pub(crate) struct Unframer<'a> {
    /// The bytes that have arrived, from the beginning of the op.
    bytes: &'a [u8],
    /// Offset of the op in the whole input.
    offset: u64,
    /// Number of bytes read.
    pos: usize,
    /// Offset of the end of the current frame in the whole input.
    frame: Option<u64>,
    opcode: Option<Opcode>,
}

/// The reason why an op was not read.
pub(crate) enum Halt {
    Failed(Error),
    More(Need),
}

/// The bytes that are missing.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    /// Position in the op at which the failed read begins.
    pub(crate) from: usize,
    /// Number of bytes it needs; for a line, its maximum length.
    pub(crate) len: u64,
    /// Whether it reads a line, which a newline may end earlier.
    pub(crate) line: bool,
    opcode: Option<Opcode>,
}

impl<'a> Unframer<'a> {
    /// Creates an input for the op at `offset`, of which (and of the data after it) `bytes` have arrived.
    pub(crate) fn new(bytes: &'a [u8], offset: u64, frame: Option<u64>) -> Self {
        Unframer { bytes, offset, pos: 0, frame, opcode: None }
    }

    /// Returns the number of bytes read.
    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    /// Returns the offset of the end of the current frame.
    pub(crate) fn frame(&self) -> Option<u64> {
        self.frame
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.pos..]
    }

    /// Returns the number of bytes left in the current frame, if there is one.
    fn left_in_frame(&self) -> Option<u64> {
        self.frame.map(|end| end - self.offset - self.pos as u64)
    }

    fn more(&self, len: u64, line: bool) -> Halt {
        Halt::More(Need { from: self.pos, len, line, opcode: self.opcode })
    }

    #[cold]
    fn fail(&self, kind: ErrorKind, expected: &'static str, found: String) -> Halt {
        Halt::Failed(Error::new(kind, self.offset, self.opcode, expected, found))
    }

    /// Reads `len` bytes, leaving the frame if it has ended.
    fn read(&mut self, len: u64) -> Result<&'a [u8], Halt> {
        match self.left_in_frame() {
            Some(0) if len > 0 => self.frame = None,
            Some(left) if left < len => {
                let found = format!("{len} with {left} left");
                return Err(self.fail(ErrorKind::Frame, "no more bytes than are left in the frame", found));
            }
            _ => {}
        }
        let bytes = usize::try_from(len).ok().and_then(|len| self.rest().get(..len));
        let bytes = bytes.ok_or_else(|| self.more(len, false))?;
        self.pos += bytes.len();
        Ok(bytes)
    }
}

impl<'a> Input<'a> for Unframer<'a> {
    type Error = Halt;

    fn opcode(&mut self) -> Result<u8, Halt> {
        let [byte] = self.array()?;
        self.opcode = Opcode::from_byte(byte);
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Halt> {
        let bytes = self.read(N as u64)?;
        bytes.first_chunk().copied().ok_or_else(|| self.more(N as u64, false))
    }

    fn bytes(&mut self, len: u64) -> Result<&'a [u8], Halt> {
        self.read(len)
    }

    fn line(&mut self) -> Result<&'a [u8], Halt> {
        if self.left_in_frame() == Some(0) {
            self.frame = None;
        }
        let rest = self.rest();
        let left = self.left_in_frame().unwrap_or(u64::MAX);
        let within = usize::try_from(left).ok().and_then(|left| rest.get(..left));
        match (find_newline(within.unwrap_or(rest)), within) {
            (Some(len), _) => {
                self.pos += len + 1;
                Ok(&rest[..len])
            }
            (None, Some(within)) => {
                let found = format!("none in the remaining {} bytes", within.len());
                Err(self.fail(ErrorKind::Frame, "a newline before the end of the frame", found))
            }
            (None, None) => Err(self.more(left, true)),
        }
    }

    fn open_frame(&mut self, len: u64) -> Result<(), Halt> {
        if let Some(left @ 1..) = self.left_in_frame() {
            let found = format!("another frame {left} bytes before it");
            return Err(self.fail(ErrorKind::Frame, "the end of the current frame", found));
        }
        self.frame = Some((self.offset + self.pos as u64).saturating_add(len));
        Ok(())
    }

    fn unknown(&self, byte: u8) -> Halt {
        self.fail(ErrorKind::UnknownOpcode, "an opcode", format!("the byte {byte:#04x}"))
    }

    fn unfit(&self, unfit: Unfit<'_>) -> Halt {
        Halt::Failed(Error::unfit(self.offset, self.opcode, unfit))
    }
}

impl Halt {
    /// Returns the error if nothing more arrives after the `arrived` bytes of the op at `offset`. `first` says that a
    /// pickle would begin there.
    #[cold]
    pub(crate) fn into_error(self, offset: u64, arrived: usize, first: bool) -> Error {
        let need = match self {
            Halt::Failed(error) => return error,
            Halt::More(need) => need,
        };
        if arrived == 0 {
            let (kind, expected) =
                if first { (ErrorKind::End, "a pickle") } else { (ErrorKind::Truncated, "an opcode") };
            return Error::new(kind, offset, None, expected, "the end of the data").needing(offset.saturating_add(1));
        }
        let needed = if need.line { arrived as u64 + 1 } else { (need.from as u64).saturating_add(need.len) };
        let expected = match need {
            Need { line: true, .. } => "a line that ends with a newline".into(),
            Need { len: 1, .. } => "1 byte".into(),
            Need { len, .. } => format!("{len} bytes"),
        };
        let found = format!("{} before the end", arrived - need.from);
        Error::new(ErrorKind::Truncated, offset, need.opcode, expected, found).needing(offset.saturating_add(needed))
    }
}
