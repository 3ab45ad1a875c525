//! pandas: frames, series and indexes of every version from 0.20 to 3.1; tables of pyarrow and Polars as frames.

mod extension;
mod index;
mod manager;
mod periods;
mod scalar;
mod values;
mod write;

use std::fmt;

use picklevm::Value;

pub use index::{Index, IndexKind};
pub use values::{Column, Values};
pub use write::{frame_to_python, index_to_python, series_to_python};

#[cfg(feature = "arrow")]
pub(crate) use index::range;
pub(crate) use manager::attr;
pub(crate) use scalar::cell as scalar_cell;

use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::item::Reader;
use crate::names::Form;

/// A frame: columns of one length, and an index.
#[derive(Clone)]
pub struct DataFrame<'g> {
    pub(crate) columns: Vec<Column<'g>>,
    pub(crate) index: Index<'g>,
    /// The names of the levels of the column labels; of those without one there may be nothing.
    pub(crate) label_names: Vec<Cell<'g>>,
}

/// A column with an index.
#[derive(Clone)]
pub struct Series<'g> {
    pub(crate) column: Column<'g>,
    pub(crate) index: Index<'g>,
}

/// Which of the three containers a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Frame,
    Series,
    Index,
}

/// Which container of pandas a value is: by its class, or for subclasses by the `_typ` that each keeps in its state.
pub(crate) fn container(value: Value<'_>, form: Option<Form>) -> Option<Container> {
    match form {
        Some(Form::DataFrame | Form::ArrowTable | Form::ArrowBatch | Form::PolarsFrame) => Some(Container::Frame),
        Some(Form::Series | Form::ArrowRestore | Form::ArrowChunked | Form::PolarsSeries) => Some(Container::Series),
        Some(Form::NewIndex | Form::NewDatetimeIndex | Form::NewPeriodIndex) => Some(Container::Index),
        Some(_) => None,
        None => match value.attr("_typ")?.as_str()? {
            "dataframe" => Some(Container::Frame),
            "series" => Some(Container::Series),
            _ => None,
        },
    }
}

impl<'g> DataFrame<'g> {
    /// A frame of columns, with an index.
    ///
    /// # Errors
    ///
    /// If the columns and the index are not of one length.
    pub fn new(columns: Vec<Column<'g>>, index: Index<'g>) -> Result<DataFrame<'g>> {
        let rows = index.len();
        match columns.iter().find(|column| column.len() != rows) {
            Some(column) => Err(Error::malformed(format!(
                "the column {} has {} values, and the index {rows}",
                column.label(),
                column.len()
            ))),
            None => Ok(DataFrame { columns, index, label_names: Vec::new() }),
        }
    }

    /// The frame that a value is.
    ///
    /// # Errors
    ///
    /// If it is none, or contradicts itself.
    pub fn from_value(value: Value<'g>) -> Result<DataFrame<'g>> {
        DataFrame::read(value, &Reader::new(value, &crate::SelfContained))
    }

    pub(crate) fn read(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<DataFrame<'g>> {
        match crate::names::form(value) {
            Some(Form::ArrowTable | Form::ArrowBatch | Form::PolarsFrame) => crate::table::python::frame(value, reader),
            _ => manager::frame(value, reader),
        }
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.index.len()
    }

    /// The columns.
    pub fn columns(&self) -> &[Column<'g>] {
        &self.columns
    }

    /// The index.
    pub fn index(&self) -> &Index<'g> {
        &self.index
    }
}

impl<'g> Series<'g> {
    /// A column with an index.
    ///
    /// # Errors
    ///
    /// If they are not of one length.
    pub fn new(column: Column<'g>, index: Index<'g>) -> Result<Series<'g>> {
        let frame = DataFrame::new(vec![column], index)?;
        Ok(Series { column: frame.columns[0].clone(), index: frame.index })
    }

    /// The series that a value is.
    ///
    /// # Errors
    ///
    /// If it is none, or contradicts itself.
    pub fn from_value(value: Value<'g>) -> Result<Series<'g>> {
        Series::read(value, &Reader::new(value, &crate::SelfContained))
    }

    pub(crate) fn read(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<Series<'g>> {
        match crate::names::form(value) {
            Some(Form::ArrowRestore | Form::ArrowChunked | Form::PolarsSeries) => {
                crate::table::python::series(value, reader)
            }
            _ => manager::series(value, reader),
        }
    }

    /// The name and the values.
    pub fn column(&self) -> &Column<'g> {
        &self.column
    }

    /// The index.
    pub fn index(&self) -> &Index<'g> {
        &self.index
    }

    /// The series as a frame of one column.
    pub fn to_frame(&self) -> DataFrame<'g> {
        let (columns, index) = (vec![self.column.clone()], self.index.clone());
        DataFrame { columns, index, label_names: Vec::new() }
    }
}

/// A row of names and types, and the first rows.
impl fmt::Display for DataFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::table::print::frame(self, f)
    }
}

impl fmt::Debug for DataFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataFrame").field("columns", &self.columns).field("rows", &self.rows()).finish()
    }
}

impl fmt::Debug for Series<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series").field("column", &self.column).finish_non_exhaustive()
    }
}

/// A label as pandas and pyarrow turn it into text; `None` of a label that is `None`.
pub(crate) fn label_text(label: &Cell<'_>) -> Option<String> {
    match label {
        Cell::Null => None,
        Cell::List(parts) => {
            let mut out = String::from("(");
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                match label_text(part) {
                    Some(text) => out.push_str(&picklevm::ops::repr::Str(text[..].into()).to_string()),
                    None => out.push_str("None"),
                }
            }
            out.push_str(if parts.len() == 1 { ",)" } else { ")" });
            Some(out)
        }
        Cell::Instant(time) => {
            let text = time.to_string().replace('T', " ").replace('Z', "+00:00");
            let text = if text.len() == 10 { format!("{text} 00:00:00") } else { text };
            Some(match text.split_once('.') {
                Some((whole, fraction)) if fraction.chars().all(|c| c == '0') => whole.to_owned(),
                _ => text,
            })
        }
        Cell::Object(value) => match value.as_tuple() {
            Some(items) => label_text(&Cell::List(items.map(crate::text::resolve).collect())),
            None => Some(crate::key::repr(*value)),
        },
        cell => Some(crate::text::plain(cell)),
    }
}
