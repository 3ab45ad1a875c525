//! Writes Rust types as opcodes in one pass, without a graph.
//!
//! The bytes are those of [`to_graph`](super::to_graph) and a [`Pickler`](crate::Pickler): what CPython writes for the
//! equal object. Names are fetched from the memo ([`names`]), other values are never looked up. Which opcode a value gets
//! is in [`forms`], as for graphs; classes are written by the emitter of graphs, which knows their names at each protocol.
//!
//! Where the bytes depend on the identity of values or on what a caller's pickler does with them, everything is left to
//! the graph: shared pointers, graphs as fields, [`Instance`](super::Instance), instances below protocol 2, keys of maps
//! that are not plain, equal keys, hooks. The value is then serialized again. What a writer has taken so far is the start
//! of the same pickle, and is skipped.

mod batches;
mod chunk;
mod compound;
mod instances;
mod keys;
mod names;
mod serializer;

use std::io::{self, Write};

use ::serde::ser::{Error as _, Serialize};
use picklevm_ops::internal::{OpRun, forms};
use picklevm_ops::{Opcode, Sink, Writer};

use self::chunk::Chunk;
pub(crate) use self::names::trim;
use self::names::{Names, Single};
use super::config::Config;
use super::error::{Error, Result, too_deep};
use crate::dump::Pickler;
use crate::emitter::cpython::Quirks;
use crate::emitter::leaf::Leaf;
use crate::emitter::{self, Scratch};
use crate::graph::{Cell, Graph, Value};

/// A result, or the number of bytes passed on before the rest was left to the graph.
pub(super) enum Written<T> {
    Result(Result<T>),
    Graph(u64),
}

/// Writes a pickle into memory.
pub(super) fn to_vec<T: Serialize + ?Sized>(config: &Config, value: &T) -> Written<Vec<u8>> {
    if !is_direct(&config.pickler) {
        return Written::Graph(0);
    }
    let mut scratch = Scratch::take();
    let mut names = Names::take();
    let mut out = scratch.writer(0);
    // Most programs write pickles of one kind.
    out.expect(names.expected_len());
    let written = run(config, value, &mut out, &mut scratch, &mut names);
    let mut pickle = scratch.written(out);
    scratch.give();
    if pickle.capacity() / 2 > pickle.len() {
        pickle.shrink_to_fit();
    }
    names.expect(pickle.len());
    names.give();
    match written {
        Written::Result(result) => Written::Result(result.map(|()| pickle)),
        Written::Graph(passed) => Written::Graph(passed),
    }
}

/// Writes a pickle to a writer.
pub(super) fn to_writer<T: Serialize + ?Sized>(config: &Config, out: &mut dyn Write, value: &T) -> Written<()> {
    if !is_direct(&config.pickler) {
        return Written::Graph(0);
    }
    let mut scratch = Scratch::take();
    let mut names = Names::take();
    let mut out = Writer::stream(out);
    let written = run(config, value, &mut out, &mut scratch, &mut names);
    scratch.give();
    names.give();
    match written {
        Written::Result(Ok(())) => {
            Written::Result(out.finish().map(drop).map_err(|error| crate::Error::unwritable(error).into()))
        }
        written => written,
    }
}

/// Whether the rules of a pickler are all known here.
fn is_direct(pickler: &Pickler) -> bool {
    pickler.options.is_ordinary() && pickler.hooks.is_empty()
}

fn run<T: Serialize + ?Sized, S: Sink>(
    config: &Config,
    value: &T,
    out: &mut Writer<S>,
    scratch: &mut Scratch,
    names: &mut Names,
) -> Written<()> {
    let options = &config.pickler.options;
    let protocol = options.protocol.into();
    let mut memory = names.take_chunk();
    let unwritable = |error| Written::Result(Err(crate::Error::unwritable(error).into()));
    if let Err(error) = out.begin(protocol, options.writer.quirks().framing) {
        return unwritable(error);
    }
    let Ok(bytes) = memory.as_mut_slice().try_into() else { return Written::Graph(0) };
    let mut direct = Direct {
        chunk: Chunk::new(bytes),
        next: scratch.memo.next(),
        out,
        scratch,
        names,
        config,
        side: None,
        protocol,
        has_runs: protocol >= 2,
        memoizes: forms::put(protocol, 0) == Opcode::Memoize,
        depth: config.depth_limit(),
        calls: config.depth_limit().saturating_mul(CALLS_PER_LEVEL),
        holds: 0,
        is_left: false,
        is_digits: false,
        hashes: Vec::new(),
    };
    let result = value.serialize(&mut direct);
    direct.flush();
    let is_left = direct.is_left;
    names.give_chunk(memory);
    if is_left {
        return Written::Graph(out.passed());
    }
    match result.map(|()| emitter::end(out)) {
        Ok(Ok(())) => Written::Result(Ok(())),
        Ok(Err(error)) => unwritable(error),
        Err(error) => Written::Result(Err(error)),
    }
}

