//! `picklevm convert`: arrays, tables and tensors from one format to another.

use std::path::{Path, PathBuf};

use picklevm::Protocol;

use super::PlainJson;
use super::input::{self, Holds, Rows, ending};
use super::{output, python};
use crate::failure::{Failure, note};
use crate::input::{self as files, Choice};

/// Convert arrays, tables, tensors and plain data from pickles to other formats, and back
///
/// The ending of OUT selects the format: .npy, .npz, .csv, .jsonl, .parquet, .arrow, .safetensors, .json, and .pkl and .pt to
/// convert back. A .pkl can be read by NumPy 1.11 to 2.5 and pandas 0.25 to 3.1. Data that the format cannot express are an
/// error that names them.
///
/// A file of several pickles becomes .jsonl, a line for each; of a shelf with its key. A shelf becomes .json too, an object.
///
/// .json takes any value: instances as their attributes, dates as text, bytes as text or base64. The other way, .json, .toml and
/// .yaml become dicts and lists, .csv and .jsonl a table of pandas, or with --plain a list of dicts.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm convert frame.pkl -o frame.parquet
  picklevm convert user.pkl -o user.json
  picklevm convert user.pkl --classes -o - --to json | jq .name
  picklevm convert settings.toml -o settings.pkl
  picklevm convert --plain rows.csv -o rows.pkl
  picklevm convert --dtype zip=text --dtype price=float shops.csv -o shops.pkl
  picklevm convert shelf.db -o shelf.jsonl
  curl -s https://example.org/data.json | picklevm convert --from json -o data.pkl")]
pub(crate) struct Args {
    /// Read this file [default: standard input, which is also `-`]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Where to write
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// The format of FILE: an ending such as json [default: that of its name]
    #[arg(long, value_name = "ENDING")]
    from: Option<String>,
    /// The format of OUT: an ending such as json [default: that of its name]
    #[arg(long, value_name = "ENDING")]
    to: Option<String>,
    #[command(flatten)]
    rows: Rows,
    #[command(flatten)]
    json: PlainJson,
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
    #[command(flatten)]
    choice: Choice,
}

impl Args {
    /// From a file to a file, of which the item at a path is taken.
    pub(crate) fn of(file: &Path, output: &Path, at: &str, skip: bool) -> Args {
        Args {
            file: Some(file.to_owned()),
            output: output.to_owned(),
            from: None,
            to: None,
            rows: Rows::default(),
            json: PlainJson::default(),
            at: at.to_owned(),
            skip,
            index: false,
            protocol: None,
            choice: Choice::default(),
        }
    }
}

/// The options for the writers.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) at: &'a str,
    pub(super) skip: bool,
    pub(super) index: bool,
    pub(super) protocol: Option<Protocol>,
    pub(super) plain: PlainJson,
    /// What the file is called in messages.
    pub(super) name: &'a str,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let given = |ending: &Option<String>| ending.as_ref().map(|ending| ending.trim_start_matches('.').to_lowercase());
    let format = given(&args.to).unwrap_or_else(|| ending(&args.output));
    let file = files::or_standard(args.file.as_slice())?.swap_remove(0);
    let (name, from) = (files::name(&file), given(&args.from).unwrap_or_else(|| ending(&file)));
    let Args { at, skip, index, protocol, json: plain, .. } = args;
    let wanted = Wanted { at, skip: *skip, index: *index, protocol: *protocol, plain: *plain, name: &name };
    let mut contents = input::open(&args.choice, &file, &from, &args.rows)?;
    if let Holds::Several(several) = &mut contents
        && args.skip
        && !several.takes(&format)
    {
        note(&format!("{name}: {} more pickles are not converted", several.pickles.len() - 1));
        contents = Holds::Graph(several.pickles.swap_remove(0).1);
    }
    let written = match (&contents, format.as_str()) {
        (Holds::Several(several), _) => several.write(wanted, &format, &args.output),
        (Holds::Graph(loaded), "pkl" | "pickle") => python::rewrite(loaded, wanted, &args.output),
        (Holds::Graph(loaded), _) => output::write(loaded, wanted, &format, &args.output),
        (Holds::Arrays(arrays), _) => output::write_arrays(arrays, wanted, &format, &args.output),
        (Holds::Table(frame), "pkl" | "pickle") => python::write_frame(frame, wanted, &args.output),
        (Holds::Table(frame), _) => output::write_frame(frame, wanted, &format, &args.output),
    };
    written.map_err(|failed| failed.of(&name))
}
