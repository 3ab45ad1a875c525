//! Generates valid pickles from arbitrary bytes by tracking the stack.

use picklevm::ops::{Framing, Number, Op, Text, Writer};

/// Kinds of values on the stack.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text without surrogates, usable by STACK_GLOBAL.
    Text,
    /// Another hashable value.
    Key,
    /// A tuple, and whether it is hashable.
    Tuple(bool),
    List,
    Dict,
    Set,
    Global,
    Object,
    /// Another unhashable value.
    Other,
}

impl Kind {
    fn is_key(self) -> bool {
        matches!(self, Kind::Text | Kind::Key | Kind::Tuple(true) | Kind::Global | Kind::Object)
    }
}

/// A source of choices: the input bytes, then zeros.
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl<'a> Choices<'a> {
    /// Returns the next byte.
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end.max(1)
    }

    /// Returns whether all bytes are used.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns up to 39 bytes.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let len = self.below(40).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }
}

struct Generator<'a> {
    choices: Choices<'a>,
    writer: Writer,
    stack: Vec<Kind>,
    marks: Vec<usize>,
    memo: Vec<(u64, Kind)>,
    protocol: u8,
}

/// Generates a pickle that every unpickler can load.
pub(crate) fn pickle(bytes: &[u8]) -> Vec<u8> {
    let mut choices = Choices(bytes);
    let protocol = choices.byte() % 6;
    let mut generator =
        Generator { choices, writer: Writer::new(), stack: Vec::new(), marks: Vec::new(), memo: Vec::new(), protocol };
    if protocol >= 2 {
        generator.op(Op::Proto(protocol));
    }
    if protocol >= 4 && generator.choices.below(2) == 0 {
        generator.writer.start_framing(Framing::Python37).expect("writing to a vector");
    }
    while !generator.choices.is_empty() {
        generator.step();
    }
    while !generator.marks.is_empty() {
        generator.close();
    }
    if generator.stack.is_empty() {
        generator.op(Op::None);
    }
    generator.op(Op::Stop);
    generator.writer.end_framing().expect("writing to a vector");
    generator.writer.into_vec().expect("writing to a vector")
}

