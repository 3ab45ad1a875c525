//! Cursor over the ops of plain data, which handles the memo and frames.
//!
//! The requested type usually determines the next op. The methods look for that one first, in the bytes of the current frame,
//! and read the MEMOIZE that follows; [`Cursor::token`] reads any op.

use picklevm_ops::internal::ShortInt;
use picklevm_ops::{Decoder, Literal, Op, Opcode};

use super::NotPlain;
use super::fields::KnownFields;
use super::memo::Memo;
use super::padded;
use super::run::At;
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
pub(super) struct Cursor<'de> {
    decoder: Decoder<'de>,
    memo: Memo<'de>,
    /// Number of further nested containers allowed.
    depth: usize,
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
const MARK: u8 = Opcode::Mark.byte();
const MEMOIZE: u8 = Opcode::Memoize.byte();
const BINPUT: u8 = Opcode::BinPut.byte();
const LONG_BINPUT: u8 = Opcode::LongBinPut.byte();
const PROTO: u8 = Opcode::Proto.byte();
const FRAME: u8 = Opcode::Frame.byte();
const BINGET: u8 = Opcode::BinGet.byte();
const LONG_BINGET: u8 = Opcode::LongBinGet.byte();
const SHORT_BINUNICODE: u8 = Opcode::ShortBinUnicode.byte();
const BINUNICODE: u8 = Opcode::BinUnicode.byte();

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

