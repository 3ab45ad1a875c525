//! From pickles to Python objects: the builder for the machine, and the class `Unpickler`.

mod budget;
mod builder;
mod classes;
mod containers;
mod error;
pub(crate) mod find;
mod instances;
mod memo_proxy;
mod options;
mod outside;
mod run;
mod unpickler;

pub(crate) use self::budget::Budget;
pub(crate) use self::builder::big_int;
pub(crate) use self::error::to_python;
pub(crate) use self::memo_proxy::UnpicklerMemoProxy;
pub(crate) use self::options::{Decoding, Options};
pub(crate) use self::run::{load_file, load_slice};
pub(crate) use self::unpickler::Unpickler;
