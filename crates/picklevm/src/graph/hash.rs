//! Hashes and equality of keys, by Python's rules.
//!
//! Numbers are equal by value whatever their type, texts and bytes by content, globals and extension codes by name,
//! tuples and frozensets by their items, everything else by identity. Lists, dicts, sets and bytearrays, and tuples
//! that hold one, cannot be keys. Nothing recurses, and what is shared is looked at once.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::quality::RandomState;

use super::arena::Arena;
use super::cell::{Cell, Tag};
use super::compare::live_equal;
use super::live::Hashed;
use super::number::Number;

/// One seed a process, so that nobody can prepare colliding keys and hashes agree from graph to graph.
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The hashes of the tuples and frozensets of a graph that have served as keys.
#[derive(Clone)]
pub(crate) struct Hashes {
    seed: RandomState,
    known: Known,
}

/// Hashes by tuple or frozenset.
type Known = HashMap<Cell, u64, RandomState>;

impl Default for Hashes {
    fn default() -> Self {
        Hashes { seed: SEED.clone(), known: Known::with_hasher(SEED.clone()) }
    }
}

impl Hashes {
    pub(crate) fn clear(&mut self) {
        if !self.known.is_empty() {
            self.known = Known::with_hasher(self.seed.clone());
        }
    }
}

/// A value that cannot be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unhashable(pub(crate) Cell);

/// Kinds of keys, so that `b"a"`, `"a"` and the global `a` do not collide.
mod domain {
    pub(super) const NUMBER: u64 = 1;
    pub(super) const FLOAT: u64 = 2;
    pub(super) const STR: u64 = 3;
    pub(super) const BYTES: u64 = 4;
    pub(super) const BYTESTR: u64 = 5;
    pub(super) const IDENTITY: u64 = 6;
    pub(super) const TUPLE: u64 = 7;
    pub(super) const FROZENSET: u64 = 8;
    pub(super) const EXT: u64 = 9;
    pub(super) const LIVE: u64 = 10;
}

impl Arena {
    /// The hash of a key.
    #[inline]
    pub(crate) fn key_hash(&mut self, key: Cell) -> Result<u64, Unhashable> {
        match key.tag() {
            Tag::Str => Ok(self.hash_text(Tag::Str, self.payload(key))),
            Tag::Int => Ok(self.hash_int(key.as_int())),
            Tag::Tuple | Tag::FrozenSet => self.compound_hash(key),
            _ => self.atom_hash(key).ok_or(Unhashable(key)),
        }
    }

    /// The hash of a key whose tuples and frozensets have been hashed before.
    pub(crate) fn known_hash(&self, key: Cell) -> Option<u64> {
        match key.tag() {
            Tag::Tuple | Tag::FrozenSet => self.hashes.known.get(&key).copied(),
            _ => self.atom_hash(key),
        }
    }

    #[inline]
    pub(crate) fn hash_int(&self, value: i64) -> u64 {
        self.hash_number(&Number::Int(value))
    }

    #[inline]
    pub(crate) fn hash_text(&self, tag: Tag, bytes: &[u8]) -> u64 {
        let domain = match tag {
            Tag::Str => domain::STR,
            Tag::ByteStr => domain::BYTESTR,
            _ => domain::BYTES,
        };
        self.hash_bytes(domain, bytes)
    }

    #[inline]
    fn hash_bytes(&self, domain: u64, bytes: &[u8]) -> u64 {
        let mut hasher = self.hashes.seed.build_hasher();
        hasher.write_u64(domain);
        hasher.write(bytes);
        hasher.finish()
    }

    fn hash_words(&self, domain: u64, words: [u64; 2]) -> u64 {
        let mut hasher = self.hashes.seed.build_hasher();
        hasher.write_u64(domain);
        hasher.write_u64(words[0]);
        hasher.write_u64(words[1]);
        hasher.finish()
    }

    #[inline]
    pub(crate) fn hash_number(&self, number: &Number<'_>) -> u64 {
        match number {
            Number::Int(value) => self.hash_words(domain::NUMBER, [*value as u64, 0]),
            Number::Big(bytes) => self.hash_bytes(domain::NUMBER, bytes),
            Number::Wide(int) => self.hash_bytes(domain::NUMBER, int.as_bytes()),
            Number::Float(value) => self.hash_words(domain::FLOAT, [value.to_bits(), 0]),
            Number::Complex(re, im) => self.hash_words(domain::FLOAT, [re.to_bits(), im.to_bits()]),
        }
    }

    fn atom_hash(&self, key: Cell) -> Option<u64> {
        Some(match key.tag() {
            Tag::Str | Tag::Bytes | Tag::ByteStr => self.hash_text(key.tag(), self.payload(key)),
            Tag::None | Tag::EmptyTuple | Tag::Buffer | Tag::Persistent | Tag::Object => {
                self.hash_words(domain::IDENTITY, [key.bits(), 0])
            }
            Tag::Live => return self.live_hash(key),
            Tag::Ext => self.hash_words(domain::EXT, [key.id() as u64, 0]),
            Tag::Global => {
                let global = self.globals[key.id()];
                let [module, name] =
                    [global.module, global.name].map(|part| self.hash_bytes(domain::EXT, self.payload(part)));
                self.hash_words(domain::IDENTITY, [module, name])
            }
            Tag::List | Tag::Dict | Tag::Set | Tag::ByteArray | Tag::Hole | Tag::Tuple | Tag::FrozenSet => return None,
            Tag::WideFloat if self.floats[key.id()].is_nan() => self.hash_words(domain::IDENTITY, [key.bits(), 0]),
            Tag::Int
            | Tag::True
            | Tag::False
            | Tag::Float
            | Tag::ZeroFloat
            | Tag::WideFloat
            | Tag::BigInt
            | Tag::Complex => self.hash_number(&self.number(key)?),
        })
    }

