//! A pickle op by op: the states of the machine that runs it.

use std::fmt;

use bytes::Bytes;
use picklevm_ops::{Decoder, Op, Opcode, Source};

use crate::error::Result;
use crate::graph::{Cell, Graph, Id};
use crate::limits;
use crate::load::Unpickler;
use crate::machine::Machine;
use crate::machine::hooks::Session;
use crate::machine::one_op::Paused;
use crate::options::Options;

/// Runs the first pickle of a slice op by op, with the [`Standard`](crate::Standard) resolver and the default
/// [`Limits`](crate::Limits). See [`Trace`].
pub fn trace(bytes: &[u8]) -> Trace<'_> {
    Unpickler::new().trace(bytes)
}

/// Iterator over the states of the machine that runs a pickle: created by [`trace`] and [`Unpickler::trace`].
///
/// Each item says what an op did; [`stack`](Trace::stack), [`marks`](Trace::marks) and [`memo`](Trace::memo) are the state
/// after it. Values are [`Id`]s: those that a load with the same options gives them, and those of the graph that
/// [`into_graph`](Trace::into_graph) returns. The iterator ends after STOP or an error.
///
/// ```
/// let mut trace = picklevm::trace(b"\x80\x04]\x94(K\x01K\x02e.");
/// let mut lines = Vec::new();
/// while let Some(step) = trace.next() {
///     let step = step?;
///     lines.push(format!("{} {}: {} values, {} marks", step.offset, step.op.opcode(), step.stack_len, step.marks));
/// }
/// assert_eq!(lines[1], "2 EMPTY_LIST: 1 values, 0 marks");
/// assert_eq!(lines[5], "7 BININT1: 3 values, 1 marks");
/// assert_eq!(lines[6], "9 APPENDS: 1 values, 0 marks");
/// assert_eq!(trace.into_graph().root().to_string(), "[1, 2]");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub struct Trace<'a> {
    decoder: Decoder<'a>,
    machine: Machine<Cell>,
    graph: Graph,
    options: Options,
    session: Session,
    paused: Paused,
    /// The value of the pickle, after STOP.
    root: Option<Cell>,
    is_over: bool,
}

/// What one op did. Returned by [`Trace`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TraceStep<'a> {
    /// The offset of the opcode.
    pub offset: u64,
    /// The offset after the op.
    pub end: u64,
    /// The op.
    pub op: Op<'a>,
    /// The values that it took from the stack, the bottom first.
    pub popped: Vec<Id>,
    /// The value that it left on top of the stack.
    pub pushed: Option<Id>,
    /// The value, still on the stack, that it changed: by items, entries, members or a state.
    pub changed: Option<Id>,
    /// What it did to the marks.
    pub mark: MarkChange,
    /// The index in the memo that it stored at, and the value.
    pub stored: Option<(u64, Id)>,
    /// How many values are on the stack, below all marks too.
    pub stack_len: usize,
    /// How many marks there are.
    pub marks: usize,
    /// How many entries the memo has.
    pub memo_len: usize,
}

/// What an op did to the marks of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkChange {
    /// Nothing.
    None,
    /// It pushed one: the values above it are a stack of their own, and those below wait on the metastack.
    Pushed,
    /// It took the topmost one, with all that was above.
    Popped,
}

impl Unpickler {
    /// Runs the first pickle of a slice op by op. See [`Trace`].
    pub fn trace<'a>(&self, bytes: &'a [u8]) -> Trace<'a> {
        Trace::new(self.options.clone(), bytes, None)
    }

    /// Runs the first pickle of shared bytes op by op; the graph does not copy their payloads.
    pub fn trace_bytes<'a>(&self, bytes: &'a Bytes) -> Trace<'a> {
        Trace::new(
            self.options.clone(),
            bytes,
            Some(bytes).filter(|bytes| bytes.len() >= Unpickler::ZERO_COPY_THRESHOLD),
        )
    }
}

impl<'a> Trace<'a> {
    fn new(options: Options, bytes: &'a [u8], shared: Option<&Bytes>) -> Trace<'a> {
        let (mut session, mut graph) = (Session::default(), Graph::for_input(Some(bytes.len() as u64)));
        let arena = graph.unique();
        if let Some(shared) = shared {
            arena.share_input(shared.clone());
        }
        let paused = Paused::new(arena, &options, &mut session);
        let (decoder, machine) = (Decoder::new(bytes), Machine::new());
        Trace { decoder, machine, graph, options, session, paused, root: None, is_over: false }
    }

    /// Returns the values on the stack, the bottom first; values below marks too.
    pub fn stack(&self) -> impl DoubleEndedIterator<Item = Id> + ExactSizeIterator + '_ {
        self.machine.stack().iter().map(|cell| Id(*cell))
    }

