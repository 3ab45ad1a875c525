//! `Pickler`: how to write pickles, and the free functions for the common cases.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use picklevm_ops as ops;

use crate::dump_limits::DumpLimits;
use crate::emitter::cpython::PicklerVersion;
use crate::emitter::{self, BufferCallback, Options, Scratch};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Buffer, Value};
#[cfg(feature = "huge-pages")]
use crate::huge_pages::{self, LongPickle};
use crate::protocol::Protocol;
use crate::reduce::Hooks;
use crate::reduce::lower::{LoweredGraphs, Root};
use crate::resolve::Extensions;

/// Writes a value as a pickle into memory, at [`Protocol::DEFAULT`]: Python's `pickle.dumps`.
///
/// # Errors
///
/// If the value cannot be written at this protocol; see [`Pickler::dumps`].
///
/// ```
/// let graph = picklevm::loads(b"(lp0\nI1\na.")?;
/// assert_eq!(picklevm::dumps(graph.root())?, b"\x80\x04\x95\x06\0\0\0\0\0\0\0]\x94K\x01a.");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn dumps(value: Value<'_>) -> Result<Vec<u8>> {
    Pickler::new().dumps(value)
}

/// Writes a value as a pickle to a writer, at [`Protocol::DEFAULT`]: Python's `pickle.dump`.
///
/// # Errors
///
/// Those of [`dumps`], and [`Io`](ErrorKind::Io) if the writer fails.
///
/// ```
/// let mut file = Vec::new();
/// picklevm::dump(picklevm::value!([1]).root(), &mut file)?;
/// assert_eq!(file, b"\x80\x04\x95\x06\0\0\0\0\0\0\0]\x94K\x01a.");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn dump(value: Value<'_>, out: impl io::Write) -> Result<()> {
    Pickler::new().dump(value, out)
}

/// How to write pickles. Cheap to clone.
///
/// ```
/// use picklevm::{Pickler, Protocol};
///
/// let graph = picklevm::loads(b"\x80\x04]\x94K\x01a.")?;
/// let pickler = Pickler::new().protocol(Protocol::V2);
/// assert_eq!(pickler.dumps(graph.root())?, b"\x80\x02]q\x00K\x01a.");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone)]
pub struct Pickler {
    pub(crate) options: Options,
    buffer_callback: Option<Arc<Mutex<BufferCallback>>>,
    pub(crate) hooks: Hooks,
    #[cfg(feature = "huge-pages")]
    huge_pages: bool,
}

/// The options.
impl std::fmt::Debug for Pickler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pickler")
            .field("protocol", &self.options.protocol)
            .field("writer", &self.options.writer)
            .field("fix_imports", &self.options.fix_imports)
            .field("fast", &self.options.fast)
            .finish_non_exhaustive()
    }
}

impl Default for Pickler {
    fn default() -> Self {
        Pickler::new()
    }
}

impl Pickler {
    /// [`Protocol::DEFAULT`], as CPython 3.15's C pickler writes it.
    pub fn new() -> Self {
        Pickler {
            options: Options {
                protocol: Protocol::DEFAULT,
                writer: PicklerVersion::default(),
                fix_imports: true,
                fast: false,
                extensions: Arc::default(),
                #[cfg(test)]
                is_stepwise: false,
                limits: DumpLimits::default(),
            },
            buffer_callback: None,
            hooks: Hooks::default(),
            #[cfg(feature = "huge-pages")]
            huge_pages: false,
        }
    }

