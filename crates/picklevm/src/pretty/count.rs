//! The pass that finds values that occur more than once.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::notation::{Group, Notation, identity};
use super::walk::{ArgumentsForm, Occurrence, Pass, Piece};
use crate::graph::{Id, Kind, Value};

/// Label numbers of values that occur more than once, in the order in which they are written.
#[derive(Default)]
pub(super) struct Labels {
    /// 0 for values that have not been written yet.
    numbers: HashMap<Id, usize>,
    last: usize,
}

impl Labels {
    /// Returns how a value would be written now.
    pub(super) fn peek(&self, value: Value<'_>) -> Occurrence {
        match self.numbers.get(&value.id()) {
            None => Occurrence::Only,
            Some(0) => Occurrence::First(self.last + 1),
            Some(number) => Occurrence::Again(*number),
        }
    }

    /// Returns how to write a value, and assigns its label number.
    pub(super) fn visit(&mut self, value: Value<'_>) -> Occurrence {
        let occurrence = self.peek(value);
        if let Occurrence::First(number) = occurrence {
            self.numbers.insert(value.id(), number);
            self.last = number;
        }
        occurrence
    }

    /// Returns how to write the arguments of a call.
    pub(super) fn arguments_form(&self, tuple: Value<'_>) -> ArgumentsForm {
        match self.peek(tuple) {
            Occurrence::Only => ArgumentsForm::OneByOne,
            Occurrence::First(_) | Occurrence::Again(_) => ArgumentsForm::Spread,
        }
    }
}

/// Visits each value once and records those that occur again.
pub(super) struct Count<'n, N> {
    notation: &'n N,
    seen: HashSet<Id>,
    labels: Labels,
    byte_strings: bool,
}

impl<'n, N> Count<'n, N> {
    pub(super) fn new(notation: &'n N) -> Self {
        Count { notation, seen: HashSet::new(), labels: Labels::default(), byte_strings: false }
    }

    /// Returns the values that need a label, and whether there are 8-bit strings of Python 2.
    pub(super) fn finish(self) -> (Labels, bool) {
        (self.labels, self.byte_strings)
    }
}

impl<'g, N: Notation> Pass<'g> for Count<'_, N> {
    type Notation = N;

    fn notation(&self) -> &N {
        self.notation
    }

    fn visit(&mut self, value: Value<'g>) -> Occurrence {
        if self.seen.insert(value.id()) {
            return Occurrence::Only;
        }
        self.labels.numbers.insert(value.id(), 0);
        Occurrence::Again(0)
    }

    fn visit_arguments(&mut self, tuple: Value<'g>) -> ArgumentsForm {
        match identity(tuple).map_or(Occurrence::Only, |_| self.visit(tuple)) {
            Occurrence::Only => ArgumentsForm::OneByOne,
            Occurrence::First(_) | Occurrence::Again(_) => ArgumentsForm::Skip,
        }
    }

    fn atom(&mut self, value: Value<'g>) -> fmt::Result {
        self.byte_strings |= matches!(value.kind(), Kind::ByteStr(_));
        Ok(())
    }

    fn piece(&mut self, _: Piece<'_>) -> fmt::Result {
        Ok(())
    }

    fn breaks(&mut self, _: Group<'g>, _: usize) -> bool {
        false
    }

    fn line(&mut self, _: usize) -> fmt::Result {
        Ok(())
    }
}
