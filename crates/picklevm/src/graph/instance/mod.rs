//! Objects as instances of classes: the calls of all protocols that create one, and the classes of the standard library.

mod calls;
mod class;
mod constructor_call;
mod view;

pub(crate) use class::{attribute, qualified_name};
pub(crate) use constructor_call::ConstructorCall;
pub use view::InstanceView;
#[cfg(feature = "serde")]
pub(crate) use view::Rows;
pub(crate) use view::{BoundCall, partial_parts};
