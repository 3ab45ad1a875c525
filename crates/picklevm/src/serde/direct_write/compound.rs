//! Serializers of sequences, tuples, maps and structs.

use ::serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use picklevm_ops::internal::forms;
use picklevm_ops::{Opcode, Sink};

use super::Direct;
use super::batches::{Adding, Batches};
use super::keys::{KeySerializer, Keys};
use crate::serde::error::{Error, Result};

/// Kind of compound value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Tuple,
    /// A dict whose keys may be anything.
    Map,
    /// A dict of fields, or the attributes of an instance.
    Struct,
}

/// What follows the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Nothing,
    /// The end of a variant, whose content it is.
    Variant,
    /// NEWOBJ, whose arguments it is.
    NewObj,
    /// BUILD, whose state it is. Nothing if it is empty.
    Build,
}

/// A compound value being written.
pub(super) struct Compound<'c, 'w, S> {
    direct: &'c mut Direct<'w, S>,
    items: Items,
    keys: Keys,
    after: After,
}

/// The items so far.
enum Items {
    Batches(Batches),
    /// A tuple of some announced length, and the number of items.
    Tuple(usize, usize),
    /// Attributes before the first: the state is written only if there is one.
    NoState(usize),
}

impl<'c, 'w, S: Sink> Compound<'c, 'w, S> {
    #[inline(always)]
    pub(super) fn begin(
        direct: &'c mut Direct<'w, S>,
        kind: Kind,
        len: Option<usize>,
        after: After,
    ) -> Result<Compound<'c, 'w, S>> {
        direct.enter()?;
        let keys = match kind {
            Kind::Map => Keys::begin(direct),
            _ => Keys::NONE,
        };
        let items = match (kind, len) {
            (Kind::Tuple, len) => {
                let len = len.unwrap_or(0);
                direct.boundary()?;
                direct.tuple_mark(len)?;
                Items::Tuple(len, 0)
            }
            (_, Some(len)) if after == After::Build => Items::NoState(len),
            (Kind::List, len) => Items::Batches(direct.list(len)?),
            (_, len) => Items::Batches(direct.dict(len)?),
        };
        Ok(Compound { direct, items, keys, after })
    }

    /// Counts an item, before it is written.
    #[inline(always)]
    fn count(&mut self) -> Result<()> {
        match &mut self.items {
            Items::Batches(batches) => {
                if batches.count() {
                    *batches = self.direct.advance(*batches)?;
                }
                Ok(())
            }
            Items::Tuple(_, count) => {
                *count += 1;
                Ok(())
            }
            Items::NoState(len) => {
                let mut batches = self.direct.dict(Some(*len))?;
                if batches.count() {
                    batches = self.direct.advance(batches)?;
                }
                self.items = Items::Batches(batches);
                Ok(())
            }
        }
    }

    #[inline(always)]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.count()?;
        value.serialize(&mut *self.direct)
    }

    /// Writes an item of a tuple that is a key. Returns its hash.
    pub(super) fn key<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<u64> {
        self.count()?;
        value.serialize(KeySerializer::new(self.direct))
    }

    #[inline(always)]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.count()?;
        self.direct.name(name)?;
        value.serialize(&mut *self.direct)
    }

    #[inline(always)]
    fn finish(self) -> Result<()> {
        let Compound { direct, items, keys, after } = self;
        direct.depth += 1;
        match items {
            Items::Batches(batches) => direct.end_batches(batches)?,
            Items::Tuple(announced, count) => {
                if announced != count && !is_like(direct.protocol, announced, count) {
                    return Err(direct.leave_to_graph());
                }
                direct.tuple_end(count)?;
            }
            Items::NoState(_) => return Ok(()),
        }
        keys.end(direct)?;
        match after {
            After::Nothing => Ok(()),
            After::Variant => direct.end_variant(),
            After::NewObj => direct.end_instance(),
            After::Build => direct.bare(Opcode::Build),
        }
    }
}

/// Whether tuples of two lengths start alike, and the second is not empty.
fn is_like(protocol: u8, announced: usize, count: usize) -> bool {
    let is_marked = |len| len > 0 && !forms::is_short_tuple(protocol, len);
    count > 0 && is_marked(announced) == is_marked(count)
}

impl<S: Sink> Direct<'_, S> {
    /// Starts a list.
    #[inline(always)]
    fn list(&mut self, len: Option<usize>) -> Result<Batches> {
        self.container(Opcode::EmptyList, Adding::Items, len)
    }

    /// Starts a dict.
    #[inline(always)]
    fn dict(&mut self, len: Option<usize>) -> Result<Batches> {
        self.container(Opcode::EmptyDict, Adding::Rows, len)
    }

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
    pub(super) fn empty_dict(&mut self) -> Result<()> {
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
    pub(super) fn tuple_mark(&mut self, len: usize) -> Result<()> {
        if len == 0 || forms::is_short_tuple(self.protocol, len) { Ok(()) } else { self.bare(Opcode::Mark) }
    }

    fn empty_tuple(&mut self) -> Result<()> {
        if self.has_runs { self.bare(Opcode::EmptyTuple) } else { self.leaf(|leaf| leaf.empty_tuple()) }
    }

    /// Ends a tuple of `len` items.
    #[inline(always)]
    pub(super) fn tuple_end(&mut self, len: usize) -> Result<()> {
        if len == 0 {
            return self.empty_tuple();
        }
        self.bare(forms::tuple(self.protocol, len))?;
        self.put().map(drop)
    }
}

macro_rules! items {
    ($($trait:ident::$method:ident)*) => {$(
        impl<S: Sink> $trait for Compound<'_, '_, S> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.item(value)
            }

            #[inline(always)]
            fn end(self) -> Result<()> {
                self.finish()
            }
        }
    )*};
}
items!(SerializeSeq::serialize_element SerializeTuple::serialize_element SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field);

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl<S: Sink> $trait for Compound<'_, '_, S> {
            type Ok = ();
            type Error = Error;

            #[inline(always)]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.field(name, value)
            }

            #[inline(always)]
            fn end(self) -> Result<()> {
                self.finish()
            }
        }
    )*};
}
fields!(SerializeStruct SerializeStructVariant);

impl<S: Sink> SerializeMap for Compound<'_, '_, S> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        let hash = self.key(key)?;
        self.direct.hashes.push(hash);
        Ok(())
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.direct)
    }

    #[inline(always)]
    fn end(self) -> Result<()> {
        self.finish()
    }
}
