//! Writes the values of a graph as a pickle.
//!
//! The mirror of the machine: it knows values and ops only. What is still to be written lies on a stack of steps, so
//! that nothing recurses; which node was put under which number is an array by slot. In what CPython's picklers differ
//! is data ([`writers`]).

mod atoms;
mod calls;
mod census;
mod changes;
mod containers;
#[cfg(test)]
mod frame_tests;
mod globals;
mod memo;
mod outside;
mod payload;
mod plain;
mod reduction;
mod tree;
mod work;
pub(crate) mod writers;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use picklevm_ops::{self as ops, Op, Sink};

use self::census::Census;
use self::changes::PendingChange;
use self::containers::Open;
use self::memo::{Entry, Made, Memo};
pub(crate) use self::outside::BufferCallback;
use self::reduction::Reentry;
pub(crate) use self::work::Work;
use self::writers::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Fixed, Value};
use crate::protocol::Protocol;
use crate::resolve::Extensions;
use crate::resolve::compat::Names;

/// How to write.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) protocol: Protocol,
    pub(crate) writer: Writer,
    pub(crate) fix_imports: bool,
    pub(crate) fast: bool,
    pub(crate) extensions: Arc<Extensions>,
    /// Whether all is written in steps, to compare with what the faster loops write.
    #[cfg(test)]
    pub(crate) is_stepwise: bool,
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
    /// Objects that are written before the root, each dropped.
    effects: &'o [Cell],
    /// How often nodes are referred to, once someone asked.
    census: Option<Census>,
    /// Values that are still looked at to tell which objects their own arguments lead back to.
    curiosity: u32,
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
    let is_known = options.has_runs() && options.protocol <= options.writer.highest_protocol();
    if !value.arena().is_tree.0 || !is_known || value.arena().pickled_len_hint() > work::SHORT {
        return None;
    }
    Work::short(|memory, levels| {
        let protocol = options.protocol.into();
        ops::short(memory, protocol, options.writer.habits().framing, |room| tree::short(value, room, levels, protocol))
    })
}

/// Writes one pickle, from PROTO to STOP, with the memo of the work: the effects, each dropped, then the value.
#[inline]
pub(crate) fn dump<S: Sink>(
    value: Value<'_>,
    effects: &[Cell],
    out: &mut ops::Writer<S>,
    work: &mut Work,
    options: &Options,
    buffer_callback: Option<&mut BufferCallback>,
) -> Result<()> {
    let protocol = options.protocol.into();
    out.begin(protocol, options.writer.habits().framing).map_err(Error::unwritable)?;
    if effects.is_empty() && options.has_runs() {
        let left = if work.is_for_one && value.arena().is_tree.0 {
            tree::whole(value, out, work, protocol)?
        } else {
            plain::whole(value, out, work, protocol)
        };
        if let Some(barriers) = left {
            Emitter::new(value, effects, out, work, options, buffer_callback, barriers).run()?;
        }
    } else {
        work.memo.turn_to(value.arena());
        Emitter::new(value, effects, out, work, options, buffer_callback, 0).whole()?;
    }
    end(out).map_err(Error::unwritable)
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
        self.protocol >= Protocol::V2 && !self.fast && !self.writer.habits().wide_ints
    }
}

impl<'g, 'o, S: Sink> Emitter<'g, 'o, S> {
    /// Goes on with what is left of a value, in which so many barriers are open.
    #[inline(never)]
    fn new(
        value: Value<'g>,
        effects: &'o [Cell],
        out: &'o mut ops::Writer<S>,
        work: &'o mut Work,
        options: &'o Options,
        buffer_callback: Option<&'o mut BufferCallback>,
        barriers: u32,
    ) -> Self {
        let Work { memo, steps, .. } = work;
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
            effects,
            census: None,
            curiosity: outside::CURIOSITY,
        }
    }

    /// Writes the effects, each dropped, then the root.
    fn whole(mut self) -> Result<()> {
        for effect in self.effects {
            self.steps.push(Step::Op(Bare::Pop));
            self.save(*effect, Place::DATA)?;
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
        self.out.boundary().map_err(Error::unwritable)
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
        if self.options.fast {
            return Ok(());
        }
        let number = self.memo.put(slot);
        self.write_put(number)
    }

    /// Puts what nobody will ask for into the memo, as CPython does.
    fn put_nameless(&mut self) -> Result<()> {
        if self.options.fast {
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

    fn census(&mut self) -> &mut Census {
        let Emitter { arena, memo, root, effects, .. } = self;
        self.census.get_or_insert_with(|| Census::take(arena, memo.slots(), *root, effects))
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
