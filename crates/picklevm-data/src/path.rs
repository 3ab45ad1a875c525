//! Where a value stands in a pickle, as Python writes it: `['model'][0].weight`.

use std::fmt;

use picklevm::{Kind, Value};

/// One step from a value to one inside of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// An attribute: `.name`.
    Attr(String),
    /// The item at a position of a list or tuple: `[3]`.
    Index(usize),
    /// The element of an array of objects: `[0, 1]`; `[()]` of an array without dimensions.
    Element(Vec<usize>),
    /// A key of a dict: how Python writes it, and its text without quotes.
    Key {
        /// Python's `repr` of the key.
        repr: String,
        /// The key as text, for the dotted name.
        text: String,
    },
    /// What Python has no short way to write: an argument of a call, a part of a state.
    Part(String),
}

/// Steps from the root.
///
/// ```
/// use picklevm_data::{Path, Step};
///
/// let path = Path::root().join(Step::Attr("layers".into())).join(Step::Index(2));
/// assert_eq!(path.to_string(), ".layers[2]");
/// assert_eq!(path.dotted(), "layers.2");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path(Vec<Step>);

impl Path {
    /// The path of the root, without steps.
    pub fn root() -> Path {
        Path::default()
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The path with one more step.
    #[must_use]
    pub fn join(&self, step: Step) -> Path {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Path(steps)
    }

    /// Whether it is the root's.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` begins with this path.
    pub fn contains(&self, other: &Path) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The steps after those of `base`.
    #[must_use]
    pub fn below(&self, base: &Path) -> Path {
        Path(self.0.get(base.0.len()..).unwrap_or_default().to_vec())
    }

    /// The names of the steps with dots between them, as the parameters of a model are named: `model.0.weight`.
    pub fn dotted(&self) -> String {
        let mut out = String::new();
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 {
                out.push('.');
            }
            match step {
                Step::Attr(name) => out.push_str(name),
                Step::Index(index) => out.push_str(&index.to_string()),
                Step::Element(index) => out.push_str(&index.iter().map(usize::to_string).collect::<Vec<_>>().join(".")),
                Step::Key { text, .. } => out.push_str(text),
                Step::Part(part) => out.push_str(part),
            }
        }
        out
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| step.fmt(f))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Attr(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Element(index) if index.is_empty() => f.write_str("[()]"),
            Step::Element(index) => {
                write!(f, "[{}]", index.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
            }
            Step::Key { repr, .. } => write!(f, "[{repr}]"),
            Step::Part(part) => f.write_str(part),
        }
    }
}

impl Step {
    /// The step to the value of a key.
    pub fn key(key: Value<'_>) -> Step {
        let repr = repr(key);
        let text = match key.kind() {
            Kind::Str(text) => text.to_string(),
            Kind::ByteStr(bytes) | Kind::Bytes(bytes) => text_of_bytes(bytes),
            _ => repr.clone(),
        };
        Step::Key { repr, text }
    }
}

/// Bytes as text: UTF-8, or else Latin-1.
pub(crate) fn text_of_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// A key as Python writes it. Only short keys are written out: tuples to a depth of eight.
pub(crate) fn repr(value: Value<'_>) -> String {
    let mut out = String::new();
    write_repr(value, 8, &mut out);
    out
}

fn write_repr(value: Value<'_>, depth: usize, out: &mut String) {
    use picklevm::ops::repr;
    match value.kind() {
        Kind::None => out.push_str("None"),
        Kind::Bool(true) => out.push_str("True"),
        Kind::Bool(false) => out.push_str("False"),
        Kind::Int(int) => out.push_str(&int.to_string()),
        Kind::Float(float) => out.push_str(&repr::Float(float).to_string()),
        Kind::Str(text) => out.push_str(&repr::Str(text).to_string()),
        Kind::ByteStr(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => out.push_str(&repr::Str(text.into()).to_string()),
            Err(_) => out.push_str(&repr::Bytes(bytes).to_string()),
        },
        Kind::Bytes(bytes) => out.push_str(&repr::Bytes(bytes).to_string()),
        Kind::Tuple(items) if depth > 0 => {
            out.push('(');
            for (at, item) in items.enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_repr(item, depth - 1, out);
            }
            out.push_str(if items.len() == 1 { ",)" } else { ")" });
        }
        _ => out.push_str(&cut(format!("{value:?}"))),
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}
