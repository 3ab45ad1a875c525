//! `picklevm.view`: the page that shows a file.

use std::path::PathBuf;

use picklevm_view::Options;
use pyo3::prelude::*;

use super::given::{Given, file_error, system_error};

/// A page of HTML that shows a file: one file, which needs no network and runs nothing of what it shows.
///
/// A notebook shows it in its output. `html` is its text.
#[pyclass(frozen, module = "picklevm")]
pub(crate) struct View {
    name: String,
    /// The page.
    #[pyo3(get)]
    html: String,
}

/// Make a page that shows a file, given by its path or as bytes: its values, their graph, the machine step by step, and what is
/// dangerous, as `picklevm view` does.
///
/// What it leaves out of a large file is said in it. `max_values`, `max_items`, `max_bytes` and `max_ops` say how much it includes.
///
/// >>> picklevm.view("session.pkl").save("session.html")
#[pyfunction]
#[pyo3(signature = (path_or_bytes, *, max_values = None, max_items = None, max_bytes = None, max_ops = None))]
pub(crate) fn view(
    py: Python<'_>,
    path_or_bytes: &Bound<'_, PyAny>,
    max_values: Option<usize>,
    max_items: Option<usize>,
    max_bytes: Option<usize>,
    max_ops: Option<usize>,
) -> PyResult<View> {
    let given = Given::new(path_or_bytes)?;
    let name = given.name();
    let file = given.open(py)?;
    let mut options = Options::default();
    if let Some(most) = max_values {
        options = options.max_values(most);
    }
    if let Some(most) = max_items {
        options = options.max_items(most);
    }
    if let Some(most) = max_bytes {
        options = options.max_bytes(most);
    }
    if let Some(most) = max_ops {
        options = options.max_ops(most);
    }
    let page = py.detach(|| picklevm_view::page(&file, &name, &options));
    let html = page.map_err(|error| file_error(py, &name, &error))?;
    Ok(View { name, html })
}

#[pymethods]
impl View {
    /// Write the page to the file at a path.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let written = py.detach(|| std::fs::write(&path, &self.html));
        written.map_err(|error| system_error(&error, &path.display().to_string()))
    }

    /// The page in a frame of its own, which cannot reach the notebook.
    fn _repr_html_(&self) -> String {
        let page = self.html.replace('&', "&amp;").replace('"', "&quot;");
        let style = "width:100%;height:40em;border:1px solid #8888";
        format!("<iframe sandbox=\"allow-scripts\" style=\"{style}\" srcdoc=\"{page}\"></iframe>")
    }

    fn __repr__(&self) -> String {
        format!("<picklevm.View of {}: {} bytes>", self.name.escape_debug(), self.html.len())
    }
}
