//! Budgets of a dump.

use crate::error::{Error, ErrorKind, Result};
use crate::graph::Arena;

/// What a dump may write before it ends in an error of kind [`Limit`](crate::ErrorKind::Limit).
///
/// Most of what is written is in proportion to the graph. Below protocol 4, though, a global that is not in the memo is
/// written by its full name, and at protocol 0 a persistent reference by its id: a name of 100 KB that 4,000 globals share
/// takes 400 MB. In [`fast`](crate::Pickler::fast) mode all that is shared is written again and again.
///
/// ```
/// use picklevm::{DumpLimits, Pickler};
///
/// let pickler = Pickler::new().limits(DumpLimits::default().output(1000));
/// let error = pickler.dumps(picklevm::value!(["x".repeat(2000)]).root()).unwrap_err();
/// assert_eq!(error.kind(), picklevm::ErrorKind::Limit);
/// assert_eq!(error.to_string(), "expected at most 1000 bytes of output (DumpLimits::output), found 2012");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DumpLimits {
    output: u64,
    growth: u64,
}

/// Bytes that every pickle may have.
const BASE: u64 = 64 << 20;

impl Default for DumpLimits {
    fn default() -> Self {
        DumpLimits { output: u64::MAX, growth: 64 }
    }
}

impl DumpLimits {
    /// No limit.
    pub fn none() -> Self {
        DumpLimits { output: u64::MAX, growth: u64::MAX }
    }

    /// Bytes of one pickle. By default no limit but [`growth`](DumpLimits::growth).
    #[must_use]
    pub fn output(mut self, most: u64) -> Self {
        self.output = most;
        self
    }

    /// Bytes of one pickle for each byte that its graph holds, where it has more than 64 MiB. By default 64: numbers and
    /// escaped text take ten at the most, at protocol 0.
    #[must_use]
    pub fn growth(mut self, most: u64) -> Self {
        self.growth = most;
        self
    }

    /// Whether every pickle may have so many bytes, of no more than [`BASE`].
    #[inline]
    pub(crate) fn admit(&self, len: u64) -> bool {
        len <= self.output
    }

    /// How many bytes a pickle of this graph may have.
    pub(crate) fn most(&self, arena: &Arena) -> u64 {
        self.output.min((arena.pickled_len_hint() as u64).saturating_mul(self.growth).saturating_add(BASE))
    }

    /// `Ok` if a pickle of this graph may have so many bytes.
    pub(crate) fn check(&self, arena: &Arena, len: u64) -> Result<()> {
        let most = self.most(arena);
        if len <= most {
            return Ok(());
        }
        let expected = if most == self.output {
            format!("at most {most} bytes of output (DumpLimits::output)")
        } else {
            format!(
                "at most {most} bytes of output, {} for each that the graph holds (DumpLimits::growth)",
                self.growth
            )
        };
        Err(Error::new(ErrorKind::Limit, expected, len.to_string()))
    }
}
