//! Dicts and sets: rows in insertion order, with unique keys.
//!
//! Up to [`MAX_LINEAR_ROWS`] rows are searched linearly. Larger dicts and sets have a hash table of row numbers. While
//! a pickle is read, rows are only appended; the table is built and equal keys are merged in one pass at the end of the
//! pickle, or before the first lookup (`settle`).

use super::arena::{Arena, Keyed, extend_row};
use super::cell::{Cell, Tag};
use super::hash::Unhashable;
use super::table::Table;

/// Dicts and sets of at most this many rows have no hash table.
const MAX_LINEAR_ROWS: usize = 16;

/// For dicts of at most this many rows, comparing keys one by one is faster than comparing several at once.
const MAX_PAIRWISE_ROWS: usize = 4;

/// Returns the number of cells per row: key and value of a dict, the member of a set.
#[inline(always)]
fn stride(keyed: Cell) -> usize {
    if keyed.is(Tag::Dict) { 2 } else { 1 }
}

impl Arena {
    /// Drops all hash tables, but keeps the memory of the largest for reuse.
    #[inline]
    pub(crate) fn clear_tables(&mut self) {
        if !self.tables.is_empty() {
            self.keep_largest_table();
        }
    }

    fn keep_largest_table(&mut self) {
        let tables = self.tables.drain(..).chain(self.spare.take());
        self.spare = tables.max_by_key(Table::capacity_bytes);
        if let Some(table) = &mut self.spare {
            table.clear();
        }
    }

    #[inline(always)]
    pub(crate) fn keyed(&self, cell: Cell) -> Keyed {
        if cell.is(Tag::Dict) { self.dicts[cell] } else { self.sets[cell] }
    }

    #[inline(always)]
    /// Drops the hash table: the rows are then searched linearly.
    pub(super) fn forget_table(&mut self, cell: Cell) {
        let keyed = self.keyed(cell);
        self.set_keyed(cell, Keyed { table: 0, ..keyed });
    }

    /// Truncates the rows to this many cells.
    fn set_len(&mut self, cell: Cell, cells: usize) {
        let mut keyed = self.keyed(cell);
        keyed.row.len = cells as u32;
        self.set_keyed(cell, keyed);
    }

    pub(super) fn set_keyed(&mut self, cell: Cell, keyed: Keyed) {
        if cell.is(Tag::Dict) { self.dicts.set(cell, keyed) } else { self.sets.set(cell, keyed) }
    }

    /// Adds rows while a pickle is read: alternating keys and values for a dict, members for a set.
    #[inline]
    pub(crate) fn add_rows(&mut self, keyed: Cell, rows: &[Cell]) -> Result<(), Unhashable> {
        let now = self.keyed(keyed);
        let empty = now.row.len == 0 && now.table == 0;
        if empty && keyed.is(Tag::Dict) && rows.len() <= 2 * MAX_LINEAR_ROWS && self.are_distinct_texts(keyed, rows) {
            if let Some(dict) = self.dicts.get_mut(keyed) {
                extend_row(&mut self.cells, &mut self.growth, &mut dict.row, rows);
            }
            return Ok(());
        }
        self.add_rows_slowly(keyed, rows)
    }

    /// Whether the keys of these rows are different short texts.
    #[inline]
    fn are_distinct_texts(&self, dict: Cell, rows: &[Cell]) -> bool {
        if self.has_keys_of_previous_dict(dict, rows) {
            return true;
        }
        let keys = rows.as_chunks::<2>().0;
        let is_short_text = |key: Cell| key.is(Tag::Str) && !key.is_long();
        let is_equal_to = |key: Cell| move |[other, _]: &[Cell; 2]| self.keys_equal(*other, key);
        if keys.len() <= MAX_PAIRWISE_ROWS {
            return keys.iter().enumerate().all(|(n, [key, _])| {
                is_short_text(*key)
                    && !keys[..n].iter().any(|row| row[0].fingerprint() == key.fingerprint() && is_equal_to(*key)(row))
            });
        }
        // A fixed number of fingerprints, so that several are compared at once.
        let mut prints = [0; MAX_LINEAR_ROWS];
        for (print, [key, _]) in prints.iter_mut().zip(keys) {
            if !is_short_text(*key) {
                return false;
            }
            *print = key.fingerprint();
        }
        keys.iter().enumerate().all(|(n, [key, _])| {
            let alike: u32 = prints.iter().map(|print| u32::from(*print == key.fingerprint())).sum();
            alike == 1 || !keys[..n].iter().any(is_equal_to(*key))
        })
    }

