//! The ops of plain data, with the memo and the frames out of the way.

use picklevm_ops::{Decoder, Op, Opcode, Text, Visitor};
use smallvec::SmallVec;

use super::Beyond;

/// A value that an op made, or an op that made none.
#[derive(Clone, Copy)]
pub(super) enum Token<'de> {
    None,
    Bool(bool),
    Int(i64),
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
    /// An op that makes no value but what has begun before: a mark, the end of items or rows, STOP.
    Op(Opcode),
    /// Anything else, a broken pickle among it.
    Beyond,
}

/// Reads tokens from a pickle.
pub(super) struct Tokens<'de> {
    decoder: Decoder<'de>,
    memo: Memo<'de>,
    /// How many more containers may lie inside each other.
    pub(super) depth: usize,
}

impl<'de> Tokens<'de> {
    /// A reader before the first token. At most `shared` bytes of text are fetched from the memo.
    pub(super) fn new(input: &'de [u8], depth: usize, shared: u64) -> Self {
        Tokens { decoder: Decoder::new(input), memo: Memo::new(shared), depth }
    }

    /// Reads the next token.
    #[inline]
    pub(super) fn advance(&mut self) {
        self.memo.next = VALUE;
        self.read();
    }

    /// Reads the next two tokens if the first can be a key, which becomes the [`key`](Tokens::key); else one.
    #[inline]
    pub(super) fn advance_row(&mut self) {
        self.memo.next = KEY;
        self.read();
    }

    #[inline(never)]
    fn read(&mut self) {
        loop {
            match self.decoder.visit_op(&mut self.memo) {
                Ok(Step::Between) => {}
                Ok(Step::Atom) if self.memo.next == KEY => self.memo.next = VALUE,
                Ok(Step::Atom | Step::Other) => return,
                Err(_) => {
                    self.memo.beyond();
                    return;
                }
            }
        }
    }

    /// The token that was read last.
    #[inline]
    pub(super) fn token(&self) -> &Token<'de> {
        self.memo.last()
    }

    /// The key of the row that was read last.
    #[inline]
    pub(super) fn key(&self) -> &Token<'de> {
        &self.memo.tokens[KEY]
    }

    /// Whether the token that was read last is this op.
    #[inline]
    pub(super) fn is(&self, opcode: Opcode) -> bool {
        matches!(self.token(), Token::Op(op) if *op == opcode)
    }

    /// Passes a mark if one comes next.
    #[inline(never)]
    pub(super) fn pass_mark(&mut self) -> Result<bool, Beyond> {
        self.memo.next = VALUE;
        loop {
            let byte = self.decoder.data().get(self.decoder.offset()).copied();
            if !matches!(byte, Some(MARK | MEMOIZE | BINPUT | LONG_BINPUT | FRAME)) {
                return Ok(false);
            }
            match self.decoder.visit_op(&mut self.memo) {
                Ok(Step::Between) => {}
                _ if self.is(Opcode::Mark) => return Ok(true),
                _ => return Err(Beyond),
            }
        }
    }

    /// Whether what comes next is so many values and then this opcode, which takes them: an item without a mark. If that
    /// does not show soon, it is taken for granted.
    #[inline(never)]
    pub(super) fn come_before(&self, values: usize, end: Opcode) -> bool {
        let mut ahead = self.decoder;
        let mut height = 0usize;
        let mut marks: SmallVec<[usize; 8]> = SmallVec::new();
        for _ in 0..FORESIGHT {
            let opcode = match ahead.next_op() {
                Ok(op) => op.opcode(),
                Err(_) => return false,
            };
            if opcode == end && height == values && marks.is_empty() {
                return true;
            }
            let after = match opcode {
                _ if is_between(opcode) => Some(height),
                _ if makes_a_value(opcode) => Some(height + 1),
                Opcode::Mark => {
                    marks.push(height);
                    Some(height)
                }
                Opcode::Appends | Opcode::SetItems => marks.pop(),
                Opcode::Tuple => marks.pop().map(|mark| mark + 1),
                Opcode::Append | Opcode::Tuple2 => height.checked_sub(1),
                Opcode::SetItem | Opcode::Tuple3 => height.checked_sub(2),
                Opcode::Tuple1 => Some(height),
                _ => None,
            };
            match after {
                Some(after) if after > 0 || is_between(opcode) => height = after,
                // Something took what lies below.
                _ => return false,
            }
        }
        true
    }
}

const MARK: u8 = Opcode::Mark.byte();
const MEMOIZE: u8 = Opcode::Memoize.byte();
const BINPUT: u8 = Opcode::BinPut.byte();
const LONG_BINPUT: u8 = Opcode::LongBinPut.byte();
const FRAME: u8 = Opcode::Frame.byte();

/// Ops that are looked at ahead.
const FORESIGHT: usize = 32;

/// Whether an opcode is between values, and neither makes nor takes any.
fn is_between(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Memoize | Opcode::BinPut | Opcode::LongBinPut | Opcode::Proto | Opcode::Frame)
}

/// Whether an opcode makes a value of nothing but its operand.
fn makes_a_value(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::None
            | Opcode::NewTrue
            | Opcode::NewFalse
            | Opcode::BinInt1
            | Opcode::BinInt2
            | Opcode::BinInt
            | Opcode::Long1
            | Opcode::BinFloat
            | Opcode::ShortBinUnicode
            | Opcode::BinUnicode
            | Opcode::BinUnicode8
            | Opcode::ShortBinBytes
            | Opcode::BinBytes
            | Opcode::BinBytes8
            | Opcode::EmptyTuple
            | Opcode::EmptyList
            | Opcode::EmptyDict
            | Opcode::BinGet
            | Opcode::LongBinGet
    )
}

