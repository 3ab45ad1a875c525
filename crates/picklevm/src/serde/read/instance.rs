//! What an object was made of, the same for every protocol, and what it reads as.

use super::class::Class;
use super::standard;
use crate::graph::{Cell, Change, How, Items, Kind, Object, Value};

/// An object: of which class, made by a call or without one, of what, and what it holds.
#[derive(Clone, Copy)]
pub(crate) struct Instance<'g> {
    pub(crate) class: Value<'g>,
    pub(crate) known: Class,
    /// Whether the class or function was called; an instance is made without calling its class.
    called: bool,
    pub(crate) args: Items<'g>,
    /// Keyword arguments: a dict that is not empty.
    kwargs: Option<Value<'g>>,
    pub(crate) state: Option<Value<'g>>,
    /// What was appended or added.
    items: Option<Items<'g>>,
    /// What was set by key.
    pairs: Option<Rows<'g>>,
}

/// The rows of one or two dicts, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'g> {
    pub(crate) first: &'g [[Cell; 2]],
    pub(crate) second: &'g [[Cell; 2]],
}

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
    Pairs(Items<'g>),
    /// What a call was made of: class and arguments, then the attributes.
    Call,
}

impl<'g> Rows<'g> {
    pub(crate) const NONE: Rows<'static> = Rows { first: &[], second: &[] };

