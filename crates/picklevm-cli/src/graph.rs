//! `picklevm graph`: the graph form of pickles.

use std::io::Write;

use picklevm::{Symbolic, Unpickler, write_graph_form};

use crate::failure::Failure;
use crate::output::Output;
use crate::pickles::PickleFiles;
use crate::shared_memo::Loader;

/// Print pickles as JSON lines that leave nothing out
///
/// For each pickle, print one line that names the root, then one line for each compound value: kinds, contents, order,
/// sharing, cycles, and how instances were made. Two pickles with the same lines load to the same object in Python.
/// Nothing is imported or called: every global stays a name. Several files have a heading `# FILE` each, several
/// members `# FILE: MEMBER`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm graph data.pkl
  picklevm graph --all session.log.pkl
  diff <(picklevm graph old.pkl) <(picklevm graph new.pkl)")]
pub(crate) struct Args {
    #[command(flatten)]
    pickles: PickleFiles,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut out = Output::paged();
    let mut loader = Loader::new(Unpickler::new().resolver(Symbolic));
    args.pickles.each(false, |pickle, heading| {
        if let Some(heading) = heading {
            writeln!(out, "# {heading}").map_err(|error| out.failure(error))?;
        }
        let loaded = loader.load(pickle).map_err(|error| pickle.failure(error))?;
        write_graph_form(loaded.root(), &mut out).map_err(|error| out.failure(error))
    })?;
    out.finish()
}
