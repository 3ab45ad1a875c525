//! `Unpickler` and the free functions that load with default options.

use std::io::BufRead;
use std::sync::Arc;

use bytes::Bytes;
use picklevm_ops::internal::PredictableDecoder;
use picklevm_ops::{Decoder, Reader, Source};

use crate::encoding::{Encoding, ErrorHandler};
use crate::error::Result;
use crate::graph::{Cell, Graph};
use crate::limits::{self, Limits};
use crate::machine::graph_builder::GraphBuilder;
use crate::machine::hooks::Session;
use crate::machine::{self, Machine};
use crate::options::Options;
use crate::resolve::Resolver;
use crate::reuse::{self, ThreadReuse};

/// Loads one pickle from a slice with the [`Standard`](crate::Standard) resolver and the default [`Limits`], like
/// Python's `pickle.loads(data)`.
///
/// Bytes after the pickle are ignored, as in Python.
///
/// # Errors
///
/// Returns an error if the bytes are not a valid pickle, end too early, or exceed a limit.
///
/// ```
/// let graph = picklevm::loads(b"\x80\x04]\x94(K\x01K\x02e.")?;
/// assert_eq!(format!("{:?}", graph.root()), "[1, 2]");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn loads(bytes: impl AsRef<[u8]>) -> Result<Graph> {
    Unpickler::new().loads(bytes)
}

/// Loads the next pickle of a reader with the [`Standard`](crate::Standard) resolver and the default [`Limits`], like
/// Python's `pickle.load`.
///
/// Nothing is read past the end of the pickle.
///
/// # Errors
///
/// The errors of [`loads`]; [`ErrorKind::End`](crate::ErrorKind::End) if the reader is at its end; errors of the
/// reader.
///
/// ```
/// let mut reader = &b"\x80\x02K\x01.K\x02."[..];
/// assert_eq!(picklevm::load(&mut reader)?.root(), 1);
/// assert_eq!(picklevm::load(&mut reader)?.root(), 2);
/// assert_eq!(picklevm::load(&mut reader).unwrap_err().kind(), picklevm::ErrorKind::End);   // Python's EOFError
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn load(reader: impl BufRead) -> Result<Graph> {
    Unpickler::new().load(reader)
}

/// Loads pickles with a resolver, limits and the options of Python's `Unpickler`. Cheap to clone.
///
/// ```
/// use picklevm::{Symbolic, Unpickler};
///
/// let unpickler = Unpickler::new().resolver(Symbolic);
/// let graph = unpickler.loads(b"\x80\x02c__builtin__\nset\n]K\x07a\x85R.")?;
/// assert_eq!(format!("{:?}", graph.root()), "__builtin__.set([7])");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Unpickler {
    pub(crate) options: Options,
    pub(crate) shared_memo: bool,
}

/// Shows the options.
impl std::fmt::Debug for Unpickler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpickler")
            .field("limits", &self.options.limits)
            .field("encoding", &self.options.encoding)
            .field("errors", &self.options.errors)
            .field("fix_imports", &self.options.fix_imports)
            .field("shared_memo", &self.shared_memo)
            .finish_non_exhaustive()
    }
}

impl Unpickler {
    /// The input length from which [`load_bytes`](Self::load_bytes) shares the input instead of copying it.
    pub const ZERO_COPY_THRESHOLD: usize = 1024;

    /// Creates an unpickler with the [`Standard`](crate::Standard) resolver and the default [`Limits`].
    pub fn new() -> Self {
        Unpickler::default()
    }

