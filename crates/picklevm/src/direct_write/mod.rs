//! Writes Rust types as opcodes in one pass, without a graph.
//!
//! The bytes are those of a graph of the same values and a [`Pickler`]: what CPython writes for the equal object. Names are
//! fetched from the memo ([`names`]), other values are never looked up. Which opcode a value gets is in [`forms`], as for
//! graphs; classes are written by the emitter of graphs, which knows their names at each protocol.
//!
//! Where the bytes depend on the identity of values or on what a caller's pickler does with them, everything is left to
//! the graph: the value is then converted again. What a writer has taken so far is the start of the same pickle, and is
//! skipped. So are values that are nested too deep, of which the graph makes the error.

mod atom;
mod batches;
mod chunk;
mod compound;
mod instances;
mod keys;
mod names;
mod texts;
mod values;

use std::io::{self, Write};

use picklevm_ops::internal::{OpRun, forms};
use picklevm_ops::{IoSink, Memory, Opcode, Sink, Writer};

use self::atom::{Atom, Get};
use self::chunk::Chunk;
pub(crate) use self::compound::{After, Compound, Fields, Items, Keyed, List, Tuple};
pub(crate) use self::instances::ClassIndex;
pub(crate) use self::keys::{Key, Keys};
use self::names::Names;
pub(crate) use self::names::{ClassKey, trim};
use crate::dump::Pickler;
use crate::emitter::cpython::Quirks;
use crate::emitter::leaf::Leaf;
use crate::emitter::{self, Scratch};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Cell, Graph, Value};

/// A result, or the number of bytes passed on before the rest was left to the graph.
pub(crate) enum Written<T, E> {
    Result(Result<T, E>),
    Graph(u64),
}

