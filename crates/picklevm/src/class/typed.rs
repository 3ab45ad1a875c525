//! `FromValue` and `ToValue` for the owned views of standard-library types.

use super::{FromValue, ReadContext, ToValue, WriteContext};
use crate::error::Result;
use crate::graph::{Id, Value};
use crate::typed::{Array, Complex, Date, Fraction, Range, Reduce, TimeDelta, Uuid};

/// Returns the size of an object's arguments in bytes, which its view reads.
fn args_len(value: Value<'_>) -> usize {
    let args = value.as_object().into_iter().flat_map(|object| object.args());
    args.map(|arg| 8 * arg.len() + arg.as_bytes().map_or(0, <[u8]>::len)).sum()
}

macro_rules! views {
    ($($view:ident),*) => {$(
        /// Reads the view.
        impl<'g> FromValue<'g> for $view {
            fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
                context.spend(args_len(value))?;
                value.view()
            }
        }

        /// Reduced as CPython 3.13 does for the protocol.
        impl ToValue for $view {
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                let protocol = context.protocol();
                Ok(self.clone().reduce(context, protocol))
            }
        }
    )*};
}
views!(Array, Complex, Date, Fraction, Range, TimeDelta, Uuid);
