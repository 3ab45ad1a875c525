//! What a pickle does with its names and strings, found out by a stack that holds only what matters.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::error::{Error, ErrorKind};
use crate::memo::Indices;
use crate::op::Op;
use crate::opcode::{Opcode, StackObject};
use crate::renames::Renames;
use crate::undecoded::RawOp;

use super::refused;

/// What is to be changed in a pickle.
#[derive(Default)]
pub(super) struct Plan {
    /// The new text of what the op at an offset pushes.
    pub(super) texts: HashMap<u64, Rc<str>>,
    /// The STACK_GLOBALs that are renamed by it.
    pub(super) globals: u64,
    /// Which 8-bit strings, by number, are binary data.
    pub(super) data: Bits,
    pub(super) has_frames: bool,
}

/// A set of numbers that begin at 0.
#[derive(Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    fn insert(&mut self, number: u64) {
        let word = (number / 64) as usize;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.0.get((number / 64) as usize).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

/// What matters of the values in the memo.
#[derive(Default)]
pub(super) struct Memo {
    indices: Indices,
    values: HashMap<u64, Shadow>,
}

/// What matters of a value.
#[derive(Clone)]
enum Shadow {
    /// Nothing, of this many values.
    Others(u64),
    Mark,
    /// An 8-bit string, by number.
    String(u64),
    /// Text that may be a name that a rule is about, and the offset of the op that pushed it.
    Name(Rc<str>, u64),
    /// The tuple with this number.
    Tuple(u64),
    /// A function that takes binary data.
    TakesData,
    /// A function that makes a value whose state holds binary data.
    MakesArray,
    /// What such a function made.
    Array,
}

/// Functions whose arguments hold binary data.
const TAKE_DATA: &[(&str, &str)] = &[
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "time"),
    ("numpy.core.multiarray", "scalar"),
    ("torch.storage", "_load_from_bytes"),
];

/// Functions that make arrays, whose state holds binary data.
const MAKE_ARRAYS: &[(&str, &str)] = &[("numpy.core.multiarray", "_reconstruct"), ("numpy.ma.core", "_mareconstruct")];

/// Follows the ops of one pickle.
pub(super) struct Analysis<'r> {
    renames: &'r Renames,
    memo: &'r mut Memo,
    stack: Vec<Shadow>,
    plan: Plan,
    strings: u64,
    tuples: u64,
    /// The strings that are directly in the last tuple.
    in_tuple: Vec<u64>,
    /// Whether the op before pushed what is on top of the stack.
    has_just_pushed: bool,
    /// The texts that were seen, so that equal ones take memory once.
    known: HashSet<Rc<str>>,
}

impl<'r> Analysis<'r> {
    pub(super) fn new(renames: &'r Renames, memo: &'r mut Memo) -> Self {
        Analysis {
            renames,
            memo,
            stack: Vec::new(),
            plan: Plan::default(),
            strings: 0,
            tuples: 0,
            in_tuple: Vec::new(),
            has_just_pushed: false,
            known: HashSet::new(),
        }
    }

    pub(super) fn into_plan(self) -> Plan {
        self.plan
    }

