//! Resolvers, live objects, persistent ids, buffers and the options of `Unpickler`.

mod live;
mod noload;
mod options;
mod resolvers;
mod robust;
mod vectors;
