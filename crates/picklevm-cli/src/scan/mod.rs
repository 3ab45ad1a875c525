//! `picklevm scan`: what pickles would import and call, and whether that is harmless.
//!
//! The judging is picklevm-scan's. Here its reports become a [table] for people, with words for what each
//! step does, or [lines of JSON](json) and [SARIF](sarif) for programs, and one exit status.

mod explain;
mod json;
mod sarif;
mod table;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use picklevm_scan::{FileScan, FileStatus, Limits, Policy, Scanner, Use, Verdict, split_name};

use crate::failure::{Failure, reason};
use crate::output::Output;
use crate::{input, progress, size};

/// Say what pickles would import and call, and whether that is safe
///
/// Nothing is imported or called. A PATH is a file that a program would load (a pickle, a checkpoint of PyTorch, joblib or
/// NumPy, an archive of them, compressed or not) or a directory, where non-pickle files are skipped.
///
/// Exit status: 0 if all is safe, 1 if something is dangerous, 3 if it is suspicious, 4 if it could not be read; of
/// several the worst: dangerous, unreadable, suspicious, safe. 2 is bad usage.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm scan model.pkl && python load.py
  picklevm scan --explain download.pkl
  picklevm scan --json --max-file 1GiB models/ > report.jsonl
  picklevm scan --policy shop.toml orders/")]
pub(crate) struct Args {
    /// Scan these files and directories [default: standard input, which is also `-`]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Explain everything that each pickle does, as Python and in words
    #[arg(long)]
    explain: bool,
    /// Print one line of JSON for each file
    #[arg(long, conflicts_with_all = ["explain", "sarif"])]
    json: bool,
    /// Print SARIF 2.1.0, as code scanning services read it
    #[arg(long, conflicts_with = "explain")]
    sarif: bool,
    /// With --json, list what safe pickles do, too
    #[arg(long, requires = "json")]
    evidence: bool,
    /// Leave safe files out
    #[arg(short, long, conflicts_with_all = ["json", "sarif"])]
    quiet: bool,
    /// Change which names are allowed and which are dangerous by this TOML or JSON file; may be repeated
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// Allow this name, such as shop.models.Order, to be called, made and given a state; may be repeated
    #[arg(long, value_name = "NAME")]
    allow: Vec<String>,
    /// Allow all names of this module and of those below it, except dangerous ones; may be repeated
    #[arg(long, value_name = "MODULE")]
    allow_module: Vec<String>,
    /// Allow the names of all modules that belong to no library known to the policy: your own classes
    #[arg(long)]
    allow_own: bool,
    /// Print the policy as TOML instead of scanning
    #[arg(long, conflicts_with_all = ["paths", "explain", "json", "sarif", "quiet"])]
    print_policy: bool,
    /// Print this many reasons for each file
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    max_reasons: usize,
    /// Look this deep into archives, compressed data, and pickles in strings of pickles
    #[arg(long, value_name = "LEVELS", default_value_t = 8)]
    depth: u32,
    /// Decompress at most this much of a file, such as 500MB or 2GiB [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_expanded: Option<usize>,
    /// Call a file suspicious if it is larger than this [default: 4GiB]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_file: Option<usize>,
    /// Read at most this many members of an archive [default: 100000]
    #[arg(long, value_name = "COUNT")]
    max_members: Option<usize>,
}

