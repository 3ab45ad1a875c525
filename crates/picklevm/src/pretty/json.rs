//! JSON. Values without a JSON equivalent are objects with a key that begins with `$`; docs/cli.md documents the
//! mapping, and `literal/json.rs` reads it back.

use std::cell::RefCell;
use std::fmt;

use picklevm_ops::{Text, repr};
use smallvec::smallvec;

use super::notation::{Brackets, Group, Notation, Parts, Row, Step, Steps, cut, cut_text};
use super::python;
use crate::graph::{Change, Entries, Int, Items, Kind, Unmemoized, Value};
use crate::literal::{LONG_MARK, NONE_IS_MEMOIZED, Twins, UNMEMOIZED, UNMEMOIZED_ARE_MARKED};

/// JSON on one line.
pub(super) struct Json {
    /// Maximum number of bytes of a payload.
    bytes: usize,
    twins: RefCell<Twins>,
    /// The values that cPickle left out of its memo: a blank follows each.
    unmemoized: Option<Unmemoized>,
}

/// Largest interoperable JSON integer: 2^53 - 1 (RFC 8259, section 6).
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
    const OMITTED: &'static str = "{\"$more\":1}";

    fn list<'g>(&self, items: Items<'g>) -> Step<'g> {
        array(Parts::Items(items))
    }

    fn dict<'g>(&self, entries: Entries<'g>) -> Step<'g> {
        group(&DICT, Parts::Entries(entries), item)
    }

    fn roots<'g>(&self, root: Value<'g>, effects: Items<'g>) -> Steps<'g> {
        let mut steps: Steps<'g> = if effects.is_empty() {
            smallvec![Step::Value(root)]
        } else {
            let [before, between, after] = ["{\"$value\":", ",\"$effects\":", "}"].map(Step::Text);
            smallvec![before, Step::Value(root), between, array(Parts::Items(effects)), after]
        };
        steps.extend(
            self.unmemoized.as_ref().map(|unmemoized| {
                Step::Text(if unmemoized.has_puts { UNMEMOIZED_ARE_MARKED } else { NONE_IS_MEMOIZED })
            }),
        );
        steps
    }

    fn atom(&self, value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        self.plain_atom(value, out)?;
        out.write_str(self.mark(value))
    }

    fn compound<'g>(&self, value: Value<'g>) -> Steps<'g> {
        let mut steps = self.plain_compound(value);
        steps.extend(Some(Step::Text(self.mark(value))).filter(|step| !matches!(step, Step::Text(""))));
        steps
    }

    fn key(&self, key: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(&self.twin(key))?;
        string(key.as_str().unwrap_or_default().chars(), out)?;
        out.write_str(self.mark(key))
    }

    fn definition(&self, number: usize) -> (String, &'static str) {
        (format!("{{\"$id\":{number},\"$value\":"), "}")
    }

    fn reference(&self, number: usize) -> String {
        format!("{{\"$ref\":{number}}}")
    }
}

impl Json {
    pub(super) fn new(bytes: usize, unmemoized: Option<Unmemoized>) -> Json {
        Json { bytes, twins: RefCell::default(), unmemoized }
    }

