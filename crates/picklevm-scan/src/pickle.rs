//! Scanning one pickle: running it, and going on where any reader would.

use std::borrow::Cow;

use picklevm::machine::{self, Machine};
use picklevm::{Error, ErrorKind, Limits};
use picklevm_ops::Decoder;

use crate::context::Context;
use crate::data::Data;
use crate::divergence::{self, Recovery};
use crate::driver::Hiding;
use crate::joblib::{self, DataAfter};
use crate::report::PickleReport;
use crate::shadow::Values;
use crate::token::Packed;
use crate::trace::{Suspect, Tracer};
use crate::verdict::{Finding, Rule, Status, Verdict};

/// How a pickle ends.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ending {
    /// Where in the data, as far as it was read.
    pub(crate) end: usize,
    /// Whether STOP was reached.
    pub(crate) stopped: bool,
    /// Where the frame ends that STOP lies in, if that is further on.
    pub(crate) frame_end: Option<usize>,
    /// Whether a name was imported that could be one.
    pub(crate) imports_names: bool,
}

/// What came of one pickle.
#[derive(Default)]
pub(crate) struct Scanned<'a> {
    pub(crate) report: PickleReport,
    pub(crate) ending: Ending,
    /// How many bytes the data must have, at the least, for the op at which they are cut off.
    pub(crate) needed_len: Option<u64>,
    /// Whether it is the first one of a legacy PyTorch checkpoint.
    pub(crate) is_torch_magic: bool,
    suspects: Vec<(Suspect, Cow<'a, [u8]>)>,
    /// Where the first data lie that joblib reads itself.
    raw_at: Option<usize>,
}

impl Scanned<'_> {
    /// The strings in which pickles may lie; `plain`, those that something unpickles.
    pub(crate) fn strings<'d>(&self, data: &Data<'d>, plain: bool) -> Vec<Hiding<'d>> {
        let wanted = self.suspects.iter().filter(|(suspect, _)| suspect.certain || !plain);
        let hiding = wanted.map(|(suspect, bytes)| {
            let data = match bytes {
                // It lies in the data.
                Cow::Borrowed(bytes) => {
                    let at = (bytes.as_ptr() as usize).wrapping_sub(data.as_ptr() as usize).min(data.len());
                    data.slice(at..(at + bytes.len()).min(data.len()))
                }
                Cow::Owned(bytes) => bytes.clone().into(),
            };
            Hiding { offset: suspect.offset, certain: suspect.certain, data }
        });
        hiding.collect()
    }
}

/// Bytes of memory that stack, marks and memo may take, in entries of eight bytes.
const ENTRIES: u64 = 1 << 28;

/// The number that the first pickle of a legacy PyTorch checkpoint holds, as LONG1 writes it.
const TORCH_MAGIC: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// Scans the pickle that begins at `start`, if one does: `plain`, as `pickle.load` reads it, without what joblib does; when
/// `hunting`, only what imports something is looked at closely.
pub(crate) fn scan<'a>(data: &'a [u8], start: usize, context: &Context<'a>, plain: bool, hunting: bool) -> Scanned<'a> {
    let is_enough = |scanned: &Scanned<'_>| {
        context.evidence || scanned.report.findings.is_empty() || hunting && !scanned.ending.imports_names
    };
    let run = |keeps, plain| run(data, start, context, Reading { keeps, plain });
    let first = if context.evidence { None } else { run(Keeps::Nothing, plain) };
    let mut scanned = match first {
        Some(scanned) if is_enough(&scanned) => scanned,
        // A second run tells what the calls are applied to.
        _ => run(Keeps::Recent, plain).or_else(|| run(Keeps::All, plain)).unwrap_or_else(|| unreadable(start)),
    };
    if let Some(raw_at) = scanned.raw_at
        && let Some(other) = run(Keeps::All, true)
    {
        // What joblib takes for the memory of an array are opcodes to `pickle.load`: what they do counts, not that they break.
        let does_something = |finding: &Finding| {
            let is_named = finding.name.as_deref().is_some_and(is_name);
            let is_used = !finding.message.starts_with("imports");
            finding.verdict == Verdict::Dangerous || is_named && is_used && finding.rule != Rule::Broken
        };
        let done = other.report.findings.into_iter().filter(|it| it.offset >= raw_at as u64 && does_something(it));
        scanned.report.findings.extend(done.map(|mut finding| {
            finding.message.insert_str(0, "read by pickle.load instead of joblib: ");
            finding
        }));
    }
    scanned
}

/// How a pickle is read.
#[derive(Clone, Copy)]
struct Reading {
    keeps: Keeps,
    /// Without joblib: the data of its arrays are opcodes.
    plain: bool,
}

/// What is kept of containers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeps {
    Nothing,
    /// All but what is not likely to be asked for again.
    Recent,
    All,
}

fn unreadable<'a>(start: usize) -> Scanned<'a> {
    let report = PickleReport { offset: start as u64, status: Status::Malformed, ..PickleReport::default() };
    Scanned { report, ending: Ending { end: start, ..Ending::default() }, ..Scanned::default() }
}

