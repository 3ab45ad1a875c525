//! Ops: opcodes with their operands, decoded and encoded.

mod ints;
mod literal;

pub use self::literal::Literal;
use crate::buffer::Out;
use crate::error::Error;
use crate::input::Input;
use crate::ints::{IntRun, ShortInt};
use crate::opcode::Opcode;
use crate::operand::{self, Escaped, Format, Number, RawUnicode};
use crate::table::for_each_opcode;
use crate::text::Text;
use crate::unfit::Unfit;

macro_rules! define_op {
    ($(
        $variant:ident $( ( $($field:ident : $ty:ty),+ ) as $format:ident )? =
            $byte:literal $name:literal $proto:literal [$($before:ident)*] => [$($after:ident)*]
            {$($property:ident)*} $doc:literal;
    )*) => {
        /// An opcode with its operand, decoded as the machine does. Payloads are borrowed from the pickle.
        ///
        /// ```
        /// use picklevm_ops::{Decoder, Op};
        ///
        /// let mut decoder = Decoder::new(b"K\x2a.");
        /// assert_eq!(decoder.next_op().unwrap(), Op::BinInt1(42));
        /// assert_eq!(decoder.next_op().unwrap(), Op::Stop);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum Op<'a> {
            $( #[doc = concat!($name, ". ", $doc)] $variant $( ( $($ty),+ ) )?, )*
        }

        impl<'a> Op<'a> {
            /// Returns the opcode, without the operand.
            #[inline]
            pub fn opcode(&self) -> Opcode {
                match self {
                    $( Op::$variant { .. } => Opcode::$variant, )*
                }
            }

            /// Encodes the op except its payload, which is returned.
            #[cfg_attr(not(debug_assertions), inline(always))]
            fn write(self, out: &mut impl Out) -> Result<&'a [u8], Unfit<'a>> {
                match self {
                    $( Op::$variant $( ($($field),+) )? => {
                        write_op!(Opcode::$variant, out $(, $format, ($($field),+) )?)
                    } )*
                }
            }
        }

        /// Decodes one op and passes it to a visitor in an arm of its own: once the visitor is inlined, its `match` on
        /// the op and the one on the byte become one jump.
        #[cfg_attr(not(debug_assertions), inline(always))]
        pub(crate) fn decode_to<'a, I: Input<'a>, V: Visitor<'a>, G: Grouping<'a, I, V>>(
            input: &mut I,
            offset: u64,
            visitor: &mut V,
        ) -> Result<V::Output, I::Error> {
            let byte = input.opcode()?;
            decode_arm::<I, V, G>(byte, input, offset, visitor)
        }

        /// The arms of [`decode_to`], after the byte of the opcode.
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn decode_arm<'a, I: Input<'a>, V: Visitor<'a>, G: Grouping<'a, I, V>>(
            byte: u8,
            input: &mut I,
            offset: u64,
            visitor: &mut V,
        ) -> Result<V::Output, I::Error> {
            match byte {
                ShortInt::BININT | ShortInt::BININT1 | ShortInt::BININT2 | ShortInt::LONG1 if G::SHARED_ARMS => {
                    if let Some(output) = G::short_ints(byte, input, offset, visitor)? {
                        return Ok(output);
                    }
                    // Only LONG1 can be longer. Testing the opcode here would make compilers split this arm into four
                    // again.
                    let digits = operand::decode::<operand::Long1, I>(input)?;
                    Ok(visitor.visit::<{ ShortInt::LONG1 }>(offset, Op::Long1(digits)))
                }
                TUPLE1 | TUPLE2 | TUPLE3 if G::SHARED_ARMS => {
                    let output = visitor.visit_tuple(offset, byte - (TUPLE1 - 1));
                    Ok(G::memoize(input, visitor, output))
                }
                $( $byte => {
                    if const { $byte == ShortInt::BININT1 }
                        && let Some(output) = G::take(input, offset, visitor)
                    {
                        return Ok(output);
                    }
                    $(
                        #[allow(unused_parens, reason = "some operands are pairs")]
                        let ($($field),+) = operand::decode::<operand::$format, I>(input)?;
                    )?
                    let output = visitor.visit::<$byte>(offset, Op::$variant $( ($($field),+) )?);
                    Ok(if const { Opcode::$variant.is_memoized() } { G::memoize(input, visitor, output) } else { output })
                } )*
                _ => Err(input.unknown(byte)),
            }
        }

        /// Finds the end of an op without checking its operand.
        pub(crate) fn skip<'a, I: Input<'a>>(input: &mut I) -> Result<Opcode, I::Error> {
            let byte = input.opcode()?;
            match byte {
                $( $byte => {
                    $( operand::$format::take(input)?; )?
                    Ok(Opcode::$variant)
                } )*
                _ => Err(input.unknown(byte)),
            }
        }
    };
}

