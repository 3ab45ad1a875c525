//! Runs of numbers in a list: read from a slice of the frame, which stays in registers, while the cursor stands still.

use ::serde::de::{Deserializer, Visitor};
use picklevm_ops::Opcode;
use picklevm_ops::internal::ShortInt;

use super::NotPlain;
use super::cursor::{Cursor, FLOAT_LEN};
use super::reader::Plain;
use crate::serde::handover;

const BININT: u8 = Opcode::BinInt.byte();
const BINFLOAT: u8 = Opcode::BinFloat.byte();

/// The rest of the frame after the numbers read so far, unless the cursor was moved there.
pub(super) struct Run<'de>(Option<&'de [u8]>);

impl<'de> Run<'de> {
    pub(super) const NONE: Run<'de> = Run(None);

    #[inline(always)]
    pub(super) fn at(cursor: &Cursor<'de>) -> Self {
        Run(Some(cursor.rest()))
    }

    /// Moves the cursor to the end of the run.
    #[inline(always)]
    pub(super) fn end(&mut self, cursor: &mut Cursor<'de>) {
        if let Some(rest) = self.0.take() {
            let len = cursor.rest().len() - rest.len();
            if len > 0 {
                cursor.skip(len);
            }
        }
    }

    /// Whether the run goes on.
    #[inline(always)]
    pub(super) fn is_number(&self) -> bool {
        const INTS: [u8; 4] = [BININT, Opcode::BinInt1.byte(), Opcode::BinInt2.byte(), Opcode::Long1.byte()];
        matches!(self.0, Some([byte, ..]) if *byte == BINFLOAT || INTS.contains(byte))
    }

    /// Reads an integer.
    #[inline(always)]
    fn int(&mut self) -> Option<i64> {
        let run = self.0?;
        // In a long list, most integers have the same opcode: the branch predictor need not wait for the length.
        if let [BININT, a, b, c, d, rest @ ..] = run {
            self.0 = Some(rest);
            return Some(i32::from_le_bytes([*a, *b, *c, *d]).into());
        }
        let int = ShortInt::first_of(run)?;
        self.0 = Some(run.get(int.op_len()..)?);
        Some(int.value())
    }

    /// Reads a float.
    #[inline(always)]
    fn float(&mut self) -> Option<f64> {
        let ([BINFLOAT, value @ ..], rest) = self.0?.split_first_chunk::<FLOAT_LEN>()? else { return None };
        self.0 = Some(rest);
        Some(f64::from_be_bytes(*value))
    }
}

/// Deserializer of an item of a list.
pub(super) struct Item<'t, 'de> {
    pub(super) cursor: &'t mut Cursor<'de>,
    pub(super) run: &'t mut Run<'de>,
}

impl<'t, 'de> Item<'t, 'de> {
    /// Ends the run.
    #[inline(always)]
    fn plain(self) -> Plain<'t, 'de> {
        self.run.end(self.cursor);
        Plain::new(self.cursor)
    }
}

/// Types of numbers: how they are read, and the visitor's method.
macro_rules! numbers {
    ($($method:ident: $read:ident => $visit:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
            match self.run.$read() {
                Some(value) => visitor.$visit(value),
                None => self.plain().$method(visitor),
            }
        }
    )*};
}

/// Types that are no numbers.
macro_rules! others {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, NotPlain> {
            self.plain().$method($($arg,)* visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Item<'_, 'de> {
    type Error = NotPlain;

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
