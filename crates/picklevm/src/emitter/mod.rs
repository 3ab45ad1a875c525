//! Writes the values of a graph as a pickle.
//!
//! The counterpart of the machine: it works with values and ops only. Pending work is a stack of steps, without recursion.
//! The memo is an array, by slot of the node. Differences between CPython's picklers are data ([`cpython`]).

mod atoms;
mod containers;
pub(crate) mod cpython;
mod fallback_calls;
mod fast_flat;
mod fast_tree;
#[cfg(test)]
mod frame_tests;
mod globals;
pub(crate) mod leaf;
mod memo;
mod omitted_puts;
mod outer_calls;
mod payload;
mod persistent_and_buffers;
mod reduction;
mod refcounts;
mod scratch;
mod state;
mod step;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use picklevm_ops::{self as ops, Op, Sink};

use self::cpython::PicklerVersion;
use self::memo::{Entry, Memo, Synthetic};
use self::omitted_puts::OmittedPuts;
use self::outer_calls::OuterCalls;
pub(crate) use self::persistent_and_buffers::BufferCallback;
use self::reduction::Reentry;
use self::refcounts::RefCounts;
pub(crate) use self::scratch::{Scratch, trim};
use self::state::PendingChange;
use self::step::{BareOp, Place, Step};
use crate::dump_limits::DumpLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Value};
use crate::protocol::Protocol;
use crate::python::Names;
use crate::resolve::Extensions;

/// Options for writing.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) protocol: Protocol,
    pub(crate) writer: PicklerVersion,
    pub(crate) fix_imports: bool,
    pub(crate) fast: bool,
    pub(crate) extensions: Arc<Extensions>,
    /// Whether everything is written in steps, to compare with the output of the fast paths.
    #[cfg(test)]
    pub(crate) is_stepwise: bool,
    pub(crate) limits: DumpLimits,
}

/// One run of the pickler, from PROTO to STOP.
pub(crate) struct Emitter<'g, 'o, S> {
    arena: &'g Arena,
    out: &'o mut ops::Writer<S>,
    memo: &'o mut Memo,
    /// Pending steps, the next at the end.
    steps: &'o mut Vec<Step>,
    options: &'o Options,
    buffer_callback: Option<&'o mut BufferCallback>,
    protocol: u8,
    /// [`Options::has_runs`].
    has_runs: bool,
    /// Pending changes of the objects being written, the next at the end.
    changes: Vec<PendingChange>,
    /// Memo indices of `cls.__new__`, by class. `None` before the first: most pickles need no hash table.
    new_methods: Option<HashMap<Cell, u32, RandomState>>,
    /// Number of open containers with a memo index: a cycle back to one of them ends there.
    barriers: u32,
    /// Objects found inside their own arguments.
    reentries: Option<HashMap<Cell, Reentry, RandomState>>,
    root: Cell,
    /// Maximum offset of the output.
    most_output: u64,
    /// Start of this pickle in the output.
    started: u64,
    /// Objects written and popped before the root.
    effects: &'o [Cell],
    /// Calls that are written at the object that they were to make.
    outer_calls: Option<Box<OuterCalls>>,
    /// Reference counts of nodes, computed on first use.
    refcounts: Option<RefCounts>,
    /// PUTs to omit, for a pickler that omits some.
    omitted_puts: Option<OmittedPuts>,
    /// Whether some values are not put into the memo.
    selects_puts: bool,
    /// Remaining work of the search for objects inside their own arguments.
    reentry_work: u32,
}

/// A pickle that may be partly written.
struct Begun {
    /// Number of open barriers.
    barriers: u32,
    /// Start in the output.
    started: u64,
}

/// Writes a value that is a short tree on the fast path. Returns `None` if it is not, or needs steps.
#[inline]
pub(crate) fn short(value: Value<'_>, options: &Options) -> Option<Box<[u8]>> {
    let is_known = options.has_runs()
        && options.protocol <= options.writer.highest_protocol()
        && options.limits.base() >= scratch::SHORT_PICKLE_LEN as u64;
    if !value.arena().is_tree.0 || !is_known || value.arena().pickled_len_hint() > scratch::SHORT_PICKLE_LEN {
        return None;
    }
    Scratch::short(|memory, levels| {
        let protocol = options.protocol.into();
        ops::internal::write_small(memory, protocol, options.writer.quirks().framing, |run| {
            fast_tree::short(value, run, levels, protocol)
        })
    })
}

