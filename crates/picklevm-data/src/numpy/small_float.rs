//! Floats of 16 bits and less that NumPy itself does not have: those of `ml_dtypes` and of PyTorch.

/// A small float or integer: a row of `TABLE`.
#[derive(Clone, Copy, Debug)]
pub struct SmallFloat {
    /// The name that `ml_dtypes` and PyTorch have for it.
    pub name: &'static str,
    /// Bytes of an element.
    pub size: usize,
    /// Bits of the sign: 1, or 0.
    sign: u32,
    exponent: u32,
    mantissa: u32,
    bias: i32,
    specials: Specials,
    /// What .safetensors calls it, if it does.
    pub safetensors: Option<&'static str>,
}

/// Which patterns are infinite or no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Specials {
    /// As in IEEE 754: the largest exponent.
    Ieee,
    /// No infinities, all ones is NaN: `fn`.
    AllOnes,
    /// No infinities, the negative zero is NaN: `fnuz`.
    NegativeZero,
    /// Every pattern is a number.
    Finite,
    /// A power of two, 255 is NaN: `e8m0fnu`.
    Power,
    /// No float: a signed or unsigned integer of this many bits.
    Int(u32),
    UInt(u32),
}

use Specials::*;

#[rustfmt::skip]
const TABLE: &[SmallFloat] = &[
    row("bfloat16",        2, 1, 8, 7, 127, Ieee, Some("BF16")),
    row("float8_e5m2",     1, 1, 5, 2, 15, Ieee, Some("F8_E5M2")),
    row("float8_e4m3fn",   1, 1, 4, 3, 7, AllOnes, Some("F8_E4M3")),
    row("float8_e4m3fnuz", 1, 1, 4, 3, 8, NegativeZero, Some("F8_E4M3FNUZ")),
    row("float8_e5m2fnuz", 1, 1, 5, 2, 16, NegativeZero, Some("F8_E5M2FNUZ")),
    row("float8_e4m3b11fnuz", 1, 1, 4, 3, 11, NegativeZero, None),
    row("float8_e4m3",     1, 1, 4, 3, 7, Ieee, None),
    row("float8_e3m4",     1, 1, 3, 4, 3, Ieee, None),
    row("float8_e8m0fnu",  1, 0, 8, 0, 127, Power, Some("F8_E8M0")),
    row("float6_e2m3fn",   1, 1, 2, 3, 1, Finite, None),
    row("float6_e3m2fn",   1, 1, 3, 2, 3, Finite, None),
    row("float4_e2m1fn",   1, 1, 2, 1, 1, Finite, None),
    row("int4",  1, 0, 0, 0, 0, Int(4), None),
    row("uint4", 1, 0, 0, 0, 0, UInt(4), None),
    row("int2",  1, 0, 0, 0, 0, Int(2), None),
    row("uint2", 1, 0, 0, 0, 0, UInt(2), None),
    row("int1",  1, 0, 0, 0, 0, Int(1), None),
    row("uint1", 1, 0, 0, 0, 0, UInt(1), None),
];

#[allow(clippy::too_many_arguments)]
const fn row(
    name: &'static str,
    size: usize,
    sign: u32,
    exponent: u32,
    mantissa: u32,
    bias: i32,
    specials: Specials,
    safetensors: Option<&'static str>,
) -> SmallFloat {
    SmallFloat { name, size, sign, exponent, mantissa, bias, specials, safetensors }
}

impl SmallFloat {
    /// The type of a name of `ml_dtypes`.
    pub fn of_name(name: &str) -> Option<&'static SmallFloat> {
        TABLE.iter().find(|row| row.name == name)
    }

    /// The type of a name of .safetensors.
    pub fn of_safetensors(name: &str) -> Option<&'static SmallFloat> {
        TABLE.iter().find(|row| row.safetensors == Some(name))
    }

    /// Whether it is an integer, and whether that has a sign.
    pub fn is_integer(&self) -> bool {
        matches!(self.specials, Int(_) | UInt(_))
    }

    /// The value of a bit pattern. Every value of these types is an `f32` exactly.
    pub fn value(&self, bits: u16) -> f32 {
        let width = self.sign + self.exponent + self.mantissa;
        match self.specials {
            Int(width) => {
                let shift = 16 - width;
                return f32::from(((bits << shift) as i16) >> shift);
            }
            UInt(width) => return f32::from(bits & ((1 << width) - 1)),
            Power if bits & 0xff == 0xff => return f32::NAN,
            Power => return power_of_two(i32::from(bits & 0xff) - self.bias),
            _ => {}
        }
        let bits = u32::from(bits) & ((1u32 << width) - 1);
        let negative = bits >> (width - 1) == 1;
        let magnitude = bits & ((1 << (width - 1)) - 1);
        let (exponent, fraction) = (magnitude >> self.mantissa, magnitude & ((1 << self.mantissa) - 1));
        let last = (1 << self.exponent) - 1;
        let sign = if negative { -1.0 } else { 1.0 };
        match self.specials {
            Ieee if exponent == last && fraction == 0 => return sign * f32::INFINITY,
            Ieee if exponent == last => return f32::NAN,
            AllOnes if magnitude == (1 << (width - 1)) - 1 => return f32::NAN,
            NegativeZero if negative && magnitude == 0 => return f32::NAN,
            _ => {}
        }
        let scale = power_of_two((exponent.max(1) as i32) - self.bias - self.mantissa as i32);
        let significand = if exponent == 0 { fraction } else { fraction + (1 << self.mantissa) };
        sign * significand as f32 * scale
    }
}

/// 2 to the power of `n`, also where that is subnormal.
fn power_of_two(n: i32) -> f32 {
    if n < -126 { f32::from_bits(1u32.checked_shl((n + 149).max(0) as u32).unwrap_or(0)) } else { 2f32.powi(n) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, bits: u16) -> f32 {
        SmallFloat::of_name(name).unwrap().value(bits)
    }

    #[test]
    fn patterns_are_read_as_their_standards_say() {
        assert_eq!(value("bfloat16", 0x3f80), 1.0);
        assert_eq!(value("bfloat16", 0xc020), -2.5);
        assert_eq!(value("bfloat16", 0x0001), f32::from_bits(0x0001_0000));
        assert_eq!(value("float8_e4m3fn", 0x7e), 448.0);
        assert!(value("float8_e4m3fn", 0x7f).is_nan());
        assert_eq!(value("float8_e5m2", 0x7c), f32::INFINITY);
        assert_eq!(value("float8_e5m2", 0x01), 2f32.powi(-16));
        assert!(value("float8_e4m3fnuz", 0x80).is_nan());
        assert_eq!(value("float8_e8m0fnu", 0), 2f32.powi(-127));
        assert_eq!(value("float4_e2m1fn", 0x7), 6.0);
        assert_eq!(value("int4", 0xf), -1.0);
    }

    #[test]
    fn every_bfloat16_is_the_upper_half_of_a_float() {
        for bits in 0..=u16::MAX {
            let (ours, expected) = (value("bfloat16", bits), f32::from_bits(u32::from(bits) << 16));
            assert!(ours.to_bits() == expected.to_bits() || ours.is_nan() && expected.is_nan(), "{bits:#x}");
        }
    }
}
