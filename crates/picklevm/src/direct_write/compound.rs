//! Lists, tuples, dicts and attributes being written.

use picklevm_ops::internal::forms;
use picklevm_ops::{Opcode, Sink};

use super::batches::{Adding, Batches};
use super::keys::Keys;
use super::{Cursor, Position};
use crate::error::{Error, Result};

/// What follows a compound value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum After {
    Nothing,
    /// SETITEM, whose value it is.
    SetItem,
    /// The end of a pair, whose second item it is.
    Pair,
    /// NEWOBJ, whose arguments it is.
    NewObj,
    /// BUILD, whose state it is.
    Build,
}

impl After {
    /// Writes what follows.
    #[inline(always)]
    pub(crate) fn write<S: Sink, C>(self, cursor: &mut Cursor<'_, '_, S, C>) -> Result<()> {
        match self {
            After::Nothing => Ok(()),
            After::SetItem => cursor.bare(Opcode::SetItem),
            After::Pair => cursor.tuple_end(2),
            After::NewObj => cursor.end_instance(),
            After::Build => cursor.bare(Opcode::Build),
        }
    }
}

/// A compound value being written. Each kind of [`Items`] is a type of its own, so that its code has no branch on the kind.
pub(crate) struct Compound<'c, 'w, S, C, I> {
    pub(crate) cursor: Cursor<'c, 'w, S, C>,
    items: I,
}

impl<'c, 'w, S: Sink, C, I: Items> Compound<'c, 'w, S, C, I> {
    /// Starts a compound value. `begin` writes what comes before the first item.
    #[inline(always)]
    pub(crate) fn begin(
        mut cursor: Cursor<'c, 'w, S, C>,
        begin: impl FnOnce(&mut Cursor<'c, 'w, S, C>) -> Result<I>,
    ) -> Result<Self> {
        cursor.direct.enter()?;
        let items = begin(&mut cursor)?;
        Ok(Compound { cursor, items })
    }

    /// Counts an item, before it is written.
    #[inline(always)]
    pub(crate) fn count(&mut self) -> Result<()> {
        self.items.count(&mut self.cursor)
    }

    /// Writes an item.
    #[inline(always)]
    pub(crate) fn item<E: From<Error>>(
        &mut self,
        write: impl FnOnce(Cursor<'_, 'w, S, C>) -> Result<Position, E>,
    ) -> Result<(), E> {
        self.count()?;
        self.cursor.at = write(self.cursor.again())?;
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn finish(mut self) -> Result<Position> {
        self.cursor.direct.leave();
        self.items.end(&mut self.cursor)?;
        Ok(self.cursor.at)
    }
}

impl<'c, 'w, S: Sink, C> Compound<'c, 'w, S, C, Keyed> {
    /// Returns the cursor and the keys so far.
    #[inline(always)]
    pub(crate) fn keys(&mut self) -> (&mut Cursor<'c, 'w, S, C>, &mut Keys) {
        (&mut self.cursor, &mut self.items.keys)
    }

    /// Adds the hash of a key that was written, if it is needed.
    #[inline(always)]
    pub(crate) fn add_hash(&mut self, hash: Option<u64>) -> Result<()> {
        match hash {
            None => Ok(()),
            Some(hash) => self.items.keys.add_hash(self.cursor.direct, hash),
        }
    }
}

/// The items so far of a compound value.
pub trait Items: Sized {
    /// Counts an item, before it is written.
    fn count<S: Sink, C>(&mut self, cursor: &mut Cursor<'_, '_, S, C>) -> Result<()>;

    /// Ends the value.
    fn end<S: Sink, C>(self, cursor: &mut Cursor<'_, '_, S, C>) -> Result<()>;
}

/// The items of a list.
#[derive(Debug)]
pub struct List(Batches);

impl List {
    /// Starts a list of perhaps `len` items.
    #[inline(always)]
    pub(crate) fn begin<S: Sink, C>(cursor: &mut Cursor<'_, '_, S, C>, len: Option<usize>) -> Result<List> {
        cursor.container(Opcode::EmptyList, Adding::Items, len).map(List)
    }
}

impl Items for List {
    #[inline(always)]
    fn count<S: Sink, C>(&mut self, cursor: &mut Cursor<'_, '_, S, C>) -> Result<()> {
        cursor.count(&mut self.0, Adding::Items)
    }

