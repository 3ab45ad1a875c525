//! Tests of the workspace: the layers of its crates.

mod layers;
