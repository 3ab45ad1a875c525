//! Arrays, tables and tensors of a file as objects that NumPy, pyarrow and Polars read without a copy, and `convert`.

mod array;
mod cells;
mod convert;
mod found;
mod table;

use pyo3::prelude::*;

/// Adds the functions and classes to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<array::Array>()?;
    module.add_class::<table::Table>()?;
    module.add_function(wrap_pyfunction!(array::arrays, module)?)?;
    module.add_function(wrap_pyfunction!(array::tensors, module)?)?;
    module.add_function(wrap_pyfunction!(table::tables, module)?)?;
    module.add_function(wrap_pyfunction!(convert::convert, module)?)
}