impl Args {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default().depth(self.depth);
        if let Some(most) = self.max_expanded {
            limits = limits.expanded(most);
        }
        if let Some(most) = self.max_file {
            limits = limits.file(most);
        }
        if let Some(most) = self.max_members {
            limits = limits.members(most);
        }
        limits
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut policy = read_policy(&args.policy)?;
    for name in &args.allow {
        let (module, name) = split_name(name)
            .ok_or_else(|| Failure::Usage(format!("--allow {name}: a name has a module, as in shop.models.Order")))?;
        policy.allow(module, name, Use::ALL);
    }
    args.allow_module.iter().for_each(|module| policy.allow_module(module));
    if args.allow_own {
        policy.allow_own();
    }
    if args.print_policy {
        let mut out = Output::stdout();
        write!(out, "{policy}").map_err(|error| out.failure(error))?;
        return out.finish();
    }
    let scanner = Scanner::new().policy(policy).limits(args.limits()).evidence(args.explain || args.evidence);
    let scans = scan(&input::or_standard(&args.paths)?, &scanner);
    let tally = Tally::of(&scans);
    match (print(args, &scans, &tally), tally.status()) {
        // Whoever closed the pipe still learns from the status what was found.
        (Ok(()) | Err(Failure::ClosedPipe), status @ 1..) => Err(Failure::Status(status)),
        (printed, _) => printed,
    }
}

fn print(args: &Args, scans: &[FileScan], tally: &Tally) -> Result<(), Failure> {
    let mut out = Output::stdout();
    let printed = if args.json {
        json::print(scans, &mut out)
    } else if args.sarif {
        sarif::print(scans, &mut out)
    } else {
        table::print(args, scans, tally, &mut out)
    };
    printed.map_err(|error| out.failure(error))?;
    out.finish()
}

/// The built-in policy with what files change of it.
pub(crate) fn read_policy(files: &[PathBuf]) -> Result<Policy, Failure> {
    let mut policy = Policy::builtin().clone();
    for file in files {
        let name = input::shown(file);
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("{name}: cannot read: {}", reason(&error))))?;
        let is_json = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let read = if is_json { policy.extend_json(&text) } else { policy.extend_toml(&text) };
        read.map_err(|error| Failure::Usage(format!("{name}: not a policy: {error}")))?;
    }
    Ok(policy)
}

/// Scans everything, in the order of the paths; standard input where one is `-`.
pub(crate) fn scan(paths: &[PathBuf], scanner: &Scanner) -> Vec<FileScan> {
    let mut scans = Vec::new();
    for alike in paths.chunk_by(|a, b| !input::is_standard(a) && !input::is_standard(b)) {
        if input::is_standard(&alike[0]) {
            let name = input::name(&alike[0]);
            let outcome = match scanner.scan_reader(&name, io::stdin().lock()) {
                Ok(report) => FileStatus::Scanned(Box::new(report)),
                Err(error) => FileStatus::Unreadable(error),
            };
            scans.push(FileScan::new(PathBuf::from(name), outcome));
        } else {
            scans.extend(scan_files(alike, scanner));
        }
    }
    scans
}

/// Scans files and directories, with a bar on a terminal while that takes.
fn scan_files(paths: &[PathBuf], scanner: &Scanner) -> Vec<FileScan> {
    scanner.scan_paths(paths, |_: &Path, total| progress::count("files", total as u64))
}

/// The number of files by verdict.
#[derive(Default)]
struct Tally {
    safe: usize,
    suspicious: usize,
    dangerous: usize,
    unreadable: usize,
    skipped: usize,
}

impl Tally {
    fn of(scans: &[FileScan]) -> Tally {
        let mut tally = Tally::default();
        for scan in scans {
            *match &scan.outcome {
                FileStatus::Scanned(report) => match report.verdict {
                    Verdict::Safe => &mut tally.safe,
                    Verdict::Suspicious => &mut tally.suspicious,
                    Verdict::Dangerous => &mut tally.dangerous,
                },
                FileStatus::Skipped => &mut tally.skipped,
                // What a newer library could tell is not known to be harmless.
                _ => &mut tally.unreadable,
            } += 1;
        }
        tally
    }

    /// The exit status for the worst of them.
    fn status(&self) -> u8 {
        match self {
            Tally { dangerous: 1.., .. } => 1,
            Tally { unreadable: 1.., .. } => 4,
            Tally { suspicious: 1.., .. } => 3,
            _ => 0,
        }
    }
}
