//! The memo of a pickle for values that are one object in Python: names of fields and variants, classes, and texts and
//! bytes of up to one character.
//!
//! A name is found by its address and length: the names of a type are in the program's read-only data, so each field of
//! each record asks with the same address. A name seen at a new address is compared by content.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::chunk::CHUNK_LEN;
use crate::graph::Cell;
use crate::reuse::{self, ThreadReuse};

/// Number of names found by address: a power of two, larger than the number of fields of most types.
const CACHE: usize = 256;
/// Longest pickle whose length is expected again: 64 MiB.
const MOST_EXPECTED: usize = 64 << 20;
/// Number of names that are compared one by one, before there is a hash table.
const FEW: usize = 32;
/// Number of names of no class that are kept for the next pickle.
const MOST_PLAIN: usize = 64;
/// Number of entries for empty texts and bytes, and those of each Latin-1 character and byte.
const SINGLES: usize = 2 * 257;

/// Memo indices, kept by a thread for its next pickle.
pub(super) struct Names {
    /// Number of this pickle. Entries of earlier ones do not count, so nothing has to be cleared.
    pickle: u32,
    /// Length of the last pickle in bytes.
    len: usize,
    /// Memory of a [`Chunk`](super::chunk::Chunk).
    chunk: Vec<u8>,
    cache: [Cached; CACHE],
    /// The first names in their order, and after them those that the last pickle had there.
    few: Vec<Name>,
    /// Number of the names of this pickle in `few`.
    count: usize,
    /// Bits for the lengths and ends of the first names, and the number of these.
    seen: (u64, usize),
    /// The names beyond the first few.
    many: HashMap<&'static str, u32, RandomState>,
    /// Pickle and memo index of empty and single texts and bytes.
    singles: Vec<(u32, u32)>,
    classes: Vec<Class>,
    /// The index in `classes` of what each key stands for.
    class_keys: Vec<(ClassKey, usize)>,
    members: HashMap<(usize, &'static str), u32, RandomState>,
}

impl Default for Names {
    fn default() -> Self {
        Names {
            pickle: 0,
            len: 0,
            chunk: Vec::new(),
            cache: [Cached::default(); CACHE],
            few: Vec::new(),
            count: 0,
            seen: (0, 0),
            many: HashMap::default(),
            singles: Vec::new(),
            classes: Vec::new(),
            class_keys: Vec::new(),
            members: HashMap::default(),
        }
    }
}

/// A name with its memo index and its place in the cache.
#[derive(Clone, Copy)]
struct Name {
    name: &'static str,
    number: u32,
    slot: usize,
}

/// What the cache has of a name.
#[derive(Clone, Copy, Default)]
struct Cached {
    address: usize,
    /// Length of the name and number of the pickle.
    of: u64,
    number: u32,
}

/// A class.
#[derive(Clone, Copy)]
pub(super) struct Class {
    pub(super) cell: Cell,
    /// Module and name, if they are values from protocol 4 on, which attributes of the same name share.
    pub(super) names: Option<[&'static str; 2]>,
    /// Its memo index, once it is written.
    pub(super) number: Option<u32>,
}

/// Address and length of what stands for a class: of its serde name, or of its definition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClassKey(usize, usize);

impl ClassKey {
    #[inline(always)]
    pub(crate) fn of_name(name: &'static str) -> ClassKey {
        ClassKey(name.as_ptr().addr(), name.len())
    }

    #[inline(always)]
    pub(crate) fn of<T>(definition: &'static T) -> ClassKey {
        ClassKey(std::ptr::from_ref(definition).addr(), usize::MAX)
    }
}

/// Index of a key that does not stand for a class.
const NO_CLASS: usize = usize::MAX;

thread_local! {
    static REUSED: ThreadReuse<Box<Names>> = const { ThreadReuse::new() };
}

/// Frees the memory that the thread keeps for reuse.
pub(crate) fn trim() {
    reuse::trim(&REUSED);
}

impl Names {
    /// Takes the thread's memory, without names.
    pub(super) fn take() -> Box<Names> {
        let mut names = reuse::take(&REUSED);
        if names.pickle == u32::MAX {
            names.pickle = 0;
            names.cache = [Cached::default(); CACHE];
            names.singles.clear();
        }
        names.pickle += 1;
        names
    }

