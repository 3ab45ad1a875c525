//! joblib's own compression before 0.10: `ZF`, the length in hexadecimal, a zlib stream.
//!
//! `read_zfile` and `write_zfile` in `joblib/numpy_pickle_compat.py`.

use std::io::Write;

use super::{Change, Layout, put};
use crate::coding::Coding;
use crate::contents::Contents;
use crate::error::Error;
use crate::kind::Kind;
use crate::member::{Member, Source};
use crate::region::Region;

/// `ZF` and `hex(2**64)`, padded with blanks.
const HEADER: u64 = 2 + 19;

pub(super) fn open(member: &Member, region: Region) -> Result<Contents, Error> {
    let start = stream_start(&region)?;
    let stream = region.from(start);
    let (bytes, _) = Coding::Zlib.decode(&stream, u64::MAX, &member.shared().budget)?;
    let mut contents = Contents::new(Kind::JoblibZ, region, Layout::JoblibZ);
    contents.members.push(member.child("", Source::Plain(Region::memory(bytes)), member.expect()));
    Ok(contents)
}

/// joblib 0.8.4 on Python 2 wrote one blank more.
fn stream_start(region: &Region) -> Result<u64, Error> {
    Ok(if region.array::<1>(HEADER)? == Some(*b" ") { HEADER + 1 } else { HEADER })
}

pub(super) fn write(region: &Region, changes: &[Change], out: &mut dyn Write) -> Result<(), Error> {
    let Some((_, bytes)) = changes.first() else { return super::copy(region, out) };
    let start = stream_start(region)?;
    let mut header = format!("ZF{:#x}", bytes.len()).into_bytes();
    header.resize(start as usize, b' ');
    put(out, &header)?;
    put(out, &Coding::Zlib.encode(bytes, &region.from(start).head(2)?)?)
}
