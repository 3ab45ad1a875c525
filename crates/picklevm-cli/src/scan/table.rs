//! A table for people: a line a file, and below it a line a reason.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use picklevm_scan::{FileScan, FileStatus, Finding, PickleReport, Report, Rule, Verdict};

use super::explain;
use super::{Args, Tally};
use crate::failure::reason;
use crate::input::shown;
use crate::printable::Printable;

/// Prints the table, and a summary if there are several files.
pub(super) fn print(args: &Args, scans: &[FileScan], tally: &Tally, out: &mut impl Write) -> io::Result<()> {
    let color = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
    let mut table = Table { args, color, out };
    if scans.len() > tally.skipped + if args.quiet { tally.safe } else { 0 } {
        let head = Style::new().dimmed();
        table.row(head, ["verdict", "status", "format"], &"file")?;
    }
    for scan in scans {
        table.file(scan)?;
    }
    if scans.len() != 1 || tally.skipped > 0 {
        table.total(tally)?;
    }
    if scans.iter().any(has_unknown_name) {
        writeln!(
            table.out,
            "--explain shows what is done with names that are not covered by the policy. Those that you trust are allowed by \
             --allow NAME,\n--allow-module MODULE or --allow-own; --policy FILE keeps that in a file."
        )?;
    }
    Ok(())
}

fn has_unknown_name(scan: &FileScan) -> bool {
    let FileStatus::Scanned(report) = &scan.outcome else { return false };
    report.all_findings().iter().any(|(_, finding)| finding.rule == Rule::UnknownName)
}

struct Table<'a, W> {
    args: &'a Args,
    color: bool,
    out: &'a mut W,
}

fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Safe => AnsiColor::Green.on_default(),
        Verdict::Suspicious => AnsiColor::Yellow.on_default().bold(),
        Verdict::Dangerous => AnsiColor::Red.on_default().bold(),
    }
}

impl<W: Write> Table<'_, W> {
    /// A word in a style, and blanks up to a width.
    fn word(&mut self, style: Style, word: &str, width: usize) -> io::Result<()> {
        let blanks = width.saturating_sub(word.len());
        if self.color {
            write!(self.out, "{style}{word}{style:#}{:blanks$}", "")
        } else {
            write!(self.out, "{word}{:blanks$}", "")
        }
    }

    fn row(&mut self, style: Style, [verdict, status, format]: [&str; 3], file: &dyn Display) -> io::Result<()> {
        self.word(style, verdict, 12)?;
        writeln!(self.out, "{status:<11}{format:<9}{file}")
    }

    fn file(&mut self, scan: &FileScan) -> io::Result<()> {
        match &scan.outcome {
            FileStatus::Scanned(report) if self.args.quiet && report.verdict == Verdict::Safe => Ok(()),
            FileStatus::Scanned(report) => self.report(&scan.path, report),
            FileStatus::Skipped => Ok(()),
            FileStatus::Unreadable(error) => {
                self.row(AnsiColor::Magenta.on_default().bold(), ["unreadable", "", ""], &shown(&scan.path))?;
                writeln!(self.out, "    cannot read: {}", reason(error))
            }
            _ => Ok(()),
        }
    }

    fn report(&mut self, path: &Path, report: &Report) -> io::Result<()> {
        let columns = [report.verdict.to_string(), report.status.to_string(), report.format.to_string()];
        self.row(style_of(report.verdict), columns.each_ref().map(String::as_str), &shown(path))?;
        let findings = report.all_findings();
        for (place, finding) in findings.iter().take(self.args.max_reasons) {
            self.reason(place, finding)?;
        }
        let more = findings.len().saturating_sub(self.args.max_reasons);
        if more > 0 {
            let plural = if more == 1 { "" } else { "s" };
            writeln!(self.out, "    … {more} more reason{plural}: --max-reasons, or --json for all")?;
        }
        if self.args.explain {
            self.explain(report)?;
        }
        Ok(())
    }

    fn reason(&mut self, place: &[&str], finding: &Finding) -> io::Result<()> {
        self.out.write_all(b"    ")?;
        self.word(style_of(finding.verdict), &finding.verdict.to_string(), 0)?;
        for outer in place {
            write!(self.out, " in {}", Printable(outer))?;
        }
        writeln!(self.out, " at {}: {}", finding.offset, Printable(&finding.message))
    }

    /// What the pickles of a file and of its members do.
    fn explain(&mut self, report: &Report) -> io::Result<()> {
        let mut reports = vec![(String::new(), report)];
        while let Some((place, report)) = reports.pop() {
            for pickle in &report.pickles {
                self.explain_pickle(&place, pickle)?;
            }
            let nested = report.pickles.iter().flat_map(|pickle| &pickle.nested);
            let inner: Vec<_> = report.members.iter().chain(nested).collect();
            reports.extend(inner.into_iter().rev().map(|inner| {
                let outer = if place.is_empty() { String::new() } else { format!(" in {place}") };
                (format!("{}{outer}", inner.name), inner)
            }));
        }
        Ok(())
    }

    fn explain_pickle(&mut self, place: &str, pickle: &PickleReport) -> io::Result<()> {
        let place = if place.is_empty() { String::new() } else { format!(" in {place}") };
        writeln!(
            self.out,
            "\n  The pickle at {}{} ({} bytes, protocol {}, {}):",
            pickle.offset,
            Printable(&place),
            pickle.len,
            pickle.protocol,
            pickle.status
        )?;
        let nothing = "imports nothing and calls nothing";
        match (&pickle.result, pickle.events.is_empty()) {
            (Some(result), true) => return writeln!(self.out, "  Python {nothing}. It returns {result}."),
            (None, true) => return writeln!(self.out, "  Python {nothing} before the pickle breaks."),
            (Some(result), false) => {
                writeln!(self.out, "  Python does this, in order, and returns {}:\n", Printable(result))?;
            }
            (None, false) => writeln!(self.out, "  Python does this, in order, before the pickle breaks:\n")?,
        }
        let mut words = explain::Words::default();
        for event in &pickle.events {
            write!(self.out, "    {:>8}  ", event.offset)?;
            self.word(AnsiColor::Cyan.on_default(), &Printable(&event.python).to_string(), 0)?;
            self.out.write_all(b"\n")?;
            if let Some(sentence) = words.of(event) {
                let style = event.known.as_ref().map_or(Style::new(), |known| style_of(explain::verdict_of(known)));
                for line in explain::wrap(&Printable(&sentence).to_string(), WIDTH) {
                    self.out.write_all(b"              ")?;
                    self.word(style, line, 0)?;
                    self.out.write_all(b"\n")?;
                }
            }
        }
        Ok(())
    }

    fn total(&mut self, tally: &Tally) -> io::Result<()> {
        let Tally { safe, suspicious, dangerous, unreadable, skipped } = *tally;
        let counts = [(dangerous, "dangerous"), (unreadable, "unreadable"), (suspicious, "suspicious"), (safe, "safe")];
        let told: Vec<_> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let total: usize = counts.iter().map(|(n, _)| n).sum();
        let plural = if total == 1 { "" } else { "s" };
        let colon = if told.is_empty() { "" } else { ": " };
        write!(self.out, "{total} file{plural}{colon}{}", told.join(", "))?;
        if skipped > 0 {
            write!(self.out, "; {skipped} skipped (not pickles)")?;
        }
        self.out.write_all(b"\n")
    }
}

/// Characters of a line of explanation.
const WIDTH: usize = 96;
