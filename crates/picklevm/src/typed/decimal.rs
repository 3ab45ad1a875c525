//! `decimal.Decimal`.

use std::borrow::Cow;
use std::fmt;

use num_bigint::BigInt;

use super::builtins::text;
use super::iterables::MAX_CALLS;
use super::namedtuple_enum::NamedTuple;
use super::number_text::stripped_text;
use super::numbers::{Digits, integer_of, power_of_ten};
use super::reduce_helpers::typed;
use super::signature::{Signature, index};
use super::{Reduce, View};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::InstanceView;
use crate::graph::{Arena, Id, Items, Kind, Value, from_digits};
use crate::protocol::Protocol;
use crate::python::Class;

/// View of a `decimal.Decimal`, stored as text.
///
/// The text preserves trailing zeros, signs and NaNs. Parse it into a decimal type of your choice.
///
/// ```
/// use picklevm::typed::Decimal;
///
/// let price = Decimal::new("9.90")?;
/// let graph = picklevm::Graph::from(&price);
/// assert_eq!(graph.root().view::<Decimal>()?.as_str(), "9.90");
/// assert_eq!(price.as_str().parse(), Ok(9.9));
/// assert!(Decimal::new("9,90").is_err());
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal<'g>(Cow<'g, str>);

impl<'g> Decimal<'g> {
    /// Creates a decimal from text that Python's `Decimal` accepts: digits with a point or an exponent, `Infinity`, or
    /// `NaN` or `sNaN` with optional digits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] if the text is not a decimal.
    pub fn new(text: &'g str) -> Result<Decimal<'g>> {
        if Number::parse(text).is_some() {
            return Ok(Decimal(text.into()));
        }
        Err(Error::new(ErrorKind::Malformed, "a decimal number", format!("{text:?}")))
    }

    /// Returns the text. For a decimal read from a pickle, it is the result of Python's `str`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Accepts text, an integer, a float, a decimal, or a tuple of sign, digits and exponent.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Decimal<'g>> {
        const SIGNATURE: Signature<2> = Signature::new(["value", "context"], 0);
        let mut instance = *instance;
        let mut value = None;
        // `Decimal(Decimal('1'))`
        for _ in 0..MAX_CALLS {
            let [argument, context] = instance.bind(Class::Decimal, &SIGNATURE)?;
            if context.is_some_and(|context| !context.is_none()) {
                return None;
            }
            value = argument;
            match argument.and_then(InstanceView::of) {
                Some(inner) if inner.result_class() == Class::Decimal => instance = inner,
                _ => break,
            }
        }
        let Some(value) = value else { return Some(Decimal("0".into())) };
        Some(Decimal(match value.kind() {
            Kind::Str(_) | Kind::ByteStr(_) => of_text(text(value)?)?,
            Kind::Int(_) | Kind::Bool(_) => Digits(&integer_of(value)?).to_string().into(),
            Kind::Float(float) => of_float(float).into(),
            Kind::Tuple(parts) | Kind::List(parts) => Number::parse(&of_parts(parts)?)?.to_string().into(),
            Kind::Object(_) => {
                let tuple = NamedTuple::view(value)?;
                let is_decimal_tuple = tuple.class().as_global()?.is("decimal", "DecimalTuple");
                Number::parse(&of_parts(tuple.fields()).filter(|_| is_decimal_tuple)?)?.to_string().into()
            }
            _ => return None,
        }))
    }

    /// Returns the decimal as a fraction, unless it is infinite or a NaN or has too large an exponent.
    pub(super) fn ratio(&self) -> Option<(BigInt, BigInt)> {
        let Parsed::Finite([whole, fraction], exponent) = Number::parse(&self.0)?.value else { return None };
        let digits = BigInt::from(from_digits([whole, fraction].concat().as_bytes(), 10)?);
        let signed = if self.0.starts_with('-') { -digits } else { digits };
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let power = power_of_ten(exponent.unsigned_abs())?;
        Some(if exponent < 0 { (signed, power) } else { (signed * power, 1.into()) })
    }
}

/// Returns the result of Python's `str(Decimal(text))`.
fn of_text(written: &str) -> Option<Cow<'_, str>> {
    let is_plain = written.is_ascii() && !written.contains('_');
    if is_plain && Number::parse(written).is_some_and(|number| number.to_string() == written) {
        return Some(written.into());
    }
    Some(Number::parse(&stripped_text(written).replace('_', ""))?.to_string().into())
}

/// Returns the exact value of a float.
fn of_float(float: f64) -> String {
    let sign = if float.is_sign_negative() && !float.is_nan() { "-" } else { "" };
    if !float.is_finite() {
        return format!("{sign}{}", if float.is_nan() { "NaN" } else { "Infinity" });
    }
    // No float has more decimal places.
    let exact = format!("{:.1074}", float.abs());
    let exact = exact.trim_end_matches('0').trim_end_matches('.');
    let size = Number::parse(exact).map(|number| number.to_string()).unwrap_or_default();
    format!("{sign}{size}")
}