    /// The protocol: Python's `protocol`. [`Protocol::DEFAULT`] by default.
    ///
    /// ```
    /// use picklevm::{Pickler, Protocol, value};
    ///
    /// let pickler = Pickler::new().protocol(Protocol::V0);
    /// assert_eq!(pickler.dumps(value!("text").root())?, b"Vtext\np0\n.");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.options.protocol = protocol;
        self
    }

    /// Which of CPython's picklers to write like; the newest C pickler, `3.15-c`, by default.
    #[must_use]
    pub fn writer(mut self, writer: PicklerVersion) -> Self {
        self.options.writer = writer;
        self
    }

    /// Whether names of Python 3 become those of Python 2 below protocol 3, and those of a pickle of such a protocol the
    /// names of Python 3 at higher ones: Python's `fix_imports`. `true` by default, as in Python.
    ///
    /// ```
    /// use picklevm::{Graph, Pickler, Protocol};
    ///
    /// let mut graph = Graph::new();
    /// let queue = graph.global("queue", "Queue");
    /// let pickler = Pickler::new().protocol(Protocol::V0);
    /// assert_eq!(pickler.dumps(graph.value(queue))?, b"cQueue\nQueue\np0\n.");
    /// assert_eq!(pickler.fix_imports(false).dumps(graph.value(queue))?, b"cqueue\nQueue\np0\n.");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn fix_imports(mut self, fix: bool) -> Self {
        self.options.fix_imports = fix;
        self
    }

    /// Whether the memo is left out, as by Python's `Pickler.fast`: what is shared is written again each time, and a
    /// cycle is an error. `false` by default.
    ///
    /// ```
    /// use picklevm::{Pickler, Protocol, value};
    ///
    /// let pickler = Pickler::new().protocol(Protocol::V2).fast(true);
    /// assert_eq!(pickler.dumps(value!([[]]).root())?, b"\x80\x02]]a.");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn fast(mut self, fast: bool) -> Self {
        self.options.fast = fast;
        self
    }

    /// The extension codes (PEP 307) that globals are written as, from protocol 2 on; none by default. Below 2, the codes
    /// of the graph become the globals that they stand for. What Python keeps for all of a process by
    /// `copyreg.add_extension`.
    ///
    /// ```
    /// use picklevm::{Extensions, Graph, Pickler, Protocol};
    ///
    /// let mut graph = Graph::new();
    /// let point = graph.global("geometry", "Point");
    /// let pickler = Pickler::new().protocol(Protocol::V2).extensions(Extensions::new().add("geometry.Point", 240)?);
    /// assert_eq!(pickler.dumps(graph.value(point))?, b"\x80\x02\x82\xf0.");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn extensions(mut self, extensions: Extensions) -> Self {
        self.options.extensions = Arc::new(extensions);
        self
    }

    /// What a dump may write at the most; by default what is in proportion to the graph.
    ///
    /// ```
    /// use picklevm::{DumpLimits, Pickler};
    ///
    /// let pickler = Pickler::new().limits(DumpLimits::none());
    /// assert!(pickler.dumps(picklevm::value!([1, 2]).root()).is_ok());
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: DumpLimits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Who decides about each buffer (PEP 574), Python's `buffer_callback`: `true` takes it out of band, in the order of the calls; `false` leaves
    /// its bytes in the pickle.
    ///
    /// Without a callback, buffers whose bytes are known stay in the pickle, others are out of band as they were.
    ///
    /// ```
    /// use picklevm::{Pickler, Protocol};
    ///
    /// let graph = picklevm::loads(b"\x80\x05\x97.")?;   // one buffer, out of band
    /// let (sender, buffers) = std::sync::mpsc::channel();
    /// let pickler = Pickler::new().protocol(Protocol::V5).buffer_callback(move |buffer| sender.send(buffer.index()).is_ok());
    /// assert_eq!(pickler.dumps(graph.root())?, b"\x80\x05\x97.");
    /// assert_eq!(buffers.recv(), Ok(0));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn buffer_callback(mut self, callback: impl FnMut(Buffer<'_>) -> bool + Send + 'static) -> Self {
        self.buffer_callback = Some(Arc::new(Mutex::new(callback)));
        self
    }

    /// Whether [`to_bytes`](Pickler::to_bytes) writes pickles of about 32 MiB and more into memory from the system in huge
    /// pages, on Linux; elsewhere this does nothing. `false` by default. Needs the feature `huge-pages`.
    ///
    /// The allocator of most systems gives such lengths back when they are freed, so that each new one costs a page
    /// fault every 4 KiB: writing 64 MiB of bytes is then three times as fast in pages of 2 MiB. Allocators that keep what was
    /// freed, as mimalloc does, are faster still. Where `/sys/kernel/mm/transparent_hugepage/enabled` says `never`, or
    /// no memory can be mapped, ordinary memory is taken.
    ///
    /// ```
    /// use picklevm::{Pickler, value};
    ///
    /// let image = value!("x".repeat(40_000_000));
    /// let pickle = Pickler::new().huge_pages(true).to_bytes(image.root())?;
    /// assert_eq!(pickle, picklevm::dumps(image.root())?);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[cfg(feature = "huge-pages")]
    #[must_use]
    pub fn huge_pages(mut self, huge: bool) -> Self {
        self.huge_pages = huge;
        self
    }

    /// Writes a value as a pickle into memory.
    ///
    /// # Errors
    ///
    /// [`Unrepresentable`](ErrorKind::Unrepresentable) for what the protocol cannot say: an out-of-band buffer below 5,
    /// a global with a name that is not ASCII below 3, an extension code below 2, a persistent id other than one line
    /// of ASCII text at 0, 4 GiB of text or bytes below 4; for a cycle in [`fast`](Pickler::fast) mode or one through
    /// tuples alone; for a protocol that the [`writer`](Pickler::writer) does not know.
    #[inline]
    pub fn dumps(&self, value: Value<'_>) -> Result<Vec<u8>> {
        match self.short(value) {
            Some(pickle) => Ok(pickle.into()),
            None => self.dumps_any(value),
        }
    }

    /// What a short tree is written as. A box is returned in registers, where a vector goes through memory, to be read
    /// before it has arrived there.
    #[inline(never)]
    fn short(&self, value: Value<'_>) -> Option<Box<[u8]>> {
        if self.hooks.concern(value.arena()) { None } else { emitter::short(value, &self.options) }
    }

    #[inline(never)]
    fn dumps_any(&self, value: Value<'_>) -> Result<Vec<u8>> {
        let mut lowered = None;
        let root = if self.hooks.concern(value.arena()) {
            self.root_of(value, lowered.get_or_insert_default())?
        } else {
            Root::of(value)
        };
        let mut scratch = Scratch::take();
        let mut out = scratch.writer(root.value.arena().pickled_len_hint());
        let result = self.run(&mut out, &mut scratch, root);
        let written = scratch.written(out);
        scratch.give();
        result.map(|()| written)
    }

    /// Writes a value as a pickle into memory that is counted and shared, as servers and clients of the network take it.
    ///
    /// # Errors
    ///
    /// Those of [`dumps`](Pickler::dumps).
    ///
    /// ```
    /// use picklevm::{Bytes, Pickler, value};
    ///
    /// let pickle: Bytes = Pickler::new().to_bytes(value!([1]).root())?;
    /// assert_eq!(&pickle[..], b"\x80\x04\x95\x06\0\0\0\0\0\0\0]\x94K\x01a.");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[inline]
    pub fn to_bytes(&self, value: Value<'_>) -> Result<Bytes> {
        match self.short(value) {
            Some(pickle) => Ok(pickle.into()),
            None => self.any_to_bytes(value),
        }
    }

    #[inline(never)]
    fn any_to_bytes(&self, value: Value<'_>) -> Result<Bytes> {
        #[cfg(feature = "huge-pages")]
        if cfg!(target_os = "linux") && self.huge_pages {
            let expected = value.arena().pickled_len_hint();
            if expected >= huge_pages::LONG {
                let mut pickle = LongPickle::new(expected);
                self.dump(value, &mut pickle)?;
                return Ok(pickle.into_bytes());
            }
        }
        self.dumps_any(value).map(Bytes::from)
    }

    /// Writes a value as a pickle to a writer, which needs no buffer of its own: `Pickler.dump`.
    ///
    /// Beyond the graph this takes memory for one frame of 64 KiB and four bytes a node; long bytes and texts are handed
    /// to the writer as they are.
    ///
    /// # Errors
    ///
    /// Those of [`dumps`](Pickler::dumps), and [`Io`](ErrorKind::Io) if the writer fails. What was written until then
    /// is no pickle.
    ///
    /// ```
    /// use picklevm::{Pickler, Protocol, value};
    ///
    /// let mut file = Vec::new();
    /// Pickler::new().protocol(Protocol::V2).dump(value!([1]).root(), &mut file)?;
    /// assert_eq!(file, b"\x80\x02]q\0K\x01a.");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn dump(&self, value: Value<'_>, out: impl io::Write) -> Result<()> {
        let mut lowered = LoweredGraphs::default();
        let root = self.root_of(value, &mut lowered)?;
        let mut out = ops::Writer::stream(out);
        let mut scratch = Scratch::take();
        let result = self.run(&mut out, &mut scratch, root);
        scratch.give();
        result?;
        out.finish().map(drop).map_err(Error::unwritable)
    }

    /// Writes pickle after pickle with one memo, as several calls of `dump` of one Python `Pickler` do.
    ///
    /// ```
    /// use picklevm::{Pickler, Unpickler};
    ///
    /// let graph = picklevm::loads(b"]\x94(]\x94h\x01e.")?;   // a list that holds another twice
    /// let mut dumper = Pickler::new().stream(Vec::new());
    /// dumper.dump(graph.root().items().next().unwrap())?;
    /// dumper.dump(graph.root())?;
    /// let out = dumper.finish()?;
    /// assert_eq!(out, b"\x80\x04]\x94.\x80\x04\x95\x09\0\0\0\0\0\0\0]\x94(h\0h\0e.");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn stream<'g, W: io::Write>(&self, out: W) -> StreamPickler<'g, W> {
        let (out, lowered) = (ops::Writer::stream(out), LoweredGraphs::default());
        StreamPickler { pickler: self.clone(), out, scratch: Box::default(), lowered, is_broken: false }
    }

    /// What is written for a value, and the effects before it.
    fn root_of<'r, 'g: 'r>(&self, value: Value<'g>, lowered: &'r mut LoweredGraphs<'g>) -> Result<Root<'r>> {
        let root = Root::of(value);
        if !self.hooks.concern(value.arena()) {
            return Ok(root);
        }
        lowered.of(value.arena()).take(&self.hooks, self.options.protocol, value.cell(), root.effects)
    }

    fn run<S: ops::Sink>(&self, out: &mut ops::Writer<S>, scratch: &mut Scratch, root: Root<'_>) -> Result<()> {
        let Options { protocol, writer, .. } = &self.options;
        if *protocol > writer.highest_protocol() {
            let expected = format!("a protocol that {writer} knows, {} at most", writer.highest_protocol());
            return Err(Error::new(ErrorKind::Unrepresentable, expected, protocol.to_string()));
        }
        let mut callback =
            self.buffer_callback.as_ref().map(|callback| callback.lock().unwrap_or_else(PoisonError::into_inner));
        emitter::dump(root.value, root.effects, out, scratch, &self.options, callback.as_deref_mut())
    }
}

