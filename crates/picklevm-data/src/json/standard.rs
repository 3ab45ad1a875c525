//! What objects of the standard library mean in JSON.

use picklevm::typed::{Array, ArrayItems, Counter, Deque, Member, Typed};
use picklevm::{Kind, Value};

/// What an object means.
pub(super) enum Meaning<'g> {
    /// Text.
    Text(String),
    /// JSON that is written already.
    Json(String),
    List(Vec<Value<'g>>),
    Dict(Vec<(Value<'g>, Value<'g>)>),
    /// What another value means.
    Value(Value<'g>),
}

/// Returns what an object of the standard library means; `None` for other objects.
pub(super) fn meaning<'g>(value: Value<'g>) -> Option<Meaning<'g>> {
    let typed = value.typed()?;
    if let Some(text) = typed.to_text() {
        return Some(Meaning::Text(text));
    }
    match typed {
        Typed::Range(range) => Some(Meaning::Text(range.to_string())),
        Typed::OrderedDict(dict) => Some(Meaning::Dict(dict.entries().collect())),
        Typed::DefaultDict(dict) => Some(Meaning::Dict(dict.entries().collect())),
        Typed::Counter(counter) => counter.graph_entries().map(Meaning::Dict).or_else(|| counts_json(&counter)),
        Typed::FrozenDict(dict) => Some(Meaning::Dict(dict.entries().collect())),
        Typed::SimpleNamespace(namespace) => Some(Meaning::Dict(namespace.attributes().collect())),
        Typed::Deque(deque) => deque.graph_items().map(Meaning::List).or_else(|| characters_json(&deque)),
        Typed::Array(array) => array_json(&array),
        Typed::Regex(regex) => Some(Meaning::Value(regex.pattern())),
        Typed::EnumMember(member) => match member.member() {
            Member::Name(name) => Some(Meaning::Text(name.to_owned())),
            Member::Value(value) => Some(Meaning::Value(value)),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the counts by character of `Counter('abba')`. Keywords may give counts of other types; `None` if one is not
/// an atom.
fn counts_json(counter: &Counter<'_>) -> Option<Meaning<'static>> {
    let count = |(key, count): (Value<'_>, Value<'_>)| {
        let count = match count.kind() {
            Kind::None => "null".to_owned(),
            Kind::Bool(value) => value.to_string(),
            Kind::Int(count) => count.to_string(),
            Kind::Float(count) if count.is_finite() => crate::text::float(count),
            _ => character_json(count)?,
        };
        Some(format!("{}:{count}", character_json(key)?))
    };
    let counts = counter.entries().map(count).collect::<Option<Vec<_>>>()?;
    Some(Meaning::Json(format!("{{{}}}", counts.join(","))))
}

/// Returns the list of characters of `deque('abc')`.
fn characters_json(deque: &Deque<'_>) -> Option<Meaning<'static>> {
    let characters = deque.items().map(character_json).collect::<Option<Vec<_>>>()?;
    Some(Meaning::Json(format!("[{}]", characters.join(","))))
}

/// Returns text, or an 8-bit character of Python 2, as a JSON string.
fn character_json(value: Value<'_>) -> Option<String> {
    let mut out = String::new();
    match value.kind() {
        Kind::Str(text) => super::string(&text.to_string(), &mut out),
        Kind::Bytes(_) | Kind::ByteStr(_) => super::cell(&crate::text::resolve(value), &mut out).ok()?,
        _ => return None,
    }
    Some(out)
}

/// An `array.array`: numbers, or the text of its characters.
fn array_json(array: &Array) -> Option<Meaning<'static>> {
    let list = |items: Vec<String>| Some(Meaning::Json(format!("[{}]", items.join(","))));
    match array.items() {
        ArrayItems::Int(items) => list(items.iter().map(ToString::to_string).collect()),
        ArrayItems::UInt(items) => list(items.iter().map(ToString::to_string).collect()),
        // What is not finite stays an instance, whose numbers are refused one by one.
        ArrayItems::Float(items) if items.iter().all(|item| item.is_finite()) => {
            list(items.iter().map(|item| crate::text::float(*item)).collect())
        }
        ArrayItems::Text(text) => Some(Meaning::Text(text.to_string())),
        _ => None,
    }
}
