//! Identity of shared values: tells [`Shared`](crate::serde::Shared) whether it has read a value before.
//!
//! `Shared<T>` deserializes a newtype struct with a reserved name. The reader leaves a note of which value it is: the number of the
//! session (one read call) and that of the value. `Shared` takes the note at once, and reads the value only if it has no
//! `Arc` for these numbers yet. The note and the table of `Arc`s are thread-local, since a visitor cannot refer to the
//! reader. The table lives as long as the session.

use std::any::{Any, TypeId};
use std::cell::{Cell as Slot, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use ::serde::de::Visitor;
use foldhash::fast::RandomState;

use super::Reader;
use super::context::{Context, Lend};
use crate::graph::Value;
use crate::serde::error::Error;

/// A value by the numbers of the session and of the value.
type Numbers = (u64, u64);

type Known = HashMap<(Numbers, TypeId), Arc<dyn Any + Send + Sync>, RandomState>;

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
    static SESSIONS: Slot<u64> = const { Slot::new(0) };
    static NOTE: Slot<Option<Numbers>> = const { Slot::new(None) };
}

/// One read call. It gets a number at the first shared value.
#[derive(Default)]
pub(crate) struct Session(Option<u64>);

impl Session {
    pub(super) fn number(&mut self) -> u64 {
        *self.0.get_or_insert_with(|| {
            SESSIONS.set(SESSIONS.get() + 1);
            SESSIONS.get()
        })
    }
}

/// Drops the table of the session.
impl Drop for Session {
    fn drop(&mut self) {
        if let Some(number) = self.0 {
            let forgotten = KNOWN.try_with(|known| {
                let mut known = known.borrow_mut();
                known.extract_if(|((session, _), _), _| *session == number).collect::<Vec<_>>()
            });
            // Dropped while the table is not borrowed: a `Drop` implementation may read pickles.
            drop(forgotten);
        }
    }
}

/// Takes the note of which value is read, if picklevm reads it.
pub(crate) fn take_note() -> Option<Numbers> {
    NOTE.take()
}

/// Returns the `Arc` of a value that the session has read as a `T` before.
pub(crate) fn lookup<T: Send + Sync + 'static>(value: Numbers) -> Option<Arc<T>> {
    let known = KNOWN.with_borrow(|known| known.get(&(value, TypeId::of::<T>())).cloned())?;
    known.downcast().ok()
}

/// Stores the `Arc` of a value for the rest of the session.
pub(crate) fn remember<T: Send + Sync + 'static>(value: Numbers, read: Arc<T>) {
    KNOWN.with_borrow_mut(|known| known.insert((value, TypeId::of::<T>()), read));
}

/// Passes a shared value to the visitor of `Shared`.
pub(super) fn visit<'g, 'de, L: Lend<'g, 'de>, V: Visitor<'de>>(
    value: Value<'g>,
    context: &mut Context<'g, 'de, L>,
    visitor: V,
) -> Result<V::Value, Error> {
    NOTE.set(Some((context.session.number(), value.cell().bits())));
    let read = visitor.visit_newtype_struct(Reader::new(value, context));
    NOTE.set(None);
    read
}