impl Generator<'_> {
    fn op(&mut self, op: Op<'_>) {
        self.writer.boundary().expect("writing to a vector");
        self.writer.op(op).expect("generated operands are valid");
    }

    fn push(&mut self, op: Op<'_>, kind: Kind) {
        self.op(op);
        self.stack.push(kind);
    }

    /// Returns up to three values from the top of the stack, above the last mark.
    fn top(&self) -> Vec<Kind> {
        let above = &self.stack[self.marks.last().copied().unwrap_or(0)..];
        above[above.len().saturating_sub(3)..].to_vec()
    }

    fn step(&mut self) {
        match self.choices.byte() % 16 {
            0..=3 => self.atom(),
            4 => self.container(),
            5 | 6 => {
                self.op(Op::Mark);
                self.marks.push(self.stack.len());
            }
            7..=9 => self.close(),
            10 | 11 => self.item(),
            12 => self.memo(),
            13 => self.call(),
            14 => self.global(),
            _ => self.shuffle(),
        }
    }

    fn atom(&mut self) {
        let bytes = self.choices.bytes();
        let text = String::from_utf8_lossy(bytes);
        let short = &bytes[..bytes.len().min(8)];
        let word = short.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        let digits = (word as i64).to_string();
        match (self.choices.byte() % 12, self.protocol) {
            (0, _) => self.push(Op::None, Kind::Key),
            (1, 2..) => self.push(if word.is_multiple_of(2) { Op::NewTrue } else { Op::NewFalse }, Kind::Key),
            (2, 1..) => self.push(Op::BinInt(word as i32), Kind::Key),
            (3, 2..) => self.push(Op::Long1(bytes), Kind::Key),
            (4, 1..) => self.push(Op::BinFloat(f64::from_bits(word)), Kind::Key),
            (5, 0) => self.push(Op::Float(f64::from(word as i16) / 8.0), Kind::Key),
            (6, 1..) => self.push(Op::BinUnicode(Text::from(&*text)), Kind::Text),
            (7, 4..) => self.push(Op::ShortBinUnicode(Text::from(&*text)), Kind::Text),
            (8, 3..) => self.push(Op::ShortBinBytes(bytes), Kind::Key),
            (9, 1..) => self.push(Op::ShortBinString(bytes), Kind::Key),
            (10, 5) => self.push(Op::ByteArray8(bytes), Kind::Other),
            (11, _) => self.push(Op::PersId("id"), Kind::Key),
            _ => match Number::int(digits.as_bytes()) {
                Some(number) => self.push(Op::Int(number), Kind::Key),
                None => self.push(Op::None, Kind::Key),
            },
        }
    }

    fn container(&mut self) {
        match (self.choices.byte() % 4, self.protocol) {
            (0, 1..) => self.push(Op::EmptyDict, Kind::Dict),
            (1, 4..) => self.push(Op::EmptySet, Kind::Set),
            (2, 1..) => self.push(Op::EmptyTuple, Kind::Tuple(true)),
            (_, 1..) => self.push(Op::EmptyList, Kind::List),
            _ => self.atom(),
        }
    }

    /// Consumes the last mark with an op that accepts the values above it.
    fn close(&mut self) {
        let Some(from) = self.marks.last().copied() else { return self.container() };
        let above = &self.stack[from..];
        let (all_keys, pairs) = (above.iter().all(|kind| kind.is_key()), above.len().is_multiple_of(2));
        let keys_and_values = pairs && above.iter().step_by(2).all(|kind| kind.is_key());
        let callable = above.first().is_some_and(|kind| matches!(kind, Kind::Global | Kind::Object));
        let outer = self.marks[..self.marks.len() - 1].last().copied().unwrap_or(0);
        let target = if from > outer { self.stack[from - 1] } else { Kind::Other };
        let made = match (self.choices.byte() % 8, target) {
            (0..=2, Kind::List | Kind::Object) if self.protocol >= 1 => (Op::Appends, None),
            (0..=2, Kind::Dict | Kind::Object) if self.protocol >= 1 && keys_and_values => (Op::SetItems, None),
            (0..=2, Kind::Set | Kind::Object) if self.protocol >= 4 && all_keys => (Op::AddItems, None),
            (0 | 3, _) if keys_and_values => (Op::Dict, Some(Kind::Dict)),
            (1 | 4, _) if all_keys && self.protocol >= 4 => (Op::FrozenSet, Some(Kind::Key)),
            (2 | 5, _) if callable && self.protocol >= 1 => (Op::Obj, Some(Kind::Object)),
            (6, _) => (Op::Inst(Text::from("module"), Text::from("Class")), Some(Kind::Object)),
            (7, _) if self.protocol >= 1 && self.choices.byte() < 32 => (Op::PopMark, None),
            (3 | 7, _) => (Op::List, Some(Kind::List)),
            _ => (Op::Tuple, Some(Kind::Tuple(all_keys))),
        };
        self.op(made.0);
        self.marks.pop();
        self.stack.truncate(from);
        self.stack.extend(made.1);
    }

    /// Adds one item to a container, or makes a short tuple.
    fn item(&mut self) {
        match self.top()[..] {
            [.., Kind::List | Kind::Object, _] if self.choices.below(2) == 0 => self.drop(1, Op::Append),
            [.., Kind::Dict | Kind::Object, key, _] if key.is_key() => self.drop(2, Op::SetItem),
            [.., a, b, c] if self.protocol >= 2 && self.choices.below(3) == 0 => {
                self.drop(3, Op::Tuple3);
                self.stack.push(Kind::Tuple(a.is_key() && b.is_key() && c.is_key()));
            }
            [.., a, b] if self.protocol >= 2 && self.choices.below(2) == 0 => {
                self.drop(2, Op::Tuple2);
                self.stack.push(Kind::Tuple(a.is_key() && b.is_key()));
            }
            [.., a] if self.protocol >= 2 => {
                self.drop(1, Op::Tuple1);
                self.stack.push(Kind::Tuple(a.is_key()));
            }
            _ => self.atom(),
        }
    }

    fn drop(&mut self, count: usize, op: Op<'_>) {
        self.op(op);
        self.stack.truncate(self.stack.len() - count);
    }

    fn memo(&mut self) {
        let top = self.top().last().copied();
        let index = match self.choices.byte() {
            odd @ 0..200 => u64::from(odd % 8),
            sparse => u64::from(sparse) << 20,
        };
        match (top, self.protocol) {
            (Some(kind), protocol) if self.choices.below(2) == 0 => {
                let count = self.memo.len() as u64;
                let (op, index) = match (protocol, u8::try_from(index)) {
                    (4.., _) => (Op::Memoize, count),
                    (1.., Ok(small)) => (Op::BinPut(small), index),
                    (1.., _) => (Op::LongBinPut(index as u32), index),
                    _ => (Op::Put(index), index),
                };
                self.op(op);
                self.memo.retain(|entry| entry.0 != index);
                self.memo.push((index, kind));
            }
            _ if self.memo.is_empty() => self.atom(),
            (_, protocol) => {
                let (index, kind) = self.memo[self.choices.below(self.memo.len())];
                match (protocol, u8::try_from(index)) {
                    (1.., Ok(small)) => self.push(Op::BinGet(small), kind),
                    (1.., _) => self.push(Op::LongBinGet(index as u32), kind),
                    _ => self.push(Op::Get(index), kind),
                }
            }
        }
    }

    fn global(&mut self) {
        match self.top()[..] {
            [.., Kind::Text, Kind::Text] if self.protocol >= 4 => {
                self.drop(2, Op::StackGlobal);
                self.stack.push(Kind::Global);
            }
            _ if self.protocol >= 2 && self.choices.below(4) == 0 => {
                let code = self.choices.byte().max(1);
                self.push(Op::Ext1(code), Kind::Global);
            }
            _ => {
                let name = ["Class", "f", "Outer.Inner", "λ"][self.choices.below(4)];
                self.push(Op::Global(Text::from("module"), Text::from(name)), Kind::Global);
            }
        }
    }

    fn call(&mut self) {
        match self.top()[..] {
            [.., Kind::Global | Kind::Object, Kind::Tuple(_), Kind::Dict] if self.protocol >= 4 => {
                self.drop(3, Op::NewObjEx);
                self.stack.push(Kind::Object);
            }
            [.., Kind::Global | Kind::Object, Kind::Tuple(_)] => {
                let new = self.protocol >= 2 && self.choices.below(2) == 0;
                self.drop(2, if new { Op::NewObj } else { Op::Reduce });
                self.stack.push(Kind::Object);
            }
            [.., Kind::Object, _] => self.drop(1, Op::Build),
            [.., kind] if self.protocol >= 1 && self.choices.below(4) == 0 && kind.is_key() => {
                self.drop(1, Op::BinPersId);
                self.stack.push(Kind::Key);
            }
            _ => self.global(),
        }
    }

    fn shuffle(&mut self) {
        match self.top()[..] {
            [.., kind] if self.choices.below(2) == 0 => self.push(Op::Dup, kind),
            [_, ..] => self.drop(1, Op::Pop),
            _ => self.atom(),
        }
    }
}
