//! Writes the values of a graph as a pickle.
//!
//! The mirror of the machine: it knows values and ops only. What is still to be written lies on a stack of steps, so
//! that nothing recurses; which node was put under which number is an array by slot. In what CPython's picklers differ
//! is data ([`writers`]).

mod atoms;
mod containers;
pub(crate) mod cpython;
mod fallback_calls;
mod fast_flat;
mod fast_tree;
#[cfg(test)]
mod frame_tests;
mod globals;
mod left_out;
mod memo;
mod payload;
mod persistent_and_buffers;
mod reduction;
mod reentrant_partial;
mod refcounts;
mod scratch;
mod state;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use picklevm_ops::{self as ops, Op, Sink};

use self::containers::Open;
use self::cpython::PicklerVersion;
use self::left_out::LeftOut;
use self::memo::{Entry, Made, Memo};
pub(crate) use self::persistent_and_buffers::BufferCallback;
use self::reduction::Reentry;
use self::reentrant_partial::OuterCalls;
use self::refcounts::RefCounts;
pub(crate) use self::scratch::Scratch;
use self::state::PendingChange;
use crate::dump_limits::DumpLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Fixed, Value};
use crate::protocol::Protocol;
use crate::resolve::Extensions;
use crate::resolve::python2_names::Names;

/// How to write.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) protocol: Protocol,
    pub(crate) writer: PicklerVersion,
    pub(crate) fix_imports: bool,
    pub(crate) fast: bool,
    pub(crate) extensions: Arc<Extensions>,
    /// Whether all is written in steps, to compare with what the faster loops write.
    #[cfg(test)]
    pub(crate) is_stepwise: bool,
    pub(crate) limits: DumpLimits,
}

/// One run of the pickler, from PROTO to STOP.
pub(crate) struct Emitter<'g, 'o, S> {
    arena: &'g Arena,
    out: &'o mut ops::Writer<S>,
    memo: &'o mut Memo,
    /// What is still to be written, the next at the end.
    steps: &'o mut Vec<Step>,
    options: &'o Options,
    buffer_callback: Option<&'o mut BufferCallback>,
    protocol: u8,
    /// [`Options::has_runs`].
    has_runs: bool,
    /// What still happens to the objects that are being written, the next at the end.
    changes: Vec<PendingChange>,
    /// The numbers of `cls.__new__`, by class; none before the first, so that most pickles need no hash table.
    new_methods: Option<HashMap<Cell, u32, RandomState>>,
    /// How many containers are open that have a number already: each of them ends a cycle that comes back to it.
    barriers: u32,
    /// Objects that were met inside their own arguments.
    reentries: Option<HashMap<Cell, Reentry, RandomState>>,
    root: Cell,
    /// How far the output may come.
    most_output: u64,
    /// Where this pickle began in it.
    started: u64,
    /// Objects that are written before the root, each dropped.
    effects: &'o [Cell],
    /// Those of them that are written where the object is that they were to make.
    outer_calls: Option<OuterCalls>,
    /// How often nodes are referred to, once someone asked.
    refcounts: Option<RefCounts>,
    /// Which PUTs are left out, by a pickler that leaves some out.
    left_out: Option<LeftOut>,
    /// Whether not all is put into the memo.
    selects_puts: bool,
    /// Values that are still looked at to tell which objects their own arguments lead back to.
    curiosity: u32,
}

/// A pickle of which a part may be written already.
struct Begun {
    /// How many barriers are open.
    barriers: u32,
    /// Where it begins in the output.
    started: u64,
}

