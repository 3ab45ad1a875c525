//! Operands that end with a newline.

use super::number::{Base, Literal};
use super::{Escaped, Format, Number, Operand, RawUnicode, float};
use crate::buffer::Out;
use crate::input::Input;
use crate::opcode::Opcode;
use crate::text::Text;
use crate::unfit::Unfit;

/// A format whose operand is one line, with its reader and writer.
macro_rules! line {
    ($(
        $(#[$doc:meta])*
        $format:ident($operand:ident): $type:ty, $expected:literal,
            |$line:ident| $read:expr, |$value:ident, $out:ident| $write:expr;
    )*) => { $(
        $(#[$doc])*
        pub(crate) struct $format;

        impl<'a> Format<'a> for $format {
            const OPERAND: Operand = Operand::$operand;
            type Raw = &'a [u8];
            type Value = $type;

            #[inline(always)]
            fn take<I: Input<'a>>(input: &mut I) -> Result<&'a [u8], I::Error> {
                input.line()
            }

            #[inline]
            fn read($line: &'a [u8]) -> Result<$type, Unfit<'a>> {
                $read.ok_or(Unfit::text($expected, $line))
            }

            fn write(opcode: Opcode, $value: $type, $out: &mut impl Out) -> Result<&'a [u8], Unfit<'a>> {
                $out.put([opcode.byte()]);
                $write;
                $out.put(*b"\n");
                Ok(&[])
            }
        }
    )* };
}

line! {
    /// INT: `int(line, 0)`, or `00` and `01`.
    IntLine(DecimalnlShort): Number<'a>, "an integer literal",
        |line| Number::int(line), |number, out| out.put_all(number.text());
    /// LONG: `int(line, 0)` without its `L`.
    LongLine(DecimalnlLong): Number<'a>, "an integer literal",
        |line| Number::long(line), |number, out| out.put_all(number.text());
    /// GET and PUT: `int(line)`, not below zero.
    IndexLine(DecimalnlShort): u64, "a memo index from 0 to 2**64 - 1",
        |line| read_index(line), |index, out| out.put_all(index.to_string().as_bytes());
    /// FLOAT: `float(line)`.
    FloatLine(Floatnl): f64, "a decimal float literal",
        |line| float::parse(line), |value, out| float::write(value, out);
    /// STRING: a string in quotes, by the rules of `codecs.escape_decode`.
    StringLine(Stringnl): Escaped<'a>, "a quoted string with valid escapes",
        |line| Escaped::new(line), |string, out| out.put_all(string.text());
    /// PERSID: ASCII.
    AsciiLine(StringnlNoescape): &'a str, "ASCII",
        |line| ascii(line), |id, out| out.put_all(one_line(id.as_bytes(), str::is_ascii(id))?);
    /// UNICODE: raw-unicode-escape.
    UnicodeLine(Unicodestringnl): RawUnicode<'a>, "text in raw-unicode-escape",
        |line| RawUnicode::new(line), |text, out| out.put_all(text.text());
}

/// A format whose operand is two lines of text with one encoding.
macro_rules! line_pair {
    ($( $(#[$doc:meta])* $format:ident: $expected:literal, $accepts:expr; )*) => { $(
        $(#[$doc])*
        pub(crate) struct $format;

        impl $format {
            #[inline(never)]
            fn read_slowly<'a>(module: &'a [u8], name: &'a [u8]) -> Result<(Text<'a>, Text<'a>), Unfit<'a>> {
                Ok((Self::read_line(module)?, Self::read_line(name)?))
            }

            fn read_line(line: &[u8]) -> Result<Text<'_>, Unfit<'_>> {
                Text::new(line).filter($accepts).ok_or(Unfit::text($expected, line))
            }
        }

        impl<'a> Format<'a> for $format {
            const OPERAND: Operand = Operand::StringnlNoescapePair;
            type Raw = (&'a [u8], &'a [u8]);
            type Value = (Text<'a>, Text<'a>);

            #[inline(always)]
            fn take<I: Input<'a>>(input: &mut I) -> Result<Self::Raw, I::Error> {
                Ok((input.line()?, input.line()?))
            }

            #[inline(always)]
            fn read((module, name): Self::Raw) -> Result<Self::Value, Unfit<'a>> {
                match (Text::short_ascii(module), Text::short_ascii(name)) {
                    (Some(module), Some(name)) => Ok((module, name)),
                    _ => Self::read_slowly(module, name),
                }
            }

            fn write(
                opcode: Opcode, (module, name): Self::Value, out: &mut impl Out,
            ) -> Result<&'a [u8], Unfit<'a>> {
                out.put([opcode.byte()]);
                for line in [module, name] {
                    out.put_all(one_line(line.as_bytes(), $accepts(&line))?);
                    out.put(*b"\n");
                }
                Ok(&[])
            }
        }
    )* };
}

line_pair! {
    /// GLOBAL: UTF-8, strictly.
    Utf8LinePair: "UTF-8 without surrogates", |text: &Text<'_>| text.is_utf8();
    /// INST: ASCII.
    AsciiLinePair: "ASCII", |text: &Text<'_>| text.as_bytes().is_ascii();
}

fn ascii(line: &[u8]) -> Option<&str> {
    str::from_utf8(line).ok().filter(|line| line.is_ascii())
}

/// Checks a line that is to be written: it contains no newline, and its reader accepts it.
fn one_line(line: &[u8], accepted: bool) -> Result<&[u8], Unfit<'_>> {
    if !accepted || line.contains(&b'\n') {
        return Err(Unfit::text("one line in the opcode's encoding", line));
    }
    Ok(line)
}

/// Parses the decimal that `int(line)` reads, if it fits.
fn read_index(line: &[u8]) -> Option<u64> {
    // The form that Python writes; anything unusual takes the slow path.
    if let [b'0'..=b'9', ..] = line
        && line.len() < 19
        && let Some(index) = line
            .iter()
            .try_fold(0, |index: u64, byte| byte.is_ascii_digit().then(|| index * 10 + u64::from(byte - b'0')))
    {
        return Some(index);
    }
    Literal::parse(line, Base::Ten)?.index()
}
