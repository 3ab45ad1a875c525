//! Numbers, `None` and bytes.

use picklevm_ops::internal::int_from_le_bytes;
use picklevm_ops::{Opcode, Sink};

use super::Cursor;
use super::names::TextId;
use crate::error::Result;
use crate::graph::{Int, trimmed_len};

/// Maximum length of bytes that are written in a run.
const SHORT_BYTES: u8 = 96;

impl<S: Sink, C> Cursor<'_, '_, S, C> {
    /// Writes an integer in little-endian two's complement.
    #[inline(never)]
    pub(crate) fn long(&mut self, bytes: &[u8]) -> Result<()> {
        let bytes = &bytes[..trimmed_len(bytes)];
        if let Some(value) = int_from_le_bytes(bytes) {
            return self.int(value);
        }
        // The graph puts long ones into the memo if they are shared, which these are not.
        self.boundary()?;
        self.leaf(|leaf| leaf.long(Int::from_le(bytes)))
    }

    /// Writes a `u128`.
    pub(crate) fn wide_unsigned(&mut self, value: u128) -> Result<()> {
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(&value.to_le_bytes());
        self.long(&bytes)
    }

    /// Writes bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        // Below protocol 3 they are calls, which share functions and texts.
        if self.direct.protocol < 3 {
            return Err(self.direct.leave_to_graph());
        }
        self.boundary()?;
        let single = TextId::of_bytes(bytes);
        if let Some(number) = single.and_then(|single| self.direct.names.number(single)) {
            return self.get(number);
        }
        match u8::try_from(bytes.len()) {
            Ok(len @ 0..=SHORT_BYTES) => self.ops(|run| run.short(Opcode::ShortBinBytes, bytes, len))?,
            _ => self.leaf(|leaf| leaf.bytes(bytes))?,
        }
        let number = self.put()?;
        if let Some(single) = single {
            self.direct.names.insert(single, number);
        }
        Ok(())
    }
}
