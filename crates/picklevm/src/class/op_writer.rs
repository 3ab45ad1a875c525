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
    let (cursor, keys) = compound.keys();
    let hash = cursor.by_memory(|out| key.key_to_ops(out, Some(keys)))?;
    compound.add_hash(hash)
}

impl Direct<'_, Memory, ()> {
    /// Writes a list of announced length.
    #[inline]
    pub(super) fn list<'t, T: ToValue + 't>(&mut self, len: usize, items: impl Iterator<Item = &'t T>) -> Result<()> {
        let mut list = Compound::begin(self.cursor(), |cursor| List::begin(cursor, Some(len)))?;
        for item in items {
            list.count()?;
            list.cursor.by_memory(|out| item.to_ops(out))?;
        }
        let end = list.finish()?;
        self.go_to(end);
        Ok(())
    }

    /// Writes a set of announced length.
    pub(super) fn set<'t, T: ToValue + 't>(&mut self, len: usize, members: impl Iterator<Item = &'t T>) -> Result<()> {
        let mut set = Compound::begin(self.cursor(), |cursor| Keyed::members(cursor, Some(len)))?;
        for member in members {
            write_key(&mut set, member)?;
        }
        let end = set.finish()?;
        self.go_to(end);
        Ok(())
    }

    /// Writes a map as a dict.
    #[inline]
    pub(super) fn map<'t, K: ToValue + 't, V: ToValue + 't>(
        &mut self,
        len: usize,
        entries: impl Iterator<Item = (&'t K, &'t V)>,
    ) -> Result<()> {
        let mut map = Compound::begin(self.cursor(), |cursor| Keyed::rows(cursor, Some(len)))?;
        for (key, value) in entries {
            write_key(&mut map, key)?;
            map.cursor.by_memory(|out| value.to_ops(out))?;
        }
        let end = map.finish()?;
        self.go_to(end);
        Ok(())
    }

    /// Starts an instance, whose arguments follow.
    #[inline]
    pub fn begin_object(&mut self, class: &'static ClassDef, args: usize) -> Result<Tuple> {
        self.enter()?;
        let class = self.class_defined(ClassKey::of(class), [class.module, class.name])?;
        self.begin_instance(class)?;
        self.by_cursor(|cursor| Tuple::begin(cursor, args, After::NewObj))
    }

    /// Ends the arguments.
    #[inline]
    pub fn end_args(&mut self, args: Tuple) -> Result<()> {
        self.by_cursor(|cursor| args.end(cursor))
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
        self.by_cursor(|cursor| Fields::begin(cursor, len, After::Nothing))
    }

    /// Starts a state that is a tuple.
    #[inline]
    pub fn begin_state_tuple(&mut self, len: usize) -> Result<Tuple> {
        self.by_cursor(|cursor| Tuple::begin(cursor, len, After::Nothing))
    }

    /// Starts a state that is a list.
    #[inline]
    pub fn begin_state_list(&mut self, len: usize) -> Result<List> {
        self.by_cursor(|cursor| List::begin(cursor, Some(len)))
    }

    /// Writes an argument, or an item of a state.
    #[inline]
    pub fn item<T: ToValue + ?Sized>(&mut self, items: &mut impl Items, value: &T) -> Result<()> {
        self.by_cursor(|cursor| items.count(cursor))?;
        value.to_ops(self)
    }

    /// Writes an attribute.
    #[inline]
    pub fn attribute<T: ToValue + ?Sized>(&mut self, items: &mut Fields, name: &'static str, value: &T) -> Result<()> {
        self.by_cursor(|cursor| {
            items.count(cursor)?;
            cursor.name(name)
        })?;
        value.to_ops(self)
    }

    /// Ends a part of the state.
    #[inline]
    pub fn end_items(&mut self, items: impl Items) -> Result<()> {
        self.by_cursor(|cursor| items.end(cursor))
    }

    /// Writes the part of the state with the attributes in `__dict__`, of which there are none.
    #[inline]
    pub fn no_state_dict(&mut self) -> Result<()> {
        self.by_cursor(|cursor| cursor.none())
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
