//! Instances of any class, independent of protocol.

use super::{Reduce, View};
use crate::graph::{Arena, Cell, Construction, Id, InstanceView, OpKind, Value};
use crate::protocol::Protocol;

/// Any object, except one with changes that the view cannot represent (several states, calls call for their effect).
impl<'g> View<'g> for InstanceView<'g> {
    const EXPECTED: &'static str = "an instance";

    fn view(value: Value<'g>) -> Option<Self> {
        InstanceView::of(value).filter(|instance| !instance.is_incomplete)
    }
}

/// Reduces like `object.__reduce_ex__`: below protocol 2, an instance without arguments is written as
/// `copyreg._reconstructor(class, object, None)`.
impl Reduce for InstanceView<'_> {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        let [args, items, pairs] = [self.args.cells(), self.items().cells(), self.entries().rows().as_flattened()];
        // One copy of all parts preserves sharing between them.
        let parts = [self.class.cell()].into_iter().chain(args.iter().chain(items).chain(pairs).copied());
        let rest = self.kwargs.into_iter().chain(self.state).map(Value::cell);
        let copies = arena.copy_each(self.class.arena(), parts.chain(rest));
        let (class, copies) = (copies[0], &copies[1..]);
        let (args, copies) = copies.split_at(args.len());
        let (items, copies) = copies.split_at(items.len());
        let (pairs, copies) = copies.split_at(pairs.len());
        let (kwargs, state) = copies.split_at(usize::from(self.kwargs.is_some()));
        let is_empty = args.is_empty() && kwargs.is_empty() && items.is_empty() && pairs.is_empty();
        let object = if self.construction == Construction::NewObj && is_empty && protocol < Protocol::V2 {
            arena.reconstructed(class, "object", Cell::NONE)
        } else {
            let args = arena.new_tuple(args);
            match kwargs {
                [kwargs, ..] => {
                    let both = arena.new_tuple(&[args, *kwargs]);
                    arena.new_object(Construction::NewObjEx, class, both)
                }
                [] => arena.new_object(self.construction, class, args),
            }
        };
        let ops = [(OpKind::Append, items), (OpKind::SetItem, pairs), (OpKind::Build, state)];
        for (kind, cells) in ops.into_iter().filter(|(_, cells)| !cells.is_empty()) {
            arena.object_op(object, kind, cells);
        }
        Id(object)
    }
}
