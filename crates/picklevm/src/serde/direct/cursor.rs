//! Cursor over the ops of plain data, which handles the memo and frames.
//!
//! The requested type usually determines the next op. The methods look for that one first, in the bytes of the current frame,
//! and read the MEMOIZE that follows; [`Cursor::token`] reads any op.

use picklevm_ops::internal::ShortInt;
use picklevm_ops::{Op, Opcode};

use super::failure::Result;
use super::fields::KnownFields;
use super::memo::Memo;
use super::ops::Ops;
use super::place::Open;
use super::run::At;
use super::stack::atom_len;
use super::starts::Starts;
use super::switch::{LEVELS, Loader, State};
use super::token::Token;
use crate::convert::key_hash;

/// Reader of the ops of a pickle.
pub(super) struct Cursor<'g, 'de> {
    pub(super) ops: Ops<'de>,
    pub(super) memo: Memo<'de>,
    /// Number of further nested containers allowed.
    depth: usize,
    /// Starts of the open containers, outermost last, before which are as many as are allowed. Those of tuples without a
    /// mark are inverted.
    starts: [u32; LEVELS],
    /// Offset of the value that [`token`](Cursor::token) read last.
    token_at: usize,
    ahead: Starts,
    pub(super) loader: Loader<'g, 'de>,
    pub(super) state: State<'g, 'de>,
    pub(super) fields: KnownFields,
    /// Hashes of the keys of open maps.
    pub(super) hashes: Vec<u64>,
    /// The frame from the start of a run of numbers on, and the place in it: of the innermost list that is read so.
    pub(super) run: &'de [u8],
    pub(super) at: At,
    /// The number of items of a list that were seen ahead when it was started.
    pub(super) items: usize,
}

/// Length of BINFLOAT.
pub(super) const FLOAT_LEN: usize = 9;

/// Length of the longest integer that is read at once, and of the bytes that are read for a shorter one.
const INT_LEN: usize = 9;

const BINFLOAT: u8 = Opcode::BinFloat.byte();
const NEWTRUE: u8 = Opcode::NewTrue.byte();
const NEWFALSE: u8 = Opcode::NewFalse.byte();
pub(super) const MARK: u8 = Opcode::Mark.byte();
pub(super) const MEMOIZE: u8 = Opcode::Memoize.byte();
pub(super) const BINPUT: u8 = Opcode::BinPut.byte();
const LONG_BINPUT: u8 = Opcode::LongBinPut.byte();
const PROTO: u8 = Opcode::Proto.byte();
const FRAME: u8 = Opcode::Frame.byte();
pub(super) const BINGET: u8 = Opcode::BinGet.byte();
pub(super) const LONG_BINGET: u8 = Opcode::LongBinGet.byte();
pub(super) const SHORT_BINUNICODE: u8 = Opcode::ShortBinUnicode.byte();
pub(super) const BINUNICODE: u8 = Opcode::BinUnicode.byte();

const TUPLE: u8 = Opcode::Tuple.byte();
const TUPLE1: u8 = Opcode::Tuple1.byte();
const TUPLE3: u8 = Opcode::Tuple3.byte();

/// A byte that is not an opcode.
const NO_OPCODE: u8 = 0;

/// Whether an op is between values: it neither makes nor takes one.
#[inline(always)]
pub(super) fn is_between(byte: u8) -> bool {
    matches!(byte, MEMOIZE | BINPUT | LONG_BINPUT | PROTO | FRAME)
}

/// Returns the bytes of the SHORT_BINUNICODE at the beginning of some ops.
#[inline(always)]
fn bytes_of_short_text(ops: &[u8]) -> Option<&[u8]> {
    let [SHORT_BINUNICODE, len, rest @ ..] = ops else { return None };
    rest.get(..usize::from(*len))
}

impl<'g, 'de> Cursor<'g, 'de> {
    /// Returns a cursor at the start.
    #[inline(always)]
    pub(super) fn new(loader: Loader<'g, 'de>) -> Self {
        Cursor {
            ops: Ops::new(loader.input),
            memo: Memo::new(loader.input, loader.unpickler.options.limits.shared),
            depth: loader.depth.min(LEVELS),
            starts: [0; LEVELS],
            token_at: 0,
            ahead: Starts::default(),
            loader,
            state: State::Ops,
            fields: KnownFields::new(),
            hashes: Vec::new(),
            run: &[],
            at: At::START,
            items: 0,
        }
    }

