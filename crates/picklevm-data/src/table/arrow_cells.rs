//! Arrays of Arrow from cells of any kind: columns of objects.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, BooleanBuilder, Decimal128Builder, LargeStringBuilder, StringBuilder};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, ArrayRef, ListArray, NullArray, PrimitiveArray, StructArray, types};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields, TimeUnit as ArrowUnit};

use super::to_arrow::{arrow_error, nulls};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::numpy::NdArray;

/// What a cell is, of those that columns may consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    UInt,
    Float,
    Float32,
    Text,
    Bytes,
    Date,
    Instant { zoned: bool },
    Delta,
    Decimal,
    List,
    Record,
}

fn kind(cell: &Cell<'_>) -> Result<Option<Kind>> {
    Ok(Some(match cell {
        Cell::Null => return Ok(None),
        Cell::Bool(_) => Kind::Bool,
        Cell::Int(_) => Kind::Int,
        Cell::UInt(number) if i64::try_from(*number).is_ok() => Kind::Int,
        Cell::UInt(_) => Kind::UInt,
        Cell::Float32(_) => Kind::Float32,
        Cell::Float(_) => Kind::Float,
        Cell::Str(_) | Cell::Period { .. } => Kind::Text,
        Cell::Bytes(_) => Kind::Bytes,
        Cell::Instant(time) if time.is_date => Kind::Date,
        Cell::Instant(time) => Kind::Instant { zoned: time.zone.is_some() },
        Cell::Delta(_) => Kind::Delta,
        Cell::Decimal(_) => Kind::Decimal,
        Cell::List(_) => Kind::List,
        Cell::Record(_) => Kind::Record,
        Cell::Object(value) if value.as_list().is_some() || NdArray::from_value(*value).is_ok() => Kind::List,
        Cell::Complex(..) => return Err(Error::unsupported("Arrow has no complex numbers")),
        cell => return Err(Error::unsupported(format!("Arrow has no type for {}", crate::text::Shown(cell)))),
    }))
}

