//! Paths to values inside of values, as Python writes them: `cart[0].price`.

mod edit;
mod follow;
mod parse;
mod places;
#[cfg(test)]
mod tests;

use std::fmt::Write;

pub(crate) use self::follow::{attribute_step, entries, object_items};
pub use self::places::{Place, Places};
use crate::graph::{Kind, Value};
#[cfg(feature = "serde")]
use crate::steps::is_identifier;
pub use crate::steps::{Part, Path, Step};

impl Path {
    /// Returns the names of the steps with dots between them, as the parameters of a model are named: `model.0.weight`.
    ///
    /// ```
    /// assert_eq!(picklevm::Path::parse("['model'][0].weight")?.dotted(), "model.0.weight");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn dotted(&self) -> String {
        self.0.iter().map(Step::plain).collect::<Vec<_>>().join(".")
    }

    /// Returns the path as a JSON Pointer (RFC 6901): `/cart/0/price`.
    pub fn to_pointer(&self) -> String {
        self.0.iter().map(|step| format!("/{}", step.plain().replace('~', "~0").replace('/', "~1"))).collect()
    }
}

impl Step {
    /// Returns the step to the value of a key.
    ///
    /// ```
    /// let graph = picklevm::value!([("a", 1), 5, "a b"]);
    /// let steps: Vec<_> = graph.root().items().map(|key| picklevm::Step::key(key).to_string()).collect();
    /// assert_eq!(steps, ["[('a', 1)]", "[5]", "['a b']"]);
    /// ```
    pub fn key(key: Value<'_>) -> Step {
        match key.as_i64() {
            Some(index) => Step::Index(index),
            None => Step::Key(key_text(key)),
        }
    }

    #[cfg(feature = "serde")]
    /// Returns the step to an attribute, or to the value of a key that is an identifier; else the step to the value of
    /// the key.
    pub(crate) fn name_or_key(key: Value<'_>) -> Step {
        match key.as_str().or_else(|| str::from_utf8(key.as_bytes()?).ok()) {
            Some(name) if is_identifier(name) && name.len() <= 60 => Step::Name(name.to_owned()),
            _ => Step::key(key),
        }
    }

    /// Returns the name without quotes and brackets.
    fn plain(&self) -> String {
        match self {
            Step::Name(name) => name.clone(),
            Step::Key(key) => crate::literal::parse(key).map_or_else(
                // The index of an array.
                |_| key.replace(", ", "."),
                |graph| match graph.root().kind() {
                    Kind::Str(text) => text.to_string(),
                    Kind::Bytes(bytes) => String::from_utf8(bytes.to_vec())
                        .unwrap_or_else(|_| bytes.iter().copied().map(char::from).collect()),
                    _ => key.clone(),
                },
            ),
            step => {
                let mut text = String::new();
                // Writing to memory does not fail.
                let _ = write!(text, "{step}");
                text.trim_start_matches(['.', '[']).trim_end_matches(']').to_owned()
            }
        }
    }
}

/// Returns a key as Python writes it. 8-bit strings of Python 2 are written as text where they are UTF-8. Very large keys
/// are cut off.
pub(crate) fn key_text(key: Value<'_>) -> String {
    let text = match key.kind() {
        Kind::ByteStr(bytes) => match str::from_utf8(bytes) {
            Ok(text) => return picklevm_ops::repr::Str(text.into()).to_string(),
            Err(_) => return picklevm_ops::repr::Bytes(bytes).to_string(),
        },
        _ => key.pretty().one_line().max_depth(12).max_items(200).max_bytes(1 << 16).to_string(),
    };
    match text.char_indices().nth(1 << 16) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
