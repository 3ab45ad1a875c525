//! `noload`: the persistent ids of a pickle, and nothing else of it.

use std::cell::Cell;

use picklevm_ops::Decoder;

use crate::error::Result;
use crate::graph::Graph;
use crate::limits;
use crate::machine;
use crate::machine::graph_builder::GraphBuilder;
use crate::machine::kept::{self, Kept};
use crate::machine::noload::{Met, NoLoad, Scratch};
use crate::machine::resolving::Session;
use crate::unpickler::Unpickler;

impl Unpickler {
    /// Runs the first pickle of a slice without making any of its values but the persistent ids, which become the
    /// [`roots`](crate::Arena::roots) of a graph in the order in which they occur: `noload` of Python 2's `cPickle` and
    /// of zodbpickle, with a list for `persistent_load`.
    ///
    /// It costs little more than reading the opcodes. An id may be an atom, a global, a tuple or a list of up to 64
    /// items; other values inside an id are read as `None`. No resolver is asked.
    ///
    /// # Errors
    ///
    /// Those of [`loads`](Unpickler::loads).
    ///
    /// ```
    /// // {'owner': <persistent (b'\x05', app.User)>}
    /// let pickle = b"\x80\x03}X\x05\0\0\0ownerC\x01\x05capp\nUser\n\x86Qs.";
    /// let ids = picklevm::Unpickler::new().noload(pickle)?;
    /// assert_eq!(format!("{ids:?}"), r#"[(b"\x05", app.User)]"#);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn noload(&self, bytes: impl AsRef<[u8]>) -> Result<Graph> {
        self.noload_some(bytes.as_ref(), 1)
    }

    /// Runs all pickles of a slice as [`noload`](Unpickler::noload) does the first, and collects the persistent ids of all
    /// of them: what `referencesf` of ZODB needs, whose records are two pickles with a [shared
    /// memo](Unpickler::shared_memo).
    ///
    /// # Errors
    ///
    /// Those of [`loads`](Unpickler::loads), from any of the pickles.
    pub fn noload_all(&self, bytes: impl AsRef<[u8]>) -> Result<Graph> {
        self.noload_some(bytes.as_ref(), usize::MAX)
    }

    fn noload_some(&self, bytes: &[u8], most: usize) -> Result<Graph> {
        let limits = &self.options.limits;
        limits::check("input", "bytes of input", limits.input, bytes.len() as u64)?;
        kept::with(&KEPT, |machine| {
            let mut graph = Graph::new();
            let mut session = Session::default();
            let mut scratch = SCRATCH.take();
            let builder = GraphBuilder::new(graph.unique(), &self.options, &mut session);
            let mut builder = NoLoad::new(builder, bytes, &mut scratch);
            let mut decoder = Decoder::new(bytes);
            for _ in 0..most {
                let (source, done) = machine::run(machine, &mut builder, decoder, limits);
                done?;
                if source.offset() == bytes.len() {
                    break;
                }
                if !self.shared_memo {
                    machine.clear();
                }
                decoder = source;
                decoder.start_pickle();
            }
            scratch.clear();
            SCRATCH.set(scratch);
            Ok(graph)
        })
    }
}

/// Drops what this thread keeps for the next call of `noload`.
pub(crate) fn trim() {
    kept::trim(&KEPT);
    SCRATCH.take();
}

thread_local! {
    static KEPT: Kept<Met> = const { Kept::new() };
    static SCRATCH: Cell<Scratch> = const { Cell::new(Scratch::new()) };
}
