//! Cursor over the ops of plain data, which handles the memo and frames.
//!
//! The requested type usually determines the next op. The methods look for that one first, in the bytes of the current frame,
//! and read the MEMOIZE that follows; [`Cursor::token`] reads any op.

use picklevm_ops::internal::ShortInt;
use picklevm_ops::{Decoder, Literal, Op, Opcode};

use super::failure::Result;
use super::fields::KnownFields;
use super::memo::Memo;
use super::place::Open;
use super::run::At;
use super::stack::atom_len;
use super::starts::Starts;
use super::switch::{LEVELS, Loader, State};
use crate::convert::key_hash;

/// A value of one op, or the start of one of several.
#[derive(Clone, Copy)]
pub(super) enum Token<'de> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer that `i64` cannot hold.
    Unsigned(u64),
    Float(f64),
    Text(&'de str),
    Bytes(&'de [u8]),
    /// A value from the memo that is not text.
    Known,
    EmptyTuple,
    /// The start of a list: batches of items follow.
    List,
    /// The start of a dict.
    Dict,
    /// Anything else, including a broken pickle.
    NotPlain,
}

impl<'de> Token<'de> {
    /// Returns the token of a literal. The formats of protocol 0, bytearrays and 8-bit strings are not plain.
    fn of_literal(literal: Literal<'de>) -> Self {
        match literal {
            Literal::None => Token::None,
            Literal::Bool(value) => Token::Bool(value),
            Literal::Int(value) => Token::Int(value),
            Literal::IntBytes(_) => match literal.as_i128().map(|value| (i64::try_from(value), u64::try_from(value))) {
                Some((Ok(value), _)) => Token::Int(value),
                Some((_, Ok(value))) => Token::Unsigned(value),
                _ => Token::NotPlain,
            },
            Literal::Float(value) => Token::Float(value),
            Literal::Text(text) => text.as_str().map_or(Token::NotPlain, Token::Text),
            Literal::Bytes(bytes) => Token::Bytes(bytes),
            _ => Token::NotPlain,
        }
    }
}

/// Reader of the ops of a pickle.
pub(super) struct Cursor<'g, 'de> {
    pub(super) decoder: Decoder<'de>,
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
        let mut decoder = Decoder::new(loader.input);
        // With them, `pass` need not be called.
        decoder.next_op_if(Opcode::Proto);
        decoder.next_frame();
        Cursor {
            decoder,
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
        self.decoder.next_bytes().map_or(NO_OPCODE, |&[byte]| byte)
    }

    /// Returns the next byte, of this frame or after it.
    pub(super) fn byte(&self) -> u8 {
        self.decoder.data().get(self.decoder.offset()).copied().unwrap_or(NO_OPCODE)
    }

    /// Skips the ops between values. A PUT stores the value of the op before them.
    #[inline(never)]
    fn pass(&mut self) -> u8 {
        let made = self.decoder.op_offset();
        loop {
            let byte = self.byte();
            if !is_between(byte) {
                return byte;
            }
            let op = match byte {
                MEMOIZE => self.decoder.next_op_if(Opcode::Memoize),
                BINPUT => self.decoder.next_op_if(Opcode::BinPut),
                LONG_BINPUT => self.decoder.next_op_if(Opcode::LongBinPut),
                PROTO => self.decoder.next_op_if(Opcode::Proto),
                _ if self.decoder.next_frame() => continue,
                _ => None,
            };
            let passed = match op.or_else(|| self.op_at_border()) {
                Some(Op::Memoize) => self.memo.put(self.memo.len(), made),
                Some(Op::BinPut(number)) => self.memo.put(number.into(), made),
                Some(Op::LongBinPut(number)) => self.memo.put(number as usize, made),
                Some(_) => Some(()),
                None => None,
            };
            if passed.is_none() {
                self.switch(self.decoder.op_offset());
                return NO_OPCODE;
            }
        }
    }

    /// Reads an op between values that starts or follows a frame.
    #[cold]
    #[inline(never)]
    fn op_at_border(&mut self) -> Option<Op<'de>> {
        self.decoder.next_op().ok()
    }

    /// Reads the next op if it has this opcode, which takes no operand.
    #[inline(always)]
    pub(super) fn take(&mut self, opcode: Opcode) -> bool {
        let byte = self.here();
        if byte == opcode.byte() {
            self.decoder.skip_op(1);
            return true;
        }
        (is_between(byte) || byte == NO_OPCODE) && self.take_apart(opcode)
    }

    /// Reads the next op after others between values, or after the end of a frame.
    #[inline(never)]
    fn take_apart(&mut self, opcode: Opcode) -> bool {
        let byte = self.pass();
        byte == opcode.byte() && self.decoder.next_op().is_ok() || byte == NO_OPCODE && self.take_in_graph(opcode)
    }

    /// Reads the start of a list or dict. Returns whether a MARK was read too, with which a batch of items begins.
    #[inline(always)]
    pub(super) fn take_empty(&mut self, opcode: Opcode) -> Option<bool> {
        if let Some(&[first, MEMOIZE, MARK]) = self.decoder.next_bytes()
            && first == opcode.byte()
            && self.memo.push_other()
        {
            self.decoder.skip_op(2);
            self.decoder.skip_op(1);
            return Some(true);
        }
        self.take(opcode).then_some(false)
    }

    /// Reads an op that makes a value which is not text, and its MEMOIZE.
    #[inline(always)]
    pub(super) fn take_made(&mut self, opcode: Opcode) -> bool {
        if let Some(&[first, MEMOIZE]) = self.decoder.next_bytes()
            && first == opcode.byte()
            && self.memo.push_other()
        {
            self.decoder.skip_op(2);
            return true;
        }
        self.take(opcode)
    }

    /// Reads a boolean.
    #[inline(always)]
    pub(super) fn bool(&mut self) -> Option<bool> {
        let byte = self.here();
        if matches!(byte, NEWTRUE | NEWFALSE) {
            self.decoder.skip_op(1);
            return Some(byte == NEWTRUE);
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
        let int = ShortInt::first_of(self.decoder.next_bytes::<INT_LEN>()?)?;
        self.decoder.skip_op(int.op_len());
        Some(int.value())
    }

    /// Reads a number as a float.
    #[inline(always)]
    pub(super) fn float(&mut self) -> Option<f64> {
        if let Some(&[BINFLOAT, ref value @ ..]) = self.decoder.next_bytes::<FLOAT_LEN>() {
            self.decoder.skip_op(FLOAT_LEN);
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
        match *self.decoder.rest() {
            [BINGET, number, ..] => {
                self.decoder.skip_op(2);
                Some(number.into())
            }
            [LONG_BINGET, a, b, c, d, ..] => {
                self.decoder.skip_op(5);
                Some(u32::from_le_bytes([a, b, c, d]))
            }
            _ => None,
        }
    }

    /// Returns the operand of the BINGET that comes next in this frame, without reading it.
    #[inline(always)]
    pub(super) fn binget(&self) -> Option<u8> {
        let &[opcode, number] = self.decoder.next_bytes()?;
        (opcode == BINGET).then_some(number)
    }

    /// Skips ops of the frame that were seen, `len` bytes, none of which makes text.
    #[inline(always)]
    pub(super) fn skip(&mut self, len: usize) {
        self.decoder.skip_op(len);
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
        bytes_of_short_text(self.decoder.rest())
    }

    /// Returns the offset of the next op.
    #[inline(always)]
    pub(super) fn offset(&self) -> usize {
        self.decoder.offset()
    }

    /// Replaces offsets of short texts, from a number of hashes on, by the hashes of the texts.
    #[inline(never)]
    pub(super) fn hash_texts(&mut self, from: usize) {
        let data = self.decoder.data();
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
        let before = self.decoder;
        let hash = hash_of(self.token());
        let end = if hash.is_some() { self.offset() } else { self.token_at };
        // A failing op has not been passed.
        self.decoder = before;
        (hash, end)
    }

    /// Skips ops between values, and returns the offset of the value that follows.
    pub(super) fn value_at(&mut self) -> usize {
        self.next();
        self.token_at = self.decoder.offset();
        self.token_at
    }

    /// Reads any op.
    #[inline(never)]
    pub(super) fn token(&mut self) -> Token<'de> {
        self.value_at();
        let Ok(op) = self.decoder.next_op() else { return Token::NotPlain };
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

    /// Reads a container that starts at an offset, one level deeper.
    // The result stays where it is: moving one of a large type would cost as much as reading it.
    #[inline(always)]
    pub(super) fn inside<T>(&mut self, start: u32, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth = self.depth.saturating_sub(1);
        self.starts[self.depth % LEVELS] = start;
        let result = read(self);
        if result.is_err() {
            self.abandon(self.loader.depth.min(LEVELS) - self.depth - 1);
        }
        self.depth += 1;
        result
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
        self.ahead.is_compound(self.decoder)
    }

    /// Whether the value that comes next is taken by APPEND, or as a key by SETITEM.
    pub(super) fn is_single(&mut self) -> bool {
        if self.ahead.is_plain(self.offset()) {
            return false;
        }
        self.value_at();
        self.ahead.is_single(self.decoder)
    }

    /// Returns the rest of the frame, to look ahead.
    #[inline]
    pub(super) fn rest(&self) -> &'de [u8] {
        self.decoder.rest()
    }
}

/// Returns the hash of a key, if it is one of one op.
fn hash_of(token: Token<'_>) -> Option<u64> {
    match token {
        Token::None => Some(key_hash::none()),
        Token::Bool(value) => Some(key_hash::int(value.into())),
        Token::Int(value) => Some(key_hash::int(value.into())),
        Token::Unsigned(value) => Some(key_hash::int(value.into())),
        Token::Float(value) => key_hash::float(value),
        Token::Text(text) => Some(key_hash::text(text.as_bytes())),
        Token::Bytes(bytes) => Some(key_hash::bytes(bytes)),
        Token::EmptyTuple => Some(key_hash::tuple(&[])),
        Token::Known | Token::List | Token::Dict | Token::NotPlain => None,
    }
}
