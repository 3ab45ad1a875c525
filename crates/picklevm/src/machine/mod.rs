//! The machine: stack, metastack and memo, and the effect of each opcode on them.
//!
//! It does not depend on the graph: a `Builder` makes the values. Where CPython's readers differ, the pure-Python
//! `pickle._Unpickler` of 3.13 is the reference.

mod builder;
mod by_bytes;
mod calls;
pub(crate) mod graph_builder;
pub(crate) mod hooks;
mod literal;
mod memo;
pub(crate) mod one_op;
pub(crate) mod persistent_ids;
mod same_call;
pub(crate) mod shadow;
mod step;

use picklevm_ops::internal::{IntRun, RunVisitor, ShortInt};
use picklevm_ops::{Op, Opcode, Source, Visitor};

pub use self::builder::Builder;
pub use self::by_bytes::load;
pub(crate) use self::memo::Memo;
pub use self::memo::Slot;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};
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

/// One run of the machine, from an opcode to STOP.
struct Run<'m, B: Builder> {
    machine: &'m mut Machine<B::Value>,
    builder: &'m mut B,
    // Taken from the machine for the run: pushing through a reference would cost one more load for each op.
    stack: Vec<B::Value>,
    /// Position on the stack of the last mark.
    base: usize,
    limits: &'m Limits,
    /// Opcodes left before the next check of the limits, and how many there were after the last one.
    fuel: u64,
    fuel_before: u64,
    /// Opcodes executed before the last check of the limits.
    opcodes: u64,
    /// Why the loop was left, if it was.
    exit: Option<Exit>,
    /// A call dropped by POP, until the GET after it has run.
    dropped: Option<B::Value>,
    /// Whether the next GET is reported to the builder: the first one, and one after a dropped call.
    reports_get: bool,
    /// Whether the limits were checked: a load that ends before the first check cannot have exceeded one.
    limits_checked: bool,
    /// The length of the input, if known.
    total: Option<u64>,
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

/// Why the loop is left.
enum Exit {
    /// STOP ends the pickle.
    Stop,
    /// POP needs to know the next op.
    Pop,
    Failed(Error),
}

/// What happened after the loop was left.
enum Outcome<V> {
    /// STOP ended the pickle with this value.
    Stopped(V),
    /// POP dropped a call.
    Dropped(V),
    /// POP dropped a value that is not a call.
    Popped,
    /// The limits were checked.
    LimitsChecked,
}

/// Returns whether an opcode is one of those that most of a pickle consists of. They are inlined where they are
/// decoded; with all opcodes, the loop would be slow to compile, unless the builder is light. A debug build inlines
/// none.
const fn is_hot(byte: u8) -> bool {
    match Opcode::from_byte(byte) {
        Some(opcode) => opcode.is_frequent() && !cfg!(debug_assertions),
        None => false,
    }
}

impl<'o, B: Builder> Visitor<'o> for Run<'_, B> {
    /// Whether to continue; if not, `exit` says why.
    type Output = bool;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit<const BYTE: u8>(&mut self, offset: u64, op: Op<'o>) -> bool {
        self.builder.at(offset, op.opcode());
        let exit = match op {
            Op::Stop => Exit::Stop,
            Op::Pop => Exit::Pop,
            op => match if const { is_hot(BYTE) || B::IS_LIGHT && BYTE != 0 } {
                self.step(op)
            } else {
                self.step_apart(op)
            } {
                Ok(()) => return true,
                Err(error) => Exit::Failed(error),
            },
        };
        self.exit = Some(exit);
        false
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_int(&mut self, offset: u64, int: ShortInt<'o>) -> bool {
        self.builder.at(offset, int.opcode());
        let made = self.builder.short_int(int);
        self.push(made)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_tuple(&mut self, offset: u64, len: u8) -> bool {
        let opcode = match len {
            1 => Opcode::Tuple1,
            2 => Opcode::Tuple2,
            _ => Opcode::Tuple3,
        };
        self.builder.at(offset, opcode);
        let made = self.tuple_of(len.into());
        self.push(made)
    }
}

impl<'o, B: Builder> RunVisitor<'o> for Run<'_, B> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_run<const N: usize>(&mut self, offset: u64, operands: [u8; N]) -> bool {
        let mut at = offset;
        if !B::BULK_INTS {
            return operands.into_iter().all(|operand| {
                self.builder.at(at, Opcode::BinInt1);
                at += 2;
                let made = self.builder.int(operand.into());
                self.push(made)
            });
        }
        let mut failed = None;
        let values = operands.map(|operand| {
            self.builder.at(at, Opcode::BinInt1);
            at += 2;
            self.builder.int(operand.into()).unwrap_or_else(|error| hole(error, &mut failed))
        });
        self.stack.extend_from_slice(&values);
        self.go_on(failed)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_ints(&mut self, offset: u64, ints: IntRun) -> bool {
        let (offsets, opcodes, values) = (ints.offsets(), ints.opcodes(), ints.values());
        if !B::BULK_INTS {
            return (0..ints.count()).all(|n| {
                self.builder.at(offset + offsets[n], opcodes[n]);
                let made = self.builder.int(values[n].into());
                self.push(made)
            });
        }
        let mut failed = None;
        let values: [_; IntRun::MOST] = std::array::from_fn(|n| {
            if n < ints.count() {
                self.builder.at(offset + offsets[n], opcodes[n]);
            }
            self.builder.int(values[n].into()).unwrap_or_else(|error| hole(error, &mut failed))
        });
        // Extends by all possible values: a branch on their number would be mispredicted.
        let len = self.stack.len() + ints.count();
        self.stack.extend_from_slice(&values);
        self.stack.truncate(len);
        self.go_on(failed)
    }
}

