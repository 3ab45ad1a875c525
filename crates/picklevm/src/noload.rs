//! `noload`: the persistent ids of a pickle, and nothing else of it.

use picklevm_ops::Decoder;

use crate::error::Result;
use crate::graph::Graph;
use crate::limits;
use crate::machine::graph_builder::GraphBuilder;
use crate::machine::hooks::Session;
use crate::machine::persistent_ids::{NoLoad, Scratch};
use crate::machine::reuse::{self, Kept, Reuse};
use crate::machine::shadow::ShadowValue;
use crate::machine::{self, Machine};
use crate::unpickler::Unpickler;

impl Unpickler {
    /// Runs the first pickle of a slice without making any of its values but the persistent ids, which become the
    /// [`roots`](crate::Arena::roots) of a graph in the order in which they occur: `noload` of Python 2's `cPickle` and
    /// of zodbpickle, with a list for `persistent_load`.
    ///
    /// It costs little more than reading the opcodes. An id may be an atom, a global, a tuple of up to 131,071 items or a
    /// list of up to 64; other values inside an id are read as `None`. No resolver is asked.
    ///
    /// # Errors
    ///
    /// Those of [`loads`](Unpickler::loads), and [`ErrorKind::Limit`](crate::ErrorKind::Limit) where a tuple or a list inside
    /// of an id is longer than that.
    ///
    /// ```
    /// // {'owner': <persistent (b'\x05', app.User)>}
    /// let pickle = b"\x80\x03}X\x05\0\0\0ownerC\x01\x05capp\nUser\n\x86Qs.";
    /// let ids = picklevm::Unpickler::new().noload(pickle)?;
    /// assert_eq!(format!("{ids:?}"), r"(b'\x05', app.User)");
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
        reuse::with(&KEPT, |State { machine, scratch }| {
            let mut graph = Graph::new();
            let mut session = Session::default();
            let builder = GraphBuilder::new(graph.unique(), &self.options, &mut session);
            let mut builder = NoLoad::new(builder, bytes, scratch);
            machine::run_all(machine, &mut builder, Decoder::new(bytes), limits, most, self.shared_memo)?;
            Ok(graph)
        })
    }
}

/// Drops what this thread keeps for the next call of `noload`.
pub(crate) fn trim() {
    reuse::trim(&KEPT);
}

/// What a thread keeps for `noload`.
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
    static KEPT: Kept<State> = const { Kept::new() };
}
