//! Pickles: one, or several one after the other, with what their writers put around them.
//!
//! Recognised here, as they begin as pickles: joblib's files (`numpy_pickle.py`), PyTorch's legacy checkpoints
//! (`torch/serialization.py`, `_legacy_save`), entries of Django's file-based cache (`django/core/cache/backends/
//! filebased.py`: the expiry, then the value compressed by zlib).

use std::path::Path;
use std::sync::Arc;

use super::{Layout, compressed, torch_legacy};
use crate::coding::Coding;
use crate::contents::{Contents, Pickle};
use crate::error::{Error, ErrorKind};
use crate::foreign;
use crate::kind::Kind;
use crate::member::{Expect, Member, Source};
use crate::pickle::{self, Broken, Extent, extent};
use crate::region::Region;

/// Ops that bytes without a header must begin with to be taken for a pickle that is broken further on.
const OPS_OF_A_PICKLE: u64 = 2;
/// As many if they may be something else as well: lines of text spell a few ops by chance.
const OPS_OF_TEXT: u64 = 8;

/// Whether bytes that may be anything may begin with a pickle, judged by the first of them: `len` are there in all.
pub(super) fn may_begin(head: &[u8], len: Option<u64>) -> bool {
    match extent(&Region::memory(head.to_vec().into()), 0) {
        Ok(_) => true,
        Err(broken) => broken.truncated && len.is_none_or(|len| len > head.len() as u64),
    }
}

/// The pickles that a region begins with, if it does.
pub(super) fn open(member: &Member, region: &Region) -> Result<Option<Contents>, Error> {
    let mut contents = Contents::new(Kind::Pickle, region.clone(), Layout::Parts(Vec::new()));
    match converted_line_ends(member, region)? {
        LineEnds::AsTheyAre => {}
        LineEnds::Restored(restored) => contents.region = restored,
        LineEnds::Converted => {
            let message = "the line ends of this pickle were converted to \\r\\n (CRLF), as Git and FTP do with text";
            let error = Error::new(ErrorKind::LineEnds, message).hint("--repair crlf reads it as it was");
            contents.problem = Some(error);
            contents.layout = Layout::ReadOnly("its line ends were converted");
            return Ok(Some(contents));
        }
    }
    let region = &contents.region.clone();
    let mut at = 0;
    let mut companions = Vec::new();
    while at < region.len() {
        let found = match extent(region, at) {
            Ok(found) => found,
            Err(broken) if at == 0 => return open_broken(member, contents, broken),
            // Behind a pickle, what can be decoded is one that the machine refuses.
            Err(Broken { whole_end: Some(end), .. }) => {
                Extent { end, segments: std::iter::once(at..end).collect(), ..Extent::default() }
            }
            Err(broken) => {
                // Some writers put a newline behind each pickle.
                let next = at + blanks(&region.from(at))?;
                if next > at && extent(region, next).is_ok() {
                    at = next;
                    continue;
                }
                rest_of_row(member, &mut contents, at, broken)?;
                break;
            }
        };
        member.shared().budget.expand(if member.expect() == Expect::Anything { found.end - at } else { 0 })?;
        let is_first_of_torch = at == 0 && torch_legacy::is_magic_number(region, found.end)?;
        at = found.end;
        if !found.arrays.is_empty() || !found.object_arrays.is_empty() || !found.companions.is_empty() {
            contents.kind = Kind::Joblib;
        }
        if !found.arrays.is_empty() || !found.object_arrays.is_empty() {
            contents.layout = Layout::ReadOnly("arrays of joblib lie in the middle of the pickle");
        }
        companions.extend(found.companions.iter().cloned());
        push(member, &mut contents, found);
        if is_first_of_torch {
            torch_legacy::read_rest(member, &mut contents)?;
            break;
        }
    }
    if contents.pickles.is_empty() {
        return Ok(None);
    }
    member.check_sum()?;
    let covers = at == region.len() && contents.problem.is_none();
    let has_header = matches!(region.array::<2>(0)?, Some([0x80, 2..=5]));
    if member.expect() == Expect::Anything && !covers && !has_header {
        return Ok(None);
    }
    contents.members.extend(companion_files(member, &companions));
    if let Layout::Parts(places) = &mut contents.layout {
        // Members that lie in the row were put there with their places.
        let pickles = contents.pickles.iter().map(|pickle| pickle.range.clone());
        places.splice(0..0, pickles);
    }
    Ok(Some(contents))
}

