//! Hashes of keys of maps: keys that are equal in Python have equal hashes.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

const STATE: FixedState = FixedState::with_seed(0x7069_636b_6c65_766d);

/// The first 16 bytes of a text as a number, and its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// The bytes in big-endian order, and zeros.
    words: [u64; 2],
    len: usize,
}

impl Head {
    /// Number of bytes of the head.
    const LEN: usize = 16;

    /// Returns the head of a text. Without a branch on its length from 8 on, which would be mispredicted.
    #[inline(always)]
    pub(crate) fn of(text: &[u8]) -> Head {
        let Some(first) = text.first_chunk() else { return Head::of_few(text) };
        // The last eight bytes of the head, without those that are in the first word.
        let end = text.len().min(Head::LEN);
        let last = text[..end].last_chunk().copied().unwrap_or_default();
        let second = u64::from_be_bytes(last).checked_shl(8 * (Head::LEN - end) as u32).unwrap_or(0);
        Head { words: [u64::from_be_bytes(*first), second], len: text.len() }
    }

    #[inline(never)]
    fn of_few(text: &[u8]) -> Head {
        let mut bytes = [0; 8];
        bytes[..text.len()].copy_from_slice(text);
        Head { words: [u64::from_be_bytes(bytes), 0], len: text.len() }
    }

    /// Whether the heads show that this text is greater than another one.
    #[inline(always)]
    pub(crate) fn is_after(self, other: Head) -> bool {
        let [mine, others] = [self, other].map(|head| u128::from(head.words[0]) << 64 | u128::from(head.words[1]));
        mine > others || (mine == others && other.len < self.len && self.len <= Head::LEN)
    }
}

#[derive(Clone, Copy)]
enum Type {
    None,
    Int,
    Float,
    Text,
    Bytes,
    Tuple,
}

fn hash_of(of: Type, bytes: &[u8]) -> u64 {
    let mut hasher = STATE.build_hasher();
    hasher.write_u8(of as u8);
    hasher.write(bytes);
    hasher.finish()
}

pub(crate) fn none() -> u64 {
    hash_of(Type::None, &[])
}

/// Returns the hash of an integer, or of a boolean, which is equal to 0 or 1.
#[inline]
pub(crate) fn int(value: i128) -> u64 {
    hash_of(Type::Int, &value.to_le_bytes())
}

/// Returns the hash of a float. A whole number is equal to the integer. `None` for NaN, which is not equal to itself, and for
/// numbers that may be equal to an integer of more than 64 bits.
pub(crate) fn float(value: f64) -> Option<u64> {
    if value.is_nan() || value.abs() >= 1e18 {
        return None;
    }
    let whole = value as i64;
    Some(if whole as f64 == value { int(whole.into()) } else { hash_of(Type::Float, &value.to_le_bytes()) })
}

#[inline]
pub(crate) fn text(text: &[u8]) -> u64 {
    hash_of(Type::Text, text)
}

pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    hash_of(Type::Bytes, bytes)
}

/// Returns the hash of a tuple, given those of its items.
pub(crate) fn tuple(hashes: &[u64]) -> u64 {
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
    hash_of(Type::Tuple, &bytes)
}

/// Maximum number of hashes that are sorted: few are compared faster so.
const FEW: usize = 64;

/// Removes the hashes of a map from a stack. Returns whether two are equal.
pub(crate) fn are_equal(stack: &mut Vec<u64>, from: usize) -> bool {
    let hashes = &mut stack[from..];
    let found = if hashes.len() > FEW { are_equal_in_table(hashes) } else { None };
    let are_equal = found.unwrap_or_else(|| {
        hashes.sort_unstable();
        hashes.windows(2).any(|pair| pair[0] == pair[1])
    });
    stack.truncate(from);
    are_equal
}

/// Returns whether two hashes are equal, or `None` if many of them compete for a few places, as hashes made for that do.
fn are_equal_in_table(hashes: &[u64]) -> Option<bool> {
    const EMPTY: u64 = 0;
    let size = (2 * hashes.len()).next_power_of_two();
    let mut table = vec![EMPTY; size];
    let mut steps = 8 * hashes.len();
    for hash in hashes {
        let hash = (*hash).max(EMPTY + 1);
        let mut at = (hash >> (u64::BITS - size.ilog2())) as usize;
        while table[at] != EMPTY {
            if table[at] == hash {
                return Some(true);
            }
            steps = steps.checked_sub(1)?;
            at = (at + 1) & (size - 1);
        }
        table[at] = hash;
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use picklevm_testing::Random;

    use super::*;

    #[test]
    fn a_head_shows_only_the_true_order_of_texts() {
        let mut random = Random::new(16);
        let mut text = || -> Vec<u8> {
            let len = random.below(20);
            (0..len).map(|_| *random.pick(b"\0ab")).collect()
        };
        let mut known = 0;
        for _ in 0..100_000 {
            let (one, other) = (text(), text());
            let is_after = Head::of(&one).is_after(Head::of(&other));
            assert!(!is_after || one > other, "{one:?} and {other:?}");
            known += usize::from(is_after);
        }
        assert!(known > 40_000);
    }

    #[test]
    fn keys_that_are_equal_in_python_have_equal_hashes() {
        assert_eq!(float(3.0), Some(int(3)));
        assert_eq!(float(-0.0), Some(int(0)));
        assert_ne!(float(3.5), Some(int(3)));
        assert_eq!([float(f64::NAN), float(1e18), float(f64::INFINITY)], [None; 3]);
        assert_ne!(text(b"a"), bytes(b"a"));
        assert_ne!(tuple(&[]), none());
    }

    #[test]
    fn equal_hashes_are_found_among_those_of_one_map() {
        let mut stack = vec![7, 1, 2, 7];
        assert!(!are_equal(&mut stack, 1));
        stack.extend([5, 3, 5]);
        assert!(are_equal(&mut stack, 1));
        assert_eq!(stack, [7]);
    }
    #[test]
    fn equal_hashes_are_found_among_many() {
        let many = (0..1000).map(int);
        // Distributed, and all with the same high bits.
        for hashes in [many.collect::<Vec<_>>(), (1..1000).collect()] {
            let mut stack = hashes.clone();
            assert!(!are_equal(&mut stack, 0));
            stack.extend(&hashes);
            stack.push(hashes[500]);
            assert!(are_equal(&mut stack, 0));
        }
    }
}
