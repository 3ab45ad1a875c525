//! The contents of a file: a graph with the data that it refers to, named arrays, or a table.

use std::path::Path;

use bytes::Bytes;
use picklevm::Graph;
use picklevm_data::files::{Loaded, graphs};
use picklevm_data::numpy::NdArray;
use picklevm_data::pandas::DataFrame;
#[cfg(feature = "tables")]
use picklevm_data::table;
use picklevm_data::torch;
use picklevm_files::Opener;

use super::text_input;
use crate::failure::{Failure, note};
use crate::input as files;
use crate::pickles;

/// The contents of a file.
pub(super) enum Holds {
    /// A pickle, and the source of the data that it refers to.
    Graph(Loaded),
    /// Arrays by name.
    Arrays(Vec<(String, NdArray<'static>)>),
    /// A table.
    Table(DataFrame<'static>),
}

/// A format that is no pickle, by the end of a file's name.
type Open = fn(&str, Bytes) -> Result<Holds, Failure>;

const FORMATS: &[(&str, Open)] = &[
    #[cfg(feature = "tables")]
    ("parquet", |name, data| read_table(name, data, table::read_parquet)),
    #[cfg(feature = "tables")]
    ("arrow", |name, data| read_table(name, data, table::read_ipc)),
    #[cfg(feature = "tables")]
    ("feather", |name, data| read_table(name, data, table::read_ipc)),
    #[cfg(feature = "tables")]
    ("csv", |name, data| read_table(name, data, table::read_csv)),
    #[cfg(feature = "tables")]
    ("jsonl", |name, data| read_table(name, data, table::read_jsonl)),
    ("safetensors", |name, data| {
        Ok(Holds::Arrays(torch::read_safetensors(&data).map_err(|error| Failure::data(name, error))?))
    }),
];

#[cfg(feature = "tables")]
fn read_table(
    name: &str,
    data: Bytes,
    read: fn(Bytes) -> picklevm_data::Result<DataFrame<'static>>,
) -> Result<Holds, Failure> {
    read(data).map(Holds::Table).map_err(|error| Failure::data(name, error))
}

/// The end of a file's name behind the last dot, in lower case.
pub(super) fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Opens a file of a format, rows as lists of dicts if they are wanted plain.
pub(super) fn open(opener: &Opener, path: &Path, format: &str, plain: bool) -> Result<Holds, Failure> {
    let name = files::name(path);
    let bytes = || {
        let file = files::open(opener, path)?;
        file.root().bytes().map_err(|error| files::failure(&name, &error))
    };
    if let Some((_, open)) = FORMATS.iter().find(|row| row.0 == format)
        && !(plain && is_lines(format))
    {
        return match open(&name, bytes()?)? {
            Holds::Table(frame) if plain => plain_rows(&name, &frame),
            holds => Ok(holds),
        };
    }
    if let Some((_, read)) = text_input::FORMATS.iter().find(|row| row.0 == format) {
        return Ok(plain_graph(read(&name, bytes()?)?));
    }
    load(opener, path).map(Holds::Graph)
}

fn is_lines(format: &str) -> bool {
    matches!(format, "jsonl" | "ndjson")
}

fn plain_graph(graph: Graph) -> Holds {
    Holds::Graph(Loaded::from(graph))
}

/// The rows of a table, as a list of dicts.
fn plain_rows(name: &str, frame: &DataFrame<'_>) -> Result<Holds, Failure> {
    let mut lines = Vec::new();
    picklevm_data::table::write_jsonl(frame, picklevm_data::table::Options::default(), &mut lines)
        .map_err(|error| Failure::data(name, error))?;
    text_input::json_lines(name, lines.into()).map(plain_graph)
}

/// Opens a file that holds a pickle: of several the first.
pub(super) fn load(opener: &Opener, path: &Path) -> Result<Loaded, Failure> {
    let name = files::name(path);
    let file = files::open(opener, path)?;
    let mut graphs = graphs(&file);
    if graphs.is_empty() {
        return Err(pickles::no_pickle(&name, &file));
    }
    if graphs.len() > 1 {
        note(&format!("{name}: {} more pickles are not converted", graphs.len() - 1));
    }
    graphs.swap_remove(0).1.map_err(|problem| match problem.downcast_ref() {
        Some(error) => files::failure(&name, error),
        None => Failure::data(&name, problem),
    })
}
