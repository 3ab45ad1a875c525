//! Operands of a length and that many bytes.

use super::{Format, Operand};
use crate::buffer::Out;
use crate::input::Input;
use crate::opcode::Opcode;
use crate::text::Text;
use crate::unfit::Unfit;

/// A little-endian length of `N` bytes.
trait Length: Sized {
    fn take<'a, I: Input<'a>>(input: &mut I) -> Result<u64, I::Error>;
    fn write<'a>(opcode: Opcode, payload: &'a [u8], out: &mut impl Out) -> Result<(), Unfit<'a>>;
}

macro_rules! lengths {
    ($( $type:ty, $width:literal, $expected:literal; )*) => { $(
        impl Length for $type {
            #[inline(always)]
            fn take<'a, I: Input<'a>>(input: &mut I) -> Result<u64, I::Error> {
                let len = <$type>::from_le_bytes(input.array()?);
                u64::try_from(len).map_err(|_| input.unfit(Unfit::number("a length of zero or more", len)))
            }

            #[inline(always)]
            fn write<'a>(opcode: Opcode, payload: &'a [u8], out: &mut impl Out) -> Result<(), Unfit<'a>> {
                let Ok(len) = <$type>::try_from(payload.len()) else {
                    return Err(Unfit::number($expected, payload.len() as u64));
                };
                let mut bytes = [opcode.byte(); 1 + $width];
                bytes[1..].copy_from_slice(&len.to_le_bytes());
                out.put(bytes);
                Ok(())
            }
        }
    )* };
}

lengths! {
    u8, 1, "a length of at most 255";
    i32, 4, "a length of at most 2147483647";
    u32, 4, "a length of at most 4294967295";
    u64, 8, "a length of at most 18446744073709551615";
}

/// The type of a length-prefixed payload.
pub(crate) trait Content<'a>: Sized {
    /// The bytes, with facts found while reading them.
    type Raw;

    fn take<I: Input<'a>>(input: &mut I, len: u64) -> Result<Self::Raw, I::Error>;
    fn read(raw: Self::Raw) -> Result<Self, Unfit<'a>>;
    fn bytes(self) -> &'a [u8];
}

impl<'a> Content<'a> for &'a [u8] {
    type Raw = &'a [u8];

    #[inline(always)]
    fn take<I: Input<'a>>(input: &mut I, len: u64) -> Result<&'a [u8], I::Error> {
        input.bytes(len)
    }

    #[inline(always)]
    fn read(bytes: &'a [u8]) -> Result<Self, Unfit<'a>> {
        Ok(bytes)
    }

    #[inline(always)]
    fn bytes(self) -> &'a [u8] {
        self
    }
}

impl<'a> Content<'a> for Text<'a> {
    type Raw = (&'a [u8], bool);

    #[inline(always)]
    fn take<I: Input<'a>>(input: &mut I, len: u64) -> Result<Self::Raw, I::Error> {
        input.text(len)
    }

    #[inline(always)]
    fn read((bytes, ascii): Self::Raw) -> Result<Self, Unfit<'a>> {
        if ascii {
            return Ok(Text::trusted(bytes, true));
        }
        Text::new(bytes).ok_or(Unfit::text("UTF-8 (lone surrogates allowed)", bytes))
    }

    #[inline(always)]
    fn bytes(self) -> &'a [u8] {
        self.as_bytes()
    }
}

macro_rules! counted {
    ($( $format:ident: $length:ty, $content:ty; )*) => { $(
        pub(crate) struct $format;

        impl<'a> Format<'a> for $format {
            const OPERAND: Operand = Operand::$format;
            type Raw = <$content as Content<'a>>::Raw;
            type Value = $content;

            #[inline(always)]
            fn take<I: Input<'a>>(input: &mut I) -> Result<Self::Raw, I::Error> {
                let len = <$length as Length>::take(input)?;
                <$content>::take(input, len)
            }

            #[inline(always)]
            fn read(raw: Self::Raw) -> Result<Self::Value, Unfit<'a>> {
                <$content>::read(raw)
            }

            #[inline(always)]
            fn write(opcode: Opcode, value: Self::Value, out: &mut impl Out) -> Result<&'a [u8], Unfit<'a>> {
                let payload = value.bytes();
                <$length as Length>::write(opcode, payload, out)?;
                Ok(payload)
            }
        }
    )* };
}

counted! {
    String1: u8, &'a [u8];
    String4: i32, &'a [u8];
    Bytes1: u8, &'a [u8];
    Bytes4: u32, &'a [u8];
    Bytes8: u64, &'a [u8];
    Bytearray8: u64, &'a [u8];
    Long1: u8, &'a [u8];
    Long4: i32, &'a [u8];
    Unicodestring1: u8, Text<'a>;
    Unicodestring4: u32, Text<'a>;
    Unicodestring8: u64, Text<'a>;
}
