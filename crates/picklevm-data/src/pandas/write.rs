//! Frames, series and indexes into graphs, in the form that pandas 0.25 to 3.1 read.

use std::ops::Range;

use picklevm::{Arena, Id};

use super::index::{Index, IndexKind};
use super::values::{Column, Values};
use super::{DataFrame, Series};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::numpy::{self, ByteOrder, DType, DTypeKind, NdArray, build_error, encode, objects_to_python};
use crate::time::{Instant, TimeUnit};

/// Puts a frame into a graph as `pandas.core.frame.DataFrame` with a `BlockManager` of the form of 0.14.1 under `_data`,
/// which every version reads.
///
/// What old versions have no type for becomes what they have: text and booleans with missing values objects, integers with
/// missing values floats, times nanoseconds.
///
/// # Errors
///
/// If a column has no such form: periods, intervals, integers with missing values that are no floats.
///
/// ```
/// use picklevm_data::{Cell, numpy::{DType, NdArray}, pandas::{self, Column, DataFrame, Index, Values}};
///
/// let numbers = NdArray::new(DType::parse("<i2").unwrap(), vec![2], vec![1, 0, 2, 0])?;
/// let column = Column::new(Cell::Str("n".into()), Values::Array(numbers));
/// let frame = DataFrame::new(vec![column], Index::range(2))?;
/// let mut graph = picklevm::Graph::new();
/// let id = pandas::frame_to_python(&frame, &mut graph)?;
/// graph.set_root(id);
/// assert_eq!(DataFrame::from_value(graph.root())?.columns()[0].values().dtype(), "int16");
/// # Ok::<(), picklevm_data::Error>(())
/// ```
pub fn frame_to_python(frame: &DataFrame<'_>, graph: &mut Arena) -> Result<Id> {
    let labels = labels(frame)?;
    let axes = [index_to_python(&labels, graph)?, index_to_python(frame.index(), graph)?];
    let mut blocks = Vec::with_capacity(frame.columns().len());
    for (at, column) in (0..).zip(frame.columns()) {
        let values = block(column.values(), true, graph);
        let values = values.map_err(|error| error.inside(format!("column {}", column.label())))?;
        blocks.push((values, at..at + 1));
    }
    let manager = manager("BlockManager", &axes, &blocks, graph)?;
    let (kind, metadata) = (graph.add("dataframe"), graph.list(Vec::<Id>::new()));
    let frame = graph.instance("pandas.core.frame", "DataFrame");
    frame.attr("_data", manager).attr("_typ", kind).attr("_metadata", metadata).build().map_err(build_error)
}

/// Puts a series into a graph, as [`frame_to_python`] does a frame.
///
/// # Errors
///
/// Those of [`frame_to_python`].
pub fn series_to_python(series: &Series<'_>, graph: &mut Arena) -> Result<Id> {
    let axis = index_to_python(series.index(), graph)?;
    let values = block(series.column().values(), false, graph)?;
    // The places of a series are its rows.
    let rows = 0..series.column().len() as u64;
    let manager = manager("SingleBlockManager", &[axis], &[(values, rows)], graph)?;
    let name = label(series.column().key(), graph)?;
    let (kind, metadata) = (graph.add("series"), graph.list(["name"]));
    let series = graph.instance("pandas.core.series", "Series");
    let series = series.attr("_data", manager).attr("_typ", kind).attr("_metadata", metadata);
    series.attr("name", name).build().map_err(build_error)
}

/// A manager with the state of 0.14.1: axes, and values with the places of their columns.
fn manager(class: &str, axes: &[Id], blocks: &[(Id, Range<u64>)], graph: &mut Arena) -> Result<Id> {
    let mut rows = Vec::with_capacity(blocks.len());
    for (values, places) in blocks {
        let place = graph.slice(places.start, places.end, 1);
        let (values_key, place_key) = (graph.add("values"), graph.add("mgr_locs"));
        rows.push(graph.dict([(values_key, *values), (place_key, place)]).map_err(build_error)?);
    }
    let (axes, rows) = (graph.list(axes.iter().copied()), graph.list(rows));
    let (axes_key, rows_key) = (graph.add("axes"), graph.add("blocks"));
    let form = graph.dict([(axes_key, axes), (rows_key, rows)]).map_err(build_error)?;
    let version = graph.add("0.14.1");
    let forms = graph.dict([(version, form)]).map_err(build_error)?;
    // Versions before 0.14.1 read the items before.
    let (values, items) = (graph.list(Vec::<Id>::new()), graph.list(Vec::<Id>::new()));
    let state = graph.tuple([axes, values, items, forms]);
    graph.instance("pandas.core.internals", class).state(state).build().map_err(build_error)
}

