//! Files of PyTorch in memory: the legacy format of before 1.6, and zip archives.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use picklevm::{Arena, CallResult, Graph, Id, Resolver, Standard, Unpickler, Value};

use super::read::parse_id;
use super::{Place, Storage};
use crate::error::{Error, ErrorKind, Result};
use crate::item::{Reader, Source};
use crate::numpy::DType;

/// A checkpoint of PyTorch that is in memory: the graph of its pickle, and its storages.
///
/// Programs that read files of any size open them with the crate `picklevm-files` and implement [`Source`] for what they
/// get.
#[derive(Debug)]
pub struct Checkpoint {
    graph: Graph,
    storages: HashMap<String, Bytes>,
    big_endian: bool,
}

/// The pickle that a legacy file begins with: a number that no other file begins with.
const LEGACY_START: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

impl Checkpoint {
    /// Opens a file of PyTorch.
    ///
    /// # Errors
    ///
    /// If it is none, or ends too early.
    pub fn open(data: Bytes) -> Result<Checkpoint> {
        if data.starts_with(b"PK\x03\x04") {
            return Checkpoint::from_zip(data);
        }
        // Any protocol may have been asked for; the first pickle is the number by all.
        Checkpoint::from_legacy(data)
    }

    /// The graph of the pickle.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// A reader of all that is in it.
    pub fn reader(&self) -> Reader<'_, '_> {
        Reader::new(self.graph.root(), self)
    }

    #[cfg(any(feature = "npy", feature = "safetensors"))]
    fn from_zip(data: Bytes) -> Result<Checkpoint> {
        use std::io::Read;

        let zip_error = |error| Error::other(ErrorKind::Malformed, error);
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(data.clone())).map_err(zip_error)?;
        let (mut storages, mut pickle, mut big_endian) = (HashMap::new(), None, false);
        for at in 0..zip.len() {
            let mut member = zip.by_index(at).map_err(zip_error)?;
            let name = member.name().split_once('/').map_or(String::new(), |(_, name)| name.to_owned());
            // PyTorch stores its members without compression.
            let bytes = match (
                member.compression(),
                usize::try_from(member.data_start().unwrap_or(u64::MAX)),
                usize::try_from(member.size()),
            ) {
                (zip::CompressionMethod::Stored, Ok(start), Ok(len)) if start.saturating_add(len) <= data.len() => {
                    data.slice(start..start + len)
                }
                _ => {
                    let mut bytes = Vec::new();
                    member.by_ref().take(1 << 30).read_to_end(&mut bytes)?;
                    bytes.into()
                }
            };
            match name.as_str() {
                "data.pkl" => pickle = Some(bytes),
                "byteorder" => big_endian = bytes.starts_with(b"big"),
                name => {
                    if let Some(key) = name.strip_prefix("data/") {
                        storages.insert(key.to_owned(), bytes);
                    }
                }
            }
        }
        let pickle = pickle.ok_or_else(|| Error::malformed("a zip archive without a data.pkl"))?;
        let graph = Unpickler::new().load_bytes(pickle).map_err(pickle_error)?;
        Ok(Checkpoint { graph, storages, big_endian })
    }

    #[cfg(not(any(feature = "npy", feature = "safetensors")))]
    fn from_zip(_: Bytes) -> Result<Checkpoint> {
        Err(Error::unsupported("zip archives take the feature `npy` or `safetensors`"))
    }

    /// Five pickles (a number, a version, the machine, the object, the keys), then for each key a count and the elements.
    fn from_legacy(data: Bytes) -> Result<Checkpoint> {
        let mut rest = data.clone();
        let mut next = |unpickler: &Unpickler| next_pickle(&mut rest, unpickler);
        let plain = Unpickler::new();
        if next(&plain)?.root().as_int().is_none_or(|int| int.to_string() != "119547037146038801333356") {
            return Err(Error::malformed("no file of PyTorch: it does not begin with its number"));
        }
        next(&plain)?;
        let big_endian = next(&plain)?.root().get("little_endian").and_then(Value::as_bool) == Some(false);
        let sizes = Sizes::default();
        let graph = next(&Unpickler::new().resolver(sizes.clone()))?;
        let keys = next(&plain)?;
        let sizes = sizes.0.lock().map(|sizes| sizes.clone()).unwrap_or_default();
        let mut storages = HashMap::new();
        for key in keys.root().items() {
            let key = crate::numpy_text(key);
            let bad = || Error::malformed(format!("the data of the storage {key:?} end too early"));
            let size =
                *sizes.get(&key).ok_or_else(|| Error::malformed(format!("no tensor is in the storage {key:?}")))?;
            let count = rest.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)).ok_or_else(bad)?;
            let len = usize::try_from(count).ok().and_then(|count| count.checked_mul(size)).ok_or_else(bad)?;
            let end = len.checked_add(8).filter(|end| *end <= rest.len()).ok_or_else(bad)?;
            storages.insert(key, rest.split_to(end).slice(8..));
        }
        Ok(Checkpoint { graph, storages, big_endian })
    }

    /// The storage that a file of PyTorch inside of a pickle is.
    pub(super) fn storage_of_file<'g>(data: Bytes) -> Result<(Place<'g>, DType)> {
        let file = Checkpoint::open(data)?;
        let id = match file.graph.root().kind() {
            picklevm::Kind::Persistent(id) => id,
            _ => return Err(Error::unsupported("a file inside of the pickle that is no storage")),
        };
        let (Storage { key, len, start }, dtype) = parse_id(id)?;
        let data = file.storage(&key)?;
        let bytes = start.checked_add(len).and_then(|end| (end <= data.len()).then(|| data.slice(start..end)));
        let data = bytes.ok_or_else(|| Error::malformed("a storage inside of the pickle that is too short"))?;
        let dtype = dtype.with_order(crate::numpy::ByteOrder::Little);
        Ok((Place::Bytes { name: format!("in the pickle, {key}"), data }, dtype))
    }

    /// Whether data begin as files of the legacy format do.
    pub fn is_legacy(data: &[u8]) -> bool {
        data.starts_with(LEGACY_START)
    }
}

