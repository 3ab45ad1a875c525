//! `fractions.Fraction` and `complex`.

use std::fmt;

use num_bigint::{BigInt, Sign};
use num_integer::Integer;

use super::builtins::{Plain, plain, text};
use super::reduce_helpers::{into_value, typed};
use super::signature::Signature;
use super::{Reduce, View};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::InstanceView;
use crate::graph::{Arena, Id, Kind, Value};
use crate::protocol::Protocol;
use crate::python::Class;

/// View of a `fractions.Fraction`, in lowest terms.
///
/// ```
/// use picklevm::typed::Fraction;
///
/// let half = Fraction::new(2, -4)?;
/// assert_eq!(half.to_string(), "-1/2");
/// assert!(Fraction::new(1, 0).is_err());
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fraction {
    numerator: BigInt,
    denominator: BigInt,
}

impl Fraction {
    /// Creates a fraction in lowest terms.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] if the denominator is 0.
    pub fn new(numerator: impl Into<BigInt>, denominator: impl Into<BigInt>) -> Result<Fraction> {
        let (numerator, denominator) = (numerator.into(), denominator.into());
        let mut divisor = numerator.gcd(&denominator);
        match denominator.sign() {
            Sign::NoSign => {
                return Err(Error::new(ErrorKind::OutOfRange, "a denominator other than 0", "0"));
            }
            Sign::Minus => divisor = -divisor,
            Sign::Plus => {}
        }
        Ok(Fraction { numerator: numerator / &divisor, denominator: denominator / divisor })
    }

    /// Returns the numerator.
    pub fn numerator(&self) -> &BigInt {
        &self.numerator
    }

    /// Returns the denominator, which is positive.
    pub fn denominator(&self) -> &BigInt {
        &self.denominator
    }

    /// Accepts two integers, one number, or text (which Python before 3.11 writes). Large fractions are assumed to be
    /// in lowest terms: the check takes quadratic time.
    pub(crate) fn of(instance: &InstanceView<'_>) -> Option<Fraction> {
        const SIGNATURE: Signature<2> = Signature::new(["numerator", "denominator"], 0);
        let (numerator, denominator) = match instance.bind(Class::Fraction, &SIGNATURE)? {
            [None, None] => (BigInt::ZERO, BigInt::from(1)),
            [numerator, Some(denominator)] if !denominator.is_none() => {
                (numerator.map_or(Some(BigInt::ZERO), integer_of)?, integer_of(denominator)?)
            }
            [Some(number), _] => match number.kind() {
                Kind::Int(_) | Kind::Bool(_) => (integer_of(number)?, BigInt::from(1)),
                Kind::Float(float) => ratio_of_float(float)?,
                _ => ratio_of_text(text(number)?.trim())?,
            },
            [None, Some(_)] => (BigInt::ZERO, BigInt::from(1)),
        };
        if numerator.bits().max(denominator.bits()) <= SMALL_BITS {
            return Fraction::new(numerator, denominator).ok();
        }
        (denominator.sign() == Sign::Plus).then_some(Fraction { numerator, denominator })
    }
}

/// Maximum size of fractions that are reduced to lowest terms.
const SMALL_BITS: u64 = 2048;

/// Maximum number of decimal places or zeros that an exponent may add to the text of a fraction.
const MAX_EXPONENT: u32 = 4300;

/// Returns numerator and denominator of a finite float.
fn ratio_of_float(float: f64) -> Option<(BigInt, BigInt)> {
    if !float.is_finite() {
        return None;
    }
    let bits = float.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let mantissa = bits & ((1 << 52) - 1) | if exponent > 0 { 1 << 52 } else { 0 };
    let shift = exponent.max(1) - 1075;
    let size = BigInt::from(mantissa);
    let signed = if float < 0.0 { -size } else { size };
    Some(if shift >= 0 { (signed << shift, 1.into()) } else { (signed, BigInt::from(1) << -shift) })
}

