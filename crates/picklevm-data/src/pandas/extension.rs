//! The arrays that pandas adds to NumPy's: categories, zones, nullable numbers, periods, intervals, sparse and Arrow.

use picklevm::typed::{TimeZone, ZoneInfo};
use picklevm::{Kind, Value};

use super::index::Index;
use super::manager::attr;
use super::periods::Freq;
use super::values::Values;
use crate::cell::Cell;
use crate::error::{Error, ErrorKind, Result};
use crate::item::{Item, Reader};
use crate::names::{Form, form, form_of};
use crate::numpy::{DTypeKind, NdArray};
use crate::table::ArrowColumn;

/// The values that any array is, of NumPy or pandas, or that an index has.
pub(crate) fn values_of<'g>(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<Values<'g>> {
    let reader = &reader.one_level_down()?;
    match form(value) {
        Some(Form::NewIndex) if class_of(value) == Some(Form::MultiIndex) => {
            Err(Error::unsupported("a MultiIndex as the values of a column"))
        }
        Some(Form::NewIndex | Form::NewDatetimeIndex | Form::NewPeriodIndex) => {
            let index = Index::read(value, reader)?;
            match &index.levels[..] {
                [level] => Ok(level.values.clone()),
                _ => Err(Error::unsupported("a MultiIndex as the values of a column")),
            }
        }
        Some(Form::NDArrayBacked) => backed(value, reader),
        // A sparse array of pandas before 0.24 is a subclass of NumPy's.
        Some(Form::Reconstruct) => match class_of(value) {
            Some(Form::SparseArray) => old_sparse(value),
            _ => Ok(Values::Array(array(value, reader)?)),
        },
        Some(Form::ArrowRestore | Form::ArrowChunked) => Ok(Values::Arrow(ArrowColumn::from_value(value, None)?)),
        Some(form) if is_extension(form) => extension(form, value, reader),
        _ => match reader.item(value) {
            Some((_, Ok(Item::Array(array)))) => Ok(Values::Array(array)),
            Some((_, Err(error))) => Err(error),
            _ => Err(Error::expected("an array of NumPy or pandas", value)),
        },
    }
}

fn is_extension(form: Form) -> bool {
    use Form::*;
    matches!(
        form,
        Categorical
            | DatetimeArray
            | TimedeltaArray
            | PeriodArray
            | IntervalArray
            | SparseArray
            | MaskedArray
            | ObjectArray
            | ArrowArray
    )
}

/// The class that an array is reconstructed as.
fn class_of(value: Value<'_>) -> Option<Form> {
    form_of(value.as_object()?.args().get(0)?)
}

/// An array of NumPy, or one that joblib keeps elsewhere.
fn array<'g>(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<NdArray<'g>> {
    match reader.item(value) {
        Some((_, Ok(Item::Array(array)))) => Ok(array),
        Some((_, Err(error))) => Err(error),
        _ => Err(Error::expected("an array of NumPy", value)),
    }
}

/// `__pyx_unpickle_NDArrayBacked(class, checksum, None)` and its state, in whichever order: a type, data, attributes.
fn backed<'g>(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<Values<'g>> {
    let object = value.as_object();
    let class = object.and_then(|object| object.args().get(0)).and_then(form_of);
    let state = object.and_then(|object| object.state());
    let state = state.ok_or_else(|| Error::malformed("an array of pandas without a state"))?;
    if state.as_dict().is_some() {
        return assembled(
            class,
            state.get("_ndarray").or(state.get("_data")).or(state.get("_codes")),
            state.get("_dtype"),
            reader,
        );
    }
    let mut parts = state.items().filter(|part| part.as_dict().is_none());
    let first = parts.next().ok_or_else(|| Error::malformed("an array of pandas without data"))?;
    let second = parts.next();
    let (dtype, data) = match (reader.item(first).is_some(), second) {
        (true, dtype) => (dtype, first),
        (false, Some(data)) => (Some(first), data),
        (false, None) => return Err(Error::malformed("an array of pandas without data")),
    };
    assembled(class, Some(data), dtype, reader)
}

