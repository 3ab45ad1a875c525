//! `picklevm view`: a page that shows a file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use picklevm_view::Options;

use crate::failure::{Failure, note, reason};
use crate::input::{self, Choice};
use crate::output::Output;
use crate::size;

/// Make an HTML page that shows a file: its values, their graph, the machine step by step, and what is dangerous
///
/// The page is one file. It needs no network and no server, runs nothing of what it shows, and can be sent to others. It has
/// the members of an archive beside it. What it leaves out of a large file is said in it, with the option that includes it.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm view --open session.pkl
  picklevm view model.pt -o model.html
  picklevm view --member '*/data.pkl' --max-values 500000 big.zip")]
pub(crate) struct Args {
    /// Show this file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the page to this file; `-` is standard output [default: the name of FILE with .html, in the current directory; with
    /// --open in the directory for temporary files]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    choice: Choice,
    /// Include this many values, those with the shortest paths first [default: 50000]
    #[arg(long, value_name = "COUNT")]
    max_values: Option<usize>,
    /// Include this many items of each value [default: 1000]
    #[arg(long, value_name = "COUNT")]
    max_items: Option<usize>,
    /// Include this much of each text, of bytes and of an integer [default: 4KiB]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_bytes: Option<usize>,
    /// Include this many opcodes: the first, the last, those of findings, and runs in between [default: 60000]
    #[arg(long, value_name = "COUNT")]
    max_ops: Option<usize>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let name = input::name(&args.file);
    let file = input::open(&args.choice.opener(), &args.file)?;
    let mut options = Options::default();
    if let Some(most) = args.max_values {
        options = options.max_values(most);
    }
    if let Some(most) = args.max_items {
        options = options.max_items(most);
    }
    if let Some(most) = args.max_bytes {
        options = options.max_bytes(most);
    }
    if let Some(most) = args.max_ops {
        options = options.max_ops(most);
    }
    let (choice, patterns) = (args.choice.clone(), args.choice.patterns());
    let own = args.file.file_name().map_or_else(|| "pickle".into(), |name| input::shown(Path::new(name)));
    let own = if input::is_standard(&args.file) { "standard input".to_owned() } else { own };
    let page = picklevm_view::page(&file, &own, &options.member(move |member| choice.has(member)));
    let page = page.map_err(|error| match patterns.is_empty() {
        true => input::failure(&name, &error),
        false => {
            Failure::Usage(format!("{name}: no pickle in a member that matches {patterns}; `picklevm list` prints all"))
        }
    })?;

    if args.output.as_deref().is_some_and(input::is_standard) {
        let mut out = Output::stdout();
        out.write_all(page.as_bytes()).map_err(|error| out.failure(error))?;
        return out.finish();
    }
    let path = match (&args.output, args.open) {
        (Some(path), _) => path.clone(),
        (None, true) => temporary(&own)?,
        (None, false) => PathBuf::from(format!("{}.html", file_name(&own))),
    };
    let mut out = Output::create(&path)?;
    out.write_all(page.as_bytes()).map_err(|error| out.failure(error))?;
    out.finish()?;
    if args.output.is_none() {
        note(&format!("{}: {} bytes", input::shown(&path), page.len()));
    }
    if args.open { open(&path) } else { Ok(()) }
}

/// A name for a file of the name of another.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|char| if char.is_alphanumeric() || matches!(char, '.' | '-' | '_') { char } else { '_' })
        .collect()
}

/// A new file in the directory for temporary files, which stays.
fn temporary(name: &str) -> Result<PathBuf, Failure> {
    let name = file_name(name);
    let made = tempfile::Builder::new().prefix(&format!("{name}-")).suffix(".html").tempfile();
    let kept = made.and_then(|file| file.keep().map(|(_, path)| path).map_err(|error| error.error));
    kept.map_err(|error| Failure::Usage(format!("cannot make a temporary file: {}; use -o FILE", reason(&error))))
}

/// Opens a page in the browser of the system.
fn open(path: &Path) -> Result<(), Failure> {
    let (program, arguments): (_, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/C", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop).map_err(|error| {
        let message = format!("{program}: {}; open {} in a browser", reason(&error), input::shown(path));
        Failure::Usage(message)
    })
}
