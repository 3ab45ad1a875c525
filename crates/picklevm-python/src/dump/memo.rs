//! The memo of a pickler: which objects were written, and the index of each.

use hashbrown::HashTable;
use pyo3::prelude::*;

/// An object and its index.
struct Entry(Py<PyAny>, usize);

impl Entry {
    #[inline]
    fn hash(&self) -> u64 {
        hash(self.0.as_ptr().addr())
    }
}

/// Objects by address. The memo holds them, so that no other object gets their addresses.
#[derive(Default)]
pub(crate) struct Memo(HashTable<Entry>);

/// The hash of an address. Objects lie a multiple of 16 apart, often side by side: one multiplication spreads them, and the upper half
/// makes up for the lower bits.
#[inline]
fn hash(address: usize) -> u64 {
    let spread = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    spread ^ spread >> 32
}

impl Memo {
    /// Returns the index of an object.
    #[inline]
    pub(crate) fn get(&self, object: &Bound<'_, PyAny>) -> Option<usize> {
        let address = object.as_ptr().addr();
        self.0.find(hash(address), |entry| entry.0.as_ptr().addr() == address).map(|entry| entry.1)
    }

    /// Returns the number of objects: the index of the next one.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns about how many objects have room.
    pub(crate) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Forgets all objects. Dropping them may run code.
    pub(crate) fn clear(&mut self, py: Python<'_>) {
        // Bound to the interpreter, they are dropped without a question whether the thread holds it.
        self.0.drain().for_each(|entry| drop(entry.0.into_bound(py)));
    }

    /// Stores an object, in place of an entry of the same object.
    pub(crate) fn insert(&mut self, object: &Bound<'_, PyAny>, index: usize) {
        let address = object.as_ptr().addr();
        match self.0.find_mut(hash(address), |entry| entry.0.as_ptr().addr() == address) {
            Some(entry) => entry.1 = index,
            None => self.insert_new(object, index),
        }
    }

    /// Stores an object that has no entry.
    #[inline]
    pub(crate) fn insert_new(&mut self, object: &Bound<'_, PyAny>, index: usize) {
        let entry = Entry(object.clone().unbind(), index);
        self.0.insert_unique(entry.hash(), entry, Entry::hash);
    }

    /// Returns the objects, with their addresses and indices.
    pub(crate) fn entries<'py>(&self, py: Python<'py>) -> Vec<(usize, usize, Bound<'py, PyAny>)> {
        self.0.iter().map(|Entry(object, index)| (object.as_ptr().addr(), *index, object.bind(py).clone())).collect()
    }

    /// Passes the references to the garbage collector.
    pub(crate) fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.0.iter().try_for_each(|entry| visit.call(&entry.0))
    }
}
