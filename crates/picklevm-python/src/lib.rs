//! The native part of the Python package `picklevm`: the module `picklevm._native`.
//!
//! For `picklevm.pickle`, pickles are read by picklevm's machine, with a builder that makes Python objects (`load`), and written by its op
//! writer (`dump`). The behaviour is that of CPython's `_pickle`, but nothing recurses over data.
//! `look` has what reads pickles without loading them, `data` arrays, tables and tensors, `command` the program.

mod command;
mod data;
mod dump;
mod errors;
mod feed;
mod functions;
mod load;
mod look;
mod protocol;
mod reuse;
mod safe;
mod state;
mod value;

use pyo3::prelude::*;

/// The functions and classes of `picklevm.pickle`.
#[pymodule]
#[pyo3(name = "_native")]
fn native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let state = state::State::get(py)?;
    module.add_class::<dump::Pickler>()?;
    module.add_class::<dump::PicklerMemoProxy>()?;
    module.add_class::<load::Unpickler>()?;
    module.add_class::<load::UnpicklerMemoProxy>()?;
    module.add_function(wrap_pyfunction!(functions::dump, module)?)?;
    module.add_function(wrap_pyfunction!(functions::dumps, module)?)?;
    module.add_function(wrap_pyfunction!(functions::load, module)?)?;
    module.add_function(wrap_pyfunction!(functions::loads, module)?)?;
    safe::register(module)?;
    module.add_function(wrap_pyfunction!(command::run_command, module)?)?;
    look::register(module)?;
    data::register(module)?;
    module.add("HIGHEST_PROTOCOL", protocol::HIGHEST)?;
    module.add("DEFAULT_PROTOCOL", protocol::default_protocol(state))?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
