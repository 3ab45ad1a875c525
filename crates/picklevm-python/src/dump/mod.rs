//! From Python objects to pickles: the class `Pickler`, and the steps in which an object is saved.
//!
//! Nothing recurses over the object: what is left to do is a stack of [steps](step::Step).

mod containers;
mod globals;
mod leaf;
mod memo;
mod memo_proxy;
mod notes;
mod pickler;
mod reduce;
mod save;
mod sink;
mod step;

pub(crate) use self::memo::Memo;
pub(crate) use self::memo_proxy::PicklerMemoProxy;
pub(crate) use self::pickler::{Pickler, check_callback};
pub(crate) use self::save::{Options, Saver};
pub(crate) use self::sink::{Lent, Target};
