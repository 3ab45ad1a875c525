//! The items of lists and tuples, and the rows of dicts, as their ops come.

use ::serde::de::value::{BorrowedStrDeserializer, UnitDeserializer};
use ::serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use picklevm_ops::Opcode;

use super::Beyond;
use super::reader::Plain;
use super::tokens::{Token, Tokens};

/// How many items picklers put between a mark and its end (`_BATCHSIZE`), unless they are the last.
const BATCH: usize = 1000;

/// The batches of a list or dict: each lies behind a mark, but for one item alone.
pub(super) struct Batches<'t, 'de> {
    pub(super) tokens: &'t mut Tokens<'de>,
    place: Place,
    form: Form,
}

enum Place {
    /// Another batch may follow.
    Between,
    /// In a batch, of which so many items have been asked for.
    Within(usize),
    /// Behind an item without a mark.
    Single,
    End,
}

/// What a list or dict is made with.
pub(super) struct Form {
    /// Whether an item is a key and its value.
    rows: bool,
    /// What ends an item without a mark.
    single: Opcode,
    batch: Opcode,
}

pub(super) const LIST: Form = Form { rows: false, single: Opcode::Append, batch: Opcode::Appends };
pub(super) const DICT: Form = Form { rows: true, single: Opcode::SetItem, batch: Opcode::SetItems };

impl<'t, 'de> Batches<'t, 'de> {
    /// The batches of the list or dict that has just begun.
    #[inline]
    pub(super) fn new(form: Form, tokens: &'t mut Tokens<'de>) -> Result<Self, Beyond> {
        let place = if tokens.pass_mark()? { Place::Within(0) } else { Place::Between };
        Ok(Batches { tokens, place, form })
    }

    /// Reads the first token of an item, or a row.
    #[inline]
    fn read(&mut self) {
        if self.form.rows { self.tokens.advance_row() } else { self.tokens.advance() }
    }

    /// Reads the first token of the next item; `false` if there is none.
    #[inline]
    fn advance(&mut self) -> Result<bool, Beyond> {
        match &mut self.place {
            Place::Within(count) => {
                *count += 1;
                self.read();
                if self.tokens.is(self.form.batch) { self.end_batch() } else { Ok(true) }
            }
            _ => self.advance_apart(),
        }
    }

    /// Only a full batch is followed by another.
    fn end_batch(&mut self) -> Result<bool, Beyond> {
        let full = matches!(self.place, Place::Within(count) if count == BATCH + 1);
        self.place = if full { Place::Between } else { Place::End };
        if full { self.advance_apart() } else { Ok(false) }
    }

    /// Ends an item that has no mark, or begins another batch.
    #[inline(never)]
    fn advance_apart(&mut self) -> Result<bool, Beyond> {
        match self.place {
            Place::End => Ok(false),
            Place::Single => {
                self.place = Place::End;
                self.tokens.advance();
                if self.tokens.is(self.form.single) { Ok(false) } else { Err(Beyond) }
            }
            Place::Between | Place::Within(_) => {
                if self.tokens.pass_mark()? {
                    self.place = Place::Within(0);
                    return self.advance();
                }
                let single = self.tokens.come_before(if self.form.rows { 2 } else { 1 }, self.form.single);
                self.place = if single { Place::Single } else { Place::End };
                if single {
                    self.read();
                }
                Ok(single)
            }
        }
    }

    /// Makes sure that all has been read.
    #[inline]
    pub(super) fn end(&mut self) -> Result<(), Beyond> {
        if self.advance()? { Err(Beyond) } else { Ok(()) }
    }
}

impl<'de> SeqAccess<'de> for Batches<'_, 'de> {
    type Error = Beyond;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Beyond> {
        if self.advance()? { seed.deserialize(Plain::new(self.tokens)).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Batches<'_, 'de> {
    type Error = Beyond;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Beyond> {
        if !self.advance()? {
            return Ok(None);
        }
        match *self.tokens.key() {
            Token::Text(name) => seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some),
            // Enough for keys that are ignored.
            Token::None | Token::Bool(_) | Token::Int(_) | Token::Float(_) | Token::Bytes(_) | Token::EmptyTuple => {
                seed.deserialize(UnitDeserializer::new()).map(Some)
            }
            _ => Err(Beyond),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Beyond> {
        seed.deserialize(Plain::new(self.tokens))
    }
}

/// The items of a tuple, whose end comes behind them.
pub(super) struct TupleAccess<'t, 'de> {
    pub(super) tokens: &'t mut Tokens<'de>,
    /// Whether the first token of the next item has been read.
    begun: bool,
    left: usize,
    end: Opcode,
}

impl<'t, 'de> TupleAccess<'t, 'de> {
    /// A tuple of so many items; the last token is its mark or the beginning of its first item.
    pub(super) fn new(len: usize, tokens: &'t mut Tokens<'de>) -> Result<Self, Beyond> {
        let marked = tokens.is(Opcode::Mark);
        let end = match len {
            _ if marked => Opcode::Tuple,
            1 => Opcode::Tuple1,
            2 => Opcode::Tuple2,
            3 => Opcode::Tuple3,
            _ => return Err(Beyond),
        };
        Ok(TupleAccess { tokens, begun: !marked, left: len, end })
    }

    /// Makes sure that all has been read.
    pub(super) fn end(&mut self) -> Result<(), Beyond> {
        self.tokens.advance();
        if self.left == 0 && self.tokens.is(self.end) { Ok(()) } else { Err(Beyond) }
    }
}

impl<'de> SeqAccess<'de> for TupleAccess<'_, 'de> {
    type Error = Beyond;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Beyond> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        if !std::mem::take(&mut self.begun) {
            self.tokens.advance();
        }
        seed.deserialize(Plain::new(self.tokens)).map(Some)
    }
}
