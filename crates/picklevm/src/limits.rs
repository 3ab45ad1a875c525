//! Budgets of a load.

use crate::error::{Error, ErrorKind, Result};

/// What a load may take before it ends in an error of kind [`Limit`](crate::ErrorKind::Limit).
///
/// Memory never grows with a length that an input claims, only with bytes that have arrived, so that the limits are
/// for capping honest growth. The defaults are beyond any honest pickle on a machine of today.
///
/// ```
/// use picklevm::{Limits, Unpickler};
///
/// let limits = Limits::default().nodes(2);
/// let error = Unpickler::new().limits(limits).loads(b"\x80\x02]]]]..").unwrap_err();
/// assert_eq!(error.kind(), picklevm::ErrorKind::Limit);
/// assert_eq!(error.to_string(), "offset 4: EMPTY_LIST: expected at most 2 nodes (Limits::nodes), found 3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) input: u64,
    pub(crate) opcodes: u64,
    pub(crate) stack: u64,
    pub(crate) marks: u64,
    pub(crate) memo: u64,
    pub(crate) nodes: u64,
    pub(crate) bytes: u64,
    pub(crate) digits: u64,
    pub(crate) copies: u64,
    pub(crate) nesting: u64,
    pub(crate) shared: u64,
    /// How many opcodes can run before any limit can have been passed.
    pub(crate) first_look: u64,
}

/// Opcodes between two looks at the limits, at the most.
pub(crate) const LOOK: u64 = 4096;

/// A limit, what was taken of it, and what an opcode takes at the most.
struct Row {
    most: u64,
    now: u64,
    an_op: u64,
}

/// The names and units of [`Limits::rows`].
const ROW_NAMES: [(&str, &str); 6] = [
    ("opcodes", "opcodes"),
    ("stack", "values on the stack"),
    ("marks", "marks"),
    ("memo", "memo entries"),
    ("nodes", "nodes"),
    ("bytes", "bytes held"),
];

/// What a load has taken so far.
#[derive(Default)]
pub(crate) struct Usage {
    pub(crate) opcodes: u64,
    pub(crate) stack: u64,
    pub(crate) marks: u64,
    pub(crate) memo: u64,
    pub(crate) nodes: u64,
    pub(crate) bytes: u64,
    pub(crate) cells: u64,
}

/// Values that the stack and containers hold together, room to grow included, at the most: the index of an item has 32
/// bits, and one opcode may move the stack into a container and double its room.
const MOST_VALUES: u64 = u32::MAX as u64 / 3;

/// So many that until the next look all may move into containers and each container may double its room.
const FEW_VALUES: u64 = MOST_VALUES / 4;

impl Usage {
    fn values(&self) -> u64 {
        self.stack + self.cells
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            input: u64::MAX,
            opcodes: u64::MAX,
            stack: u64::MAX,
            marks: u64::MAX,
            memo: u64::MAX,
            nodes: u32::MAX as u64 / 2,
            bytes: u64::MAX,
            digits: 2_000_000,
            copies: 64 << 20,
            nesting: u64::MAX,
            shared: 4 << 30,
            first_look: LOOK,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, most: u64) -> Self {
            self.$name = most;
            self.first_look = self.look(&Usage::default()).unwrap_or(1);
            self
        }
    )*};
}

impl Limits {
    /// For input that a stranger made and that a service must answer for: 64 MiB of input, 256 MiB held, 16 million
    /// nodes, 100,000 digits a number, 256 MiB of shared values read again. Ask for [`nesting`](Limits::nesting) too if
    /// what you do with the graph recurses.
    pub fn untrusted() -> Self {
        Limits {
            input: 64 << 20,
            opcodes: 64 << 20,
            stack: 8 << 20,
            marks: 1 << 20,
            memo: 16 << 20,
            nodes: 16 << 20,
            bytes: 256 << 20,
            digits: 100_000,
            copies: 16 << 20,
            nesting: u64::MAX,
            shared: 256 << 20,
            first_look: LOOK,
        }
    }

    /// No limit but those of the representation: 2^31 - 1 nodes.
    pub fn none() -> Self {
        Limits { digits: u64::MAX, copies: u64::MAX, shared: u64::MAX, ..Limits::default() }
    }

    /// Compares with every limit; returns how many opcodes can run until the next look: [`LOOK`] if no limit can be passed
    /// by then.
    #[inline]
    pub(crate) fn look(&self, usage: &Usage) -> Result<u64> {
        let far = self.rows(usage).iter().all(|row| row.most.saturating_sub(row.now) >= LOOK * row.an_op);
        if far && usage.values() <= FEW_VALUES { Ok(LOOK) } else { self.look_closely(usage) }
    }

