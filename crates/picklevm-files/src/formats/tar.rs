//! Tar archives, as Python's `tarfile` reads them: ustar, GNU's long names, pax headers, the old format without a magic.
//!
//! Members of unknown types and contiguous files (type `7`) are regular files to `tarfile`. [`sparse`] has those with holes.

mod sparse;

use std::collections::HashMap;
use std::io::Write;

use self::sparse::Map;
use super::{Change, Layout, copy, expect_by_name, put};
use crate::contents::Contents;
use crate::error::{Error, ErrorKind};
use crate::kind::Kind;
use crate::member::{Expect, Member, Source};
use crate::region::Region;

const BLOCK: u64 = 512;
/// Long names and pax headers that are longer belong to no archive that people have.
const LONGEST_EXTENSION: u64 = 1 << 20;

/// Types that are no regular files, and have no data: links, devices, directories, pipes.
const WITHOUT_DATA: &[u8] = b"123456";

/// Where a member lies, for writing it back.
#[derive(Debug)]
pub(crate) struct Header {
    at: u64,
    data_start: u64,
    size: u64,
    /// A pax header says the size as well.
    size_in_pax: bool,
    /// Only what lies between its holes is in the archive.
    sparse: bool,
}

/// Whether the bytes begin with a header of which the checksum is right: `TarInfo.frombuf`.
pub(super) fn begins(head: &[u8]) -> bool {
    head.get(..BLOCK as usize).is_some_and(is_header)
}

/// Whether a block is a header to `TarInfo.frombuf`: its checksum is right and its numbers are numbers.
fn is_header(block: &[u8]) -> bool {
    /// Mode, user, group, size, time, device.
    const NUMBERS: [(usize, usize); 7] =
        [(100, 108), (108, 116), (116, 124), (124, 136), (136, 148), (329, 337), (337, 345)];
    block.iter().any(|byte| *byte != 0)
        && has_right_checksum(block)
        && NUMBERS.iter().all(|(start, end)| number(&block[*start..*end]).is_some())
}

fn has_right_checksum(block: &[u8]) -> bool {
    let Some(claimed) = number(&block[148..156]) else { return false };
    // The field of the checksum counts as blanks. Some writers took bytes as signed.
    let bytes = || block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let unsigned: u64 = bytes().map(u64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte as i8)).sum();
    claimed == unsigned || i64::try_from(claimed) == Ok(signed)
}

/// `nti`: octal digits, or a big-endian number behind 0x80.
fn number(field: &[u8]) -> Option<u64> {
    if let [0x80, digits @ ..] = field {
        let (high, low) = digits.split_at(digits.len().saturating_sub(8));
        let value = low.iter().fold(0, |value, digit| value << 8 | u64::from(*digit));
        return high.iter().all(|digit| *digit == 0).then_some(value);
    }
    let digits = field.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    match digits {
        [] => Some(0),
        digits => u64::from_str_radix(str::from_utf8(digits).ok()?, 8).ok(),
    }
}

/// `nts`: text up to the first NUL.
fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn blocks(len: u64) -> u64 {
    len.div_ceil(BLOCK).saturating_mul(BLOCK)
}

pub(super) fn open(member: &Member, region: Region) -> Result<Contents, Error> {
    let mut contents = Contents::new(Kind::Tar, region, Layout::Tar(Vec::new()));
    let mut headers = Vec::new();
    let mut reader = Reader { region: contents.region.clone(), at: 0, pax: Pax::default() };
    let every_reading = member.shared().options.every_reading;
    let mut ended = false;
    loop {
        match reader.next()? {
            Next::File(file) => {
                member.shared().budget.list(1)?;
                headers.push(file.header);
                let child = member.child(
                    &file.name,
                    file.source,
                    if file.name == "pickle" { Expect::Pickle } else { expect_by_name(&file.name) },
                );
                contents.members.push(if ended {
                    child.diverging("what lies behind the end of the archive")
                } else {
                    child
                });
            }
            Next::Other => {}
            // `ignore_zeros` goes on behind blocks of zeros and behind headers that are none.
            Next::End | Next::Bad if every_reading && reader.at < reader.region.len() => {
                ended = true;
                reader.at += BLOCK;
            }
            Next::End => break,
            Next::Bad => {
                let message = "a header follows whose checksum is wrong";
                contents.problem = Some(Error::damaged("tar archive", message).at(reader.at));
                break;
            }
            Next::Truncated => {
                contents.problem = Some(Error::new(ErrorKind::Truncated, "the tar archive is cut off").at(reader.at));
                break;
            }
        }
    }
    contents.layout = Layout::Tar(headers);
    Ok(contents)
}

