//! Pickles where none is expected: inside strings and bytes, spelled in base64 or hexadecimal, compressed, behind junk.

use memchr::memchr_iter;

use crate::contents;
use crate::context::Context;
use crate::pickle::{Scanned, is_name};
use crate::prefilter;
use crate::report::{Format, PickleReport, Report};
use crate::spelling::{Spelling, has_magic, latin_1, may_hide, spelling, unbase64, unhex};
use crate::stream;
use crate::verdict::{Finding, Rule, Verdict};

/// Looks for pickles that import something in bytes that are not known to be a pickle. What is harmless is not told.
pub(crate) fn hunt(name: &str, bytes: &[u8], context: &Context<'_>) -> Option<Report> {
    let mut report = Report::new(name, Format::Other, bytes.len());
    let Some(deeper) = context.deeper() else {
        return may_hide(bytes).then(|| {
            report.findings.push(context.too_deep());
            report.judged()
        });
    };
    let text = latin_1(bytes);
    // In UTF-8 the first byte of a header is part of a character; it is one when the text is written as latin-1.
    let begins = candidates(bytes, 0).filter(|&at| text.is_none() || bytes.get(at) != Some(&0x80));
    report.pickles = hunt_at(begins, bytes, context, &mut report.findings);
    if let Some(text) = text {
        report.members.extend(hunt("as latin-1", &text, &deeper));
    }
    if has_magic(bytes) {
        let inside = contents::scan("decompressed", bytes, &deeper, false);
        // Data that only look compressed are none; a pickle inside is told.
        if inside.pickle_count() > 0 && inside.verdict != Verdict::Safe {
            report.members.push(inside);
        }
    }
    let spelled = match spelling(bytes) {
        Some(Spelling::Hex) => unhex(bytes.trim_ascii()).map(|decoded| ("as hexadecimal", Format::Hex, decoded)),
        Some(Spelling::Base64) => {
            unbase64(bytes.trim_ascii_start()).map(|decoded| ("as base64", Format::Base64, decoded))
        }
        None => None,
    };
    if let Some((how, format, decoded)) = spelled
        && context.spend(decoded.len())
        && let Some(mut inside) = hunt(how, &decoded, &deeper)
    {
        if inside.format == Format::Other {
            inside.format = format;
        }
        report.members.push(inside);
    }
    if !report.pickles.is_empty() {
        report.format = Format::Pickle;
    }
    let report = report.judged();
    (report.verdict != Verdict::Safe).then_some(report)
}

/// The pickles at or after `from` that import something that is not harmless.
pub(crate) fn hunt_pickles(
    data: &[u8],
    from: usize,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<PickleReport> {
    hunt_at(candidates(data, from), data, context, findings)
}

/// The pickles that begin at some of these places and import something that is not harmless.
fn hunt_at(
    candidates: impl Iterator<Item = usize>,
    data: &[u8],
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<PickleReport> {
    let mut candidates = candidates.peekable();
    let mut found: Vec<PickleReport> = Vec::new();
    let mut done = candidates.peek().copied().unwrap_or(data.len());
    // Bytes that runs which lead to nothing may take.
    let mut patience = 16 * data.len() + (1 << 20);
    for at in candidates {
        let has_header = data.get(at) == Some(&0x80);
        if at < done || !has_header && !prefilter::may_do_something(data.get(at..).unwrap_or_default()) {
            continue;
        }
        let scanned = stream::scan_deep(data, at, context, true);
        let len = scanned.end - at;
        if is_pickle(&scanned, has_header) {
            done = scanned.end.max(at + 1);
            if scanned.report.verdict != Verdict::Safe {
                found.push(scanned.report);
            }
            continue;
        }
        match patience.checked_sub(len) {
            Some(left) => patience = left,
            None => {
                let message =
                    "the search for hidden pickles was given up: too many bytes look like the beginning of one";
                findings.push(Finding::suspicious(Rule::Limit, at as u64, message));
                break;
            }
        }
    }
    for (at, name, why) in dangerous_lines(data, done, context) {
        let message = format!("text spells the import of {name}, which {why}");
        findings.push(Finding::suspicious(Rule::Hidden, at as u64, message).named(name));
    }
    found
}

/// Whether what was found is a pickle that does something, not a text that can be read as the beginning of one: lists of
/// words are full of lines such as `cat` that spell a GLOBAL.
fn is_pickle(scanned: &Scanned<'_>, has_header: bool) -> bool {
    let report = &scanned.report;
    let does_something = has_header
        || report.imports.iter().any(|import| import.uses > 0)
        || scanned.stopped && report.verdict == Verdict::Dangerous;
    scanned.imports_names && does_something || scanned.stopped && !report.nested.is_empty()
}

/// Where a pickle may begin: at `from`, at every header, and at text that spells a GLOBAL or an INST.
fn candidates(data: &[u8], from: usize) -> impl Iterator<Item = usize> {
    let is_header = move |&at: &usize| data.get(at + 1).is_some_and(|&protocol| protocol <= 5);
    let rest = data.get(from..).unwrap_or_default();
    let headers = memchr_iter(0x80, rest).map(move |at| from + at).filter(is_header);
    let globals = global_lines(rest).map(move |(at, _, _)| from + at);
    let mut all: Vec<usize> = std::iter::once(from).chain(headers).chain(globals).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter()
}

/// Pairs of lines that GLOBAL or INST could have: where the opcode stands, the module and the name.
fn global_lines(data: &[u8]) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut start = 0;
    let mut newlines = memchr_iter(b'\n', data).peekable();
    std::iter::from_fn(move || {
        let end = newlines.next()?;
        let line_start = std::mem::replace(&mut start, end + 1);
        let next = newlines.peek().map(|&next| &data[end + 1..next]);
        Some((line_start, &data[line_start..end], next))
    })
    .filter_map(|(at, line, next)| {
        let name = str::from_utf8(next?).ok().filter(|name| is_name(name))?;
        // The last opcode in the line after which all is a name.
        let tail = line.iter().rposition(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')));
        let tail_start = tail.map_or(0, |last| last + 1);
        let opcode = line[tail_start..].iter().position(|byte| matches!(byte, b'c' | b'i'))?;
        let module = str::from_utf8(&line[tail_start + opcode + 1..]).ok().filter(|module| is_name(module))?;
        Some((at + tail_start + opcode, module, name))
    })
}

/// Lines that spell the import of something dangerous, wherever in the line the module begins.
fn dangerous_lines<'d>(
    data: &'d [u8],
    from: usize,
    context: &Context<'d>,
) -> impl Iterator<Item = (usize, String, &'d str)> {
    let policy = context.policy;
    global_lines(data.get(from..).unwrap_or_default()).filter_map(move |(at, module, name)| {
        let begins = module.match_indices(['c', 'i']).map(|(begin, _)| begin + 1);
        let mut modules = std::iter::once(0).chain(begins).map(|begin| &module[begin..]);
        modules.find_map(|module| {
            policy.danger_in_text(module, name).map(|why| (from + at, format!("{module}.{name}"), why))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_global_is_found_behind_other_opcodes() {
        let found: Vec<_> = global_lines(b"tRp1\n(cos\nsystem\n(").collect();
        assert_eq!(found, [(6, "os", "system")]);
    }
}
