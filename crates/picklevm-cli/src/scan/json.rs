//! Lines of JSON: the report of a file each.

use std::io::{self, Write};

use picklevm_scan::{FileScan, FileStatus};
use serde_json::json;

use crate::failure::reason;
use crate::input::{name_bytes, shown};

/// Prints a line for each file that was not skipped.
pub(super) fn print(scans: &[FileScan], out: &mut impl Write) -> io::Result<()> {
    for scan in scans {
        match &scan.outcome {
            FileStatus::Scanned(report) => match name_bytes(&scan.path) {
                None => serde_json::to_writer(&mut *out, report)?,
                Some(bytes) => {
                    let mut line = serde_json::to_value(report)?;
                    line["name"] = shown(&scan.path).into();
                    line["name_bytes"] = bytes.into();
                    write!(out, "{line}")?;
                }
            },
            FileStatus::Skipped => continue,
            FileStatus::Unreadable(error) => {
                let mut line = json!({"verdict": "unreadable", "error": reason(error)});
                match name_bytes(&scan.path) {
                    None => line["name"] = scan.path.to_string_lossy().into(),
                    Some(bytes) => {
                        line["name"] = shown(&scan.path).into();
                        line["name_bytes"] = bytes.into();
                    }
                }
                write!(out, "{line}")?;
            }
            _ => continue,
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}
