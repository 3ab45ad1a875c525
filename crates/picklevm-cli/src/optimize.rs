//! `picklevm optimize`: pickles without the PUTs that no GET uses.

use std::io::Write;

use crate::failure::Failure;
use crate::output::Destination;
use crate::pickles::Pickle;
use crate::rewrite::Source;

/// Remove unused PUT opcodes, as pickletools.optimize does
///
/// Write every pickle of the file again; Python loads the same objects from fewer bytes.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm optimize data.pkl -o smaller.pkl
  python make.py | picklevm optimize | gzip > data.pkl.gz")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    args.destination.check()?;
    let input = args.source.read()?;
    let mut out = args.destination.create()?;
    let mut at = 0;
    loop {
        match picklevm_ops::optimize_at(&input.data, at) {
            Ok((pickle, end)) => {
                out.write_all(&pickle).map_err(|error| out.failure(error))?;
                at = end;
            }
            Err(error) => {
                let rest = args.source.rest(&input, &Pickle::at(&input.data, at), error)?;
                out.write_all(&rest).map_err(|error| out.failure(error))?;
                at = input.data.len();
            }
        }
        if at == input.data.len() {
            return out.finish();
        }
    }
}
