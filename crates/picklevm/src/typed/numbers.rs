//! `fractions.Fraction` and `complex`.

use std::fmt;

use num_bigint::{BigInt, BigUint, Sign};

use super::builtins::{Plain, plain, text};
use super::decimal::Decimal;
use super::number_text::{stripped_text, without_underscores};
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
        if denominator.sign() == Sign::NoSign {
            return Err(Error::new(ErrorKind::OutOfRange, "a denominator other than 0", "0"));
        }
        let divisor = BigInt::from(gcd(numerator.magnitude().clone(), denominator.magnitude().clone()));
        Ok(Fraction::with_sign(numerator / &divisor, denominator / divisor))
    }

    /// Moves the sign of the denominator to the numerator.
    fn with_sign(numerator: BigInt, denominator: BigInt) -> Fraction {
        match denominator.sign() {
            Sign::Minus => Fraction { numerator: -numerator, denominator: -denominator },
            _ => Fraction { numerator, denominator },
        }
    }

    /// Returns the numerator.
    pub fn numerator(&self) -> &BigInt {
        &self.numerator
    }

    /// Returns the denominator, which is positive.
    pub fn denominator(&self) -> &BigInt {
        &self.denominator
    }

    /// Accepts two integers or fractions, one number, or text (which Python before 3.11 writes). Large fractions are
    /// assumed to be in lowest terms: the check takes quadratic time.
    pub(crate) fn of(instance: &InstanceView<'_>) -> Option<Fraction> {
        Fraction::within(instance, MAX_FRACTIONS)
    }

    /// The same, evaluating at most `calls` fractions inside one another.
    fn within(instance: &InstanceView<'_>, calls: u8) -> Option<Fraction> {
        const SIGNATURE: Signature<2> = Signature::new(["numerator", "denominator"], 0);
        let [numerator, denominator] = instance.bind(Class::Fraction, &SIGNATURE)?;
        let (numerator, denominator) = match (numerator, denominator.filter(|denominator| !denominator.is_none())) {
            (None, None) => (BigInt::ZERO, BigInt::from(1)),
            (Some(number), None) => ratio_of(number, calls)?,
            (numerator, Some(denominator)) => {
                let numerator =
                    numerator.map_or(Some(Fraction::from_integer(BigInt::ZERO)), |it| rational(it, calls))?;
                let denominator = rational(denominator, calls)?;
                (
                    product(&numerator.numerator, &denominator.denominator)?,
                    product(&numerator.denominator, &denominator.numerator)?,
                )
            }
        };
        if numerator.bits().max(denominator.bits()) <= SMALL_BITS {
            return Fraction::new(numerator, denominator).ok();
        }
        (denominator.sign() != Sign::NoSign).then(|| Fraction::with_sign(numerator, denominator))
    }

    fn from_integer(numerator: BigInt) -> Fraction {
        Fraction { numerator, denominator: 1.into() }
    }
}

/// Maximum number of fractions inside one another that are evaluated.
const MAX_FRACTIONS: u8 = 3;

/// Maximum size of fractions that are reduced to lowest terms. The largest that CPython reads from text has 14,285 bits.
const SMALL_BITS: u64 = 1 << 14;

/// Returns the product of two integers, if it is small or one of them is 1.
fn product(a: &BigInt, b: &BigInt) -> Option<BigInt> {
    let one = BigInt::from(1);
    if *b == one {
        return Some(a.clone());
    }
    (*a == one || a.bits() + b.bits() <= SMALL_BITS).then(|| a * b)
}

/// Returns an integer or fraction as a fraction.
fn rational(value: Value<'_>, calls: u8) -> Option<Fraction> {
    match integer_of(value) {
        Some(integer) => Some(Fraction::from_integer(integer)),
        None => Fraction::within(&InstanceView::of(value)?, calls.checked_sub(1)?),
    }
}

/// Returns numerator and denominator of the number that is the only argument of a fraction.
fn ratio_of(number: Value<'_>, calls: u8) -> Option<(BigInt, BigInt)> {
    match number.kind() {
        Kind::Float(float) => ratio_of_float(float),
        Kind::Str(_) | Kind::ByteStr(_) => ratio_of_text(&stripped_text(text(number)?)),
        Kind::Object(_) => {
            let instance = InstanceView::of(number)?;
            if instance.result_class() == Class::Decimal {
                return Decimal::of(&instance)?.ratio();
            }
            rational(number, calls).map(|fraction| (fraction.numerator, fraction.denominator))
        }
        _ => Some((integer_of(number)?, 1.into())),
    }
}

