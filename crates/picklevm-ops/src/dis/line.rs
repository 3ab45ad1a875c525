//! The lines of a disassembly.

use std::fmt::{self, Write as _};
use std::io;

use super::Note;
use super::argument::Argument;
use crate::opcode::Opcode;

/// How much is collected before it is written.
const BUFFER_LEN: usize = 1 << 16;

/// Writes lines, and knows in which column it is.
pub(super) struct Lines<'w, W> {
    out: &'w mut W,
    buffer: Vec<u8>,
    /// In code points, from after the offset.
    column: usize,
    failed: io::Result<()>,
}

impl<'w, W: io::Write> Lines<'w, W> {
    pub(super) fn new(out: &'w mut W) -> Self {
        Lines { out, buffer: Vec::with_capacity(BUFFER_LEN), column: 0, failed: Ok(()) }
    }

    /// Begins a line: where the op is, its byte and its name.
    pub(super) fn begin(&mut self, offset: usize, opcode: Opcode, blanks: u64) {
        self.print(format_args!("{offset:5}: "));
        self.column = 0;
        match opcode.byte() {
            byte @ b' '..=b'~' => self.print(format_args!("{:<4} ", char::from(byte))),
            byte => self.print(format_args!("\\x{byte:02x} ")),
        }
        self.pad(blanks);
        self.print(format_args!("{}", opcode.name()));
    }

    /// Goes on with the operand, and with what else there is to say.
    pub(super) fn argument(&mut self, opcode: Opcode, argument: Option<&Argument<'_>>, note: Option<&Note>) {
        if argument.is_none() && note.is_none() {
            return;
        }
        self.pad(10usize.saturating_sub(opcode.name().len()) as u64);
        if let Some(argument) = argument {
            self.print(format_args!(" {argument}"));
        }
        match note {
            Some(Note::MarkAt(offset)) => self.print(format_args!(" (MARK at {offset})")),
            Some(Note::NoMark) => self.print(format_args!(" no MARK exists on stack")),
            Some(Note::StoredAs(index)) => self.print(format_args!(" (as {index})")),
            None => {}
        }
    }

    /// Goes on with an annotation in `column` or after. Returns the column for the next one: not left of this one, unless
    /// this is far to the right; then it is the `first` again.
    pub(super) fn annotate(&mut self, doc: &str, column: usize, first: usize) -> usize {
        self.pad(column.saturating_sub(self.column) as u64);
        let next = if self.column > 50 { first } else { self.column };
        self.print(format_args!(" {doc}"));
        next
    }

    /// Ends the line.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.print(format_args!("\n"));
        std::mem::replace(&mut self.failed, Ok(()))
    }

    /// The last line.
    pub(super) fn highest_protocol(&mut self, highest: u8) {
        self.print(format_args!("highest protocol among opcodes = {highest}\n"));
    }

    /// Writes what was collected.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush();
        self.failed
    }

    fn print(&mut self, text: fmt::Arguments<'_>) {
        // Failures of `out` are kept in `failed`.
        let _ = self.write_fmt(text);
    }

    fn pad(&mut self, mut blanks: u64) {
        const BLANKS: &str = "                                                                ";
        while blanks > 0 {
            let len = blanks.min(BLANKS.len() as u64);
            let _ = self.write_str(&BLANKS[..len as usize]);
            blanks -= len;
        }
    }

    fn flush(&mut self) {
        if self.failed.is_ok() {
            self.failed = self.out.write_all(&self.buffer);
        }
        self.buffer.clear();
    }
}

impl<W: io::Write> fmt::Write for Lines<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.column += text.chars().count();
        self.buffer.extend_from_slice(text.as_bytes());
        if self.buffer.len() >= BUFFER_LEN {
            self.flush();
        }
        // Nothing more is wanted once `out` has failed.
        if self.failed.is_ok() { Ok(()) } else { Err(fmt::Error) }
    }
}
