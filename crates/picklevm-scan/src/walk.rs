//! Files and directories, scanned side by side.

use std::path::{Path, PathBuf};
use std::{fs, io};

use rayon::prelude::*;

use crate::members::is_pickle_name;
use crate::report::{Format, Report};
use crate::scanner::Scanner;
use crate::verdict::Rule;

/// One file of a [`scan_paths`](Scanner::scan_paths).
#[derive(Debug)]
#[non_exhaustive]
pub struct FileScan {
    /// The file, or the directory that could not be read.
    pub path: PathBuf,
    /// The result.
    pub outcome: FileStatus,
}

impl FileScan {
    /// Creates the result of a path.
    pub fn new(path: PathBuf, outcome: FileStatus) -> Self {
        FileScan { path, outcome }
    }
}

/// The result of a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileStatus {
    /// It was scanned.
    Scanned(Box<Report>),
    /// It lies in a directory, is called nothing like a pickle, is none, and holds none: a README, an image.
    Skipped,
    /// It could not be read.
    Unreadable(io::Error),
}

/// A file to scan, and whether somebody named it.
struct Found {
    path: PathBuf,
    named: bool,
}

impl Scanner {
    /// Scans files, and directories with all that is below them, on all processors. Links to directories are not
    /// followed. `done` is called after each file, with the number of files in all.
    ///
    /// The outcomes are in the order of the paths, files of a directory by name.
    pub fn scan_paths<P: AsRef<Path>>(&self, paths: &[P], done: impl Fn(&Path, usize) + Sync) -> Vec<FileScan> {
        let mut outcomes = Vec::new();
        let mut found = Vec::new();
        for path in paths {
            let path = path.as_ref();
            if path.is_dir() {
                list(path, &mut found, &mut outcomes);
            } else {
                found.push(Found { path: path.to_owned(), named: true });
            }
        }
        let total = found.len();
        let scans = found.into_par_iter().map(|Found { path, named }| {
            let outcome = match self.scan_file(&path) {
                Ok(report) if !named && is_foreign(&report) => FileStatus::Skipped,
                Ok(report) => FileStatus::Scanned(Box::new(report)),
                Err(error) => FileStatus::Unreadable(error),
            };
            done(&path, total);
            FileScan { path, outcome }
        });
        outcomes.par_extend(scans);
        outcomes
    }
}

/// Whether a file is no pickle, holds none, and does not claim to.
fn is_foreign(report: &Report) -> bool {
    report.format == Format::Other
        && !is_pickle_name(&report.name)
        && report.members.is_empty()
        && report.pickles.len() <= 1
        && !report.findings.iter().any(|finding| finding.rule == Rule::Limit)
}

/// The files below a directory; what cannot be listed is an outcome.
fn list(root: &Path, found: &mut Vec<Found>, outcomes: &mut Vec<FileScan>) {
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                outcomes.push(FileScan { path: directory, outcome: FileStatus::Unreadable(error) });
                continue;
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let mut below = Vec::new();
        for path in paths {
            match fs::symlink_metadata(&path) {
                Ok(data) if data.is_dir() => below.push(path),
                // A link to a file is as good as the file; pipes and devices are not opened.
                Ok(_) if path.is_file() => found.push(Found { path, named: false }),
                _ => {}
            }
        }
        directories.extend(below.into_iter().rev());
    }
}
