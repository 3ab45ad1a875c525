//! Keys whose hashes are equal: Python compares each with all before it, and takes hours for some MB of them.
//!
//! Hashes of texts and bytes differ from process to process; those of numbers, and of tuples and sets of them, are known.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::Tracer;
use crate::policy::Decision;
use crate::token::{NOT_KEPT, Token};
use crate::verdict::Rule;

/// Keys of the same hash from which it takes seconds.
const EQUAL: usize = 1 << 12;
/// Counters of keys.
const BUCKETS: usize = 1 << 16;
/// How deep tuples of a key are looked into, and how many values of one.
const LEVELS: u8 = 4;
const PARTS: usize = 1 << 8;
/// Hashes of numbers are modulo this: 2^61 is 1.
const MODULUS: u64 = (1 << 61) - 1;

/// How many keys had which hash, in which container.
#[derive(Default)]
pub(super) struct KeyCounts {
    buckets: Vec<u32>,
    total: usize,
}

impl Tracer<'_> {
    /// Looks for keys whose hash takes exponential time, and counts those that are many of the same hash, as may be those
    /// whose hashes cannot be known.
    #[inline]
    pub(super) fn count_keys<'k>(&mut self, container: Token, keys: impl IntoIterator<Item = &'k Token>) {
        for key in keys {
            if !matches!(key, Token::Text(_) | Token::Bytes(_) | Token::Int(_) | Token::Bool(_) | Token::None) {
                self.count_key(container, *key);
            }
        }
    }

    #[inline(never)]
    fn count_key(&mut self, container: Token, key: Token) {
        if self.values.is_costly_key(key) {
            let why = "a key is tuples in tuples that share so much that its hash takes exponential time";
            self.suspect(Rule::Limit, why);
        }
        // An instance without arguments that its hash could be made of: by default the hash is its address.
        let object = self.values.object_of(key);
        if object.is_some_and(|object| object.args == Token::Tuple(0) && self.is_plain_class(object.class)) {
            return;
        }
        let bucket = FixedState::with_seed(0).hash_one((self.hash_of(key, LEVELS), container)) as usize;
        let counts = &mut self.key_counts;
        counts.buckets.resize(BUCKETS, 0);
        counts.total += 1;
        let most = EQUAL + 4 * counts.total / BUCKETS;
        let count = &mut counts.buckets[bucket % BUCKETS];
        *count += 1;
        if *count as usize > most {
            *count = 0;
            self.suspect(Rule::Limit, "many keys of a dict or set may have the same hash: it takes quadratic time");
        }
    }

    /// Counts what a call makes keys of: the items of what it is given, or the first of each.
    pub(super) fn count_parts(&mut self, given: Token, are_pairs: bool) {
        if self.values.cost_of(given) as usize <= EQUAL || matches!(given, Token::Dict(_)) || self.is_mapping(given) {
            return;
        }
        if let Token::Object(_) = given {
            return self
                .suspect(Rule::Limit, "makes a dict or set of what an iterator gives, which may have the same hash");
        }
        let parts = self.contents(given).unwrap_or_default();
        let key = |part: &Token| if are_pairs { *self.values.items_of(*part)?.first()? } else { *part }.into();
        let keys: Vec<Token> = parts.iter().filter_map(key).collect();
        self.count_keys(given, &keys);
    }

    /// A hash that is equal for values whose hashes are equal in Python, and few others.
    // No deeper than `LEVELS`.
    fn hash_of(&self, value: Token, levels: u8) -> u64 {
        let of_bytes = |token| FixedState::with_seed(1).hash_one(self.values.bytes_of(token));
        match value {
            Token::Int(value) => of_int(value < 0, value.unsigned_abs().into()),
            Token::Bool(value) => value.into(),
            Token::Number(op) => number_at(self.data.get(op as usize..).unwrap_or_default()).unwrap_or(0),
            Token::Text(_) | Token::Bytes(_) => of_bytes(value),
            Token::Tuple(_) | Token::Set(_) | Token::List(_) if levels > 0 => {
                let parts = self.values.items_of(value).unwrap_or_default();
                let hashes = parts.iter().take(PARTS).map(|part| self.hash_of(*part, levels - 1));
                if matches!(value, Token::Tuple(_)) { of_tuple(hashes) } else { of_set(hashes) }
            }
            Token::Object(_) if levels > 0 => {
                let Some(object) = self.values.object_of(value) else { return 0 };
                // The cheaper question first: the other one builds the name.
                if self.is_plain_class(object.class) || self.has_own_hash(value, object.args) {
                    return self.hash_of(object.args, levels - 1);
                }
                if object.detail == NOT_KEPT {
                    self.values.misses.set(true);
                    return 0;
                }
                object.detail.into()
            }
            _ => 0,
        }
    }

    /// Whether a class is allowed without a rule that makes its instances values, as are the user's own.
    fn is_plain_class(&self, class: Token) -> bool {
        matches!(self.judgement(class), Some((_, Decision::Allowed(entry))) if entry.follows.is_none())
    }

    /// Keeps the hash of a UUID: that of the number in its state. In the first run, which keeps no items, it is not known, and
    /// a second one is needed if a UUID is a key.
    pub(super) fn note_hash(&mut self, uuid: Token, state: Token) {
        if self.values.keeps_all {
            let hash = self.values.entry(state, "int").map_or(0, |number| self.hash_of(number, LEVELS));
            self.values.change_object(uuid, |object| object.detail = (hash ^ hash >> 32) as u32);
        }
        self.values.forget(state);
    }

    /// Whether the hash of an object is that of its arguments, and no two have the same by design: texts, bytes, or a number of
    /// eight bytes.
    fn has_own_hash(&self, object: Token, args: Token) -> bool {
        let name = self.name_of(self.class_of(object));
        let last = self.values.items_of(args).and_then(|args| self.values.bytes_of(*args.last()?));
        match name.split('.').next() {
            Some("datetime" | "pathlib" | "ipaddress" | "pandas") => true,
            Some("builtins") => name == "builtins.frozenset",
            Some("numpy") => last.is_some_and(|bytes| bytes.len() <= 8),
            _ => false,
        }
    }
}