/// Maximum calls of `Serialize` per level of the data. Options and newtypes are calls without a level.
pub(super) const CALLS_PER_LEVEL: usize = 8;

/// Number of memo indices that are given out here.
const MEMO_LEN: u32 = u32::MAX >> 2;

/// Longest text that is written in one run.
const SHORT_TEXT: usize = 96;

/// Serializer that writes ops.
struct Direct<'w, S> {
    /// Ops on their way to `out`.
    chunk: Chunk<'w>,
    /// Memo index of the next PUT.
    next: u32,
    out: &'w mut Writer<S>,
    /// The memo, which the emitter shares.
    scratch: &'w mut Scratch,
    names: &'w mut Names,
    config: &'w Config,
    /// The classes that the emitter wrote.
    side: Option<Graph>,
    protocol: u8,
    /// Whether [`OpRun`] has the opcodes of the protocol.
    has_runs: bool,
    /// Whether a PUT is MEMOIZE.
    memoizes: bool,
    /// Number of further levels of the data.
    depth: usize,
    /// Number of further calls of `Serialize` inside each other.
    calls: usize,
    /// Number of open values that may still change the bytes so far.
    holds: u32,
    /// Whether the value is left to the graph.
    is_left: bool,
    /// Whether the next text is the digits of an integer.
    is_digits: bool,
    /// Hashes of the keys of open maps.
    hashes: Vec<u64>,
}