/// Returns the greatest common divisor, by Lehmer's algorithm: a step of Euclid's algorithm on the leading 64 bits stands
/// for many on the whole.
fn gcd(a: BigUint, b: BigUint) -> BigUint {
    let (mut a, mut b) = if a < b { (b, a) } else { (a, b) };
    while b.bits() > 64 {
        let shift = a.bits() - 64;
        let leading = |number: &BigUint| i128::from(u64::try_from(number >> shift).unwrap_or(u64::MAX));
        let (mut x, mut y) = (leading(&a), leading(&b));
        let [mut first, mut second] = [[1, 0], [0, 1]];
        // The quotient is that of the whole numbers if it is that of both bounds.
        while y + second[0] != 0 && y + second[1] != 0 {
            let quotient = (x + first[0]) / (y + second[0]);
            if quotient != (x + first[1]) / (y + second[1]) {
                break;
            }
            (first, second) = (second, [first[0] - quotient * second[0], first[1] - quotient * second[1]]);
            (x, y) = (y, x - quotient * y);
        }
        if first[1] == 0 {
            (a, b) = (b.clone(), a % b);
            continue;
        }
        let (whole_a, whole_b) = (BigInt::from(a), BigInt::from(b));
        let combined = |factors: [i128; 2]| (&whole_a * factors[0] + &whole_b * factors[1]).into_parts().1;
        (a, b) = (combined(first), combined(second));
    }
    let mut rest = u64::try_from(b).unwrap_or_default();
    if rest == 0 {
        return a;
    }
    let mut other = u64::try_from(a % rest).unwrap_or_default();
    while other != 0 {
        (rest, other) = (other, rest % other);
    }
    rest.into()
}

/// Returns 10 to a power that is not too large.
pub(super) fn power_of_ten(exponent: u64) -> Option<BigInt> {
    let exponent = u32::try_from(exponent).ok().filter(|exponent| *exponent <= MAX_EXPONENT)?;
    Some(BigInt::from(10).pow(exponent))
}

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

/// Parses the text format of `fractions.Fraction`: `3/4`, or a decimal with optional point and exponent. Digits are ASCII.
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
    let exponent: i64 = without_underscores(exponent)?.parse().ok()?;
    let whole = if whole.is_empty() { BigInt::ZERO } else { digits(whole)? };
    let (fraction, places) = match fraction {
        "" => (BigInt::ZERO, 0),
        fraction => (digits(fraction)?, fraction.len() - fraction.matches('_').count()),
    };
    if places == 0 && exponent == 0 {
        return Some((sign(whole), 1.into()));
    }
    let scale = power_of_ten(places as u64)?;
    let size = whole * &scale + fraction;
    let power = power_of_ten(exponent.unsigned_abs())?;
    Some(if exponent >= 0 { (sign(size * power), scale) } else { (sign(size), scale * power) })
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
        match value.kind() {
            Kind::Complex(re, im) => Some(Complex { re, im }),
            _ => match plain(value)? {
                Plain::Complex(re, im) => Some(Complex { re, im }),
                _ => None,
            },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_common_divisor_of_large_integers_is_found() {
        let mut state = 7_u64;
        let mut random = |words: usize| {
            let mut number = BigUint::ZERO;
            for _ in 0..words {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                number = (number << 64_u8) + state;
            }
            number
        };
        for (left, right, common) in
            [(1, 1, 1), (2, 1, 0), (30, 30, 10), (200, 3, 5), (40, 40, 40), (7, 256, 1), (0, 5, 2)]
        {
            let (a, b, factor) = (random(left), random(right), random(common) + 1_u8);
            let (a, b) = (a * &factor, b * &factor);
            let mut euclid = (a.clone(), b.clone());
            while euclid.1 != BigUint::ZERO {
                euclid = (euclid.1.clone(), euclid.0 % euclid.1);
            }
            assert_eq!(gcd(a.clone(), b.clone()), euclid.0, "{a} and {b}");
            assert_eq!(gcd(b, a), euclid.0);
        }
        // Neighbours of Fibonacci numbers take the most steps.
        let (mut a, mut b) = (BigUint::from(1_u8), BigUint::from(1_u8));
        for _ in 0..5000 {
            (a, b) = (b.clone(), a + b);
        }
        assert_eq!(gcd(&a * 77_u8, &b * 55_u8), BigUint::from(11_u8));
    }
}