    /// Returns the opcode of the next op that is not between values, or [`NO_OPCODE`].
    #[inline(always)]
    pub(super) fn next(&mut self) -> u8 {
        let byte = self.here();
        if is_between(byte) || byte == NO_OPCODE { self.pass() } else { byte }
    }

    /// Returns the next byte of the frame, or [`NO_OPCODE`] at its end.
    #[inline(always)]
    pub(super) fn here(&self) -> u8 {
        self.rest().first().copied().unwrap_or(NO_OPCODE)
    }

    /// Skips the ops between values. A PUT stores the value of the op before them.
    #[inline(never)]
    fn pass(&mut self) -> u8 {
        let made = self.ops.op_offset();
        loop {
            let number = match *self.rest() {
                [MEMOIZE, ref rest @ ..] => {
                    self.ops.go_on(rest);
                    Some(self.memo.len())
                }
                [BINPUT, number, ref rest @ ..] => {
                    self.ops.go_on(rest);
                    Some(number.into())
                }
                [LONG_BINPUT, a, b, c, d, ref rest @ ..] => {
                    self.ops.go_on(rest);
                    Some(u32::from_le_bytes([a, b, c, d]) as usize)
                }
                [byte, ..] if !is_between(byte) => return byte,
                _ => {
                    let byte = self.ops.byte().unwrap_or(NO_OPCODE);
                    if !is_between(byte) {
                        return byte;
                    }
                    if self.ops.next_frame() {
                        continue;
                    }
                    match self.ops.next_op() {
                        Ok(Op::Memoize) => Some(self.memo.len()),
                        Ok(Op::BinPut(number)) => Some(number.into()),
                        Ok(Op::LongBinPut(number)) => Some(number as usize),
                        Ok(_) => continue,
                        Err(_) => None,
                    }
                }
            };
            if number.and_then(|number| self.memo.put(number, made)).is_none() {
                self.switch(self.ops.op_offset());
                return NO_OPCODE;
            }
        }
    }

    /// Reads the next op if it has this opcode, which takes no operand.
    #[inline(always)]
    pub(super) fn take(&mut self, opcode: Opcode) -> bool {
        let byte = self.here();
        if byte == opcode.byte() {
            self.ops.skip(1);
            return true;
        }
        (is_between(byte) || byte == NO_OPCODE) && self.take_apart(opcode)
    }

    /// Reads the next op after others between values, or after the end of a frame.
    #[inline(never)]
    fn take_apart(&mut self, opcode: Opcode) -> bool {
        match self.pass() {
            NO_OPCODE => self.take_in_graph(opcode),
            byte if byte != opcode.byte() => false,
            _ if self.rest().is_empty() => self.ops.next_op().is_ok(),
            _ => {
                self.ops.skip(1);
                true
            }
        }
    }

    /// Reads the start of a list or dict. Returns whether a MARK was read too, with which a batch of items begins.
    #[inline(always)]
    pub(super) fn take_empty(&mut self, opcode: Opcode) -> Option<bool> {
        if let [first, MEMOIZE, mark @ ..] = self.rest()
            && let [MARK, rest @ ..] = mark
            && *first == opcode.byte()
        {
            self.memo.push_other();
            self.ops.go_on(mark);
            self.ops.go_on(rest);
            return Some(true);
        }
        self.take(opcode).then_some(false)
    }

    /// Reads an op that makes a value which is not text, and its MEMOIZE.
    #[inline(always)]
    pub(super) fn take_made(&mut self, opcode: Opcode) -> bool {
        if let [first, MEMOIZE, rest @ ..] = self.rest()
            && *first == opcode.byte()
        {
            self.memo.push_other();
            self.ops.go_on(rest);
            return true;
        }
        self.take(opcode)
    }

