//! `Debug` of values: Python-like, on one line, cut where it grows long, safe on cycles.

use std::fmt::{self, Write};

use picklevm_ops::Text;
use smallvec::SmallVec;

use super::Graph;
use super::compare::is_compound;
use super::items::{Items, Pairs};
use super::value::{Id, Kind, Value};
use super::views::{Change, Dict, Object};

/// Values nested deeper than this are written as `…`.
const DEPTH: u32 = 12;
/// After this many values the rest is written as `…`.
const VALUES: u32 = 200;
/// Bytes of a payload that are written.
const BYTES: usize = 200;

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::new(f).value(*self, DEPTH)
    }
}

/// As a list.
impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::new(f).list(["[", "]"], *self, DEPTH)
    }
}

/// As a dict.
impl fmt::Debug for Pairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::new(f).pairs(*self, DEPTH)
    }
}

impl fmt::Debug for Dict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.roots()).finish()
    }
}

struct Printer<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    left: u32,
    /// The values that are being written, the innermost at the end.
    open: SmallVec<[Id; DEPTH as usize]>,
}

impl<'a, 'f> Printer<'a, 'f> {
    fn new(out: &'a mut fmt::Formatter<'f>) -> Self {
        Printer { out, left: VALUES, open: SmallVec::new() }
    }

    fn value(&mut self, value: Value<'_>, depth: u32) -> fmt::Result {
        if !is_compound(value.cell().tag()) {
            return self.one(value, depth);
        }
        if self.open.contains(&value.id()) {
            return self.out.write_str(again(value));
        }
        self.open.push(value.id());
        self.one(value, depth)?;
        self.open.pop();
        Ok(())
    }

    fn one(&mut self, value: Value<'_>, depth: u32) -> fmt::Result {
        if depth == 0 || self.left == 0 {
            return self.out.write_str("…");
        }
        self.left -= 1;
        let depth = depth - 1;
        match value.kind() {
            Kind::None => self.out.write_str("None"),
            Kind::Bool(true) => self.out.write_str("True"),
            Kind::Bool(false) => self.out.write_str("False"),
            Kind::Int(int) if int.as_i64().is_none() => int.with_le_bytes(|bytes| match i128::try_from(int) {
                Ok(int) => write!(self.out, "{int}"),
                Err(_) => write!(self.out, "int of {} bytes", bytes.len()),
            }),
            Kind::Int(int) => write!(self.out, "{int}"),
            Kind::Float(float) => write!(self.out, "{float:?}"),
            Kind::Complex(re, im) => write!(self.out, "complex({re:?}, {im:?})"),
            Kind::Str(text) if text.as_bytes().len() > BYTES => {
                write!(self.out, "{:?}… of {} bytes", start(text), text.as_bytes().len())
            }
            Kind::Str(text) => write!(self.out, "{text:?}"),
            Kind::Bytes(bytes) => self.bytes("b", bytes),
            Kind::ByteStr(bytes) => self.bytes("8-bit ", bytes),
            Kind::ByteArray(bytes) => self.bytes("bytearray ", bytes),
            Kind::Tuple(items) => self.list(if items.len() == 1 { ["(", ",)"] } else { ["(", ")"] }, items, depth),
            Kind::List(items) => self.list(["[", "]"], items, depth),
            Kind::Set(items) => self.list(["{", "}"], items, depth),
            Kind::FrozenSet(items) => self.list(["frozenset({", "})"], items, depth),
            Kind::Dict(dict) => self.pairs(dict.entries(), depth),
            Kind::Global(global) => write!(self.out, "{}.{}", start(global.module()), start(global.name())),
            Kind::Ext(code) => write!(self.out, "ext({code})"),
            Kind::Buffer(buffer) => write!(self.out, "buffer({})", buffer.index()),
            Kind::Persistent(pid) => {
                self.out.write_str("persistent(")?;
                self.value(pid, depth)?;
                self.out.write_str(")")
            }
            Kind::Object(object) => self.object(object, depth),
            Kind::Live(live) => write!(self.out, "{live:?}"),
        }
    }

    fn bytes(&mut self, prefix: &str, bytes: &[u8]) -> fmt::Result {
        write!(self.out, "{prefix}\"{}\"", bytes[..bytes.len().min(BYTES)].escape_ascii())?;
        if bytes.len() > BYTES { write!(self.out, "… of {} bytes", bytes.len()) } else { Ok(()) }
    }

    fn list<'g>(&mut self, around: [&str; 2], items: impl Iterator<Item = Value<'g>>, depth: u32) -> fmt::Result {
        self.out.write_str(around[0])?;
        for (n, item) in items.enumerate() {
            if n > 0 {
                self.out.write_str(", ")?;
            }
            self.value(item, depth)?;
            if self.left == 0 {
                break;
            }
        }
        self.out.write_str(around[1])
    }

    fn pairs<'g>(&mut self, pairs: impl Iterator<Item = (Value<'g>, Value<'g>)>, depth: u32) -> fmt::Result {
        self.out.write_char('{')?;
        for (n, (key, value)) in pairs.enumerate() {
            if n > 0 {
                self.out.write_str(", ")?;
            }
            self.value(key, depth)?;
            self.out.write_str(": ")?;
            self.value(value, depth)?;
            if self.left == 0 {
                break;
            }
        }
        self.out.write_char('}')
    }

    fn object(&mut self, object: Object<'_>, depth: u32) -> fmt::Result {
        self.value(object.class(), depth)?;
        self.list(["(", ")"], object.args(), depth)?;
        for change in object.changes() {
            if self.left == 0 {
                return self.out.write_str(" …");
            }
            self.out.write_char(' ')?;
            match change {
                Change::Append(items) | Change::Add(items) => self.list(["[", "]"], items, depth)?,
                Change::SetItem(pairs) => self.pairs(pairs, depth)?,
                Change::Build(state) => {
                    self.out.write_str("state ")?;
                    self.value(state, depth)?;
                }
                Change::Effect(effect) => {
                    self.out.write_str("effect ")?;
                    self.value(effect, depth)?;
                }
            }
        }
        Ok(())
    }
}

/// What Python writes of a value inside itself.
fn again(value: Value<'_>) -> &'static str {
    match value.kind() {
        Kind::List(_) => "[...]",
        Kind::Tuple(items) if items.is_empty() => "()",
        Kind::Tuple(_) => "(...)",
        Kind::Dict(_) | Kind::Set(_) => "{...}",
        _ => "...",
    }
}

/// The first characters of a text.
fn start(text: Text<'_>) -> String {
    let code_points = text.code_points().take(BYTES / 4);
    code_points.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
