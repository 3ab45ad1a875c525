//! Going on in the graph, in the middle of a pickle.
//!
//! At a value that the ops do not give, the whole pickle is loaded. The value is read from the graph, and so is all that
//! follows: the cursor has nothing left, so that each fast path ends, and instead of ops it follows the items of the open
//! containers in the graph.

use std::cell::OnceCell;

use picklevm_ops::Opcode;

use super::Outcome;
use super::cursor::Cursor;
use super::failure::{Call, Failure, Result};
use super::ops::Ops;
use super::place::{self, Open};
use crate::graph::{Cell, Graph, Tag, Value};
use crate::load::Unpickler;
use crate::path::Step;
use crate::serde::error::Error;
use crate::serde::read::{Context, FromInput, superfluous};

/// Maximum number of open containers whose starts are kept: a value inside more of them is read from the graph.
pub(super) const LEVELS: usize = 64;

/// Loads the graph, once.
#[derive(Clone, Copy)]
pub(super) struct Loader<'g, 'de> {
    pub(super) input: &'de [u8],
    pub(super) unpickler: &'g Unpickler,
    pub(super) graph: &'g OnceCell<(Graph, FromInput<'de>)>,
    /// The maximum depth of values.
    pub(super) depth: usize,
}

impl<'g, 'de> Loader<'g, 'de> {
    fn load(&self) -> Result<&'g (Graph, FromInput<'de>), Error> {
        let loaded = FromInput::load(self.unpickler, self.input)?;
        Ok(self.graph.get_or_init(|| loaded))
    }
}

/// What a cursor reads.
pub(super) enum State<'g, 'de> {
    Ops,
    Graph(Box<InGraph<'g, 'de>>),
    /// Nothing more: the pickle cannot be loaded, or all of it is to be read from the graph.
    Over(Option<Error>),
}

/// The place in the graph.
pub(super) struct InGraph<'g, 'de> {
    context: Context<'g, 'de, FromInput<'de>>,
    /// The open containers, outermost first, in one whose item is the root.
    open: Vec<Container<'g>>,
}

struct Container<'g> {
    /// The items of a list or tuple, the keys and values of a dict.
    items: &'g [Cell],
    next: usize,
    is_dict: bool,
}

impl<'g, 'de> InGraph<'g, 'de> {
    /// Finds the place of an offset. `shared` is what is left to read again.
    fn find(loader: Loader<'g, 'de>, at: usize, open: &[Open], shared: u64) -> Result<Option<Self>, Error> {
        let (graph, lend) = loader.load()?;
        let Some(found) = place::find(loader.input, at, open) else { return Ok(None) };
        let mut context = Context::new(graph, *lend, loader.depth, shared).keeping(Some(graph));
        // All that was read counts as if it had been read from the graph.
        let is_within = context.spend_long(at as u64 + 8 * found.pushed).is_ok();
        let root = Container { items: &graph.roots[..1], next: usize::from(found.is_read), is_dict: false };
        let mut all = vec![root];
        for (level, place) in found.places.iter().enumerate() {
            let Some(outer) = all.last_mut() else { return Ok(None) };
            let Some(cell) = outer.items.get(outer.next) else { return Ok(None) };
            outer.next += 1;
            let items = graph.items(*cell);
            let fits = match place.len {
                // Fewer entries than rows: keys are equal.
                Some(len) => len == items.len(),
                None if found.is_first_list && level == 0 => cell.is(Tag::List) && cell.high() == 0,
                None => cell.is(Tag::Tuple),
            };
            if !fits || context.enter(*cell, 0).is_err() {
                return Ok(None);
            }
            all.push(Container { items, next: place.index, is_dict: cell.is(Tag::Dict) });
        }
        Ok(is_within.then_some(InGraph { context, open: all }))
    }

    fn top(&mut self) -> Option<&mut Container<'g>> {
        self.open.last_mut()
    }

    fn next(&mut self) -> Option<Cell> {
        self.top().and_then(|top| top.items.get(top.next)).copied()
    }

    fn pass(&mut self) {
        if let Some(top) = self.top() {
            top.next += 1;
        }
    }

    /// Leaves the innermost containers.
    fn leave(&mut self, left: usize) {
        while self.open.len() > left {
            self.open.pop();
            self.context.leave();
        }
    }

    /// Returns the step to the value that was read last.
    fn step(&self) -> Option<Step> {
        let top = self.open.last().filter(|_| self.open.len() > 1)?;
        let at = top.next.checked_sub(1)?;
        Some(match top.is_dict {
            true => Step::name_or_key(Value::new(self.context.arena, *top.items.get(at & !1)?)),
            false => Step::Index(at as i64),
        })
    }
}

