//! The stack and the memo as `pickletools.dis` tracks them: only the kinds of objects.

use std::borrow::Cow;

use crate::error::ErrorKind;
use crate::memo::{Index, Memo};
use crate::opcode::{Opcode, StackObject};

#[derive(Debug, Default)]
pub(super) struct Stack {
    objects: Vec<StackObject>,
    /// Offsets of the MARKs, in bytes from the beginning of the data.
    marks: Vec<u64>,
}

/// What an op needs and does not find.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: ErrorKind,
    pub(super) expected: Cow<'static, str>,
    pub(super) found: Cow<'static, str>,
    /// There is no mark, which the line of the op says too.
    pub(super) no_mark: bool,
}

impl Fault {
    #[cold]
    fn new(kind: ErrorKind, expected: impl Into<Cow<'static, str>>, found: impl Into<Cow<'static, str>>) -> Self {
        Fault { kind, expected: expected.into(), found: found.into(), no_mark: false }
    }
}

impl Stack {
    /// Returns the number of marks.
    pub(super) fn depth(&self) -> usize {
        self.marks.len()
    }

    fn top(&self) -> Option<StackObject> {
        self.objects.last().copied()
    }

    /// Pops the topmost mark and the objects above it, if the opcode does so. Returns the offset of the mark.
    pub(super) fn pop_mark(&mut self, opcode: Opcode) -> Result<Option<u64>, Fault> {
        if !self.takes_mark(opcode) {
            return Ok(None);
        }
        let Some(set_at) = self.marks.pop() else {
            return Err(Fault { no_mark: true, ..Fault::new(ErrorKind::Stack, "a mark on the stack", "none") });
        };
        // Another op may have popped the mark as an object.
        let Some(mark) = self.objects.iter().rposition(|&object| object == StackObject::Mark) else {
            return Err(Fault::new(ErrorKind::Stack, "a mark on the stack", "one that was popped"));
        };
        self.objects.truncate(mark);
        Ok(Some(set_at))
    }

    fn takes_mark(&self, opcode: Opcode) -> bool {
        opcode.stack_before().contains(&StackObject::Mark)
            || (opcode == Opcode::Pop && self.top() == Some(StackObject::Mark))
    }

    /// Runs the op. `marked` says that its mark was already popped. GET pushes `fetched`.
    pub(super) fn run(
        &mut self,
        opcode: Opcode,
        offset: u64,
        marked: bool,
        fetched: Option<StackObject>,
    ) -> Result<(), Fault> {
        let before = opcode.stack_before();
        let pops = match before.iter().position(|&object| object == StackObject::Mark) {
            Some(below_mark) => below_mark,
            None if marked => 0,
            None => before.len(),
        };
        let left = self.objects.len().checked_sub(pops).ok_or_else(|| {
            let found = self.objects.len().to_string();
            Fault::new(ErrorKind::Stack, format!("{pops} objects on the stack"), found)
        })?;
        self.objects.truncate(left);
        if opcode == Opcode::Mark {
            self.marks.push(offset);
        }
        match fetched {
            Some(object) => self.objects.push(object),
            None => self.objects.extend_from_slice(opcode.stack_after()),
        }
        Ok(())
    }
}

/// Stores the kind of the topmost object. As in the machine, an index may be stored again.
pub(super) fn store(memo: &mut Memo<StackObject>, index: Option<Index>, stack: &Stack) -> Result<(), Fault> {
    const OBJECT: &str = "an object on the stack to store";
    match (index, stack.top()) {
        (Some(index), Some(object)) if object != StackObject::Mark => {
            memo.insert(index, object);
            Ok(())
        }
        (_, Some(_)) => Err(Fault::new(ErrorKind::Memo, OBJECT, "a mark")),
        (_, None) => Err(Fault::new(ErrorKind::Memo, OBJECT, "none")),
    }
}

/// Returns the kind of the stored object.
pub(super) fn fetch(memo: &Memo<StackObject>, index: Option<Index>) -> Result<StackObject, Fault> {
    let object = index.as_ref().and_then(|index| memo.get(index));
    object.copied().ok_or_else(|| {
        let found = index.map_or_else(String::new, |index| index.to_string());
        Fault::new(ErrorKind::Memo, "a memo index that was stored before", found)
    })
}
