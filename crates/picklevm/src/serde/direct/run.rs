//! Lists that start with numbers. What is left of a run of numbers is one offset, which stays in a register while the cursor
//! stands still.

use ::serde::de::{Deserialize, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use picklevm_ops::Opcode;
use picklevm_ops::internal::ShortInt;

use super::access::{Batches, Place};
use super::cursor::{Cursor, FLOAT_LEN};
use super::failure::{Failure, Result};
use super::lookahead::{Ahead, BATCH_SIZE};
use super::reader::Plain;
use crate::serde::handover;

const BININT: u8 = Opcode::BinInt.byte();
const BINFLOAT: u8 = Opcode::BinFloat.byte();

const APPENDS: u8 = Opcode::Appends.byte();

/// The op of a number, and what follows it.
type Chunk = [u8; FLOAT_LEN];

/// The place in a list of numbers, as one number: the offset in the run, two flags, and the number of items of the batch,
/// which may overflow, as it only tells full batches from others.
#[derive(Clone, Copy)]
pub(super) struct At(u64);

impl At {
    const OFFSET_BITS: u32 = 40;
    /// In an item without a mark.
    const SINGLE: u64 = 1 << At::OFFSET_BITS;
    /// After the list.
    const END: u64 = 2 << At::OFFSET_BITS;
    const COUNT_SHIFT: u32 = At::OFFSET_BITS + 2;
    pub(super) const START: At = At(0);

    #[inline(always)]
    fn offset(self) -> usize {
        (self.0 & (At::SINGLE - 1)) as usize
    }

    /// Returns the place after an item of `len` bytes in the run.
    #[inline(always)]
    fn after(self, len: usize) -> At {
        At(self.0.wrapping_add(len as u64 + (1 << At::COUNT_SHIFT)))
    }

    /// Returns the place of an item, at the start of a run.
    fn of(place: Place) -> At {
        match place {
            Place::Within(count) => At((count as u64).wrapping_sub(1) << At::COUNT_SHIFT),
            Place::Single => At(At::SINGLE),
            Place::Between | Place::End => At(At::END),
        }
    }

    /// Whether the batch is the last, as it is not full.
    #[inline(always)]
    fn is_in_last_batch(self) -> bool {
        self.0 & (At::SINGLE | At::END) == 0 && self.0 >> At::COUNT_SHIFT < BATCH_SIZE as u64
    }

    fn place(self) -> Place {
        match self.0 {
            at if at & At::END != 0 => Place::End,
            at if at & At::SINGLE != 0 => Place::Single,
            at => Place::Within((at >> At::COUNT_SHIFT) as usize),
        }
    }
}

/// Access to the items of a list that starts with numbers.
// Two words, which the visitor takes in registers. The cursor keeps a copy of the place, as the visitor drops the access.
pub(super) struct Numbers<'t, 'g, 'de> {
    cursor: &'t mut Cursor<'g, 'de>,
    at: At,
}

impl<'t, 'g, 'de> Numbers<'t, 'g, 'de> {
    /// Accesses a list of numbers after its mark, if the first items are numbers.
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'g, 'de>, ahead: &Ahead) -> Option<Self> {
        let run = cursor.rest();
        if !ahead.are_numbers || run.len() as u64 >= At::SINGLE {
            return None;
        }
        (cursor.run, cursor.at, cursor.items) = (run, At::START, ahead.count);
        Some(Numbers { cursor, at: At::START })
    }

    /// Returns the next op in the run, unless the run ends first.
    #[inline(always)]
    fn chunk(&self) -> Option<&'de Chunk> {
        let at = self.at.offset();
        self.cursor.run.get(at..at + FLOAT_LEN)?.try_into().ok()
    }

    /// Reads the next item.
    #[inline(always)]
    fn next<T>(&mut self, read: impl FnOnce(Item<'_, 'g, 'de>) -> Result<T>) -> Result<Option<T>> {
        let mut chunk = self.chunk();
        if !matches!(chunk, Some([opcode, ..]) if *opcode != APPENDS) {
            self.at = advance(self.cursor, self.at);
            self.cursor.at = self.at;
            if self.at.place() == Place::End {
                return Ok(None);
            }
            chunk = self.chunk();
        }
        let result = read(Item { cursor: self.cursor, at: &mut self.at, chunk });
        self.cursor.at = self.at;
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                Numbers::abandon(self.cursor);
                self.at = self.cursor.at;
                Err(self.cursor.under(error))
            }
        }
    }

    /// Ends the list, of which a type was made or not. Checks that all items were read.
    #[inline(always)]
    pub(super) fn end(cursor: &mut Cursor<'g, 'de>, is_made: bool) -> Result<()> {
        let at = cursor.at;
        if !is_made {
            Numbers::fail(cursor);
            Ok(())
        } else if at.place() == Place::End || advance(cursor, at).place() == Place::End {
            Ok(())
        } else {
            cursor.end_in_graph()
        }
    }

    /// Ends the reading by a type that failed.
    #[cold]
    fn fail(cursor: &mut Cursor<'g, 'de>) {
        let place = cursor.at.place();
        Numbers::abandon(cursor);
        Batches::<false>::fail(cursor, place);
    }

    /// Moves the cursor to the last item that was read.
    fn abandon(cursor: &mut Cursor<'g, 'de>) {
        leave(cursor, cursor.at);
        cursor.at = after(cursor, cursor.at);
    }
}

