//! The values of a pickle as rows.
//!
//! Roles of the parts of an object: 0 argument, 1 keyword argument, 2 item, 3 entry, 4 attribute, 5 state, 6 call made for its
//! effect, 7 class.

use std::collections::{HashMap, VecDeque};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use picklevm::{Change, Graph, Id, Kind, Object, Value};
use serde_json::{Value as Json, json};

use crate::budget::Budget;

/// The names of the kinds of nodes. A row has an index into it.
pub(crate) const KINDS: [&str; 20] = [
    "NoneType",
    "bool",
    "int",
    "float",
    "complex",
    "str",
    "bytes",
    "8-bit str",
    "bytearray",
    "tuple",
    "list",
    "dict",
    "set",
    "frozenset",
    "global",
    "extension code",
    "buffer",
    "persistent reference",
    "object",
    "native object",
];

/// Bytes of an object's notation.
const SUMMARY: usize = 300;
/// Parts of an object's notation.
const SUMMARY_ITEMS: usize = 12;

/// The rows of the values of one graph.
pub(crate) struct Nodes<'g> {
    graph: &'g Graph,
    pub(crate) rows: Vec<Json>,
    index: HashMap<Id, u32>,
    /// Nodes whose parts are not looked at yet.
    todo: VecDeque<(u32, Value<'g>)>,
    /// Objects, for previews.
    pub(crate) objects: Vec<(u32, Value<'g>)>,
}

impl<'g> Nodes<'g> {
    /// An empty table.
    pub(crate) fn new(graph: &'g Graph) -> Nodes<'g> {
        Nodes { graph, rows: Vec::new(), index: HashMap::new(), todo: VecDeque::new(), objects: Vec::new() }
    }

    /// The node of a value of the graph.
    pub(crate) fn id(&mut self, id: Id, budget: &mut Budget<'_>) -> u32 {
        self.node(self.graph.value(id), budget)
    }

    /// The node of a value, which is made if there is none.
    pub(crate) fn node(&mut self, value: Value<'g>, budget: &mut Budget<'_>) -> u32 {
        if let Some(node) = self.index.get(&value.id()) {
            return *node;
        }
        let node = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.index.insert(value.id(), node);
        let row = self.row(value, budget);
        self.rows.push(row);
        if is_compound(value) {
            self.todo.push_back((node, value));
        }
        if value.as_object().is_some() {
            self.objects.push((node, value));
        }
        node
    }

    /// A row without children.
    fn row(&self, value: Value<'g>, budget: &mut Budget<'_>) -> Json {
        let kind = KINDS.iter().position(|name| *name == value.type_name()).unwrap_or_default();
        let len = value.as_bytes().map(<[u8]>::len).or(value.as_text().map(|text| text.as_bytes().len()));
        let text = |most: usize| value.pretty().one_line().max_bytes(most).to_string();
        match value.kind() {
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => {
                json!([kind, "", items.len(), []])
            }
            Kind::Dict(dict) => json!([kind, "", dict.len(), []]),
            Kind::Persistent(_) => json!([kind, "", 1, []]),
            Kind::Object(object) => {
                let pretty = value.pretty().one_line().max_depth(3).max_items(SUMMARY_ITEMS).max_bytes(SUMMARY);
                let pretty = pretty.objects(picklevm_data::show::claims, picklevm_data::show::write).to_string();
                let is_whole = pretty.len() <= SUMMARY && !pretty.contains("... ");
                // A table has lines below the first.
                let text = cut(pretty.lines().next().unwrap_or_default(), SUMMARY);
                budget.text = budget.text.saturating_sub(text.len());
                json!([kind, text, parts(object).count(), [], u8::from(is_whole), -1])
            }
            Kind::Bytes(bytes) | Kind::ByteStr(bytes) | Kind::ByteArray(bytes) => {
                let shown = budget.text_len().min(bytes.len());
                budget.left.bytes |= shown < bytes.len();
                let short = text(shown.min(128));
                budget.text = budget.text.saturating_sub(shown * 4 / 3 + short.len());
                json!([kind, short, bytes.len(), STANDARD.encode(&bytes[..shown])])
            }
            Kind::Str(_) | Kind::Int(_) => {
                let shown = budget.text_len();
                budget.left.bytes |= len.is_some_and(|len| len > shown);
                let text = text(shown);
                budget.text = budget.text.saturating_sub(text.len());
                match len {
                    Some(len) => json!([kind, text, len]),
                    None => json!([kind, text]),
                }
            }
            Kind::Buffer(buffer) => {
                json!([kind, text(64), buffer.data().map_or(0, |data| data.len())])
            }
            _ => {
                let text = cut(&text(SUMMARY), 4 * SUMMARY).to_owned();
                budget.text = budget.text.saturating_sub(text.len());
                json!([kind, text])
            }
        }
    }

    /// Adds the parts of all values, those with the shortest paths first, as far as the budget goes.
    pub(crate) fn expand(&mut self, budget: &mut Budget<'_>) {
        while let Some((node, value)) = self.todo.pop_front() {
            let most = budget.options.items;
            let children = match value.kind() {
                Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => {
                    budget.left.items |= items.len() > most;
                    self.children(items.map(|item| (None, None, item)).take(most), budget)
                }
                Kind::Dict(dict) => {
                    budget.left.items |= dict.len() > most;
                    self.children(dict.entries().map(|(key, value)| (None, Some(key), value)).take(most), budget)
                }
                Kind::Persistent(id) => self.children(std::iter::once((None, None, id)), budget),
                Kind::Object(object) => {
                    let parts = parts(object).map(|(role, key, value)| (Some(role), key.or(Some(value)), value));
                    budget.left.items |= parts.clone().nth(most).is_some();
                    self.children(parts.take(most), budget)
                }
                _ => continue,
            };
            self.set(node, 3, children.into());
        }
    }

    /// Sets an element of a row.
    pub(crate) fn set(&mut self, node: u32, at: usize, to: Json) {
        if let Some(element) = self.rows.get_mut(node as usize).and_then(|row| row.get_mut(at)) {
            *element = to;
        }
    }

    /// The nodes of parts: role, key and value of each, where it has them. The key of a part that has none is the value.
    fn children(
        &mut self,
        parts: impl Iterator<Item = (Option<u8>, Option<Value<'g>>, Value<'g>)>,
        budget: &mut Budget<'_>,
    ) -> Vec<i64> {
        let mut children = Vec::new();
        for (role, key, value) in parts {
            let is_new = |value: Value<'_>| !self.index.contains_key(&value.id());
            let new = usize::from(is_new(value)) + usize::from(key.is_some_and(is_new));
            if new > budget.values {
                budget.left.values = true;
                break;
            }
            budget.values -= new;
            children.extend(role.map(i64::from));
            if let Some(key) = key {
                let has_no_key = role.is_some() && key.is(value);
                children.push(if has_no_key { -1 } else { self.node(key, budget).into() });
            }
            children.push(self.node(value, budget).into());
        }
        children
    }
}

/// Whether a value has parts.
fn is_compound(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Persistent(_) | Kind::Object(_) => true,
        _ => !value.is_empty() && value.as_text().is_none() && value.as_bytes().is_none(),
    }
}

/// Text that is cut after some bytes.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or(text)
}

