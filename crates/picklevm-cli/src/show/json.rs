//! JSON. What it cannot say is an object with a key that begins with `$`; docs/cli.md has the mapping.

use std::fmt;

use picklevm::{Change, Items, Kind, Text, Value};
use smallvec::smallvec;

use super::notation::{Brackets, Group, Notation, Parts, Row, Step, Steps};
use super::python;
use picklevm::ops::repr;

/// JSON on one line.
pub(super) struct Json;

/// Integers up to this size are the same in every JSON reader: 2^53 - 1 (RFC 8259, section 6).
const SAFE_INTEGER: i64 = (1 << 53) - 1;

const fn brackets(open: &'static str, close: &'static str) -> Brackets {
    Brackets { open, close, separator: ",", after_one: "", more: ["{\"$more\":", "}"], may_break: false }
}

const ARRAY: Brackets = brackets("[", "]");
const OBJECT: Brackets = Brackets { more: ["\"$more\":", ""], ..brackets("{", "}") };
const DICT: Brackets = brackets("{\"$dict\":[", "]}");
const TUPLE: Brackets = brackets("{\"$tuple\":[", "]}");
const SET: Brackets = brackets("{\"$set\":[", "]}");
const FROZENSET: Brackets = brackets("{\"$frozenset\":[", "]}");

impl Notation for Json {
    fn roots<'g>(&self, root: Value<'g>, effects: Items<'g>) -> Steps<'g> {
        if effects.is_empty() {
            return smallvec![Step::Value(root)];
        }
        let [before, between, after] = ["{\"$value\":", ",\"$effects\":", "}"].map(Step::Text);
        smallvec![before, Step::Value(root), between, array(Parts::Items(effects)), after]
    }

    fn atom(&self, value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        match value.kind() {
            Kind::None => out.write_str("null"),
            Kind::Bool(value) => write!(out, "{value}"),
            Kind::Int(value) => match value.as_i64() {
                Some(value) if value.abs_diff(0) <= SAFE_INTEGER as u64 => write!(out, "{value}"),
                _ => {
                    out.write_str("{\"$int\":\"")?;
                    python::int(value, out)?;
                    out.write_str("\"}")
                }
            },
            Kind::Float(value) => float(value, out),
            Kind::Complex(re, im) => {
                out.write_str("{\"$complex\":[")?;
                float(re, out)?;
                out.write_str(",")?;
                float(im, out)?;
                out.write_str("]}")
            }
            Kind::Str(value) => text(value, out),
            Kind::Bytes(bytes) => hex("$bytes", bytes, out),
            Kind::ByteArray(bytes) => hex("$bytearray", bytes, out),
            Kind::ByteStr(bytes) => {
                out.write_str("{\"$bytestr\":")?;
                string(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>(), out)?;
                out.write_str("}")
            }
            Kind::Global(global) => {
                out.write_str("{\"$global\":[")?;
                text(global.module(), out)?;
                out.write_str(",")?;
                text(global.name(), out)?;
                out.write_str("]}")
            }
            Kind::Ext(code) => write!(out, "{{\"$ext\":{code}}}"),
            Kind::Buffer(buffer) => {
                write!(out, "{{\"$buffer\":{},\"readonly\":{}}}", buffer.index(), buffer.is_readonly())
            }
            _ => write!(out, "{{\"$unknown\":\"{}\"}}", value.type_name()),
        }
    }

