//! Names of Python: what modules, classes and functions are called, in Python 2 and 3. No values.

pub(crate) mod python2_names;
mod qualname;
mod types;

pub(crate) use python2_names::Names;
pub use python2_names::python3_name;
#[cfg(feature = "serde")]
pub(crate) use qualname::split;
pub(crate) use qualname::split_or_builtin;
pub use types::Flavour;
pub(crate) use types::{Builtin, Class, IpClass, IpKind, is_builtins};