/// An array of its data and its type.
fn assembled<'g>(
    class: Option<Form>,
    data: Option<Value<'g>>,
    dtype: Option<Value<'g>>,
    reader: &Reader<'g, '_>,
) -> Result<Values<'g>> {
    let data = data.ok_or_else(|| Error::malformed("an array of pandas without data"))?;
    let dtype = dtype.filter(|dtype| !dtype.is_none());
    let inner = values_of(data, reader)?;
    match (class, inner) {
        (Some(Form::Categorical), codes) => {
            let dtype = dtype.ok_or_else(|| Error::malformed("a Categorical without a type"))?;
            let (categories, ordered) =
                (attr(dtype, &["categories", "_categories"]), attr(dtype, &["ordered", "_ordered"]));
            let categories = categories.filter(|categories| !categories.is_none());
            let categories = categories.ok_or_else(|| Error::malformed("a Categorical without categories"))?;
            Values::category(codes, values_of(categories, reader)?, ordered.and_then(Value::as_bool) == Some(true))
        }
        (Some(Form::DatetimeArray), Values::Array(array)) => match dtype.map(zone_of).transpose()?.flatten() {
            Some(zone) => Ok(Values::Zoned { array, zone }),
            None => Ok(Values::Array(array)),
        },
        (Some(Form::PeriodArray), Values::Array(array)) => {
            let freq = dtype.and_then(|dtype| attr(dtype, &["freq", "_freq"]).or(dtype.as_object()?.args().get(0)));
            Ok(Values::Period { array, freq: Freq::of(freq) })
        }
        (Some(Form::ObjectArray), Values::Array(array)) if is_string(dtype) => Ok(Values::Strings(array)),
        (_, inner) => Ok(inner),
    }
}

fn is_string(dtype: Option<Value<'_>>) -> bool {
    dtype.is_some_and(|dtype| form(dtype) == Some(Form::StringPandasDType))
}

fn extension<'g>(kind: Form, value: Value<'g>, reader: &Reader<'g, '_>) -> Result<Values<'g>> {
    // What Cython pickles keeps the attributes in a dict inside of a tuple.
    let inside = value
        .as_object()
        .and_then(|object| object.state())
        .and_then(|state| state.as_tuple()?.find(|part| part.as_dict().is_some()));
    let part = |names: &[&str]| {
        let found = attr(value, names).or_else(|| names.iter().find_map(|name| inside?.get(*name)));
        found.filter(|part| !part.is_none())
    };
    let needed = |names: &[&str]| {
        part(names).ok_or_else(|| Error::malformed(format!("an array of pandas without {}", names.join(" or "))))
    };
    match kind {
        Form::Categorical => match part(&["_categories"]) {
            // Before 0.21 there was no type.
            Some(categories) => {
                let ordered = part(&["_ordered"]).and_then(Value::as_bool) == Some(true);
                let codes = values_of(needed(&["_codes"])?, reader)?;
                Values::category(codes, values_of(categories, reader)?, ordered)
            }
            None => assembled(Some(kind), part(&["_codes", "_ndarray"]), part(&["_dtype"]), reader),
        },
        Form::MaskedArray => {
            let (array, mask) = (array(needed(&["_data"])?, reader)?, array(needed(&["_mask"])?, reader)?);
            if array.shape() != mask.shape() || *mask.dtype().kind() != DTypeKind::Bool {
                return Err(Error::malformed("a mask that does not fit its numbers"));
            }
            Ok(Values::Masked { array, mask })
        }
        Form::ObjectArray => {
            let data = values_of(needed(&["_ndarray"])?, reader)?;
            match data {
                Values::Array(array) if is_string(part(&["_dtype"])) => Ok(Values::Strings(array)),
                data => Ok(data),
            }
        }
        Form::ArrowArray => {
            ArrowColumn::from_value(needed(&["_pa_array", "_data"])?, part(&["_dtype"])).map(Values::Arrow)
        }
        Form::IntervalArray => {
            let closed = part(&["_closed", "closed"]).or_else(|| attr(part(&["_dtype"])?, &["_closed", "closed"]));
            let closed = closed.map_or("right".to_owned(), crate::numpy_text);
            let (left, right) = match part(&["_combined"]) {
                // 1.2 had both ends in one array.
                Some(both) => {
                    let Values::Array(both) = values_of(both, reader)? else {
                        return Err(Error::malformed("the ends of intervals that are no numbers"));
                    };
                    let ends = match both.shape() {
                        [_, 2] => both.transposed(&[1, 0])?,
                        _ => return Err(Error::malformed("the ends of intervals that are not two a row")),
                    };
                    let end = |at| {
                        ends.row(at).map(Values::Array).ok_or_else(|| Error::malformed("intervals without an end"))
                    };
                    (end(0)?, end(1)?)
                }
                None => (values_of(needed(&["_left"])?, reader)?, values_of(needed(&["_right"])?, reader)?),
            };
            Ok(Values::interval(left, right, closed))
        }
        Form::SparseArray => {
            let dtype = part(&["_dtype"]);
            let fill = dtype.and_then(|dtype| attr(dtype, &["_fill_value", "fill_value"]));
            let values = values_of(needed(&["_sparse_values"])?, reader)?;
            sparse(values, needed(&["_sparse_index"])?, fill)
        }
        kind => assembled(Some(kind), part(&["_ndarray", "_data"]), part(&["_dtype"]), reader),
    }
}

