//! The interface between the machine and the code that makes values.

use picklevm_ops::internal::ShortInt;
use picklevm_ops::{Number, Opcode, Text};

use super::memo::Slot;
use crate::error::Result;

/// Makes and changes values for the machine, which itself handles only stack, metastack and memo.
///
/// Values are small: the machine moves them, and clones one only where a pickle uses it twice (the memo, DUP, the target
/// of items). Where items are passed as `&mut`, the builder may take them, leaving [`HOLE`](Slot::HOLE)s behind. Errors
/// need no position: the machine adds offset and opcode. A builder whose error is not an [`Error`](crate::Error) keeps it
/// and returns [`Error::foreign`](crate::Error::foreign). Methods are named after the opcodes in CPython's picklers and
/// pickletools.
pub trait Builder {
    /// A value on the stack.
    type Value: Slot;

    /// Whether the machine pops values below the last mark if there are none above it, as the cPickle of Python 2 does,
    /// and calls [`below_mark`](Builder::below_mark) instead of failing.
    const REACHES_BELOW_MARKS: bool = false;

    /// Whether the methods are so small that every op is inlined where it is decoded, not only frequent ones.
    const IS_LIGHT: bool = false;

    /// Whether several small integers may be made at once, and those that a run has too few of discarded: faster where
    /// making one costs next to nothing.
    const BULK_INTS: bool = true;

    /// Called before the op at `offset` runs.
    #[inline(always)]
    fn at(&mut self, _offset: u64, _opcode: Opcode) {}

    /// Whether [`fetched`](Builder::fetched) is needed.
    const OBSERVES_FETCHES: bool = false;

    /// Whether [`memoized`](Builder::memoized) is needed.
    const OBSERVES_MEMO: bool = false;

    /// Called when DUP or the first GET fetches an existing value.
    #[inline(always)]
    fn fetched(&mut self) {}

    /// Called when a value is taken from below the last mark.
    fn below_mark(&mut self) {}

    /// Makes `None`.
    fn none(&mut self) -> Self::Value;
    /// Makes a boolean.
    fn bool(&mut self, value: bool) -> Self::Value;
    /// Makes an integer. With [`BULK_INTS`](Builder::BULK_INTS), values may be made and then discarded.
    fn int(&mut self, value: i64) -> Result<Self::Value>;
    /// Makes an integer from a [`ShortInt`], including LONG1.
    #[inline(always)]
    fn short_int(&mut self, int: ShortInt<'_>) -> Result<Self::Value> {
        self.int(int.value())
    }
    /// Makes an integer from little-endian two's complement.
    fn int_le(&mut self, bytes: &[u8]) -> Result<Self::Value>;
    /// Makes an integer from text.
    fn number(&mut self, number: Number<'_>) -> Result<Self::Value>;
    /// Makes a float.
    fn float(&mut self, value: f64) -> Result<Self::Value>;
    /// Makes a string.
    fn text(&mut self, text: Text<'_>) -> Result<Self::Value>;
    /// Makes bytes.
    fn bytes(&mut self, bytes: &[u8]) -> Result<Self::Value>;
    /// Makes an 8-bit string of Python 2.
    fn byte_str(&mut self, bytes: &[u8]) -> Result<Self::Value>;
    /// Makes a bytearray.
    fn byte_array(&mut self, bytes: &[u8]) -> Result<Self::Value>;
    /// Makes a tuple.
    fn tuple(&mut self, items: &mut [Self::Value]) -> Result<Self::Value>;
    /// Makes a list.
    fn list(&mut self, items: &mut [Self::Value]) -> Result<Self::Value>;
    /// Makes a dict from alternating keys and values.
    fn dict(&mut self, pairs: &[Self::Value]) -> Result<Self::Value>;
    /// Makes an empty set.
    fn set(&mut self) -> Result<Self::Value>;
    /// Makes a frozenset.
    fn frozenset(&mut self, items: &[Self::Value]) -> Result<Self::Value>;
    /// Appends items to a list or an object.
    fn append(&mut self, target: Self::Value, items: &mut [Self::Value]) -> Result<()>;
    /// Adds alternating keys and values to a dict or an object.
    fn set_items(&mut self, target: Self::Value, pairs: &[Self::Value]) -> Result<()>;
    /// Adds items to a set or an object.
    fn add_items(&mut self, target: Self::Value, items: &[Self::Value]) -> Result<()>;
    /// Returns the global for two names of GLOBAL or INST.
    fn global(&mut self, module: Text<'_>, name: Text<'_>) -> Result<Self::Value>;
    /// Returns the global for two names from the stack.
    fn stack_global(&mut self, module: Self::Value, name: Self::Value) -> Result<Self::Value>;
    /// Returns the global for an extension code.
    fn ext(&mut self, code: i32) -> Result<Self::Value>;
    /// REDUCE: calls a callable. `last_memoized` returns the value at the end of the memo.
    fn reduce(
        &mut self,
        callable: Self::Value,
        args: Self::Value,
        last_memoized: impl FnOnce() -> Option<Self::Value>,
    ) -> Result<Self::Value>;
    /// NEWOBJ: creates an instance.
    fn new_obj(&mut self, class: Self::Value, args: Self::Value) -> Result<Self::Value>;
    /// NEWOBJ_EX: creates an instance.
    fn new_obj_ex(&mut self, class: Self::Value, args: Self::Value, kwargs: Self::Value) -> Result<Self::Value>;
    /// INST: creates an instance or calls.
    fn inst(&mut self, class: Self::Value, args: &[Self::Value]) -> Result<Self::Value>;
    /// OBJ: creates an instance or calls.
    fn obj(&mut self, class: Self::Value, args: &[Self::Value]) -> Result<Self::Value>;
    /// BUILD: sets the state.
    fn build(&mut self, target: Self::Value, state: Self::Value) -> Result<()>;
    /// Makes a persistent reference from an id.
    fn persistent(&mut self, pid: Self::Value) -> Result<Self::Value>;
    /// Returns the next out-of-band buffer.
    fn next_buffer(&mut self) -> Result<Self::Value>;
    /// Returns a buffer as read-only.
    fn readonly_buffer(&mut self, buffer: Self::Value) -> Result<Self::Value>;

    /// Called when the value is stored in the memo, if [`OBSERVES_MEMO`](Builder::OBSERVES_MEMO).
    #[inline(always)]
    fn memoized(&mut self, _value: &Self::Value) {}
    /// Returns whether popping the value may lose a call, so that POP must report it to `dropped`.
    fn is_call(&self, value: &Self::Value) -> bool;
    /// Called when a call is dropped. `fetched` is the value of a GET directly after it.
    fn dropped(&mut self, call: Self::Value, fetched: Option<Self::Value>);

    /// Called with the protocol of PROTO; before, it is 0.
    fn protocol(&mut self, version: u8);

    /// Returns whether nothing was made before this load.
    fn is_empty(&self) -> bool {
        false
    }

    /// Returns the number of nodes made so far.
    fn node_count(&self) -> u64;

    /// Returns the number of bytes that the values take. Called only if they are limited.
    fn held_bytes(&self) -> u64;

    /// Returns the number of cells (items, keys and values) in containers, including spare capacity.
    fn cells(&self) -> u64 {
        0
    }
    /// Reserves memory for the rest of an input of which `done` of `total` bytes are read.
    fn extrapolate(&mut self, done: u64, total: u64);
    /// Called at the end of the pickle with its value and the memo values by index from 0, including holes. Indices far
    /// beyond the number of values are left out.
    fn finish(&mut self, root: &Self::Value, memo: &[Self::Value]) -> Result<()>;
}
