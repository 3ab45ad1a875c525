//! `picklevm get`: values out of a pickle, by their paths.

use std::io::Write;
use std::path::PathBuf;

use picklevm::{Kind, Path, Unpickler, Value};

use crate::failure::Failure;
use crate::input::Choice;
use crate::output::Output;
use crate::pickles;
use crate::show;

/// Print values out of a pickle, by their paths
///
/// A path is written as in Python: `cart[0].price`, `['a b'][-1]`, `.args[0]`; or as a JSON Pointer: `/cart/0/price`. A
/// name is an attribute, or a key that is this text. `[*]` is every item, value or attribute, `.**` the value and everything
/// below it. Each value is printed as `show` prints it. The exit status is 1 if a path leads to nothing.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm get session.pkl user.name
  picklevm get --raw-text session.pkl \"cart[0].sku\"
  picklevm get save.zip --member log \"[0]['store.hero'].money\"
  picklevm get --with-paths session.pkl '.**.price'
  picklevm get --json session.pkl /cart/0")]
pub(crate) struct Args {
    /// Read this file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print the value at this path
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<String>,
    #[command(flatten)]
    choice: Choice,
    /// Print one line of JSON for each value, as `show --json` does
    #[arg(long)]
    json: bool,
    /// Print text as it is, in a line without quotes and escapes, and bytes without anything else
    #[arg(long, short = 'r', conflicts_with = "json")]
    raw_text: bool,
    /// Print the path of each value before it
    #[arg(long)]
    with_paths: bool,
    /// Print all of a large value: every level, item and byte
    #[arg(long)]
    full: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let paths: Vec<Path> = args.paths.iter().map(|path| parse(path)).collect::<Result<_, _>>()?;
    let pickle = pickles::main(&args.file, args.choice.clone(), "only the first pickle is looked into")?;
    let graph = pickle.load(&Unpickler::new()).map_err(|error| pickle.failure(error))?;
    let mut out = Output::paged();
    let mut missing = Ok(());
    for path in &paths {
        let found = match path.has_wildcards() {
            true => path.find(graph.root()),
            false => match path.resolve(graph.root()) {
                Ok(value) => vec![(path.clone(), value)],
                Err(error) => {
                    missing = Err(Failure::data(&pickle.name, error));
                    continue;
                }
            },
        };
        if found.is_empty() {
            missing = Err(Failure::data(&pickle.name, format!("expected values at {path:#}, found none")));
        }
        for (path, value) in found {
            if args.with_paths {
                write!(out, "{path:#}: ").map_err(|error| out.failure(error))?;
            }
            args.print(value, &pickle, &mut out)?;
        }
    }
    out.finish()?;
    missing
}

/// Reads a path of the command line.
///
/// # Errors
///
/// [`Failure::Usage`].
pub(crate) fn parse(path: &str) -> Result<Path, Failure> {
    Path::parse(path).map_err(|error| Failure::Usage(format!("the path {path}: {error}")))
}

impl Args {
    fn print(&self, value: Value<'_>, pickle: &pickles::Pickle, out: &mut Output) -> Result<(), Failure> {
        let raw = match value.kind() {
            Kind::Str(text) => Some(text.as_bytes()),
            _ => value.as_bytes(),
        };
        if let (true, Some(raw)) = (self.raw_text, raw) {
            // Bytes are data, to which a line end would add; text is a line.
            let end: &[u8] = if matches!(value.kind(), Kind::Bytes(_) | Kind::ByteArray(_)) { b"" } else { b"\n" };
            let written = out.write_all(raw).and_then(|()| out.write_all(end));
            return written.map_err(|error| out.failure(error));
        }
        let mut pretty = show::readable(value.pretty());
        if self.full {
            pretty = pretty.full();
        }
        if self.json {
            pretty = pretty.json();
        }
        show::print(&pretty, self.json, pickle.data.len(), &pickle.name, out)
    }
}