/// Pickles written one after the other with one memo, made by [`Pickler::stream`]: a Python `Pickler` with its file.
///
/// What one pickle wrote, later ones fetch; read them back with [`shared_memo`](crate::Unpickler::shared_memo). After an
/// error nothing more is written.
pub struct StreamPickler<'g, W> {
    pickler: Pickler,
    out: ops::Writer<ops::IoSink<W>>,
    scratch: Box<Scratch>,
    lowered: LoweredGraphs<'g>,
    is_broken: bool,
}

impl<W> std::fmt::Debug for StreamPickler<'_, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dumper")
            .field("pickler", &self.pickler)
            .field("is_broken", &self.is_broken)
            .finish_non_exhaustive()
    }
}

impl<'g, W: io::Write> StreamPickler<'g, W> {
    /// Writes one pickle: `Pickler.dump`.
    ///
    /// Hooks and native objects are asked once about each value, until the memo is [cleared](Dumper::clear_memo): what an
    /// earlier pickle holds is fetched.
    ///
    /// # Errors
    ///
    /// Those of [`Pickler::dump`], and [`Broken`](ErrorKind::Broken) after any of them.
    pub fn dump(&mut self, value: Value<'g>) -> Result<()> {
        self.check()?;
        self.is_broken = true;
        let StreamPickler { pickler, out, scratch, lowered, .. } = self;
        let root = pickler.root_of(value, lowered)?;
        pickler.run(out, scratch, root)?;
        self.is_broken = false;
        Ok(())
    }

