//! `picklevm show`: values for people, in Python syntax, or as JSON for programs.

mod output_limit;
mod partial;

use std::fmt;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use picklevm::pretty::{Palette, Pretty, Token};
use picklevm::{Unpickler, Value};
use picklevm_data::{Reader, SelfContained};

use crate::data::PlainJson;
use crate::failure::{Failure, note};
use crate::output::Output;
use crate::pickles::{Pickle, PickleFiles};
use crate::shared_memo::{Loaded, Loader};
use crate::size;

use self::output_limit::{Budget, Limit};
use self::partial::Partial;

/// Print the values of pickles in Python syntax
///
/// Plain data can be read back with ast.literal_eval. Dates, paths and other objects of the standard library are printed as
/// Python expressions, other instances as `module.Name(arguments)` with their items and state. A value with several references,
/// or one that contains itself, is printed once, as `&1 value`, and as `*1` elsewhere. Omitted parts of a large value are
/// counted: `... 98 more`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm show data.pkl
  picklevm show --depth 2 --max-items 5 big.pkl
  picklevm show --full big.pkl | less
  picklevm show --all --json session.log.pkl
  picklevm show --json=plain data.pkl | jq .user.name
  curl -s https://example.org/data.pkl | picklevm show")]
pub(crate) struct Args {
    #[command(flatten)]
    pickles: PickleFiles,
    /// Print this many levels of nested values [default: 200, with --json no limit]
    #[arg(long, value_name = "LEVELS")]
    depth: Option<usize>,
    /// Print this many items of each value [default: 10000, with --json no limit]
    #[arg(long, value_name = "COUNT")]
    max_items: Option<usize>,
    /// Print this much of each text, of bytes and of an integer [default: 4KiB, with --json no limit]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_bytes: Option<usize>,
    /// Print this much in all, then only how to print more [default: 16MiB, with --json no limit]
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value = "16MiB", hide_default_value = true)]
    max_output: usize,
    /// Print pickles inside of bytes in their place, as calls of pickle.loads
    #[arg(long)]
    deep: bool,
    /// Print what can be read of a file that is cut off or broken; the exit status is still 1
    #[arg(long)]
    partial: bool,
    /// Print all of it: every level, item and byte
    #[arg(long)]
    full: bool,
    /// Print calls as the pickle has them, also those of the standard library that read better otherwise
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// Print one line of JSON for each pickle: tagged, which keeps all of Python, or plain, for programs that know none
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "tagged")]
    json: Option<Json>,
    #[command(flatten)]
    plain: PlainJson,
}

/// Maximum length in bytes of a pickle that is searched for pickles in its byte strings, to print a hint at `--deep`.
const MAX_HINTED: usize = 4 << 20;

/// The forms of `--json`.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Json {
    /// What JSON cannot say is an object with a key that begins with `$`; `from-json` reads it back
    Tagged,
    /// Instances as their attributes, dates as text, bytes as text or base64
    Plain,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut out = Output::paged();
    let mut loader = Loader::new(Unpickler::new());
    let mut limit = Limit::new(if args.full || args.json.is_some() { None } else { Some(args.max_output) });
    // On a terminal, a hint says that bytes contain pickles.
    let is_hint_wanted = args.json.is_none() && io::stdout().is_terminal() && io::stderr().is_terminal();
    let mut hints = None;
    args.pickles.each(args.partial, |pickle, heading| {
        if limit.is_reached() {
            return Ok(());
        }
        if let Some(heading) = heading.filter(|_| args.json.is_none()) {
            writeln!(out, "# {heading}").map_err(|error| out.failure(error))?;
        }
        let limits = args.pickles.limits();
        let looks_inside = args.deep || is_hint_wanted && pickle.data.len() <= MAX_HINTED;
        let mut nested = if looks_inside { picklevm_files::expand_nested(&pickle.data, limits) } else { None };
        if !args.deep && nested.take().is_some() {
            hints = Some(pickle.name.clone());
        }
        let loaded = match nested.and_then(|nested| Unpickler::new().load_bytes(nested).ok()) {
            Some(graph) => Ok(Loaded::from(graph)),
            None => loader.load(pickle),
        };
        match loaded {
            Ok(loaded) => {
                let held = loaded.graph().held_bytes();
                print_value(loaded.root(), loaded.pretty(), held, pickle, args, &mut out, &mut limit)
            }
            Err(error) if args.partial => {
                if let Some(partial) = Partial::read(pickle, &error) {
                    let (value, held) = (partial.value(), partial.held_bytes());
                    print_value(value, value.pretty(), held, pickle, args, &mut out, &mut limit)?;
                    for value in partial.only_in_memo() {
                        if args.json.is_none() {
                            writeln!(out, "# in the memo alone:").map_err(|error| out.failure(error))?;
                        }
                        print_value(value, value.pretty(), held, pickle, args, &mut out, &mut limit)?;
                    }
                }
                Err(pickle.failure(error))
            }
            Err(error) if pickle.is_whole() => Err(pickle.failure(error)),
            Err(error) => Err(pickle.failure(error).hint("use --partial to print what can be read")),
        }
    })?;
    out.finish()?;
    if let Some(name) = hints {
        note(&format!("{name}: bytes in it are pickles; use --deep to print them in their place"));
    }
    if limit.is_reached() {
        let most = args.max_output;
        note(&format!("the output ends after {most} bytes; use --max-output for more, or --full for all of it"));
    }
    Ok(())
}

