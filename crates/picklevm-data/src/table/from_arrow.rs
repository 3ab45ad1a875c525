//! Record batches of Arrow, and the formats that are read into them, as frames.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit as ArrowUnit};
use bytes::Bytes;

use super::arrow_column::Chunk;
use super::arrow_type::ArrowType;
use super::pandas_metadata::restore;
use super::python::column_of;
use crate::cell::Cell;
use crate::error::{Error, ErrorKind, Result};
use crate::pandas::{Column, DataFrame, Index};
use crate::time::TimeUnit;

fn malformed(error: ArrowError) -> Error {
    Error::other(ErrorKind::Malformed, error)
}

/// Record batches as a frame with an index from 0. The buffers are shared.
///
/// # Errors
///
/// If a column has a type that pandas has nothing for.
pub fn from_batches(schema: &Schema, batches: &[RecordBatch]) -> Result<DataFrame<'static>> {
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        let kind = kind(field.data_type()).map_err(|error| error.inside(format!("column {:?}", field.name())))?;
        let chunks = batches.iter().map(|batch| chunk(&batch.column(at).to_data())).collect::<Result<_>>()?;
        columns.push(Column::new(Cell::Str(field.name().clone().into()), column_of(kind, chunks)?));
    }
    DataFrame::new(columns, Index::range(rows))
}

/// Reads a .parquet file.
///
/// # Errors
///
/// If it is none, or has a type that pandas has nothing for.
#[cfg(feature = "parquet")]
pub fn read_parquet(data: Bytes) -> Result<DataFrame<'static>> {
    let error = |error| Error::other(ErrorKind::Malformed, error);
    let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(data).map_err(error)?;
    let schema = builder.schema().clone();
    let batches = builder.build().map_err(error)?.collect::<Result<Vec<_>, _>>().map_err(malformed)?;
    restore(from_batches(&schema, &batches)?, &schema)
}

/// Reads a file of Arrow's IPC format (Feather 2), or a stream of it.
///
/// # Errors
///
/// If it is none, or has a type that pandas has nothing for.
pub fn read_ipc(data: Bytes) -> Result<DataFrame<'static>> {
    if !data.starts_with(b"ARROW1") {
        let (frame, schema) = read_ipc_stream(data)?;
        return restore(frame, &schema);
    }
    let reader = arrow_ipc::reader::FileReader::try_new(Cursor::new(data), None).map_err(malformed)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(malformed)?;
    restore(from_batches(&schema, &batches)?, &schema)
}

/// Reads a stream of Arrow's IPC format.
pub(super) fn read_ipc_stream(data: Bytes) -> Result<(DataFrame<'static>, Arc<Schema>)> {
    let reader = arrow_ipc::reader::StreamReader::try_new(Cursor::new(data), None).map_err(malformed)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(malformed)?;
    Ok((from_batches(&schema, &batches)?, schema))
}

/// Reads a .jsonl file: an object a line. Types are those that all values have.
///
/// # Errors
///
/// If a line is no object, or values of one name have several types.
pub fn read_jsonl(data: Bytes) -> Result<DataFrame<'static>> {
    let (schema, _) = arrow_json::reader::infer_json_schema(Cursor::new(&data), None).map_err(malformed)?;
    // The order of the first line, where the inferred schema has that of a map.
    let order = key_order(&data);
    let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
    fields.sort_by_key(|field| order.iter().position(|name| name == field.name()).unwrap_or(usize::MAX));
    let schema = Arc::new(Schema::new(fields));
    let reader = arrow_json::ReaderBuilder::new(schema.clone()).build(Cursor::new(data));
    let batches = reader.and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(malformed)?;
    restore(from_batches(&schema, &batches)?, &schema)
}

/// The keys of the first object in a text of JSON, in its order.
fn key_order(data: &[u8]) -> Vec<String> {
    struct Keys;
    impl<'de> serde::de::Visitor<'de> for Keys {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                keys.push(key);
            }
            Ok(keys)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_slice(data);
    serde::de::Deserializer::deserialize_map(&mut deserializer, Keys).unwrap_or_default()
}

fn unit(unit: &ArrowUnit) -> TimeUnit {
    match unit {
        ArrowUnit::Second => TimeUnit::Second,
        ArrowUnit::Millisecond => TimeUnit::Milli,
        ArrowUnit::Microsecond => TimeUnit::Micro,
        ArrowUnit::Nanosecond => TimeUnit::Nano,
    }
}

