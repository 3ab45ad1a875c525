//! What the standard library pickles, as fields: the views that own what they tell.

use super::{FromValue, ReadContext, ToValue, WriteContext};
use crate::error::Result;
use crate::graph::{Id, Value};
use crate::typed::{Array, Complex, Date, Fraction, Range, Reduce, TimeDelta, Uuid};

/// How many bytes the arguments of an object take, which a view reads.
fn args_len(value: Value<'_>) -> usize {
    let args = value.as_object().into_iter().flat_map(|object| object.args());
    args.map(|arg| 8 * arg.len() + arg.as_bytes().map_or(0, <[u8]>::len)).sum()
}

macro_rules! views {
    ($($view:ident),*) => {$(
        /// By its view.
        impl FromValue for $view {
            fn from_value(value: Value<'_>, reading: &mut ReadContext<'_>) -> Result<Self> {
                reading.spend(args_len(value))?;
                value.view()
            }
        }

        /// As CPython 3.13 reduces it for the protocol.
        impl ToValue for $view {
            fn to_value(&self, writing: &mut WriteContext<'_>) -> Result<Id> {
                let protocol = writing.protocol();
                Ok(self.clone().reduce(writing, protocol))
            }
        }
    )*};
}
views!(Array, Complex, Date, Fraction, Range, TimeDelta, Uuid);
