//! Lists, dicts, sets and tuples, in the batches of CPython's C pickler.

use picklevm_ops::{Op, Opcode};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyTuple};

use super::save::Saver;
use super::step::{Batch, DictStep, Iterated, Step};
use crate::state::type_name;

/// Number of items in a batch.
const BATCH: usize = 1000;
/// In fast mode, cycles are looked for from this nesting on.
const FAST_NESTING: usize = 50;

impl<'py> Saver<'py, '_> {
    /// Begins a list, dict or frozenset in fast mode, in which cycles would not end.
    fn enter_fast(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        if !self.options.fast {
            return Ok(());
        }
        self.fast_nesting += 1;
        let address = object.as_ptr().addr();
        if self.fast_nesting >= FAST_NESTING && !self.fast_memo.insert(address) {
            let name = type_name(object);
            return Err(PyValueError::new_err(format!(
                "fast mode: can't pickle cyclic objects including object type {name} at {address:#x}"
            )));
        }
        self.steps.push(Step::LeaveFast(address));
        Ok(())
    }

    /// Whether the C pickler opens no batch for nothing, nor for one item that is left of a list or a dict: from 3.15 on.
    fn ends_batches_early(&self) -> bool {
        self.state.minor >= 15
    }

    /// Writes an opcode from protocol 1 on, and MARK and another one before.
    fn begin_container(&mut self, binary: Op<'_>, text: Op<'_>) -> PyResult<()> {
        if self.options.protocol > 0 {
            return self.op(binary);
        }
        self.op(Op::Mark)?;
        self.op(text)
    }

    pub(crate) fn save_list(&mut self, list: Bound<'py, PyList>) -> PyResult<()> {
        self.enter_fast(&list)?;
        self.begin_container(Op::EmptyList, Op::List)?;
        self.memoize_new(&list)?;
        if list.is_empty() {
            return Ok(());
        }
        if self.options.protocol == 0 {
            let items = list.as_any().try_iter()?;
            return self.iterated_items(Iterated::new(list.into_any(), items));
        }
        self.list_items(list, 0, Batch::Closed)
    }

    /// Saves the items of a list from `at` on.
    pub(crate) fn list_items(&mut self, list: Bound<'py, PyList>, mut at: usize, mut batch: Batch) -> PyResult<()> {
        loop {
            match batch {
                Batch::Single => return self.op(Op::Append),
                Batch::Open(BATCH) => {
                    self.op(Op::Appends)?;
                    // C looks whether there are more, and opens no batch for none.
                    if at >= list.len() {
                        return Ok(());
                    }
                    batch = Batch::Closed;
                }
                Batch::Open(count) => {
                    let mut count = count;
                    let item = self.item_after_numbers(&list, &mut at, &mut count)?;
                    batch = Batch::Open(count);
                    let Some(item) = item else {
                        if count == BATCH {
                            continue;
                        }
                        return self.op(Op::Appends);
                    };
                    let saved = self.save_leaf(&item);
                    if !matches!(saved, Ok(true)) {
                        self.steps.push(Step::List { list, at, batch });
                        saved?;
                        return self.save_later(item);
                    }
                }
                Batch::Closed if list.len() == at + 1 && (at == 0 || self.ends_batches_early()) => {
                    let item = list.get_item(at)?;
                    (at, batch) = (at + 1, Batch::Single);
                    let saved = self.save_leaf(&item);
                    if !matches!(saved, Ok(true)) {
                        self.steps.push(Step::List { list, at, batch });
                        saved?;
                        return self.save_later(item);
                    }
                }
                Batch::Closed => {
                    self.op(Op::Mark)?;
                    batch = Batch::Open(0);
                }
            }
        }
    }

    /// Writes the ints and floats of a list from a position on, and returns the next item. Returns nothing at the end of the list or of the
    /// batch, in which there are `count` items.
    fn item_after_numbers(
        &mut self,
        list: &Bound<'py, PyList>,
        at: &mut usize,
        count: &mut usize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let writes_numbers = self.options.protocol >= 2 && self.options.persistent_id.is_none();
        loop {
            // The list may have changed. An index beyond its end would make an exception.
            let end = list.len().min(*at + BATCH - *count);
            if *at >= end {
                return Ok(None);
            }
            let Ok(mut item) = list.get_item(*at) else { return Ok(None) };
            let first = *at;
            let mut other = true;
            if writes_numbers && self.types.is_number(&item) {
                self.boundary()?;
                let mut run = self.writer.reserve();
                loop {
                    if item.get_type_ptr().addr() == self.types.float {
                        run.float(item.extract()?);
                    } else if let Ok(value) = item.extract() {
                        run.int(value);
                    } else {
                        // It is large.
                        break;
                    }
                    *at += 1;
                    if *at >= end || run.is_full() {
                        other = false;
                        break;
                    }
                    let Ok(next) = list.get_item(*at) else {
                        other = false;
                        break;
                    };
                    item = next;
                    if !self.types.is_number(&item) {
                        break;
                    }
                }
                let written = run.len();
                self.writer.commit(written);
                *count += *at - first;
            }
            if other {
                (*at, *count) = (*at + 1, *count + 1);
                return Ok(Some(item));
            }
        }
    }

    /// Returns the next item of an iterator, after writing what is due between two. `one` and `many` end a batch. Returns
    /// nothing at the end.
    fn next_item(
        &mut self,
        step: &mut Iterated<'py>,
        one: Opcode,
        many: Opcode,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match step.batch {
            Batch::Single => {
                self.bare(one)?;
                // Below protocol 1, every item is one.
                if self.options.protocol > 0 {
                    return Ok(None);
                }
            }
            Batch::Open(BATCH) => self.bare(many)?,
            Batch::Open(count) => {
                let next = match step.ahead.take() {
                    Some(item) => Some(item),
                    None => step.items.next().transpose()?,
                };
                match next {
                    Some(_) => step.batch = Batch::Open(count + 1),
                    None => self.bare(many)?,
                }
                return Ok(next);
            }
            Batch::Closed => {}
        }
        let Some(first) = step.items.next().transpose()? else { return Ok(None) };
        if self.options.protocol > 0 {
            step.ahead = step.items.next().transpose()?;
        }
        step.batch = match step.ahead {
            None => Batch::Single,
            Some(_) => {
                self.op(Op::Mark)?;
                Batch::Open(1)
            }
        };
        Ok(Some(first))
    }

    /// Saves what an iterator yields.
    pub(crate) fn iterated_items(&mut self, mut step: Box<Iterated<'py>>) -> PyResult<()> {
        while let Some(item) = self.next_item(&mut step, Opcode::Append, Opcode::Appends)? {
            step.count += 1;
            let saved = self.save_leaf(&item);
            if !matches!(saved, Ok(true)) {
                self.steps.push(Step::Items(step));
                saved?;
                return self.save_later(item);
            }
        }
        Ok(())
    }

    pub(crate) fn save_dict(&mut self, dict: Bound<'py, PyDict>) -> PyResult<()> {
        self.enter_fast(&dict)?;
        self.begin_container(Op::EmptyDict, Op::Dict)?;
        self.memoize_new(&dict)?;
        if dict.is_empty() {
            return Ok(());
        }
        if self.options.protocol == 0 {
            let pairs = dict.call_method0("items")?.try_iter()?;
            return self.iterated_pairs(Iterated::new(dict.into_any(), pairs));
        }
        let base = self.rows.len();
        self.rows.reserve(dict.len());
        self.rows.extend(dict.iter());
        self.rows[base..].reverse();
        let len = self.rows.len() - base;
        self.dict_rows(DictStep { dict, base, len, key: None, batch: Batch::Closed })
    }

    pub(crate) fn dict_rows(&mut self, mut step: DictStep<'py>) -> PyResult<()> {
        loop {
            match step.batch {
                Batch::Single => return self.op(Op::SetItem),
                Batch::Closed if step.len == 1 || self.rows.len() - step.base == 1 && self.ends_batches_early() => {
                    step.batch = Batch::Single;
                }
                Batch::Closed => {
                    self.op(Op::Mark)?;
                    step.batch = Batch::Open(0);
                }
                Batch::Open(_) => {}
            }
            if let Batch::Open(count) = step.batch
                && (count == BATCH || self.rows.len() == step.base)
            {
                self.op(Op::SetItems)?;
                if step.dict.len() != step.len {
                    return Err(PyRuntimeError::new_err("dictionary changed size during iteration"));
                }
                if count < BATCH || self.rows.len() == step.base && self.ends_batches_early() {
                    return Ok(());
                }
                step.batch = Batch::Closed;
                continue;
            }
            let Some((key, value)) = self.rows.pop() else { return Ok(()) };
            if let Batch::Open(count) = &mut step.batch {
                *count += 1;
            }
            step.key = None;
            if !self.save_leaf(&key)? {
                step.key = Some(key.clone());
                self.steps.push(Step::Dict(step));
                self.steps.push(Step::Value(value));
                return self.save_later(key);
            }
            let saved = self.save_leaf(&value);
            if !matches!(saved, Ok(true)) {
                step.key = Some(key);
                self.steps.push(Step::Dict(step));
                saved?;
                return self.save_later(value);
            }
        }
    }

    /// Saves the pairs that an iterator yields.
    pub(crate) fn iterated_pairs(&mut self, mut step: Box<Iterated<'py>>) -> PyResult<()> {
        while let Some(pair) = self.next_item(&mut step, Opcode::SetItem, Opcode::SetItems)? {
            let Some(pair) = pair.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2) else {
                return Err(PyTypeError::new_err("dict items iterator must return 2-tuples"));
            };
            let (key, value) = (pair.get_item(0)?, pair.get_item(1)?);
            step.key = None;
            if !self.save_leaf(&key)? {
                step.key = Some(key.clone());
                self.steps.push(Step::Pairs(step));
                self.steps.push(Step::Value(value));
                return self.save_later(key);
            }
            let saved = self.save_leaf(&value);
            if !matches!(saved, Ok(true)) {
                step.key = Some(key);
                self.steps.push(Step::Pairs(step));
                saved?;
                return self.save_later(value);
            }
        }
        Ok(())
    }

    pub(crate) fn save_set(&mut self, set: &Bound<'py, PyAny>) -> PyResult<()> {
        if self.options.protocol < 4 {
            let items = PyList::new(self.py, set.try_iter()?.collect::<PyResult<Vec<_>>>()?)?;
            return self.save_call_of_type(set, items.into_any());
        }
        self.op(Op::EmptySet)?;
        self.memoize(set)?;
        let base = self.items.len();
        for item in set.try_iter()? {
            self.items.push(item?);
        }
        self.items[base..].reverse();
        match self.items.len() - base {
            0 => Ok(()),
            len => self.set_items(set.clone(), base, len, Batch::Closed),
        }
    }

    pub(crate) fn set_items(
        &mut self,
        set: Bound<'py, PyAny>,
        base: usize,
        len: usize,
        mut batch: Batch,
    ) -> PyResult<()> {
        loop {
            let Batch::Open(count) = batch else {
                self.op(Op::Mark)?;
                batch = Batch::Open(0);
                continue;
            };
            if count == BATCH || self.items.len() == base {
                self.op(Op::AddItems)?;
                if set.len()? != len {
                    return Err(PyRuntimeError::new_err("set changed size during iteration"));
                }
                if count < BATCH || self.items.len() == base && self.ends_batches_early() {
                    return Ok(());
                }
                batch = Batch::Closed;
                continue;
            }
            let Some(item) = self.items.pop() else { return Ok(()) };
            batch = Batch::Open(count + 1);
            let saved = self.save_leaf(&item);
            if !matches!(saved, Ok(true)) {
                self.steps.push(Step::Set { set, base, len, batch });
                saved?;
                return self.save_later(item);
            }
        }
    }

    pub(crate) fn save_frozenset(&mut self, set: &Bound<'py, PyAny>) -> PyResult<()> {
        self.enter_fast(set)?;
        if self.options.protocol < 4 {
            let items = PyList::new(self.py, set.try_iter()?.collect::<PyResult<Vec<_>>>()?)?;
            return self.save_call_of_type(set, items.into_any());
        }
        self.op(Op::Mark)?;
        self.frozenset_items(set.clone(), set.try_iter()?)
    }

    pub(crate) fn frozenset_items(
        &mut self,
        set: Bound<'py, PyAny>,
        mut items: Bound<'py, PyIterator>,
    ) -> PyResult<()> {
        while let Some(item) = items.next().transpose()? {
            let saved = self.save_leaf(&item);
            if !matches!(saved, Ok(true)) {
                self.steps.push(Step::FrozenSet { set, items });
                saved?;
                return self.save_later(item);
            }
        }
        // If one of its items led to it, it was saved there.
        if let Some(index) = self.memo.get(&set) {
            self.op(Op::PopMark)?;
            return self.fetch(index);
        }
        self.op(Op::FrozenSet)?;
        self.memoize(&set)
    }

    pub(crate) fn save_tuple(&mut self, tuple: Bound<'py, PyTuple>) -> PyResult<()> {
        match (tuple.len(), self.options.protocol) {
            (0, 1..) => return self.op(Op::EmptyTuple),
            (0, _) => {
                self.op(Op::Mark)?;
                return self.op(Op::Tuple);
            }
            (1..=3, 2..) => {}
            _ => self.op(Op::Mark)?,
        }
        self.tuple_items(tuple, 0)
    }

    pub(crate) fn tuple_items(&mut self, tuple: Bound<'py, PyTuple>, mut at: usize) -> PyResult<()> {
        let len = tuple.len();
        while at < len {
            let item = tuple.get_item(at)?;
            at += 1;
            let saved = self.save_leaf(&item);
            if !matches!(saved, Ok(true)) {
                self.steps.push(Step::Tuple { tuple, at });
                saved?;
                return self.save_later(item);
            }
        }
        let is_short = len <= 3 && self.options.protocol >= 2;
        // If one of its items led to it, it was saved there.
        if let Some(index) = self.memo.get(tuple.as_any()) {
            match self.options.protocol {
                _ if is_short => (0..len).try_for_each(|_| self.bare(Opcode::Pop))?,
                0 => (0..=len).try_for_each(|_| self.bare(Opcode::Pop))?,
                _ => self.op(Op::PopMark)?,
            }
            return self.fetch(index);
        }
        self.op(match len {
            1 if is_short => Op::Tuple1,
            2 if is_short => Op::Tuple2,
            3 if is_short => Op::Tuple3,
            _ => Op::Tuple,
        })?;
        self.memoize(tuple.as_any())
    }
}
