//! Frames as record batches of Arrow, and the formats that are made of them.

use std::io::Write;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, PrimitiveArray, RecordBatch, StructArray, make_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, TimeUnit as ArrowUnit};

use super::arrow_cells::of_cells;
use super::arrow_column::Chunk;
use super::arrow_type::ArrowType;
use super::{Options, check_rows, fields, pandas_metadata};
use crate::cell::Cell;
use crate::error::{Error, ErrorKind, Result};
use crate::numpy::{DTypeKind, NdArray, native_order};
use crate::pandas::{DataFrame, Values};
use crate::time::TimeUnit;

/// A frame as one record batch: by the convention of pandas' `to_parquet`.
///
/// Numbers and times are shared with the graph where they lie aligned and one after the other.
///
/// # Errors
///
/// If a column has no type of Arrow: complex numbers, objects of several types.
///
/// ```
/// use picklevm_data::{Cell, numpy::{DType, NdArray}, pandas::{Column, DataFrame, Index, Values}, table};
///
/// let numbers = NdArray::new(DType::parse("<i2").unwrap(), vec![2], vec![1, 0, 2, 0])?;
/// let column = Column::new(Cell::Str("n".into()), Values::Array(numbers));
/// let frame = DataFrame::new(vec![column], Index::range(2))?;
/// let batch = table::to_batch(&frame, table::Options::default())?;
/// assert_eq!((batch.num_rows(), batch.schema().field(0).name().as_str()), (2, "n"));
/// # Ok::<(), picklevm_data::Error>(())
/// ```
pub fn to_batch(frame: &DataFrame<'_>, options: Options) -> Result<RecordBatch> {
    check_rows(frame)?;
    let fields = fields(frame, options);
    let mut columns = Vec::with_capacity(fields.len());
    for field in &fields {
        let array = array(field.column.values());
        columns.push(array.map_err(|error| error.inside(format!("column {:?}", field.name)))?);
    }
    let schema = schema_of(frame, options, &fields, columns.iter().map(|column| column.data_type()).collect());
    let rows = arrow_array::RecordBatchOptions::new().with_row_count(Some(frame.rows()));
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &rows).map_err(arrow_error)
}

/// The schema of columns of these types, with what pandas writes beside it.
pub(super) fn schema_of(
    frame: &DataFrame<'_>,
    options: Options,
    fields: &[super::Field<'_, '_>],
    types: Vec<&DataType>,
) -> Schema {
    let text = pandas_metadata::describe(frame, options, fields, &types);
    let field = |(field, kind): (&super::Field<'_, '_>, &DataType)| Field::new(&field.name, kind.clone(), true);
    let fields: Vec<Field> = fields.iter().zip(types).map(field).collect();
    Schema::new_with_metadata(fields, [(pandas_metadata::KEY, text)])
}

pub(super) fn arrow_error(error: ArrowError) -> Error {
    Error::other(ErrorKind::Unsupported, error)
}

/// Writes a frame as a file of Arrow's IPC format (Feather 2).
///
/// # Errors
///
/// Those of [`to_batch`], and of the writer.
pub fn write_ipc(frame: &DataFrame<'_>, options: Options, out: impl Write) -> Result<()> {
    let batch = to_batch(frame, options)?;
    let mut writer = arrow_ipc::writer::FileWriter::try_new(out, &batch.schema()).map_err(arrow_error)?;
    writer.write(&batch).and_then(|()| writer.finish()).map_err(arrow_error)
}

