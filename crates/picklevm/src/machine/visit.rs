//! How decoded ops reach a run, one or several at once.

use picklevm_ops::internal::{IntRun, RunVisitor, ShortInt};
use picklevm_ops::{Op, Opcode, Visitor};

use super::builder::Builder;
use super::memo::Slot;
use super::run::{Exit, Run};
use crate::error::{Error, Result};

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

impl<B: Builder> Run<'_, B> {
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
}
