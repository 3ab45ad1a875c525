//! Pickles where none is expected: inside strings and bytes, spelled in base64 or hexadecimal, compressed, behind junk.

use memchr::memchr_iter;

use crate::context::Context;
use crate::data::Data;
use crate::driver::{Keep, Scan, Step, What};
use crate::members;
use crate::pickle::{self, Ending, is_name};
use crate::prefilter;
use crate::report::Format;
use crate::row::LISTED;
use crate::spelling::{Spelling, has_magic, latin_1, spelling, unbase64, unhex};
use crate::verdict::{Finding, Rule, Verdict};

/// A search for pickles that import something that is not harmless, in bytes that are not known to be a pickle.
pub(crate) struct Search<'d> {
    data: Data<'d>,
    candidates: std::vec::IntoIter<usize>,
    /// Where the last pickle ends that was found.
    done: usize,
    /// The pickle that was scanned last, while its strings are looked at.
    pending: Option<Candidate>,
    found: usize,
    /// Pickles of the report before the search, if those that are found lie behind them.
    behind: Option<usize>,
}

/// Where a pickle may be, and what scanning it came to.
struct Candidate {
    at: usize,
    ending: Ending,
}

impl<'d> Scan<'_, 'd> {
    /// Looks for pickles in the bytes of the report that is open. What is harmless is not told.
    pub(crate) fn hunt(&mut self, data: Data<'d>) {
        let text = latin_1(&data);
        // In UTF-8 the first byte of a header is part of a character; it is one when the text is written as latin-1.
        let begins = candidates(&data, 0).filter(|&at| text.is_none() || data.get(at) != Some(&0x80)).collect();
        // What is done first is put on the list last.
        let spelled = match spelling(&data) {
            Some(Spelling::Hex) => unhex(data.trim_ascii()).map(|decoded| ("as hexadecimal", Format::Hex, decoded)),
            Some(Spelling::Base64) => {
                unbase64(data.trim_ascii_start()).map(|decoded| ("as base64", Format::Base64, decoded))
            }
            None => None,
        };
        if let Some((how, format, decoded)) = spelled {
            match self.file.count_expanded(decoded.len() as u64) {
                Ok(()) => self.look_into(how, What::Hidden(decoded.into(), format), Keep::Unsafe),
                Err(error) => self.top().findings.push(members::finding(&error)),
            }
        }
        if has_magic(&data) {
            // Data that only look compressed are none; a pickle inside is told.
            self.look_into("decompressed", What::Bytes(data.clone(), false), Keep::UnsafePickles);
        }
        if let Some(text) = text {
            self.look_into("as latin-1", What::Hidden(text.into(), Format::Other), Keep::Unsafe);
        }
        self.start_search(data, begins, None);
    }

    fn look_into(&mut self, name: &str, what: What<'d>, keep: Keep) {
        self.steps.push(Step::Begin { name: Some(name.to_owned()), what, keep, nested: false });
    }

    /// Looks for pickles at or after `from`, where no reader looks by itself.
    pub(crate) fn search_behind(&mut self, data: Data<'d>, from: usize) {
        let begins = candidates(&data, from).collect();
        let before = self.top().pickles.len();
        self.start_search(data, begins, Some(before));
    }

    fn start_search(&mut self, data: Data<'d>, begins: Vec<usize>, behind: Option<usize>) {
        let done = begins.first().copied().unwrap_or(data.len());
        let candidates = begins.into_iter();
        self.steps.push(Step::Search(Search { data, candidates, done, pending: None, found: 0, behind }));
    }

    /// Goes on with a search, up to the next pickle in whose strings something may hide.
    pub(crate) fn search(&mut self, mut search: Search<'d>) {
        if let Some(candidate) = search.pending.take() {
            self.settle(&mut search, &candidate);
        }
        while let Some(at) = search.candidates.next() {
            let rest = search.data.get(at..).unwrap_or_default();
            let has_header = rest.first() == Some(&0x80);
            if at < search.done || !has_header && !prefilter::may_do_something(rest) {
                continue;
            }
            let data = search.data.clone();
            let scanned = pickle::scan(&data, at, self.context, false, true);
            let candidate = Candidate { at, ending: scanned.ending };
            if !scanned.ending.stopped && !scanned.ending.imports_names {
                self.spend_work(&mut search, &candidate);
                continue;
            }
            search.pending = Some(candidate);
            self.steps.push(Step::Search(search));
            return self.add(scanned, &data);
        }
        let lines: Vec<_> = dangerous_lines(&search.data, search.done, self.context).take(LISTED).collect();
        for (at, name, why) in lines {
            let message = format!("text spells the import of {name}, which {why}");
            self.top().findings.push(Finding::suspicious(Rule::Hidden, at as u64, message).named(name));
        }
        let report = self.top();
        match search.behind {
            Some(before) => {
                let message = "a pickle begins here, behind bytes that are none";
                let hidden = report.pickles.iter().skip(before);
                report.findings.extend(hidden.map(|it| Finding::suspicious(Rule::Hidden, it.offset, message)));
            }
            None if !report.pickles.is_empty() => report.format = Format::Pickle,
            None => {}
        }
    }

    /// Keeps the pickle that was scanned last if it is one, and not safe.
    fn settle(&mut self, search: &mut Search<'d>, candidate: &Candidate) {
        let Some(pickle) = self.top().pickles.pop() else { return };
        let Ending { end, stopped, imports_names, .. } = candidate.ending;
        // Not a text that can be read as the beginning of a pickle: lists of words are full of lines such as `cat` that spell
        // a GLOBAL.
        let does_something = search.data.get(candidate.at) == Some(&0x80)
            || pickle.imports.iter().any(|import| import.uses > 0)
            || stopped && pickle.verdict == Verdict::Dangerous;
        let is_pickle = imports_names && does_something || stopped && !pickle.nested.is_empty();
        if !is_pickle {
            return self.spend_work(search, candidate);
        }
        search.done = end.max(candidate.at + 1);
        if pickle.verdict != Verdict::Safe {
            self.top().pickles.push(pickle);
            self.list_last(&mut search.found);
        }
    }

    /// Counts a run that led to nothing.
    fn spend_work(&mut self, search: &mut Search<'d>, candidate: &Candidate) {
        match self.work_left.checked_sub(candidate.ending.end - candidate.at) {
            Some(left) => self.work_left = left,
            None => {
                let message =
                    "the search for hidden pickles was given up: too many bytes look like the beginning of one";
                self.top().findings.push(Finding::suspicious(Rule::Limit, candidate.at as u64, message));
                search.candidates = Vec::new().into_iter();
            }
        }
    }
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