/// The parts of an object: role, key, value.
fn parts(object: Object<'_>) -> impl Iterator<Item = (u8, Option<Value<'_>>, Value<'_>)> + Clone {
    let class = object.class();
    let class = Some((7, None, class)).filter(|_| class.as_global().is_none());
    let args = object.args().map(|value| (0, None, value));
    let kwargs =
        object.kwargs().into_iter().flat_map(|kwargs| kwargs.entries()).map(|(key, value)| (1, Some(key), value));
    let last_state = object.state().map(Value::id);
    let changes: Vec<Change<'_>> = object.changes().collect();
    let mut all: Vec<(u8, Option<Value<'_>>, Value<'_>)> = class.into_iter().chain(args).chain(kwargs).collect();
    for change in changes {
        match change {
            Change::Append(items) | Change::Add(items) => all.extend(items.map(|item| (2, None, item))),
            Change::SetItem(entries) => all.extend(entries.map(|(key, value)| (3, Some(key), value))),
            Change::Build(state) if Some(state.id()) == last_state => {
                let dicts: Vec<Value<'_>> = match state.as_tuple() {
                    Some(both)
                        if both.len() == 2 && both.clone().all(|part| part.is_none() || part.as_dict().is_some()) =>
                    {
                        both.filter(|part| !part.is_none()).collect()
                    }
                    _ => vec![state],
                };
                for dict in dicts {
                    match dict.as_dict() {
                        Some(dict) => all.extend(dict.entries().map(|(key, value)| (4, Some(key), value))),
                        None => all.push((5, None, dict)),
                    }
                }
            }
            Change::Build(state) => all.push((5, None, state)),
            Change::Effect(call) => all.push((6, None, call)),
            _ => {}
        }
    }
    all.into_iter()
}