    /// Follows an op. Returns whether it is the last.
    pub(super) fn op(&mut self, op: RawOp<'_>) -> Result<bool, Error> {
        let had_just_pushed = std::mem::take(&mut self.has_just_pushed);
        match op.opcode {
            Opcode::Stop => return Ok(true),
            Opcode::Frame => {
                self.plan.has_frames = true;
                self.has_just_pushed = had_just_pushed;
            }
            Opcode::ShortBinUnicode | Opcode::BinUnicode | Opcode::BinUnicode8 | Opcode::Unicode => self.text(&op)?,
            Opcode::ShortBinString | Opcode::BinString | Opcode::String => {
                self.stack.push(Shadow::String(self.strings));
                self.strings += 1;
            }
            Opcode::Put | Opcode::BinPut | Opcode::LongBinPut => {
                if let Some(index) = op.memo_index()? {
                    self.put(index, &op, had_just_pushed)?;
                }
            }
            Opcode::Memoize => self.put(self.memo.indices.len(), &op, had_just_pushed)?,
            Opcode::Get | Opcode::BinGet | Opcode::LongBinGet => {
                let index = op.memo_index()?.unwrap_or_default();
                if !self.memo.indices.contains(index) {
                    let expected = "a memo index that was stored before";
                    return Err(Error::new(ErrorKind::Memo, op.offset, Some(op.opcode), expected, index.to_string()));
                }
                let value = self.memo.values.get(&index).cloned();
                self.push_again(value.unwrap_or(Shadow::Others(1)), &op);
            }
            Opcode::Dup => {
                self.check_just_pushed(&op, had_just_pushed)?;
                let top = self.pop();
                self.push(top.clone());
                self.push_again(top, &op);
            }
            Opcode::Global => {
                let is_in = |rows: &[(&str, &str)]| match op.decode() {
                    Ok(Op::Global(module, name)) => {
                        rows.iter().any(|row| is_module(row.0, module.as_bytes()) && name == *row.1)
                    }
                    _ => false,
                };
                self.push(match () {
                    () if is_in(TAKE_DATA) => Shadow::TakesData,
                    () if is_in(MAKE_ARRAYS) => Shadow::MakesArray,
                    () => Shadow::Others(1),
                });
            }
            Opcode::StackGlobal => {
                let (name, module) = (self.pop(), self.pop());
                self.stack_global(&op, &module, &name)?;
                self.push(Shadow::Others(1));
            }
            Opcode::Tuple | Opcode::Tuple1 | Opcode::Tuple2 | Opcode::Tuple3 => self.tuple(op.opcode),
            Opcode::Reduce => {
                let (args, function) = (self.pop(), self.pop());
                if matches!(function, Shadow::TakesData) {
                    self.is_data(&args);
                }
                self.push(if matches!(function, Shadow::MakesArray) { Shadow::Array } else { Shadow::Others(1) });
            }
            Opcode::Build => {
                let (state, object) = (self.pop(), self.pop());
                if matches!(object, Shadow::Array) {
                    self.is_data(&state);
                }
                self.push(object);
            }
            // Below the items lies what they are put into.
            Opcode::Mark => self.stack.push(Shadow::Mark),
            // POP takes a MARK too.
            Opcode::Pop => drop(self.pop()),
            other => self.other(other),
        }
        Ok(false)
    }

    /// Follows an op of which only the numbers of values matter.
    fn other(&mut self, opcode: Opcode) {
        for object in opcode.stack_before().iter().rev() {
            match object {
                StackObject::StackSlice => {
                    while !matches!(self.stack.last(), None | Some(Shadow::Mark)) {
                        self.stack.pop();
                    }
                }
                _ => drop(self.pop()),
            }
        }
        // OBJ has its class between the MARK and the arguments, and the class is one of them here.
        if opcode == Opcode::Obj && matches!(self.stack.last(), Some(Shadow::Mark)) {
            self.stack.pop();
        }
        for _ in opcode.stack_after() {
            self.push(Shadow::Others(1));
        }
    }

    fn push(&mut self, value: Shadow) {
        match (self.stack.last_mut(), value) {
            (Some(Shadow::Others(count)), Shadow::Others(more)) => *count += more,
            (_, value) => self.stack.push(value),
        }
    }

    /// Pops a value, or a MARK. An empty stack is a mistake that a load reports.
    fn pop(&mut self) -> Shadow {
        match self.stack.last_mut() {
            Some(Shadow::Others(count @ 2..)) => {
                *count -= 1;
                Shadow::Others(1)
            }
            _ => self.stack.pop().unwrap_or(Shadow::Others(1)),
        }
    }

    /// Pushes a value that GET or DUP found.
    fn push_again(&mut self, value: Shadow, op: &RawOp<'_>) {
        self.has_just_pushed = matches!(value, Shadow::Name(..));
        self.push(match value {
            Shadow::Name(text, _) => Shadow::Name(text, op.offset),
            // Strings are data or not where they stand.
            Shadow::String(_) | Shadow::Mark => Shadow::Others(1),
            value => value,
        });
    }

