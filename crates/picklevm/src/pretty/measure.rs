//! The pass that tests whether a group fits on a line.

use std::fmt::{self, Write};

use super::count::Labels;
use super::notation::{Group, Notation};
use super::walk::{ArgumentsForm, Occurrence, Pass, Piece};
use crate::graph::{Kind, Value};

/// Fails as soon as more characters were written than fit on the line.
pub(super) struct Measure<'p, N> {
    pub(super) notation: &'p N,
    pub(super) labels: &'p Labels,
    /// Remaining columns of the line.
    pub(super) columns: usize,
}

impl<N> fmt::Write for Measure<'_, N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // A character takes at most four bytes, so the characters of a long text need not be counted.
        let width = if text.len() > 4 * self.columns { text.len() } else { text.chars().count() };
        self.columns = self.columns.checked_sub(width).ok_or(fmt::Error)?;
        Ok(())
    }
}

impl<'g, N: Notation> Pass<'g> for Measure<'_, N> {
    type Notation = N;

    fn notation(&self) -> &N {
        self.notation
    }

    fn visit(&mut self, value: Value<'g>) -> Occurrence {
        self.labels.peek(value)
    }

    fn visit_arguments(&mut self, tuple: Value<'g>) -> ArgumentsForm {
        self.labels.arguments_form(tuple)
    }

    fn atom(&mut self, value: Value<'g>) -> fmt::Result {
        // Do not format long integers: they have more digits than bytes.
        if let Kind::Int(int) = value.kind()
            && int.with_le_bytes(|bytes| bytes.len() > self.columns)
        {
            return Err(fmt::Error);
        }
        let notation = self.notation;
        notation.atom(value, self)
    }

    fn piece(&mut self, piece: Piece<'_>) -> fmt::Result {
        match piece {
            Piece::Text(text) | Piece::Label(text) => self.write_str(text),
            Piece::Written(value, write) => write(value, self),
            Piece::Key(text) => {
                let notation = self.notation;
                notation.key(text, self)
            }
            Piece::More(count, [before, after]) => {
                let count = self.notation.count(count);
                write!(self, "{before}{count}{after}")
            }
        }
    }

    fn breaks(&mut self, _: Group<'g>, _: usize) -> bool {
        false
    }

    fn line(&mut self, _: usize) -> fmt::Result {
        Ok(())
    }
}
