//! One run: the loop over the ops of a pickle, and the checks of the limits.

use picklevm_ops::{Opcode, Source};

use super::Machine;
use super::builder::Builder;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};

/// One run of the machine, from an opcode to STOP.
pub(super) struct Run<'m, B: Builder> {
    pub(super) machine: &'m mut Machine<B::Value>,
    pub(super) builder: &'m mut B,
    // Taken from the machine for the run: pushing through a reference would cost one more load for each op.
    pub(super) stack: Vec<B::Value>,
    /// Position on the stack of the last mark.
    pub(super) base: usize,
    pub(super) limits: &'m Limits,
    /// Opcodes left before the next check of the limits, and how many there were after the last one.
    pub(super) fuel: u64,
    pub(super) fuel_before: u64,
    /// Opcodes executed before the last check of the limits.
    pub(super) opcodes: u64,
    /// Why the loop was left, if it was.
    pub(super) exit: Option<Exit>,
    /// A call dropped by POP, until the GET after it has run.
    pub(super) dropped: Option<B::Value>,
    /// Whether the next GET is reported to the builder: the first one, and one after a dropped call.
    pub(super) reports_get: bool,
    /// Whether the limits were checked: a load that ends before the first check cannot have exceeded one.
    pub(super) limits_checked: bool,
    /// The length of the input, if known.
    pub(super) total: Option<u64>,
}

/// Why the loop is left.
pub(super) enum Exit {
    /// STOP ends the pickle.
    Stop,
    /// POP needs to know the next op.
    Pop,
    Failed(Error),
}

/// What happened after the loop was left.
pub(super) enum Outcome<V> {
    /// STOP ended the pickle with this value.
    Stopped(V),
    /// POP dropped a call.
    Dropped(V),
    /// POP dropped a value that is not a call.
    Popped,
    /// The limits were checked.
    LimitsChecked,
}

impl<'m, B: Builder> Run<'m, B> {
    /// Creates a run that continues where the last one ended.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn new(
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
    pub(super) fn end(&mut self) {
        std::mem::swap(&mut self.machine.stack, &mut self.stack);
        self.machine.base = self.base;
    }

    /// Begins the next pickle on the same builder. The fuel is kept.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn start_pickle(&mut self, shared_memo: bool) {
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
    pub(super) fn run<S: Source>(&mut self, mut source: S) -> (S, Result<B::Value>) {
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
    pub(super) fn run_slice<S: Source>(&mut self, mut decoder: S) -> Result<B::Value> {
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
    pub(super) fn leave(&mut self, offset: u64) -> Result<Outcome<B::Value>> {
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
    pub(super) fn await_get(&mut self, call: B::Value, next: Option<Opcode>) {
        match next {
            Some(opcode) if opcode.is_get() => {
                self.dropped = Some(call);
                self.reports_get = true;
            }
            _ => self.builder.dropped(call, None),
        }
    }

    /// Returns the value of the pickle.
    pub(super) fn stop(&mut self) -> Result<B::Value> {
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
    pub(super) fn check(&self) -> Result<u64> {
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