/// What is to be written.
#[derive(Clone, Copy)]
enum Step {
    /// A value.
    Save(Cell, Place),
    /// The values, one after the other.
    Each(Fixed),
    /// The rest of a container, and its end.
    Open(Open),
    /// One opcode, and a PUT for what it made where it makes something that is no node.
    Op(Bare),
    /// The opcode that makes an object of what was written, its PUT, and what happens to it next.
    Finish(Cell, Bare),
    /// The same for an object that is dropped: there is no PUT.
    FinishEffect(Cell, Bare),
    /// What happens to an object that was just made.
    Changes(Cell),
    /// The next of the changes, of which so many are left.
    Change(Cell, usize),
    /// BINPERSID, and a PUT if the reference is shared.
    Persistent(Cell),
    /// Text that is no node.
    Name(&'static str),
    /// The global `getattr`, and the MARK of its arguments.
    Getattr,
    /// `cls.__new__`.
    NewMethod(Cell),
    /// The REDUCE that makes it, and its PUT.
    FinishNewMethod(Cell),
    /// GET of an object that was made while its outer call was written.
    Fetch(Cell),
    /// Fast mode: the node is not open any more.
    Close(usize),
}

/// Opcodes without operands that end something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    Build,
    EmptyTuple,
    Inst,
    Mark,
    NewObj,
    NewObjEx,
    None,
    Obj,
    Pop,
    /// REDUCE without a PUT.
    Reduce,
    /// REDUCE with a PUT of a number that nobody asks for.
    ReducePut,
    /// TUPLE2 without a PUT.
    Pair,
    /// The end of a tuple of so many items (4: of any number more), with a PUT that nobody asks for.
    Tuple(u8),
}

/// Where a value stands: in data, or in the arguments that make an object.
///
/// What only the arguments hold was made afresh by each call of `__reduce_ex__`: it is never fetched.
///
/// A number below four, so that it is carried along without a look at which it is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place(u8);

impl Place {
    const DATA: Place = Place(0);
    const ARGUMENTS: Place = Place(1);
    /// In arguments that lead back to their object through several lists and dicts that nothing else holds: the
    /// outermost was made afresh, as `list(self)` is, and the others are the object's own.
    const SHALLOW_ARGUMENTS: Place = Place(2);
    /// In arguments that lead back to their object through nothing but fresh values: lists and dicts are fetched.
    const GUARDED_ARGUMENTS: Place = Place(3);
}

/// The pickle of a value, if it is a short tree and written as such from beginning to end.
#[inline]
pub(crate) fn short(value: Value<'_>, options: &Options) -> Option<Box<[u8]>> {
    let is_known = options.has_runs()
        && options.protocol <= options.writer.highest_protocol()
        && options.limits.allows(scratch::SHORT as u64);
    if !value.arena().is_tree.0 || !is_known || value.arena().pickled_len_hint() > scratch::SHORT {
        return None;
    }
    Scratch::short(|memory, levels| {
        let protocol = options.protocol.into();
        ops::write_small(memory, protocol, options.writer.quirks().framing, |run| {
            fast_tree::short(value, run, levels, protocol)
        })
    })
}

/// Writes one pickle, from PROTO to STOP, with the memo of the work: the effects, each dropped, then the value.
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
        let left = if scratch.is_for_one && value.arena().is_tree.0 {
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
    if written > options.limits.most(value.arena()) {
        return options.limits.check(value.arena(), written);
    }
    Ok(())
}

/// STOP, and the end of the last frame.
#[inline]
fn end<S: Sink>(out: &mut ops::Writer<S>) -> std::result::Result<(), ops::Error> {
    out.op(Op::Stop)?;
    out.end_framing()
}

