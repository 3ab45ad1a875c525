//! Runs that check their limits by the bytes read instead of counting opcodes.

use picklevm_ops::Source;

use super::Machine;
use super::builder::Builder;
use super::run::{Outcome, Run};
use crate::error::Result;
use crate::limits::{self, Limits};

/// Runs one pickle and returns the source and the value that STOP finds on the stack. The memo is kept for the next load.
///
/// The limit on opcodes is not checked.
///
/// # Errors
///
/// If the input is not a pickle, is truncated, or exceeds a limit, or if the builder fails.
pub fn load<B: Builder, S: Source>(
    machine: &mut Machine<B::Value>,
    builder: &mut B,
    source: S,
    limits: &Limits,
) -> (S, Result<B::Value>) {
    machine.clear_stack();
    let total = source.len_hint();
    let mut run = Run::new(machine, builder, limits, limits::CHECK_INTERVAL, total);
    let done = run.run_by_bytes(source);
    run.end();
    done
}

impl<B: Builder> Run<'_, B> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn run_by_bytes<S: Source>(&mut self, mut source: S) -> (S, Result<B::Value>) {
        let mut until = source.offset().saturating_add(limits::CHECK_INTERVAL);
        loop {
            let (after, visited) = source.visit_until(until, self);
            source = after;
            if let Err(error) = visited {
                return (source, Err(error.into()));
            }
            match self.leave(source.offset()) {
                Ok(Outcome::Stopped(root)) => return (source, Ok(root)),
                // A due check stays due, however often POP leaves the loop.
                Ok(Outcome::Dropped(call)) => self.await_get(call, source.peek_opcode()),
                Ok(Outcome::Popped) => {}
                Ok(Outcome::LimitsChecked) => until = source.offset().saturating_add(self.fuel.max(1)),
                Err(error) => {
                    let error = error.at(source.op_offset(), source.op_opcode());
                    return (source, Err(error));
                }
            }
        }
    }
}
