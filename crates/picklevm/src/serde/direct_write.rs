//! Writes Rust types as opcodes in one pass, without a graph, by [`direct_write`](crate::direct_write).
//!
//! Left to the graph are shared pointers, graphs as fields, [`Instance`](super::Instance), instances below protocol 2, keys of
//! maps that are not plain, equal keys, hooks.

mod compound;
mod instances;
mod keys;
mod serializer;

use std::io::Write;

use ::serde::ser::Serialize;
use picklevm_ops::Sink;

use super::config::Config;
use super::error::{Error, Result};
use crate::direct_write::{self, Position, Written};

type Direct<'w, 'o, S> = direct_write::Direct<'w, S, Context<'o>>;
type Cursor<'c, 'w, 'o, S> = direct_write::Cursor<'c, 'w, S, Context<'o>>;
type Compound<'c, 'w, 'o, S, I> = direct_write::Compound<'c, 'w, S, Context<'o>, I>;

/// What the serializer needs to know.
pub(super) struct Context<'o> {
    config: &'o Config,
    /// Whether the next text is the digits of an integer.
    is_digits: bool,
}

impl Context<'_> {
    fn new(config: &Config) -> Context<'_> {
        Context { config, is_digits: false }
    }
}

/// Writes a pickle into memory.
pub(super) fn to_vec<T: Serialize + ?Sized>(config: &Config, value: &T) -> Written<Vec<u8>, Error> {
    direct_write::to_vec(&config.pickler, config.depth_limit(), Context::new(config), |cursor| cursor.write(value))
}

/// Writes a pickle to a writer.
pub(super) fn to_writer<T: Serialize + ?Sized>(config: &Config, out: &mut dyn Write, value: &T) -> Written<(), Error> {
    let context = Context::new(config);
    direct_write::to_writer(&config.pickler, config.depth_limit(), context, out, |cursor| cursor.write(value))
}

impl<S: Sink> Cursor<'_, '_, '_, S> {
    fn write<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Position> {
        // Which names stand for no class is kept from pickle to pickle, for configurations that set none.
        if !self.direct.context.config.sets_no_class() {
            self.direct.forget_plain();
        }
        let end = value.serialize(self.again());
        if !self.direct.context.config.sets_no_class() {
            self.direct.forget_plain();
        }
        end
    }

    /// Writes the content of an option or newtype, which are not levels of the data.
    #[inline]
    fn inside<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.direct.enter_call()?;
        self.at = value.serialize(self.again())?;
        self.direct.leave_call();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
