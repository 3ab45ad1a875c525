//! The pickles of a file, each with what it refers to: storages beside a `data.pkl`, arrays behind joblib's objects, the
//! arrays of a .npz.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use picklevm::{Graph, Unpickler};
use picklevm_files::{Contents, File, Kind, Member, Pickle};

use crate::error::{Error, Result};
use crate::item::{Reader, SelfContained, Source, part_of, too_short};
use crate::joblib::with_arrays;
use crate::numpy;
use crate::torch::TarArchive;

/// Why a pickle could not be loaded: an error of the file or of the pickle.
pub type Problem = Box<dyn std::error::Error + Send + Sync>;

/// A graph, and where the data are that it refers to.
#[derive(Clone)]
pub struct Loaded {
    /// The graph.
    pub graph: Graph,
    /// The source of the data.
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

/// The place of a pickle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Path of the member; empty for the file itself.
    pub member: String,
    /// Offset in the member, in bytes.
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
            Kind::Tar => torch_tar(&contents),
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
    let joined = Joined::new(contents, pickle)?;
    let loaded = joined.unpickler().load_bytes(joined.bytes().clone());
    let mut graph = loaded.map_err(|error| error.offset_by(pickle.offset()))?;
    joined.add_roots(&mut graph)?;
    Ok(Loaded { graph, source: Arc::new(Members::beside(contents)) })
}

/// A pickle as an [`Unpickler`] runs it: the arrays that joblib wrote into it are out-of-band buffers, each taken by ops that are
/// not in the file, NEXT_BUFFER and BUILD. Of other pickles the bytes as they are.
#[derive(Clone)]
pub struct Joined {
    bytes: Bytes,
    /// The memory of each array.
    buffers: Vec<Bytes>,
    /// Where each array has its ops, and what is to be added to the offset of an op behind these, without what was added
    /// before it, for its offset in the member.
    arrays: Vec<(u64, u64)>,
    /// Pickles of arrays of objects.
    objects: Vec<Pickle>,
    offset: u64,
}

/// The length of the ops for an array.
const ADDED: u64 = 2;

impl Joined {
    /// Reads a pickle, and the arrays in it.
    ///
    /// # Errors
    ///
    /// If its bytes cannot be read.
    pub fn new(contents: &Contents, pickle: &Pickle) -> Result<Joined, Problem> {
        let objects = objects_of(contents, pickle);
        let offset = pickle.offset();
        if pickle.arrays().is_empty() && objects.is_empty() {
            return Ok(Joined { bytes: pickle.bytes()?, buffers: Vec::new(), arrays: Vec::new(), objects, offset });
        }
        let found = joblib_arrays(contents, pickle, &objects)?;
        let place = |(number, (after, _, shift)): (u64, &(usize, Bytes, u64))| (*after as u64 + number * ADDED, *shift);
        let arrays = (0..).zip(&found).map(place).collect();
        let found = found.into_iter().map(|(after, memory, _)| (after, memory));
        let (bytes, buffers) = with_arrays(&pickle.bytes()?, found);
        Ok(Joined { bytes, buffers, arrays, objects, offset })
    }

    /// The pickle, with the ops that take arrays.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the unpickler.
    pub fn unpickler(&self) -> Unpickler {
        if self.buffers.is_empty() { Unpickler::new() } else { Unpickler::new().buffers(self.buffers.clone()) }
    }

    /// The offset in the member of an op of [`bytes`](Self::bytes), by its offset there; `None` of one that takes an array.
    pub fn place(&self, offset: u64) -> Option<u64> {
        let before = self.arrays.partition_point(|(at, _)| *at <= offset);
        let shift = match before.checked_sub(1).map(|last| self.arrays[last]) {
            Some((at, _)) if offset < at + ADDED => return None,
            Some((_, shift)) => shift,
            None => self.offset,
        };
        Some(offset - before as u64 * ADDED + shift)
    }

    /// Makes arrays of objects, which are pickles of their own, roots of the graph that was loaded: where a [`Reader`] looks for
    /// them.
    ///
    /// # Errors
    ///
    /// If one cannot be read.
    pub fn add_roots(&self, graph: &mut Graph) -> Result<(), Problem> {
        for inner in &self.objects {
            let array = Unpickler::new().load_bytes(inner.bytes()?)?;
            graph.add_root(array.root());
        }
        Ok(())
    }
}

/// The lengths of the pickle and of the memory of its arrays.
impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buffers: Vec<usize> = self.buffers.iter().map(Bytes::len).collect();
        f.debug_struct("Joined").field("len", &self.bytes.len()).field("buffers", &buffers).finish_non_exhaustive()
    }
}

/// The arrays of objects that joblib wrote into a pickle.
fn objects_of(contents: &Contents, pickle: &Pickle) -> Vec<Pickle> {
    let behind = contents.pickles().iter().skip_while(|inner| inner.offset() <= pickle.offset());
    let inner = behind.take_while(|inner| pickle.role().is_none() && inner.role() == Some("array of objects"));
    inner.cloned().collect()
}

