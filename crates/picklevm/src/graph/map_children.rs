//! Replacing the values inside a value.

use super::arena::Arena;
use super::cell::{Cell, Tag};
use super::object::{ObjectNode, OpKind};

impl Arena {
    /// Replaces each value that is directly inside a value, keys and arguments included.
    ///
    /// Rows of dicts and sets keep their order and lose their hash table: lookups search them linearly.
    pub(crate) fn map_children(&mut self, cell: Cell, new: impl Fn(Cell) -> Cell) {
        match cell.tag() {
            Tag::List | Tag::Tuple => self.map_items(cell, &new),
            Tag::Dict | Tag::Set | Tag::FrozenSet => {
                self.map_items(cell, &new);
                self.forget_table(cell);
                self.hashes.clear();
            }
            Tag::Persistent => {
                let pid = self.persistents[cell];
                // A persistent id is replaced only if it is a native object.
                if pid.is(Tag::NativeObject) {
                    self.persistents.set(cell, new(pid));
                }
            }
            Tag::Object => {
                let node = self.objects[cell];
                self.map_items(node.args, &new);
                self.objects.set(cell, ObjectNode { class: new(node.class), ..node });
                let ops: Vec<_> = self.object_ops(node).collect();
                let mut replaced = ops.clone();
                for (kind, value) in &mut replaced {
                    match kind {
                        OpKind::Build | OpKind::Effect => *value = new(*value),
                        _ => self.map_items(*value, &new),
                    }
                }
                if replaced != ops {
                    self.set_object_ops(cell, &replaced);
                }
            }
            _ => {}
        }
    }

    fn map_items(&mut self, cell: Cell, new: impl Fn(Cell) -> Cell) {
        let (start, len) = match cell.tag() {
            Tag::Tuple => (self.tuples[cell].start, self.tuples[cell].len),
            Tag::List => (self.lists[cell].start, self.lists[cell].len),
            Tag::Dict | Tag::Set | Tag::FrozenSet => (self.keyed(cell).row.start, self.keyed(cell).row.len),
            _ => return,
        };
        if let Some(items) = self.cells.get_mut(start as usize..start as usize + len as usize) {
            items.iter_mut().for_each(|item| *item = new(*item));
        }
    }
}