    /// Forgets what was written: the next pickle stands for itself. `Pickler.clear_memo`.
    pub fn clear_memo(&mut self) {
        self.lowered = LoweredGraphs::default();
        self.scratch.memo.clear();
    }

    /// The index of the memo under which a value was put, if it was: `Pickler.memo`.
    ///
    /// ```
    /// let graph = picklevm::value!([1, [2]]);
    /// let mut dumper = picklevm::Pickler::new().stream(Vec::new());
    /// dumper.dump(graph.root())?;
    /// assert_eq!(dumper.memo_get(graph.root().at(1)), Some(1));
    /// dumper.clear_memo();
    /// assert_eq!(dumper.memo_get(graph.root().at(1)), None);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn memo_get(&self, value: Value<'g>) -> Option<u32> {
        self.scratch.memo.number_of(self.lowered.find(value))
    }

    /// The writer, behind the last pickle.
    ///
    /// # Errors
    ///
    /// [`Io`](ErrorKind::Io) if the writer cannot be flushed, [`Broken`](ErrorKind::Broken) if a dump failed.
    pub fn finish(self) -> Result<W> {
        self.check()?;
        self.out.finish().map_err(Error::unwritable)
    }

    fn check(&self) -> Result<()> {
        if self.is_broken {
            return Err(Error::new(ErrorKind::Broken, "a stream of whole pickles", "one that an error has ended"));
        }
        Ok(())
    }
}
