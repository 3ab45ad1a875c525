//! Calls that POP drops. An object inside its own arguments is made by two equal calls, of which one is dropped; other dropped
//! calls were made for their effect.

use super::graph_builder::GraphBuilder;
use crate::graph::{Cell, Construction, OpKind, Tag, Value};

/// Comparisons allowed for the first dropped calls.
pub(super) const SEARCH_WORK_LIMIT: usize = 1 << 20;

/// Comparisons allowed for each further dropped call, about the cost of running its opcodes.
const SEARCH_WORK_PER_CALL: usize = 64;

impl GraphBuilder<'_> {
    /// Keeps a dropped call at the object that it was made for. `fetched` is the value of the GET directly after it.
    pub(super) fn place_dropped(&mut self, call: Cell, fetched: Option<Cell>) {
        let node = self.arena.objects[call];
        if node.memoized {
            return self.arena.effects.push(call);
        }
        self.search_work_left += SEARCH_WORK_PER_CALL;
        if let Some(got) = fetched
            && got.is(Tag::Object)
            && got != call
        {
            if self.is_same_call(call, got) {
                return self.arena.outer_calls.add_equal(call, got);
            }
            // What a partial object calls is a new object each time.
            if [call, got].iter().all(|cell| self.arena.objects[*cell].class.is(Tag::Object)) {
                self.arena.outer_calls.add_effect(call, got);
            }
        }
        match Value::new(self.arena, call).as_object().and_then(|o| o.args().next()).map(Value::cell) {
            Some(first) if first.is(Tag::Object) && first != call => {
                self.arena.object_op(first, OpKind::Effect, &[call]);
            }
            _ => self.arena.effects.push(call),
        }
    }

    /// Returns whether two atoms are equal, or `false` if the comparison would cost too much.
    fn same_name_or_atom(&mut self, a: Cell, b: Cell) -> bool {
        let cost = self.arena.comparison_cost(a);
        a == b
            || self.search_work_left.checked_sub(cost).is_some_and(|left| {
                self.search_work_left = left;
                self.arena.keys_equal(a, b)
            })
    }

    /// Returns whether two objects were made by the same call: atoms are equal, and so are ids of persistent references and
    /// containers down to three levels.
    fn is_same_call(&mut self, a: Cell, b: Cell) -> bool {
        let (x, y) = (self.arena.objects[a], self.arena.objects[b]);
        if x.how != y.how {
            return false;
        }
        // NEWOBJ_EX has a tuple of arguments and keyword arguments; only the arguments are compared.
        let kwargs = [x, y].map(|node| self.arena.items(node.args).get(1).copied());
        let args = |cell: Cell, how| match how {
            Construction::NewObjEx => self.arena.items(cell).first().copied().unwrap_or(Cell::EMPTY_TUPLE),
            _ => cell,
        };
        let mut work = vec![(args(x.args, x.how), args(y.args, y.how), 4), (x.class, y.class, 4)];
        let mut held = Vec::new();
        if x.how == Construction::NewObjEx && kwargs[0] == kwargs[1] {
            held.extend(kwargs[0]);
        }
        while let Some((a, b, levels)) = work.pop() {
            if a == b {
                if matches!(a.tag(), Tag::Tuple | Tag::List | Tag::Dict | Tag::Persistent) {
                    held.push(a);
                }
                continue;
            }
            match (a.tag(), b.tag()) {
                (x, y) if x != y => return false,
                (Tag::Tuple | Tag::List | Tag::Dict, _) => {
                    let (left, right) = (self.arena.items(a), self.arena.items(b));
                    if levels == 0 || left.len() != right.len() || left.len() > self.search_work_left {
                        return false;
                    }
                    self.search_work_left -= left.len();
                    work.extend(left.iter().zip(right).map(|(a, b)| (*a, *b, levels - 1)));
                }
                // CPython calls `persistent_id` each time.
                (Tag::Persistent, _) if levels > 0 => {
                    work.push((self.arena.persistents[a], self.arena.persistents[b], levels - 1));
                }
                (tag, _) if crate::graph::is_compound(tag) => return false,
                _ if !self.same_name_or_atom(a, b) => return false,
                _ => {}
            }
        }
        self.arena.outer_calls.hold(held);
        true
    }
}
