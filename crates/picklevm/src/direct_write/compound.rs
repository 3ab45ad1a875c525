//! Lists, tuples, dicts and attributes being written.

use picklevm_ops::internal::forms;
use picklevm_ops::{Opcode, Sink};

use super::Direct;
use super::batches::{Adding, Batches};
use super::keys::Keys;
use crate::error::Result;

/// Kind of compound value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    List,
    Tuple,
    /// A dict whose keys may be anything.
    Map,
    /// A dict of fields, or the attributes of an instance.
    Struct,
    Set,
}

/// What follows the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Nothing,
    /// SETITEM, whose value it is.
    SetItem,
    /// The end of a pair, whose second item it is.
    Pair,
    /// NEWOBJ, whose arguments it is.
    NewObj,
    /// BUILD, whose state it is. Nothing if it is empty.
    Build,
}

impl After {
    /// Writes what follows.
    #[inline(always)]
    pub(crate) fn write<S: Sink, C>(self, direct: &mut Direct<'_, S, C>) -> Result<()> {
        match self {
            After::Nothing => Ok(()),
            After::SetItem => direct.bare(Opcode::SetItem),
            After::Pair => direct.tuple_end(2),
            After::NewObj => direct.end_instance(),
            After::Build => direct.bare(Opcode::Build),
        }
    }
}

/// A compound value being written.
pub(crate) struct Compound<'c, 'w, S, C> {
    pub(crate) direct: &'c mut Direct<'w, S, C>,
    items: Items,
    pub(crate) keys: Keys,
    after: After,
}

/// The items so far of a list, tuple, dict or set.
#[derive(Debug)]
pub(crate) enum Items {
    Batches(Batches),
    /// A tuple of some announced length, and the number of items.
    Tuple(usize, usize),
    /// Attributes before the first: the state is written only if there is one.
    NoState(usize),
}

impl Items {
    #[inline(always)]
    pub(crate) fn begin<S: Sink, C>(direct: &mut Direct<'_, S, C>, kind: Kind, len: Option<usize>) -> Result<Items> {
        Ok(Items::Batches(match kind {
            Kind::Tuple => {
                let len = len.unwrap_or(0);
                direct.boundary()?;
                direct.tuple_mark(len)?;
                return Ok(Items::Tuple(len, 0));
            }
            Kind::List => direct.container(Opcode::EmptyList, Adding::Items, len)?,
            Kind::Map | Kind::Struct => direct.container(Opcode::EmptyDict, Adding::Rows, len)?,
            // Below, it is a call.
            Kind::Set if direct.protocol < 4 => return Err(direct.leave_to_graph()),
            Kind::Set => direct.container(Opcode::EmptySet, Adding::Members, len)?,
        }))
    }

    /// Counts an item, before it is written.
    #[inline(always)]
    pub(crate) fn count<S: Sink, C>(&mut self, direct: &mut Direct<'_, S, C>) -> Result<()> {
        match self {
            Items::Batches(batches) => {
                if batches.count() {
                    *batches = direct.advance(*batches)?;
                }
                Ok(())
            }
            Items::Tuple(_, count) => {
                *count += 1;
                Ok(())
            }
            Items::NoState(len) => {
                // Not by a call of this function, which would not be inlined then.
                let mut batches = direct.container(Opcode::EmptyDict, Adding::Rows, Some(*len))?;
                if batches.count() {
                    batches = direct.advance(batches)?;
                }
                *self = Items::Batches(batches);
                Ok(())
            }
        }
    }

    /// Returns whether there is a value.
    #[inline(always)]
    pub(crate) fn end<S: Sink, C>(self, direct: &mut Direct<'_, S, C>) -> Result<bool> {
        match self {
            Items::Batches(batches) => direct.end_batches(batches)?,
            Items::Tuple(announced, count) => {
                if announced != count && !is_like(direct.protocol, announced, count) {
                    return Err(direct.leave_to_graph());
                }
                direct.tuple_end(count)?;
            }
            Items::NoState(_) => return Ok(false),
        }
        Ok(true)
    }
}

