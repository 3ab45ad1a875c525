//! Steps to values inside of values, as data: what errors and paths have in common.

use std::fmt;

/// A path from a value to one inside of it.
///
/// | written | leads to |
/// | --- | --- |
/// | `.name`, `.'any text'` | an attribute of an instance, or the value of a key that is this text |
/// | `[3]`, `[-1]` | an item of a list, a tuple or an instance, or the value of this key |
/// | `['a b']`, `[(1, 2)]` | the value of a key; a member of a set |
/// | `.args`, `.kwargs`, `.state`, `.class` | what an instance was made with, unless it has such an attribute |
/// | `.id` | the id of a persistent reference |
/// | `/cart/0/price` | the same as `cart[0].price`: a JSON Pointer (RFC 6901) |
/// | `[*]` | every item, value or attribute: only for [`find`](Path::find) |
/// | `.**` | the value and every value below: only for [`find`](Path::find) |
///
/// The first dot may be left out. An empty path leads to the value itself.
///
/// ```
/// use picklevm::{Path, value};
///
/// let graph = value!({"cart": [{"price": 5, "sku": "A-1"}, {"price": 7}]});
/// let path: Path = "cart[1].price".parse()?;
/// assert_eq!(path.get(graph.root()).unwrap(), 7);
/// assert_eq!(path.to_string(), ".cart[1].price");
/// assert_eq!(path.to_pointer(), "/cart/1/price");
///
/// let prices: Vec<_> = Path::parse(".**.price")?.find(graph.root());
/// assert_eq!(prices[0].0.to_string(), "['cart'][0].price");
/// assert_eq!(prices.len(), 2);
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path(pub(crate) Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// `.name`: an attribute, or the value of a key that is this text.
    Name(String),
    /// `[3]`: an item, counted from the end if negative, or the value of this key.
    Index(i64),
    /// `['key']`: the value of a key, as Python writes the key.
    Key(String),
    /// What has no name in Python.
    Part(Part),
    /// `[*]`: every item, value or attribute.
    Each,
    /// `.**`: the value and every value below.
    Below,
}

/// A part of a value that is reached by its position in the graph: what [`Places`](crate::Places) uses where nothing else is clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// `.__class__`: the class or function that made an object.
    Class,
    /// `.__args__`: the tuple of arguments.
    Args,
    /// `.__kwargs__`: the dict of keyword arguments.
    Kwargs,
    /// `.__id__`: the id of a persistent reference.
    Id,
    /// `.__state__[0]`: a state that was set.
    State(u32),
    /// `.__effect__[0]`: a call that was made for its effect.
    Effect(u32),
    /// `.__item__[0]`: an item or member.
    Item(u32),
    /// `.__key__[0]`: a key.
    Key(u32),
    /// `.__value__[0]`: the value of the key at this position.
    Value(u32),
}

impl Path {
    /// Returns the path of the value itself, without steps.
    pub fn root() -> Path {
        Path::default()
    }

    /// Returns the steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Returns the path with one more step.
    #[must_use]
    pub fn join(&self, step: Step) -> Path {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Path(steps)
    }

    /// Returns whether the path has no steps.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether `other` begins with this path.
    pub fn contains(&self, other: &Path) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Returns the steps after those of `base`.
    #[must_use]
    pub fn below(&self, base: &Path) -> Path {
        Path(self.0.get(base.0.len()..).unwrap_or_default().to_vec())
    }

    /// Returns whether the path has wildcards, and so leads to any number of values.
    pub fn has_wildcards(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Each | Step::Below))
    }
}

impl From<Vec<Step>> for Path {
    fn from(steps: Vec<Step>) -> Path {
        Path(steps)
    }
}

/// Prints `.cart[0].price`; with `{:#}` without the first dot.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_plain_dot = |first: &Step| match first {
            Step::Name(name) => is_identifier(name),
            first => matches!(first, Step::Part(_)),
        };
        match self.0.split_first() {
            Some((first, rest)) if f.alternate() && has_plain_dot(first) => {
                f.write_str(first.to_string().trim_start_matches('.'))?;
                rest.iter().try_for_each(|step| step.fmt(f))
            }
            _ => self.0.iter().try_for_each(|step| step.fmt(f)),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Name(name) if is_identifier(name) => write!(f, ".{name}"),
            Step::Name(name) => write!(f, ".{}", picklevm_ops::repr::Str(name.as_str().into())),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
            Step::Each => f.write_str("[*]"),
            Step::Below => f.write_str(".**"),
            Step::Part(part) => match part.name() {
                (name, None) => write!(f, ".__{name}__"),
                (name, Some(at)) => write!(f, ".__{name}__[{at}]"),
            },
        }
    }
}

impl Part {
    pub(crate) fn name(self) -> (&'static str, Option<u32>) {
        match self {
            Part::Class => ("class", None),
            Part::Args => ("args", None),
            Part::Kwargs => ("kwargs", None),
            Part::Id => ("id", None),
            Part::State(at) => ("state", Some(at)),
            Part::Effect(at) => ("effect", Some(at)),
            Part::Item(at) => ("item", Some(at)),
            Part::Key(at) => ("key", Some(at)),
            Part::Value(at) => ("value", Some(at)),
        }
    }

    pub(crate) fn named(name: &str, at: Option<u32>) -> Option<Part> {
        Some(match (name, at) {
            ("class", None) => Part::Class,
            ("args", None) => Part::Args,
            ("kwargs", None) => Part::Kwargs,
            ("id", None) => Part::Id,
            ("state", Some(at)) => Part::State(at),
            ("effect", Some(at)) => Part::Effect(at),
            ("item", Some(at)) => Part::Item(at),
            ("key", Some(at)) => Part::Key(at),
            ("value", Some(at)) => Part::Value(at),
            _ => return None,
        })
    }
}

/// Whether a text is a name that needs no quotes after a dot.
pub(crate) fn is_identifier(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
}
