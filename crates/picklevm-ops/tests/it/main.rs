//! Tests of the opcode layer.

mod feeds;
mod hostile;
mod reader;
mod readings;
mod reprs;
mod rewriter;
mod table;
mod tools;
mod vectors;
mod writer;