/// Writes one pickle, from PROTO to STOP: the effects, each popped, then the value.
#[inline]
pub(crate) fn dump<S: Sink>(
    value: Value<'_>,
    effects: &[Cell],
    out: &mut ops::Writer<S>,
    scratch: &mut Scratch,
    options: &Options,
    buffer_callback: Option<&mut BufferCallback>,
) -> Result<()> {
    let protocol = options.protocol.into();
    let started = out.offset();
    out.begin(protocol, options.writer.quirks().framing).map_err(Error::unwritable)?;
    if effects.is_empty() && options.has_runs() {
        let left = if !scratch.is_stream && value.arena().is_tree.0 {
            fast_tree::whole(value, out, scratch, protocol)?
        } else {
            fast_flat::whole(value, out, scratch, protocol)
        };
        if let Some(barriers) = left {
            Emitter::new(value, effects, out, scratch, options, buffer_callback, Begun { barriers, started }).run()?;
        }
    } else {
        scratch.memo.turn_to(value.arena());
        Emitter::new(value, effects, out, scratch, options, buffer_callback, Begun { barriers: 0, started }).whole()?;
    }
    end(out).map_err(Error::unwritable)?;
    let written = out.offset() - started;
    if written > options.limits.base() {
        return options.limits.check(value.arena(), written);
    }
    Ok(())
}

/// Writes a value of a graph as a part of a pickle that something else writes, with the memo of the scratch.
pub(crate) fn part<S: Sink>(
    value: Value<'_>,
    out: &mut ops::Writer<S>,
    scratch: &mut Scratch,
    options: &Options,
) -> Result<()> {
    scratch.memo.turn_to(value.arena());
    let started = out.offset();
    Emitter::new(value, &[], out, scratch, options, None, Begun { barriers: 0, started }).whole()
}

/// Writes STOP, and ends the last frame.
#[inline]
pub(crate) fn end<S: Sink>(out: &mut ops::Writer<S>) -> std::result::Result<(), ops::Error> {
    out.op(Op::Stop)?;
    out.end_framing()
}

impl Options {
    /// Whether the writer of Rust types knows all rules of this pickler.
    pub(crate) fn is_ordinary(&self) -> bool {
        let quirks = self.writer.quirks();
        let is_python2 = quirks.wide_ints || quirks.counts_references;
        let is_known = self.protocol <= self.writer.highest_protocol();
        is_known && !is_python2 && !self.fast && self.limits == DumpLimits::default()
    }

    /// Whether the protocol and the quirks allow the fast paths.
    #[inline]
    fn has_runs(&self) -> bool {
        #[cfg(test)]
        if self.is_stepwise {
            return false;
        }
        self.protocol >= Protocol::V2 && !self.fast && !self.writer.quirks().wide_ints
    }
}

impl<'g, 'o, S: Sink> Emitter<'g, 'o, S> {
    /// Returns an emitter for the rest of a value.
    #[inline(never)]
    fn new(
        value: Value<'g>,
        effects: &'o [Cell],
        out: &'o mut ops::Writer<S>,
        scratch: &'o mut Scratch,
        options: &'o Options,
        buffer_callback: Option<&'o mut BufferCallback>,
        Begun { barriers, started }: Begun,
    ) -> Self {
        let Scratch { memo, steps, .. } = scratch;
        Emitter {
            arena: value.arena(),
            out,
            memo,
            steps,
            protocol: options.protocol.into(),
            has_runs: options.has_runs(),
            options,
            buffer_callback,
            changes: Vec::new(),
            new_methods: None,
            barriers,
            reentries: None,
            root: value.cell(),
            most_output: started.saturating_add(options.limits.base()),
            started,
            effects,
            outer_calls: OuterCalls::of(value.arena(), effects, options),
            refcounts: None,
            selects_puts: options.fast,
            omitted_puts: None,
            reentry_work: persistent_and_buffers::REENTRY_WORK_LIMIT,
        }
    }

    /// Finds the PUTs that cPickle omits, and numbers the memo as it does.
    // Not a part of `new`, where the result would be copied through the stack for every pickler.
    #[cold]
    #[inline(never)]
    fn count_references(&mut self) {
        self.omitted_puts = Some(OmittedPuts::of(self.arena, &self.memo.slots(), self.root, self.effects));
        self.selects_puts = true;
        self.memo.start_at_1();
    }

    /// Writes the effects, each popped, then the root.
    fn whole(&mut self) -> Result<()> {
        if self.options.writer.quirks().counts_references {
            self.count_references();
        }
        for effect in self.effects {
            if self.is_outer_call(*effect) {
                continue;
            }
            self.steps.push(Step::Op(BareOp::Pop));
            self.save_effect(*effect)?;
            self.run()?;
        }
        self.steps.push(Step::Save(self.root, Place::DATA));
        self.run()
    }

