//! The memo of a pickler: which number each node was put under.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::graph::{Arena, Cell, Slots};

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
pub(crate) struct Memo<'g> {
    entries: Vec<Entry>,
    slots: Slots,
    arena: &'g Arena,
    /// The number that the next PUT takes.
    next: u32,
    made: HashMap<Made, u32, RandomState>,
    /// Entries of other graphs.
    others: Vec<(&'g Arena, Vec<Entry>)>,
}

impl<'g> Memo<'g> {
    pub(crate) fn new(arena: &'g Arena) -> Self {
        let slots = Slots::new(arena);
        Memo {
            entries: vec![Entry::NONE; slots.len()],
            slots,
            arena,
            next: 0,
            made: HashMap::default(),
            others: Vec::new(),
        }
    }

    /// Turns to a graph; what is known of others stays known.
    pub(crate) fn turn_to(&mut self, arena: &'g Arena) {
        if std::ptr::eq(self.arena, arena) {
            return;
        }
        let at = self.others.iter().position(|(other, _)| std::ptr::eq(*other, arena));
        let known = at.map(|at| self.others.swap_remove(at).1);
        self.slots = Slots::new(arena);
        let entries = known.unwrap_or_else(|| vec![Entry::NONE; self.slots.len()]);
        let before = std::mem::replace(&mut self.entries, entries);
        self.others.push((std::mem::replace(&mut self.arena, arena), before));
    }

    /// Forgets all; numbers start at 0 again.
    pub(crate) fn clear(&mut self) {
        self.entries.fill(Entry::NONE);
        self.others.clear();
        self.made.clear();
        self.next = 0;
    }

    pub(super) fn slots(&self) -> Slots {
        self.slots
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn slot(&self, cell: Cell) -> usize {
        self.slots.of(cell)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn entry(&self, slot: usize) -> Entry {
        self.entries[slot]
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn set(&mut self, slot: usize, entry: Entry) {
        self.entries[slot] = entry;
    }

    /// Takes the next number for the node of a slot.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn put(&mut self, slot: usize) -> u32 {
        let number = self.skip();
        self.entries[slot] = Entry::of(number);
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