/// The labels of columns as an index.
fn labels<'g>(frame: &DataFrame<'g>) -> Result<Index<'g>> {
    let columns = frame.columns();
    let levels = columns.iter().map(|column| if let Cell::List(parts) = column.key() { parts.len() } else { 0 });
    let levels = levels.reduce(|a, b| if a == b { a } else { 0 }).unwrap_or(0);
    let level = |at: usize, pick: &dyn Fn(&Cell<'g>) -> Cell<'g>| {
        let cells = columns.iter().map(|column| pick(column.key())).collect();
        Column::new(frame.label_names.get(at).cloned().unwrap_or(Cell::Null), Values::Cells(cells))
    };
    match levels {
        0 => Index::new(vec![level(0, &Cell::clone)]),
        levels => {
            let part = |at: usize| {
                move |cell: &Cell<'g>| match cell {
                    Cell::List(parts) => parts[at].clone(),
                    cell => cell.clone(),
                }
            };
            let index = Index::new((0..levels).map(|at| level(at, &part(at))).collect())?;
            Ok(Index { kind: IndexKind::Multi, ..index })
        }
    }
}

/// Puts an index into a graph: `_new_Index(Index | MultiIndex | RangeIndex, {…})`, and `_new_DatetimeIndex` where there is a
/// zone.
///
/// # Errors
///
/// Those of [`frame_to_python`].
pub fn index_to_python(index: &Index<'_>, graph: &mut Arena) -> Result<Id> {
    if index.kind == IndexKind::Multi {
        return multi_to_python(index, graph);
    }
    let [level] = &index.levels[..] else {
        return Err(Error::malformed("an index of several levels that is no MultiIndex"));
    };
    level_to_python(level, graph)
}

fn level_to_python(level: &Column<'_>, graph: &mut Arena) -> Result<Id> {
    let name = label(&level.name, graph)?;
    match &level.values {
        Values::Range { start, step, len } => {
            let stop = i64::try_from(*len).ok().and_then(|len| start.checked_add(step.checked_mul(len)?));
            let stop = stop.ok_or_else(|| Error::malformed("a range beyond 64 bits"))?;
            let numbers = [graph.add(*start), graph.add(stop), graph.add(*step)];
            let pairs = [("name", name), ("start", numbers[0]), ("stop", numbers[1]), ("step", numbers[2])];
            new_index(
                ["pandas.core.indexes.base", "_new_Index"],
                ["pandas.core.indexes.range", "RangeIndex"],
                &pairs,
                graph,
            )
        }
        values => {
            if zone_of(values).is_some() {
                return datetime_index(values, name, graph);
            }
            let data = block(values, false, graph)?;
            let class = if matches!(values, Values::Category { is_category: true, .. }) {
                ["pandas.core.indexes.category", "CategoricalIndex"]
            } else {
                ["pandas.core.indexes.base", "Index"]
            };
            new_index(["pandas.core.indexes.base", "_new_Index"], class, &[("data", data), ("name", name)], graph)
        }
    }
}

fn new_index(function: [&str; 2], class: [&str; 2], pairs: &[(&str, Id)], graph: &mut Arena) -> Result<Id> {
    let class = graph.global(class[0], class[1]);
    let mut rows = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        rows.push((graph.add(*key), *value));
    }
    let parts = graph.dict(rows).map_err(build_error)?;
    graph.call(function[0], function[1]).args([class, parts]).build().map_err(build_error)
}

