//! Pickles that each follow their length, in 4 or 8 bytes, of either byte order.
//!
//! PySpark's streams (`FramedSerializer` in `pyspark/serializers.py`), the sockets of `logging` and carbon (`>L`),
//! `multiprocessing.connection` (`!i`).

use std::io::Write;

use super::{Change, Layout, copy, pickles, put};
use crate::contents::Contents;
use crate::error::{Error, ErrorKind};
use crate::kind::Kind;
use crate::member::Member;
use crate::pickle::extent;
use crate::region::Region;

/// How lengths are written: in 4 or 8 bytes, or in 8 behind 4 that are -1, as `multiprocessing` writes what is longer than 2 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefix {
    width: u64,
    big_endian: bool,
}

const PREFIXES: [Prefix; 5] = [
    Prefix { width: 4, big_endian: true },
    Prefix { width: 4, big_endian: false },
    Prefix { width: 8, big_endian: true },
    Prefix { width: 8, big_endian: false },
    Prefix { width: LONG, big_endian: true },
];

/// The width of a length behind -1.
const LONG: u64 = 12;

impl Prefix {
    /// The length that stands at `at`, if so many bytes follow it.
    fn read(self, region: &Region, at: u64) -> Result<Option<u64>, Error> {
        let len = match self.width {
            4 => region.array::<4>(at)?.map(|bytes| {
                u64::from(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
            }),
            LONG => region.array::<12>(at)?.and_then(|bytes| match bytes {
                [0xff, 0xff, 0xff, 0xff, len @ ..] => Some(u64::from_be_bytes(len)),
                _ => None,
            }),
            _ => region
                .array::<8>(at)?
                .map(|bytes| if self.big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }),
        };
        Ok(len.filter(|len| *len > 0 && *len <= region.len() - at - self.width))
    }

    fn write(self, len: u64, out: &mut dyn Write) -> Result<(), Error> {
        if self.width == LONG {
            put(out, &[0xff; 4])?;
        }
        if self.width >= 8 {
            return put(out, &if self.big_endian { len.to_be_bytes() } else { len.to_le_bytes() });
        }
        let len = u32::try_from(len)
            .map_err(|_| Error::new(ErrorKind::ReadOnly, "a pickle is too long for a length in 4 bytes"))?;
        put(out, &if self.big_endian { len.to_be_bytes() } else { len.to_le_bytes() })
    }
}

/// Opens such a file if the first pickle ends exactly where its length says.
pub(super) fn open(member: &Member, region: &Region) -> Result<Option<Contents>, Error> {
    for prefix in PREFIXES {
        let mut contents = Contents::new(Kind::LengthPrefixed, region.clone(), Layout::LengthPrefixed(prefix));
        let mut at = 0;
        while let Some(len) = prefix.read(region, at)? {
            let start = at + prefix.width;
            let frame = region.slice(0..start + len);
            match extent(&frame, start) {
                Ok(found) if found.end == start + len => pickles::push(member, &mut contents, found),
                _ => break,
            }
            at = start + len;
        }
        if contents.pickles.is_empty() {
            continue;
        }
        // PySpark ends its streams with marks that are negative lengths.
        let rest = region.len() - at;
        if rest > 8 {
            let message = format!("{rest} bytes follow that are no pickle with its length");
            contents.problem = Some(Error::new(ErrorKind::Pickle, message).at(at));
        }
        return Ok(Some(contents));
    }
    Ok(None)
}

pub(super) fn write(
    region: &Region,
    prefix: Prefix,
    contents: &Contents,
    changes: &[Change],
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut done = 0;
    for (part, bytes) in changes {
        let Some(pickle) = contents.pickles.get(*part) else { continue };
        copy(&region.slice(done..pickle.range.start - prefix.width), out)?;
        prefix.write(bytes.len() as u64, out)?;
        put(out, bytes)?;
        done = pickle.range.end;
    }
    copy(&region.from(done), out)
}
