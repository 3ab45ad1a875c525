//! The pickles of a file, each with what it refers to: storages beside a `data.pkl`, arrays behind joblib's objects, the
//! arrays of a .npz.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use picklevm::{Graph, Unpickler};
use picklevm_files::{Contents, File, Kind, Member, Pickle};

use crate::error::{Error, Result};
use crate::item::{Reader, SelfContained, Source};
use crate::joblib::with_arrays;
use crate::numpy;

/// Why a pickle could not be loaded: an error of the file or of the pickle.
pub type Problem = Box<dyn std::error::Error + Send + Sync>;

/// A graph, and where the data are that it refers to.
#[derive(Clone)]
pub struct Loaded {
    /// The graph.
    pub graph: Graph,
    /// Where the data are.
    pub source: Arc<dyn Source + Send + Sync>,
}

impl Loaded {
    /// Reads the graph's root.
    pub fn reader(&self) -> Reader<'_, '_> {
        Reader::new(self.graph.root(), &*self.source).with_roots(self.graph.roots())
    }
}

/// A graph that holds all its data.
impl From<Graph> for Loaded {
    fn from(graph: Graph) -> Loaded {
        Loaded { graph, source: Arc::new(SelfContained) }
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("graph", &self.graph).finish_non_exhaustive()
    }
}

/// Where a pickle is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// In which member: the path of it, empty for the file itself.
    pub member: String,
    /// At which byte of the member.
    pub start: u64,
    /// Whether it is said of the member already that the pickle is no whole one.
    pub is_broken: bool,
}

/// The graphs of all pickles in a file; members that belong to one pickle are its source.
pub fn graphs(file: &File) -> Vec<(Place, Result<Loaded, Problem>)> {
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

/// A pickle of a member, with the arrays that joblib wrote into it, and the other members as its data.
///
/// # Errors
///
/// If it is no whole pickle, or its bytes cannot be read.
pub fn pickle(contents: &Contents, pickle: &Pickle) -> Result<Loaded, Problem> {
    if let Some(problem) = pickle.problem() {
        return Err(problem.to_string().into());
    }
    let source = Arc::new(Members::beside(contents));
    let inner = contents.pickles().iter().filter(|inner| inner.role() == Some("array of objects"));
    let inner: Vec<&Pickle> = inner.collect();
    if pickle.arrays().is_empty() && inner.is_empty() {
        let bytes = pickle.bytes()?;
        let loaded = Unpickler::new().load_bytes(bytes);
        return Ok(Loaded { graph: loaded.map_err(|error| error.offset_by(pickle.offset()))?, source });
    }
    let (joined, buffers) = with_arrays(&pickle.bytes()?, joblib_arrays(contents, pickle, &inner)?);
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
    let (data, source) = Members::checkpoint(contents)?;
    let load = || {
        let inner = data.open()?;
        let main = inner.pickles().first().ok_or("the data.pkl of this archive is no pickle")?;
        let graph = unpickle(main.bytes()?, Vec::new())?;
        Ok(Loaded { graph, source: Arc::new(source?) })
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
        Ok(Loaded { graph, source: Arc::new(SelfContained) })
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
    Ok(Loaded { graph, source: Arc::new(SelfContained) })
}

/// The members of a file that its pickle refers to.
pub struct Members {
    members: HashMap<String, Member>,
    /// The prefix of the names of storages.
    storages: String,
    big_endian: bool,
    /// Storages that were read, as several tensors may share one.
    read: Mutex<HashMap<String, Bytes>>,
}

/// Bytes of storages that are kept.
const KEPT: usize = 1 << 30;

/// The names of storages.
impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").field("storages", &self.storages).finish_non_exhaustive()
    }
}

impl Members {
    /// The members beside a pickle: storages of a legacy checkpoint, companion files of joblib.
    pub fn beside(contents: &Contents) -> Members {
        Members::new(contents, "storage ".to_owned())
    }

    /// The member of a checkpoint of PyTorch that holds the pickle, and the storages that it refers to. `None` of another
    /// file.
    pub fn checkpoint(contents: &Contents) -> Option<(Member, std::result::Result<Members, picklevm_files::Error>)> {
        let is_data = |member: &&Member| member.name() == "data.pkl" || member.name().ends_with("/data.pkl");
        let data = contents.members().iter().find(is_data)?;
        let prefix = data.name().trim_end_matches("data.pkl");
        let mut members = Members::new(contents, format!("{prefix}data/"));
        let order = members.members.get(&format!("{prefix}byteorder")).map(Member::bytes).transpose();
        let members = order.map(|order| {
            members.big_endian = order.is_some_and(|order| order.starts_with(b"big"));
            members
        });
        Some((data.clone(), members))
    }

    fn new(contents: &Contents, storages: String) -> Members {
        let members = contents.members().iter().map(|member| (member.name().to_owned(), member.clone())).collect();
        Members { members, storages, big_endian: false, read: Mutex::default() }
    }

    fn bytes(&self, name: &str) -> Result<Bytes> {
        let member =
            self.members.get(name).ok_or_else(|| Error::missing(format!("there is no {name:?} in the file")))?;
        member.bytes().map_err(|error| Error::missing(error.to_string()))
    }
}

impl Source for Members {
    fn storage(&self, key: &str) -> Result<Bytes> {
        // What a thread left behind that panicked is whole: bytes by their key.
        let kept = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = kept().get(key) {
            return Ok(bytes.clone());
        }
        let bytes = self.bytes(&format!("{}{key}", self.storages))?;
        let mut read = kept();
        if read.values().map(Bytes::len).sum::<usize>() + bytes.len() > KEPT {
            read.clear();
        }
        read.insert(key.to_owned(), bytes.clone());
        Ok(bytes)
    }

    fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    fn companion(&self, name: &str) -> Result<Bytes> {
        self.bytes(name)
    }
}
