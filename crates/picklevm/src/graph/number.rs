//! Python's numbers on one number line: integers of any size, booleans, floats and complex numbers compare and hash by
//! value.

use super::arena::Arena;
use super::cell::{Cell, Tag};

/// A number in its smallest form: equal numbers have equal forms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Number<'a> {
    Int(i64),
    /// Little-endian two's complement of more than eight bytes, without redundant sign bytes.
    Big(&'a [u8]),
    /// The same, from a float or a Rust integer.
    Wide(WideInt),
    /// A float that is not an integer.
    Float(f64),
    /// A complex number with an imaginary part.
    Complex(f64, f64),
}

/// An integer of up to 1025 bits, as needed for floats.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WideInt {
    bytes: [u8; 136],
    len: usize,
}

impl WideInt {
    /// Converts a finite float of magnitude 2^63 or more.
    fn from_float(value: f64) -> WideInt {
        let bits = value.to_bits();
        let mantissa = (bits & ((1 << 52) - 1)) | 1 << 52;
        let shift = ((bits >> 52 & 0x7ff) as usize).saturating_sub(1075);
        let wide = (mantissa as u128) << (shift % 8);
        let mut bytes = [0; 136];
        bytes[shift / 8..][..8].copy_from_slice(&(wide as u64).to_le_bytes());
        if value < 0.0 {
            let mut carry = true;
            for byte in &mut bytes {
                (*byte, carry) = (!*byte).overflowing_add(carry as u8);
            }
        }
        WideInt { bytes, len: trimmed_len(&bytes) }
    }

    fn from_int(value: i128) -> WideInt {
        let mut bytes = [if value < 0 { 0xff } else { 0 }; 136];
        bytes[..16].copy_from_slice(&value.to_le_bytes());
        WideInt { bytes, len: trimmed_len(&bytes) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Returns the length of two's complement bytes without redundant sign bytes.
pub(crate) fn trimmed_len(bytes: &[u8]) -> usize {
    let mut len = bytes.len();
    while len > 1 && matches!((bytes[len - 1], bytes[len - 2] >> 7), (0, 0) | (0xff, 1)) {
        len -= 1;
    }
    len
}

impl Arena {
    /// Returns the number in a cell, if it is one.
    pub(crate) fn number(&self, cell: Cell) -> Option<Number<'_>> {
        Some(match cell.tag() {
            Tag::Int => Number::Int(cell.as_int()),
            Tag::True => Number::Int(1),
            Tag::False => Number::Int(0),
            Tag::BigInt => match <[u8; 8]>::try_from(self.payload(cell)) {
                Ok(bytes) => Number::Int(i64::from_le_bytes(bytes)),
                Err(_) => Number::Big(self.payload(cell)),
            },
            Tag::Complex => match self.complexes[cell] {
                [re, 0.0] => Number::from_float(re),
                [re, im] => Number::Complex(re + 0.0, im),
            },
            _ => Number::from_float(self.float(cell)?),
        })
    }

    /// Returns the float in a cell, if it is one.
    #[inline]
    pub(crate) fn float(&self, cell: Cell) -> Option<f64> {
        match cell.tag() {
            Tag::Float => Some(cell.as_float()),
            Tag::ZeroFloat => Some(0.0),
            Tag::WideFloat => Some(self.floats[cell]),
            _ => None,
        }
    }

    /// Returns the integer in a cell, if it is one (not a bool) and fits.
    #[inline]
    pub(crate) fn small_int(&self, cell: Cell) -> Option<i64> {
        match cell.tag() {
            Tag::Int => Some(cell.as_int()),
            Tag::BigInt => self.payload(cell).try_into().ok().map(i64::from_le_bytes),
            _ => None,
        }
    }
}

impl Number<'_> {
    /// Converts a Rust integer.
    pub(crate) fn from_int<'a>(value: i128) -> Number<'a> {
        i64::try_from(value).map_or_else(|_| Number::Wide(WideInt::from_int(value)), Number::Int)
    }

    /// Converts a float.
    pub(crate) fn from_float<'a>(value: f64) -> Number<'a> {
        const TWO_63: f64 = 9_223_372_036_854_775_808.0;
        if value.fract() != 0.0 || !value.is_finite() {
            Number::Float(value)
        } else if (-TWO_63..TWO_63).contains(&value) {
            Number::Int(value as i64)
        } else {
            Number::Wide(WideInt::from_float(value))
        }
    }

    /// Whether Python's `==` holds.
    pub(crate) fn equals(&self, other: &Number<'_>) -> bool {
        match (self, other) {
            (Number::Big(a), Number::Wide(b)) | (Number::Wide(b), Number::Big(a)) => *a == b.as_bytes(),
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_float_converts_to_its_exact_integer() {
        for (float, int) in [
            (2f64.powi(63), 1i128 << 63),
            (-(2f64.powi(64)), -(1 << 64)),
            (1e20, 10i128.pow(20)),
            (-1e30, -1000000000000000019884624838656),
        ] {
            let expected = int.to_le_bytes();
            assert_eq!(WideInt::from_float(float).as_bytes(), &expected[..trimmed_len(&expected)], "{float}");
        }
        assert_eq!(WideInt::from_float(f64::MAX).as_bytes().len(), 129);
    }

    #[test]
    fn equal_numbers_have_equal_forms() {
        let mut arena = Arena::default();
        let one = [Cell::TRUE, Cell::small_int(1), arena.new_float(1.0), arena.new_complex(1.0, -0.0)];
        for cell in one {
            assert_eq!(arena.number(cell), Some(Number::Int(1)));
        }
        let big = [arena.new_int_le(&(1i128 << 70).to_le_bytes()), arena.new_float(2f64.powi(70))];
        assert!(arena.number(big[0]).zip(arena.number(big[1])).is_some_and(|(a, b)| a.equals(&b)));
    }
}
