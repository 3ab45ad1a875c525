//! Python syntax.

use std::fmt;

use picklevm_ops::{Text, repr};
use smallvec::smallvec;

use super::notation::{Brackets, Group, Notation, Parts, Row, Spread, Step, Steps, cut, cut_text};
use super::{Objects, typed};
use crate::graph::{Change, Construction, Entries, Global, Int, Items, Kind, Object, Value};
use crate::literal::names::{self, Name};
use crate::python::Class;

/// Python syntax: literals as Python's `repr` writes them, calls for the rest.
pub(super) struct Python {
    /// Write text with the prefix `u`, since there are 8-bit strings of Python 2.
    python2: bool,
    /// Write calls as the pickle encodes them.
    raw: bool,
    /// Maximum number of bytes of a payload.
    bytes: usize,
    /// How objects of other packages are written.
    objects: Option<Objects>,
}

impl Python {
    pub(super) fn new(raw: bool, bytes: usize, objects: Option<Objects>) -> Python {
        Python { python2: false, raw, bytes, objects: objects.filter(|_| !raw) }
    }

    fn text(&self, text: Text<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        let (first, more) = cut_text(text, self.bytes);
        write!(out, "{}", repr::Str(first))?;
        more_bytes(more, out)
    }

    /// Writes the first bytes of a payload and the number of bytes that follow.
    fn bytes<'a, T: fmt::Display>(
        &self,
        bytes: &'a [u8],
        write: fn(&'a [u8]) -> T,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        let (first, more) = cut(bytes, self.bytes);
        write!(out, "{}", write(first))?;
        more_bytes(more, out)
    }

    /// Writes `module.name` if both are identifiers (`module:name` if that would be read as another name), otherwise
    /// quoted, so that a name cannot imitate other syntax.
    fn global(&self, global: Global<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        let (module, name) = (global.module(), global.name());
        if [module, name].iter().all(|text| text.as_bytes().len() <= self.bytes && is_dotted_name(*text)) {
            let dotted = format!("{module}.{name}");
            let is_clear = matches!(Name::of(&dotted), Name::Global(of, _) if module == of);
            return if is_clear { out.write_str(&dotted) } else { write!(out, "{module}:{name}") };
        }
        out.write_str("global(")?;
        self.text(module, out)?;
        out.write_str(", ")?;
        self.text(name, out)?;
        out.write_str(")")
    }
}

const fn brackets(open: &'static str, close: &'static str) -> Brackets {
    Brackets { open, close, separator: ", ", after_one: "", more: ["... ", " more"], may_break: true }
}

pub(super) const LIST: Brackets = brackets("[", "]");
pub(super) const BRACES: Brackets = brackets("{", "}");
pub(super) const PARENTHESES: Brackets = brackets("(", ")");
const TUPLE: Brackets = Brackets { after_one: ",", ..PARENTHESES };
/// Around what is called and is no name. On lines of its own it would have a comma behind it, and be a tuple.
const CALLED: Brackets = Brackets { may_break: false, ..PARENTHESES };
const SET: Brackets = brackets("set(", ")");
const FROZENSET: Brackets = brackets("frozenset({", "})");
const EMPTY_FROZENSET: Brackets = brackets("frozenset(", ")");
const PERSISTENT: Brackets = brackets("persistent(", ")");
pub(super) const CHANGES: Brackets =
    Brackets { open: "", close: "", separator: "", after_one: "", more: [" with ... ", " more"], may_break: false };

impl Notation for Python {
    const OMITTED: &'static str = "...";