/// Receives ops as they are decoded.
///
/// Mark the method `#[inline(always)]`: then its `match` is resolved where each opcode is decoded, and running an op
/// costs one jump instead of two.
///
/// ```
/// use picklevm_ops::{Decoder, Op, Visitor};
///
/// /// Adds up small integers.
/// #[derive(Default)]
/// struct Sum {
///     total: u64,
///     stopped: bool,
/// }
///
/// impl<'a> Visitor<'a> for Sum {
///     type Output = ();
///
///     #[inline(always)]
///     fn visit<const BYTE: u8>(&mut self, _offset: u64, op: Op<'a>) {
///         match op {
///             Op::BinInt1(value) => self.total += u64::from(value),
///             Op::Stop => self.stopped = true,
///             _ => {}
///         }
///     }
/// }
///
/// let mut decoder = Decoder::new(b"K\x01K\x02\x86.");
/// let mut sum = Sum::default();
/// while !sum.stopped {
///     decoder.visit_op(&mut sum)?;
/// }
/// assert_eq!(sum.total, 3);
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
pub trait Visitor<'a> {
    /// The result of visiting an op.
    type Output;

    /// Visits an op that begins at `offset`. `BYTE` is its opcode, or 0 if that is known only at run time. With one
    /// instance for each opcode, compilers cannot merge the arms of the decoder before they inline it.
    fn visit<const BYTE: u8>(&mut self, offset: u64, op: Op<'a>) -> Self::Output;

    /// Visits an integer of up to seven bytes in place of its op. Four opcodes hold such integers, in an order that is
    /// unpredictable in lists of numbers. A visitor that needs only the value gets it here without a branch on the
    /// opcode.
    #[doc(hidden)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_int(&mut self, offset: u64, int: ShortInt<'a>) -> Self::Output {
        self.visit::<0>(offset, int.op())
    }

    /// Visits TUPLE1, TUPLE2 or TUPLE3, given the number of items. A visitor that treats them alike avoids a branch on
    /// the opcode.
    #[doc(hidden)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_tuple(&mut self, offset: u64, len: u8) -> Self::Output {
        match len {
            1 => self.visit::<TUPLE1>(offset, Op::Tuple1),
            2 => self.visit::<TUPLE2>(offset, Op::Tuple2),
            _ => self.visit::<TUPLE3>(offset, Op::Tuple3),
        }
    }
}

