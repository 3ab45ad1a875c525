//! Limits of a scan, and its state.

use std::cell::Cell;
use std::time::{Duration, Instant};

use picklevm_files::FileLimits;

use crate::policy::Policy;
use crate::report::PickleReport;
use crate::verdict::{Finding, Rule};

/// Resource limits of a scan. Reaching one is a finding: never an error, and never safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) file: usize,
    pub(crate) depth: u32,
    pub(crate) expanded: usize,
    pub(crate) ratio: u64,
    pub(crate) members: usize,
    pub(crate) events: usize,
    pub(crate) findings: usize,
    pub(crate) nesting: u16,
    pub(crate) time: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        // Where addresses have 32 bits, what memory can hold at most.
        let file = (1_u64 << 32).min(isize::MAX as u64) as usize;
        Limits {
            file,
            depth: 8,
            expanded: 1 << 30,
            ratio: 100,
            members: 100_000,
            events: 100_000,
            findings: 1000,
            nesting: u16::MAX,
            time: None,
        }
    }
}

impl Limits {
    /// Maximum bytes of one file or reader, all of which are read into memory. 4 GiB by default (2 GiB on 32-bit targets).
    #[must_use]
    pub fn file(mut self, most: usize) -> Self {
        self.file = most;
        self
    }

    /// Maximum nesting of what is scanned: members in archives, data in compressed data, pickles in strings of
    /// pickles. 8 by default.
    #[must_use]
    pub fn depth(mut self, most: u32) -> Self {
        self.depth = most.min(64);
        self
    }

    /// Maximum bytes that all compressed and encoded data of one file expand to, however short they are. By default 1 GiB,
    /// and beyond 64 MiB no more than 100 times the length of what they come out of.
    #[must_use]
    pub fn expanded(mut self, most: usize) -> Self {
        self.expanded = most;
        self.ratio = u64::MAX;
        self
    }

    /// Maximum number of members of an archive. 100,000 by default.
    #[must_use]
    pub fn members(mut self, most: usize) -> Self {
        self.members = most;
        self
    }

    /// Maximum number of events recorded of a file; later ones are still judged. 100,000 by default.
    #[must_use]
    pub fn events(mut self, most: usize) -> Self {
        self.events = most;
        self
    }

    /// Maximum number of findings recorded of a pickle, at least 1. 1000 by default.
    #[must_use]
    pub fn findings(mut self, most: usize) -> Self {
        self.findings = most.max(1);
        self
    }

    /// How many containers and objects may lie in one another in a pickle, each counted as deep as it was when it was put
    /// into another one. No limit by default, and none from 65,535 on.
    ///
    /// ```
    /// use picklevm_scan::{Limits, Scanner, Verdict};
    ///
    /// let scanner = Scanner::new().limits(Limits::default().nesting(2));
    /// assert_eq!(scanner.scan(b"\x80\x02]]a.").verdict, Verdict::Safe);
    /// assert_eq!(scanner.scan(b"\x80\x02]]]aa.").verdict, Verdict::Suspicious);
    /// ```
    #[must_use]
    pub fn nesting(mut self, most: u32) -> Self {
        self.nesting = u16::try_from(most).unwrap_or(u16::MAX);
        self
    }

    /// What may be recorded of a file.
    pub(crate) fn to_record(self) -> Left {
        /// Names of one file that are told apart, and how many pickles may have all the findings that one may have.
        const NAMES: usize = 100_000;
        const PICKLES: usize = 20;
        Left { events: self.events, names: NAMES, findings: self.findings.saturating_mul(PICKLES) }
    }

    /// What opening a file may take.
    pub(crate) fn of_files(&self) -> FileLimits {
        let limits = FileLimits::default().ratio(self.ratio).expanded(self.expanded as u64);
        limits.depth(self.depth).members(self.members as u64)
    }

    /// Maximum time for running the pickles. No limit by default.
    #[must_use]
    pub fn time(mut self, most: Duration) -> Self {
        self.time = Some(most);
        self
    }
}

/// State of the scan of one file.
pub(crate) struct Context<'c> {
    pub(crate) policy: &'c Policy,
    pub(crate) limits: &'c Limits,
    pub(crate) evidence: bool,
    /// Whether only what `pickle.load` does with the pickle counts: not what joblib does with the same bytes, nor what strings
    /// hide.
    pub(crate) plain: bool,
    /// Whether persistent ids may be those of PyTorch's legacy checkpoints, which name classes.
    pub(crate) ids_name_classes: bool,
    /// When the time is over.
    pub(crate) deadline: Option<Instant>,
    /// What may still be recorded.
    pub(crate) left: Cell<Left>,
}

/// What may still be recorded of a file, in all its pickles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    pub(crate) events: usize,
    pub(crate) names: usize,
    pub(crate) findings: usize,
}

impl Context<'_> {
    /// Counts what was recorded of a pickle.
    pub(crate) fn count(&self, pickle: &PickleReport) {
        let left = self.left.get();
        self.left.set(Left {
            events: left.events.saturating_sub(pickle.events.len()),
            names: left.names.saturating_sub(pickle.imports.len()),
            findings: left.findings.saturating_sub(pickle.findings.len()),
        });
    }

    pub(crate) fn too_deep(&self) -> Finding {
        let message = format!("lies more than {} levels deep, where the scan does not look", self.limits.depth);
        Finding::suspicious(Rule::Limit, 0, message)
    }
}
