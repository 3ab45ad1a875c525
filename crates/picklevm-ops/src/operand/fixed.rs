//! Operands of a fixed width.

use super::{Format, Operand};
use crate::buffer::Out;
use crate::input::Input;
use crate::opcode::Opcode;
use crate::unfit::Unfit;

/// A number of `$width` bytes, read and written by `$from` and `$to`; `$check` validates it.
macro_rules! fixed {
    ($( $(#[$doc:meta])* $format:ident($operand:ident): $type:ty, $width:literal, $from:ident, $to:ident; )*) => { $(
        $(#[$doc])*
        pub(crate) struct $format;

        impl<'a> Format<'a> for $format {
            const OPERAND: Operand = Operand::$operand;
            type Raw = [u8; $width];
            type Value = $type;

            #[inline(always)]
            fn take<I: Input<'a>>(input: &mut I) -> Result<[u8; $width], I::Error> {
                input.array()
            }

            #[inline(always)]
            fn read(raw: [u8; $width]) -> Result<$type, Unfit<'a>> {
                Ok(<$type>::$from(raw))
            }

            #[inline(always)]
            fn write(opcode: Opcode, value: $type, out: &mut impl Out) -> Result<&'a [u8], Unfit<'a>> {
                let mut bytes = [opcode.byte(); 1 + $width];
                bytes[1..].copy_from_slice(&value.$to());
                out.put(bytes);
                Ok(&[])
            }
        }
    )* };
}

fixed! {
    Uint1(Uint1): u8, 1, from_le_bytes, to_le_bytes;
    Uint2(Uint2): u16, 2, from_le_bytes, to_le_bytes;
    Int4(Int4): i32, 4, from_le_bytes, to_le_bytes;
    Uint4(Uint4): u32, 4, from_le_bytes, to_le_bytes;
    Float8(Float8): f64, 8, from_be_bytes, to_be_bytes;
}

/// The protocol version of PROTO.
pub(crate) struct ProtoVersion;

/// The highest protocol.
pub(crate) const HIGHEST_PROTOCOL: u8 = 5;

impl<'a> Format<'a> for ProtoVersion {
    const OPERAND: Operand = Uint1::OPERAND;
    type Raw = [u8; 1];
    type Value = u8;

    #[inline(always)]
    fn take<I: Input<'a>>(input: &mut I) -> Result<[u8; 1], I::Error> {
        input.array()
    }

    #[inline(always)]
    fn read([version]: [u8; 1]) -> Result<u8, Unfit<'a>> {
        if version > HIGHEST_PROTOCOL {
            return Err(Unfit::number("a protocol from 0 to 5", version));
        }
        Ok(version)
    }

    #[inline(always)]
    fn write(opcode: Opcode, version: u8, out: &mut impl Out) -> Result<&'a [u8], Unfit<'a>> {
        Uint1::write(opcode, Self::read([version])?, out)
    }
}

/// The length of a frame.
pub(crate) struct FrameLen;

impl<'a> Format<'a> for FrameLen {
    const OPERAND: Operand = Operand::Uint8;
    type Raw = u64;
    type Value = u64;

    #[inline(always)]
    fn take<I: Input<'a>>(input: &mut I) -> Result<u64, I::Error> {
        let len = u64::from_le_bytes(input.array()?);
        input.open_frame(len)?;
        Ok(len)
    }

    #[inline(always)]
    fn read(len: u64) -> Result<u64, Unfit<'a>> {
        // CPython: "frame size > sys.maxsize".
        if len > i64::MAX as u64 {
            return Err(Unfit::number("a frame length of less than 2**63 bytes", len));
        }
        Ok(len)
    }

    #[inline(always)]
    fn write(opcode: Opcode, len: u64, out: &mut impl Out) -> Result<&'a [u8], Unfit<'a>> {
        let mut bytes = [opcode.byte(); 9];
        bytes[1..].copy_from_slice(&Self::read(len)?.to_le_bytes());
        out.put(bytes);
        Ok(&[])
    }
}
