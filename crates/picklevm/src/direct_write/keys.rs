//! Keys of maps. Python has one entry for equal keys. Keys in ascending order, as a `BTreeMap` has them, are compared with the
//! one before. Other keys are compared by hash at the end: equal keys have equal hashes, and two equal hashes leave the map to
//! the graph. So do keys that Python may be unable to hash.

use picklevm_ops::Sink;

use super::Direct;
use crate::convert::key_hash::{self, Head};
use crate::error::Result;

/// Number of keys in ascending order after which no hashes are kept: new memory for them would take more time than the keys.
/// If a key out of order follows then, the map is left to the graph.
const ASCENDING: usize = 1024;

/// The keys of one map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    /// Start of their hashes on the stack.
    from: usize,
    last: Order,
    is_ascending: bool,
    /// Whether no hashes are kept, as so many keys are ascending.
    is_long: bool,
}

/// A key, as far as its order is known.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// There is none yet.
    None,
    Text(Head),
    Int(i64),
    Other,
}

/// A key: that which its order is known of, or its hash.
#[derive(Clone, Copy, Debug)]
pub enum Key<'k> {
    Text(&'k str),
    Int(i64),
    Other(u64),
}

impl Key<'_> {
    /// Returns the key that is an integer.
    #[inline(always)]
    pub(crate) fn of_int(value: i128) -> Self {
        i64::try_from(value).map_or_else(|_| Key::Other(key_hash::int(value)), Key::Int)
    }

    #[inline(always)]
    fn order(self) -> Order {
        match self {
            Key::Text(text) => Order::Text(Head::of(text.as_bytes())),
            Key::Int(value) => Order::Int(value),
            Key::Other(_) => Order::Other,
        }
    }

    #[inline(always)]
    pub(crate) fn hash(self) -> u64 {
        match self {
            Key::Text(text) => key_hash::text(text.as_bytes()),
            Key::Int(value) => key_hash::int(value.into()),
            Key::Other(hash) => hash,
        }
    }
}

impl Keys {
    #[inline]
    pub(super) fn begin<S: Sink, C>(direct: &mut Direct<'_, S, C>) -> Keys {
        if direct.out.is_stream() {
            // The value of an equal key would replace that of the first.
            direct.hold();
        }
        Keys { from: direct.names.hashes.len(), last: Order::None, is_ascending: true, is_long: false }
    }

    /// Compares a key with the one before. Returns whether its [hash](Self::hash) is not needed.
    #[inline(always)]
    fn follows(&mut self, key: Key<'_>) -> bool {
        let order = key.order();
        let is_after = match (self.last, order) {
            (Order::None, _) => true,
            (Order::Text(last), Order::Text(text)) => text.is_after(last),
            (Order::Int(last), Order::Int(value)) => last < value,
            _ => false,
        };
        self.last = order;
        self.is_ascending &= is_after;
        self.is_long && is_after
    }

    /// Returns the hash of a key that was written, unless it is not needed. `keys` are those of the map, `None` for an item of
    /// a tuple.
    #[inline(always)]
    pub(crate) fn hash(keys: Option<&mut Keys>, key: Key<'_>) -> Option<u64> {
        let is_compared = keys.is_some_and(|keys| keys.follows(key));
        if is_compared { None } else { Some(key.hash()) }
    }

    /// Adds the hash of a key that was compared.
    #[inline(never)]
    pub(super) fn add_hash<S: Sink, C>(&mut self, direct: &mut Direct<'_, S, C>, hash: u64) -> Result<()> {
        if self.is_long {
            return Err(direct.leave_to_graph());
        }
        direct.names.hashes.push(hash);
        self.is_long = self.is_ascending && direct.names.hashes.len() - self.from >= ASCENDING;
        Ok(())
    }

    /// Checks that no two keys are equal.
    #[inline]
    pub(super) fn end<S: Sink, C>(self, direct: &mut Direct<'_, S, C>) -> Result<()> {
        if direct.out.is_stream() {
            direct.release();
        }
        if self.is_ascending {
            direct.names.hashes.truncate(self.from);
            return Ok(());
        }
        if key_hash::are_equal(&mut direct.names.hashes, self.from) { Err(direct.leave_to_graph()) } else { Ok(()) }
    }
}
