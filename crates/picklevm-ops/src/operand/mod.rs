//! Operand formats: the decoding of each beside its encoding.
//!
//! A format is named after its descriptor in `pickletools`. Where CPython's machine reads one descriptor in several
//! ways (GET and INT both have a `decimalnl_short`), there is a format for each way.

use crate::buffer::Out;
use crate::input::Input;
use crate::opcode::Opcode;
use crate::table::for_each_opcode;
use crate::unfit::Unfit;

mod counted;
mod escaped;
mod fixed;
mod float;
mod line;
mod number;
mod raw_unicode;

pub(crate) use counted::*;
pub use escaped::Escaped;
pub(crate) use escaped::unescape_all;
pub(crate) use fixed::*;
pub(crate) use float::{parse as parse_float, write_17_digits};
pub(crate) use line::*;
pub(crate) use number::{Base, Literal, without_suffix};
pub use number::{IntValue, Number};
pub use raw_unicode::RawUnicode;

/// The encoding and the meaning of an operand.
pub(crate) trait Format<'a> {
    /// The descriptor in `pickletools`.
    const OPERAND: Operand;
    /// The encoded operand.
    type Raw;
    /// The decoded operand.
    type Value;

    /// Reads the encoded operand, checking only what is needed to find its end.
    fn take<I: Input<'a>>(input: &mut I) -> Result<Self::Raw, I::Error>;

    /// Decodes the operand as the machine does.
    fn read(raw: Self::Raw) -> Result<Self::Value, Unfit<'a>>;

    /// Appends `opcode` and the operand except the payload that follows, which is returned.
    fn write(opcode: Opcode, value: Self::Value, out: &mut impl Out) -> Result<&'a [u8], Unfit<'a>>;
}

/// Decodes an operand.
#[inline(always)]
pub(crate) fn decode<'a, F: Format<'a>, I: Input<'a>>(input: &mut I) -> Result<F::Value, I::Error> {
    let raw = F::take(input)?;
    F::read(raw).map_err(|unfit| input.unfit(unfit))
}

macro_rules! operands {
    ($( $variant:ident $name:literal $doc:literal; )*) => {
        /// The format of an operand: an `ArgumentDescriptor` of `pickletools`.
        ///
        /// ```
        /// use picklevm_ops::{Opcode, Operand};
        ///
        /// assert_eq!(Opcode::BinInt1.operand(), Some(Operand::Uint1));
        /// assert_eq!(Operand::Uint1.name(), "uint1");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operand {
            $( #[doc = $doc] $variant, )*
        }

        impl Operand {
            /// Returns the name of the descriptor in `pickletools`, such as `decimalnl_short`.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Operand::$variant => $name, )*
                }
            }

            /// Returns whether a newline ends it, rather than a length.
            pub(crate) const fn is_line(self) -> bool {
                use Operand::*;
                matches!(
                    self,
                    DecimalnlShort
                        | DecimalnlLong
                        | Floatnl
                        | Stringnl
                        | StringnlNoescape
                        | StringnlNoescapePair
                        | Unicodestringnl
                )
            }

            /// Returns a sentence about the encoding.
            pub const fn doc(self) -> &'static str {
                match self {
                    $( Operand::$variant => $doc, )*
                }
            }
        }
    };
}

operands! {
    Uint1 "uint1" "One-byte unsigned integer.";
    Uint2 "uint2" "Two-byte unsigned integer, little-endian.";
    Int4 "int4" "Four-byte signed integer, little-endian, two's complement.";
    Uint4 "uint4" "Four-byte unsigned integer, little-endian.";
    Uint8 "uint8" "Eight-byte unsigned integer, little-endian.";
    Float8 "float8" "Eight-byte IEEE 754 float, big-endian.";
    DecimalnlShort "decimalnl_short" "A newline-terminated integer literal, without a trailing `L`.";
    DecimalnlLong "decimalnl_long" "A newline-terminated integer literal, with or without a trailing `L`.";
    Floatnl "floatnl" "A newline-terminated decimal float literal.";
    Stringnl "stringnl" "A newline-terminated quoted string, with the escapes of Python's `repr`.";
    StringnlNoescape "stringnl_noescape" "A newline-terminated string.";
    StringnlNoescapePair "stringnl_noescape_pair" "A pair of newline-terminated strings.";
    Unicodestringnl "unicodestringnl" "Newline-terminated text in raw-unicode-escape.";
    String1 "string1" "A one-byte length and that many bytes.";
    String4 "string4" "A four-byte little-endian signed length and that many bytes.";
    Bytes1 "bytes1" "A one-byte length and that many bytes.";
    Bytes4 "bytes4" "A four-byte little-endian length and that many bytes.";
    Bytes8 "bytes8" "An eight-byte little-endian length and that many bytes.";
    Bytearray8 "bytearray8" "An eight-byte little-endian length and that many bytes.";
    Long1 "long1" "A one-byte length and an integer of that many bytes, little-endian, two's complement.";
    Long4 "long4" "A four-byte little-endian signed length and an integer of that many bytes, little-endian, two's complement.";
    Unicodestring1 "unicodestring1" "A one-byte length and that many bytes of UTF-8 that may contain surrogates.";
    Unicodestring4 "unicodestring4" "A four-byte little-endian length and that many bytes of UTF-8 that may contain surrogates.";
    Unicodestring8 "unicodestring8" "An eight-byte little-endian length and that many bytes of UTF-8 that may contain surrogates.";
}

macro_rules! define_operand {
    ($(
        $variant:ident $( ( $($field:ident : $ty:ty),+ ) as $format:ident )? =
            $byte:literal $name:literal $proto:literal [$($before:ident)*] => [$($after:ident)*]
            {$($property:ident)*} $doc:literal;
    )*) => {
        impl Opcode {
            /// Returns the format of the operand, if the opcode has one.
            pub const fn operand(self) -> Option<Operand> {
                match self {
                    $( Opcode::$variant => operand_of!($($format)?), )*
                }
            }
        }
    };
}

macro_rules! operand_of {
    () => {
        None
    };
    ($format:ident) => {
        Some(<$format as Format<'static>>::OPERAND)
    };
}

for_each_opcode!(define_operand);
