//! Tests of the scanner.

mod corpora;
mod files;
mod generated;
mod model;
mod names;
mod nested;
mod rules;
mod support;
