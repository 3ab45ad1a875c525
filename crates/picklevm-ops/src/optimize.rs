//! Removing PUT opcodes that no GET uses.

use std::collections::HashMap;

use crate::error::{Error, ErrorKind};
use crate::frame::{FRAME_SIZE_TARGET, Framing};
use crate::memo::Memo;
use crate::op::Op;
use crate::opcode::Opcode;
use crate::undecoded::{RawOp, raw_ops};
use crate::writer::Writer;

/// Returns the first pickle in `data` without unused PUT opcodes: the bytes that `pickletools.optimize` of CPython 3.13
/// returns.
///
/// Memo indices and frames are written anew; everything else is unchanged. Bytes after the pickle are ignored, see
/// [`optimize_all`].
///
/// ```
/// let pickle = b"\x80\x02]q\x00(K\x01]q\x01h\x01e.";
/// let optimized = picklevm_ops::optimize(pickle)?;
/// assert_eq!(optimized, b"\x80\x02](K\x01]q\x00h\x00e.");
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`Decoder::next_op`](crate::Decoder::next_op) where an op does not end, and [`Memo`](ErrorKind::Memo) if a
/// GET reads an index that was not stored. Other operands are copied without a check.
pub fn optimize(data: &[u8]) -> Result<Vec<u8>, Error> {
    optimize_at(data, 0).map(|(pickle, _)| pickle)
}

/// Returns the pickle at `start` in `data`, optimized as by [`optimize`], and the offset after it.
///
/// ```
/// assert_eq!(picklevm_ops::optimize_at(b"N.]q\x00.", 2)?, (b"].".to_vec(), 6));
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`optimize`]. Offsets count from the beginning of `data`.
pub fn optimize_at(data: &[u8], start: usize) -> Result<(Vec<u8>, usize), Error> {
    let mut writer = Writer::append_to(Vec::new());
    let end = optimize_one(data, start, &mut writer)?;
    Ok((writer.into_vec()?, end))
}

/// Optimizes every pickle in `data` as [`optimize`] does, each with its own memo.
///
/// # Errors
///
/// Those of [`optimize`], and [`End`](ErrorKind::End) if there is no pickle at all.
pub fn optimize_all(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::append_to(Vec::with_capacity(data.len()));
    let mut offset = optimize_one(data, 0, &mut writer)?;
    while offset < data.len() {
        offset = optimize_one(data, offset, &mut writer)?;
    }
    writer.into_vec()
}

/// Writes the optimized pickle at `start`, and returns the offset after it.
fn optimize_one(data: &[u8], start: usize, writer: &mut Writer) -> Result<usize, Error> {
    let mut plan = Plan::of(data, start)?;
    writer.encoded(&data[start..plan.header_end], false)?;
    if plan.proto >= 4 {
        writer.start_framing(Framing::Python37)?;
    }
    let mut stored = Memo::default();
    let mut renumbered = 0;
    let mut end = plan.header_end;
    for raw in raw_ops(data, plan.header_end) {
        let raw = raw?;
        end = raw.end() as usize;
        let op = match MemoUse::of(&raw, stored.len())? {
            Some(MemoUse::Put(index)) => {
                stored.insert(index.into(), ());
                let Some(fresh) = plan.fetched.get_mut(&index) else {
                    continue;
                };
                *fresh = Some(renumbered);
                renumbered += 1;
                put(plan.proto, renumbered - 1)
            }
            Some(MemoUse::Get(index)) => match plan.fetched.get(&index) {
                Some(&Some(fresh)) => get(plan.proto, fresh),
                _ => return Err(never_stored(&raw, index)),
            },
            None if raw.opcode == Opcode::Frame => continue,
            None => {
                writer.boundary()?;
                // Like pickletools: the length of the whole op counts, not of its payload, and the limit is one byte
                // higher.
                writer.encoded(raw.bytes, raw.bytes.len() > FRAME_SIZE_TARGET)?;
                continue;
            }
        };
        writer.boundary()?;
        writer.op(op)?;
    }
    writer.end_framing()?;
    Ok(end)
}

/// Facts about a pickle that are needed before it is written.
struct Plan {
    /// The indices that are fetched, with their new index once they are stored.
    fetched: HashMap<u64, Option<u64>>,
    /// The protocol that decides the memo opcodes.
    proto: u8,
    /// Offset after a leading PROTO, which is written before the first frame.
    header_end: usize,
}

impl Plan {
    fn of(data: &[u8], start: usize) -> Result<Self, Error> {
        let mut plan = Plan { fetched: HashMap::new(), proto: 0, header_end: start };
        for raw in raw_ops(data, start) {
            let raw = raw?;
            if let Some(MemoUse::Get(index)) = MemoUse::of(&raw, 0)? {
                plan.fetched.insert(index, None);
                plan.proto = plan.proto.max(raw.opcode.protocol());
            }
            if raw.opcode == Opcode::Proto
                && let Op::Proto(version) = raw.decode()?
            {
                plan.proto = plan.proto.max(version);
                if raw.offset == start as u64 {
                    plan.header_end = raw.end() as usize;
                }
            }
        }
        Ok(plan)
    }
}

/// How an op uses the memo.
enum MemoUse {
    Put(u64),
    Get(u64),
}

impl MemoUse {
    /// Returns how `raw` uses the memo, if it does. `stored` is the number of stored indices, which MEMOIZE counts
    /// from.
    fn of(raw: &RawOp<'_>, stored: u64) -> Result<Option<Self>, Error> {
        Ok(match raw.opcode {
            Opcode::Memoize => Some(MemoUse::Put(stored)),
            opcode if opcode.is_put() => raw.memo_index()?.map(MemoUse::Put),
            opcode if opcode.is_get() => raw.memo_index()?.map(MemoUse::Get),
            _ => None,
        })
    }
}

/// Returns the op that stores at `index`, as a pickler of the protocol writes it.
fn put(proto: u8, index: u64) -> Op<'static> {
    match (proto, u8::try_from(index), u32::try_from(index)) {
        (4.., _, _) => Op::Memoize,
        (1.., Ok(index), _) => Op::BinPut(index),
        (1.., _, Ok(index)) => Op::LongBinPut(index),
        _ => Op::Put(index),
    }
}

/// Returns the op that fetches `index`, as a pickler of the protocol writes it.
fn get(proto: u8, index: u64) -> Op<'static> {
    match (proto, u8::try_from(index), u32::try_from(index)) {
        (1.., Ok(index), _) => Op::BinGet(index),
        (1.., _, Ok(index)) => Op::LongBinGet(index),
        _ => Op::Get(index),
    }
}

#[cold]
fn never_stored(raw: &RawOp<'_>, index: u64) -> Error {
    let expected = "a memo index that was stored before";
    Error::new(ErrorKind::Memo, raw.offset, Some(raw.opcode), expected, index.to_string())
}
