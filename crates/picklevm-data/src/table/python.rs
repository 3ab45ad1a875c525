//! Tables and arrays of pyarrow and Polars, as frames and series.

use picklevm::Value;

use super::arrow_column::ArrowColumn;
#[cfg(feature = "arrow")]
use super::arrow_column::Chunk;
use super::arrow_type::{ArrowType, field};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::item::Reader;
use crate::names::{Form, form};
use crate::numpy::text_of;
use crate::pandas::{Column, DataFrame, Index, Series, Values};

/// A table of pyarrow or Polars.
pub(crate) fn frame<'g>(value: Value<'g>, _reader: &Reader<'g, '_>) -> Result<DataFrame<'g>> {
    if form(value) == Some(Form::PolarsFrame) {
        return polars(value);
    }
    // `_reconstruct_table(arrays, schema)`, `_reconstruct_record_batch(columns, schema)`.
    let args = value.as_object().map(|object| object.args());
    let parts = args.and_then(|args| Some((args.get(0)?, args.get(1)?)));
    let (arrays, schema) = parts.ok_or_else(|| Error::malformed("a table of Arrow without arrays and a schema"))?;
    let fields = schema.as_object().and_then(|object| object.args().get(0)).map(Value::items);
    let fields = fields.ok_or_else(|| Error::expected("a schema of Arrow", schema))?;
    if fields.len() != arrays.len() {
        return Err(Error::malformed(format!("{} fields and {} arrays", fields.len(), arrays.len())));
    }
    let mut columns = Vec::with_capacity(arrays.len());
    for (named, array) in fields.zip(arrays.items()) {
        let (name, kind) = field(named);
        let column = ArrowColumn::from_value(array, None)?;
        let column = match column.chunks.is_empty() {
            true => ArrowColumn::new(ArrowType::from_value(kind)?, Vec::new(), None)?,
            false => column,
        };
        let name = name.map(text_of).transpose()?.unwrap_or_default();
        columns.push(Column::new(Cell::Str(name.into()), Values::Arrow(column)));
    }
    let rows = columns.first().map_or(0, Column::len);
    DataFrame::new(columns, Index::range(rows))
}

/// An array of pyarrow, a series of Polars.
pub(crate) fn series<'g>(value: Value<'g>, _reader: &Reader<'g, '_>) -> Result<Series<'g>> {
    if form(value) == Some(Form::PolarsSeries) {
        let frame = polars(value)?;
        let column = frame.columns.into_iter().next();
        return Series::new(
            column.ok_or_else(|| Error::malformed("a series of Polars without a column"))?,
            frame.index,
        );
    }
    let column = ArrowColumn::from_value(value, None)?;
    let rows = column.len();
    Series::new(Column::new(Cell::Null, Values::Arrow(column)), Index::range(rows))
}

/// Polars keeps its data as a stream of Arrow's IPC format.
#[cfg(feature = "arrow")]
fn polars<'g>(value: Value<'g>) -> Result<DataFrame<'g>> {
    let bad = || Error::unsupported("a frame of Polars in a form without Arrow's IPC format");
    let state = value.as_object().and_then(|object| object.state()).ok_or_else(bad)?;
    // A list of series before 0.20, the bytes of all columns since.
    let columns = state.get("columns").or(state.get("_df")).unwrap_or(state);
    if columns.as_list().is_some() {
        let mut all = Vec::new();
        for series in columns.items() {
            all.extend(polars(series)?.columns);
        }
        let rows = all.first().map_or(0, Column::len);
        return DataFrame::new(all, Index::range(rows));
    }
    let bytes = match columns.kind() {
        picklevm::Kind::Object(_) => return polars(columns),
        _ => crate::numpy::bytes_of(columns)?,
    };
    super::polars::read(bytes)
}

#[cfg(not(feature = "arrow"))]
fn polars<'g>(_: Value<'g>) -> Result<DataFrame<'g>> {
    Err(Error::unsupported("frames of Polars take the feature `arrow`"))
}

/// A column of chunks that are no pickle's: those of a file.
#[cfg(feature = "arrow")]
pub(crate) fn column_of<'g>(kind: ArrowType, chunks: Vec<Chunk>) -> Result<Values<'g>> {
    Ok(Values::Arrow(ArrowColumn::new(kind, chunks, None)?))
}
