//! `decimal.Decimal`, `fractions.Fraction` and `complex`.

use std::fmt;

use num_bigint::{BigInt, Sign};
use num_integer::Integer;

use super::class::Class;
use super::instance::Instance;
use super::make::{into_value, typed};
use super::plain::{Plain, plain, text};
use super::{Reduce, View};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Id, Kind, Value};
use crate::protocol::Protocol;

/// A `decimal.Decimal`: as its text, which keeps trailing zeros, signs and NaNs, for whatever decimals a program has.
///
/// ```
/// use picklevm::typed::Decimal;
///
/// let price = Decimal::new("9.90")?;
/// let graph = picklevm::Graph::from(price);
/// assert_eq!(graph.root().view::<Decimal>()?.as_str(), "9.90");
/// assert_eq!(price.as_str().parse(), Ok(9.9));
/// assert!(Decimal::new("9,90").is_err());
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal<'g>(&'g str);

impl<'g> Decimal<'g> {
    /// A decimal by its text, as Python's `str` writes it: digits with a point or an exponent, `Infinity`, `NaN`, `sNaN`
    /// with digits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] if it is no such text.
    pub fn new(text: &'g str) -> Result<Decimal<'g>> {
        if is_decimal(text) {
            return Ok(Decimal(text));
        }
        Err(Error::new(ErrorKind::Malformed, "the text of a decimal", format!("{text:?}")))
    }

    /// The text.
    pub fn as_str(&self) -> &'g str {
        self.0
    }

    pub(crate) fn of(instance: &Instance<'g>) -> Option<Decimal<'g>> {
        let [text_of] = instance.only_args(Class::Decimal)?.as_array()?;
        Decimal::new(text(text_of)?).ok()
    }
}

/// The grammar of numeric strings in the manual of `decimal`, in ASCII, without blanks and underscores.
fn is_decimal(text: &str) -> bool {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_digits = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    let lower = number.to_ascii_lowercase();
    if let Some(payload) = lower.strip_prefix("snan").or_else(|| lower.strip_prefix("nan")) {
        return is_digits(payload);
    }
    if matches!(&*lower, "inf" | "infinity") {
        return true;
    }
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    (!whole.is_empty() || !fraction.is_empty())
        && !exponent.is_empty()
        && [whole, fraction, exponent].into_iter().all(is_digits)
}

/// The text.
impl fmt::Display for Decimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Reduce for Decimal<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let text = arena.cell(self.0);
        arena.known_call(["decimal", "Decimal"], &[text])
    }
}

/// A `fractions.Fraction`, in lowest terms as Python keeps it.
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
    /// The quotient of two integers.
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

    /// What is divided.
    pub fn numerator(&self) -> &BigInt {
        &self.numerator
    }

    /// What it is divided by; above 0.
    pub fn denominator(&self) -> &BigInt {
        &self.denominator
    }

    /// Two integers, or as Pythons before 3.11 have it their text. Taken at its word that these are the lowest terms: to
    /// find out would take quadratic time.
    pub(crate) fn of(instance: &Instance<'_>) -> Option<Fraction> {
        let args = instance.only_args(Class::Fraction)?;
        let [numerator, denominator] = match (args.get(0)?, args.get(1)) {
            (numerator, Some(denominator)) if args.len() == 2 => {
                [numerator.as_int()?.to_bigint(), denominator.as_int()?.to_bigint()]
            }
            (written, None) => {
                let written = text(written)?;
                let (numerator, denominator) = written.split_once('/').unwrap_or((written, "1"));
                [integer(numerator)?, integer(denominator)?]
            }
            _ => return None,
        };
        (denominator.sign() == Sign::Plus).then_some(Fraction { numerator, denominator })
    }
}

/// Digits with or without a minus. Not the parser of `num-bigint`, which takes quadratic time.
fn integer(text: &str) -> Option<BigInt> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let size = BigInt::from(crate::graph::from_digits(digits.as_bytes(), 10)?);
    Some(if text.starts_with('-') { -size } else { size })
}

/// An integer in decimal. `num-bigint` takes quadratic time for it.
pub(super) struct Digits<'a>(pub(super) &'a BigInt);

impl fmt::Display for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(self.0.sign() != Sign::Minus, "", &crate::graph::to_decimal(self.0.magnitude()))
    }
}

/// As Python's `str`: `1/3`, or `2` of an integer.
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

/// A `complex`: what [`Kind::Complex`] has, also where no resolver made one of the call.
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
    Decimal<'g>, "a decimal.Decimal";
    Fraction, "a fractions.Fraction";
}
