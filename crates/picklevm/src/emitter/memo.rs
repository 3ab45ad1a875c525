//! The memo of a pickler: the memo index of each node.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::graph::{Arena, Cell, NodeIndex, Tag, Value};

/// Memo entry of a node, in four bytes: none, an index, or open (being written).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u32);

const OPEN: u32 = 1 << 31;

impl Entry {
    pub(super) const NONE: Entry = Entry(0);

    /// Memo indices are below this.
    pub(super) const MAX: u32 = OPEN - 1;

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn number(self) -> Option<u32> {
        let number = self.0.wrapping_sub(1);
        (number < Entry::MAX).then_some(number)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn of(number: u32) -> Entry {
        Entry(number + 1)
    }

    /// The node is being written and has no index yet; `barriers` open containers around it have one.
    pub(super) fn open(barriers: u32) -> Entry {
        Entry(OPEN | barriers)
    }

    /// Returns the number of barriers that were open when the open node was started.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn barriers(self) -> Option<u32> {
        (self.0 >= OPEN).then_some(self.0 & !OPEN)
    }
}

/// Memoized values that are not nodes: names, and functions for values without an opcode.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Synthetic {
    Text(Box<[u8]>),
    Global(Box<str>, Box<str>),
    /// The list that Python 2's pickler in Python stores in the memo to keep values alive. It takes an index.
    KeptAlive,
}

/// Memo indices of the nodes of one or several graphs, by slot.
#[derive(Default)]
pub(crate) struct Memo {
    /// Entries of the graph being written.
    entries: Entries,
    /// Index of the next PUT.
    next: u32,
    /// `None` before the first: most pickles need no hash table.
    synthetic: Option<HashMap<Synthetic, u32, RandomState>>,
    /// Entries of other graphs.
    others: Vec<Entries>,
}

/// Entries of the nodes of one graph.
#[derive(Default)]
struct Entries {
    /// Address of the arena, which identifies the graph; 0 for none.
    arena: usize,
    slots: NodeIndex,
    /// Entries by slot. May be longer than the number of slots.
    of: Vec<Entry>,
}

impl Entries {
    /// Starts a graph without entries.
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

    /// Adds entries for new nodes of the graph.
    fn grow(&mut self, arena: &Arena) {
        if self.slots.covers(arena) {
            return;
        }
        // With room, so that a graph to which nodes are added one by one is seldom copied.
        let slots = NodeIndex::with_room(arena);
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
    /// Switches to a graph, which may have grown. Entries of other graphs are kept; those graphs must not move.
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

    /// Returns the memo index of a value.
    pub(crate) fn number_of(&self, value: Value<'_>) -> Option<u32> {
        let (address, cell) = (address(value.arena()), value.cell());
        let entries = std::iter::once(&self.entries).chain(&self.others).find(|of| of.arena == address)?;
        entries.of.get(entries.slots.of(cell)).filter(|_| NodeIndex::has(cell))?.number()
    }

    /// Removes all entries. Indices start at 0 again.
    pub(crate) fn clear(&mut self) {
        self.entries.arena = 0;
        self.others.clear();
        self.synthetic = None;
        self.next = 0;
    }

    /// Frees the memory of the entries, if there is space for more than `entries`.
    pub(super) fn shrink_to(&mut self, entries: usize) {
        if self.entries.of.capacity() > entries {
            self.entries.of = Vec::new();
        }
    }

    /// Returns the memo index of a node of the graph being written.
    pub(crate) fn number(&self, cell: Cell) -> Option<u32> {
        self.entry(self.slot(cell)).number()
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

    /// Assigns the next index to the node of a slot.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn put(&mut self, slot: usize) -> u32 {
        let number = self.skip();
        self.entries.of[slot] = Entry::of(number);
        number
    }

    /// Takes the next index for a PUT that is never read.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn skip(&mut self) -> u32 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// Skips index 0.
    pub(super) fn start_at_1(&mut self) {
        self.next = self.next.max(1);
    }

    /// Returns the index of the next PUT.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn is_full(&self) -> bool {
        self.next >= Entry::MAX
    }

    /// Whether a run could exceed the highest index.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn is_nearly_full(&self) -> bool {
        self.next >= Entry::MAX - (1 << 20)
    }

    /// Returns the parts of the memo for a run.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn run(&mut self) -> MemoRun<'_> {
        MemoRun { entries: &mut self.entries.of, slots: &self.entries.slots, next: self.next }
    }

    /// Sets the next index after a run.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn end_run(&mut self, next: u32) {
        self.next = next;
    }

    pub(super) fn synthetic(&self, value: &Synthetic) -> Option<u32> {
        self.synthetic.as_ref()?.get(value).copied()
    }

    /// Takes an index, once, for the list of values kept alive.
    pub(super) fn keep_alive(&mut self) {
        if self.synthetic(&Synthetic::KeptAlive).is_none() {
            self.put_synthetic(Synthetic::KeptAlive);
        }
    }

    pub(super) fn put_synthetic(&mut self, value: Synthetic) -> u32 {
        let number = self.skip();
        self.synthetic.get_or_insert_default().insert(value, number);
        number
    }
}

/// Parts of the memo for a run, of fewer than 2^20 ops.
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

    /// Returns the slot of a node of a known kind.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn slot_of(&self, tag: Tag, cell: Cell) -> usize {
        self.slots.of_kind(tag, cell)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn entry(&self, slot: usize) -> Entry {
        self.entries[slot]
    }

    /// Returns the memo index of a node.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn number(&self, cell: Cell) -> Option<u32> {
        self.entry(self.slot(cell)).number()
    }

    /// Assigns the next index to the node of a slot.
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
