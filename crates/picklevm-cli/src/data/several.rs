//! Several pickles of a file as JSON: a line for each, or the object that a shelf is.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use picklevm_data::Reader;
use picklevm_data::files::Loaded;

use super::convert::Wanted;
use super::output::Failed;
use crate::output::Output;

/// Several pickles of a file.
pub(super) struct Several {
    /// Whether they are the values of a shelf, and their names its keys.
    pub(super) is_shelf: bool,
    /// The pickles, each with its place in the file.
    pub(super) pickles: Vec<(String, Loaded)>,
}

impl Several {
    /// Whether a format takes all of them.
    pub(super) fn takes(&self, format: &str) -> bool {
        format == "jsonl" || format == "json" && self.is_shelf
    }

    /// Writes all of them.
    pub(super) fn write(&self, wanted: Wanted<'_>, format: &str, out: &Path) -> Result<(), Failed> {
        match format {
            "jsonl" => self.write_lines(wanted, out),
            "json" if self.is_shelf => self.write_object(wanted, out),
            _ => {
                let count = self.pickles.len();
                let message = format!(
                    "it holds {count} pickles, and a .{format} takes one: choose one with --member, write a line for each into a \
                     .jsonl, or convert only the first with --skip"
                );
                Err(Failed::Data(message))
            }
        }
    }

    /// A line for each; of a shelf with its key.
    fn write_lines(&self, wanted: Wanted<'_>, out: &Path) -> Result<(), Failed> {
        let mut output = Output::create(out)?;
        for (place, loaded) in &self.pickles {
            if self.is_shelf {
                write!(output, "{{\"key\":{},\"value\":", key(place)).map_err(|error| output.failure(error))?;
            }
            write_value(loaded, place, wanted, &mut output)?;
            output.write_all(if self.is_shelf { b"}\n" } else { b"\n" }).map_err(|error| output.failure(error))?;
        }
        Ok(output.finish()?)
    }

    /// An object of the values by their keys.
    fn write_object(&self, wanted: Wanted<'_>, out: &Path) -> Result<(), Failed> {
        let mut seen = HashSet::new();
        // Keys that are no text are shown with replacements.
        if let Some((place, _)) = self.pickles.iter().find(|(place, _)| !seen.insert(place)) {
            return Err(Failed::Data(format!("two keys are {} as text: write a .jsonl", key(place))));
        }
        let mut output = Output::create(out)?;
        for (index, (place, loaded)) in self.pickles.iter().enumerate() {
            write!(output, "{}{}:", if index == 0 { '{' } else { ',' }, key(place))
                .map_err(|error| output.failure(error))?;
            write_value(loaded, place, wanted, &mut output)?;
        }
        output.write_all(if self.pickles.is_empty() { b"{}" } else { b"}" }).map_err(|error| output.failure(error))?;
        Ok(output.finish()?)
    }
}

fn key(place: &str) -> serde_json::Value {
    place.into()
}

fn write_value(loaded: &Loaded, place: &str, wanted: Wanted<'_>, out: &mut impl Write) -> Result<(), Failed> {
    let name = if place.is_empty() { wanted.name.to_owned() } else { format!("{}: {place}", wanted.name) };
    let whole = loaded.reader();
    let Some(value) = whole.at(wanted.at) else {
        return Err(Failed::Data(format!("{place}: there is nothing at {}", wanted.at)));
    };
    let reader = Reader::new(value, &*loaded.source).with_roots(loaded.graph.roots());
    wanted.plain.write(&reader, &name, out)
}
