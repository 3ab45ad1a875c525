//! Reading text, and telling it from the names of a class, and a tuple from its first item.

use picklevm_ops::Opcode;

use super::cursor::{BINGET, BINPUT, BINUNICODE, Cursor, LONG_BINGET, MARK, MEMOIZE, SHORT_BINUNICODE, is_between};
use super::lookahead::by_opcode;
use super::padded;
use super::token::Token;

impl<'de> Cursor<'_, 'de> {
    /// Reads text. `None` for anything else, and for the names of a class.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Option<&'de str> {
        match self.short_text() {
            Some(text) => Some(text),
            None => self.text_apart(),
        }
    }

    #[inline(never)]
    pub(super) fn text_apart(&mut self) -> Option<&'de str> {
        self.value_at();
        let text = match self.get_here() {
            Some(number) => self.memo.text(number as usize)?,
            None => self.new_text()?,
        };
        (!self.is_name()).then_some(text)
    }

    /// Reads text that does not come from the memo.
    fn new_text(&mut self) -> Option<&'de str> {
        if let [BINUNICODE, a, b, c, d, rest @ ..] = self.rest()
            && let Some((text, rest)) = rest.split_at_checked(u32::from_le_bytes([*a, *b, *c, *d]) as usize)
            && let Ok(text) = std::str::from_utf8(text)
        {
            self.ops.go_on(rest);
            return Some(text);
        }
        match self.token() {
            Token::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Reads SHORT_BINUNICODE and MEMOIZE, if they come next in this frame.
    #[inline(always)]
    pub(super) fn short_text(&mut self) -> Option<&'de str> {
        self.short_text_like("")
    }

    /// The same for text that is expected: if it is that, UTF-8 is not checked.
    #[inline(always)]
    pub(super) fn short_text_like(&mut self, expected: &'static str) -> Option<&'de str> {
        let [SHORT_BINUNICODE, len, rest @ ..] = self.rest() else { return None };
        let (text, [MEMOIZE, after @ ..]) = rest.split_at_checked(usize::from(*len))? else { return None };
        if may_end_name(after) {
            return None;
        }
        let text = if text == expected.as_bytes() { expected } else { std::str::from_utf8(text).ok()? };
        self.memo.push_text(self.offset());
        // As one op: a PUT after it stores the text once more.
        self.ops.go_on(after);
        Some(text)
    }

    /// Reads SHORT_BINUNICODE of at most 32 bytes and MEMOIZE, if they come next in this frame, into a string.
    #[inline(always)]
    pub(super) fn short_string(&mut self) -> Option<String> {
        let [SHORT_BINUNICODE, len, bytes @ ..] = self.rest().first_chunk::<{ 2 + padded::LEN + 4 }>()? else {
            return None;
        };
        let len = usize::from(*len);
        // The key that follows in most rows does not make the name of a class of it.
        let is_text = match *bytes.get(len..)?.first_chunk()? {
            [MEMOIZE, BINGET, _, next] => next != STACK_GLOBAL,
            [MEMOIZE, ..] => !may_end_name(self.rest().get(2 + len + 1..)?),
            _ => false,
        };
        if !is_text {
            return None;
        }
        let string = padded::string(bytes.first_chunk()?, len)?;
        self.memo.push_text(self.offset());
        self.ops.skip(2 + len + 1);
        Some(string)
    }

    /// Whether the text that was just read names a module, or identifies a persistent object: what follows makes that of it.
    pub(super) fn is_name(&self) -> bool {
        let mut rest = self.rest();
        if let [BINPUT, _, after @ ..] | [MEMOIZE, after @ ..] = rest {
            rest = after;
        }
        may_end_name(rest) && self.is_name_apart()
    }

    #[cold]
    #[inline(never)]
    fn is_name_apart(&self) -> bool {
        let mut decoder = self.ops.decoder();
        let mut next = || loop {
            let opcode = decoder.next_op().ok()?.opcode();
            if !is_between(opcode.byte()) {
                return Some(opcode);
            }
        };
        match next() {
            Some(Opcode::BinPersId) => true,
            Some(text) if is_text(text.byte()) => next() == Some(Opcode::StackGlobal),
            _ => false,
        }
    }

    /// Returns the opcode that ends the tuple of `len` items that comes next, with this first op. `None` if none does.
    #[inline(always)]
    pub(super) fn tuple_end(&mut self, first: u8, len: usize) -> Option<Opcode> {
        let without_mark = match len {
            1 => Some(Opcode::Tuple1),
            2 => Some(Opcode::Tuple2),
            3 => Some(Opcode::Tuple3),
            _ => None,
        };
        match first {
            // The mark may be that of its first item.
            MARK if without_mark.is_none() || !self.is_compound() => Some(Opcode::Tuple),
            MARK => without_mark,
            byte if is_text(byte) => without_mark.filter(|_| !self.is_class_here()),
            byte => without_mark.filter(|_| is_plain_start(byte)),
        }
    }

    /// Whether a text comes next that [names](Cursor::is_name) a module.
    fn is_class_here(&mut self) -> bool {
        let after = match self.rest() {
            [BINGET, _, after @ ..] => after,
            [SHORT_BINUNICODE, len, rest @ ..] => match rest.get(usize::from(*len)..) {
                Some([MEMOIZE, after @ ..]) => after,
                _ => &[],
            },
            _ => &[],
        };
        if !may_end_name(after) {
            return false;
        }
        let before = self.ops;
        let is_class = self.ops.next_op().is_err() || self.is_name();
        self.ops = before;
        is_class
    }
}

