//! What one op makes: a value, or the start of one.

use picklevm_ops::Literal;

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
    pub(super) fn of_literal(literal: Literal<'de>) -> Self {
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

    /// Returns the hash of a key, if it is one of one op.
    pub(super) fn hash(self) -> Option<u64> {
        match self {
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
}
