//! Hashes and equality of keys, by Python's rules.
//!
//! Numbers of any type compare by value, texts and bytes by content, globals and extension codes by name, tuples,
//! frozensets and `frozendict`s by their contents, everything else by identity. Lists, dicts, sets and bytearrays, and
//! tuples and `frozendict`s that hold one, are unhashable.
//!
//! There is no recursion, and shared values are hashed once. For each key that is slow to hash (a tuple, a frozenset, a
//! `frozendict`, a long text) the hash and the first equal key are cached, so that two such keys compare in constant
//! time. For a `frozendict` they are cached for its dict, which others may share.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::arena::Arena;
use super::cell::{Cell, LONG_PAYLOAD, Tag};
use super::compare::natives_equal;
use super::native::HashMode;
use super::number::Number;

/// One random seed per process: an attacker cannot prepare colliding keys, and hashes are the same in all graphs.
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// Cached hashes of the slow keys of a graph.
#[derive(Clone)]
pub(crate) struct Hashes {
    seed: RandomState,
    cached: HashMap<Cell, CachedHash, RandomState>,
    /// One key of each set of equal keys, by hash.
    firsts: HashTable<Cell>,
}

/// Cached data of a slow key.
#[derive(Clone, Copy)]
struct CachedHash {
    hash: u64,
    /// The first key that is equal to this one.
    first: Cell,
}

impl Default for Hashes {
    fn default() -> Self {
        Hashes { seed: SEED.clone(), cached: HashMap::with_hasher(SEED.clone()), firsts: HashTable::new() }
    }
}

impl Hashes {
    #[inline]
    pub(crate) fn clear(&mut self) {
        if !self.cached.is_empty() {
            *self = Hashes::default();
        }
    }

    /// Returns the number of bytes of memory that the cache takes.
    pub(crate) fn held_bytes(&self) -> usize {
        self.cached.len() * size_of::<(Cell, CachedHash)>() + self.firsts.len() * size_of::<Cell>()
    }
}

/// New hashes, those of items first.
struct NewHashes {
    hashes: HashMap<Cell, u64, RandomState>,
    order: Vec<Cell>,
}

/// A value that is unhashable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unhashable(pub(crate) Cell);

/// Hash domains of kinds of keys, so that `b"a"`, `"a"` and the global `a` do not collide.
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
    pub(super) const NATIVE: u64 = 10;
    pub(super) const FROZENDICT: u64 = 11;
}

impl Arena {
    /// Returns the hash of a key, and caches it if the key is slow.
    #[inline]
    pub(crate) fn key_hash(&mut self, key: Cell) -> Result<u64, Unhashable> {
        match key.tag() {
            Tag::Str if !key.is_long() => Ok(self.hash_text(Tag::Str, self.payload(key))),
            Tag::Int => Ok(self.hash_int(key.as_int())),
            _ if self.is_slow_key(key) => self.slow_key_hash(key),
            _ => self.atom_hash(key).ok_or(Unhashable(key)),
        }
    }

    /// Returns the hash of a key, unless it is a slow key that is not cached.
    pub(crate) fn known_hash(&self, key: Cell) -> Option<u64> {
        if self.is_slow_key(key) { Some(self.cached_hash(key)?.hash) } else { self.atom_hash(key) }
    }

    /// Returns a hash that is the same for keys with the same contents, also in other graphs. What is hashed by its identity does not
    /// count, nor what lies deeper than the items of a tuple or frozenset, nor the items of a long one. `None` for keys of which nothing counts.
    pub(crate) fn contents_hash(&self, key: Cell) -> Option<u64> {
        /// The number of items up to which they count, so that a shared key does not cost its length each time.
        const COUNTED_ITEMS: usize = 64;
        let atom_hash = |key: Cell| match key.tag() {
            Tag::Buffer | Tag::Persistent | Tag::Object | Tag::NativeObject | Tag::Tuple | Tag::FrozenSet => None,
            Tag::WideFloat if self.floats[key].is_nan() => None,
            _ => self.known_hash(key).or_else(|| self.atom_hash(key)),
        };
        match key.tag() {
            Tag::Tuple | Tag::FrozenSet if self.items(key).len() <= COUNTED_ITEMS => {
                self.hash_items(key, |item| Some(atom_hash(item).unwrap_or(0))).ok()
            }
            Tag::Tuple | Tag::FrozenSet => Some(self.items(key).len() as u64),
            _ => atom_hash(key),
        }
    }

