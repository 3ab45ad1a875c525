//! Loading the pickles of a member one after the other, also those that one pickler wrote with one memo.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use bytes::{Buf, Bytes};
use picklevm::pretty::Pretty;
use picklevm::{ErrorKind, Graph, Stream, Unpickler, Value};

use crate::pickles::Pickle;

/// Bytes of earlier pickles that are kept in case that a later one fetches a value of theirs.
const MOST_KEPT: usize = 256 << 20;

/// Loads pickles. One that fetches a value that it did not store is loaded with the memo of those before it in its member,
/// as by several `load` calls of one `Unpickler`.
pub(crate) struct Loader {
    unpickler: Unpickler,
    /// The pickles of the member so far, if they are not too long.
    earlier: Vec<Bytes>,
    kept: usize,
    /// Where the first of them begins.
    start: u64,
    shared: Option<(Stream<Feed>, Queue)>,
}

/// The graph of a pickle. If it shares the memo of earlier ones, their values are in the graph too.
pub(crate) struct Loaded {
    graph: Graph,
}

impl Loaded {
    /// The value of the pickle.
    pub(crate) fn root(&self) -> Value<'_> {
        self.graph.roots().last().unwrap_or(self.graph.root())
    }

    /// The value of the pickle as text, with the calls that it makes for their effect.
    pub(crate) fn pretty(&self) -> Pretty<'_> {
        if self.graph.roots().len() > 1 { self.root().pretty() } else { self.graph.pretty() }
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }
}

impl From<Graph> for Loaded {
    fn from(graph: Graph) -> Self {
        Loaded { graph }
    }
}

impl Loader {
    pub(crate) fn new(unpickler: Unpickler) -> Self {
        Loader { unpickler, earlier: Vec::new(), kept: 0, start: 0, shared: None }
    }

    /// Loads the next pickle. The offset of an error counts from the start of the member.
    pub(crate) fn load(&mut self, pickle: &Pickle) -> picklevm::Result<Loaded> {
        if pickle.index == 0 {
            (self.earlier, self.kept, self.start, self.shared) = (Vec::new(), 0, pickle.offset, None);
        }
        if let Some((stream, queue)) = &mut self.shared {
            queue.borrow_mut().push_back(pickle.data.clone());
            return stream.load().map(Loaded::from).map_err(|error| error.offset_by(self.start));
        }
        let loaded = match pickle.load(&self.unpickler) {
            Err(error) if error.kind() == ErrorKind::Memo && self.earlier.len() == pickle.index => {
                self.load_together(pickle).ok_or(error)?
            }
            loaded => loaded?,
        };
        self.kept = self.kept.saturating_add(pickle.data.len());
        if self.kept <= MOST_KEPT {
            self.earlier.push(pickle.data.clone());
        } else {
            self.earlier.clear();
        }
        Ok(loaded.into())
    }

    /// Loads a pickle after those before it, with one memo.
    fn load_together(&mut self, pickle: &Pickle) -> Option<Graph> {
        let queue = Queue::default();
        let feed = Feed { now: Bytes::new(), queue: queue.clone() };
        let mut stream = self.unpickler.clone().shared_memo(true).stream(feed);
        for earlier in self.earlier.drain(..) {
            queue.borrow_mut().push_back(earlier);
            stream.load().ok()?;
        }
        queue.borrow_mut().push_back(pickle.data.clone());
        let graph = stream.load().ok()?;
        self.shared = Some((stream, queue));
        Some(graph)
    }
}

type Queue = Rc<RefCell<VecDeque<Bytes>>>;

/// A reader of the pickles in a queue.
struct Feed {
    now: Bytes,
    queue: Queue,
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.fill_buf()?.read(out)?;
        self.consume(len);
        Ok(len)
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.now.is_empty() {
            match self.queue.borrow_mut().pop_front() {
                Some(next) => self.now = next,
                None => break,
            }
        }
        Ok(&self.now)
    }

    fn consume(&mut self, len: usize) {
        self.now.advance(len.min(self.now.len()));
    }
}
