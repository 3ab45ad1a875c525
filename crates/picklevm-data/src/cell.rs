//! One element of an array, or one value of a column: what all writers are given.

use std::borrow::Cow;

use picklevm::Value;

use crate::time::{Delta, Instant};

/// One element of an array, or one value of a column.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cell<'a> {
    /// A missing value: `None`, `NA`, `NaT`, what a mask hides.
    Null,
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A float of 32 bits or less.
    Float32(f32),
    /// A float of 64 bits.
    Float(f64),
    /// A complex number.
    Complex(f64, f64),
    /// Bytes: without the padding of `S`, with all of `V`.
    Bytes(Cow<'a, [u8]>),
    /// Text.
    Str(Cow<'a, str>),
    /// A point in time.
    Instant(Instant<'a>),
    /// A span of time.
    Delta(Delta),
    /// A decimal number, as its digits.
    Decimal(String),
    /// A period of pandas: its text, and its ordinal.
    Period {
        /// As pandas writes it: `2020-01`.
        text: String,
        /// Periods since 1970.
        ordinal: i64,
    },
    /// An interval of pandas.
    Interval {
        /// The left end.
        left: Box<Cell<'a>>,
        /// The right end.
        right: Box<Cell<'a>>,
        /// `left`, `right`, `both` or `neither`.
        closed: Cow<'a, str>,
    },
    /// Several elements: a subarray, a list of Arrow.
    List(Vec<Cell<'a>>),
    /// A record: names and values.
    Record(Vec<(Cow<'a, str>, Cell<'a>)>),
    /// Any Python object.
    Object(Value<'a>),
}

impl<'a> Cell<'a> {
    /// Whether the value is missing as pandas sees it: null or NaN.
    pub fn is_missing(&self) -> bool {
        match self {
            Cell::Null => true,
            Cell::Float(float) => float.is_nan(),
            Cell::Float32(float) => float.is_nan(),
            _ => false,
        }
    }

    /// The value as an integer, if it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Cell::Int(int) => Some(*int),
            Cell::UInt(int) => i64::try_from(*int).ok(),
            Cell::Bool(bool) => Some(i64::from(*bool)),
            Cell::Object(value) => value.as_i64(),
            _ => None,
        }
    }

    /// The value as a float, if it is a number that is one exactly.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Cell::Float(float) => Some(*float),
            Cell::Float32(float) => Some(f64::from(*float)),
            Cell::Int(int) => Some(*int as f64).filter(|float| *float as i64 == *int),
            Cell::UInt(int) => Some(*int as f64).filter(|float| *float as u64 == *int),
            Cell::Object(value) => value.as_f64(),
            _ => None,
        }
    }

    /// The same, owning what it can.
    pub(crate) fn str(text: &'a str) -> Cell<'a> {
        Cell::Str(Cow::Borrowed(text))
    }
}
