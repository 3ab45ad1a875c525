//! Pickles in the bytes of pickles, compressed or not, put in the place of the bytes: SCons's `.sconsign.dblite`, caches, queues.

use std::borrow::Cow;
use std::collections::HashMap;

use picklevm_ops::{Decoder, Literal, Op, Opcode};

use crate::coding::Coding;
use crate::formats;
use crate::kind::Kind;
use crate::limits::{Budget, FileLimits};
use crate::pickle::{Latin1, extent};
use crate::region::Region;

/// Bytes without a header that are shorter are a pickle by chance.
const SHORTEST: usize = 8;

/// A pickle in which bytes that are a pickle are a call of `pickle.loads` with the object that they hold, and compressed ones a
/// call of `zlib.decompress` or the like in it. `None` if there are none. What would go beyond the limits stays bytes.
///
/// ```
/// use picklevm_files::{FileLimits, expand_nested};
///
/// let outer = b"\x80\x03]C\x05\x80\x02K\x07.a.";
/// let expanded = expand_nested(outer, FileLimits::default()).unwrap();
/// assert_eq!(expanded, b"\x80\x03]cpickle\nloads\nK\x07\x85Ra.");
/// assert_eq!(expand_nested(b"\x80\x03C\x01a.", FileLimits::default()), None);
/// ```
pub fn expand_nested(data: &[u8], limits: FileLimits) -> Option<Vec<u8>> {
    let budget = Budget::new(limits, data.len() as u64);
    let mut levels = vec![Level::new(data.to_vec())];
    let mut out = Vec::new();
    let mut stored = 0u32;
    let mut is_expanded = false;
    while !levels.is_empty() {
        let depth = levels.len() as u32;
        let level = levels.last_mut()?;
        let mut decoder = Decoder::new(level.data.get(level.at..)?);
        let op = decoder.next_op().ok()?;
        let len = decoder.offset();
        // Below protocol 3 bytes of Python 3 are the result of a call.
        let encoded = if op.opcode().is_put() { None } else { level.latin1.follow(&op) };
        let (memo, latin1) = (&mut level.memo, &mut level.latin1);
        let mut store = |memo: &mut HashMap<u64, u32>, index: u64| {
            latin1.store(index);
            memo.insert(index, stored);
            out_put(&mut out, stored);
            stored = stored.checked_add(1)?;
            Some(())
        };
        let mut inner = None;
        match op {
            Op::Frame(_) => {}
            Op::Put(index) => store(memo, index)?,
            Op::BinPut(index) => store(memo, index.into())?,
            Op::LongBinPut(index) => store(memo, index.into())?,
            Op::Memoize => {
                let index = memo.len() as u64;
                store(memo, index)?;
            }
            Op::Get(index) => out_get(&mut out, *memo.get(&index)?),
            Op::BinGet(index) => out_get(&mut out, *memo.get(&index.into())?),
            Op::LongBinGet(index) => out_get(&mut out, *memo.get(&index.into())?),
            Op::Stop => {
                match levels.pop().filter(|_| !levels.is_empty()) {
                    // Each call has one argument.
                    Some(level) => out.extend_from_slice(&b"\x85R".repeat(1 + level.decompressed.len())),
                    None => out.push(Opcode::Stop.byte()),
                }
                continue;
            }
            Op::Proto(_) if level.at == 0 && !out.is_empty() => {}
            op => {
                let bytes = &level.data[level.at..level.at + len];
                let is_too_deep = budget.check_depth(depth).is_err();
                let is_call = encoded.is_some();
                let payload = encoded.map(Cow::Owned).or(payload(&op)).filter(|_| !is_too_deep);
                inner = payload.and_then(|payload| Level::of(&payload, &budget));
                if inner.is_none() || is_call {
                    out.extend_from_slice(bytes);
                }
                if inner.is_some() && is_call {
                    out.push(Opcode::Pop.byte());
                }
            }
        }
        level.at += len;
        if let Some(inner) = inner {
            is_expanded = true;
            out.extend_from_slice(b"cpickle\nloads\n");
            for module in &inner.decompressed {
                out.extend_from_slice(format!("c{module}\ndecompress\n").as_bytes());
            }
            levels.push(inner);
        }
    }
    is_expanded.then_some(out)
}

/// A pickle on the way through it.
struct Level {
    data: Vec<u8>,
    at: usize,
    /// The modules of Python by which it was decompressed, the outermost first.
    decompressed: Vec<&'static str>,
    latin1: Latin1,
    /// Where what it stored lies in the memo of the whole.
    memo: HashMap<u64, u32>,
}

impl Level {
    fn new(data: Vec<u8>) -> Self {
        Level { data, at: 0, decompressed: Vec::new(), latin1: Latin1::default(), memo: HashMap::new() }
    }

