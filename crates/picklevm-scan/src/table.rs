//! A table of which most rows fit in four bytes.

use crate::chunks::Chunks;
use crate::token::NOT_KEPT;

/// A row, of which most need no more than 31 bits.
pub(crate) trait Row: Copy {
    /// The row in 31 bits, if it fits.
    fn pack(&self) -> Option<u32>;

    /// The row of [`pack`](Row::pack).
    fn unpack(packed: u32) -> Self;
}

/// A table that rows are only added to.
pub(crate) struct Table<T> {
    packed: Chunks<u32>,
    wide: Chunks<T>,
}

/// The bit of an entry that is the number of a wide row.
const WIDE: u32 = 1 << 31;

impl<T: Row> Table<T> {
    pub(crate) const fn new() -> Self {
        Table { packed: Chunks::new(), wide: Chunks::new() }
    }

    /// Adds a row; returns its number, or [`NOT_KEPT`] where there are too many.
    #[inline]
    pub(crate) fn push(&mut self, row: T) -> u32 {
        let number = self.packed.len();
        if number >= NOT_KEPT as usize {
            return NOT_KEPT;
        }
        let entry = self.entry(row);
        self.packed.push(entry);
        number as u32
    }

    #[inline]
    fn entry(&mut self, row: T) -> u32 {
        row.pack().unwrap_or_else(|| {
            self.wide.push(row);
            (self.wide.len() - 1) as u32 | WIDE
        })
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<T> {
        let &entry = self.packed.get(number)?;
        if entry & WIDE == 0 { Some(T::unpack(entry)) } else { self.wide.get(entry & !WIDE).copied() }
    }

    /// Changes a row, if there is one.
    #[inline]
    pub(crate) fn change(&mut self, number: u32, change: impl FnOnce(&mut T)) {
        let Some(&entry) = self.packed.get(number) else { return };
        if entry & WIDE != 0 {
            if let Some(row) = self.wide.get_mut(entry & !WIDE) {
                change(row);
            }
            return;
        }
        let mut row = T::unpack(entry);
        change(&mut row);
        let changed = self.entry(row);
        if let Some(entry) = self.packed.get_mut(number) {
            *entry = changed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, Table};

    impl Row for u64 {
        fn pack(&self) -> Option<u32> {
            u32::try_from(*self).ok().filter(|row| *row < 1 << 31)
        }

        fn unpack(packed: u32) -> u64 {
            packed.into()
        }
    }

    #[test]
    fn a_row_is_found_though_it_grew() {
        let mut rows = Table::new();
        assert_eq!([7, 1 << 40].map(|row: u64| rows.push(row)), [0, 1]);
        for number in [0, 1, 2] {
            rows.change(number, |row| *row += 1 << 50);
            rows.change(number, |row| *row += 1);
        }
        assert_eq!(
            [0, 1, 2].map(|number| rows.get(number)),
            [Some((1 << 50) + 8), Some((1 << 50) + (1 << 40) + 1), None]
        );
    }
}
