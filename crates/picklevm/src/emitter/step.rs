//! The steps that the emitter still has to do.

use super::containers::Open;
use crate::graph::{Cell, Fixed};

/// A pending piece of work.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// A value.
    Save(Cell, Place),
    /// Several values in order.
    Each(Fixed),
    /// The rest of a container, and its end.
    Open(Open),
    /// One opcode, and a PUT if it makes a value that is not a node.
    Op(BareOp),
    /// The opcode that makes an object, its PUT and its changes.
    Finish(Cell, BareOp),
    /// The same for an object that is popped: there is no PUT.
    FinishEffect(Cell, BareOp),
    /// The changes of an object that was just made.
    Changes(Cell),
    /// The next change, with the number of changes left.
    Change(Cell, usize),
    /// BINPERSID, and a PUT if the reference is shared.
    Persistent(Cell),
    /// Text that is not a node.
    Name(&'static str),
    /// The global `getattr`, and the MARK of its arguments.
    Getattr,
    /// `cls.__new__`.
    NewMethod(Cell),
    /// The REDUCE that makes `cls.__new__`, and its PUT.
    FinishNewMethod(Cell),
    /// The GET of an object that was made while its outer call was written.
    Fetch(Cell),
    /// Fast mode: the node is closed.
    Close(usize),
}

/// Opcodes without operands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BareOp {
    Build,
    EmptyTuple,
    Inst,
    Mark,
    NewObj,
    NewObjEx,
    None,
    Obj,
    Pop,
    /// REDUCE without a PUT.
    Reduce,
    /// REDUCE with a PUT that is never read.
    ReducePut,
    /// TUPLE2 without a PUT.
    Pair,
    /// The end of a tuple of this many items (4: any larger number), with a PUT that is never read.
    Tuple(u8),
}

/// Place of a value: in data, or in the arguments of an object.
///
/// A value that only arguments refer to was newly made by a call of `__reduce_ex__`: it is never fetched.
///
/// A number below four instead of an enum, so that it is packed into [`Open`] without a branch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(pub(super) u8);

impl Place {
    pub(super) const DATA: Place = Place(0);
    pub(super) const ARGUMENTS: Place = Place(1);
    /// In arguments that lead back to their object through several lists and dicts without other references: the outermost
    /// was newly made, like `list(self)`, the others belong to the object.
    pub(super) const SHALLOW_ARGUMENTS: Place = Place(2);
    /// In arguments that lead back to their object only through new values: lists and dicts are fetched.
    pub(super) const GUARDED_ARGUMENTS: Place = Place(3);
}
