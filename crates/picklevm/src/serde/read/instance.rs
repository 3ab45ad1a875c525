//! Forms in which an object is read.

use super::access::Entry;
use super::std_text;
use crate::graph::{InstanceView, Rows};
use crate::graph::{Items, Kind, Value, qualified_name};
use crate::python::{Builtin, Class};
use crate::typed::builtins::{Plain, plain_of};
use crate::typed::contents::Contents;
use crate::typed::{
    Array, ArrayItems, Counter, DefaultDict, Deque, Fraction, FrozenDict, OrderedDict, Partial, Range, Regex,
    SimpleNamespace, Slice,
};

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
    /// As the integers of a range.
    Range(Range),
    /// As a struct or map of these.
    Fields(Vec<(&'static str, Entry<'g>)>),
    /// As the sequence of these values.
    Values(Vec<Entry<'g>>),
    /// Not readable: only the class understands the arguments or the state, or there are several parts, of which a
    /// reading would drop one.
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
        let bound = self.bound_call();
        let known = bound.as_ref().map_or(self.known, |call| call.known);
        match known {
            Class::Range => Some(Range::of(self).map_or(ObjectForm::Opaque, ObjectForm::Range)),
            Class::Array | Class::ArrayReconstructor => {
                Some(Array::of(self).map_or(ObjectForm::Opaque, |array| ObjectForm::Array(array.into_items())))
            }
            Class::Other => {
                Builtin::of(bound.map_or(self.class, |call| call.class))?;
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
                if bound.is_some() || self.is_filled_by_call() =>
            {
                Some(self.filled_by_call(known).unwrap_or(ObjectForm::Opaque))
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

    fn filled_by_call(&self, known: Class) -> Option<ObjectForm<'g>> {
        let listed = |listed| ObjectForm::Mapping(Contents::Listed(listed));
        Some(match known {
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
        if let Some(text) = std_text::text(self) {
            return ObjectForm::Text(text);
        }
        // An enum member, or an instance of a subclass of a built-in type.
        match self.only_arg().or_else(|| self.as_member()) {
            Some(arg) if self.known_data().is_none() => ObjectForm::Value(arg),
            _ => self.as_any(),
        }
    }

    /// Returns the form for `deserialize_any`. Reads everything that the object holds: an object of several parts, such
    /// as a text with attributes, has none, and neither has what a call of an unknown class makes of one argument.
    pub(crate) fn as_any(&self) -> ObjectForm<'g> {
        if let Some(text) = std_text::text(self) {
            return ObjectForm::Text(text);
        }
        if let Some(data) = self.known_data() {
            return data;
        }
        if let Some(fields) = self.fields() {
            return ObjectForm::Fields(fields);
        }
        let attributes = self.attribute_rows();
        let has_attributes = attributes.is_some_and(|rows| rows.len() > 0);
        let is_opaque = attributes.is_none() && self.state.is_some_and(|state| !state.is_none());
        match self.known {
            Class::Exception => return ObjectForm::Call,
            Class::GetAttr => return ObjectForm::Opaque,
            _ => {}
        }
        let is_known = self.known != Class::Other;
        if self.items.is_some() || self.pairs.is_some() {
            let has_args = !is_known && !self.args.is_empty();
            if has_args || has_attributes || is_opaque || self.items.is_some() && self.pairs.is_some() {
                return ObjectForm::Opaque;
            }
            if let Some(items) = self.items {
                return ObjectForm::Items(items);
            }
        }
        if is_known || self.pairs.is_some() {
            if has_attributes || is_opaque {
                return ObjectForm::Opaque;
            }
            if let Some(mapping) = self.mapping() {
                return mapping;
            }
            if self.known == Class::Deque {
                return ObjectForm::Items(self.sequence().unwrap_or(self.args));
            }
        }
        match (self.args.len(), attributes) {
            _ if is_opaque => ObjectForm::Opaque,
            (0, attributes) => ObjectForm::Rows(attributes.unwrap_or(Rows::NONE)),
            (1, _) if self.is_called() && !has_attributes => ObjectForm::Opaque,
            _ if self.is_called() => ObjectForm::Call,
            _ if has_attributes => ObjectForm::Opaque,
            (1, _) => self.only_arg().map_or(ObjectForm::Opaque, ObjectForm::Value),
            _ => ObjectForm::Items(self.args),
        }
    }

    /// Returns the parts of an object that is read as a struct or map of them.
    fn fields(&self) -> Option<Vec<(&'static str, Entry<'g>)>> {
        match self.known {
            Class::Slice => {
                let Slice { start, stop, step } = Slice::of(self)?;
                Some(
                    [("start", start), ("stop", stop), ("step", step)]
                        .map(|(name, part)| (name, Entry::Value(part)))
                        .into(),
                )
            }
            Class::Regex => {
                let regex = Regex::of(self)?;
                Some(vec![("pattern", Entry::Value(regex.pattern())), ("flags", Entry::Int(regex.flags()))])
            }
            Class::Partial => {
                let partial = Partial::of(self)?;
                let keywords =
                    partial.keywords().map_or(Entry::Rows(Rows::NONE), |keywords| Entry::Value(keywords.value()));
                let parts = vec![
                    ("function", Entry::Class(partial.function())),
                    ("args", Entry::Items(partial.args())),
                    ("keywords", keywords),
                ];
                // Its attributes would be lost.
                partial.attributes().is_none_or(|attributes| attributes.is_empty()).then_some(parts)
            }
            _ => None,
        }
    }

    /// Returns the parts of an object that is read as a sequence of them.
    fn parts(&self) -> Option<ObjectForm<'g>> {
        match self.known {
            Class::Slice | Class::Regex => {
                Some(ObjectForm::Values(self.fields()?.into_iter().map(|(_, part)| part).collect()))
            }
            Class::Fraction => {
                let fraction = Fraction::of(self)?;
                let [numerator, denominator] =
                    [fraction.numerator(), fraction.denominator()].map(|part| i64::try_from(part).ok());
                Some(ObjectForm::Array(ArrayItems::Int(vec![numerator?, denominator?])))
            }
            _ => None,
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
        if let Some(parts) = self.parts() {
            return parts;
        }
        match self.known {
            // Their arguments are not their items.
            Class::Range | Class::GetAttr | Class::Partial => ObjectForm::Opaque,
            Class::Other if self.is_called() && self.args.len() == 1 => ObjectForm::Opaque,
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
                // Class and arguments are all of it.
                ObjectForm::Opaque | ObjectForm::Text(_)
                    if self.is_called()
                        && self.state.is_none()
                        && !self.args.is_empty()
                        && self.known != Class::GetAttr =>
                {
                    ObjectForm::Call
                }
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
        if let Some(parts) = self.fields() {
            return ObjectForm::Fields(parts);
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
            _ if self.known == Class::GetAttr => ObjectForm::Opaque,
            None if self.known == Class::Other && self.is_called() && self.args.len() == 1 => ObjectForm::Opaque,
            // A tuple subclass, unless the struct has one field: then it is a namedtuple.
            Some(items) if fields.len() != 1 => ObjectForm::Items(items),
            _ => ObjectForm::Items(self.args),
        }
    }

    /// Returns the value or name of an enum member, if the object looks like one.
    pub(crate) fn as_member(&self) -> Option<Value<'g>> {
        // By its name; the attribute of an instance is a bound method.
        if self.known == Class::GetAttr && self.args.len() == 2 {
            return self.args.get(1).filter(|_| self.args.get(0).and_then(qualified_name).is_some());
        }
        self.only_arg()
            .filter(|arg| self.is_called() && self.known == Class::Other && self.state.is_none() && is_atom(*arg))
    }
}
