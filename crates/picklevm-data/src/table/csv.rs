//! .csv files as frames.

use std::io::Cursor;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use bytes::Bytes;

use super::from_batches;
use super::pandas_metadata::restore;
use crate::error::{Error, ErrorKind, Result};
use crate::pandas::DataFrame;

/// The type of a column of a .csv file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsvType {
    /// Text as it stands: `text` or `str`.
    Text,
    /// Integers of 64 bits: `int` or `int64`.
    Int,
    /// Floats of 64 bits: `float` or `float64`.
    Float,
    /// `true` and `false`: `bool`.
    Bool,
    /// Days: `date`.
    Date,
    /// Times to the nanosecond: `datetime` or `datetime64`.
    DateTime,
}

/// Names of the types, for messages.
const NAMES: &str = "text, int, float, bool, date or datetime";

/// Reads the name of a type.
impl FromStr for CsvType {
    type Err = Error;

    fn from_str(name: &str) -> Result<CsvType> {
        Ok(match name {
            "text" | "str" | "string" | "object" => CsvType::Text,
            "int" | "int64" => CsvType::Int,
            "float" | "float64" => CsvType::Float,
            "bool" | "boolean" => CsvType::Bool,
            "date" => CsvType::Date,
            "datetime" | "datetime64" | "datetime64[ns]" => CsvType::DateTime,
            _ => return Err(Error::malformed(format!("expected {NAMES}, found {name}"))),
        })
    }
}

impl CsvType {
    fn data_type(self) -> DataType {
        match self {
            CsvType::Text => DataType::Utf8,
            CsvType::Int => DataType::Int64,
            CsvType::Float => DataType::Float64,
            CsvType::Bool => DataType::Boolean,
            CsvType::Date => DataType::Date32,
            CsvType::DateTime => DataType::Timestamp(TimeUnit::Nanosecond, None),
        }
    }
}

/// Reads a .csv file with a line of names.
///
/// `types` says what columns hold. Others have the type that all their values have: integers, floats, `true` and `false`, dates,
/// times or text. A column in which a number has leading zeros or a plus sign is text, because the number would not be written
/// so again: `00123`. So is one of floats with an integer that a float cannot hold.
///
/// # Errors
///
/// If lines have not as many fields as the first, `types` names a column that is not there, or a value is not of the type.
///
/// ```
/// use picklevm_data::table::{CsvType, read_csv};
///
/// let frame = read_csv("code,n,size\n00123,1,1\n00456,2,2.5\n".into(), &[("n".to_owned(), CsvType::Text)])?;
/// let types: Vec<_> = frame.columns().iter().map(|column| column.values().dtype()).collect();
/// assert_eq!(types[2], "float64");
/// assert_eq!(types[0], types[1]);
/// # Ok::<(), picklevm_data::Error>(())
/// ```
pub fn read_csv(data: Bytes, types: &[(String, CsvType)]) -> Result<DataFrame<'static>> {
    let format = arrow_csv::reader::Format::default().with_header(true);
    let (inferred, _) = format.infer_schema(Cursor::new(&data), None).map_err(|error| malformed(&error, None))?;
    let place = |name: &str| inferred.fields().iter().position(|field| field.name() == name);
    if let Some((name, _)) = types.iter().find(|(name, _)| place(name).is_none()) {
        let names: Vec<_> = inferred.fields().iter().map(|field| field.name().as_str()).collect();
        return Err(Error::malformed(format!("expected a column {name:?}, found {}", names.join(", "))));
    }
    let given = |name: &str| types.iter().rev().find(|(given, _)| given == name).map(|(_, given)| given.data_type());
    let is_text = texts(&data, &inferred)?;
    let fields = inferred.fields().iter().zip(is_text).map(|(field, is_text)| {
        let kind = given(field.name()).unwrap_or(if is_text { DataType::Utf8 } else { field.data_type().clone() });
        Field::new(field.name(), kind, true)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let reader = arrow_csv::ReaderBuilder::new(schema.clone()).with_header(true).build(Cursor::new(data));
    let batches = reader.and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    let batches = batches.map_err(|error| malformed(&error, Some(&schema)))?;
    restore(from_batches(&schema, &batches)?, &schema)
}

/// Whether each column has a number that would not be written again as it stands.
fn texts(data: &Bytes, inferred: &Schema) -> Result<Vec<bool>> {
    let mut is_text = vec![false; inferred.fields().len()];
    let kind = |at: usize| inferred.field(at).data_type();
    let numbers: Vec<usize> =
        (0..is_text.len()).filter(|at| matches!(kind(*at), DataType::Int64 | DataType::Float64)).collect();
    if numbers.is_empty() {
        return Ok(is_text);
    }
    let texts = inferred.fields().iter().map(|field| Field::new(field.name(), DataType::Utf8, true));
    let schema = Arc::new(Schema::new(texts.collect::<Vec<_>>()));
    let reader = arrow_csv::ReaderBuilder::new(schema.clone())
        .with_header(true)
        .with_projection(numbers.clone())
        .build(Cursor::new(data));
    for batch in reader.map_err(|error| malformed(&error, Some(&schema)))? {
        let batch = batch.map_err(|error| malformed(&error, Some(&schema)))?;
        for (at, column) in numbers.iter().zip(batch.columns()) {
            let is_float = *kind(*at) == DataType::Float64;
            let values = column.as_string::<i32>();
            is_text[*at] = is_text[*at] || values.iter().flatten().any(|number| changes(number, is_float));
        }
    }
    Ok(is_text)
}

/// Whether a number is written otherwise than it stands in a file, apart from the fraction of a float.
fn changes(number: &str, is_float: bool) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let has_zeros = digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let is_rounded = || {
        let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
        is_integer && number.parse::<i128>().is_ok_and(|value| (value as f64) as i128 != value)
    };
    number.starts_with('+') || has_zeros || (is_float && is_rounded()) || (!is_float && number == "-0")
}

