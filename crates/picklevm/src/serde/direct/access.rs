//! `SeqAccess` and `MapAccess` for lists, tuples and dicts, read from ops.

use ::serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use picklevm_ops::Opcode;

use super::cursor::Cursor;
use super::failure::{Failure, Result};
use super::fields::{Name, Number, number_of};
use super::lookahead::BATCH_SIZE;
use super::reader::Plain;
use crate::convert::key_hash;

/// Access to the batches of a list, or of a dict (`ROWS`), whose items are a key and a value. A batch starts with a mark,
/// except for a single item.
pub(super) struct Batches<'t, 'g, 'de, const ROWS: bool> {
    cursor: &'t mut Cursor<'g, 'de>,
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

impl<'t, 'g, 'de, const ROWS: bool> Batches<'t, 'g, 'de, ROWS> {
    /// Opcode that ends an item without a mark.
    const SINGLE: Opcode = if ROWS { Opcode::SetItem } else { Opcode::Append };
    /// Opcode that ends a batch.
    const BATCH: Opcode = if ROWS { Opcode::SetItems } else { Opcode::Appends };

    /// Accesses the list or dict that was just started, perhaps with its first MARK.
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'g, 'de>, is_marked: bool) -> Self {
        let place = if is_marked || cursor.take(Opcode::Mark) { Place::Within(0) } else { Place::Between };
        Batches { cursor, place }
    }

    /// Whether another item follows. The cursor has moved to it then.
    #[inline(always)]
    fn advance(&mut self) -> bool {
        match self.place {
            Place::Within(count) if !self.cursor.take(Self::BATCH) => {
                self.place = Place::Within(count + 1);
                true
            }
            // Only a full batch is followed by another.
            Place::Within(count) if count != BATCH_SIZE => {
                self.place = Place::End;
                false
            }
            place => {
                let (place, is_item) = Self::advance_apart(self.cursor, place);
                self.place = place;
                is_item
            }
        }
    }

    /// Advances from a place of a list that is accessed in another way. Returns the new place.
    pub(super) fn advance_from(cursor: &'t mut Cursor<'g, 'de>, place: Place) -> Place {
        let mut batches = Batches::<ROWS> { cursor, place };
        batches.advance();
        batches.place
    }

    /// Ends an item without a mark, or starts another batch. Returns the new place, and whether an item follows.
    #[inline(never)]
    fn advance_apart(cursor: &mut Cursor<'g, 'de>, place: Place) -> (Place, bool) {
        match place {
            Place::End => (Place::End, false),
            Place::Single if cursor.take(Self::SINGLE) => (Place::End, false),
            // It is not the only item, or the graph has the items.
            Place::Single => Self::advance_in_graph(cursor),
            Place::Between if cursor.is_switched() => Self::advance_in_graph(cursor),
            Place::Between | Place::Within(_) => {
                if cursor.take(Opcode::Mark) {
                    return if cursor.take(Self::BATCH) { (Place::End, false) } else { (Place::Within(1), true) };
                }
                let single = cursor.is_single();
                (if single { Place::Single } else { Place::End }, single)
            }
        }
    }

    #[cold]
    fn advance_in_graph(cursor: &mut Cursor<'g, 'de>) -> (Place, bool) {
        match cursor.is_at_end() && cursor.end_in_graph().is_ok() {
            true => (Place::End, false),
            false => (Place::Within(1), true),
        }
    }

    /// Ends the list or dict, of which a type was made or not. Checks that all items were read.
    #[inline(always)]
    fn end(&mut self, is_made: bool) -> Result<()> {
        if !is_made {
            Self::fail(self.cursor, self.place);
        } else if self.place != Place::End && self.advance() {
            return self.cursor.end_in_graph();
        }
        Ok(())
    }

    /// Ends the reading by a type that failed.
    #[cold]
    #[inline(never)]
    pub(super) fn fail(cursor: &mut Cursor<'g, 'de>, place: Place) {
        // Other picklers than CPython's do not fill a batch before they start another: the type was told of too few items.
        if place == Place::End && !cursor.is_switched() && !cursor.is_at_end() {
            cursor.give_up();
        }
    }
}

/// Access to the items of a list.
pub(super) struct Items<'t, 'g, 'de> {
    batches: Batches<'t, 'g, 'de, false>,
    /// Number of items that were seen ahead.
    ahead: usize,
}

