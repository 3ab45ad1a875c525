//! Objects with keyword arguments inside their own arguments, at protocols 2 and 3.
//!
//! There CPython's picklers write `functools.partial(cls.__new__, cls, *args, **kwargs)()`. If the arguments lead back to the
//! object, it is started with one `partial`, and made with another one inside; then the outer call is popped, and the inner
//! object fetched. In the graph the outer call is an effect. It is written at the first occurrence of the object.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use picklevm_ops::Sink;

use super::reduction::Reentry;
use super::{BareOp, Emitter, Place, Step};
use crate::error::Result;
use crate::graph::{Arena, Cell, Construction, OpKind, Tag, Walk};

/// Pending outer calls, by inner object.
pub(super) type OuterCalls = HashMap<Cell, Cell, RandomState>;

/// Returns the effects that are outer calls of objects reachable from the root.
pub(super) fn outer_calls(arena: &Arena, root: Cell, effects: &[Cell]) -> Option<OuterCalls> {
    let mut partials = effects.iter().copied().filter(|effect| bound(arena, *effect).is_some()).peekable();
    partials.peek()?;
    let inner: Vec<Cell> =
        Walk::new(arena, std::iter::once(root)).filter(|cell| bound(arena, *cell).is_some()).collect();
    let pairs: OuterCalls = partials
        .filter_map(|outer| {
            let inner = inner.iter().copied().find(|inner| are_bound_alike(arena, outer, *inner))?;
            Walk::new(arena, std::iter::once(outer)).any(|cell| cell == inner).then_some((inner, outer))
        })
        .collect();
    (!pairs.is_empty()).then_some(pairs)
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
        self.outer_calls.as_ref().is_some_and(|calls| calls.values().any(|outer| *outer == effect))
    }

    /// Starts the outer call at the first occurrence of an object, if it has one.
    pub(super) fn begin_outer_call(&mut self, object: Cell) -> Option<Result<()>> {
        let outer = self.outer_calls.as_mut()?.remove(&object)?;
        if self.options.writer.quirks().repeats_changes {
            let reentry = Reentry { entries: 2, made: 0, place: Place::ARGUMENTS };
            self.reentries.get_or_insert_default().insert(object, reentry);
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
