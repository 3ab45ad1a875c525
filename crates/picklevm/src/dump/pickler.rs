//! `Pickler` and the free functions that dump with default options.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use picklevm_ops as ops;

#[cfg(feature = "huge-pages")]
use super::huge_pages::{self, LongPickle};
use crate::dump_limits::DumpLimits;
use crate::emitter::cpython::PicklerVersion;
use crate::emitter::{self, BufferCallback, Options, Scratch};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Buffer, Value};
use crate::protocol::Protocol;
use crate::reduce::Hooks;
use crate::reduce::lower::{LoweredGraphs, Root};
use crate::resolve::Extensions;

/// Writes a value as a pickle at [`Protocol::DEFAULT`] and returns it, like Python's `pickle.dumps`.
///
/// # Errors
///
/// Returns an error if the value cannot be written at this protocol; see [`Pickler::dumps`].
///
/// ```
/// let graph = picklevm::loads(b"(lp0\nI1\na.")?;
/// assert_eq!(picklevm::dumps(graph.root())?, b"\x80\x04\x95\x06\0\0\0\0\0\0\0]\x94K\x01a.");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn dumps(value: Value<'_>) -> Result<Vec<u8>> {
    Pickler::new().dumps(value)
}

/// Writes a value as a pickle at [`Protocol::DEFAULT`] to a writer, like Python's `pickle.dump`.
///
/// # Errors
///
/// The errors of [`dumps`], and [`Io`](ErrorKind::Io) if the writer fails.
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

/// Writes pickles, with the options of Python's `Pickler`. Cheap to clone.
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

/// Shows the options.
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
    /// Creates a pickler that writes [`Protocol::DEFAULT`] as CPython 3.15's C pickler does.
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

    /// Sets the protocol: Python's `protocol`. The default is [`Protocol::DEFAULT`].
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

    /// Sets which CPython pickler to emulate. The default is the newest C pickler, `3.15-c`.
    #[must_use]
    pub fn writer(mut self, writer: PicklerVersion) -> Self {
        self.options.writer = writer;
        self
    }

    /// Sets whether Python 3 names are mapped to Python 2 names below protocol 3: Python's `fix_imports`. Names of a
    /// graph that was loaded from such a protocol are mapped to Python 3 names at higher ones. The default is `true`,
    /// as in Python.
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

    /// Sets whether to write without a memo: Python's `Pickler.fast`. Shared values are written once for each use, and
    /// a cycle is an error. The default is `false`.
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

    /// Sets the extension codes (PEP 307) that globals are written as, from protocol 2 on; none by default. Below
    /// protocol 2, codes in the graph are written as their globals. In Python this registry is global to the process
    /// (`copyreg.add_extension`).
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

    /// Sets the resource limits. By default the output may be in proportion to the graph.
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

    /// Sets a function that is called with each buffer (PEP 574): Python's `buffer_callback`. `true` takes the buffer
    /// out of band, in the order of the calls; `false` writes its bytes in the pickle.
    ///
    /// Without a callback, buffers whose bytes are known are written in the pickle, others stay out of band.
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

    /// Sets whether [`to_bytes`](Pickler::to_bytes) writes pickles of about 32 MiB and more into huge pages, on Linux;
    /// elsewhere this does nothing. The default is `false`. Needs the feature `huge-pages`.
    ///
    /// Most system allocators return blocks of such lengths to the system when they are freed, so each new one costs a
    /// page fault every 4 KiB: writing 64 MiB of bytes is three times as fast in pages of 2 MiB. Allocators that keep
    /// freed memory, such as mimalloc, are faster still. Ordinary memory is used where
    /// `/sys/kernel/mm/transparent_hugepage/enabled` says `never` or no memory can be mapped.
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

    /// Writes a value as a pickle and returns it.
    ///
    /// # Errors
    ///
    /// [`Unrepresentable`](ErrorKind::Unrepresentable) for values that the protocol cannot express: an out-of-band
    /// buffer below 5, a global with a name that is not ASCII below 3, an extension code below 2, a persistent id other
    /// than one line of ASCII text at 0, 4 GiB of text or bytes below 4; for a cycle in [`fast`](Pickler::fast) mode or
    /// one through tuples alone; for a protocol that the [`writer`](Pickler::writer) does not support.
    #[inline]
    pub fn dumps(&self, value: Value<'_>) -> Result<Vec<u8>> {
        match self.short(value) {
            Some(pickle) => Ok(pickle.into()),
            None => self.dumps_any(value),
        }
    }

    /// Writes a short tree, if the value is one. A `Box` is returned in registers; a `Vec` goes through memory, and the
    /// caller would wait for the store.
    #[inline(never)]
    fn short(&self, value: Value<'_>) -> Option<Box<[u8]>> {
        if self.hooks.may_replace(value.arena()) { None } else { emitter::short(value, &self.options) }
    }

    #[inline(never)]
    fn dumps_any(&self, value: Value<'_>) -> Result<Vec<u8>> {
        let mut lowered = None;
        let root = if self.hooks.may_replace(value.arena()) {
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

    /// Writes a value as a pickle and returns it as reference-counted [`Bytes`], which network libraries take.
    ///
    /// # Errors
    ///
    /// The errors of [`dumps`](Pickler::dumps).
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
            if expected >= huge_pages::MIN_MAPPED_LEN {
                let mut pickle = LongPickle::new(expected);
                self.dump(value, &mut pickle)?;
                return Ok(pickle.into_bytes());
            }
        }
        self.dumps_any(value).map(Bytes::from)
    }

    /// Writes a value as a pickle to a writer, which need not be buffered: `Pickler.dump`.
    ///
    /// Besides the graph this takes memory for one frame of 64 KiB and four bytes per node. Long bytes and texts are
    /// passed to the writer without a copy.
    ///
    /// # Errors
    ///
    /// The errors of [`dumps`](Pickler::dumps), and [`Io`](ErrorKind::Io) if the writer fails. The output is then
    /// incomplete.
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

    /// Returns a writer of several pickles with one memo, like several `dump` calls of one Python `Pickler`.
    ///
    /// ```
    /// use picklevm::{Pickler, Unpickler};
    ///
    /// let graph = picklevm::loads(b"]\x94(]\x94h\x01e.")?;   // a list that holds another twice
    /// let mut pickler = Pickler::new().stream(Vec::new());
    /// pickler.dump(graph.root().items().next().unwrap())?;
    /// pickler.dump(graph.root())?;
    /// let out = pickler.finish()?;
    /// assert_eq!(out, b"\x80\x04]\x94.\x80\x04\x95\x09\0\0\0\0\0\0\0]\x94(h\0h\0e.");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn stream<'g, W: io::Write>(&self, out: W) -> StreamPickler<'g, W> {
        let (out, lowered) = (ops::Writer::stream(out), LoweredGraphs::default());
        StreamPickler { pickler: self.clone(), out, scratch: Scratch::for_stream(), lowered, is_broken: false }
    }

    /// Returns what is written for a value, and the effects before it.
    fn root_of<'r, 'g: 'r>(&self, value: Value<'g>, lowered: &'r mut LoweredGraphs<'g>) -> Result<Root<'r>> {
        let root = Root::of(value);
        if !self.hooks.may_replace(value.arena()) {
            return Ok(root);
        }
        lowered.of(value.arena()).lower(&self.hooks, self.options.protocol, value.cell(), root.effects)
    }

    fn run<S: ops::Sink>(&self, out: &mut ops::Writer<S>, scratch: &mut Scratch, root: Root<'_>) -> Result<()> {
        let Options { protocol, writer, .. } = &self.options;
        if *protocol > writer.highest_protocol() {
            let expected = format!("a protocol that {writer} supports, at most {}", writer.highest_protocol());
            return Err(Error::new(ErrorKind::Unrepresentable, expected, protocol.to_string()));
        }
        let mut callback =
            self.buffer_callback.as_ref().map(|callback| callback.lock().unwrap_or_else(PoisonError::into_inner));
        emitter::dump(root.value, root.effects, out, scratch, &self.options, callback.as_deref_mut())
    }
}