    #[inline(always)]
    fn end<S: Sink, C>(self, cursor: &mut Cursor<'_, '_, S, C>) -> Result<()> {
        cursor.end_batches(self.0, Adding::Items)
    }
}

/// The rows of a dict of fields, or attributes.
#[derive(Debug)]
pub struct Fields {
    batches: Batches,
    after: After,
}

impl Fields {
    /// Starts a dict of `len` fields. There is no state of no attributes.
    #[inline(always)]
    pub(crate) fn begin<S: Sink, C>(cursor: &mut Cursor<'_, '_, S, C>, len: usize, after: After) -> Result<Fields> {
        let batches = match len {
            0 if after == After::Build => Batches::NONE,
            len => cursor.container(Opcode::EmptyDict, Adding::Rows, Some(len))?,
        };
        Ok(Fields { batches, after })
    }
}

impl Items for Fields {
    #[inline(always)]
    fn count<S: Sink, C>(&mut self, cursor: &mut Cursor<'_, '_, S, C>) -> Result<()> {
        cursor.count(&mut self.batches, Adding::Rows)
    }

    #[inline(always)]
    fn end<S: Sink, C>(self, cursor: &mut Cursor<'_, '_, S, C>) -> Result<()> {
        if self.after == After::Build && self.batches.is_empty() {
            return cursor.call(|cursor| cursor.end_without_state(self.batches));
        }
        cursor.end_batches(self.batches, Adding::Rows)?;
        self.after.write(cursor)
    }
}

/// The rows of a dict whose keys may be anything, or the members of a set.
#[derive(Debug)]
pub(crate) struct Keyed {
    batches: Batches,
    adding: Adding,
    keys: Keys,
}

impl Keyed {
    /// Starts a dict of perhaps `len` rows.
    #[inline(always)]
    pub(crate) fn rows<S: Sink, C>(cursor: &mut Cursor<'_, '_, S, C>, len: Option<usize>) -> Result<Keyed> {
        let (adding, keys) = (Adding::Rows, Keys::begin(cursor.direct));
        Ok(Keyed { batches: cursor.container(Opcode::EmptyDict, adding, len)?, adding, keys })
    }

    /// Starts a set of perhaps `len` members.
    pub(crate) fn members<S: Sink, C>(cursor: &mut Cursor<'_, '_, S, C>, len: Option<usize>) -> Result<Keyed> {
        if cursor.direct.protocol < 4 {
            // It is a call.
            return Err(cursor.direct.leave_to_graph());
        }
        let (adding, keys) = (Adding::Members, Keys::begin(cursor.direct));
        Ok(Keyed { batches: cursor.container(Opcode::EmptySet, adding, len)?, adding, keys })
    }
}

impl Items for Keyed {
    #[inline(always)]
    fn count<S: Sink, C>(&mut self, cursor: &mut Cursor<'_, '_, S, C>) -> Result<()> {
        cursor.count(&mut self.batches, self.adding)
    }

    #[inline(always)]
    fn end<S: Sink, C>(self, cursor: &mut Cursor<'_, '_, S, C>) -> Result<()> {
        cursor.end_batches(self.batches, self.adding)?;
        self.keys.end(cursor.direct)
    }
}

/// The items of a tuple.
#[derive(Debug)]
pub struct Tuple {
    announced: usize,
    count: usize,
    after: After,
}

impl Tuple {
    /// Starts a tuple of `len` items.
    #[inline(always)]
    pub(crate) fn begin<S: Sink, C>(cursor: &mut Cursor<'_, '_, S, C>, len: usize, after: After) -> Result<Tuple> {
        cursor.tuple_begin(len)?;
        Ok(Tuple { announced: len, count: 0, after })
    }
}

impl Items for Tuple {
    #[inline(always)]
    fn count<S: Sink, C>(&mut self, _: &mut Cursor<'_, '_, S, C>) -> Result<()> {
        self.count += 1;
        Ok(())
    }

