//! The items of lists and tuples, and the rows of dicts, as their ops come.

use ::serde::de::value::{BorrowedStrDeserializer, UnitDeserializer};
use ::serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use picklevm_ops::Opcode;

use super::Beyond;
use super::cursor::Cursor;
use super::lookahead::come_before;
use super::reader::Plain;

/// How many items picklers put between a mark and its end (`_BATCHSIZE`), unless they are the last.
const BATCH: usize = 1000;

/// The batches of a list, or of a dict whose items are `ROWS` of a key and its value: each lies behind a mark, but for one
/// item alone.
pub(super) struct Batches<'t, 'de, const ROWS: bool> {
    cursor: &'t mut Cursor<'de>,
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Another batch may follow.
    Between,
    /// In a batch, of which so many items have been asked for.
    Within(usize),
    /// Behind an item without a mark.
    Single,
    End,
}

impl<'t, 'de, const ROWS: bool> Batches<'t, 'de, ROWS> {
    /// What ends an item without a mark.
    const SINGLE: Opcode = if ROWS { Opcode::SetItem } else { Opcode::Append };
    /// What ends a batch.
    const BATCH: Opcode = if ROWS { Opcode::SetItems } else { Opcode::Appends };

    /// The batches of the list or dict that has just begun.
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'de>) -> Self {
        let place = if cursor.take(Opcode::Mark) { Place::Within(0) } else { Place::Between };
        Batches { cursor, place }
    }

    /// Whether there is another item, which comes next then: the cursor has been there.
    #[inline(always)]
    fn advance(&mut self) -> Result<bool, Beyond> {
        match self.place {
            Place::Within(count) if !self.cursor.take(Self::BATCH) => {
                self.place = Place::Within(count + 1);
                Ok(true)
            }
            // Only a full batch is followed by another.
            Place::Within(count) if count != BATCH => {
                self.place = Place::End;
                Ok(false)
            }
            _ => self.advance_apart(),
        }
    }

    /// Ends an item that has no mark, or begins another batch.
    #[inline(never)]
    fn advance_apart(&mut self) -> Result<bool, Beyond> {
        match self.place {
            Place::End => Ok(false),
            Place::Single => {
                self.place = Place::End;
                if self.cursor.take(Self::SINGLE) { Ok(false) } else { Err(Beyond) }
            }
            Place::Between | Place::Within(_) => {
                if self.cursor.take(Opcode::Mark) {
                    self.place = Place::Within(0);
                    return self.advance();
                }
                let single = come_before(self.cursor.ahead(), if ROWS { 2 } else { 1 }, Self::SINGLE);
                self.place = if single { Place::Single } else { Place::End };
                Ok(single)
            }
        }
    }

    /// Makes sure that all has been read.
    #[inline(always)]
    pub(super) fn end(&mut self) -> Result<(), Beyond> {
        if self.place != Place::End && self.advance()? { Err(Beyond) } else { Ok(()) }
    }
}

impl<'de> SeqAccess<'de> for Batches<'_, 'de, false> {
    type Error = Beyond;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Beyond> {
        if self.advance()? { seed.deserialize(Plain::new(self.cursor)).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Batches<'_, 'de, true> {
    type Error = Beyond;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Beyond> {
        if !self.advance()? {
            return Ok(None);
        }
        match self.cursor.key_here()? {
            Some(name) => seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some),
            // Enough for keys that are ignored.
            None => seed.deserialize(UnitDeserializer::new()).map(Some),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Beyond> {
        seed.deserialize(Plain::new(self.cursor))
    }
}

/// The items of a tuple, whose end comes behind them.
pub(super) struct TupleAccess<'t, 'de> {
    cursor: &'t mut Cursor<'de>,
    left: usize,
    end: Opcode,
}

impl<'t, 'de> TupleAccess<'t, 'de> {
    /// A tuple of so many items, which begins with its mark or its first item.
    pub(super) fn new(len: usize, cursor: &'t mut Cursor<'de>) -> Result<Self, Beyond> {
        let end = match len {
            _ if cursor.take(Opcode::Mark) => Opcode::Tuple,
            1 => Opcode::Tuple1,
            2 => Opcode::Tuple2,
            3 => Opcode::Tuple3,
            _ => return Err(Beyond),
        };
        Ok(TupleAccess { cursor, left: len, end })
    }

    /// Makes sure that all has been read.
    pub(super) fn end(&mut self) -> Result<(), Beyond> {
        if self.left == 0 && self.cursor.take(self.end) { Ok(()) } else { Err(Beyond) }
    }
}

impl<'de> SeqAccess<'de> for TupleAccess<'_, 'de> {
    type Error = Beyond;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Beyond> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(Plain::new(self.cursor)).map(Some)
    }
}
