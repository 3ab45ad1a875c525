//! Resolvers, native objects, persistent ids, buffers, the options of `Unpickler` and the hooks of `Pickler`.

mod construction;
mod dump;
mod native_objects;
mod noload;
mod options;
mod resolvers;
mod robust;
mod vectors;
