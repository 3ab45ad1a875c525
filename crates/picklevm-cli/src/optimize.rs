//! `picklevm optimize`: pickles without unused PUT opcodes.

use crate::failure::Failure;
use crate::output::Destination;
use crate::rewrite::Source;

/// Remove unused PUT opcodes, as pickletools.optimize does
///
/// Write every pickle of the file again, in the archive or compression that it came in; Python loads the same objects from
/// fewer bytes.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm optimize data.pkl -o smaller.pkl
  picklevm optimize data.pkl.gz -o smaller.pkl.gz
  python make.py | picklevm optimize | gzip > data.pkl.gz")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    args.destination.check()?;
    args.source.rewrite(&args.destination, |pickles| {
        let optimize = |pickle: &crate::pickles::Pickle| {
            let optimized = picklevm_ops::optimize(&pickle.data);
            optimized.map(Into::into).map_err(|error| {
                let shares_memo = pickles.len() > 1 && error.kind() == picklevm_ops::ErrorKind::Memo;
                let failure = pickle.failure(error.offset_by(pickle.offset));
                match shares_memo {
                    true => failure.hint("pickles that share one memo are not optimized; repickle writes them again"),
                    false => failure,
                }
            })
        };
        pickles.iter().map(optimize).collect()
    })
}
