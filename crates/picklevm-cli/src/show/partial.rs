//! Reading what is left of a truncated or broken pickle: `--partial`.

use std::collections::HashSet;

use picklevm::{Error, Graph, Id, Kind, Unpickler, Value};

use crate::pickles::Pickle;

/// Values of the memo that are looked at, and values that they may hold in all: a cut-off pickle has few that are nowhere else.
const MAX_CANDIDATES: usize = 1_000;
const MAX_HELD: usize = 1 << 24;

/// The readable part of a pickle: a tuple of its value and a list of what the memo holds.
pub(super) struct Partial(Graph);

impl Partial {
    /// Reads what lies before the end of a pickle or before `error`.
    pub(super) fn read(pickle: &Pickle, error: &Error) -> Option<Partial> {
        let read = |data: &[u8]| Unpickler::new().load_bytes(picklevm_files::complete(data).with_memo).ok();
        let before = || {
            let at = usize::try_from(error.offset()?.checked_sub(pickle.offset)?).ok()?;
            read(pickle.data.get(..at)?)
        };
        // An op may find what it takes, and that it is of the wrong type.
        read(&pickle.data).or_else(before).map(Partial)
    }

    /// The value, as far as it was read.
    pub(super) fn value(&self) -> Value<'_> {
        self.0.root().items().next().unwrap_or(self.0.root())
    }

    /// The bytes that the values take.
    pub(super) fn held_bytes(&self) -> usize {
        self.0.held_bytes()
    }

    /// The containers and objects that the memo holds and the value does not. What another of them holds is not repeated.
    /// Texts are left out: most are names of classes, which nothing else needs.
    pub(super) fn only_in_memo(&self) -> Vec<Value<'_>> {
        let in_value = reached(self.value());
        let memo = self.0.root().items().nth(1).into_iter().flat_map(Value::items);
        let candidates: Vec<Value<'_>> =
            memo.filter(|value| has_parts(*value) && !in_value.contains(&value.id())).take(MAX_CANDIDATES).collect();
        let (mut outermost, mut held) = (Vec::new(), HashSet::new());
        for value in candidates.into_iter().rev() {
            if held.contains(&value.id()) || held.len() > MAX_HELD {
                continue;
            }
            let parts = reached(value);
            outermost.retain(|other: &Value<'_>| !parts.contains(&other.id()));
            held.extend(parts);
            outermost.push(value);
        }
        outermost.reverse();
        outermost
    }
}

fn reached(value: Value<'_>) -> HashSet<Id> {
    value.walk().iter().map(|place| place.value().id()).collect()
}

fn has_parts(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::List(_) | Kind::Dict(_) | Kind::Set(_) | Kind::FrozenSet(_) | Kind::Object(_) => true,
        Kind::Tuple(items) => !items.is_empty(),
        _ => false,
    }
}
