//! The work list: what is still to be looked at in a file, and the reports that are open.
//!
//! A file is a tree: members of archives, what they decompress to, pickles in strings of pickles. It is gone through depth first
//! without recursion: a step looks at one thing and puts what it finds in there on the list, to be looked at next. A report is
//! opened by [`Step::Begin`] and closed when all that was put on the list above it is done; then it goes into the one around it.

use picklevm_files::Member;

use crate::context::Context;
use crate::data::Data;
use crate::hidden::Search;
use crate::members;
use crate::pickle::{self, Scanned};
use crate::report::{Format, PickleReport, Report};
use crate::row::Row;
use crate::spelling::{SEVEN_ZIP, may_hide};
use crate::verdict::{Finding, Rule, Verdict};

/// Bytes that runs which lead to nothing may take, beside 16 times the length of what is read from the file or decompressed.
const FRUITLESS_WORK_LIMIT: usize = 1 << 20;

/// How many reports may lie in one another for what strings hold to be looked at.
const MAX_STRING_DEPTH: usize = 32;

/// What a report is opened of.
pub(crate) enum What<'d> {
    /// A member, and whether it should be a pickle.
    Member(Member, bool),
    /// Bytes, and whether a program would load them.
    Bytes(Data<'d>, bool),
    /// Bytes in which pickles may hide, and what they were spelled as.
    Hidden(Data<'d>, Format),
}

/// Which reports are kept when they are closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Always,
    /// Those that are not safe.
    Unsafe,
    /// Those that are not safe, or all where evidence is asked for.
    Evidence,
    /// Those that hold pickles and are not safe.
    UnsafePickles,
    /// Those that hold pickles, or are dangerous.
    Pickles,
}

