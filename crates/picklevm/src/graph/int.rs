//! Integers of any size.

use std::fmt;

use num_bigint::BigInt;

use super::number::trimmed_len;

/// A Python integer, borrowed from its graph.
///
/// ```
/// let graph = picklevm::loads(b"\x80\x02\x8a\x09\0\0\0\0\0\0\0\0\x01.")?;
/// let int = graph.root().as_int().unwrap();
/// assert_eq!(int.as_i64(), None);
/// assert_eq!(i128::try_from(int), Ok(1 << 64));
/// assert_eq!(int.to_string(), "18446744073709551616");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Int<'g>(Repr<'g>);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Repr<'g> {
    Small(i64),
    /// Little-endian two's complement of more than eight bytes.
    Big(&'g [u8]),
}

impl<'g> Int<'g> {
    #[inline(always)]
    pub(crate) fn small(value: i64) -> Self {
        Int(Repr::Small(value))
    }

    pub(crate) fn from_le(bytes: &'g [u8]) -> Self {
        match bytes.try_into() {
            Ok(bytes) => Int::small(i64::from_le_bytes(bytes)),
            Err(_) => Int(Repr::Big(bytes)),
        }
    }

    /// Returns the integer, if it fits.
    #[inline]
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Repr::Small(value) => Some(value),
            Repr::Big(_) => None,
        }
    }

    /// Returns whether the integer is below zero.
    pub fn is_negative(self) -> bool {
        match self.0 {
            Repr::Small(value) => value < 0,
            Repr::Big(bytes) => bytes.last().is_some_and(|byte| *byte >= 0x80),
        }
    }

    /// Calls `run` with the shortest little-endian two's complement, as in LONG1 and LONG4 (PEP 307).
    pub fn with_le_bytes<T>(self, run: impl FnOnce(&[u8]) -> T) -> T {
        match self.0 {
            Repr::Small(0) => run(&[]),
            Repr::Small(value) => {
                let bytes = value.to_le_bytes();
                run(&bytes[..trimmed_len(&bytes)])
            }
            Repr::Big(bytes) => run(bytes),
        }
    }

    /// Returns the integer as a `num_bigint::BigInt`.
    pub fn to_bigint(self) -> BigInt {
        self.with_le_bytes(BigInt::from_signed_bytes_le)
    }

    /// Returns the nearest float, or an infinity if the integer is too large.
    pub fn to_f64(self) -> f64 {
        match self.0 {
            Repr::Small(value) => value as f64,
            Repr::Big(_) => num_bigint_to_f64(&self.to_bigint()),
        }
    }
}

fn num_bigint_to_f64(value: &BigInt) -> f64 {
    let (sign, digits) = value.to_u64_digits();
    let bits = value.bits();
    let magnitude = if bits > 1024 {
        f64::INFINITY
    } else {
        // The top 64 bits, with the lowest bit set if any lower bit is, so that rounding is correct.
        let shift = bits.saturating_sub(64);
        let top = (value.magnitude() >> shift).to_u64_digits().first().copied().unwrap_or(0);
        let below = digits.iter().take((shift / 64) as usize).any(|d| *d != 0)
            || (!shift.is_multiple_of(64)
                && digits.get((shift / 64) as usize).is_some_and(|d| d & ((1 << (shift % 64)) - 1) != 0));
        (top | u64::from(below)) as f64 * 2f64.powi(shift as i32)
    };
    if sign == num_bigint::Sign::Minus { -magnitude } else { magnitude }
}

/// Maximum length in bytes of an integer that is printed in decimal, which takes more than linear time: about two
/// million digits take a second.
const MAX_DECIMAL_BYTES: usize = 830_000;

