//! Where reading is: the ops of plain data one by one, with the memo and the frames out of the way.
//!
//! What is asked for says which op comes as a rule. That one is tried first, where it is asked for; [`Cursor::token`]
//! reads whatever comes.

use picklevm_ops::{Decoder, Op, Opcode};

use super::Beyond;
use super::memo::Memo;

/// A value of one op, or the beginning of one of several.
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
    /// A value from the memo that is no text.
    Known,
    EmptyTuple,
    /// A list begins: batches of items follow.
    List,
    /// A dict begins.
    Dict,
    /// Anything else, a broken pickle among it.
    Beyond,
}

/// Reads the ops of a pickle.
pub(super) struct Cursor<'de> {
    decoder: Decoder<'de>,
    memo: Memo<'de>,
    /// How many more containers may lie inside each other.
    depth: usize,
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

/// Not the byte of any opcode.
const NOTHING: u8 = 0;

/// Whether an op is between values, and neither makes nor takes any.
#[inline(always)]
pub(super) fn is_between(byte: u8) -> bool {
    matches!(byte, MEMOIZE | BINPUT | LONG_BINPUT | PROTO | FRAME)
}

impl<'de> Cursor<'de> {
    /// A cursor at the beginning. At most `shared` bytes of text are fetched from the memo.
    pub(super) fn new(input: &'de [u8], depth: usize, shared: u64) -> Self {
        Cursor { decoder: Decoder::new(input), memo: Memo::new(input, shared), depth }
    }

    /// The opcode of the next op that is not between values, or [`NOTHING`].
    #[inline(always)]
    pub(super) fn next(&mut self) -> u8 {
        let byte = self.byte();
        if is_between(byte) { self.pass() } else { byte }
    }

    #[inline(always)]
    fn byte(&self) -> u8 {
        self.decoder.data().get(self.decoder.offset()).copied().unwrap_or(NOTHING)
    }

