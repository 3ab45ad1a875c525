//! `picklevm edit`: pickles with values set, removed, appended and inserted.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};
use picklevm::literal::Strings;
use picklevm::{Graph, Id, Path, Pickler, PicklerVersion, Unpickler};

use crate::failure::{Failure, reason};
use crate::input;
use crate::literal_calls::{self, Called};
use crate::output::Destination;
use crate::pickles::Pickle;
use crate::rewrite::Source;

/// Change values of a pickle, by their paths
///
/// The file is written again in the archive or compression that it came in, each pickle at its own protocol. Sharing and order
/// are kept. LITERAL is Python's syntax as `show` prints it: instances, dates, sets, bytes, `&1` and `*1` too. The changes are
/// made in the order in which they are given: all of them, or none. A path is written as for `get`; the empty path is the whole
/// value. PATH=@FILE reads the literal from a file, @- from standard input.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm edit session.pkl --set \"user.name='Bob'\" -o new.pkl
  picklevm edit save.zip --set \"[0]['store.hero'].money=999\" --in-place --backup
  picklevm edit data.pkl --append \"tags='new'\" --delete \"cart[0]\" -o new.pkl
  picklevm show --full old.pkl | picklevm edit new.pkl --set =@- --in-place
  picklevm edit data.pkl --insert \"cart[0]={'sku': 'A-1', 'price': decimal.Decimal('9.99')}\" -o new.pkl")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    destination: Destination,
    /// Replace FILE when the new one is complete
    #[arg(long, conflicts_with = "output")]
    in_place: bool,
    /// Keep the old file beside the new one, with this added to its name
    #[arg(long, value_name = "SUFFIX", num_args = 0..=1, require_equals = true, default_missing_value = ".bak", requires = "in_place")]
    backup: Option<String>,
    /// Emulate this pickler: VERSION-c or VERSION-py, of CPython 2.7 and 3.6 to 3.15
    #[arg(short, long, value_name = "WRITER", default_value_t = PicklerVersion::default())]
    writer: PicklerVersion,
    /// Read strings without a prefix as 8-bit strings of Python 2 [default: if the pickle has some]
    #[arg(long)]
    python2: bool,
}

/// One change.
enum Change {
    Set(Path, Literal),
    Delete(Path),
    Append(Path, Literal),
    Insert(Path, Literal),
}

/// A value in Python's syntax.
struct Literal {
    text: String,
    /// The file that it was read from.
    file: Option<PathBuf>,
}

impl Literal {
    /// Reads what stands behind `=`: the literal, or `@` and the name of a file with it.
    fn read(text: &str) -> Result<Literal, String> {
        let Some(path) = text.strip_prefix('@') else { return Ok(Literal { text: text.to_owned(), file: None }) };
        let file = PathBuf::from(path);
        let read = match input::is_standard(&file) {
            true => std::io::read_to_string(std::io::stdin().lock()),
            false => std::fs::read_to_string(path),
        };
        let text = read.map_err(|error| format!("cannot read {}: {}", input::name(&file), reason(&error)))?;
        Ok(Literal { text, file: Some(file) })
    }

    fn is_of_standard_input(&self) -> bool {
        self.file.as_deref().is_some_and(input::is_standard)
    }
}

/// Where the literal is, for messages.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => f.write_str(&input::name(file)),
            None => f.write_str(&shortened(&self.text)),
        }
    }
}

/// The changes in the order in which they were given.
struct Changes(Vec<Change>);

const OPTIONS: [(&str, &str, &str); 4] = [
    ("set", "PATH=LITERAL", "Set the value at PATH; a new key or attribute is added"),
    ("delete", "PATH", "Delete the item, key, member or attribute at PATH"),
    ("append", "PATH=LITERAL", "Append to the list at PATH, or add to the set"),
    ("insert", "PATH=LITERAL", "Insert into a list before PATH, which ends with a position"),
];