enum LineEnds {
    AsTheyAre,
    Converted,
    Restored(Region),
}

/// Whether the line ends of a pickle were converted.
fn converted_line_ends(member: &Member, region: &Region) -> Result<LineEnds, Error> {
    let head = region.head(super::HEAD)?;
    let newline = memchr::memchr(b'\n', &head);
    if member.expect() == Expect::Anything || !newline.is_some_and(|at| at > 0 && head[at - 1] == b'\r') {
        return Ok(LineEnds::AsTheyAre);
    }
    let bytes = region.bytes()?;
    if member.shared().options.restore_line_ends {
        return Ok(LineEnds::Restored(Region::memory(pickle::restore_line_ends(&bytes).into())));
    }
    Ok(if pickle::has_converted_line_ends(&bytes) { LineEnds::Converted } else { LineEnds::AsTheyAre })
}

/// Adds a pickle, and those that joblib wrote into it.
pub(super) fn push(member: &Member, contents: &mut Contents, found: Extent) {
    let region = &contents.region;
    let make = |parts: Vec<Region>, range: std::ops::Range<u64>| Pickle {
        path: member.path().into(),
        parts,
        range,
        payload: 0,
        protocol: found.protocol,
        role: None,
        main: false,
        arrays: Arc::from([]),
        problem: None,
    };
    let parts: Vec<Region> = found.segments.iter().map(|segment| region.slice(segment.clone())).collect();
    let start = found.segments.first().map_or(found.end, |segment| segment.start);
    let mut pickle = make(parts, start..found.end);
    pickle.main = contents.pickles.is_empty();
    pickle.payload = found.payload;
    pickle.arrays = found.arrays.into();
    let inner = found.object_arrays.into_iter().map(|range| {
        let mut inner = make(vec![region.slice(range.clone())], range);
        inner.role = Some("array of objects");
        inner
    });
    let inner: Vec<Pickle> = inner.collect();
    contents.pickles.push(pickle);
    contents.pickles.extend(inner);
}

/// Bytes that begin as a pickle that is not whole, if they do so for certain.
fn open_broken(member: &Member, mut contents: Contents, broken: Broken) -> Result<Option<Contents>, Error> {
    let is_pickle = broken.has_header || broken.error.kind() != ErrorKind::Pickle;
    if !is_pickle || member.expect() == Expect::Anything && broken.ops < OPS_OF_A_PICKLE {
        return Ok(None);
    }
    member.check_sum()?;
    push_broken(member, &mut contents, 0, broken);
    Ok(Some(contents))
}

/// The last of [`BY_CONTENT`](super::BY_CONTENT): line ends that were converted, and pickles without a header that are
/// broken further on.
pub(super) fn open_damaged(member: &Member, region: &Region) -> Result<Option<Contents>, Error> {
    let mut contents = Contents::new(Kind::Pickle, region.clone(), Layout::Parts(Vec::new()));
    let is_known = foreign::is_known(&region.head(super::HEAD)?);
    let enough = if is_known { OPS_OF_TEXT } else { OPS_OF_A_PICKLE };
    match extent(region, 0) {
        Err(broken) if broken.ops >= enough => {
            push_broken(member, &mut contents, 0, broken);
            Ok(Some(contents))
        }
        _ => Ok(None),
    }
}

