//! Lines of JSON: the report of a file each.

use std::io::{self, Write};

use picklevm_scan::{FileScan, Outcome};
use serde_json::json;

/// Prints a line for each file but those that were passed over.
pub(super) fn print(scans: &[FileScan], out: &mut impl Write) -> io::Result<()> {
    for scan in scans {
        match &scan.outcome {
            Outcome::Scanned(report) => serde_json::to_writer(&mut *out, report)?,
            Outcome::PassedOver => continue,
            Outcome::Unreadable(error) => {
                let name = scan.path.to_string_lossy();
                write!(out, "{}", json!({"name": name, "verdict": "unreadable", "error": error.to_string()}))?;
            }
            _ => continue,
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}