/// What an op was.
enum Step {
    /// A value that holds no others, and can be a key.
    Atom,
    /// Another token.
    Other,
    /// Something between tokens.
    Between,
}

/// The memo, of which only texts are ever fetched.
struct Memo<'de> {
    /// For each number, which of the texts it stands for, or [`NO_TEXT`].
    numbers: Vec<u32>,
    texts: Vec<&'de str>,
    /// The last key and the last other token, each written where it stays: a copy of what was just written in parts
    /// would wait for it.
    tokens: [Token<'de>; 2],
    /// Which of them is written next, and which was written last. That is what a PUT stores.
    next: usize,
    last: usize,
    /// Bytes of text that may still be fetched.
    shared: u64,
}

const KEY: usize = 0;
const VALUE: usize = 1;

/// A value in the memo that is no text.
const NO_TEXT: u32 = u32::MAX;

impl<'de> Memo<'de> {
    fn new(shared: u64) -> Self {
        let tokens = [Token::Beyond; 2];
        Memo { numbers: Vec::new(), texts: Vec::new(), tokens, next: VALUE, last: VALUE, shared }
    }

    #[inline(always)]
    fn last(&self) -> &Token<'de> {
        &self.tokens[self.last & 1]
    }

    /// Stores the last value; picklers use up the numbers one by one.
    #[inline(always)]
    fn put(&mut self, number: usize) -> Step {
        let entry = match *self.last() {
            Token::Text(text) => {
                self.texts.push(text);
                self.texts.len() as u32 - 1
            }
            _ => NO_TEXT,
        };
        if number != self.numbers.len() || number >= NO_TEXT as usize || matches!(self.last(), Token::Op(Opcode::Mark))
        {
            return self.beyond();
        }
        self.numbers.push(entry);
        Step::Between
    }

    #[inline(always)]
    fn get(&mut self, number: usize) -> Step {
        let Some(entry) = self.numbers.get(number) else { return self.beyond() };
        let Some(text) = self.texts.get(*entry as usize) else { return self.other(Token::Known) };
        let Some(left) = self.shared.checked_sub(text.len() as u64) else { return self.beyond() };
        self.shared = left;
        self.atom(Token::Text(text))
    }

    #[inline(always)]
    fn text(&mut self, text: Text<'de>) -> Step {
        match text.as_str() {
            Some(text) => self.atom(Token::Text(text)),
            None => self.beyond(),
        }
    }

    /// An integer of 64 bits at the most.
    fn long(&mut self, bytes: &[u8]) -> Step {
        let mut wide = [bytes.last().map_or(0, |last| if *last < 0x80 { 0 } else { 0xff }); 8];
        match wide.get_mut(..bytes.len()) {
            Some(low) => {
                low.copy_from_slice(bytes);
                self.atom(Token::Int(i64::from_le_bytes(wide)))
            }
            None => self.beyond(),
        }
    }

    #[inline(always)]
    fn atom(&mut self, token: Token<'de>) -> Step {
        self.tokens[self.next & 1] = token;
        self.last = self.next;
        Step::Atom
    }

    #[inline(always)]
    fn other(&mut self, token: Token<'de>) -> Step {
        self.tokens[self.next & 1] = token;
        self.last = self.next;
        Step::Other
    }

    #[cold]
    fn beyond(&mut self) -> Step {
        self.other(Token::Beyond)
    }
}

impl<'de> Visitor<'de> for Memo<'de> {
    type Output = Step;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit<const BYTE: u8>(&mut self, _offset: u64, op: Op<'de>) -> Step {
        match op {
            Op::Memoize => self.put(self.numbers.len()),
            Op::BinPut(number) => self.put(number.into()),
            Op::LongBinPut(number) => self.put(number as usize),
            Op::BinGet(number) => self.get(number.into()),
            Op::LongBinGet(number) => self.get(number as usize),
            Op::Proto(_) | Op::Frame(_) => Step::Between,
            Op::None => self.atom(Token::None),
            Op::NewTrue => self.atom(Token::Bool(true)),
            Op::NewFalse => self.atom(Token::Bool(false)),
            Op::BinInt1(value) => self.atom(Token::Int(value.into())),
            Op::BinInt2(value) => self.atom(Token::Int(value.into())),
            Op::BinInt(value) => self.atom(Token::Int(value.into())),
            Op::Long1(bytes) => self.long(bytes),
            Op::BinFloat(value) => self.atom(Token::Float(value)),
            Op::ShortBinUnicode(text) | Op::BinUnicode(text) | Op::BinUnicode8(text) => self.text(text),
            Op::ShortBinBytes(bytes) | Op::BinBytes(bytes) | Op::BinBytes8(bytes) => self.atom(Token::Bytes(bytes)),
            Op::EmptyTuple => self.atom(Token::EmptyTuple),
            Op::EmptyList => self.other(Token::List),
            Op::EmptyDict => self.other(Token::Dict),
            Op::Mark | Op::Stop => self.other(Token::Op(op.opcode())),
            Op::Append | Op::Appends | Op::SetItem | Op::SetItems => self.other(Token::Op(op.opcode())),
            Op::Tuple | Op::Tuple1 | Op::Tuple2 | Op::Tuple3 => self.other(Token::Op(op.opcode())),
            _ => self.beyond(),
        }
    }
}
