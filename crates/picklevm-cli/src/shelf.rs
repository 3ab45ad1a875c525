//! `picklevm shelf`: the values of Python's shelves.

use std::io::Write;
use std::path::{Path, PathBuf};

use picklevm::literal::Strings;
use picklevm::{Graph, Pickler, Protocol};
use picklevm_files::dbm;
use picklevm_shelf::{Backend, Error, Mode, Options, Shelf};
use serde_json::json;

use crate::failure::Failure;
use crate::input::{is_standard, shown};
use crate::output::Output;
use crate::printable::{Printable, escape_bytes};
use crate::show;

/// Read and change the values of a shelf (Python's shelve)
///
/// FILE is the name that shelve.open was given, or a file of the shelf. SQLite (Python 3.13 and later) and dbm.dumb are read and
/// written, GNU dbm is read. Other commands take shelves too: `show`, `scan`, `list`, `convert`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm shelf settings                              all keys
  picklevm shelf settings get colors                   the value of a key
  picklevm shelf settings set colors \"['red', 'blue']\"
  picklevm shelf settings delete colors
  picklevm shelf old.gdbm convert new --to sqlite3     for Python 3.13 and later")]
pub(crate) struct Args {
    /// The shelf
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Print all keys [default]
    List {
        /// Print an object of JSON for each key, with the length of its pickle
        #[arg(long)]
        json: bool,
    },
    /// Print the value of a key
    Get {
        /// The key
        key: String,
        /// Print one line of tagged JSON, as `show --json` does
        #[arg(long)]
        json: bool,
    },
    /// Set the value of a key
    Set {
        /// The key
        key: String,
        /// The value in Python's syntax, as `show` prints it
        literal: String,
        /// Write the pickle at this protocol [default: that of the value before, or 4]
        #[arg(short, long, value_name = "PROTOCOL")]
        protocol: Option<Protocol>,
        /// Make the shelf if there is none
        #[arg(long, value_name = "BACKEND")]
        create: Option<To>,
    },
    /// Delete a key
    Delete {
        /// The key
        key: String,
    },
    /// Write all values to a new shelf, pickles as they are
    Convert {
        /// The name of the new shelf
        #[arg(value_name = "OUT")]
        out: PathBuf,
        /// What to keep it in
        #[arg(long, value_name = "BACKEND")]
        to: To,
    },
}

/// A backend that is written.
#[derive(Clone, Copy, clap::ValueEnum)]
enum To {
    /// SQLite: Python 3.13 and later
    Sqlite3,
    /// Every version of Python
    Dumb,
}

