//! Keys of maps. Python has one entry for equal keys, so that each key is hashed while it is written: equal keys get
//! equal hashes, and two equal hashes leave the map to the graph. So do keys that Python may be unable to hash.

use picklevm_ops::Sink;

use super::Direct;
use crate::convert::key_hash;
use crate::error::Result;

/// The keys of one map.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    /// Start of their hashes on the stack.
    from: usize,
}

impl Keys {
    /// No keys to check.
    pub(super) const NONE: Keys = Keys { from: usize::MAX };

    #[inline]
    pub(super) fn begin<S: Sink, C>(direct: &mut Direct<'_, S, C>) -> Keys {
        if direct.out.is_stream() {
            // The value of an equal key would replace that of the first.
            direct.hold();
        }
        Keys { from: direct.hashes.len() }
    }

    /// Checks that no two keys are equal.
    #[inline]
    pub(super) fn end<S: Sink, C>(self, direct: &mut Direct<'_, S, C>) -> Result<()> {
        if self.from == usize::MAX {
            return Ok(());
        }
        if direct.out.is_stream() {
            direct.release();
        }
        if key_hash::are_equal(&mut direct.hashes, self.from) { Err(direct.leave_to_graph()) } else { Ok(()) }
    }
}