/// The values of a column as an array.
pub(super) fn array(values: &Values<'_>) -> Result<ArrayRef> {
    match values {
        Values::Array(array) if !array.dtype().has_objects() => match shared(array, None)? {
            Some(array) => Ok(array),
            None => collected(values),
        },
        Values::Zoned { array, zone } => match shared(array, Some(zone))? {
            Some(array) => Ok(array),
            None => collected(values),
        },
        Values::Masked { array, mask } => {
            let hidden = mask.to_bytes(native_order())?;
            match shared(array, None)? {
                Some(array) => {
                    let valid = NullBuffer::new(BooleanBuffer::collect_bool(hidden.len(), |at| hidden[at] == 0));
                    let data = array.to_data().into_builder().nulls(Some(valid)).build().map_err(arrow_error)?;
                    Ok(make_array(data))
                }
                None => collected(values),
            }
        }
        Values::Category { codes, categories, is_category: true, .. } => {
            let dictionary = array_of_level(categories)?;
            let len = dictionary.len() as i64;
            let mut keys = Vec::with_capacity(codes.len());
            for code in codes.cells() {
                keys.push(match code?.as_i64() {
                    Some(-1) => None,
                    Some(code) if (0..len).contains(&code) => Some(code as i32),
                    _ => return Err(Error::malformed("a code without a category")),
                });
            }
            let keys = PrimitiveArray::<Int32Type>::from_iter(keys);
            Ok(Arc::new(DictionaryArray::try_new(keys, dictionary).map_err(arrow_error)?))
        }
        Values::Arrow(column) => {
            let chunks = column.chunks.iter().map(|chunk| Ok(make_array(data(chunk)?))).collect::<Result<Vec<_>>>()?;
            match &chunks[..] {
                [] => Ok(arrow_array::new_empty_array(&data_type(&column.kind)?)),
                [only] => Ok(only.clone()),
                several => {
                    let several: Vec<&dyn Array> = several.iter().map(|chunk| &**chunk).collect();
                    arrow_select::concat::concat(&several).map_err(arrow_error)
                }
            }
        }
        Values::Interval { left, right, .. } => {
            let ends = [array(left)?, array(right)?];
            let valid = NullBuffer::from_iter((0..values.len()).map(|at| !matches!(values.cell(at), Ok(Cell::Null))));
            let names = ["left", "right"].into_iter().zip(&ends);
            let fields: Fields = names.map(|(name, end)| Field::new(name, end.data_type().clone(), true)).collect();
            Ok(Arc::new(StructArray::try_new(fields, ends.to_vec(), Some(valid)).map_err(arrow_error)?))
        }
        values => collected(values),
    }
}

/// Categories: text as a dictionary of Arrow has it.
fn array_of_level(values: &Values<'_>) -> Result<ArrayRef> {
    match array(values)? {
        // A dictionary in a dictionary is none that anybody reads.
        array if matches!(array.data_type(), DataType::Dictionary(..)) => collected(values),
        array => Ok(array),
    }
}

fn unit(unit: TimeUnit) -> Option<ArrowUnit> {
    Some(match unit {
        TimeUnit::Second => ArrowUnit::Second,
        TimeUnit::Milli => ArrowUnit::Millisecond,
        TimeUnit::Micro => ArrowUnit::Microsecond,
        TimeUnit::Nano => ArrowUnit::Nanosecond,
        _ => return None,
    })
}

/// The type of Arrow for an array whose bytes Arrow can have as they lie; `None` of others.
pub(super) fn shared_type(array: &NdArray<'_>, zone: Option<&str>) -> Option<DataType> {
    Some(match (array.dtype().kind(), array.dtype().size()) {
        (DTypeKind::Bool, _) => DataType::Boolean,
        (DTypeKind::Int, 1) => DataType::Int8,
        (DTypeKind::Int, 2) => DataType::Int16,
        (DTypeKind::Int, 4) => DataType::Int32,
        (DTypeKind::Int, _) => DataType::Int64,
        (DTypeKind::UInt, 1) => DataType::UInt8,
        (DTypeKind::UInt, 2) => DataType::UInt16,
        (DTypeKind::UInt, 4) => DataType::UInt32,
        (DTypeKind::UInt, _) => DataType::UInt64,
        (DTypeKind::Float, 2) => DataType::Float16,
        (DTypeKind::Float, 4) => DataType::Float32,
        (DTypeKind::Float, 8) => DataType::Float64,
        (DTypeKind::Instant { unit: u, per: 1 }, _) => DataType::Timestamp(unit(*u)?, zone.map(Arc::from)),
        (DTypeKind::Delta { unit: u, per: 1 }, _) => DataType::Duration(unit(*u)?),
        _ => return None,
    })
}

