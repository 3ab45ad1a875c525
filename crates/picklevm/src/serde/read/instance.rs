//! Forms in which an object is read.

use super::std_text;
use crate::graph::{InstanceView, Rows};
use crate::graph::{Items, Kind, Value};
use crate::python::{Builtin, Class};
use crate::typed::builtins::{Plain, plain_of};
use crate::typed::contents::Contents;
use crate::typed::{Array, ArrayItems, Counter, DefaultDict, Deque, FrozenDict, OrderedDict, SimpleNamespace};

/// Form in which an object is read.
pub(crate) enum ObjectForm<'g> {
    /// As another value.
    Value(Value<'g>),
    /// As the text that Python's `str` or `isoformat` returns.
    Text(String),
    /// As a sequence.
    Items(Items<'g>),
    /// As attributes, or the rows of a dict.
    Rows(Rows<'g>),
    /// As a sequence of `(key, value)` pairs: Python 2 writes an `OrderedDict` so.
    Entries(Items<'g>),
    /// As a call: class and arguments, then the attributes.
    Call,
    /// As the items of an `array.array`.
    Array(ArrayItems),
    /// As bytes that a call makes.
    Bytes(Vec<u8>),
    /// As the sequence of what a call makes.
    Sequence(Contents<'g>),
    /// As the entries of the mapping that a call makes.
    Mapping(Contents<'g>),
    /// Not readable: only the class understands the state.
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

/// Returns the items of a list, tuple or set.
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
    /// Returns the argument, if there is exactly one.
    fn only_arg(&self) -> Option<Value<'g>> {
        (self.args.len() == 1 && self.kwargs.is_none()).then(|| self.args.get(0)).flatten()
    }

    /// Returns the items, if the object is a sequence by its class, its appended items or its only argument.
    fn sequence(&self) -> Option<Items<'g>> {
        self.items.or_else(|| match self.known {
            Class::Deque => Some(self.args.get(0).and_then(items_of).unwrap_or(self.args.from(usize::MAX))),
            _ => items_of(self.only_arg()?),
        })
    }

    /// Returns the rows, if the object is a mapping by its class, its set items or its only argument.
    fn mapping(&self) -> Option<ObjectForm<'g>> {
        if let Some(rows) = self.pairs {
            return Some(ObjectForm::Rows(rows));
        }
        let arg = self.args.get(0);
        if let Some(rows) = self.only_arg().and_then(Rows::of_dict) {
            return Some(ObjectForm::Rows(Rows::single(rows)));
        }
        match self.known {
            Class::OrderedDict | Class::DefaultDict | Class::Counter | Class::FrozenDict => {
                Some(arg.and_then(items_of).map_or(ObjectForm::Rows(Rows::NONE), ObjectForm::Entries))
            }
            _ => None,
        }
    }

    /// Returns the data of a known class, except those read as text.
    fn known_data(&self) -> Option<ObjectForm<'g>> {
        match self.known {
            Class::Array | Class::ArrayReconstructor => {
                Some(Array::of(self).map_or(ObjectForm::Opaque, |array| ObjectForm::Array(array.into_items())))
            }
            Class::Other => {
                Builtin::of(self.class)?;
                match plain_of(self) {
                    Some(Plain::Members(..)) => None,
                    Some(Plain::Bytes(_, bytes)) => Some(ObjectForm::Bytes(bytes)),
                    Some(Plain::Complex(re, im)) => Some(ObjectForm::Array(ArrayItems::Float(vec![re, im]))),
                    None => Some(ObjectForm::Opaque),
                }
            }
            Class::Deque
            | Class::OrderedDict
            | Class::DefaultDict
            | Class::Counter
            | Class::FrozenDict
            | Class::SimpleNamespace
                if self.is_filled_by_call() =>
            {
                Some(self.filled_by_call().unwrap_or(ObjectForm::Opaque))
            }
            _ => None,
        }
    }

    /// Whether a call fills a container otherwise than with a single dict, or list of a mapping's pairs.
    fn is_filled_by_call(&self) -> bool {
        let is_mapping_of_list = self.known != Class::Counter && self.known != Class::SimpleNamespace;
        match (self.known, self.args.len()) {
            _ if self.kwargs.is_some() => true,
            (_, 0) | (Class::DefaultDict, 1) => false,
            (Class::Deque, _) => self.items.is_none() || self.args.len() > 1,
            (_, 1) => {
                let arg = self.args.get(0).map(Value::kind);
                !(matches!(arg, Some(Kind::Dict(_))) && self.pairs.is_none()
                    || matches!(arg, Some(Kind::List(_) | Kind::Tuple(_))) && is_mapping_of_list)
            }
            _ => true,
        }
    }

    fn filled_by_call(&self) -> Option<ObjectForm<'g>> {
        let listed = |listed| ObjectForm::Mapping(Contents::Listed(listed));
        Some(match self.known {
            Class::Deque => ObjectForm::Sequence(Deque::of(self)?.into_contents()),
            Class::Counter => ObjectForm::Mapping(Counter::of(self)?.into_contents()),
            Class::OrderedDict => listed(OrderedDict::of(self)?.into_listed()),
            Class::DefaultDict => listed(DefaultDict::of(self)?.into_listed()),
            Class::FrozenDict => listed(FrozenDict::of(self)?.into_listed()),
            _ => listed(SimpleNamespace::of(self)?.into_listed()),
        })
    }

    /// Whether there is a state that is not attributes: only the class understands it.
    fn is_opaque(&self) -> bool {
        self.state.is_some() && self.attribute_rows().is_none()
    }

    /// Returns the form for a number, text or boolean.
    pub(crate) fn as_scalar(&self) -> ObjectForm<'g> {
        match self.only_arg() {
            Some(arg) if std_text::text(self).is_none() && self.known_data().is_none() => ObjectForm::Value(arg),
            _ => self.as_any(),
        }
    }

    /// Returns the form for `deserialize_any`.
    pub(crate) fn as_any(&self) -> ObjectForm<'g> {
        if let Some(text) = std_text::text(self) {
            return ObjectForm::Text(text);
        }
        if let Some(data) = self.known_data() {
            return data;
        }
        match self.known {
            Class::Exception => return ObjectForm::Call,
            Class::GetAttr if self.args.len() == 2 => return ObjectForm::Value(self.args.get(1).unwrap_or(self.class)),
            _ => {}
        }
        if let Some(items) = self.items {
            return ObjectForm::Items(items);
        }
        if let Some(mapping) = self.mapping() {
            return mapping;
        }
        if self.known == Class::Deque {
            return ObjectForm::Items(self.sequence().unwrap_or(self.args));
        }
        let by_call = self.is_called() && !self.args.is_empty();
        match (self.attribute_rows(), self.state) {
            (Some(rows), _) if rows.len() > 0 && !by_call => ObjectForm::Rows(rows),
            (None, Some(_)) => ObjectForm::Opaque,
            _ => match self.only_arg() {
                Some(arg) if self.state.is_none() => ObjectForm::Value(arg),
                _ if self.args.is_empty() => ObjectForm::Rows(Rows::NONE),
                _ if self.is_called() => ObjectForm::Call,
                _ => ObjectForm::Items(self.args),
            },
        }
    }

    /// Returns the form for a sequence or tuple.
    pub(crate) fn as_sequence(&self) -> ObjectForm<'g> {
        if let Some(data) = self.known_data() {
            return data;
        }
        if let Some(items) = std_text::parts(self).is_none().then(|| self.sequence()).flatten() {
            return ObjectForm::Items(items);
        }
        match self.known {
            // Its arguments are not its items.
            Class::Range => ObjectForm::Call,
            _ if self.is_opaque() || std_text::text(self).is_some() => self.as_any(),
            _ if self.args.is_empty() && self.attribute_rows().is_none_or(|rows| rows.len() > 0) => self.as_any(),
            _ => ObjectForm::Items(self.args),
        }
    }

    /// Returns the form for a map.
    pub(crate) fn as_map(&self) -> ObjectForm<'g> {
        if let Some(data) = self.known_data() {
            return data;
        }
        match self.attribute_rows() {
            Some(rows) if self.known != Class::Exception && self.pairs.is_none() && rows.len() > 0 => {
                ObjectForm::Rows(rows)
            }
            _ => self.mapping().unwrap_or_else(|| match self.as_any() {
                ObjectForm::Items(_) | ObjectForm::Value(_) if !self.args.is_empty() => ObjectForm::Call,
                other => other,
            }),
        }
    }

    /// Returns the form for a struct with these fields.
    pub(crate) fn as_struct(&self, fields: &[&str]) -> ObjectForm<'g> {
        if let Some(data) = self.known_data() {
            return data;
        }
        let by_call = self.known == Class::Exception || (self.is_called() && !self.args.is_empty());
        if by_call && fields.iter().any(|field| matches!(*field, "class" | "args")) {
            return ObjectForm::Call;
        }
        match (self.attribute_rows(), self.state) {
            (Some(rows), _) if rows.len() > 0 => return ObjectForm::Rows(rows),
            // The attributes in order, as in dataclasses with slots.
            (None, Some(state)) if items_of(state).is_some_and(|items| items.len() == fields.len()) => {
                return ObjectForm::Value(state);
            }
            (None, Some(_)) => return ObjectForm::Opaque,
            _ => {}
        }
        if let Some(mapping) = self.mapping() {
            return mapping;
        }
        match self.only_arg().and_then(items_of) {
            _ if self.args.is_empty() => ObjectForm::Rows(Rows::NONE),
            // A tuple subclass, unless the struct has one field: then it is a namedtuple.
            Some(items) if fields.len() != 1 => ObjectForm::Items(items),
            _ => ObjectForm::Items(self.args),
        }
    }

    /// Returns the value or name of an enum member, if the object looks like one.
    pub(crate) fn as_member(&self) -> Option<Value<'g>> {
        if self.known == Class::GetAttr && self.args.len() == 2 {
            return self.args.get(1);
        }
        self.only_arg()
            .filter(|arg| self.is_called() && self.known == Class::Other && self.state.is_none() && is_atom(*arg))
    }
}
