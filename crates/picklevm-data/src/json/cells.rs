//! Elements of arrays and columns as JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::cell::Cell;
use crate::error::{Error, ErrorKind, Result};
use crate::item::Reader;
use crate::numpy::NdArray;
use crate::pandas::Column;

/// The values of a column, as a list.
pub(super) fn values(column: &Column<'_>, out: &mut String) -> Result<()> {
    out.push('[');
    for at in 0..column.len() {
        out.push_str(if at > 0 { "," } else { "" });
        cell(&column.cell(at)?, out)?;
    }
    out.push(']');
    Ok(())
}

/// The elements of an array, a list for each axis.
pub(super) fn nested(array: &NdArray<'_>, out: &mut String) -> Result<()> {
    array.check_expansion()?;
    let mut cells = array.cells();
    shaped(array.shape(), &mut || cells.next().unwrap_or(Ok(Cell::Null)), out)
}

/// The index of the first element of an array that JSON has no number for.
pub(super) fn not_finite(array: &NdArray<'_>) -> Option<Vec<usize>> {
    let is_finite = |cell: &Cell<'_>| match cell {
        Cell::Float(value) => value.is_finite(),
        Cell::Float32(value) => value.is_finite(),
        Cell::Complex(re, im) => re.is_finite() && im.is_finite(),
        _ => true,
    };
    let mut at = array.cells().position(|cell| cell.is_ok_and(|cell| !is_finite(&cell)))?;
    let mut index: Vec<usize> = Vec::new();
    for len in array.shape().iter().rev() {
        index.push(at.checked_rem(*len).unwrap_or(0));
        at = at.checked_div(*len).unwrap_or(0);
    }
    index.reverse();
    Some(index)
}

/// One axis; at most 64 as in NumPy.
pub(super) fn shaped<'a>(shape: &[usize], next: &mut dyn FnMut() -> Result<Cell<'a>>, out: &mut String) -> Result<()> {
    let Some((len, rest)) = shape.split_first() else { return cell(&next()?, out) };
    if shape.len() > 64 {
        return Err(Error::malformed("an array of more than 64 axes"));
    }
    out.push('[');
    for at in 0..*len {
        out.push_str(if at > 0 { "," } else { "" });
        shaped(rest, next, out)?;
        // Nothing below an axis of length 0, however often.
        if rest.contains(&0) && out.len() > 1 << 24 {
            return Err(Error::new(ErrorKind::Limit, "an array without elements that is very large"));
        }
    }
    out.push(']');
    Ok(())
}

/// Writes a string with JSON's escapes.
pub(crate) fn string(text: &str, out: &mut String) {
    match serde_json::to_string(text) {
        Ok(text) => out.push_str(&text),
        Err(_) => out.push_str("\"\""),
    }
}

fn float(value: f64, shortest: String, out: &mut String) {
    if value.is_nan() {
        out.push_str("null");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else {
        out.push_str(&shortest);
    }
}

/// Writes one cell as JSON.
pub(crate) fn cell(value: &Cell<'_>, out: &mut String) -> Result<()> {
    match value {
        Cell::Null => out.push_str("null"),
        Cell::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Cell::Int(value) => out.push_str(&value.to_string()),
        Cell::UInt(value) => out.push_str(&value.to_string()),
        Cell::Float32(value) => float(f64::from(*value), crate::text::float32(*value), out),
        Cell::Float(value) => float(*value, crate::text::float(*value), out),
        Cell::Complex(re, im) => {
            out.push('[');
            float(*re, crate::text::float(*re), out);
            out.push(',');
            float(*im, crate::text::float(*im), out);
            out.push(']');
        }
        Cell::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => string(text, out),
            Err(_) => string(&STANDARD.encode(bytes), out),
        },
        Cell::Interval { left, right, closed } => {
            out.push_str("{\"left\":");
            cell(left, out)?;
            out.push_str(",\"right\":");
            cell(right, out)?;
            out.push_str(",\"closed\":");
            string(closed, out);
            out.push('}');
        }
        Cell::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                cell(item, out)?;
            }
            out.push(']');
        }
        Cell::Record(fields) => {
            out.push('{');
            for (at, (name, item)) in fields.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                string(name, out);
                out.push(':');
                cell(item, out)?;
            }
            out.push('}');
        }
        Cell::Object(value) => {
            let mut bytes = Vec::new();
            super::write(&Reader::new(*value, &crate::SelfContained), super::Options::default(), &mut bytes)?;
            out.push_str(&String::from_utf8_lossy(&bytes));
        }
        cell => string(&crate::text::plain(cell), out),
    }
    Ok(())
}
