//! Pending steps of a dump.

use picklevm_ops::Opcode;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyTuple};

/// A step of a dump. The steps of an object's parts are above its own on the stack.
pub(crate) enum Step<'py> {
    /// Saves an object.
    Save(Bound<'py, PyAny>),
    /// Saves an object that is not a leaf.
    Compound(Bound<'py, PyAny>),
    /// Saves a persistent id, which itself has none.
    SaveId(Bound<'py, PyAny>),
    /// Writes an opcode.
    Op(Opcode),
    /// Writes GLOBAL of a module and a name.
    Global(Bound<'py, PyAny>, Bound<'py, PyAny>),
    /// Puts an object into the memo.
    Memoize(Bound<'py, PyAny>),
    /// Saves the items of a list.
    List { list: Bound<'py, PyList>, at: usize, batch: Batch },
    /// Saves what an iterator yields, to be appended to a list or an object.
    Items(Box<Iterated<'py>>),
    /// Saves the keys and values of a dict.
    Dict(DictStep<'py>),
    /// Saves the pairs that an iterator yields, to be set in a dict or an object.
    Pairs(Box<Iterated<'py>>),
    /// Saves a value after its key.
    Value(Bound<'py, PyAny>),
    /// Saves the items of a set.
    Set { set: Bound<'py, PyAny>, base: usize, len: usize, batch: Batch },
    /// Saves the items of a frozenset.
    FrozenSet { set: Bound<'py, PyAny>, items: Bound<'py, PyIterator> },
    /// Saves the items of a tuple.
    Tuple { tuple: Bound<'py, PyTuple>, at: usize },
    /// Ends an object that was made by a call.
    Made(Box<Made<'py>>),
    /// Ends the saving of an object that was made by a call.
    EndCall(Option<Bound<'py, PyAny>>),
    /// Leaves a list, dict or frozenset in fast mode.
    LeaveFast(usize),
}

/// A dict. Its rows are copied to the stack of rows, for saving one may change the dict.
pub(crate) struct DictStep<'py> {
    pub(crate) dict: Bound<'py, PyDict>,
    /// Where its rows begin on the stack of rows.
    pub(crate) base: usize,
    /// The number of rows at the beginning.
    pub(crate) len: usize,
    /// The key of the value that is being saved.
    pub(crate) key: Option<Bound<'py, PyAny>>,
    pub(crate) batch: Batch,
}

/// Items or pairs of a list, a dict or another object.
pub(crate) struct Iterated<'py> {
    pub(crate) owner: Bound<'py, PyAny>,
    pub(crate) items: Bound<'py, PyIterator>,
    /// One that was taken from the iterator, but not saved.
    pub(crate) ahead: Option<Bound<'py, PyAny>>,
    pub(crate) batch: Batch,
    /// How many are or were saved.
    pub(crate) count: usize,
    /// The key of the value that is being saved.
    pub(crate) key: Option<Bound<'py, PyAny>>,
}

impl<'py> Iterated<'py> {
    pub(crate) fn new(owner: Bound<'py, PyAny>, items: Bound<'py, PyIterator>) -> Box<Self> {
        Box::new(Iterated { owner, items, ahead: None, batch: Batch::Closed, count: 0, key: None })
    }
}

/// The state of a batch of items.
#[derive(Clone, Copy)]
pub(crate) enum Batch {
    /// No batch is open.
    Closed,
    /// A batch of several items is open, in which there are so many.
    Open(usize),
    /// A batch of one item, which is being saved.
    Single,
}

/// The steps after a call.
pub(crate) struct Made<'py> {
    /// The object that is saved; absent if it is not to be put into the memo.
    pub(crate) object: Option<Bound<'py, PyAny>>,
    pub(crate) list_items: Option<Bound<'py, PyAny>>,
    pub(crate) dict_items: Option<Bound<'py, PyAny>>,
    pub(crate) state: Option<Bound<'py, PyAny>>,
    pub(crate) state_setter: Option<Bound<'py, PyAny>>,
    /// Whether a reducing function returned this: exceptions then get a note that names the object.
    pub(crate) is_reduced: bool,
}
