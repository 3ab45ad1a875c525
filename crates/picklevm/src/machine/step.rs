//! The effect of each opcode on stack, metastack and memo.

use picklevm_ops::{Op, Text};
use smallvec::SmallVec;

use super::Run;
use super::builder::Builder;
use super::literal::make_literal;
use crate::error::{Cause, Error, ErrorKind, Result};

#[cold]
#[inline(never)]
fn no_mark() -> Error {
    Error::new(ErrorKind::Stack, "a mark", "none on the stack").because(Cause::NoMark)
}

#[cold]
#[inline(never)]
fn odd_items() -> Error {
    Error::new(ErrorKind::Stack, "alternating keys and values", "an odd number of items above the mark")
        .because(Cause::OddItems)
}

#[cold]
#[inline(never)]
fn not_in_memo(index: u64) -> Error {
    Error::new(ErrorKind::Memo, "a memo index that was stored before", format!("{index}"))
        .because(Cause::NotInMemo(index))
}

impl<B: Builder> Run<'_, B> {
    /// [`step`](Self::step), not inlined.
    #[inline(never)]
    pub(super) fn step_apart(&mut self, op: Op<'_>) -> Result<()> {
        self.step(op)
    }

    /// Runs one op.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn step(&mut self, op: Op<'_>) -> Result<()> {
        let value = match op {
            // Buffers.
            Op::NextBuffer => self.builder.next_buffer()?,
            Op::ReadonlyBuffer => {
                let buffer = self.pop("a buffer")?;
                self.builder.readonly_buffer(buffer)?
            }

            // Containers.
            Op::EmptyList => self.builder.list(&mut [])?,
            Op::List => {
                let from = self.mark()?;
                let list = self.builder.list(&mut self.stack[from..])?;
                self.drop_to(from);
                list
            }
            Op::Append => {
                let item = self.pop("an item")?;
                let target = self.top("a list or an object below the item")?;
                return self.builder.append(target, &mut [item]);
            }
            Op::Appends => {
                let from = self.mark()?;
                let target = self.below(from)?;
                self.builder.append(target, &mut self.stack[from..])?;
                self.drop_to(from);
                return Ok(());
            }
            Op::EmptyTuple => self.builder.tuple(&mut [])?,
            Op::Tuple => {
                let from = self.mark()?;
                let tuple = self.builder.tuple(&mut self.stack[from..])?;
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
            Op::EmptySet => self.builder.set()?,
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
            Op::Dup => {
                self.builder.fetched();
                self.top("a value to duplicate")?
            }
            Op::Mark => {
                self.machine.marks.push(self.base);
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
            Op::Memoize => return self.put(self.machine.memo.len() as u64),

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
                self.builder.reduce(callable, args, || self.machine.memo.dense().last().cloned())?
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
                    return Err(self.underflow("a class above the mark"));
                };
                let object = self.builder.obj(class.clone(), args)?;
                self.drop_to(from);
                object
            }
            Op::Build => {
                let state = self.pop("a state")?;
                let target = self.top("an object below the state")?;
                return self.builder.build(target, state);
            }

            // Handled by the loop and the decoder.
            Op::Proto(version) => {
                self.builder.protocol(version);
                return Ok(());
            }
            Op::Frame(_) | Op::Stop | Op::Pop => return Ok(()),

            // All others push a literal.
            op => match op.literal() {
                Some(literal) => make_literal(self.builder, literal)?,
                None => return Ok(()),
            },
        };
        self.stack.push(value);
        Ok(())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn pop(&mut self, expected: &'static str) -> Result<B::Value> {
        if self.stack.len() > self.base
            && let Some(value) = self.stack.pop()
        {
            return Ok(value);
        }
        self.pop_below_mark().ok_or_else(|| self.underflow(expected))
    }

    /// Pops the topmost value below the last mark, if the builder allows it.
    #[cold]
    #[inline(never)]
    fn pop_below_mark(&mut self) -> Option<B::Value> {
        if !B::REACHES_BELOW_MARKS {
            return None;
        }
        let value = self.stack.pop()?;
        self.builder.below_mark();
        // Marks above the new top move to it.
        let len = self.stack.len();
        self.base = self.base.min(len);
        for mark in self.machine.marks.iter_mut().rev().take_while(|mark| **mark > len) {
            *mark = len;
        }
        Some(value)
    }

    #[cold]
    #[inline(never)]
    fn underflow(&self, expected: &'static str) -> Error {
        let is_above_mark = !self.machine.marks.is_empty();
        Error::new(ErrorKind::Stack, expected, "nothing on the stack above the last mark")
            .because(Cause::NoValue { is_above_mark })
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn top(&mut self, expected: &'static str) -> Result<B::Value> {
        match self.stack.last() {
            Some(value) if self.stack.len() > self.base => Ok(value.clone()),
            Some(value) if B::REACHES_BELOW_MARKS => {
                self.builder.below_mark();
                Ok(value.clone())
            }
            _ => Err(self.underflow(expected)),
        }
    }

    /// Pops the last mark; returns its position on the stack.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mark(&mut self) -> Result<usize> {
        let Some(below) = self.machine.marks.pop() else { return Err(no_mark()) };
        Ok(std::mem::replace(&mut self.base, below))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mark_of_pairs(&mut self) -> Result<usize> {
        let from = self.mark()?;
        if (self.stack.len() - from).is_multiple_of(2) { Ok(from) } else { Err(odd_items()) }
    }

    /// Returns the value below a mark that was just popped.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn below(&mut self, from: usize) -> Result<B::Value> {
        match self.stack[..from].last() {
            Some(value) if from > self.base => Ok(value.clone()),
            Some(value) if B::REACHES_BELOW_MARKS => {
                self.builder.below_mark();
                Ok(value.clone())
            }
            _ => Err(self.underflow("a target below the mark")),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop_to(&mut self, len: usize) {
        self.stack.truncate(len);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn tuple_of(&mut self, len: usize) -> Result<B::Value> {
        if self.stack.len() < self.base + len {
            return self.tuple_below_mark(len);
        }
        let from = self.stack.len() - len;
        let tuple = self.builder.tuple(&mut self.stack[from..])?;
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
        self.builder.tuple(&mut items)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn get(&mut self, index: u64) -> Result<B::Value> {
        let value = self.machine.memo.get(index).ok_or_else(|| not_in_memo(index))?;
        if self.reports_get {
            self.report_get(value.clone());
        }
        Ok(value)
    }

    /// Reports the first GET, or one after a POP that dropped a call: it may fetch the same call.
    #[cold]
    #[inline(never)]
    fn report_get(&mut self, value: B::Value) {
        self.reports_get = false;
        self.builder.fetched();
        if let Some(call) = self.dropped.take() {
            self.builder.dropped(call, Some(value));
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn put(&mut self, index: u64) -> Result<()> {
        let value = self.top("a value for the memo")?;
        if B::OBSERVES_MEMO {
            self.machine.memo.put(index, value.clone());
            self.builder.memoized(&value);
        } else {
            self.machine.memo.put(index, value);
        }
        Ok(())
    }

    /// POP: drops a value, or the mark if there is no value above it. Returns a dropped call: it is not lost, unless a
    /// GET follows that fetches an equal one. CPython's picklers end an object in this way if it occurred inside its
    /// own arguments.
    #[inline(never)]
    pub(super) fn pop_op(&mut self) -> Result<Option<B::Value>> {
        if self.stack.len() == self.base {
            let from = self.mark()?;
            self.drop_to(from);
            return Ok(None);
        }
        let value = self.pop("a value")?;
        Ok(self.builder.is_call(&value).then_some(value))
    }
}