    /// Whether one of the previous two dicts has the same key cells, as records of a table do.
    #[inline]
    fn has_keys_of_previous_dict(&self, dict: Cell, rows: &[Cell]) -> bool {
        self.dicts.before(dict, 2).iter().rev().any(|before| {
            before.table == 0
                && before.row.len as usize == rows.len()
                && self.row(before.row).iter().step_by(2).eq(rows.iter().step_by(2))
        })
    }

    #[inline(never)]
    fn add_rows_slowly(&mut self, keyed: Cell, rows: &[Cell]) -> Result<(), Unhashable> {
        let stride = stride(keyed);
        for row in rows.chunks_exact(stride) {
            match row[0].tag() {
                Tag::Str if !row[0].is_long() => {}
                Tag::Int => {}
                _ => drop(self.key_hash(row[0])?),
            }
        }
        let mut rest = rows;
        while let Some((row, behind)) = rest.split_at_checked(stride)
            && self.keyed(keyed).table == 0
            && (self.keyed(keyed).row.len as usize) < MAX_LINEAR_ROWS * stride
        {
            rest = behind;
            match self.search_rows(keyed, row[0]) {
                Some(at) => self.replace_value(keyed, at, row),
                None => self.push_rows(keyed, row),
            }
        }
        if !rest.is_empty() {
            self.mark_unsettled(keyed);
            self.table_rows += rest.len() / stride;
            self.push_rows(keyed, rest);
        }
        Ok(())
    }

    fn push_rows(&mut self, keyed: Cell, rows: &[Cell]) {
        let mut now = self.keyed(keyed);
        extend_row(&mut self.cells, &mut self.growth, &mut now.row, rows);
        self.set_keyed(keyed, now);
    }

    /// Returns the number of the row with this key, by linear search.
    fn search_rows(&self, keyed: Cell, key: Cell) -> Option<usize> {
        self.items(keyed).chunks_exact(stride(keyed)).position(|row| self.keys_equal(row[0], key))
    }

    /// Replaces the value of an equal key; the first key is kept.
    fn replace_value(&mut self, keyed: Cell, at: usize, row: &[Cell]) {
        if let [_, value] = row {
            let start = self.keyed(keyed).row.start as usize;
            self.cells[start + 2 * at + 1] = *value;
        }
    }

    /// Adds an empty hash table, for a dict or set that has none.
    pub(crate) fn new_table(&mut self) -> u32 {
        self.tables.push(self.spare.take().unwrap_or_default());
        self.tables.len() as u32
    }

    fn mark_unsettled(&mut self, keyed: Cell) {
        let now = self.keyed(keyed);
        let settled = match now.table {
            0 => {
                let table = self.new_table();
                self.set_keyed(keyed, Keyed { table, ..now });
                true
            }
            table => self.tables[table as usize - 1].settled as usize == now.row.len as usize / stride(keyed),
        };
        if settled && self.unsettled.last() != Some(&keyed) {
            self.unsettled.push(keyed);
        }
    }

    /// Whether a value is a dict or set that may have equal keys.
    pub(super) fn is_unsettled(&self, keyed: Cell) -> bool {
        if !matches!(keyed.tag(), Tag::Dict | Tag::Set | Tag::FrozenSet) {
            return false;
        }
        let now = self.keyed(keyed);
        now.table != 0 && self.tables[now.table as usize - 1].settled as usize != now.row.len as usize / stride(keyed)
    }

    /// Makes the keys of all dicts and sets unique. Must be called before they are read.
    #[inline]
    pub(crate) fn settle_all(&mut self) {
        while let Some(keyed) = self.unsettled.pop() {
            self.settle(keyed);
        }
    }

    /// Adds the rows since the last call to the hash table, merging equal keys.
    pub(crate) fn settle(&mut self, keyed: Cell) {
        let now = self.keyed(keyed);
        if now.table == 0 {
            return;
        }
        let (stride, start) = (stride(keyed), now.row.start as usize);
        let rows = now.row.len as usize / stride;
        let mut table = std::mem::take(&mut self.tables[now.table as usize - 1]);
        let mut kept = table.settled as usize;
        if kept == 0 && Table::is_worth_regions(rows) {
            let key_at = |row: usize| start + row * stride;
            let equal = |one: u32, other: u32| {
                self.keys_equal(self.cells[key_at(one as usize)], self.cells[key_at(other as usize)])
            };
            if table.fill((0..rows).map(|row| self.row_hash(key_at(row))), equal) {
                kept = rows;
            } else {
                table.clear();
            }
        }
        if kept < rows {
            kept = self.merge_rows(keyed, &mut table, kept);
        }
        table.settled = kept as u32;
        self.tables[now.table as usize - 1] = table;
        self.set_len(keyed, kept * stride);
    }

