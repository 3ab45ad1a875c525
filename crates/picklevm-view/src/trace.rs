//! The opcodes of a pickle, as the page steps through them.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use picklevm::ops::{Op, Opcode, StackObject};
use picklevm::{Graph, Id, TraceStep};
use picklevm_data::files::Joined;
use serde_json::{Value as Json, json};

use crate::budget::Budget;
use crate::nodes::Nodes;

/// Ops of a run in between, of which long pickles have several.
const RUN: u64 = 400;
/// Ops around the place of a finding.
const AROUND: u64 = 100;
/// Values of the stack before a run of ops.
const STACK: usize = 1000;
/// Bytes of one op.
const OP_BYTES: u64 = 512;
/// Characters of an operand.
const OPERAND: usize = 200;

/// A trace whose values are ids, and the graph that has them.
pub(crate) struct Recorded {
    pub(crate) graph: Graph,
    total: u64,
    segments: Vec<Segment>,
    /// The offset and the text of the error that ended the trace.
    error: Option<(u64, String)>,
    ranges: Vec<Range<u64>>,
}

/// A run of ops.
#[derive(Default)]
struct Segment {
    first: u64,
    offset: u64,
    below: usize,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: usize,
    ops: Vec<(Opcode, u64, Option<Id>, Json)>,
    /// Ops that store at an index of the memo that it had before.
    replaced: Vec<usize>,
    /// Ops that do not lie at the end of the one before, and how many bytes are between.
    skips: Vec<(usize, u64)>,
}

/// Runs a pickle. `places` are offsets in the member around which ops are kept.
pub(crate) fn record(pickle: &Joined, places: &[u64], budget: &mut Budget<'_>) -> Recorded {
    let (total, chosen) = choose(pickle, places, budget.ops as u64);
    let (unpickler, mut chosen) = (pickle.unpickler(), chosen.into_iter().peekable());
    let mut trace = unpickler.trace_bytes(pickle.bytes());
    let mut recorded = Recorded { graph: Graph::new(), total, segments: Vec::new(), error: None, ranges: Vec::new() };
    // The end of the op before, and the indexes that the run of ops stored at.
    let (mut number, mut end, mut stored) = (0, 0, HashSet::new());
    loop {
        while chosen.next_if(|run| run.end <= number).is_some() {}
        let is_chosen = chosen.peek().is_some_and(|run| run.contains(&number));
        let is_first = is_chosen && chosen.peek().is_some_and(|run| run.start == number);
        let memo = trace.memo_len();
        if let Some(offset) = pickle.place(trace.offset()).filter(|_| is_first) {
            let below = trace.stack().len().saturating_sub(STACK);
            let (stack, marks) = (trace.stack().skip(below).collect(), trace.marks().collect());
            recorded.segments.push(Segment { first: number, offset, below, stack, marks, memo, ..Segment::default() });
            (end, stored) = (offset, HashSet::new());
        }
        let step = match trace.next() {
            None => break,
            Some(Err(error)) => {
                let offset = error.offset().unwrap_or(trace.offset());
                recorded.error = Some((pickle.place(offset).unwrap_or(end), error.to_string()));
                break;
            }
            Some(Ok(step)) => step,
        };
        // What takes an array of joblib is no op of the file.
        let Some(offset) = pickle.place(step.offset) else { continue };
        let len = step.end - step.offset;
        match recorded.segments.last_mut().filter(|_| is_chosen) {
            Some(segment) => {
                let at = segment.ops.len();
                if offset > end {
                    segment.skips.push((at, offset - end));
                }
                if step.stored.is_some_and(|(index, _)| stored.insert(index)) && step.memo_len == memo {
                    segment.replaced.push(at);
                }
                segment.ops.push((step.op.opcode(), len, step.pushed, operand(&step)));
                budget.ops = budget.ops.saturating_sub(1);
                add_range(&mut recorded.ranges, step.offset..step.end.min(step.offset + OP_BYTES));
            }
            None => budget.left.ops += 1,
        }
        (number, end) = (number + 1, offset + len);
    }
    recorded.graph = trace.into_graph();
    recorded
}