    /// Returns for each mark how many values are below it, the lowest mark first.
    pub fn marks(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.machine.marks()
    }

    /// Returns the memo, in no order.
    pub fn memo(&self) -> impl Iterator<Item = (u64, Id)> + '_ {
        self.machine.memo().map(|(index, cell)| (index, Id(*cell)))
    }

    /// Returns the value at an index of the memo.
    pub fn memo_at(&self, index: u64) -> Option<Id> {
        self.machine.memo.get(index).map(Id)
    }

    /// Returns how many entries the memo has.
    pub fn memo_len(&self) -> usize {
        self.machine.memo.len()
    }

    /// Returns the offset after the last op.
    pub fn offset(&self) -> u64 {
        self.decoder.offset() as u64
    }

    /// Returns whether STOP was run.
    pub fn is_complete(&self) -> bool {
        self.root.is_some()
    }

    /// Returns the graph. If STOP was not run, because of an error or because not all ops were, its
    /// [`roots`](crate::Arena::roots) are the values on the stack.
    pub fn into_graph(mut self) -> Graph {
        if self.root.is_none() {
            let arena = self.graph.unique();
            arena.growth = crate::graph::Growth::default();
            arena.settle_all();
            arena.roots = self.machine.stack().to_vec();
        }
        self.graph
    }

    fn run(&mut self) -> Result<TraceStep<'a>> {
        let limit = self.options.limits.input;
        let op = self.decoder.next_op()?;
        let (offset, end) = (self.decoder.op_offset() as u64, self.decoder.offset() as u64);
        limits::check("input", "bytes of input", limit, end)?;
        let opcode = op.opcode();
        let marks = self.machine.marks().len();
        let from = self.first_operand(opcode);
        let popped = self.machine.stack().get(from..).unwrap_or_default().iter().map(|cell| Id(*cell)).collect();
        let memo_len = self.machine.memo.len() as u64;
        let next = self.decoder.peek_opcode();
        let parts = (self.graph.unique(), &self.options, &mut self.session);
        let root = self.paused.step(&mut self.machine, parts, op, next);
        self.root = root.map_err(|error| error.at(offset, Some(opcode)))?;

        let stack = self.machine.stack();
        let (stack_len, top) = (stack.len(), stack.last().copied().map(Id));
        let mark = match self.machine.marks().len().cmp(&marks) {
            std::cmp::Ordering::Less => MarkChange::Popped,
            std::cmp::Ordering::Equal => MarkChange::None,
            std::cmp::Ordering::Greater => MarkChange::Pushed,
        };
        let index = match op {
            Op::Put(index) => Some(index),
            Op::BinPut(index) => Some(index.into()),
            Op::LongBinPut(index) => Some(index.into()),
            Op::Memoize => Some(memo_len),
            _ => None,
        };
        Ok(TraceStep {
            offset,
            end,
            op,
            popped,
            pushed: top.filter(|_| stack_len > from),
            changed: top.filter(|_| opcode.is_mutating()),
            mark,
            stored: index.zip(top),
            stack_len,
            marks: self.machine.marks().len(),
            memo_len: self.machine.memo.len(),
        })
    }

    /// Returns the position on the stack of the first value that an op takes: the height of the stack if it takes none.
    fn first_operand(&self, opcode: Opcode) -> usize {
        let height = self.machine.stack().len();
        let above_mark = self.machine.base();
        let before = opcode.stack_before();
        if before.contains(&picklevm_ops::StackObject::StackSlice) || (opcode == Opcode::Pop && above_mark == height) {
            return above_mark;
        }
        let stays = opcode.is_mutating() || opcode.is_put() || opcode == Opcode::Dup;
        let taken = if stays { before.len().saturating_sub(1) } else { before.len() };
        height.saturating_sub(taken)
    }
}

impl<'a> Iterator for Trace<'a> {
    type Item = Result<TraceStep<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.run();
        self.is_over = step.is_err() || self.root.is_some();
        Some(step)
    }
}

/// Shows where it is, and the heights of the stacks.
impl fmt::Debug for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("offset", &self.offset()).field("machine", &self.machine).finish_non_exhaustive()
    }
}
