//! Nothing: the bench is in `../formats.rs`.