    fn list<'g>(&self, items: Items<'g>) -> Step<'g> {
        group(&LIST, Parts::Items(items))
    }

    fn dict<'g>(&self, entries: Entries<'g>) -> Step<'g> {
        group(&BRACES, Parts::Entries(entries))
    }

    fn roots<'g>(&self, root: Value<'g>, effects: Items<'g>) -> Steps<'g> {
        smallvec![Step::Value(root), group(&CHANGES, Parts::Effects(effects))]
    }

    fn atom(&self, value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        match value.kind() {
            Kind::None => out.write_str("None"),
            Kind::Bool(true) => out.write_str("True"),
            Kind::Bool(false) => out.write_str("False"),
            Kind::Int(value) => cut_int(value, self.bytes, out),
            Kind::Float(value) => float(value, out),
            Kind::Complex(re, im) => complex(re, im, out),
            Kind::Str(text) => {
                out.write_str(if self.python2 { "u" } else { "" })?;
                self.text(text, out)
            }
            Kind::Bytes(bytes) => self.bytes(bytes, repr::Bytes, out),
            Kind::ByteStr(bytes) => self.bytes(bytes, repr::EightBit, out),
            Kind::ByteArray(bytes) => self.bytes(bytes, repr::ByteArray, out),
            Kind::Global(value) => self.global(value, out),
            Kind::Ext(code) => write!(out, "extension({code})"),
            Kind::Buffer(buffer) if buffer.is_readonly() => write!(out, "buffer({}, readonly=True)", buffer.index()),
            Kind::Buffer(buffer) => write!(out, "buffer({})", buffer.index()),
            Kind::NativeObject(live) => write!(out, "{live:?}"),
            _ => write!(out, "<{}>", value.type_name()),
        }
    }

    fn compound<'g>(&self, value: Value<'g>) -> Steps<'g> {
        let step = match value.kind() {
            Kind::List(items) => group(&LIST, Parts::Items(items)),
            Kind::Tuple(items) => group(&TUPLE, Parts::Items(items)),
            Kind::Set(items) if items.is_empty() => group(&SET, Parts::Items(items)),
            Kind::Set(items) => group(&BRACES, Parts::Items(items)),
            Kind::FrozenSet(items) if items.is_empty() => group(&EMPTY_FROZENSET, Parts::Items(items)),
            Kind::FrozenSet(items) => group(&FROZENSET, Parts::Items(items)),
            Kind::Dict(dict) => group(&BRACES, Parts::Dict(dict)),
            Kind::Persistent(id) => group(&PERSISTENT, Parts::One(id)),
            Kind::Object(object) => {
                if !self.raw
                    && let Some(steps) = typed::steps(value, object)
                {
                    return steps;
                }
                if let Some(objects) = self.objects.filter(|objects| (objects.claims)(value)) {
                    return smallvec![Step::Written(value, objects.write)];
                }
                let class = match object.class().kind() {
                    Kind::Global(_) | Kind::Ext(_) => Step::Value(object.class()),
                    _ => group(&CALLED, Parts::One(object.class())),
                };
                return instance(
                    object,
                    class,
                    Step::Arguments(object, arguments),
                    object.class(),
                    object.args().len(),
                );
            }
            _ => Step::Value(value),
        };
        smallvec![step]
    }

    fn key(&self, key: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
        self.atom(key, out)
    }

    fn definition(&self, number: usize) -> (String, &'static str) {
        (format!("&{number} "), "")
    }

    fn reference(&self, number: usize) -> String {
        format!("*{number}")
    }

    fn count(&self, parts: usize) -> String {
        grouped(parts)
    }

    fn set_has_byte_strings(&mut self) {
        self.python2 = true;
    }
}

pub(super) fn group<'g>(brackets: &'static Brackets, parts: Parts<'g>) -> Step<'g> {
    Step::Group(Group { brackets, parts, row })
}

/// Returns the steps of an instance: how it was made, if that is not what its class and arguments tell, and its changes.
pub(super) fn instance<'g>(
    object: Object<'g>,
    name: Step<'g>,
    arguments: Step<'g>,
    class: Value<'g>,
    args: usize,
) -> Steps<'g> {
    let how = if Class::of(object.class()) == Class::Reconstructor && class.id() != object.class().id() {
        Construction::NewObj
    } else {
        object.construction()
    };
    let mark = names::construction_mark(object, class, args, how);
    smallvec![name, arguments, Step::Text(mark), group(&CHANGES, Parts::Changes(object))]
}