/// An array of numbers or times whose bytes Arrow can have as they lie; `None` of others.
fn shared(array: &NdArray<'_>, zone: Option<&str>) -> Result<Option<ArrayRef>> {
    if array.shape().len() != 1 {
        return Err(Error::malformed("a column that is no array of one axis"));
    }
    let Some(kind) = shared_type(array, zone) else { return Ok(None) };
    if kind == DataType::Boolean {
        let bytes = array.to_bytes(native_order())?;
        let bits = BooleanBuffer::collect_bool(bytes.len(), |at| bytes[at] != 0);
        return Ok(Some(Arc::new(BooleanArray::new(bits, None))));
    }
    let bytes = array.to_bytes(native_order())?;
    // What is missing inside of the numbers: NaN and NaT, as pandas writes them to Arrow.
    let valid = match (array.dtype().kind(), array.dtype().size()) {
        (DTypeKind::Float, 2) => without(&bytes, |bytes| half::f16::from_ne_bytes(bytes).is_nan()),
        (DTypeKind::Float, 4) => without(&bytes, |bytes| f32::from_ne_bytes(bytes).is_nan()),
        (DTypeKind::Float, _) => without(&bytes, |bytes| f64::from_ne_bytes(bytes).is_nan()),
        (DTypeKind::Instant { .. } | DTypeKind::Delta { .. }, _) => {
            without(&bytes, |bytes| i64::from_ne_bytes(bytes) == crate::time::NAT)
        }
        _ => None,
    };
    let builder = ArrayData::builder(kind).len(array.len()).add_buffer(Buffer::from(bytes)).nulls(valid);
    Ok(Some(make_array(builder.align_buffers(true).build().map_err(arrow_error)?)))
}

/// The validity of values; none if all are valid.
pub(super) fn nulls(valid: impl Iterator<Item = bool>) -> Option<NullBuffer> {
    Some(NullBuffer::from_iter(valid)).filter(|valid| valid.null_count() > 0)
}

/// The validity of values of `N` bytes each, some of which mean that there is none; `None` if no such value is among them.
fn without<const N: usize>(bytes: &[u8], is_missing: impl Fn([u8; N]) -> bool) -> Option<NullBuffer> {
    /// Values that are looked at together, without a branch for each: the compiler makes vector instructions of it.
    const TOGETHER: usize = 1024;
    let (values, _) = bytes.as_chunks::<N>();
    let has_missing = |values: &[[u8; N]]| values.iter().fold(false, |found, value| found | is_missing(*value));
    if !values.chunks(TOGETHER).any(has_missing) {
        return None;
    }
    Some(NullBuffer::new(BooleanBuffer::collect_bool(values.len(), |at| !is_missing(values[at]))))
}

/// Values that are read one by one, as the type that all have.
fn collected(values: &Values<'_>) -> Result<ArrayRef> {
    let cells = (0..values.len()).map(|at| values.cell(at)).collect::<Result<Vec<_>>>()?;
    let array = of_cells(&cells, 8)?;
    // The width that the values have where they are kept: of a level of an index, of sparse numbers.
    match values.numpy_name().as_deref() {
        Some(name) if array.data_type().is_primitive() || array.data_type().is_null() => match numpy_type(name) {
            Some(kind) if kind != *array.data_type() => arrow_cast(&array, &kind),
            _ => Ok(array),
        },
        _ => Ok(array),
    }
}

fn arrow_cast(array: &ArrayRef, kind: &DataType) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Null => Ok(arrow_array::new_null_array(kind, array.len())),
        _ => Ok(array.clone()),
    }
}

fn numpy_type(name: &str) -> Option<DataType> {
    let dtype = crate::numpy::DType::of_type_name(name)?;
    Some(match (dtype.kind(), dtype.size()) {
        (DTypeKind::Float, 8) => DataType::Float64,
        (DTypeKind::Float, 4) => DataType::Float32,
        (DTypeKind::Int, 8) => DataType::Int64,
        (DTypeKind::Bool, _) => DataType::Boolean,
        _ => return None,
    })
}

