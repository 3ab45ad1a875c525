//! What an object reads as.

use super::std_text;
use crate::graph::{Items, Kind, Value};
use crate::typed::class::Class;
use crate::typed::instance::{InstanceView, Rows};
use crate::typed::{Array, ArrayItems};

/// What an object reads as.
pub(crate) enum Reading<'g> {
    /// Another value that it stands for.
    Value(Value<'g>),
    /// The text that Python's `str` or `isoformat` gives.
    Text(String),
    /// A sequence.
    Items(Items<'g>),
    /// Attributes, or the rows of a dict.
    Rows(Rows<'g>),
    /// `(key, value)` pairs as items of a sequence: how Python 2 writes an `OrderedDict`.
    Entries(Items<'g>),
    /// What a call was made of: class and arguments, then the attributes.
    Call,
    /// The items of an `array.array`.
    Array(ArrayItems),
    /// None of these: what the class alone understands.
    Opaque,
}

fn is_atom(value: Value<'_>) -> bool {
    matches!(
        value.kind(),
        Kind::None
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Float(_)
            | Kind::Complex(..)
            | Kind::Str(_)
            | Kind::Bytes(_)
            | Kind::ByteStr(_)
            | Kind::ByteArray(_)
    )
}

/// The items of a list, tuple or set.
pub(crate) fn items_of(value: Value<'_>) -> Option<Items<'_>> {
    match value.kind() {
        Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => Some(items),
        _ => None,
    }
}

impl Rows<'_> {
    pub(crate) fn len(self) -> usize {
        self.first.len() + self.second.len()
    }
}

impl<'g> InstanceView<'g> {
    /// The only argument, if there is no other.
    fn only_arg(&self) -> Option<Value<'g>> {
        (self.args.len() == 1 && self.kwargs.is_none()).then(|| self.args.get(0)).flatten()
    }

    /// A sequence by its class, by what was appended, or by its only argument.
    fn sequence(&self) -> Option<Items<'g>> {
        self.items.or_else(|| match self.known {
            Class::Deque => Some(self.args.get(0).and_then(items_of).unwrap_or(self.args.from(usize::MAX))),
            _ => items_of(self.only_arg()?),
        })
    }

    /// A mapping by its class, by what was set, or by its only argument.
    fn mapping(&self) -> Option<Reading<'g>> {
        if let Some(rows) = self.pairs {
            return Some(Reading::Rows(rows));
        }
        let arg = self.args.get(0);
        if let Some(rows) = self.only_arg().and_then(Rows::of_dict) {
            return Some(Reading::Rows(Rows::single(rows)));
        }
        match self.known {
            Class::OrderedDict | Class::DefaultDict | Class::Counter | Class::FrozenDict => {
                Some(arg.and_then(items_of).map_or(Reading::Rows(Rows::NONE), Reading::Entries))
            }
            _ => None,
        }
    }

    /// Data of classes that are known by name, but for those that read as text.
    fn known_data(&self) -> Option<Reading<'g>> {
        match self.known {
            Class::Array | Class::ArrayReconstructor => {
                Some(Array::of(self).map_or(Reading::Opaque, |array| Reading::Array(array.into_items())))
            }
            _ => None,
        }
    }

    /// Whether the state is neither attributes nor missing: the class alone understands it.
    fn is_opaque(&self) -> bool {
        self.state.is_some() && self.attribute_rows().is_none()
    }

    /// What stands for the object where one number, text or boolean is asked for.
    pub(crate) fn as_scalar(&self) -> Reading<'g> {
        match self.only_arg() {
            Some(arg) if std_text::text(self).is_none() && self.known_data().is_none() => Reading::Value(arg),
            _ => self.as_any(),
        }
    }

    /// What the object is, where nothing in particular is asked for.
    pub(crate) fn as_any(&self) -> Reading<'g> {
        if let Some(text) = std_text::text(self) {
            return Reading::Text(text);
        }
        if let Some(data) = self.known_data() {
            return data;
        }
        match self.known {
            Class::Exception => return Reading::Call,
            Class::GetAttr if self.args.len() == 2 => return Reading::Value(self.args.get(1).unwrap_or(self.class)),
            _ => {}
        }
        if let Some(items) = self.items {
            return Reading::Items(items);
        }
        if let Some(mapping) = self.mapping() {
            return mapping;
        }
        if self.known == Class::Deque {
            return Reading::Items(self.sequence().unwrap_or(self.args));
        }
        let by_call = self.is_called() && !self.args.is_empty();
        match (self.attribute_rows(), self.state) {
            (Some(rows), _) if rows.len() > 0 && !by_call => Reading::Rows(rows),
            (None, Some(_)) => Reading::Opaque,
            _ => match self.only_arg() {
                Some(arg) if self.state.is_none() => Reading::Value(arg),
                _ if self.args.is_empty() => Reading::Rows(Rows::NONE),
                _ if self.is_called() => Reading::Call,
                _ => Reading::Items(self.args),
            },
        }
    }

    /// What the object is where a sequence or tuple is asked for.
    pub(crate) fn as_sequence(&self) -> Reading<'g> {
        if let Some(data) = self.known_data() {
            return data;
        }
        if let Some(items) = std_text::parts(self).is_none().then(|| self.sequence()).flatten() {
            return Reading::Items(items);
        }
        match self.known {
            // Its arguments are no items of it.
            Class::Range => Reading::Call,
            _ if self.is_opaque() || std_text::text(self).is_some() => self.as_any(),
            _ if self.args.is_empty() && self.attribute_rows().is_none_or(|rows| rows.len() > 0) => self.as_any(),
            _ => Reading::Items(self.args),
        }
    }

    /// What the object is where a map is asked for.
    pub(crate) fn as_map(&self) -> Reading<'g> {
        match self.attribute_rows() {
            Some(rows) if self.known != Class::Exception && self.pairs.is_none() && rows.len() > 0 => {
                Reading::Rows(rows)
            }
            _ => self.mapping().unwrap_or_else(|| match self.as_any() {
                Reading::Items(_) | Reading::Value(_) if !self.args.is_empty() => Reading::Call,
                other => other,
            }),
        }
    }

    /// What the object is where a struct with these fields is asked for.
    pub(crate) fn as_struct(&self, fields: &[&str]) -> Reading<'g> {
        if let Some(data) = self.known_data() {
            return data;
        }
        let by_call = self.known == Class::Exception || (self.is_called() && !self.args.is_empty());
        if by_call && fields.iter().any(|field| matches!(*field, "class" | "args")) {
            return Reading::Call;
        }
        match (self.attribute_rows(), self.state) {
            (Some(rows), _) if rows.len() > 0 => return Reading::Rows(rows),
            // The attributes in their order, as dataclasses with slots keep them.
            (None, Some(state)) if items_of(state).is_some_and(|items| items.len() == fields.len()) => {
                return Reading::Value(state);
            }
            (None, Some(_)) => return Reading::Opaque,
            _ => {}
        }
        if let Some(mapping) = self.mapping() {
            return mapping;
        }
        match self.only_arg().and_then(items_of) {
            _ if self.args.is_empty() => Reading::Rows(Rows::NONE),
            // A tuple subclass, unless the struct has one field, which is that of a namedtuple.
            Some(items) if fields.len() != 1 => Reading::Items(items),
            _ => Reading::Items(self.args),
        }
    }

    /// The value or name of an enum member, as far as the object looks like one.
    pub(crate) fn as_member(&self) -> Option<Value<'g>> {
        if self.known == Class::GetAttr && self.args.len() == 2 {
            return self.args.get(1);
        }
        self.only_arg()
            .filter(|arg| self.is_called() && self.known == Class::Other && self.state.is_none() && is_atom(*arg))
    }
}
