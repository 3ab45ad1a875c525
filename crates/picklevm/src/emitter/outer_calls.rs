//! Objects inside their own arguments, as they were loaded.
//!
//! CPython's picklers start such an object wherever it occurs until a call has made it; then the outer calls are popped, and
//! the object is fetched. The graph knows these calls (`graph/outer_calls.rs`). They are written at the first
//! occurrence of the object, the outermost first.
//!
//! At protocols 2 and 3, `functools.partial(cls.__new__, cls, *args, **kwargs)()` makes an object with keyword arguments. The
//! outer calls are effects there, since each calls another `partial`.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use picklevm_ops::Sink;

use super::reduction::Reentry;
use super::{BareOp, Emitter, Options, Place, Step};
use crate::error::Result;
use crate::graph::{Arena, Cell, Construction, OpKind, Tag, Walk};
use crate::protocol::Protocol;

#[derive(Default)]
pub(super) struct OuterCalls {
    /// Effects that are not yet written, by object, the outermost last: the inner ones are dropped first.
    effects: HashMap<Cell, Vec<Cell>, RandomState>,
    all_effects: HashSet<Cell, RandomState>,
    /// Number of other calls that were started, by object.
    started: HashMap<Cell, usize, RandomState>,
}

/// Nodes to walk through to see that effects lead to their objects.
const SEARCH_WORK_LIMIT: usize = 1 << 22;

impl OuterCalls {
    /// Returns the outer calls of the graph, if there are any.
    #[inline]
    pub(super) fn of(arena: &Arena, effects: &[Cell], options: &Options) -> Option<Box<OuterCalls>> {
        if arena.outer_calls.is_empty() || options.fast {
            return None;
        }
        Some(Box::new(OuterCalls::find(arena, effects, options)))
    }

    #[cold]
    fn find(arena: &Arena, effects: &[Cell], options: &Options) -> OuterCalls {
        let mut calls = OuterCalls::default();
        if !matches!(options.protocol, Protocol::V2 | Protocol::V3) {
            return calls;
        }
        let mut work_left = SEARCH_WORK_LIMIT;
        for outer in effects.iter().copied() {
            let Some(object) = arena.outer_calls.fetched_for(outer) else { continue };
            if !is_call_of_partial(arena, outer) || !is_call_of_partial(arena, object) {
                continue;
            }
            let mut walk = Walk::new(arena, std::iter::once(outer)).take(work_left);
            if walk.any(|cell| {
                work_left -= 1;
                cell == object
            }) {
                calls.effects.entry(object).or_default().push(outer);
                calls.all_effects.insert(outer);
            }
        }
        calls
    }
}

/// Whether an object is a call of a `partial` without arguments.
pub(super) fn is_call_of_partial(arena: &Arena, object: Cell) -> bool {
    let node = object.is(Tag::Object).then(|| arena.objects[object]);
    node.is_some_and(|node| {
        let partial = node.class.is(Tag::Object).then(|| arena.objects[node.class]);
        let is_partial = partial.is_some_and(|partial| {
            partial.first_kind == OpKind::Build
                && partial.class.is(Tag::Global)
                && arena.payload(arena.globals[partial.class].name) == b"partial"
        });
        is_partial && node.how == Construction::Reduce && node.args == Cell::EMPTY_TUPLE
    })
}

impl<S: Sink> Emitter<'_, '_, S> {
    /// Whether an effect is written at its object.
    pub(super) fn is_outer_call(&self, effect: Cell) -> bool {
        self.outer_calls.as_ref().is_some_and(|calls| calls.all_effects.contains(&effect))
    }

    /// Starts the next outer call at an occurrence of an object that is not made yet, if it has one.
    pub(super) fn begin_outer_call(&mut self, object: Cell) -> Option<Result<()>> {
        let calls = self.outer_calls.as_mut()?;
        if let Some(pending) = calls.effects.get_mut(&object) {
            let starts = 1 + pending.len();
            let outer = pending.pop()?;
            self.count_starts(object, starts);
            self.steps.push(Step::Fetch(object));
            self.steps.push(Step::Op(BareOp::Pop));
            return Some(self.begin_object(outer, outer, Place::ARGUMENTS, Step::FinishEffect));
        }
        let equal = self.arena.outer_calls.equal_to(object);
        let started = calls.started.get(&object).copied().unwrap_or_default();
        let outer = *equal[..equal.len().checked_sub(started)?].last()?;
        // Should the arguments not lead to the object any more, or at too great an expense, the object is written alone.
        let leads_back = self.leads_back(outer, object) == Some(true);
        let started = if leads_back { started + 1 } else { equal.len() };
        self.outer_calls.as_mut()?.started.insert(object, started);
        if !leads_back {
            return None;
        }
        self.count_starts(object, 1 + equal.len());
        Some(self.begin_object(outer, object, Place::ARGUMENTS, Step::Finish))
    }

    /// Records how often an object is started, among which the pure-Python pickler divides its changes.
    fn count_starts(&mut self, object: Cell, starts: usize) {
        if self.options.writer.quirks().repeats_changes {
            let reentry = Reentry { entries: starts as u32, made: 0, place: Place::ARGUMENTS };
            self.reentries.get_or_insert_default().entry(object).or_insert(reentry);
        }
    }

    /// Fetches the object after its outer call was popped.
    pub(super) fn fetch(&mut self, object: Cell) -> Result<()> {
        let Some(number) = self.memo.entry(self.memo.slot(object)).number() else {
            return self.save(object, Place::DATA);
        };
        self.get(number)?;
        if self.options.writer.quirks().repeats_changes { self.begin_changes(object) } else { Ok(()) }
    }
}