    fn cached_hash(&self, key: Cell) -> Option<&CachedHash> {
        self.hashes.cached.get(&self.contents(key))
    }

    /// Returns the cell under which the hash of a slow key is cached: the dict of a `frozendict`, or the key itself.
    fn contents(&self, key: Cell) -> Cell {
        self.frozen_contents(key).unwrap_or(key)
    }

    /// Whether hashing or comparing this key is slower than a cache lookup.
    #[inline]
    fn is_slow_key(&self, key: Cell) -> bool {
        match key.tag() {
            Tag::Tuple | Tag::FrozenSet => true,
            Tag::Str | Tag::Bytes | Tag::ByteStr => key.is_long(),
            Tag::BigInt => self.payload(key).len() >= LONG_PAYLOAD,
            Tag::Global => {
                let global = self.globals[key];
                global.module.is_long() || global.name.is_long()
            }
            Tag::Object => self.frozen_contents(key).is_some(),
            _ => false,
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
            Tag::NativeObject => return self.native_hash(key),
            Tag::Ext => self.hash_words(domain::EXT, [key.high().into(), 0]),
            Tag::Global => {
                let global = self.globals[key];
                let [module, name] =
                    [global.module, global.name].map(|part| self.hash_bytes(domain::EXT, self.payload(part)));
                self.hash_words(domain::IDENTITY, [module, name])
            }
            Tag::List | Tag::Dict | Tag::Set | Tag::ByteArray | Tag::Hole | Tag::Tuple | Tag::FrozenSet => return None,
            Tag::WideFloat if self.floats[key].is_nan() => self.hash_words(domain::IDENTITY, [key.bits(), 0]),
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
    fn native_hash(&self, key: Cell) -> Option<u64> {
        let mut hasher = self.hashes.seed.build_hasher();
        hasher.write_u64(domain::NATIVE);
        match self.native(key).hash(&mut hasher) {
            HashMode::ByIdentity => Some(self.hash_words(domain::IDENTITY, [key.bits(), 0])),
            HashMode::ByContent => Some(hasher.finish()),
            HashMode::Unhashable => None,
        }
    }

    /// Hashes a slow key and the slow keys inside it, and caches the hashes.
    fn slow_key_hash(&mut self, key: Cell) -> Result<u64, Unhashable> {
        let key = self.contents(key);
        if let Some(cached) = self.hashes.cached.get(&key) {
            return Ok(cached.hash);
        }
        if let Ok(hash) = self.hash_from_parts(key, |item| self.known_hash(item)) {
            self.cache_hash(key, hash);
            return Ok(hash);
        }
        let mut new_hashes = self.empty_hashes();
        let mut hash = self.hash_nested(key, &mut new_hashes);
        // The dict of a `frozendict` may have equal keys as long as its pickle is read.
        if let Err(Unhashable(part)) = hash
            && self.is_unsettled(part)
        {
            self.settle_all();
            hash = self.hash_nested(key, &mut new_hashes);
        }
        for cell in new_hashes.order {
            self.cache_hash(cell, new_hashes.hashes[&cell]);
        }
        hash
    }

    /// Caches the hash of the contents of a slow key, and finds the first equal key. The hashes of its items are cached already.
    fn cache_hash(&mut self, key: Cell, hash: u64) {
        let Hashes { cached, firsts, .. } = &self.hashes;
        let first = firsts.find(hash, |other| cached[other].hash == hash && self.parts_equal(*other, key)).copied();
        let Hashes { cached, firsts, .. } = &mut self.hashes;
        cached.insert(key, CachedHash { hash, first: first.unwrap_or(key) });
        if first.is_none() {
            firsts.insert_unique(hash, key, |other| cached[other].hash);
        }
    }

    fn empty_hashes(&self) -> NewHashes {
        NewHashes { hashes: HashMap::with_hasher(self.hashes.seed.clone()), order: Vec::new() }
    }

    /// Returns the hash of a lookup key, cached or not.
    pub(crate) fn lookup_hash(&self, key: Cell) -> Option<u64> {
        self.known_hash(key).or_else(|| match self.is_slow_key(key) {
            true => self.hash_nested(self.contents(key), &mut self.empty_hashes()).ok(),
            false => None,
        })
    }

    /// Returns the hashes of keys, cached or not; `None` if one is unhashable.
    pub(crate) fn hashes_of(&self, keys: impl Iterator<Item = Cell>) -> Option<Vec<u64>> {
        let mut new_hashes = self.empty_hashes();
        let hash_of = |key| {
            let contents = self.contents(key);
            self.known_hash(key)
                .or_else(|| new_hashes.hashes.get(&contents).copied())
                .or_else(|| self.is_slow_key(key).then(|| self.hash_nested(contents, &mut new_hashes).ok()).flatten())
        };
        keys.map(hash_of).collect()
    }

    /// Hashes the contents of a slow key, after the slow keys inside it, each once.
    fn hash_nested(&self, contents: Cell, new_hashes: &mut NewHashes) -> Result<u64, Unhashable> {
        let mut work = vec![(contents, false)];
        let mut entered = HashSet::with_hasher(self.hashes.seed.clone());
        let mut hash = 0;
        while let Some((cell, ready)) = work.pop() {
            let is_new = |new_hashes: &NewHashes, contents: Cell| {
                !self.hashes.cached.contains_key(&contents) && !new_hashes.hashes.contains_key(&contents)
            };
            if !is_new(new_hashes, cell) {
                continue;
            }
            if !ready {
                // Python has no tuple that contains itself through tuples only; an id of another graph can create one.
                if !entered.insert(cell) {
                    return Err(Unhashable(cell));
                }
                work.push((cell, true));
                let slow = self.items(cell).iter().filter(|item| self.is_slow_key(**item));
                let new = slow.map(|item| self.contents(*item)).filter(|contents| is_new(new_hashes, *contents));
                work.extend(new.map(|contents| (contents, false)));
                continue;
            }
            // A tuple that contains itself does so through a list, which is unhashable.
            hash = self.hash_from_parts(cell, |item| {
                self.known_hash(item).or_else(|| new_hashes.hashes.get(&self.contents(item)).copied())
            })?;
            new_hashes.hashes.insert(cell, hash);
            new_hashes.order.push(cell);
        }
        Ok(hash)
    }

    /// Returns the hash of the contents of a slow key, from the hashes of its items if it has any.
    fn hash_from_parts(&self, cell: Cell, hash_of: impl Fn(Cell) -> Option<u64>) -> Result<u64, Unhashable> {
        match cell.tag() {
            Tag::Tuple | Tag::FrozenSet => self.hash_items(cell, hash_of),
            Tag::Dict if self.is_unsettled(cell) => Err(Unhashable(cell)),
            Tag::Dict | Tag::EmptyTuple => self.hash_rows(self.items(cell), hash_of),
            _ => self.atom_hash(cell).ok_or(Unhashable(cell)),
        }
    }

    /// Returns the hash of a tuple or frozenset from the hashes of its items.
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

    /// Returns the hash of a `frozendict` from the hashes of its keys and values.
    fn hash_rows(&self, rows: &[Cell], hash_of: impl Fn(Cell) -> Option<u64>) -> Result<u64, Unhashable> {
        let mut sum = 0u64;
        for [key, value] in rows.as_chunks().0 {
            let [key, value] = [hash_of(*key).ok_or(Unhashable(*key))?, hash_of(*value).ok_or(Unhashable(*value))?];
            sum = sum.wrapping_add(self.hash_words(domain::FROZENDICT, [key, value]));
        }
        Ok(self.hash_words(domain::FROZENDICT, [sum, 0]))
    }

    /// Whether the contents of two slow keys with the same hash are equal, using cached data for their items.
    fn parts_equal(&self, a: Cell, b: Cell) -> bool {
        match (a.tag(), b.tag()) {
            (Tag::Tuple, Tag::Tuple) => {
                let (items, others) = (self.items(a), self.items(b));
                items.len() == others.len() && items.iter().zip(others).all(|(a, b)| self.keys_equal(*a, *b))
            }
            (Tag::FrozenSet, Tag::FrozenSet) => {
                let has = |item: &Cell| {
                    let hash = self.known_hash(*item).unwrap_or_default();
                    self.find_row(b, hash, |other| self.keys_equal(*item, other)).is_some()
                };
                self.items(a).len() == self.items(b).len() && self.items(a).iter().all(has)
            }
            (Tag::Dict, Tag::Dict) => self.rows_equal(a, b),
            (Tag::Dict, Tag::EmptyTuple) | (Tag::EmptyTuple, Tag::Dict) => self.items(a).len() == self.items(b).len(),
            _ => self.atoms_equal(a, b),
        }
    }

    /// Whether two dicts with cached values are equal.
    fn rows_equal(&self, a: Cell, b: Cell) -> bool {
        let (rows, others) = (self.items(a), self.items(b));
        let has = |[key, value]: &[Cell; 2]| {
            let hash = self.known_hash(*key).unwrap_or_default();
            let row = self.find_row(b, hash, |other| self.keys_equal(*key, other));
            row.and_then(|row| others.get(2 * row + 1)).is_some_and(|other| self.keys_equal(*value, *other))
        };
        rows.len() == others.len() && rows.as_chunks().0.iter().all(has)
    }

    /// Estimates the cost of comparing an atom, in short comparisons.
    pub(crate) fn comparison_cost(&self, atom: Cell) -> usize {
        let len = |cell| self.payload(cell).len();
        let bytes = match atom.tag() {
            Tag::Str | Tag::Bytes | Tag::ByteStr | Tag::BigInt => len(atom),
            Tag::Global => len(self.globals[atom].module) + len(self.globals[atom].name),
            _ => 0,
        };
        1 + bytes / LONG_PAYLOAD
    }

    /// Whether two keys are equal. Slow keys compare in constant time if they are cached.
    #[inline]
    pub(crate) fn keys_equal(&self, a: Cell, b: Cell) -> bool {
        if a == b {
            return true;
        }
        match (a.tag(), b.tag()) {
            (Tag::Str, Tag::Str) if !a.is_long() => {
                a.fingerprint() == b.fingerprint() && self.payload(a) == self.payload(b)
            }
            (Tag::Int, Tag::Int) => false,
            (Tag::NativeObject, Tag::NativeObject) => natives_equal((self, a), (self, b)),
            (x, y) if x == y && self.is_slow_key(a) && self.is_slow_key(b) => {
                match self.cached_hash(a).zip(self.cached_hash(b)) {
                    Some((a, b)) => a.first == b.first,
                    None => super::compare::equal((self, a), (self, b)),
                }
            }
            _ => self.atoms_equal(a, b),
        }
    }

    /// Whether two atoms are equal by content.
    fn atoms_equal(&self, a: Cell, b: Cell) -> bool {
        match (a.tag(), b.tag()) {
            (Tag::Str, Tag::Str) | (Tag::Bytes, Tag::Bytes) | (Tag::ByteStr, Tag::ByteStr) => {
                a.fingerprint() == b.fingerprint() && self.payload(a) == self.payload(b)
            }
            (Tag::Str | Tag::Bytes | Tag::ByteStr, _) | (_, Tag::Str | Tag::Bytes | Tag::ByteStr) => false,
            (Tag::Global, Tag::Global) => {
                let (a, b) = (self.globals[a], self.globals[b]);
                self.payload(a.module) == self.payload(b.module) && self.payload(a.name) == self.payload(b.name)
            }
            _ => self.number(a).zip(self.number(b)).is_some_and(|(a, b)| a.equals(&b)),
        }
    }
}
