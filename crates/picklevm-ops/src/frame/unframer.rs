//! Reading through frames, by the rules of CPython's pure-Python `_Unframer`.

use crate::error::{Error, ErrorKind};
use crate::input::{Input, find_newline};
use crate::opcode::Opcode;
use crate::operand::Unfit;

/// An input that knows frames: each read lies wholly in the current frame or begins where that ends.
///
/// Beside the errors it makes there is the wish for more bytes, which is none while more may arrive.
pub(crate) struct Unframer<'a> {
    /// What has arrived, from the op on.
    bytes: &'a [u8],
    /// Where the op begins, in the whole input.
    offset: u64,
    /// How much of `bytes` was read.
    pos: usize,
    /// Where the current frame ends, in the whole input.
    frame: Option<u64>,
    opcode: Option<Opcode>,
}

/// Why an op was not read.
pub(crate) enum Halt {
    Failed(Error),
    More(Need),
}

/// What is missing.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    /// Where in the op the read begins that did not succeed.
    pub(crate) from: usize,
    /// How many bytes it needs; for a line, how many it may take.
    pub(crate) len: u64,
    /// It is a line: a newline may end it before.
    pub(crate) line: bool,
    opcode: Option<Opcode>,
}

impl<'a> Unframer<'a> {
    /// Reads the op at `offset`, of which (and of what follows) `bytes` have arrived.
    pub(crate) fn new(bytes: &'a [u8], offset: u64, frame: Option<u64>) -> Self {
        Unframer { bytes, offset, pos: 0, frame, opcode: None }
    }

    /// How many bytes were read.
    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    /// Where the current frame ends.
    pub(crate) fn frame(&self) -> Option<u64> {
        self.frame
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.pos..]
    }

    /// How many bytes of the current frame are left, if there is one.
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

    /// A read of `len` bytes; it leaves a frame that is over.
    fn read(&mut self, len: u64) -> Result<&'a [u8], Halt> {
        match self.left_in_frame() {
            Some(0) if len > 0 => self.frame = None,
            Some(left) if left < len => {
                let found = format!("{len} where {left} are left");
                return Err(self.fail(ErrorKind::Frame, "no more bytes than the frame holds", found));
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
                let found = format!("none in the {} bytes that are left", within.len());
                Err(self.fail(ErrorKind::Frame, "a newline before the end of the frame", found))
            }
            (None, None) => Err(self.more(left, true)),
        }
    }

    fn open_frame(&mut self, len: u64) -> Result<(), Halt> {
        if let Some(left @ 1..) = self.left_in_frame() {
            let found = format!("another frame {left} bytes before");
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
    /// The error it is when nothing more arrives after the `arrived` bytes of the op at `offset`; `first` tells that a
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
            return Error::new(kind, offset, None, expected, "the end of the data");
        }
        let expected = match need {
            Need { line: true, .. } => "a line that ends with a newline".into(),
            Need { len: 1, .. } => "1 byte".into(),
            Need { len, .. } => format!("{len} bytes"),
        };
        let found = format!("{} before the end", arrived - need.from);
        Error::new(ErrorKind::Truncated, offset, need.opcode, expected, found)
    }
}
