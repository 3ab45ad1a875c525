//! Texts, and the names of fields and variants.

use picklevm_ops::{Opcode, Sink};

use super::names::TextId;
use super::{Cursor, Position};
use crate::error::Result;

/// Longest text that is written in one run.
const SHORT_TEXT: usize = 96;

/// Length of the longest [single](TextId::of_text) text.
const SINGLE_TEXT: usize = 2;

/// Number of lengths between these two.
pub(super) const RUN_LENGTHS: usize = SHORT_TEXT - SINGLE_TEXT;

impl<S: Sink, C> Cursor<'_, '_, S, C> {
    /// Writes text.
    #[inline(always)]
    pub(crate) fn text(&mut self, text: &str) -> Result<()> {
        if text.len().wrapping_sub(SINGLE_TEXT + 1) >= self.direct.plain_texts || self.is_full() {
            self.at = self.again().rare_text(text)?;
            return Ok(());
        }
        self.direct.skip();
        self.memoized_text(text);
        Ok(())
    }

    /// Writes text with its MEMOIZE in a run.
    #[inline(always)]
    fn memoized_text(&mut self, text: &str) {
        self.run(|run| {
            run.text::<true>(text.as_bytes());
            run.bare(Opcode::Memoize);
        });
    }

    /// Writes the name of a field or variant.
    #[inline(always)]
    pub(crate) fn name(&mut self, name: &'static str) -> Result<()> {
        if let Some(id) = self.direct.names.at_address(name) {
            match self.direct.names.number(id) {
                Some(number) => return self.get(number),
                // The length is constant where this is inlined, so that the name is written without a call.
                None if self.direct.memoizes && name.len() <= SHORT_TEXT && !self.is_full() => {
                    let number = self.direct.skip();
                    self.direct.names.insert(id, number);
                    self.memoized_text(name);
                    return Ok(());
                }
                None => {}
            }
        }
        self.at = self.again().rare_name(name)?;
        Ok(())
    }

    /// Writes text of any length at any protocol, which may be in the memo.
    #[inline(never)]
    fn rare_text(mut self, text: &str) -> Result<Position> {
        match TextId::of_text(text) {
            Some(id) => self.text_once(id, text),
            None => {
                self.new_text(text)?;
                Ok(self.at)
            }
        }
    }

    /// Writes text, or fetches it from the memo.
    #[inline(never)]
    fn text_once(mut self, id: TextId, text: &str) -> Result<Position> {
        if let Some(number) = self.direct.names.number(id) {
            self.get(number)?;
        } else if let Some(number) = self.new_text(text)? {
            self.direct.names.insert(id, number);
        }
        Ok(self.at)
    }

    /// Writes text that is not in the memo. Returns its memo index, unless the pickler does not find it there.
    pub(crate) fn new_text(&mut self, text: &str) -> Result<Option<u32>> {
        self.boundary()?;
        if text.len() > SHORT_TEXT || !self.direct.has_runs {
            return self.long_text(text);
        }
        let number = self.direct.skip();
        let memoizes = self.direct.memoizes;
        self.ops(|run| {
            if memoizes {
                run.text::<true>(text.as_bytes());
                run.bare(Opcode::Memoize);
            } else {
                run.text::<false>(text.as_bytes());
                run.put_index(number);
            }
        })?;
        Ok(Some(number))
    }

    #[inline(never)]
    fn long_text(&mut self, text: &str) -> Result<Option<u32>> {
        let is_memoized = self.leaf(|leaf| leaf.text(text.into()))?;
        let number = self.put()?;
        Ok(is_memoized.then_some(number))
    }

    /// Writes a name that may not be known at this address.
    #[inline(never)]
    fn rare_name(self, name: &'static str) -> Result<Position> {
        let id = self.direct.names.id(name);
        self.text_once(id, name)
    }
}
