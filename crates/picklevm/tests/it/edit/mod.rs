//! Tests of building and changing graphs.

mod build;
mod change;
mod convert;
mod copy;
mod literal;
mod model;
mod object;
mod rename;
mod written;

use picklevm::Value;

/// Formats a value with `Debug`.
fn shown(value: Value<'_>) -> String {
    format!("{value:?}")
}
