//! JSON, JSON Lines, TOML and YAML as graphs of plain values.

use bytes::Bytes;
use picklevm::Graph;

use crate::failure::Failure;

/// A format of text, by the end of a file's name.
pub(super) const FORMATS: &[(&str, Read)] =
    &[("json", json), ("jsonl", json_lines), ("ndjson", json_lines), ("toml", toml), ("yaml", yaml), ("yml", yaml)];

pub(super) type Read = fn(&str, Bytes) -> Result<Graph, Failure>;

fn text<'d>(name: &str, data: &'d [u8], format: &str) -> Result<&'d str, Failure> {
    let text = std::str::from_utf8(data).map_err(|error| {
        let at = error.valid_up_to();
        Failure::data(name, format!("offset {at}: expected {format} in UTF-8, found another byte"))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A message with the place in a text that it is about; lines and columns count from 1.
pub(super) fn at(line: usize, column: usize, message: &str) -> String {
    format!("line {line}, column {column}: {message}")
}

/// A message with the place of an offset in a text that begins in a line of its file.
fn at_offset(text: &str, line: usize, offset: usize, message: &str) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    at(line + before.matches('\n').count(), before[line_start..].chars().count() + 1, message)
}

/// One document of JSON.
fn json(name: &str, data: Bytes) -> Result<Graph, Failure> {
    document(text(name, &data, "JSON")?, 1).map_err(|error| Failure::data(name, error))
}

/// A document of JSON that begins in a line of its file. A key that begins with `$` is one like others here, but for what
/// serde_json has no number for: that is read as `from-json` does.
fn document(text: &str, line: usize) -> Result<Graph, String> {
    let message = |error: &str| format!("this is not JSON: {error}");
    if has_long_integer(text) {
        return picklevm::literal::from_json(text).map_err(|error| {
            let offset = error.offset().unwrap_or(0);
            let error = error.to_string();
            let error = error.strip_prefix(&format!("offset {offset}: ")).unwrap_or(&error);
            at_offset(text, line, usize::try_from(offset).unwrap_or(usize::MAX), &message(error))
        });
    }
    serde_json::from_str(text).map_err(|error| {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        at(
            (line + error.line()).saturating_sub(1),
            error.column(),
            &message(text.strip_suffix(&place).unwrap_or(&text)),
        )
    })
}

/// Whether there may be an integer of more than 64 bits.
fn has_long_integer(text: &str) -> bool {
    let (mut digits, mut in_string, mut is_escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => (in_string, digits) = (!in_string, 0),
            b'0'..=b'9' if !in_string => digits += 1,
            _ => digits = 0,
        }
        if digits > 18 {
            return true;
        }
    }
    false
}

/// Documents of JSON, one a line, as a list.
pub(super) fn json_lines(name: &str, data: Bytes) -> Result<Graph, Failure> {
    let text = text(name, &data, "JSON")?;
    let mut all = Graph::new();
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let graph = document(line, number + 1).map_err(|error| Failure::data(name, error))?;
        lines.push(all.add(graph.root()));
    }
    let root = all.list(lines);
    all.set_root(root);
    Ok(all)
}

fn toml(name: &str, data: Bytes) -> Result<Graph, Failure> {
    let text = text(name, &data, "TOML")?;
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let offset = error.span().map_or(0, |span| span.start);
        Failure::data(
            name,
            at_offset(text, 1, offset, &format!("this is not TOML: {}", error.message().replace('\n', "; "))),
        )
    })
}

fn yaml(name: &str, data: Bytes) -> Result<Graph, Failure> {
    super::yaml::read(name, text(name, &data, "YAML")?)
}
