//! Tables, which pyarrow and Polars read without a copy.

use std::sync::{Arc, OnceLock};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array as _, RecordBatch, RecordBatchIterator, StructArray};
use picklevm_data::pandas::DataFrame;
use picklevm_data::table::{self, Options};
use picklevm_data::{Cell, Error, Item};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList, PyTuple};

use super::cells::Cells;
use super::found::{About, Held, find};
use crate::look::html;

/// Rows of a table in a notebook, and columns.
const ROWS: usize = 20;
const COLUMNS: usize = 30;
/// Rows that `to_pylist` makes at most of a table that has no data for them.
const MAX_EMPTY_ROWS: usize = 1 << 24;

/// A table in a pickle: a frame or series of pandas, or a table of pyarrow or Polars.
///
/// It has Arrow's C data interface: pyarrow.table(table), polars.DataFrame(table) and duckdb read it, and share its memory where the
/// file has the numbers aligned. pandas is not needed. to_pylist() and to_dict() make Python's own objects.
#[pyclass(frozen, module = "picklevm")]
pub(crate) struct Table {
    held: Held,
    options: Options,
    /// "table" or "series".
    #[pyo3(get)]
    kind: &'static str,
    /// Its path in the pickle, which is its key.
    #[pyo3(get)]
    path: String,
    /// The path of the same table, if the pickle has it in several places.
    #[pyo3(get)]
    same_as: Option<String>,
    /// The number of rows.
    #[pyo3(get)]
    num_rows: usize,
    columns: Vec<(Option<String>, String)>,
    index: Vec<(Option<String>, String)>,
    /// Why it cannot be read.
    #[pyo3(get)]
    problem: Option<String>,
    batch: OnceLock<RecordBatch>,
}

/// Return every table in a file, by path: frames and series of pandas, tables of pyarrow and Polars.
///
/// The file is given by its path or as bytes. pandas is not needed. A table that is the pickle itself has the path ".". The index
/// becomes columns by pandas' own convention: a range is left out unless `index` is true, any other is the last column, named
/// by its name or __index_level_0__.
///
/// >>> pyarrow.table(picklevm.tables("frame.pkl")["."])
#[pyfunction]
#[pyo3(signature = (path_or_bytes, *, index = false))]
pub(crate) fn tables<'py>(
    py: Python<'py>,
    path_or_bytes: &Bound<'py, PyAny>,
    index: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    for about in find(py, path_or_bytes)? {
        if matches!(about.kind, "table" | "series") {
            let key = about.key.clone();
            all.set_item(key, Table::new(about, Options { index }))?;
        }
    }
    Ok(all)
}

/// An item as a frame.
fn with_frame<T>(item: &Item<'_>, read: impl FnOnce(&DataFrame<'_>) -> Result<T, Error>) -> Result<T, Error> {
    match item {
        Item::Table(frame) => read(frame),
        Item::Series(series) => read(&series.to_frame()),
        _ => Err(Error::missing("a table")),
    }
}

impl Table {
    fn new(about: About, options: Options) -> Table {
        let About { key: path, kind, same_as, held } = about;
        let described = held.with(|item, _| {
            with_frame(item, |frame| {
                let of = |columns: &[picklevm_data::pandas::Column<'_>]| {
                    columns.iter().map(|column| (column.name(), column.values().dtype())).collect::<Vec<_>>()
                };
                Ok((frame.rows(), of(frame.columns()), of(frame.index().levels())))
            })
        });
        let (num_rows, columns, index, problem) = match described {
            Ok((rows, columns, index)) => (rows, columns, index, None),
            Err(error) => (0, Vec::new(), Vec::new(), Some(error.to_string())),
        };
        Table { held, options, kind, path, same_as, num_rows, columns, index, problem, batch: OnceLock::new() }
    }

    /// The columns as Arrow has them; made at the first call.
    fn batch(&self, py: Python<'_>) -> PyResult<&RecordBatch> {
        if let Some(batch) = self.batch.get() {
            return Ok(batch);
        }
        let made =
            py.detach(|| self.held.with(|item, _| with_frame(item, |frame| table::to_batch(frame, self.options))))?;
        Ok(self.batch.get_or_init(|| made))
    }

