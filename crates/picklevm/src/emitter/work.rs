//! What a pickler works with from pickle to pickle.

use std::cell::Cell;

use super::Step;
use super::memo::Memo;

/// A memo and a stack of steps, which is empty between pickles.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) memo: Memo,
    pub(super) steps: Vec<Step>,
}

thread_local! {
    /// What the last pickle of this thread worked with, for its memory: a short one is written in less time than that
    /// takes to allocate.
    static KEPT: Cell<Option<Box<Work>>> = const { Cell::new(None) };
}

impl Work {
    /// Work that knows nothing.
    #[inline]
    pub(crate) fn take() -> Box<Work> {
        KEPT.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    /// Keeps its memory for the next pickle of this thread, unless that is a lot.
    #[inline]
    pub(crate) fn give(mut self: Box<Self>) {
        self.memo.clear();
        self.memo.shrink_to(1 << 16);
        self.steps.clear();
        self.steps.shrink_to(1 << 12);
        // A thread that ends keeps nothing.
        let _ = KEPT.try_with(|kept| kept.set(Some(self)));
    }
}