/// Stands in for a value that could not be made.
#[cold]
fn hole<V: Slot>(error: Error, failed: &mut Option<Error>) -> V {
    *failed = Some(error);
    V::HOLE
}

impl<'m, B: Builder> Run<'m, B> {
    /// Pushes a value that was made. Returns whether to continue.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn push(&mut self, made: Result<B::Value>) -> bool {
        match made {
            Ok(value) => {
                self.stack.push(value);
                true
            }
            Err(error) => self.go_on(Some(error)),
        }
    }

    /// Leaves the loop if there is an error. Returns whether to continue.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn go_on(&mut self, failed: Option<Error>) -> bool {
        let Some(error) = failed else { return true };
        self.exit = Some(Exit::Failed(error));
        false
    }

    /// Creates a run that continues where the last one ended.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn new(
        machine: &'m mut Machine<B::Value>,
        builder: &'m mut B,
        limits: &'m Limits,
        fuel: u64,
        total: Option<u64>,
    ) -> Self {
        Run {
            stack: std::mem::take(&mut machine.stack),
            base: machine.base,
            machine,
            builder,
            limits,
            fuel,
            fuel_before: fuel,
            opcodes: 0,
            exit: None,
            dropped: None,
            reports_get: B::OBSERVES_FETCHES,
            limits_checked: false,
            total,
        }
    }

    /// Returns the stack to the machine.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn end(&mut self) {
        std::mem::swap(&mut self.machine.stack, &mut self.stack);
        self.machine.base = self.base;
    }

    /// Begins the next pickle on the same builder. The fuel is kept.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn start_pickle(&mut self, shared_memo: bool) {
        self.stack.clear();
        self.machine.marks.clear();
        self.base = 0;
        if !shared_memo {
            self.machine.memo.clear();
        }
        self.opcodes = 0;
        self.fuel_before = self.fuel;
        self.limits_checked = false;
    }

    // The source is passed and returned by value, so that a decoder in a local variable stays in registers.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn run<S: Source>(&mut self, mut source: S) -> (S, Result<B::Value>) {
        loop {
            match source.visit_op(self) {
                Ok(true) => {
                    self.fuel -= 1;
                    if self.fuel > 0 {
                        continue;
                    }
                }
                Ok(false) => {}
                Err(error) => return (source, Err(error.into())),
            }
            let done = match self.leave(source.offset()) {
                Ok(Outcome::Stopped(root)) => return (source, Ok(root)),
                Ok(Outcome::Dropped(call)) => {
                    self.await_get(call, source.peek_opcode());
                    self.count_pop(source.offset())
                }
                Ok(Outcome::Popped) => self.count_pop(source.offset()),
                Ok(Outcome::LimitsChecked) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                let error = error.at(source.op_offset(), source.op_opcode());
                return (source, Err(error));
            }
        }
    }

    /// Like [`run`](Self::run) without counting opcodes, while all limits are far: between two checks lies a fixed
    /// number of bytes, which hold at most as many opcodes.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn run_slice<S: Source>(&mut self, mut decoder: S) -> Result<B::Value> {
        if self.total.is_none_or(|len| len > self.limits.opcodes) {
            return self.run_counted(decoder);
        }
        let mut until = decoder.offset() + limits::CHECK_INTERVAL;
        while self.fuel == limits::CHECK_INTERVAL {
            let (after, visited) = decoder.visit_until(until, self);
            decoder = after;
            visited?;
            match self.leave(decoder.offset()) {
                Ok(Outcome::Stopped(root)) => return Ok(root),
                // A due check stays due, however often POP leaves the loop.
                Ok(Outcome::Dropped(call)) => self.await_get(call, decoder.peek_opcode()),
                Ok(Outcome::Popped) => {}
                Ok(Outcome::LimitsChecked) => until = decoder.offset() + limits::CHECK_INTERVAL,
                Err(error) => return Err(error.at(decoder.op_offset(), decoder.op_opcode())),
            }
        }
        self.run_counted(decoder)
    }

    /// [`run`](Self::run), not inlined.
    #[cold]
    #[inline(never)]
    fn run_counted<S: Source>(&mut self, mut source: S) -> Result<B::Value> {
        let source: &mut dyn Source = &mut source;
        self.run(source).1
    }

    /// Handles the reason why the loop was left.
    #[inline(never)]
    fn leave(&mut self, offset: u64) -> Result<Outcome<B::Value>> {
        match self.exit.take() {
            None => self.refuel(offset)?,
            Some(Exit::Stop) => return self.stop().map(Outcome::Stopped),
            Some(Exit::Pop) => return Ok(self.pop_op()?.map_or(Outcome::Popped, Outcome::Dropped)),
            Some(Exit::Failed(error)) => return Err(error),
        }
        Ok(Outcome::LimitsChecked)
    }

    /// Counts POP, which leaves the loop before it is counted.
    fn count_pop(&mut self, offset: u64) -> Result<()> {
        self.fuel -= 1;
        if self.fuel == 0 { self.refuel(offset) } else { Ok(()) }
    }

    /// Handles a call dropped by POP: if a GET comes next, the decision waits until it has run.
    #[cold]
    #[inline(never)]
    fn await_get(&mut self, call: B::Value, next: Option<Opcode>) {
        match next {
            Some(opcode) if opcode.is_get() => {
                self.dropped = Some(call);
                self.reports_get = true;
            }
            _ => self.builder.dropped(call, None),
        }
    }

    /// Returns the value of the pickle.
    fn stop(&mut self) -> Result<B::Value> {
        let root = self.pop("the value of the pickle")?;
        self.opcodes += self.fuel_before - self.fuel;
        if self.limits_checked {
            self.check()?;
        }
        self.builder.finish(&root, self.machine.memo.dense())?;
        Ok(root)
    }

    /// Checks the limits, and sets how many opcodes may run until the next check.
    #[cold]
    #[inline(never)]
    fn refuel(&mut self, offset: u64) -> Result<()> {
        self.opcodes += self.fuel_before - self.fuel;
        self.limits_checked = true;
        self.fuel_before = self.check()?;
        self.fuel = self.fuel_before;
        if let Some(total) = self.total {
            self.builder.extrapolate(offset, total);
        }
        Ok(())
    }

    /// Returns the number of bytes that the values, the stack and the memo take.
    #[inline(never)]
    fn held_bytes(&self) -> u64 {
        let stacks = self.stack.len() * size_of::<B::Value>() + self.machine.marks.len() * size_of::<usize>();
        self.builder.held_bytes() + (stacks + self.machine.memo.held_bytes()) as u64
    }

    /// Checks every limit; returns how many opcodes can run before one may be exceeded.
    fn check(&self) -> Result<u64> {
        self.limits.check_usage(&limits::Usage {
            opcodes: self.opcodes,
            stack: self.stack.len() as u64,
            marks: self.machine.marks.len() as u64,
            memo: self.machine.memo.len() as u64,
            nodes: self.builder.node_count(),
            bytes: if self.limits.has_byte_limit() { self.held_bytes() } else { 0 },
            cells: self.builder.cells(),
        })
    }
}
