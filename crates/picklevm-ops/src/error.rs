//! What can be wrong with a pickle.

use std::borrow::Cow;
use std::{error, fmt, io};

use crate::opcode::Opcode;
use crate::operand::{Found, Unfit};
use crate::repr;

/// Why an op could not be read or written. One word wide.
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
    io: Option<io::Error>,
}

/// The kinds of errors there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no further pickle: the data end where one would begin.
    End,
    /// The data end before the pickle does.
    Truncated,
    /// A byte that is no opcode stands where one must.
    UnknownOpcode,
    /// An operand says something that its opcode does not allow.
    BadOperand,
    /// A frame does not hold what is in it (PEP 3154).
    Frame,
    /// An opcode does not find on the stack what it needs.
    Stack,
    /// An opcode does not find in the memo what it needs.
    Memo,
    /// A limit was reached that the caller set.
    Limit,
    /// The source or the sink failed; [`source`](error::Error::source) says why.
    Io,
}

impl Error {
    /// An error in the op at `offset`: what was `expected` there, and what was `found` instead.
    #[cold]
    pub fn new(
        kind: ErrorKind,
        offset: u64,
        opcode: Option<Opcode>,
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<Cow<'static, str>>,
    ) -> Self {
        Error(Box::new(Inner { kind, offset, opcode, expected: expected.into(), found: found.into(), io: None }))
    }

    /// The source or the sink failed at `offset`.
    #[cold]
    pub fn from_io(offset: u64, error: io::Error) -> Self {
        let mut inner = Self::new(ErrorKind::Io, offset, None, "no failure of input or output", error.to_string()).0;
        inner.io = Some(error);
        Error(inner)
    }

    /// The same error, `bytes` further on: for data that begin at that offset of a file.
    ///
    /// ```
    /// let file = b"N.\xff";
    /// let error = picklevm_ops::ops(&file[2..]).next().unwrap().unwrap_err().offset_by(2);
    /// assert_eq!(error.offset(), 2);
    /// ```
    #[must_use]
    pub fn offset_by(mut self, bytes: u64) -> Self {
        self.0.offset = self.0.offset.saturating_add(bytes);
        self
    }

    /// An operand that does not fit its opcode.
    #[cold]
    pub(crate) fn unfit(offset: u64, opcode: Option<Opcode>, unfit: Unfit<'_>) -> Self {
        let found = match unfit.found {
            Found::Number(number) => number.to_string(),
            Found::Text(text) => excerpt(text),
        };
        Self::new(ErrorKind::BadOperand, offset, opcode, unfit.expected, found)
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where the op begins that it is wrong with, in bytes from the beginning of the data.
    pub fn offset(&self) -> u64 {
        self.0.offset
    }

    /// The opcode of that op, if one could be read.
    pub fn opcode(&self) -> Option<Opcode> {
        self.0.opcode
    }

    /// What was expected.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What was there instead.
    pub fn found(&self) -> &str {
        &self.0.found
    }
}

/// The beginning of a text that may be long.
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
        let Inner { kind, offset, opcode, expected, found, io } = &*self.0;
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