impl From<To> for Backend {
    fn from(to: To) -> Self {
        match to {
            To::Sqlite3 => Backend::Sqlite3,
            To::Dumb => Backend::Dumb,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if is_standard(&args.file) {
        return Err(Failure::Usage("expected the FILE of a shelf, found standard input".to_owned()));
    }
    let shelf = Named { path: name_of(&args.file), name: shown(&args.file) };
    match &args.action {
        None => shelf.list(false),
        Some(Action::List { json }) => shelf.list(*json),
        Some(Action::Get { key, json }) => shelf.get(key, *json),
        Some(Action::Set { key, literal, protocol, create }) => shelf.set(key, literal, *protocol, *create),
        Some(Action::Delete { key }) => shelf.delete(key),
        Some(Action::Convert { out, to }) => shelf.convert(out, (*to).into()),
    }
}

/// The name under which a shelf is opened, of one of its files.
fn name_of(file: &Path) -> PathBuf {
    let stem = file.with_extension("");
    let is_part = file.extension().is_some_and(|ending| ["dir", "dat", "db"].iter().any(|part| ending == *part));
    let is_whole = matches!(dbm::which(file), Ok(Some(Backend::Sqlite3 | Backend::Gnu)));
    if is_part && !is_whole && matches!(dbm::which(&stem), Ok(Some(_))) { stem } else { file.to_owned() }
}

/// A shelf and what it is called in messages.
struct Named {
    path: PathBuf,
    name: String,
}

impl Named {
    fn failure(&self, error: &Error) -> Failure {
        Failure::data(&self.name, error)
    }

    fn open(&self, options: &Options, mode: Mode) -> Result<Shelf, Failure> {
        options.open(&self.path, mode).map_err(|error| self.failure(&error))
    }

    fn missing(&self, key: &str) -> Failure {
        Failure::data(&self.name, format_args!("there is no key {key:?}; `picklevm shelf FILE list` prints all"))
    }

    fn list(&self, json: bool) -> Result<(), Failure> {
        let mut shelf = self.open(&Options::new(), Mode::Read)?;
        let mut out = Output::paged();
        for key in shelf.raw_keys().map_err(|error| self.failure(&error))? {
            let text = escape_bytes(&key);
            let written = if json {
                let pickle = shelf.get_pickle(&key).map_err(|error| self.failure(&error))?.unwrap_or_default();
                writeln!(out, "{}", json!({ "key": text, "bytes": pickle.len() }))
            } else {
                writeln!(out, "{}", Printable(&text))
            };
            written.map_err(|error| out.failure(error))?;
        }
        out.finish()
    }

    fn get(&self, key: &str, json: bool) -> Result<(), Failure> {
        let mut shelf = self.open(&Options::new(), Mode::Read)?;
        let graph = shelf.get(key).map_err(|error| self.failure(&error))?.ok_or_else(|| self.missing(key))?;
        let mut out = Output::paged();
        let pretty = if json { graph.pretty().json() } else { show::readable(graph.pretty()) };
        show::print(&pretty, json, graph.held_bytes(), &self.name, &mut out)?;
        out.finish()
    }

    fn set(&self, key: &str, literal: &str, protocol: Option<Protocol>, create: Option<To>) -> Result<(), Failure> {
        let mode = create.map_or(Mode::Write, |backend| Mode::Create(backend.into()));
        let mut shelf = self.open(&Options::new(), mode)?;
        // What was there says how Python reads the shelf.
        let old = shelf.get(key).map_err(|error| self.failure(&error))?;
        let strings = match &old {
            Some(old) if old.has_byte_strings() => Strings::Bytes,
            _ => Strings::Text,
        };
        let protocol = protocol.or_else(|| old.as_ref()?.protocol()).unwrap_or(Protocol::V4);
        let mut graph = Graph::new();
        let wrong = |error: picklevm::Error| Failure::Usage(format!("{literal}: {error}"));
        let value = graph.add_literal(literal, strings).map_err(wrong)?;
        graph.set_root(value);
        let pickle = Pickler::new().protocol(protocol).dumps(graph.root());
        let pickle = pickle.map_err(|error| Failure::data(&self.name, error))?;
        shelf.insert_pickle(key, &pickle).map_err(|error| self.failure(&error))?;
        shelf.close().map_err(|error| self.failure(&error))
    }

    fn delete(&self, key: &str) -> Result<(), Failure> {
        let mut shelf = self.open(&Options::new(), Mode::Write)?;
        if !shelf.remove(key).map_err(|error| self.failure(&error))? {
            return Err(self.missing(key));
        }
        shelf.close().map_err(|error| self.failure(&error))
    }

    fn convert(&self, out: &Path, to: Backend) -> Result<(), Failure> {
        let mut shelf = self.open(&Options::new(), Mode::Read)?;
        let new = Named { path: out.to_owned(), name: shown(out) };
        if out.exists() || !matches!(dbm::which(out), Ok(None)) {
            return Err(Failure::Usage(format!("{}: expected a new name, found a file", new.name)));
        }
        let mut written = new.open(&Options::new(), Mode::New(to))?;
        for key in shelf.raw_keys().map_err(|error| self.failure(&error))? {
            let pickle = shelf.get_pickle(&key).map_err(|error| self.failure(&error))?;
            let Some(pickle) = pickle else { continue };
            written.insert_pickle(&key, &pickle).map_err(|error| new.failure(&error))?;
        }
        written.close().map_err(|error| new.failure(&error))
    }
}