/// Where arrays of joblib belong in a pickle from which they were cut, and their memory: of arrays of objects the number of
/// the root that they become. Then what is to be added to the place of an op behind it for its offset in the member.
fn joblib_arrays(contents: &Contents, pickle: &Pickle, inner: &[Pickle]) -> Result<Vec<(usize, Bytes, u64)>, Problem> {
    let all = contents.bytes()?;
    let (mut inner, mut arrays) = (inner.iter().enumerate().peekable(), Vec::new());
    // How much was cut out before a place, so that places in the file are places in the pickle.
    let mut cut = pickle.offset();
    let mut objects = |until: u64, cut: &mut u64, arrays: &mut Vec<_>| -> Result<(), Problem> {
        while let Some((number, pickle)) = inner.next_if(|(_, pickle)| pickle.offset() < until) {
            let root = Bytes::copy_from_slice(&(number as u64 + 1).to_le_bytes());
            let after = usize::try_from(pickle.offset().saturating_sub(*cut))?;
            *cut += pickle.len();
            arrays.push((after, root, *cut));
        }
        Ok(())
    };
    for array in pickle.arrays() {
        objects(array.range.start, &mut cut, &mut arrays)?;
        cut = array.range.end - array.after;
        let memory = all.slice(usize::try_from(array.range.start)?..usize::try_from(array.range.end)?);
        arrays.push((usize::try_from(array.after)?, memory, cut));
    }
    objects(u64::MAX, &mut cut, &mut arrays)?;
    Ok(arrays)
}

/// A checkpoint of PyTorch: an archive with a `data.pkl` and the storages that it refers to.
fn torch_archive(contents: &Contents) -> Option<Result<Loaded, Problem>> {
    let (data, source) = Members::checkpoint(contents)?;
    let load = || {
        let inner = data.open()?;
        let main = inner.pickles().first().ok_or("the data.pkl of this archive is no pickle")?;
        let graph = Unpickler::new().load_bytes(main.bytes()?)?;
        Ok(Loaded { graph, source: Arc::new(source?) })
    };
    Some(load())
}

/// A checkpoint of PyTorch before 0.1.10.
fn torch_tar(contents: &Contents) -> Option<Result<Loaded, Problem>> {
    let member = |name: &str| contents.members().iter().find(|member| member.name() == name);
    let [_, pickle, storages, tensors] = ["sys_info", "pickle", "storages", "tensors"].map(member);
    let (pickle, storages, tensors) = (pickle?, storages?, tensors?);
    let load = || {
        let archive = TarArchive::read(storages.bytes()?, tensors.bytes()?)?;
        let graph = Unpickler::new().resolver(archive.clone()).load_bytes(pickle.bytes()?)?;
        Ok(Loaded { graph, source: Arc::new(archive) })
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
    /// Storages that were decompressed, as several tensors may share one.
    read: Mutex<HashMap<String, Bytes>>,
    /// Members whose checksum is right.
    checked: Mutex<HashSet<String>>,
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
        Members { members, storages, big_endian: false, read: Mutex::default(), checked: Mutex::default() }
    }

    fn member(&self, name: &str) -> Result<&Member> {
        self.members.get(name).ok_or_else(|| Error::missing(format!("there is no {name:?} in the file")))
    }

    fn storage_member(&self, key: &str) -> Result<&Member> {
        self.member(&format!("{}{key}", self.storages))
    }

    /// Reads all of a member once, of which a part is going to be read, for its checksum.
    fn check_sum(&self, member: &Member) -> Result<()> {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if !checked.contains(member.name()) {
            member.pieces(0..u64::MAX, |_| Ok::<_, picklevm_files::Error>(())).map_err(unreadable)?;
            checked.insert(member.name().to_owned());
        }
        Ok(())
    }
}

fn unreadable(error: picklevm_files::Error) -> Error {
    Error::missing(error.to_string())
}

/// Whether a member is read in parts: it lies in the file as it is. Others are in memory, or become so.
fn is_on_disk(member: &Member) -> bool {
    member.place().is_some()
}

/// Why pieces of a member were not passed on.
enum Stopped {
    Unreadable(picklevm_files::Error),
    Refused(Error),
}

impl From<picklevm_files::Error> for Stopped {
    fn from(error: picklevm_files::Error) -> Stopped {
        Stopped::Unreadable(error)
    }
}

impl Source for Members {
    fn storage(&self, key: &str) -> Result<Bytes> {
        // What a thread left behind that panicked is whole: bytes by their key.
        let kept = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = kept().get(key) {
            return Ok(bytes.clone());
        }
        let bytes = self.storage_member(key)?.bytes().map_err(unreadable)?;
        let mut read = kept();
        if read.values().map(Bytes::len).sum::<usize>() + bytes.len() > KEPT {
            read.clear();
        }
        read.insert(key.to_owned(), bytes.clone());
        Ok(bytes)
    }

    fn storage_len(&self, key: &str) -> Result<u64> {
        match self.storage_member(key)?.len() {
            Some(len) => Ok(len),
            None => Ok(self.storage(key)?.len() as u64),
        }
    }

    fn storage_part(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        let member = self.storage_member(key)?;
        if !is_on_disk(member) {
            return part_of(&self.storage(key)?, range);
        }
        self.check_sum(member)?;
        let bytes = member.range(range.clone()).map_err(unreadable)?;
        if bytes.len() as u64 == range.end.saturating_sub(range.start) {
            return Ok(bytes);
        }
        Err(too_short(range.start + bytes.len() as u64, range))
    }

    fn storage_pieces(&self, key: &str, range: Range<u64>, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let member = self.storage_member(key)?;
        // Reading all of it checks the checksum meanwhile. What is compressed would be decompressed again for each part.
        if range.start > 0 || member.len().is_none_or(|len| range.end < len) {
            if !is_on_disk(member) {
                return each(&self.storage_part(key, range)?);
            }
            self.check_sum(member)?;
        }
        let mut at = range.start;
        let pieces = member.pieces(range.clone(), |piece| {
            at += piece.len() as u64;
            each(piece).map_err(Stopped::Refused)
        });
        match pieces {
            Ok(()) if at == range.end => Ok(()),
            Ok(()) => Err(too_short(at, range)),
            Err(Stopped::Unreadable(error)) => Err(unreadable(error)),
            Err(Stopped::Refused(error)) => Err(error),
        }
    }

    fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    fn companion(&self, name: &str) -> Result<Bytes> {
        self.member(name)?.bytes().map_err(unreadable)
    }
}