    /// The pickle that bytes are, compressed or not.
    fn of(payload: &[u8], budget: &Budget) -> Option<Level> {
        if is_pickle(payload) {
            return Some(Level::new(payload.to_vec()));
        }
        let mut level = Level::new(payload.to_vec());
        while let Some((coding, module)) = compression(&level.data) {
            level.decompressed.push(module);
            budget.check_depth(level.decompressed.len() as u32).ok()?;
            let region = Region::memory(level.data.into());
            let (bytes, used) = coding.decode(&region, u64::MAX, budget).ok()?;
            if used != region.len() {
                return None;
            }
            level.data = bytes.into();
            if is_pickle(&level.data) {
                return Some(level);
            }
        }
        None
    }
}

/// How bytes are compressed, and the module of Python whose `decompress` undoes it.
fn compression(bytes: &[u8]) -> Option<(Coding, &'static str)> {
    Some(match formats::recognise(bytes)? {
        Kind::Gzip => (Coding::Gzip, "gzip"),
        Kind::Zlib => (Coding::Zlib, "zlib"),
        Kind::Bzip2 => (Coding::Bzip2, "bz2"),
        Kind::Xz => (Coding::Xz, "lzma"),
        Kind::Lzma => (Coding::Lzma, "lzma"),
        Kind::Zstd => (Coding::Zstd, "compression.zstd"),
        Kind::Lz4 => (Coding::Lz4, "lz4.frame"),
        _ => return None,
    })
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
fn payload<'a>(op: &Op<'a>) -> Option<Cow<'a, [u8]>> {
    match op.literal()? {
        Literal::Text(_) | Literal::RawUnicode(_) => None,
        literal => literal.as_bytes(),
    }
}

/// Whether bytes are a whole pickle, and nothing else.
fn is_pickle(bytes: &[u8]) -> bool {
    let has_header = matches!(bytes, [0x80, 2..=5, ..]);
    let may_be = has_header || bytes.len() >= SHORTEST && bytes.last() == Some(&Opcode::Stop.byte());
    may_be
        && extent(&Region::memory(bytes.to_vec().into()), 0)
            .is_ok_and(|found| found.end == bytes.len() as u64 && found.segments.len() == 1)
}

#[cfg(test)]
mod tests {
    use crate::FileLimits;

    fn expand_nested(data: &[u8]) -> Option<Vec<u8>> {
        super::expand_nested(data, FileLimits::default())
    }

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
    #[cfg(feature = "gzip")]
    fn compressed_pickles_are_expanded() {
        use std::io::Write;
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(b"\x80\x02K\x07.").unwrap();
        let packed = packer.finish().unwrap();
        let data = [&b"\x80\x03C"[..], &[packed.len() as u8], &packed, b"."].concat();
        let calls = b"\x80\x03cpickle\nloads\nczlib\ndecompress\nK\x07\x85R\x85R.".to_vec();
        assert_eq!(expand_nested(&data), Some(calls));
        // What the limits forbid stays as it is.
        assert_eq!(super::expand_nested(&data, FileLimits::default().expanded(3)), None);
        assert_eq!(super::expand_nested(&data, FileLimits::default().depth(0)), None);
    }

    #[test]
    fn bytes_that_python_3_wrote_below_protocol_3_are_expanded() {
        // Two of them: the second call fetches the function and the name of the encoding.
        let data =
            b"\x80\x02]q\0(c_codecs\nencode\nq\x01X\x06\0\0\0\xc2\x80\x02K\x07.X\x06\0\0\0latin1q\x03\x86q\x04Rq\x05\
            h\x01X\x06\0\0\0\xc2\x80\x02K\x08.q\x06h\x03\x86Re.";
        let expanded = expand_nested(data).unwrap();
        let calls = expanded.windows(15).filter(|window| *window == b"0cpickle\nloads\n").count();
        assert_eq!(calls, 2, "{}", expanded.escape_ascii());
        assert!(expanded.ends_with(b"R0cpickle\nloads\nK\x08\x85Re."), "{}", expanded.escape_ascii());
        // Protocol 0.
        let data = b"c_codecs\nencode\np0\n(V\x80\x02K\x07.\np1\nVlatin1\np2\ntp3\nRp4\n.";
        assert!(
            expand_nested(data).is_some_and(|expanded| expanded.ends_with(b"R0cpickle\nloads\nK\x07\x85Rr\x04\0\0\0."))
        );
    }

    #[test]
    fn pickles_of_protocol_0_are_expanded() {
        assert_eq!(expand_nested(b"S'(lp0\\nI1\\na.'\n."), Some(b"cpickle\nloads\n(lr\0\0\0\0I1\na\x85R.".to_vec()));
    }

    #[test]
    fn bytes_that_are_none_stay() {
        for data in [&b"\x80\x03C\x02N.."[..], b"\x80\x03C\x04\x80\x02N\xff.", b"h\x00.", b""] {
            assert_eq!(expand_nested(data), None, "{}", data.escape_ascii());
        }
    }
}
