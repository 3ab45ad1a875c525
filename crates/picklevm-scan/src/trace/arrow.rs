//! Arrays of pyarrow: whether their buffers hold what is said of them, because Arrow reads them without a check.

use super::Tracer;
use crate::nature::Nature;
use crate::token::Token;
use crate::verdict::Rule;

/// How the buffers of an array of pyarrow are laid out.
enum Layout {
    /// Validity, and as many bits for each item.
    Bits(u64),
    /// Validity, offsets of as many bytes, and the bytes that they lead to.
    Text(u64),
    /// Validity, and offsets of as many bytes into a child.
    List(u64),
    /// Validity, and children.
    Parts,
    /// A type that is not known.
    Unknown,
}

impl Tracer<'_> {
    /// `(type, length, nulls, offset, buffers, children, dictionary)`, in a tuple; children are of the same form.
    pub(super) fn check_arrow(&mut self, args: &[Token]) {
        const NESTED: usize = 10_000;
        let mut arrays: Vec<Token> = args.to_vec();
        let mut seen = 0;
        while let Some(array) = arrays.pop() {
            seen += 1;
            let Some(&[kind, len, _, offset, buffers, children, dictionary]) =
                self.values.items_of(array).filter(|_| seen < NESTED)
            else {
                return self.suspect(Rule::Use, "makes an array of pyarrow of something that is none");
            };
            let fits = match (len, offset) {
                (Token::Int(len), Token::Int(offset)) => {
                    let end = u64::try_from(len).ok().zip(u64::try_from(offset).ok()).map(|(len, offset)| len + offset);
                    let buffers = self.contents(buffers).unwrap_or_default();
                    // Arrays may share one buffer, whose offsets are read for each of them.
                    let held: usize =
                        buffers.iter().map(|buffer| self.arrow_buffer(*buffer).map_or(0, <[u8]>::len)).sum();
                    if !self.spend(held as u64) {
                        return;
                    }
                    end.is_some_and(|end| self.arrow_buffers_hold(kind, end, &buffers))
                }
                _ => false,
            };
            if !fits && !self.needs_all {
                self.suspect(Rule::Use, "makes an array of pyarrow that is longer than its buffers");
            }
            arrays.extend(self.contents(children).unwrap_or_default());
            if dictionary != Token::None {
                // The dictionary of a dictionary array is an array, or described as one.
                match dictionary {
                    Token::Tuple(_) => arrays.push(dictionary),
                    _ if self.values.nature_of(dictionary).is_within(Nature::INERT) => {}
                    _ => self.suspect(Rule::Use, "makes an array of pyarrow with a dictionary that cannot be known"),
                }
            }
        }
    }

    /// Whether buffers hold so many items of a type.
    fn arrow_buffers_hold(&self, kind: Token, end: u64, buffers: &[Token]) -> bool {
        let len = |i: usize| match buffers.get(i) {
            Some(&buffer) => self.arrow_buffer(buffer).map_or(0, <[u8]>::len) as u64,
            None => 0,
        };
        let has_validity = match buffers.first() {
            None | Some(Token::None) => true,
            Some(_) => len(0) >= end.div_ceil(8),
        };
        let offset_at = |width: u64, i: u64| {
            let at = usize::try_from(i * width).ok()?;
            let bytes = self.arrow_buffer(*buffers.get(1)?)?.get(at..)?;
            match width {
                4 => bytes.first_chunk().map(|bytes| i64::from(i32::from_le_bytes(*bytes))),
                _ => bytes.first_chunk().map(|bytes| i64::from_le_bytes(*bytes)),
            }
        };
        let offsets_fit = |width: u64| {
            // An empty array may have no offsets.
            let mut last = 0;
            let mut all = (0..=end).map(|i| offset_at(width, i));
            end == 0 || all.all(|offset| offset.is_some_and(|offset| std::mem::replace(&mut last, offset) <= offset))
        };
        let last = |width| if end == 0 { Some(0) } else { offset_at(width, end) };
        let fits = match self.arrow_layout(kind, 0) {
            Layout::Bits(bits) => end.checked_mul(bits).is_some_and(|bits| len(1) >= bits.div_ceil(8)),
            Layout::Text(width) => {
                offsets_fit(width)
                    && last(width).and_then(|last| u64::try_from(last).ok()).is_some_and(|last| last <= len(2))
            }
            Layout::List(width) => offsets_fit(width),
            Layout::Parts => true,
            Layout::Unknown => false,
        };
        has_validity && fits
    }

    /// The bytes of `py_buffer(bytes)`, or of a `bytearray` in it.
    fn arrow_buffer(&self, buffer: Token) -> Option<&[u8]> {
        let mut inner = buffer;
        for _ in 0..2 {
            if let Some(object) = self.values.object_of(inner) {
                inner = *self.values.items_of(object.args)?.first()?;
            }
        }
        self.values.bytes_of(inner)
    }

    fn arrow_layout(&self, kind: Token, depth: usize) -> Layout {
        let Some(object) = self.values.object_of(kind) else { return Layout::Unknown };
        let name = self.name_of(object.class);
        let first = self.values.items_of(object.args).and_then(|args| args.first()).copied();
        let alias = match name.as_str() {
            "pyarrow.lib.type_for_alias" => {
                first.and_then(|alias| self.values.text_of(alias)).map(std::borrow::Cow::into_owned)
            }
            name => name.strip_prefix("pyarrow.lib.").map(str::to_owned),
        };
        let Some(alias) = alias else { return Layout::Unknown };
        match alias.split('[').next().unwrap_or_default() {
            "null" => Layout::Parts,
            "bool" | "boolean" | "bool_" => Layout::Bits(1),
            "i1" | "int8" | "u1" | "uint8" => Layout::Bits(8),
            "i2" | "int16" | "u2" | "uint16" | "f2" | "halffloat" | "float16" | "half_float" => Layout::Bits(16),
            "i4" | "int32" | "u4" | "uint32" | "f4" | "float" | "float32" | "date32" | "time32" | "month_interval" => {
                Layout::Bits(32)
            }
            "i8" | "int64" | "u8" | "uint64" | "f8" | "double" | "float64" | "date64" | "time64" | "timestamp"
            | "duration" => Layout::Bits(64),
            "decimal128" | "month_day_nano_interval" => Layout::Bits(128),
            "decimal256" => Layout::Bits(256),
            "binary" if matches!(first, Some(Token::Int(1..))) => match first {
                Some(Token::Int(width)) => Layout::Bits(8 * u64::from(width.unsigned_abs())),
                _ => Layout::Unknown,
            },
            "string" | "str" | "utf8" | "binary" => Layout::Text(4),
            "list_" if self.values.items_of(object.args).is_some_and(|args| args.len() > 1) => Layout::Parts,
            "large_string" | "large_str" | "large_utf8" | "large_binary" => Layout::Text(8),
            "list_" | "map_" => Layout::List(4),
            "large_list" => Layout::List(8),
            "struct" => Layout::Parts,
            "dictionary" if depth == 0 => {
                let index = self.values.items_of(object.args).and_then(|args| args.first());
                index.map_or(Layout::Unknown, |index| self.arrow_layout(*index, depth + 1))
            }
            _ => Layout::Unknown,
        }
    }
}
