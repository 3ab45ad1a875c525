//! Integers of any size in decimal.

use std::fmt::Write as _;

use crate::ints::int_from_le_bytes;
use crate::operand::IntValue;

/// Formats integers in decimal within a work limit, because the time grows with the square of their length. Past the
/// limit, large ones are formatted in hexadecimal.
pub(super) struct Decimals {
    steps_left: u64,
}

/// Nine decimal digits, the most that fit in 32 bits.
const CHUNK: u64 = 1_000_000_000;

impl Decimals {
    /// Creates a formatter with a limit of about two seconds.
    pub(super) fn new() -> Self {
        Decimals { steps_left: 1 << 30 }
    }

    /// Formats a little-endian integer in two's complement.
    pub(super) fn twos_complement(&mut self, bytes: &[u8]) -> String {
        if let Some(small) = int_from_le_bytes(bytes) {
            return small.to_string();
        }
        let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
        if !negative {
            return self.integer(false, limbs(bytes.iter().copied()));
        }
        // The magnitude is the complement plus one.
        let mut carry = true;
        let complement = bytes.iter().map(|byte| {
            let (byte, overflow) = (!byte).overflowing_add(u8::from(carry));
            carry = overflow;
            byte
        });
        let mut magnitude = limbs(complement);
        if carry {
            magnitude.push(1);
        }
        self.integer(true, magnitude)
    }

    /// Formats the value of an integer literal.
    pub(super) fn literal(&mut self, value: &IntValue<'_>) -> String {
        let (negative, radix, digits) = match value {
            IntValue::Bool(value) => return i64::from(*value).to_string(),
            IntValue::Small(value) => return value.to_string(),
            IntValue::Big { negative, radix, digits } => (*negative, *radix, digits),
        };
        if radix == 10 {
            let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
            let sign = if negative { "-" } else { "" };
            return format!("{sign}{}", String::from_utf8_lossy(&digits[zeros..]));
        }
        let bits = radix.trailing_zeros();
        let mut bytes = Vec::with_capacity(digits.len() * bits as usize / 8 + 1);
        let (mut window, mut filled) = (0u32, 0);
        for digit in digits.iter().rev().filter_map(|&digit| char::from(digit).to_digit(radix)) {
            window |= digit << filled;
            filled += bits;
            if filled >= 8 {
                bytes.push(window as u8);
                window >>= 8;
                filled -= 8;
            }
        }
        bytes.push(window as u8);
        self.integer(negative, limbs(bytes.into_iter()))
    }

    /// Formats an integer of 32-bit limbs, the least significant first.
    fn integer(&mut self, negative: bool, mut limbs: Vec<u32>) -> String {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        let mut text = String::from(if negative { "-" } else { "" });
        let steps = (limbs.len() as u64).saturating_mul(limbs.len() as u64 / 2);
        match self.steps_left.checked_sub(steps) {
            Some(left) => {
                self.steps_left = left;
                push_decimal(&mut text, limbs);
            }
            None => push_hexadecimal(&mut text, &limbs),
        }
        text
    }
}

/// Groups bytes by four, the least significant first.
fn limbs(mut bytes: impl ExactSizeIterator<Item = u8>) -> Vec<u32> {
    let mut limbs = Vec::with_capacity(bytes.len() / 4 + 2);
    while bytes.len() > 0 {
        let mut limb = [0; 4];
        for (slot, byte) in limb.iter_mut().zip(&mut bytes) {
            *slot = byte;
        }
        limbs.push(u32::from_le_bytes(limb));
    }
    limbs
}

fn push_decimal(text: &mut String, mut limbs: Vec<u32>) {
    let mut chunks = Vec::with_capacity(limbs.len() + limbs.len() / 8 + 1);
    while !limbs.is_empty() {
        let mut rest = 0;
        for limb in limbs.iter_mut().rev() {
            let value = rest << 32 | u64::from(*limb);
            *limb = (value / CHUNK) as u32;
            rest = value % CHUNK;
        }
        chunks.push(rest);
        if limbs.last() == Some(&0) {
            limbs.pop();
        }
    }
    let _ = write!(text, "{}", chunks.pop().unwrap_or(0));
    for chunk in chunks.iter().rev() {
        let _ = write!(text, "{chunk:09}");
    }
}

fn push_hexadecimal(text: &mut String, limbs: &[u32]) {
    let mut limbs = limbs.iter().rev();
    let _ = write!(text, "{:#x}", limbs.next().unwrap_or(&0));
    for limb in limbs {
        let _ = write!(text, "{limb:08x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operand::Number;

    fn decimal(bytes: &[u8]) -> String {
        Decimals::new().twos_complement(bytes)
    }

    #[test]
    fn an_empty_integer_is_zero() {
        assert_eq!(decimal(b""), "0");
    }

    #[test]
    fn small_integers_agree_with_the_standard_library() {
        for value in [0, 1, -1, 255, -256, i64::MAX, i64::MIN, 999_999_999, 1_000_000_000, -1_000_000_001] {
            assert_eq!(decimal(&value.to_le_bytes()), value.to_string());
            assert_eq!(decimal(&i128::from(value).to_le_bytes()), value.to_string());
        }
        for value in [i128::MIN, i128::MAX, 10i128.pow(27), -10i128.pow(36)] {
            assert_eq!(decimal(&value.to_le_bytes()), value.to_string());
        }
    }

    #[test]
    fn a_sign_byte_alone_extends_the_magnitude() {
        assert_eq!(decimal(b"\x00\x00\x00\x00\x80"), (-(1i64 << 39)).to_string());
        assert_eq!(decimal(b"\x00\x00\x00\x80"), i32::MIN.to_string());
        assert_eq!(decimal(b"\xff\x00"), "255");
    }

    #[test]
    fn literals_of_every_base_become_decimal() {
        for (text, decimal) in [
            ("0xffffffffffffffffffff", "1208925819614629174706175"),
            ("-0o7777777777777777777777777", "-37778931862957161709567"),
            ("0b1_0000000000000000000000000000000000000000000000000000000000000000", "18446744073709551616"),
            ("99999999999999999999999", "99999999999999999999999"),
        ] {
            let number = Number::int(text.as_bytes()).unwrap();
            assert_eq!(Decimals::new().literal(&number.value()), decimal);
        }
    }

    #[test]
    fn integers_past_the_work_limit_are_hexadecimal() {
        let mut decimals = Decimals { steps_left: 1 };
        assert_eq!(decimals.twos_complement(&[0x12; 12]), "0x121212121212121212121212");
        assert_eq!(decimals.twos_complement(&[7]), "7");
    }
}
