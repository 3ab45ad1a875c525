//! The hash table of a large dict or set: numbers of rows by the hashes of their keys.
//!
//! A slot keeps half of the hash beside the row, so that neither a search that fails nor a table that grows looks at keys,
//! which lie anywhere. A large table is filled region by region: in the order of the rows each slot would be a cache miss.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// The hash table of a large dict or set.
#[derive(Clone, Default)]
pub(crate) struct Table {
    slots: HashTable<Slot>,
    /// How many rows have been looked at.
    pub(crate) settled: u32,
}

/// A row, and what the table goes by of its key's hash.
#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    row: u32,
}

impl Slot {
    fn new(hash: u64, row: u32) -> Slot {
        Slot { hash: (hash >> 32) as u32, row }
    }

    /// The hash for the table, which takes the position from its low end and a tag from its high end.
    fn spread(&self) -> u64 {
        u64::from(self.hash) << 32 | u64::from(self.hash)
    }
}

/// A region of a table has this many slots, which the cache of a core holds with room to spare; more where there would be
/// more than [`MAX_REGIONS`].
const REGION: usize = 1 << 14;

/// No more regions than a core can write to in turns.
const MAX_REGIONS: usize = 1 << 10;

impl Table {
    /// Bytes of memory that it takes up, roughly.
    pub(crate) fn capacity_bytes(&self) -> usize {
        (size_of::<Slot>() + 1) * self.slots.capacity()
    }

    /// Empties it, keeping its memory.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.settled = 0;
    }

    /// Makes room for this many rows more.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.slots.reserve(rows, Slot::spread);
    }

    /// The row whose key has this hash and satisfies `equal`.
    #[inline]
    pub(crate) fn find(&self, hash: u64, equal: impl Fn(u32) -> bool) -> Option<u32> {
        let wanted = Slot::new(hash, 0);
        let found = self.slots.find(wanted.spread(), |slot| slot.hash == wanted.hash && equal(slot.row));
        found.map(|slot| slot.row)
    }

    /// Adds a row, unless one with an equal key is there, which is returned.
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

    /// Whether so many rows are worth [`Table::fill`].
    pub(crate) fn is_worth_regions(rows: usize) -> bool {
        rows > 8 * REGION
    }

    /// Fills an empty table with rows 0, 1, …, given the hashes of their keys; whether all keys differ. If not, the table
    /// holds some of them.
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

    /// Forgets a row that holds a key with this hash. The rows behind it keep their numbers.
    pub(crate) fn remove(&mut self, hash: u64, row: u32) {
        if let Ok(entry) = self.slots.find_entry(Slot::new(hash, row).spread(), |slot| slot.row == row) {
            entry.remove();
        }
    }

    /// Moves one row up, given the hash of its key.
    pub(crate) fn move_up(&mut self, hash: u64, row: u32) {
        if let Some(slot) = self.slots.find_mut(Slot::new(hash, row).spread(), |slot| slot.row == row) {
            slot.row -= 1;
        }
    }

    /// Moves all rows behind this one up.
    pub(crate) fn move_all_up_behind(&mut self, row: u32) {
        self.slots.iter_mut().filter(|slot| slot.row > row).for_each(|slot| slot.row -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes that use all bits, each twice beyond `different`.
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
    fn equal_keys_are_noticed_though_they_are_far_apart() {
        const ROWS: u64 = 200_000;
        assert!(!Table::default().fill(hashes(ROWS, ROWS - 1), |one, other| one == 0 && u64::from(other) == ROWS - 1));
    }
}