impl Options {
    /// Whether leaves are written in runs: the protocol and the habits have nothing against it.
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
    /// Goes on with what is left of a value.
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
        let counts_references = options.writer.quirks().counts_references;
        let left_out = counts_references.then(|| LeftOut::of(value.arena(), &memo.slots(), value.cell(), effects));
        if counts_references {
            memo.start_at_1();
        }
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
            most_output: started.saturating_add(options.limits.most(value.arena())),
            started,
            effects,
            outer_calls: None,
            refcounts: None,
            selects_puts: options.fast || left_out.is_some(),
            left_out,
            curiosity: persistent_and_buffers::REENTRY_WORK_LIMIT,
        }
    }

    /// Writes the effects, each dropped, then the root.
    fn whole(mut self) -> Result<()> {
        if matches!(self.protocol, 2..=3) && !self.options.fast {
            self.outer_calls = reentrant_partial::outer_calls(self.arena, self.root, self.effects);
        }
        for effect in self.effects {
            if self.is_outer_call(*effect) {
                continue;
            }
            self.steps.push(Step::Op(Bare::Pop));
            self.save_effect(*effect)?;
            self.run()?;
        }
        self.steps.push(Step::Save(self.root, Place::DATA));
        self.run()
    }

    /// Takes steps until none is left.
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
                Step::Name(text) => self.made_text(text.into())?,
                Step::Getattr => {
                    self.made_global("builtins", "getattr")?;
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

    /// Writes a value, or its beginning and puts the rest on the stack of steps: `save` of CPython's picklers.
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
    fn check_output(&self) -> Result<()> {
        self.options.limits.check(self.arena, self.out.offset() - self.started)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn op(&mut self, op: Op<'_>) -> Result<()> {
        self.out.op(op).map_err(Error::unwritable)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn get(&mut self, number: u32) -> Result<()> {
        match u8::try_from(number) {
            _ if self.protocol == 0 => self.op(Op::Get(number.into())),
            Ok(number) => self.op(Op::BinGet(number)),
            Err(_) => self.op(Op::LongBinGet(number)),
        }
    }

    /// Puts the node on top of the stack into the memo.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn put(&mut self, slot: usize) -> Result<()> {
        if self.selects_puts && self.leaves_out(slot) {
            return Ok(());
        }
        let number = self.memo.put(slot);
        self.write_put(number)
    }

    /// Whether there is no PUT for a node, which is complete: it is written again if it is met again.
    #[cold]
    #[inline(never)]
    fn leaves_out(&mut self, slot: usize) -> bool {
        let leaves_out = self.left_out.as_ref().is_some_and(|left_out| left_out.has(slot));
        if leaves_out {
            self.memo.set(slot, Entry::NONE);
        }
        leaves_out || self.options.fast
    }

    /// Whether there is a rule for which PUTs are left out, and no pickle that tells.
    fn has_put_rule(&self) -> bool {
        self.left_out.as_ref().is_some_and(LeftOut::is_by_rule)
    }

    /// Puts what nobody will ask for into the memo, as CPython does.
    fn put_nameless(&mut self) -> Result<()> {
        if self.selects_puts {
            return Ok(());
        }
        let number = self.memo.skip();
        self.write_put(number)
    }

    /// The same for a list, which cPickle puts there if anything is in it.
    fn put_nameless_list(&mut self, len: u32) -> Result<()> {
        if self.options.fast || (self.left_out.is_some() && len == 0) {
            return Ok(());
        }
        let number = self.memo.skip();
        self.write_put(number)
    }

    fn put_made(&mut self, made: Made) -> Result<()> {
        if self.options.fast {
            return Ok(());
        }
        let number = self.memo.put_made(made);
        self.write_put(number)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn write_put(&mut self, number: u32) -> Result<()> {
        if self.memo.is_full() {
            return Err(memo_is_full());
        }
        match u8::try_from(number) {
            _ if self.protocol >= 4 => self.op(Op::Memoize),
            _ if self.protocol == 0 => self.op(Op::Put(number.into())),
            Ok(number) => self.op(Op::BinPut(number)),
            Err(_) => self.op(Op::LongBinPut(number)),
        }
    }

    fn bare(&mut self, op: Bare) -> Result<()> {
        let op = match op {
            Bare::Build => Op::Build,
            Bare::EmptyTuple => return self.empty_tuple(),
            Bare::Mark => Op::Mark,
            Bare::NewObj => Op::NewObj,
            Bare::NewObjEx => Op::NewObjEx,
            Bare::None => Op::None,
            Bare::Inst | Bare::Obj => Op::Obj,
            Bare::Pop => Op::Pop,
            Bare::Reduce => Op::Reduce,
            Bare::ReducePut => {
                self.op(Op::Reduce)?;
                return self.put_nameless();
            }
            Bare::Pair => Op::Tuple2,
            Bare::Tuple(len) => {
                self.tuple_end(len.into())?;
                return self.put_nameless();
            }
        };
        self.op(op)
    }

    fn refcounts(&mut self) -> &mut RefCounts {
        let Emitter { arena, memo, root, effects, .. } = self;
        self.refcounts.get_or_insert_with(|| RefCounts::take(arena, memo.slots(), *root, effects))
    }

    /// Whose names globals have in what is written.
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
    Error::new(ErrorKind::Limit, format!("at most {} memo entries", Entry::MOST), "more")
}
