//! Identity of shared values: tells [`Shared`](crate::serde::Shared) whether it has read a value before.
//!
//! `Shared<T>` deserializes a newtype struct with a reserved name, and gets a sequence of three items: the number of the
//! session (one read call), the number of the value, and the value itself, which it reads only if it has no `Arc` for these
//! numbers yet. The table of `Arc`s is thread-local, since a visitor cannot refer to the reader. It lives as long as the
//! session.

use std::any::{Any, TypeId};
use std::cell::{Cell as Slot, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use ::serde::de::value::U64Deserializer;
use ::serde::de::{DeserializeSeed, IntoDeserializer, SeqAccess, Visitor};

use super::Reader;
use super::context::{Context, Lend};
use crate::graph::Value;
use crate::serde::error::Error;

type Known = HashMap<(u64, u64, TypeId), Arc<dyn Any + Send + Sync>>;

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
    static SESSIONS: Slot<u64> = const { Slot::new(0) };
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
                known.extract_if(|(session, ..), _| *session == number).collect::<Vec<_>>()
            });
            // Dropped while the table is not borrowed: a `Drop` implementation may read pickles.
            drop(forgotten);
        }
    }
}

/// Returns the `Arc` of a value that the session has read as a `T` before.
pub(crate) fn lookup<T: Send + Sync + 'static>(session: u64, value: u64) -> Option<Arc<T>> {
    let known = KNOWN.with_borrow(|known| known.get(&(session, value, TypeId::of::<T>())).cloned())?;
    known.downcast().ok()
}

/// Stores the `Arc` of a value for the rest of the session.
pub(crate) fn remember<T: Send + Sync + 'static>(session: u64, value: u64, read: Arc<T>) {
    KNOWN.with_borrow_mut(|known| known.insert((session, value, TypeId::of::<T>()), read));
}

/// Passes a shared value to the visitor of `Shared`.
pub(super) fn visit<'g, 'de, L: Lend<'g, 'de>, V: Visitor<'de>>(
    value: Value<'g>,
    context: &mut Context<'g, 'de, L>,
    visitor: V,
) -> Result<V::Value, Error> {
    visitor.visit_seq(Tokens { value, next: 0, context })
}

struct Tokens<'c, 'g, 'de, L> {
    value: Value<'g>,
    next: u8,
    context: &'c mut Context<'g, 'de, L>,
}

impl<'g, 'de, L: Lend<'g, 'de>> SeqAccess<'de> for Tokens<'_, 'g, 'de, L> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.next += 1;
        let number = match self.next {
            1 => self.context.session.number(),
            2 => self.value.cell().bits(),
            _ => return seed.deserialize(Reader::new(self.value, self.context)).map(Some),
        };
        let number: U64Deserializer<Error> = number.into_deserializer();
        seed.deserialize(number).map(Some)
    }
}
