//! Records which values serde buffers while they are read: see [`recorded`].

use ::serde::de::{DeserializeSeed, Visitor};

use super::Reader;
use super::context::{Context, Lend};
use crate::graph::{Cell, Graph, Value};
use crate::serde::error::{Error, ErrorKind};
use crate::serde::recorded::{Place, Root, Session, is_buffer, is_plain, visit_token};

/// What a read call has recorded.
#[derive(Default)]
pub(super) struct Recorder<'g> {
    /// The graph, if it can be kept.
    pub(super) graph: Option<&'g Graph>,
    /// The recorded values. Plain ones are published with the first one that is not.
    roots: Vec<Root>,
    published: usize,
    /// The number of the session, once something is published.
    session: Option<u64>,
    /// Whether another session was open before.
    is_nested: bool,
    /// Whether the value being read is, or is part of, a recorded one.
    is_buffering: bool,
    /// Number of the recorded value being read.
    root: usize,
    /// Number of tokens in it.
    tokens: u64,
    /// Number of bytes that may still be copied.
    left: u64,
}

impl Drop for Recorder<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.session {
            Session::end(number);
        }
    }
}

impl<'g, 'de, L: Lend<'g, 'de>> Context<'g, 'de, L> {
    /// Reads an item or value of a container.
    #[inline]
    pub(super) fn element<S: DeserializeSeed<'de>>(&mut self, value: Value<'g>, seed: S) -> Result<S::Value, Error> {
        if is_buffer::<S::Value>() {
            return self.buffered(value.cell(), true, |context| seed.deserialize(Reader::new(value, context)));
        }
        seed.deserialize(Reader::new(value, self))
    }

    /// Ends the rows of a dict. What the types of its values have buffered is forgotten, what the type of the dict buffers is
    /// used now.
    #[inline]
    pub(super) fn end_rows(&mut self) {
        if !self.recorder.roots.is_empty() {
            let open = self.budget.open();
            self.forget(|place, _| place.open > open || place.open == open && !place.is_item);
        }
    }

    /// Forgets the values recorded last to which a condition applies.
    #[cold]
    #[inline(never)]
    fn forget(&mut self, is_done: impl Fn(Place, &Self) -> bool) {
        while self.recorder.roots.last().is_some_and(|root| is_done(root.place, self)) {
            self.recorder.roots.pop();
        }
        let recorder = &mut self.recorder;
        if recorder.roots.len() < recorder.published
            && let Some(number) = recorder.session
        {
            recorder.published = recorder.roots.len();
            Session::forget(number, recorder.published);
        }
    }

    /// Reads a value that serde buffers.
    pub(super) fn buffered<T>(
        &mut self,
        cell: Cell,
        is_item: bool,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.recorder.is_buffering {
            return read(self);
        }
        self.record(cell, is_item)?;
        self.recorder.is_buffering = true;
        let result = read(self);
        self.recorder.is_buffering = false;
        result
    }

    /// Starts what an internally tagged enum buffers.
    pub(super) fn start_tagged(&mut self) -> Result<(), Error> {
        if self.recorder.is_buffering { Ok(()) } else { self.record(Cell::HOLE, false) }
    }

    fn record(&mut self, cell: Cell, is_item: bool) -> Result<(), Error> {
        let (open, container) = (self.budget.open(), self.budget.innermost());
        if !self.recorder.roots.is_empty() {
            // Those of items that are complete.
            self.forget(|place, context| {
                context.budget.at(place.open) != place.container || place.open == open && !place.is_item
            });
        }
        self.start_root(self.recorder.roots.len());
        let is_plain = is_plain(self.arena, cell);
        self.recorder.roots.push(Root { cell, is_plain, place: Place { open, container, is_item } });
        let is_nested = if self.recorder.session.is_some() { self.recorder.is_nested } else { Session::is_any_open() };
        if is_plain && self.recorder.published == 0 && !is_nested { Ok(()) } else { self.publish(is_nested) }
    }

    #[inline(never)]
    fn publish(&mut self, is_nested: bool) -> Result<(), Error> {
        let number = match self.recorder.session {
            Some(number) => number,
            None => {
                let number = self.session.number();
                (self.recorder.session, self.recorder.is_nested) = (Some(number), is_nested);
                self.recorder.left = self.budget.left();
                Session::start(number, self.recorder.graph, self.arena.protocol, self.depth, self.budget.shared());
                number
            }
        };
        let copied = Session::record(number, self.arena, &self.recorder.roots[self.recorder.published..]);
        self.recorder.published = self.recorder.roots.len();
        match self.recorder.left.checked_sub(copied as u64) {
            Some(left) => {
                self.recorder.left = left;
                Ok(())
            }
            None => Err(Error::new(ErrorKind::Limit, self.budget.expected(), "more")),
        }
    }

    /// Starts to read the recorded value of this number.
    pub(in crate::serde) fn start_root(&mut self, number: usize) {
        (self.recorder.root, self.recorder.tokens) = (number, 0);
    }

    /// Reads the token of an instance that has no plain form.
    pub(super) fn token<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        let at = self.recorder.tokens;
        self.recorder.tokens += 1;
        visit_token(self.recorder.root, at, visitor)
    }
}
