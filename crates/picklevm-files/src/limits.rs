//! Limits on what a file may expand to.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Limit};

/// Resource limits for opening a file. Reaching one is an error of kind [`Limit`](crate::ErrorKind::Limit) that names it.
///
/// The limits hold for one file with everything nested in it.
///
/// ```
/// use picklevm_files::{ErrorKind, FileLimits, Opener};
///
/// let opener = Opener::new().limits(FileLimits::default().depth(0));
/// let file = opener.bytes("K\x01.");
/// assert_eq!(file.pickles().next().unwrap()?.len(), 3);
/// # Ok::<(), picklevm_files::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileLimits {
    /// Maximum bytes that are decompressed, or searched for pickles in archives.
    pub expanded: u64,
    /// Maximum of these as a multiple of the file's length, beyond the first 64 MiB.
    pub ratio: u64,
    /// Maximum nesting of members: archives in archives, compressed data in them.
    pub depth: u32,
    /// Maximum number of members of all archives in the file.
    pub members: u64,
}
impl Default for FileLimits {
    fn default() -> Self {
        FileLimits { expanded: 16 << 30, ratio: 100, depth: 8, members: 1 << 20 }
    }
}

/// Expanded bytes below which the ratio does not count: small files of zeros are ordinary.
const RATIO_FLOOR: u64 = 64 << 20;

impl FileLimits {
    /// Sets [`expanded`](Self::expanded). 16 GiB by default.
    #[must_use]
    pub fn expanded(mut self, bytes: u64) -> Self {
        self.expanded = bytes;
        self
    }

    /// Sets [`ratio`](Self::ratio). 100 by default; [`u64::MAX`] is no limit.
    #[must_use]
    pub fn ratio(mut self, times: u64) -> Self {
        self.ratio = times;
        self
    }

    /// The same limits with the ratio taken of a file of so many bytes, whatever is opened with them.
    ///
    /// ```
    /// use picklevm_files::FileLimits;
    ///
    /// assert_eq!(FileLimits::default().for_len(1 << 30).expanded, 16 << 30);
    /// assert_eq!(FileLimits::default().for_len(10).expanded, 64 << 20);
    /// ```
    #[must_use]
    pub fn for_len(self, len: u64) -> Self {
        // No ratio is no limit, of an empty file neither.
        let by_ratio = if self.ratio == u64::MAX { u64::MAX } else { len.saturating_mul(self.ratio).max(RATIO_FLOOR) };
        FileLimits { expanded: self.expanded.min(by_ratio), ratio: u64::MAX, ..self }
    }

    /// Sets [`depth`](Self::depth). 8 by default.
    #[must_use]
    pub fn depth(mut self, levels: u32) -> Self {
        self.depth = levels;
        self
    }

    /// Sets [`members`](Self::members). 1,048,576 by default.
    #[must_use]
    pub fn members(mut self, count: u64) -> Self {
        self.members = count;
        self
    }
}

/// What is left of the limits for one file.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: FileLimits,
    /// The limit on expanded bytes, by both rules.
    most: u64,
    expanded: AtomicU64,
    members: AtomicU64,
}

impl Budget {
    pub(crate) fn new(limits: FileLimits, file_len: u64) -> Self {
        Budget {
            limits,
            most: limits.for_len(file_len).expanded,
            expanded: AtomicU64::new(0),
            members: AtomicU64::new(0),
        }
    }

    /// Begins to count anew: the file is read once more from the beginning.
    pub(crate) fn restart(&self) {
        self.expanded.store(0, Ordering::Relaxed);
        self.members.store(0, Ordering::Relaxed);
    }

    /// Bytes that were counted.
    pub(crate) fn spent(&self) -> u64 {
        self.expanded.load(Ordering::Relaxed)
    }

    /// Counts bytes that came out of something.
    pub(crate) fn expand(&self, len: u64) -> Result<(), Error> {
        let before = self.expanded.fetch_add(len, Ordering::Relaxed);
        if before.saturating_add(len) <= self.most {
            return Ok(());
        }
        let (why, limit) = if self.most == self.limits.expanded {
            (format!("the limit of {} bytes", self.most), Limit::Expanded)
        } else {
            (format!("{} times its own length", self.limits.ratio), Limit::Ratio)
        };
        Err(Error::limit(limit, format!("the file expands to more than {why}: it may be a bomb")))
    }

    /// Counts members of an archive.
    pub(crate) fn list(&self, count: u64) -> Result<(), Error> {
        let before = self.members.fetch_add(count, Ordering::Relaxed);
        if before.saturating_add(count) <= self.limits.members {
            return Ok(());
        }
        Err(Error::limit(Limit::Members, format!("the file has more than {} members", self.limits.members)))
    }

    /// Checks how deep a member lies.
    pub(crate) fn check_depth(&self, depth: u32) -> Result<(), Error> {
        if depth <= self.limits.depth {
            return Ok(());
        }
        let message = format!("members are nested more than {} levels deep", self.limits.depth);
        Err(Error::limit(Limit::Depth, message))
    }
}