/// The number of ops of a pickle, and which of them are kept: all if there are few; else the first, the last, those around
/// places, and runs in between.
fn choose(pickle: &Joined, places: &[u64], most: u64) -> (u64, Vec<Range<u64>>) {
    let ops = || picklevm::ops::ops(pickle.bytes()).map_while(Result::ok).filter_map(|(at, _)| pickle.place(at as u64));
    let total = ops().count() as u64;
    if total <= most {
        return (total, std::iter::once(0..total.max(1)).collect());
    }
    let third = most / 3;
    let mut runs = vec![0..third, total - third..total];
    let between = third / RUN;
    runs.extend(
        (0..between).map(|n| third + (total - 2 * third) / (between + 1) * (n + 1)).map(|from| from..from + RUN),
    );
    let mut places = places.iter().copied().take((third / AROUND / 2) as usize).collect::<Vec<_>>();
    places.sort_unstable();
    let mut places = places.into_iter().peekable();
    for (number, offset) in ops().enumerate() {
        if places.peek().is_none() {
            break;
        }
        while places.next_if(|place| *place <= offset).is_some() {
            runs.push((number as u64).saturating_sub(AROUND)..(number as u64 + AROUND).min(total));
        }
    }
    runs.sort_unstable_by_key(|run| run.start);
    let mut merged: Vec<Range<u64>> = Vec::new();
    for run in runs.into_iter().filter(|run| !run.is_empty()) {
        match merged.last_mut() {
            Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
            _ => merged.push(run),
        }
    }
    (total, merged)
}

/// What the page shows of an op's operand where the value that it pushes does not say it.
fn operand(step: &TraceStep<'_>) -> Json {
    let short = |text: String| Json::from(text.chars().take(OPERAND).collect::<String>());
    match step.op {
        Op::Put(index) | Op::Get(index) | Op::Frame(index) => index.into(),
        Op::BinPut(index) | Op::BinGet(index) | Op::Proto(index) | Op::Ext1(index) => index.into(),
        Op::LongBinPut(index) | Op::LongBinGet(index) => index.into(),
        Op::Ext2(code) => code.into(),
        Op::Ext4(code) => code.into(),
        Op::Global(module, name) | Op::Inst(module, name) => short(format!("{module} {name}")),
        Op::PersId(id) => short(id.to_string()),
        _ => Json::Null,
    }
}

/// Adds a range behind the others.
fn add_range(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
        _ => ranges.push(range),
    }
}

impl Recorded {
    /// The trace with the nodes of its values, and the bytes of its ops.
    pub(crate) fn json<'g>(&self, nodes: &mut Nodes<'g>, pickle: &Joined, budget: &mut Budget<'_>) -> (Json, Json) {
        let mut node = |id: Id| nodes.id(id, budget);
        let segments: Vec<Json> = self
            .segments
            .iter()
            .map(|segment| {
                let ops = &segment.ops;
                json!({
                    "first": segment.first,
                    "offset": segment.offset,
                    "below": segment.below,
                    "stack": segment.stack.iter().map(|id| node(*id)).collect::<Vec<u32>>(),
                    "marks": segment.marks,
                    "memo": segment.memo,
                    "codes": ops.iter().map(|op| op.0.byte()).collect::<Vec<u8>>(),
                    "lengths": ops.iter().map(|op| op.1).collect::<Vec<u64>>(),
                    "pushed": ops.iter().map(|op| op.2.map_or(-1, |id| i64::from(node(id)))).collect::<Vec<i64>>(),
                    "operands": ops.iter().map(|op| op.3.clone()).collect::<Vec<Json>>(),
                    "replaced": segment.replaced,
                    "skips": segment.skips,
                })
            })
            .collect();
        let error = self.error.as_ref().map(|(offset, text)| json!([offset, text]));
        let bytes = self.ranges.iter().filter_map(|range| {
            let part = pickle.bytes().get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)?;
            Some(json!([pickle.place(range.start)?, STANDARD.encode(part)]))
        });
        (json!({"total": self.total, "segments": segments, "error": error}), bytes.collect())
    }
}

/// What each opcode does to the stack, by its byte.
pub(crate) fn opcodes() -> Json {
    let all = Opcode::ALL.iter().map(|opcode| {
        let before = opcode.stack_before();
        let changes = opcode.is_mutating();
        let stays = changes || opcode.is_put() || *opcode == Opcode::Dup;
        let takes = match before.contains(&StackObject::StackSlice) {
            true => -1,
            false => before.len() as i64 - i64::from(stays && !before.is_empty()),
        };
        (opcode.byte().to_string(), json!([opcode.name(), opcode.doc(), takes, u8::from(changes)]))
    });
    json!(all.collect::<BTreeMap<String, Json>>())
}