    /// Adds the rows after the first `settled` to the hash table one by one. Returns the number of rows after merging.
    fn merge_rows(&mut self, keyed: Cell, table: &mut Table, settled: usize) -> usize {
        let (stride, now) = (stride(keyed), self.keyed(keyed));
        let start = now.row.start as usize;
        let rows = now.row.len as usize / stride;
        let mut kept = settled;
        table.reserve(rows - settled);
        for row in settled..rows {
            let key = self.cells[start + row * stride];
            let arena = &*self;
            let equal = |other: u32| arena.keys_equal(arena.cells[start + other as usize * stride], key);
            match table.insert(arena.row_hash(start + row * stride), kept as u32, equal) {
                Ok(()) => {
                    if kept != row {
                        self.cells.copy_within(start + row * stride..start + (row + 1) * stride, start + kept * stride);
                    }
                    kept += 1;
                }
                Err(at) => {
                    if stride == 2 {
                        self.cells[start + 2 * at as usize + 1] = self.cells[start + 2 * row + 1];
                    }
                }
            }
        }
        kept
    }

    /// Returns the hash of the key at this cell. Unhashable keys were rejected when their row was added.
    fn row_hash(&self, at: usize) -> u64 {
        self.cells.get(at).and_then(|key| self.known_hash(*key)).unwrap_or_default()
    }

    /// Returns the number of the row whose key has this hash and satisfies `equal`.
    pub(crate) fn find_row(&self, keyed: Cell, hash: u64, equal: impl Fn(Cell) -> bool) -> Option<usize> {
        let stride = stride(keyed);
        let rows = self.items(keyed);
        match self.keyed(keyed).table {
            0 => rows.chunks_exact(stride).position(|row| equal(row[0])),
            table => self.tables[table as usize - 1]
                .find(hash, |row| rows.get(row as usize * stride).is_some_and(|key| equal(*key)))
                .map(|row| row as usize),
        }
    }

    /// Removes a row. Takes linear time in the number of rows after it.
    pub(crate) fn remove_row(&mut self, keyed: Cell, at: usize) {
        let stride = stride(keyed);
        let now = self.keyed(keyed);
        let (start, len) = (now.row.start as usize, now.row.len as usize);
        if now.table != 0 {
            let mut table = std::mem::take(&mut self.tables[now.table as usize - 1]);
            let hash = |row: usize| self.row_hash(start + row * stride);
            table.remove(hash(at), at as u32);
            let rows = len / stride;
            if rows - at < rows / 4 {
                (at + 1..rows).for_each(|behind| table.decrement(hash(behind), behind as u32));
            } else {
                table.decrement_all_after(at as u32);
            }
            table.settled -= 1;
            self.tables[now.table as usize - 1] = table;
        }
        self.cells.copy_within(start + (at + 1) * stride..start + len, start + at * stride);
        self.set_len(keyed, len - stride);
    }

    /// Keeps the rows for which `keep` returns `true`, in order.
    pub(crate) fn retain_rows(&mut self, keyed: Cell, mut keep: impl FnMut(&Arena, &[Cell]) -> bool) {
        let stride = stride(keyed);
        let now = self.keyed(keyed);
        // `keep` may panic: the rows are changed only after it was called for all of them.
        let rows = self.row(now.row).chunks_exact(stride);
        let kept: Vec<Cell> = rows.filter(|row| keep(self, row)).flatten().copied().collect();
        let start = now.row.start as usize;
        self.cells[start..start + kept.len()].copy_from_slice(&kept);
        self.set_len(keyed, kept.len());
        self.rebuild(keyed);
    }

    /// Rebuilds the hash table of a dict or set, if it has one.
    pub(crate) fn rebuild(&mut self, keyed: Cell) {
        if let Some(table) = (self.keyed(keyed).table as usize).checked_sub(1) {
            self.tables[table].clear();
            self.settle(keyed);
        }
    }
}
