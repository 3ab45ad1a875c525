//! The machine: stack, metastack and memo, and what each opcode does with them.
//!
//! It knows no nodes: a `Builder` makes the values. The pure-Python `pickle._Unpickler` of
//! CPython 3.13 is the reference wherever CPython's readers disagree.

mod builder;
mod calls;
pub(crate) mod graph_builder;
pub(crate) mod hooks;
mod memo;
pub(crate) mod persistent_ids;
pub(crate) mod reuse;
pub(crate) mod shadow;
mod step;

use picklevm_ops::{IntRun, Op, Opcode, RunVisitor, ShortInt, Source, Visitor};

pub use self::builder::Builder;
pub(crate) use self::memo::Memo;
pub use self::memo::Slot;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};

/// Places of the stack and the metastack that are kept from load to load.
const KEPT: usize = 1 << 16;
/// Places of the memo that are: a pickle has many more of them.
const KEPT_MEMO: usize = 1 << 19;

/// The stack, the metastack and the memo, kept from load to load for their memory.
pub struct Machine<V> {
    stack: Vec<V>,
    /// Where on the stack the marks are: each the start of a stack of its own, as in `_Unpickler.metastack`.
    marks: Vec<usize>,
    /// Where the part of the stack above the last mark starts.
    base: usize,
    pub(crate) memo: Memo<V>,
    /// Opcodes that a further run on this memo may take before it must look at the limits; none where that is not known.
    fuel: u64,
}

/// How much is on the stacks.
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

impl<V: Slot> Machine<V> {
    /// An empty machine.
    pub fn new() -> Self {
        Machine { stack: Vec::new(), marks: Vec::new(), base: 0, memo: Memo::new(), fuel: 0 }
    }

    /// Forgets all, keeping memory unless it is much.
    #[inline]
    pub fn clear(&mut self) {
        self.clear_stack();
        self.stack.shrink_to(KEPT);
        self.marks.shrink_to(KEPT);
        self.memo.clear();
        self.fuel = 0;
    }

    fn clear_stack(&mut self) {
        self.stack.clear();
        self.marks.clear();
        self.base = 0;
    }
}

/// One run of the machine, from an opcode to STOP.
struct Run<'m, B: Builder> {
    machine: &'m mut Machine<B::Value>,
    builder: &'m mut B,
    // The machine's, until the run ends: to push through a reference takes a load more, op by op.
    stack: Vec<B::Value>,
    /// Where the part of the stack above the last mark starts.
    base: usize,
    limits: &'m Limits,
    /// Opcodes left before the next look at the limits, and how many there were at the last one.
    fuel: u64,
    fuelled: u64,
    /// Opcodes run before the last look at the limits.
    opcodes: u64,
    /// Why the loop does not go on, if it does not.
    exit: Option<Exit>,
    /// A call that POP has dropped, until the GET behind it has run.
    dropped: Option<B::Value>,
    /// Whether the next GET is to be told of: the first, and one behind a call that was dropped.
    heeds_get: bool,
    /// Whether the limits were looked at: a load that ends before cannot have passed one.
    looked: bool,
    /// The length of the input, where it is known.
    total: Option<u64>,
}

