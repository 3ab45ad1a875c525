//! The memo of a pickle for values that are one object in Python: names of fields and variants, classes, and texts and
//! bytes of up to one character.
//!
//! A name is found by its address and length: the names of a type are in the program's read-only data, so each field of
//! each record asks with the same address. A name seen at a new address is compared by content.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::graph::Cell;

/// Number of places for two names by address: a power of two, larger than the number of names of most programs.
const PLACES: usize = 512;
/// Longest pickle whose length is expected again: 64 MiB.
const MOST_EXPECTED: usize = 64 << 20;
/// Number of names that are kept for the next pickle.
const MOST_NAMES: usize = 4096;
/// Number of names of no class that are kept for the next pickle.
const MOST_PLAIN: usize = 64;
/// Number of hashes for which the memory is kept.
const MOST_HASHES: usize = 4096;
/// Number of entries for empty texts and bytes, and those of each Latin-1 character and byte.
const SINGLES: usize = 2 * 257;

/// Memo indices, kept by a thread for its next pickle.
pub(super) struct Names {
    /// Number of this pickle. Entries of earlier ones do not count, so nothing has to be cleared.
    pickle: u32,
    /// Length of the last pickle in bytes.
    len: usize,
    /// Hashes of the keys of open maps.
    pub(super) hashes: Vec<u64>,
    /// The names of this pickle and earlier ones, by address.
    slots: [[Slot; 2]; PLACES],
    /// The same by content: a name may have several addresses.
    ids: HashMap<&'static str, TextId, RandomState>,
    /// By id: those of single texts and bytes, and then those of names.
    entries: Vec<Entry>,
    classes: Vec<Class>,
    /// The class that each key stands for, if it does.
    class_keys: Vec<(ClassKey, Option<ClassIndex>)>,
    members: HashMap<(usize, &'static str), u32, RandomState>,
}

impl Default for Names {
    fn default() -> Self {
        Names {
            pickle: 0,
            len: 0,
            hashes: Vec::new(),
            slots: [[EMPTY; 2]; PLACES],
            ids: HashMap::default(),
            entries: vec![Entry::default(); SINGLES],
            classes: Vec::new(),
            class_keys: Vec::new(),
            members: HashMap::default(),
        }
    }
}

/// A name at its address.
#[derive(Clone, Copy)]
struct Slot {
    name: &'static str,
    id: TextId,
}

/// The empty name, at one of its addresses.
const EMPTY: Slot = Slot { name: "", id: EMPTY_TEXT };

/// The last pickle that has a text in its memo, and the memo index there.
#[derive(Clone, Copy, Default)]
struct Entry {
    pickle: u32,
    number: u32,
}

/// A class.
#[derive(Clone, Copy)]
pub(super) struct Class {
    pub(super) names: ClassNames,
    /// Its memo index, once it is written.
    pub(super) number: Option<u32>,
}

/// Module and name of a class.
#[derive(Clone, Copy)]
pub(super) enum ClassNames {
    /// From protocol 4 on they are values, which attributes of the same name share.
    Shared([&'static str; 2]),
    /// Those of a class in a graph.
    Own(Cell),
}

/// Index of a class.
#[derive(Clone, Copy)]
pub(crate) struct ClassIndex(usize);

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

impl Names {
    /// Begins a pickle, with no name in the memo.
    #[inline]
    pub(super) fn begin(&mut self) {
        if self.pickle == u32::MAX {
            self.pickle = 0;
            self.entries.fill(Entry::default());
        }
        self.pickle += 1;
    }

    /// Ends a pickle, and frees what the next does not need.
    #[inline]
    pub(super) fn end(&mut self) {
        if !self.classes.is_empty() || self.class_keys.len() > MOST_PLAIN {
            self.classes.clear();
            self.class_keys.clear();
            self.members.clear();
        }
        if self.entries.len() > MOST_NAMES {
            self.forget();
        }
        self.hashes.clear();
        self.hashes.shrink_to(MOST_HASHES);
    }

    /// Forgets all. Out of line, as it takes space on the stack of the caller.
    #[cold]
    #[inline(never)]
    fn forget(&mut self) {
        *self = Names::default();
    }

    /// Returns the length that the next pickle probably has.
    pub(super) fn expected_len(&self) -> usize {
        self.len + self.len / 8
    }

    /// Sets the length of a pickle.
    pub(super) fn expect(&mut self, len: usize) {
        self.len = len.min(MOST_EXPECTED);
    }

    /// Returns the id of a name, if it was looked up before at this address.
    #[inline(always)]
    pub(super) fn at_address(&self, name: &'static str) -> Option<TextId> {
        let [first, second] = &self.slots[name.as_ptr().addr() % PLACES];
        let is_first = std::ptr::eq(first.name, name);
        let slot = if is_first { first } else { second };
        (is_first || std::ptr::eq(second.name, name)).then_some(slot.id)
    }

    /// Returns the id of a name.
    pub(super) fn id(&mut self, name: &'static str) -> TextId {
        if let Some(known) = self.at_address(name) {
            return known;
        }
        let id = TextId::of_text(name).unwrap_or_else(|| {
            *self.ids.entry(name).or_insert_with(|| {
                self.entries.push(Entry::default());
                TextId(self.entries.len() - 1)
            })
        });
        let place = &mut self.slots[name.as_ptr().addr() % PLACES];
        *place = [Slot { name, id }, place[0]];
        id
    }

    /// Returns the memo index of a text or bytes.
    #[inline(always)]
    pub(super) fn number(&self, TextId(id): TextId) -> Option<u32> {
        let entry = self.entries[id];
        (entry.pickle == self.pickle).then_some(entry.number)
    }

    /// Sets the memo index of a text or bytes.
    #[inline(always)]
    pub(super) fn insert(&mut self, TextId(id): TextId, number: u32) {
        self.entries[id] = Entry { pickle: self.pickle, number };
    }

    /// Forgets which names stand for no class in the last pickle.
    pub(super) fn forget_plain(&mut self) {
        self.class_keys.clear();
    }

    /// Returns the class that a key stands for, if there is one, or `None` for a key that was not looked up before.
    #[inline]
    pub(super) fn class_of_key(&self, key: ClassKey) -> Option<Option<ClassIndex>> {
        self.class_keys.iter().find(|(known, _)| *known == key).map(|(_, class)| *class)
    }

    /// Stores which class a key stands for.
    pub(super) fn insert_key(&mut self, key: ClassKey, class: Option<ClassIndex>) {
        self.class_keys.push((key, class));
    }

    #[inline(always)]
    pub(super) fn class(&mut self, ClassIndex(at): ClassIndex) -> &mut Class {
        &mut self.classes[at]
    }

    /// Returns the class with names for which `are_it` returns true.
    pub(super) fn find_class(&self, are_it: impl Fn(ClassNames) -> bool) -> Option<ClassIndex> {
        self.classes.iter().position(|class| are_it(class.names)).map(ClassIndex)
    }

    pub(super) fn insert_class(&mut self, names: ClassNames) -> ClassIndex {
        self.classes.push(Class { names, number: None });
        ClassIndex(self.classes.len() - 1)
    }

    /// Returns the memo index of an enum member.
    pub(super) fn member(&self, ClassIndex(class): ClassIndex, name: &'static str) -> Option<u32> {
        self.members.get(&(class, name)).copied()
    }

    pub(super) fn insert_member(&mut self, ClassIndex(class): ClassIndex, name: &'static str, number: u32) {
        self.members.insert((class, name), number);
    }
}

/// A text or bytes that is one object in CPython: a name, or an empty or [single](Self::of_text) one.
#[derive(Clone, Copy)]
pub(super) struct TextId(usize);

const EMPTY_TEXT: TextId = TextId(256);

impl TextId {
    /// Returns the id of a text that is empty or a single Latin-1 character.
    #[inline(always)]
    pub(super) fn of_text(text: &str) -> Option<TextId> {
        match text.as_bytes() {
            [] => Some(EMPTY_TEXT),
            [only @ 0..0x80] => Some(TextId(usize::from(*only))),
            [0xc2..=0xc3, _] => text.chars().next().map(|only| TextId(only as usize)),
            _ => None,
        }
    }

    /// Returns the id of bytes that are empty or a single byte.
    #[inline(always)]
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<TextId> {
        match bytes {
            [] => Some(TextId(SINGLES - 1)),
            [only] => Some(TextId(257 + usize::from(*only))),
            _ => None,
        }
    }
}
