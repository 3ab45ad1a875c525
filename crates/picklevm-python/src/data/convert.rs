//! `picklevm.convert`: what the program's `convert` does.

use std::path::PathBuf;

use picklevm_cli::ConvertError;
use pyo3::exceptions::{PyUserWarning, PyValueError};
use pyo3::prelude::*;

use crate::look::given::system_error;

/// Convert a file to the format that the ending of `dst` names, as the program `picklevm convert` does.
///
/// The endings are .npy, .npz, .csv, .jsonl, .parquet, .arrow, .safetensors and .json, and .pkl and .pt to convert back. `at` is the path
/// of one item, as the keys of arrays(), tables() and tensors(). What the format cannot express is a ValueError; `skip` leaves it
/// out with a warning. `dst` appears when it is complete.
///
/// >>> picklevm.convert("frame.pkl", "frame.parquet")
#[pyfunction]
#[pyo3(signature = (src, dst, at = None, skip = false))]
pub(crate) fn convert(py: Python<'_>, src: PathBuf, dst: PathBuf, at: Option<&str>, skip: bool) -> PyResult<()> {
    if let Err(error) = std::fs::metadata(&src) {
        return Err(system_error(&error, &src.display().to_string()));
    }
    let at = at.filter(|path| *path != super::found::ROOT).unwrap_or_default();
    let notes = py.detach(|| picklevm_cli::convert(&src, &dst, at, skip)).map_err(|error| match error {
        ConvertError::Data(message) | ConvertError::Usage(message) => PyValueError::new_err(message),
        error => PyValueError::new_err(error.to_string()),
    })?;
    for note in notes {
        let category = py.get_type::<PyUserWarning>();
        py.import("warnings")?.call_method1("warn", (note, category, 2))?;
    }
    Ok(())
}