/// Prints a value of a pickle as the options say, `pretty` in Python syntax or as tagged JSON. `held` is the size of its graph.
fn print_value(
    value: Value<'_>,
    pretty: Pretty<'_>,
    held: usize,
    pickle: &Pickle,
    args: &Args,
    out: &mut Output,
    limit: &mut Limit,
) -> Result<(), Failure> {
    if args.json == Some(Json::Plain) {
        let reader = Reader::new(value, &SelfContained);
        args.plain.write(&reader, &pickle.name, out).map_err(|failed| failed.of(&pickle.name))?;
        return writeln!(out).map_err(|error| out.failure(error));
    }
    print_within(&formatted(pretty, args), args.json.is_some(), held + pickle.data.len(), &pickle.name, out, limit)
}

/// Prints a value and the end of its line, in colour where that is seen. `size` is that of what is shown, `name` where it
/// comes from.
///
/// # Errors
///
/// [`Failure`] if the output fails or grows out of proportion.
pub(crate) fn print(pretty: &Pretty<'_>, json: bool, size: usize, name: &str, out: &mut Output) -> Result<(), Failure> {
    print_within(pretty, json, size, name, out, &mut Limit::new(None))
}

/// The same, as far as the limit of the command allows.
fn print_within(
    pretty: &Pretty<'_>,
    json: bool,
    size: usize,
    name: &str,
    out: &mut Output,
    limit: &mut Limit,
) -> Result<(), Failure> {
    let color = !json && is_colored();
    let mut out = Budget::new(out, size, limit);
    let shown = if color { pretty.write_colored(&Colors, &mut out) } else { pretty.write_to(&mut out) };
    match shown {
        Err(_) if out.is_cut() => {
            let reset = if color { "\x1b[0m" } else { "" };
            out.end(&format!("{reset}\n... more, use --full to print all of it\n"))
        }
        shown => shown.and_then(|()| out.write_all(b"\n")),
    }
    .map_err(|error| out.failure(name, error))
}

/// Whether standard output is written in colour.
pub(crate) fn is_colored() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Values with arrays, tables and tensors in a form for people.
pub(crate) fn readable(pretty: Pretty<'_>) -> Pretty<'_> {
    pretty.objects(picklevm_data::show::claims, picklevm_data::show::write)
}

/// Options for printing a value.
fn formatted<'g>(pretty: Pretty<'g>, args: &Args) -> Pretty<'g> {
    let mut pretty = readable(pretty);
    if args.full {
        pretty = pretty.full();
    }
    if args.json.is_some() {
        pretty = pretty.json();
    }
    if args.raw {
        pretty = pretty.raw();
    }
    if let Some(levels) = args.depth {
        pretty = pretty.max_depth(levels);
    }
    if let Some(items) = args.max_items {
        pretty = pretty.max_items(items);
    }
    if let Some(bytes) = args.max_bytes {
        pretty = pretty.max_bytes(bytes);
    }
    pretty
}

/// The colours of a terminal.
pub(crate) struct Colors;

impl Colors {
    fn style(token: Token) -> Style {
        match token {
            Token::Text => AnsiColor::Green.on_default(),
            Token::Key => AnsiColor::Blue.on_default(),
            Token::Constant => AnsiColor::Magenta.on_default(),
            Token::Name => AnsiColor::Cyan.on_default(),
            Token::Label => AnsiColor::Yellow.on_default().bold(),
            Token::Omission => Style::new().dimmed(),
            _ => Style::new(),
        }
    }
}

impl Palette for Colors {
    fn begin(&self, token: Token, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", Colors::style(token).render())
    }

    fn end(&self, token: Token, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", Colors::style(token).render_reset())
    }
}
