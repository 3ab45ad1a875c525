//! Whether a dropped call is made again: an object inside its own arguments is made by two equal calls.

use super::graph_builder::GraphBuilder;
use crate::graph::{Cell, Construction, Tag};

impl GraphBuilder<'_> {
    /// Returns whether two atoms are equal, or `false` if the comparison would cost too much.
    fn same_name_or_atom(&mut self, a: Cell, b: Cell) -> bool {
        let cost = self.arena.comparison_cost(a);
        a == b
            || self.search_work_left.checked_sub(cost).is_some_and(|left| {
                self.search_work_left = left;
                self.arena.keys_equal(a, b)
            })
    }

    /// Returns whether two objects were made by the same call: atoms are equal, and so are containers down to three
    /// levels.
    pub(super) fn is_same_call(&mut self, a: Cell, b: Cell) -> bool {
        let (x, y) = (self.arena.objects[a], self.arena.objects[b]);
        if x.how != y.how || !self.same_name_or_atom(x.class, y.class) {
            return false;
        }
        // NEWOBJ_EX has a tuple of arguments and keyword arguments; only the arguments are compared.
        let kwargs = [x, y].map(|node| self.arena.items(node.args).get(1).copied());
        let args = |cell: Cell, how| match how {
            Construction::NewObjEx => self.arena.items(cell).first().copied().unwrap_or(Cell::EMPTY_TUPLE),
            _ => cell,
        };
        let mut work = vec![(args(x.args, x.how), args(y.args, y.how), 4)];
        let mut held = Vec::new();
        if x.class.is(Tag::Persistent) {
            held.push(x.class);
        }
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
                (tag, _) if crate::graph::is_compound(tag) => return false,
                _ if !self.same_name_or_atom(a, b) => return false,
                _ => {}
            }
        }
        self.arena.outer_calls.hold(held);
        true
    }
}