    /// Runs steps until none is left.
    fn run(&mut self) -> Result<()> {
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Open(open) => self.items(open)?,
                Step::Save(cell, place) => self.save(cell, place)?,
                Step::Finish(cell, op) => self.finish(cell, op)?,
                Step::Changes(cell) => self.begin_changes(cell)?,
                Step::Change(cell, left) => self.change(cell, left)?,
                Step::Op(op) => self.bare(op)?,
                Step::Each(cells) => {
                    if let Some(first) = self.arena.range(cells.start, cells.len).first() {
                        self.steps.push(Step::Each(cells.after(1)));
                        self.save(*first, Place::DATA)?;
                    }
                }
                Step::FinishEffect(cell, op) => self.finish_effect(cell, op)?,
                Step::Persistent(cell) => self.finish_persistent(cell)?,
                Step::Name(text) => self.synthetic_text(text.into())?,
                Step::Getattr => {
                    self.synthetic_global("builtins", "getattr")?;
                    self.tuple_start(2)?;
                }
                Step::NewMethod(class) => self.new_method(class)?,
                Step::FinishNewMethod(class) => self.finish_new_method(class)?,
                Step::Fetch(cell) => self.fetch(cell)?,
                Step::Close(slot) => self.memo.set(slot, Entry::NONE),
            }
        }
        Ok(())
    }

    /// Writes a value, or its start, and pushes steps for the rest: `save` of CPython's picklers.
    fn save(&mut self, cell: Cell, place: Place) -> Result<()> {
        self.boundary()?;
        if self.atom(cell)? { Ok(()) } else { self.compound(cell, place) }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn boundary(&mut self) -> Result<()> {
        if self.out.offset() > self.most_output {
            self.check_output()?;
        }
        self.out.boundary().map_err(Error::unwritable)
    }

    #[cold]
    #[inline(never)]
    fn check_output(&mut self) -> Result<()> {
        self.options.limits.check(self.arena, self.out.offset() - self.started)?;
        self.most_output = self.started.saturating_add(self.options.limits.max_len(self.arena));
        Ok(())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn op(&mut self, op: Op<'_>) -> Result<()> {
        self.out.op(op).map_err(Error::unwritable)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn get(&mut self, number: u32) -> Result<()> {
        self.leaf().get(number)
    }

    /// Puts the node on top of the stack into the memo.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn put(&mut self, slot: usize) -> Result<()> {
        if self.selects_puts && self.omits_put(slot) {
            return Ok(());
        }
        let number = self.memo.put(slot);
        self.write_put(number)
    }

    /// Whether the PUT of a complete node is omitted. The node is written again if it occurs again.
    #[cold]
    #[inline(never)]
    fn omits_put(&mut self, slot: usize) -> bool {
        let omits_put = self.omitted_puts.as_ref().is_some_and(|omitted| omitted.has(slot));
        if omits_put {
            self.memo.set(slot, Entry::NONE);
        }
        omits_put || self.options.fast
    }

    /// Whether PUTs are omitted by rule, not as in a loaded pickle.
    fn has_put_rule(&self) -> bool {
        self.omitted_puts.as_ref().is_some_and(OmittedPuts::is_by_rule)
    }

    /// Writes a PUT that is never read, as CPython does.
    fn put_unread(&mut self) -> Result<()> {
        if self.selects_puts {
            return Ok(());
        }
        let number = self.memo.skip();
        self.write_put(number)
    }

    /// The same for a list, for which cPickle writes a PUT unless it is empty.
    fn put_unread_list(&mut self, len: u32) -> Result<()> {
        if self.options.fast || (self.omitted_puts.is_some() && len == 0) {
            return Ok(());
        }
        let number = self.memo.skip();
        self.write_put(number)
    }

    fn put_synthetic(&mut self, value: Synthetic) -> Result<()> {
        if self.options.fast {
            return Ok(());
        }
        let number = self.memo.put_synthetic(value);
        self.write_put(number)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn write_put(&mut self, number: u32) -> Result<()> {
        if self.memo.is_full() {
            return Err(memo_is_full());
        }
        self.leaf().put(number)
    }

    fn bare(&mut self, op: BareOp) -> Result<()> {
        let op = match op {
            BareOp::Build => Op::Build,
            BareOp::EmptyTuple => return self.leaf().empty_tuple(),
            BareOp::Mark => Op::Mark,
            BareOp::NewObj => Op::NewObj,
            BareOp::NewObjEx => Op::NewObjEx,
            BareOp::None => Op::None,
            BareOp::Inst | BareOp::Obj => Op::Obj,
            BareOp::Pop => Op::Pop,
            BareOp::Reduce => Op::Reduce,
            BareOp::ReducePut => {
                self.op(Op::Reduce)?;
                return self.put_unread();
            }
            BareOp::Pair => Op::Tuple2,
            BareOp::Tuple(len) => {
                self.tuple_end(len.into())?;
                return self.put_unread();
            }
        };
        self.op(op)
    }

    fn refcounts(&mut self) -> &mut RefCounts {
        let Emitter { arena, memo, root, effects, .. } = self;
        self.refcounts.get_or_insert_with(|| RefCounts::take(arena, memo.slots(), *root, effects))
    }

    /// Returns the names that globals have at this protocol.
    fn names(&self) -> Names {
        Names::of_protocol(self.protocol)
    }
}

#[cold]
#[inline(never)]
fn unrepresentable(
    expected: impl Into<std::borrow::Cow<'static, str>>,
    found: impl Into<std::borrow::Cow<'static, str>>,
) -> Error {
    Error::new(ErrorKind::Unrepresentable, expected, found)
}

#[cold]
#[inline(never)]
fn memo_is_full() -> Error {
    Error::new(ErrorKind::Limit, format!("at most {} memo entries", Entry::MAX), "more")
}
