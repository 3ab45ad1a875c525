//! .csv and .jsonl.

use std::collections::HashSet;
use std::io::Write;

use super::{Options, check_rows, fields};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::pandas::DataFrame;

/// Text gathered before it is written.
const CHUNK: usize = 1 << 16;

/// Writes a frame as .csv (RFC 4180): a line of names, then a line a row. An empty field is a missing value, `""` an empty
/// text. Times are ISO 8601; lists and objects are JSON.
///
/// # Errors
///
/// If a value cannot be read; errors of the writer.
pub fn write_csv(frame: &DataFrame<'_>, options: Options, mut out: impl Write) -> Result<()> {
    check_rows(frame)?;
    let fields = fields(frame, options);
    let mut text = String::new();
    for (at, field) in fields.iter().enumerate() {
        text.push_str(if at > 0 { "," } else { "" });
        quoted(&field.name, &mut text);
    }
    text.push('\n');
    for row in 0..frame.rows() {
        for (at, field) in fields.iter().enumerate() {
            text.push_str(if at > 0 { "," } else { "" });
            let cell = field.column.cell(row).map_err(|error| error.inside(in_column(&field.name, row)))?;
            match &cell {
                cell if cell.is_missing() => {}
                Cell::Complex(..) => {
                    return Err(Error::unsupported(format!("column {:?}: .csv has no complex numbers", field.name)));
                }
                Cell::List(_) | Cell::Record(_) | Cell::Object(_) => {
                    let mut json = String::new();
                    crate::json::cell(&cell, &mut json).map_err(|error| error.inside(in_column(&field.name, row)))?;
                    quoted(&json, &mut text);
                }
                cell => quoted(&crate::text::plain(cell), &mut text),
            }
        }
        text.push('\n');
        if text.len() >= CHUNK {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    Ok(out.write_all(text.as_bytes())?)
}

fn in_column(name: &str, row: usize) -> String {
    format!("column {name:?}, row {row}")
}

/// A field, in quotes where that is needed.
fn quoted(field: &str, out: &mut String) {
    if field.is_empty() || field.contains([',', '"', '\n', '\r']) {
        out.push('"');
        out.push_str(&field.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(field);
    }
}

/// Writes a frame as lines of JSON, an object a row. Missing values and NaN are `null`, times ISO 8601.
///
/// # Errors
///
/// If two columns have one name, or a value cannot be read; errors of the writer.
pub fn write_jsonl(frame: &DataFrame<'_>, options: Options, mut out: impl Write) -> Result<()> {
    check_rows(frame)?;
    let fields = fields(frame, options);
    let mut names = HashSet::new();
    let mut keys = Vec::with_capacity(fields.len());
    for (at, field) in fields.iter().enumerate() {
        if !names.insert(&field.name) {
            return Err(Error::unsupported(format!(
                "two columns are called {:?}, which an object of JSON cannot have",
                field.name
            )));
        }
        let mut key = String::from(if at > 0 { "," } else { "{" });
        crate::json::string(&field.name, &mut key);
        key.push(':');
        keys.push(key);
    }
    let mut text = String::new();
    for row in 0..frame.rows() {
        text.push_str(if fields.is_empty() { "{" } else { "" });
        for (field, key) in fields.iter().zip(&keys) {
            text.push_str(key);
            let cell = field.column.cell(row).and_then(|cell| crate::json::cell(&cell, &mut text));
            cell.map_err(|error| error.inside(in_column(&field.name, row)))?;
        }
        text.push_str("}\n");
        if text.len() >= CHUNK {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    Ok(out.write_all(text.as_bytes())?)
}
