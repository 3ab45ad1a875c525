//! `picklevm optimize`: a pickle without what it stores and never fetches.

use std::io::Write;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::input::Input;
use crate::output::Output;

/// Writes a pickle again without the PUTs that no GET uses, as pickletools.optimize does
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The pickle
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Every pickle in the file, not the first alone
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Input { name, data } = Input::read(&args.file)?;
    let optimize = if args.all { picklevm_ops::optimize_all } else { picklevm_ops::optimize };
    let optimized = optimize(&data).map_err(|error| Failure::data(&name, error))?;
    let mut out = Output::create(&args.output)?;
    out.write_all(&optimized).map_err(|error| out.failure(error))?;
    out.finish()
}
