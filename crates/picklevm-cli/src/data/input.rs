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
use picklevm_files::Kind;

use super::several::Several;
use super::text_input;
use crate::failure::Failure;
use crate::input::{self as files, Choice};
use crate::pickles;
use crate::printable::Printable;

/// The contents of a file.
pub(super) enum Holds {
    /// A pickle, and the source of the data that it refers to.
    Graph(Loaded),
    /// Several pickles.
    Several(Several),
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

/// How rows are read.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct Rows {
    /// Read rows of .csv and .jsonl as a list of dicts, not as a table of pandas
    #[arg(long)]
    plain: bool,
    /// The type of a column of a .csv: text, int, float, bool, date or datetime; may be given again [default: the type that all its
    /// values have, and text where a number has leading zeros]
    #[cfg(feature = "tables")]
    #[arg(long, value_name = "COLUMN=TYPE", value_parser = column_type)]
    dtype: Vec<(String, table::CsvType)>,
}

/// Reads the value of `--dtype`.
#[cfg(feature = "tables")]
fn column_type(value: &str) -> Result<(String, table::CsvType), String> {
    let (column, kind) = value.rsplit_once('=').ok_or("expected COLUMN=TYPE, found no =")?;
    Ok((column.to_owned(), kind.parse().map_err(|error: picklevm_data::Error| error.to_string())?))
}

/// Opens a file of a format, rows as lists of dicts if they are wanted plain.
pub(super) fn open(choice: &Choice, path: &Path, format: &str, rows: &Rows) -> Result<Holds, Failure> {
    let name = files::name(path);
    let plain = rows.plain;
    let bytes = || {
        let file = files::open(&choice.opener(), path)?;
        file.root().bytes().map_err(|error| files::failure(&name, &error))
    };
    #[cfg(feature = "tables")]
    if format == "csv" {
        let frame = table::read_csv(bytes()?, &rows.dtype).map_err(|error| Failure::data(&name, error))?;
        return if plain { plain_rows(&name, &frame) } else { Ok(Holds::Table(frame)) };
    } else if !rows.dtype.is_empty() {
        return Err(Failure::Usage(format!(
            "{name}: --dtype is for .csv, whose values have no types; --from csv reads one"
        )));
    }
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
    load(choice, path)
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

/// Opens a file that holds a pickle, or several.
fn load(choice: &Choice, path: &Path) -> Result<Holds, Failure> {
    let name = files::name(path);
    let file = files::open(&choice.opener(), path)?;
    let mut graphs = graphs(&file);
    if graphs.is_empty() {
        return Err(pickles::no_pickle(&name, &file));
    }
    graphs.retain(|(place, _)| choice.has(&place.member));
    let mut loaded = Vec::new();
    for (place, graph) in graphs {
        let name = match &*place.member {
            "" => name.clone(),
            member => format!("{name}: {}", Printable(member)),
        };
        let graph = graph.map_err(|problem| match problem.downcast_ref() {
            Some(error) => files::failure(&name, error),
            None => Failure::data(&name, problem),
        })?;
        loaded.push((place.member, graph));
    }
    match loaded.len() {
        0 => Err(Failure::data(&name, format!("it has no member with a pickle that matches {}", choice.patterns()))),
        1 => Ok(Holds::Graph(loaded.swap_remove(0).1)),
        _ => {
            let kind = file.root().open().ok().map(|contents| contents.kind());
            let is_shelf = matches!(kind, Some(Kind::DbmSqlite | Kind::DbmDumb | Kind::DbmGnu));
            Ok(Holds::Several(Several { is_shelf, pickles: loaded }))
        }
    }
}