    /// Keeps the memory for the thread's next pickle.
    pub(super) fn give(mut self: Box<Self>) {
        self.count = 0;
        self.seen = (0, 0);
        if !self.classes.is_empty() || self.class_keys.len() > MOST_PLAIN {
            self.classes.clear();
            self.class_keys.clear();
        }
        if !self.many.is_empty() {
            self.many = HashMap::default();
        }
        if !self.members.is_empty() {
            self.members = HashMap::default();
        }
        reuse::keep(&REUSED, self);
    }

    /// Takes the memory of a chunk.
    pub(super) fn take_chunk(&mut self) -> Vec<u8> {
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.resize(CHUNK_LEN, 0);
        chunk
    }

    /// Keeps the memory of a chunk.
    pub(super) fn give_chunk(&mut self, chunk: Vec<u8>) {
        self.chunk = chunk;
    }

    /// Returns the length that the next pickle probably has.
    pub(super) fn expected_len(&self) -> usize {
        self.len + self.len / 8
    }

    /// Sets the length of a pickle.
    pub(super) fn expect(&mut self, len: usize) {
        self.len = len.min(MOST_EXPECTED);
    }

    /// Returns the memo index of a name that was looked up before at this address.
    #[inline(always)]
    pub(super) fn cached(&self, name: &'static str) -> Option<u32> {
        let slot = slot(name);
        let found = self.cached_at(slot, name);
        if found.is_some() { found } else { self.cached_at(slot ^ 1, name) }
    }

    #[inline(always)]
    fn cached_at(&self, slot: usize, name: &'static str) -> Option<u32> {
        let cached = &self.cache[slot % CACHE];
        let is_it = cached.address == name.as_ptr().addr() && cached.of == self.of(name);
        is_it.then_some(cached.number)
    }

    #[inline(always)]
    fn of(&self, name: &'static str) -> u64 {
        (name.len() as u64) << u32::BITS | u64::from(self.pickle)
    }

    /// Whether a name is the one that followed in the last pickle after the same names: then it differs from them, as it did
    /// there.
    #[inline(always)]
    pub(super) fn is_next(&self, name: &'static str) -> bool {
        self.few.get(self.count).is_some_and(|next| std::ptr::eq(next.name, name))
    }

    /// Sets the memo index of the [next](Self::is_next) name.
    #[inline(always)]
    pub(super) fn pass_next(&mut self, number: Option<u32>) {
        if let (Some(&Name { name, slot, .. }), Some(number)) = (self.few.get(self.count), number) {
            self.few[self.count].number = number;
            self.cache[slot % CACHE] = self.entry(name, number);
            self.count += 1;
        }
    }

    /// Returns what the cache has of a name.
    #[inline(always)]
    fn entry(&self, name: &'static str, number: u32) -> Cached {
        Cached { address: name.as_ptr().addr(), of: self.of(name), number }
    }

    /// Returns the memo index of a name seen at another address.
    pub(super) fn find(&mut self, name: &'static str) -> Option<u32> {
        let (mut seen, from) = self.seen;
        let known = &self.few[..self.count];
        known[from..].iter().for_each(|known| seen |= mark(known.name));
        self.seen = (seen, self.count);
        if seen & mark(name) == 0 {
            return None;
        }
        let known = match known.iter().find(|known| known.name == name) {
            Some(known) => known.number,
            None => *self.many.get(name)?,
        };
        self.cache(name, known);
        Some(known)
    }

    /// Stores the memo index of a name that is not known yet, after a call of [`find`](Self::find).
    pub(super) fn insert(&mut self, name: &'static str, number: u32) {
        self.few.truncate(self.count);
        self.seen.0 |= mark(name);
        let slot = self.cache(name, number);
        if self.count < FEW {
            self.few.push(Name { name, number, slot });
            self.count += 1;
        } else {
            self.many.insert(name, number);
        }
    }

