//! Resource limits for dumping.

use crate::error::{Error, ErrorKind, Result};
use crate::graph::Arena;

/// Resource limits for dumping. A dump that exceeds one ends in an error of kind [`Limit`](crate::ErrorKind::Limit).
///
/// Most output is in proportion to the graph. Below protocol 4, though, a global that is not in the memo is written
/// with its full name, and at protocol 0 a persistent reference with its id: a name of 100 KB shared by 4,000 globals
/// takes 400 MB. In [`fast`](crate::Pickler::fast) mode shared values are written once for each use.
///
/// ```
/// use picklevm::{DumpLimits, Pickler};
///
/// let pickler = Pickler::new().limits(DumpLimits::default().output(1000));
/// let error = pickler.dumps(picklevm::value!(["x".repeat(2000)]).root()).unwrap_err();
/// assert_eq!(error.kind(), picklevm::ErrorKind::Limit);
/// assert_eq!(error.to_string(), "expected at most 1000 bytes of output (DumpLimits::output), found 2021");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DumpLimits {
    output: u64,
    growth: u64,
}

/// Length that every pickle may have, in bytes.
const BASE: u64 = 16 << 20;

impl Default for DumpLimits {
    fn default() -> Self {
        DumpLimits { output: u64::MAX, growth: 64 }
    }
}

impl DumpLimits {
    /// Returns no limits.
    pub fn none() -> Self {
        DumpLimits { output: u64::MAX, growth: u64::MAX }
    }

    /// Sets the maximum length of a pickle in bytes. No limit by default but [`growth`](DumpLimits::growth).
    #[must_use]
    pub fn output(mut self, max: u64) -> Self {
        self.output = max;
        self
    }

    /// Sets the maximum number of output bytes per byte that the graph holds, for pickles of more than 16 MiB. 64 by
    /// default: numbers and escaped text take at most ten, at protocol 0.
    #[must_use]
    pub fn growth(mut self, max: u64) -> Self {
        self.growth = max;
        self
    }

    /// Returns the length in bytes that a pickle of any graph may have.
    #[inline]
    pub(crate) fn base(&self) -> u64 {
        self.output.min(BASE)
    }

    /// Returns the maximum length of a pickle of this graph in bytes.
    pub(crate) fn max_len(&self, arena: &Arena) -> u64 {
        self.output.min((arena.pickled_len_hint() as u64).saturating_mul(self.growth).saturating_add(BASE))
    }

    /// Checks that a pickle of this graph may have `len` bytes.
    pub(crate) fn check(&self, arena: &Arena, len: u64) -> Result<()> {
        let max = self.max_len(arena);
        if len <= max {
            return Ok(());
        }
        let expected = if max == self.output {
            format!("at most {max} bytes of output (DumpLimits::output)")
        } else {
            format!("at most {max} bytes of output, {} per byte of the graph (DumpLimits::growth)", self.growth)
        };
        Err(Error::new(ErrorKind::Limit, expected, len.to_string()))
    }
}
