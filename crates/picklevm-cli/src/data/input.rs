//! The contents of a file: a graph with the data that it refers to, named arrays, or a table.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use bytes::Bytes;
use picklevm::{Graph, Unpickler};
use picklevm_data::numpy::{self, NdArray};
use picklevm_data::pandas::DataFrame;
#[cfg(feature = "tables")]
use picklevm_data::table;
use picklevm_data::{Error, Reader, Source, torch};
use picklevm_files::{Contents, File, Kind, Member, Opener, Pickle};

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

/// A graph, and the location of the data that it refers to.
pub(super) struct Loaded {
    pub(super) graph: Graph,
    pub(super) source: Box<dyn Source>,
}

impl Loaded {
    pub(super) fn reader(&self) -> Reader<'_, '_> {
        Reader::new(self.graph.root(), &*self.source).with_roots(self.graph.roots())
    }
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
    Holds::Graph(Loaded { graph, source: Box::new(picklevm_data::SelfContained) })
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

type Problem = Box<dyn std::error::Error>;

/// Where a pickle is: in which member, and at which byte of it.
pub(super) struct Place {
    pub(super) member: String,
    pub(super) start: u64,
    /// Whether it is said of the member already that the pickle is no whole one.
    pub(super) is_broken: bool,
}

/// The graphs of all pickles in a file; members that belong to one pickle are its source.
pub(super) fn graphs(file: &File) -> Vec<(Place, Result<Loaded, Problem>)> {
    let (mut graphs, mut members) = (Vec::new(), vec![file.root().clone()]);
    while let Some(member) = members.pop() {
        let place = |start, is_broken| Place { member: member.path().to_owned(), start, is_broken };
        // A member that cannot be opened has been reported already.
        let Ok(contents) = member.open() else { continue };
        let whole = match contents.kind() {
            Kind::Zip => torch_archive(&contents).or_else(|| npz(&contents)),
            Kind::Npy => Some(npy(&contents)),
            Kind::TorchLegacy | Kind::Joblib => {
                let main = contents.pickles().iter().find(|pickle| pickle.is_main());
                main.map(|main| pickle(&contents, main))
            }
            _ => None,
        };
        match whole {
            Some(loaded) => graphs.push((place(0, false), loaded)),
            None => {
                let each = contents
                    .pickles()
                    .iter()
                    .map(|inner| (place(inner.offset(), inner.problem().is_some()), pickle(&contents, inner)));
                graphs.extend(each);
                members.extend(contents.members().iter().rev().cloned());
            }
        }
    }
    graphs
}

/// A pickle and the other members of its archive.
fn pickle(contents: &Contents, pickle: &Pickle) -> Result<Loaded, Problem> {
    if let Some(problem) = pickle.problem() {
        return Err(problem.to_string().into());
    }
    let members = contents.members().iter().map(|member| (member.name().to_owned(), member.clone())).collect();
    let source =
        Box::new(Members { members, storages: "storage ".to_owned(), big_endian: false, read: RefCell::default() });
    let inner = contents.pickles().iter().filter(|inner| inner.role() == Some("array of objects"));
    let inner: Vec<&Pickle> = inner.collect();
    if pickle.arrays().is_empty() && inner.is_empty() {
        let bytes = pickle.bytes()?;
        let loaded = Unpickler::new().load_bytes(bytes);
        return Ok(Loaded { graph: loaded.map_err(|error| error.offset_by(pickle.offset()))?, source });
    }
    let (joined, buffers) = picklevm_data::with_arrays(&pickle.bytes()?, joblib_arrays(contents, pickle, &inner)?);
    let mut graph = unpickle(joined, buffers)?;
    for inner in inner {
        let array = unpickle(inner.bytes()?, Vec::new())?;
        graph.add_root(array.root());
    }
    Ok(Loaded { graph, source })
}

/// Where arrays of joblib belong in a pickle from which they were cut, and their memory: of arrays of objects the number of
/// the root that they become.
fn joblib_arrays(contents: &Contents, pickle: &Pickle, inner: &[&Pickle]) -> Result<Vec<(usize, Bytes)>, Problem> {
    let all = contents.bytes()?;
    let (mut inner, mut arrays) = (inner.iter().enumerate().peekable(), Vec::new());
    // How much was cut out before a place, so that places in the file are places in the pickle.
    let mut cut = pickle.offset();
    let mut objects = |until: u64, cut: &mut u64, arrays: &mut Vec<(usize, Bytes)>| -> Result<(), Problem> {
        while let Some((number, pickle)) = inner.next_if(|(_, pickle)| pickle.offset() < until) {
            let root = Bytes::copy_from_slice(&(number as u64 + 1).to_le_bytes());
            arrays.push((usize::try_from(pickle.offset().saturating_sub(*cut))?, root));
            *cut += pickle.len();
        }
        Ok(())
    };
    for array in pickle.arrays() {
        objects(array.range.start, &mut cut, &mut arrays)?;
        arrays.push((
            usize::try_from(array.after)?,
            all.slice(usize::try_from(array.range.start)?..usize::try_from(array.range.end)?),
        ));
        cut = array.range.end - array.after;
    }
    objects(u64::MAX, &mut cut, &mut arrays)?;
    Ok(arrays)
}

fn unpickle(pickle: Bytes, buffers: Vec<Bytes>) -> Result<Graph, Problem> {
    let unpickler = if buffers.is_empty() { Unpickler::new() } else { Unpickler::new().buffers(buffers) };
    Ok(unpickler.load_bytes(pickle)?)
}

/// A checkpoint of PyTorch: an archive with a `data.pkl` and the storages that it refers to.
fn torch_archive(contents: &Contents) -> Option<Result<Loaded, Problem>> {
    let is_data = |member: &&Member| member.name() == "data.pkl" || member.name().ends_with("/data.pkl");
    let data = contents.members().iter().find(is_data)?;
    let load = || {
        let prefix = data.name().trim_end_matches("data.pkl");
        let inner = data.open()?;
        let main = inner.pickles().first().ok_or("the data.pkl of this archive is no pickle")?;
        let graph = unpickle(main.bytes()?, Vec::new())?;
        let members: HashMap<String, Member> =
            contents.members().iter().map(|member| (member.name().to_owned(), member.clone())).collect();
        let order = members.get(&format!("{prefix}byteorder")).map(Member::bytes).transpose()?;
        let big_endian = order.is_some_and(|order| order.starts_with(b"big"));
        let source =
            Box::new(Members { members, storages: format!("{prefix}data/"), big_endian, read: RefCell::default() });
        Ok(Loaded { graph, source })
    };
    Some(load())
}

/// The arrays of a .npz, as a dict.
fn npz(contents: &Contents) -> Option<Result<Loaded, Problem>> {
    let members = contents.members();
    if members.is_empty() || !members.iter().all(|member| member.name().ends_with(".npy")) {
        return None;
    }
    let load = || {
        let mut graph = Graph::new();
        let mut pairs = Vec::new();
        for member in members {
            let array = npy(&member.open()?)?;
            let value = graph.add(array.graph.root());
            pairs.push((graph.add(member.name().trim_end_matches(".npy")), value));
        }
        let root = graph.dict(pairs)?;
        graph.set_root(root);
        Ok(Loaded { graph, source: Box::new(picklevm_data::SelfContained) })
    };
    Some(load())
}

/// An array, or the pickle of one of objects.
fn npy(contents: &Contents) -> Result<Loaded, Problem> {
    if let [only] = contents.pickles() {
        return pickle(contents, only);
    }
    let array = numpy::read_npy(contents.bytes()?)?;
    let mut graph = Graph::new();
    let root = numpy::to_python_buffer(&array, &mut graph)?;
    graph.set_root(root);
    Ok(Loaded { graph, source: Box::new(picklevm_data::SelfContained) })
}

/// The members of a file that its pickle refers to.
struct Members {
    members: HashMap<String, Member>,
    /// The prefix of the names of storages.
    storages: String,
    big_endian: bool,
    /// Storages that were read, as several tensors may share one.
    read: RefCell<HashMap<String, Bytes>>,
}

/// Bytes of storages that are kept.
const KEPT: usize = 1 << 30;

impl Members {
    fn bytes(&self, name: &str) -> picklevm_data::Result<Bytes> {
        let member =
            self.members.get(name).ok_or_else(|| Error::missing(format!("there is no {name:?} in the file")))?;
        member.bytes().map_err(|error| Error::missing(error.to_string()))
    }
}

impl Source for Members {
    fn storage(&self, key: &str) -> picklevm_data::Result<Bytes> {
        let mut read = self.read.borrow_mut();
        if let Some(bytes) = read.get(key) {
            return Ok(bytes.clone());
        }
        let bytes = self.bytes(&format!("{}{key}", self.storages))?;
        if read.values().map(Bytes::len).sum::<usize>() + bytes.len() > KEPT {
            read.clear();
        }
        read.insert(key.to_owned(), bytes.clone());
        Ok(bytes)
    }

    fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    fn companion(&self, name: &str) -> picklevm_data::Result<Bytes> {
        self.bytes(name)
    }
}