/// Parses the text format of `fractions.Fraction`: `3/4`, or a decimal with optional point and exponent.
fn ratio_of_text(written: &str) -> Option<(BigInt, BigInt)> {
    let unsigned = written.strip_prefix(['+', '-']).unwrap_or(written);
    let sign = |size: BigInt| if written.starts_with('-') { -size } else { size };
    if let Some((numerator, denominator)) = unsigned.split_once('/') {
        return Some((sign(digits(numerator.trim_end())?), digits(denominator.trim_start())?));
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent: i64 = exponent.replace('_', "").parse().ok()?;
    let whole = if whole.is_empty() { BigInt::ZERO } else { digits(whole)? };
    let (fraction, places) = match fraction {
        "" => (BigInt::ZERO, 0),
        fraction => (digits(fraction)?, fraction.len() - fraction.matches('_').count()),
    };
    if places == 0 && exponent == 0 {
        return Some((sign(whole), 1.into()));
    }
    let power = |exponent: u64| {
        let exponent = u32::try_from(exponent).ok().filter(|exponent| *exponent <= MAX_EXPONENT)?;
        Some(BigInt::from(10).pow(exponent))
    };
    let scale = power(places as u64)?;
    let size = whole * &scale + fraction;
    Some(match exponent {
        0.. => (sign(size * power(exponent.unsigned_abs())?), scale),
        _ => (sign(size), scale * power(exponent.unsigned_abs())?),
    })
}

/// Parses digits with single underscores between them. The parser of `num-bigint` takes quadratic time.
fn digits(text: &str) -> Option<BigInt> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
    if !text.split('_').all(is_number) {
        return None;
    }
    let text = text.replace('_', "");
    Some(BigInt::from(crate::graph::from_digits(text.as_bytes(), 10)?))
}

/// Returns an integer or bool as an integer.
pub(super) fn integer_of(value: Value<'_>) -> Option<BigInt> {
    match value.kind() {
        Kind::Int(int) => Some(int.to_bigint()),
        Kind::Bool(value) => Some(u8::from(value).into()),
        _ => None,
    }
}

/// Formats an integer in decimal. `num-bigint` takes quadratic time for it.
pub(super) struct Digits<'a>(pub(super) &'a BigInt);

impl fmt::Display for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(self.0.sign() != Sign::Minus, "", &crate::graph::to_decimal(self.0.magnitude()))
    }
}

/// Formats like Python's `str`: `1/3`, or `2` for an integer.
impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [numerator, denominator] = [&self.numerator, &self.denominator].map(Digits);
        if self.denominator == BigInt::from(1) { numerator.fmt(f) } else { write!(f, "{numerator}/{denominator}") }
    }
}

impl Reduce for &Fraction {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let args = [arena.cell(&self.numerator), arena.cell(&self.denominator)];
        arena.known_call(["fractions", "Fraction"], &args)
    }
}

impl Reduce for Fraction {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        (&self).reduce(arena, protocol)
    }
}

/// View of a `complex`: a [`Kind::Complex`], or a call of `complex` that no resolver evaluated.
///
/// ```
/// use picklevm::{Symbolic, Unpickler, typed::Complex};
///
/// let pickle = b"c__builtin__\ncomplex\n(F1.0\nF-2.5\ntR.";
/// let graph = Unpickler::new().resolver(Symbolic).loads(pickle)?;
/// assert_eq!(graph.root().view::<Complex>()?, Complex { re: 1.0, im: -2.5 });
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Complex {
    /// The real part.
    pub re: f64,
    /// The imaginary part.
    pub im: f64,
}

impl<'g> View<'g> for Complex {
    const EXPECTED: &'static str = "a complex number";

    fn view(value: Value<'g>) -> Option<Self> {
        match (value.kind(), plain(value)) {
            (Kind::Complex(re, im), _) | (_, Some(Plain::Complex(re, im))) => Some(Complex { re, im }),
            _ => None,
        }
    }
}

impl Reduce for Complex {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        arena.complex(self.re, self.im)
    }
}

into_value!(Complex);
typed! {
    Fraction, "a fractions.Fraction";
}
