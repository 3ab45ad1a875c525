//! The loop of a dump.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use picklevm_ops::{Framing, IoSink, Op, Opcode, Writer};
use pyo3::exceptions::{PyMemoryError, PyRecursionError};
use pyo3::prelude::*;

use super::leaf::Types;
use super::memo::Memo;
use super::sink::{self, Lent, Sink, Target};
use super::step::Step;
use crate::state::State;

/// Dump options.
pub(crate) struct Options<'py> {
    pub(crate) protocol: u8,
    pub(crate) fix_imports: bool,
    pub(crate) fast: bool,
    pub(crate) buffer_callback: Option<Bound<'py, PyAny>>,
    pub(crate) persistent_id: Option<Bound<'py, PyAny>>,
    pub(crate) reducer_override: Option<Bound<'py, PyAny>>,
    pub(crate) dispatch_table: Option<Bound<'py, PyAny>>,
}

/// Objects that are being made by a call at the same time: more are taken for an endless `__reduce__`.
const MOST_CALLS: usize = 1 << 20;
/// From so many on, an object that is being made by calls that often inside of itself is taken for endless.
const MANY_CALLS: usize = 1 << 10;
const MOST_CALLS_OF_ONE: usize = 100;

/// Saves an object.
pub(crate) struct Saver<'py, 'm> {
    pub(crate) py: Python<'py>,
    pub(crate) state: &'py State,
    pub(crate) types: Types,
    pub(crate) options: Options<'py>,
    pub(crate) memo: &'m mut Memo,
    pub(crate) writer: Writer<IoSink<Sink<'py, 'm>>>,
    /// Shared with the sink.
    pub(crate) lent: &'m Lent<'py>,
    pub(crate) steps: Vec<Step<'py>>,
    /// The rows of dicts, and the items of sets, that are left: for each container the last first.
    pub(crate) rows: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    pub(crate) items: Vec<Bound<'py, PyAny>>,
    /// The number of steps that end a call.
    pub(crate) calls: usize,
    /// In fast mode: the nesting, and the addresses of objects that are deeply nested.
    pub(crate) fast_nesting: usize,
    pub(crate) fast_memo: HashSet<usize, RandomState>,
}

impl<'py, 'm> Saver<'py, 'm> {
    /// `buffer` is memory that is written over.
    pub(crate) fn new(
        py: Python<'py>,
        options: Options<'py>,
        memo: &'m mut Memo,
        target: Target<'py>,
        lent: &'m Lent<'py>,
        buffer: Vec<u8>,
    ) -> PyResult<Self> {
        let state = State::get(py)?;
        Ok(Saver {
            py,
            state,
            types: Types::new(py, state),
            options,
            memo,
            writer: Writer::stream_by(Sink { py, target, lent }, buffer),
            lent,
            steps: Vec::new(),
            rows: Vec::new(),
            items: Vec::new(),
            calls: 0,
            fast_nesting: 0,
            fast_memo: HashSet::default(),
        })
    }

    /// Writes the pickle of an object, and returns the target and the buffer.
    pub(crate) fn dump(mut self, object: &Bound<'py, PyAny>) -> PyResult<(Target<'py>, Vec<u8>)> {
        let begun = self.writer.begin(self.options.protocol, Framing::Python37);
        self.written(begun)?;
        let saved = self.save_all(object);
        saved.map_err(|error| self.with_notes(error))?;
        self.op(Op::Stop)?;
        let (py, state) = (self.py, self.state);
        let finished = self.writer.finish_with_memory();
        let (sink, buffer) = finished.map_err(|error| sink::to_python(py, state, &error))?;
        Ok((sink.target, buffer))
    }

    fn save_all(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        self.save(object.clone())?;
        while let Some(step) = self.steps.pop() {
            self.run(step)?;
        }
        Ok(())
    }

    fn run(&mut self, step: Step<'py>) -> PyResult<()> {
        match step {
            Step::Save(object) | Step::Value(object) => self.save(object),
            Step::Compound(object) => self.save_compound(object),
            Step::SaveId(id) => self.save_id(id),
            Step::Op(opcode) => self.bare(opcode),
            Step::Global(module, name) => self.write_global(module, name),
            Step::Memoize(object) => self.memoize(&object),
            Step::List { list, at, batch } => self.list_items(list, at, batch),
            Step::Items(items) => self.iterated_items(items),
            Step::Dict(rows) => self.dict_rows(rows),
            Step::Pairs(pairs) => self.iterated_pairs(pairs),
            Step::Set { set, base, len, batch } => self.set_items(set, base, len, batch),
            Step::FrozenSet { set, items } => self.frozenset_items(set, items),
            Step::Tuple { tuple, at } => self.tuple_items(tuple, at),
            Step::Made(made) => self.end_call(*made),
            Step::EndCall(_) => {
                self.calls -= 1;
                Ok(())
            }
            Step::LeaveFast(address) => {
                self.fast_nesting -= 1;
                self.fast_memo.remove(&address);
                Ok(())
            }
        }
    }

    /// Saves an object: at once, or by pushing steps.
    fn save(&mut self, object: Bound<'py, PyAny>) -> PyResult<()> {
        if self.save_leaf(&object)? { Ok(()) } else { self.save_compound(object) }
    }

    /// Saves a persistent id: at once, or by pushing steps.
    fn save_id(&mut self, id: Bound<'py, PyAny>) -> PyResult<()> {
        self.boundary()?;
        if self.save_atom(&id)? { Ok(()) } else { self.save_by_type(id) }
    }

