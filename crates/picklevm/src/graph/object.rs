//! Objects: how one was made, and the operations on it, in order.

use super::arena::{Arena, next_id};
use super::cell::Cell;
use super::nodes::DefaultNode;

/// The opcode that made an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Construction {
    /// REDUCE: a callable called with a tuple of arguments.
    Reduce,
    /// NEWOBJ: `cls.__new__(cls, *args)` (PEP 307).
    NewObj,
    /// NEWOBJ_EX: the same with keyword arguments (PEP 3154).
    NewObjEx,
    /// INST: a class of Python 2 by name, with arguments.
    Inst,
    /// OBJ: a class of Python 2 from the stack, with arguments.
    Obj,
}

impl Construction {
    /// Returns the opcode's name in lower case: `reduce`, `newobj`, `newobj_ex`, `inst` or `obj`.
    pub fn name(self) -> &'static str {
        match self {
            Construction::Reduce => "reduce",
            Construction::NewObj => "newobj",
            Construction::NewObjEx => "newobj_ex",
            Construction::Inst => "inst",
            Construction::Obj => "obj",
        }
    }
}

/// An operation on an object after it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpKind {
    /// The object has no operation.
    Nothing,
    /// APPEND, APPENDS: the cell is a list of the items.
    Append,
    /// SETITEM, SETITEMS: the cell is a list of keys and values in turn.
    SetItem,
    /// ADDITEMS: the cell is a list of the items.
    Add,
    /// BUILD: the cell is the state.
    Build,
    /// POP: the cell is an object made for its effect on this one.
    Effect,
}

/// An object: its class, arguments and first operation.
#[derive(Clone, Copy)]
pub(crate) struct ObjectNode {
    pub(crate) class: Cell,
    /// A tuple. For NEWOBJ_EX: a tuple of the arguments and the keyword arguments.
    pub(crate) args: Cell,
    pub(crate) first: Cell,
    pub(crate) first_kind: OpKind,
    pub(crate) how: Construction,
    /// Whether PUT or MEMOIZE put it into the memo.
    pub(crate) memoized: bool,
    /// The same for the arguments, if the object is a call of `getattr`.
    pub(crate) args_memoized: bool,
    /// 0, or one more than the index of the last operation in `Arena::ops`.
    pub(crate) next: u32,
}

impl DefaultNode for ObjectNode {
    const DEFAULT: &'static ObjectNode = &ObjectNode {
        class: Cell::NONE,
        args: Cell::EMPTY_TUPLE,
        first: Cell::HOLE,
        first_kind: OpKind::Nothing,
        how: Construction::Reduce,
        memoized: false,
        args_memoized: false,
        next: 0,
    };
}

/// A later operation on an object.
#[derive(Clone, Copy)]
pub(crate) struct OpNode {
    pub(crate) value: Cell,
    pub(crate) kind: OpKind,
    /// One more than the index of the next operation; the last points to the second.
    pub(crate) next: u32,
}

impl Arena {
    /// Records an operation on an object. Consecutive operations of one kind are merged, except states and effects.
    pub(crate) fn object_op(&mut self, object: Cell, kind: OpKind, cells: &[Cell]) {
        let node = self.objects[object];
        let last = self.last_op(node);
        if let (OpKind::Append | OpKind::SetItem | OpKind::Add, Some((last_kind, list))) = (kind, last)
            && last_kind == kind
        {
            return self.extend_list(list, cells);
        }
        let value = match (kind, cells) {
            (OpKind::Build | OpKind::Effect, [only, ..]) => *only,
            _ => self.new_list(cells),
        };
        self.push_op(object, kind, value);
    }

    fn push_op(&mut self, object: Cell, kind: OpKind, value: Cell) {
        let Some(node) = self.objects.get_mut(object) else { return };
        if node.first_kind == OpKind::Nothing {
            (node.first, node.first_kind) = (value, kind);
            return;
        }
        let id = next_id(self.ops.len()) + 1;
        self.ops.push(OpNode { value, kind, next: 0 });
        // The operations after the first form a ring. The node points to the last, which points to the second.
        let last = std::mem::replace(&mut node.next, id);
        if last == 0 {
            self.ops[id as usize - 1].next = id;
        } else {
            let last = last as usize - 1;
            self.ops[id as usize - 1].next = self.ops[last].next;
            self.ops[last].next = id;
        }
    }

    /// Replaces the operations on an object.
    pub(crate) fn set_object_ops(&mut self, object: Cell, ops: &[(OpKind, Cell)]) {
        let Some(node) = self.objects.get_mut(object) else { return };
        (node.first, node.first_kind, node.next) = (Cell::HOLE, OpKind::Nothing, 0);
        for (kind, value) in ops {
            self.push_op(object, *kind, *value);
        }
    }

    fn last_op(&self, node: ObjectNode) -> Option<(OpKind, Cell)> {
        match node.next {
            0 => (node.first_kind != OpKind::Nothing).then_some((node.first_kind, node.first)),
            n => self.ops.get(n as usize - 1).map(|op| (op.kind, op.value)),
        }
    }

    /// Returns the operations on an object, in order.
    pub(crate) fn object_ops(&self, node: ObjectNode) -> impl Iterator<Item = (OpKind, Cell)> + '_ {
        let first = (node.first_kind != OpKind::Nothing).then_some((node.first_kind, node.first));
        let last = (node.next as usize).checked_sub(1);
        let mut at = last.and_then(|last| self.ops.get(last)).map(|op| op.next as usize - 1);
        let rest = std::iter::from_fn(move || {
            let here = at?;
            let op = self.ops.get(here)?;
            at = (Some(here) != last).then(|| op.next as usize - 1);
            Some((op.kind, op.value))
        });
        first.into_iter().chain(rest)
    }
}