/// A `MultiIndex` of distinct values and codes.
fn multi_to_python(index: &Index<'_>, graph: &mut Arena) -> Result<Id> {
    let (mut levels, mut codes, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for level in &index.levels {
        let (distinct, numbers) = distinct(level)?;
        let distinct = Column::new(level.name.clone(), distinct);
        levels.push(level_to_python(&distinct, graph)?);
        let bytes: Vec<u8> = numbers.iter().flat_map(|code| code.to_le_bytes()).collect();
        let dtype = DType::known("int64").with_order(ByteOrder::Little);
        codes.push(numpy::to_python(&NdArray::new(dtype, vec![numbers.len()], bytes)?, graph)?);
        names.push(label(&level.name, graph)?);
    }
    let (levels, codes, names) = (graph.list(levels), graph.list(codes), graph.list(names));
    let none = graph.add(());
    let pairs = [("levels", levels), ("codes", codes), ("sortorder", none), ("names", names)];
    new_index(["pandas.core.indexes.base", "_new_Index"], ["pandas.core.indexes.multi", "MultiIndex"], &pairs, graph)
}

/// The distinct values of a level in the order in which they come, and which each row has.
fn distinct<'g>(level: &Column<'g>) -> Result<(Values<'g>, Vec<i64>)> {
    if let Values::Category { codes, categories, .. } = &level.values {
        let codes =
            codes.cells().map(|code| code?.as_i64().ok_or_else(|| Error::malformed("a code that is no number")));
        return Ok(((**categories).clone(), codes.collect::<Result<_>>()?));
    }
    let (mut seen, mut cells, mut codes) =
        (std::collections::HashMap::new(), Vec::new(), Vec::with_capacity(level.len()));
    for at in 0..level.len() {
        let cell = level.owned_cell(at)?;
        if cell.is_missing() {
            codes.push(-1);
            continue;
        }
        let next = cells.len() as i64;
        codes.push(*seen.entry(format!("{cell:?}")).or_insert(next));
        if codes.last() == Some(&next) {
            cells.push(cell);
        }
    }
    Ok((Values::Cells(cells), codes))
}

struct Zone(String);

/// The zone of times, if all have one and the same.
fn zone_of(values: &Values<'_>) -> Option<Zone> {
    match values {
        Values::Zoned { zone, .. } => return Some(Zone(zone.clone())),
        values if is_of_objects(values) => return None,
        _ => {}
    }
    let mut shared: Option<Zone> = None;
    for at in 0..values.len() {
        match (values.cell(at), &shared) {
            (Ok(Cell::Null), _) => {}
            (Ok(Cell::Instant(Instant { zone: Some(zone), .. })), None) => shared = Some(Zone(zone.into_owned())),
            (Ok(Cell::Instant(Instant { zone: Some(zone), .. })), Some(shared)) if zone == shared.0 => {}
            _ => return None,
        }
    }
    shared
}

/// `_new_DatetimeIndex(DatetimeIndex, {data, tz, freq, name})`.
fn datetime_index(values: &Values<'_>, name: Id, graph: &mut Arena) -> Result<Id> {
    let zone = zone_of(values).map(|zone| zone_to_python(&zone.0, graph)).transpose()?;
    let data = plain_block(values, false, graph)?;
    let none = graph.add(());
    let pairs = [("data", data), ("tz", zone.unwrap_or(none)), ("freq", none), ("name", name)];
    let function = ["pandas.core.indexes.datetimes", "_new_DatetimeIndex"];
    new_index(function, ["pandas.core.indexes.datetimes", "DatetimeIndex"], &pairs, graph)
}

/// A zone: an offset of the standard library, or a name. Every version makes its own zone of a name where a zone is asked for: one
/// of pytz, and since 3 of `zoneinfo`.
fn zone_to_python(zone: &str, graph: &mut Arena) -> Result<Id> {
    let offset = |zone: &str| {
        let sign = if zone.starts_with('-') { -1 } else { 1 };
        let (hours, minutes) = zone.trim_start_matches(['+', '-']).split_once(':')?;
        Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
    };
    let seconds = if zone == "UTC" { Some(0) } else { offset(zone) };
    match seconds {
        Some(seconds) => {
            let delta = picklevm::typed::TimeDelta::new(0, seconds, 0).map_err(build_error)?;
            let delta = graph.add(delta);
            graph.call("datetime", "timezone").args([delta]).build().map_err(build_error)
        }
        None => Ok(graph.add(zone)),
    }
}