impl clap::Args for Changes {
    fn augment_args(command: Command) -> Command {
        OPTIONS.into_iter().fold(command, |command, (name, value, help)| {
            command.arg(Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Append))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Changes::augment_args(command)
    }
}

impl FromArgMatches for Changes {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Changes, clap::Error> {
        let mut changes = Vec::new();
        for (name, ..) in OPTIONS {
            let values = matches.get_many::<String>(name).into_iter().flatten();
            for (at, value) in matches.indices_of(name).into_iter().flatten().zip(values) {
                changes.push((at, Change::read(name, value)?));
            }
        }
        changes.sort_by_key(|(at, _)| *at);
        Ok(Changes(changes.into_iter().map(|(_, change)| change).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Changes::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Change {
    fn read(option: &str, text: &str) -> Result<Change, clap::Error> {
        let wrong = |error: &dyn fmt::Display| {
            let message = format!("--{option} {text}: {error}\n");
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, message)
        };
        if option == "delete" {
            return Path::parse(text).map(Change::Delete).map_err(|error| wrong(&error));
        }
        let (path, literal) = Path::parse_assignment(text).map_err(|error| wrong(&error))?;
        let literal = Literal::read(literal).map_err(|error| wrong(&error))?;
        Ok(match option {
            "append" => Change::Append(path, literal),
            "insert" => Change::Insert(path, literal),
            _ => Change::Set(path, literal),
        })
    }

    /// Makes the change, of which `new` is the value.
    fn apply(&self, graph: &mut Graph, new: Option<Id>) -> picklevm::Result<()> {
        match (self, new) {
            (Change::Set(path, _), Some(value)) => graph.set_at(path, value),
            (Change::Append(path, _), Some(value)) => graph.append_at(path, value),
            (Change::Insert(path, _), Some(value)) => graph.insert_at(path, value),
            (Change::Delete(path), _) => graph.remove_at(path),
            _ => Ok(()),
        }
    }

    /// What the change was on the command line, for messages.
    fn literal(&self) -> Option<(&Path, &Literal)> {
        match self {
            Change::Set(path, literal) | Change::Append(path, literal) | Change::Insert(path, literal) => {
                Some((path, literal))
            }
            Change::Delete(_) => None,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.changes.0.is_empty() {
        let message = "expected a change, found none; use --set, --delete, --append or --insert";
        return Err(Failure::Usage(message.to_owned()));
    }
    let destination = match args.in_place {
        true => Destination::replacing(args.source.path()?, args.backup.as_deref())?,
        false => args.destination.clone(),
    };
    let literals = args.changes.0.iter().filter_map(Change::literal);
    let from_stdin = literals.filter(|(_, literal)| literal.is_of_standard_input()).count();
    if from_stdin + usize::from(input::is_standard(&args.source.path()?)) > 1 {
        return Err(Failure::Usage("standard input can be read once: name a file in place of -".to_owned()));
    }
    destination.check()?;
    let mut is_edited = false;
    args.source.rewrite(&destination, |pickles| {
        let Some(first) = pickles.first() else { return Ok(Vec::new()) };
        if std::mem::replace(&mut is_edited, true) {
            let message = "several members hold pickles; use --member to choose one (`picklevm list` prints all)";
            return Err(Failure::data(&first.name, message));
        }
        let main = pickles.iter().position(|pickle| pickle.is_main).unwrap_or(0);
        let edited = |(at, pickle): (usize, &Pickle)| match at == main {
            true => args.edit(pickle),
            false => Ok(pickle.data.clone()),
        };
        pickles.iter().enumerate().map(edited).collect()
    })
}

impl Args {
    fn edit(&self, pickle: &Pickle) -> Result<Bytes, Failure> {
        let mut graph = pickle.load(&Unpickler::new()).map_err(|error| pickle.failure(error))?;
        let strings = if self.python2 || graph.has_byte_strings() { Strings::Bytes } else { Strings::Text };
        let has_calls =
            self.changes.0.iter().filter_map(Change::literal).any(|(_, literal)| literal.text.contains('('));
        let mut called = if has_calls { literal_calls::called(graph.root()) } else { Called::default() };
        for change in &self.changes.0 {
            let mut new = None;
            if let Some((path, literal)) = change.literal() {
                let wrong = |error: &dyn fmt::Display| {
                    let path = if path.is_root() { "the root".to_owned() } else { format!("{path:#}") };
                    Failure::Usage(format!("the new value of {path}: {error}, in {literal}"))
                };
                let value = graph.add_literal(&literal.text, strings).map_err(|error| wrong(&error))?;
                literal_calls::check(&graph, value, &mut called).map_err(|error| wrong(&error))?;
                new = Some(value);
            }
            change.apply(&mut graph, new).map_err(|error| Failure::data(&pickle.name, error))?;
        }
        let pickler = Pickler::new().protocol(pickle.protocol).writer(self.writer);
        pickler.to_bytes(graph.root()).map_err(|error| Failure::data(&pickle.name, error))
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
