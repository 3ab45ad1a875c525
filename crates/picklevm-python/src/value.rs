//! A reference to a Python object, as the machine holds it.

use picklevm::machine::Slot;
use pyo3::prelude::*;

/// A strong reference to a Python object, or none. It is cloned and dropped only while the thread is attached to the
/// interpreter: machines run in methods of Python classes, and are stored in them.
#[derive(Clone)]
pub(crate) struct Ref(pub(crate) Option<Py<PyAny>>);

impl Slot for Ref {
    const HOLE: Ref = Ref(None);

    #[inline(always)]
    fn is_hole(&self) -> bool {
        self.0.is_none()
    }
}

impl<T> From<Bound<'_, T>> for Ref {
    #[inline(always)]
    fn from(value: Bound<'_, T>) -> Ref {
        Ref(Some(value.into_any().unbind()))
    }
}
