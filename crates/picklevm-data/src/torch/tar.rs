//! Files of PyTorch before 0.1.10: tar archives of storages, the tensors in them, and the object that they belong to, as
//! `_legacy_load` of `torch/serialization.py` reads them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use picklevm::{Arena, CallResult, Class, Graph, Id, Resolver, Standard, Unpickler, Value};

use super::file::next_pickle;
use super::write::rebuild;
use super::{parse_class, storage_dtype};
use crate::error::{Error, Result};
use crate::item::Source;

/// The storages and the tensors of a file, by the numbers that its pickle has for them.
#[derive(Clone)]
pub(crate) struct TarArchive(Arc<Parts>);

#[derive(Default)]
struct Parts {
    storages: HashMap<String, Stored>,
    tensors: HashMap<String, View>,
    /// What stands for them in the graph.
    made: Mutex<HashMap<String, Id>>,
}

#[derive(Clone)]
struct Stored {
    class: String,
    count: u64,
    data: Bytes,
}

struct View {
    storage: String,
    offset: u64,
    shape: Vec<u64>,
    strides: Vec<u64>,
}

impl TarArchive {
    /// Reads the members of these names.
    pub(crate) fn read(mut storages: Bytes, mut tensors: Bytes) -> Result<TarArchive> {
        let mut parts = Parts::default();
        let plain = Unpickler::new();
        for _ in 0..number(next_pickle(&mut storages, &plain)?.root())? {
            // `(key, location, class)`, a count, and as many elements.
            let about = next_pickle(&mut storages, &plain)?;
            let (key, class) = (item(&about, 0)?, parse_class(item(&about, 2)?)?);
            let size = storage_dtype(&class)
                .ok_or_else(|| Error::unsupported(format!("a storage of the class {class}")))?
                .size;
            let count = u64::from_le_bytes(take(&mut storages)?);
            let len = usize::try_from(count).ok().and_then(|count| count.checked_mul(size));
            let len = len.filter(|len| *len <= storages.len()).ok_or_else(too_short)?;
            parts.storages.insert(crate::numpy_text(key), Stored { class, count, data: storages.split_to(len) });
        }
        // `(key, key of the whole, offset, count)` of storages that are parts of others.
        for view in next_pickle(&mut storages, &plain)?.root().items() {
            let part = |at: usize| view.items().get(at).ok_or_else(too_short);
            let whole = parts.storages.get(&crate::numpy_text(part(1)?)).ok_or_else(too_short)?.clone();
            let (start, count) = (number(part(2)?)?, number(part(3)?)?);
            let size = whole.data.len() / usize::try_from(whole.count).unwrap_or(1).max(1);
            let end = start.checked_add(count).filter(|end| *end <= whole.count).ok_or_else(too_short)?;
            let data = whole.data.slice(start as usize * size..end as usize * size);
            parts.storages.insert(crate::numpy_text(part(0)?), Stored { count, data, ..whole });
        }
        for _ in 0..number(next_pickle(&mut tensors, &plain)?.root())? {
            // `(key, storage, class)`, the number of axes in 8 bytes, their lengths, their strides, the offset.
            let about = next_pickle(&mut tensors, &plain)?;
            let axes = u32::from_le_bytes(take(&mut tensors)?);
            take::<4>(&mut tensors)?;
            let mut numbers =
                || (0..axes).map(|_| take(&mut tensors).map(u64::from_le_bytes)).collect::<Result<Vec<u64>>>();
            let (shape, strides) = (numbers()?, numbers()?);
            let offset = u64::from_le_bytes(take(&mut tensors)?);
            let storage = crate::numpy_text(item(&about, 1)?);
            parts.tensors.insert(crate::numpy_text(item(&about, 0)?), View { storage, offset, shape, strides });
        }
        Ok(TarArchive(Arc::new(parts)))
    }

    /// A storage in a graph: its persistent id as later versions have it.
    fn storage_id(&self, arena: &mut Arena, key: &str) -> Option<Id> {
        let stored = self.0.storages.get(key)?;
        let (word, class, cpu) = (arena.add("storage"), arena.global("torch", &stored.class), arena.add("cpu"));
        let (key, count) = (arena.add(key), arena.add(stored.count));
        let id = arena.tuple([word, class, key, cpu, count]);
        Some(arena.persistent(id))
    }
}

impl Resolver for TarArchive {
    fn find_class(&self, module: &str, name: &str) -> picklevm::Result<Class> {
        Standard.find_class(module, name)
    }

    fn persistent_load(&self, arena: &mut Arena, id: Id) -> picklevm::Result<CallResult> {
        // A class beside its source.
        if let Some(first) = arena.value(id).as_tuple().and_then(|mut parts| parts.next()) {
            return Ok(CallResult::Value(first.id()));
        }
        let key = crate::numpy_text(arena.value(id));
        let mut made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = made.get(&key) {
            return Ok(CallResult::Value(*id));
        }
        let value = match self.0.tensors.get(&key) {
            Some(view) => match self.storage_id(arena, &view.storage) {
                Some(storage) => Some(rebuild(arena, storage, view.offset, &view.shape, &view.strides, None)?),
                None => None,
            },
            None => self.storage_id(arena, &key),
        };
        made.extend(value.map(|value| (key, value)));
        Ok(value.into())
    }
}

impl Source for TarArchive {
    fn storage(&self, key: &str) -> Result<Bytes> {
        let stored = self.0.storages.get(key).ok_or_else(|| Error::missing("it is not in the file"))?;
        Ok(stored.data.clone())
    }
}

fn too_short() -> Error {
    Error::malformed("a file of PyTorch before 0.1.10 whose parts do not fit each other")
}

fn take<const N: usize>(rest: &mut Bytes) -> Result<[u8; N]> {
    let bytes = rest.first_chunk().copied().ok_or_else(too_short)?;
    let _ = rest.split_to(N);
    Ok(bytes)
}

fn number(value: Value<'_>) -> Result<u64> {
    value.as_i64().and_then(|number| u64::try_from(number).ok()).ok_or_else(too_short)
}

fn item(graph: &Graph, at: usize) -> Result<Value<'_>> {
    graph.root().items().get(at).ok_or_else(too_short)
}