    #[cold]
    #[inline(never)]
    fn look_closely(&self, usage: &Usage) -> Result<u64> {
        // Fewer than where all is far: only then can no limit be passed at the next look.
        let mut opcodes = LOOK - 1;
        for (row, (name, unit)) in self.rows(usage).iter().zip(ROW_NAMES) {
            check(name, unit, row.most, row.now)?;
            opcodes = opcodes.min(((row.most - row.now) / row.an_op).saturating_add(1));
        }
        check_room(usage.values())?;
        if usage.values() > FEW_VALUES {
            opcodes = 1;
        }
        Ok(opcodes)
    }

    /// The limits that are looked at now and then. An opcode makes at most five nodes (INST: two names, a global,
    /// arguments, an instance) and takes a few dozen bytes beside its payload.
    #[inline(always)]
    fn rows(&self, usage: &Usage) -> [Row; 6] {
        let row = |most, now, an_op| Row { most, now, an_op };
        [
            row(self.opcodes, usage.opcodes, 1),
            row(self.stack, usage.stack, 1),
            row(self.marks, usage.marks, 1),
            row(self.memo, usage.memo, 1),
            row(self.nodes.min(u32::MAX as u64 / 2), usage.nodes, 5),
            row(self.bytes, usage.bytes, 256),
        ]
    }

    /// Whether no pickle of plain data can pass a limit that is so long. Its ops take a byte at least, and make one node
    /// at most, of a few dozen bytes.
    #[cfg(feature = "serde")]
    pub(crate) fn admit_any(&self, len: u64) -> bool {
        let least = [self.input, self.opcodes, self.stack, self.marks, self.memo, self.nodes, self.bytes / 64];
        least.iter().all(|most| len <= *most)
    }

    setters! {
        /// Bytes of input that a pickle takes. By default no limit.
        input
        /// Opcodes executed. By default no limit.
        opcodes
        /// Values on the stack. By default no limit.
        stack
        /// Marks on the metastack. By default no limit.
        marks
        /// Entries of the memo. By default no limit.
        memo
        /// Nodes of the graph. By default, and at the most, 2^31 - 1.
        nodes
        /// Bytes of memory that the load holds: graph, stack and memo, and the hash tables that its dicts and sets will
        /// have, but not input that it shares. Vectors that grow may take as much again for a moment, so that a process
        /// needs twice this and the input. By default no limit.
        bytes
        /// Decimal digits of a number in text. By default two million, which take about a second; other bases take linear
        /// time and are not counted.
        digits
        /// Bytes that calls for plain data (`set`, `bytes` and the others of [`Standard`](crate::Standard)) copy from
        /// their arguments. Only what goes beyond four times the rest of the graph counts: it is reached where calls
        /// share their arguments, as no pickler writes them. By default 64 MiB.
        copies
        /// Containers, objects and persistent references inside one another, as deep as they go; for those who hand the
        /// graph to code that recurses. By default no limit.
        nesting
        /// Bytes of values that are read into Rust types again because several places of the graph share them. By
        /// default 4 GiB.
        shared
    }
}

/// An error that names a limit, its value and what was met.
#[cold]
#[inline(never)]
pub(crate) fn exceeded(name: &str, unit: &str, most: u64, found: u64) -> Error {
    Error::new(ErrorKind::Limit, format!("at most {most} {unit} (Limits::{name})"), found.to_string())
}

/// `Ok` if so many values on the stack and in containers can be told apart.
pub(crate) fn check_room(values: u64) -> Result<()> {
    if values > MOST_VALUES {
        let expected = format!("at most {MOST_VALUES} values on the stack and in containers, which is all that fit");
        return Err(Error::new(ErrorKind::Limit, expected, values.to_string()));
    }
    Ok(())
}

/// `Ok` if no more than `most` were found.
#[inline]
pub(crate) fn check(name: &str, unit: &str, most: u64, found: u64) -> Result<()> {
    if found > most { Err(exceeded(name, unit, most, found)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_index_cannot_tell_apart_is_a_limit() {
        let look = |stack, cells| Limits::none().look(&Usage { stack, cells, ..Usage::default() });
        assert_eq!(look(1000, 1000).expect("there is room"), LOOK);
        assert_eq!(look(1 << 29, 1 << 28).expect("there is room"), 1, "looked at from opcode to opcode");
        let error = look(1 << 30, 1 << 30).expect_err("items would share their index");
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    }
}