    #[cold]
    fn live_hash(&self, key: Cell) -> Option<u64> {
        let mut hasher = self.hashes.seed.build_hasher();
        hasher.write_u64(domain::LIVE);
        match self.live(key).hash(&mut hasher) {
            Hashed::ByIdentity => Some(self.hash_words(domain::IDENTITY, [key.bits(), 0])),
            Hashed::ByContent => Some(hasher.finish()),
            Hashed::Unhashable => None,
        }
    }

    /// Hashes a tuple or frozenset and remembers the hash.
    fn compound_hash(&mut self, key: Cell) -> Result<u64, Unhashable> {
        if let Some(hash) = self.hashes.known.get(&key) {
            return Ok(*hash);
        }
        if let Ok(hash) = self.hash_items(key, |item| self.known_hash(item)) {
            self.hashes.known.insert(key, hash);
            return Ok(hash);
        }
        let mut fresh = Known::with_hasher(self.hashes.seed.clone());
        let hash = self.hash_nested(key, &mut fresh);
        self.hashes.known.extend(fresh);
        hash
    }

    /// The hash of a key to look up, whether it ever served as one or not.
    pub(crate) fn lookup_hash(&self, key: Cell) -> Option<u64> {
        self.known_hash(key).or_else(|| match key.tag() {
            Tag::Tuple | Tag::FrozenSet => {
                self.hash_nested(key, &mut Known::with_hasher(self.hashes.seed.clone())).ok()
            }
            _ => None,
        })
    }

    /// Hashes a tuple or frozenset, those inside it first, each once.
    fn hash_nested(&self, key: Cell, fresh: &mut Known) -> Result<u64, Unhashable> {
        let mut work = vec![(key, false)];
        let mut hash = 0;
        while let Some((cell, ready)) = work.pop() {
            let is_open = |fresh: &Known, cell: Cell| {
                matches!(cell.tag(), Tag::Tuple | Tag::FrozenSet)
                    && !self.hashes.known.contains_key(&cell)
                    && !fresh.contains_key(&cell)
            };
            if !is_open(fresh, cell) {
                continue;
            }
            if !ready {
                work.push((cell, true));
                work.extend(self.items(cell).iter().filter(|item| is_open(fresh, **item)).map(|item| (*item, false)));
                continue;
            }
            // A tuple that reaches itself does so through a list, which is refused here.
            hash = self.hash_items(cell, |item| self.known_hash(item).or_else(|| fresh.get(&item).copied()))?;
            fresh.insert(cell, hash);
        }
        Ok(hash)
    }

    /// The hash of a tuple or frozenset from those of its items.
    fn hash_items(&self, cell: Cell, hash_of: impl Fn(Cell) -> Option<u64>) -> Result<u64, Unhashable> {
        let is_tuple = cell.is(Tag::Tuple);
        let mut hasher = self.hashes.seed.build_hasher();
        hasher.write_u64(if is_tuple { domain::TUPLE } else { domain::FROZENSET });
        let mut sum = 0u64;
        for item in self.items(cell) {
            let hash = hash_of(*item).ok_or(Unhashable(*item))?;
            if is_tuple { hasher.write_u64(hash) } else { sum = sum.wrapping_add(hash) }
        }
        hasher.write_u64(sum);
        Ok(hasher.finish())
    }

    /// Whether two keys are equal. Tuples and frozensets must have been hashed.
    #[inline]
    pub(crate) fn keys_equal(&self, a: Cell, b: Cell) -> bool {
        if a == b {
            return true;
        }
        match (a.tag(), b.tag()) {
            (Tag::Str, Tag::Str) | (Tag::Bytes, Tag::Bytes) | (Tag::ByteStr, Tag::ByteStr) => {
                a.print() == b.print() && self.payload(a) == self.payload(b)
            }
            (Tag::Str | Tag::Bytes | Tag::ByteStr, _) | (_, Tag::Str | Tag::Bytes | Tag::ByteStr) => false,
            (Tag::Int, Tag::Int) => false,
            (Tag::Live, Tag::Live) => live_equal((self, a), (self, b)),
            (Tag::Tuple, Tag::Tuple) | (Tag::FrozenSet, Tag::FrozenSet) => super::compare::equal((self, a), (self, b)),
            (Tag::Global, Tag::Global) => {
                let (a, b) = (self.globals[a.id()], self.globals[b.id()]);
                self.payload(a.module) == self.payload(b.module) && self.payload(a.name) == self.payload(b.name)
            }
            _ => self.number(a).zip(self.number(b)).is_some_and(|(a, b)| a.equals(&b)),
        }
    }
}