impl<'w, S: Sink> Direct<'w, S> {
    fn quirks(&self) -> &'static Quirks {
        self.config.pickler.options.writer.quirks()
    }

    /// Writes ops that need not be fast: of any protocol and length.
    #[inline(never)]
    fn leaf<T>(&mut self, write: impl FnOnce(Leaf<'_, S>) -> crate::Result<T>) -> Result<T> {
        self.flush();
        let quirks = self.quirks();
        Ok(write(Leaf::new(self.out, self.protocol, quirks))?)
    }

    /// Leaves everything to the graph.
    #[cold]
    #[inline(never)]
    fn leave_to_graph(&mut self) -> Error {
        self.is_left = true;
        Error::custom("left to the graph")
    }

    /// Starts a value: a full frame ends before it.
    #[inline(always)]
    fn boundary(&mut self) -> Result<()> {
        if self.chunk.is_full() { self.next_chunk() } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn next_chunk(&mut self) -> Result<()> {
        self.flush();
        if self.next >= MEMO_LEN {
            return Err(self.leave_to_graph());
        }
        self.out.boundary().map_err(crate::Error::unwritable)?;
        if self.has_runs {
            self.chunk.begin(self.out.frame_left());
        }
        Ok(())
    }

    /// Writes a value of one op: in a run where the chunk has space, as it never has at a protocol without runs.
    #[inline(always)]
    fn value(
        &mut self,
        run: impl FnOnce(&mut OpRun<'_>),
        leaf: impl FnOnce(Leaf<'_, S>) -> crate::Result<()>,
    ) -> Result<()> {
        if self.chunk.is_full() {
            return self.next_value(run, leaf);
        }
        self.ops(run);
        Ok(())
    }

    /// Writes a value of one op at the start of a chunk.
    #[cold]
    #[inline(never)]
    fn next_value(
        &mut self,
        run: impl FnOnce(&mut OpRun<'_>),
        leaf: impl FnOnce(Leaf<'_, S>) -> crate::Result<()>,
    ) -> Result<()> {
        self.next_chunk()?;
        if !self.has_runs {
            return self.leaf(leaf);
        }
        self.ops(run);
        Ok(())
    }

    /// Passes the ops on to the writer.
    #[inline(never)]
    fn flush(&mut self) {
        self.out.append_ops(self.chunk.take());
    }

    /// Removes an op of one byte. Returns `false` if it is not in the current frame.
    fn remove_op(&mut self, offset: u64) -> bool {
        self.flush();
        self.out.remove_op(offset)
    }

    /// Returns the number of bytes written.
    #[inline(always)]
    fn offset(&self) -> u64 {
        self.out.offset() + self.chunk.len() as u64
    }

    /// Passes nothing on until [`release`](Self::release).
    #[inline]
    fn hold(&mut self) {
        self.holds += 1;
        self.out.hold(true);
    }

    #[inline]
    fn release(&mut self) {
        self.holds -= 1;
        self.out.hold(self.holds > 0);
    }

    /// Writes up to 128 bytes of ops.
    #[inline(always)]
    fn ops(&mut self, write: impl FnOnce(&mut OpRun<'_>)) {
        if self.chunk.has_no_space() {
            self.flush();
            // Seen here, it saves further checks.
            self.chunk.take();
        }
        self.chunk.ops(write);
    }

    /// Takes the next memo index.
    #[inline(always)]
    fn skip(&mut self) -> u32 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// Writes a value of `side` with the emitter.
    fn part(&mut self, cell: Cell) -> Result<()> {
        self.flush();
        let Some(side) = &self.side else { return Err(self.leave_to_graph()) };
        self.scratch.memo.end_run(self.next);
        let options = &self.config.pickler.options;
        let written = emitter::part(Value::new(side, cell), self.out, self.scratch, options);
        self.next = self.scratch.memo.next();
        Ok(written?)
    }

    /// Writes an op without an operand.
    #[inline(always)]
    fn bare(&mut self, opcode: Opcode) -> Result<()> {
        self.ops(|run| run.bare(opcode));
        Ok(())
    }

    /// Puts the value just written into the memo. Returns its index.
    #[inline(always)]
    fn put(&mut self) -> Result<u32> {
        let number = self.skip();
        if self.memoizes {
            self.ops(|run| run.bare(Opcode::Memoize));
        } else {
            self.leaf(|leaf| leaf.put(number))?;
        }
        Ok(number)
    }

    /// Writes a value that is in the memo.
    #[inline(always)]
    fn get(&mut self, number: u32) -> Result<()> {
        self.value(|run| run.get(number), |leaf| leaf.get(number))
    }

    /// Writes text. Returns its memo index.
    #[inline(always)]
    fn text(&mut self, text: &str) -> Result<()> {
        if text.len() <= 2 {
            return self.short_text(text);
        }
        self.new_text(text).map(drop)
    }

    #[inline(never)]
    fn short_text(&mut self, text: &str) -> Result<()> {
        match Single::of_text(text) {
            Some(single) => self.single_text(single, text),
            None => self.new_text(text).map(drop),
        }
    }

    #[inline(never)]
    fn single_text(&mut self, single: Single, text: &str) -> Result<()> {
        match self.names.single(single) {
            Some(number) => self.get(number),
            None => {
                if let Some(number) = self.new_text(text)? {
                    self.names.insert_single(single, number);
                }
                Ok(())
            }
        }
    }

    /// Writes text that is not in the memo. Returns its memo index, unless the pickler does not find it there.
    #[inline(always)]
    fn new_text(&mut self, text: &str) -> Result<Option<u32>> {
        self.boundary()?;
        if text.len() > SHORT_TEXT || !self.has_runs {
            return self.long_text(text);
        }
        let number = self.skip();
        if self.memoizes {
            self.ops(|run| {
                run.text::<true>(text.as_bytes());
                run.bare(Opcode::Memoize);
            });
        } else {
            self.ops(|run| {
                run.text::<false>(text.as_bytes());
                run.put_index(number);
            });
        }
        Ok(Some(number))
    }

    #[inline(never)]
    fn long_text(&mut self, text: &str) -> Result<Option<u32>> {
        let is_memoized = self.leaf(|leaf| leaf.text(text.into()))?;
        let number = self.put()?;
        Ok(is_memoized.then_some(number))
    }

    /// Writes the name of a field or variant.
    #[inline(always)]
    fn name(&mut self, name: &'static str) -> Result<()> {
        match self.names.cached(name) {
            Some(number) => self.get(number),
            None => self.new_name(name).map(drop),
        }
    }

    /// Writes a name that is not known at this address. Returns its memo index, if it has one.
    #[inline(never)]
    fn new_name(&mut self, name: &'static str) -> Result<Option<u32>> {
        if let Some(single) = Single::of_text(name) {
            self.single_text(single, name)?;
            return Ok(self.names.single(single));
        }
        if let Some(number) = self.names.find(name) {
            self.get(number)?;
            return Ok(Some(number));
        }
        let number = self.new_text(name)?;
        if let Some(number) = number {
            self.names.insert(name, number);
        }
        Ok(number)
    }

    /// Returns the memo index of a name.
    fn known_name(&mut self, name: &'static str) -> Option<u32> {
        match Single::of_text(name) {
            Some(single) => self.names.single(single),
            None => self.names.cached(name).or_else(|| self.names.find(name)),
        }
    }

    /// Starts a compound value. There is no `leave` after an error, which ends them all.
    #[inline(always)]
    fn enter(&mut self) -> Result<()> {
        match self.depth.checked_sub(1) {
            Some(depth) => {
                self.depth = depth;
                Ok(())
            }
            None => Err(too_deep(self.config.depth_limit())),
        }
    }

    /// Writes the content of an option or newtype, which are not levels of the data.
    #[inline]
    fn inside<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let Some(calls) = self.calls.checked_sub(1) else { return Err(too_deep(self.config.depth_limit())) };
        self.calls = calls;
        value.serialize(&mut *self)?;
        self.calls += 1;
        Ok(())
    }
}

/// A writer that skips the first bytes.
pub(super) struct Skip<W> {
    pub(super) out: W,
    pub(super) left: u64,
}

impl<W: Write> Write for Skip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        if skipped > 0 {
            self.left -= skipped as u64;
            return Ok(skipped);
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
