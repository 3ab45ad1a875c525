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
mod cursor;
mod instances;
mod keys;
mod names;
mod texts;
mod values;

use std::io::{self, Write};

use picklevm_ops::internal::forms;
use picklevm_ops::{Framing, IoSink, Memory, Opcode, Sink, Writer};

use self::chunk::{CHUNK_LEN, Chunk};
pub(crate) use self::compound::{After, Compound, Fields, Items, Keyed, List, Tuple};
pub(crate) use self::cursor::Cursor;
pub use self::cursor::Position;
pub(crate) use self::keys::{Key, Keys};
use self::names::Names;
pub(crate) use self::names::{ClassIndex, ClassKey};
use crate::dump::Pickler;
use crate::emitter::Scratch;
use crate::emitter::cpython::Quirks;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::Graph;
use crate::reuse::{self, ThreadReuse};

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
    write: impl FnOnce(Cursor<'_, '_, Memory, C>) -> Result<Position, E>,
) -> Written<Vec<u8>, E> {
    if !is_direct(pickler) {
        return Written::Graph(0);
    }
    let mut out = Writer::new();
    let mut reused = reuse::take(&REUSED);
    // Most programs write pickles of one kind.
    out.expect(reused.names.expected_len());
    let written = run(pickler, depth, context, &mut out, &mut reused, write);
    let pickle = match &written {
        Written::Result(Ok(Some(len))) => reused.chunk[..*len].to_vec(),
        _ => into_vec(out),
    };
    reused.names.expect(pickle.len());
    reuse::keep(&REUSED, reused);
    match written {
        Written::Result(result) => Written::Result(result.map(|_| pickle)),
        Written::Graph(passed) => Written::Graph(passed),
    }
}

/// Returns the output, without much memory after it.
#[inline(never)]
fn into_vec(out: Writer) -> Vec<u8> {
    let len = out.written().len();
    let mut pickle = out.into_memory();
    pickle.truncate(len);
    if pickle.capacity() / 2 > len {
        pickle.shrink_to_fit();
    }
    pickle
}

/// Writes a pickle to a writer.
pub(crate) fn to_writer<'o, C, E: From<Error>>(
    pickler: &Pickler,
    depth: usize,
    context: C,
    out: &'o mut dyn Write,
    write: impl FnOnce(Cursor<'_, '_, IoSink<&'o mut dyn Write>, C>) -> Result<Position, E>,
) -> Written<(), E> {
    if !is_direct(pickler) {
        return Written::Graph(0);
    }
    let mut out = Writer::stream(out);
    let mut reused = reuse::take(&REUSED);
    let written = run(pickler, depth, context, &mut out, &mut reused, write);
    if let Written::Result(Ok(Some(len))) = &written {
        out.append_ops(&reused.chunk[..*len]);
    }
    reuse::keep(&REUSED, reused);
    match written {
        Written::Result(Ok(_)) => {
            Written::Result(out.finish().map(drop).map_err(|error| Error::unwritable(error).into()))
        }
        Written::Result(Err(error)) => Written::Result(Err(error)),
        Written::Graph(passed) => Written::Graph(passed),
    }
}

/// Memory that a thread keeps for its next pickle.
struct Reused {
    names: Names,
    chunk: [u8; CHUNK_LEN],
}

impl Default for Reused {
    fn default() -> Self {
        Reused { names: Names::default(), chunk: [0; CHUNK_LEN] }
    }
}

thread_local! {
    static REUSED: ThreadReuse<Box<Reused>> = const { ThreadReuse::new() };
}

/// Frees the memory that the thread keeps for reuse.
pub(crate) fn trim() {
    reuse::trim(&REUSED);
}

/// Whether the rules of a pickler are all known here.
fn is_direct(pickler: &Pickler) -> bool {
    pickler.options.is_ordinary() && pickler.hooks.is_empty()
}

/// Writes a pickle. Returns its length, if it is all in the chunk.
#[inline]
fn run<S: Sink, C, E: From<Error>>(
    pickler: &Pickler,
    depth: usize,
    context: C,
    out: &mut Writer<S>,
    reused: &mut Reused,
    write: impl FnOnce(Cursor<'_, '_, S, C>) -> Result<Position, E>,
) -> Written<Option<usize>, E> {
    let protocol = pickler.options.protocol.into();
    let has_runs = protocol >= 2;
    let (start, start_len) = Framing::start_of_one(protocol);
    reused.names.begin();
    let memoizes = forms::put(protocol, 0) == Opcode::Memoize;
    let mut direct = Direct {
        chunk: Chunk::new(&mut reused.chunk, start, has_runs),
        start_len,
        has_begun: false,
        next: 0,
        out,
        scratch: None,
        names: &mut reused.names,
        pickler,
        context,
        side: None,
        protocol,
        has_runs,
        plain_texts: if memoizes { texts::RUN_LENGTHS } else { 0 },
        memoizes,
        depth,
        calls: depth.saturating_mul(CALLS_PER_LEVEL),
        holds: 0,
        is_left: false,
    };
    let end = write(Cursor { direct: &mut direct, at: Position(start_len) });
    let result = end.and_then(|at| Ok(Cursor { direct: &mut direct, at }.finish()?));
    let is_left = direct.is_left;
    if let Some(scratch) = direct.scratch {
        scratch.give();
    }
    reused.names.end();
    if is_left { Written::Graph(out.passed()) } else { Written::Result(result) }
}

/// Maximum calls per level of the data. Options and newtypes are calls without a level.
pub(crate) const CALLS_PER_LEVEL: usize = 8;

/// Number of memo indices that are given out here.
const MEMO_LEN: u32 = u32::MAX >> 2;

/// Writer of values as ops. `C` is what the caller needs to know about its own types.
pub(crate) struct Direct<'w, S, C> {
    /// Ops on their way to `out`.
    chunk: Chunk<'w>,
    /// Number of bytes of the chunk that are the [start](Framing::start_of_one) of the pickle.
    start_len: usize,
    /// Whether `out` has begun the pickle.
    has_begun: bool,
    /// Memo index of the next PUT.
    next: u32,
    out: &'w mut Writer<S>,
    /// The memo of the emitter, after its first use.
    scratch: Option<Box<Scratch>>,
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

    /// Leaves a list or tuple to the graph that has not as many items as announced. An error if its start was passed on.
    #[cold]
    #[inline(never)]
    fn wrong_len(&mut self) -> Error {
        match self.out.passed() {
            0 => self.leave_to_graph(),
            _ => Error::new(ErrorKind::Unrepresentable, "as many items as announced", "another number of them"),
        }
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

    /// Takes the next memo index.
    #[inline(always)]
    fn skip(&mut self) -> u32 {
        let number = self.next;
        self.next += 1;
        number
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
