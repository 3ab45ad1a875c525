//! Members of Python enums: what a derived Rust enum stands for.

use super::def::ClassDef;
use super::reading::ReadContext;
use super::writing::WriteContext;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Id, Kind, Value, describe, qualified_name};
use crate::typed;

/// A member of a Python enum: its name, and its value if members are pickled by value.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub(super) name: &'static str,
    pub(super) value: Option<MemberValue>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum MemberValue {
    Int(i64),
    Str(&'static str),
}

impl Member {
    /// Describes a member that is pickled by name, as with `enum.pickle_by_enum_name`.
    pub const fn by_name(name: &'static str) -> Self {
        Member { name, value: None }
    }

    /// Describes a member with an integer value.
    pub const fn int(name: &'static str, value: i64) -> Self {
        Member { name, value: Some(MemberValue::Int(value)) }
    }

    /// Describes a member with a text value.
    pub const fn str(name: &'static str, value: &'static str) -> Self {
        Member { name, value: Some(MemberValue::Str(value)) }
    }

    fn has(&self, value: Value<'_>) -> bool {
        match self.value {
            Some(MemberValue::Int(int)) => value.as_i64() == Some(int),
            Some(MemberValue::Str(text)) => value == text,
            None => false,
        }
    }
}

impl ReadContext<'_> {
    /// Reads a member of an enum, by value or name. Returns its index.
    ///
    /// # Errors
    ///
    /// [`Type`](ErrorKind::Type) for anything but a member of this class.
    pub fn member(&mut self, value: Value<'_>, class: &ClassDef, members: &[Member]) -> Result<usize> {
        find(value, class, members).ok_or_else(|| {
            let found = value.pretty().brief().one_line().to_string();
            let found = if value.as_object().is_some() { found } else { describe(value.arena(), value.cell()) };
            Error::new(ErrorKind::Type, format!("a member of {class}"), found)
        })
    }
}

fn find(value: Value<'_>, class: &ClassDef, members: &[Member]) -> Option<usize> {
    let by_name = |name: &str| members.iter().position(|member| member.name == name);
    if let Kind::Global(global) = value.kind() {
        // `enum.pickle_by_global_name`.
        let (outer, name) = global.name().as_str()?.rsplit_once('.')?;
        let module = global.module().as_str()?;
        return by_name(name).filter(|_| class.is_called(module, outer));
    }
    let member: typed::EnumMember<'_> = value.view().ok()?;
    let (module, name) = qualified_name(member.class())?;
    if !class.is_called(module, &name) {
        return None;
    }
    match member.member() {
        typed::Member::Name(name) => by_name(name),
        typed::Member::Names(_) => None,
        typed::Member::Value(value) => members.iter().position(|member| member.has(value)),
    }
}

impl WriteContext<'_> {
    /// Writes a member of an enum. All uses share one value.
    ///
    /// # Errors
    ///
    /// Never fails.
    pub fn write_member(&mut self, class: &ClassDef, member: &Member) -> Result<Id> {
        let global = self.global(class.module, class.name);
        if let Some(known) = self.known_member(global, member.name) {
            return Ok(known);
        }
        let written = match member.value {
            Some(MemberValue::Int(value)) => self.enum_member(global, value),
            Some(MemberValue::Str(value)) => self.enum_member(global, value),
            None => {
                let getattr = self.global("builtins", "getattr");
                let name = self.name(member.name);
                Id(self.new_attribute(getattr.0, global.0, name.0))
            }
        };
        self.remember_member(global, member.name, written);
        Ok(written)
    }
}
