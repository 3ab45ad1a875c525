//! What a pickler works with from pickle to pickle.

use std::cell::Cell;

use picklevm_ops::{Memory, Writer};

use super::Step;
use super::fast_tree::Level;
use super::memo::Memo;

/// A memo and a stack of steps, which is empty between pickles, and memory for a short pickle.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) memo: Memo,
    pub(super) steps: Vec<Step>,
    /// The containers of a tree that are open.
    pub(super) levels: Vec<Level>,
    out: Vec<u8>,
    /// Whether no later pickle asks the memo for what this one wrote.
    pub(super) is_for_one: bool,
}

/// How long a short pickle is: it is copied in less time than it takes to make a vector of its own ready for it.
pub(super) const SHORT: usize = 2048;

thread_local! {
    /// What the last pickle of this thread worked with, for its memory: a short one is written in less time than that
    /// takes to allocate.
    static KEPT: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    /// Work that knows nothing.
    #[inline]
    pub(crate) fn take() -> Box<Scratch> {
        KEPT.try_with(Cell::take)
            .ok()
            .flatten()
            .unwrap_or_else(|| Box::new(Scratch { is_for_one: true, ..Scratch::default() }))
    }

    /// A short pickle that `write` writes over memory of this thread, given places for levels too.
    #[inline]
    pub(super) fn short(
        write: impl for<'m> FnOnce(&'m mut [u8], &mut Vec<Level>) -> Option<&'m [u8]>,
    ) -> Option<Box<[u8]>> {
        let mut scratch = Scratch::take();
        scratch.make_room();
        let pickle = write(&mut scratch.out, &mut scratch.levels).map(Box::from);
        scratch.keep();
        pickle
    }

    /// A writer for a pickle of about so many bytes, of which [`written`](Scratch::written) takes what was written.
    #[inline]
    pub(crate) fn writer(&mut self, len: usize) -> Writer<Memory> {
        if len > SHORT {
            return Writer::append_to(Vec::with_capacity(len));
        }
        self.make_room();
        Writer::from_vec(std::mem::take(&mut self.out))
    }

    #[inline]
    fn make_room(&mut self) {
        if self.out.len() < SHORT {
            self.out.resize(SHORT, 0);
        }
    }

    /// What was written: a short pickle in as much memory as it takes, so that the writer's is kept for the next.
    #[inline]
    pub(crate) fn written(&mut self, writer: Writer<Memory>) -> Vec<u8> {
        let written = writer.written();
        let len = written.len();
        let short = (len <= SHORT).then(|| written.to_vec());
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

    /// Keeps its memory for the next pickle of this thread, unless that is a lot.
    #[inline]
    pub(crate) fn give(mut self: Box<Self>) {
        self.memo.clear();
        self.memo.shrink_to(1 << 16);
        self.steps.clear();
        self.steps.shrink_to(1 << 12);
        self.levels.clear();
        self.levels.shrink_to(1 << 12);
        if self.out.capacity() > 4 * SHORT {
            self.out = Vec::new();
        }
        self.keep();
    }

    #[inline]
    fn keep(self: Box<Self>) {
        // A thread that ends keeps nothing.
        let _ = KEPT.try_with(|kept| kept.set(Some(self)));
    }
}