    /// Puts a name into the cache. Returns its place.
    fn cache(&mut self, name: &'static str, number: u32) -> usize {
        let slot = slot(name);
        // One of two places: two names of a type often share one.
        let is_taken = self.cache[slot].of as u32 == self.pickle;
        let slot = (slot ^ usize::from(is_taken)) % CACHE;
        self.cache[slot] = self.entry(name, number);
        slot
    }

    /// Returns the memo index of an empty or single text or byte.
    pub(super) fn single(&self, single: Single) -> Option<u32> {
        let (pickle, number) = *self.singles.get(single.0)?;
        (pickle == self.pickle).then_some(number)
    }

    pub(super) fn insert_single(&mut self, single: Single, number: u32) {
        self.singles.resize(SINGLES, (0, 0));
        self.singles[single.0] = (self.pickle, number);
    }

    /// Forgets which names stand for no class in the last pickle.
    pub(super) fn forget_plain(&mut self) {
        self.class_keys.clear();
    }

    /// Returns the index of the class that a key stands for, if there is one, or `None` for a key that was not looked up
    /// before.
    #[inline]
    pub(super) fn class_index(&self, key: ClassKey) -> Option<Option<usize>> {
        let (_, at) = self.class_keys.iter().find(|(known, _)| *known == key)?;
        Some((*at != NO_CLASS).then_some(*at))
    }

    /// Stores the index of the class that a key stands for.
    pub(super) fn insert_key(&mut self, key: ClassKey, class: Option<usize>) {
        self.class_keys.push((key, class.unwrap_or(NO_CLASS)));
    }

    pub(super) fn class(&mut self, at: usize) -> &mut Class {
        &mut self.classes[at]
    }

    /// Returns the index of a class for which `is_it` returns true.
    pub(super) fn find_class(&self, is_it: impl Fn(Cell) -> bool) -> Option<usize> {
        self.classes.iter().position(|class| is_it(class.cell))
    }

    pub(super) fn insert_class(&mut self, cell: Cell, names: Option<[&'static str; 2]>) -> usize {
        self.classes.push(Class { cell, names, number: None });
        self.classes.len() - 1
    }

    /// Returns the memo index of an enum member, given the index of its class.
    pub(super) fn member(&self, class: usize, name: &'static str) -> Option<u32> {
        self.members.get(&(class, name)).copied()
    }

    pub(super) fn insert_member(&mut self, class: usize, name: &'static str, number: u32) {
        self.members.insert((class, name), number);
    }
}

/// Returns the slot of a name in the cache.
#[inline(always)]
fn slot(name: &'static str) -> usize {
    let key = name.as_ptr().addr() as u64 ^ (name.len() as u64) << 32;
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % CACHE
}

/// Returns the bit of a name: equal names have the same.
#[inline]
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let [first, last] = [bytes.first(), bytes.last()].map(|byte| u32::from(byte.copied().unwrap_or_default()));
    1 << ((first.wrapping_mul(7) ^ last.wrapping_mul(13) ^ name.len() as u32) & 63)
}

/// An empty text or bytes, or one of a single Latin-1 character or byte: one object each in CPython.
#[derive(Clone, Copy)]
pub(super) struct Single(usize);

impl Single {
    /// Returns the number of a text, if it is one.
    #[inline(always)]
    pub(super) fn of_text(text: &str) -> Option<Single> {
        match text.as_bytes() {
            [] => Some(Single(256)),
            [only @ 0..0x80] => Some(Single(usize::from(*only))),
            [0xc2..=0xc3, _] => text.chars().next().map(|only| Single(only as usize)),
            _ => None,
        }
    }

    /// Returns the number of bytes, if they are one.
    #[inline(always)]
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Single> {
        match bytes {
            [] => Some(Single(SINGLES - 1)),
            [only] => Some(Single(257 + usize::from(*only))),
            _ => None,
        }
    }
}
