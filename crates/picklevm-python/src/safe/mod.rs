//! Safe loading: a pickle is scanned as a whole before anything of it runs, and then loaded with no more than the scan saw.
//!
//! [`Policy`](policy::SafePolicy) is what a program allows, [`Checked`](checked::Checked) a pickle that the scan called
//! harmless under it, with its bytes and the names that the scan saw. The [`Gate`] finds these names and no others. The
//! functions that programs call are in Python, in `picklevm/_safe.py`.

mod checked;
mod gate;
mod policy;
mod read;

use pyo3::prelude::*;

/// Adds what `picklevm/_safe.py` uses.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<policy::SafePolicy>()?;
    module.add_class::<checked::Checked>()?;
    module.add_function(wrap_pyfunction!(checked::check_joblib, module)?)?;
    module.add_function(wrap_pyfunction!(read::read_pickle, module)?)
}
