//! Hashes and equality of keys, by Python's rules.
//!
//! Numbers are equal by value whatever their type, texts and bytes by content, globals and extension codes by name,
//! tuples and frozensets by their items, everything else by identity. Lists, dicts, sets and bytearrays, and tuples
//! that hold one, cannot be keys.
//!
//! Nothing recurses, and what is shared is looked at once: of each key that takes long to look at (a tuple, a frozenset, a
//! long text) its hash is kept, and the first key that it is equal to, so that two of them compare in no time.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::arena::Arena;
use super::cell::{Cell, LONG, Tag};
use super::compare::live_equal;
use super::live::HashMode;
use super::number::Number;

/// One seed a process, so that nobody can prepare colliding keys and hashes agree from graph to graph.
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// What is known of the weighty keys of a graph.
#[derive(Clone)]
pub(crate) struct Hashes {
    seed: RandomState,
    known: HashMap<Cell, Known, RandomState>,
    /// The keys that are the first of their kind, by hash.
    firsts: HashTable<Cell>,
}

/// What is known of a weighty key.
#[derive(Clone, Copy)]
struct Known {
    hash: u64,
    /// The first key that is equal to it.
    first: Cell,
}

impl Default for Hashes {
    fn default() -> Self {
        Hashes { seed: SEED.clone(), known: HashMap::with_hasher(SEED.clone()), firsts: HashTable::new() }
    }
}

impl Hashes {
    #[inline]
    pub(crate) fn clear(&mut self) {
        if !self.known.is_empty() {
            *self = Hashes::default();
        }
    }

    /// Bytes of memory that they take.
    pub(crate) fn held_bytes(&self) -> usize {
        self.known.len() * size_of::<(Cell, Known)>() + self.firsts.len() * size_of::<Cell>()
    }
}

/// Hashes that were just made, those of the items first.
struct Fresh {
    hashes: HashMap<Cell, u64, RandomState>,
    order: Vec<Cell>,
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
    /// The hash of a key; that of a weighty one is kept.
    #[inline]
    pub(crate) fn key_hash(&mut self, key: Cell) -> Result<u64, Unhashable> {
        match key.tag() {
            Tag::Str if !key.is_long() => Ok(self.hash_text(Tag::Str, self.payload(key))),
            Tag::Int => Ok(self.hash_int(key.as_int())),
            _ if self.is_weighty(key) => self.weighty_hash(key),
            _ => self.atom_hash(key).ok_or(Unhashable(key)),
        }
    }

    /// The hash of a key, unless it is a weighty one that has not served as a key.
    pub(crate) fn known_hash(&self, key: Cell) -> Option<u64> {
        if self.is_weighty(key) { Some(self.hashes.known.get(&key)?.hash) } else { self.atom_hash(key) }
    }