    /// Reads a boolean.
    #[inline(always)]
    pub(super) fn bool(&mut self) -> Option<bool> {
        if let [byte @ (NEWTRUE | NEWFALSE), rest @ ..] = self.rest() {
            self.ops.go_on(rest);
            return Some(*byte == NEWTRUE);
        }
        self.bool_apart()
    }

    #[inline(never)]
    fn bool_apart(&mut self) -> Option<bool> {
        match self.token() {
            Token::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Reads an integer of at most seven bytes, as nearly all are. `None` for any other, and before ops between values.
    #[inline(always)]
    pub(super) fn short_int(&mut self) -> Option<i64> {
        let rest = self.rest();
        let int = ShortInt::first_of(rest.first_chunk::<INT_LEN>()?)?;
        self.ops.go_on(rest.get(int.op_len()..)?);
        Some(int.value())
    }

    /// Reads a number as a float.
    #[inline(always)]
    pub(super) fn float(&mut self) -> Option<f64> {
        if let Some(([BINFLOAT, value @ ..], rest)) = self.rest().split_first_chunk::<FLOAT_LEN>() {
            self.ops.go_on(rest);
            return Some(f64::from_be_bytes(*value));
        }
        self.float_apart()
    }

    #[inline(never)]
    fn float_apart(&mut self) -> Option<f64> {
        match self.token() {
            Token::Float(value) => Some(value),
            Token::Int(value) => Some(value as f64),
            Token::Unsigned(value) => Some(value as f64),
            _ => None,
        }
    }

    /// Reads an op that fetches from the memo, after a call of [`next`](Cursor::next).
    #[inline(always)]
    pub(super) fn get_here(&mut self) -> Option<u32> {
        match *self.rest() {
            [BINGET, number, ref rest @ ..] => {
                self.ops.go_on(rest);
                Some(number.into())
            }
            [LONG_BINGET, a, b, c, d, ref rest @ ..] => {
                self.ops.go_on(rest);
                Some(u32::from_le_bytes([a, b, c, d]))
            }
            _ => None,
        }
    }

    /// Returns the operand of the BINGET that comes next in this frame, without reading it.
    #[inline(always)]
    pub(super) fn binget(&self) -> Option<u8> {
        match *self.rest() {
            [BINGET, number, ..] => Some(number),
            _ => None,
        }
    }

    /// Skips ops of the frame that were seen, `len` bytes, none of which makes text.
    #[inline(always)]
    pub(super) fn skip(&mut self, len: usize) {
        self.ops.skip(len);
    }

    /// Reads a number, None, a boolean or a short text, if one comes next in this frame. Returns whether it did.
    pub(super) fn skip_atom(&mut self) -> bool {
        match self.here() {
            SHORT_BINUNICODE => self.short_text().is_some(),
            BINGET => false,
            _ => match atom_len(self.rest()) {
                0 => false,
                len => {
                    self.skip(len);
                    true
                }
            },
        }
    }

    /// Returns the text of a memo index.
    pub(super) fn memoized_text(&mut self, number: u32) -> Option<&'de str> {
        self.memo.text(number as usize)
    }

    /// Returns the bytes of the SHORT_BINUNICODE that comes next in this frame, without reading it.
    #[inline(always)]
    pub(super) fn peek_short_text(&self) -> Option<&'de [u8]> {
        bytes_of_short_text(self.rest())
    }

    /// Returns the offset of the next op.
    #[inline(always)]
    pub(super) fn offset(&self) -> usize {
        self.ops.offset()
    }

    /// Replaces offsets of short texts, from a number of hashes on, by the hashes of the texts.
    #[inline(never)]
    pub(super) fn hash_texts(&mut self, from: usize) {
        let data = self.ops.data();
        for hash in self.hashes.iter_mut().skip(from) {
            let text = data.get(*hash as usize..).and_then(bytes_of_short_text);
            *hash = key_hash::text(text.unwrap_or_default());
        }
    }

    /// Removes the hashes of a dict, from a number of hashes on. Gives up if keys are equal: a dict has only one of them.
    #[inline(never)]
    pub(super) fn end_keys(&mut self, from: usize) -> Result<()> {
        if key_hash::are_equal(&mut self.hashes, from) { Err(self.give_up()) } else { Ok(()) }
    }

