//! The hash table of a large dict or set: row numbers by the hashes of their keys.
//!
//! A slot holds half of the hash besides the row, so that neither a failed search nor a growing table reads keys, which
//! would be cache misses. A large table is filled region by region: in row order each slot would be a cache miss.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// The hash table of a large dict or set.
#[derive(Clone, Default)]
pub(crate) struct Table {
    slots: HashTable<Slot>,
    /// The number of rows that are in the table or merged.
    pub(crate) settled: u32,
}

/// A row, and half of its key's hash.
#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    row: u32,
}

impl Slot {
    fn new(hash: u64, row: u32) -> Slot {
        Slot { hash: (hash >> 32) as u32, row }
    }

    /// Returns the hash for hashbrown, which takes the position from its low bits and a tag from its high bits.
    fn spread(&self) -> u64 {
        u64::from(self.hash) << 32 | u64::from(self.hash)
    }
}

/// Number of slots in a region of a table, which fits easily in the cache of a core; more if there would be more than
/// [`MAX_REGIONS`].
const REGION: usize = 1 << 14;

/// Maximum number of regions that a core can write to alternately.
const MAX_REGIONS: usize = 1 << 10;

impl Table {
    /// Estimates the number of bytes that the table has allocated.
    pub(crate) fn capacity_bytes(&self) -> usize {
        (size_of::<Slot>() + 1) * self.slots.capacity()
    }

    /// Clears the table and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.settled = 0;
    }

    /// Reserves capacity for this many more rows.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.slots.reserve(rows, Slot::spread);
    }

    /// Returns the row whose key has this hash and satisfies `equal`.
    #[inline]
    pub(crate) fn find(&self, hash: u64, equal: impl Fn(u32) -> bool) -> Option<u32> {
        let wanted = Slot::new(hash, 0);
        let found = self.slots.find(wanted.spread(), |slot| slot.hash == wanted.hash && equal(slot.row));
        found.map(|slot| slot.row)
    }

    /// Adds a row, unless there is one with an equal key, which is returned.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, row: u32, equal: impl Fn(u32) -> bool) -> Result<(), u32> {
        self.insert_slot(Slot::new(hash, row), equal)
    }

    #[inline]
    fn insert_slot(&mut self, new: Slot, equal: impl Fn(u32) -> bool) -> Result<(), u32> {
        let is_there = |slot: &Slot| slot.hash == new.hash && equal(slot.row);
        match self.slots.entry(new.spread(), is_there, Slot::spread) {
            Entry::Occupied(entry) => Err(entry.get().row),
            Entry::Vacant(entry) => {
                entry.insert(new);
                Ok(())
            }
        }
    }

    /// Whether this many rows are worth [`Table::fill`].
    pub(crate) fn is_worth_regions(rows: usize) -> bool {
        rows > 8 * REGION
    }

    /// Fills an empty table with rows 0, 1, …, given the hashes of their keys. Returns whether all keys differ; if not,
    /// the table holds only some rows.
    pub(crate) fn fill(
        &mut self,
        hashes: impl ExactSizeIterator<Item = u64>,
        equal: impl Fn(u32, u32) -> bool,
    ) -> bool {
        let rows = hashes.len();
        self.reserve(rows);
        let buckets = self.slots.capacity().next_power_of_two();
        let regions = (buckets / REGION).next_power_of_two().min(MAX_REGIONS);
        // hashbrown takes the position from the low bits of a hash; if that changes, only speed is lost.
        let shift = buckets.trailing_zeros() - regions.trailing_zeros();
        let region = |slot: &Slot| (slot.hash >> shift) as usize & (regions - 1);
        let slots: Vec<Slot> = hashes.zip(0..).map(|(hash, row)| Slot::new(hash, row)).collect();
        let mut ends = vec![0_usize; regions];
        slots.iter().for_each(|slot| ends[region(slot)] += 1);
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        let mut sorted = vec![Slot { hash: 0, row: 0 }; rows];
        for slot in slots {
            let end = &mut ends[region(&slot)];
            sorted[*end] = slot;
            *end += 1;
        }
        sorted.into_iter().all(|new| self.insert_slot(new, |row| equal(row, new.row)).is_ok())
    }

    /// Removes the row of a key with this hash. The rows after it keep their numbers.
    pub(crate) fn remove(&mut self, hash: u64, row: u32) {
        if let Ok(entry) = self.slots.find_entry(Slot::new(hash, row).spread(), |slot| slot.row == row) {
            entry.remove();
        }
    }

    /// Decrements the number of a row, given the hash of its key.
    pub(crate) fn decrement(&mut self, hash: u64, row: u32) {
        if let Some(slot) = self.slots.find_mut(Slot::new(hash, row).spread(), |slot| slot.row == row) {
            slot.row -= 1;
        }
    }

    /// Decrements the numbers of all rows after this one.
    pub(crate) fn decrement_all_after(&mut self, row: u32) {
        self.slots.iter_mut().filter(|slot| slot.row > row).for_each(|slot| slot.row -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes that use all bits and repeat after `different` rows.
    fn hashes(rows: u64, different: u64) -> impl ExactSizeIterator<Item = u64> {
        (0..rows as usize).map(move |row| (row as u64 % different).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    #[test]
    fn a_table_filled_by_regions_finds_every_row() {
        const ROWS: u64 = 200_000;
        let mut table = Table::default();
        assert!(table.fill(hashes(ROWS, ROWS), |_, _| false));
        for (row, hash) in hashes(ROWS, ROWS).enumerate() {
            assert_eq!(table.find(hash, |found| found as usize == row), Some(row as u32));
        }
    }

    #[test]
    fn equal_keys_are_found_even_if_far_apart() {
        const ROWS: u64 = 200_000;
        assert!(!Table::default().fill(hashes(ROWS, ROWS - 1), |one, other| one == 0 && u64::from(other) == ROWS - 1));
    }
}