    /// Whether hashing or comparing this key takes longer than a look at what is known.
    #[inline]
    fn is_weighty(&self, key: Cell) -> bool {
        match key.tag() {
            Tag::Tuple | Tag::FrozenSet => true,
            Tag::Str | Tag::Bytes | Tag::ByteStr => key.is_long(),
            Tag::BigInt => self.payload(key).len() >= LONG,
            Tag::Global => {
                let global = self.globals[key];
                global.module.is_long() || global.name.is_long()
            }
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
            Tag::NativeObject => return self.live_hash(key),
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
    fn live_hash(&self, key: Cell) -> Option<u64> {
        let mut hasher = self.hashes.seed.build_hasher();
        hasher.write_u64(domain::LIVE);
        match self.live(key).hash(&mut hasher) {
            HashMode::ByIdentity => Some(self.hash_words(domain::IDENTITY, [key.bits(), 0])),
            HashMode::ByContent => Some(hasher.finish()),
            HashMode::Unhashable => None,
        }
    }

    /// Hashes a weighty key, and those inside it, and keeps the hashes.
    fn weighty_hash(&mut self, key: Cell) -> Result<u64, Unhashable> {
        if let Some(known) = self.hashes.known.get(&key) {
            return Ok(known.hash);
        }
        if let Ok(hash) = self.hash_from_parts(key, |item| self.known_hash(item)) {
            self.keep_hash(key, hash);
            return Ok(hash);
        }
        let mut fresh = self.no_hashes();
        let hash = self.hash_nested(key, &mut fresh);
        for cell in fresh.order {
            self.keep_hash(cell, fresh.hashes[&cell]);
        }
        hash
    }

    /// Keeps the hash of a weighty key, and finds the first that is equal. The hashes of its items are kept already.
    fn keep_hash(&mut self, key: Cell, hash: u64) {
        let Hashes { known, firsts, .. } = &self.hashes;
        let first = firsts.find(hash, |other| known[other].hash == hash && self.parts_equal(*other, key)).copied();
        let Hashes { known, firsts, .. } = &mut self.hashes;
        known.insert(key, Known { hash, first: first.unwrap_or(key) });
        if first.is_none() {
            firsts.insert_unique(hash, key, |other| known[other].hash);
        }
    }

    fn no_hashes(&self) -> Fresh {
        Fresh { hashes: HashMap::with_hasher(self.hashes.seed.clone()), order: Vec::new() }
    }

    /// The hash of a key to look up, whether it ever served as one or not.
    pub(crate) fn lookup_hash(&self, key: Cell) -> Option<u64> {
        self.known_hash(key).or_else(|| match self.is_weighty(key) {
            true => self.hash_nested(key, &mut self.no_hashes()).ok(),
            false => None,
        })
    }

    /// Hashes a weighty key, those inside it first, each once.
    fn hash_nested(&self, key: Cell, fresh: &mut Fresh) -> Result<u64, Unhashable> {
        let mut work = vec![(key, false)];
        let mut entered = HashSet::with_hasher(self.hashes.seed.clone());
        let mut hash = 0;
        while let Some((cell, ready)) = work.pop() {
            let is_open = |fresh: &Fresh, cell: Cell| {
                self.is_weighty(cell) && !self.hashes.known.contains_key(&cell) && !fresh.hashes.contains_key(&cell)
            };
            if !is_open(fresh, cell) {
                continue;
            }
            if !ready {
                // Python has no tuple that reaches itself through tuples alone; an id of another graph can make one.
                if !entered.insert(cell) {
                    return Err(Unhashable(cell));
                }
                work.push((cell, true));
                work.extend(self.items(cell).iter().filter(|item| is_open(fresh, **item)).map(|item| (*item, false)));
                continue;
            }
            // A tuple that reaches itself does so through a list, which is refused here.
            hash =
                self.hash_from_parts(cell, |item| self.known_hash(item).or_else(|| fresh.hashes.get(&item).copied()))?;
            fresh.hashes.insert(cell, hash);
            fresh.order.push(cell);
        }
        Ok(hash)
    }

    /// The hash of a weighty key, from those of its items if it has any.
    fn hash_from_parts(&self, cell: Cell, hash_of: impl Fn(Cell) -> Option<u64>) -> Result<u64, Unhashable> {
        match cell.tag() {
            Tag::Tuple | Tag::FrozenSet => self.hash_items(cell, hash_of),
            _ => self.atom_hash(cell).ok_or(Unhashable(cell)),
        }
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

    /// Whether two weighty keys of one hash are equal, if what is known of their items tells which of those are.
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
            _ => self.atoms_equal(a, b),
        }
    }

    /// About how many short comparisons comparing an atom costs.
    pub(crate) fn comparison_cost(&self, atom: Cell) -> usize {
        let len = |cell| self.payload(cell).len();
        let bytes = match atom.tag() {
            Tag::Str | Tag::Bytes | Tag::ByteStr | Tag::BigInt => len(atom),
            Tag::Global => len(self.globals[atom].module) + len(self.globals[atom].name),
            _ => 0,
        };
        1 + bytes / LONG
    }

    /// Whether two keys are equal. Weighty ones are compared in no time if they have been hashed.
    #[inline]
    pub(crate) fn keys_equal(&self, a: Cell, b: Cell) -> bool {
        if a == b {
            return true;
        }
        match (a.tag(), b.tag()) {
            (Tag::Str, Tag::Str) if !a.is_long() => a.print() == b.print() && self.payload(a) == self.payload(b),
            (Tag::Int, Tag::Int) => false,
            (Tag::NativeObject, Tag::NativeObject) => live_equal((self, a), (self, b)),
            (x, y) if x == y && self.is_weighty(a) && self.is_weighty(b) => {
                match self.hashes.known.get(&a).zip(self.hashes.known.get(&b)) {
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
                a.print() == b.print() && self.payload(a) == self.payload(b)
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
