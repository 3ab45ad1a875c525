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

use std::io::{self, Write as _};

use anstream::{AutoStream, ColorChoice};
use picklevm::{Graph, Unpickler};

use crate::failure::Failure;
use crate::output::Output;
use crate::pickles::{Pickle, PickleFiles};

use self::budget::Budget;
use self::count::Count;
use self::json::Json;
use self::notation::Notation;
use self::print::Print;
use self::python::Python;

/// Print what pickles hold, in Python syntax
///
/// Plain data can be read back with ast.literal_eval. Dates, paths and other objects of the standard library are written
/// as the Python that makes them, other instances as `module.Name(arguments)` with the items and the state that they were
/// given. A value that several places share, or that holds itself, is printed once, as
/// `&1 value`, and is `*1` from then on.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm show data.pkl
  picklevm show --all --json session.log.pkl
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
    /// Print calls as the pickle has them, also those of the standard library that read better otherwise
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// Print one line of JSON for each pickle; what JSON cannot say is tagged
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
    let unpickler = Unpickler::new();
    args.pickles.each(|input, offset| {
        if args.pickles.are_several() && offset == 0 && !args.json {
            writeln!(out, "# {}", input.name).map_err(|error| out.failure(error))?;
        }
        let pickle = Pickle::at(&input.data, offset);
        let graph = pickle.load(&unpickler).map_err(|error| pickle.failure(&input.name, error))?;
        let mut out = Budget::new(&mut out, graph.held_bytes() + pickle.data.len());
        let shown = if args.json {
            write(&graph, Json, bounds, false, &mut out)
        } else {
            write(&graph, Python::new(args.raw), bounds, color, &mut out)
        };
        shown.map_err(|error| out.failure(&input.name, error))?;
        Ok(pickle.end())
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
