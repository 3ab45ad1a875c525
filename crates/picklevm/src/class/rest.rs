//! `Rest`: the attributes of an instance that have no field.

use super::def::{Attr, Field};
use super::reading::{ObjectReader, ReadContext};
use super::writing::WriteContext;
use crate::error::Result;
use crate::graph::{Cell, Graph, Id, Tag, Value};

/// Attributes of an instance that have no field, for a field with `#[pickle(rest)]`.
///
/// It also remembers the order of all attributes, and which fields had none. An instance that is read, changed and written
/// again keeps both: an attribute that was missing is written only if its field is not `None`. Each attribute is a graph of its
/// own; what it shares with others is copied.
///
#[cfg_attr(feature = "derive", doc = "```")]
#[cfg_attr(not(feature = "derive"), doc = "```ignore")]
/// use picklevm::{PickleClass, class};
///
/// #[derive(PickleClass)]
/// #[pickle(module = "shop")]
/// struct User {
///     name: String,
///     #[pickle(rest)]
///     rest: class::Rest,
/// }
///
/// // User with {'id': 7, 'name': 'Ann', 'tags': ('a',)}
/// let pickle = b"\x80\x04\x8c\x04shop\x8c\x04User\x93)\x81}(\x8c\x02idK\x07\x8c\x04name\x8c\x03Ann\x8c\x04tags\x8c\x01a\x85ub.";
/// let mut user: User = class::from_slice(pickle)?;
/// assert_eq!(user.rest.get("id").and_then(|id| id.as_i64()), Some(7));
/// user.name = "Bob".to_owned();
/// let graph = picklevm::loads(class::to_vec(&user)?)?;
/// assert_eq!(format!("{:?}", graph.root()), "shop.User() with state {'id': 7, 'name': 'Bob', 'tags': ('a',)}");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest {
    /// All attributes in order.
    attributes: Vec<Attribute>,
}

#[derive(Clone, Debug, PartialEq)]
struct Attribute {
    name: Name,
    is_slot: bool,
    /// `None` for an attribute with a field.
    value: Option<Graph>,
}

#[derive(Clone, Debug, PartialEq)]
enum Name {
    Text(String),
    /// A key of `__dict__` that is not text.
    Other(Graph),
}

impl Rest {
    /// Returns the value of an attribute without a field.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns names and values of the attributes without a field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.attributes.iter().filter_map(|attribute| match (&attribute.name, &attribute.value) {
            (Name::Text(name), Some(value)) => Some((name.as_str(), value.root())),
            _ => None,
        })
    }

    /// Returns whether all attributes have fields.
    pub fn is_empty(&self) -> bool {
        self.attributes.iter().all(|attribute| attribute.value.is_none())
    }

    /// Sets an attribute without a field, at the end if it is new.
    ///
    /// ```
    /// let mut rest = picklevm::class::Rest::default();
    /// rest.insert("size", 7.into());
    /// assert_eq!(rest.get("size").and_then(|size| size.as_i64()), Some(7));
    /// ```
    pub fn insert(&mut self, name: impl Into<String>, value: Graph) {
        let name = Name::Text(name.into());
        match self.attributes.iter_mut().find(|attribute| attribute.name == name) {
            Some(attribute) => attribute.value = Some(value),
            None => self.attributes.push(Attribute { name, is_slot: false, value: Some(value) }),
        }
    }

    /// Removes an attribute without a field, and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Graph> {
        let is_it = |attribute: &Attribute| {
            attribute.value.is_some() && matches!(&attribute.name, Name::Text(known) if known == name)
        };
        let at = self.attributes.iter().position(is_it)?;
        self.attributes.remove(at).value
    }
}

/// A written attribute: name, whether it is a slot, and the value if it has no field.
pub(super) type Written = (Cell, bool, Option<Cell>);

impl Rest {
    /// Writes the values.
    pub(super) fn write(&self, context: &mut WriteContext<'_>) -> Result<Vec<Written>> {
        let attributes = self.attributes.iter().map(|Attribute { name, is_slot, value }| {
            let Id(name) = match name {
                Name::Text(name) => context.name(name),
                Name::Other(name) => context.write(name)?,
            };
            let value = value.as_ref().map(|value| context.write(value)).transpose()?;
            Ok((name, *is_slot, value.map(|Id(value)| value)))
        });
        attributes.collect()
    }
}

/// Puts rows of names and values in the order of the attributes that were read, and adds those without a field.
pub(super) fn in_order(rows: Vec<Cell>, attributes: &[Written], are_slots: bool) -> Vec<Cell> {
    if attributes.is_empty() {
        return rows;
    }
    let mut left: Vec<Option<[Cell; 2]>> = rows.as_chunks().0.iter().copied().map(Some).collect();
    let mut ordered = Vec::with_capacity(rows.len());
    for (name, is_slot, value) in attributes {
        let row = match value {
            Some(value) if *is_slot == are_slots => Some([*name, *value]),
            Some(_) => None,
            // Names are one value each.
            None => left.iter_mut().find(|row| row.is_some_and(|[known, _]| known == *name)).and_then(Option::take),
        };
        ordered.extend(row.into_iter().flatten());
    }
    // What was missing stays missing.
    let new = left.into_iter().flatten().filter(|[_, value]| !value.is(Tag::None));
    ordered.extend(new.flatten());
    ordered
}

impl ObjectReader<'_, '_> {
    /// Reads the attributes that have no field.
    ///
    /// # Errors
    ///
    /// If a value is too large, as for a [`Graph`] field.
    pub fn rest(&mut self, fields: &[Field]) -> Result<Rest> {
        let mut rest = Rest::default();
        let [own, slots] = self.state_dicts();
        for (dict, is_slot) in [(own, false), (slots, true)] {
            for (key, value) in dict.into_iter().flat_map(|dict| dict.entries()) {
                rest.attributes.push(attribute(key, value, is_slot, fields, self.context())?);
            }
        }
        Ok(rest)
    }
}

fn attribute<'g>(
    key: Value<'g>,
    value: Value<'g>,
    is_slot: bool,
    fields: &[Field],
    context: &mut ReadContext<'g>,
) -> Result<Attribute> {
    let text = key.as_str().or_else(|| key.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()));
    let Some(text) = text else {
        return Ok(Attribute { name: Name::Other(context.read(key)?), is_slot, value: Some(context.read(value)?) });
    };
    let is_attribute = |field: &&Field| matches!(field.attr, Some(Attr::Own | Attr::Slot));
    let field = fields.iter().filter(is_attribute).find(|field| field.names().any(|name| name == text));
    Ok(match field {
        Some(field) => Attribute { name: Name::Text(field.name.to_owned()), is_slot, value: None },
        None => Attribute { name: Name::Text(text.to_owned()), is_slot, value: Some(context.read(value)?) },
    })
}