/// Writes several pickles with one memo, like a Python `Pickler` with its file. Created by [`Pickler::stream`].
///
/// Later pickles fetch what earlier ones wrote; read them with [`shared_memo`](crate::Unpickler::shared_memo). After an
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
        f.debug_struct("StreamPickler")
            .field("pickler", &self.pickler)
            .field("is_broken", &self.is_broken)
            .finish_non_exhaustive()
    }
}

impl<'g, W: io::Write> StreamPickler<'g, W> {
    /// Writes one pickle: `Pickler.dump`.
    ///
    /// Hooks and native objects are called once for each value, until the memo is [cleared](StreamPickler::clear_memo):
    /// values in an earlier pickle are fetched from the memo.
    ///
    /// # Errors
    ///
    /// The errors of [`Pickler::dump`], and [`Broken`](ErrorKind::Broken) after any of them.
    pub fn dump(&mut self, value: Value<'g>) -> Result<()> {
        self.check()?;
        self.is_broken = true;
        let StreamPickler { pickler, out, scratch, lowered, .. } = self;
        let root = pickler.root_of(value, lowered)?;
        pickler.run(out, scratch, root)?;
        self.is_broken = false;
        Ok(())
    }

    /// Clears the memo, so that the next pickle can be read on its own: `Pickler.clear_memo`.
    pub fn clear_memo(&mut self) {
        self.lowered = LoweredGraphs::default();
        self.scratch.memo.clear();
    }

    /// Returns the memo index of a value, if it is in the memo: `Pickler.memo`.
    ///
    /// ```
    /// let graph = picklevm::value!([1, [2]]);
    /// let mut pickler = picklevm::Pickler::new().stream(Vec::new());
    /// pickler.dump(graph.root())?;
    /// assert_eq!(pickler.memo_get(graph.root().at(1)), Some(1));
    /// pickler.clear_memo();
    /// assert_eq!(pickler.memo_get(graph.root().at(1)), None);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn memo_get(&self, value: Value<'g>) -> Option<u32> {
        self.scratch.memo.number_of(self.lowered.find(value))
    }

    /// Returns the writer, positioned after the last pickle.
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
            return Err(Error::new(
                ErrorKind::Broken,
                "a stream without an earlier error",
                "a stream that failed before",
            ));
        }
        Ok(())
    }
}