    /// Saves an object that is not a leaf after the caller has returned: containers are not saved inside of each other.
    pub(crate) fn save_later(&mut self, object: Bound<'py, PyAny>) -> PyResult<()> {
        if self.steps.len() == self.steps.capacity() {
            self.steps.try_reserve(self.steps.len() + 1).map_err(|_| PyMemoryError::new_err(()))?;
        }
        self.steps.push(Step::Compound(object));
        Ok(())
    }

    /// Saves an object that is not a leaf.
    fn save_compound(&mut self, object: Bound<'py, PyAny>) -> PyResult<()> {
        if let Some(persistent_id) = &self.options.persistent_id {
            let id = persistent_id.call1((&object,))?;
            if !id.is_none() {
                return self.save_persistent(id);
            }
            if self.save_atom(&object)? {
                return Ok(());
            }
        }
        self.save_by_type(object)
    }

    fn save_persistent(&mut self, id: Bound<'py, PyAny>) -> PyResult<()> {
        if self.options.protocol > 0 {
            self.steps.push(Step::Op(Opcode::BinPersId));
            self.steps.push(Step::SaveId(id));
            return Ok(());
        }
        let text = id.str()?;
        match text.to_str() {
            Ok(text) if text.is_ascii() => self.op(Op::PersId(text)),
            _ => Err(self.state.pickling(self.py, "persistent IDs in protocol 0 must be ASCII strings")),
        }
    }

    /// Counts a call that begins for an object, and fails if there is no end to them.
    pub(crate) fn begin_call(&mut self, object: Option<&Bound<'py, PyAny>>) -> PyResult<()> {
        self.calls += 1;
        if self.calls < MANY_CALLS || !self.calls.is_power_of_two() {
            return Ok(());
        }
        let is_same = |step: &Step<'py>| match (step, object) {
            (Step::Made(made), Some(object)) => made.object.as_ref().is_some_and(|other| other.is(object)),
            _ => false,
        };
        let same = self.steps.iter().filter(|step| is_same(step)).count();
        if self.calls > MOST_CALLS || same > MOST_CALLS_OF_ONE {
            return Err(PyRecursionError::new_err("maximum recursion depth exceeded while pickling an object"));
        }
        Ok(())
    }

    /// Ends a full frame: to be called where the saving of an object begins.
    #[inline]
    pub(crate) fn boundary(&mut self) -> PyResult<()> {
        // Older protocols have no frames, and are written at once.
        if self.options.protocol < 4 {
            return Ok(());
        }
        let done = self.writer.boundary();
        self.written(done)
    }

    #[inline]
    pub(crate) fn op(&mut self, op: Op<'_>) -> PyResult<()> {
        let done = self.writer.op(op);
        self.written(done)
    }

    /// Writes an opcode without an operand.
    pub(crate) fn bare(&mut self, opcode: Opcode) -> PyResult<()> {
        let op = match opcode {
            Opcode::Append => Op::Append,
            Opcode::Appends => Op::Appends,
            Opcode::SetItem => Op::SetItem,
            Opcode::SetItems => Op::SetItems,
            Opcode::Build => Op::Build,
            Opcode::BinPersId => Op::BinPersId,
            Opcode::Mark => Op::Mark,
            Opcode::NewObj => Op::NewObj,
            Opcode::NewObjEx => Op::NewObjEx,
            Opcode::Pop => Op::Pop,
            Opcode::Reduce => Op::Reduce,
            Opcode::StackGlobal => Op::StackGlobal,
            Opcode::Tuple => Op::Tuple,
            Opcode::Tuple2 => Op::Tuple2,
            // No other opcode is a step of its own.
            _ => return Ok(()),
        };
        self.op(op)
    }

    #[inline]
    pub(crate) fn written(&self, done: Result<(), picklevm_ops::Error>) -> PyResult<()> {
        done.map_err(|error| sink::to_python(self.py, self.state, &error))
    }

    /// Puts an object into the memo, unless in fast mode.
    pub(crate) fn memoize(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        let index = self.memo.len();
        if !self.options.fast {
            self.memo.insert(object, index);
        }
        self.write_put(index)
    }

    /// Puts an object into the memo that is not there, unless in fast mode.
    #[inline]
    pub(crate) fn memoize_new(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        let index = self.memo.len();
        if !self.options.fast {
            self.memo.insert_new(object, index);
        }
        self.write_put(index)
    }

    /// Writes the op that puts a value into the memo.
    #[inline]
    fn write_put(&mut self, index: usize) -> PyResult<()> {
        if self.options.fast {
            return Ok(());
        }
        match (self.options.protocol, index) {
            (4.., _) => self.op(Op::Memoize),
            (0, _) => self.op(Op::Put(index as u64)),
            (_, 0..=0xff) => self.op(Op::BinPut(index as u8)),
            (_, 0..=0xffff_ffff) => self.op(Op::LongBinPut(index as u32)),
            _ => Err(self.state.pickling(self.py, "memo id too large for LONG_BINPUT")),
        }
    }

    /// Writes a GET of an object's index.
    pub(crate) fn fetch(&mut self, index: usize) -> PyResult<()> {
        match (self.options.protocol, index) {
            (0, _) => self.op(Op::Get(index as u64)),
            (_, 0..=0xff) => self.op(Op::BinGet(index as u8)),
            (_, 0..=0xffff_ffff) => self.op(Op::LongBinGet(index as u32)),
            _ => Err(self.state.pickling(self.py, "memo id too large for LONG_BINGET")),
        }
    }
}
