//! The memo of plain data, of which only texts are ever fetched.

use std::cell::Cell;

use picklevm_ops::{Decoder, Op, Opcode};

use super::cursor::is_between;

/// For each number the place of its text in the input, where it is read again when it is fetched. Few are, but those often:
/// the keys of rows.
pub(super) struct Memo<'de> {
    input: &'de [u8],
    /// Where the op of the text begins, or [`NO_TEXT`].
    places: Vec<u32>,
    /// Texts that were fetched last, by their places.
    fetched: [(u32, Option<&'de str>); FETCHED],
    /// Bytes of text that may still be fetched.
    shared: u64,
}

/// A value that is no text.
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

/// How many texts are kept at hand: a power of two, more than most records have fields.
const FETCHED: usize = 32;

/// How many numbers the thread keeps room for, 2 MiB at the most.
const KEPT: usize = 1 << 19;

thread_local! {
    /// The room of the last memo.
    static ROOM: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}

/// Gives the room that the thread keeps back to the allocator.
pub(crate) fn trim() {
    let _ = ROOM.try_with(Cell::take);
}

impl<'de> Memo<'de> {
    pub(super) fn new(input: &'de [u8], shared: u64) -> Self {
        let places = ROOM.try_with(Cell::take).unwrap_or_default();
        Memo { input, places, fetched: [(NO_TEXT, None); FETCHED], shared }
    }

    /// The number that MEMOIZE takes.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Stores what the op at this place made, if it made anything; picklers use up the numbers one by one.
    #[inline(always)]
    pub(super) fn put(&mut self, number: usize, place: usize) -> Option<()> {
        let place = match *self.input.get(place)? {
            SHORT_BINUNICODE | BINUNICODE | BINUNICODE8 => u32::try_from(place).ok()?,
            byte if makes_nothing_new(byte) => return None,
            _ => NO_TEXT,
        };
        if number != self.places.len() || number >= NO_TEXT as usize {
            return None;
        }
        self.places.push(place);
        Some(())
    }

    /// The text of a number, if it is one and may be fetched once more.
    #[inline(always)]
    pub(super) fn text(&mut self, number: usize) -> Option<&'de str> {
        let place = *self.places.get(number)?;
        let slot = number % FETCHED;
        if self.fetched[slot].0 != place {
            self.fetched[slot] = (place, self.read(place));
        }
        let text = self.fetched[slot].1?;
        self.shared = self.shared.checked_sub(text.len() as u64)?;
        Some(text)
    }

    /// Whether the value of a number is no text.
    pub(super) fn is_no_text(&self, number: usize) -> bool {
        self.places.get(number) == Some(&NO_TEXT)
    }

    #[inline(never)]
    fn read(&self, place: u32) -> Option<&'de str> {
        match Decoder::new(self.input.get(place as usize..)?).next_op().ok()? {
            Op::ShortBinUnicode(text) | Op::BinUnicode(text) | Op::BinUnicode8(text) => text.as_str(),
            _ => None,
        }
    }
}

impl Drop for Memo<'_> {
    fn drop(&mut self) {
        let mut room = std::mem::take(&mut self.places);
        room.clear();
        room.shrink_to(KEPT);
        let _ = ROOM.try_with(|kept| kept.set(room));
    }
}
