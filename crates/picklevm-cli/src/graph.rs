//! `picklevm graph`: the graph form of a pickle.

use std::path::PathBuf;

use picklevm::{Symbolic, Unpickler, write_graph_form};

use crate::failure::Failure;
use crate::input::Input;
use crate::output::Output;

/// Prints what a pickle makes as JSON lines that leave nothing out
///
/// The first line names the root, each further line is one compound value: kinds, contents, order, sharing, cycles, and
/// how instances were made. Two pickles with the same lines load to the same thing in Python. Nothing is resolved:
/// every global stays a name.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The pickle
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Input { name, data } = Input::read(&args.file)?;
    let graph = Unpickler::new().resolver(Symbolic).load_bytes(data).map_err(|error| Failure::data(&name, error))?;
    let mut out = Output::stdout();
    write_graph_form(graph.root(), &mut out).map_err(|error| out.failure(error))?;
    out.finish()
}
