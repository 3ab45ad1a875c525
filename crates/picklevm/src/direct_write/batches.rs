//! The items of a list or dict in batches, without knowing their number.
//!
//! CPython writes a MARK before a batch of several items, and none before a single one. What follows is not known here:
//! a serializer may say how many items come, may be wrong, or may say nothing. A MARK is written unless one item is
//! announced, and removed if only one came. That needs the MARK to be in the current frame; otherwise the graph decides.

use std::num::NonZero;

use picklevm_ops::Opcode;
use picklevm_ops::Sink;
use picklevm_ops::internal::forms;

use super::Cursor;
use crate::error::Result;

/// How items are added to a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Adding {
    Items,
    /// Keys and values.
    Rows,
    Members,
}

impl Adding {
    /// Returns the opcode that adds one item, if there is one, and the one that adds a batch.
    fn opcodes(self) -> (Option<Opcode>, Opcode) {
        match self {
            Adding::Items => (Some(Opcode::Append), Opcode::Appends),
            Adding::Rows => (Some(Opcode::SetItem), Opcode::SetItems),
            Adding::Members => (None, Opcode::AddItems),
        }
    }
}

/// State of the items of one container. `Copy`, so that it stays in registers: what is rare gets a copy and returns one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batches {
    /// Number of items until [`advance`](Cursor::advance) runs.
    left: u32,
    place: Place,
    /// Number of further items, to be added to `left` when the second item begins.
    later: u32,
    /// Number of items of the open batch that were allowed so far, `left` and `later` included; 0 if none is open.
    granted: u32,
    /// Number of items announced after those; 0 if unknown.
    announced: usize,
    /// Offset of the MARK of the open batch. A container begins before it.
    mark: Option<NonZero<u64>>,
}

/// Place of the open batch. Without padding, which would be copied by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
enum Place {
    /// There is no container.
    None,
    /// A batch of several, after its MARK, that is not full when all announced items are in it.
    Only,
    First,
    Later,
}

impl Batches {
    /// No container.
    pub(super) const NONE: Batches =
        Batches { left: 0, place: Place::None, later: 0, granted: 0, announced: 0, mark: None };

    /// Returns the state of a container whose announced items are one batch of several, before its MARK at an offset.
    #[inline(always)]
    pub(super) fn of_one(announced: Option<usize>, mark: u64) -> Option<Batches> {
        let len = announced.filter(|len| (2..forms::BATCH as usize).contains(len))? as u32;
        Some(Batches { left: len, place: Place::Only, granted: len, mark: NonZero::new(mark), ..Batches::NONE })
    }

    /// Whether there is no container.
    pub(super) fn is_none(self) -> bool {
        self.place == Place::None
    }

    /// Whether there are no items.
    #[inline(always)]
    pub(super) fn is_empty(self) -> bool {
        self.granted == self.left + self.later
    }
}

impl<S: Sink, C> Cursor<'_, '_, S, C> {
    /// Counts an item.
    #[inline(always)]
    pub(super) fn count(&mut self, batches: &mut Batches, adding: Adding) -> Result<()> {
        match batches.left.checked_sub(1) {
            Some(left) => batches.left = left,
            None => *batches = self.call(|cursor| cursor.advance(*batches, adding))?,
        }
        Ok(())
    }

    /// Ends the last batch.
    #[inline(always)]
    pub(super) fn end_batches(&mut self, batches: Batches, adding: Adding) -> Result<()> {
        if batches.place == Place::Only && batches.left == 0 {
            return self.bare(adding.opcodes().1);
        }
        self.call(|cursor| cursor.end_other_batches(batches, adding))
    }

    /// Starts the items of a container that was just put into the memo.
    pub(super) fn begin_batches(&mut self, adding: Adding, announced: Option<usize>) -> Result<Batches> {
        let mut batches = Batches { announced: announced.unwrap_or(0), place: Place::First, ..Batches::NONE };
        if announced != Some(0) {
            self.open_batch(&mut batches, adding)?;
        }
        Ok(batches)
    }

