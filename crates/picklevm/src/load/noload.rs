//! `noload`: loads only the persistent ids of a pickle.

use picklevm_ops::Decoder;

use super::unpickler::Unpickler;
use crate::error::Result;
use crate::graph::Graph;
use crate::limits;
use crate::machine::graph_builder::GraphBuilder;
use crate::machine::hooks::Session;
use crate::machine::persistent_ids::{NoLoad, Scratch};
use crate::machine::shadow::ShadowValue;
use crate::machine::{self, Machine};
use crate::reuse::{self, Reuse, ThreadReuse};

impl Unpickler {
    /// Loads only the persistent ids of the first pickle of a slice: `noload` of Python 2's `cPickle` and of
    /// zodbpickle, with a list for `persistent_load`. The ids become the [`roots`](crate::Arena::roots) of the graph,
    /// in order.
    ///
    /// This costs little more than reading the opcodes. An id may be an atom, a global, a tuple of up to 131,071 items
    /// or a list of up to 64; other values inside an id are read as `None`. No resolver is called.
    ///
    /// # Errors
    ///
    /// The errors of [`loads`](Unpickler::loads), and [`ErrorKind::Limit`](crate::ErrorKind::Limit) if a tuple or list
    /// inside an id is longer than that.
    ///
    /// ```
    /// // {'owner': <persistent (b'\x05', app.User)>}
    /// let pickle = b"\x80\x03}X\x05\0\0\0ownerC\x01\x05capp\nUser\n\x86Qs.";
    /// let ids = picklevm::Unpickler::new().noload(pickle)?;
    /// assert_eq!(format!("{ids:?}"), r"(b'\x05', app.User)");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn noload(&self, bytes: impl AsRef<[u8]>) -> Result<Graph> {
        self.noload_up_to(bytes.as_ref(), 1)
    }

    /// Loads only the persistent ids of all pickles of a slice, as [`noload`](Unpickler::noload) does for the first:
    /// for `referencesf` of ZODB, whose records are two pickles with a [shared memo](Unpickler::shared_memo).
    ///
    /// # Errors
    ///
    /// The errors of [`loads`](Unpickler::loads), from any of the pickles.
    pub fn noload_all(&self, bytes: impl AsRef<[u8]>) -> Result<Graph> {
        self.noload_up_to(bytes.as_ref(), usize::MAX)
    }

    fn noload_up_to(&self, bytes: &[u8], most: usize) -> Result<Graph> {
        let limits = &self.options.limits;
        limits::check("input", "bytes of input", limits.input, bytes.len() as u64)?;
        reuse::with(&REUSED, |State { machine, scratch }| {
            let mut graph = Graph::new();
            let mut session = Session::default();
            let builder = GraphBuilder::new(graph.unique(), &self.options, &mut session);
            let mut builder = NoLoad::new(builder, bytes, scratch);
            machine::run_all(machine, &mut builder, Decoder::new(bytes), limits, most, self.shared_memo)?;
            Ok(graph)
        })
    }
}

/// Drops the state that this thread keeps for the next call of `noload`.
pub(crate) fn trim() {
    reuse::trim(&REUSED);
}

/// State of `noload` that a thread reuses.
#[derive(Default)]
struct State {
    machine: Machine<ShadowValue>,
    scratch: Scratch,
}

impl Reuse for State {
    fn clear(&mut self) {
        self.machine.clear();
        self.scratch.clear();
    }
}

thread_local! {
    static REUSED: ThreadReuse<Box<State>> = const { ThreadReuse::new() };
}
