//! The memo of a pickler: which number each node was put under.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::graph::{Arena, Cell, NodeIndex, Tag, Value};

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
    /// What the pickler in Python 2's Python keeps alive for itself under the id of its memo: it takes a number.
    KeptAlive,
}

/// The numbers that nodes were put under, of one graph or of several, by their slots.
#[derive(Default)]
pub(crate) struct Memo {
    /// Of the graph that is being written.
    entries: Entries,
    /// The number that the next PUT takes.
    next: u32,
    /// None before the first, so that most pickles need no hash table.
    made: Option<HashMap<Made, u32, RandomState>>,
    /// Entries of other graphs.
    others: Vec<Entries>,
}

/// What is known of the nodes of one graph.
#[derive(Default)]
struct Entries {
    /// Where its arena lies, which tells it from others; 0 of none.
    arena: usize,
    slots: NodeIndex,
    /// By slot; there can be more than slots.
    of: Vec<Entry>,
}

impl Entries {
    /// Knows nothing of a graph.
    fn begin(&mut self, arena: &Arena) {
        self.arena = address(arena);
        self.slots.reset(arena);
        match self.of.get_mut(..self.slots.len()) {
            Some(of) => of.fill(Entry::NONE),
            None => {
                self.of.clear();
                self.of.resize(self.slots.len(), Entry::NONE);
            }
        }
    }

    /// Makes room for the nodes that came to the graph.
    fn grow(&mut self, arena: &Arena) {
        let slots = NodeIndex::new(arena);
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
    /// Turns to a graph, which may have grown; what is known of others, which must stay where they are, stays known.
    #[inline]
    pub(crate) fn turn_to(&mut self, arena: &Arena) {
        if self.entries.arena == 0 && self.others.is_empty() {
            self.entries.begin(arena)
        } else {
            self.turn_from(arena)
        }
    }

    fn turn_from(&mut self, arena: &Arena) {
        let address = address(arena);
        if self.entries.arena == address {
            return self.entries.grow(arena);
        }
        if self.entries.arena != 0 {
            self.others.push(std::mem::take(&mut self.entries));
        }
        match self.others.iter().position(|other| other.arena == address) {
            Some(at) => {
                self.entries = self.others.swap_remove(at);
                self.entries.grow(arena);
            }
            None => self.entries.begin(arena),
        }
    }

    /// The number that a value was put under.
    pub(crate) fn number_of(&self, value: Value<'_>) -> Option<u32> {
        let (address, cell) = (address(value.arena()), value.cell());
        let entries = std::iter::once(&self.entries).chain(&self.others).find(|of| of.arena == address)?;
        entries.of.get(entries.slots.of(cell)).filter(|_| NodeIndex::has(cell))?.number()
    }

    /// Forgets all; numbers start at 0 again.
    pub(crate) fn clear(&mut self) {
        self.entries.arena = 0;
        self.others.clear();
        self.made = None;
        self.next = 0;
    }

    /// Gives memory back, of entries all but so many.
    pub(super) fn shrink_to(&mut self, entries: usize) {
        if self.entries.of.capacity() > entries {
            self.entries.of = Vec::new();
        }
    }

    pub(super) fn slots(&self) -> NodeIndex {
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

    /// Leaves the number 0 out.
    pub(super) fn start_at_1(&mut self) {
        self.next = self.next.max(1);
    }

    /// The number that the next PUT takes.
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn is_full(&self) -> bool {
        self.next >= Entry::MOST
    }

    /// Whether a run could pass the end of the numbers.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn is_nearly_full(&self) -> bool {
        self.next >= Entry::MOST - (1 << 20)
    }

    /// The memo while leaves are written, with its parts in places of their own.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn run(&mut self) -> MemoRun<'_> {
        MemoRun { entries: &mut self.entries.of, slots: &self.entries.slots, next: self.next }
    }

    /// Goes on from the number that a run came to.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn end_run(&mut self, next: u32) {
        self.next = next;
    }

    pub(super) fn made(&self, made: &Made) -> Option<u32> {
        self.made.as_ref()?.get(made).copied()
    }

    /// Takes a number, once, for what the pickler keeps alive.
    pub(super) fn keep_alive(&mut self) {
        if self.made(&Made::KeptAlive).is_none() {
            self.put_made(Made::KeptAlive);
        }
    }

    pub(super) fn put_made(&mut self, made: Made) -> u32 {
        let number = self.skip();
        self.made.get_or_insert_default().insert(made, number);
        number
    }
}

/// The memo while leaves are written, of less than 2^20.
pub(super) struct MemoRun<'m> {
    entries: &'m mut [Entry],
    slots: &'m NodeIndex,
    next: u32,
}

impl MemoRun<'_> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn slot(&self, cell: Cell) -> usize {
        self.slots.of(cell)
    }

    /// The slot of a node whose kind is known.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn slot_of(&self, tag: Tag, cell: Cell) -> usize {
        self.slots.of_kind(tag, cell)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn entry(&self, slot: usize) -> Entry {
        self.entries[slot]
    }

    /// The number that a node was put under.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn number(&self, cell: Cell) -> Option<u32> {
        self.entry(self.slot(cell)).number()
    }

    /// Takes the next number for the node of a slot.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn put(&mut self, slot: usize) -> u32 {
        let number = self.next;
        self.next += 1;
        self.entries[slot] = Entry::of(number);
        number
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn set(&mut self, slot: usize, entry: Entry) {
        self.entries[slot] = entry;
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn next(&self) -> u32 {
        self.next
    }
}
