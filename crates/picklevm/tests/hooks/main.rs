//! Resolvers, native objects, persistent ids, buffers, the options of `Unpickler` and the hooks of `Pickler`.

mod construction;
mod dump;
mod live;
mod noload;
mod options;
mod resolvers;
mod robust;
#[path = "../support/mod.rs"]
mod support;
mod vectors;
