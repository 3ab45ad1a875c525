//! Objects with keyword arguments inside their own arguments, at protocols 2 and 3.
//!
//! There CPython's picklers write `functools.partial(cls.__new__, cls, *args, **kwargs)()`. If the arguments lead back to the
//! object, it is started with one `partial`, and made with another one inside; then the outer call is popped, and the inner
//! object fetched. In the graph the outer call is an effect. It is written at the first occurrence of the object. There are
//! more starts if the positional and the keyword arguments lead back through different containers.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use picklevm_ops::Sink;

use super::reduction::Reentry;
use super::{BareOp, Emitter, Place, Step};
use crate::error::Result;
use crate::graph::{Arena, Cell, Construction, OpKind, Tag, Walk};

/// The effects that are outer calls, by inner object. An object in containers in its own arguments has one for each start
/// but the last.
pub(super) struct OuterCalls {
    /// Those that are not yet written, the outermost last: the inner ones are dropped first.
    pending: HashMap<Cell, Vec<Cell>, RandomState>,
    all: HashSet<Cell, RandomState>,
}

/// Comparisons, and nodes to walk through, to find the objects of the outer calls.
const SEARCH_WORK_LIMIT: usize = 1 << 22;

/// Returns the effects that are outer calls of objects reachable from the root.
pub(super) fn outer_calls(arena: &Arena, root: Cell, effects: &[Cell]) -> Option<OuterCalls> {
    let mut partials = effects.iter().copied().filter(|effect| bound(arena, *effect).is_some()).peekable();
    partials.peek()?;
    let inner: Vec<Cell> =
        Walk::new(arena, std::iter::once(root)).filter(|cell| bound(arena, *cell).is_some()).collect();
    let mut calls = OuterCalls { pending: HashMap::default(), all: HashSet::default() };
    let mut work_left = SEARCH_WORK_LIMIT;
    for outer in partials {
        let Some(left) = work_left.checked_sub(inner.len()) else { break };
        work_left = left;
        let Some(inner) = inner.iter().copied().find(|inner| are_bound_alike(arena, outer, *inner)) else { continue };
        let mut walk = Walk::new(arena, std::iter::once(outer)).inspect(|_| work_left = work_left.saturating_sub(1));
        if walk.any(|cell| cell == inner) {
            calls.pending.entry(inner).or_default().push(outer);
            calls.all.insert(outer);
        }
    }
    (!calls.all.is_empty()).then_some(calls)
}

/// Returns function and arguments of a `partial`, if an object is a call of it without arguments.
fn bound(arena: &Arena, object: Cell) -> Option<(Cell, &[Cell])> {
    let node = object.is(Tag::Object).then(|| arena.objects[object])?;
    let partial = node.class.is(Tag::Object).then(|| arena.objects[node.class])?;
    let is_call =
        node.how == Construction::Reduce && node.args == Cell::EMPTY_TUPLE && partial.first_kind == OpKind::Build;
    if !is_call || !partial.class.is(Tag::Global) || arena.payload(arena.globals[partial.class].name) != b"partial" {
        return None;
    }
    match arena.items(partial.first) {
        [function, args, ..] if partial.first.is(Tag::Tuple) => Some((*function, arena.items(*args))),
        _ => None,
    }
}

/// Whether two calls have the same function and arguments. Only the keyword arguments are new for each call.
fn are_bound_alike(arena: &Arena, a: Cell, b: Cell) -> bool {
    a != b && bound(arena, a) == bound(arena, b)
}

impl<S: Sink> Emitter<'_, '_, S> {
    /// Whether an effect is written at its object.
    pub(super) fn is_outer_call(&self, effect: Cell) -> bool {
        self.outer_calls.as_ref().is_some_and(|calls| calls.all.contains(&effect))
    }

    /// Starts the next outer call at an occurrence of an object that is not made yet, if it has one.
    pub(super) fn begin_outer_call(&mut self, object: Cell) -> Option<Result<()>> {
        let pending = self.outer_calls.as_mut()?.pending.get_mut(&object)?;
        let starts = 1 + pending.len();
        let outer = pending.pop()?;
        if self.options.writer.quirks().repeats_changes {
            let reentry = Reentry { entries: starts as u32, made: 0, place: Place::ARGUMENTS };
            self.reentries.get_or_insert_default().entry(object).or_insert(reentry);
        }
        self.steps.push(Step::Fetch(object));
        self.steps.push(Step::Op(BareOp::Pop));
        Some(self.begin_object(outer, Place::ARGUMENTS, Step::FinishEffect))
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
