//! Parsing and printing very large integers in decimal in less than quadratic time.
//!
//! Both directions split a number in halves by a power of ten and use the multiplication and division of num-bigint on
//! them. The recursion depth is logarithmic in the length.

use num_bigint::BigUint;

/// Below this many digits the quadratic algorithm is faster.
const QUADRATIC_DIGITS: usize = 1000;

/// Returns 10 to the powers n, 2 n, 4 n, … up to half of `digits`, for n = `QUADRATIC_DIGITS`.
fn powers(digits: usize) -> Vec<BigUint> {
    let mut powers = vec![BigUint::from(10u8).pow(QUADRATIC_DIGITS as u32)];
    while QUADRATIC_DIGITS << powers.len() < digits {
        let last = &powers[powers.len() - 1];
        powers.push(last * last);
    }
    powers
}

/// Parses ASCII digits of a radix up to 16; `None` if one is not a digit.
pub(crate) fn from_digits(digits: &[u8], radix: u32) -> Option<BigUint> {
    if radix != 10 || digits.len() <= QUADRATIC_DIGITS {
        return BigUint::parse_bytes(digits, radix);
    }
    fn parse(digits: &[u8], powers: &[BigUint]) -> Option<BigUint> {
        let Some((power, smaller)) = powers.split_last().filter(|_| digits.len() > QUADRATIC_DIGITS) else {
            return BigUint::parse_bytes(digits, 10);
        };
        let low = QUADRATIC_DIGITS << smaller.len();
        if digits.len() <= low {
            return parse(digits, smaller);
        }
        let (high, low) = digits.split_at(digits.len() - low);
        Some(parse(high, smaller)? * power + parse(low, smaller)?)
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    parse(digits, &powers(digits.len()))
}

/// Returns the decimal digits of a number.
pub(crate) fn to_decimal(value: &BigUint) -> String {
    // A little more than log10(2) digits per bit.
    let digits = (value.bits() as f64 * std::f64::consts::LOG10_2) as usize + 1;
    if value.bits() < 4 * QUADRATIC_DIGITS as u64 {
        return value.to_str_radix(10);
    }
    fn print(value: &BigUint, powers: &[BigUint], width: usize, out: &mut String) {
        let Some((power, smaller)) = powers.split_last() else {
            let text = value.to_str_radix(10);
            out.extend(std::iter::repeat_n('0', width.saturating_sub(text.len())));
            if width > 0 || *value != BigUint::ZERO {
                out.push_str(&text);
            }
            return;
        };
        let low = QUADRATIC_DIGITS << smaller.len();
        if width == 0 && value < power {
            return print(value, smaller, 0, out);
        }
        let (high, rest) = num_integer::Integer::div_rem(value, power);
        print(&high, smaller, width.saturating_sub(low), out);
        print(&rest, smaller, low, out);
    }
    let mut out = String::new();
    print(value, &powers(digits), 0, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_print_and_parse_as_num_bigint_does() {
        for bits in [3_999u32, 4_000, 10_000, 33_219, 33_220, 100_001] {
            let value = (BigUint::from(3u8).pow(bits * 5 / 8) << 7u8) + 5u8;
            let text = value.to_str_radix(10);
            assert_eq!(to_decimal(&value), text);
            assert_eq!(from_digits(text.as_bytes(), 10), Some(value));
        }
    }

    #[test]
    fn zeros_inside_and_at_the_end_are_kept() {
        let text = format!("1{}7{}", "0".repeat(2_500), "0".repeat(4_321));
        let value = from_digits(text.as_bytes(), 10).expect("digits");
        assert_eq!(to_decimal(&value), text);
        assert_eq!(from_digits(format!("{}5", "0".repeat(9_000)).as_bytes(), 10), Some(BigUint::from(5u8)));
    }

    #[test]
    fn text_that_is_not_digits_is_rejected() {
        assert_eq!(from_digits(&b"12x4".repeat(1_000), 10), None);
        assert_eq!(from_digits(b"fg", 16), None);
    }
}
