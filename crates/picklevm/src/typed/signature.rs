//! Signatures of Python constructors.

use num_bigint::BigInt;

use super::builtins::text;
use super::decimal::Decimal;
use super::numbers::Fraction;
use crate::graph::InstanceView;
use crate::graph::{Dict, Items, Kind, Value};
use crate::python::Class;

/// The parameters of a Python constructor in order, as in `inspect.signature`.
pub(crate) struct Signature<const N: usize> {
    names: [&'static str; N],
    /// Number of required parameters.
    required: usize,
    /// Number of positional-only parameters.
    positional_only: usize,
    /// Number of parameters that accept positional arguments.
    positional: usize,
    /// Whether `__new__` alone initializes the object, so that NEWOBJ does too.
    by_new: bool,
}

impl<const N: usize> Signature<N> {
    /// Parameters of a class that is initialized by `__new__`. All accept positional and keyword arguments.
    pub(crate) const fn new(names: [&'static str; N], required: usize) -> Self {
        Signature { names, required, positional_only: 0, positional: N, by_new: true }
    }

    /// Makes the first `count` parameters positional-only.
    pub(crate) const fn positional_only(self, count: usize) -> Self {
        Signature { positional_only: count, ..self }
    }

    /// Makes the parameters after the first `count` keyword-only.
    pub(crate) const fn keyword_only_after(self, count: usize) -> Self {
        Signature { positional: count, ..self }
    }

    /// Marks a class that is initialized by `__init__`, which NEWOBJ does not call.
    pub(crate) const fn by_init(self) -> Self {
        Signature { by_new: false, ..self }
    }

    /// Binds arguments to parameters; returns `None` for a call that Python rejects.
    pub(crate) fn bind<'g>(&self, args: Items<'g>, kwargs: Option<Dict<'g>>) -> Option<[Option<Value<'g>>; N]> {
        self.bind_both([args, args.from(usize::MAX)], kwargs)
    }

    /// The same for arguments in two parts.
    pub(crate) fn bind_both<'g>(
        &self,
        [first, more]: [Items<'g>; 2],
        kwargs: Option<Dict<'g>>,
    ) -> Option<[Option<Value<'g>>; N]> {
        let mut bound = [None; N];
        if first.len() + more.len() > self.positional {
            return None;
        }
        for (place, arg) in bound.iter_mut().zip(first.chain(more)) {
            *place = Some(arg);
        }
        // More keyword arguments than parameters: some are unknown.
        let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty());
        if kwargs.is_some_and(|kwargs| kwargs.len() > N) {
            return None;
        }
        for (key, value) in kwargs.into_iter().flat_map(Dict::entries) {
            let name = text(key)?;
            let index = self.names.iter().skip(self.positional_only).position(|known| *known == name)?;
            let place = &mut bound[self.positional_only + index];
            if place.replace(value).is_some() {
                return None;
            }
        }
        bound[..self.required].iter().all(Option::is_some).then_some(bound)
    }
}

impl<'g> InstanceView<'g> {
    /// Binds the arguments of an instance of `class` that has neither state nor items.
    pub(crate) fn bind<const N: usize>(
        &self,
        class: Class,
        signature: &Signature<N>,
    ) -> Option<[Option<Value<'g>>; N]> {
        let is_initialized = signature.by_new || self.is_initialized();
        let is_complete = !self.is_incomplete && self.state.is_none();
        if !is_initialized || !is_complete || self.items.is_some() || self.pairs.is_some() {
            return None;
        }
        if self.known == class {
            return signature.bind(self.args, self.kwargs());
        }
        let call = self.bound_call().filter(|call| call.known == class)?;
        signature.bind_both([call.bound, self.args], call.kwargs.and_then(Value::as_dict))
    }
}

/// Returns whether a value may be callable in Python.
pub(crate) fn may_be_callable(value: Value<'_>) -> bool {
    matches!(
        value.kind(),
        Kind::Global(_) | Kind::Ext(_) | Kind::Object(_) | Kind::Persistent(_) | Kind::NativeObject(_)
    )
}

/// Returns an integer or bool as an integer.
pub(crate) fn index(value: Value<'_>) -> Option<i64> {
    value.as_i64().or_else(|| value.as_bool().map(i64::from))
}

/// Returns an optional integer or its default.
pub(crate) fn index_or(value: Option<Value<'_>>, default: i64) -> Option<i64> {
    value.map_or(Some(default), index)
}

/// Returns a float, integer, bool, decimal or fraction as a float.
pub(crate) fn real(value: Value<'_>) -> Option<f64> {
    match value.kind() {
        Kind::Float(float) => Some(float),
        // Python rejects integers beyond the range of floats.
        Kind::Int(int) => Some(int.to_f64()).filter(|float| float.is_finite()),
        Kind::Bool(value) => Some(f64::from(u8::from(value))),
        Kind::Object(_) => real_of_object(&InstanceView::of(value)?),
        _ => None,
    }
}

pub(crate) fn real_of_object(number: &InstanceView<'_>) -> Option<f64> {
    match number.result_class() {
        Class::Decimal => {
            let decimal = Decimal::of(number)?;
            let digits = decimal.as_str().trim_start_matches('-');
            // Python drops the digits of a NaN and refuses a signaling one.
            let text = if digits.starts_with("NaN") { "NaN" } else { decimal.as_str() };
            text.parse().ok()
        }
        Class::Fraction => {
            const EXACT_BITS: u64 = 53;
            let fraction = Fraction::of(number)?;
            let part = |part: &BigInt| Some(i64::try_from(part).ok().filter(|_| part.bits() <= EXACT_BITS)? as f64);
            Some(part(fraction.numerator())? / part(fraction.denominator())?)
        }
        _ => None,
    }
}