impl<'de> Cursor<'de> {
    /// Returns a cursor at the start. At most `shared` bytes of text are fetched from the memo.
    pub(super) fn new(input: &'de [u8], depth: usize, shared: u64) -> Self {
        let mut decoder = Decoder::new(input);
        // With them, `pass` need not be called.
        decoder.next_op_if(Opcode::Proto);
        decoder.next_frame();
        Cursor {
            decoder,
            memo: Memo::new(input, shared),
            depth,
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
    fn here(&self) -> u8 {
        self.decoder.next_bytes().map_or(NO_OPCODE, |&[byte]| byte)
    }

    /// Returns the next byte, of this frame or after it.
    fn byte(&self) -> u8 {
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
                // Stops reading.
                self.decoder = Decoder::new(&[]);
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
        self.pass() == opcode.byte() && self.decoder.next_op().is_ok()
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

    /// Reads a boolean.
    #[inline(always)]
    pub(super) fn bool(&mut self) -> Result<bool, NotPlain> {
        let byte = self.here();
        if matches!(byte, NEWTRUE | NEWFALSE) {
            self.decoder.skip_op(1);
            return Ok(byte == NEWTRUE);
        }
        self.bool_apart()
    }

    #[inline(never)]
    fn bool_apart(&mut self) -> Result<bool, NotPlain> {
        match self.token() {
            Token::Bool(value) => Ok(value),
            _ => Err(NotPlain),
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
    pub(super) fn float(&mut self) -> Result<f64, NotPlain> {
        if let Some(&[BINFLOAT, ref value @ ..]) = self.decoder.next_bytes::<FLOAT_LEN>() {
            self.decoder.skip_op(FLOAT_LEN);
            return Ok(f64::from_be_bytes(*value));
        }
        self.float_apart()
    }

    #[inline(never)]
    fn float_apart(&mut self) -> Result<f64, NotPlain> {
        match self.token() {
            Token::Float(value) => Ok(value),
            Token::Int(value) => Ok(value as f64),
            Token::Unsigned(value) => Ok(value as f64),
            _ => Err(NotPlain),
        }
    }

    /// Reads text.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Result<&'de str, NotPlain> {
        match self.short_text() {
            Some(text) => text,
            None => self.text_apart(),
        }
    }

    #[inline(never)]
    fn text_apart(&mut self) -> Result<&'de str, NotPlain> {
        self.next();
        self.text_here()
    }

    /// Reads SHORT_BINUNICODE and MEMOIZE, if they come next in this frame.
    #[inline(always)]
    pub(super) fn short_text(&mut self) -> Option<Result<&'de str, NotPlain>> {
        let [SHORT_BINUNICODE, len, rest @ ..] = self.decoder.rest() else { return None };
        let (text, [MEMOIZE, ..]) = rest.split_at_checked(usize::from(*len))? else { return None };
        if !self.memo.push_text(self.decoder.offset()) {
            return None;
        }
        // As one op: a PUT after it stores the text once more.
        self.decoder.skip_op(2 + text.len() + 1);
        Some(std::str::from_utf8(text).map_err(|_| NotPlain))
    }

    /// Reads SHORT_BINUNICODE of at most 32 bytes and MEMOIZE, if they come next in this frame, into a string.
    #[inline(always)]
    pub(super) fn short_string(&mut self) -> Option<String> {
        let [SHORT_BINUNICODE, len, bytes @ ..] = self.decoder.next_bytes::<{ 2 + padded::LEN + 1 }>()? else {
            return None;
        };
        let len = usize::from(*len);
        if bytes.get(len) != Some(&MEMOIZE) {
            return None;
        }
        let string = padded::string(bytes.first_chunk()?, len)?;
        if !self.memo.push_text(self.decoder.offset()) {
            return None;
        }
        self.decoder.skip_op(2 + len + 1);
        Some(string)
    }

    /// Reads text after a call of [`next`](Cursor::next).
    #[inline(always)]
    fn text_here(&mut self) -> Result<&'de str, NotPlain> {
        match self.get_here() {
            Some(number) => self.memo.text(number as usize).ok_or(NotPlain),
            None => self.new_text(),
        }
    }

    /// Reads text that does not come from the memo.
    fn new_text(&mut self) -> Result<&'de str, NotPlain> {
        let op = match self.here() {
            BINUNICODE => self.decoder.next_op_if(Opcode::BinUnicode),
            _ => None,
        };
        match op {
            Some(Op::BinUnicode(text)) => text.as_str().ok_or(NotPlain),
            _ => match self.token() {
                Token::Text(text) => Ok(text),
                _ => Err(NotPlain),
            },
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

    /// Returns what comes next without reading it.
    pub(super) fn peek(&mut self) -> Token<'de> {
        self.next();
        let before = self.decoder;
        let token = self.token();
        self.decoder = before;
        token
    }

    /// Reads the key of a row after a call of [`next`](Cursor::next): text, or another key of one op.
    #[inline(always)]
    pub(super) fn key_here(&mut self) -> Result<Option<&'de str>, NotPlain> {
        match self.byte() {
            BINGET | LONG_BINGET => self.text_here().map(Some),
            _ => self.new_key(),
        }
    }

    #[inline(never)]
    fn new_key(&mut self) -> Result<Option<&'de str>, NotPlain> {
        match self.token() {
            Token::Text(text) => Ok(Some(text)),
            Token::None | Token::Bool(_) | Token::Int(_) | Token::Unsigned(_) | Token::Float(_) => Ok(None),
            Token::Bytes(_) | Token::EmptyTuple => Ok(None),
            Token::Known | Token::List | Token::Dict | Token::NotPlain => Err(NotPlain),
        }
    }

    /// Reads any op.
    #[inline(never)]
    pub(super) fn token(&mut self) -> Token<'de> {
        self.next();
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

    /// Reads a container, one level deeper.
    #[inline(always)]
    pub(super) fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, NotPlain>) -> Result<T, NotPlain> {
        self.depth = self.depth.checked_sub(1).ok_or(NotPlain)?;
        let value = read(self)?;
        self.depth += 1;
        Ok(value)
    }

    /// Returns the rest of the frame, to look ahead.
    #[inline]
    pub(super) fn rest(&self) -> &'de [u8] {
        self.decoder.rest()
    }

    /// Returns a copy of the decoder, to look ahead.
    pub(super) fn ahead(&self) -> Decoder<'de> {
        self.decoder
    }
}
