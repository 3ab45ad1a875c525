//! The memory of the arenas: size, capacity, growth and clearing.

use super::arena::{Arena, Growth, Known};
use super::outer_calls::OuterCalls;
use super::table::Table;

/// Calls a method of each arena of nodes, and joins the calls with an operator or `;`.
macro_rules! nodes {
    ($arena:ident . $method:ident() joined by $join:tt) => {
        $arena.lists.$method() $join
        $arena.tuples.$method() $join
        $arena.dicts.$method() $join
        $arena.sets.$method() $join
        $arena.spans.$method() $join
        $arena.floats.$method() $join
        $arena.complexes.$method() $join
        $arena.globals.$method() $join
        $arena.buffers.$method() $join
        $arena.persistents.$method() $join
        $arena.objects.$method() $join
        $arena.natives.$method()
    };
}

impl Arena {
    /// Bytes of memory that a row takes in a hash table, including while it is built.
    pub(crate) const TABLE_ROW: usize = 32;

    /// Returns the number of nodes of all kinds, whether reached from a root or not. Small integers, floats and other
    /// inline values are not nodes.
    pub fn node_count(&self) -> usize {
        nodes!(self.len() joined by +)
    }

    /// Returns the number of bytes of memory that the graph takes, without spare capacity and without memory shared
    /// with the input.
    pub fn held_bytes(&self) -> usize {
        /// Bytes per effect, including the check at the end whether it is reached.
        const EFFECT: usize = 32;
        fn of<T>(vec: &[T]) -> usize {
            std::mem::size_of_val(vec)
        }
        of(&self.cells)
            + nodes!(self.held_bytes() joined by +)
            + of(&self.ops)
            + of(&self.payloads.text)
            + self.payloads.held_in_blocks()
            + self.hashes.held_bytes()
            + of(&self.unsettled)
            + of(&self.roots)
            + Arena::TABLE_ROW * self.table_rows
            + EFFECT * (self.effects.len() + self.outer_calls.len())
    }

    /// Estimates the length of a pickle of all nodes.
    #[inline]
    pub(crate) fn pickled_len_hint(&self) -> usize {
        256 + 4 * (self.cells.len() + self.spans.len() + self.objects.len()) + self.payloads.distinct_len()
    }

    /// Estimates the number of bytes that the arenas have allocated.
    pub(crate) fn capacity_bytes(&self) -> usize {
        fn of<T>(vec: &Vec<T>) -> usize {
            size_of::<T>() * vec.capacity()
        }
        of(&self.cells)
            + nodes!(self.capacity_bytes() joined by +)
            + of(&self.ops)
            + of(&self.tables)
            + of(&self.payloads.blocks)
            + of(&self.unsettled)
            + of(&self.roots)
            + of(&self.effects)
            + self.payloads.text.capacity()
            + self.tables.iter().chain(&self.spare).map(Table::capacity_bytes).sum::<usize>()
    }

    /// Whether the arenas have allocated little, as for a short pickle. Cheaper than
    /// [`capacity_bytes`](Arena::capacity_bytes).
    #[inline]
    pub(crate) fn is_tiny(&self) -> bool {
        const PLACES: usize = 512;
        let most = self.cells.capacity()
            | nodes!(self.capacity() joined by |)
            | self.ops.capacity()
            | (self.payloads.text.capacity() / 64)
            | self.payloads.blocks.capacity()
            | self.unsettled.capacity()
            | self.roots.capacity()
            | self.effects.capacity();
        // One place in each arena takes less than 400 bytes together.
        most < PLACES && self.tables.is_empty() && self.spare.is_none()
    }

    /// Reserves memory for a load that has read `done` of `total` bytes of its input, assuming that the rest is like
    /// the start.
    ///
    /// One call grows an arena at most fourfold, so that no input reserves memory for what it does not hold, and at
    /// least by a quarter, so that no input causes repeated copies of the arenas.
    pub(crate) fn extrapolate(&mut self, done: u64, total: u64) {
        fn grow<T>(vec: &mut Vec<T>, done: u64, total: u64) {
            let (len, capacity) = (vec.len() as u64, vec.capacity() as u64);
            if capacity > len + len / 4 || len < 256 {
                return;
            }
            let wanted = (len as u128 * total as u128 / done.max(1) as u128) as u64;
            let wanted = (wanted + wanted / 32).min(len.saturating_mul(4));
            if wanted > capacity {
                // Failure is harmless: the vector still grows as usual.
                let _ = vec.try_reserve_exact((wanted.max(capacity + capacity / 4) - len) as usize);
            }
        }
        grow(&mut self.cells, done, total);
        grow(self.lists.vec(), done, total);
        grow(self.tuples.vec(), done, total);
        grow(self.dicts.vec(), done, total);
        grow(self.spans.vec(), done, total);
        grow(self.objects.vec(), done, total);
        grow(&mut self.payloads.text, done, total);
    }

    /// Clears the arena and keeps its memory.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.cells.clear();
        nodes!(self.clear() joined by ;);
        self.ops.clear();
        self.payloads.clear();
        self.clear_tables();
        (self.table_rows, self.growth) = (0, Growth::default());
        self.unsettled.clear();
        self.hashes.clear();
        self.roots.clear();
        self.effects.clear();
        if !self.outer_calls.is_empty() {
            self.outer_calls = OuterCalls::default();
        }
        self.protocol = None;
        self.memoized = None;
        self.is_tree = Known(false);
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::arena::Arena;
    use crate::graph::cell::Cell;

    #[test]
    fn extrapolating_at_every_op_copies_an_arena_only_a_few_times() {
        let (mut arena, mut capacities) = (Arena::default(), std::collections::BTreeSet::new());
        for done in 0..1_000_000 {
            arena.cells.push(Cell::NONE);
            arena.extrapolate(1 << 20 | done, 1 << 21);
            capacities.insert(arena.cells.capacity());
        }
        assert!(capacities.len() < 64, "{} sizes", capacities.len());
    }
}
