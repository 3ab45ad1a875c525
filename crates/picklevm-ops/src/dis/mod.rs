//! Disassembling like CPython's `pickletools.dis`.

use std::io;

use self::argument::Argument;
use self::integer::Decimals;
use self::line::Lines;
use self::stack::{Stack, fetch, store};
use crate::error::{Error, ErrorKind};
use crate::memo::Memo;
use crate::opcode::{Opcode, StackObject};
use crate::undecoded::{RawOp, raw_ops};

mod argument;
mod integer;
mod line;
mod stack;

/// Prints the ops of the first pickle in `data` to `out`, one a line, as `python -m pickletools` (3.13) does. Returns
/// the offset after the pickle.
///
/// Use [`Disassembler`] for options.
///
/// ```
/// let mut out = Vec::new();
/// picklevm_ops::dis(b"\x80\x02]q\x00(K\x01K\x02e.", &mut out)?;
/// assert_eq!(
///     String::from_utf8(out).unwrap(),
///     r"    0: \x80 PROTO      2
///     2: ]    EMPTY_LIST
///     3: q    BINPUT     0
///     5: (    MARK
///     6: K        BININT1    1
///     8: K        BININT1    2
///    10: e        APPENDS    (MARK at 5)
///    11: .    STOP
/// highest protocol among opcodes = 2
/// "
/// );
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`Disassembler::dis`].
pub fn dis(data: &[u8], out: &mut impl io::Write) -> Result<usize, Error> {
    Disassembler::new().dis(data, out)
}

/// Disassembler for pickles: the options of [`dis`], and a memo that several pickles may share.
///
/// ```
/// use picklevm_ops::Disassembler;
///
/// let mut out = Vec::new();
/// Disassembler::new().annotate(30).dis(b"N.", &mut out)?;
/// assert_eq!(
///     String::from_utf8(out).unwrap(),
///     "    0: N    NONE                      Push None on the stack.
///     1: .    STOP                      Stop the unpickling machine.
/// highest protocol among opcodes = 0
/// "
/// );
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Disassembler {
    indent_level: usize,
    annotate: usize,
    keep_memo: bool,
    max_indentation: u64,
    color: bool,
    base: usize,
    memo: Memo<StackObject>,
}

impl Default for Disassembler {
    fn default() -> Self {
        Self::new()
    }
}

impl Disassembler {
    /// Creates a disassembler with the defaults of `pickletools.dis`.
    pub fn new() -> Self {
        Disassembler {
            indent_level: 4,
            annotate: 0,
            keep_memo: false,
            max_indentation: 1 << 30,
            color: false,
            base: 0,
            memo: Memo::default(),
        }
    }

    /// Sets the indentation after a MARK, in blanks: `indentlevel` of `pickletools.dis`. Default: 4.
    ///
    /// ```
    /// let mut out = Vec::new();
    /// picklevm_ops::Disassembler::new().indent_level(1).dis(b"(N1N.", &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains("\n    1: N     NONE\n"));
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[must_use]
    pub fn indent_level(mut self, blanks: usize) -> Self {
        self.indent_level = blanks;
        self
    }

    /// Ends each line with a sentence about its opcode, starting at about `column`. Default: 0, no annotation. `python
    /// -m pickletools --annotate` uses 30.
    ///
    /// ```
    /// let mut out = Vec::new();
    /// picklevm_ops::Disassembler::new().annotate(20).dis(b"N.", &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains("Push None on the stack."));
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[must_use]
    pub fn annotate(mut self, column: usize) -> Self {
        self.annotate = column;
        self
    }

    /// Sets whether the memo is kept from one pickle to the next, for pickles written by one pickler: `memo` of
    /// `pickletools.dis`. Default: no.
    ///
    /// ```
    /// let mut disassembler = picklevm_ops::Disassembler::new().keep_memo(true);
    /// disassembler.dis(b"]q\0.", &mut std::io::sink())?;
    /// disassembler.dis(b"h\0.", &mut std::io::sink())?;   // fetches what the first pickle stored
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[must_use]
    pub fn keep_memo(mut self, keep: bool) -> Self {
        self.keep_memo = keep;
        self
    }

    /// Limits the number of indentation blanks of a pickle. Default: 2**30. With deep nesting, the number grows with
    /// the square of the pickle's length.
    #[must_use]
    pub fn max_indentation(mut self, blanks: u64) -> Self {
        self.max_indentation = blanks;
        self
    }

    /// Sets whether to color offsets, opcodes, operands and notes with ANSI escape sequences. Default: no.
    ///
    /// ```
    /// let mut out = Vec::new();
    /// picklevm_ops::Disassembler::new().color(true).dis(b"N.", &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains("\u{1b}[36mNONE\u{1b}[0m"));
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[must_use]
    pub fn color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// Adds `bytes` to every printed offset and to those of errors, for a pickle that was cut out of a file.
    ///
    /// ```
    /// let mut out = Vec::new();
    /// picklevm_ops::Disassembler::new().set_base(100).dis(b"N.", &mut out)?;
    /// assert!(out.starts_with(b"  100: N    NONE\n"));
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    pub fn set_base(&mut self, bytes: usize) -> &mut Self {
        self.base = bytes;
        self
    }

