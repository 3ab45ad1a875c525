//! Running steps on a work list, for whatever pass wants to see them.

use std::fmt;

use picklevm_ops::Text;

use super::Bounds;
use super::notation::{Group, Notation, Rows, Step, Write, identity, is_atom};
use crate::graph::Value;

/// What sees the steps go by.
pub(super) trait Pass<'g> {
    /// What takes values apart.
    type Notation: Notation;

    fn notation(&self) -> &Self::Notation;

    /// What to do about a value that a label can stand for.
    fn meet(&mut self, value: Value<'g>) -> Meeting;

    /// What to do about the arguments of a call.
    fn meet_arguments(&mut self, tuple: Value<'g>) -> ArgumentsMeeting;

    /// Writes an atom.
    fn atom(&mut self, value: Value<'g>) -> fmt::Result;

    /// Writes what is no value.
    fn piece(&mut self, piece: Piece<'_>) -> fmt::Result;

    /// Whether the parts of a group stand on lines of their own.
    fn breaks(&mut self, group: Group<'g>, depth: usize) -> bool;

    /// Begins a new line, so many levels to the right.
    fn line(&mut self, indent: usize) -> fmt::Result;
}

/// What a pass knows of a value.
pub(super) enum Meeting {
    /// Nothing else refers to it.
    Only,
    /// Others will refer to it by this number.
    First(usize),
    /// It has been seen, and has this number.
    Again(usize),
}

/// What a pass knows of the arguments of a call.
pub(super) enum ArgumentsMeeting {
    /// They are written one by one.
    OneByOne,
    /// Their tuple is written, with its label.
    Spread,
    /// They have been seen.
    Skip,
}

/// What is written that is no value.
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// The name of a member.
    Key(Text<'a>),
    Label(&'a str),
    /// What a function writes of a value.
    Written(Value<'a>, Write),
    /// How many parts are left out, and what stands around the number.
    More(usize, [&'static str; 2]),
}

/// A step to run at a depth, or a group of which some parts have been written.
pub(super) enum Task<'g> {
    Step(Step<'g>, usize),
    Rest(Box<Rest<'g>>),
}

pub(super) struct Rest<'g> {
    group: Group<'g>,
    rows: Rows<'g>,
    written: usize,
    depth: usize,
    broken: bool,
}

/// Runs steps at a depth, and all that follow from them. `work` is empty, and lent for its memory.
pub(super) fn walk<'g, P: Pass<'g>>(
    start: impl IntoIterator<Item = Step<'g>>,
    depth: usize,
    bounds: Bounds,
    work: &mut Vec<Task<'g>>,
    pass: &mut P,
) -> fmt::Result {
    let mut indent = 0;
    let mut left = bounds.values;
    push(work, start, depth);
    while let Some(task) = work.pop() {
        let (step, depth) = match task {
            Task::Step(step, depth) => (step, depth),
            Task::Rest(rest) => {
                let most = if rest.depth < bounds.depth && left > 0 { bounds.items } else { 0 };
                next_row(rest, most, &mut indent, work, pass)?;
                continue;
            }
        };
        match step {
            Step::Text(text) => pass.piece(Piece::Text(text))?,
            Step::Key(text) => pass.piece(Piece::Key(text))?,
            Step::Written(value, write) => pass.piece(Piece::Written(value, write))?,
            Step::Value(_) if left == 0 => pass.piece(Piece::Text(P::Notation::OMITTED))?,
            Step::Value(value) => {
                left -= 1;
                match identity(value).map_or(Meeting::Only, |_| pass.meet(value)) {
                    Meeting::Only => {}
                    Meeting::First(number) => {
                        let (before, after) = pass.notation().definition(number);
                        pass.piece(Piece::Label(&before))?;
                        work.push(Task::Step(Step::Text(after), depth));
                    }
                    Meeting::Again(number) => {
                        let reference = pass.notation().reference(number);
                        pass.piece(Piece::Label(&reference))?;
                        continue;
                    }
                }
                if is_atom(value) {
                    pass.atom(value)?;
                } else {
                    let steps = pass.notation().compound(value);
                    push(work, steps, depth);
                }
            }
            Step::Arguments(object, group) => match pass.meet_arguments(object.args_tuple()) {
                ArgumentsMeeting::Skip => {}
                ArgumentsMeeting::OneByOne => push(work, [Step::Group(group(object, false))], depth),
                ArgumentsMeeting::Spread => push(work, [Step::Group(group(object, true))], depth),
            },
            Step::Group(group) => {
                let broken = group.around.may_break && pass.breaks(group, depth);
                indent += usize::from(broken);
                pass.piece(Piece::Text(group.around.open))?;
                let rest = Rest { group, rows: group.parts.rows(), written: 0, depth, broken };
                work.push(Task::Rest(Box::new(rest)));
            }
        }
    }
    Ok(())
}

/// Puts steps on the work list, the first on top.
fn push<'g>(work: &mut Vec<Task<'g>>, steps: impl IntoIterator<Item = Step<'g>>, depth: usize) {
    let from = work.len();
    work.extend(steps.into_iter().map(|step| Task::Step(step, depth)));
    work[from..].reverse();
}

/// Begins the next row of a group of which at most so many are written, or ends it.
fn next_row<'g, P: Pass<'g>>(
    mut rest: Box<Rest<'g>>,
    most: usize,
    indent: &mut usize,
    work: &mut Vec<Task<'g>>,
    pass: &mut P,
) -> fmt::Result {
    let Rest { group, ref mut rows, ref mut written, depth, broken } = *rest;
    let around = group.around;
    let row = if *written < most { rows.next() } else { None };
    let more = if *written < most { 0 } else { rows.count_rest() };
    if row.is_some() || more > 0 {
        if *written > 0 {
            pass.piece(Piece::Text(if broken { around.separator.trim_end() } else { around.separator }))?;
        }
        if broken {
            pass.line(*indent)?;
        }
    }
    if let Some(row) = row {
        *written += 1;
        work.push(Task::Rest(rest));
        push(work, (group.row)(row), depth + 1);
        return Ok(());
    }
    if more > 0 {
        pass.piece(Piece::More(more, around.more))?;
    }
    if broken {
        *indent -= 1;
        pass.piece(Piece::Text(around.separator.trim_end()))?;
        pass.line(*indent)?;
    } else if *written == 1 && more == 0 {
        pass.piece(Piece::Text(around.after_one))?;
    }
    pass.piece(Piece::Text(around.close))
}
