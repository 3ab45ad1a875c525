//! The input of a command: files, or standard input.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use picklevm_files::{File, Opener};

use crate::failure::{Failure, reason};
use crate::glob;
use crate::printable::{Printable, escape_bytes};

/// What of a file is looked at, and how.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct Choice {
    /// Read only members whose path matches, such as `*.pkl`; may be given again [default: all]
    #[arg(long, value_name = "PATTERN")]
    member: Vec<String>,
    /// Read the file as it was before this damage
    #[arg(long, value_name = "DAMAGE", value_enum)]
    repair: Option<Repair>,
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
        Opener::new().restore_line_ends(self.repair.is_some())
    }
}

/// Opens a file; standard input where the path is `-`.
///
/// # Errors
///
/// [`Failure::Usage`] if it cannot be read.
pub(crate) fn open(opener: &Opener, path: &Path) -> Result<File, Failure> {
    let cannot = |why: &str| Failure::Usage(format!("{}: cannot read: {why}", name(path)));
    if is_standard(path) {
        return opener.reader(io::stdin().lock()).map_err(|error| cannot(&error.to_string()));
    }
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

/// What an input is called in messages.
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