    fn text(&mut self, op: &RawOp<'_>) -> Result<(), Error> {
        let text = match self.renames.is_empty() {
            true => None,
            false => op.text()?.filter(|text| self.renames.concerns(text)),
        };
        let Some(text) = text else {
            self.push(Shadow::Others(1));
            return Ok(());
        };
        let text = self.known.get(&*text).cloned().unwrap_or_else(|| {
            let text: Rc<str> = text.as_ref().into();
            self.known.insert(text.clone());
            text
        });
        self.has_just_pushed = true;
        self.stack.push(Shadow::Name(text, op.offset));
        Ok(())
    }

    fn put(&mut self, index: u64, op: &RawOp<'_>, had_just_pushed: bool) -> Result<(), Error> {
        self.check_just_pushed(op, had_just_pushed)?;
        self.memo.indices.insert(index);
        match self.stack.last() {
            Some(value @ (Shadow::Name(..) | Shadow::TakesData | Shadow::MakesArray | Shadow::Array)) => {
                self.memo.values.insert(index, value.clone());
            }
            _ => drop(self.memo.values.remove(&index)),
        }
        Ok(())
    }

    /// Refuses an op that uses a name on the stack, unless the op before pushed it: then what it pushed is known.
    fn check_just_pushed(&self, op: &RawOp<'_>, had_just_pushed: bool) -> Result<(), Error> {
        match self.stack.last() {
            Some(Shadow::Name(text, _)) if !had_just_pushed => {
                Err(refused(op, "a name that the op before pushed", format!("{text:?}")))
            }
            _ => Ok(()),
        }
    }

    fn stack_global(&mut self, op: &RawOp<'_>, module: &Shadow, name: &Shadow) -> Result<(), Error> {
        let Shadow::Name(old_module, module_op) = module else {
            return match module {
                Shadow::String(_) if !self.renames.is_empty() => {
                    Err(refused(op, "the name of a module as text", "an 8-bit string"))
                }
                _ => Ok(()),
            };
        };
        // A name that no rule is about may be any.
        let old_name = if let Shadow::Name(text, _) = name { text } else { "\0" };
        let renamed = self.renames.rename(old_module, old_name);
        let Some((new_module, new_name)) = renamed.map_err(|error| refused(op, "a new name", error.to_string()))?
        else {
            return Ok(());
        };
        if *new_module != **old_module {
            self.plan.texts.insert(*module_op, new_module.into());
        }
        if new_name != *old_name {
            let Shadow::Name(_, name_op) = name else {
                return Err(refused(op, "a module that becomes a module", "one that becomes a class"));
            };
            self.plan.texts.insert(*name_op, new_name.into());
        }
        self.plan.globals += 1;
        Ok(())
    }

    fn tuple(&mut self, opcode: Opcode) {
        self.in_tuple.clear();
        let len = match opcode {
            Opcode::Tuple1 => 1,
            Opcode::Tuple2 => 2,
            Opcode::Tuple3 => 3,
            _ => usize::MAX,
        };
        for _ in 0..len {
            match self.stack.last() {
                None => break,
                Some(Shadow::Others(_)) if len == usize::MAX => drop(self.stack.pop()),
                Some(_) => match self.pop() {
                    Shadow::Mark => break,
                    Shadow::String(number) => self.in_tuple.push(number),
                    _ => {}
                },
            }
        }
        self.tuples += 1;
        self.stack.push(Shadow::Tuple(self.tuples));
    }

    /// Records that the strings in a tuple are binary data.
    fn is_data(&mut self, tuple: &Shadow) {
        if matches!(tuple, Shadow::Tuple(number) if *number == self.tuples) {
            self.in_tuple.iter().for_each(|string| self.plan.data.insert(*string));
        }
    }
}

/// Whether a module is the one of a row; NumPy 2 has `numpy._core` for `numpy.core`.
fn is_module(row: &str, module: &[u8]) -> bool {
    let inner = module.strip_prefix(b"numpy._core.").and_then(|rest| Some((rest, row.strip_prefix("numpy.core.")?)));
    module == row.as_bytes() || inner.is_some_and(|(rest, row)| rest == row.as_bytes())
}