/// Receives ops as they are decoded, several small integers at once; see
/// [`Source::visit_until`](crate::Source::visit_until).
///
/// ```
/// use picklevm_ops::{Decoder, Op, Source, Visitor};
/// use picklevm_ops::internal::{IntRun, RunVisitor};
///
/// /// Adds up small integers.
/// struct Sum(u64);
///
/// impl<'a> Visitor<'a> for Sum {
///     type Output = bool;
///
///     fn visit<const BYTE: u8>(&mut self, _offset: u64, op: Op<'a>) -> bool {
///         if let Op::BinInt1(value) = op {
///             self.0 += u64::from(value);
///         }
///         op != Op::Stop
///     }
/// }
///
/// impl<'a> RunVisitor<'a> for Sum {
///     fn visit_run<const N: usize>(&mut self, _offset: u64, operands: [u8; N]) -> bool {
///         self.0 += operands.iter().map(|value| u64::from(*value)).sum::<u64>();
///         true
///     }
///
///     fn visit_ints(&mut self, _offset: u64, ints: IntRun) -> bool {
///         self.0 += ints.values().iter().map(|value| u64::from(*value)).sum::<u64>();
///         true
///     }
/// }
///
/// let mut sum = Sum(0);
/// let (decoder, visited) = Decoder::new(b"K\x01K\x02K\x03.").visit_until(u64::MAX, &mut sum);
/// visited?;
/// assert_eq!((sum.0, decoder.offset()), (6, 7));
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
pub trait RunVisitor<'a>: Visitor<'a, Output = bool> {
    /// Visits `N` consecutive BININT1, the first of which begins at `offset`. Returns whether to continue.
    fn visit_run<const N: usize>(&mut self, offset: u64, operands: [u8; N]) -> bool;

    /// Visits consecutive BININT1 and BININT2, the first of which begins at `offset`. Returns whether to continue.
    /// Their number is unpredictable where tuples of all lengths hold them: a visitor that needs only the values can
    /// always read [`IntRun::MOST`] of them, without a branch.
    fn visit_ints(&mut self, offset: u64, ints: IntRun) -> bool;
}

const TUPLE1: u8 = Opcode::Tuple1 as u8;
const TUPLE2: u8 = Opcode::Tuple2 as u8;
const TUPLE3: u8 = Opcode::Tuple3 as u8;

/// Whether ops that often come together are decoded at once.
pub(crate) trait Grouping<'a, I: Input<'a>, V: Visitor<'a>> {
    /// Whether short integers share one arm, and so do tuples of one to three items: which of their opcodes comes next
    /// is hard to predict.
    const SHARED_ARMS: bool = I::SHORT_INTS;

    /// Decodes more than one BININT1, if they come next; the opcode of the first has been read.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take(_input: &mut I, _offset: u64, _visitor: &mut V) -> Option<V::Output> {
        None
    }

    /// Decodes a short integer, and more if they come next; the opcode of the first has been read.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn short_ints(opcode: u8, input: &mut I, offset: u64, visitor: &mut V) -> Result<Option<V::Output>, I::Error> {
        Ok(input.short_int(opcode)?.map(|int| visitor.visit_int(offset, int)))
    }

    /// Decodes the MEMOIZE after an op whose visit returned `output`, if there is one.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn memoize(_input: &mut I, _visitor: &mut V, output: V::Output) -> V::Output {
        output
    }
}

/// Decodes ops one by one.
pub(crate) struct Ungrouped;

impl<'a, I: Input<'a>, V: Visitor<'a>> Grouping<'a, I, V> for Ungrouped {}

/// Decodes two or four BININT1, or up to three small integers at once, and MEMOIZE together with the op before it.
pub(crate) struct Grouped;

