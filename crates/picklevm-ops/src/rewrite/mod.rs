//! Pickles with other names or with decoded strings, and everything else byte for byte.

mod analysis;
mod frames;
mod output;

use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead, Cursor, Seek, SeekFrom, Write};

use crate::error::{Error, ErrorKind};
use crate::reader::Reader;
use crate::renames::Renames;
use crate::undecoded::RawOp;

use analysis::{Analysis, Memo, Plan};
use frames::Frames;
use output::Output;

/// Rewrites pickles op by op: renames globals, and decodes 8-bit strings of Python 2. Everything else stays byte for byte,
/// memo indices and batches included; the lengths of frames are corrected.
///
/// Each pickle is read twice, or three times if it has frames. Memory holds the longest op, the stack of the
/// pickle without its payloads, and what is changed.
///
/// A name that is also used as text by way of the memo is written out where the two differ. Names of extension codes are
/// not in a pickle and stay; nested classes below protocol 4 (`getattr(Outer, 'Inner')`) are found by the name of the outer class.
///
/// ```
/// use picklevm_ops::{Renames, Rewriter};
///
/// let mut rewriter = Rewriter::new().renames(Renames::parse("fruit=veg")?);
/// assert_eq!(rewriter.rewrite(b"\x80\x02cfruit\nApple\nq\x07U\x05fruit\x86.")?, b"\x80\x02cveg\nApple\nq\x07U\x05fruit\x86.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Rewriter<'d> {
    renames: Renames,
    decode: Option<Box<Decode<'d>>>,
    shared_memo: bool,
    /// Whether a pickle was rewritten whose memo the next may share.
    memo: Memo,
    changed: output::Slots,
    counts: Rewritten,
}

type Decode<'d> = dyn Fn(&[u8]) -> Result<Decoded<'_>, String> + 'd;

/// What becomes of an 8-bit string of Python 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'s> {
    /// Text, in UTF-8 in which surrogates take three bytes, as in [`Text`](crate::Text).
    Text(Cow<'s, [u8]>),
    /// Bytes, as they are.
    Bytes,
    /// It stays an 8-bit string.
    Keep,
}

/// What was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rewritten {
    /// Ops that name a global and got another name.
    pub globals: u64,
    /// Strings that became text.
    pub texts: u64,
    /// Strings that became bytes because the decoder said so.
    pub bytes: u64,
    /// The offset of the first of them.
    pub first_bytes: Option<u64>,
    /// Strings that became bytes because they are the binary data of a date, an array or a storage, and no text in any
    /// encoding.
    pub data: u64,
}

impl<'d> Rewriter<'d> {
    /// Creates a rewriter that changes nothing.
    pub fn new() -> Self {
        Rewriter::default()
    }

    /// Renames globals.
    #[must_use]
    pub fn renames(mut self, renames: Renames) -> Self {
        self.renames = renames;
        self
    }

    /// Decodes the 8-bit strings of Python 2 (STRING, BINSTRING, SHORT_BINSTRING). `decode` says what becomes of each; its
    /// error ends the rewriting. It may be asked for a string several times.
    ///
    /// The binary data of dates, of NumPy's arrays and of PyTorch's storages become bytes in any case: they are no text.
    ///
    /// ```
    /// use picklevm_ops::{Decoded, Rewriter};
    ///
    /// let mut rewriter = Rewriter::new().strings(|string| match std::str::from_utf8(string) {
    ///     Ok(text) => Ok(Decoded::Text(text.as_bytes().into())),
    ///     Err(_) => Ok(Decoded::Bytes),
    /// });
    /// assert_eq!(rewriter.rewrite(b"U\x01a.")?, b"X\x01\0\0\0a.");
    /// assert_eq!(rewriter.rewrite(b"U\x01\xff.")?, b"C\x01\xff.");
    /// assert_eq!((rewriter.rewritten().texts, rewriter.rewritten().bytes), (1, 1));
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[must_use]
    pub fn strings(mut self, decode: impl Fn(&[u8]) -> Result<Decoded<'_>, String> + 'd) -> Self {
        self.decode = Some(Box::new(decode));
        self
    }

    /// Whether pickles share one memo, as those that one `Pickler` of Python wrote. Default: no.
    #[must_use]
    pub fn shared_memo(mut self, shared: bool) -> Self {
        self.shared_memo = shared;
        self
    }

