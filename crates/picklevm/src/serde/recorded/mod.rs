//! Values that serde buffers in its own `Content`, for the [`Graph`] and `as_…` fields that are then read from the buffer.
//!
//! serde reads flattened fields and the content of tagged and untagged enums before it knows their type. Its buffer holds
//! only serde's data model: a tuple becomes a list, a date text. So the reader records, in a table of the thread, which
//! values of the graph a type buffers, and forgets them once that type is complete: when a dict ends, or the next value is
//! recorded, so that nothing is checked where nothing is buffered. A `Graph` that is read from the buffer
//! looks for the recorded value whose plain form, which is what serde buffered, is the same, and becomes a copy of it.
//!
//! The plain forms are only compared once a `Graph` asks, each by a hash with a secret key. Values of the same plain form
//! are taken in their order. An instance without a plain form is buffered as a token, which is unique.

mod index;
mod plain;
mod token;

use std::any::type_name;
use std::cell::RefCell;

use ::serde::de::{Deserializer, Error as _};

use self::index::Index;
use self::plain::{Plain, PlainForm};
pub(super) use self::token::visit_token;
use super::handover;
use super::read::{Context, FromGraph};
use crate::graph::{Arena, Cell, Graph, Tag};

thread_local! {
    /// The sessions that have recorded values, innermost last: a `Deserialize` implementation may read another pickle.
    static SESSIONS: RefCell<Vec<Session>> = const { RefCell::new(Vec::new()) };
}

/// Whether values of a type are serde's buffer, or that of a crate that has a copy of it.
#[inline]
pub(super) fn is_buffer<T>() -> bool {
    let name = type_name::<T>();
    name.starts_with("serde") && (name.ends_with("::Content") || name.ends_with("::Content<'_>"))
}

/// Whether values of a type are the tag of an internally tagged enum and a buffer of the rest.
#[inline]
pub(super) fn is_tag_and_buffer<T>() -> bool {
    let name = type_name::<T>();
    name.starts_with('(') && (name.ends_with("::Content)") || name.ends_with("::Content<'_>)"))
}

/// Whether values of a type can hold the token of an instance that has no plain form.
#[inline]
pub(super) fn takes_tokens<T>() -> bool {
    is_buffer::<T>() || type_name::<T>() == type_name::<Plain<'_>>()
}

/// How a value came to be buffered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Number of containers around it.
    pub(super) open: usize,
    /// The innermost of them.
    pub(super) container: Option<Cell>,
    /// Whether it is an item or value of a container whose type buffers several. Otherwise it is all that its type buffers.
    pub(super) is_item: bool,
}

/// A value that a type has buffered.
#[derive(Clone, Copy)]
pub(super) struct Root {
    pub(super) cell: Cell,
    /// Whether a graph of its plain form is the same.
    pub(super) is_plain: bool,
    pub(super) place: Place,
}

/// Number of items of a list or dict up to which it is checked whether it is plain.
const PLAIN_LEN: usize = 32;

/// Whether the plain form of a value is the value: an atom, or a short list or dict of atoms.
pub(super) fn is_plain(arena: &Arena, cell: Cell) -> bool {
    fn is_atom(cell: Cell) -> bool {
        use Tag::{Bytes, False, Float, Int, None, Str, True, WideFloat, ZeroFloat};
        matches!(cell.tag(), Int | Float | ZeroFloat | WideFloat | None | True | False | Str | Bytes)
    }
    match cell.tag() {
        Tag::List | Tag::Dict => {
            let items = arena.items(cell);
            items.len() <= PLAIN_LEN && items.iter().all(|item| is_atom(*item))
        }
        _ => is_atom(cell) || cell == Cell::HOLE,
    }
}

/// What a session, which is one read call, has published.
pub(super) struct Session {
    number: u64,
    /// The graph that is read, or one with copies of the values.
    source: Graph,
    has_copies: bool,
    /// Number of bytes copied into the source.
    copied: usize,
    depth: usize,
    shared: u64,
    /// Each with the number of the first value of the same type.
    roots: Vec<(Root, usize)>,
    index: Index,
}

/// Size from which the copies of forgotten values are freed.
const MAX_COPIES: usize = 1 << 16;

impl Session {
    /// Whether a session is open.
    pub(super) fn is_any_open() -> bool {
        SESSIONS.with_borrow(|sessions| !sessions.is_empty())
    }

    /// Starts the session of a reader of a graph; without one, the values are copied.
    pub(super) fn start(number: u64, graph: Option<&Graph>, protocol: Option<u8>, depth: usize, shared: u64) {
        let source = graph.cloned().unwrap_or_else(|| with_protocol(protocol));
        let has_copies = graph.is_none();
        let (roots, index) = (Vec::new(), Index::default());
        let session = Session { number, source, has_copies, copied: 0, depth, shared, roots, index };
        SESSIONS.with_borrow_mut(|sessions| sessions.push(session));
    }

    /// Records values. Returns the number of bytes copied.
    pub(super) fn record(number: u64, arena: &Arena, roots: &[Root]) -> usize {
        SESSIONS.with_borrow_mut(|sessions| {
            let Some(session) = sessions.last_mut().filter(|session| session.number == number) else { return 0 };
            if session.has_copies {
                return session.copy(arena, roots);
            }
            roots.iter().for_each(|root| session.add(*root));
            0
        })
    }