/// The records of pax headers.
#[derive(Default, Clone)]
struct Pax {
    values: HashMap<String, String>,
    /// Where the parts of a sparse file lie in it, and how long they are: the one keyword that stands in a header often.
    offsets: Vec<u64>,
    lens: Vec<u64>,
}

impl Pax {
    fn get(&self, key: &str) -> Option<&String> {
        self.values.get(key)
    }
}

struct Reader {
    region: Region,
    at: u64,
    /// Global pax headers.
    pax: Pax,
}

struct File {
    name: String,
    source: Source,
    header: Header,
}

enum Next {
    File(File),
    /// A member that is no file.
    Other,
    End,
    Bad,
    Truncated,
}

impl Reader {
    fn next(&mut self) -> Result<Next, Error> {
        let mut long_name = None;
        let mut pax = Pax::default();
        loop {
            let at = self.at;
            let Some(block) = self.region.array::<{ BLOCK as usize }>(at)? else {
                return Ok(if at >= self.region.len() { Next::End } else { Next::Truncated });
            };
            if block.iter().all(|byte| *byte == 0) {
                return Ok(Next::End);
            }
            let (true, Some(mut size)) = (is_header(&block), number(&block[124..136])) else {
                return Ok(Next::Bad);
            };
            let mut data_start = at + BLOCK;
            let kind = block[156];
            if matches!(kind, b'L' | b'K' | b'x' | b'g' | b'X') {
                let Some(extension) = self.extension(data_start, size)? else { return Ok(Next::Truncated) };
                let is_sound = match kind {
                    b'L' => {
                        // Of several the first counts: `tarfile` takes the header behind it, and names that.
                        long_name.get_or_insert(text(&extension));
                        true
                    }
                    b'x' | b'X' => {
                        let mut records = Pax::default();
                        let is_sound = read_pax(&extension, &mut records);
                        long_name = long_name.or_else(|| records.get("path").cloned());
                        records.values.extend(pax.values);
                        pax = match pax.offsets.is_empty() {
                            true => records,
                            false => Pax { values: records.values, offsets: pax.offsets, lens: pax.lens },
                        };
                        is_sound
                    }
                    b'g' => read_pax(&extension, &mut self.pax),
                    _ => true,
                };
                if !is_sound {
                    return Ok(Next::Bad);
                }
                self.at = data_start + blocks(size);
                continue;
            }
            let mut name = text(&block[..100]);
            let prefix = text(&block[345..500]);
            if !prefix.is_empty() && !matches!(kind, b'L' | b'K' | b'S') {
                name = format!("{prefix}/{name}");
            }
            let name = long_name.or_else(|| self.pax.get("path").cloned()).unwrap_or(name);
            let size_in_pax =
                pax.get("size").or(self.pax.get("size")).and_then(|size| size.parse().ok()).is_some_and(|in_pax| {
                    size = in_pax;
                    true
                });
            // The name in the header decides, whatever a longer one says.
            let is_directory = kind == 0 && text(&block[..100]).ends_with('/');
            if WITHOUT_DATA.contains(&kind) || is_directory {
                self.at = data_start;
                return Ok(Next::Other);
            }
            let map = match kind {
                b'S' => Map::of_gnu(&self.region, &block, &mut data_start)?,
                _ => Map::of_pax(|key| pax.get(key).or(self.pax.get(key)), &pax.offsets, &pax.lens),
            };
            let name = match pax.get("GNU.sparse.name") {
                Some(name) if map.is_some() => name.clone(),
                _ => name,
            };
            self.at = data_start.saturating_add(blocks(size));
            let end = data_start.checked_add(size).filter(|end| *end <= self.region.len());
            let sparse = map.is_some();
            let source = match (end, map) {
                (None, _) => Source::Unreadable(ErrorKind::Truncated, "the archive is cut off within it".to_owned()),
                (Some(end), None) => Source::Plain(self.region.slice(data_start..end)),
                (Some(end), Some(map)) => match map.region(&self.region.slice(data_start..end)) {
                    Ok(region) => Source::Plain(region),
                    Err(what) => Source::Unreadable(ErrorKind::Damaged, what.to_owned()),
                },
            };
            let header = Header { at, data_start, size, size_in_pax, sparse };
            return Ok(Next::File(File { name, source, header }));
        }
    }