/// The type of pyarrow for one of the crate `arrow`.
fn kind(kind: &DataType) -> Result<ArrowType> {
    let inner = |field: &arrow_schema::Field| self::kind(field.data_type()).map(Box::new);
    Ok(match kind {
        DataType::Null => ArrowType::Null,
        DataType::Boolean => ArrowType::Bool,
        DataType::Int8 => ArrowType::Int(8),
        DataType::Int16 => ArrowType::Int(16),
        DataType::Int32 => ArrowType::Int(32),
        DataType::Int64 => ArrowType::Int(64),
        DataType::UInt8 => ArrowType::UInt(8),
        DataType::UInt16 => ArrowType::UInt(16),
        DataType::UInt32 => ArrowType::UInt(32),
        DataType::UInt64 => ArrowType::UInt(64),
        DataType::Float16 => ArrowType::Float(16),
        DataType::Float32 => ArrowType::Float(32),
        DataType::Float64 => ArrowType::Float(64),
        DataType::Utf8 => ArrowType::Utf8,
        DataType::LargeUtf8 => ArrowType::LargeUtf8,
        DataType::Utf8View => ArrowType::Utf8View,
        DataType::Binary => ArrowType::Binary,
        DataType::LargeBinary => ArrowType::LargeBinary,
        DataType::BinaryView => ArrowType::BinaryView,
        DataType::FixedSizeBinary(size) => ArrowType::FixedBinary(usize::try_from(*size).unwrap_or(0)),
        DataType::Date32 => ArrowType::Date32,
        DataType::Date64 => ArrowType::Date64,
        DataType::Timestamp(u, zone) => ArrowType::Timestamp(unit(u), zone.as_ref().map(|zone| zone.to_string())),
        DataType::Time32(u) => ArrowType::Time32(unit(u)),
        DataType::Time64(u) => ArrowType::Time64(unit(u)),
        DataType::Duration(u) => ArrowType::Duration(unit(u)),
        DataType::Decimal128(precision, scale) => ArrowType::Decimal(128, *precision, *scale),
        DataType::Decimal256(precision, scale) => ArrowType::Decimal(256, *precision, *scale),
        DataType::List(field) => ArrowType::List(inner(field)?),
        DataType::LargeList(field) => ArrowType::LargeList(inner(field)?),
        DataType::FixedSizeList(field, size) => {
            ArrowType::FixedList(inner(field)?, usize::try_from(*size).unwrap_or(0))
        }
        DataType::Struct(fields) => {
            let field = |field: &Arc<arrow_schema::Field>| Ok((field.name().clone(), self::kind(field.data_type())?));
            ArrowType::Struct(fields.iter().map(field).collect::<Result<_>>()?)
        }
        DataType::Dictionary(index, values) => {
            ArrowType::Dictionary(Box::new(self::kind(index)?), Box::new(self::kind(values)?), false)
        }
        kind => return Err(Error::unsupported(format!("the type {kind} of Arrow"))),
    })
}

/// A buffer of the crate `arrow`, for `Bytes` to own.
struct Owner(arrow_buffer::Buffer);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// The parts of an array.
fn chunk(data: &ArrayData) -> Result<Chunk> {
    let share = |buffer: &arrow_buffer::Buffer| Some(Bytes::from_owner(Owner(buffer.clone())));
    // The validity has an offset of its own; here all buffers have one.
    let validity = data.nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| {
        let mut bits = vec![0u8; (data.offset() + data.len()).div_ceil(8)];
        for at in (0..data.len()).filter(|at| nulls.is_valid(*at)) {
            let at = at + data.offset();
            bits[at / 8] |= 1 << (at % 8);
        }
        Bytes::from(bits)
    });
    let kind = kind(data.data_type())?;
    let is_dictionary = matches!(kind, ArrowType::Dictionary(..));
    let mut children = data.child_data().iter().map(chunk).collect::<Result<Vec<_>>>()?;
    let dictionary = if is_dictionary { children.pop().map(Box::new) } else { None };
    let buffers = std::iter::once(validity).chain(data.buffers().iter().map(share)).collect();
    Ok(Chunk { kind, len: data.len(), offset: data.offset(), buffers, children, dictionary })
}