/// Runs the pickle; `None` if the run needs what it did not keep.
fn run<'a>(data: &'a [u8], start: usize, context: &Context<'a>, reading: Reading) -> Option<Scanned<'a>> {
    let limits = Limits::none().stack(ENTRIES).marks(ENTRIES).memo(ENTRIES);
    let values = Values::new(data, reading.keeps != Keeps::Nothing, reading.keeps == Keeps::Recent);
    let mut tracer = Tracer::new(start, context.policy, context.limits, data, values);
    tracer.plain = reading.plain;
    tracer.deadline = context.deadline;
    tracer.left = context.left.get();
    tracer.ids_name_classes = context.ids_name_classes;
    let mut raw_at = None;
    let mut machine: Machine<Packed> = Machine::new();
    let mut arrays = Vec::new();
    let mut at = start;
    let mut refused = false;
    let mut stopped = false;
    let mut status = Status::Complete;
    let mut needed_len = None;
    let end = loop {
        tracer.base = at;
        let (decoder, done) = machine::resume(&mut machine, &mut tracer, Decoder::new(&data[at..]), &limits);
        let error = match done {
            Ok(_) => {
                stopped = true;
                break at + decoder.offset();
            }
            Err(error) => error,
        };
        if tracer.needs_all && reading.keeps == Keeps::Nothing {
            return None;
        }
        let (op, op_end) = (at + decoder.op_offset(), at + decoder.offset());
        if let Some(state) = tracer.raw_after.take() {
            raw_at = raw_at.or(Some(op_end));
            at = match joblib::data_after(&mut tracer, state, op_end) {
                Ok(DataAfter::Raw { end }) => end,
                // joblib gives it to `pickle.load`, which knows nothing of arrays of joblib.
                Ok(DataAfter::Pickle { start }) => {
                    let array = scan(data, start, context, true, false);
                    let end = array.ending.end;
                    arrays.push(array);
                    end
                }
                Err(why) => {
                    tracer.suspect(Rule::Opaque, why);
                    op_end
                }
            };
            continue;
        }
        match divergence::recover(&error, op, op_end, &mut tracer, &mut machine) {
            // An op was skipped, or a frame ended early.
            Recovery::Resume { at: next, accepted } => {
                refused |= !accepted;
                at = next.min(data.len());
            }
            Recovery::Stop => {
                tracer.stand_at(op);
                status = break_off(&error, &mut tracer);
                needed_len = needed(&error, at);
                break op;
            }
        }
    };
    if tracer.values.misses.get() && reading.keeps == Keeps::Recent {
        return None;
    }
    if refused {
        status = status.max(Status::Malformed);
        tracer.suspect(Rule::Broken, "an operand that every reader refuses");
    }
    let frame_end =
        usize::try_from(tracer.frame_end).ok().filter(|&frame| stopped && frame > end && frame <= data.len());
    if frame_end.is_some() {
        tracer.diverge(
            "bytes follow STOP in the same frame: C and pure Python begin the next pickle at different places",
        );
    }
    if tracer.divergent && status < Status::Truncated {
        status = Status::Divergent;
    }
    let deepest = tracer.values.deepest;
    if deepest > context.limits.nesting {
        let most = context.limits.nesting;
        tracer.suspect(Rule::Limit, format!("{deepest} values lie in one another, which may be {most} at the most"));
    }
    tracer.check_unused();
    // What a name is used for may be found long after its import.
    tracer.findings.sort_by_key(|finding| finding.offset);
    let imports = tracer.globals.imports();
    let suspects = tracer.suspect_strings();
    let storages = tracer.storages();
    let imports_names = imports.iter().any(|import| is_name(&import.module) && is_name(&import.name));
    let mut scanned = Scanned {
        ending: Ending { end, stopped, frame_end, imports_names },
        needed_len,
        is_torch_magic: data[start..end].ends_with(TORCH_MAGIC),
        suspects,
        raw_at,
        report: PickleReport {
            offset: start as u64,
            len: (end - start) as u64,
            protocol: tracer.protocol,
            status,
            result: tracer.result,
            imports,
            findings: tracer.findings,
            events: tracer.events,
            storages,
            companions: tracer.companions,
            ..PickleReport::default()
        },
    };
    for array in arrays {
        scanned.report.take_in(array.report);
        scanned.suspects.extend(array.suspects);
    }
    Some(scanned)
}

/// How long the data must be for the op that they cut off, if that is the error of a run from `base` on.
fn needed(error: &Error, base: usize) -> Option<u64> {
    let source = std::error::Error::source(error)?.downcast_ref::<picklevm_ops::Error>()?;
    Some(source.needed_len()?.saturating_add(base as u64))
}

/// Notes where the pickle breaks, and how.
fn break_off(error: &Error, tracer: &mut Tracer<'_>) -> Status {
    let status = match error.kind() {
        ErrorKind::End | ErrorKind::Truncated => Status::Truncated,
        _ => Status::Malformed,
    };
    if error.kind() == ErrorKind::Limit && tracer.is_late() {
        tracer.suspect(Rule::Limit, "the scan stops here: its time is over");
    } else if error.kind() == ErrorKind::Limit {
        tracer.suspect(Rule::Limit, format!("the scan stops here: {}", error.expected()));
    } else {
        let (expected, found) = (error.expected(), error.found());
        let opcode = error.opcode().map_or_else(String::new, |opcode| format!("{opcode}: "));
        let before = if tracer.has_effects() { "; Python executes what precedes this" } else { "" };
        tracer.suspect(Rule::Broken, format!("{opcode}expected {expected}, found {found}{before}"));
    }
    status
}

/// Whether a text is dotted identifiers.
pub(crate) fn is_name(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
