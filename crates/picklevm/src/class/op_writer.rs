//! `OpWriter`: writes values and instances as opcodes, in one pass. The derive macro calls its methods, and leaves out the
//! method of [`ToValue`] for classes that need more: those are written from a graph.

use picklevm_ops::{Memory, Opcode};

use super::ToValue;
use super::def::ClassDef;
use super::members::{Member, MemberValue};
#[doc(hidden)]
pub use crate::direct_write::Position;
use crate::direct_write::{After, ClassIndex, ClassKey, Compound, Cursor, Fields, Items, Keyed, Keys, List, Tuple};
use crate::error::Result;

/// Writer of opcodes.
#[doc(hidden)]
pub type OpWriter<'c, 'w> = Cursor<'c, 'w, Memory, ()>;

/// Writes a key or member.
#[inline]
fn write_key<T: ToValue>(compound: &mut Compound<'_, '_, Memory, (), Keyed>, key: &T) -> Result<()> {
    compound.item(|out| key.to_ops(out))?;
    let (cursor, keys) = compound.keys();
    let Some(key) = key.key() else { return Err(cursor.direct.leave_to_graph()) };
    let hash = Keys::hash(Some(keys), key);
    compound.add_hash(hash)
}

impl Cursor<'_, '_, Memory, ()> {
    /// Writes a list of announced length.
    #[inline]
    pub(super) fn list<'t, T: ToValue + 't>(self, len: usize, items: impl Iterator<Item = &'t T>) -> Result<Position> {
        let mut list = Compound::begin(self, |cursor| List::begin(cursor, Some(len)))?;
        for item in items {
            list.item(|out| item.to_ops(out))?;
        }
        list.finish()
    }

    /// Writes a set of announced length.
    pub(super) fn set<'t, T: ToValue + 't>(self, len: usize, members: impl Iterator<Item = &'t T>) -> Result<Position> {
        let mut set = Compound::begin(self, |cursor| Keyed::members(cursor, Some(len)))?;
        for member in members {
            write_key(&mut set, member)?;
        }
        set.finish()
    }

    /// Writes a map as a dict.
    #[inline]
    pub(super) fn map<'t, K: ToValue + 't, V: ToValue + 't>(
        self,
        len: usize,
        entries: impl Iterator<Item = (&'t K, &'t V)>,
    ) -> Result<Position> {
        let mut map = Compound::begin(self, |cursor| Keyed::rows(cursor, Some(len)))?;
        for (key, value) in entries {
            write_key(&mut map, key)?;
            map.cursor.at = value.to_ops(map.cursor.again())?;
        }
        map.finish()
    }

    /// Starts an instance, or a dict in place of one.
    #[inline(always)]
    pub fn begin(&mut self) -> Result<()> {
        self.direct.enter()
    }

    #[inline(always)]
    fn class_of(&mut self, class: &'static ClassDef) -> Result<ClassIndex> {
        self.direct.class_defined(ClassKey::of(class), [class.module, class.name])
    }

    /// Starts the arguments of an instance.
    #[inline(always)]
    pub fn begin_args(&mut self, class: &'static ClassDef, len: usize) -> Result<Tuple> {
        let class = self.class_of(class)?;
        self.class(class)?;
        Tuple::begin(self, len, After::NewObj)
    }

    /// Writes an instance without arguments, before its state.
    #[inline(always)]
    pub fn no_args(&mut self, class: &'static ClassDef) -> Result<()> {
        let class = self.class_of(class)?;
        self.empty_instance(class)
    }

    /// Starts a state that is a dict of attributes.
    #[inline(always)]
    pub fn begin_state_dict(&mut self, len: usize) -> Result<Fields> {
        Fields::begin(self, len, After::Nothing)
    }

    /// Starts a state that is a tuple.
    #[inline(always)]
    pub fn begin_state_tuple(&mut self, len: usize) -> Result<Tuple> {
        Tuple::begin(self, len, After::Nothing)
    }

    /// Starts a state that is a list.
    #[inline(always)]
    pub fn begin_state_list(&mut self, len: usize) -> Result<List> {
        List::begin(self, Some(len))
    }

    /// Writes an argument, or an item of a state.
    #[inline(always)]
    pub fn item<T: ToValue + ?Sized>(&mut self, items: &mut impl Items, value: &T) -> Result<()> {
        items.count(self)?;
        self.at = value.to_ops(self.again())?;
        Ok(())
    }

    /// Writes an attribute.
    #[inline(always)]
    pub fn attribute<T: ToValue + ?Sized>(&mut self, items: &mut Fields, name: &'static str, value: &T) -> Result<()> {
        items.count(self)?;
        self.name(name)?;
        self.at = value.to_ops(self.again())?;
        Ok(())
    }

    /// Ends the arguments, or a part of the state.
    #[inline(always)]
    pub fn end_items(&mut self, items: impl Items) -> Result<()> {
        items.end(self)
    }

    /// Ends an instance, given the number of parts of its state.
    #[inline(always)]
    pub fn end(mut self, parts: usize) -> Result<Position> {
        self.direct.leave();
        if parts == 2 {
            self.tuple_end(2)?;
        }
        if parts > 0 {
            self.bare(Opcode::Build)?;
        }
        Ok(self.at)
    }

    /// Writes a member of an enum.
    pub fn enum_member(mut self, class: &'static ClassDef, member: &'static Member) -> Result<Position> {
        let class = self.class_of(class)?;
        match member.value {
            None => self.member(class, member.name)?,
            Some(MemberValue::Int(value)) => self.member_by_value(class, member.name, |out| out.int(value))?,
            // Of texts of one character too, it has one of its own.
            Some(MemberValue::Str(value)) => {
                self.member_by_value(class, member.name, |out| out.new_text(value).map(drop))?;
            }
        }
        Ok(self.at)
    }
}
