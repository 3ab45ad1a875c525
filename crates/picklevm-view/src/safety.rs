//! The scanner's report, linked to the pickles of the page.

use picklevm_files::File;
use picklevm_scan::{Finding, PickleReport, PolicyEntry, Report, Scanner};
use serde_json::{Value as Json, json};

/// Bytes of a file that is scanned for the page.
const FILE: u64 = 1 << 30;
/// Findings, imports and events of the page, each.
const MOST: usize = 1_000;

/// A pickle of the page: the path of its member, and its offset there.
pub(crate) type Place = (String, u64);

/// The report on a file.
pub(crate) struct Safety(Report);

/// What is gathered of all reports.
#[derive(Default)]
struct Gathered {
    findings: Vec<Json>,
    imports: Vec<Json>,
    events: Vec<Json>,
    more: usize,
}

impl Safety {
    /// Scans a file, unless it is too large to be read as a whole.
    pub(crate) fn scan(file: &File, name: &str) -> Option<Safety> {
        let bytes = Some(file.root()).filter(|root| root.len().is_none_or(|len| len <= FILE))?.bytes().ok()?;
        Some(Safety(Scanner::new().evidence(true).scan_named(name, &bytes)))
    }

    /// The offsets in a pickle's member that findings are about.
    pub(crate) fn places(&self, at: usize, pickles: &[Place]) -> Vec<u64> {
        let mut offsets = Vec::new();
        self.each(pickles, |_, own, pickle| {
            if own == Some(at) {
                offsets.extend(pickle.findings.iter().map(|finding| finding.offset));
            }
        });
        offsets
    }

    pub(crate) fn json(&self, pickles: &[Place]) -> Json {
        let mut all = Gathered::default();
        let mut results = Vec::new();
        self.each_report(|place, _, report| {
            report.findings.iter().for_each(|finding| all.finding(finding, place, None))
        });
        self.each(pickles, |place, own, pickle| {
            pickle.findings.iter().for_each(|finding| all.finding(finding, place, own));
            for import in &pickle.imports {
                let (known, why) = words(Some(&import.known));
                let row = json!({"name": import.to_string(), "known": known, "why": why, "how": import.how.join(", "), "offset": import.offset, "pickle": index(own)});
                push(&mut all.imports, row, &mut all.more);
            }
            for event in &pickle.events {
                let known = words(event.known.as_ref()).0;
                let row = json!({"python": event.python, "action": event.action, "known": known, "offset": event.offset, "pickle": index(own)});
                push(&mut all.events, row, &mut all.more);
            }
            results.extend(pickle.result.clone());
        });
        all.findings.sort_by_key(|finding| {
            ["dangerous", "suspicious", "safe"].iter().position(|verdict| finding["verdict"] == *verdict)
        });
        let scanned = match self.0.pickle_count() {
            0 => "No pickle was found.".to_owned(),
            1 => "One pickle was scanned.".to_owned(),
            count => format!("{count} pickles were scanned."),
        };
        let result = match &results[..] {
            [result] => format!(" Loading it returns {result}."),
            _ => String::new(),
        };
        json!({
            "verdict": self.0.verdict,
            "summary": format!("{scanned}{result} Status: {}.", self.0.status),
            "findings": all.findings,
            "imports": all.imports,
            "events": all.events,
            "more": all.more,
        })
    }

    /// Calls `each` with every report, the names that lead to it, and whether it is about a part of the file, not about data in a
    /// string of a pickle.
    fn each_report<'r>(&'r self, mut each: impl FnMut(&[&'r str], bool, &'r Report)) {
        let mut work: Vec<(Vec<&str>, bool, &Report)> = vec![(Vec::new(), true, &self.0)];
        while let Some((place, is_member, report)) = work.pop() {
            each(&place, is_member, report);
            let nested = report.pickles.iter().flat_map(|pickle| &pickle.nested);
            let below = |report: &'r Report| [&place[..], &[&*report.name]].concat();
            work.extend(nested.map(|report| (below(report), false, report)));
            work.extend(report.members.iter().rev().map(|report| (below(report), is_member, report)));
        }
    }

    /// Calls `each` with every pickle of a report, the names that lead to it, and which of the page's it is.
    fn each<'r>(&'r self, pickles: &[Place], mut each: impl FnMut(&[&'r str], Option<usize>, &'r PickleReport)) {
        self.each_report(|place, is_member, report| {
            for pickle in &report.pickles {
                let own = if is_member { find(place, pickle, pickles) } else { None };
                each(place, own, pickle);
            }
        });
    }
}

impl Gathered {
    fn finding(&mut self, finding: &Finding, place: &[&str], pickle: Option<usize>) {
        let row = json!({
            "verdict": finding.verdict,
            "rule": finding.rule.id(),
            "doc": finding.rule.doc(),
            "name": finding.name,
            "message": finding.message,
            "place": place.join("/"),
            "offset": finding.offset,
            "pickle": index(pickle),
        });
        push(&mut self.findings, row, &mut self.more);
    }
}

/// Adds a row, or counts it if there are too many.
fn push(rows: &mut Vec<Json>, row: Json, more: &mut usize) {
    if rows.len() < MOST {
        rows.push(row);
    } else {
        *more += 1;
    }
}

/// A pickle's number as the page has it.
fn index(pickle: Option<usize>) -> i64 {
    pickle.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)
}

/// The policy's entry for a name.
fn words(entry: Option<&PolicyEntry>) -> (&'static str, &str) {
    match entry {
        None => ("", ""),
        Some(PolicyEntry::Safe) => ("safe", ""),
        Some(PolicyEntry::Dangerous(why)) => ("dangerous", why),
        Some(_) => ("suspicious", "not covered by the policy"),
    }
}

/// Which pickle of the page a report is about: that of the same member and offset. The scanner has a name for what a file
/// decompresses to, which has none here.
fn find(place: &[&str], report: &PickleReport, pickles: &[Place]) -> Option<usize> {
    let path = place.join("/");
    let at = |member: &str| pickles.iter().position(|(own, offset)| own == member && *offset == report.offset);
    at(&path).or_else(|| at(""))
}
