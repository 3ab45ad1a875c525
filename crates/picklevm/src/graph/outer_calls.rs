//! Calls that were dropped because what they were to make had been made inside their own arguments.
//!
//! CPython's picklers write an object anew wherever its arguments lead back to it before it is made. The innermost call
//! makes it; the outer ones are popped, and the object is fetched in their place.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::cell::Cell;

/// What is known of the outer calls: nothing in most graphs, which takes one word.
#[derive(Clone, Default)]
pub(crate) struct OuterCalls(Option<Box<Calls>>);

#[derive(Default)]
struct Calls {
    /// Calls that nothing refers to, by the object that was fetched in their place, in the order in which they were dropped.
    /// They are known until the graph is changed, since a change of the object would not reach them.
    equal: HashMap<Cell, Vec<Cell>, RandomState>,
    equal_len: usize,
    /// The object that was fetched in place of an effect, by effect.
    effects: HashMap<Cell, Cell, RandomState>,
    /// Lists, dicts, tuples and persistent references that are arguments of two equal calls. Something besides the call
    /// holds them, or the second call would have new ones.
    held_arguments: HashSet<Cell, RandomState>,
}

impl OuterCalls {
    fn get_or_insert(&mut self) -> &mut Calls {
        self.0.get_or_insert_default()
    }

    /// Adds a call that was equal to that of the object.
    pub(crate) fn add_equal(&mut self, call: Cell, object: Cell) {
        let calls = self.get_or_insert();
        calls.equal.entry(object).or_default().push(call);
        calls.equal_len += 1;
    }

    /// Adds a call that became an effect.
    pub(crate) fn add_effect(&mut self, effect: Cell, object: Cell) {
        self.get_or_insert().effects.insert(effect, object);
    }

    /// Adds arguments that two equal calls share.
    pub(crate) fn hold(&mut self, arguments: Vec<Cell>) {
        if !arguments.is_empty() {
            self.get_or_insert().held_arguments.extend(arguments);
        }
    }

    /// Returns the calls equal to that of the object, in the order in which they were dropped: the innermost first.
    pub(crate) fn equal_to(&self, object: Cell) -> &[Cell] {
        self.0.as_ref().and_then(|calls| calls.equal.get(&object)).map_or(&[], Vec::as_slice)
    }

    /// Returns the object that was fetched in place of an effect.
    pub(crate) fn fetched_for(&self, effect: Cell) -> Option<Cell> {
        self.0.as_ref()?.effects.get(&effect).copied()
    }

    pub(crate) fn held_arguments(&self) -> impl Iterator<Item = Cell> {
        self.0.iter().flat_map(|calls| calls.held_arguments.iter().copied())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the number of calls and arguments.
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |calls| calls.equal_len + calls.effects.len() + calls.held_arguments.len())
    }

    /// Forgets the calls that a change of the graph would not reach.
    #[cold]
    pub(crate) fn forget_equal(&mut self) {
        if let Some(calls) = &mut self.0 {
            (calls.equal, calls.equal_len) = (HashMap::default(), 0);
        }
    }
}

/// A copy is made to be changed.
impl Clone for Calls {
    fn clone(&self) -> Self {
        Calls { effects: self.effects.clone(), held_arguments: self.held_arguments.clone(), ..Calls::default() }
    }
}
