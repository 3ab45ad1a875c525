//! The calls by which old protocols write plain data, turned back into data.

use std::sync::Arc;

use super::{Call, Callable, Class, Made, Resolver};
use crate::error::Result;
use crate::graph::{Cell, Id, Kind, Tag};

/// Turns the calls that pickles use for plain data into values: `set`, `frozenset`, `bytearray`, `bytes`, `complex`
/// and `_codecs.encode`. Everything else stays symbolic. The default of [`loads`](crate::loads).
///
/// Protocols without an opcode for a type write it as such a call: sets below 4, bytes below 3, bytearrays below 5,
/// complex numbers always. Calls with arguments that Python would refuse stay symbolic.
///
/// ```
/// use picklevm::{Kind, loads};
///
/// let graph = loads(b"c__builtin__\nset\n((lI1\natR.")?;   // protocol 0: set([1])
/// assert!(matches!(graph.root().kind(), Kind::Set(items) if items.len() == 1));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Standard;

#[derive(Clone, Copy)]
enum Builtin {
    Set,
    FrozenSet,
    ByteArray,
    Bytes,
    Complex,
    Encode,
}

impl Resolver for Standard {
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        let builtin = match (module, name) {
            ("builtins" | "__builtin__", "set") => Builtin::Set,
            ("builtins" | "__builtin__", "frozenset") => Builtin::FrozenSet,
            ("builtins" | "__builtin__", "bytearray") => Builtin::ByteArray,
            ("builtins" | "__builtin__", "bytes") => Builtin::Bytes,
            ("builtins" | "__builtin__", "complex") => Builtin::Complex,
            ("_codecs", "encode") => Builtin::Encode,
            _ => return Ok(Class::Symbolic),
        };
        Ok(Class::Callable(Arc::new(builtin)))
    }
}

impl Callable for Builtin {
    fn call(&self, call: &mut Call<'_>) -> Result<Made> {
        call.pay_for_copy(first_arg_bytes(call))?;
        Ok(self.make(call).map(Id).into())
    }
}

impl Builtin {
    fn make(self, call: &mut Call<'_>) -> Option<Cell> {
        match self {
            Builtin::Set | Builtin::FrozenSet => {
                let tag = if matches!(self, Builtin::Set) { Tag::Set } else { Tag::FrozenSet };
                let items = if call.has_no_args() {
                    Vec::new()
                } else {
                    let [items] = call.args_of()?;
                    if !matches!(items.kind(), Kind::List(_) | Kind::Tuple(_) | Kind::Set(_) | Kind::FrozenSet(_)) {
                        return None;
                    }
                    items.items().cells().to_vec()
                };
                let set = call.new_set(tag);
                call.add_rows(set, &items).ok()?;
                call.settle_all();
                Some(set)
            }
            Builtin::Bytes | Builtin::ByteArray => {
                let tag = if matches!(self, Builtin::Bytes) { Tag::Bytes } else { Tag::ByteArray };
                let bytes = if call.has_no_args() { Vec::new() } else { bytes_of(call)? };
                Some(call.new_text(tag, &bytes, false))
            }
            Builtin::Complex => {
                let [re, im] = call.args_of()?.map(|part| part.as_f64().or_else(|| part.as_i64().map(|n| n as f64)));
                Some(call.new_complex(re?, im?))
            }
            Builtin::Encode => {
                let bytes = latin_1(call)?;
                Some(call.new_text(Tag::Bytes, &bytes, false))
            }
        }
    }
}

/// How many bytes a call copies that copies its first argument.
fn first_arg_bytes(call: &Call<'_>) -> usize {
    match call.args().next().map(|first| first.kind()) {
        Some(Kind::Str(text)) => text.as_bytes().len(),
        Some(Kind::Bytes(bytes) | Kind::ByteStr(bytes) | Kind::ByteArray(bytes)) => bytes.len(),
        Some(Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items)) => {
            size_of_val(items.cells())
        }
        _ => 0,
    }
}

/// What `bytes(…)` or `bytearray(…)` makes of its arguments, where a pickler wrote them.
fn bytes_of(call: &Call<'_>) -> Option<Vec<u8>> {
    if let Some([_, _]) = call.args_of() {
        return latin_1(call);
    }
    let [only] = call.args_of()?;
    match only.kind() {
        Kind::Bytes(bytes) | Kind::ByteStr(bytes) | Kind::ByteArray(bytes) => Some(bytes.to_vec()),
        Kind::List(items) => items.map(|item| item.as_i64()?.try_into().ok()).collect(),
        _ => None,
    }
}

/// The bytes of a text and its encoding, Latin-1, which Python 2 names in an 8-bit string.
fn latin_1(call: &Call<'_>) -> Option<Vec<u8>> {
    let [text, encoding] = call.args_of()?;
    let name = encoding.as_str().map(str::as_bytes).or_else(|| encoding.as_bytes())?;
    if !matches!(name, b"latin1" | b"latin-1") {
        return None;
    }
    text.as_text()?.code_points().map(|code| u8::try_from(code).ok()).collect()
}