/// Prints the integer in decimal; an integer of more than 830,000 bytes (about two million digits) as `0x` and
/// hexadecimal.
///
/// ```
/// let graph = picklevm::loads(b"J\0\0\0\x80.")?;
/// assert_eq!(graph.root().as_int().unwrap().to_string(), "-2147483648");
/// # Ok::<(), picklevm::Error>(())
/// ```
impl fmt::Display for Int<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Small(value) => value.fmt(f),
            Repr::Big(bytes) if bytes.len() > MAX_DECIMAL_BYTES => write!(f, "{self:#x}"),
            Repr::Big(_) => {
                let value = self.to_bigint();
                f.pad_integral(!self.is_negative(), "", &super::decimal::to_decimal(value.magnitude()))
            }
        }
    }
}

/// Prints the sign and the magnitude in hexadecimal, with `#` like Python's `hex`. Takes linear time.
///
/// ```
/// let graph = picklevm::loads(b"J\0\0\0\x80.")?;
/// assert_eq!(format!("{:#x}", graph.root().as_int().unwrap()), "-0x80000000");
/// # Ok::<(), picklevm::Error>(())
/// ```
impl fmt::LowerHex for Int<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Small(value) => f.pad_integral(value >= 0, "0x", &format!("{:x}", value.unsigned_abs())),
            Repr::Big(_) => fmt::LowerHex::fmt(&self.to_bigint(), f),
        }
    }
}

impl fmt::Debug for Int<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An integer does not fit the requested type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the integer is out of range")]
pub struct OutOfRange;

macro_rules! try_from_int {
    ($($type:ty),*) => {$(
        impl TryFrom<Int<'_>> for $type {
            type Error = OutOfRange;

            fn try_from(int: Int<'_>) -> Result<$type, OutOfRange> {
                match int.0 {
                    Repr::Small(value) => value.try_into().map_err(|_| OutOfRange),
                    Repr::Big(bytes) => {
                        let fill = if int.is_negative() { 0xff } else { 0 };
                        let mut wide = [fill; 17];
                        wide.get_mut(..bytes.len()).ok_or(OutOfRange)?.copy_from_slice(bytes);
                        let [low @ .., high] = wide;
                        // Beyond a signed 128-bit integer, only values that fit a `u128` remain.
                        if i128::from_le_bytes(low) < 0 && high == 0 {
                            u128::from_le_bytes(low).try_into().map_err(|_| OutOfRange)
                        } else if high == fill && (i128::from_le_bytes(low) < 0) == int.is_negative() {
                            i128::from_le_bytes(low).try_into().map_err(|_| OutOfRange)
                        } else {
                            Err(OutOfRange)
                        }
                    }
                }
            }
        }
    )*};
}
try_from_int!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: &BigInt, run: impl FnOnce(Int<'_>)) {
        run(Int::from_le(&value.to_signed_bytes_le()))
    }

    #[test]
    fn integers_around_128_bits_convert_where_they_fit() {
        for shift in [64, 127, 128, 129] {
            for delta in [-1, 0, 1] {
                for sign in [1, -1] {
                    let value = (BigInt::from(1) << shift) * sign + delta;
                    int(&value, |int| {
                        assert_eq!(i128::try_from(int).ok(), i128::try_from(&value).ok(), "{value}");
                        assert_eq!(u128::try_from(int).ok(), u128::try_from(&value).ok(), "{value}");
                        assert_eq!(int.to_string(), value.to_string());
                    });
                }
            }
        }
    }

    #[test]
    fn integers_print_in_hexadecimal_if_decimal_would_be_slow() {
        let bytes = [1; MAX_DECIMAL_BYTES + 1];
        let text = Int::from_le(&bytes).to_string();
        assert_eq!(text, format!("0x{}", &"01".repeat(bytes.len())[1..]));
        assert_eq!(Int::from_le(&[0xff; 9]).to_string(), "-1");
        assert_eq!(format!("{:x} {:#x}", Int::small(-255), Int::small(255)), "-ff 0xff");
    }

    #[test]
    fn floats_are_rounded_to_nearest_even() {
        for text in
            ["9007199254740993", "36893488147419107329", "-1180591620717411303425", "100000000000000000000000000000001"]
        {
            let value: BigInt = text.parse().expect("digits");
            int(&value, |int| assert_eq!(int.to_f64(), text.parse::<f64>().expect("float"), "{text}"));
        }
    }
}