/// The values of a block: an array of one row (of none in a series), or one of pandas' own.
fn block(values: &Values<'_>, in_frame: bool, graph: &mut Arena) -> Result<Id> {
    if let Values::Category { codes, categories, ordered, is_category: true } = values {
        let categories = Column::new(Cell::Null, (**categories).clone());
        let (categories, ordered) = (level_to_python(&categories, graph)?, graph.add(*ordered));
        let dtype = graph.instance("pandas.core.dtypes.dtypes", "CategoricalDtype");
        let dtype = dtype.attr("categories", categories).attr("ordered", ordered).build().map_err(build_error)?;
        let codes = numpy::to_python(codes, graph)?;
        let array = graph.instance("pandas.core.arrays.categorical", "Categorical");
        return array.attr("_codes", codes).attr("_dtype", dtype).build().map_err(build_error);
    }
    if zone_of(values).is_some() {
        let none = graph.add(());
        return datetime_index(values, none, graph);
    }
    plain_block(values, in_frame, graph)
}

/// An array of NumPy.
fn plain_block(values: &Values<'_>, in_frame: bool, graph: &mut Arena) -> Result<Id> {
    let len = values.len();
    let shape = if in_frame { vec![1, len] } else { vec![len] };
    if let Values::Array(array) = values {
        match array.dtype().kind() {
            DTypeKind::Bool | DTypeKind::Int | DTypeKind::UInt | DTypeKind::Float | DTypeKind::Complex => {
                let order = if array.dtype().order() == ByteOrder::None { ByteOrder::None } else { ByteOrder::Little };
                let dtype = array.dtype().with_order(order);
                return numpy::to_python(&NdArray::new(dtype, shape, array.to_bytes(order)?)?, graph);
            }
            _ => {}
        }
    }
    match kind_of(values)? {
        Some(dtype) => {
            let mut bytes = Vec::with_capacity(len * dtype.size());
            for at in 0..len {
                encode(&dtype, &values.cell(at)?, &mut bytes)?;
            }
            numpy::to_python(&NdArray::new(dtype, shape, bytes)?, graph)
        }
        None => {
            let mut items = Vec::with_capacity(len);
            for at in 0..len {
                items.push(label(&values.cell(at)?, graph)?);
            }
            objects_to_python(&shape, items, graph)
        }
    }
}

/// Whether values are kept as objects, and stay some.
fn is_of_objects(values: &Values<'_>) -> bool {
    match values {
        Values::Array(array) => array.dtype().has_objects(),
        values => matches!(values, Values::Strings(_)),
    }
}

/// The type of NumPy that all values have, those that are missing included; `None` if they are objects.
fn kind_of(values: &Values<'_>) -> Result<Option<DType>> {
    if is_of_objects(values) {
        return Ok(None);
    }
    let (mut missing, mut kind, mut exact) = (false, None, true);
    // Times of several zones, or of one and of none, are objects.
    let has_zone = zone_of(values).is_some();
    for at in 0..values.len() {
        let cell = values.cell(at)?;
        let here = match &cell {
            Cell::Null => {
                missing = true;
                continue;
            }
            Cell::Bool(_) => "bool",
            Cell::Int(_) => "int64",
            Cell::UInt(_) => "uint64",
            Cell::Float(_) => "float64",
            Cell::Float32(_) => "float32",
            Cell::Instant(time) if time.is_date || time.zone.is_some() && !has_zone => return Ok(None),
            Cell::Instant(_) => "datetime64",
            Cell::Delta(_) => "timedelta64",
            _ => return Ok(None),
        };
        exact &= cell.as_f64().is_some();
        match kind {
            None => kind = Some(here),
            Some(kind) if kind == here => {}
            Some(_) => return Ok(None),
        }
    }
    let kind = match (kind, missing) {
        (None, _) => return Ok(typed_empty(values)),
        (Some("bool"), true) => return Ok(None),
        (Some("int64" | "uint64"), true) if exact => "float64",
        (Some("int64" | "uint64"), true) => return Ok(None),
        (Some(kind), _) => kind,
    };
    let unit = TimeUnit::Nano;
    let fits = |nanos: Option<i128>| nanos.is_some_and(|nanos| i64::try_from(nanos).is_ok());
    let nano = match kind {
        "datetime64" | "timedelta64" => (0..values.len()).all(|at| match values.cell(at) {
            Ok(Cell::Instant(time)) => fits(time.nanos()),
            Ok(Cell::Delta(delta)) => fits(delta.nanos()),
            _ => true,
        }),
        _ => true,
    };
    let unit = if nano { unit } else { TimeUnit::Micro };
    Ok(Some(match kind {
        "datetime64" => DType::new(DTypeKind::Instant { unit, per: 1 }, 8, ByteOrder::Little),
        "timedelta64" => DType::new(DTypeKind::Delta { unit, per: 1 }, 8, ByteOrder::Little),
        // The width that the values have where they are kept.
        "int64" | "uint64" | "float32" | "float64" if !missing => {
            let name = values.numpy_name().filter(|name| name.starts_with(&kind[..kind.len() - 2]));
            DType::known(&name.unwrap_or_else(|| kind.to_owned())).with_order(ByteOrder::Little)
        }
        kind => DType::known(kind).with_order(ByteOrder::Little),
    }))
}