    fn compound<'g>(&self, value: Value<'g>) -> Steps<'g> {
        let step = match value.kind() {
            Kind::List(items) => array(Parts::Items(items)),
            Kind::Tuple(items) => group(&TUPLE, Parts::Items(items), item),
            Kind::Set(items) => group(&SET, Parts::Items(items), item),
            Kind::FrozenSet(items) => group(&FROZENSET, Parts::Items(items), item),
            Kind::Dict(dict) if dict.keys().all(is_member_name) => group(&OBJECT, Parts::Dict(dict), member),
            Kind::Dict(dict) => group(&DICT, Parts::Dict(dict), item),
            Kind::Persistent(id) => return smallvec![Step::Text("{\"$persid\":"), Step::Value(id), Step::Text("}")],
            Kind::Object(object) => {
                let mut steps: Steps<'g> = smallvec![
                    Step::Text("{\"$object\":\""),
                    Step::Text(object.how().name()),
                    Step::Text("\",\"class\":"),
                    Step::Value(object.class()),
                    Step::Text(",\"args\":"),
                    Step::Value(object.args_tuple()),
                ];
                if let Some(kwargs) = object.kwargs() {
                    steps.extend([Step::Text(",\"kwargs\":"), Step::Value(kwargs)]);
                }
                steps.extend([Step::Text(",\"changes\":"), array(Parts::Changes(object)), Step::Text("}")]);
                return steps;
            }
            _ => Step::Value(value),
        };
        smallvec![step]
    }

    fn key(&self, text: Text<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        string(&text.to_string(), out)
    }

    fn definition(&self, number: usize) -> (String, &'static str) {
        (format!("{{\"$id\":{number},\"$value\":"), "}")
    }

    fn reference(&self, number: usize) -> String {
        format!("{{\"$ref\":{number}}}")
    }
}

fn group<'g>(around: &'static Brackets, parts: Parts<'g>, row: fn(Row<'g>) -> Steps<'g>) -> Step<'g> {
    Step::Group(Group { around, parts, row })
}

fn array(parts: Parts<'_>) -> Step<'_> {
    group(&ARRAY, parts, item)
}

/// An element of an array.
fn item(row: Row<'_>) -> Steps<'_> {
    let tagged = |tag, step| smallvec![Step::Text(tag), step, Step::Text("}")];
    match row {
        Row::Item(value) | Row::Spread(value) | Row::KeywordArguments(value) => smallvec![Step::Value(value)],
        Row::Pair(key, value) => {
            let [open, comma, close] = ["[", ",", "]"].map(Step::Text);
            smallvec![open, Step::Value(key), comma, Step::Value(value), close]
        }
        Row::Change(Change::Append(items)) => tagged("{\"append\":", array(Parts::Items(items))),
        Row::Change(Change::SetItem(pairs)) => tagged("{\"setitem\":", array(Parts::Pairs(pairs))),
        Row::Change(Change::Add(items)) => tagged("{\"add\":", array(Parts::Items(items))),
        Row::Change(Change::Build(state)) => tagged("{\"build\":", Step::Value(state)),
        Row::Change(Change::Effect(effect)) => tagged("{\"effect\":", Step::Value(effect)),
        Row::Change(_) => smallvec![Step::Text("{\"$unknown\":\"change\"}")],
    }
}

/// A member of an object.
fn member(row: Row<'_>) -> Steps<'_> {
    match row {
        Row::Pair(key, value) if let Some(text) = key.as_text() => {
            smallvec![Step::Key(text), Step::Text(":"), Step::Value(value)]
        }
        row => item(row),
    }
}

/// Whether a key of a dict can be the name of a member without passing for a tag.
fn is_member_name(key: Value<'_>) -> bool {
    key.as_str().is_some_and(|text| !text.starts_with('$'))
}

/// A number with a point or an exponent, so that it is no integer; tagged where JSON has none.
fn float(value: f64, out: &mut dyn fmt::Write) -> fmt::Result {
    if value.is_finite() {
        write!(out, "{}", repr::Float(value))
    } else {
        write!(out, "{{\"$float\":\"{}\"}}", repr::Float(value))
    }
}

/// A string; its code points where there are surrogates among them, which few readers take.
fn text(text: Text<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    if let Some(text) = text.as_str() {
        return string(text, out);
    }
    out.write_str("{\"$codepoints\":[")?;
    for (n, code) in text.code_points().enumerate() {
        write!(out, "{}{code}", if n > 0 { "," } else { "" })?;
    }
    out.write_str("]}")
}

fn string(text: &str, out: &mut dyn fmt::Write) -> fmt::Result {
    // Writing a string to memory does not fail.
    out.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

fn hex(tag: &str, bytes: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
    write!(out, "{{\"{tag}\":\"")?;
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))?;
    out.write_str("\"}")
}
