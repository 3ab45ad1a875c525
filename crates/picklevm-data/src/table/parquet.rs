//! .parquet: frames written some rows at a time.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, types};
use arrow_schema::{ArrowError, DataType, TimeUnit as ArrowUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::to_arrow::{array, arrow_error, schema_of, shared_type};
use super::{Options, check_rows, fields};
use crate::error::{Error, ErrorKind, Result};
use crate::pandas::{DataFrame, Values};

/// Rows that are made at once, and bytes of a row group in memory after which it is written.
const ROWS: usize = 1 << 16;
const ROW_GROUP_LEN: usize = 128 << 20;

/// Writes a frame as .parquet, compressed with Snappy as pandas does it.
///
/// Memory does not grow with the numbers and times of the frame: some rows are made at a time, and each row group is written
/// when it is full.
///
/// # Errors
///
/// Those of [`to_batch`](super::to_batch), two columns of one name, and errors of the writer.
pub fn write_parquet(frame: &DataFrame<'_>, options: Options, out: impl Write + Send) -> Result<()> {
    check_rows(frame)?;
    let fields = fields(frame, options);
    let mut names = std::collections::HashSet::new();
    if let Some(field) = fields.iter().find(|field| !names.insert(&field.name)) {
        return Err(Error::unsupported(format!("two columns are called {:?}, which .parquet cannot have", field.name)));
    }
    let mut columns = Vec::with_capacity(fields.len());
    for field in &fields {
        let made = Rows::new(field.column.values()).and_then(|rows| Ok((rows.part(0, 0)?.data_type().clone(), rows)));
        let (kind, rows) = made.map_err(|error| error.inside(format!("column {:?}", field.name)))?;
        columns.push((kind, rows));
    }
    let schema = Arc::new(schema_of(frame, options, &fields, columns.iter().map(|(kind, _)| kind).collect()));
    // Readers look for what pandas says in the metadata of the file, as well as in those of the schema.
    let metadata = schema.metadata().iter().map(|(key, text)| KeyValue::new(key.clone(), text.clone())).collect();
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let properties = properties.set_key_value_metadata(Some(metadata)).build();
    let parquet_error = |error| Error::other(ErrorKind::Unsupported, error);
    let mut writer = ArrowWriter::try_new(out, schema.clone(), Some(properties)).map_err(parquet_error)?;
    let mut start = 0;
    while start < frame.rows() {
        let len = ROWS.min(frame.rows() - start);
        let mut arrays = Vec::with_capacity(columns.len());
        for ((_, rows), field) in columns.iter().zip(&fields) {
            let part = rows.part(start, len);
            arrays.push(part.map_err(|error| error.inside(format!("column {:?}", field.name)))?);
        }
        let row_count = RecordBatchOptions::new().with_row_count(Some(len));
        let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &row_count).map_err(arrow_error)?;
        writer.write(&batch).map_err(parquet_error)?;
        if writer.memory_size() > ROW_GROUP_LEN {
            writer.flush().map_err(parquet_error)?;
        }
        start += len;
    }
    writer.close().map(drop).map_err(parquet_error)
}

/// The rows of a column.
enum Rows<'a, 'g> {
    /// Numbers and times, of which any part becomes an array of one type.
    Lazy(&'a Values<'g>),
    /// All of them: what type they have is known when all have been looked at.
    Made(ArrayRef),
}

impl<'a, 'g> Rows<'a, 'g> {
    fn new(values: &'a Values<'g>) -> Result<Rows<'a, 'g>> {
        let is_typed = match values {
            Values::Array(array) | Values::Masked { array, .. } => shared_type(array, None).is_some(),
            Values::Zoned { array, zone } => shared_type(array, Some(zone)).is_some(),
            _ => false,
        };
        if is_typed { Ok(Rows::Lazy(values)) } else { array(values).and_then(with_milliseconds).map(Rows::Made) }
    }

    fn part(&self, start: usize, len: usize) -> Result<ArrayRef> {
        match self {
            Rows::Lazy(values) => array(&values.rows(start, len)?).and_then(with_milliseconds),
            Rows::Made(array) => Ok(array.slice(start, len)),
        }
    }
}

/// Times in seconds as milliseconds, which is the largest unit that Parquet has.
fn with_milliseconds(column: ArrayRef) -> Result<ArrayRef> {
    use arrow_array::cast::AsArray;
    use types::{DurationMillisecondType, DurationSecondType, TimestampMillisecondType, TimestampSecondType};

    let milli =
        |ticks: i64| ticks.checked_mul(1000).ok_or_else(|| ArrowError::ComputeError("a time out of range".into()));
    Ok(match column.data_type() {
        DataType::Timestamp(ArrowUnit::Second, zone) => {
            let times = column.as_primitive::<TimestampSecondType>().try_unary::<_, TimestampMillisecondType, _>(milli);
            Arc::new(times.map_err(arrow_error)?.with_timezone_opt(zone.clone()))
        }
        DataType::Duration(ArrowUnit::Second) => {
            let spans = column.as_primitive::<DurationSecondType>().try_unary::<_, DurationMillisecondType, _>(milli);
            Arc::new(spans.map_err(arrow_error)?)
        }
        _ => column,
    })
}
