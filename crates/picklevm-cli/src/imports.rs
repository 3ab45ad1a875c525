//! `picklevm imports`: the names that pickles import, and what is done with each.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use picklevm_scan::{FileStatus, PolicyEntry, Report, Scanner};
use serde_json::json;

use crate::failure::{Failure, reason};
use crate::input;
use crate::output::Output;
use crate::printable::Printable;
use crate::scan;

/// List the names that pickles import, and how each is used
///
/// Print a line for each name of a file, of its members and of the pickles in its strings: what the policy says of it (safe,
/// suspicious or dangerous), how often it is used, the name, and what is done with it. Nothing is imported or called.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm imports model.pkl
  picklevm imports --json models/*.pt | jq -r .name | sort -u")]
pub(crate) struct Args {
    /// Read these files [default: standard input, which is also `-`]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one line of JSON for each name
    #[arg(long)]
    json: bool,
    /// Change which names are allowed and which are dangerous by this TOML or JSON file; may be repeated
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
}

/// What the policy knows of an imported name.
struct Known {
    uses: u64,
    how: Vec<&'static str>,
    known: PolicyEntry,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let scanner = Scanner::new().policy(scan::read_policy(&args.policy)?);
    let mut out = Output::stdout();
    let files = input::or_standard(&args.files)?;
    let several = files.len() > 1;
    for file in scan::scan(&files, &scanner) {
        let name = file.path.display().to_string();
        let report = match &file.outcome {
            FileStatus::Scanned(report) => report,
            FileStatus::Unreadable(error) => {
                return Err(Failure::Usage(format!("{name}: cannot read: {}", reason(error))));
            }
            _ => continue,
        };
        let mut names = BTreeMap::new();
        collect(report, &mut names);
        let mut print = || {
            if several && !args.json {
                writeln!(out, "{}:", Printable(&name))?;
            }
            for (import, known) in &names {
                let verdict = match known.known {
                    PolicyEntry::Safe => "safe",
                    PolicyEntry::Dangerous(_) => "dangerous",
                    _ => "suspicious",
                };
                if args.json {
                    let row = json!({
                        "file": name, "name": import, "verdict": verdict, "uses": known.uses, "how": known.how,
                    });
                    writeln!(out, "{row}")?;
                } else {
                    let how = if known.how.is_empty() { "imports".to_owned() } else { known.how.join(", ") };
                    writeln!(out, "{verdict:10}  {:>6}  {}  {how}", known.uses, Printable(import))?;
                }
            }
            Ok(())
        };
        print().map_err(|error| out.failure(error))?;
    }
    out.finish()
}

/// Adds the names of a report and of all that is in it.
fn collect(report: &Report, names: &mut BTreeMap<String, Known>) {
    let mut reports = vec![report];
    while let Some(report) = reports.pop() {
        reports.extend(&report.members);
        for pickle in &report.pickles {
            reports.extend(&pickle.nested);
            for import in &pickle.imports {
                let name = if import.name.is_empty() { import.module.clone() } else { import.to_string() };
                let row = names.entry(name).or_insert(Known { uses: 0, how: Vec::new(), known: import.known.clone() });
                row.uses += import.uses;
                for how in &import.how {
                    if !row.how.contains(how) {
                        row.how.push(how);
                    }
                }
            }
        }
    }
}
