//! `SeqAccess` and `MapAccess` for lists, tuples and dicts, read from ops.

use ::serde::de::value::{BorrowedStrDeserializer, UnitDeserializer};
use ::serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use picklevm_ops::Opcode;

use super::NotPlain;
use super::cursor::Cursor;
use super::lookahead::come_before;
use super::reader::Plain;

/// Number of items between a mark and its end in all batches but the last (`_BATCHSIZE`).
const BATCH_SIZE: usize = 1000;

/// Access to the batches of a list, or of a dict (`ROWS`), whose items are a key and a value. A batch starts with a mark,
/// except for a single item.
pub(super) struct Batches<'t, 'de, const ROWS: bool> {
    cursor: &'t mut Cursor<'de>,
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Another batch may follow.
    Between,
    /// In a batch, with the number of items read.
    Within(usize),
    /// After an item without a mark.
    Single,
    End,
}

impl<'t, 'de, const ROWS: bool> Batches<'t, 'de, ROWS> {
    /// Opcode that ends an item without a mark.
    const SINGLE: Opcode = if ROWS { Opcode::SetItem } else { Opcode::Append };
    /// Opcode that ends a batch.
    const BATCH: Opcode = if ROWS { Opcode::SetItems } else { Opcode::Appends };

    /// Accesses the list or dict that was just started.
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'de>) -> Self {
        let place = if cursor.take(Opcode::Mark) { Place::Within(0) } else { Place::Between };
        Batches { cursor, place }
    }

    /// Whether another item follows. The cursor has moved to it then.
    #[inline(always)]
    fn advance(&mut self) -> Result<bool, NotPlain> {
        match self.place {
            Place::Within(count) if !self.cursor.take(Self::BATCH) => {
                self.place = Place::Within(count + 1);
                Ok(true)
            }
            // Only a full batch is followed by another.
            Place::Within(count) if count != BATCH_SIZE => {
                self.place = Place::End;
                Ok(false)
            }
            _ => self.advance_apart(),
        }
    }

    /// Ends an item without a mark, or starts another batch.
    #[inline(never)]
    fn advance_apart(&mut self) -> Result<bool, NotPlain> {
        match self.place {
            Place::End => Ok(false),
            Place::Single => {
                self.place = Place::End;
                if self.cursor.take(Self::SINGLE) { Ok(false) } else { Err(NotPlain) }
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

    /// Checks that all items were read.
    #[inline(always)]
    pub(super) fn end(&mut self) -> Result<(), NotPlain> {
        if self.place != Place::End && self.advance()? { Err(NotPlain) } else { Ok(()) }
    }
}

impl<'de> SeqAccess<'de> for Batches<'_, 'de, false> {
    type Error = NotPlain;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, NotPlain> {
        if self.advance()? { seed.deserialize(Plain::new(self.cursor)).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Batches<'_, 'de, true> {
    type Error = NotPlain;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NotPlain> {
        if !self.advance()? {
            return Ok(None);
        }
        match self.cursor.key_here()? {
            Some(name) => seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some),
            // A unit is enough: such keys are ignored.
            None => seed.deserialize(UnitDeserializer::new()).map(Some),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, NotPlain> {
        seed.deserialize(Plain::new(self.cursor))
    }
}

/// Access to the items of a tuple.
pub(super) struct TupleAccess<'t, 'de> {
    cursor: &'t mut Cursor<'de>,
    left: usize,
    end: Opcode,
}

impl<'t, 'de> TupleAccess<'t, 'de> {
    /// Accesses a tuple of `len` items, which starts with its mark or its first item.
    pub(super) fn new(len: usize, cursor: &'t mut Cursor<'de>) -> Result<Self, NotPlain> {
        let end = match len {
            _ if cursor.take(Opcode::Mark) => Opcode::Tuple,
            1 => Opcode::Tuple1,
            2 => Opcode::Tuple2,
            3 => Opcode::Tuple3,
            _ => return Err(NotPlain),
        };
        Ok(TupleAccess { cursor, left: len, end })
    }

    /// Checks that all items were read.
    pub(super) fn end(&mut self) -> Result<(), NotPlain> {
        if self.left == 0 && self.cursor.take(self.end) { Ok(()) } else { Err(NotPlain) }
    }
}

impl<'de> SeqAccess<'de> for TupleAccess<'_, 'de> {
    type Error = NotPlain;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, NotPlain> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(Plain::new(self.cursor)).map(Some)
    }
}
