//! The items of a list or dict in batches, without knowing their number.
//!
//! CPython writes a MARK before a batch of several items, and none before a single one. What follows is not known here:
//! a serializer may say how many items come, may be wrong, or may say nothing. A MARK is written unless one item is
//! announced, and removed if only one came. That needs the MARK to be in the current frame; otherwise the graph decides.

use picklevm_ops::Opcode;
use picklevm_ops::Sink;
use picklevm_ops::internal::forms;

use super::Direct;
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
    /// Number of items until [`advance`](Direct::advance) runs.
    left: u32,
    /// Number of further items, to be added to `left` when the second item begins.
    later: u32,
    /// Number of items of the open batch that were allowed so far, `left` and `later` included; 0 if none is open.
    granted: u32,
    /// Number of items announced after those; `None` if unknown.
    announced: Option<usize>,
    /// Offset of the MARK of the open batch.
    mark: Option<u64>,
    /// Whether the open batch is not the first.
    is_later: bool,
}

impl Batches {
    /// No container.
    pub(super) const NONE: Batches =
        Batches { left: 0, later: 0, granted: 0, announced: None, mark: None, is_later: true };

    /// Returns the state of a container whose announced items are one batch of several, before its MARK.
    #[inline(always)]
    pub(super) fn of_one(announced: Option<usize>) -> Option<Batches> {
        let len = announced.filter(|len| (2..=forms::BATCH as usize).contains(len))? as u32;
        Some(Batches { left: len, later: 0, granted: len, announced: Some(0), mark: None, is_later: false })
    }

    /// Whether there is no container.
    pub(super) fn is_none(self) -> bool {
        self.is_later && self.granted == 0
    }

    /// Whether there are no items.
    #[inline(always)]
    pub(super) fn is_empty(self) -> bool {
        self.granted == self.left + self.later
    }

    /// Returns the state after a MARK that ends at an offset.
    #[inline(always)]
    pub(super) fn after_mark(self, offset: u64) -> Batches {
        Batches { mark: Some(offset - 1), ..self }
    }
}

impl<S: Sink, C> Direct<'_, S, C> {
    /// Starts the items of a container that was just put into the memo.
    pub(super) fn begin_batches(&mut self, adding: Adding, announced: Option<usize>) -> Result<Batches> {
        let mut batches = Batches { announced, is_later: false, ..Batches::NONE };
        if announced != Some(0) {
            self.open_batch(&mut batches, adding)?;
        }
        Ok(batches)
    }

    /// Counts an item.
    #[inline(always)]
    pub(super) fn count(&mut self, batches: &mut Batches, adding: Adding) -> Result<()> {
        match batches.left.checked_sub(1) {
            Some(left) => batches.left = left,
            None => *batches = self.advance(*batches, adding)?,
        }
        Ok(())
    }

    /// Opens a batch for at least one item.
    #[inline(always)]
    fn open_batch(&mut self, batches: &mut Batches, adding: Adding) -> Result<()> {
        let full = forms::batch(self.protocol);
        let announced = batches.announced.filter(|announced| *announced > 0);
        let granted = announced.map_or(full, |announced| u32::try_from(announced).map_or(full, |len| len.min(full)));
        batches.announced = announced.map(|announced| announced - granted as usize);
        let is_exact = batches.is_later && self.is_exact(adding);
        let is_single = announced == Some(1) && !is_exact && adding != Adding::Members;
        batches.granted = granted;
        batches.left = granted;
        batches.mark = None;
        if self.protocol > 0 && !is_single {
            batches.mark = Some(self.offset());
            self.bare(Opcode::Mark)?;
            if self.out.is_stream() && granted > 1 {
                // Until there is a second item, the MARK may have to be removed.
                (batches.left, batches.later) = (1, granted - 1);
                self.hold();
            }
        }
        Ok(())
    }

    /// Makes space for another item, and counts it.
    #[cold]
    #[inline(never)]
    fn advance(&mut self, mut batches: Batches, adding: Adding) -> Result<Batches> {
        let full = forms::batch(self.protocol);
        if batches.later > 0 {
            self.release();
            batches.left = std::mem::take(&mut batches.later);
        } else if batches.granted == full {
            self.close_batch(batches, adding)?;
            batches.is_later = true;
            self.open_batch(&mut batches, adding)?;
        } else if batches.is_none() {
            return Err(self.leave_to_graph());
        } else if batches.granted == 0 {
            // None was announced.
            batches.announced = None;
            self.open_batch(&mut batches, adding)?;
        } else {
            // More than announced.
            if batches.mark.is_none() {
                return Err(self.leave_to_graph());
            }
            batches.announced = None;
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
            self.release();
        }
        let (single, _) = adding.opcodes();
        let needs_mark = single.is_none() || (batches.is_later && self.is_exact(adding));
        match (batches.mark, single) {
            (Some(_), _) if count == 1 && needs_mark => self.bare(adding.opcodes().1),
            (Some(mark), _) if !self.remove_op(mark) => Err(self.leave_to_graph()),
            (_, Some(single)) if count == 1 => self.bare(single),
            _ => Ok(()),
        }
    }

    /// Ends the last batch.
    #[inline(always)]
    pub(super) fn end_batches(&mut self, batches: Batches, adding: Adding) -> Result<()> {
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
        let quirks = self.quirks();
        match adding {
            Adding::Items => quirks.exact_lists,
            Adding::Rows => quirks.exact_dicts,
            Adding::Members => quirks.exact_sets,
        }
    }
}