    /// Prints the ops of the first pickle in `data` to `out`. Returns the offset after the pickle.
    ///
    /// Operands are read as `pickletools` reads them, or as the machine does where `pickletools` refuses them. Frames
    /// are ignored.
    ///
    /// # Errors
    ///
    /// Those of [`Decoder::next_op`](crate::Decoder::next_op), except for frames; [`Stack`](ErrorKind::Stack) and
    /// [`Memo`](ErrorKind::Memo) if stack or memo lack what an op needs, after its line is printed;
    /// [`Limit`](ErrorKind::Limit) if there is too much indentation; [`Io`](ErrorKind::Io) if `out` fails.
    pub fn dis(&mut self, data: &[u8], out: &mut impl io::Write) -> Result<usize, Error> {
        self.dis_at(data, 0, out)
    }

    /// Prints the ops of the pickle that begins at `start` in `data` to `out`. Returns the offset after it. All offsets
    /// count from the beginning of `data`, like those of `pickletools.dis` for a file.
    ///
    /// ```
    /// use picklevm_ops::Disassembler;
    ///
    /// let (mut disassembler, data, mut out) = (Disassembler::new(), b"N.K\x01.", Vec::new());
    /// let end = disassembler.dis(data, &mut std::io::sink())?;
    /// disassembler.dis_at(data, end, &mut out)?;
    /// assert!(out.starts_with(b"    2: K    BININT1    1\n    4: .    STOP\n"));
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`dis`](Disassembler::dis).
    pub fn dis_at(&mut self, data: &[u8], start: usize, out: &mut impl io::Write) -> Result<usize, Error> {
        if !self.keep_memo {
            self.memo = Memo::default();
        }
        let mut lines = Lines::new(out, self.color);
        let result = self.print_ops(data, start, &mut lines);
        let flushed = lines.finish().map_err(|error| Error::from_io(start as u64, error));
        let end = result?;
        flushed?;
        Ok(end)
    }

    fn print_ops(&mut self, data: &[u8], start: usize, lines: &mut Lines<'_, impl io::Write>) -> Result<usize, Error> {
        let mut stack = Stack::default();
        let mut decimals = Decimals::new();
        let mut indentation = 0;
        let mut highest = 0;
        let mut annotations = self.annotate;
        let mut end = start;
        for raw in raw_ops(data, start) {
            let mut raw = raw.map_err(|error| error.offset_by(self.base as u64))?;
            end = raw.end() as usize;
            raw.offset = raw.offset.saturating_add(self.base as u64);
            highest = highest.max(raw.opcode.protocol());
            let argument = Argument::of(&raw, &mut decimals)?;
            let blanks = self.indent_level.saturating_mul(stack.depth()) as u64;
            indentation = u64::saturating_add(indentation, blanks);
            if indentation > self.max_indentation {
                return Err(too_deep(&raw, self.max_indentation));
            }

            let (note, wrong) = self.run(&raw, argument.as_ref(), &mut stack);

            lines.begin(raw.offset, raw.opcode, blanks);
            lines.argument(raw.opcode, argument.as_ref(), note.as_ref());
            if self.annotate > 0 {
                annotations = lines.annotate(raw.opcode.doc(), annotations, self.annotate);
            }
            lines.end().map_err(|error| Error::from_io(raw.offset, error))?;
            if let Some(error) = wrong {
                return Err(error);
            }
        }
        lines.highest_protocol(highest);
        Ok(end)
    }

    /// Runs the op on stack and memo. Returns the note for its line, and what is wrong.
    fn run(
        &mut self,
        raw: &RawOp<'_>,
        argument: Option<&Argument<'_>>,
        stack: &mut Stack,
    ) -> (Option<Note>, Option<Error>) {
        let index = || argument.and_then(Argument::index);
        let mut note = None;
        let done = stack.pop_mark(raw.opcode).and_then(|mark| {
            note = mark.map(Note::MarkAt);
            let mut fetched = None;
            match raw.opcode {
                Opcode::Memoize => {
                    let next = self.memo.len();
                    note = Some(Note::StoredAs(next));
                    store(&mut self.memo, Some(next.into()), stack)?;
                }
                opcode if opcode.is_put() => store(&mut self.memo, index(), stack)?,
                opcode if opcode.is_get() => fetched = Some(fetch(&self.memo, index())?),
                _ => {}
            }
            stack.run(raw.opcode, raw.offset, mark.is_some(), fetched)
        });
        match done {
            Ok(()) => (note, None),
            Err(fault) => {
                let note = if fault.no_mark { Some(Note::NoMark) } else { note };
                let error = Error::new(fault.kind, raw.offset, Some(raw.opcode), fault.expected, fault.found);
                (note, Some(error))
            }
        }
    }
}

/// A note on a line, after the op.
#[derive(Debug, Clone, Copy)]
enum Note {
    MarkAt(u64),
    NoMark,
    StoredAs(u64),
}

#[cold]
fn too_deep(raw: &RawOp<'_>, max: u64) -> Error {
    let expected = format!("at most {max} blanks of indentation");
    Error::new(ErrorKind::Limit, raw.offset, Some(raw.opcode), expected, "more")
}
