//! Runs steps on a work list for one pass.

use std::fmt;

use super::Bounds;
use super::notation::{Group, Notation, Rows, Step, Write, identity, is_atom};
use crate::graph::Value;

/// Receives the steps of a walk.
pub(super) trait Pass<'g> {
    /// Notation that splits values into steps.
    type Notation: Notation;

    fn notation(&self) -> &Self::Notation;

    /// Visits a value that can have a label.
    fn visit(&mut self, value: Value<'g>) -> Occurrence;

    /// Visits the arguments tuple of a call.
    fn visit_arguments(&mut self, tuple: Value<'g>) -> ArgumentsForm;

    /// Writes an atom.
    fn atom(&mut self, value: Value<'g>) -> fmt::Result;

    /// Writes an atom that is the key of a dict.
    fn key_atom(&mut self, value: Value<'g>) -> fmt::Result {
        self.atom(value)
    }

    /// Writes a piece that is not a value.
    fn piece(&mut self, piece: Piece<'_>) -> fmt::Result;

    /// Returns whether to write each part of a group on its own line.
    fn breaks(&mut self, group: Group<'g>, depth: usize) -> bool;

    /// Begins a new line with `indent` levels of indentation.
    fn line(&mut self, indent: usize) -> fmt::Result;
}

/// Whether a value is shared, as far as a pass knows.
pub(super) enum Occurrence {
    /// It has one reference.
    Only,
    /// First of several references; later ones use this label number.
    First(usize),
    /// It was visited before and has this label number.
    Again(usize),
}

/// How to write the arguments of a call.
pub(super) enum ArgumentsForm {
    /// One by one.
    OneByOne,
    /// As a tuple with a label.
    Spread,
    /// Not at all: visited before.
    Skip,
}

/// Text that is not a value.
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// The name of a member.
    Key(Value<'a>),
    Label(&'a str),
    /// Text of a value, written by a function.
    Written(Value<'a>, Write),
    /// Number of omitted parts, with the text before and after it.
    More(usize, [&'static str; 2]),
}

/// A step with its depth, or a partially written group.
pub(super) enum Task<'g> {
    Step(Step<'g>, usize),
    Rest(Box<Rest<'g>>),
}

/// The unwritten rest of a group.
pub(super) struct Rest<'g> {
    group: Group<'g>,
    rows: Rows<'g>,
    written: usize,
    depth: usize,
    broken: bool,
}

/// Runs steps, and the steps that they expand to. `work` is an empty list, passed to reuse its memory.
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
                let max_rows = if rest.depth < bounds.depth && left > 0 { bounds.items } else { 0 };
                next_row(rest, max_rows, &mut indent, work, pass)?;
                continue;
            }
        };
        match step {
            Step::Text(text) => pass.piece(Piece::Text(text))?,
            Step::Key(key) => pass.piece(Piece::Key(key))?,
            Step::Written(value, write) => pass.piece(Piece::Written(value, write))?,
            Step::DictKey(value) if left > 0 && is_atom(value) && identity(value).is_none() => {
                left -= 1;
                pass.key_atom(value)?;
            }
            Step::Value(_) | Step::DictKey(_) if left == 0 => pass.piece(Piece::Text(P::Notation::OMITTED))?,
            Step::Value(value) | Step::DictKey(value) => {
                left -= 1;
                match identity(value).map_or(Occurrence::Only, |_| pass.visit(value)) {
                    Occurrence::Only => {}
                    Occurrence::First(number) => {
                        let (before, after) = pass.notation().definition(number);
                        pass.piece(Piece::Label(&before))?;
                        work.push(Task::Step(Step::Text(after), depth));
                    }
                    Occurrence::Again(number) => {
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
            Step::Arguments(object, group) => match pass.visit_arguments(object.args_tuple()) {
                ArgumentsForm::Skip => {}
                ArgumentsForm::OneByOne => push(work, [Step::Group(group(object, false))], depth),
                ArgumentsForm::Spread => push(work, [Step::Group(group(object, true))], depth),
            },
            Step::Group(group) => {
                let broken = group.brackets.may_break && pass.breaks(group, depth);
                indent += usize::from(broken);
                pass.piece(Piece::Text(group.brackets.open))?;
                let rest = Rest { group, rows: group.parts.rows(), written: 0, depth, broken };
                work.push(Task::Rest(Box::new(rest)));
            }
        }
    }
    Ok(())
}

/// Pushes steps onto the work list, the first on top.
fn push<'g>(work: &mut Vec<Task<'g>>, steps: impl IntoIterator<Item = Step<'g>>, depth: usize) {
    let from = work.len();
    work.extend(steps.into_iter().map(|step| Task::Step(step, depth)));
    work[from..].reverse();
}

/// Begins the next row of a group, up to `max_rows`, or ends the group.
fn next_row<'g, P: Pass<'g>>(
    mut rest: Box<Rest<'g>>,
    max_rows: usize,
    indent: &mut usize,
    work: &mut Vec<Task<'g>>,
    pass: &mut P,
) -> fmt::Result {
    let Rest { group, ref mut rows, ref mut written, depth, broken } = *rest;
    let brackets = group.brackets;
    let row = if *written < max_rows { rows.next() } else { None };
    let more = if *written < max_rows { 0 } else { rows.count_rest() };
    if row.is_some() || more > 0 {
        if *written > 0 {
            pass.piece(Piece::Text(if broken { brackets.separator.trim_end() } else { brackets.separator }))?;
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
        pass.piece(Piece::More(more, brackets.more))?;
    }
    if broken {
        *indent -= 1;
    }
    if broken && (*written > 0 || more > 0) {
        pass.piece(Piece::Text(brackets.separator.trim_end()))?;
        pass.line(*indent)?;
    } else if *written == 1 && more == 0 {
        pass.piece(Piece::Text(brackets.after_one))?;
    }
    pass.piece(Piece::Text(brackets.close))
}
