//! `.npy` files: a header in Python's syntax, then the array's memory, or a pickle where the items are objects.

use crate::hidden;
use crate::report::{Format, Report};
use crate::scanner::Context;
use crate::stream;
use crate::verdict::{Finding, Rule};

/// Scans what follows the header.
pub(super) fn scan(bytes: &[u8], report: &mut Report, context: &Context<'_>) {
    let Some((header, data_start)) = split(bytes) else {
        report.findings.push(Finding::suspicious(Rule::Container, 0, "the .npy header cannot be read"));
        report.pickles = hidden::hunt_pickles(bytes, 0, context, &mut report.findings);
        return;
    };
    let data = &bytes[data_start..];
    if holds_objects(header) {
        let inner = stream::scan(data, Report::new("objects", Format::Pickle, data.len()), context);
        report.members.push(inner);
        return;
    }
    match (data_len(header), data.len()) {
        (Some(expected), len) if expected < len as u64 => {
            let message = format!("{} bytes follow the array", len as u64 - expected);
            report.findings.push(Finding::suspicious(Rule::Trailing, data_start as u64 + expected, message));
        }
        (Some(expected), len) if expected > len as u64 => {
            report.findings.push(Finding::suspicious(
                Rule::Broken,
                data_start as u64,
                "the array is longer than the file",
            ));
        }
        _ => {}
    }
    report.members.extend(hidden::hunt("data", data, context));
}

/// The header and where the data begin.
fn split(bytes: &[u8]) -> Option<(&str, usize)> {
    let (len, start) = match bytes.get(6..)? {
        [1, _, low, high, ..] => (u16::from_le_bytes([*low, *high]) as usize, 10),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12),
        _ => return None,
    };
    let header = bytes.get(start..)?.get(..len)?;
    Some((str::from_utf8(header).ok()?, start + len))
}

/// The text after a key of the header, such as `'descr': `.
fn after<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    let rest = header.split_once(&format!("'{key}'")).or_else(|| header.split_once(&format!("\"{key}\"")))?.1;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

/// Whether a type in the header is that of Python objects, or cannot be told not to be.
fn holds_objects(header: &str) -> bool {
    let Some(descr) = after(header, "descr") else { return true };
    let end = ["'fortran_order'", "'shape'"].iter().filter_map(|key| descr.find(key)).min().unwrap_or(descr.len());
    // Each type is a quoted text that begins with an order, a letter and a size; names of fields are quoted as well.
    descr[..end].split(['\'', '"']).skip(1).step_by(2).any(|text| {
        let kind = text.trim_start_matches(['|', '<', '>', '=']);
        kind.starts_with('O') && kind[1..].bytes().all(|byte| byte.is_ascii_digit()) || kind == "object"
    })
}

/// The length of the array's memory, if its type is a plain one.
fn data_len(header: &str) -> Option<u64> {
    let descr = after(header, "descr")?;
    let descr = descr.strip_prefix(['\'', '"'])?.split(['\'', '"']).next()?;
    let kind = descr.trim_start_matches(['|', '<', '>', '=']);
    let digits: String = kind.get(1..)?.chars().take_while(char::is_ascii_digit).collect();
    let size: u64 = digits.parse().ok()?;
    let size = if kind.starts_with('U') { size.checked_mul(4)? } else { size };
    let shape = after(header, "shape")?.strip_prefix('(')?.split(')').next()?;
    let mut lens = shape.split(',').map(str::trim).filter(|len| !len.is_empty());
    lens.try_fold(size, |product, len| product.checked_mul(len.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_objects_from_numbers() {
        assert!(holds_objects("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"));
        assert!(holds_objects("{'descr': [('a', '<f8'), ('b', '|O')], 'fortran_order': False, 'shape': (2,), }"));
        assert!(!holds_objects("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"));
        assert!(!holds_objects("{'descr': [('Open', '<f8')], 'fortran_order': False, 'shape': (2,), }"));
        assert!(holds_objects("{}"));
    }

    #[test]
    fn the_header_tells_the_length() {
        assert_eq!(data_len("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"), Some(48));
        assert_eq!(data_len("{'descr': '<U2', 'fortran_order': False, 'shape': (), }"), Some(8));
        assert_eq!(data_len("{'descr': [('a', '<f8')], 'shape': (2,)}"), None);
    }
}
