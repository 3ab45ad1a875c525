//! The lines of a disassembly.

use std::fmt::{self, Write as _};
use std::io;

use super::Note;
use super::argument::Argument;
use crate::opcode::Opcode;

/// Number of bytes collected before a write.
const BUFFER_LEN: usize = 1 << 16;

/// ANSI escape sequences that start a color; [`PLAIN`] ends it.
mod color {
    pub(super) const OFFSET: &[u8] = b"\x1b[2m";
    pub(super) const OPCODE: &[u8] = b"\x1b[36m";
    pub(super) const OPERAND: &[u8] = b"\x1b[32m";
    pub(super) const NOTE: &[u8] = b"\x1b[33m";
    pub(super) const DOC: &[u8] = b"\x1b[2m";
    pub(super) const PLAIN: &[u8] = b"\x1b[0m";
}

const BLANKS: &str = "                                                                ";

/// Writes lines and tracks the column.
pub(super) struct Lines<'w, W> {
    out: &'w mut W,
    buffer: Vec<u8>,
    /// In code points, counted after the offset.
    column: usize,
    color: bool,
    failed: io::Result<()>,
}

impl<'w, W: io::Write> Lines<'w, W> {
    pub(super) fn new(out: &'w mut W, color: bool) -> Self {
        Lines { out, buffer: Vec::with_capacity(BUFFER_LEN), column: 0, color, failed: Ok(()) }
    }

    /// Writes an escape sequence, which takes no column.
    fn style(&mut self, escape: &[u8]) {
        if self.color {
            self.buffer.extend_from_slice(escape);
        }
    }

    /// Begins a line: the offset of the op, its byte and its name.
    pub(super) fn begin(&mut self, offset: u64, opcode: Opcode, blanks: u64) {
        self.style(color::OFFSET);
        self.number(offset, 5);
        self.text(": ");
        self.style(color::PLAIN);
        self.column = 0;
        let code = opcode.byte();
        if code.is_ascii_graphic() {
            self.buffer.push(code);
            self.text("    ");
            self.column += 1;
        } else {
            // As wide as four columns, so one blank follows.
            self.fmt(format_args!("\\x{code:02x} "));
        }
        self.pad(blanks);
        self.style(color::OPCODE);
        self.text(opcode.name());
        self.style(color::PLAIN);
    }

    /// Writes the operand and the note.
    pub(super) fn argument(&mut self, opcode: Opcode, argument: Option<&Argument<'_>>, note: Option<&Note>) {
        if argument.is_none() && note.is_none() {
            return;
        }
        self.pad(10usize.saturating_sub(opcode.name().len()) as u64);
        self.style(color::OPERAND);
        match argument {
            Some(Argument::Uint(value)) => {
                self.text(" ");
                self.number(*value, 0);
            }
            Some(argument) => self.fmt(format_args!(" {argument}")),
            None => {}
        }
        self.style(color::NOTE);
        match note {
            Some(Note::MarkAt(offset)) => self.numbered(" (MARK at ", *offset),
            Some(Note::StoredAs(index)) => self.numbered(" (as ", *index),
            Some(Note::NoMark) => self.text(" no MARK exists on stack"),
            None => {}
        }
        self.style(color::PLAIN);
    }

    /// Writes an annotation at `column` or later. Returns the column for the next one: at least this one, or `first`
    /// again if this one is far to the right.
    pub(super) fn annotate(&mut self, doc: &str, column: usize, first: usize) -> usize {
        self.pad(column.saturating_sub(self.column) as u64);
        let next = if self.column > 50 { first } else { self.column };
        self.text(" ");
        self.style(color::DOC);
        self.text(doc);
        self.style(color::PLAIN);
        next
    }

    /// Ends the line.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.text("\n");
        self.flush_if_full();
        std::mem::replace(&mut self.failed, Ok(()))
    }

    /// Writes the last line.
    pub(super) fn highest_protocol(&mut self, highest: u8) {
        self.fmt(format_args!("highest protocol among opcodes = {highest}\n"));
    }

    /// Writes the buffer.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush();
        self.failed
    }

    /// Writes ASCII text.
    fn text(&mut self, text: &str) {
        self.column += text.len();
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Writes a number, right-aligned in `width` columns.
    fn number(&mut self, mut number: u64, width: usize) {
        let mut digits = [b' '; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        let digits = &digits[start.min(digits.len() - width)..];
        self.column += digits.len();
        self.buffer.extend_from_slice(digits);
    }

    fn numbered(&mut self, before: &str, number: u64) {
        self.text(before);
        self.number(number, 0);
        self.text(")");
    }

    fn fmt(&mut self, text: fmt::Arguments<'_>) {
        // A failure is stored in `failed`.
        let _ = self.write_fmt(text);
    }

    fn pad(&mut self, mut blanks: u64) {
        while blanks > BLANKS.len() as u64 {
            self.text(BLANKS);
            self.flush_if_full();
            blanks -= BLANKS.len() as u64;
        }
        self.text(&BLANKS[..blanks as usize]);
    }

    fn flush_if_full(&mut self) {
        if self.buffer.len() >= BUFFER_LEN {
            self.flush();
        }
    }

    #[cold]
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
        self.flush_if_full();
        // Stops formatting once `out` has failed.
        if self.failed.is_ok() { Ok(()) } else { Err(fmt::Error) }
    }
}
