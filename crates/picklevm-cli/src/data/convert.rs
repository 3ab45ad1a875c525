//! `picklevm convert`: arrays, tables and tensors from one format to another.

use std::path::PathBuf;

use picklevm::Protocol;

use super::input::{self, Holds, ending};
use super::{output, python};
use crate::failure::Failure;
use crate::input as files;

/// Convert arrays, tables and tensors from pickles to other formats, and back
///
/// The ending of OUT selects the format: .npy, .npz, .csv, .jsonl, .parquet, .arrow, .safetensors, .json, and .pkl and .pt to
/// convert back. A .pkl can be read by NumPy 1.11 to 2.5 and pandas 0.25 to 3.1. Data that the format cannot express are an
/// error that names them.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The file to read
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Convert only the item at this path, as `list` prints it
    #[arg(long, value_name = "PATH", default_value = "")]
    at: String,
    /// Omit what the format cannot express, with a warning for each
    #[arg(long)]
    skip: bool,
    /// Write the index of a table as columns also where it counts from 0
    #[arg(long)]
    index: bool,
    /// The protocol of a .pkl, from 0 to 5 [default: 4]
    #[arg(short, long, value_name = "N")]
    protocol: Option<Protocol>,
}

/// The options for the writers.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) at: &'a str,
    pub(super) skip: bool,
    pub(super) index: bool,
    pub(super) protocol: Option<Protocol>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let format = ending(&args.output);
    let wanted = Wanted { at: &args.at, skip: args.skip, index: args.index, protocol: args.protocol };
    let name = files::name(&args.file);
    let contents = input::open(&args.file)?;
    let written = match (&contents, format.as_str()) {
        (Holds::Graph(loaded), "pkl" | "pickle") => python::rewrite(loaded, wanted, &args.output),
        (Holds::Graph(loaded), _) => output::write(loaded, wanted, &format, &args.output),
        (Holds::Arrays(arrays), _) => output::write_arrays(arrays, wanted, &format, &args.output),
        (Holds::Table(frame), "pkl" | "pickle") => python::write_frame(frame, wanted, &args.output),
        (Holds::Table(frame), _) => output::write_frame(frame, wanted, &format, &args.output),
    };
    written.map_err(|failed| failed.of(&name))
}
