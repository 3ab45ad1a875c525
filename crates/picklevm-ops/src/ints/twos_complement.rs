//! Integers in two's complement, as LONG1 and LONG4 have them.

/// Reads an integer of at most eight bytes in little-endian two's complement.
#[inline(always)]
pub fn int_from_le_bytes(bytes: &[u8]) -> Option<i64> {
    let len = bytes.len();
    let value = match (bytes.first_chunk(), bytes.last_chunk()) {
        // Two overlapping reads are faster than one whose length is known only at run time.
        (Some(low), Some(high)) if len <= 8 => {
            u64::from(u32::from_le_bytes(*low)) | u64::from(u32::from_le_bytes(*high)) << (8 * (len - 4))
        }
        (None, _) => bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)),
        _ => return None,
    };
    let unused = (64 - 8 * len as u32).min(63);
    Some((value << unused) as i64 >> unused)
}

#[cfg(test)]
mod tests {
    use super::int_from_le_bytes;

    #[test]
    fn up_to_eight_bytes_are_read_as_a_signed_integer() {
        for value in [0, 1, -1, 127, 128, -128, -129, 0x1234_5678, -0x12_3456_789a, i64::MAX, i64::MIN] {
            let bytes = value.to_le_bytes();
            for len in (1..=8).filter(|len| i128::from(value) >> (8 * len - 1) == i128::from(value) >> 127) {
                assert_eq!(int_from_le_bytes(&bytes[..len]), Some(value), "{value} in {len} bytes");
            }
        }
        assert_eq!((int_from_le_bytes(&[]), int_from_le_bytes(&[0; 9])), (Some(0), None));
    }
}