    /// Sets the resolver of globals, persistent ids and extension codes. The default is [`Standard`](crate::Standard).
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver + 'static) -> Self {
        self.options.resolver = Arc::new(resolver);
        self
    }

    /// Sets the resource limits. The default is [`Limits::default`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Sets whether the Python 2 names in pickles below protocol 3 are mapped to Python 3 names for the resolver:
    /// Python's `fix_imports`. The default is `true`. The graph keeps the names of the pickle either way.
    ///
    /// ```
    /// use picklevm::{Resolver, Symbolic, Unpickler};
    ///
    /// let unpickler = Unpickler::new().resolver(Symbolic.allow_only(["queue.Queue"]));
    /// assert!(unpickler.loads(b"cQueue\nQueue\n.").is_ok());
    /// assert!(unpickler.fix_imports(false).loads(b"cQueue\nQueue\n.").is_err());
    /// ```
    #[must_use]
    pub fn fix_imports(mut self, fix: bool) -> Self {
        self.options.fix_imports = fix;
        self
    }

    /// Sets how 8-bit strings of Python 2 are decoded: Python's `encoding`. The default is [`Encoding::Keep`].
    ///
    /// ```
    /// use picklevm::{Encoding, Unpickler};
    ///
    /// let pickle = b"U\x04caf\xe9.";
    /// let graph = Unpickler::new().encoding(Encoding::Latin1).loads(pickle)?;
    /// assert_eq!(graph.root().as_str(), Some("café"));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.options.encoding = encoding;
        self
    }

    /// Sets what happens to bytes that the [encoding](Unpickler::encoding) cannot decode: Python's `errors`. The
    /// default is [`ErrorHandler::Strict`].
    ///
    /// ```
    /// use picklevm::{Encoding, ErrorHandler, Unpickler};
    ///
    /// let unpickler = Unpickler::new().encoding(Encoding::Utf8).errors(ErrorHandler::BackslashReplace);
    /// assert_eq!(unpickler.loads(b"U\x04caf\xe9.")?.root(), r"caf\xe9");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn errors(mut self, errors: ErrorHandler) -> Self {
        self.options.errors = errors;
        self
    }

    /// Sets a function that decodes 8-bit strings of Python 2, instead of [`encoding`](Unpickler::encoding) and
    /// [`errors`](Unpickler::errors); for codecs of crates such as `encoding_rs`. An error ends the load, with offset
    /// and opcode added.
    ///
    /// ```
    /// use picklevm::{Error, Unpickler};
    ///
    /// // The first Greek letters of code page 437.
    /// let greek = |byte: &u8| match byte {
    ///     0..0x80 => Ok(char::from(*byte)),
    ///     0xe0..0xe6 => Ok(['α', 'ß', 'Γ', 'π', 'Σ', 'σ'][usize::from(*byte - 0xe0)]),
    ///     _ => Err(Error::other(format!("byte 0x{byte:02x} is not a Greek letter"))),
    /// };
    /// let unpickler = Unpickler::new().decode_with(move |bytes| bytes.iter().map(greek).collect());
    /// assert_eq!(unpickler.loads(b"U\x03\xe3 \xe5.")?.root(), "π σ");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn decode_with(mut self, codec: impl Fn(&[u8]) -> Result<String> + Send + Sync + 'static) -> Self {
        self.options.codec = Some(Arc::new(codec));
        self
    }

    /// Sets the out-of-band buffers of a pickle, in the order in which its pickler produced them (PEP 574): Python's
    /// `buffers`.
    ///
    /// The graph shares them without copying. Each load starts with the first buffer; a [stream](Unpickler::stream)
    /// continues from pickle to pickle. Too few or too many are an error of kind [`Buffer`](crate::ErrorKind::Buffer).
    /// Without this option, buffers are loaded by index only.
    ///
    /// ```
    /// use bytes::Bytes;
    ///
    /// let buffer = Bytes::from(vec![1, 2, 3]);
    /// let graph = picklevm::Unpickler::new().buffers([buffer.clone()]).loads(b"\x80\x05\x97.")?;
    /// let picklevm::Kind::Buffer(loaded) = graph.root().kind() else { panic!() };
    /// assert_eq!(loaded.data().unwrap().as_ptr(), buffer.as_ptr());
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn buffers(mut self, buffers: impl IntoIterator<Item = impl Into<Bytes>>) -> Self {
        self.options.buffers = Some(buffers.into_iter().map(Into::into).collect());
        self
    }

    /// Sets whether the pickles of a [stream](Unpickler::stream) share one memo, as pickles written by several `dump`
    /// calls of one `Pickler` do. They are then loaded into one graph, one root each. The default is `false`.
    #[must_use]
    pub fn shared_memo(mut self, shared: bool) -> Self {
        self.shared_memo = shared;
        self
    }

    /// Loads one pickle from a slice. Bytes after it are ignored.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes are not a valid pickle, end too early, or exceed a limit, or if the resolver
    /// returns one.
    pub fn loads(&self, bytes: impl AsRef<[u8]>) -> Result<Graph> {
        let bytes = bytes.as_ref();
        limits::check("input", "bytes of input", self.options.limits.input, bytes.len() as u64)?;
        self.load_slice(bytes, None)
    }

    /// Loads the pickle at the start of a slice, and returns its length too: the offset of the next pickle.
    ///
    /// # Errors
    ///
    /// The errors of [`loads`](Unpickler::loads); [`ErrorKind::End`](crate::ErrorKind::End) if the slice is empty.
    ///
    /// ```
    /// let two = b"\x80\x04K\x01.\x80\x04K\x02.";
    /// let (graph, len) = picklevm::Unpickler::new().load_prefix(two)?;
    /// assert_eq!(graph.root(), 1);
    /// assert_eq!(picklevm::loads(&two[len..])?.root(), 2);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn load_prefix(&self, bytes: &[u8]) -> Result<(Graph, usize)> {
        let mut decoder = Decoder::new(bytes);
        let limit = usize::try_from(self.options.limits.input).unwrap_or(usize::MAX);
        if bytes.len() > limit {
            // Bytes after the pickle do not count.
            let len = picklevm_ops::pickle_bounds(bytes).next().transpose()?.map_or(bytes.len(), |pickle| pickle.len());
            limits::check("input", "bytes of input", self.options.limits.input, len as u64)?;
        }
        let source: &mut dyn Source = &mut decoder;
        let len = Some(bytes.len() as u64);
        let graph = self.load_by(len, Payloads::Copied, |machine, builder, limits| {
            machine::run(machine, builder, source, limits)
        })?;
        Ok((graph, decoder.offset()))
    }

    /// Loads one pickle from shared bytes. Strings, bytes and large integers of the graph are slices of them.
    ///
    /// The fastest way to load large pickles; the graph keeps the input alive. Inputs of less than 1 KiB are copied,
    /// which is cheaper than sharing them.
    ///
    /// # Errors
    ///
    /// The errors of [`loads`](Unpickler::loads).
    ///
    /// ```
    /// let input = bytes::Bytes::from([b"\x80\x03B\0\x10\0\0", &[7; 4096][..], b"."].concat());
    /// let graph = picklevm::Unpickler::new().load_bytes(input.clone())?;
    /// let loaded = graph.root().as_bytes().unwrap();
    /// assert_eq!(loaded.as_ptr(), input[7..].as_ptr());
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn load_bytes(&self, bytes: impl Into<Bytes>) -> Result<Graph> {
        let bytes = bytes.into();
        limits::check("input", "bytes of input", self.options.limits.input, bytes.len() as u64)?;
        self.load_slice(&bytes, (bytes.len() >= Unpickler::ZERO_COPY_THRESHOLD).then_some(&bytes))
    }

    /// Loads one pickle from shared bytes without copying payloads, even from short input.
    #[cfg(feature = "serde")]
    pub(crate) fn load_sharing(&self, bytes: Bytes) -> Result<Graph> {
        limits::check("input", "bytes of input", self.options.limits.input, bytes.len() as u64)?;
        self.load_slice(&bytes, Some(&bytes))
    }

    /// Loads the next pickle of a reader. Nothing is read past its end.
    ///
    /// # Errors
    ///
    /// The errors of [`loads`](Unpickler::loads); [`ErrorKind::End`](crate::ErrorKind::End) if the reader is at its
    /// end; errors of the reader.
    pub fn load(&self, reader: impl BufRead) -> Result<Graph> {
        // A `dyn Source`: the machine is compiled once for all readers.
        let source: &mut dyn Source = &mut Reader::new(reader).max_pickle_len(self.options.limits.input);
        self.load_by(None, Payloads::Copied, |machine, builder, limits| machine::run(machine, builder, source, limits))
    }

    /// Loads from a slice. Payloads in `shared` are not copied.
    fn load_slice(&self, bytes: &[u8], shared: Option<&Bytes>) -> Result<Graph> {
        let payloads = match shared {
            Some(shared) => Payloads::Shared(shared),
            None if bytes.len() < PredictableDecoder::LONG_INPUT_LEN => Payloads::CopiedInput(bytes),
            None => Payloads::Copied,
        };
        let len = Some(bytes.len() as u64);
        if bytes.len() < PredictableDecoder::LONG_INPUT_LEN {
            self.load_by(len, payloads, |machine, builder, limits| {
                machine::run_slice(machine, builder, Decoder::new(bytes), limits)
            })
        } else {
            self.load_by(len, payloads, |machine, builder, limits| {
                machine::run_slice(machine, builder, PredictableDecoder::new(bytes), limits)
            })
        }
    }

    /// Loads an input of `len` bytes, if known, by running the machine on it.
    fn load_by(
        &self,
        len: Option<u64>,
        payloads: Payloads<'_>,
        run: impl FnOnce(&mut Machine<Cell>, &mut GraphBuilder<'_>, &Limits) -> Result<Cell>,
    ) -> Result<Graph> {
        reuse::with(&REUSED, |machine| {
            let mut session = Session::default();
            let mut graph = Graph::for_input(len);
            let arena = graph.unique();
            if let Payloads::Shared(input) = payloads {
                arena.share_input(input.clone());
            }
            let mut builder = GraphBuilder::new(arena, &self.options, &mut session);
            if let Payloads::CopiedInput(input) = payloads {
                builder.copy_input(input);
            }
            run(machine, &mut builder, &self.options.limits)?;
            session.check_buffers(&self.options)?;
            Ok(graph)
        })
    }
}

/// How the graph stores the payloads of the input.
enum Payloads<'a> {
    /// As slices of the shared input.
    Shared(&'a Bytes),
    /// The whole input is copied at once.
    CopiedInput(&'a [u8]),
    /// Each payload is copied on its own.
    Copied,
}

thread_local! {
    static REUSED: ThreadReuse<Box<Machine<Cell>>> = const { ThreadReuse::new() };
}

/// Frees the machine that this thread reuses.
pub(crate) fn trim() {
    reuse::trim(&REUSED);
}
