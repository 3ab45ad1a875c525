//! The machine: stack, metastack and memo, and what each opcode does with them.
//!
//! It knows no nodes: a [`Builder`](builder::Builder) makes the values. The pure-Python `pickle._Unpickler` of
//! CPython 3.13 is the reference wherever CPython's readers disagree.

mod builder;
pub(crate) mod graph_builder;
pub(crate) mod kept;
mod memo;
pub(crate) mod noload;
pub(crate) mod resolving;

use picklevm_ops::{Op, Opcode, RawUnicode, Source, Text, Visitor};
use smallvec::SmallVec;

pub use self::builder::Builder;
pub(crate) use self::memo::Memo;
pub use self::memo::Slot;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{self, Limits};

/// Places of the stack, the metastack and the memo that are kept from load to load.
const KEPT: usize = 1 << 15;

/// The stack, the metastack and the memo, kept from load to load for their memory.
pub struct Machine<V> {
    stack: Vec<V>,
    /// Where on the stack the marks are: each the start of a stack of its own, as in `_Unpickler.metastack`.
    marks: Vec<usize>,
    /// Where the part of the stack above the last mark starts.
    base: usize,
    pub(crate) memo: Memo<V>,
}

impl<V: Slot> Default for Machine<V> {
    fn default() -> Self {
        Machine::new()
    }
}

impl<V: Slot> Machine<V> {
    /// An empty machine.
    pub fn new() -> Self {
        Machine { stack: Vec::new(), marks: Vec::new(), base: 0, memo: Memo::new() }
    }

    /// Forgets all, keeping memory unless it is much.
    pub fn clear(&mut self) {
        self.clear_stack();
        self.stack.shrink_to(KEPT);
        self.marks.shrink_to(KEPT);
        self.memo.clear();
    }

    fn clear_stack(&mut self) {
        self.stack.clear();
        self.marks.clear();
        self.base = 0;
    }
}

/// One run of the machine, from an opcode to STOP.
struct Run<'m, B: Builder> {
    builder: &'m mut B,
    stack: &'m mut Vec<B::Value>,
    marks: &'m mut Vec<usize>,
    memo: &'m mut Memo<B::Value>,
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
    /// Whether the limits were looked at: a load that ends before cannot have passed one.
    looked: bool,
    /// The length of the input, where it is known.
    total: Option<u64>,
}

/// Runs one pickle and returns what STOP found on the stack. The memo stays as it is left.
pub(crate) fn run<B: Builder, S: Source>(
    machine: &mut Machine<B::Value>,
    builder: &mut B,
    source: S,
    limits: &Limits,
) -> (S, Result<B::Value>) {
    machine.clear_stack();
    let total = source.len_hint();
    // A first load starts within every limit; a later one into the same graph is looked at from the first opcode.
    let fuel = if machine.memo.len() == 0 && builder.is_empty() { limits.first_look } else { 1 };
    Run::new(machine, builder, limits, fuel, total).run(source)
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
    machine.base = run.base;
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
    machine.base = run.base;
    done
}

#[cold]
#[inline(never)]
fn underflow(expected: &'static str) -> Error {
    Error::new(ErrorKind::Stack, expected, "nothing on the stack above the last mark")
}

#[cold]
#[inline(never)]
fn no_mark() -> Error {
    Error::new(ErrorKind::Stack, "a mark", "none on the stack")
}

#[cold]
#[inline(never)]
fn odd_items() -> Error {
    Error::new(ErrorKind::Stack, "keys and values in turn", "an odd number of items above the mark")
}

#[cold]
#[inline(never)]
fn not_in_memo(index: u64) -> Error {
    Error::new(ErrorKind::Memo, "an index that PUT or MEMOIZE has used", format!("{index}"))
}

/// Why the loop does not go on to the next op at once.
enum Exit {
    /// STOP ends it.
    Stop,
    /// POP looks at the op behind it.
    Pop,
    Failed(Error),
}

/// The opcodes that most of a pickle consists of. They are run where they are decoded; doing so with all of them would
/// make the loop slow to compile. A debug build does so with none.
const fn is_hot(byte: u8) -> bool {
    let hot = b"KJMG\x8aN\x88\x89\x8cXC]ae)\x85\x86\x87t}su(hj\x94qR\x81b";
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
            op => match if const { is_hot(BYTE) } { self.step(op) } else { self.step_apart(op) } {
                Ok(()) => return true,
                Err(error) => Exit::Failed(error),
            },
        };
        self.exit = Some(exit);
        false
    }
}

