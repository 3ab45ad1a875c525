//! Pickles in the bytes of pickles, put in the place of the bytes: SCons's `.sconsign.dblite`, caches, queues.

use std::collections::HashMap;

use picklevm_ops::{Decoder, Op, Opcode};

use super::extent;
use crate::region::Region;

/// Levels of pickles in pickles that are looked into.
const DEPTH: usize = 8;
/// Bytes without a header that are shorter are a pickle by chance.
const SHORTEST: usize = 8;

/// A pickle in which bytes that are a pickle are a call of `pickle.loads` with the object that they hold. `None` if there are
/// none.
///
/// ```
/// let outer = b"\x80\x03]C\x05\x80\x02K\x07.a.";
/// let expanded = picklevm_files::expand_nested(outer).unwrap();
/// assert_eq!(expanded, b"\x80\x03]cpickle\nloads\nK\x07\x85Ra.");
/// assert_eq!(picklevm_files::expand_nested(b"\x80\x03C\x01a."), None);
/// ```
pub fn expand_nested(data: &[u8]) -> Option<Vec<u8>> {
    let mut levels = vec![Level::new(data.to_vec())];
    let mut out = Vec::new();
    let mut stored = 0u32;
    let mut is_expanded = false;
    while let Some(level) = levels.last_mut() {
        let mut decoder = Decoder::new(level.data.get(level.at..)?);
        let op = decoder.next_op().ok()?;
        let len = decoder.offset();
        let mut store = |memo: &mut HashMap<u64, u32>, index: u64| {
            memo.insert(index, stored);
            out_put(&mut out, stored);
            stored = stored.checked_add(1)?;
            Some(())
        };
        let mut inner = None;
        match op {
            Op::Frame(_) => {}
            Op::Put(index) => store(&mut level.memo, index)?,
            Op::BinPut(index) => store(&mut level.memo, index.into())?,
            Op::LongBinPut(index) => store(&mut level.memo, index.into())?,
            Op::Memoize => {
                let index = level.memo.len() as u64;
                store(&mut level.memo, index)?;
            }
            Op::Get(index) => out_get(&mut out, *level.memo.get(&index)?),
            Op::BinGet(index) => out_get(&mut out, *level.memo.get(&index.into())?),
            Op::LongBinGet(index) => out_get(&mut out, *level.memo.get(&index.into())?),
            Op::Stop => {
                levels.pop();
                let end = if levels.is_empty() { &[Opcode::Stop.byte()][..] } else { b"\x85R" };
                out.extend_from_slice(end);
                continue;
            }
            Op::Proto(_) if level.at == 0 && !out.is_empty() => {}
            op => {
                let bytes = &level.data[level.at..level.at + len];
                match payload(&op).filter(|payload| is_pickle(payload)) {
                    Some(payload) => inner = Some(Level::new(payload.to_vec())),
                    None => out.extend_from_slice(bytes),
                }
            }
        }
        level.at += len;
        if let Some(inner) = inner {
            if levels.len() == DEPTH {
                return None;
            }
            is_expanded = true;
            out.extend_from_slice(b"cpickle\nloads\n");
            levels.push(inner);
        }
    }
    is_expanded.then_some(out)
}

/// A pickle on the way through it.
struct Level {
    data: Vec<u8>,
    at: usize,
    /// Where what it stored lies in the memo of the whole.
    memo: HashMap<u64, u32>,
}

impl Level {
    fn new(data: Vec<u8>) -> Self {
        Level { data, at: 0, memo: HashMap::new() }
    }
}

fn out_put(out: &mut Vec<u8>, index: u32) {
    out.push(Opcode::LongBinPut.byte());
    out.extend_from_slice(&index.to_le_bytes());
}

fn out_get(out: &mut Vec<u8>, index: u32) {
    out.push(Opcode::LongBinGet.byte());
    out.extend_from_slice(&index.to_le_bytes());
}

/// The payload of an op that pushes bytes or an 8-bit string.
fn payload<'a>(op: &Op<'a>) -> Option<&'a [u8]> {
    match *op {
        Op::ShortBinBytes(bytes) | Op::BinBytes(bytes) | Op::BinBytes8(bytes) | Op::ByteArray8(bytes) => Some(bytes),
        Op::ShortBinString(bytes) | Op::BinString(bytes) => Some(bytes),
        _ => None,
    }
}

/// Whether bytes are a whole pickle, and nothing else.
fn is_pickle(bytes: &[u8]) -> bool {
    let has_header = matches!(bytes, [0x80, 2..=5, ..]);
    let may_be = has_header || bytes.len() >= SHORTEST && bytes.last() == Some(&Opcode::Stop.byte());
    may_be
        && extent::extent(&Region::memory(bytes.to_vec().into()), 0)
            .is_ok_and(|found| found.end == bytes.len() as u64 && found.segments.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::expand_nested;

    #[test]
    fn memos_do_not_mix() {
        // The inner list is stored at index 0 of its own memo, the outer one at index 0 of another.
        let inner = b"\x80\x04]\x94h\x00\x86.";
        let outer = [&b"\x80\x04]\x94(C"[..], &[inner.len() as u8], inner, b"\x94h\x00h\x01e."].concat();
        let expected = [
            &b"\x80\x04]r\x00\x00\x00\x00(cpickle\nloads\n]r\x01\x00\x00\x00j\x01\x00\x00\x00\x86\x85R"[..],
            b"r\x02\x00\x00\x00j\x00\x00\x00\x00j\x02\x00\x00\x00e.",
        ];
        assert_eq!(expand_nested(&outer), Some(expected.concat()));
    }

    #[test]
    fn pickles_in_pickles_in_pickles_are_expanded() {
        let mut data = b"\x80\x03K\x01.".to_vec();
        for _ in 0..3 {
            data = [&b"\x80\x03C"[..], &[data.len() as u8], &data, b"."].concat();
        }
        let loads = b"cpickle\nloads\n".repeat(3);
        assert_eq!(expand_nested(&data), Some([&b"\x80\x03"[..], &loads, b"K\x01\x85R\x85R\x85R."].concat()));
    }

    #[test]
    fn bytes_that_are_none_stay() {
        for data in [&b"\x80\x03C\x02N.."[..], b"\x80\x03C\x04\x80\x02N\xff.", b"h\x00.", b""] {
            assert_eq!(expand_nested(data), None, "{}", data.escape_ascii());
        }
    }
}
