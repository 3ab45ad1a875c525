//! `SeqAccess` and `MapAccess` for lists, tuples and dicts, read from ops.

use ::serde::de::value::UnitDeserializer;
use ::serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use picklevm_ops::Opcode;

use super::NotPlain;
use super::cursor::{Cursor, Token};
use super::fields::{Name, Number, number_of};
use super::lookahead::{BATCH_SIZE, come_before};
use super::reader::Plain;
use crate::convert::key_hash;

/// Access to the batches of a list, or of a dict (`ROWS`), whose items are a key and a value. A batch starts with a mark,
/// except for a single item.
pub(super) struct Batches<'t, 'de, const ROWS: bool> {
    cursor: &'t mut Cursor<'de>,
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
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

    /// Accesses the list or dict that was just started, perhaps with its first MARK.
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'de>, is_marked: bool) -> Self {
        let place = if is_marked || cursor.take(Opcode::Mark) { Place::Within(0) } else { Place::Between };
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
            place => {
                let (place, is_item) = Self::advance_apart(self.cursor, place)?;
                self.place = place;
                Ok(is_item)
            }
        }
    }

    /// Advances from a place of a list that is accessed in another way. Returns the new place.
    pub(super) fn advance_from(cursor: &'t mut Cursor<'de>, place: Place) -> Result<Place, NotPlain> {
        let mut batches = Batches::<ROWS> { cursor, place };
        batches.advance().map(|_| batches.place)
    }

    /// Ends an item without a mark, or starts another batch. Returns the new place, and whether an item follows.
    #[inline(never)]
    fn advance_apart(cursor: &mut Cursor<'de>, place: Place) -> Result<(Place, bool), NotPlain> {
        match place {
            Place::End => Ok((Place::End, false)),
            Place::Single if cursor.take(Self::SINGLE) => Ok((Place::End, false)),
            Place::Single => Err(NotPlain),
            Place::Between | Place::Within(_) => {
                if cursor.take(Opcode::Mark) {
                    return Ok(if cursor.take(Self::BATCH) { (Place::End, false) } else { (Place::Within(1), true) });
                }
                let single = come_before(cursor.ahead(), if ROWS { 2 } else { 1 }, Self::SINGLE);
                Ok((if single { Place::Single } else { Place::End }, single))
            }
        }
    }

    /// Checks that all items were read.
    #[inline(always)]
    pub(super) fn end(&mut self) -> Result<(), NotPlain> {
        if self.place != Place::End && self.advance()? { Err(NotPlain) } else { Ok(()) }
    }
}

/// Access to the items of a list.
pub(super) struct Items<'t, 'de> {
    batches: Batches<'t, 'de, false>,
    /// Number of items that were seen ahead.
    ahead: usize,
}

impl<'t, 'de> Items<'t, 'de> {
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'de>, is_marked: bool, ahead: usize) -> Self {
        Items { batches: Batches::new(cursor, is_marked), ahead }
    }

    #[inline(always)]
    pub(super) fn end(&mut self) -> Result<(), NotPlain> {
        self.batches.end()
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = NotPlain;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, NotPlain> {
        if self.batches.advance()? { seed.deserialize(Plain::new(self.batches.cursor)).map(Some) } else { Ok(None) }
    }

    /// The number of items that were seen ahead: enough for the capacity of a short vector.
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        (self.ahead > 0).then_some(self.ahead)
    }
}

/// Access to the rows of a dict that is read into a struct.
pub(super) struct Fields<'t, 'de> {
    rows: Batches<'t, 'de, true>,
    /// Address of the names of the fields.
    of: usize,
}

impl<'t, 'de> Fields<'t, 'de> {
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'de>, is_marked: bool, names: &'static [&'static str]) -> Self {
        Fields { rows: Batches::new(cursor, is_marked), of: names.as_ptr().addr() }
    }

    #[inline(always)]
    pub(super) fn end(&mut self) -> Result<(), NotPlain> {
        self.rows.end()
    }

    /// Reads a key that is known to be the name of a field, in the open batch. Returns the number of the field.
    #[inline(always)]
    fn known_key(&mut self) -> Option<u32> {
        let Place::Within(count) = self.rows.place else { return None };
        let number = self.rows.cursor.binget()?;
        let field = self.rows.cursor.fields.get(self.of, number.into())?;
        self.rows.cursor.skip(2);
        self.rows.place = Place::Within(count + 1);
        Some(field)
    }

