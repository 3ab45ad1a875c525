//! `Stream`: an iterator over the pickles of a reader.

use std::io::BufRead;

use picklevm_ops::{Reader, Source};

use super::unpickler::Unpickler;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Cell, Graph, Value};
use crate::limits::Limits;
use crate::machine::graph_builder::GraphBuilder;
use crate::machine::hooks::Session;
use crate::machine::{self, Machine};

/// Iterator over the pickles of a reader, like a Python `Unpickler` with its file. Created by [`Unpickler::stream`].
///
/// Each pickle has its own memo and graph, unless the memo is [shared](Unpickler::shared_memo): then each item is the
/// graph of all pickles so far, with the newest as the last of its [`roots`](crate::Arena::roots). After an error the
/// iterator ends, and [`load`](Stream::load) returns [`ErrorKind::Broken`].
pub struct Stream<R> {
    unpickler: Unpickler,
    source: Reader<R>,
    machine: Machine<Cell>,
    session: Session,
    graph: Graph,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    /// The reader was at its end.
    Ended,
    /// A load failed, or caller code panicked.
    Broken,
}

impl<R> std::fmt::Debug for Stream<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("unpickler", &self.unpickler).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Unpickler {
    /// Returns an iterator over the pickles of a reader.
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
        Stream::new(self.clone(), reader)
    }
}

impl<R: BufRead> Stream<R> {
    pub(crate) fn new(unpickler: Unpickler, reader: R) -> Self {
        let source = Reader::new(reader).max_pickle_len(unpickler.options.limits.input);
        Stream {
            unpickler,
            source,
            machine: Machine::new(),
            session: Session::default(),
            graph: Graph::new(),
            state: State::Ready,
        }
    }

    /// Returns the reader, positioned after the last pickle.
    pub fn into_inner(self) -> R {
        self.source.into_inner()
    }

    /// Loads the next pickle: `Unpickler.load`.
    ///
    /// # Errors
    ///
    /// The errors of [`Unpickler::loads`]; [`ErrorKind::End`] at the end of the reader; [`ErrorKind::Broken`] if a load
    /// failed before, since the start of the next pickle is then unknown.
    ///
    /// ```
    /// use picklevm::{ErrorKind, Unpickler};
    ///
    /// let mut stream = Unpickler::new().stream(&b"K\x01.K\x02aK\x03."[..]);
    /// assert_eq!(stream.load()?.root().as_i64(), Some(1));
    /// assert_eq!(stream.load().unwrap_err().kind(), ErrorKind::Stack);
    /// assert_eq!(stream.load().unwrap_err().kind(), ErrorKind::Broken);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn load(&mut self) -> Result<Graph> {
        if self.state == State::Broken {
            return Err(Error::new(
                ErrorKind::Broken,
                "a stream without an earlier error",
                "a stream that failed before",
            ));
        }
        self.state = State::Broken;
        let loaded = self.load_next();
        match &loaded {
            Ok(_) => self.state = State::Ready,
            Err(error) if error.kind() == ErrorKind::End => self.state = State::Ended,
            Err(_) => {}
        }
        loaded
    }

    /// Returns the value at an index of the [shared memo](Unpickler::shared_memo): `Unpickler.memo` of Python's class.
    /// `None` if the memo is not shared.
    ///
    /// ```
    /// let mut stream = picklevm::Unpickler::new().shared_memo(true).stream(&b"]\x94(]\x94h\x01e."[..]);
    /// let graph = stream.load()?;
    /// assert!(stream.memo_get(1).unwrap().is(graph.root().at(0)));
    /// assert!(stream.memo_get(2).is_none());
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn memo_get(&self, index: u64) -> Option<Value<'_>> {
        let cell = self.machine.memo.get(index).filter(|_| self.unpickler.shared_memo)?;
        Some(Value::new(&self.graph, cell))
    }

    fn load_next(&mut self) -> Result<Graph> {
        let Unpickler { options, shared_memo } = &self.unpickler;
        if !shared_memo {
            self.machine.clear();
            self.session.start_graph();
            self.graph = Graph::new();
        }
        self.source.start_pickle();
        let mut builder = GraphBuilder::new(self.graph.unique(), options, &mut self.session);
        let source: &mut dyn Source = &mut self.source;
        match run(&mut self.machine, &mut builder, source, &options.limits) {
            Ok(_) if *shared_memo => Ok(self.graph.clone()),
            Ok(_) => Ok(std::mem::take(&mut self.graph)),
            Err(error) => {
                if error.kind() == ErrorKind::End {
                    self.session.check_buffers(options)?;
                }
                Err(error)
            }
        }
    }
}

/// Runs one pickle. Not generic: compiled once for all readers.
#[inline(never)]
fn run(
    machine: &mut Machine<Cell>,
    builder: &mut GraphBuilder<'_>,
    source: &mut dyn Source,
    limits: &Limits,
) -> Result<Cell> {
    machine::run(machine, builder, source, limits)
}

impl<R: BufRead> Iterator for Stream<R> {
    type Item = Result<Graph>;

    fn next(&mut self) -> Option<Result<Graph>> {
        if self.state != State::Ready {
            return None;
        }
        match self.load() {
            Err(error) if error.kind() == ErrorKind::End => None,
            result => Some(result),
        }
    }
}
