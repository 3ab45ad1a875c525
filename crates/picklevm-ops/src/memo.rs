//! A memo for tools.

use std::collections::HashMap;
use std::fmt::{self, Display};

/// A memo index. `pickletools` accepts any integer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Index {
    Small(u64),
    /// An integer that does not fit into 64 bits, in decimal.
    Other(String),
}

impl From<u64> for Index {
    fn from(index: u64) -> Self {
        Index::Small(index)
    }
}

impl Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Index::Small(index) => index.fmt(f),
            Index::Other(index) => f.write_str(index),
        }
    }
}

/// Values by index. Picklers count from 0, so most indices are consecutive.
#[derive(Debug, Clone)]
pub(crate) struct Memo<V> {
    row: Vec<V>,
    others: HashMap<Index, V>,
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Memo { row: Vec::new(), others: HashMap::new() }
    }
}

impl<V> Memo<V> {
    /// Returns the number of indices in use: the index that MEMOIZE stores at.
    pub(crate) fn len(&self) -> u64 {
        (self.row.len() + self.others.len()) as u64
    }

    pub(crate) fn insert(&mut self, index: Index, value: V) {
        match place(&index) {
            Some(at) if at < self.row.len() => self.row[at] = value,
            Some(at) if at == self.row.len() && self.others.is_empty() => self.row.push(value),
            _ => {
                self.others.insert(index, value);
            }
        }
    }

    pub(crate) fn get(&self, index: &Index) -> Option<&V> {
        place(index).and_then(|at| self.row.get(at)).or_else(|| self.others.get(index))
    }
}

fn place(index: &Index) -> Option<usize> {
    match index {
        Index::Small(index) => usize::try_from(*index).ok(),
        Index::Other(_) => None,
    }
}

/// The indices of a memo that are in use. Picklers count up, so most are one range.
#[derive(Debug, Clone, Default)]
pub(crate) struct Indices {
    range: std::ops::Range<u64>,
    others: std::collections::HashSet<u64>,
}

impl Indices {
    /// Returns how many there are: the index that MEMOIZE stores at.
    pub(crate) fn len(&self) -> u64 {
        self.range.end - self.range.start + self.others.len() as u64
    }

    pub(crate) fn contains(&self, index: u64) -> bool {
        self.range.contains(&index) || self.others.contains(&index)
    }

    pub(crate) fn insert(&mut self, index: u64) {
        if self.range.is_empty() {
            self.range = index..index;
        }
        if index == self.range.end && index < u64::MAX {
            self.others.remove(&index);
            self.range.end += 1;
        } else if !self.range.contains(&index) {
            self.others.insert(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Indices;

    #[test]
    fn each_index_counts_once_in_whatever_order_they_come() {
        let mut indices = Indices::default();
        for index in [5, 6, 7, 6, 2, 9, 8, 9, u64::MAX] {
            indices.insert(index);
        }
        assert_eq!(indices.len(), 7);
        assert!([2, 5, 6, 7, 8, 9, u64::MAX].into_iter().all(|index| indices.contains(index)));
        assert!([0, 4, 10].into_iter().all(|index| !indices.contains(index)));
    }
}
