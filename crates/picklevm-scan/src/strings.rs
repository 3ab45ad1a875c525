//! The texts and bytes of a pickle: where they lie in it, or what they are where it spells them otherwise.

use std::borrow::Cow;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use memchr::memchr;

use crate::chunks::Chunks;
use crate::token::NOT_KEPT;

/// Where a string lies in the data, or in the decoded strings.
#[derive(Clone, Copy)]
struct Span {
    at: u32,
    len: u32,
    is_decoded: bool,
}

/// Numbers of strings below this are offsets of the ops that push them, which say where they lie. Those in long lines,
/// far behind or escaped have a row in a table.
const SPANS: u32 = 1 << 27;
/// Bytes of a line that is read as often as it is asked for.
const LINE: usize = 256;
/// Bytes of strings that are decoded or encoded anew: beyond, they are not kept.
const DECODED_BYTES: usize = 1 << 28;

/// Bytes of a text that is encoded as often as it is asked for.
const SHORT: usize = 64;

/// The strings, by number.
pub(crate) struct Strings<'a> {
    data: &'a [u8],
    spans: Chunks<Span>,
    decoded: Vec<u8>,
    /// Strings that spell bytes in an encoding, and these bytes.
    encoded: HashMap<(u32, bool), u32, RandomState>,
    /// The length of the longest string.
    pub(crate) longest: usize,
}

impl<'a> Strings<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Strings { data, spans: Chunks::new(), decoded: Vec::new(), encoded: HashMap::default(), longest: 0 }
    }

    /// The number of a string that an op pushes, which lies at `op` in the data.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8], op: u64) -> u32 {
        self.longest = self.longest.max(bytes.len());
        let Some(at) = self.offset_of(bytes) else { return self.decode(bytes) };
        if op < SPANS.into() && operand(self.data, op as usize) == Some((at, bytes.len())) {
            return op as u32;
        }
        self.push_span(at, bytes.len(), false)
    }

    fn push_span(&mut self, at: usize, len: usize, is_decoded: bool) -> u32 {
        let number = SPANS + self.spans.len() as u32;
        match (u32::try_from(at), u32::try_from(len)) {
            (Ok(at), Ok(len)) if number < NOT_KEPT => self.spans.push(Span { at, len, is_decoded }),
            _ => return NOT_KEPT,
        }
        number
    }

    #[cold]
    fn decode(&mut self, bytes: &[u8]) -> u32 {
        if bytes.len() > DECODED_BYTES - self.decoded.len() {
            return NOT_KEPT;
        }
        let number = self.push_span(self.decoded.len(), bytes.len(), true);
        self.decoded.extend_from_slice(bytes);
        number
    }

    /// Where a slice of the data lies in it.
    #[inline]
    fn offset_of(&self, bytes: &[u8]) -> Option<usize> {
        let at = (bytes.as_ptr() as usize).wrapping_sub(self.data.as_ptr() as usize);
        (at <= self.data.len() && bytes.len() <= self.data.len() - at).then_some(at)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&[u8]> {
        let (all, at, len) = if number < SPANS {
            let (at, len) = operand(self.data, number as usize)?;
            (self.data, at, len)
        } else {
            let span = self.spans.get(number - SPANS)?;
            (if span.is_decoded { &*self.decoded } else { self.data }, span.at as usize, span.len as usize)
        };
        all.get(at..)?.get(..len)
    }

    /// The integer that BININT pushes, if that is the op that lies there.
    #[inline]
    pub(crate) fn int_at(&self, op: u32) -> Option<i32> {
        let (opcode, rest) = self.data.get(op as usize..)?.split_first()?;
        if *opcode == b'J' { rest.first_chunk().map(|bytes| i32::from_le_bytes(*bytes)) } else { None }
    }

    /// The bytes of a string, borrowed from the data where they lie there.
    pub(crate) fn get_cow(&self, number: u32) -> Option<Cow<'a, [u8]>> {
        let bytes = self.get(number)?;
        Some(match self.offset_of(bytes) {
            Some(at) => Cow::Borrowed(&self.data[at..at + bytes.len()]),
            None => Cow::Owned(bytes.to_vec()),
        })
    }

    /// The bytes of a text in Latin-1 or UTF-8, made once for each long text; `None` if it has no such bytes.
    pub(crate) fn encode(&mut self, number: u32, latin_1: bool) -> Option<u32> {
        if let Some(&bytes) = self.encoded.get(&(number, latin_1)) {
            return Some(bytes);
        }
        let spelled = String::from_utf8_lossy(self.get(number)?);
        let is_long = spelled.len() > SHORT;
        let bytes = if !latin_1 || spelled.is_ascii() {
            // In UTF-8 the bytes of a text are the text.
            number
        } else {
            let bytes: Vec<u8> = spelled.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<_>>()?;
            self.longest = self.longest.max(bytes.len());
            self.decode(&bytes)
        };
        if is_long {
            self.encoded.insert((number, latin_1), bytes);
        }
        Some(bytes)
    }
}

/// Where the string lies that an op pushes, and its length, if nothing in it is escaped.
#[inline]
fn operand(data: &[u8], op: usize) -> Option<(usize, usize)> {
    let (&opcode, rest) = data.get(op..)?.split_first()?;
    let (width, len) = match opcode {
        b'U' | b'C' | b'\x8c' => (1, usize::from(*rest.first()?)),
        b'T' | b'B' | b'X' => (4, u32::from_le_bytes(*rest.first_chunk()?) as usize),
        b'\x8d' | b'\x8e' | b'\x96' => (8, usize::try_from(u64::from_le_bytes(*rest.first_chunk()?)).ok()?),
        b'S' | b'V' => {
            let quote = usize::from(opcode == b'S');
            (quote, memchr(b'\n', &rest[..rest.len().min(LINE)])?.checked_sub(2 * quote)?)
        }
        _ => return None,
    };
    Some((op + 1 + width, len))
}

#[cfg(test)]
mod tests {
    use super::{SPANS, Strings};

    #[test]
    fn strings_are_found_where_they_lie() {
        let data = b"\x8c\x02abX\x03\0\0\0cdeS'fg'\n";
        let mut strings = Strings::new(data);
        assert_eq!([(&data[2..4], 0), (&data[9..12], 4)].map(|(bytes, op)| strings.push(bytes, op)), [0, 4]);
        assert_eq!(strings.push(&data[14..16], 12), 12);
        // Less than the operand of the op, as where blanks follow the quotes, and elsewhere.
        assert_eq!(strings.push(&data[14..15], 12), SPANS);
        assert_eq!(strings.push(b"other", 12), SPANS + 1);
        let found = [0, 4, 12, SPANS, SPANS + 1].map(|number| strings.get_cow(number).unwrap_or_default());
        assert_eq!(found.each_ref().map(|it| &**it), [&b"ab"[..], b"cde", b"fg", b"f", b"other"]);
        assert_eq!(strings.longest, 5);
    }

    #[test]
    fn latin_1_is_made_once() {
        let mut strings = Strings::new(b"");
        let euro = strings.push("é€".as_bytes(), 0);
        let accent = strings.push("é".repeat(100).as_bytes(), 0);
        assert_eq!((strings.encode(euro, true), strings.encode(euro, false)), (None, Some(euro)));
        let bytes = strings.encode(accent, true);
        assert_eq!(bytes.and_then(|bytes| strings.get(bytes)), Some(&[0xe9; 100][..]));
        assert_eq!(strings.encode(accent, true), bytes);
    }
}
