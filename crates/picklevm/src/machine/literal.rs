//! Values of literals.

use picklevm_ops::{Escaped, Literal, RawUnicode, Text};

use super::builder::Builder;
use crate::error::{Error, ErrorKind, Result};

/// Makes the value of a literal.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn make_literal<B: Builder>(builder: &mut B, literal: Literal<'_>) -> Result<B::Value> {
    match literal {
        Literal::None => Ok(builder.none()),
        Literal::Bool(value) => Ok(builder.bool(value)),
        Literal::Int(value) => builder.int(value),
        Literal::IntBytes(bytes) => builder.int_le(bytes),
        Literal::Number(number) => builder.number(number),
        Literal::Float(value) => builder.float(value),
        Literal::Text(text) => builder.text(text),
        Literal::RawUnicode(raw) => raw_unicode(builder, raw),
        Literal::Bytes(bytes) => builder.bytes(bytes),
        Literal::ByteArray(bytes) => builder.byte_array(bytes),
        Literal::ByteStr(bytes) => builder.byte_str(bytes),
        Literal::Escaped(escaped) => byte_str(builder, escaped),
    }
}

#[inline(never)]
fn raw_unicode<B: Builder>(builder: &mut B, raw: RawUnicode<'_>) -> Result<B::Value> {
    match Text::new(&raw.decode()) {
        Some(text) => builder.text(text),
        None => Err(Error::new(ErrorKind::Malformed, "text in raw-unicode-escape", "invalid text")),
    }
}

#[inline(never)]
fn byte_str<B: Builder>(builder: &mut B, escaped: Escaped<'_>) -> Result<B::Value> {
    builder.byte_str(&escaped.decode())
}