    /// The rows of a dict.
    fn of_dict(value: Value<'g>) -> Option<&'g [[Cell; 2]]> {
        matches!(value.kind(), Kind::Dict(_)).then(|| value.arena().items(value.cell()).as_chunks().0)
    }

    pub(crate) fn single(first: &'g [[Cell; 2]]) -> Rows<'g> {
        Rows { first, second: &[] }
    }

    pub(crate) fn len(self) -> usize {
        self.first.len() + self.second.len()
    }
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

impl<'g> Instance<'g> {
    /// Takes an object apart. `known` is what is known of its class.
    pub(crate) fn new(object: Object<'g>, known: Class) -> Instance<'g> {
        let mut instance = Instance {
            class: object.class(),
            known,
            called: object.how() == How::Reduce,
            args: object.args(),
            kwargs: object.kwargs().filter(|kwargs| !kwargs.is_empty()),
            state: None,
            items: None,
            pairs: None,
        };
        for change in object.changes() {
            match change {
                Change::Append(items) | Change::Add(items) => instance.items = Some(items),
                Change::SetItem(pairs) => instance.pairs = Some(Rows::single(pairs.rows())),
                Change::Build(state) => instance.state = Some(state),
                Change::Effect(_) => {}
            }
        }
        if instance.called {
            instance.see_through();
        }
        instance
    }

    /// Looks through the functions of `copyreg` that make instances for protocols without an opcode for it (PEP 307).
    fn see_through(&mut self) {
        let args = self.args;
        let Some(class) = args.get(0) else { return };
        match (self.known, args.len()) {
            (Class::Reconstructor, 3) => {
                let value = args.from(2);
                self.args = args.from(usize::MAX);
                match value.get(0).map(Value::kind) {
                    None | Some(Kind::None) => {}
                    Some(Kind::Tuple(items)) => self.args = items,
                    Some(Kind::List(items) | Kind::Set(items) | Kind::FrozenSet(items)) => self.items = Some(items),
                    Some(Kind::Dict(_)) => self.pairs = value.get(0).and_then(Rows::of_dict).map(Rows::single),
                    // An atom: the only argument of what a newer protocol would have written.
                    Some(_) => self.args = value,
                }
            }
            (Class::NewObj, _) => self.args = args.from(1),
            (Class::NewObjEx, 3) => {
                self.args = args.get(1).map_or(args, Value::items);
                self.kwargs = args.get(2).filter(|kwargs| !kwargs.is_empty());
            }
            _ => return,
        }
        self.class = class;
        self.known = Class::of(class);
        self.called = false;
    }

    /// The only argument, if there is no other.
    fn only_arg(&self) -> Option<Value<'g>> {
        (self.args.len() == 1 && self.kwargs.is_none()).then(|| self.args.get(0)).flatten()
    }

    /// The attributes: of a state that is a dict, or a pair of a dict (or `None`) and a dict of slots; and the keyword
    /// arguments. `None` for a state of another kind.
    pub(crate) fn attributes(&self) -> Option<Rows<'g>> {
        let kwargs = self.kwargs.and_then(Rows::of_dict).unwrap_or_default();
        let Some(state) = self.state else { return Some(Rows { first: &[], second: kwargs }) };
        if let Some(first) = Rows::of_dict(state) {
            return Some(Rows { first, second: kwargs });
        }
        let [attributes, slots] = state.as_tuple()?.as_array()?;
        let second = Rows::of_dict(slots)?;
        match Rows::of_dict(attributes) {
            Some(first) => Some(Rows { first, second }),
            None => attributes.is_none().then_some(Rows { first: &[], second }),
        }
    }

    /// A sequence by its class, by what was appended, or by its only argument.
    fn sequence(&self) -> Option<Items<'g>> {
        self.items.or_else(|| match self.known {
            Class::Sequence => Some(self.args.get(0).and_then(items_of).unwrap_or(self.args.from(usize::MAX))),
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
            Class::Mapping => Some(arg.and_then(items_of).map_or(Reading::Rows(Rows::NONE), Reading::Pairs)),
            _ => None,
        }
    }

    /// What stands for the object where one number, text or boolean is asked for.
    pub(crate) fn as_scalar(&self) -> Reading<'g> {
        match self.only_arg() {
            Some(arg) if standard::text(self).is_none() => Reading::Value(arg),
            _ => self.as_any(),
        }
    }

    /// What the object is, where nothing in particular is asked for.
    pub(crate) fn as_any(&self) -> Reading<'g> {
        if let Some(text) = standard::text(self) {
            return Reading::Text(text);
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
        if self.known == Class::Sequence {
            return Reading::Items(self.sequence().unwrap_or(self.args));
        }
        let by_call = self.called && !self.args.is_empty();
        match (self.attributes(), self.state) {
            (Some(rows), _) if rows.len() > 0 && !by_call => Reading::Rows(rows),
            (None, Some(state)) => Reading::Value(state),
            _ => match self.only_arg() {
                Some(arg) if self.state.is_none() => Reading::Value(arg),
                _ if self.args.is_empty() => Reading::Rows(Rows::NONE),
                _ if self.called => Reading::Call,
                _ => Reading::Items(self.args),
            },
        }
    }

    /// What the object is where a sequence or tuple is asked for.
    pub(crate) fn as_sequence(&self) -> Reading<'g> {
        if let Some(items) = standard::parts(self).is_none().then(|| self.sequence()).flatten() {
            return Reading::Items(items);
        }
        match self.state.and_then(items_of) {
            Some(items) if self.attributes().is_none() => Reading::Items(items),
            _ if standard::text(self).is_some() => self.as_any(),
            _ if self.args.is_empty() && self.attributes().is_none_or(|rows| rows.len() > 0) => self.as_any(),
            _ => Reading::Items(self.args),
        }
    }

    /// What the object is where a map is asked for.
    pub(crate) fn as_map(&self) -> Reading<'g> {
        match self.attributes() {
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
        let by_call = self.known == Class::Exception || (self.called && !self.args.is_empty());
        if by_call && fields.iter().any(|field| matches!(*field, "class" | "args")) {
            return Reading::Call;
        }
        match (self.attributes(), self.state) {
            (Some(rows), _) if rows.len() > 0 => return Reading::Rows(rows),
            (None, Some(state)) => return Reading::Value(state),
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
        self.only_arg().filter(|arg| self.called && self.known == Class::Other && self.state.is_none() && is_atom(*arg))
    }
}