    /// Returns the blank after a value that cPickle left out of its memo.
    fn mark(&self, value: Value<'_>) -> &'static str {
        match &self.unmemoized {
            Some(unmemoized) if unmemoized.has_puts && unmemoized.contains(value.cell()) => UNMEMOIZED,
            _ => "",
        }
    }

    fn plain_atom(&self, value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        match value.kind() {
            Kind::None => out.write_str("null"),
            Kind::Bool(value) => write!(out, "{value}"),
            Kind::Int(int) => {
                let mark = if value.cell().is_short_long() { LONG_MARK } else { "" };
                match int.as_i64() {
                    Some(int) if int.abs_diff(0) <= SAFE_INTEGER as u64 => write!(out, "{mark}{int}"),
                    _ => self.int(int, mark, out),
                }
            }
            Kind::Float(value) => float(value, out),
            Kind::Complex(re, im) => {
                out.write_str("{\"$complex\":[")?;
                float(re, out)?;
                out.write_str(",")?;
                float(im, out)?;
                out.write_str("]}")
            }
            Kind::Str(text) => {
                out.write_str(&self.twin(value))?;
                self.text(text, out)
            }
            Kind::Bytes(bytes) => self.hex("$bytes", &self.twin(value), bytes, out),
            Kind::ByteArray(bytes) => self.hex("$bytearray", "", bytes, out),
            Kind::ByteStr(bytes) => {
                let (first, more) = cut(bytes, self.bytes);
                write!(out, "{{\"$bytestr\":{}", self.twin(value))?;
                string(first.iter().map(|byte| char::from(*byte)), out)?;
                more_bytes(more, out)?;
                out.write_str("}")
            }
            Kind::Global(global) => {
                let [module, name] = global.parts();
                write!(out, "{}{{\"$global\":[{}", self.twin(value), self.twin(module))?;
                self.text(global.module(), out)?;
                write!(out, ",{}", self.twin(name))?;
                self.text(global.name(), out)?;
                out.write_str("]}")
            }
            Kind::Ext(code) => write!(out, "{{\"$ext\":{code}}}"),
            Kind::Buffer(buffer) => {
                write!(out, "{{\"$buffer\":{},\"readonly\":{}}}", buffer.index(), buffer.is_readonly())
            }
            _ => write!(out, "{{\"$unknown\":\"{}\"}}", value.type_name()),
        }
    }

    fn plain_compound<'g>(&self, value: Value<'g>) -> Steps<'g> {
        let step = match value.kind() {
            Kind::List(items) => array(Parts::Items(items)),
            Kind::Tuple(items) => group(&TUPLE, Parts::Items(items), item),
            Kind::Set(items) => group(&SET, Parts::Items(items), item),
            Kind::FrozenSet(items) => group(&FROZENSET, Parts::Items(items), item),
            Kind::Dict(dict) if dict.keys().all(|key| self.is_member_name(key)) => {
                group(&OBJECT, Parts::Dict(dict), member)
            }
            Kind::Dict(dict) => group(&DICT, Parts::Dict(dict), item),
            Kind::Persistent(id) => return smallvec![Step::Text("{\"$persid\":"), Step::Value(id), Step::Text("}")],
            Kind::Object(object) => {
                let mut steps: Steps<'g> = smallvec![
                    Step::Text("{\"$object\":\""),
                    Step::Text(object.construction().name()),
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
}

fn group<'g>(brackets: &'static Brackets, parts: Parts<'g>, row: fn(Row<'g>) -> Steps<'g>) -> Step<'g> {
    Step::Group(Group { brackets, parts, row })
}

fn array(parts: Parts<'_>) -> Step<'_> {
    group(&ARRAY, parts, item)
}

/// Returns the steps of an array element.
fn item(row: Row<'_>) -> Steps<'_> {
    let tagged = |tag, step| smallvec![Step::Text(tag), step, Step::Text("}")];
    match row {
        Row::Item(value) | Row::Spread(value) | Row::KeywordArguments(value) => smallvec![Step::Value(value)],
        Row::Pair(key, value) => {
            let [open, comma, close] = ["[", ",", "]"].map(Step::Text);
            smallvec![open, Step::Value(key), comma, Step::Value(value), close]
        }
        Row::Change(Change::Append(items)) => tagged("{\"append\":", array(Parts::Items(items))),
        Row::Change(Change::SetItem(pairs)) => tagged("{\"setitem\":", array(Parts::Entries(pairs))),
        Row::Change(Change::Add(items)) => tagged("{\"add\":", array(Parts::Items(items))),
        Row::Change(Change::Build(state)) => tagged("{\"build\":", Step::Value(state)),
        Row::Change(Change::Effect(effect)) => tagged("{\"effect\":", Step::Value(effect)),
    }
}

/// Returns the steps of an object member.
fn member(row: Row<'_>) -> Steps<'_> {
    match row {
        Row::Pair(key, value) => smallvec![Step::Key(key), Step::Text(":"), Step::Value(value)],
        row => item(row),
    }
}

/// Writes a float with a point or an exponent, to distinguish it from integers. Non-finite floats are tagged; a NaN other
/// than Python's has its bits.
fn float(value: f64, out: &mut dyn fmt::Write) -> fmt::Result {
    if value.is_finite() {
        write!(out, "{}", repr::Float(value))
    } else if value.is_nan() && value.to_bits() != f64::NAN.to_bits() {
        write!(out, "{{\"$float\":\"nan:{:016x}\"}}", value.to_bits())
    } else {
        write!(out, "{{\"$float\":\"{}\"}}", repr::Float(value))
    }
}

/// Writes a string, or its code points if it contains surrogates, which few JSON readers accept.
fn text(text: Text<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    if let Some(text) = text.as_str() {
        return string(text.chars(), out);
    }
    out.write_str("{\"$codepoints\":[")?;
    for (n, code) in text.code_points().enumerate() {
        write!(out, "{}{code}", if n > 0 { "," } else { "" })?;
    }
    out.write_str("]}")
}

/// Writes a string with the escapes of RFC 8259, section 7.
fn string(text: impl Iterator<Item = char>, out: &mut dyn fmt::Write) -> fmt::Result {
    out.write_char('"')?;
    for c in text {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            '\0'..' ' => write!(out, "\\u{:04x}", u32::from(c))?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

/// Writes the member with the number of omitted bytes.
fn more_bytes(more: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    if more == 0 { Ok(()) } else { write!(out, ",\"$more\":{more}") }
}

impl Json {
    /// Returns the blanks that tell which of several equal strings or globals this is.
    fn twin(&self, value: Value<'_>) -> String {
        self.twins.borrow_mut().visit(value)
    }

    /// Returns whether a dict key can be a member name: it must not look like a tag, and must not be cut.
    fn is_member_name(&self, key: Value<'_>) -> bool {
        key.as_str().is_some_and(|text| !text.starts_with('$') && text.len() <= self.bytes)
    }

    fn text(&self, value: Text<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        let (first, more) = cut_text(value, self.bytes);
        if more == 0 {
            return text(value, out);
        }
        out.write_str("{\"$str\":")?;
        text(first, out)?;
        more_bytes(more, out)?;
        out.write_str("}")
    }

    fn hex(&self, tag: &str, blanks: &str, bytes: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
        let (first, more) = cut(bytes, self.bytes);
        write!(out, "{{\"{tag}\":{blanks}\"")?;
        first.iter().try_for_each(|byte| write!(out, "{byte:02x}"))?;
        out.write_str("\"")?;
        more_bytes(more, out)?;
        out.write_str("}")
    }

    /// Writes an integer as a string, or the highest bytes of a long one.
    fn int(&self, value: Int<'_>, mark: &str, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{{\"$int\":{mark}\"")?;
        value.with_le_bytes(|bytes| match bytes.len().checked_sub(self.bytes.max(16)) {
            Some(more @ 1..) => {
                write!(out, "{:#x}\"", Int::from_le(&bytes[more..]))?;
                more_bytes(more, out)
            }
            _ => {
                python::int(value, out)?;
                out.write_str("\"")
            }
        })?;
        out.write_str("}")
    }
}