/// Returns the text of a sign, digits, and an exponent; the exponent is a letter for infinity and NaNs.
fn of_parts(parts: Items<'_>) -> Option<String> {
    let [sign, digits, exponent] = parts.as_array()?;
    let sign = ["", "-"].get(usize::try_from(index(sign)?).ok()?)?;
    let digit = |digit: Value<'_>| char::from_digit(index(digit)?.try_into().ok()?, 10);
    let mut digits = digits.as_tuple().or_else(|| digits.as_list())?.map(digit).collect::<Option<String>>()?;
    match text(exponent) {
        None if digits.is_empty() => digits.push('0'),
        _ => {}
    }
    Some(match (text(exponent), index(exponent)) {
        (Some("F"), _) => format!("{sign}Infinity"),
        (Some("n"), _) => format!("{sign}NaN{digits}"),
        (Some("N"), _) => format!("{sign}sNaN{digits}"),
        (None, Some(exponent)) => format!("{sign}{digits}e{exponent}"),
        _ => return None,
    })
}

/// A parsed decimal.
struct Number<'a> {
    is_negative: bool,
    value: Parsed<'a>,
}

enum Parsed<'a> {
    Infinity,
    /// A NaN and its diagnostic digits.
    NaN {
        is_signaling: bool,
        payload: &'a str,
    },
    /// Digits before and after the point, and the exponent.
    Finite([&'a str; 2], i64),
}

/// Maximum adjusted exponent: `decimal.MAX_EMAX` of 64-bit Python.
const MAX_EXPONENT: i64 = 999_999_999_999_999_999;

impl<'a> Number<'a> {
    /// Parses the numeric string grammar of Python's `decimal` documentation, in ASCII, without whitespace and
    /// underscores.
    fn parse(text: &'a str) -> Option<Number<'a>> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let is_negative = text.starts_with('-');
        let after = |word: &str| {
            let start = unsigned.get(..word.len())?;
            start.eq_ignore_ascii_case(word).then(|| &unsigned[word.len()..])
        };
        let value = if let Some(payload) = after("snan") {
            Parsed::NaN { is_signaling: true, payload: is_digits(payload).then_some(payload)? }
        } else if let Some(payload) = after("nan") {
            Parsed::NaN { is_signaling: false, payload: is_digits(payload).then_some(payload)? }
        } else if matches!(after("inf"), Some("")) || matches!(after("infinity"), Some("")) {
            Parsed::Infinity
        } else {
            let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
            let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let size = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let is_empty = whole.is_empty() && fraction.is_empty() || size.is_empty();
            if is_empty || ![whole, fraction, size].into_iter().all(is_digits) {
                return None;
            }
            let exponent: i64 = exponent.parse().ok().filter(|exponent: &i64| exponent.abs() <= 2 * MAX_EXPONENT)?;
            let number = Number { is_negative, value: Parsed::Finite([whole, fraction], exponent) };
            let is_within = number.adjusted().is_none_or(|adjusted| adjusted.abs() <= MAX_EXPONENT);
            return is_within.then_some(number);
        };
        Some(Number { is_negative, value })
    }

    /// Returns the exponent of the first nonzero digit.
    fn adjusted(&self) -> Option<i64> {
        let Parsed::Finite([whole, fraction], exponent) = self.value else { return None };
        let first = whole.bytes().chain(fraction.bytes()).position(|digit| digit != b'0')?;
        Some(exponent + whole.len() as i64 - 1 - first as i64)
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_digit())
}

/// Formats like Python's `str`: "to-scientific-string" of the General Decimal Arithmetic Specification.
impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_negative { "-" } else { "" })?;
        let ([whole, fraction], exponent) = match self.value {
            Parsed::Infinity => return f.write_str("Infinity"),
            Parsed::NaN { is_signaling, payload } => {
                return write!(f, "{}NaN{}", if is_signaling { "s" } else { "" }, payload.trim_start_matches('0'));
            }
            Parsed::Finite(digits, exponent) => (digits, exponent),
        };
        let all = [whole, fraction].concat();
        let digits = match all.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        let exponent = exponent - fraction.len() as i64;
        let adjusted = exponent + digits.len() as i64 - 1;
        if exponent > 0 || adjusted < -6 {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            return write!(f, "{first}{point}{rest}E{adjusted:+}");
        }
        let places = exponent.unsigned_abs() as usize;
        match digits.len().checked_sub(places) {
            _ if places == 0 => f.write_str(digits),
            Some(point @ 1..) => write!(f, "{}.{}", &digits[..point], &digits[point..]),
            _ => write!(f, "0.{digits:0>places$}"),
        }
    }
}

/// Writes the text.
impl fmt::Display for Decimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Reduce for &Decimal<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let text = arena.cell(&*self.0);
        arena.known_call(["decimal", "Decimal"], &[text])
    }
}

impl Reduce for Decimal<'_> {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        (&self).reduce(arena, protocol)
    }
}

/// Same as for the decimal by value.
impl crate::IntoValue for &Decimal<'_> {
    fn into_value(self, arena: &mut Arena) -> Id {
        self.reduce(arena, Protocol::DEFAULT)
    }
}

typed! {
    Decimal<'g>, "a decimal.Decimal";
}
