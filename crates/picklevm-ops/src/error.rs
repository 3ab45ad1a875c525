//! The error type.

use std::borrow::Cow;
use std::{error, fmt, io};

use crate::opcode::Opcode;
use crate::repr;
use crate::unfit::{Found, Unfit};

/// An error from reading or writing an op. One word wide.
///
/// ```
/// use picklevm_ops::{Decoder, ErrorKind, Opcode};
///
/// let error = Decoder::new(b"X\x08\0\0\0abc").next_op().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Truncated);
/// assert_eq!((error.offset(), error.opcode()), (0, Some(Opcode::BinUnicode)));
/// assert_eq!(error.to_string(), "offset 0: BINUNICODE: expected 8 bytes, found 3 before the end");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    offset: u64,
    opcode: Option<Opcode>,
    expected: Cow<'static, str>,
    found: Cow<'static, str>,
    needed_len: Option<u64>,
    io: Option<io::Error>,
}

/// The kinds of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no further pickle: the data end where one would begin.
    End,
    /// The data end within a pickle.
    Truncated,
    /// A byte is not an opcode.
    UnknownOpcode,
    /// An operand has a value that its opcode does not allow.
    BadOperand,
    /// An op does not fit into its frame, or frames overlap (PEP 3154).
    Frame,
    /// The stack does not hold what an opcode needs.
    Stack,
    /// The memo does not hold what an opcode needs.
    Memo,
    /// A limit set by the caller was exceeded.
    Limit,
    /// The reader or writer failed; [`source`](error::Error::source) returns its error.
    Io,
}

impl Error {
    /// Creates an error in the op at `offset`, from what was `expected` there and what was `found`.
    #[cold]
    pub fn new(
        kind: ErrorKind,
        offset: u64,
        opcode: Option<Opcode>,
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (expected, found) = (expected.into(), found.into());
        Error(Box::new(Inner { kind, offset, opcode, expected, found, needed_len: None, io: None }))
    }

    /// Says how long the data must be for the op that they cut off.
    pub(crate) fn needing(mut self, len: u64) -> Self {
        self.0.needed_len = Some(len);
        self
    }

    /// Creates an error for a reader or writer that failed at `offset`.
    #[cold]
    pub fn from_io(offset: u64, error: io::Error) -> Self {
        let mut inner = Self::new(ErrorKind::Io, offset, None, "no I/O error", error.to_string()).0;
        inner.io = Some(error);
        Error(inner)
    }

    /// Returns the error with `bytes` added to its offset, for data that begin at that offset of a file.
    ///
    /// ```
    /// let file = b"N.\xff";
    /// let error = picklevm_ops::ops(&file[2..]).next().unwrap().unwrap_err().offset_by(2);
    /// assert_eq!(error.offset(), 2);
    /// ```
    #[must_use]
    pub fn offset_by(mut self, bytes: u64) -> Self {
        self.0.offset = self.0.offset.saturating_add(bytes);
        self.0.needed_len = self.0.needed_len.map(|len| len.saturating_add(bytes));
        self
    }

    /// Creates the error for an operand that its opcode does not allow.
    #[cold]
    pub(crate) fn unfit(offset: u64, opcode: Option<Opcode>, unfit: Unfit<'_>) -> Self {
        let found = match unfit.found {
            Found::Number(number) => number.to_string(),
            Found::Text(text) => excerpt(text),
        };
        Self::new(ErrorKind::BadOperand, offset, opcode, unfit.expected, found)
    }

    /// Returns the kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the offset of the op that failed, in bytes from the beginning of the data.
    pub fn offset(&self) -> u64 {
        self.0.offset
    }

    /// Returns the opcode of that op, if it was read.
    pub fn opcode(&self) -> Option<Opcode> {
        self.0.opcode
    }

    /// Returns what was expected.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// Returns how many bytes the data must have, at the least, to hold the op that they cut off.
    ///
    /// `None` if the error is not that an op is cut off. Of an op whose length itself is cut off, or of a line, no more is
    /// known than that a byte is missing.
    ///
    /// ```
    /// use picklevm_ops::Decoder;
    ///
    /// let error = Decoder::new(b"X\x08\0\0\0abc").next_op().unwrap_err();
    /// assert_eq!(error.needed_len(), Some(1 + 4 + 8));
    /// let error = Decoder::new(b"X\x08").next_op().unwrap_err();
    /// assert_eq!(error.needed_len(), Some(1 + 4));
    /// ```
    pub fn needed_len(&self) -> Option<u64> {
        self.0.needed_len
    }

    /// Returns what was found instead.
    pub fn found(&self) -> &str {
        &self.0.found
    }
}

/// Shows the beginning of a text that may be long.
fn excerpt(text: &[u8]) -> String {
    const LEN: usize = 40;
    match text.get(..LEN) {
        Some(start) if text.len() > LEN => {
            format!("{}... ({} bytes)", repr::Bytes(start), text.len())
        }
        _ => repr::Bytes(text).to_string(),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { offset, opcode, expected, found, .. } = &*self.0;
        write!(f, "offset {offset}: ")?;
        if let Some(opcode) = opcode {
            write!(f, "{opcode}: ")?;
        }
        write!(f, "expected {expected}, found {found}")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, offset, opcode, expected, found, io, needed_len: _ } = &*self.0;
        let mut out = f.debug_struct("Error");
        out.field("kind", kind).field("offset", offset).field("opcode", opcode);
        out.field("expected", expected).field("found", found);
        if let Some(io) = io {
            out.field("io", io);
        }
        out.finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.io.as_ref().map(|error| error as _)
    }
}