pub(super) fn push_broken(member: &Member, contents: &mut Contents, start: u64, broken: Broken) {
    let Broken { error, truncated, expected_end, has_header, .. } = broken;
    let len = contents.region.len();
    let problem = if truncated {
        let expected = match expected_end {
            Some(expected) => format!("truncated at {len} of an expected {expected} bytes"),
            None => format!("truncated at {len} bytes: there is no STOP"),
        };
        Error::new(ErrorKind::Truncated, format!("the pickle is {expected}"))
    } else {
        error
    };
    let parts = vec![contents.region.slice(start..len)];
    if start == 0 {
        contents.layout = Layout::ReadOnly("it is broken");
    }
    let protocol = match contents.region.array::<2>(start) {
        Ok(Some([_, protocol])) if has_header => protocol,
        _ => 0,
    };
    contents.pickles.push(Pickle {
        path: member.path().into(),
        parts,
        range: start..len,
        payload: 0,
        protocol,
        role: None,
        main: contents.pickles.is_empty(),
        arrays: Arc::from([]),
        problem: Some(Arc::new(problem)),
    });
}

/// What follows the pickles of a row: blanks, a compressed value, a pickle that is broken, or bytes that are none.
fn rest_of_row(member: &Member, contents: &mut Contents, at: u64, broken: Broken) -> Result<(), Error> {
    let rest = contents.region.from(at);
    if is_blank(&rest)? {
        let has_nul = rest.bytes()?.contains(&0);
        contents.padding = has_nul.then(|| at..at + rest.len());
        return Ok(());
    }
    if compressed::begins_as_zlib(&rest.head(2)?)
        && let Ok((bytes, used)) = Coding::Zlib.decode(&rest, u64::MAX, &member.shared().budget)
        && used == rest.len()
    {
        contents.kind = Kind::DjangoCache;
        if let Some(expiry) = contents.pickles.first_mut() {
            expiry.role = Some("expiry");
            expiry.main = false;
        }
        drop(bytes);
        contents.members.push(member.child("", Source::Plain(rest.clone()), member.expect()));
        if let Layout::Parts(places) = &mut contents.layout {
            places.push(at..at + rest.len());
        }
        return Ok(());
    }
    if broken.has_header || broken.ops >= OPS_OF_A_PICKLE {
        push_broken(member, contents, at, broken);
    } else {
        contents.problem = Some(broken.error);
    }
    Ok(())
}

fn is_blank(region: &Region) -> Result<bool, Error> {
    Ok(blanks(region)? == region.len())
}

/// How many blanks a region begins with.
fn blanks(region: &Region) -> Result<u64, Error> {
    /// More blanks than any writer leaves.
    const MOST: u64 = 1 << 20;
    let is_blank = |byte: &u8| matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n');
    let head = region.head(FEW)?;
    match head.iter().position(|byte| !is_blank(byte)) {
        Some(count) => Ok(count as u64),
        None => {
            let all = region.slice(0..MOST).bytes()?;
            Ok(all.iter().position(|byte| !is_blank(byte)).unwrap_or(all.len()) as u64)
        }
    }
}

/// Blanks that are looked for at first.
const FEW: usize = 64;

/// The files beside it that joblib 0.9 and older wrote its arrays to. A name with a directory in it is none that joblib
/// wrote.
fn companion_files(member: &Member, names: &[String]) -> Vec<Member> {
    let Some(directory) = member.shared().path.as_deref().and_then(Path::parent) else { return Vec::new() };
    let names = names.iter().filter(|name| !name.contains(['/', '\\', '\0']) && !name.starts_with('.'));
    let open = |name: &String| {
        let file = std::fs::File::open(directory.join(name)).ok()?;
        let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let region = Region::file(file, metadata.len()).ok()?;
        Some(member.child(name, Source::Plain(region.elsewhere()), Expect::Anything))
    };
    names.filter_map(open).collect()
}
