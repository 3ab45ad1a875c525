//! JSON, JSON Lines, TOML and YAML as graphs of plain values.

use bytes::Bytes;
use picklevm::Graph;
use serde::de::DeserializeOwned;

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

/// One document of JSON.
fn json(name: &str, data: Bytes) -> Result<Graph, Failure> {
    document(text(name, &data, "JSON")?).map_err(|error| Failure::data(name, format!("this is no JSON: {error}")))
}

/// A document of JSON. A key that begins with `$` is one like others here, but for what serde_json has no number for: that is
/// read as `from-json` does.
fn document(text: &str) -> Result<Graph, String> {
    match has_long_integer(text) {
        true => picklevm::literal::from_json(text).map_err(|error| error.to_string()),
        false => serde_json::from_str(text).map_err(|error| error.to_string()),
    }
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
        let graph =
            document(line).map_err(|error| Failure::data(name, format!("line {} is no JSON: {error}", number + 1)))?;
        lines.push(all.add(graph.root()));
    }
    let root = all.list(lines);
    all.set_root(root);
    Ok(all)
}

fn toml(name: &str, data: Bytes) -> Result<Graph, Failure> {
    let text = text(name, &data, "TOML")?;
    toml::from_str(text).map_err(|error| Failure::data(name, format!("this is no TOML: {}", one_line(&error))))
}

/// One document of YAML, or a list of several.
fn yaml(name: &str, data: Bytes) -> Result<Graph, Failure> {
    let text = text(name, &data, "YAML")?;
    let mut documents: Vec<Graph> =
        several(text).map_err(|error| Failure::data(name, format!("this is no YAML: {}", one_line(&error))))?;
    if documents.len() == 1 {
        return Ok(documents.swap_remove(0));
    }
    let mut all = Graph::new();
    let roots: Vec<_> = documents.iter().map(|document| all.add(document.root())).collect();
    let root = all.list(roots);
    all.set_root(root);
    Ok(all)
}

fn several<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, serde_saphyr::Error> {
    serde_saphyr::from_multiple(text)
}

/// An error without the lines that quote the file.
fn one_line(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains('|'));
    lines.collect::<Vec<_>>().join(": ")
}