pub(super) fn arguments(object: Object<'_>, spread: Spread) -> Group<'_> {
    let parts = if spread { Parts::SpreadArguments(object) } else { Parts::Arguments(object) };
    Group { brackets: &PARENTHESES, parts, row }
}

fn row(row: Row<'_>) -> Steps<'_> {
    match row {
        Row::Item(value) => smallvec![Step::Value(value)],
        Row::Pair(key, value) => smallvec![Step::DictKey(key), Step::Text(": "), Step::Value(value)],
        Row::Spread(tuple) => smallvec![Step::Text("* "), Step::Value(tuple)],
        Row::KeywordArguments(dict) => smallvec![Step::Text("**"), Step::Value(dict)],
        Row::Change(change) => match change {
            Change::Append(items) => smallvec![Step::Text(" with items "), group(&LIST, Parts::Items(items))],
            Change::SetItem(pairs) => smallvec![Step::Text(" with items "), group(&BRACES, Parts::Entries(pairs))],
            Change::Add(items) => smallvec![Step::Text(" with members "), group(&BRACES, Parts::Items(items))],
            // What follows an instance without parentheses belongs to the one around it.
            Change::Build(state) if has_changes(state) => {
                smallvec![Step::Text(" with state ("), Step::Value(state), Step::Text(")")]
            }
            Change::Build(state) => smallvec![Step::Text(" with state "), Step::Value(state)],
            Change::Effect(effect) if has_changes(effect) => {
                smallvec![Step::Text(" with effect ("), Step::Value(effect), Step::Text(")")]
            }
            Change::Effect(effect) => smallvec![Step::Text(" with effect "), Step::Value(effect)],
        },
    }
}

fn has_changes(value: Value<'_>) -> bool {
    value.as_object().is_some_and(|object| object.changes().next().is_some())
}

/// Writes an integer. Integers that may have more than 4300 digits are written in hexadecimal: Python does not parse
/// longer decimal integers (`sys.set_int_max_str_digits`), and formatting hexadecimal takes linear time.
pub(super) fn int(int: Int<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    const DECIMAL_BYTES: usize = 1785;
    if int.with_le_bytes(|bytes| bytes.len() <= DECIMAL_BYTES) { write!(out, "{int}") } else { write!(out, "{int:#x}") }
}

/// Writes an integer of at most `max` bytes, or the highest bytes of a longer one and the number of bytes that follow.
fn cut_int(value: Int<'_>, max: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    value.with_le_bytes(|bytes| {
        let Some(from) = bytes.len().checked_sub(max.max(16)).filter(|from| *from > 0) else { return int(value, out) };
        let high = Int::from_le(&bytes[from..]);
        write!(out, "{high:#x}")?;
        more_bytes(from, out)
    })
}

fn more_bytes(more: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    match more {
        0 => Ok(()),
        1 => out.write_str("... 1 more byte"),
        more => write!(out, "... {} more bytes", grouped(more)),
    }
}

/// Formats a number with thousands separators.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let mut text = head.to_owned();
    for (n, digit) in tail.chars().enumerate() {
        if n % 3 == 0 && !text.is_empty() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a float like `repr`, but infinities like `ast.unparse`.
pub(super) fn float(value: f64, out: &mut dyn fmt::Write) -> fmt::Result {
    if value.is_infinite() {
        return out.write_str(if value < 0.0 { "-1e309" } else { "1e309" });
    }
    write!(out, "{}", repr::Float(value))
}

/// Writes a complex number like `repr`: without a zero real part and without `.0` of integers.
fn complex(re: f64, im: f64, out: &mut dyn fmt::Write) -> fmt::Result {
    let part = |value| {
        let mut text = String::new();
        float(value, &mut text).map(|()| text.strip_suffix(".0").map(str::to_owned).unwrap_or(text))
    };
    let (real, imaginary) = (part(re)?, part(im)?);
    if re == 0.0 && re.is_sign_positive() {
        return write!(out, "{imaginary}j");
    }
    let sign = if imaginary.starts_with('-') { "" } else { "+" };
    write!(out, "({real}{sign}{imaginary}j)")
}

pub(super) fn is_dotted_name(text: Text<'_>) -> bool {
    let is_part = |part: &str| {
        !part.starts_with(|c: char| c.is_ascii_digit())
            && !part.is_empty()
            && part.chars().all(|c| c.is_alphanumeric() || "_<>".contains(c))
    };
    text.as_str().is_some_and(|text| text.split('.').all(is_part))
}