impl<'c, 'w, S: Sink, C> Compound<'c, 'w, S, C> {
    #[inline(always)]
    pub(crate) fn begin(
        direct: &'c mut Direct<'w, S, C>,
        kind: Kind,
        len: Option<usize>,
        after: After,
    ) -> Result<Compound<'c, 'w, S, C>> {
        direct.enter()?;
        let keys = match kind {
            Kind::Map | Kind::Set => Keys::begin(direct),
            _ => Keys::NONE,
        };
        let items = match len {
            Some(len) if after == After::Build => Items::NoState(len),
            len => Items::begin(direct, kind, len)?,
        };
        Ok(Compound { direct, items, keys, after })
    }

    /// Counts an item, before it is written.
    #[inline(always)]
    pub(crate) fn count(&mut self) -> Result<()> {
        self.items.count(self.direct)
    }

    /// Adds the hash of a key that was written, if it is needed.
    #[inline(always)]
    pub(crate) fn add_hash(&mut self, hash: Option<u64>) -> Result<()> {
        match hash {
            None => Ok(()),
            Some(hash) => self.keys.add_hash(self.direct, hash),
        }
    }

    #[inline(always)]
    pub(crate) fn finish(self) -> Result<()> {
        let Compound { direct, items, keys, after } = self;
        direct.leave();
        if !items.end(direct)? {
            return Ok(());
        }
        keys.end(direct)?;
        after.write(direct)
    }
}

/// Whether tuples of two lengths start alike, and the second is not empty.
fn is_like(protocol: u8, announced: usize, count: usize) -> bool {
    let is_marked = |len| len > 0 && !forms::is_short_tuple(protocol, len);
    count > 0 && is_marked(announced) == is_marked(count)
}

impl<S: Sink, C> Direct<'_, S, C> {
    #[inline(always)]
    fn container(&mut self, empty: Opcode, adding: Adding, len: Option<usize>) -> Result<Batches> {
        self.boundary()?;
        if self.memoizes {
            self.skip();
            if let Some(batches) = Batches::of_one(adding, len).filter(|_| !self.out.is_stream()) {
                self.ops(|run| run.first_of([empty, Opcode::Memoize, Opcode::Mark], 3));
                return Ok(batches.after_mark(self.offset()));
            }
            self.ops(|run| run.first_of([empty, Opcode::Memoize], 2));
        } else {
            self.empty_container(empty)?;
        }
        self.begin_batches(adding, len)
    }

    /// Writes an empty dict, and puts it into the memo.
    pub(crate) fn empty_dict(&mut self) -> Result<()> {
        self.empty_container(Opcode::EmptyDict)
    }

    #[inline(never)]
    fn empty_container(&mut self, empty: Opcode) -> Result<()> {
        if self.has_runs {
            self.ops(|run| run.bare(empty));
        } else if empty == Opcode::EmptyDict {
            self.leaf(|leaf| leaf.empty_dict())?;
        } else {
            self.leaf(|leaf| leaf.empty_list())?;
        }
        self.put().map(drop)
    }

    /// Starts a tuple of `len` items.
    #[inline(always)]
    pub(crate) fn tuple_mark(&mut self, len: usize) -> Result<()> {
        if len == 0 || forms::is_short_tuple(self.protocol, len) { Ok(()) } else { self.bare(Opcode::Mark) }
    }

    fn empty_tuple(&mut self) -> Result<()> {
        if self.has_runs { self.bare(Opcode::EmptyTuple) } else { self.leaf(|leaf| leaf.empty_tuple()) }
    }

    /// Ends a tuple of `len` items.
    #[inline(always)]
    pub(crate) fn tuple_end(&mut self, len: usize) -> Result<()> {
        if len == 0 {
            return self.empty_tuple();
        }
        self.bare(forms::tuple(self.protocol, len))?;
        self.put().map(drop)
    }
}
