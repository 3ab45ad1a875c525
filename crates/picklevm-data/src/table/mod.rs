//! Tables: columns of pandas and Arrow, and the formats that they are written in.

#[cfg(feature = "arrow")]
mod arrow_cells;
mod arrow_column;
mod arrow_type;
#[cfg(feature = "arrow")]
mod csv;
#[cfg(feature = "arrow")]
mod from_arrow;
#[cfg(feature = "arrow")]
mod pandas_metadata;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "arrow")]
mod polars;
pub(crate) mod print;
pub(crate) mod python;
mod text_formats;
#[cfg(feature = "arrow")]
mod to_arrow;

pub use arrow_column::ArrowColumn;
pub use arrow_type::ArrowType;
#[cfg(feature = "arrow")]
pub use csv::{CsvType, read_csv};
#[cfg(feature = "parquet")]
pub use from_arrow::read_parquet;
#[cfg(feature = "arrow")]
pub use from_arrow::{from_batches, read_ipc, read_jsonl};
#[cfg(feature = "parquet")]
pub use parquet::write_parquet;
pub use text_formats::{write_csv, write_jsonl};
#[cfg(feature = "arrow")]
pub use to_arrow::{to_batch, write_ipc};

use crate::cell::Cell;
use crate::error::{Error, ErrorKind, Result};
use crate::pandas::{Column, DataFrame, IndexKind, Values};

/// Options for writing a frame as columns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether the index becomes columns also where it is a range, which readers of these formats make themselves.
    pub index: bool,
}

/// A column of what is written, and its name.
pub(crate) struct Field<'a, 'g> {
    pub(crate) name: String,
    pub(crate) column: &'a Column<'g>,
}

/// The columns that are written, by the convention of pandas' `to_parquet`: those of the frame, then those of the index
/// unless it is a range; a level of the index without a name, or with one that a column has, is `__index_level_N__`.
pub(crate) fn fields<'a, 'g>(frame: &'a DataFrame<'g>, options: Options) -> Vec<Field<'a, 'g>> {
    let column = |column: &'a Column<'g>| Field { name: column.name().unwrap_or_else(|| "None".to_owned()), column };
    let mut fields: Vec<Field<'a, 'g>> = frame.columns().iter().map(column).collect();
    let written = options.index || frame.index().kind() != IndexKind::Range;
    if written {
        let taken: std::collections::HashSet<String> = fields.iter().map(|field| field.name.clone()).collect();
        for (at, level) in frame.index().levels().iter().enumerate() {
            let name = level.name().filter(|name| !taken.contains(name));
            fields.push(Field { name: name.unwrap_or_else(|| format!("__index_level_{at}__")), column: level });
        }
    }
    // A series without a name is the column "0", as pandas' `to_frame` has it.
    if let ([only], [first, ..]) = (frame.columns(), &mut fields[..])
        && matches!(only.key(), Cell::Null)
    {
        first.name = "0".to_owned();
    }
    fields
}

/// The columns that a frame is written as, with their names: those of the frame, then those of the index unless it is a range, as
/// pandas' `to_parquet` has them.
pub fn columns<'a, 'g>(frame: &'a DataFrame<'g>, options: Options) -> Vec<(String, &'a Column<'g>)> {
    fields(frame, options).into_iter().map(|field| (field.name, field.column)).collect()
}

/// Whether the rows of a frame are in proportion to its data: an index may claim any number of them.
///
/// # Errors
///
/// If no column has data for so many rows.
pub fn check_rows(frame: &DataFrame<'_>) -> Result<()> {
    /// Rows that need no data.
    const MAX_ROWS: usize = 1 << 27;
    let has_data = |column: &Column<'_>| match column.values() {
        Values::Range { .. } | Values::Sparse { .. } => false,
        values => values.array().is_none_or(|array| array.dtype().size() > 0),
    };
    if frame.rows() > MAX_ROWS && !frame.columns().iter().chain(frame.index().levels()).any(has_data) {
        let message = format!("{} rows that no column has data for", frame.rows());
        return Err(Error::new(ErrorKind::Limit, message));
    }
    Ok(())
}
