//! Leaving out what a pickle stores in the memo and never fetches.

use std::collections::HashMap;

use crate::error::{Error, ErrorKind};
use crate::frame::{FRAME_SIZE_TARGET, Framing};
use crate::memo::Memo;
use crate::op::Op;
use crate::opcode::Opcode;
use crate::undecoded::{RawOp, raw_ops};
use crate::writer::Writer;

/// The first pickle in `data` without the PUTs that no GET uses: the bytes that CPython 3.13's `pickletools.optimize`
/// returns.
///
/// The memo is numbered anew and frames are cut anew; all else stays as it is. What follows the pickle is left out, see
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
/// Those of [`Decoder::next_op`](crate::Decoder::next_op) where an op does not end, and [`Memo`](ErrorKind::Memo) if
/// something is fetched that was never stored. Other operands are copied unread.
pub fn optimize(data: &[u8]) -> Result<Vec<u8>, Error> {
    optimize_at(data, 0).map(|(pickle, _)| pickle)
}

/// The pickle that begins at `start` in `data` as [`optimize`] returns it, and where it ends there.
///
/// ```
/// assert_eq!(picklevm_ops::optimize_at(b"N.]q\x00.", 2)?, (b"].".to_vec(), 6));
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`optimize`]. Their offsets count from the beginning of `data`.
pub fn optimize_at(data: &[u8], start: usize) -> Result<(Vec<u8>, usize), Error> {
    let mut writer = Writer::append_to(Vec::new());
    let end = optimize_one(data, start, &mut writer)?;
    Ok((writer.into_vec()?, end))
}

/// Every pickle in `data` as [`optimize`] returns it, one after the other, each with a memo of its own.
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

/// Writes the pickle at `start`, and returns where it ends.
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
        end = raw.end();
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
                // As pickletools has it: the whole op counts, not its payload, and one more byte than elsewhere.
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

/// What must be known of a pickle before it is written.
struct Plan {
    /// The indices that are fetched, and what they become once they are stored.
    fetched: HashMap<u64, Option<u64>>,
    /// The protocol that decides how the memo is written.
    proto: u8,
    /// Where a PROTO at the beginning ends: it goes before the first frame.
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
                if raw.offset == start {
                    plan.header_end = raw.end();
                }
            }
        }
        Ok(plan)
    }
}

/// What an op does with the memo.
enum MemoUse {
    Put(u64),
    Get(u64),
}

impl MemoUse {
    /// The use that `raw` makes of the memo, if it does; `stored` is how many indices are stored, which MEMOIZE
    /// counts on.
    fn of(raw: &RawOp<'_>, stored: u64) -> Result<Option<Self>, Error> {
        if !matches!(
            raw.opcode,
            Opcode::Put
                | Opcode::BinPut
                | Opcode::LongBinPut
                | Opcode::Memoize
                | Opcode::Get
                | Opcode::BinGet
                | Opcode::LongBinGet
        ) {
            return Ok(None);
        }
        Ok(match raw.decode()? {
            Op::Put(index) => Some(MemoUse::Put(index)),
            Op::BinPut(index) => Some(MemoUse::Put(index.into())),
            Op::LongBinPut(index) => Some(MemoUse::Put(index.into())),
            Op::Memoize => Some(MemoUse::Put(stored)),
            Op::Get(index) => Some(MemoUse::Get(index)),
            Op::BinGet(index) => Some(MemoUse::Get(index.into())),
            Op::LongBinGet(index) => Some(MemoUse::Get(index.into())),
            _ => None,
        })
    }
}

/// The op that stores at `index`, as a pickler of the protocol writes it.
fn put(proto: u8, index: u64) -> Op<'static> {
    match (proto, u8::try_from(index), u32::try_from(index)) {
        (4.., _, _) => Op::Memoize,
        (1.., Ok(index), _) => Op::BinPut(index),
        (1.., _, Ok(index)) => Op::LongBinPut(index),
        _ => Op::Put(index),
    }
}

/// The op that fetches `index`, as a pickler of the protocol writes it.
fn get(proto: u8, index: u64) -> Op<'static> {
    match (proto, u8::try_from(index), u32::try_from(index)) {
        (1.., Ok(index), _) => Op::BinGet(index),
        (1.., _, Ok(index)) => Op::LongBinGet(index),
        _ => Op::Get(index),
    }
}

#[cold]
fn never_stored(raw: &RawOp<'_>, index: u64) -> Error {
    let expected = "an index that was stored before";
    Error::new(ErrorKind::Memo, raw.offset as u64, Some(raw.opcode), expected, index.to_string())
}