impl<'a, I: Input<'a>, V: RunVisitor<'a>> Grouping<'a, I, V> for Grouped {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take(input: &mut I, offset: u64, visitor: &mut V) -> Option<bool> {
        if let Some(four) = input.four_bytes() {
            return Some(visitor.visit_run(offset, four));
        }
        input.two_bytes().map(|two| visitor.visit_run(offset, two))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn short_ints(opcode: u8, input: &mut I, offset: u64, visitor: &mut V) -> Result<Option<bool>, I::Error> {
        if let Some(ints) = input.small_ints(opcode)? {
            return Ok(Some(visitor.visit_ints(offset, ints)));
        }
        Ok(input.short_int(opcode)?.map(|int| visitor.visit_int(offset, int)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn memoize(input: &mut I, visitor: &mut V, go_on: bool) -> bool {
        if !go_on {
            return false;
        }
        let Some(offset) = input.memoize() else { return true };
        visitor.visit::<{ Opcode::Memoize.byte() }>(offset, Op::Memoize)
    }
}

/// Returns the op itself.
struct ReturnOp;

impl<'a> Visitor<'a> for ReturnOp {
    type Output = Op<'a>;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit<const BYTE: u8>(&mut self, _: u64, op: Op<'a>) -> Op<'a> {
        op
    }
}

/// Decodes one op.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn decode<'a, I: Input<'a>>(input: &mut I) -> Result<Op<'a>, I::Error> {
    decode_to::<_, _, Ungrouped>(input, 0, &mut ReturnOp)
}

/// Decodes ops one by one, each in the arm of its own opcode.
struct PerOpcode;

impl<'a, I: Input<'a>, V: Visitor<'a>> Grouping<'a, I, V> for PerOpcode {
    const SHARED_ARMS: bool = false;
}

/// Decodes the rest of an op whose opcode has been read. If the opcode is a constant, no branch on it is left.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn decode_operand<'a, I: Input<'a>>(opcode: Opcode, input: &mut I) -> Result<Op<'a>, I::Error> {
    decode_arm::<_, _, PerOpcode>(opcode.byte(), input, 0, &mut ReturnOp)
}

macro_rules! write_op {
    ($opcode:expr, $out:ident) => {{
        $out.put([$opcode.byte()]);
        Ok(&[])
    }};
    ($opcode:expr, $out:ident, $format:ident, $value:expr) => {
        <operand::$format as Format<'_>>::write($opcode, $value, $out)
    };
}

for_each_opcode!(define_op);

impl<'a> Op<'a> {
    /// Appends the encoded op to `out`.
    ///
    /// ```
    /// use picklevm_ops::Op;
    ///
    /// let mut pickle = Vec::new();
    /// Op::BinInt(-2).encode(&mut pickle)?;
    /// Op::Stop.encode(&mut pickle)?;
    /// assert_eq!(pickle, b"J\xfe\xff\xff\xff.");
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BadOperand`](crate::ErrorKind::BadOperand) if the operand would not read back: a payload that is too long for
    /// the opcode's length, a name with a newline. Then nothing is appended.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn encode(self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.encode_at(0, out)
    }

    /// Encodes the op as [`encode`](Self::encode) does. `passed` bytes were written before those in `out`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn encode_at(self, passed: u64, out: &mut impl Out) -> Result<(), Error> {
        let payload = self.encode_head_at(passed, out)?;
        out.put_all(payload);
        Ok(())
    }

    /// Encodes the op except the payload of a length-prefixed operand, which is returned.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn encode_head_at(self, passed: u64, out: &mut impl Out) -> Result<&'a [u8], Error> {
        let len = out.len();
        self.write(out).map_err(|unfit| refused(self.opcode(), unfit, out, len, passed))
    }

    /// Returns the payload of a length-prefixed operand: bytes, 8-bit string, text or the digits of an integer, as
    /// encoded in the pickle.
    #[inline]
    pub fn payload(self) -> Option<&'a [u8]> {
        match self {
            Op::Long1(bytes) | Op::Long4(bytes) => Some(bytes),
            Op::BinString(bytes) | Op::ShortBinString(bytes) => Some(bytes),
            Op::BinBytes(bytes) | Op::ShortBinBytes(bytes) | Op::BinBytes8(bytes) | Op::ByteArray8(bytes) => {
                Some(bytes)
            }
            Op::BinUnicode(text) | Op::ShortBinUnicode(text) | Op::BinUnicode8(text) => Some(text.as_bytes()),
            _ => None,
        }
    }
}

/// Removes the partly written op and returns the error.
#[cold]
fn refused(opcode: Opcode, unfit: Unfit<'_>, out: &mut impl Out, len: usize, passed: u64) -> Error {
    out.truncate(len);
    Error::unfit(passed + len as u64, Some(opcode), unfit)
}