impl<'m, B: Builder> Run<'m, B> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn new(
        machine: &'m mut Machine<B::Value>,
        builder: &'m mut B,
        limits: &'m Limits,
        fuel: u64,
        total: Option<u64>,
    ) -> Self {
        let Machine { stack, marks, base, memo } = machine;
        Run {
            builder,
            stack,
            marks,
            memo,
            base: *base,
            limits,
            fuel,
            fuelled: fuel,
            opcodes: 0,
            exit: None,
            looked: false,
            total,
        }
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
            let failed = match self.exit.take() {
                None => self.refuel(source.offset()).err(),
                Some(Exit::Stop) => match self.stop() {
                    Ok(root) => return (source, Ok(root)),
                    Err(error) => Some(error),
                },
                Some(Exit::Pop) => {
                    let (moved, done) = self.pop_op(source);
                    source = moved;
                    done.err()
                }
                Some(Exit::Failed(error)) => Some(error),
            };
            if let Some(error) = failed {
                let error = error.at(source.op_offset(), source.op_opcode());
                return (source, Err(error));
            }
        }
    }

    /// The value that the pickle makes.
    fn stop(&mut self) -> Result<B::Value> {
        let root = self.pop("the value that the pickle makes")?;
        self.opcodes += self.fuelled - self.fuel;
        if self.looked {
            self.check()?;
        }
        self.builder.finish(root)?;
        Ok(root)
    }

    /// [`step`](Self::step), not inlined.
    #[inline(never)]
    fn step_apart(&mut self, op: Op<'_>) -> Result<()> {
        self.step(op)
    }

    /// Runs one op.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn step(&mut self, op: Op<'_>) -> Result<()> {
        let value = match op {
            // Integers, booleans, floats.
            Op::Int(number) | Op::Long(number) => self.builder.number(number)?,
            Op::BinInt(value) => self.builder.int(value.into()),
            Op::BinInt1(value) => self.builder.int(value.into()),
            Op::BinInt2(value) => self.builder.int(value.into()),
            Op::Long1(bytes) | Op::Long4(bytes) => self.builder.int_le(bytes)?,
            Op::None => self.builder.none(),
            Op::NewTrue => self.builder.bool(true),
            Op::NewFalse => self.builder.bool(false),
            Op::Float(value) | Op::BinFloat(value) => self.builder.float(value),

            // Strings, bytes and buffers.
            Op::String(escaped) => self.builder.byte_str(&escaped.decode())?,
            Op::BinString(bytes) | Op::ShortBinString(bytes) => self.builder.byte_str(bytes)?,
            Op::BinBytes(bytes) | Op::ShortBinBytes(bytes) | Op::BinBytes8(bytes) => self.builder.bytes(bytes)?,
            Op::ByteArray8(bytes) => self.builder.byte_array(bytes)?,
            Op::NextBuffer => self.builder.next_buffer()?,
            Op::ReadonlyBuffer => {
                let buffer = self.pop("a buffer")?;
                self.builder.readonly_buffer(buffer)?
            }
            Op::Unicode(raw) => self.raw_unicode(raw)?,
            Op::BinUnicode(text) | Op::ShortBinUnicode(text) | Op::BinUnicode8(text) => self.builder.text(text)?,

            // Containers.
            Op::EmptyList => self.builder.list(&[]),
            Op::List => {
                let from = self.mark()?;
                let list = self.builder.list(&self.stack[from..]);
                self.drop_to(from);
                list
            }
            Op::Append => {
                let item = self.pop("an item")?;
                let target = self.top("a list or an object below the item")?;
                return self.builder.append(target, &[item]);
            }
            Op::Appends => {
                let from = self.mark()?;
                let target = self.below(from)?;
                self.builder.append(target, &self.stack[from..])?;
                self.drop_to(from);
                return Ok(());
            }
            Op::EmptyTuple => self.builder.tuple(&[]),
            Op::Tuple => {
                let from = self.mark()?;
                let tuple = self.builder.tuple(&self.stack[from..]);
                self.drop_to(from);
                tuple
            }
            Op::Tuple1 => self.tuple_of(1)?,
            Op::Tuple2 => self.tuple_of(2)?,
            Op::Tuple3 => self.tuple_of(3)?,
            Op::EmptyDict => self.builder.dict(&[])?,
            Op::Dict => {
                let from = self.mark_of_pairs()?;
                let dict = self.builder.dict(&self.stack[from..])?;
                self.drop_to(from);
                dict
            }
            Op::SetItem => {
                let value = self.pop("a value")?;
                let key = self.pop("a key below the value")?;
                let target = self.top("a dict or an object below the key")?;
                return self.builder.set_items(target, &[key, value]);
            }
            Op::SetItems => {
                let from = self.mark_of_pairs()?;
                let target = self.below(from)?;
                self.builder.set_items(target, &self.stack[from..])?;
                self.drop_to(from);
                return Ok(());
            }
            Op::EmptySet => self.builder.set(),
            Op::AddItems => {
                let from = self.mark()?;
                let target = self.below(from)?;
                self.builder.add_items(target, &self.stack[from..])?;
                self.drop_to(from);
                return Ok(());
            }
            Op::FrozenSet => {
                let from = self.mark()?;
                let set = self.builder.frozenset(&self.stack[from..])?;
                self.drop_to(from);
                set
            }

            // Stack and memo.
            Op::Dup => self.top("a value to double")?,
            Op::Mark => {
                self.marks.push(self.base);
                self.base = self.stack.len();
                return Ok(());
            }
            Op::PopMark => {
                let from = self.mark()?;
                self.drop_to(from);
                return Ok(());
            }
            Op::Get(index) => self.get(index)?,
            Op::BinGet(index) => self.get(index.into())?,
            Op::LongBinGet(index) => self.get(index.into())?,
            Op::Put(index) => return self.put(index),
            Op::BinPut(index) => return self.put(index.into()),
            Op::LongBinPut(index) => return self.put(index.into()),
            Op::Memoize => return self.put(self.memo.len() as u64),

            // Globals, persistent references, calls, state.
            Op::Global(module, name) => self.builder.global(module, name)?,
            Op::StackGlobal => {
                let name = self.pop("the name of a global")?;
                let module = self.pop("the module of a global below its name")?;
                self.builder.stack_global(module, name)?
            }
            Op::Ext1(code) => self.builder.ext(code.into())?,
            Op::Ext2(code) => self.builder.ext(code.into())?,
            Op::Ext4(code) => self.builder.ext(code)?,
            Op::PersId(pid) => {
                let pid = self.builder.text(Text::from(pid))?;
                self.builder.persistent(pid)?
            }
            Op::BinPersId => {
                let pid = self.pop("a persistent id")?;
                self.builder.persistent(pid)?
            }
            Op::Reduce => {
                let args = self.pop("a tuple of arguments")?;
                let callable = self.pop("a callable below the arguments")?;
                self.builder.reduce(callable, args)?
            }
            Op::NewObj => {
                let args = self.pop("a tuple of arguments")?;
                let class = self.pop("a class below the arguments")?;
                self.builder.new_obj(class, args)?
            }
            Op::NewObjEx => {
                let kwargs = self.pop("a dict of keyword arguments")?;
                let args = self.pop("a tuple of arguments")?;
                let class = self.pop("a class below the arguments")?;
                self.builder.new_obj_ex(class, args, kwargs)?
            }
            Op::Inst(module, name) => {
                let class = self.builder.global(module, name)?;
                let from = self.mark()?;
                let object = self.builder.inst(class, &self.stack[from..])?;
                self.drop_to(from);
                object
            }
            Op::Obj => {
                let from = self.mark()?;
                let Some((class, args)) = self.stack[from..].split_first() else {
                    return Err(underflow("a class above the mark"));
                };
                let object = self.builder.obj(*class, args)?;
                self.drop_to(from);
                object
            }
            Op::Build => {
                let state = self.pop("a state")?;
                let target = self.top("an object below the state")?;
                return self.builder.build(target, state);
            }

            // What the loop and the decoder see to.
            Op::Proto(version) => {
                self.builder.protocol(version);
                return Ok(());
            }
            Op::Frame(_) | Op::Stop | Op::Pop => return Ok(()),
        };
        self.stack.push(value);
        Ok(())
    }

    #[inline(never)]
    fn raw_unicode(&mut self, raw: RawUnicode<'_>) -> Result<B::Value> {
        match Text::new(&raw.decode()) {
            Some(text) => self.builder.text(text),
            None => Err(Error::new(ErrorKind::Malformed, "text in raw-unicode-escape", "no text")),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pop(&mut self, expected: &'static str) -> Result<B::Value> {
        if self.stack.len() > self.base
            && let Some(value) = self.stack.pop()
        {
            return Ok(value);
        }
        self.pop_below_mark().ok_or_else(|| underflow(expected))
    }

    /// The topmost value of all, for a builder that reaches below marks.
    #[cold]
    #[inline(never)]
    fn pop_below_mark(&mut self) -> Option<B::Value> {
        if !B::REACHES_BELOW_MARKS {
            return None;
        }
        let value = self.stack.pop()?;
        self.builder.below_mark();
        // The marks that lay higher lie at the new top.
        let len = self.stack.len();
        self.base = self.base.min(len);
        for mark in self.marks.iter_mut().rev().take_while(|mark| **mark > len) {
            *mark = len;
        }
        Some(value)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn top(&mut self, expected: &'static str) -> Result<B::Value> {
        match self.stack.last() {
            Some(value) if self.stack.len() > self.base => Ok(*value),
            Some(value) if B::REACHES_BELOW_MARKS => {
                self.builder.below_mark();
                Ok(*value)
            }
            _ => Err(underflow(expected)),
        }
    }

    /// Takes the last mark; returns where it was on the stack.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mark(&mut self) -> Result<usize> {
        let Some(below) = self.marks.pop() else { return Err(no_mark()) };
        Ok(std::mem::replace(&mut self.base, below))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mark_of_pairs(&mut self) -> Result<usize> {
        let from = self.mark()?;
        if (self.stack.len() - from).is_multiple_of(2) { Ok(from) } else { Err(odd_items()) }
    }

    /// The value below a mark that was just taken.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn below(&mut self, from: usize) -> Result<B::Value> {
        match self.stack[..from].last() {
            Some(value) if from > self.base => Ok(*value),
            Some(value) if B::REACHES_BELOW_MARKS => {
                self.builder.below_mark();
                Ok(*value)
            }
            _ => Err(underflow("a target below the mark")),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop_to(&mut self, len: usize) {
        self.stack.truncate(len);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn tuple_of(&mut self, len: usize) -> Result<B::Value> {
        if self.stack.len() < self.base + len {
            return self.tuple_below_mark(len);
        }
        let from = self.stack.len() - len;
        let tuple = self.builder.tuple(&self.stack[from..]);
        self.drop_to(from);
        Ok(tuple)
    }

    #[cold]
    #[inline(never)]
    fn tuple_below_mark(&mut self, len: usize) -> Result<B::Value> {
        const EXPECTED: &str = "the items of a tuple";
        let mut items: SmallVec<[B::Value; 3]> = SmallVec::new();
        for _ in 0..len {
            items.insert(0, self.pop(EXPECTED)?);
        }
        Ok(self.builder.tuple(&items))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn get(&self, index: u64) -> Result<B::Value> {
        self.memo.get(index).ok_or_else(|| not_in_memo(index))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn put(&mut self, index: u64) -> Result<()> {
        let value = self.top("a value for the memo")?;
        self.memo.put(index, value);
        self.builder.memoized(value);
        Ok(())
    }

    /// POP takes a value, or the mark where there is none. A call that it drops is not lost, unless a GET follows
    /// that fetches its equal: so CPython's picklers end an object that turned up inside its own arguments.
    #[inline(never)]
    fn pop_op<S: Source>(&mut self, mut source: S) -> (S, Result<()>) {
        let done = self.pop_or_pop_mark(&mut source);
        (source, done)
    }

    fn pop_or_pop_mark<S: Source>(&mut self, source: &mut S) -> Result<()> {
        if self.stack.len() == self.base {
            let from = self.mark()?;
            self.drop_to(from);
            return Ok(());
        }
        let value = self.pop("a value")?;
        if !self.builder.is_call(value) {
            return Ok(());
        }
        let fetched = match source.peek_opcode() {
            Some(Opcode::Get | Opcode::BinGet | Opcode::LongBinGet) => {
                let op = source.next_op()?;
                let opcode = op.opcode();
                self.step_apart(op).map_err(|error| error.at(source.op_offset(), Some(opcode)))?;
                self.stack.last().copied()
            }
            _ => None,
        };
        self.builder.dropped(value, fetched);
        Ok(())
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
        self.limits.look(&limits::Usage {
            opcodes: self.opcodes,
            stack: self.stack.len() as u64,
            marks: self.marks.len() as u64,
            memo: self.memo.len() as u64,
            nodes,
            bytes,
        })
    }
}