    /// The columns as they are written, each as a list of the rows in a range.
    fn lists<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Vec<(String, Bound<'py, PyList>)>> {
        if self.columns.is_empty() && self.num_rows > MAX_EMPTY_ROWS {
            return Err(PyValueError::new_err(format!("{} rows without a column", self.num_rows)));
        }
        let made = self.held.with(|item, _| {
            with_frame(item, |frame| {
                table::check_rows(frame)?;
                let list = |column: &picklevm_data::pandas::Column<'_>| -> PyResult<_> {
                    let cells = Cells::new(py, self.held.graph())?;
                    let list = PyList::empty(py);
                    for at in 0..column.len().min(most) {
                        let cell = column.cell(at).map_err(|error| super::found::data_error(&error))?;
                        // NaN is a missing value, as it is to Arrow.
                        let cell = if cell.is_missing() { Cell::Null } else { cell };
                        list.append(cells.object(&cell)?)?;
                    }
                    Ok(list)
                };
                let columns = table::columns(frame, self.options);
                Ok(columns.into_iter().map(|(name, column)| Ok((name, list(column)?))).collect::<PyResult<Vec<_>>>())
            })
        });
        made?
    }
}

fn arrow_error(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

#[pymethods]
impl Table {
    /// The names of the columns, without those of the index.
    #[getter]
    fn columns(&self) -> Vec<Option<String>> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The types of the columns, as pandas calls them, by name.
    #[getter]
    fn dtypes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for (name, dtype) in &self.columns {
            all.set_item(name, dtype)?;
        }
        Ok(all)
    }

    /// The names of the levels of the index.
    #[getter]
    fn index_names(&self) -> Vec<Option<String>> {
        self.index.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The numbers of rows and columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.num_rows, self.columns.len())
    }

    /// Arrow's C data interface: the schema.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.batch(py)?.schema().as_ref()).map_err(arrow_error)?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// Arrow's C data interface: the table as one array of structs. A requested schema is not followed.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema;
        let array = StructArray::from(self.batch(py)?.clone());
        let schema = FFI_ArrowSchema::try_from(array.data_type()).map_err(arrow_error)?;
        let schema = PyCapsule::new_with_value(py, schema, c"arrow_schema")?;
        let array = PyCapsule::new_with_value(py, FFI_ArrowArray::new(&array.to_data()), c"arrow_array")?;
        PyTuple::new(py, [schema, array])
    }

    /// Arrow's C stream interface: the table as a stream of one batch. A requested schema is not followed.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batch = self.batch(py)?.clone();
        let schema = batch.schema();
        let reader = RecordBatchIterator::new([Ok(batch)], Arc::clone(&schema));
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), c"arrow_array_stream")
    }

    /// Return the rows as dicts. Objects come out as Python's own or as nodes of a graph; what is missing is None.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let columns = self.lists(py, usize::MAX)?;
        let rows = PyList::empty(py);
        for at in 0..self.num_rows {
            let row = PyDict::new(py);
            for (name, column) in &columns {
                row.set_item(name, column.get_item(at)?)?;
            }
            rows.append(row)?;
        }
        Ok(rows)
    }

    /// Return the columns as lists, by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for (name, column) in self.lists(py, usize::MAX)? {
            all.set_item(name, column)?;
        }
        Ok(all)
    }

    fn __len__(&self) -> usize {
        self.num_rows
    }

    fn __bool__(&self) -> bool {
        true
    }

    fn __repr__(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .take(COLUMNS)
            .map(|(name, dtype)| format!("\n  {}: {dtype}", name.as_deref().unwrap_or("None").escape_debug()))
            .collect();
        let more = if self.columns.len() > COLUMNS { "\n  ..." } else { "" };
        let problem = self.problem.as_ref().map(|problem| format!(" ({problem})")).unwrap_or_default();
        let (rows, path) = (self.num_rows, self.path.escape_debug());
        format!("<picklevm.Table {path}: {rows} rows{problem}>{}{more}", columns.concat())
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let mut columns = self.lists(py, ROWS)?;
        columns.truncate(COLUMNS);
        let head: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let mut rows = Vec::new();
        for at in 0..self.num_rows.min(ROWS) {
            let row = columns.iter().map(|(_, column)| {
                let text = column.get_item(at)?.str()?.to_string();
                Ok(match text.char_indices().nth(100) {
                    Some((end, _)) => format!("{}…", &text[..end]),
                    None => text,
                })
            });
            rows.push(row.collect::<PyResult<Vec<String>>>()?);
        }
        let title = format!("{}: {} rows, {} columns", self.path, self.num_rows, self.columns.len());
        Ok(html::table(&title, &head, &rows, ROWS))
    }
}
