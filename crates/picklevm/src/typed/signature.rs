//! Signatures of constructors: which arguments Python takes, by position and by name.

use super::builtins::text;
use super::class::Class;
use super::instance::InstanceView;
use crate::graph::{Construction, Dict, Items, Kind, Value};

/// The parameters of a constructor of Python, in their order: what `inspect.signature` tells of it.
pub(crate) struct Signature<const N: usize> {
    names: [&'static str; N],
    /// How many must be given.
    required: usize,
    /// How many can't be given by name.
    positional_only: usize,
    /// How many can be given by position.
    positional: usize,
    /// Whether `__new__` alone makes the whole object, so that NEWOBJ does too.
    by_new: bool,
}

impl<const N: usize> Signature<N> {
    /// Parameters of a class whose `__new__` makes the whole object, all of which may be given by position or by name.
    pub(crate) const fn new(names: [&'static str; N], required: usize) -> Self {
        Signature { names, required, positional_only: 0, positional: N, by_new: true }
    }

    /// The first so many parameters have no names.
    pub(crate) const fn positional_only(self, count: usize) -> Self {
        Signature { positional_only: count, ..self }
    }

    /// The parameters after the first so many are given by name alone.
    pub(crate) const fn keyword_only_after(self, count: usize) -> Self {
        Signature { positional: count, ..self }
    }

    /// The object is made by `__init__`, which NEWOBJ does not call.
    pub(crate) const fn by_init(self) -> Self {
        Signature { by_new: false, ..self }
    }

    /// The arguments by parameter; `None` of a call that Python refuses.
    pub(crate) fn bind<'g>(&self, args: Items<'g>, kwargs: Option<Dict<'g>>) -> Option<[Option<Value<'g>>; N]> {
        let mut bound = [None; N];
        if args.len() > self.positional {
            return None;
        }
        for (place, arg) in bound.iter_mut().zip(args) {
            *place = Some(arg);
        }
        // More of them cannot all be parameters.
        let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty());
        if kwargs.is_some_and(|kwargs| kwargs.len() > N) {
            return None;
        }
        for (key, value) in kwargs.into_iter().flat_map(Dict::entries) {
            let name = text(key)?;
            let at = self.names.iter().skip(self.positional_only).position(|known| *known == name)?;
            let place = &mut bound[self.positional_only + at];
            if place.replace(value).is_some() {
                return None;
            }
        }
        bound[..self.required].iter().all(Option::is_some).then_some(bound)
    }
}

impl<'g> InstanceView<'g> {
    /// The arguments of an instance of a class that is nothing but these, by the parameters of its constructor.
    pub(crate) fn bind<const N: usize>(
        &self,
        class: Class,
        signature: &Signature<N>,
    ) -> Option<[Option<Value<'g>>; N]> {
        let is_made = signature.by_new || !matches!(self.how, Construction::NewObj | Construction::NewObjEx);
        let is_whole = self.known == class && !self.is_partial && self.state.is_none();
        if !is_made || !is_whole || self.items.is_some() || self.pairs.is_some() {
            return None;
        }
        signature.bind(self.args, self.kwargs())
    }
}

/// An integer where Python takes one: a bool is one too.
pub(crate) fn index(value: Value<'_>) -> Option<i64> {
    value.as_i64().or_else(|| value.as_bool().map(i64::from))
}

/// An integer that may be left out.
pub(crate) fn index_or(value: Option<Value<'_>>, default: i64) -> Option<i64> {
    value.map_or(Some(default), index)
}

/// An integer or a float.
pub(crate) fn real(value: Value<'_>) -> Option<f64> {
    match value.kind() {
        Kind::Float(float) => Some(float),
        // Python refuses integers that no float comes near.
        Kind::Int(int) => Some(int.to_f64()).filter(|float| float.is_finite()),
        Kind::Bool(value) => Some(f64::from(u8::from(value))),
        _ => None,
    }
}