/// Moves the cursor to the end of the run.
#[inline(always)]
fn leave(cursor: &mut Cursor<'_, '_>, at: At) {
    match at.offset() {
        0 => {}
        len => cursor.skip(len),
    }
}

/// Advances to the next item, which is not the next in the run. Returns its place, or that of the end.
#[inline(never)]
fn advance(cursor: &mut Cursor<'_, '_>, at: At) -> At {
    leave(cursor, at);
    if at.is_in_last_batch() && cursor.here() == APPENDS {
        cursor.skip(1);
        return At(At::END);
    }
    let place = Batches::<false>::advance_from(cursor, at.place());
    // An item without a mark is read without a run.
    cursor.run = if matches!(place, Place::Within(_)) { cursor.rest() } else { &[] };
    At::of(place)
}

/// Returns the place after an item that the cursor has read. Other ops may follow before the next item.
#[inline(never)]
fn after(cursor: &mut Cursor<'_, '_>, at: At) -> At {
    cursor.run = &[];
    At(at.0 & !(At::SINGLE - 1)).after(0)
}

impl<'de> SeqAccess<'de> for Numbers<'_, '_, 'de> {
    type Error = Failure;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.next(|item| seed.deserialize(item))
    }

    // The default, which calls the above, is not always inlined. That costs 24 instructions for each number.
    #[inline(always)]
    fn next_element<T: Deserialize<'de>>(&mut self) -> Result<Option<T>> {
        self.next(|item| T::deserialize(item))
    }

    /// The number of items that were seen ahead: enough for the capacity of a short vector.
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.cursor.items)
    }
}

/// Deserializer of an item.
pub(super) struct Item<'t, 'g, 'de> {
    cursor: &'t mut Cursor<'g, 'de>,
    at: &'t mut At,
    chunk: Option<&'de Chunk>,
}

impl<'g, 'de> Item<'_, 'g, 'de> {
    /// Reads an integer.
    #[inline(always)]
    fn int(&mut self) -> Option<i64> {
        let chunk = self.chunk?;
        // In a long list, most integers have the same opcode: the branch predictor need not wait for the length.
        if let [BININT, a, b, c, d, ..] = chunk {
            *self.at = self.at.after(5);
            return Some(i32::from_le_bytes([*a, *b, *c, *d]).into());
        }
        let int = ShortInt::first_of(chunk)?;
        *self.at = self.at.after(int.op_len());
        Some(int.value())
    }

    /// Reads a float.
    #[inline(always)]
    fn float(&mut self) -> Option<f64> {
        let [BINFLOAT, value @ ..] = self.chunk? else { return None };
        *self.at = self.at.after(FLOAT_LEN);
        Some(f64::from_be_bytes(*value))
    }

    /// Reads an item with the cursor.
    #[inline(always)]
    fn read<T>(self, read: impl FnOnce(Plain<'_, 'g, 'de>) -> Result<T>) -> Result<T> {
        leave(self.cursor, *self.at);
        let result = read(Plain::new(self.cursor));
        *self.at = after(self.cursor, *self.at);
        result
    }
}

/// Types of numbers: how they are read, and the visitor's method.
macro_rules! numbers {
    ($($method:ident: $read:ident => $visit:ident;)*) => {$(
        #[inline(always)]
        fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
            match self.$read() {
                Some(value) => visitor.$visit(value),
                None => self.read(|plain| plain.$method(visitor)),
            }
        }
    )*};
}

/// Types that are no numbers.
macro_rules! others {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value> {
            self.read(|plain| plain.$method($($arg,)* visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Item<'_, '_, 'de> {
    type Error = Failure;

    numbers! {
        deserialize_i8: int => visit_i64;
        deserialize_i16: int => visit_i64;
        deserialize_i32: int => visit_i64;
        deserialize_i64: int => visit_i64;
        deserialize_i128: int => visit_i64;
        deserialize_u8: int => visit_i64;
        deserialize_u16: int => visit_i64;
        deserialize_u32: int => visit_i64;
        deserialize_u64: int => visit_i64;
        deserialize_u128: int => visit_i64;
        deserialize_f32: float => visit_f64;
        deserialize_f64: float => visit_f64;
    }

    others! {
        deserialize_any();
        deserialize_bool();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        handover::is_human_readable()
    }
}
