//! `picklevm show`: values for people, in Python syntax, or as JSON for programs.
//!
//! A [notation](notation::Notation) takes values apart into steps, and [`walk`] runs the steps on a work list for one
//! pass after the other: [`Count`] sees what is met more than once, [`Measure`](measure::Measure) whether parts fit on a
//! line, [`Print`] writes. Nothing recurses.

mod budget;
mod count;
mod json;
mod measure;
mod notation;
mod print;
mod python;
#[cfg(test)]
mod tests;
mod typed;
mod walk;

use std::io;
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};
use picklevm::{Graph, Unpickler};

use crate::failure::{self, Failure};
use crate::input::{self, Input};
use crate::output::Output;

use self::budget::Budget;
use self::count::Count;
use self::json::Json;
use self::notation::Notation;
use self::print::Print;
use self::python::Python;

/// Prints what pickles hold, in Python syntax
///
/// Plain data can be read back with ast.literal_eval. Dates, paths and other objects of the standard library are written
/// as the Python that makes them, other instances as `module.Name(arguments)` with the items and the state that they were
/// given. A value that several places share, or that holds itself, is printed once, as
/// `&1 value`, and is `*1` from then on.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The pickles
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// How deep to look into nested values [default: 200, with --json no limit]
    #[arg(long, value_name = "LEVELS")]
    depth: Option<usize>,
    /// How many items to print of each value [default: 10000, with --json no limit]
    #[arg(long, value_name = "COUNT")]
    max_items: Option<usize>,
    /// Every pickle in the file, not the first alone
    #[arg(long)]
    all: bool,
    /// Calls as the pickle has them, also those of the standard library that read better otherwise
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// One line of JSON a pickle; what JSON cannot say is tagged
    #[arg(long)]
    json: bool,
}

/// How much of a graph is printed.
#[derive(Clone, Copy)]
struct Bounds {
    /// Levels of nesting.
    depth: usize,
    /// Items of a value.
    items: usize,
}

impl Bounds {
    /// For people: deeper than Python's own parser reads.
    const PEOPLE: Bounds = Bounds { depth: 200, items: 10_000 };
    /// For programs: all of it.
    const PROGRAMS: Bounds = Bounds { depth: usize::MAX, items: usize::MAX };
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Bounds { depth, items } = if args.json { Bounds::PROGRAMS } else { Bounds::PEOPLE };
    let bounds = Bounds { depth: args.depth.unwrap_or(depth), items: args.max_items.unwrap_or(items) };
    let color = !args.json && AutoStream::choice(&io::stdout()) != ColorChoice::Never;
    let mut out = Output::stdout();
    failure::each(&args.files, |file| {
        let Input { name, data } = Input::read(file)?;
        if args.files.len() > 1 && !args.json {
            io::Write::write_fmt(&mut out, format_args!("# {}\n", input::name(file)))
                .map_err(|error| out.failure(error))?;
        }
        let input = data.len();
        let mut show = |graph: picklevm::Result<Graph>| {
            let graph = graph.map_err(|error| Failure::data(&name, error))?;
            let mut out = Budget::new(&mut out, graph.held_bytes() + input);
            let shown = if args.json {
                write(&graph, Json, bounds, false, &mut out)
            } else {
                write(&graph, Python::new(args.raw), bounds, color, &mut out)
            };
            shown.map_err(|error| out.failure(&name, error))
        };
        let unpickler = Unpickler::new();
        if args.all { unpickler.stream(&data[..]).try_for_each(show) } else { show(unpickler.load_bytes(data)) }
    })?;
    out.finish()
}

/// Writes what a load made, and ends the line.
fn write(
    graph: &Graph,
    mut notation: impl Notation,
    bounds: Bounds,
    color: bool,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let start = || notation.roots(graph.root(), graph.effects());
    let mut count = Count::new(&notation);
    walk::walk(start(), 0, bounds, &mut Vec::new(), &mut count)?;
    let (labels, byte_strings) = count.finish();
    if byte_strings {
        notation.tell_byte_strings();
    }
    let start = notation.roots(graph.root(), graph.effects());
    let mut print = Print::new(&notation, bounds, labels, color, &mut *out);
    walk::walk(start, 0, bounds, &mut Vec::new(), &mut print)?;
    out.write_all(b"\n")
}