/// Runs one pickle and returns what STOP found on the stack. The memo stays as it is left.
// Part of what loads from a slice, where compilers make a better loop of it: short inputs gain a tenth.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn run<B: Builder, S: Source>(
    machine: &mut Machine<B::Value>,
    builder: &mut B,
    source: S,
    limits: &Limits,
) -> Result<B::Value> {
    machine.clear_stack();
    let total = source.len_hint();
    // A first load starts within every limit; a later one into the same graph goes on where the one before ended.
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

/// The same for a slice, on a machine and a builder that are empty.
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

/// Goes on with a pickle where a run ended in an error that the caller has mended. The op that failed has taken from
/// the stack what it took.
///
/// # Errors
///
/// If the rest is no pickle, ends too early, or passes a limit.
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

/// Runs a single op, which is neither STOP nor POP.
///
/// # Errors
///
/// If the op cannot run; offset and opcode are for the caller to add.
pub fn step<B: Builder>(machine: &mut Machine<B::Value>, builder: &mut B, op: Op<'_>, limits: &Limits) -> Result<()> {
    let mut run = Run::new(machine, builder, limits, 1, None);
    let done = run.step_apart(op);
    run.end();
    done
}

/// Why the loop does not go on to the next op at once.
enum Exit {
    /// STOP ends it.
    Stop,
    /// POP looks at the op behind it.
    Pop,
    Failed(Error),
}

/// What comes of leaving the loop.
enum Left<V> {
    /// STOP has ended the pickle with this value.
    Stopped(V),
    /// POP has dropped a call.
    Dropped(V),
    /// POP has dropped what is no call.
    Popped,
    /// The limits were looked at.
    Looked,
}

/// The opcodes that most of a pickle consists of. They are run where they are decoded; doing so with all of them would
/// make the loop slow to compile, unless the builder is light. A debug build does so with none.
const fn is_hot(byte: u8) -> bool {
    let hot = b"KJMG\x8aN\x88\x89\x8cXC]ae)\x85\x86\x87t}su(hj\x94qR\x81b\x80\x95";
    let mut at = 0;
    while at < hot.len() && !cfg!(debug_assertions) {
        if hot[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}

impl<'o, B: Builder> Visitor<'o> for Run<'_, B> {
    /// Whether to go on; if not, `exit` says why.
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
        let value = self.builder.short_int(int);
        self.stack.push(value);
        true
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_tuple(&mut self, offset: u64, len: u8) -> bool {
        let opcode = match len {
            1 => Opcode::Tuple1,
            2 => Opcode::Tuple2,
            _ => Opcode::Tuple3,
        };
        self.builder.at(offset, opcode);
        match self.tuple_of(len.into()) {
            Ok(tuple) => {
                self.stack.push(tuple);
                true
            }
            Err(error) => {
                self.exit = Some(Exit::Failed(error));
                false
            }
        }
    }
}

impl<'o, B: Builder> RunVisitor<'o> for Run<'_, B> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_run<const N: usize>(&mut self, offset: u64, operands: [u8; N]) -> bool {
        let mut at = offset;
        let values = operands.map(|operand| {
            self.builder.at(at, Opcode::BinInt1);
            at += 2;
            self.builder.int(operand.into())
        });
        self.stack.extend_from_slice(&values);
        true
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_ints(&mut self, offset: u64, ints: IntRun) -> bool {
        let (offsets, opcodes, values) = (ints.offsets(), ints.opcodes(), ints.values());
        let values: [_; IntRun::MOST] = std::array::from_fn(|n| {
            if n < ints.count() {
                self.builder.at(offset + offsets[n], opcodes[n]);
            }
            self.builder.int(values[n].into())
        });
        // As many as there may be: a branch on how many there are would not be foreseen.
        let len = self.stack.len() + ints.count();
        self.stack.extend_from_slice(&values);
        self.stack.truncate(len);
        true
    }
}

impl<'m, B: Builder> Run<'m, B> {
    /// A run that begins where the last one ended.
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
            fuelled: fuel,
            opcodes: 0,
            exit: None,
            dropped: None,
            heeds_get: B::HEEDS_FETCHES,
            looked: false,
            total,
        }
    }

    /// Gives the machine back what belongs to it.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn end(&mut self) {
        std::mem::swap(&mut self.machine.stack, &mut self.stack);
        self.machine.base = self.base;
    }

    /// Begins the next pickle of those that are run on one builder. What may run until the next look at the limits stays.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn start_pickle(&mut self, shared_memo: bool) {
        self.stack.clear();
        self.machine.marks.clear();
        self.base = 0;
        if !shared_memo {
            self.machine.memo.clear();
        }
        self.opcodes = 0;
        self.fuelled = self.fuel;
        self.looked = false;
    }

    // The source goes in and out by value: a decoder that is a local variable lives in registers.
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
                Ok(Left::Stopped(root)) => return (source, Ok(root)),
                Ok(Left::Dropped(call)) => {
                    self.await_get(call, source.peek_opcode());
                    self.count_pop(source.offset())
                }
                Ok(Left::Popped) => self.count_pop(source.offset()),
                Ok(Left::Looked) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                let error = error.at(source.op_offset(), source.op_opcode());
                return (source, Err(error));
            }
        }
    }

    /// The same without counting opcodes, as long as every limit is far: between two looks lie as many bytes, which hold no
    /// more opcodes.
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
                Ok(Left::Stopped(root)) => return Ok(root),
                // The look that was due stays due, however often POP leaves the loop.
                Ok(Left::Dropped(call)) => self.await_get(call, decoder.peek_opcode()),
                Ok(Left::Popped) => {}
                Ok(Left::Looked) => until = decoder.offset() + limits::CHECK_INTERVAL,
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

    /// Does what the loop was left for.
    #[inline(never)]
    fn leave(&mut self, offset: u64) -> Result<Left<B::Value>> {
        match self.exit.take() {
            None => self.refuel(offset)?,
            Some(Exit::Stop) => return self.stop().map(Left::Stopped),
            Some(Exit::Pop) => return Ok(self.pop_op()?.map_or(Left::Popped, Left::Dropped)),
            Some(Exit::Failed(error)) => return Err(error),
        }
        Ok(Left::Looked)
    }

    /// POP, which leaves the loop before it is counted, is an opcode as others are.
    fn count_pop(&mut self, offset: u64) -> Result<()> {
        self.fuel -= 1;
        if self.fuel == 0 { self.refuel(offset) } else { Ok(()) }
    }

    /// POP has dropped a call: if a GET comes next, it is decided about when that has run.
    #[cold]
    #[inline(never)]
    fn await_get(&mut self, call: B::Value, next: Option<Opcode>) {
        match next {
            Some(Opcode::Get | Opcode::BinGet | Opcode::LongBinGet) => {
                self.dropped = Some(call);
                self.heeds_get = true;
            }
            _ => self.builder.dropped(call, None),
        }
    }

    /// The value that the pickle makes.
    fn stop(&mut self) -> Result<B::Value> {
        let root = self.pop("the value that the pickle makes")?;
        self.opcodes += self.fuelled - self.fuel;
        if self.looked {
            self.check()?;
        }
        self.builder.finish(root, self.machine.memo.dense())?;
        Ok(root)
    }

    /// Looks at the limits, and says how many opcodes may run until the next look.
    #[cold]
    #[inline(never)]
    fn refuel(&mut self, offset: u64) -> Result<()> {
        self.opcodes += self.fuelled - self.fuel;
        self.looked = true;
        self.fuelled = self.check()?;
        self.fuel = self.fuelled;
        if let Some(total) = self.total {
            self.builder.extrapolate(offset, total);
        }
        Ok(())
    }

    /// Compares with every limit; returns how many opcodes can run without passing one.
    fn check(&self) -> Result<u64> {
        let (nodes, bytes) = self.builder.usage();
        let places = self.stack.len() * size_of::<B::Value>() + self.machine.marks.len() * size_of::<usize>();
        let bytes = bytes + (places + self.machine.memo.held_bytes()) as u64;
        self.limits.check_usage(&limits::Usage {
            opcodes: self.opcodes,
            stack: self.stack.len() as u64,
            marks: self.machine.marks.len() as u64,
            memo: self.machine.memo.len() as u64,
            nodes,
            bytes,
            cells: self.builder.cells(),
        })
    }
}
