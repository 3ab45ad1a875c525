//! What stands for a value: a token in the scan, four bytes of it in the machine.

use picklevm::machine::Slot;

/// A value. Payloads are numbers of rows in tables, below [`NOT_KEPT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    Hole,
    None,
    Bool(bool),
    Int(i32),
    /// An integer of at most [`LONG_INT`] bytes that does not fit, or a float; where the op lies that pushes it.
    Number(u32),
    /// A longer integer: arithmetic on it may take unbounded time.
    LongInt,
    Text(u32),
    Bytes(u32),
    Tuple(u32),
    List(u32),
    Dict(u32),
    Set(u32),
    Global(u32),
    Object(u32),
    Persistent(u32),
    Buffer,
    /// Something that only some readers could make.
    Unknown,
}

/// Bytes of an integer from which it is a [`Token::LongInt`].
pub(crate) const LONG_INT: usize = 512;

/// The number of what was not kept, and the greatest payload.
pub(crate) const NOT_KEPT: u32 = PAYLOAD;

impl Token {
    /// Whether it is a number, a text or bytes, or `None`.
    #[inline]
    pub(crate) fn is_atom(self) -> bool {
        use Token::{Bool, Buffer, Bytes, Int, LongInt, None, Number, Text};
        matches!(self, None | Bool(_) | Int(_) | Number(_) | LongInt | Text(_) | Bytes(_) | Buffer)
    }

    /// Whether it is a tuple, list, dict or set that opcodes made.
    #[inline]
    pub(crate) fn is_container(self) -> bool {
        matches!(self, Token::Tuple(_) | Token::List(_) | Token::Dict(_) | Token::Set(_))
    }
}

/// A token on the machine's stack and in its memo, which has an entry for each string of a pickle: four bits say what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed(u32);

const PAYLOAD_BITS: u32 = 28;
const PAYLOAD: u32 = (1 << PAYLOAD_BITS) - 1;

impl Slot for Packed {
    const HOLE: Packed = Packed(0);

    #[inline]
    fn is_hole(&self) -> bool {
        *self == Packed::HOLE
    }
}

impl Packed {
    const fn new(tag: u32, payload: u32) -> Packed {
        Packed(tag << PAYLOAD_BITS | payload & PAYLOAD)
    }

    #[inline]
    pub(crate) fn unpack(self) -> Token {
        let payload = self.0 & PAYLOAD;
        match self.0 >> PAYLOAD_BITS {
            0 => match payload {
                0 => Token::Hole,
                1 => Token::None,
                2 | 3 => Token::Bool(payload == 3),
                4 => Token::LongInt,
                5 => Token::Buffer,
                _ => Token::Unknown,
            },
            1 => Token::Int((payload << INT_SHIFT) as i32 >> INT_SHIFT),
            2 => Token::Text(payload),
            3 => Token::Bytes(payload),
            4 => Token::Tuple(payload),
            5 => Token::List(payload),
            6 => Token::Dict(payload),
            7 => Token::Set(payload),
            8 => Token::Global(payload),
            9 => Token::Object(payload),
            10 => Token::Persistent(payload),
            _ => Token::Number(payload),
        }
    }
}

/// Bits of an integer that are none of the payload.
const INT_SHIFT: u32 = 32 - PAYLOAD_BITS;

/// Whether an integer fits in the payload.
pub(crate) fn is_small(value: i32) -> bool {
    value << INT_SHIFT >> INT_SHIFT == value
}

impl From<Token> for Packed {
    /// An integer that does not fit is a number that is not known.
    #[inline]
    fn from(token: Token) -> Packed {
        let (tag, payload) = match token {
            Token::Hole => (0, 0),
            Token::None => (0, 1),
            Token::Bool(value) => (0, 2 + u32::from(value)),
            Token::LongInt => (0, 4),
            Token::Buffer => (0, 5),
            Token::Unknown => (0, 6),
            Token::Int(value) if is_small(value) => (1, value as u32),
            Token::Int(_) => (11, NOT_KEPT),
            Token::Text(number) => (2, number),
            Token::Bytes(number) => (3, number),
            Token::Tuple(number) => (4, number),
            Token::List(number) => (5, number),
            Token::Dict(number) => (6, number),
            Token::Set(number) => (7, number),
            Token::Global(number) => (8, number),
            Token::Object(number) => (9, number),
            Token::Persistent(number) => (10, number),
            Token::Number(op) => (11, op),
        };
        Packed::new(tag, payload)
    }
}

#[cfg(test)]
mod tests {
    use super::{NOT_KEPT, Packed, Token};

    #[test]
    fn tokens_are_the_same_after_packing() {
        use Token::*;
        let simple = [Hole, None, Bool(false), Bool(true), LongInt, Buffer, Unknown];
        let ints = [0, -1, 1, (1 << 27) - 1, -(1 << 27)].map(Int);
        let rows = [Number, Text, Bytes, Tuple, List, Dict, Set, Global, Object, Persistent];
        let rows = rows.into_iter().flat_map(|row| [row(0), row(12_345), row(NOT_KEPT)]);
        for token in simple.into_iter().chain(ints).chain(rows) {
            assert_eq!(Packed::from(token).unpack(), token);
        }
        assert_eq!([1 << 27, i32::MIN].map(|int| Packed::from(Int(int)).unpack()), [Number(NOT_KEPT); 2]);
    }
}