impl<'t, 'g, 'de> Items<'t, 'g, 'de> {
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'g, 'de>, is_marked: bool, ahead: usize) -> Self {
        Items { batches: Batches::new(cursor, is_marked), ahead }
    }

    /// Ends the list, of which a type was made or not.
    #[inline(always)]
    pub(super) fn end(&mut self, is_made: bool) -> Result<()> {
        self.batches.end(is_made)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, '_, 'de> {
    type Error = Failure;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !self.batches.advance() {
            return Ok(None);
        }
        let cursor = &mut *self.batches.cursor;
        seed.deserialize(Plain::new(cursor)).map(Some).map_err(|error| cursor.under(error))
    }

    /// The number of items that were seen ahead: enough for the capacity of a short vector.
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        (self.ahead > 0).then_some(self.ahead)
    }
}

/// Access to the rows of a dict that is read into a struct.
pub(super) struct Fields<'t, 'g, 'de> {
    rows: Batches<'t, 'g, 'de, true>,
    names: &'static [&'static str],
    /// Start of the hashes of the keys of which the type may take several that are equal.
    hashes: usize,
}

impl<'t, 'g, 'de> Fields<'t, 'g, 'de> {
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'g, 'de>, is_marked: bool, names: &'static [&'static str]) -> Self {
        let hashes = cursor.hashes.len();
        Fields { rows: Batches::new(cursor, is_marked), names, hashes }
    }

    /// Ends the dict, of which a type was made or not.
    #[inline(always)]
    pub(super) fn end(&mut self, is_made: bool) -> Result<()> {
        self.rows.end(is_made)?;
        if self.rows.cursor.hashes.len() > self.hashes {
            self.rows.cursor.end_keys(self.hashes)?;
        }
        Ok(())
    }

    /// Returns the name of the field that has the place of the current row, which most writers give its key.
    #[inline(always)]
    fn expected(&self) -> &'static str {
        let Place::Within(count) = self.rows.place else { return "" };
        self.names.get(count.wrapping_sub(1)).copied().unwrap_or_default()
    }

    /// Reads a key that is known to be the name of a field, in the open batch. Returns the number of the field.
    #[inline(always)]
    fn known_key(&mut self, of: usize) -> Option<u32> {
        let Place::Within(count) = self.rows.place else { return None };
        let number = self.rows.cursor.binget()?;
        let field = self.rows.cursor.fields.get(of, number.into())?;
        self.rows.cursor.skip(2);
        self.rows.place = Place::Within(count + 1);
        Some(field)
    }

    /// Returns what tells apart the types of keys without state: the address of a function that contains the code of the
    /// type. If the linker makes one of two, both types take a name for the same field. The names of the fields do not tell
    /// types apart: with aliases, the same names may belong to other fields.
    #[inline(always)]
    fn code_of<K: DeserializeSeed<'de>>() -> usize {
        let read: fn(&mut Cursor<'g, 'de>, usize, &'static str, K) -> Result<K::Value> = Self::new_key::<K>;
        (read as *const ()).addr()
    }

    /// Reads a key that is not known to be the name of a certain field.
    #[inline(never)]
    fn new_key<K: DeserializeSeed<'de>>(
        cursor: &mut Cursor<'g, 'de>,
        of: usize,
        expected: &'static str,
        seed: K,
    ) -> Result<K::Value> {
        let mut number = None;
        let name = match cursor.short_text_like(expected) {
            Some(text) => Some(text),
            None => {
                cursor.value_at();
                number = cursor.get_here();
                match number {
                    Some(number) => cursor.memoized_text(number),
                    None => cursor.text_apart(),
                }
            }
        };
        let Some(name) = name else { return Plain::new(cursor).read_in_graph(|reader| seed.deserialize(reader)) };
        let mut is_field = false;
        let value = seed.deserialize(Name { name, is_field: number.map(|_| &mut is_field) })?;
        // A type that keeps more of a key than the number of a field need not reject a duplicate one.
        if number_of(&value).is_none() {
            cursor.hashes.push(key_hash::text(name.as_bytes()));
        }
        if let Some(number) = number
            && is_field
            && size_of::<K>() == 0
            && let Some(field) = number_of(&value)
        {
            cursor.fields.insert(of, number, field);
        }
        Ok(value)
    }
}

impl<'de> MapAccess<'de> for Fields<'_, '_, 'de> {
    type Error = Failure;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let of = Self::code_of::<K>();
        if let Some(field) = self.known_key(of) {
            return match seed.deserialize(Number(field)) {
                Ok(value) if number_of(&value) == Some(field) => Ok(Some(value)),
                // The type counts its fields in another way.
                _ => Err(self.rows.cursor.give_up()),
            };
        }
        if !self.rows.advance() {
            return Ok(None);
        }
        let expected = self.expected();
        Self::new_key(self.rows.cursor, of, expected, seed).map(Some).map_err(|error| self.rows.cursor.under(error))
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(Plain::new(self.rows.cursor)).map_err(|error| self.rows.cursor.under(error))
    }
}

