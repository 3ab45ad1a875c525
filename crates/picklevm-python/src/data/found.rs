//! The items of a file, found once and read on demand.

use std::sync::Arc;

use picklevm::Id;
use picklevm_data::files::{Loaded, graphs};
use picklevm_data::{Found, Item};
use pyo3::exceptions::{PyUserWarning, PyValueError};
use pyo3::prelude::*;

use crate::look::Graph;
use crate::look::given::{Given, file_error, unpickling};

/// The key of what a pickle is as a whole.
pub(super) const ROOT: &str = ".";

/// An item of a file.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) loaded: Arc<Loaded>,
    /// The graph as Python sees it: objects that lie in arrays are its nodes.
    graph: Arc<Graph>,
    id: Id,
}

/// Facts about an item that are known without reading it.
pub(super) struct About {
    /// Its path, with the member before it where a file has several pickles.
    pub(super) key: String,
    pub(super) kind: &'static str,
    /// The key of the same value, if it was found before.
    pub(super) same_as: Option<String>,
    pub(super) held: Held,
}

impl Held {
    /// Reads the item.
    pub(super) fn with<T>(&self, read: impl FnOnce(&Item<'_>, &Loaded) -> picklevm_data::Result<T>) -> PyResult<T> {
        let loaded = &self.loaded;
        let value = loaded.graph.value(self.id);
        match loaded.reader().item(value) {
            Some((_, item)) => item.and_then(|item| read(&item, loaded)).map_err(|error| data_error(&error)),
            None => Err(PyValueError::new_err("no array, table or tensor")),
        }
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }
}

/// The exception for what cannot be read or expressed.
#[cold]
pub(super) fn data_error(error: &picklevm_data::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Every item of the pickles of a file. What cannot be read of one of several pickles is a warning.
pub(super) fn find(py: Python<'_>, path_or_bytes: &Bound<'_, PyAny>) -> PyResult<Vec<About>> {
    let given = Given::new(path_or_bytes)?;
    let name = given.name();
    let file = given.open(py)?;
    let loaded = py.detach(|| graphs(&file));
    if loaded.is_empty() {
        return Err(match py.detach(|| file.root().explain()) {
            Ok(error) | Err(error) => file_error(py, &name, &error),
        });
    }
    let is_only = loaded.len() == 1;
    let mut all = Vec::new();
    for (place, loaded) in loaded {
        let at = match (is_only, place.start) {
            (true, _) => String::new(),
            (false, 0) => format!("{}:", place.member),
            (false, start) => format!("{}@{start}:", place.member),
        };
        let loaded = match loaded {
            Ok(loaded) => Arc::new(loaded),
            Err(problem) if is_only => return Err(unpickling(py, format!("{name}: {problem}"))),
            Err(problem) => {
                let category = py.get_type::<PyUserWarning>();
                py.import("warnings")?.call_method1("warn", (format!("{name}: {at} {problem}"), category, 3))?;
                continue;
            }
        };
        let graph = Arc::new(Graph::new(loaded.graph.clone(), &name));
        let key = |path: &picklevm::Path| {
            let path = if path.is_root() { ROOT.to_owned() } else { path.to_string() };
            format!("{at}{path}")
        };
        all.extend(py.detach(|| {
            let about = |found: Found<'_>| About {
                key: key(&found.path),
                kind: found.kind,
                same_as: found.alias_of.as_ref().map(key),
                held: Held { loaded: Arc::clone(&loaded), graph: Arc::clone(&graph), id: found.id },
            };
            loaded.reader().find().into_iter().map(about).collect::<Vec<_>>()
        }));
    }
    Ok(all)
}
