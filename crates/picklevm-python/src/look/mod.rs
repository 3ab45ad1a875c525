//! Looking into pickles without loading them: files, symbolic graphs, ops, reports of the scanner.
//!
//! Everything here works on picklevm's own values: no class is imported and nothing is called. What needs no Python object runs
//! without the GIL.

mod files;
mod from_python;
pub(crate) mod given;
mod graph;
pub(crate) mod html;
pub(crate) mod node;
mod page;
mod report;
mod text;
pub(crate) mod to_python;

use pyo3::prelude::*;

pub(crate) use graph::Graph;

/// Adds the functions and classes to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<files::File>()?;
    module.add_class::<files::Member>()?;
    module.add_class::<files::Pickle>()?;
    module.add_class::<graph::Graph>()?;
    module.add_class::<graph::Walk>()?;
    module.add_class::<node::Node>()?;
    module.add_class::<page::View>()?;
    module.add_class::<report::Report>()?;
    module.add_class::<report::Finding>()?;
    module.add_function(wrap_pyfunction!(files::open, module)?)?;
    module.add_function(wrap_pyfunction!(files::dis, module)?)?;
    module.add_function(wrap_pyfunction!(graph::graph, module)?)?;
    module.add_function(wrap_pyfunction!(page::view, module)?)?;
    module.add_function(wrap_pyfunction!(report::scan, module)?)
}