/// The error of the reader, with the line first.
fn malformed(error: &ArrowError, schema: Option<&Schema>) -> Error {
    let text = error.to_string();
    let text =
        ["Csv error: ", "Parser error: "].iter().fold(&text[..], |text, kind| text.strip_prefix(kind).unwrap_or(text));
    Error::new(ErrorKind::Malformed, message(text, schema).unwrap_or_else(|| text.to_owned()))
}

/// Words for what the reader says, if it is what is known.
fn message(text: &str, schema: Option<&Schema>) -> Option<String> {
    /// The words between two others.
    fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
        let (_, rest) = text.split_once(before)?;
        if after.is_empty() { Some(rest) } else { Some(rest.split_once(after)?.0) }
    }
    let count =
        |count: &str, line: &str, found: &str| Some(format!("line {line}: expected {count} fields, found {found}"));
    if let Some(rest) = text.strip_prefix("incorrect number of fields for line ") {
        let (line, rest) = rest.split_once(", expected ")?;
        let (expected, found) = rest.split_once(" got ")?;
        return count(expected, line, found);
    }
    if text.starts_with("Encountered unequal lengths") {
        return count(
            between(text, "Expected ", " records")?,
            between(text, "at line ", "")?,
            between(text, "found ", " records")?,
        );
    }
    // Of values, the reader counts the line of names as 0.
    let line = between(text, " at line ", ". Row data")?.parse::<usize>().ok()?.checked_add(1)?;
    let column: usize = between(text, " for column ", " at line")?.parse().ok()?;
    let expected = match between(text, "as type '", "'")? {
        "Int64" => "an integer",
        "Float64" => "a number",
        "Boolean" => "true or false",
        "Date32" => "a date",
        _ => "a date and time",
    };
    let name = schema?.fields().get(column)?.name();
    Some(format!("line {line}, column {name:?}: expected {expected}, found {}", between(text, "value '", "' as type")?))
}

#[cfg(test)]
mod tests {
    use super::{CsvType, read_csv};
    use crate::pandas::DataFrame;

    fn types(frame: &DataFrame<'_>) -> Vec<String> {
        frame.columns().iter().map(|column| column.values().dtype()).collect()
    }

    #[test]
    fn a_column_with_a_number_that_would_be_written_otherwise_is_text() {
        let read = |column: &str| types(&read_csv(format!("n\n{column}\n").into(), &[]).expect("a frame")).remove(0);
        let text = read("x");
        for column in ["00123", "1\n-01", "+7", "1.5\n007", "1.5\n9007199254740993", "99999999999999999999", "-0"] {
            assert_eq!(read(column), text, "{column}");
        }
        for (column, kind) in [("0\n123", "int64"), ("1.50", "float64"), ("0.1\n1e3", "float64"), ("-7", "int64")] {
            assert_eq!(read(column), kind, "{column}");
        }
    }

    #[test]
    fn types_that_are_given_decide() {
        let given = [("a".to_owned(), CsvType::Int), ("b".to_owned(), CsvType::Text), ("c".to_owned(), CsvType::Float)];
        let frame = read_csv("a,b,c\n007,1,2\n".into(), &given).expect("a frame");
        assert_eq!(types(&frame)[0], "int64");
        assert_eq!(types(&frame)[2], "float64");
    }

    #[test]
    fn errors_say_the_line_and_what_was_expected() {
        let error = |text: &'static str, types: &[(String, CsvType)]| {
            read_csv(text.into(), types).map(|_| ()).expect_err("an error").to_string()
        };
        assert_eq!(error("a,b\n1,2\n3\n", &[]), "line 3: expected 2 fields, found 1");
        let given = [("a".to_owned(), CsvType::Int)];
        assert_eq!(error("a\n1\nx\n", &given), "line 3, column \"a\": expected an integer, found x");
        assert_eq!(error("b,c\n1,2\n", &given), "expected a column \"a\", found b, c");
    }
}
