//! Cursor over the ops of plain data, which handles the memo and frames.
//!
//! The requested type usually determines the next op. The methods try that one first; [`Cursor::token`] reads any op.

use picklevm_ops::{Decoder, Op, Opcode};

use super::NotPlain;
use super::fields::KnownFields;
use super::memo::Memo;

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

/// Reader of the ops of a pickle.
pub(super) struct Cursor<'de> {
    decoder: Decoder<'de>,
    memo: Memo<'de>,
    /// Number of further nested containers allowed.
    depth: usize,
    pub(super) fields: KnownFields,
    /// Hashes of the keys of open maps.
    pub(super) hashes: Vec<u64>,
}

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

impl<'de> Cursor<'de> {
    /// Returns a cursor at the start. At most `shared` bytes of text are fetched from the memo.
    pub(super) fn new(input: &'de [u8], depth: usize, shared: u64) -> Self {
        Cursor {
            decoder: Decoder::new(input),
            memo: Memo::new(input, shared),
            depth,
            fields: KnownFields::new(),
            hashes: Vec::new(),
        }
    }

    /// Returns the opcode of the next op that is not between values, or [`NO_OPCODE`].
    #[inline(always)]
    pub(super) fn next(&mut self) -> u8 {
        let byte = self.byte();
        if is_between(byte) { self.pass() } else { byte }
    }

    #[inline(always)]
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
        self.next() == opcode.byte() && (self.decoder.next_op_if(opcode).is_some() || self.take_at_border())
    }

    /// Reads an op after the end of a frame.
    #[cold]
    #[inline(never)]
    fn take_at_border(&mut self) -> bool {
        self.decoder.next_op().is_ok()
    }

    /// Reads a boolean.
    #[inline(always)]
    pub(super) fn bool(&mut self) -> Result<bool, NotPlain> {
        let is_true = self.take(Opcode::NewTrue);
        if is_true || self.take(Opcode::NewFalse) { Ok(is_true) } else { Err(NotPlain) }
    }

    /// Reads an integer of at most seven bytes, as nearly all are.
    #[inline(always)]
    pub(super) fn short_int(&mut self) -> Option<i64> {
        self.next();
        self.decoder.next_short_int().map(|int| int.value())
    }

    /// Reads a number as a float.
    #[inline(always)]
    pub(super) fn float(&mut self) -> Result<f64, NotPlain> {
        self.next();
        match self.decoder.next_op_if(Opcode::BinFloat) {
            Some(Op::BinFloat(value)) => Ok(value),
            _ => match self.token() {
                Token::Float(value) => Ok(value),
                Token::Int(value) => Ok(value as f64),
                Token::Unsigned(value) => Ok(value as f64),
                _ => Err(NotPlain),
            },
        }
    }

    /// Reads text.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Result<&'de str, NotPlain> {
        self.next();
        self.text_here()
    }

    /// Reads text after a call of [`next`](Cursor::next).
    #[inline(always)]
    fn text_here(&mut self) -> Result<&'de str, NotPlain> {
        match self.get_here() {
            Some(number) => self.memo.text(number as usize).ok_or(NotPlain),
            None => self.new_text(),
        }
    }

    /// Reads text that probably does not come from the memo.
    #[inline(never)]
    fn new_text(&mut self) -> Result<&'de str, NotPlain> {
        let op = match self.byte() {
            SHORT_BINUNICODE => self.decoder.next_op_if(Opcode::ShortBinUnicode),
            BINUNICODE => self.decoder.next_op_if(Opcode::BinUnicode),
            _ => None,
        };
        match op {
            Some(Op::ShortBinUnicode(text) | Op::BinUnicode(text)) => text.as_str().ok_or(NotPlain),
            _ => match self.token() {
                Token::Text(text) => Ok(text),
                _ => Err(NotPlain),
            },
        }
    }

    /// Reads an op that fetches from the memo, after a call of [`next`](Cursor::next).
    #[inline(always)]
    pub(super) fn get_here(&mut self) -> Option<u32> {
        let op = match self.byte() {
            BINGET => self.decoder.next_op_if(Opcode::BinGet),
            LONG_BINGET => self.decoder.next_op_if(Opcode::LongBinGet),
            _ => None,
        };
        match op {
            Some(Op::BinGet(number)) => Some(number.into()),
            Some(Op::LongBinGet(number)) => Some(number),
            _ => None,
        }
    }

    /// Returns the text of a memo index.
    pub(super) fn memoized_text(&mut self, number: u32) -> Option<&'de str> {
        self.memo.text(number as usize)
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
            Op::None => Token::None,
            Op::NewTrue => Token::Bool(true),
            Op::NewFalse => Token::Bool(false),
            Op::BinInt1(value) => Token::Int(value.into()),
            Op::BinInt2(value) => Token::Int(value.into()),
            Op::BinInt(value) => Token::Int(value.into()),
            Op::Long1(bytes) => long(bytes),
            Op::BinFloat(value) => Token::Float(value),
            Op::ShortBinUnicode(text) | Op::BinUnicode(text) | Op::BinUnicode8(text) => {
                text.as_str().map_or(Token::NotPlain, Token::Text)
            }
            Op::ShortBinBytes(bytes) | Op::BinBytes(bytes) | Op::BinBytes8(bytes) => Token::Bytes(bytes),
            Op::BinGet(number) => self.known(number.into()),
            Op::LongBinGet(number) => self.known(number as usize),
            Op::EmptyTuple => Token::EmptyTuple,
            Op::EmptyList => Token::List,
            Op::EmptyDict => Token::Dict,
            _ => Token::NotPlain,
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

    /// Returns a copy of the decoder, to look ahead.
    pub(super) fn ahead(&self) -> Decoder<'de> {
        self.decoder
    }
}

/// Returns an integer of at most 64 bits from the bytes of a LONG1.
fn long(bytes: &[u8]) -> Token<'_> {
    let sign = bytes.last().map_or(0, |last| if *last < 0x80 { 0 } else { 0xff });
    let mut wide = [sign; 16];
    let Some(low) = wide.get_mut(..bytes.len()) else { return Token::NotPlain };
    low.copy_from_slice(bytes);
    let value = i128::from_le_bytes(wide);
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => Token::Int(value),
        (_, Ok(value)) => Token::Unsigned(value),
        _ => Token::NotPlain,
    }
}
