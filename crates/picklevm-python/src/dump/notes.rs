//! The notes that exceptions get since Python 3.14: what was being saved, from the inside out.

use picklevm_ops::Opcode;
use pyo3::intern;
use pyo3::prelude::*;

use super::save::Saver;
use super::step::Step;
use crate::state::full_name;

/// An exception gets no more notes than this: each takes memory, and nesting has no bound.
const MOST_NOTES: usize = 1000;

/// What was popped of the steps of a call: it tells which of its parts was being saved.
#[derive(Default)]
struct Popped {
    /// Objects that were still to be saved.
    saves: usize,
    /// The last opcode, which comes after all of them.
    opcode: Option<Opcode>,
    /// Whether items or pairs were being saved.
    items: bool,
}

impl Popped {
    /// Returns the part of the arguments that was being saved.
    fn argument(&self) -> &'static str {
        match (self.opcode, self.saves) {
            (Some(Opcode::NewObj), 1) | (Some(Opcode::NewObjEx), 2) => "class",
            (Some(Opcode::NewObj | Opcode::NewObjEx), _) => "__new__ arguments",
            (_, 1) => "reconstructor",
            _ => "reconstructor arguments",
        }
    }

    /// Returns the part of the state that was being saved.
    fn state(&self) -> Option<&'static str> {
        match (self.opcode, self.saves) {
            _ if self.items => None,
            (Some(Opcode::Build), 0) | (Some(Opcode::Pop), 0) => Some("state"),
            (Some(Opcode::Pop), 2) => Some("state setter"),
            _ => None,
        }
    }
}

impl<'py> Saver<'py, '_> {
    /// Adds a note to an exception, from Python 3.14 on.
    #[cold]
    pub(crate) fn note(&self, error: PyErr, what: String) -> PyErr {
        if self.state.minor >= 14 {
            let note = format!("when serializing {what}");
            // An exception without notes is better than one about notes.
            let _ = error.value(self.py).call_method1(intern!(self.py, "add_note"), (note,));
        }
        error
    }

    /// Adds the notes of all steps that were not done.
    #[cold]
    pub(crate) fn with_notes(&mut self, mut error: PyErr) -> PyErr {
        if self.state.minor < 14 {
            return error;
        }
        let mut popped = Popped::default();
        let mut key_failed = false;
        for _ in 0..MOST_NOTES {
            let Some(step) = self.steps.pop() else { break };
            let mut notes = Vec::new();
            let item = |owner: &Bound<'py, PyAny>, key: &Option<Bound<'py, PyAny>>| {
                let key = key.as_ref().filter(|_| !key_failed)?.repr().ok()?;
                Some(format!("{} item {key}", full_name(owner)))
            };
            match &step {
                Step::Save(_) => popped.saves += 1,
                Step::Op(opcode) => popped.opcode = Some(*opcode),
                Step::Value(_) => {
                    key_failed = true;
                    continue;
                }
                Step::List { list, at, .. } => notes.push(format!("{} item {}", full_name(list), at.saturating_sub(1))),
                Step::Tuple { tuple, at } => notes.push(format!("{} item {}", full_name(tuple), at.saturating_sub(1))),
                Step::Items(step) => {
                    notes.push(format!("{} item {}", full_name(&step.owner), step.count.saturating_sub(1)));
                    popped.items = true;
                }
                Step::Dict(step) => notes.extend(item(&step.dict, &step.key)),
                Step::Pairs(step) => {
                    notes.extend(item(&step.owner, &step.key));
                    popped.items = true;
                }
                Step::Set { set, .. } | Step::FrozenSet { set, .. } => {
                    notes.push(format!("{} element", full_name(set)))
                }
                Step::Made(made) => {
                    let popped = std::mem::take(&mut popped);
                    if let Some(object) = &made.object {
                        let name = full_name(object);
                        notes.push(format!("{name} {}", popped.argument()));
                        notes.extend(made.is_reduced.then(|| format!("{name} object")));
                    }
                }
                Step::EndCall(object) => {
                    let popped = std::mem::take(&mut popped);
                    if let Some(object) = object {
                        let name = full_name(object);
                        notes.extend(popped.state().map(|part| format!("{name} {part}")));
                        notes.push(format!("{name} object"));
                    }
                }
                Step::Compound(_) | Step::SaveId(_) | Step::Global(..) | Step::Memoize(_) | Step::LeaveFast(_) => {}
            }
            key_failed = false;
            for note in notes {
                error = self.note(error, note);
            }
        }
        error
    }
}