    /// Reads a key that is not known to be the name of a certain field.
    #[inline(never)]
    fn new_key<K: DeserializeSeed<'de>>(cursor: &mut Cursor<'de>, of: usize, seed: K) -> Result<K::Value, NotPlain> {
        let mut number = None;
        let name = match cursor.short_text() {
            Some(text) => Some(text?),
            None => {
                number = cursor.get_here();
                match number {
                    Some(number) => Some(cursor.memoized_text(number).ok_or(NotPlain)?),
                    None => cursor.key_here()?,
                }
            }
        };
        // A unit is enough for keys that are not text: they are ignored.
        let Some(name) = name else { return seed.deserialize(UnitDeserializer::new()) };
        let mut is_field = false;
        let value = seed.deserialize(Name { name, is_field: number.map(|_| &mut is_field) })?;
        if let Some(number) = number
            && is_field
            && let Some(field) = number_of(&value)
        {
            cursor.fields.insert(of, number, field);
        }
        Ok(value)
    }
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = NotPlain;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NotPlain> {
        if let Some(field) = self.known_key() {
            let value = seed.deserialize(Number(field))?;
            // The type may count its fields in another way.
            return if number_of(&value) == Some(field) { Ok(Some(value)) } else { Err(NotPlain) };
        }
        if self.rows.advance()? { Self::new_key(self.rows.cursor, self.of, seed).map(Some) } else { Ok(None) }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, NotPlain> {
        seed.deserialize(Plain::new(self.rows.cursor))
    }
}

/// Access to the rows of a dict that is read into a map.
pub(super) struct Rows<'t, 'de> {
    rows: Batches<'t, 'de, true>,
    /// Start of the hashes of the keys.
    hashes: usize,
    /// The last key, if all are texts in ascending order: no two are equal then. Their offsets take the place of the hashes.
    ascending: Option<&'de [u8]>,
}

impl<'t, 'de> Rows<'t, 'de> {
    pub(super) fn new(cursor: &'t mut Cursor<'de>, is_marked: bool) -> Self {
        let hashes = cursor.hashes.len();
        Rows { rows: Batches::new(cursor, is_marked), hashes, ascending: Some(&[]) }
    }

    /// Checks that all rows were read, and that no two keys are equal: a dict has only one of them.
    pub(super) fn end(&mut self) -> Result<(), NotPlain> {
        self.rows.end()?;
        let hashes = &mut self.rows.cursor.hashes;
        if self.ascending.is_some() {
            hashes.truncate(self.hashes);
            return Ok(());
        }
        if key_hash::are_equal(hashes, self.hashes) { Err(NotPlain) } else { Ok(()) }
    }

    /// Stores the hash of the next key, or its offset.
    #[inline]
    fn store_key(&mut self) -> Result<(), NotPlain> {
        let cursor = &mut *self.rows.cursor;
        let text = cursor.peek_short_text();
        if let (Some(last), Some(text)) = (self.ascending, text)
            && (last < text || cursor.hashes.len() == self.hashes)
        {
            self.ascending = Some(text);
            cursor.hashes.push(cursor.offset() as u64);
            return Ok(());
        }
        if self.ascending.take().is_some() {
            cursor.hash_texts(self.hashes);
        }
        let hash = match text {
            Some(text) => key_hash::text(text),
            None => hash_of(cursor.peek()).ok_or(NotPlain)?,
        };
        cursor.hashes.push(hash);
        Ok(())
    }
}

/// Returns the hash of a key, if it is one of one op.
fn hash_of(token: Token<'_>) -> Option<u64> {
    match token {
        Token::None => Some(key_hash::none()),
        Token::Bool(value) => Some(key_hash::int(value.into())),
        Token::Int(value) => Some(key_hash::int(value.into())),
        Token::Unsigned(value) => Some(key_hash::int(value.into())),
        Token::Float(value) => key_hash::float(value),
        Token::Text(text) => Some(key_hash::text(text.as_bytes())),
        Token::Bytes(bytes) => Some(key_hash::bytes(bytes)),
        Token::EmptyTuple => Some(key_hash::tuple(&[])),
        Token::Known | Token::List | Token::Dict | Token::NotPlain => None,
    }
}

impl<'de> MapAccess<'de> for Rows<'_, 'de> {
    type Error = NotPlain;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NotPlain> {
        if !self.rows.advance()? {
            return Ok(None);
        }
        self.store_key()?;
        seed.deserialize(Plain::new(self.rows.cursor)).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, NotPlain> {
        seed.deserialize(Plain::new(self.rows.cursor))
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