impl Source for Checkpoint {
    fn storage(&self, key: &str) -> Result<Bytes> {
        self.storages.get(key).cloned().ok_or_else(|| Error::missing("it is not in the file"))
    }

    fn is_big_endian(&self) -> bool {
        self.big_endian
    }
}

/// Loads the pickle that data begin with, and takes it off them.
pub(super) fn next_pickle(rest: &mut Bytes, unpickler: &Unpickler) -> Result<Graph> {
    let mut ops = picklevm::ops::ops(rest);
    for op in ops.by_ref() {
        op.map_err(|error| Error::other(ErrorKind::Malformed, error))?;
    }
    let end = ops.offset();
    let pickle = rest.split_to(end);
    unpickler.load_bytes(pickle).map_err(pickle_error)
}

fn pickle_error(error: picklevm::Error) -> Error {
    Error::other(ErrorKind::Malformed, error)
}

/// Notes of each storage how many bytes an element has, which the file does not say.
#[derive(Clone, Default)]
struct Sizes(Arc<Mutex<HashMap<String, usize>>>);

impl Resolver for Sizes {
    fn find_class(&self, module: &str, name: &str) -> picklevm::Result<picklevm::Class> {
        Standard.find_class(module, name)
    }

    fn persistent_load(&self, arena: &mut Arena, id: Id) -> picklevm::Result<CallResult> {
        if let (Ok((storage, dtype)), Ok(mut sizes)) = (parse_id(arena.value(id)), self.0.lock()) {
            sizes.insert(storage.key, dtype.size);
        }
        Ok(CallResult::Symbolic)
    }
}
