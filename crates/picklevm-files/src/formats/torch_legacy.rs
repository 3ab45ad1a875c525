//! PyTorch's files of before 1.6: five pickles (a magic number, the protocol version, what system wrote it, the object, the
//! keys of its storages), then each storage in the order of the keys: its number of elements in 8 bytes, and its memory.
//!
//! `torch/serialization.py`, `_legacy_save` and `_legacy_load`.

use std::collections::HashMap;

use super::Layout;
use super::pickles::push;
use crate::contents::Contents;
use crate::error::{Error, ErrorKind};
use crate::kind::Kind;
use crate::member::{Expect, Member, Source};
use crate::pickle::{Evaluation, Value, extent};
use crate::region::Region;

/// `MAGIC_NUMBER`, 0x1950a86a20f9469cfc6c, as LONG1.
const MAGIC_NUMBER: &[u8] = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
const ROLES: [&str; 5] = ["magic number", "protocol version", "system", "object", "storage keys"];
/// Which of the five is the object that was saved.
const OBJECT: usize = 3;

/// The bytes of an element of a storage, by the end of the name of its type.
const ELEMENT_SIZES: &[(&str, u64)] = &[
    ("ComplexDoubleStorage", 16),
    ("ComplexFloatStorage", 8),
    ("DoubleStorage", 8),
    ("BFloat16Storage", 2),
    ("QInt32Storage", 4),
    ("QInt8Storage", 1),
    ("QUInt8Storage", 1),
    ("QUInt4x2Storage", 1),
    ("QUInt2x4Storage", 1),
    ("FloatStorage", 4),
    ("HalfStorage", 2),
    ("LongStorage", 8),
    ("IntStorage", 4),
    ("ShortStorage", 2),
    ("CharStorage", 1),
    ("ByteStorage", 1),
    ("BoolStorage", 1),
    ("UntypedStorage", 1),
];

/// Whether the pickle up to `end` is the magic number.
pub(super) fn is_magic_number(region: &Region, end: u64) -> Result<bool, Error> {
    Ok(end < 32 && region.slice(0..end).bytes()?.ends_with(MAGIC_NUMBER))
}

/// Reads the other four pickles and lists the storages behind them.
pub(super) fn read_rest(member: &Member, contents: &mut Contents) -> Result<(), Error> {
    let region = contents.region.clone();
    contents.kind = Kind::TorchLegacy;
    let mut at = contents.pickles.first().map_or(0, |pickle| pickle.range.end);
    while contents.pickles.len() < ROLES.len() {
        match extent(&region, at) {
            Ok(found) => {
                at = found.end;
                push(member, contents, found);
            }
            Err(broken) => {
                contents.problem = Some(broken.error);
                break;
            }
        }
    }
    for (index, pickle) in contents.pickles.iter_mut().enumerate() {
        pickle.role = ROLES.get(index).copied();
        pickle.main = index == OBJECT;
    }
    if contents.pickles.len() == ROLES.len() {
        list_storages(member, contents, at)?;
    }
    Ok(())
}

fn list_storages(member: &Member, contents: &mut Contents, mut at: u64) -> Result<(), Error> {
    let region = contents.region.clone();
    let types = Evaluation::of(&contents.pickles[OBJECT].bytes()?);
    let sizes: HashMap<Vec<u8>, u64> = types.persistent.iter().filter_map(|id| element_size(&types, *id)).collect();
    let keys = Evaluation::of(&contents.pickles[OBJECT + 1].bytes()?);
    let keys = keys
        .stack
        .last()
        .and_then(|list| keys.items(*list))
        .map(|items| items.iter().map(|key| keys.text(*key).map(<[u8]>::to_vec)).collect::<Vec<_>>());
    for key in keys.unwrap_or_default() {
        let size = key.as_ref().and_then(|key| sizes.get(key));
        let count = region.array::<8>(at)?.map(u64::from_le_bytes);
        let end = size.zip(count).and_then(|(size, count)| size.checked_mul(count)?.checked_add(at + 8));
        let Some(end) = end.filter(|end| *end <= region.len()) else {
            let message = "a storage is missing or longer than the file";
            contents.problem = Some(Error::new(ErrorKind::Truncated, message).at(at));
            return Ok(());
        };
        let name = format!("storage {}", String::from_utf8_lossy(&key.unwrap_or_default()));
        let data = Source::Plain(region.slice(at + 8..end));
        contents.members.push(member.child(&name, data, Expect::Anything));
        if let Layout::Parts(places) = &mut contents.layout {
            places.push(at + 8..end);
        }
        at = end;
    }
    member.shared().budget.list(contents.members.len() as u64)
}

/// The key and the size of an element of `('storage', type, key, location, count, view)`.
fn element_size(types: &Evaluation, id: Value) -> Option<(Vec<u8>, u64)> {
    let [tag, class, key, ..] = types.items(id)? else { return None };
    if types.text(*tag)? != b"storage" {
        return None;
    }
    let (_, name) = types.global(*class)?;
    let (_, size) = ELEMENT_SIZES.iter().find(|(end, _)| name.ends_with(end))?;
    Some((types.text(*key)?.to_vec(), *size))
}
