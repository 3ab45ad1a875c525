//! Memory that a pickler reuses.

use picklevm_ops::{Memory, Writer};

use super::Step;
use super::fast_tree::Level;
use super::memo::Memo;
use crate::reuse::{self, ThreadReuse};

/// Memo, stack of steps (empty between pickles), and memory for a short pickle.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) memo: Memo,
    pub(super) steps: Vec<Step>,
    /// Open containers of a tree.
    pub(super) levels: Vec<Level>,
    out: Vec<u8>,
    /// Whether later pickles use the memo.
    pub(super) is_stream: bool,
}

/// Maximum length of a short pickle: copying it takes less time than preparing a new vector.
pub(super) const SHORT_PICKLE_LEN: usize = 2048;

thread_local! {
    static REUSED: ThreadReuse<Box<Scratch>> = const { ThreadReuse::new() };
}

/// Frees the memory that this thread reuses.
pub(crate) fn trim() {
    reuse::trim(&REUSED);
}

impl Scratch {
    /// Takes the thread's memory, with an empty memo.
    #[inline]
    pub(crate) fn take() -> Box<Scratch> {
        reuse::take(&REUSED)
    }

    /// Creates memory for several pickles with one memo.
    pub(crate) fn for_stream() -> Box<Scratch> {
        Box::new(Scratch { is_stream: true, ..Scratch::default() })
    }

    /// Returns a short pickle that `write` writes into the thread's memory. It also gets a vector for levels.
    #[inline]
    pub(super) fn short(
        write: impl for<'m> FnOnce(&'m mut [u8], &mut Vec<Level>) -> Option<&'m [u8]>,
    ) -> Option<Box<[u8]>> {
        let mut scratch = Scratch::take();
        scratch.reserve_short();
        let pickle = write(&mut scratch.out, &mut scratch.levels).map(Box::from);
        scratch.keep();
        pickle
    }

    /// Returns a writer for a pickle of about `len` bytes. [`written`](Scratch::written) returns its output.
    #[inline]
    pub(crate) fn writer(&mut self, len: usize) -> Writer<Memory> {
        if len > SHORT_PICKLE_LEN {
            return Writer::append_to(Vec::with_capacity(len));
        }
        self.reserve_short();
        Writer::from_vec(std::mem::take(&mut self.out))
    }

    #[inline]
    fn reserve_short(&mut self) {
        if self.out.len() < SHORT_PICKLE_LEN {
            self.out.resize(SHORT_PICKLE_LEN, 0);
        }
    }

    /// Returns the output. A short pickle is copied, so that the writer's memory can be reused.
    #[inline]
    pub(crate) fn written(&mut self, writer: Writer<Memory>) -> Vec<u8> {
        let written = writer.written();
        let len = written.len();
        let short = (len <= SHORT_PICKLE_LEN).then(|| written.to_vec());
        let mut memory = writer.into_memory();
        match short {
            Some(short) => {
                self.out = memory;
                short
            }
            None => {
                memory.truncate(len);
                memory
            }
        }
    }

    /// Keeps the memory for the thread's next pickle, up to a limit.
    #[inline]
    pub(crate) fn give(mut self: Box<Self>) {
        self.memo.clear();
        self.memo.shrink_to(1 << 16);
        self.steps.clear();
        self.steps.shrink_to(1 << 12);
        self.levels.clear();
        self.levels.shrink_to(1 << 12);
        if self.out.capacity() > 4 * SHORT_PICKLE_LEN {
            self.out = Vec::new();
        }
        self.keep();
    }

    #[inline]
    fn keep(self: Box<Self>) {
        reuse::keep(&REUSED, self);
    }
}
