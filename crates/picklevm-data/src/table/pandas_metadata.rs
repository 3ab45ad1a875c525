//! What pandas writes beside a table: which columns are the index, and what types columns and their labels had.
//!
//! <https://pandas.pydata.org/docs/development/developer.html#storing-pandas-dataframe-objects-in-apache-parquet-format>

use arrow_schema::{DataType, Schema};
use serde_json::{Value as Json, json};

use super::arrow_type::ArrowType;
use super::{Field, Options};
use crate::cell::Cell;
use crate::error::Result;
use crate::numpy::{Literal, literal};
use crate::pandas::{Column, DataFrame, Index, IndexKind, Values};
use crate::time::Instant;

/// The key of the text in a file's metadata.
pub(super) const KEY: &str = "pandas";

/// The text for a frame that is written as these fields, of these types.
pub(super) fn describe(
    frame: &DataFrame<'_>,
    options: Options,
    fields: &[Field<'_, '_>],
    types: &[&DataType],
) -> String {
    let levels = frame.index().levels();
    let index = match levels {
        [level] if !options.index && frame.index().kind() == IndexKind::Range => {
            let Values::Range { start, step, len } = *level.values() else { return String::new() };
            let stop = start.saturating_add(step.saturating_mul(len as i64));
            vec![json!({ "kind": "range", "name": level.name(), "start": start, "stop": stop, "step": step })]
        }
        _ => fields[frame.columns().len()..].iter().map(|field| json!(field.name)).collect(),
    };
    let columns = fields.iter().zip(types).enumerate().map(|(at, (field, kind))| {
        let name = if at < frame.columns().len() { Some(field.name.clone()) } else { field.column.name() };
        let (numpy, metadata) = numpy_type(field.column.values(), kind);
        json!({
            "name": name, "field_name": field.name,
            "pandas_type": pandas_type(kind), "numpy_type": numpy, "metadata": metadata,
        })
    });
    let creator = json!({ "library": "picklevm", "version": env!("CARGO_PKG_VERSION") });
    let text = json!({
        "index_columns": index, "column_indexes": label_types(frame), "columns": columns.collect::<Vec<_>>(),
        "attributes": {}, "creator": creator, "pandas_version": PANDAS_VERSION,
    });
    text.to_string()
}

/// The version of pandas whose form this is: readers want one.
const PANDAS_VERSION: &str = "1.5.3";

/// The kind of values that a column has, in pandas' own words.
fn pandas_type(kind: &DataType) -> String {
    match kind {
        DataType::Null => "empty".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "unicode".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "bytes".to_owned()
        }
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Timestamp(_, None) => "datetime".to_owned(),
        DataType::Timestamp(_, Some(_)) => "datetimetz".to_owned(),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            "decimal".to_owned()
        }
        DataType::Dictionary(..) => "categorical".to_owned(),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("list[{}]", pandas_type(item.data_type()))
        }
        kind if kind.is_numeric() => format!("{kind}").to_lowercase(),
        _ => "object".to_owned(),
    }
}

/// The type of the values in pandas, and what else it takes to make it.
fn numpy_type(values: &Values<'_>, kind: &DataType) -> (String, Json) {
    let metadata = match kind {
        DataType::Timestamp(_, Some(zone)) => json!({ "timezone": **zone }),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => json!({ "precision": precision, "scale": scale }),
        _ => Json::Null,
    };
    let name = match values {
        Values::Category { codes, categories, ordered, is_category: true } => {
            let metadata = json!({ "num_categories": categories.len(), "ordered": ordered });
            return (codes.dtype().name(), metadata);
        }
        Values::Category { categories, .. } => return numpy_type(categories, kind),
        // Their own types are read from arrays of types that these files do not have.
        Values::Period { .. } | Values::Interval { .. } => "object".to_owned(),
        Values::Zoned { array, .. } => array.dtype().name(),
        Values::Sparse { values, .. } => values.dtype(),
        values => values.dtype(),
    };
    // Of times with a zone the type without it.
    match name.split_once(", ").filter(|_| name.starts_with("datetime64")) {
        Some((unit, _)) => (format!("{unit}]"), metadata),
        None => (name, metadata),
    }
}

/// What the labels of columns are, one for each level.
fn label_types(frame: &DataFrame<'_>) -> Json {
    let keys: Vec<&Cell<'_>> = frame.columns().iter().map(Column::key).collect();
    let levels = keys.iter().map(|key| if let Cell::List(parts) = key { parts.len() } else { 0 });
    let levels = levels.reduce(|a, b| if a == b { a } else { 0 }).unwrap_or(0);
    let level = |at: usize| {
        let part = |key: &&Cell<'_>| match key {
            Cell::List(parts) if levels > 0 => label_type(&parts[at]),
            key => label_type(key),
        };
        let kinds = keys.iter().map(part).reduce(|a, b| if a == b { a } else { MIXED });
        let (pandas, numpy) = kinds.unwrap_or(MIXED);
        let name = frame.label_names.get(at).and_then(crate::pandas::label_text);
        let metadata = if pandas == "unicode" { json!({ "encoding": "UTF-8" }) } else { Json::Null };
        json!({ "name": name, "field_name": name, "pandas_type": pandas, "numpy_type": numpy, "metadata": metadata })
    };
    (0..levels.max(1)).map(level).collect()
}

const MIXED: (&str, &str) = ("mixed", "object");

fn label_type(label: &Cell<'_>) -> (&'static str, &'static str) {
    match label {
        Cell::Str(_) => ("unicode", "object"),
        // The column of a series without a name is 0.
        Cell::Int(_) | Cell::UInt(_) | Cell::Null => ("int64", "int64"),
        Cell::Float(_) => ("float64", "float64"),
        Cell::Instant(time) if time.zone.is_none() => ("datetime", "datetime64[ns]"),
        _ => MIXED,
    }
}

