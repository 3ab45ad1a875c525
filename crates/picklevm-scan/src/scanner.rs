//! `Scanner`: what to scan with.

use std::cell::Cell;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::context::{Context, Limits};
use crate::data::Data;
use crate::members;
use crate::policy::Policy;
use crate::report::{Format, PickleReport, Report};
use crate::verdict::{Finding, Rule};

/// Scans bytes with the built-in [`Policy`] and the default [`Limits`].
///
/// ```
/// use picklevm_scan::{Status, Verdict, scan};
///
/// let report = scan(b"\x80\x04cos\nsystem\n\x8c\x04true\x85R.");
/// assert_eq!((report.verdict, report.status), (Verdict::Dangerous, Status::Complete));
///
/// let report = scan(b"\x80\x04]\x94(K\x01K\x02e.");
/// assert_eq!(report.verdict, Verdict::Safe);
/// ```
pub fn scan(bytes: impl AsRef<[u8]>) -> Report {
    Scanner::new().scan(bytes)
}

/// Options for scanning: policy, limits, and whether to record everything. Cheap to clone.
///
/// ```
/// use picklevm_scan::{Policy, Scanner, Verdict};
///
/// let mut policy = Policy::builtin().clone();
/// policy.extend_toml("allow = [{ module = 'shop', names = ['Order'], may = ['construct', 'state'] }]")?;
/// let scanner = Scanner::new().policy(policy).evidence(true);
///
/// let report = scanner.scan(b"\x80\x02cshop\nOrder\n)\x81}b.");
/// assert_eq!(report.verdict, Verdict::Safe);
/// let lines: Vec<_> = report.pickles[0].events.iter().map(|event| &*event.python).collect();
/// assert_eq!(lines, ["from shop import Order", "v0 = shop.Order.__new__()", "v0.__setstate__({})"]);
/// # Ok::<(), picklevm_scan::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scanner {
    policy: Option<Arc<Policy>>,
    limits: Limits,
    evidence: bool,
    ids_name_classes: bool,
}

impl Default for Scanner {
    fn default() -> Self {
        Scanner::new()
    }
}

impl Scanner {
    /// The built-in policy, the default limits, evidence only of what is not safe.
    pub fn new() -> Self {
        Scanner { policy: None, limits: Limits::default(), evidence: false, ids_name_classes: true }
    }