/// Something to be done, on the report that was opened last.
pub(crate) enum Step<'d> {
    /// Opens a report: of a member, or of what lies in the pickle that was scanned last (`nested`).
    Begin {
        name: Option<String>,
        what: What<'d>,
        keep: Keep,
        nested: bool,
    },
    /// Scans one pickle.
    Pickle {
        data: Data<'d>,
        start: usize,
    },
    /// Scans a container as a pickle, if it does something as one.
    AsPickle(Member),
    /// Goes on with pickles in a row.
    Row(Row<'d>),
    /// Goes on with the search for hidden pickles.
    Search(Search<'d>),
    /// Goes on with strings of the pickle that was scanned last, and judges it behind the last of them.
    Strings(std::vec::IntoIter<Hiding<'d>>),
    /// Goes on with long data, from this byte on.
    Pieces(Member, u64),
    Close,
}

/// A string of a pickle in which pickles may lie.
pub(crate) struct Hiding<'d> {
    pub(crate) offset: u64,
    /// Whether something is known to unpickle it.
    pub(crate) certain: bool,
    pub(crate) data: Data<'d>,
}

/// A report that is not complete yet.
pub(crate) struct Open {
    pub(crate) report: Report,
    /// How many members and strings it lies in.
    pub(crate) depth: u32,
    keep: Keep,
    nested: bool,
}

/// The scan of one file.
pub(crate) struct Scan<'s, 'd> {
    pub(crate) context: &'s Context<'s>,
    /// The file itself: all that is found in it counts for its limits.
    pub(crate) file: Member,
    pub(crate) steps: Vec<Step<'d>>,
    pub(crate) open: Vec<Open>,
    /// The files beside it that are on the list.
    pub(crate) companions: Vec<String>,
    /// Bytes that runs which lead to nothing may still take.
    pub(crate) work_left: usize,
}

impl<'s, 'd> Scan<'s, 'd> {
    pub(crate) fn new(context: &'s Context<'s>, file: Member) -> Self {
        Scan {
            context,
            file,
            steps: Vec::new(),
            open: Vec::new(),
            companions: Vec::new(),
            work_left: FRUITLESS_WORK_LIMIT,
        }
    }

    /// Scans a file, and all that is in it.
    pub(crate) fn report(mut self, name: &str, what: What<'d>) -> Report {
        self.begin(name.to_owned(), what, Keep::Always, false);
        self.run();
        self.open.pop().map_or_else(|| Report::new(name, Format::Other, 0), |open| open.report)
    }

    /// Scans the one pickle that begins `data`.
    pub(crate) fn pickle(mut self, data: Data<'d>) -> PickleReport {
        self.open(Report::new("", Format::Pickle, data.len()), 0, Keep::Always, false);
        self.steps.push(Step::Pickle { data, start: 0 });
        self.run();
        self.open.pop().and_then(|mut open| open.report.pickles.pop()).unwrap_or_default()
    }

    fn run(&mut self) {
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Begin { name, what, keep, nested } => self.begin(name.unwrap_or_default(), what, keep, nested),
                Step::Pickle { data, start } => {
                    let scanned = pickle::scan(&data, start, self.context, self.is_plain(), false);
                    self.add(scanned, &data);
                }
                Step::AsPickle(member) => self.or_problem(members::scan_as_pickle, member),
                Step::Row(row) => self.row(row),
                Step::Search(search) => self.search(search),
                Step::Strings(strings) => self.strings(strings),
                Step::Pieces(member, at) => {
                    self.or_problem(|scan, member| members::scan_piece(scan, member, at), member)
                }
                Step::Close => self.close(),
            }
        }
    }

    fn or_problem(
        &mut self,
        step: impl FnOnce(&mut Self, Member) -> Result<(), picklevm_files::Error>,
        member: Member,
    ) {
        if let Err(error) = step(self, member) {
            self.top().findings.push(members::finding(&error));
        }
    }

    /// The report that was opened last.
    pub(crate) fn top(&mut self) -> &mut Report {
        if self.open.is_empty() {
            self.open(Report::new("", Format::Other, 0), 0, Keep::Always, false);
        }
        let last = self.open.len() - 1;
        &mut self.open[last].report
    }

    /// How deep that lies.
    pub(crate) fn depth(&self) -> u32 {
        self.open.last().map_or(0, |open| open.depth)
    }

    /// Whether only what `pickle.load` does counts.
    pub(crate) fn is_plain(&self) -> bool {
        self.context.plain && self.open.len() == 1
    }

    fn open(&mut self, report: Report, depth: u32, keep: Keep, nested: bool) {
        self.open.push(Open { report, depth, keep, nested });
    }

    /// Opens a report, which the step below closes.
    fn begin(&mut self, name: String, what: What<'d>, keep: Keep, nested: bool) {
        // A string is shorter than what it lies in: it counts for no level.
        let inner = if self.open.is_empty() { 0 } else { self.depth() + u32::from(!nested) };
        let (format, len) = match &what {
            What::Member(..) => (Format::Other, 0),
            What::Bytes(data, _) => (Format::Pickle, data.len()),
            What::Hidden(data, format) => (*format, data.len()),
        };
        self.steps.push(Step::Close);
        self.open(Report::new(name, format, len), inner, keep, nested);
        match what {
            What::Member(member, expects_pickle) => members::scan(self, &member, expects_pickle),
            What::Bytes(data, expects_pickle) if data.starts_with(SEVEN_ZIP) || members::is_container(&data) => {
                let member = self.file.holding(data.to_shared(), inner);
                members::scan(self, &member, expects_pickle);
            }
            What::Bytes(data, expects_pickle) => members::scan_plain(self, data, expects_pickle),
            What::Hidden(data, _) if inner > self.context.limits.depth => {
                if may_hide(&data) {
                    let finding = self.context.too_deep();
                    self.top().findings.push(finding);
                }
            }
            What::Hidden(data, _) => self.hunt(data),
        }
    }

    /// Puts the report that was opened last into the one around it.
    fn close(&mut self) {
        let Some(mut open) = self.open.pop() else { return };
        members::check_storages(&mut open.report);
        open.report.judge();
        if self.open.is_empty() {
            return self.open.push(open);
        }
        let Open { report, keep, nested, .. } = open;
        let is_safe = report.verdict == Verdict::Safe;
        let is_kept = match keep {
            Keep::Always => true,
            Keep::Unsafe => !is_safe,
            Keep::Evidence => !is_safe || self.context.evidence,
            Keep::UnsafePickles => !is_safe && report.pickle_count() > 0,
            Keep::Pickles => report.verdict == Verdict::Dangerous || report.pickle_count() > 0,
        };
        if !is_kept {
            return;
        }
        let outer = self.top();
        match outer.pickles.last_mut() {
            Some(pickle) if nested => pickle.nested.push(report),
            _ => outer.members.push(report),
        }
    }

    /// Puts a pickle into the report that is open, and what its strings may hide on the list.
    pub(crate) fn add(&mut self, scanned: Scanned<'_>, data: &Data<'d>) {
        let strings = scanned.strings(data, self.is_plain());
        self.context.count(&scanned.report);
        self.top().pickles.push(scanned.report);
        self.steps.push(Step::Strings(strings.into_iter()));
    }

    fn strings(&mut self, mut strings: std::vec::IntoIter<Hiding<'d>>) {
        let Some(Hiding { offset, certain, data }) = strings.next() else {
            if let Some(pickle) = self.top().pickles.last_mut() {
                pickle.judge();
            }
            return;
        };
        self.steps.push(Step::Strings(strings));
        if self.open.len() > MAX_STRING_DEPTH {
            let message = "pickles lie in strings of pickles so deep that the scan does not look further";
            let finding = Finding::suspicious(Rule::Limit, offset, message);
            if let Some(pickle) = self.top().pickles.last_mut() {
                pickle.findings.push(finding);
            }
            return;
        }
        let name = Some(format!("string at {offset}"));
        let (what, keep) = match certain {
            true => (What::Bytes(data, true), Keep::Evidence),
            false => (What::Hidden(data, Format::Other), Keep::Unsafe),
        };
        self.steps.push(Step::Begin { name, what, keep, nested: true });
    }
}
