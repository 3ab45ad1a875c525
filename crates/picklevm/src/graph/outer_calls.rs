//! Calls that were dropped because what they were to make had been made inside their own arguments.
//!
//! CPython's picklers write an object anew wherever its arguments lead back to it before it is made. The innermost call
//! makes it; the outer ones are popped, and the object is fetched in their place.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::cell::Cell;

#[derive(Default)]
pub(crate) struct OuterCalls {
    /// Calls that nothing refers to, by the object that was fetched in their place, in the order in which they were dropped.
    /// They are known until the graph is changed, since a change of the object would not reach them.
    equal: HashMap<Cell, Vec<Cell>, RandomState>,
    equal_len: usize,
    /// The object that was fetched in place of an effect, by effect.
    effects: HashMap<Cell, Cell, RandomState>,
}

impl OuterCalls {
    /// Adds a call that was equal to that of the object.
    pub(crate) fn add_equal(&mut self, call: Cell, object: Cell) {
        self.equal.entry(object).or_default().push(call);
        self.equal_len += 1;
    }

    /// Adds a call that became an effect.
    pub(crate) fn add_effect(&mut self, effect: Cell, object: Cell) {
        self.effects.insert(effect, object);
    }

    /// Returns the calls equal to that of the object, in the order in which they were dropped: the innermost first.
    pub(crate) fn equal_to(&self, object: Cell) -> &[Cell] {
        match self.equal.get(&object) {
            Some(calls) => calls,
            None => &[],
        }
    }

    /// Returns the object that was fetched in place of an effect.
    pub(crate) fn fetched_for(&self, effect: Cell) -> Option<Cell> {
        self.effects.get(&effect).copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn has_equal(&self) -> bool {
        self.equal_len > 0
    }

    /// Returns the number of calls.
    pub(crate) fn len(&self) -> usize {
        self.equal_len + self.effects.len()
    }

    /// Forgets the calls that a change of the graph would not reach.
    #[cold]
    pub(crate) fn forget_equal(&mut self) {
        (self.equal, self.equal_len) = (HashMap::default(), 0);
    }
}

/// A copy is made to be changed.
impl Clone for OuterCalls {
    fn clone(&self) -> Self {
        OuterCalls { effects: self.effects.clone(), ..OuterCalls::default() }
    }
}