    /// Passes the ops between values. A PUT stores what the op before them made.
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
                // Nothing more is read.
                self.decoder = Decoder::new(&[]);
                return NOTHING;
            }
        }
    }

    /// Reads an op between values that begins or follows a frame.
    #[cold]
    #[inline(never)]
    fn op_at_border(&mut self) -> Option<Op<'de>> {
        self.decoder.next_op().ok()
    }

    /// Reads the next op if it is this one, which has no operand.
    #[inline(always)]
    pub(super) fn take(&mut self, opcode: Opcode) -> bool {
        self.next() == opcode.byte() && (self.decoder.next_op_if(opcode).is_some() || self.take_at_border())
    }

    /// Reads an op behind the end of a frame.
    #[cold]
    #[inline(never)]
    fn take_at_border(&mut self) -> bool {
        self.decoder.next_op().is_ok()
    }

    /// Reads a boolean.
    #[inline(always)]
    pub(super) fn bool(&mut self) -> Result<bool, Beyond> {
        let is_true = self.take(Opcode::NewTrue);
        if is_true || self.take(Opcode::NewFalse) { Ok(is_true) } else { Err(Beyond) }
    }

    /// Reads an integer if it takes at most seven bytes, as nearly all do.
    #[inline(always)]
    pub(super) fn short_int(&mut self) -> Option<i64> {
        self.next();
        self.decoder.next_short_int().map(|int| int.value())
    }

    /// Reads a number as a float.
    #[inline(always)]
    pub(super) fn float(&mut self) -> Result<f64, Beyond> {
        self.next();
        match self.decoder.next_op_if(Opcode::BinFloat) {
            Some(Op::BinFloat(value)) => Ok(value),
            _ => match self.token() {
                Token::Float(value) => Ok(value),
                Token::Int(value) => Ok(value as f64),
                Token::Unsigned(value) => Ok(value as f64),
                _ => Err(Beyond),
            },
        }
    }

    /// Reads a text.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Result<&'de str, Beyond> {
        self.next();
        self.text_here()
    }

    /// Reads a text where [`next`](Cursor::next) has been.
    #[inline(always)]
    fn text_here(&mut self) -> Result<&'de str, Beyond> {
        let op = match self.byte() {
            BINGET => self.decoder.next_op_if(Opcode::BinGet),
            LONG_BINGET => self.decoder.next_op_if(Opcode::LongBinGet),
            _ => None,
        };
        match op {
            Some(Op::BinGet(number)) => self.memo.text(number.into()).ok_or(Beyond),
            Some(Op::LongBinGet(number)) => self.memo.text(number as usize).ok_or(Beyond),
            _ => self.new_text(),
        }
    }

    /// Reads a text that is likely not to come from the memo.
    #[inline(never)]
    fn new_text(&mut self) -> Result<&'de str, Beyond> {
        let op = match self.byte() {
            SHORT_BINUNICODE => self.decoder.next_op_if(Opcode::ShortBinUnicode),
            BINUNICODE => self.decoder.next_op_if(Opcode::BinUnicode),
            _ => None,
        };
        match op {
            Some(Op::ShortBinUnicode(text) | Op::BinUnicode(text)) => text.as_str().ok_or(Beyond),
            _ => match self.token() {
                Token::Text(text) => Ok(text),
                _ => Err(Beyond),
            },
        }
    }

    /// Reads the key of a row where [`next`](Cursor::next) has been: a text, or anything else that can be a key of one op.
    #[inline(always)]
    pub(super) fn key_here(&mut self) -> Result<Option<&'de str>, Beyond> {
        match self.byte() {
            BINGET | LONG_BINGET => self.text_here().map(Some),
            _ => self.new_key(),
        }
    }

    #[inline(never)]
    fn new_key(&mut self) -> Result<Option<&'de str>, Beyond> {
        match self.token() {
            Token::Text(text) => Ok(Some(text)),
            Token::None | Token::Bool(_) | Token::Int(_) | Token::Unsigned(_) | Token::Float(_) => Ok(None),
            Token::Bytes(_) | Token::EmptyTuple => Ok(None),
            Token::Known | Token::List | Token::Dict | Token::Beyond => Err(Beyond),
        }
    }

    /// Reads whatever comes next.
    #[inline(never)]
    pub(super) fn token(&mut self) -> Token<'de> {
        self.next();
        let Ok(op) = self.decoder.next_op() else { return Token::Beyond };
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
                text.as_str().map_or(Token::Beyond, Token::Text)
            }
            Op::ShortBinBytes(bytes) | Op::BinBytes(bytes) | Op::BinBytes8(bytes) => Token::Bytes(bytes),
            Op::BinGet(number) => self.known(number.into()),
            Op::LongBinGet(number) => self.known(number as usize),
            Op::EmptyTuple => Token::EmptyTuple,
            Op::EmptyList => Token::List,
            Op::EmptyDict => Token::Dict,
            _ => Token::Beyond,
        }
    }

    fn known(&mut self, number: usize) -> Token<'de> {
        match self.memo.text(number) {
            Some(text) => Token::Text(text),
            None if self.memo.is_no_text(number) => Token::Known,
            None => Token::Beyond,
        }
    }

    /// Reads a container, which counts for the depth.
    #[inline(always)]
    pub(super) fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Beyond>) -> Result<T, Beyond> {
        self.depth = self.depth.checked_sub(1).ok_or(Beyond)?;
        let value = read(self)?;
        self.depth += 1;
        Ok(value)
    }

    /// The decoder, for a look ahead.
    pub(super) fn ahead(&self) -> Decoder<'de> {
        self.decoder
    }
}

/// An integer of 64 bits at the most, from the bytes of a LONG1.
fn long(bytes: &[u8]) -> Token<'_> {
    let sign = bytes.last().map_or(0, |last| if *last < 0x80 { 0 } else { 0xff });
    let mut wide = [sign; 16];
    let Some(low) = wide.get_mut(..bytes.len()) else { return Token::Beyond };
    low.copy_from_slice(bytes);
    let value = i128::from_le_bytes(wide);
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => Token::Int(value),
        (_, Ok(value)) => Token::Unsigned(value),
        _ => Token::Beyond,
    }
}
