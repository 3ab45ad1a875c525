//! `Unpickler`: what to load pickles with, and the free functions for the common cases.

use std::cell::RefCell;
use std::io::BufRead;
use std::sync::Arc;

use bytes::Bytes;
use picklevm_ops::{Decoder, Reader, Source};

use crate::error::Result;
use crate::graph::{Cell, Graph};
use crate::limits::{self, Limits};
use crate::machine::graph_builder::GraphBuilder;
use crate::machine::{self, Machine};
use crate::resolve::{Resolver, Standard};

/// Loads one pickle from a slice, with [`Standard`] and the default [`Limits`]: Python's `pickle.loads`.
///
/// Bytes after the pickle are ignored, as Python ignores them.
///
/// # Errors
///
/// If the bytes are no pickle, end too early, or pass a limit.
///
/// ```
/// let graph = picklevm::loads(b"\x80\x04]\x94(K\x01K\x02e.")?;
/// assert_eq!(format!("{:?}", graph.root()), "[1, 2]");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn loads(bytes: impl AsRef<[u8]>) -> Result<Graph> {
    Unpickler::new().loads(bytes)
}

/// Loads the next pickle of a reader, with [`Standard`] and the default [`Limits`]: Python's `pickle.load`.
///
/// Nothing is read past the pickle's end, so that what follows can be read next.
///
/// # Errors
///
/// Those of [`loads`]; [`ErrorKind::End`](crate::ErrorKind::End) if the reader is at its end; errors of the reader.
pub fn load(reader: impl BufRead) -> Result<Graph> {
    Unpickler::new().load(reader)
}

/// How to load pickles: resolver and limits. Cheap to clone.
///
/// ```
/// use picklevm::{Symbolic, Unpickler};
///
/// let unpickler = Unpickler::new().resolver(Symbolic);
/// let graph = unpickler.loads(b"\x80\x02c__builtin__\nset\n]K\x07a\x85R.")?;
/// assert_eq!(format!("{:?}", graph.root()), "__builtin__.set([7])");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone)]
pub struct Unpickler {
    resolver: Arc<dyn Resolver>,
    limits: Limits,
    shared_memo: bool,
}

impl Default for Unpickler {
    fn default() -> Self {
        Unpickler::new()
    }
}

impl Unpickler {
    /// [`Standard`] values and the default [`Limits`].
    pub fn new() -> Self {
        static STANDARD: std::sync::LazyLock<Arc<dyn Resolver>> = std::sync::LazyLock::new(|| Arc::new(Standard));
        Unpickler { resolver: STANDARD.clone(), limits: Limits::default(), shared_memo: false }
    }

    /// Who decides what globals stand for; [`Standard`] by default.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver + 'static) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// The budgets of a load; those of [`Limits::default`] by default.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether the pickles of a [stream](Unpickler::stream) share one memo, as those do that one `Pickler` wrote with
    /// several calls of `dump`. They are loaded into one graph then, one root each. `false` by default.
    #[must_use]
    pub fn shared_memo(mut self, shared: bool) -> Self {
        self.shared_memo = shared;
        self
    }

    /// Loads one pickle from a slice. Bytes after it are ignored.
    ///
    /// # Errors
    ///
    /// If the bytes are no pickle, end too early, or pass a limit; or if the resolver refuses.
    pub fn loads(&self, bytes: impl AsRef<[u8]>) -> Result<Graph> {
        let bytes = bytes.as_ref();
        limits::check("input", "bytes of input", self.limits.input, bytes.len() as u64)?;
        let mut graph = Graph::new();
        self.load_into(&mut graph, &mut Decoder::new(bytes))?;
        Ok(graph)
    }

    /// Loads one pickle from shared bytes: strings, bytes and large integers of the graph are slices of them.
    ///
    /// The fastest way to load; the graph keeps the input alive.
    ///
    /// # Errors
    ///
    /// Those of [`loads`](Unpickler::loads).
    ///
    /// ```
    /// let input = bytes::Bytes::from_static(b"\x80\x03C\x05hello.");
    /// let graph = picklevm::Unpickler::new().load_bytes(input.clone())?;
    /// let loaded = graph.root().as_bytes().unwrap();
    /// assert_eq!(loaded.as_ptr(), input[4..].as_ptr());
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn load_bytes(&self, bytes: impl Into<Bytes>) -> Result<Graph> {
        let bytes = bytes.into();
        limits::check("input", "bytes of input", self.limits.input, bytes.len() as u64)?;
        let mut graph = Graph::new();
        graph.unique().share_input(bytes.clone());
        self.load_into(&mut graph, &mut Decoder::new(&bytes))?;
        Ok(graph)
    }

