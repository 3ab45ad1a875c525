//! Blanks in tagged JSON that say what JSON has no place for. Readers of JSON skip them.

use std::collections::HashMap;

use crate::graph::{Id, Tag, Value};

/// The mark before an integer that is a `long` of Python 2 and fits 64 bits: without it, it is an `int`.
pub(crate) const LONG_MARK: &str = "\t";

/// The mark behind a value that cPickle left out of its memo: Python 2 puts no value there that has only one reference.
pub(crate) const UNMEMOIZED: &str = " ";

/// The mark behind a document in which all such values are marked.
pub(crate) const UNMEMOIZED_ARE_MARKED: &str = "\t";

/// The mark behind a document of a pickle that put nothing into its memo.
pub(crate) const NONE_IS_MEMOIZED: &str = "\t\t";

/// Which of several equal strings a string is, as blanks before it: none for a new one; ` ` for the last one, a tab for
/// the one before, two blanks for the one before that, and so on, counting in base 2 with the digits 1 (` `) and 2 (tab).
///
/// JSON has no other place for this that a program would not have to know about, and Python tells equal strings apart:
/// a pickle stores a string once for each of them. Readers of JSON skip blanks.
#[derive(Default)]
pub(crate) struct Twins {
    ordinals: HashMap<Id, usize>,
    counts: HashMap<(Tag, Vec<u8>), usize>,
}

impl Twins {
    /// Returns the blanks before an occurrence of a text, bytes, an 8-bit string or a global.
    pub(crate) fn visit(&mut self, value: Value<'_>) -> String {
        let (id, arena) = (value.id(), value.arena());
        let payload = match value.as_global() {
            Some(global) => global.parts().map(|name| arena.payload(name.cell())).join(&b'\n'),
            None => arena.payload(value.cell()).to_vec(),
        };
        let count = self.counts.entry((id.0.tag(), payload)).or_default();
        if let Some(ordinal) = self.ordinals.get(&id) {
            return Twins::encode(*count - ordinal);
        }
        self.ordinals.insert(id, *count);
        *count += 1;
        String::new()
    }

    fn encode(mut back: usize) -> String {
        let mut blanks = Vec::new();
        while back > 0 {
            back -= 1;
            blanks.push(if back.is_multiple_of(2) { ' ' } else { '\t' });
            back /= 2;
        }
        blanks.into_iter().rev().collect()
    }

    /// Returns how many distinct ones back the value is. Line ends are those of a formatter.
    pub(super) fn decode(blanks: &str) -> Option<usize> {
        if blanks.is_empty() || blanks.len() > 40 {
            return None;
        }
        Some(match blanks.contains(['\n', '\r']) {
            true => 1,
            false => blanks.bytes().fold(0, |back, blank| 2 * back + if blank == b'\t' { 2 } else { 1 }),
        })
    }
}
