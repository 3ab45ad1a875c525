//! Sparse members of tar archives, as `tarfile` reads them: GNU's old format (type `S`), and the pax formats 0.0, 0.1 and 1.0.
//!
//! Only the parts between holes are in the archive, one behind the other. A map says where each lies in the file.

use super::{BLOCK, number};
use crate::error::Error;
use crate::region::Region;

/// Parts that a map may have: 16 bytes or more of the archive each.
const MOST_PARTS: usize = 1 << 20;

/// Where the parts of a file lie.
pub(super) enum Map {
    /// Offset and length of each part, and the length of the file.
    Parts(Vec<(u64, u64)>, u64),
    /// The map stands before the data; the length of the file.
    InData(u64),
    /// The map cannot be read.
    Bad,
}

impl Map {
    /// The map of a header of type `S`, which goes on in blocks behind the header: `TarInfo.frombuf` and `_proc_sparse`.
    pub(super) fn of_gnu(region: &Region, header: &[u8], data_start: &mut u64) -> Result<Option<Map>, Error> {
        /// Bytes of an offset and a length.
        const ROW: usize = 24;
        let mut parts = Vec::new();
        let mut add = |block: &[u8], rows: usize| {
            for row in block.chunks_exact(ROW).take(rows) {
                match (number(&row[..ROW / 2]), number(&row[ROW / 2..])) {
                    (Some(offset), Some(len)) => parts.push((offset, len)),
                    _ => break,
                }
            }
            parts.len() <= MOST_PARTS
        };
        let Some(len) = number(&header[483..495]) else { return Ok(Some(Map::Bad)) };
        add(&header[386..], 4);
        let mut goes_on = header[482] != 0;
        while goes_on {
            let Some(block) = region.array::<{ BLOCK as usize }>(*data_start)? else { return Ok(Some(Map::Bad)) };
            *data_start += BLOCK;
            if !add(&block, 21) {
                return Ok(Some(Map::Bad));
            }
            goes_on = block[504] != 0;
        }
        Ok(Some(Map::Parts(parts, len)))
    }

    /// The map that pax headers have; `None` if they have none.
    pub(super) fn of_pax<'a>(get: impl Fn(&str) -> Option<&'a String>, offsets: &[u64], lens: &[u64]) -> Option<Map> {
        let size = |key: &str| get(key).and_then(|size| size.parse().ok());
        if let Some(map) = get("GNU.sparse.map") {
            let numbers: Option<Vec<u64>> = map.split(',').map(|number| number.trim().parse().ok()).collect();
            let (Some(numbers), Some(len)) = (numbers, size("GNU.sparse.size")) else { return Some(Map::Bad) };
            return Some(Map::Parts(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect(), len));
        }
        if get("GNU.sparse.size").is_some() {
            let parts = offsets.iter().copied().zip(lens.iter().copied()).collect();
            return Some(size("GNU.sparse.size").map_or(Map::Bad, |len| Map::Parts(parts, len)));
        }
        let is = |key: &str, value: &str| get(key).is_some_and(|found| found == value);
        if is("GNU.sparse.major", "1") && is("GNU.sparse.minor", "0") {
            return Some(size("GNU.sparse.realsize").map_or(Map::Bad, Map::InData));
        }
        None
    }

    /// The file of which `data` are the parts, and before them the map of format 1.0.
    pub(super) fn region(self, data: &Region) -> Result<Region, Wrong> {
        let (parts, len, start) = match self {
            Map::Bad => return Err("its map of holes cannot be read"),
            Map::Parts(parts, len) => (parts, len, 0),
            Map::InData(len) => {
                let (parts, start) = read_map(data).ok_or("its map of holes cannot be read")?;
                (parts, len, start)
            }
        };
        let (mut at, mut end, mut regions) = (start, 0, Vec::new());
        // A part of no bytes ends a map.
        for (offset, part) in parts.into_iter().filter(|(_, len)| *len > 0) {
            if offset < end {
                return Err("the parts in its map of holes do not follow each other");
            }
            let next = at.checked_add(part).filter(|next| *next <= data.len());
            let next = next.ok_or("its map of holes names more bytes than it has")?;
            end = offset.checked_add(part).ok_or("its map of holes cannot be read")?;
            if offset < len {
                regions.push((offset, data.slice(at..next.min(at + (len - offset)))));
            }
            at = next;
        }
        Ok(Region::sparse(regions, len))
    }
}

/// What is wrong with a map.
type Wrong = &'static str;

/// Reads the map of format 1.0, a decimal number a line in whole blocks: how many parts, and two numbers for each. Returns
/// where the data begin.
fn read_map(data: &Region) -> Option<(Vec<(u64, u64)>, u64)> {
    let mut text = Vec::new();
    let (mut at, mut blocks) = (0, 0);
    let mut line = |text: &mut Vec<u8>| loop {
        if let Some(end) = memchr::memchr(b'\n', &text[at..]) {
            let number = str::from_utf8(&text[at..at + end]).ok()?.parse::<u64>().ok();
            at += end + 1;
            return number;
        }
        let block = data.array::<{ BLOCK as usize }>(blocks * BLOCK).ok()??;
        blocks += 1;
        text.drain(..at);
        at = 0;
        text.extend_from_slice(&block);
    };
    let count = line(&mut text)?;
    let mut parts = Vec::new();
    for _ in 0..count {
        if parts.len() == MOST_PARTS {
            return None;
        }
        parts.push((line(&mut text)?, line(&mut text)?));
    }
    Some((parts, blocks * BLOCK))
}
