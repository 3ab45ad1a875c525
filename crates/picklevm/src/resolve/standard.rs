//! The default resolver: turns the calls that stand for plain data back into data.

use std::sync::Arc;

use super::{Call, CallResult, Callable, Class, Resolver};
use crate::error::Result;
use crate::graph::{Cell, Id, Kind, Tag};
use crate::python::Builtin;
use crate::typed::builtins::{MAX_ZEROS, Plain};
use crate::typed::iterables::Elements;

/// A resolver that turns the calls that pickles use for plain data into values: `set`, `frozenset`, `bytearray`,
/// `bytes`, `complex` and `_codecs.encode`. Everything else stays symbolic. The default of [`loads`](crate::loads).
///
/// Protocols without an opcode for a type write it as such a call: sets below 4, bytes below 3, bytearrays below 5,
/// complex numbers always. Calls with arguments that Python would reject stay symbolic.
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

impl Resolver for Standard {
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        Ok(match Builtin::of_names(module, name) {
            Some(builtin) => Class::Callable(Arc::new(builtin)),
            None => Class::Symbolic,
        })
    }

    fn makes_plain_data(&self, module: &str, name: &str) -> bool {
        Builtin::of_names(module, name).is_some()
    }
}

impl Callable for Builtin {
    fn call(&self, call: &mut Call<'_>) -> Result<CallResult> {
        call.count_copy(first_arg_bytes(*self, call))?;
        let Some(plain) = self.make(call.construction(), call.args(), call.kwargs()) else {
            return Ok(CallResult::Symbolic);
        };
        let made = match plain {
            Plain::Members(tag, Elements::Items(members)) => {
                let members = members.cells().to_vec();
                set(tag, &members, call)
            }
            Plain::Members(tag, elements) => {
                let (new_bytes, detached) = (elements.new_bytes(), elements.detach());
                call.count_copy(new_bytes)?;
                detached.and_then(|members| {
                    let members = members.add_to(call);
                    set(tag, &members, call)
                })
            }
            Plain::Bytes(tag, bytes) => Some(call.new_text(tag, &bytes, false)),
            Plain::Complex(re, im) => Some(call.new_complex(re, im)),
        };
        Ok(made.map(Id).into())
    }
}

fn set(tag: Tag, members: &[Cell], call: &mut Call<'_>) -> Option<Cell> {
    let set = call.new_set(tag);
    call.add_rows(set, members).ok()?;
    call.settle_all();
    Some(set)
}

/// Returns how many bytes a call copies if it copies its first argument.
fn first_arg_bytes(builtin: Builtin, call: &Call<'_>) -> usize {
    if matches!(builtin, Builtin::Complex) {
        return 0;
    }
    let first = call.args().next().or_else(|| call.kwargs()?.get("source"));
    match first.map(|first| first.kind()) {
        Some(Kind::Str(text)) => text.as_bytes().len(),
        Some(Kind::Bytes(bytes) | Kind::ByteStr(bytes) | Kind::ByteArray(bytes)) => bytes.len(),
        // `bytes(n)`: a claim of more stays symbolic.
        Some(Kind::Int(zeros)) if matches!(builtin, Builtin::Bytes | Builtin::ByteArray) => {
            usize::try_from(zeros).ok().filter(|zeros| *zeros <= MAX_ZEROS).unwrap_or(0)
        }
        Some(Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items)) => {
            size_of_val(items.cells())
        }
        _ => 0,
    }
}
