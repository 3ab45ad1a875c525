//! The memo of a pickler: which objects were written, and the index of each.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use pyo3::prelude::*;

/// Objects by address. The memo holds them, so that no other object gets their addresses.
#[derive(Default)]
pub(crate) struct Memo(HashMap<usize, (usize, Py<PyAny>), RandomState>);

impl Memo {
    /// Returns the index of an object.
    #[inline]
    pub(crate) fn get(&self, object: &Bound<'_, PyAny>) -> Option<usize> {
        self.0.get(&object.as_ptr().addr()).map(|entry| entry.0)
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
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Stores an object.
    #[inline]
    pub(crate) fn insert(&mut self, object: &Bound<'_, PyAny>, index: usize) {
        self.0.insert(object.as_ptr().addr(), (index, object.clone().unbind()));
    }

    /// Returns the objects, with their addresses and indices.
    pub(crate) fn entries<'py>(&self, py: Python<'py>) -> Vec<(usize, usize, Bound<'py, PyAny>)> {
        self.0.iter().map(|(address, (index, object))| (*address, *index, object.bind(py).clone())).collect()
    }

    /// Passes the references to the garbage collector.
    pub(crate) fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.0.values().try_for_each(|(_, object)| visit.call(object))
    }
}