    /// Loads the next pickle of a reader, and reads no further.
    ///
    /// # Errors
    ///
    /// Those of [`loads`](Unpickler::loads); [`ErrorKind::End`](crate::ErrorKind::End) if the reader is at its end;
    /// errors of the reader.
    pub fn load(&self, reader: impl BufRead) -> Result<Graph> {
        let mut graph = Graph::new();
        self.load_into(&mut graph, &mut self.reader(reader))?;
        Ok(graph)
    }

    /// The pickles of a reader, one after the other, until its end.
    ///
    /// ```
    /// let two = &b"\x80\x02K\x01.\x80\x02K\x02."[..];
    /// let values: Vec<_> = picklevm::Unpickler::new()
    ///     .stream(two)
    ///     .map(|graph| graph.map(|graph| graph.root().as_i64()))
    ///     .collect::<Result<_, _>>()?;
    /// assert_eq!(values, [Some(1), Some(2)]);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn stream<R: BufRead>(&self, reader: R) -> Stream<R> {
        Stream {
            unpickler: self.clone(),
            source: self.reader(reader),
            machine: Machine::new(),
            graph: Graph::new(),
            done: false,
        }
    }

    fn reader<R: BufRead>(&self, reader: R) -> Reader<R> {
        Reader::new(reader)
    }

    fn load_into<S: Source>(&self, graph: &mut Graph, source: &mut S) -> Result<()> {
        MACHINE.with(|cell| match cell.try_borrow_mut() {
            Ok(mut machine) => self.run(&mut machine, graph, source),
            // A resolver loads a pickle itself.
            Err(_) => self.run(&mut Machine::new(), graph, source),
        })
    }

    fn run<S: Source>(&self, machine: &mut Machine<Cell>, graph: &mut Graph, source: &mut S) -> Result<()> {
        let mut builder = GraphBuilder::new(graph.unique(), &*self.resolver, &self.limits);
        let done = machine::run(machine, &mut builder, source, &self.limits);
        machine.clear();
        done.map(drop)
    }
}

thread_local! {
    /// Stack, marks and memo of the thread's last load, for their memory.
    static MACHINE: RefCell<Machine<Cell>> = RefCell::new(Machine::new());
}

/// The pickles of a reader, made by [`Unpickler::stream`].
///
/// Each pickle has a memo of its own and makes a graph of its own, unless the memo is
/// [shared](Unpickler::shared_memo): then each item is the graph of all pickles so far, the newest the last of its
/// [`roots`](crate::Arena::roots). After an error there are no more items.
pub struct Stream<R> {
    unpickler: Unpickler,
    source: Reader<R>,
    machine: Machine<Cell>,
    graph: Graph,
    done: bool,
}

impl<R: BufRead> Stream<R> {
    /// The reader, behind the last pickle.
    pub fn into_inner(self) -> R {
        self.source.into_inner()
    }

    fn load(&mut self) -> Result<Graph> {
        self.source.start_pickle();
        let unpickler = &self.unpickler;
        if !unpickler.shared_memo {
            let mut graph = Graph::new();
            unpickler.run(&mut self.machine, &mut graph, &mut self.source)?;
            return Ok(graph);
        }
        let mut builder = GraphBuilder::new(self.graph.unique(), &*unpickler.resolver, &unpickler.limits);
        machine::run(&mut self.machine, &mut builder, &mut self.source, &unpickler.limits)?;
        Ok(self.graph.clone())
    }
}

impl<R: BufRead> Iterator for Stream<R> {
    type Item = Result<Graph>;

    fn next(&mut self) -> Option<Result<Graph>> {
        if self.done {
            return None;
        }
        let result = self.load();
        self.done = result.is_err();
        match result {
            Err(error) if error.kind() == crate::ErrorKind::End => None,
            result => Some(result),
        }
    }
}
