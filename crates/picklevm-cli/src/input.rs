//! The input of a command: files, or standard input.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use picklevm_files::{File, FileLimits, Limit, Opener, dbm};

use crate::failure::{Failure, reason};
use crate::printable::{Printable, escape_bytes};
use crate::{glob, progress, size};

/// Options for reading a file.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct Choice {
    /// Read only members whose path matches, such as `*.pkl`; may be given again [default: all]
    #[arg(long, value_name = "PATTERN")]
    member: Vec<String>,
    /// Read the file as it was before this damage
    #[arg(long, value_name = "DAMAGE", value_enum)]
    repair: Option<Repair>,
    #[command(flatten)]
    limits: LimitArgs,
}

/// Limits on what a file expands to.
#[derive(clap::Args, Clone, Default)]
#[command(next_help_heading = "Limits on what a file expands to")]
pub(crate) struct LimitArgs {
    /// Decompress and search at most this much of a file, such as 100GiB [default: 16GiB, and what --max-ratio says]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_expanded: Option<usize>,
    /// Decompress and search at most this many times the length of a file, beyond 64 MiB [default: 100, or no limit with
    /// --max-expanded]
    #[arg(long, value_name = "TIMES")]
    max_ratio: Option<u64>,
    /// Open archives and compressed data nested this deep [default: 8]
    #[arg(long, value_name = "LEVELS")]
    max_nesting: Option<u32>,
    /// List at most this many members of archives [default: 1048576]
    #[arg(long, value_name = "COUNT")]
    max_members: Option<u64>,
}

impl LimitArgs {
    /// The limits.
    pub(crate) fn limits(&self) -> FileLimits {
        let mut limits = FileLimits::default();
        if let Some(bytes) = self.max_expanded {
            limits = limits.expanded(bytes as u64).ratio(u64::MAX);
        }
        limits = self.max_ratio.map_or(limits, |times| limits.ratio(times));
        limits = self.max_nesting.map_or(limits, |levels| limits.depth(levels));
        self.max_members.map_or(limits, |count| limits.members(count))
    }

    /// How files are opened.
    pub(crate) fn opener(&self) -> Opener {
        Opener::new().limits(self.limits())
    }
}

/// A failure of an input, with the option that raises the limit that was reached.
pub(crate) fn failure(name: &str, error: &picklevm_files::Error) -> Failure {
    let option = match error.exceeded() {
        None => return Failure::data(name, error),
        Some(Limit::Expanded) => "--max-expanded",
        Some(Limit::Depth) => "--max-nesting",
        Some(Limit::Members) => "--max-members",
        Some(_) => "--max-ratio",
    };
    Failure::data(name, error).hint(&format!("raise the limit with {option} if you trust the file"))
}

/// Damage that can be repaired for certain.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Repair {
    /// Line ends were converted to CRLF, as Git and FTP do with text
    Crlf,
}

impl Choice {
    /// Whether a member was chosen. The file itself is, unless a pattern was given.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.member.is_empty() || self.member.iter().any(|pattern| glob::fits(pattern, member))
    }

    /// The patterns, as they were given.
    pub(crate) fn patterns(&self) -> String {
        self.member.join(", ")
    }

    /// Whether all of the file is read as it is.
    pub(crate) fn is_default(&self) -> bool {
        self.member.is_empty() && self.repair.is_none()
    }

    /// How files are opened.
    pub(crate) fn opener(&self) -> Opener {
        self.limits.opener().restore_line_ends(self.repair.is_some())
    }

    /// The limits on what is expanded.
    pub(crate) fn limits(&self) -> FileLimits {
        self.limits.limits()
    }
}

/// Opens a file; standard input where the path is `-`.
///
/// # Errors
///
/// [`Failure::Usage`] if it cannot be read.
pub(crate) fn open(opener: &Opener, path: &Path) -> Result<File, Failure> {
    progress::reading(&name(path));
    let cannot = |why: &str| Failure::Usage(format!("{}: cannot read: {why}", name(path)));
    if is_standard(path) {
        return opener.reader(io::stdin().lock()).map_err(|error| cannot(&error.to_string()));
    }
    let path = &*dbm::main_file(path);
    // What the system says of a path is said in the program's own words.
    match fs::metadata(path) {
        Err(error) => Err(cannot(&reason(&error))),
        Ok(metadata) if metadata.is_dir() => Err(cannot(&reason(&io::ErrorKind::IsADirectory.into()))),
        Ok(_) => opener.open(path).map_err(|error| {
            let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<io::Error>());
            cannot(&source.map_or_else(|| error.to_string(), reason))
        }),
    }
}

/// The files that a command is given; standard input where it is given none and that is not a terminal.
///
/// # Errors
///
/// [`Failure::Usage`] if there is nothing to read.
pub(crate) fn or_standard(files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    match files {
        [] if io::stdin().is_terminal() => Err(Failure::Usage(
            "expected a FILE, found none; name one, or pipe a pickle to standard input (--help shows examples)".into(),
        )),
        [] => Ok(vec![PathBuf::from("-")]),
        files => Ok(files.to_vec()),
    }
}

/// Whether a path is `-`: standard input, or standard output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Returns the name of an input for messages.
pub(crate) fn name(path: &Path) -> String {
    if is_standard(path) { "<stdin>".to_owned() } else { shown(path) }
}

/// A path that is not UTF-8 as hexadecimal digits.
pub(crate) fn name_bytes(path: &Path) -> Option<String> {
    let path = path.as_os_str();
    path.to_str().is_none().then(|| path.as_encoded_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A path as text that is safe to print: bytes that are not UTF-8 are `\xNN`.
pub(crate) fn shown(path: &Path) -> String {
    Printable(&escape_bytes(path.as_os_str().as_encoded_bytes())).to_string()
}