/// The type of the crate `arrow` for one of pyarrow's.
pub(super) fn data_type(kind: &ArrowType) -> Result<DataType> {
    let unit = |u: TimeUnit| unit(u).ok_or_else(|| Error::unsupported(format!("the unit {} in Arrow", u.name())));
    let item = |kind: &ArrowType| Ok::<_, Error>(Arc::new(Field::new("item", data_type(kind)?, true)));
    Ok(match kind {
        ArrowType::Null => DataType::Null,
        ArrowType::Bool => DataType::Boolean,
        ArrowType::Int(8) => DataType::Int8,
        ArrowType::Int(16) => DataType::Int16,
        ArrowType::Int(32) => DataType::Int32,
        ArrowType::Int(_) => DataType::Int64,
        ArrowType::UInt(8) => DataType::UInt8,
        ArrowType::UInt(16) => DataType::UInt16,
        ArrowType::UInt(32) => DataType::UInt32,
        ArrowType::UInt(_) => DataType::UInt64,
        ArrowType::Float(16) => DataType::Float16,
        ArrowType::Float(32) => DataType::Float32,
        ArrowType::Float(_) => DataType::Float64,
        ArrowType::Utf8 => DataType::Utf8,
        ArrowType::LargeUtf8 => DataType::LargeUtf8,
        ArrowType::Utf8View => DataType::Utf8View,
        ArrowType::Binary => DataType::Binary,
        ArrowType::LargeBinary => DataType::LargeBinary,
        ArrowType::BinaryView => DataType::BinaryView,
        ArrowType::FixedBinary(size) => DataType::FixedSizeBinary(i32::try_from(*size).unwrap_or(i32::MAX)),
        ArrowType::Date32 => DataType::Date32,
        ArrowType::Date64 => DataType::Date64,
        ArrowType::Timestamp(u, zone) => DataType::Timestamp(unit(*u)?, zone.as_deref().map(Arc::from)),
        ArrowType::Time32(u) => DataType::Time32(unit(*u)?),
        ArrowType::Time64(u) => DataType::Time64(unit(*u)?),
        ArrowType::Duration(u) => DataType::Duration(unit(*u)?),
        ArrowType::Decimal(32, precision, scale) => DataType::Decimal32(*precision, *scale),
        ArrowType::Decimal(64, precision, scale) => DataType::Decimal64(*precision, *scale),
        ArrowType::Decimal(128, precision, scale) => DataType::Decimal128(*precision, *scale),
        ArrowType::Decimal(_, precision, scale) => DataType::Decimal256(*precision, *scale),
        ArrowType::List(kind) => DataType::List(item(kind)?),
        ArrowType::LargeList(kind) => DataType::LargeList(item(kind)?),
        ArrowType::FixedList(kind, size) => {
            DataType::FixedSizeList(item(kind)?, i32::try_from(*size).unwrap_or(i32::MAX))
        }
        ArrowType::Struct(fields) => {
            let field = |(name, kind): &(String, ArrowType)| Ok::<_, Error>(Field::new(name, data_type(kind)?, true));
            DataType::Struct(fields.iter().map(field).collect::<Result<Vec<_>>>()?.into())
        }
        ArrowType::Dictionary(index, values, _) => {
            DataType::Dictionary(Box::new(data_type(index)?), Box::new(data_type(values)?))
        }
    })
}

/// The parts of an array, checked by the crate `arrow` itself.
fn data(chunk: &Chunk) -> Result<ArrayData> {
    let kind = data_type(&chunk.kind)?;
    let buffers = chunk.buffers.iter().skip(1).map(|buffer| Buffer::from(buffer.clone().unwrap_or_default()));
    let mut builder = ArrayData::builder(kind).len(chunk.len).offset(chunk.offset);
    for buffer in buffers {
        builder = builder.add_buffer(buffer);
    }
    // A buffer that is not there where there is nothing to put into it.
    if matches!(chunk.kind, ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Binary | ArrowType::LargeBinary)
        && chunk.buffers.len() == 2
    {
        builder = builder.add_buffer(Buffer::from(Vec::<u8>::new()));
    }
    if chunk.len == 0 {
        return Ok(ArrayData::new_empty(&data_type(&chunk.kind)?));
    }
    if let Some(Some(validity)) = chunk.buffers.first().filter(|_| chunk.kind != ArrowType::Null) {
        builder = builder.null_bit_buffer(Some(Buffer::from(validity.clone())));
    }
    for child in chunk.children.iter().chain(chunk.dictionary.as_deref()) {
        builder = builder.add_child_data(data(child)?);
    }
    builder.align_buffers(true).build().map_err(|error| Error::other(ErrorKind::Malformed, error))
}