    /// Opens a batch for at least one item.
    #[inline(always)]
    fn open_batch(&mut self, batches: &mut Batches, adding: Adding) -> Result<()> {
        let full = forms::batch(self.direct.protocol);
        let announced = batches.announced;
        let granted = if announced == 0 { full } else { u32::try_from(announced).map_or(full, |len| len.min(full)) };
        batches.announced = announced.saturating_sub(granted as usize);
        let is_exact = batches.place == Place::Later && self.is_exact(adding);
        let is_single = announced == 1 && !is_exact && adding != Adding::Members;
        batches.granted = granted;
        batches.left = granted;
        batches.mark = None;
        if self.direct.protocol > 0 && !is_single {
            batches.mark = NonZero::new(self.offset());
            self.bare(Opcode::Mark)?;
            if self.direct.out.is_stream() && granted > 1 {
                // Until there is a second item, the MARK may have to be removed.
                (batches.left, batches.later) = (1, granted - 1);
                self.direct.hold();
            }
        }
        Ok(())
    }

    /// Makes space for another item, and counts it.
    #[cold]
    #[inline(never)]
    fn advance(&mut self, mut batches: Batches, adding: Adding) -> Result<Batches> {
        let full = forms::batch(self.direct.protocol);
        if batches.later > 0 {
            self.direct.release();
            batches.left = std::mem::take(&mut batches.later);
        } else if batches.granted == full {
            self.close_batch(batches, adding)?;
            batches.place = Place::Later;
            self.open_batch(&mut batches, adding)?;
        } else if batches.is_none() {
            return Err(self.direct.leave_to_graph());
        } else if batches.granted == 0 {
            // None was announced.
            batches.announced = 0;
            self.open_batch(&mut batches, adding)?;
        } else {
            // More than announced.
            if batches.mark.is_none() {
                return Err(self.direct.wrong_len());
            }
            if batches.place == Place::Only {
                batches.place = Place::First;
            }
            batches.announced = 0;
            batches.left = full - batches.granted;
            batches.granted = full;
        }
        batches.left -= 1;
        Ok(batches)
    }

    /// Ends the open batch.
    #[inline(always)]
    fn close_batch(&mut self, batches: Batches, adding: Adding) -> Result<()> {
        let (single, several) = adding.opcodes();
        let count = batches.granted - batches.left - batches.later;
        let opcode = match (batches.mark, single) {
            (Some(_), _) if count > 1 => several,
            (None, Some(single)) if count == 1 => single,
            _ => return self.close_rare_batch(batches, adding, count),
        };
        self.bare(opcode)
    }

    /// Ends a batch of one item after a MARK, or of none.
    #[inline(never)]
    fn close_rare_batch(&mut self, batches: Batches, adding: Adding, count: u32) -> Result<()> {
        if batches.later > 0 {
            self.direct.release();
        }
        let (single, _) = adding.opcodes();
        let needs_mark = single.is_none() || (batches.place == Place::Later && self.is_exact(adding));
        match (batches.mark, single) {
            (Some(_), _) if count == 1 && needs_mark => self.bare(adding.opcodes().1),
            (Some(mark), _) if !self.remove_op(mark.get())? => Err(self.direct.leave_to_graph()),
            (_, Some(single)) if count == 1 => self.bare(single),
            _ => Ok(()),
        }
    }

    /// Ends the last batch.
    #[inline(never)]
    fn end_other_batches(&mut self, batches: Batches, adding: Adding) -> Result<()> {
        if batches.granted == 0 {
            return Ok(());
        }
        let is_full = batches.granted == forms::BATCH && batches.left + batches.later == 0;
        self.close_batch(batches, adding)?;
        if is_full && adding != Adding::Items && self.is_exact(adding) {
            self.bare(Opcode::Mark)?;
            self.bare(adding.opcodes().1)?;
        }
        Ok(())
    }

    /// Whether the pickler writes the last of several batches with a MARK even for one item, and an empty batch after only
    /// full ones: picklers in C up to 3.14.
    fn is_exact(&self, adding: Adding) -> bool {
        let quirks = self.direct.quirks();
        match adding {
            Adding::Items => quirks.exact_lists,
            Adding::Rows => quirks.exact_dicts,
            Adding::Members => quirks.exact_sets,
        }
    }
}
