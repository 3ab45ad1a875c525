//! Elements of arrays and columns as Python objects.

use picklevm_data::numpy::NdArray;
use picklevm_data::{Cell, Delta, Instant};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyComplex, PyDict, PyList, PyTuple};

use super::found::data_error;
use crate::look::Graph;
use crate::look::to_python::to_object;

/// Makes Python objects of cells.
pub(super) struct Cells<'a, 'py> {
    py: Python<'py>,
    graph: &'a Graph,
    datetime: Bound<'py, PyModule>,
    epoch: Bound<'py, PyAny>,
}

/// Axes that an array may have, as in NumPy.
const MAX_AXES: usize = 64;

impl<'a, 'py> Cells<'a, 'py> {
    pub(super) fn new(py: Python<'py>, graph: &'a Graph) -> PyResult<Self> {
        let datetime = py.import("datetime")?;
        let epoch = datetime.getattr("datetime")?.call1((1970, 1, 1))?;
        Ok(Cells { py, graph, datetime, epoch })
    }

    /// The elements of an array: a list for each axis, as NumPy's `tolist` makes them.
    pub(super) fn array(&self, array: &NdArray<'_>) -> PyResult<Bound<'py, PyAny>> {
        array.check_expansion().map_err(|error| data_error(&error))?;
        if array.shape().len() > MAX_AXES {
            return Err(PyValueError::new_err(format!("an array of more than {MAX_AXES} axes")));
        }
        let mut cells = array.cells();
        let Some((last, outer)) = array.shape().split_last() else {
            return match cells.next() {
                Some(cell) => self.object(&cell.map_err(|error| data_error(&error))?),
                None => Ok(self.py.None().into_bound(self.py)),
            };
        };
        if array.is_empty() && outer.iter().product::<usize>() > 1 << 24 {
            return Err(PyValueError::new_err("an array without elements that is very large"));
        }
        // Rows of the last axis, then lists of as many of them as each axis before it has.
        let rows = outer.iter().product::<usize>();
        let mut level = Vec::with_capacity(rows.min(1 << 16));
        for _ in 0..rows {
            let row = PyList::empty(self.py);
            for cell in cells.by_ref().take(*last) {
                row.append(self.object(&cell.map_err(|error| data_error(&error))?)?)?;
            }
            level.push(row);
        }
        if outer.is_empty() {
            return Ok(level.swap_remove(0).into_any());
        }
        for len in outer.iter().skip(1).rev() {
            level = if *len == 0 {
                Vec::new()
            } else {
                level.chunks(*len).map(|rows| PyList::new(self.py, rows)).collect::<PyResult<_>>()?
            };
        }
        Ok(PyList::new(self.py, level)?.into_any())
    }

    /// One element.
    pub(super) fn object(&self, cell: &Cell<'_>) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        match cell {
            Cell::Null => Ok(py.None().into_bound(py)),
            Cell::Bool(value) => value.into_bound_py_any(py),
            Cell::Int(value) => value.into_bound_py_any(py),
            Cell::UInt(value) => value.into_bound_py_any(py),
            Cell::Float32(value) => value.into_bound_py_any(py),
            Cell::Float(value) => value.into_bound_py_any(py),
            Cell::Complex(re, im) => Ok(PyComplex::from_doubles(py, *re, *im).into_any()),
            Cell::Bytes(bytes) => Ok(PyBytes::new(py, bytes).into_any()),
            Cell::Str(text) => text.as_ref().into_bound_py_any(py),
            Cell::Instant(instant) => self.instant(instant),
            Cell::Delta(delta) => self.delta(delta),
            Cell::Decimal(digits) => py.import("decimal")?.getattr("Decimal")?.call1((digits,)),
            Cell::Period { text, .. } => text.into_bound_py_any(py),
            Cell::Interval { left, right, .. } => {
                Ok(PyTuple::new(py, [self.object(left)?, self.object(right)?])?.into_any())
            }
            Cell::List(items) => {
                let list = PyList::empty(py);
                for item in items {
                    list.append(self.object(item)?)?;
                }
                Ok(list.into_any())
            }
            Cell::Record(fields) => {
                let dict = PyDict::new(py);
                for (name, item) in fields {
                    dict.set_item(name.as_ref(), self.object(item)?)?;
                }
                Ok(dict.into_any())
            }
            Cell::Object(value) => to_object(py, self.graph, *value),
            other => format!("{other:?}").into_bound_py_any(py),
        }
    }

    fn span(&self, nanos: i128) -> PyResult<Option<Bound<'py, PyAny>>> {
        if nanos % 1000 != 0 {
            return Ok(None);
        }
        let kwargs = PyDict::new(self.py);
        kwargs.set_item("microseconds", nanos / 1000)?;
        self.known(self.datetime.getattr("timedelta")?.call((), Some(&kwargs)))
    }

    /// What is past the range of Python's types is text.
    fn known(&self, made: PyResult<Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match made {
            Err(error) if error.is_instance_of::<PyOverflowError>(self.py) => Ok(None),
            made => made.map(Some),
        }
    }

    fn delta(&self, delta: &Delta) -> PyResult<Bound<'py, PyAny>> {
        match delta.nanos().map(|nanos| self.span(nanos)).transpose()?.flatten() {
            Some(span) => Ok(span),
            None => delta.to_string().into_bound_py_any(self.py),
        }
    }

    /// A date, or a datetime, with its zone where it has one; text where it is finer than microseconds.
    fn instant(&self, instant: &Instant<'_>) -> PyResult<Bound<'py, PyAny>> {
        let text = || instant.to_string().into_bound_py_any(self.py);
        let Some(span) = instant.nanos().map(|nanos| self.span(nanos)).transpose()?.flatten() else { return text() };
        let Some(time) = self.known(self.epoch.add(span))? else { return text() };
        if instant.is_date {
            return time.call_method0("date");
        }
        let Some(zone) = &instant.zone else { return Ok(time) };
        let utc = self.datetime.getattr("timezone")?.getattr("utc")?;
        let kwargs = PyDict::new(self.py);
        kwargs.set_item("tzinfo", utc)?;
        let time = time.call_method("replace", (), Some(&kwargs))?;
        // A zone that this machine does not know stays UTC: the same point in time.
        match self.py.import("zoneinfo")?.getattr("ZoneInfo")?.call1((zone.as_ref(),)) {
            Ok(zone) => Ok(self.known(time.call_method1("astimezone", (zone,)))?.unwrap_or(time)),
            Err(_) => Ok(time),
        }
    }
}