impl<'g, 'de> Cursor<'g, 'de> {
    /// Goes on in the graph from an offset: at the start of a value, or after the op before.
    #[cold]
    #[inline(never)]
    pub(super) fn switch(&mut self, at: usize) {
        if self.is_switched() {
            return;
        }
        self.state = match InGraph::find(self.loader, at, &self.open(), self.memo.shared_left()) {
            Ok(Some(place)) => State::Graph(Box::new(place)),
            Ok(None) => State::Over(None),
            Err(error) => State::Over(Some(error)),
        };
        self.stop();
    }

    pub(super) fn is_switched(&self) -> bool {
        !matches!(self.state, State::Ops)
    }

    /// Stops reading: what has been read is not what the graph has.
    #[cold]
    #[inline(never)]
    pub(super) fn give_up(&mut self) -> Failure {
        if !matches!(self.state, State::Over(_)) {
            self.state = State::Over(None);
        }
        self.stop();
        ended()
    }

    /// Returns the next value in the graph, which starts at an offset if the ops are still read, and what reads it.
    #[cold]
    #[inline(never)]
    pub(super) fn value_in_graph(&mut self, at: usize) -> Result<(Value<'g>, &mut Context<'g, 'de, FromInput<'de>>)> {
        self.switch(at);
        let cell = match &mut self.state {
            State::Graph(place) => place.next(),
            _ => None,
        };
        let Some(cell) = cell else { return Err(self.give_up()) };
        let State::Graph(place) = &mut self.state else { return Err(ended()) };
        place.pass();
        Ok((Value::new(place.context.arena, cell), &mut place.context))
    }

    /// Reads in the graph what an op would tell: whether None follows, or the end of the container or pickle.
    #[cold]
    #[inline(never)]
    pub(super) fn take_in_graph(&mut self, opcode: Opcode) -> bool {
        let State::Graph(place) = &mut self.state else {
            // Ends whatever is read.
            return matches!(self.state, State::Over(_)) && is_end(opcode);
        };
        match place.next() {
            Some(Cell::NONE) if opcode == Opcode::None => {
                place.pass();
                true
            }
            Some(_) => false,
            None => is_end(opcode) && self.end_in_graph().is_ok(),
        }
    }

    /// Ends the innermost container in the graph. An error if items are left.
    #[cold]
    #[inline(never)]
    pub(super) fn end_in_graph(&mut self) -> Result<()> {
        self.switch(self.offset());
        let State::Graph(place) = &mut self.state else { return Ok(()) };
        let left = place.open.len() - 1;
        match place.top() {
            Some(top) if top.next < top.items.len() => {
                let each = if top.is_dict { 2 } else { 1 };
                Err(Failure::new(superfluous(top.items.len() / each, top.next / each)))
            }
            _ => {
                place.leave(left.max(1));
                Ok(())
            }
        }
    }

    /// Whether the innermost container has no more items.
    #[cold]
    #[inline(never)]
    pub(super) fn is_at_end(&mut self) -> bool {
        self.switch(self.offset());
        match &mut self.state {
            State::Graph(place) => place.next().is_none(),
            _ => true,
        }
    }

    /// Leaves a container that was not read to its end, because of an error. `levels` are left.
    #[cold]
    #[inline(never)]
    pub(super) fn abandon(&mut self, levels: usize) {
        self.switch(self.offset());
        if let State::Graph(place) = &mut self.state {
            place.leave(levels + 1);
        }
    }

    /// Adds the step to the value that was read last to the path of its error.
    #[cold]
    #[inline(never)]
    pub(super) fn under(&mut self, error: Failure) -> Failure {
        self.switch(self.offset());
        match &self.state {
            State::Graph(place) => match place.step() {
                Some(step) => error.map(|error| error.under(step)),
                None => error,
            },
            _ => error,
        }
    }

    /// Returns what was read, and whether it is certain.
    pub(super) fn finish<T>(&mut self, result: Result<T>, call: &Call) -> Outcome<T> {
        let is_all = self.is_switched() || result.is_ok() && self.take(Opcode::Stop);
        if !is_all {
            self.switch(self.offset());
        }
        if let State::Over(error) = &mut self.state {
            return error.take().map_or(Outcome::Again, |error| Outcome::Read(Err(error)));
        }
        let is_limited = matches!(&self.state, State::Graph(place) if place.context.is_limited);
        match result {
            _ if is_limited || call.is_unsure() => Outcome::Again,
            Ok(value) => Outcome::Read(Ok(value)),
            Err(_) => call.error().map_or(Outcome::Again, |error| Outcome::Read(Err(error))),
        }
    }

    fn stop(&mut self) {
        self.ops = Ops::new(&[]);
    }
}

/// Whether an op ends a list, tuple or dict.
fn is_end(opcode: Opcode) -> bool {
    use Opcode::{Append, Appends, SetItem, SetItems, Tuple, Tuple1, Tuple2, Tuple3};
    matches!(opcode, Append | Appends | SetItem | SetItems | Tuple | Tuple1 | Tuple2 | Tuple3)
}

/// Returns the error that ends a type before it is read again from the graph. The caller does not get it.
fn ended() -> Failure {
    ::serde::de::Error::custom("read again from the graph")
}