    /// Records copies of values. One that is plain and all that its type buffers is not needed.
    fn copy(&mut self, arena: &Arena, roots: &[Root]) -> usize {
        let copies = self.source.unique();
        let before = copies.held_bytes() + copies.payloads.len();
        let is_needed = |root: &&Root| root.cell != Cell::HOLE && (root.place.is_item || !root.is_plain);
        let needed = roots.iter().filter(is_needed).map(|root| root.cell);
        let mut made = copies.copy_each(arena, needed).into_iter();
        for root in roots {
            let cell = if is_needed(&root) { made.next() } else { None };
            self.add(Root { cell: cell.unwrap_or(Cell::HOLE), ..*root });
        }
        let copied = (self.source.held_bytes() + self.source.payloads.len()).saturating_sub(before);
        self.copied += copied;
        copied
    }

    /// Forgets all values but the first `left`.
    pub(super) fn forget(number: u64, left: usize) {
        let is_done = SESSIONS.with_borrow_mut(|sessions| match sessions.last_mut() {
            Some(session) if session.number == number => {
                session.roots.truncate(left);
                session.index.is_empty() && (session.copied < MAX_COPIES || left > 0)
            }
            _ => true,
        });
        if is_done {
            return;
        }
        with_last(|session| {
            session.index.truncate(left);
            if session.copied >= MAX_COPIES && left == 0 {
                session.source = with_protocol(session.source.protocol);
                session.copied = 0;
            }
        });
    }

    /// Ends a session.
    pub(super) fn end(number: u64) {
        let ended = SESSIONS.try_with(|sessions| {
            let mut sessions = sessions.borrow_mut();
            sessions.pop_if(|session| session.number == number)
        });
        // Dropped while the table is not borrowed: native objects may read pickles when they are dropped.
        drop(ended);
    }

    /// Reads the plain forms of the values recorded last.
    fn complete_index(&mut self) {
        let from = self.index.roots();
        let mut context = Context::new(&self.source, FromGraph, self.depth, self.shared);
        for (number, (root, _)) in self.roots.iter().enumerate().skip(from) {
            context.start_root(number);
            self.index.add(Plain::of(root.cell, &mut context).ok());
        }
    }

    /// Adds a value of the current type, or the first one of another type.
    fn add(&mut self, root: Root) {
        let first = match self.roots.last() {
            Some((last, first)) if root.place.is_item && last.place == root.place => *first,
            _ => self.roots.len(),
        };
        self.roots.push((root, first));
    }

    /// Returns the first of the values that the current type has buffered.
    fn first_root(&self) -> usize {
        self.roots.last().map_or(0, |(_, first)| *first)
    }

    /// Makes a value in a graph: a copy of the recorded one of the same plain form, or the plain form with the recorded
    /// ones in it.
    fn restore(&mut self, plain: &Plain<'_>, from: usize, arena: &mut Arena) -> Result<Cell, String> {
        if let Some(cell) = self.index.take(plain, from) {
            return Ok(arena.copy_each(&self.source, [cell]).first().copied().unwrap_or(Cell::NONE));
        }
        match &plain.form {
            PlainForm::Items(items) => {
                let items = items.iter().map(|item| self.restore(item, from, arena));
                let items = items.collect::<Result<Vec<_>, _>>()?;
                Ok(arena.new_list(&items))
            }
            PlainForm::Rows(rows) => {
                let cells = rows.iter().flatten().map(|part| self.restore(part, from, arena));
                let cells = cells.collect::<Result<Vec<_>, _>>()?;
                let dict = arena.new_dict();
                match arena.add_rows(dict, &cells) {
                    Ok(()) => Ok(dict),
                    Err(unhashable) => Err(unhashable.error(arena).to_string()),
                }
            }
            atom => atom.add_to(arena),
        }
    }
}

/// Returns an empty graph for values of pickles of a protocol.
fn with_protocol(protocol: Option<u8>) -> Graph {
    let mut graph = Graph::new();
    graph.unique().protocol = protocol;
    graph
}

/// Calls a function with the innermost session. The table is not borrowed meanwhile: native objects may read pickles.
fn with_last<T>(call: impl FnOnce(&mut Session) -> T) -> Option<T> {
    let mut session = SESSIONS.with_borrow_mut(Vec::pop)?;
    let result = call(&mut session);
    SESSIONS.with_borrow_mut(|sessions| sessions.push(session));
    Some(result)
}

/// Whether a deserializer with this error may hold what picklevm read into serde's buffer.
pub(super) fn is_replayed<E>() -> bool {
    handover::is_error::<E>()
        && SESSIONS.with_borrow(|sessions| sessions.last().is_some_and(|session| !session.roots.is_empty()))
}

/// Reads a graph from serde's buffer.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Graph, D::Error> {
    let plain = Plain::read(deserializer)?;
    let restored = with_last(|session| {
        session.complete_index();
        let mut graph = with_protocol(session.source.protocol);
        let arena = graph.unique();
        let from = session.index.start_of(session.first_root());
        let root = session.restore(&plain, from, arena)?;
        arena.settle_all();
        arena.roots.push(root);
        Ok(graph)
    });
    restored.unwrap_or_else(|| Err("no values are buffered".to_owned())).map_err(D::Error::custom)
}