/// The type of a column without values, or with missing ones alone.
fn typed_empty(values: &Values<'_>) -> Option<DType> {
    let name = values.numpy_name()?;
    match &name[..] {
        name if name.starts_with("datetime64") => {
            Some(DType::new(DTypeKind::Instant { unit: TimeUnit::Nano, per: 1 }, 8, ByteOrder::Little))
        }
        name if name.starts_with("timedelta64") => {
            Some(DType::new(DTypeKind::Delta { unit: TimeUnit::Nano, per: 1 }, 8, ByteOrder::Little))
        }
        name if values.is_empty() => DType::of_type_name(name).map(|dtype| dtype.with_order(ByteOrder::Little)),
        _ => Some(DType::known("float64").with_order(ByteOrder::Little)),
    }
}

/// A label or an object of a column.
fn label(cell: &Cell<'_>, graph: &mut Arena) -> Result<Id> {
    Ok(match cell {
        Cell::Null => graph.add(()),
        Cell::Bool(value) => graph.add(*value),
        Cell::Int(value) => graph.add(*value),
        Cell::UInt(value) => graph.add(*value),
        Cell::Float(value) => graph.add(*value),
        Cell::Float32(value) => graph.add(f64::from(*value)),
        Cell::Complex(re, im) => graph.complex(*re, *im),
        Cell::Bytes(bytes) => graph.bytes(bytes),
        Cell::Str(text) => graph.add(&text[..]),
        Cell::Decimal(digits) => graph.call("decimal", "Decimal").arg(&digits[..]).build().map_err(build_error)?,
        Cell::List(parts) => {
            let parts = parts.iter().map(|part| label(part, graph)).collect::<Result<Vec<_>>>()?;
            graph.tuple(parts)
        }
        Cell::Instant(time) if time.is_date => {
            let (year, month, day) = crate::time::civil(time.nanos().unwrap_or(0).div_euclid(86_400_000_000_000));
            let year = u16::try_from(year).map_err(|_| Error::unsupported(format!("the date {time}")))?;
            graph.add(picklevm::typed::Date::new(year, month as u8, day as u8).map_err(build_error)?)
        }
        Cell::Instant(time) => {
            let nanos = time.nanos().and_then(|nanos| i64::try_from(nanos).ok());
            let nanos = nanos.ok_or_else(|| Error::unsupported(format!("the time {time} among objects")))?;
            let zone = time.zone.as_ref().map(|zone| zone_to_python(zone, graph)).transpose()?;
            let time = graph.instance("pandas._libs.tslibs.timestamps", "Timestamp").arg(nanos);
            // The place of the zone among the arguments has changed with versions, its name has not.
            match zone {
                Some(zone) => time.kwarg("tz", zone),
                None => time,
            }
            .build()
            .map_err(build_error)?
        }
        Cell::Delta(delta) => {
            let nanos = delta.nanos().and_then(|nanos| i64::try_from(nanos).ok());
            let nanos = nanos.ok_or_else(|| Error::unsupported(format!("the time span {delta} among objects")))?;
            graph.call("pandas._libs.tslibs.timedeltas", "Timedelta").arg(nanos).build().map_err(build_error)?
        }
        Cell::Object(value) => graph.add(*value),
        Cell::Record(fields) => {
            let mut pairs = Vec::with_capacity(fields.len());
            for (name, part) in fields {
                pairs.push((graph.add(&name[..]), label(part, graph)?));
            }
            graph.dict(pairs).map_err(build_error)?
        }
        Cell::Period { text, .. } => {
            return Err(Error::unsupported(format!("the period {text}: no form is read by all versions of pandas")));
        }
        Cell::Interval { .. } => {
            let text = crate::text::plain(cell);
            return Err(Error::unsupported(format!("the interval {text}: no form is read by all versions of pandas")));
        }
    })
}
