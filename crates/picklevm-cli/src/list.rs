//! `picklevm list`: which members, pickles, arrays, tables and tensors a file holds.

use std::io::Write;
use std::path::{Path, PathBuf};

use picklevm_files::{Contents, Entry, File, Member};
use serde_json::{Map, Value, json};

use crate::data::items;
use crate::failure::{self, Failure};
use crate::input::{self, LimitArgs};
use crate::output::Output;
use crate::pickles;
use crate::printable::Printable;

/// List the members of files, the pickles in them, and arrays, tables and tensors
///
/// A file may be a pickle, or an archive, a compressed file or another container of pickles. Print a line for each member,
/// indented by its depth: name, format, length, offset in the file if it is stored uncompressed, and number of pickles. Then
/// print a line for each array, table, series and tensor of NumPy, pandas, PyTorch and others: path in Python syntax, type and
/// shape. `convert --at PATH` extracts one. Storages and other data are not read.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm list model.pt
  picklevm list --json archive.zip | jq 'select(.pickles > 0)'")]
pub(crate) struct Args {
    /// Read these files [default: standard input, which is also `-`]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one line of JSON for each file, member, pickle and item
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut out = Output::paged();
    failure::each(&input::or_standard(&args.files)?, |path| {
        let file = input::open(&args.limits.opener(), path)?;
        if args.json { list_json(path, &file, &mut out) } else { list(path, &file, &mut out) }
    })?;
    out.finish()
}

/// Prints a line for each member.
fn list(path: &Path, file: &File, out: &mut Output) -> Result<(), Failure> {
    let name = input::name(path);
    let mut holds_pickles = false;
    for Entry { member, contents, .. } in file.walk() {
        let indent = "  ".repeat(member.depth() as usize);
        let own = match (member.depth(), member.name()) {
            (0, _) => name.clone(),
            (_, "") => "(content)".to_owned(),
            (_, name) => Printable(name).to_string(),
        };
        holds_pickles |= contents.as_ref().is_ok_and(|contents| !contents.pickles().is_empty());
        let line = format!("{indent}{own}: {}", describe(&member, contents.as_ref()));
        writeln!(out, "{line}").map_err(|error| out.failure(error))?;
    }
    let (rows, problems) = items::rows(file);
    for row in &rows {
        writeln!(out, "{}", items::line(row)).map_err(|error| out.failure(error))?;
    }
    if !holds_pickles && rows.is_empty() {
        return Err(pickles::no_pickle(&name, file));
    }
    tell(&name, &problems)
}

/// Reports why pickles of readable members could not be read.
fn tell(name: &str, problems: &[String]) -> Result<(), Failure> {
    match problems.first() {
        Some(problem) => Err(Failure::data(name, problem)),
        None => Ok(()),
    }
}

/// The part of a line after the name of a member.
fn describe(member: &Member, contents: Result<&Contents, &picklevm_files::Error>) -> String {
    let contents = match contents {
        Err(error) => return error.to_string(),
        Ok(contents) => contents,
    };
    let mut parts = vec![contents.kind().to_string()];
    parts.extend(member.len().map(|len| failure::count(usize::try_from(len).unwrap_or(usize::MAX), "byte")));
    parts.extend(member.place().filter(|_| member.depth() > 0).map(|place| format!("at {}", place.offset)));
    if !contents.pickles().is_empty() {
        parts.push(failure::count(contents.pickles().len(), "pickle"));
    }
    let problems = contents.pickles().iter().filter_map(|pickle| pickle.problem()).chain(contents.problem());
    parts.extend(problems.map(|problem| format!("[{problem}]")));
    parts.join(", ")
}

/// Prints an object for the file, each member and each pickle.
fn list_json(path: &Path, file: &File, out: &mut Output) -> Result<(), Failure> {
    let name = input::name(path);
    for Entry { member, contents, .. } in file.walk() {
        let mut object = Map::new();
        let is_file = member.depth() == 0;
        object.insert("kind".to_owned(), if is_file { "file" } else { "member" }.into());
        insert_file(&mut object, path, &name);
        object.insert("member".to_owned(), member.path().into());
        insert(&mut object, "size", member.len());
        insert(&mut object, "offset", member.place().map(|place| place.offset));
        match &contents {
            Err(error) => insert(&mut object, "error", Some(error.to_string())),
            Ok(contents) => {
                object.insert("format".to_owned(), contents.kind().name().into());
                object.insert("pickles".to_owned(), contents.pickles().len().into());
                insert(&mut object, "problem", contents.problem().map(ToString::to_string));
            }
        }
        print(out, object)?;
        for pickle in contents.iter().flat_map(Contents::pickles) {
            let mut object = Map::new();
            object.insert("kind".to_owned(), "pickle".into());
            insert_file(&mut object, path, &name);
            object.insert("member".to_owned(), member.path().into());
            object.insert("start".to_owned(), pickle.offset().into());
            object.insert("size".to_owned(), pickle.len().into());
            object.insert("protocol".to_owned(), pickle.protocol().into());
            insert(&mut object, "offset", pickle.place().map(|place| place.offset));
            insert(&mut object, "role", pickle.role());
            insert(&mut object, "problem", pickle.problem().map(ToString::to_string));
            let arrays = pickle.arrays().iter().map(|array| {
                json!({ "dtype": array.dtype, "shape": array.shape, "start": array.range.start, "size": array.range.end - array.range.start })
            });
            insert(&mut object, "arrays", (!pickle.arrays().is_empty()).then(|| arrays.collect::<Vec<Value>>()));
            print(out, object)?;
        }
    }
    let (rows, problems) = items::rows(file);
    for mut row in rows {
        insert_file(&mut row, path, &name);
        print(out, row)?;
    }
    tell(&name, &problems)
}

/// The name of the file, and its bytes if it is not UTF-8.
fn insert_file(object: &mut Map<String, Value>, path: &Path, name: &str) {
    object.insert("file".to_owned(), name.into());
    insert(object, "name_bytes", input::name_bytes(path));
}

fn insert<T: Into<Value>>(object: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value.into());
    }
}

fn print(out: &mut Output, object: Map<String, Value>) -> Result<(), Failure> {
    writeln!(out, "{}", Value::Object(object)).map_err(|error| out.failure(error))
}
