//! The memo for plain data, from which only text can be fetched.

use picklevm_ops::{Decoder, Literal, Opcode};

use super::cursor::is_between;
use crate::reuse::{self, ThreadReuse};

/// Offset of the text of each memo index. A fetch reads the text again. Few texts are fetched, but those often: dict keys.
pub(super) struct Memo<'de> {
    input: &'de [u8],
    /// Offset of the text's op, or [`NO_TEXT`].
    places: Vec<u32>,
    /// Cache of fetched texts, with their offsets. Empty before the first.
    fetched: Vec<(u32, Option<&'de str>)>,
    /// Bytes of text that may still be fetched.
    shared: u64,
}

/// Marks a value that is not text.
const NO_TEXT: u32 = u32::MAX;

const SHORT_BINUNICODE: u8 = Opcode::ShortBinUnicode.byte();
const BINUNICODE: u8 = Opcode::BinUnicode.byte();
const BINUNICODE8: u8 = Opcode::BinUnicode8.byte();

/// Whether an op leaves no value on the stack, or one that is in the memo already.
#[inline(always)]
fn makes_nothing_new(byte: u8) -> bool {
    const MARK: u8 = Opcode::Mark.byte();
    const BINGET: u8 = Opcode::BinGet.byte();
    const LONG_BINGET: u8 = Opcode::LongBinGet.byte();
    is_between(byte) || matches!(byte, MARK | BINGET | LONG_BINGET)
}

/// Size of the cache of fetched texts: a power of two, larger than the number of fields of most records.
const FETCHED: usize = 32;

/// Maximum capacity that the thread keeps for reuse: 2 MiB.
const REUSE_CAPACITY: usize = 1 << 19;

thread_local! {
    /// [`Memo::places`].
    static REUSED: ThreadReuse<Vec<u32>> = const { ThreadReuse::new() };
}

/// Frees the memory that the thread keeps for reuse.
pub(crate) fn trim() {
    reuse::trim(&REUSED);
}

impl<'de> Memo<'de> {
    pub(super) fn new(input: &'de [u8], shared: u64) -> Self {
        Memo { input, places: reuse::take(&REUSED), fetched: Vec::new(), shared }
    }

    /// Returns the index that MEMOIZE uses.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Stores the value of the op at `place`. Returns `None` if it made none, or if `number` is not the next index.
    #[inline(always)]
    pub(super) fn put(&mut self, number: usize, place: usize) -> Option<()> {
        if number != self.places.len() {
            return None;
        }
        match *self.input.get(place)? {
            SHORT_BINUNICODE | BINUNICODE | BINUNICODE8 => self.push_text(place),
            byte if makes_nothing_new(byte) => return None,
            _ => self.push_other(),
        }
        Some(())
    }

    /// Stores the text of the op at `place` under the next index, for MEMOIZE.
    #[inline(always)]
    pub(super) fn push_text(&mut self, place: usize) {
        // The pickle is shorter than 2^31 bytes.
        self.places.push(place as u32);
    }

    /// Stores a value that is not text under the next index, for MEMOIZE.
    #[inline(always)]
    pub(super) fn push_other(&mut self) {
        self.places.push(NO_TEXT);
    }

    /// Returns the text of an index, if it is text and within the budget.
    #[inline(always)]
    pub(super) fn text(&mut self, number: usize) -> Option<&'de str> {
        let place = *self.places.get(number)?;
        let text = match self.fetched.get(number % FETCHED) {
            Some((known, text)) if *known == place => (*text)?,
            _ => self.fetch(number, place)?,
        };
        self.shared = self.shared.checked_sub(text.len() as u64)?;
        Some(text)
    }

    /// Returns how many bytes of text may still be fetched.
    pub(super) fn shared_left(&self) -> u64 {
        self.shared
    }

    /// Whether the value of an index is not text.
    pub(super) fn is_not_text(&self, number: usize) -> bool {
        self.places.get(number) == Some(&NO_TEXT)
    }

    /// Reads the text at a place, and keeps it in the cache.
    #[inline(never)]
    fn fetch(&mut self, number: usize, place: u32) -> Option<&'de str> {
        self.fetched.resize(FETCHED, (NO_TEXT, None));
        let text = self.read(place);
        self.fetched[number % FETCHED] = (place, text);
        text
    }

    fn read(&self, place: u32) -> Option<&'de str> {
        match Decoder::new(self.input.get(place as usize..)?).next_op().ok()?.literal()? {
            Literal::Text(text) => text.as_str(),
            _ => None,
        }
    }
}

impl Drop for Memo<'_> {
    fn drop(&mut self) {
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        places.shrink_to(REUSE_CAPACITY);
        reuse::keep(&REUSED, places);
    }
}
