//! Plain JSON, for programs that know no Python.

use std::io::Write;

use picklevm_data::{Error, Reader, json};

use super::output::Failed;
use crate::failure::{Failure, note};

/// How plain JSON is written.
#[derive(clap::Args, Clone, Copy, Default)]
pub(crate) struct PlainJson {
    /// In plain JSON, add the class of each instance as `$class`
    #[arg(long)]
    classes: bool,
    /// In plain JSON, write null for what it has no form for (a value inside of itself, NaN), with a warning each, instead of
    /// failing
    #[arg(long)]
    lenient: bool,
}

impl PlainJson {
    /// Writes what a reader reads.
    pub(crate) fn write(self, reader: &Reader<'_, '_>, name: &str, out: &mut impl Write) -> Result<(), Failed> {
        let mut warn = |message: &str| note(&format!("{name}: {message}"));
        let mut options = json::Options::new().classes(self.classes);
        // In an array of numbers NaN is a missing one as a rule.
        let is_array = reader.item(reader.root()).is_some();
        if self.lenient || is_array {
            options = options.lenient(&mut warn);
        }
        json::write(reader, options, out).map_err(|error: Error| match error.kind() {
            picklevm_data::ErrorKind::Unsupported if !self.lenient => {
                Failed::Other(Failure::data(name, error).hint("--lenient writes null instead"))
            }
            _ => Failed::from(error),
        })
    }
}
