//! SARIF 2.1.0, which code scanning services and editors read.

use std::io::{self, Write};

use picklevm_scan::{FileScan, FileStatus, Finding, Rule, Verdict};
use serde_json::{Value, json};

use crate::failure::reason;

/// Prints one log of one run.
pub(super) fn print(scans: &[FileScan], out: &mut impl Write) -> io::Result<()> {
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for scan in scans {
        let uri = uri(scan.path.as_os_str().as_encoded_bytes());
        match &scan.outcome {
            FileStatus::Scanned(report) => {
                results.extend(report.all_findings().iter().map(|(place, finding)| result(&uri, place, finding)));
            }
            FileStatus::Unreadable(error) => notifications.push(json!({
                "level": "error",
                "message": {"text": format!("cannot read: {}", reason(error))},
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}}}],
            })),
            _ => {}
        }
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "picklevm",
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Rule::ALL.iter().map(rule).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn rule(rule: &Rule) -> Value {
    json!({"id": rule.id(), "shortDescription": {"text": rule.doc()}})
}

/// A finding. Its offset counts in the file, or in what lies in the file at `place`, the outermost first.
fn result(uri: &str, place: &[&str], finding: &Finding) -> Value {
    let mut location = json!({"physicalLocation": {"artifactLocation": {"uri": uri}}});
    if place.is_empty() {
        location["physicalLocation"]["region"] = json!({"byteOffset": finding.offset});
    } else {
        location["logicalLocations"] = json!([{"fullyQualifiedName": place.join("/"), "kind": "member"}]);
    }
    let level = match finding.verdict {
        Verdict::Dangerous => "error",
        Verdict::Suspicious => "warning",
        Verdict::Safe => "note",
    };
    json!({
        "ruleId": finding.rule.id(),
        "ruleIndex": Rule::ALL.iter().position(|rule| *rule == finding.rule),
        "level": level,
        "message": {"text": finding.message},
        "locations": [location],
        "properties": {"verdict": finding.verdict, "offset": finding.offset, "name": finding.name},
    })
}

/// A path as a relative or `file:` reference, escaped as a URI.
fn uri(path: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut uri = String::from(if path.starts_with(b"/") { "file://" } else { "" });
    for &byte in path {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            b'\\' if cfg!(windows) => uri.push('/'),
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri(b"models/my model.pkl"), "models/my%20model.pkl");
        assert_eq!(uri("/tmp/ü.pkl".as_bytes()), "file:///tmp/%C3%BC.pkl");
        assert_eq!(uri(b"\xff.pkl"), "%FF.pkl");
    }
}