/// Writes a pickle into memory.
pub(crate) fn to_vec<C, E: From<Error>>(
    pickler: &Pickler,
    depth: usize,
    context: C,
    write: impl FnOnce(&mut Direct<'_, Memory, C>) -> Result<(), E>,
) -> Written<Vec<u8>, E> {
    if !is_direct(pickler) {
        return Written::Graph(0);
    }
    let mut scratch = Scratch::take();
    let mut names = Names::take();
    let mut out = scratch.writer(0);
    // Most programs write pickles of one kind.
    out.expect(names.expected_len());
    let written = run(pickler, depth, context, &mut out, &mut scratch, &mut names, write);
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
pub(crate) fn to_writer<'o, C, E: From<Error>>(
    pickler: &Pickler,
    depth: usize,
    context: C,
    out: &'o mut dyn Write,
    write: impl FnOnce(&mut Direct<'_, IoSink<&'o mut dyn Write>, C>) -> Result<(), E>,
) -> Written<(), E> {
    if !is_direct(pickler) {
        return Written::Graph(0);
    }
    let mut scratch = Scratch::take();
    let mut names = Names::take();
    let mut out = Writer::stream(out);
    let written = run(pickler, depth, context, &mut out, &mut scratch, &mut names, write);
    scratch.give();
    names.give();
    match written {
        Written::Result(Ok(())) => {
            Written::Result(out.finish().map(drop).map_err(|error| Error::unwritable(error).into()))
        }
        written => written,
    }
}

/// Whether the rules of a pickler are all known here.
fn is_direct(pickler: &Pickler) -> bool {
    pickler.options.is_ordinary() && pickler.hooks.is_empty()
}

fn run<S: Sink, C, E: From<Error>>(
    pickler: &Pickler,
    depth: usize,
    context: C,
    out: &mut Writer<S>,
    scratch: &mut Scratch,
    names: &mut Names,
    write: impl FnOnce(&mut Direct<'_, S, C>) -> Result<(), E>,
) -> Written<(), E> {
    let options = &pickler.options;
    let protocol = options.protocol.into();
    let mut memory = names.take_chunk();
    let unwritable = |error| Written::Result(Err(Error::unwritable(error).into()));
    if let Err(error) = out.begin(protocol, options.writer.quirks().framing) {
        return unwritable(error);
    }
    let Ok(bytes) = memory.as_mut_slice().try_into() else { return Written::Graph(0) };
    let memoizes = forms::put(protocol, 0) == Opcode::Memoize;
    let mut direct = Direct {
        chunk: Chunk::new(bytes),
        next: scratch.memo.next(),
        out,
        scratch,
        names,
        pickler,
        context,
        side: None,
        protocol,
        has_runs: protocol >= 2,
        plain_texts: if memoizes { texts::RUN_LENGTHS } else { 0 },
        memoizes,
        depth,
        calls: depth.saturating_mul(CALLS_PER_LEVEL),
        holds: 0,
        is_left: false,
        hashes: Vec::new(),
    };
    let result = write(&mut direct);
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

/// Maximum calls per level of the data. Options and newtypes are calls without a level.
pub(crate) const CALLS_PER_LEVEL: usize = 8;

/// Number of memo indices that are given out here.
const MEMO_LEN: u32 = u32::MAX >> 2;

/// Writer of values as ops. `C` is what the caller needs to know about its own types.
pub struct Direct<'w, S, C> {
    /// Ops on their way to `out`.
    chunk: Chunk<'w>,
    /// Memo index of the next PUT.
    next: u32,
    out: &'w mut Writer<S>,
    /// The memo, which the emitter shares.
    scratch: &'w mut Scratch,
    names: &'w mut Names,
    pickler: &'w Pickler,
    pub(crate) context: C,
    /// The classes that the emitter wrote.
    side: Option<Graph>,
    pub(crate) protocol: u8,
    /// Whether [`OpRun`] has the opcodes of the protocol.
    has_runs: bool,
    /// Number of lengths, after that of a [single](names::TextId::of_text) text, of texts that are written in a run with MEMOIZE.
    plain_texts: usize,
    /// Whether a PUT is MEMOIZE.
    memoizes: bool,
    /// Number of further levels of the data.
    depth: usize,
    /// Number of further calls inside each other.
    calls: usize,
    /// Number of open values that may still change the bytes so far.
    holds: u32,
    /// Whether the value is left to the graph.
    is_left: bool,
    /// Hashes of the keys of open maps.
    pub(crate) hashes: Vec<u64>,
}

impl<S, C> std::fmt::Debug for Direct<'_, S, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Direct").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl<'w, S: Sink, C> Direct<'w, S, C> {
    fn quirks(&self) -> &'static Quirks {
        self.pickler.options.writer.quirks()
    }

    /// Writes ops that need not be fast: of any protocol and length.
    #[inline(never)]
    fn leaf<T>(&mut self, write: impl FnOnce(Leaf<'_, S>) -> Result<T>) -> Result<T> {
        self.flush();
        let quirks = self.quirks();
        write(Leaf::new(self.out, self.protocol, quirks))
    }

    /// Forgets which names stand for no class: a caller with another rule than the last one begins so.
    pub(crate) fn forget_plain(&mut self) {
        self.names.forget_plain();
    }

    /// Leaves everything to the graph.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_to_graph(&mut self) -> Error {
        self.is_left = true;
        Error::new(ErrorKind::Unrepresentable, "a value written without a graph", "another one")
    }

    /// Starts a value: a full frame ends before it.
    #[inline(always)]
    pub(crate) fn boundary(&mut self) -> Result<()> {
        if self.chunk.is_full() { self.next_chunk() } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn next_chunk(&mut self) -> Result<()> {
        self.flush();
        if self.next >= MEMO_LEN {
            return Err(self.leave_to_graph());
        }
        self.out.boundary().map_err(Error::unwritable)?;
        if self.has_runs {
            self.chunk.begin(self.out.frame_left());
        }
        Ok(())
    }

    /// Writes a value of one op: in a run where the chunk has space, as it never has at a protocol without runs.
    #[inline(always)]
    fn atom(&mut self, atom: impl Atom) -> Result<()> {
        if self.chunk.is_full() {
            return self.next_atom(atom);
        }
        self.chunk.ops(|run| atom.run(run));
        Ok(())
    }

    /// Writes a value of one op at the start of a chunk.
    #[cold]
    #[inline(never)]
    fn next_atom(&mut self, atom: impl Atom) -> Result<()> {
        self.next_chunk()?;
        if !self.has_runs {
            return self.leaf(|leaf| atom.leaf(leaf));
        }
        self.ops(|run| atom.run(run));
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
        let options = &self.pickler.options;
        let written = emitter::part(Value::new(side, cell), self.out, self.scratch, options);
        self.next = self.scratch.memo.next();
        written
    }

    /// Writes an op without an operand.
    #[inline(always)]
    pub(crate) fn bare(&mut self, opcode: Opcode) -> Result<()> {
        self.ops(|run| run.bare(opcode));
        Ok(())
    }

    /// Puts the value just written into the memo. Returns its index.
    #[inline(always)]
    pub(crate) fn put(&mut self) -> Result<u32> {
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
    pub(crate) fn get(&mut self, number: u32) -> Result<()> {
        self.atom(Get(number))
    }

    /// Starts a compound value. There is no `leave` after an error, which ends them all.
    #[inline(always)]
    pub(crate) fn enter(&mut self) -> Result<()> {
        match self.depth.checked_sub(1) {
            Some(depth) => {
                self.depth = depth;
                Ok(())
            }
            None => Err(self.leave_to_graph()),
        }
    }

    /// Ends a compound value.
    #[inline(always)]
    pub(crate) fn leave(&mut self) {
        self.depth += 1;
    }

    /// Starts the content of an option or newtype, which are not levels of the data.
    #[inline(always)]
    pub(crate) fn enter_call(&mut self) -> Result<()> {
        match self.calls.checked_sub(1) {
            Some(calls) => {
                self.calls = calls;
                Ok(())
            }
            None => Err(self.leave_to_graph()),
        }
    }

    /// Ends the content of an option or newtype.
    #[inline(always)]
    pub(crate) fn leave_call(&mut self) {
        self.calls += 1;
    }
}

/// A writer that skips the first bytes.
pub(crate) struct Skip<W> {
    pub(crate) out: W,
    pub(crate) left: u64,
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