    #[inline(always)]
    fn end<S: Sink, C>(self, cursor: &mut Cursor<'_, '_, S, C>) -> Result<()> {
        if self.announced != self.count && !cursor.is_like(self.announced, self.count) {
            return Err(cursor.direct.wrong_len());
        }
        cursor.tuple_end(self.count)?;
        self.after.write(cursor)
    }
}

impl<S: Sink, C> Cursor<'_, '_, S, C> {
    #[inline(always)]
    fn container(&mut self, empty: Opcode, adding: Adding, len: Option<usize>) -> Result<Batches> {
        match Batches::of_one(len, self.offset() + 2) {
            Some(batches) if self.direct.memoizes && !self.direct.out.is_stream() && !self.is_full() => {
                self.direct.skip();
                self.run(|run| run.first_of([empty, Opcode::Memoize, Opcode::Mark], 3));
                Ok(batches)
            }
            _ => self.call(|cursor| cursor.rare_container(empty, adding, len)),
        }
    }

    /// Whether a tuple of `len` items begins with a MARK.
    #[inline(always)]
    fn is_marked_tuple(&self, len: usize) -> bool {
        len > 0 && !forms::is_short_tuple(self.direct.protocol, len)
    }

    /// Whether tuples of two lengths start alike, and the second is not empty.
    fn is_like(&self, announced: usize, count: usize) -> bool {
        count > 0 && self.is_marked_tuple(announced) == self.is_marked_tuple(count)
    }

    /// Starts a tuple of `len` items.
    #[inline(always)]
    pub(crate) fn tuple_begin(&mut self, len: usize) -> Result<()> {
        self.boundary()?;
        if self.is_marked_tuple(len) { self.bare(Opcode::Mark) } else { Ok(()) }
    }

    /// Ends a tuple of `len` items.
    #[inline(always)]
    pub(crate) fn tuple_end(&mut self, len: usize) -> Result<()> {
        if len == 0 || !self.direct.memoizes || self.direct.chunk.has_no_space_at(self.at) {
            return self.call(|cursor| cursor.rare_tuple_end(len));
        }
        self.direct.skip();
        let opcodes = [forms::tuple(self.direct.protocol, len), Opcode::Memoize];
        self.run(|run| run.first_of(opcodes, 2));
        Ok(())
    }

    /// Starts a container of any length at any protocol.
    #[inline(never)]
    fn rare_container(&mut self, empty: Opcode, adding: Adding, len: Option<usize>) -> Result<Batches> {
        self.empty_container(empty)?;
        self.begin_batches(adding, len)
    }

    /// Ends attributes of which there are none, so that no state must have been written.
    #[cold]
    #[inline(never)]
    fn end_without_state(&mut self, batches: Batches) -> Result<()> {
        if batches.is_none() { Ok(()) } else { Err(self.direct.leave_to_graph()) }
    }

    /// Writes an empty dict, and puts it into the memo.
    #[inline(always)]
    pub(crate) fn empty_dict(&mut self) -> Result<()> {
        self.call(|cursor| cursor.empty_container(Opcode::EmptyDict))
    }

    #[inline(never)]
    fn empty_container(&mut self, empty: Opcode) -> Result<()> {
        self.boundary()?;
        if self.direct.has_runs {
            self.bare(empty)?;
        } else if empty == Opcode::EmptyDict {
            self.leaf(|leaf| leaf.empty_dict())?;
        } else {
            self.leaf(|leaf| leaf.empty_list())?;
        }
        self.put().map(drop)
    }

    /// Ends a tuple of any length at any protocol.
    #[inline(never)]
    pub(super) fn rare_tuple_end(&mut self, len: usize) -> Result<()> {
        if len == 0 {
            return if self.direct.has_runs {
                self.bare(Opcode::EmptyTuple)
            } else {
                self.leaf(|leaf| leaf.empty_tuple())
            };
        }
        self.bare(forms::tuple(self.direct.protocol, len))?;
        self.put().map(drop)
    }
}