/// The type that all cells have.
fn common(cells: &[Cell<'_>]) -> Result<Option<Kind>> {
    let mut all = None;
    for cell in cells {
        // A missing value is NaN among objects of any type.
        let is_nan = matches!(cell, Cell::Float(float) if float.is_nan());
        all = match (all, kind(cell)?) {
            (all, None) => all,
            (None, here) => here,
            (all @ Some(_), _) if is_nan => all,
            (Some(Kind::Float), here) if cells.iter().all(|cell| !matches!(cell, Cell::Float(f) if !f.is_nan())) => {
                here
            }
            (Some(a), Some(b)) if a == b => Some(a),
            (Some(Kind::Int), Some(Kind::UInt)) | (Some(Kind::UInt), Some(Kind::Int)) => Some(Kind::UInt),
            (Some(Kind::Text), Some(Kind::Bytes)) | (Some(Kind::Bytes), Some(Kind::Text)) => Some(Kind::Bytes),
            (Some(a), Some(b)) => {
                return Err(Error::unsupported(
                    format!("objects of several types, {a:?} and {b:?}, are no column of Arrow").to_lowercase(),
                ));
            }
        };
    }
    Ok(all)
}

fn primitive<T: ArrowPrimitiveType>(
    cells: &[Cell<'_>],
    kind: DataType,
    value: impl Fn(&Cell<'_>) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let mut values = Vec::with_capacity(cells.len());
    for cell in cells {
        values.push(match cell {
            cell if cell.is_missing() => None,
            cell => Some(value(cell).ok_or_else(|| {
                Error::unsupported(format!("{} is out of range of the column's type {kind}", crate::text::Shown(cell)))
            })?),
        });
    }
    let array: PrimitiveArray<T> = values.into_iter().collect();
    Ok(Arc::new(array.with_data_type(kind)))
}

/// An array of cells that have one type.
pub(super) fn of_cells(cells: &[Cell<'_>], depth: usize) -> Result<ArrayRef> {
    let depth = depth.checked_sub(1).ok_or_else(|| Error::unsupported("lists nested more than eight deep"))?;
    let Some(kind) = common(cells)? else { return Ok(Arc::new(NullArray::new(cells.len()))) };
    let nanos = |cell: &Cell<'_>| match cell {
        Cell::Instant(time) => time.nanos(),
        Cell::Delta(delta) => delta.nanos(),
        _ => None,
    };
    // Nanoseconds if all are in their range, or else microseconds.
    let (unit, per) =
        match cells.iter().all(|cell| cell.is_missing() || nanos(cell).is_some_and(|n| i64::try_from(n).is_ok())) {
            true => (ArrowUnit::Nanosecond, 1),
            false => (ArrowUnit::Microsecond, 1000),
        };
    let ticks = |cell: &Cell<'_>| {
        let nanos = nanos(cell)?;
        i64::try_from(nanos.div_euclid(per)).ok().filter(|_| nanos.rem_euclid(per) == 0)
    };
    Ok(match kind {
        Kind::Bool => {
            let mut builder = BooleanBuilder::with_capacity(cells.len());
            cells
                .iter()
                .for_each(|cell| builder.append_option(if let Cell::Bool(value) = cell { Some(*value) } else { None }));
            Arc::new(builder.finish())
        }
        Kind::Int => primitive::<types::Int64Type>(cells, DataType::Int64, |cell| cell.as_i64())?,
        Kind::UInt => primitive::<types::UInt64Type>(cells, DataType::UInt64, |cell| match cell {
            Cell::UInt(value) => Some(*value),
            cell => cell.as_i64().and_then(|value| u64::try_from(value).ok()),
        })?,
        Kind::Float => primitive::<types::Float64Type>(cells, DataType::Float64, |cell| cell.as_f64())?,
        Kind::Float32 => primitive::<types::Float32Type>(cells, DataType::Float32, |cell| match cell {
            Cell::Float32(value) => Some(*value),
            _ => None,
        })?,
        Kind::Date => primitive::<types::Date32Type>(cells, DataType::Date32, |cell| {
            i32::try_from(nanos(cell)?.div_euclid(86_400_000_000_000)).ok()
        })?,
        Kind::Instant { zoned } => {
            let first =
                cells.iter().find_map(|cell| if let Cell::Instant(time) = cell { time.zone.clone() } else { None });
            let zone = first.filter(|_| zoned).map(|zone| if zone == "fixed" { "UTC".into() } else { zone });
            let kind = DataType::Timestamp(unit, zone.map(|zone| Arc::from(&*zone)));
            match per {
                1 => primitive::<types::TimestampNanosecondType>(cells, kind, ticks)?,
                _ => primitive::<types::TimestampMicrosecondType>(cells, kind, ticks)?,
            }
        }
        Kind::Delta => match per {
            1 => primitive::<types::DurationNanosecondType>(cells, DataType::Duration(unit), ticks)?,
            _ => primitive::<types::DurationMicrosecondType>(cells, DataType::Duration(unit), ticks)?,
        },
        Kind::Text => {
            let text = |cell: &Cell<'_>| match cell {
                Cell::Str(text) => Some(text.to_string()),
                Cell::Period { text, .. } => Some(text.clone()),
                _ => None,
            };
            let total: usize = cells.iter().map(|cell| if let Cell::Str(text) = cell { text.len() } else { 0 }).sum();
            if total > i32::MAX as usize / 2 {
                let mut builder = LargeStringBuilder::with_capacity(cells.len(), total);
                cells.iter().for_each(|cell| builder.append_option(text(cell)));
                Arc::new(builder.finish())
            } else {
                let mut builder = StringBuilder::with_capacity(cells.len(), total);
                for cell in cells {
                    match cell {
                        Cell::Str(text) => builder.append_value(text),
                        cell => builder.append_option(text(cell)),
                    }
                }
                Arc::new(builder.finish())
            }
        }
        Kind::Bytes => {
            let mut builder = BinaryBuilder::new();
            for cell in cells {
                match cell {
                    Cell::Bytes(bytes) => builder.append_value(bytes),
                    Cell::Str(text) => builder.append_value(text.as_bytes()),
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        Kind::Decimal => decimals(cells)?,
        Kind::List => {
            let (mut items, mut lengths) = (Vec::new(), Vec::with_capacity(cells.len()));
            for cell in cells {
                let before = items.len();
                match cell {
                    Cell::List(cells) => items.extend(cells.iter().cloned()),
                    Cell::Object(value) if value.as_list().is_some() => {
                        items.extend(value.items().map(crate::text::resolve));
                    }
                    Cell::Object(value) => {
                        let array = NdArray::from_value(*value)?;
                        if array.shape().len() != 1 {
                            return Err(Error::unsupported("an array of several axes in a column"));
                        }
                        for cell in array.cells() {
                            items.push(match cell? {
                                Cell::Object(_) => return Err(Error::unsupported("an array of objects in a column")),
                                cell => crate::text::to_owned(cell),
                            });
                        }
                    }
                    _ => {}
                }
                lengths.push(items.len() - before);
            }
            let items = of_cells(&items, depth)?;
            let field = Arc::new(Field::new("item", items.data_type().clone(), true));
            let valid = nulls(cells.iter().map(|cell| !cell.is_missing()));
            Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), items, valid).map_err(arrow_error)?)
        }
        Kind::Record => {
            let first = cells.iter().find_map(|cell| if let Cell::Record(fields) = cell { Some(fields) } else { None });
            let names: Vec<String> =
                first.map(|fields| fields.iter().map(|(name, _)| name.to_string()).collect()).unwrap_or_default();
            let mut columns = Vec::with_capacity(names.len());
            for at in 0..names.len() {
                let column: Vec<Cell<'_>> = cells
                    .iter()
                    .map(|cell| match cell {
                        Cell::Record(fields) => fields.get(at).map_or(Cell::Null, |(_, cell)| cell.clone()),
                        _ => Cell::Null,
                    })
                    .collect();
                columns.push(of_cells(&column, depth)?);
            }
            let fields: Fields = names
                .iter()
                .zip(&columns)
                .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
                .collect();
            Arc::new(
                StructArray::try_new(fields, columns, nulls(cells.iter().map(|cell| !cell.is_missing())))
                    .map_err(arrow_error)?,
            )
        }
    })
}

/// Decimal numbers with as many digits after the point as the longest has.
fn decimals(cells: &[Cell<'_>]) -> Result<ArrayRef> {
    let digits = |cell: &Cell<'_>| if let Cell::Decimal(digits) = cell { Some(digits.clone()) } else { None };
    let scale =
        cells.iter().filter_map(digits).map(|d| d.split_once('.').map_or(0, |(_, fraction)| fraction.len())).max();
    let scale = scale.unwrap_or(0);
    let mut builder = Decimal128Builder::with_capacity(cells.len());
    for cell in cells {
        let Some(text) = digits(cell) else {
            builder.append_null();
            continue;
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let padded = format!("{whole}{fraction:0<scale$}");
        let value = padded.parse::<i128>().ok().filter(|value| value.unsigned_abs() < 10u128.pow(38));
        builder
            .append_value(value.ok_or_else(|| Error::unsupported(format!("the decimal {text} has no type of Arrow")))?);
    }
    let scale = i8::try_from(scale).map_err(|_| Error::unsupported("decimals of more than 38 digits"))?;
    Ok(Arc::new(builder.finish().with_precision_and_scale(38, scale).map_err(arrow_error)?))
}
