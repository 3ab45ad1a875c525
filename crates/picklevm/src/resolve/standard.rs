//! The default resolver: turns the calls that stand for plain data back into data.

use std::sync::Arc;

use super::{Call, CallResult, Callable, Class, Resolver};
use crate::error::Result;
use crate::graph::{Cell, Id, Kind};
use crate::python::Builtin;
use crate::typed::builtins::Plain;

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
        call.count_copy(first_arg_bytes(call))?;
        Ok(make(*self, call).map(Id).into())
    }
}

fn make(builtin: Builtin, call: &mut Call<'_>) -> Option<Cell> {
    if call.kwargs().is_some_and(|kwargs| !kwargs.is_empty()) {
        return None;
    }
    match builtin.make(call.args())? {
        Plain::Members(tag, members) => {
            let members = members.cells().to_vec();
            let set = call.new_set(tag);
            call.add_rows(set, &members).ok()?;
            call.settle_all();
            Some(set)
        }
        Plain::Bytes(tag, bytes) => Some(call.new_text(tag, &bytes, false)),
        Plain::Complex(re, im) => Some(call.new_complex(re, im)),
    }
}

/// Returns how many bytes a call copies if it copies its first argument.
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
