//! `OpWriter`: writes values and instances as opcodes, in one pass. The derive macro calls its methods, and leaves out the
//! method of [`ToValue`] for classes that need more: those are written from a graph.

use picklevm_ops::{Memory, Opcode};

use super::ToValue;
use super::def::ClassDef;
use super::members::{Member, MemberValue};
use crate::direct_write::{After, ClassKey, Compound, Direct, Fields, Items, Keyed, List, Tuple};
use crate::error::Result;

/// Writer of opcodes.
#[doc(hidden)]
pub type OpWriter<'w> = Direct<'w, Memory, ()>;

/// Writes a key or member.
#[inline]
fn write_key<T: ToValue>(compound: &mut Compound<'_, '_, Memory, (), Keyed>, key: &T) -> Result<()> {
    compound.count()?;
    let (direct, keys) = compound.keys();
    let hash = key.key_to_ops(direct, Some(keys))?;
    compound.add_hash(hash)
}

impl Direct<'_, Memory, ()> {
    /// Writes a list of announced length.
    #[inline]
    pub(super) fn list<'t, T: ToValue + 't>(&mut self, len: usize, items: impl Iterator<Item = &'t T>) -> Result<()> {
        let mut list = Compound::begin(self, |direct| List::begin(direct, Some(len)))?;
        for item in items {
            list.count()?;
            item.to_ops(list.direct)?;
        }
        list.finish()
    }

    /// Writes a set of announced length.
    pub(super) fn set<'t, T: ToValue + 't>(&mut self, len: usize, members: impl Iterator<Item = &'t T>) -> Result<()> {
        let mut set = Compound::begin(self, |direct| Keyed::members(direct, Some(len)))?;
        for member in members {
            write_key(&mut set, member)?;
        }
        set.finish()
    }

    /// Writes a map as a dict.
    #[inline]
    pub(super) fn map<'t, K: ToValue + 't, V: ToValue + 't>(
        &mut self,
        len: usize,
        entries: impl Iterator<Item = (&'t K, &'t V)>,
    ) -> Result<()> {
        let mut map = Compound::begin(self, |direct| Keyed::rows(direct, Some(len)))?;
        for (key, value) in entries {
            write_key(&mut map, key)?;
            value.to_ops(map.direct)?;
        }
        map.finish()
    }

    /// Starts an instance, whose arguments follow.
    #[inline]
    pub fn begin_object(&mut self, class: &'static ClassDef, args: usize) -> Result<Tuple> {
        self.enter()?;
        let class = self.class_defined(ClassKey::of(class), [class.module, class.name])?;
        self.begin_instance(class)?;
        Tuple::begin(self, args, After::NewObj)
    }

    /// Ends the arguments.
    #[inline]
    pub fn end_args(&mut self, args: Tuple) -> Result<()> {
        args.end(self)
    }

    /// Starts a plain dict in place of an instance.
    #[inline]
    pub fn begin_dict(&mut self, len: usize) -> Result<Fields> {
        self.enter()?;
        self.begin_state_dict(len)
    }

    /// Starts a state that is a dict of attributes.
    #[inline]
    pub fn begin_state_dict(&mut self, len: usize) -> Result<Fields> {
        Fields::begin(self, len, After::Nothing)
    }

    /// Starts a state that is a tuple.
    #[inline]
    pub fn begin_state_tuple(&mut self, len: usize) -> Result<Tuple> {
        Tuple::begin(self, len, After::Nothing)
    }

    /// Starts a state that is a list.
    #[inline]
    pub fn begin_state_list(&mut self, len: usize) -> Result<List> {
        List::begin(self, Some(len))
    }

    /// Writes an argument, or an item of a state.
    #[inline]
    pub fn item<T: ToValue + ?Sized>(&mut self, items: &mut impl Items, value: &T) -> Result<()> {
        items.count(self)?;
        value.to_ops(self)
    }

    /// Writes an attribute.
    #[inline]
    pub fn attribute<T: ToValue + ?Sized>(&mut self, items: &mut Fields, name: &'static str, value: &T) -> Result<()> {
        items.count(self)?;
        self.name(name)?;
        value.to_ops(self)
    }

    /// Ends a part of the state.
    #[inline]
    pub fn end_items(&mut self, items: impl Items) -> Result<()> {
        items.end(self)
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