/// The sparse array of pandas before 0.24: the state of an array, beside the value of the rest and the positions.
fn old_sparse<'g>(value: Value<'g>) -> Result<Values<'g>> {
    let state = value.as_object().and_then(|object| object.state()).and_then(|state| state.items().as_array());
    let bad = || Error::malformed("the state of a sparse array");
    let [array, own] = state.ok_or_else(bad)?;
    let [fill, index] = own.items().as_array().ok_or_else(bad)?;
    sparse(Values::Array(crate::numpy::array_of_state(array)?), index, Some(fill))
}

/// Sparse values of their positions and the value of the rest.
fn sparse<'g>(values: Values<'g>, index: Value<'g>, fill: Option<Value<'g>>) -> Result<Values<'g>> {
    let bad = || Error::malformed("the positions of a sparse array do not fit its values");
    let args = index.as_object().ok_or_else(bad)?.args();
    let len = args.get(0).and_then(|len| usize::try_from(len.as_i64()?).ok()).ok_or_else(bad)?;
    let numbers = |at: usize| -> Result<Vec<usize>> {
        let array = NdArray::from_value(args.get(at).ok_or_else(bad)?)?;
        array.cells().map(|cell| cell?.as_i64().and_then(|n| usize::try_from(n).ok()).ok_or_else(bad)).collect()
    };
    let positions: Vec<usize> = match form(index) {
        Some(Form::IntIndex) => numbers(1)?,
        Some(Form::BlockIndex) => {
            let (starts, lengths) = (numbers(1)?, numbers(2)?);
            // A length that lies would otherwise be believed here.
            if starts.len() != lengths.len()
                || lengths.iter().try_fold(0usize, |a, b| a.checked_add(*b)) != Some(values.len())
            {
                return Err(bad());
            }
            starts.into_iter().zip(lengths).flat_map(|(start, len)| start..start.saturating_add(len)).collect()
        }
        _ => return Err(Error::expected("the positions of a sparse array", index)),
    };
    let ascending =
        positions.windows(2).all(|pair| pair[0] < pair[1]) && positions.last().is_none_or(|last| *last < len);
    if positions.len() != values.len() || !ascending {
        return Err(bad());
    }
    let fill = Box::new(fill.map_or(Cell::Float(f64::NAN), crate::text::resolve));
    Ok(Values::Sparse { len, positions: positions.into(), values: values.into(), fill })
}

/// The zone of a `DatetimeTZDtype`, of any of its forms; none of a dtype of NumPy.
fn zone_of(dtype: Value<'_>) -> Result<Option<String>> {
    if form(dtype) != Some(Form::DatetimeTz) {
        return Ok(None);
    }
    let zone = attr(dtype, &["_tz", "tz"]).or_else(|| dtype.as_object()?.args().get(1));
    zone.map(zone_text).transpose()
}

/// A zone as `UTC`, a name of the IANA database, or an offset `+01:00`.
pub(crate) fn zone_text(zone: Value<'_>) -> Result<String> {
    let offset = |seconds: i64| {
        let minutes = seconds.abs() / 60;
        match seconds {
            0 => "UTC".to_owned(),
            _ => format!("{}{:02}:{:02}", if seconds < 0 { '-' } else { '+' }, minutes / 60, minutes % 60),
        }
    };
    if let Ok(zone) = zone.view::<TimeZone<'_>>() {
        return Ok(offset((zone.offset().total_microseconds() / 1_000_000) as i64));
    }
    if let Ok(zone) = zone.view::<ZoneInfo<'_>>() {
        return Ok(zone.key().to_owned());
    }
    let arg = |at: usize| zone.as_object().and_then(|object| object.args().get(at));
    match (form(zone), zone.kind()) {
        (Some(Form::PytzUtc | Form::DateutilUtc), _) => Ok("UTC".to_owned()),
        (Some(Form::PytzZone), _) if arg(0).is_some() => Ok(arg(0).map_or(String::new(), crate::numpy_text)),
        (Some(Form::PytzFixed), _) => match arg(0).and_then(Value::as_i64) {
            Some(minutes) => Ok(offset(minutes * 60)),
            None => Err(Error::malformed("a fixed offset of pytz without minutes")),
        },
        (Some(Form::DateutilZone), _) => {
            let file = attr(zone, &["_filename"]).or(arg(0)).map_or(String::new(), crate::numpy_text);
            match file.split_once("zoneinfo/") {
                Some((_, name)) => Ok(name.trim_start_matches("posix/").to_owned()),
                None => Err(Error::unsupported(format!("the time zone of the file {file:?}"))),
            }
        }
        (_, Kind::Str(text)) => Ok(text.to_string()),
        (_, Kind::ByteStr(bytes)) => Ok(crate::key::text_of_bytes(bytes)),
        (_, Kind::Global(global)) if global.name() == "UTC" || global.name() == "utc" => Ok("UTC".to_owned()),
        _ => Err(Error::new(ErrorKind::Unsupported, format!("the time zone {}", crate::key::repr(zone)))),
    }
}