    fn extension(&self, start: u64, len: u64) -> Result<Option<bytes::Bytes>, Error> {
        if len > LONGEST_EXTENSION || start + len > self.region.len() {
            return Ok(None);
        }
        // Whole blocks: text ends at a NUL, not where the length says.
        self.region.slice(start..start + blocks(len)).bytes().map(Some)
    }
}

/// Reads records of the form `length key=value` and a newline, up to a NUL: `_proc_pax`. `false` if one is malformed.
fn read_pax(mut records: &[u8], into: &mut Pax) -> bool {
    while records.first().is_some_and(|byte| *byte != 0) {
        let blank = records.iter().take(20).position(|byte| *byte == b' ');
        let len = blank.and_then(|blank| str::from_utf8(&records[..blank]).ok()?.parse().ok()).filter(|len| *len >= 5);
        let record = len.zip(blank).and_then(|(len, blank)| records.get(blank + 1..len)?.strip_suffix(b"\n"));
        let (Some(len), Some(record)) = (len, record) else { return false };
        let Some(equals) = memchr::memchr(b'=', record).filter(|at| *at > 0) else { return false };
        let (key, value) = (&record[..equals], String::from_utf8_lossy(&record[equals + 1..]).into_owned());
        match key {
            b"GNU.sparse.offset" => into.offsets.extend(value.parse::<u64>().ok()),
            b"GNU.sparse.numbytes" => into.lens.extend(value.parse::<u64>().ok()),
            _ => {}
        }
        into.values.insert(String::from_utf8_lossy(key).into_owned(), value);
        records = &records[len..];
    }
    true
}

/// Writes an archive with changed members: size and checksum of their headers change, all else stays.
pub(super) fn write(region: &Region, headers: &[Header], changes: &[Change], out: &mut dyn Write) -> Result<(), Error> {
    let mut done = 0;
    for (part, bytes) in changes {
        let Some(header) = headers.get(*part) else { continue };
        if header.sparse {
            let message = "a tar archive cannot be written back with a changed sparse member";
            return Err(Error::new(ErrorKind::ReadOnly, message));
        }
        let size = format!("{:011o}\0", bytes.len());
        if header.size_in_pax || size.len() > 12 {
            let message = "a tar archive cannot be written back with a changed member of more than 8 GiB";
            return Err(Error::new(ErrorKind::ReadOnly, message));
        }
        copy(&region.slice(done..header.at), out)?;
        let mut block = region.slice(header.at..header.data_start).bytes()?.to_vec();
        block[124..136].copy_from_slice(size.as_bytes());
        block[148..156].fill(b' ');
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        put(out, &block)?;
        put(out, bytes)?;
        put(out, &vec![0; (blocks(bytes.len() as u64) - bytes.len() as u64) as usize])?;
        done = header.data_start + blocks(header.size);
    }
    copy(&region.from(done), out)
}
