//! `OpWriter`: writes values and instances as opcodes, in one pass. The derive macro calls its methods, and leaves out the
//! method of [`ToValue`] for classes that need more: those are written from a graph.

use picklevm_ops::{Memory, Opcode};

use super::ToValue;
use super::def::ClassDef;
use super::members::{Member, MemberValue};
use crate::direct_write::{After, ClassKey, Compound, Direct, Items, Kind};
use crate::error::Result;

/// Writer of opcodes.
#[doc(hidden)]
pub type OpWriter<'w> = Direct<'w, Memory, ()>;

/// The items so far of a part of an instance.
#[doc(hidden)]
#[derive(Debug)]
pub struct OpItems(Items);

/// Writes a key or member.
#[inline]
fn write_key<T: ToValue>(compound: &mut Compound<'_, '_, Memory, ()>, key: &T) -> Result<()> {
    let hash = key.key_to_ops(compound.direct, Some(&mut compound.keys))?;
    compound.add_hash(hash)
}

impl Direct<'_, Memory, ()> {
    /// Writes a sequence, as a list, tuple or set of announced length.
    #[inline]
    pub(super) fn sequence<'t, T: ToValue + 't>(
        &mut self,
        kind: Kind,
        len: usize,
        items: impl Iterator<Item = &'t T>,
    ) -> Result<()> {
        let mut sequence = Compound::begin(self, kind, Some(len), After::Nothing)?;
        for item in items {
            sequence.count()?;
            if kind == Kind::Set {
                write_key(&mut sequence, item)?;
            } else {
                item.to_ops(sequence.direct)?;
            }
        }
        sequence.finish()
    }

    /// Writes a map as a dict.
    #[inline]
    pub(super) fn map<'t, K: ToValue + 't, V: ToValue + 't>(
        &mut self,
        len: usize,
        entries: impl Iterator<Item = (&'t K, &'t V)>,
    ) -> Result<()> {
        let mut map = Compound::begin(self, Kind::Map, Some(len), After::Nothing)?;
        for (key, value) in entries {
            map.count()?;
            write_key(&mut map, key)?;
            value.to_ops(map.direct)?;
        }
        map.finish()
    }

    /// Starts an instance, whose arguments follow.
    #[inline]
    pub fn begin_object(&mut self, class: &'static ClassDef, args: usize) -> Result<OpItems> {
        self.enter()?;
        let class = self.class_defined(ClassKey::of(class), [class.module, class.name])?;
        self.begin_instance(class)?;
        Items::begin(self, Kind::Tuple, Some(args)).map(OpItems)
    }

    /// Ends the arguments.
    #[inline]
    pub fn end_args(&mut self, args: OpItems) -> Result<()> {
        args.0.end(self)?;
        self.end_instance()
    }

    /// Starts a plain dict in place of an instance.
    #[inline]
    pub fn begin_dict(&mut self, len: usize) -> Result<OpItems> {
        self.enter()?;
        self.begin_state_dict(len)
    }

    /// Starts a state that is a dict of attributes.
    #[inline]
    pub fn begin_state_dict(&mut self, len: usize) -> Result<OpItems> {
        Items::begin(self, Kind::Struct, Some(len)).map(OpItems)
    }

    /// Starts a state that is a tuple.
    #[inline]
    pub fn begin_state_tuple(&mut self, len: usize) -> Result<OpItems> {
        Items::begin(self, Kind::Tuple, Some(len)).map(OpItems)
    }

    /// Starts a state that is a list.
    #[inline]
    pub fn begin_state_list(&mut self, len: usize) -> Result<OpItems> {
        Items::begin(self, Kind::List, Some(len)).map(OpItems)
    }

    /// Writes an argument, or an item of a state.
    #[inline]
    pub fn item<T: ToValue + ?Sized>(&mut self, items: &mut OpItems, value: &T) -> Result<()> {
        items.0.count(self)?;
        value.to_ops(self)
    }

    /// Writes an attribute.
    #[inline]
    pub fn attribute<T: ToValue + ?Sized>(&mut self, items: &mut OpItems, name: &'static str, value: &T) -> Result<()> {
        items.0.count(self)?;
        self.name(name)?;
        value.to_ops(self)
    }

    /// Ends a part of the state.
    #[inline]
    pub fn end_items(&mut self, items: OpItems) -> Result<()> {
        items.0.end(self).map(drop)
    }

    /// Writes the part of the state with the attributes in `__dict__`, of which there are none.
    #[inline]
    pub fn no_state_dict(&mut self) -> Result<()> {
        self.none()
    }

    /// Ends an instance, given the number of parts of its state.
    #[inline]
    pub fn end_object(&mut self, parts: usize) -> Result<()> {
        self.leave();
        if parts == 2 {
            self.tuple_end(2)?;
        }
        if parts > 0 { self.bare(Opcode::Build) } else { Ok(()) }
    }

    /// Writes a member of an enum.
    pub fn enum_member(&mut self, class: &'static ClassDef, member: &'static Member) -> Result<()> {
        let class = self.class_defined(ClassKey::of(class), [class.module, class.name])?;
        match member.value {
            None => self.member(class, member.name),
            Some(MemberValue::Int(value)) => self.member_by_value(class, member.name, |out| out.int(value)),
            // Of texts of one character too, it has one of its own.
            Some(MemberValue::Str(value)) => {
                self.member_by_value(class, member.name, |out| out.new_text(value).map(drop))
            }
        }
    }
}
