//! Resource limits for loading.

use crate::error::{Error, ErrorKind, Result};

/// Resource limits for loading. A load that exceeds one ends in an error of kind [`Limit`](crate::ErrorKind::Limit).
///
/// Memory is never allocated from a length that the input claims, only for bytes that have arrived; the limits cap the
/// growth that remains. The defaults are higher than any legitimate pickle needs.
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
    /// How many opcodes can run before any limit can be exceeded.
    pub(crate) first_check: u64,
}

/// Maximum number of opcodes between two checks of the limits.
pub(crate) const CHECK_INTERVAL: u64 = 4096;

/// A limit, its current use, and the most that one opcode can add to it.
struct Row {
    max: u64,
    used: u64,
    per_op: u64,
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

/// What a load has used so far.
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

/// Maximum number of values on the stack and in containers together, spare capacity included: the index of an item has
/// 32 bits, and one opcode may move the stack into a container and double its capacity.
const MAX_VALUES: u64 = u32::MAX as u64 / 3;

/// Up to this number, all values can move into containers and every container can double its capacity before the next
/// check.
const SAFE_VALUES: u64 = MAX_VALUES / 4;

/// The default of [`Limits::shared`]: a vector that grows beyond the half of the address space panics.
const SHARED: u64 = if usize::BITS < 64 { 256 << 20 } else { 4 << 30 };

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
            shared: SHARED,
            first_check: CHECK_INTERVAL,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, max: u64) -> Self {
            self.$name = max;
            self.first_check = self.check_usage(&Usage::default()).unwrap_or(1);
            self
        }
    )*};
}

impl Limits {
    /// Returns limits for untrusted input in a service: 64 MiB of input, 256 MiB held, 16 million nodes, 100,000 digits
    /// per number, 256 MiB of shared values read again. Set [`nesting`](Limits::nesting) too if code that uses the
    /// graph recurses.
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
            first_check: CHECK_INTERVAL,
        }
    }

    /// Returns no limits but that of the representation: 2^31 - 1 nodes.
    pub fn none() -> Self {
        Limits { digits: u64::MAX, copies: u64::MAX, shared: u64::MAX, ..Limits::default() }
    }

    /// Whether the number of bytes of memory is limited.
    #[inline]
    pub(crate) fn has_byte_limit(&self) -> bool {
        self.bytes != u64::MAX
    }

    /// Checks every limit and returns how many opcodes can run until the next check: [`CHECK_INTERVAL`] if no limit can
    /// be exceeded by then.
    #[inline]
    pub(crate) fn check_usage(&self, usage: &Usage) -> Result<u64> {
        let is_far = self.rows(usage).iter().all(|row| row.max.saturating_sub(row.used) >= CHECK_INTERVAL * row.per_op);
        if is_far && usage.values() <= SAFE_VALUES { Ok(CHECK_INTERVAL) } else { self.check_each(usage) }
    }

    #[cold]
    #[inline(never)]
    fn check_each(&self, usage: &Usage) -> Result<u64> {
        // Below `CHECK_INTERVAL`: that value means that no limit can be exceeded by the next check.
        let mut opcodes = CHECK_INTERVAL - 1;
        for (row, (name, unit)) in self.rows(usage).iter().zip(ROW_NAMES) {
            check(name, unit, row.max, row.used)?;
            opcodes = opcodes.min(((row.max - row.used) / row.per_op).saturating_add(1));
        }
        check_value_count(usage.values())?;
        if usage.values() > SAFE_VALUES {
            opcodes = 1;
        }
        Ok(opcodes)
    }

    /// The limits that are checked at intervals. An opcode makes at most five nodes (INST: two names, a global,
    /// arguments, an instance) and takes a few dozen bytes besides its payload.
    #[inline(always)]
    fn rows(&self, usage: &Usage) -> [Row; 6] {
        let row = |max, used, per_op| Row { max, used, per_op };
        [
            row(self.opcodes, usage.opcodes, 1),
            row(self.stack, usage.stack, 1),
            row(self.marks, usage.marks, 1),
            row(self.memo, usage.memo, 1),
            row(self.nodes.min(u32::MAX as u64 / 2), usage.nodes, 5),
            row(self.bytes, usage.bytes, 256),
        ]
    }

    /// Whether no pickle of plain data of `len` bytes can exceed a limit. Each op takes at least one byte and makes at
    /// most one node, of a few dozen bytes.
    #[cfg(feature = "serde")]
    pub(crate) fn allows_any_of_len(&self, len: u64) -> bool {
        let least = [self.input, self.opcodes, self.stack, self.marks, self.memo, self.nodes, self.bytes / 64];
        least.iter().all(|max| len <= *max)
    }

    setters! {
        /// Sets the maximum length of a pickle in bytes. No limit by default.
        input
        /// Sets the maximum number of opcodes executed. No limit by default.
        opcodes
        /// Sets the maximum number of values on the stack. No limit by default.
        stack
        /// Sets the maximum number of marks on the metastack. No limit by default.
        marks
        /// Sets the maximum number of memo entries. No limit by default.
        memo
        /// Sets the maximum number of nodes of the graph. 2^31 - 1 by default, which is also the highest value.
        nodes
        /// Sets the maximum number of bytes of memory held: graph, stack and memo, and the hash tables that dicts and
        /// sets will have, but not shared input. Growing vectors may briefly take as much again, so a process needs
        /// twice this plus the input. No limit by default.
        bytes
        /// Sets the maximum number of decimal digits of a number in text. Two million by default, which take about a
        /// second; other bases take linear time and are not counted.
        digits
        /// Sets the maximum number of bytes that calls for plain data (`set`, `bytes` and the others of
        /// [`Standard`](crate::Standard)) copy from their arguments. Only bytes beyond four times the rest of the graph
        /// count, which needs calls that share their arguments; no pickler writes such calls. 64 MiB by default.
        copies
        /// Sets the maximum nesting depth of containers, objects and persistent references, for code that recurses over
        /// the graph. No limit by default.
        nesting
        /// Sets the maximum number of bytes of values that are read into Rust types more than once because the graph
        /// shares them, or that a `range` stands for. 4 GiB by default, 256 MiB on machines of 32 bits, whose vectors cannot
        /// hold more.
        shared
    }
}

/// Returns an error that names a limit, its value and what was found.
#[cold]
#[inline(never)]
pub(crate) fn exceeded(name: &str, unit: &str, max: u64, found: u64) -> Error {
    Error::new(ErrorKind::Limit, format!("at most {max} {unit} (Limits::{name})"), found.to_string())
}

/// Checks that this many values on the stack and in containers can be indexed.
pub(crate) fn check_value_count(values: u64) -> Result<()> {
    if values > MAX_VALUES {
        let expected =
            format!("at most {MAX_VALUES} values on the stack and in containers, the maximum of the representation");
        return Err(Error::new(ErrorKind::Limit, expected, values.to_string()));
    }
    Ok(())
}

/// Checks that `found` is at most `max`.
#[inline]
pub(crate) fn check(name: &str, unit: &str, max: u64, found: u64) -> Result<()> {
    if found > max { Err(exceeded(name, unit, max, found)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_values_than_an_index_can_address_are_a_limit_error() {
        let check = |stack, cells| Limits::none().check_usage(&Usage { stack, cells, ..Usage::default() });
        assert_eq!(check(1000, 1000).expect("below the limit"), CHECK_INTERVAL);
        assert_eq!(check(1 << 29, 1 << 28).expect("below the limit"), 1, "checked after each opcode");
        let error = check(1 << 30, 1 << 30).expect_err("items would share their index");
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    }
}