    /// Sets the policy; [`Policy::builtin`] by default.
    #[must_use]
    pub fn policy(mut self, policy: impl Into<Arc<Policy>>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// Sets the limits; [`Limits::default`] by default.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets whether to record the events of safe pickles too, which takes memory and time. `false` by default.
    #[must_use]
    pub fn evidence(mut self, evidence: bool) -> Self {
        self.evidence = evidence;
        self
    }

    /// Whether persistent ids such as `("module", class, file, source)` stand for the class, as `torch.load` has it for its legacy
    /// checkpoints. `true` by default; for a program of which that is not known they stand for anything.
    #[must_use]
    pub fn ids_name_classes(mut self, yes: bool) -> Self {
        self.ids_name_classes = yes;
        self
    }

    /// The policy it scans with.
    pub fn used_policy(&self) -> &Policy {
        self.policy.as_deref().unwrap_or(Policy::builtin())
    }

    /// Scans bytes that a program would load: a pickle, pickles in a row, or a file of any format of [`Format`].
    ///
    /// What is neither is suspicious: what no reader understands today may be understood by another.
    ///
    /// [`Format`]: crate::Format
    pub fn scan(&self, bytes: impl AsRef<[u8]>) -> Report {
        self.scan_named("", bytes.as_ref())
    }

    /// Scans bytes. `name` is the name of the report.
    pub fn scan_named(&self, name: &str, bytes: &[u8]) -> Report {
        self.scan_with(false, |context| members::scan_bytes(name, Data::Borrowed(bytes), context))
    }

    /// Scans the one pickle that `pickle.load` would read from the beginning of `bytes`, as that reads it: what joblib does
    /// with its arrays, what strings hide that nothing unpickles, and what comes behind STOP does not count.
    ///
    /// ```
    /// use picklevm_scan::{Scanner, Verdict};
    ///
    /// let report = Scanner::new().scan_pickle(b"\x80\x04K\x01.cos\nsystem\n.");
    /// assert_eq!((report.verdict, report.len), (Verdict::Safe, 5));
    /// ```
    pub fn scan_pickle(&self, bytes: &[u8]) -> PickleReport {
        self.scan_with(true, |context| members::scan_pickle(bytes, context))
    }

    /// Scans the one pickle that `joblib.load` would read from the beginning of `bytes`: the data of arrays that joblib reads
    /// itself are skipped as it does, and are run as opcodes as well.
    pub fn scan_joblib(&self, bytes: &[u8]) -> PickleReport {
        self.scan_with(false, |context| members::scan_pickle(bytes, context))
    }

    fn scan_with<R>(&self, plain: bool, scan: impl FnOnce(&Context<'_>) -> R) -> R {
        let context = Context {
            policy: self.used_policy(),
            limits: &self.limits,
            evidence: self.evidence,
            plain,
            ids_name_classes: self.ids_name_classes,
            deadline: self.limits.time.and_then(|time| Instant::now().checked_add(time)),
            left: Cell::new(self.limits.to_record()),
        };
        scan(&context)
    }

    /// Scans a file. Its path is the name of the report. Members of archives are read in place, one at a time.
    ///
    /// # Errors
    ///
    /// If the file cannot be read. What is larger than [`Limits::file`] is suspicious instead.
    pub fn scan_file(&self, path: impl AsRef<Path>) -> io::Result<Report> {
        let path = path.as_ref();
        let name = path.to_string_lossy();
        // What has no length, a pipe or a device, is read until the limit.
        if fs::metadata(path).is_ok_and(|data| !data.is_file() && !data.is_dir()) {
            return self.scan_reader(&name, fs::File::open(path)?);
        }
        self.scan_with(false, |context| {
            let file = members::opener(context).open(path)?;
            match file.root().len() {
                Some(len) if len > self.limits.file as u64 => Ok(self.too_large(&name, len)),
                _ => Ok(members::scan_file(&name, &file, context)),
            }
        })
    }

    /// Scans all data of a reader. `name` is the name of the report.
    ///
    /// # Errors
    ///
    /// Those of the reader. What is larger than [`Limits::file`] is suspicious instead.
    ///
    /// ```
    /// use picklevm_scan::{Limits, Rule, Scanner, Verdict};
    ///
    /// let scanner = Scanner::new();
    /// assert_eq!(scanner.scan_reader("answer.pkl", &b"K\x2a."[..])?.verdict, Verdict::Safe);
    ///
    /// let scanner = scanner.limits(Limits::default().file(1 << 20));
    /// let report = scanner.scan_reader("endless", std::io::repeat(0))?;
    /// assert_eq!((report.verdict, report.findings[0].rule), (Verdict::Suspicious, Rule::Limit));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn scan_reader(&self, name: &str, reader: impl Read) -> io::Result<Report> {
        let most = self.limits.file;
        let mut bytes = Vec::new();
        reader.take((most as u64).saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() > most {
            return Ok(self.too_large(name, bytes.len() as u64));
        }
        Ok(self.scan_with(false, |context| members::scan_bytes(name, Data::Shared(bytes.into()), context)))
    }

    fn too_large(&self, name: &str, len: u64) -> Report {
        let mut report = Report::new(name, Format::Other, usize::try_from(len).unwrap_or(usize::MAX));
        let message = format!("is larger than {} bytes, and was not looked into", self.limits.file);
        report.findings.push(Finding::suspicious(Rule::Limit, 0, message));
        report.judge();
        report
    }
}
