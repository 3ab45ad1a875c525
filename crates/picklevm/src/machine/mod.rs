//! The machine: stack, metastack and memo, and the effect of each opcode on them.
//!
//! It does not depend on the graph: a `Builder` makes the values. Where CPython's readers differ, the pure-Python
//! `pickle._Unpickler` of 3.13 is the reference.

mod builder;
mod by_bytes;
mod calls;
mod dropped_calls;
pub(crate) mod graph_builder;
pub(crate) mod hooks;
mod literal;
mod memo;
pub(crate) mod one_op;
mod payload;
pub(crate) mod persistent_ids;
mod run;
pub(crate) mod shadow;
mod step;
mod visit;

use picklevm_ops::{Op, Source};

pub use self::builder::Builder;
pub use self::by_bytes::load;
pub(crate) use self::memo::Memo;
pub use self::memo::Slot;
use self::run::Run;
use crate::error::Result;
use crate::limits::Limits;
use crate::reuse::Reuse;

/// Capacity of the stack and the metastack that is reused for the next load.
const REUSED_STACK_CAPACITY: usize = 1 << 16;
/// Capacity of the memo that is reused, which is larger because a pickle has more memo entries.
const REUSED_MEMO_CAPACITY: usize = 1 << 19;

/// The stack, the metastack and the memo, whose memory is reused for the next load.
pub struct Machine<V> {
    stack: Vec<V>,
    /// Positions of the marks on the stack. Each begins a new stack, as in `_Unpickler.metastack`.
    marks: Vec<usize>,
    /// Position on the stack of the last mark.
    base: usize,
    pub(crate) memo: Memo<V>,
    /// Opcodes that a further run on this memo may execute before the next check of the limits; 0 if unknown.
    fuel: u64,
}

/// Shows the heights of the stacks.
impl<V> std::fmt::Debug for Machine<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("stack", &self.stack.len())
            .field("marks", &self.marks.len())
            .finish_non_exhaustive()
    }
}

impl<V: Slot> Default for Machine<V> {
    fn default() -> Self {
        Machine::new()
    }
}

impl<V: Slot> Reuse for Machine<V> {
    #[inline]
    fn clear(&mut self) {
        Machine::clear(self);
    }
}

impl<V: Slot> Machine<V> {
    /// Creates an empty machine.
    pub fn new() -> Self {
        Machine { stack: Vec::new(), marks: Vec::new(), base: 0, memo: Memo::new(), fuel: 0 }
    }

    /// Clears everything, and frees memory beyond the capacity to reuse.
    #[inline]
    pub fn clear(&mut self) {
        self.clear_stack();
        self.stack.shrink_to(REUSED_STACK_CAPACITY);
        self.marks.shrink_to(REUSED_STACK_CAPACITY);
        self.memo.clear();
        self.fuel = 0;
    }

    /// Returns the values of the memo by index, in no order.
    pub fn memo(&self) -> impl Iterator<Item = (u64, &V)> {
        self.memo.entries()
    }

    /// Returns the values on the stack, the bottom first.
    pub(crate) fn stack(&self) -> &[V] {
        &self.stack
    }

    /// Returns the positions on the stack where what is above a mark begins, the lowest first.
    pub(crate) fn marks(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        (0..self.marks.len()).map(|n| self.marks.get(n + 1).copied().unwrap_or(self.base))
    }

    /// Returns the position on the stack where what is above the last mark begins.
    pub(crate) fn base(&self) -> usize {
        self.base
    }

    /// Stores a value in the memo, as PUT does.
    pub fn memoize(&mut self, index: u64, value: V) {
        self.memo.put(index, value);
    }

    /// Drops the values that a failed run left on the stack. The next run does so too.
    pub fn clear_stack(&mut self) {
        self.stack.clear();
        self.marks.clear();
        self.base = 0;
    }
}

/// Runs one pickle and returns the value that STOP finds on the stack. The memo is kept.
// Inlined into loads from a slice, where compilers generate a better loop: short inputs gain 10 %.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn run<B: Builder, S: Source>(
    machine: &mut Machine<B::Value>,
    builder: &mut B,
    source: S,
    limits: &Limits,
) -> Result<B::Value> {
    machine.clear_stack();
    let total = source.len_hint();
    // A first load begins within all limits. A later one into the same graph continues with the fuel of the one before.
    let fuel = match std::mem::take(&mut machine.fuel) {
        0 if machine.memo.len() == 0 && builder.is_empty() => limits.first_check,
        left => left.max(1),
    };
    let mut run = Run::new(machine, builder, limits, fuel, total);
    let (_, done) = run.run(source);
    if done.is_ok() {
        run.machine.fuel = run.fuel;
    }
    run.end();
    done
}

/// Like [`run`] for a slice, on an empty machine and builder.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn run_slice<B: Builder, S: Source>(
    machine: &mut Machine<B::Value>,
    builder: &mut B,
    decoder: S,
    limits: &Limits,
) -> Result<B::Value> {
    let total = decoder.len_hint();
    let mut run = Run::new(machine, builder, limits, limits.first_check, total);
    let done = run.run_slice(decoder);
    run.end();
    done
}

/// Runs pickles until the source ends or there were `most`, on one memo if it is shared.
pub(crate) fn run_all<B: Builder, S: Source>(
    machine: &mut Machine<B::Value>,
    builder: &mut B,
    mut source: S,
    limits: &Limits,
    most: usize,
    shared_memo: bool,
) -> Result<()> {
    let total = source.len_hint();
    let mut run = Run::new(machine, builder, limits, limits.first_check, total);
    for _ in 0..most {
        let (after, done) = run.run(source);
        if let Err(error) = done {
            run.end();
            return Err(error);
        }
        if total.is_some_and(|total| after.offset() >= total) {
            break;
        }
        run.start_pickle(shared_memo);
        source = after;
        source.start_pickle();
    }
    run.end();
    Ok(())
}

/// Continues a pickle after the caller handled an error of the run. The op that failed has already popped its operands.
///
/// # Errors
///
/// If the rest is not a pickle, is truncated, or exceeds a limit.
pub fn resume<B: Builder, S: Source>(
    machine: &mut Machine<B::Value>,
    builder: &mut B,
    source: S,
    limits: &Limits,
) -> (S, Result<B::Value>) {
    let total = source.len_hint();
    let mut run = Run::new(machine, builder, limits, 1, total);
    let done = run.run(source);
    run.end();
    done
}

/// Runs a single op other than STOP and POP.
///
/// # Errors
///
/// If the op fails; the caller adds offset and opcode.
pub fn step<B: Builder>(machine: &mut Machine<B::Value>, builder: &mut B, op: Op<'_>, limits: &Limits) -> Result<()> {
    let mut run = Run::new(machine, builder, limits, 1, None);
    let done = run.step_apart(op);
    run.end();
    done
}