/// As `hash` of Python: that of -1 is -2.
fn of_int(is_negative: bool, magnitude: u64) -> u64 {
    let hash = magnitude % MODULUS;
    match is_negative {
        true if hash == 1 => 1u64.wrapping_neg().wrapping_sub(1),
        true => hash.wrapping_neg(),
        false => hash,
    }
}

/// xxHash, as `tuplehash` has it.
fn of_tuple(hashes: impl Iterator<Item = u64>) -> u64 {
    const PRIMES: [u64; 3] = [11_400_714_785_074_694_791, 14_029_467_366_897_019_727, 2_870_177_450_012_600_261];
    hashes.fold(PRIMES[2], |sum, hash| {
        sum.wrapping_add(hash.wrapping_mul(PRIMES[1])).rotate_left(31).wrapping_mul(PRIMES[0])
    })
}

/// As `frozenset_hash` mixes them, but for what it does in the end.
fn of_set(hashes: impl Iterator<Item = u64>) -> u64 {
    let mix = |hash: u64| ((hash ^ 89_869_747) ^ (hash << 16)).wrapping_mul(3_644_798_167);
    hashes.fold(0, |sum, hash| sum ^ mix(hash))
}

/// The hash of the number that an op of binary form pushes.
fn number_at(op: &[u8]) -> Option<u64> {
    let (opcode, rest) = op.split_first()?;
    Some(match opcode {
        b'G' => of_float(f64::from_be_bytes(*rest.first_chunk()?)),
        0x8a => of_bytes(rest.get(1..)?.get(..usize::from(rest[0]))?),
        0x8b => of_bytes(rest.get(4..)?.get(..u32::from_le_bytes(*rest.first_chunk()?) as usize)?),
        _ => return None,
    })
}

fn of_bytes(bytes: &[u8]) -> u64 {
    let is_negative = bytes.last().is_some_and(|last| *last >= 0x80);
    // The magnitude of a negative one is its complement and one.
    let flip = if is_negative { 0xff } else { 0 };
    let magnitude = bytes.iter().rev().fold(0, |sum, byte| (sum * 256 + u128::from(byte ^ flip)) % u128::from(MODULUS));
    of_int(is_negative, magnitude as u64 + u64::from(is_negative))
}

fn of_float(value: f64) -> u64 {
    if !value.is_finite() {
        return 0;
    }
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1) | u64::from(exponent > 0) << 52;
    let turn = (exponent.max(1) - 1075).rem_euclid(61);
    of_int(value.is_sign_negative(), (fraction << turn | fraction >> (61 - turn)) & MODULUS)
}

#[cfg(test)]
mod tests {
    use super::{number_at, of_float, of_int, of_tuple};

    #[test]
    fn hashes_are_those_of_python() {
        let floats = [(1.0, 1), (0.5, 1 << 60), (-2.5, -1_152_921_504_606_846_978), (1e300, 1_224_995_262_755_759_164)];
        for (value, hash) in floats {
            assert_eq!(of_float(value) as i64, hash, "{value}");
        }
        let ops: [(&[u8], i64); 4] = [
            (b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x1f", 0),
            (b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01", 8),
            (b"\x8a\x01\xff", -2),
            (b"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80", -4),
        ];
        for (op, hash) in ops {
            assert_eq!(number_at(op).map(|hash| hash as i64), Some(hash), "{op:?}");
        }
        let pair = |a, b| of_tuple([of_int(a < 0, 1), of_int(b < 0, 2)].into_iter());
        assert_eq!(pair(-1, -2), of_tuple([of_int(true, 2); 2].into_iter()));
        assert_ne!(pair(1, 2), pair(1, -2));
    }
}
