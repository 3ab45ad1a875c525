//! What building and changing graphs promises.

mod build;
mod change;
mod convert;
mod copy;
mod literal;
mod model;
mod object;
mod written;

use picklevm::Value;

/// A value as `Debug` prints it: short, and enough to tell plain data apart.
fn shown(value: Value<'_>) -> String {
    format!("{value:?}")
}
