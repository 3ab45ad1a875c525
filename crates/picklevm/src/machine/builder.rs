//! What the machine needs of whoever makes the values.

use picklevm_ops::{Number, Opcode, ShortInt, Text};

use super::memo::Slot;
use crate::error::Result;

/// Makes and changes values for the machine, which itself knows only stack, metastack and memo.
///
/// Values are small and `Copy`. Errors need not know their place; the machine adds offset and opcode. Methods are
/// named as CPython's picklers and pickletools name what they do.
pub trait Builder {
    /// A value on the stack.
    type Value: Slot;

    /// Whether the machine takes values from below the last mark where there are none above it, as the cPickle of
    /// Python 2 does, and tells [`below_mark`](Builder::below_mark), instead of failing.
    const REACHES_BELOW_MARKS: bool = false;

    /// Whether its methods are so small that every op is run where it is decoded, not only those that are frequent.
    const IS_LIGHT: bool = false;

    /// The op at `offset` in the source is about to run.
    #[inline(always)]
    fn at(&mut self, _offset: u64, _opcode: Opcode) {}

    /// Whether it is told of what is fetched.
    const HEEDS_FETCHES: bool = false;

    /// DUP or the first GET has fetched a value that was there before.
    #[inline(always)]
    fn fetched(&mut self) {}

    /// A value was taken from below the last mark.
    fn below_mark(&mut self) {}

    /// `None`.
    fn none(&mut self) -> Self::Value;
    /// A boolean.
    fn bool(&mut self, value: bool) -> Self::Value;
    /// An integer. Where several may come at once, those of up to two bytes are made whether they come or not, and forgotten
    /// if not.
    fn int(&mut self, value: i64) -> Self::Value;
    /// The integer of an opcode that holds few bytes, LONG1 among them.
    #[inline(always)]
    fn short_int(&mut self, int: ShortInt<'_>) -> Self::Value {
        self.int(int.value())
    }
    /// An integer in little-endian two's complement.
    fn int_le(&mut self, bytes: &[u8]) -> Result<Self::Value>;
    /// An integer in text.
    fn number(&mut self, number: Number<'_>) -> Result<Self::Value>;
    /// A float.
    fn float(&mut self, value: f64) -> Self::Value;
    /// A string.
    fn text(&mut self, text: Text<'_>) -> Result<Self::Value>;
    /// Bytes.
    fn bytes(&mut self, bytes: &[u8]) -> Result<Self::Value>;
    /// An 8-bit string of Python 2.
    fn byte_str(&mut self, bytes: &[u8]) -> Result<Self::Value>;
    /// A bytearray.
    fn byte_array(&mut self, bytes: &[u8]) -> Result<Self::Value>;
    /// A tuple.
    fn tuple(&mut self, items: &[Self::Value]) -> Self::Value;
    /// A list.
    fn list(&mut self, items: &[Self::Value]) -> Self::Value;
    /// A dict of keys and values in turn.
    fn dict(&mut self, pairs: &[Self::Value]) -> Result<Self::Value>;
    /// An empty set.
    fn set(&mut self) -> Self::Value;
    /// A frozenset.
    fn frozenset(&mut self, items: &[Self::Value]) -> Result<Self::Value>;
    /// Items go to the end of a list, or to an object.
    fn append(&mut self, target: Self::Value, items: &[Self::Value]) -> Result<()>;
    /// Keys and values in turn go into a dict, or to an object.
    fn set_items(&mut self, target: Self::Value, pairs: &[Self::Value]) -> Result<()>;
    /// Items go into a set, or to an object.
    fn add_items(&mut self, target: Self::Value, items: &[Self::Value]) -> Result<()>;
    /// What two names of GLOBAL or INST stand for.
    fn global(&mut self, module: Text<'_>, name: Text<'_>) -> Result<Self::Value>;
    /// What two names from the stack stand for.
    fn stack_global(&mut self, module: Self::Value, name: Self::Value) -> Result<Self::Value>;
    /// What an extension code stands for.
    fn ext(&mut self, code: i32) -> Result<Self::Value>;
    /// REDUCE: calls.
    fn reduce(&mut self, callable: Self::Value, args: Self::Value) -> Result<Self::Value>;
    /// NEWOBJ: constructs.
    fn new_obj(&mut self, class: Self::Value, args: Self::Value) -> Result<Self::Value>;
    /// NEWOBJ_EX: constructs.
    fn new_obj_ex(&mut self, class: Self::Value, args: Self::Value, kwargs: Self::Value) -> Result<Self::Value>;
    /// INST: constructs or calls.
    fn inst(&mut self, class: Self::Value, args: &[Self::Value]) -> Result<Self::Value>;
    /// OBJ: constructs or calls.
    fn obj(&mut self, class: Self::Value, args: &[Self::Value]) -> Result<Self::Value>;
    /// BUILD: sets the state.
    fn build(&mut self, target: Self::Value, state: Self::Value) -> Result<()>;
    /// A persistent reference by an id from the stack.
    fn persistent(&mut self, pid: Self::Value) -> Result<Self::Value>;
    /// The next out-of-band buffer.
    fn next_buffer(&mut self) -> Result<Self::Value>;
    /// A buffer made read-only.
    fn readonly_buffer(&mut self, buffer: Self::Value) -> Result<Self::Value>;

    /// The value was put into the memo.
    fn memoized(&mut self, value: Self::Value);
    /// POP took the value off the stack; tells whether that may lose a call, so that `dropped` must be told.
    fn is_call(&self, value: Self::Value) -> bool;
    /// A call was dropped; `fetched` is the value of a GET that followed at once.
    fn dropped(&mut self, call: Self::Value, fetched: Option<Self::Value>);

    /// PROTO says the protocol; before any, it is 0.
    fn protocol(&mut self, version: u8);

    /// Whether nothing was made before this load.
    fn is_empty(&self) -> bool {
        false
    }
    /// Nodes made so far, and the bytes they take.
    fn usage(&self) -> (u64, u64);

    /// How many items and keys and values containers hold, room to grow included.
    fn cells(&self) -> u64 {
        0
    }
    /// Room for the rest of an input of which `done` of `total` bytes are read.
    fn extrapolate(&mut self, done: u64, total: u64);
    /// The pickle ends with this value, and with these in the memo, by index from 0 and with holes; what lies at an index far
    /// beyond the number of values is left out.
    fn finish(&mut self, root: Self::Value, memo: &[Self::Value]) -> Result<()>;
}
