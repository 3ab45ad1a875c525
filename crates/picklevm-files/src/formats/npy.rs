//! NumPy's `.npy`: a header in Python's syntax, then the memory of the array, or a pickle where its items are objects.
//!
//! `numpy/lib/format.py`; the header is read by `ast.literal_eval`, in which the last of two equal keys counts.

use super::{Layout, pickles};
use crate::contents::Contents;
use crate::error::{Error, ErrorKind};
use crate::kind::Kind;
use crate::literal::{self, Literal};
use crate::member::{Expect, Member, Source};
use crate::pickle::{extent, size_of_code};
use crate::region::Region;

/// Headers that are longer NumPy refuses as well, unless it is told not to (`max_header_size`).
const LONGEST_HEADER: u64 = 1 << 20;

pub(super) fn open(member: &Member, region: Region) -> Result<Contents, Error> {
    let damaged = |what: &str| Error::damaged(".npy file", what);
    let (len, start) = match region.array::<12>(0)? {
        Some([.., 1, _, low, high, _, _]) => (u64::from(u16::from_le_bytes([low, high])), 10),
        Some([.., 2 | 3, _, a, b, c, d]) => (u64::from(u32::from_le_bytes([a, b, c, d])), 12),
        Some(_) => return Err(Error::new(ErrorKind::Unsupported, "the .npy file is of an unknown version")),
        None => return Err(damaged("it ends within its header")),
    };
    let data_start = start + len;
    if len > LONGEST_HEADER || data_start > region.len() {
        return Err(damaged("its header is longer than the file"));
    }
    let header = region.slice(start..data_start).bytes()?;
    let parsed = literal::parse(&header).ok_or_else(|| damaged("its header is no Python literal"))?;
    let descr = parsed.get("descr").ok_or_else(|| damaged("its header has no descr"))?;
    if holds_objects(descr) {
        return open_objects(member, region, data_start);
    }
    let mut contents = Contents::new(Kind::Npy, region, Layout::ReadOnly("it holds no pickle"));
    let data = contents.region.from(data_start);
    let message = format!("the array of {} holds no pickled objects", descr.to_text());
    contents.problem = Some(Error::new(ErrorKind::NoPickle, message));
    if let Some(expected) = data_len(descr, parsed.get("shape"))
        && expected != data.len()
    {
        let message = format!("the array takes {expected} bytes, and {} follow the header", data.len());
        contents.problem = Some(Error::new(ErrorKind::Damaged, message).at(data_start));
    }
    if data.len() > 0 {
        contents.members.push(member.child("data", Source::Plain(data), Expect::Anything));
    }
    Ok(contents)
}

fn open_objects(member: &Member, region: Region, data_start: u64) -> Result<Contents, Error> {
    let mut contents = Contents::new(Kind::Npy, region, Layout::Parts(Vec::new()));
    member.check_sum()?;
    match extent(&contents.region, data_start) {
        Ok(found) => {
            let end = found.end;
            let place = data_start..end;
            contents.layout = Layout::Parts(std::iter::once(place).collect());
            pickles::push(member, &mut contents, found);
            let rest = contents.region.len() - end;
            if rest > 0 {
                let message = format!("{rest} bytes follow the pickle");
                contents.problem = Some(Error::new(ErrorKind::Damaged, message).at(end));
            }
            Ok(contents)
        }
        Err(broken) => {
            pickles::push_broken(member, &mut contents, data_start, broken);
            Ok(contents)
        }
    }
}

/// Whether items of this type hold Python objects.
fn holds_objects(descr: &Literal) -> bool {
    descr.leaves().any(|text| {
        let kind = text.trim_start_matches(['|', '<', '>', '=']);
        matches!(kind.strip_prefix('O'), Some(size) if size.bytes().all(|byte| byte.is_ascii_digit()))
            || kind == "object"
    })
}

/// The bytes of an array, if its type is a plain one.
fn data_len(descr: &Literal, shape: Option<&Literal>) -> Option<u64> {
    let Literal::Text(code) = descr else { return None };
    let (_, size) = size_of_code(code)?;
    let Some(Literal::Sequence(lens)) = shape else { return None };
    lens.iter().try_fold(size, |product, len| match len {
        Literal::Int(len) => product.checked_mul(*len),
        _ => None,
    })
}
