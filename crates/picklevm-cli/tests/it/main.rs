//! Tests of the program.

mod cli;
mod corpus;
mod deep;
mod files;
mod live;
mod output;
mod paths;
mod readme;
mod rewrite;
mod scan;
mod several;
mod shelf;
mod support;
