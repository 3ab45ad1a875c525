//! Reports of scans.

use serde::Serialize;

use crate::events::{Event, Import};
use crate::verdict::{Finding, Status, Verdict, words};

words! {
    /// The recognized format of a file, a member or nested data.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "lowercase")]
    #[non_exhaustive]
    Format {
        /// One pickle or several.
        Pickle "pickle";
        /// A legacy PyTorch checkpoint: pickles, then raw storages.
        Torch "torch";
        /// A `.npy` array.
        Npy "npy";
        /// A zip archive; `.npz` and PyTorch checkpoints are some.
        Zip "zip";
        /// A tar archive.
        Tar "tar";
        /// A gzip stream.
        Gzip "gzip";
        /// A zlib stream.
        Zlib "zlib";
        /// A bzip2 stream.
        Bzip2 "bzip2";
        /// An xz stream.
        Xz "xz";
        /// A stream of the old lzma format.
        Lzma "lzma";
        /// A Zstandard stream.
        Zstd "zstd";
        /// An LZ4 stream.
        Lz4 "lz4";
        /// A 7z archive.
        SevenZip "7z";
        /// Text that spells bytes in base64.
        Base64 "base64";
        /// Text that spells bytes in hexadecimal.
        Hex "hex";
        /// A directory, or a list of files.
        Directory "directory";
        /// Data of another kind, in which no pickle was found.
        Other "other";
    }
}

/// The report on a file, a member, or data inside a pickle.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Its path, the name of the member, or its place in the pickle.
    pub name: String,
    /// The recognized format.
    pub format: Format,
    /// The worst verdict of anything in it.
    pub verdict: Verdict,
    /// The worst status of any pickle in it.
    pub status: Status,
    /// Its length in bytes.
    pub len: u64,
    /// Findings about itself, not about its contents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The pickles that lie in it directly, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pickles: Vec<PickleReport>,
    /// Other contents: members of an archive, or the decompressed data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Report>,
}

impl Report {
    pub(crate) fn new(name: impl Into<String>, format: Format, len: usize) -> Self {
        Report {
            name: name.into(),
            format,
            verdict: Verdict::Safe,
            status: Status::Complete,
            len: len as u64,
            findings: Vec::new(),
            pickles: Vec::new(),
            members: Vec::new(),
        }
    }

    /// Draws verdict and status from what is in the report.
    pub(crate) fn judge(&mut self) {
        let of_findings = self.findings.iter().map(|finding| finding.verdict);
        let of_pickles = self.pickles.iter().map(|pickle| pickle.verdict);
        let of_members = self.members.iter().map(|member| member.verdict);
        self.verdict = of_findings.chain(of_pickles).chain(of_members).max().unwrap_or_default();
        let of_pickles = self.pickles.iter().map(|pickle| pickle.status);
        let of_members = self.members.iter().map(|member| member.status);
        self.status = of_pickles.chain(of_members).fold(self.status, Status::max);
    }

    /// Returns every finding in it, the worst first, each with the names of its containers, the outermost first.
    ///
    /// ```
    /// let report = picklevm_scan::scan(b"cos\nsystem\n(S'true'\ntR.");
    /// let (place, finding) = &report.all_findings()[0];
    /// assert_eq!((place.len(), finding.name.as_deref()), (0, Some("os.system")));
    /// ```
    pub fn all_findings(&self) -> Vec<(Vec<&str>, &Finding)> {
        let mut all = Vec::new();
        self.collect(&mut Vec::new(), &mut all);
        all.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.verdict));
        all
    }

    // Reports nest no deeper than `Limits::depth`.
    fn collect<'r>(&'r self, place: &mut Vec<&'r str>, all: &mut Vec<(Vec<&'r str>, &'r Finding)>) {
        let pickles = self.pickles.iter();
        for finding in self.findings.iter().chain(pickles.flat_map(|pickle| &pickle.findings)) {
            all.push((place.clone(), finding));
        }
        let nested = self.pickles.iter().flat_map(|pickle| &pickle.nested);
        for report in self.members.iter().chain(nested) {
            place.push(&report.name);
            report.collect(place, all);
            place.pop();
        }
    }

    /// Returns the number of pickles scanned in it, including nested ones.
    pub fn pickle_count(&self) -> usize {
        let nested = self.pickles.iter().flat_map(|pickle| &pickle.nested);
        self.pickles.len() + self.members.iter().chain(nested).map(Report::pickle_count).sum::<usize>()
    }
}

/// The report on one pickle.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct PickleReport {
    /// Its offset in its container, in bytes.
    pub offset: u64,
    /// Its length in bytes, as far as it could be read.
    pub len: u64,
    /// The protocol that it names; 0 if it names none.
    pub protocol: u8,
    /// The worst of its findings.
    pub verdict: Verdict,
    /// The status: how far it could be read.
    pub status: Status,
    /// A description of the value that loading it returns: `a list`, `an object that os.system made`. `None` if it breaks before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The reasons for the verdict, in the order of the opcodes.
    pub findings: Vec<Finding>,
    /// The imported names, in the order of their first import.
    pub imports: Vec<Import>,
    /// All it does, in order, where [`Scanner::evidence`](crate::Scanner::evidence) asked for it or the verdict is not
    /// safe; at most [`Limits::events`](crate::Limits::events).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// The storages of PyTorch that it names, and the bytes that each claims at least.
    #[serde(skip)]
    pub(crate) storages: Vec<(String, u64)>,
    /// The files beside it from which joblib reads arrays.
    #[serde(skip)]
    pub(crate) companions: Vec<String>,
    /// Data inside its strings and bytes that hold pickles which are not safe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nested: Vec<Report>,
}

impl PickleReport {
    /// Takes in what a pickle does that is read in the middle of this one.
    pub(crate) fn take_in(&mut self, inner: PickleReport) {
        self.status = self.status.max(inner.status);
        self.imports.extend(inner.imports);
        self.findings.extend(inner.findings);
        self.events.extend(inner.events);
    }

    /// Draws the verdict from the findings and what is nested.
    pub(crate) fn judge(&mut self) {
        let findings = self.findings.iter().map(|finding| finding.verdict);
        let nested = self.nested.iter().map(|report| report.verdict);
        self.verdict = findings.chain(nested).max().unwrap_or_default();
        if self.status != Status::Complete {
            self.verdict = self.verdict.max(Verdict::Suspicious);
        }
    }
}
