//! Tests of the library. Those of resources, which measure the process, are a program of their own: `tests/hostile`.

mod classes;
mod codec;
mod contents;
mod copying;
mod dump_limits;
mod edit;
#[allow(clippy::duplicate_mod, reason = "two examples share a file")]
mod examples;
mod fuzz_targets;
mod global_names;
mod hooks;
mod long_inputs;
mod manual;
mod pickler;
mod python2;
mod round_trip;
mod serde;
mod signed;
mod support;
mod to_bytes;
mod trace;
mod trees;
mod typed;
mod writers;
