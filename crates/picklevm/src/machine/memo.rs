//! The memo: values by index, mostly dense.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Values by memo index. Picklers write dense indices, which are stored in a vector. Indices far beyond the number of
/// entries are stored in a hash table, so that one index takes no more memory than one entry.
pub(crate) struct Memo<V> {
    dense: Vec<V>,
    sparse: HashMap<u64, V, RandomState>,
    /// Number of indices in use, once there is a hole; before, it is the length of the vector.
    counted: Option<usize>,
}

/// A value with a niche for "no value".
pub trait Slot: Clone {
    /// No value.
    const HOLE: Self;

    /// Returns whether this is [`HOLE`](Slot::HOLE).
    fn is_hole(&self) -> bool;
}

/// Elements that the vector may have in addition to twice the number of entries.
const SLACK: u64 = 1024;

/// Entries from which a vector is large, and for how many it then has room.
const LARGE: usize = 1 << 18;
const ROOM: usize = 1 << 24;

impl<V: Slot> Memo<V> {
    pub(crate) fn new() -> Self {
        Memo { dense: Vec::new(), sparse: HashMap::default(), counted: None }
    }

    /// Returns the number of indices in use: the index that MEMOIZE stores at.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.counted.unwrap_or(self.dense.len())
    }

    /// Returns the bytes of memory that the entries take.
    pub(crate) fn held_bytes(&self) -> usize {
        size_of::<V>() * self.dense.len() + 2 * size_of::<(u64, V)>() * self.sparse.len()
    }

    /// Returns the values by index, including holes, without those in the hash table.
    #[inline(always)]
    pub(crate) fn dense(&self) -> &[V] {
        &self.dense
    }

    /// Returns the values by index, in no order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, &V)> {
        let dense = self.dense.iter().enumerate().filter(|(_, value)| !value.is_hole());
        // An index that the vector grew over is in both.
        let sparse = self.sparse.iter().filter(|(index, _)| self.dense.get(**index as usize).is_none_or(Slot::is_hole));
        dense.map(|(index, value)| (index as u64, value)).chain(sparse.map(|(index, value)| (*index, value)))
    }

    #[inline(always)]
    pub(crate) fn get(&self, index: u64) -> Option<V> {
        match self.dense.get(index as usize) {
            Some(value) if !value.is_hole() => Some(value.clone()),
            _ => self.get_sparse(index),
        }
    }

    #[cold]
    #[inline(never)]
    fn get_sparse(&self, index: u64) -> Option<V> {
        self.sparse.get(&index).cloned()
    }

    #[inline(always)]
    pub(crate) fn put(&mut self, index: u64, value: V) {
        if index == self.dense.len() as u64 && self.counted.is_none() {
            if self.dense.len() == self.dense.capacity() {
                self.grow();
            }
            self.dense.push(value);
        } else {
            self.put_anywhere(index, value);
        }
    }

    /// Makes room: twice as much, until the memo is large. Then it reserves so much that it is rarely copied again: each copy
    /// would leave a free block that no later allocation fits. Memory that was not written to takes address space only.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let len = self.dense.len();
        let is_large = cfg!(target_pointer_width = "64") && (LARGE..ROOM).contains(&len);
        self.dense.reserve(if is_large { ROOM - len } else { 1 });
    }

    #[inline(never)]
    fn put_anywhere(&mut self, index: u64, value: V) {
        let known = self.get(index).is_some();
        let len = self.len() + usize::from(!known);
        if self.counted.is_some() || index > self.dense.len() as u64 {
            self.counted = Some(len);
        }
        if index < self.dense.len() as u64 || index < 2 * len as u64 + SLACK {
            let index = index as usize;
            if index >= self.dense.len() {
                self.dense.resize(index + 1, V::HOLE);
            }
            self.dense[index] = value;
        } else {
            self.sparse.insert(index, value);
        }
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.dense.clear();
        self.dense.shrink_to(super::REUSED_MEMO_CAPACITY);
        if !self.sparse.is_empty() {
            self.sparse = HashMap::default();
        }
        self.counted = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Slot for char {
        const HOLE: char = '\0';

        fn is_hole(&self) -> bool {
            *self == Self::HOLE
        }
    }

    #[test]
    fn indices_in_order_are_dense() {
        let mut memo = Memo::new();
        for n in 0..1000 {
            memo.put(n, char::from_digit(n as u32 % 10, 10).unwrap_or_default());
        }
        assert_eq!((memo.len(), memo.get(999), memo.get(1000)), (1000, Some('9'), None));
        assert!(memo.sparse.is_empty());
    }

    #[test]
    fn a_huge_index_takes_the_memory_of_one_entry() {
        let mut memo = Memo::new();
        memo.put(u64::MAX, 'a');
        memo.put(u64::MAX, 'b');
        memo.put(0, 'c');
        assert_eq!((memo.len(), memo.get(u64::MAX), memo.get(0)), (2, Some('b'), Some('c')));
        assert!(memo.dense.len() < 10);
    }

    #[test]
    fn a_sparse_index_is_found_after_the_vector_grew_over_it() {
        let mut memo = Memo::new();
        memo.put(2000, 'a');
        for n in 0..2000 {
            memo.put(n, 'b');
        }
        memo.put(2001, 'c');
        assert_eq!((memo.len(), memo.get(2000), memo.get(2001)), (2002, Some('a'), Some('c')));
        memo.put(2000, 'd');
        assert_eq!((memo.len(), memo.get(2000)), (2002, Some('d')));
    }
}
