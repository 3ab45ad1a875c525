//! The program `picklevm`: shows, disassembles, converts and checks Python pickles, without Python.
//!
//! [`run`] is the program, for those who start it from their own: the Python package `picklevm` has it as its command. Each
//! subcommand is a module with its `Args` and a `run`. Exit status: 0, 1 for bad data, 2 for bad usage; `scan` has more.

mod contents;
mod data;
mod default_command;
mod diff;
mod dis;
mod edit;
mod encoding;
mod failure;
mod from_json;
mod get;
mod glob;
mod graph;
mod imports;
mod input;
mod list;
mod literal_calls;
mod manual;
mod optimize;
mod output;
mod pager;
mod pickles;
mod printable;
mod progress;
mod repickle;
mod rewrite;
mod scan;
mod shared_memo;
mod shelf;
mod show;
mod sign;
mod signing;
mod size;
mod time;
mod verify;
mod view;

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, Parser, Subcommand};

use crate::failure::Failure;

/// Show, disassemble, convert and check Python pickles, without Python
///
/// Nothing that a pickle names is ever imported or called. A FILE of `-` is standard input, which is also read where no FILE
/// is named and it is not a terminal. `picklevm FILE` is `picklevm show FILE`.
#[derive(Parser)]
#[command(
    name = "picklevm",
    version,
    arg_required_else_help = true,
    after_long_help = "Examples:
  picklevm data.pkl                               what is in it
  picklevm view --open data.pkl                   the same as a page to click through
  picklevm get session.pkl cart[0].price          one value of it
  picklevm edit old.pkl --set user.age=42 -o new.pkl
  picklevm diff old.pkl new.pkl                   what differs, by path
  picklevm list model.pt                          which pickles, arrays and tensors a file holds
  picklevm convert frame.pkl -o frame.parquet     a table of pandas as one of Arrow
  picklevm scan --explain download.pkl            what Python would run if it loaded it
  picklevm convert data.pkl -o data.json          for programs that know no Python
  picklevm repickle -p 2 data.pkl -o old.pkl      the same for Python 2
  picklevm repickle --rename old=new a.pkl -o b.pkl

Exit status: 0 if all went well, 1 for bad data or a failed write, 2 for bad usage or a file that cannot be read. `scan` has
more: see `picklevm scan --help`."
)]
struct Cli {
    /// Choose when to color the output
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
    /// Print long output to the terminal without a pager [default: $PICKLEVM_PAGER, $PAGER or less]
    #[arg(long, global = true)]
    no_pager: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Show(show::Args),
    View(view::Args),
    Get(get::Args),
    Edit(edit::Args),
    Diff(diff::Args),
    List(list::Args),
    Graph(graph::Args),
    Dis(dis::Args),
    Optimize(optimize::Args),
    Repickle(repickle::Args),
    Convert(data::convert::Args),
    FromJson(from_json::Args),
    Scan(scan::Args),
    Imports(imports::Args),
    Shelf(shelf::Args),
    Verify(verify::Args),
    Sign(sign::Args),
    Time(time::Args),
    Completions(manual::CompletionArgs),
    Man(manual::ManArgs),
}

impl Command {
    fn run(&self) -> Result<(), Failure> {
        match self {
            Command::Show(args) => show::run(args),
            Command::View(args) => view::run(args),
            Command::Get(args) => get::run(args),
            Command::Edit(args) => edit::run(args),
            Command::Diff(args) => diff::run(args),
            Command::List(args) => list::run(args),
            Command::Graph(args) => graph::run(args),
            Command::Dis(args) => dis::run(args),
            Command::Optimize(args) => optimize::run(args),
            Command::Repickle(args) => repickle::run(args),
            Command::Convert(args) => data::convert::run(args),
            Command::FromJson(args) => from_json::run(args),
            Command::Scan(args) => scan::run(args),
            Command::Imports(args) => imports::run(args),
            Command::Shelf(args) => shelf::run(args),
            Command::Verify(args) => verify::run(args),
            Command::Sign(args) => sign::run(args),
            Command::Time(args) => time::run(args),
            Command::Completions(args) => manual::completions(Cli::command(), args),
            Command::Man(args) => manual::man(Cli::command(), args),
        }
    }
}

/// Runs the program with these arguments, of which the first is the name that it was started under, and returns its exit
/// status. It reads standard input and writes to standard output and standard error of the process.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(status(args))
}

/// The same, with the exit status as a number.
pub fn status(args: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(default_command::complete(args.into_iter().collect(), &Cli::command())) {
        Ok(cli) => cli,
        // Help and the version are such errors too. A closed output is nothing to complain about.
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(failure::BAD_USAGE);
        }
    };
    if cli.no_pager {
        pager::disable();
    }
    let choice = match cli.color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
    progress::begin();
    let outcome = cli.command.run();
    progress::end();
    match outcome {
        Ok(()) => 0,
        Err(failure) => failure.report(),
    }
}

/// Why [`convert`] wrote nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConvertError {
    /// Something is wrong with the data, or the format cannot express them.
    Data(String),
    /// A file cannot be read, or the format of the output is not known.
    Usage(String),
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ConvertError::Data(message) | ConvertError::Usage(message)) = self;
        f.write_str(message)
    }
}

impl std::error::Error for ConvertError {}

/// Converts a file as `picklevm convert` does, and returns the notes that the program prints. The endings of the names choose the
/// formats. `at` is the path of one item, or empty; `skip` leaves out what the format cannot express.
///
/// # Errors
///
/// [`ConvertError`], with the message that the program prints.
pub fn convert(file: &Path, output: &Path, at: &str, skip: bool) -> Result<Vec<String>, ConvertError> {
    let (done, notes) = failure::with_notes(|| data::convert::run(&data::convert::Args::of(file, output, at, skip)));
    match done {
        Ok(()) | Err(Failure::ClosedPipe | Failure::Status(0)) => Ok(notes),
        Err(Failure::Data(message)) => Err(ConvertError::Data(message)),
        Err(Failure::Usage(message)) => Err(ConvertError::Usage(message)),
        Err(Failure::Status(status)) => Err(ConvertError::Data(format!("exit status {status}"))),
    }
}