/// Access to the rows of a dict that is read into a map.
pub(super) struct Rows<'t, 'g, 'de> {
    rows: Batches<'t, 'g, 'de, true>,
    /// Start of the hashes of the keys.
    hashes: usize,
    /// The last key, if all are texts in ascending order: no two are equal then. Their offsets take the place of the hashes.
    ascending: Option<&'de [u8]>,
}

impl<'t, 'g, 'de> Rows<'t, 'g, 'de> {
    pub(super) fn new(cursor: &'t mut Cursor<'g, 'de>, is_marked: bool) -> Self {
        let hashes = cursor.hashes.len();
        Rows { rows: Batches::new(cursor, is_marked), hashes, ascending: Some(&[]) }
    }

    /// Ends the dict, of which a type was made or not. Checks that all rows were read, and that no two keys are equal.
    pub(super) fn end(&mut self, is_made: bool) -> Result<()> {
        self.rows.end(is_made)?;
        match self.ascending {
            Some(_) => {
                self.rows.cursor.hashes.truncate(self.hashes);
                Ok(())
            }
            None => self.rows.cursor.end_keys(self.hashes),
        }
    }

    /// Stores the hash of the next key, or its offset. Returns where the key ends, if it has one op.
    #[inline]
    fn store_key(&mut self) -> usize {
        let cursor = &mut *self.rows.cursor;
        let text = cursor.peek_short_text();
        let end = cursor.offset() + text.map_or(0, <[u8]>::len) + 3;
        if let (Some(last), Some(text)) = (self.ascending, text)
            && (last < text || cursor.hashes.len() == self.hashes)
        {
            self.ascending = Some(text);
            cursor.hashes.push(cursor.offset() as u64);
            return end;
        }
        // The graph has no equal keys.
        if cursor.is_switched() {
            return end;
        }
        if self.ascending.take().is_some() {
            cursor.hash_texts(self.hashes);
        }
        let (hash, end) = match text {
            Some(text) => (Some(key_hash::text(text)), end),
            None => cursor.peek_key(),
        };
        match hash {
            Some(hash) => cursor.hashes.push(hash),
            None => cursor.switch(end),
        }
        end
    }
}

impl<'de> MapAccess<'de> for Rows<'_, '_, 'de> {
    type Error = Failure;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.rows.advance() {
            return Ok(None);
        }
        let end = self.store_key();
        let cursor = &mut *self.rows.cursor;
        match seed.deserialize(Plain::new(cursor)) {
            Ok(key) => {
                // A tuple, of whose first item this is the hash.
                if cursor.offset() > end {
                    cursor.switch(cursor.offset());
                }
                Ok(Some(key))
            }
            Err(error) => Err(cursor.under(error)),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(Plain::new(self.rows.cursor)).map_err(|error| self.rows.cursor.under(error))
    }
}

/// Access to the items of a tuple.
pub(super) struct TupleAccess<'t, 'g, 'de> {
    cursor: &'t mut Cursor<'g, 'de>,
    left: usize,
    end: Opcode,
}

impl<'t, 'g, 'de> TupleAccess<'t, 'g, 'de> {
    /// Accesses a tuple of `len` items that an opcode ends.
    pub(super) fn new(len: usize, end: Opcode, cursor: &'t mut Cursor<'g, 'de>) -> Self {
        TupleAccess { cursor, left: len, end }
    }

    /// Ends the tuple, of which a type was made or not. Checks that all items were read.
    pub(super) fn end(&mut self, is_made: bool) -> Result<()> {
        if !is_made || self.left == 0 && self.cursor.take_made(self.end) { Ok(()) } else { self.cursor.end_in_graph() }
    }
}

impl<'de> SeqAccess<'de> for TupleAccess<'_, '_, 'de> {
    type Error = Failure;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.left == 0 && self.cursor.next() == self.end.byte()
            || (self.left == 0 || self.cursor.may_end_tuple()) && self.cursor.is_at_end()
        {
            return Ok(None);
        }
        self.left = self.left.saturating_sub(1);
        seed.deserialize(Plain::new(self.cursor)).map(Some).map_err(|error| self.cursor.under(error))
    }
}
