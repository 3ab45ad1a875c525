//! Bytes that are pickles: one, several in a row, with something between them, before them and after them.

use crate::context::Context;
use crate::hidden;
use crate::pickle::{self, Scanned};
use crate::report::{Format, Report};
use crate::verdict::{Finding, Rule, Status, Verdict};

/// Safe pickles of one file that are listed; there may be millions.
const LISTED: usize = 1000;
/// The pickles of a legacy PyTorch checkpoint: magic number, protocol, system, object, keys of the storages.
const TORCH_PICKLES: usize = 5;

/// Scans a pickle and what its strings hide. When `hunting`, what imports nothing is not looked at closely.
pub(crate) fn scan_deep<'a>(data: &'a [u8], start: usize, context: &Context<'a>, hunting: bool) -> Scanned<'a> {
    let mut scanned = pickle::scan(data, start, context, hunting);
    let mut nested = Vec::new();
    for (offset, certain, bytes) in scanned.suspects() {
        let name = format!("string at {offset}");
        if certain {
            nested.extend(context.deeper().map(|deeper| crate::contents::scan(&name, bytes, &deeper, true)));
        } else if !context.plain {
            nested.extend(hidden::hunt(&name, bytes, context));
        }
    }
    nested.retain(|report| report.verdict != Verdict::Safe || context.evidence);
    scanned.report.nested = nested;
    let mut report = std::mem::take(&mut scanned.report).judged();
    for array in std::mem::take(&mut scanned.arrays) {
        report.verdict = report.verdict.max(array.verdict);
        report.status = report.status.max(array.status);
        report.imports.extend(array.imports);
        report.findings.extend(array.findings);
        report.events.extend(array.events);
        report.nested.extend(array.nested);
    }
    scanned.report = report;
    scanned
}

/// Scans all pickles of `data` into a report.
pub(crate) fn scan(data: &[u8], mut report: Report, context: &Context<'_>) -> Report {
    if data.is_empty() {
        report.findings.push(Finding::suspicious(Rule::Broken, 0, "it is empty: there is no pickle"));
        report.format = Format::Other;
        let mut report = report.judged();
        report.status = Status::Truncated;
        return report;
    }
    let mut at = 0;
    let mut count = 0;
    loop {
        let scanned = scan_deep(data, at, context, at > 0);
        if !scanned.stopped && at > 0 && !scanned.imports_names {
            break;
        }
        let (end, stopped, frame_end) = (scanned.end, scanned.stopped, scanned.frame_end);
        if count == 0 && scanned.is_torch_magic {
            report.format = Format::Torch;
        }
        let is_nothing = !stopped && !scanned.imports_names;
        if count < LISTED || scanned.report.verdict != Verdict::Safe {
            report.pickles.push(scanned.report);
        }
        count += 1;
        if !stopped {
            let from = if is_nothing { at + 1 } else { end };
            let hidden = hidden::hunt_pickles(data, from, context, &mut report.findings);
            if is_nothing && hidden.is_empty() && report.findings.is_empty() && data[0] != 0x80 {
                report.format = Format::Other;
            }
            hide(hidden, &mut report);
            return report.judged();
        }
        at = end;
        if at == data.len() {
            return report.judged();
        }
        // Readers that have read the whole frame go on behind it.
        if let Some(frame_end) = frame_end {
            let hidden = hidden::hunt_pickles(data, frame_end, context, &mut report.findings);
            hide(hidden, &mut report);
        }
        if report.format == Format::Torch && count == TORCH_PICKLES {
            break;
        }
    }
    let rest = &data[at..];
    // Django's file-based cache: the expiry, and behind it the value, compressed.
    if report.format != Format::Torch && crate::spelling::has_magic(rest) {
        let inside = context.deeper().map(|deeper| crate::contents::scan("after the pickle", rest, &deeper, true));
        match inside {
            Some(inside) if inside.verdict == Verdict::Dangerous || inside.pickle_count() > 0 => {
                report.members.push(inside);
                return report.judged();
            }
            _ => {}
        }
    }
    let is_blank = rest.iter().all(|byte| matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n'));
    if !is_blank && report.format != Format::Torch {
        // A pickler that is used again fetches what earlier pickles stored. Such pickles are not scanned.
        let message = match picklevm_ops::pickle_bounds(rest).next() {
            Some(Ok(next)) if next.len() > 1 && count > 0 => {
                format!("{} bytes follow that are no pickle on their own, or a pickle that shares a memo", rest.len())
            }
            _ => format!("{} bytes follow that are no pickle", rest.len()),
        };
        report.findings.push(Finding::suspicious(Rule::Trailing, at as u64, message));
    }
    if !is_blank {
        let hidden = hidden::hunt_pickles(data, at, context, &mut report.findings);
        hide(hidden, &mut report);
    }
    report.judged()
}

/// Adds pickles that lie where no reader looks by itself.
fn hide(hidden: Vec<crate::report::PickleReport>, report: &mut Report) {
    for pickle in hidden {
        let message = "a pickle begins here, behind bytes that are none";
        report.findings.push(Finding::suspicious(Rule::Hidden, pickle.offset, message));
        report.pickles.push(pickle);
    }
}
