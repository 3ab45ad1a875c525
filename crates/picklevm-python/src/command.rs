//! The program `picklevm`, run from the package.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Run the program `picklevm` with these arguments, without its name, and return its exit status.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, args: Vec<OsString>) -> u8 {
    let args = std::iter::once(OsString::from("picklevm")).chain(args);
    py.detach(|| picklevm_cli::status(args))
}