/// Whether an op that does not make text starts a value that is read without a graph.
fn is_plain_start(byte: u8) -> bool {
    const STARTS: [bool; 256] = {
        use Opcode::{
            BinBytes, BinBytes8, BinFloat, BinInt, BinInt1, BinInt2, EmptyDict, EmptyList, EmptyTuple, Long1,
        };
        use Opcode::{Long4, NewFalse, NewTrue, None, ShortBinBytes};
        by_opcode(
            &[(
                &[
                    BinInt1,
                    BinInt2,
                    BinInt,
                    BinFloat,
                    None,
                    NewTrue,
                    NewFalse,
                    Long1,
                    Long4,
                    BinBytes,
                    BinBytes8,
                    ShortBinBytes,
                    EmptyList,
                    EmptyDict,
                    EmptyTuple,
                ],
                true,
            )],
            false,
        )
    };
    STARTS[usize::from(byte)]
}

/// Whether an op makes text, or may fetch it.
fn is_text(byte: u8) -> bool {
    const BINUNICODE8: u8 = Opcode::BinUnicode8.byte();
    matches!(byte, SHORT_BINUNICODE | BINUNICODE | BINUNICODE8 | BINGET | LONG_BINGET)
}

const STACK_GLOBAL: u8 = Opcode::StackGlobal.byte();

/// Whether the ops after a text and its PUT may make something else of it: see [`Cursor::is_name`].
#[inline(always)]
fn may_end_name(after: &[u8]) -> bool {
    /// Makes text or fetches it, comes between values, or makes an object of an id.
    const NAMES: [bool; 256] = {
        use Opcode::{BinPersId, BinPut, BinUnicode, BinUnicode8, Frame, LongBinGet, LongBinPut, Memoize, Proto};
        by_opcode(
            &[(&[BinUnicode, BinUnicode8, LongBinGet, Memoize, BinPut, LongBinPut, Proto, Frame, BinPersId], true)],
            false,
        )
    };
    match *after {
        [BINGET, _, next, ..] => next == STACK_GLOBAL,
        [SHORT_BINUNICODE, len, ref rest @ ..] => {
            !matches!(rest.get(usize::from(len)..), Some([MEMOIZE, next, ..]) if *next != STACK_GLOBAL)
        }
        [byte, ..] => NAMES[usize::from(byte)] || byte == BINGET,
        [] => true,
    }
}