    /// Returns what was changed so far.
    pub fn rewritten(&self) -> Rewritten {
        self.counts
    }

    /// Rewrites every pickle in `data`.
    ///
    /// # Errors
    ///
    /// Those of [`rewrite_pickle`](Self::rewrite_pickle).
    pub fn rewrite(&mut self, data: &[u8]) -> Result<Vec<u8>, Error> {
        let (mut input, mut out) = (Cursor::new(data), Vec::with_capacity(data.len()));
        let mut start = 0;
        while start == 0 || start < data.len() as u64 {
            self.rewrite_pickle(&mut input, &mut out)?;
            start = input.position();
        }
        Ok(out)
    }

    /// Rewrites the pickle that begins where `input` stands, and leaves `input` after it. Offsets count from the beginning
    /// of `input`.
    ///
    /// # Errors
    ///
    /// Those of [`Reader::next_op`](crate::Reader::next_op) where an op does not end;
    /// [`Memo`](ErrorKind::Memo) if a GET reads an index that was not stored, and
    /// [`BadOperand`](ErrorKind::BadOperand) if a string cannot be decoded, or a name cannot be written so: with a dot below protocol
    /// 4, or if it is stored in the memo away from where it stands. `output` may have got a part of the pickle.
    pub fn rewrite_pickle(&mut self, mut input: impl BufRead + Seek, mut output: impl Write) -> Result<(), Error> {
        let start = input.stream_position().map_err(|error| Error::from_io(0, error))?;
        self.rewrite_at(&mut input, &mut output, start).map_err(|error| error.offset_by(start))
    }

    fn rewrite_at<R: BufRead + Seek>(
        &mut self,
        input: &mut R,
        output: &mut dyn Write,
        start: u64,
    ) -> Result<(), Error> {
        if !self.shared_memo {
            self.memo = Memo::default();
            self.changed = output::Slots::default();
        }
        let plan = self.analyse(input)?;
        let mut lens = Vec::new();
        if plan.has_frames {
            rewind(input, start)?;
            let mut frames = Frames::measuring();
            let changed = self.changed.clone();
            self.write(input, &mut std::io::sink(), &plan, &mut frames)?;
            self.changed = changed;
            lens = frames.into_lens();
        }
        rewind(input, start)?;
        let counts = self.write(input, output, &plan, &mut Frames::known(lens))?;
        self.counts.add(counts, start);
        Ok(())
    }

    /// Finds out what is to be changed.
    fn analyse(&mut self, input: &mut impl BufRead) -> Result<Plan, Error> {
        let mut analysis = Analysis::new(&self.renames, &mut self.memo);
        let mut reader = Reader::new(input);
        while !analysis.op(reader.next_raw()?)? {}
        Ok(analysis.into_plan())
    }

    /// Writes the pickle with its changes.
    fn write(
        &mut self,
        input: &mut impl BufRead,
        output: &mut dyn Write,
        plan: &Plan,
        frames: &mut Frames,
    ) -> Result<Rewritten, Error> {
        let mut output = Output::new(output, plan, &self.renames, self.decode.as_deref(), &mut self.changed);
        let mut reader = Reader::new(input);
        while !output.op(reader.next_raw()?, frames)? {}
        Ok(output.into_counts())
    }
}

fn rewind(input: &mut impl Seek, start: u64) -> Result<(), Error> {
    input.seek(SeekFrom::Start(start)).map(drop).map_err(|error| Error::from_io(0, error))
}

impl Rewritten {
    fn add(&mut self, more: Rewritten, start: u64) {
        self.globals += more.globals;
        self.texts += more.texts;
        self.bytes += more.bytes;
        self.data += more.data;
        self.first_bytes = self.first_bytes.or(more.first_bytes.map(|offset| offset + start));
    }
}

impl fmt::Debug for Rewriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Rewriter");
        out.field("renames", &self.renames).field("strings", &self.decode.is_some());
        out.field("shared_memo", &self.shared_memo).field("rewritten", &self.counts).finish_non_exhaustive()
    }
}

/// The error for a change that the op at `offset` cannot express.
#[cold]
fn refused(op: &RawOp<'_>, expected: &'static str, found: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::BadOperand, op.offset, Some(op.opcode), expected, found)
}