    /// Returns the hash of the key that comes next, and where its op ends. `None` if it is not one of one op, with its offset.
    #[inline(never)]
    pub(super) fn peek_key(&mut self) -> (Option<u64>, usize) {
        self.next();
        let before = self.ops;
        let hash = self.token().hash();
        let end = if hash.is_some() { self.offset() } else { self.token_at };
        // A failing op has not been passed.
        self.ops = before;
        (hash, end)
    }

    /// Skips ops between values, and returns the offset of the value that follows.
    pub(super) fn value_at(&mut self) -> usize {
        self.next();
        self.token_at = self.offset();
        self.token_at
    }

    /// Reads any op.
    #[inline(never)]
    pub(super) fn token(&mut self) -> Token<'de> {
        self.value_at();
        let Ok(op) = self.ops.next_op() else { return Token::NotPlain };
        match op {
            Op::BinGet(number) => self.known(number.into()),
            Op::LongBinGet(number) => self.known(number as usize),
            Op::EmptyTuple => Token::EmptyTuple,
            Op::EmptyList => Token::List,
            Op::EmptyDict => Token::Dict,
            op => op.literal().map_or(Token::NotPlain, Token::of_literal),
        }
    }

    fn known(&mut self, number: usize) -> Token<'de> {
        match self.memo.text(number) {
            Some(text) => Token::Text(text),
            None if self.memo.is_not_text(number) => Token::Known,
            None => Token::NotPlain,
        }
    }

    /// Whether a container may not be opened any more.
    #[inline(always)]
    pub(super) fn is_too_deep(&self) -> bool {
        self.depth == 0
    }

    /// Enters a container that starts at an offset.
    #[inline(always)]
    pub(super) fn enter(&mut self, start: u32) {
        self.depth = self.depth.saturating_sub(1);
        self.starts[self.depth % LEVELS] = start;
    }

    /// Leaves the innermost container, of which a type was made or not, after its end.
    #[inline(always)]
    pub(super) fn leave(&mut self, is_made: bool, end: Result<()>) -> Result<()> {
        if !is_made || end.is_err() {
            self.abandon(self.loader.depth.min(LEVELS) - self.depth - 1);
        }
        self.depth += 1;
        end
    }

    /// Returns the open containers, outermost first.
    pub(super) fn open(&self) -> Vec<Open> {
        let starts = self.starts.get(self.depth..self.loader.depth.min(LEVELS)).unwrap_or_default();
        let open = |start: &u32| match start >> 31 {
            0 => Open::At(*start as usize),
            _ => Open::Item(!start as usize),
        };
        starts.iter().rev().map(open).collect()
    }

    /// Returns the offset of the value that [`token`](Cursor::token) read last.
    pub(super) fn token_at(&self) -> usize {
        self.token_at
    }

    /// Whether no item of a tuple comes next, unless the op is the first after a frame.
    #[inline(always)]
    pub(super) fn may_end_tuple(&mut self) -> bool {
        let is_end = |byte| matches!(byte, TUPLE | TUPLE1..=TUPLE3 | NO_OPCODE);
        is_end(self.here()) && is_end(self.next())
    }

    /// Whether the value that comes next starts with a value that ops would give.
    #[inline]
    pub(super) fn is_compound(&mut self) -> bool {
        !self.ahead.is_plain(self.offset()) && self.is_compound_apart()
    }

    #[inline(never)]
    fn is_compound_apart(&mut self) -> bool {
        self.value_at();
        self.ahead.is_compound(self.ops.decoder())
    }

    /// Whether the value that comes next is taken by APPEND, or as a key by SETITEM.
    pub(super) fn is_single(&mut self) -> bool {
        if self.ahead.is_plain(self.offset()) {
            return false;
        }
        self.value_at();
        self.ahead.is_single(self.ops.decoder())
    }

    /// Returns the rest of the frame, to look ahead.
    #[inline]
    pub(super) fn rest(&self) -> &'de [u8] {
        self.ops.rest()
    }
}
