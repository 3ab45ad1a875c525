//! The memo of a pickler: which number each node was put under.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::graph::{Arena, Cell, Slots, Value};

/// What the memo knows of a node, in four bytes: nothing, a number, or that it is being written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u32);

const OPEN: u32 = 1 << 31;

impl Entry {
    pub(super) const NONE: Entry = Entry(0);

    /// Numbers are below this.
    pub(super) const MOST: u32 = OPEN - 1;

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn number(self) -> Option<u32> {
        let number = self.0.wrapping_sub(1);
        (number < Entry::MOST).then_some(number)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn of(number: u32) -> Entry {
        Entry(number + 1)
    }

    /// The node is being written and has no number yet; `barriers` containers that have one are open around it.
    pub(super) fn open(barriers: u32) -> Entry {
        Entry(OPEN | barriers)
    }

    /// How many containers were open when the node was begun that is being written.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn barriers(self) -> Option<u32> {
        (self.0 >= OPEN).then_some(self.0 & !OPEN)
    }
}

/// What a pickler writes and memoizes that is no node: names, functions that make what has no opcode.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Made {
    Text(Box<[u8]>),
    Global(Box<str>, Box<str>),
}

/// The numbers that nodes were put under, of one graph or of several, by their slots.
pub(crate) struct Memo {
    /// Of the graph that is being written.
    entries: Entries,
    /// The number that the next PUT takes.
    next: u32,
    made: HashMap<Made, u32, RandomState>,
    /// Entries of other graphs.
    others: Vec<Entries>,
}

/// What is known of the nodes of one graph.
struct Entries {
    /// Where its arena lies, which tells it from others; 0 once it is forgotten.
    arena: usize,
    slots: Slots,
    of: Vec<Entry>,
}

impl Entries {
    fn new(arena: &Arena) -> Entries {
        let slots = Slots::new(arena);
        Entries { arena: address(arena), slots, of: vec![Entry::NONE; slots.len()] }
    }

    /// Makes room for the nodes that came to the graph.
    fn grow(&mut self, arena: &Arena) {
        let slots = Slots::new(arena);
        if slots.len() == self.slots.len() {
            return;
        }
        let mut grown = vec![Entry::NONE; slots.len()];
        for (from, to) in self.slots.kinds().zip(slots.kinds()) {
            grown[to.start..to.start + from.len()].copy_from_slice(&self.of[from]);
        }
        (self.slots, self.of) = (slots, grown);
    }
}

fn address(arena: &Arena) -> usize {
    std::ptr::from_ref(arena).addr()
}

impl Memo {
    pub(crate) fn new(arena: &Arena) -> Self {
        Memo { entries: Entries::new(arena), next: 0, made: HashMap::default(), others: Vec::new() }
    }

    /// Turns to a graph, which may have grown; what is known of others, which must stay where they are, stays known.
    pub(crate) fn turn_to(&mut self, arena: &Arena) {
        let address = address(arena);
        if self.entries.arena != address {
            let at = self.others.iter().position(|other| other.arena == address);
            let entries = at.map_or_else(|| Entries::new(arena), |at| self.others.swap_remove(at));
            let before = std::mem::replace(&mut self.entries, entries);
            self.others.extend((before.arena != 0).then_some(before));
        }
        self.entries.grow(arena);
    }

    /// The number that a value was put under.
    pub(crate) fn number_of(&self, value: Value<'_>) -> Option<u32> {
        let (address, cell) = (address(value.arena()), value.cell());
        let entries = std::iter::once(&self.entries).chain(&self.others).find(|of| of.arena == address)?;
        entries.of.get(entries.slots.of(cell)).filter(|_| Slots::has(cell))?.number()
    }

    /// Forgets all; numbers start at 0 again.
    pub(crate) fn clear(&mut self) {
        self.entries.arena = 0;
        self.others.clear();
        self.made.clear();
        self.next = 0;
    }

    pub(super) fn slots(&self) -> Slots {
        self.entries.slots
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn slot(&self, cell: Cell) -> usize {
        self.entries.slots.of(cell)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn entry(&self, slot: usize) -> Entry {
        self.entries.of[slot]
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn set(&mut self, slot: usize, entry: Entry) {
        self.entries.of[slot] = entry;
    }

    /// Takes the next number for the node of a slot.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn put(&mut self, slot: usize) -> u32 {
        let number = self.skip();
        self.entries.of[slot] = Entry::of(number);
        number
    }

    /// Takes the next number for what nobody will ask for.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn skip(&mut self) -> u32 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// The number that the next PUT takes.
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn is_full(&self) -> bool {
        self.next >= Entry::MOST
    }

    pub(super) fn made(&self, made: &Made) -> Option<u32> {
        self.made.get(made).copied()
    }

    pub(super) fn put_made(&mut self, made: Made) -> u32 {
        let number = self.skip();
        self.made.insert(made, number);
        number
    }
}
