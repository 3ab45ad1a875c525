//! The pass that sees whether something fits on a line.

use std::fmt::{self, Write};

use super::count::Labels;
use super::notation::{Group, Notation};
use super::walk::{ArgumentsMeeting, Meeting, Pass, Piece};
use crate::graph::{Kind, Value};

/// Fails as soon as more characters have gone by than there is room for.
pub(super) struct Measure<'p, N> {
    pub(super) notation: &'p N,
    pub(super) labels: &'p Labels,
    /// How many characters there is room for.
    pub(super) room: usize,
}

impl<N> fmt::Write for Measure<'_, N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Characters take at most four bytes: no need to count those of a long text.
        let width = if text.len() > 4 * self.room { text.len() } else { text.chars().count() };
        self.room = self.room.checked_sub(width).ok_or(fmt::Error)?;
        Ok(())
    }
}

impl<'g, N: Notation> Pass<'g> for Measure<'_, N> {
    type Notation = N;

    fn notation(&self) -> &N {
        self.notation
    }

    fn meet(&mut self, value: Value<'g>) -> Meeting {
        self.labels.look(value)
    }

    fn meet_arguments(&mut self, tuple: Value<'g>) -> ArgumentsMeeting {
        self.labels.look_at_arguments(tuple)
    }

    fn atom(&mut self, value: Value<'g>) -> fmt::Result {
        // An integer is written as a whole or not at all, and has more digits than bytes.
        if let Kind::Int(int) = value.kind()
            && int.with_le_bytes(|bytes| bytes.len() > self.room)
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