/// A table with the index, the labels and the types that pandas says it has; what pandas says nothing of has those that
/// pandas gives a table of Arrow.
pub(super) fn restore(mut frame: DataFrame<'static>, schema: &Schema) -> Result<DataFrame<'static>> {
    let text = schema.metadata().get(KEY);
    let said: Json = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let list = |key: &str| said.get(key).and_then(Json::as_array).cloned().unwrap_or_default();
    let described = list("columns");
    let about = |field: &str| {
        let name = |about: &&Json| about.get("field_name").or(about.get("name")).and_then(Json::as_str) == Some(field);
        described.iter().find(name)
    };
    let mut levels = Vec::new();
    for descriptor in list("index_columns") {
        if let Some(level) = range(&descriptor, frame.rows()) {
            levels.push(level);
        }
        let Some(field) = descriptor.as_str() else { continue };
        let is_it = |column: &Column<'_>| matches!(column.key(), Cell::Str(name) if name == field);
        if let Some(at) = frame.columns.iter().position(is_it) {
            let mut level = frame.columns.remove(at);
            let name = about(field).map_or(Some(field), |about| about.get("name").and_then(Json::as_str));
            let is_made_up = field.starts_with("__index_level_");
            level.values = typed(level.values, about(field))?;
            level.name = match name.filter(|name| !(is_made_up && *name == field)) {
                Some(name) => Cell::Str(name.to_owned().into()),
                None => Cell::Null,
            };
            levels.push(level);
        }
    }
    for column in &mut frame.columns {
        let Cell::Str(field) = &column.name else { continue };
        column.values = typed(column.values.clone(), about(field))?;
    }
    if !levels.is_empty() {
        frame.index = Index::new(levels)?;
    }
    restore_labels(&mut frame, &list("column_indexes"));
    Ok(frame)
}

/// The index that a description of a range means, if it fits the rows.
fn range(descriptor: &Json, rows: usize) -> Option<Column<'static>> {
    let number = |key: &str| descriptor.get(key).and_then(Json::as_i64);
    let (start, stop, step) = (number("start")?, number("stop")?, number("step")?);
    let values = crate::pandas::range(start, stop, step).ok().filter(|values| values.len() == rows)?;
    let name = descriptor.get("name").and_then(Json::as_str);
    Some(Column::new(name.map_or(Cell::Null, |name| Cell::Str(name.to_owned().into())), values))
}

/// The values of a column of Arrow with the type that pandas had for them.
fn typed(values: Values<'static>, about: Option<&Json>) -> Result<Values<'static>> {
    let Values::Arrow(mut column) = values else { return Ok(values) };
    let part = |key: &str| about.and_then(|about| about.get(key));
    if let ArrowType::Dictionary(..) = column.arrow_type() {
        let ordered = part("metadata").and_then(|metadata| metadata.get("ordered")).and_then(Json::as_bool);
        return column.into_categories(ordered == Some(true));
    }
    let said = part("numpy_type").and_then(Json::as_str);
    // Periods and intervals are in types of Arrow that pandas adds to it.
    let said = said.filter(|name| !["period", "interval", "Sparse"].iter().any(|other| name.starts_with(other)));
    let name = match (column.arrow_type(), said) {
        (ArrowType::Timestamp(unit, Some(zone)), _) => format!("datetime64[{}, {zone}]", unit.name()),
        (_, Some(said)) => said.to_owned(),
        (kind, None) => kind.numpy_name().unwrap_or_else(|| "object".to_owned()),
    };
    column.pandas_name = Some(name.into());
    Ok(Values::Arrow(column))
}

/// Labels are texts in files: numbers, times and tuples again where pandas says that they were.
fn restore_labels(frame: &mut DataFrame<'static>, levels: &[Json]) {
    let text = |level: &Json, key: &str| level.get(key).and_then(Json::as_str).map(str::to_owned);
    let kinds: Vec<String> = levels.iter().map(|level| text(level, "pandas_type").unwrap_or_default()).collect();
    let names = levels.iter().map(|level| text(level, "name").map_or(Cell::Null, |name| Cell::Str(name.into())));
    let named: Option<Vec<Cell<'static>>> = frame.columns.iter().map(|column| label(column.key(), &kinds)).collect();
    if let Some(named) = named {
        frame.columns.iter_mut().zip(named).for_each(|(column, name)| column.name = name);
        frame.label_names = names.collect();
    }
}

/// The label that a text stands for; `None` if it is none of these kinds.
fn label(key: &Cell<'static>, kinds: &[String]) -> Option<Cell<'static>> {
    let Cell::Str(text) = key else { return None };
    match kinds {
        [] => Some(key.clone()),
        [kind] => level_label(text, kind),
        kinds => match literal(text)? {
            Literal::Tuple(parts) if parts.len() == kinds.len() => {
                let part = |(part, kind): (&Literal, &String)| match part {
                    Literal::Str(text) => level_label(text, kind),
                    Literal::Int(number) => Some(Cell::Int(*number)),
                    Literal::None => Some(Cell::Null),
                    _ => None,
                };
                parts.iter().zip(kinds).map(part).collect::<Option<_>>().map(Cell::List)
            }
            _ => None,
        },
    }
}

fn level_label(text: &str, kind: &str) -> Option<Cell<'static>> {
    Some(match kind {
        kind if kind.starts_with("int") || kind.starts_with("uint") => Cell::Int(text.parse().ok()?),
        kind if kind.starts_with("float") => Cell::Float(text.parse().ok()?),
        kind if kind == "datetime" || kind.starts_with("datetime64") => Cell::Instant(Instant::parse(text)?),
        _ => Cell::Str(text.to_owned().into()),
    })
}
