//! Bytes that are pickles: one, several in a row, with something between them, before them and after them.

use crate::data::Data;
use crate::driver::{Keep, Scan, Step, What};
use crate::members;
use crate::pickle::{self, Ending};
use crate::report::Format;
use crate::spelling::has_magic;
use crate::verdict::{Finding, Rule, Status, Verdict};

/// Pickles in a row that are listed of each verdict; there may be millions.
pub(crate) const LISTED: usize = 1000;
/// The pickles of a legacy PyTorch checkpoint: magic number, protocol, system, object, keys of the storages.
const TORCH_PICKLES: usize = 5;

/// Pickles in a row: where the next begins, and what is to be done about it.
pub(crate) struct Row<'d> {
    data: Data<'d>,
    at: usize,
    count: usize,
    /// Pickles that are listed, of each verdict.
    listed: [usize; 3],
    next: Next,
}

enum Next {
    /// A pickle is to be scanned.
    Pickle,
    /// It was scanned.
    Scanned(Ending),
    /// No more pickles follow.
    Rest,
    /// What follows was opened as a container; so many members were there before.
    Opened(usize),
    /// What begins as no pickle was searched for some.
    Searched,
}

impl<'d> Row<'d> {
    pub(crate) fn new(data: Data<'d>) -> Self {
        Row { data, at: 0, count: 0, listed: [0; 3], next: Next::Pickle }
    }

    fn then(self, next: Next) -> Step<'d> {
        Step::Row(Row { next, ..self })
    }
}

impl<'d> Scan<'_, 'd> {
    /// Goes on with pickles in a row.
    pub(crate) fn row(&mut self, row: Row<'d>) {
        match row.next {
            Next::Pickle => self.next_pickle(row),
            Next::Scanned(ending) => self.list_pickle(row, ending),
            Next::Rest => self.rest(row),
            Next::Opened(members) if self.top().members.len() > members => {}
            Next::Opened(_) => self.trailing(row),
            Next::Searched => {
                let report = self.top();
                if report.pickles.len() == 1 && report.findings.is_empty() && row.data.first() != Some(&0x80) {
                    report.format = Format::Other;
                }
            }
        }
    }

    fn next_pickle(&mut self, row: Row<'d>) {
        if row.data.is_empty() {
            let report = self.top();
            report.findings.push(Finding::suspicious(Rule::Broken, 0, "it is empty: there is no pickle"));
            report.format = Format::Other;
            report.status = Status::Truncated;
            return;
        }
        let data = row.data.clone();
        let scanned = pickle::scan(&data, row.at, self.context, self.is_plain(), row.at > 0);
        if !scanned.ending.stopped && row.at > 0 && !scanned.ending.imports_names {
            return self.rest(row);
        }
        if row.count == 0 && scanned.is_torch_magic {
            self.top().format = Format::Torch;
        }
        self.steps.push(row.then(Next::Scanned(scanned.ending)));
        self.add(scanned, &data);
    }

    fn list_pickle(&mut self, mut row: Row<'d>, ending: Ending) {
        let Ending { stopped, imports_names, end, frame_end } = ending;
        let verdict = self.top().pickles.last().map_or(Verdict::Safe, |pickle| pickle.verdict);
        let companions = self.top().pickles.last_mut().map(|pickle| std::mem::take(&mut pickle.companions));
        self.list_last(&mut row.listed[verdict as usize]);
        members::list_companions(self, &companions.unwrap_or_default());
        let report = self.top();
        row.count += 1;
        if !stopped {
            // A text that some reader takes for names is none if nothing is done with them.
            let does_something = verdict == Verdict::Dangerous
                || report.pickles.last().is_some_and(|pickle| pickle.imports.iter().any(|import| import.uses > 0));
            if row.at == 0 && !does_something && row.data.first() != Some(&0x80) {
                let pickle = report.pickles.pop();
                if members::scan_wrapped(self, &row.data) {
                    return;
                }
                self.top().pickles.extend(pickle);
            }
            let is_nothing = !imports_names;
            let (from, data) = (if is_nothing { row.at + 1 } else { end }, row.data.clone());
            if is_nothing {
                self.steps.push(row.then(Next::Searched));
            }
            return self.search_behind(data, from);
        }
        row.at = end;
        if row.at == row.data.len() {
            return;
        }
        let is_whole_torch = report.format == Format::Torch && row.count == TORCH_PICKLES;
        let data = row.data.clone();
        self.steps.push(row.then(if is_whole_torch { Next::Rest } else { Next::Pickle }));
        // Readers that have read the whole frame go on behind it.
        if let Some(frame_end) = frame_end {
            self.search_behind(data, frame_end);
        }
    }

    fn rest(&mut self, row: Row<'d>) {
        let rest = row.data.slice(row.at..row.data.len());
        // Django's file-based cache: the expiry, and behind it the value, compressed.
        if self.top().format == Format::Torch || !has_magic(&rest) || self.depth() >= self.context.limits.depth {
            return self.trailing(row);
        }
        let members = self.top().members.len();
        self.steps.push(row.then(Next::Opened(members)));
        let (name, what) = (Some("after the pickle".to_owned()), What::Bytes(rest, true));
        self.steps.push(Step::Begin { name, what, keep: Keep::Pickles, nested: false });
    }

    /// What follows the last pickle is none, and no container.
    fn trailing(&mut self, row: Row<'d>) {
        let rest = &row.data[row.at..];
        if rest.iter().all(|byte| matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n')) {
            return;
        }
        if self.top().format != Format::Torch {
            // A pickler that is used again fetches what earlier pickles stored. Such pickles are not scanned.
            let message = match picklevm_ops::pickle_bounds(rest).next() {
                Some(Ok(next)) if next.len() > 1 && row.count > 0 => {
                    format!(
                        "{} bytes follow that are no pickle on their own, or a pickle that shares a memo",
                        rest.len()
                    )
                }
                _ => format!("{} bytes follow that are no pickle", rest.len()),
            };
            self.top().findings.push(Finding::suspicious(Rule::Trailing, row.at as u64, message));
        }
        self.search_behind(row.data, row.at);
    }

    /// Counts the pickle that was scanned last, and leaves it out of the report if that lists too many of its kind.
    pub(crate) fn list_last(&mut self, listed: &mut usize) {
        let report = self.top();
        let Some((verdict, offset)) = report.pickles.last().map(|pickle| (pickle.verdict, pickle.offset)) else {
            return;
        };
        *listed += 1;
        if *listed > LISTED {
            report.pickles.pop();
        }
        if *listed == LISTED + 1 && verdict != Verdict::Safe {
            let message = format!("more than {LISTED} pickles are {verdict}: those from here on are not listed");
            report.findings.push(Finding::new(verdict, Rule::Limit, offset, message));
        }
    }
}
