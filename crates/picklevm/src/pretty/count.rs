//! The pass that sees which values are met more than once.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::notation::{Group, Notation, identity};
use super::walk::{ArgumentsMeeting, Meeting, Pass, Piece};
use crate::graph::{Id, Kind, Value};

/// Numbers of values that are met more than once, in the order in which they are written.
#[derive(Default)]
pub(super) struct Labels {
    /// 0 for what has not been written yet.
    numbers: HashMap<Id, usize>,
    last: usize,
}

impl Labels {
    /// What there is to do about a value, if it were written now.
    pub(super) fn look(&self, value: Value<'_>) -> Meeting {
        match self.numbers.get(&value.id()) {
            None => Meeting::Only,
            Some(0) => Meeting::First(self.last + 1),
            Some(number) => Meeting::Again(*number),
        }
    }

    /// The same, for a value that is written now.
    pub(super) fn meet(&mut self, value: Value<'_>) -> Meeting {
        let meeting = self.look(value);
        if let Meeting::First(number) = meeting {
            self.numbers.insert(value.id(), number);
            self.last = number;
        }
        meeting
    }

    /// What there is to do about the arguments of a call.
    pub(super) fn look_at_arguments(&self, tuple: Value<'_>) -> ArgumentsMeeting {
        match self.look(tuple) {
            Meeting::Only => ArgumentsMeeting::OneByOne,
            Meeting::First(_) | Meeting::Again(_) => ArgumentsMeeting::Spread,
        }
    }
}

/// Sees each value once, and remembers those that it is shown again.
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

    /// The values that need a label, and whether there are 8-bit strings of Python 2.
    pub(super) fn finish(self) -> (Labels, bool) {
        (self.labels, self.byte_strings)
    }
}

impl<'g, N: Notation> Pass<'g> for Count<'_, N> {
    type Notation = N;

    fn notation(&self) -> &N {
        self.notation
    }

    fn meet(&mut self, value: Value<'g>) -> Meeting {
        if self.seen.insert(value.id()) {
            return Meeting::Only;
        }
        self.labels.numbers.insert(value.id(), 0);
        Meeting::Again(0)
    }

    fn meet_arguments(&mut self, tuple: Value<'g>) -> ArgumentsMeeting {
        match identity(tuple).map_or(Meeting::Only, |_| self.meet(tuple)) {
            Meeting::Only => ArgumentsMeeting::OneByOne,
            Meeting::First(_) | Meeting::Again(_) => ArgumentsMeeting::Skip,
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
