//! The graph form: a lossless form of a graph in JSON lines, for comparing graphs across programs.
//!
//! The first line holds the root (and the effects that it does not reach); each further line is one compound value, in
//! the order of ids. Ids are assigned depth first, parents before children, children from left to right, when a value
//! is first reached. Atoms are written inline: integers in hexadecimal, floats as their eight bytes from the most
//! significant, text in ASCII with `\u` escapes, bytes in hexadecimal.

use std::collections::HashSet;
use std::io::{self, Write};

use foldhash::fast::RandomState;
use picklevm_ops::Text;

use super::arena::Arena;
use super::cell::{Cell, LONG_PAYLOAD, Tag};
use super::node_index::NodeIndex;
use super::object::{Construction, OpKind};
use super::value::{Kind, Value};
use super::walk::Walk;

/// Writes the graph form of a value: JSON lines in ASCII with types, contents, sharing, cycles, and how instances are
/// made.
///
/// Two pickles with the same graph form load to the same objects in Python. Memory beyond the graph is a few bytes per
/// node.
///
/// # Errors
///
/// Errors of `out`; [`FileTooLarge`](io::ErrorKind::FileTooLarge) if text, bytes and integers of 255 bytes and more that
/// are shared would be written again in more than 16 MiB and 16 times the bytes of all of them.
///
/// ```
/// let graph = picklevm::loads(b"\x80\x02]q\x00(K\x01h\x00e.")?;   // a list that holds itself
/// let mut out = Vec::new();
/// picklevm::write_graph_form(graph.root(), &mut out)?;
/// assert_eq!(out, b"{\"root\":{\"ref\":0}}\n{\"id\":0,\"list\":[{\"int\":\"1\"},{\"ref\":0}]}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_graph_form(root: Value<'_>, out: impl Write) -> io::Result<()> {
    let arena = root.arena();
    let effects = if arena.roots.first() == Some(&root.cell()) { &arena.effects[..] } else { &[] };
    let starts = || std::iter::once(root.cell()).chain(effects.iter().copied());
    let index = NodeIndex::new(arena);
    let mut ids = vec![0; index.len()];
    for (id, cell) in Walk::new(arena, starts()).enumerate() {
        ids[index.of(cell)] = id;
    }
    let mut form =
        Form { arena, index, ids, written: HashSet::default(), repeated_left: max_repeated_bytes(arena), out };
    form.out.write_all(b"{\"root\":")?;
    form.value(root.cell())?;
    if !effects.is_empty() {
        form.out.write_all(b",\"effects\":")?;
        form.list(effects)?;
    }
    form.out.write_all(b"}\n")?;
    for (id, cell) in Walk::new(arena, starts()).enumerate() {
        write!(form.out, "{{\"id\":{id},")?;
        form.compound(cell)?;
        form.out.write_all(b"}\n")?;
    }
    Ok(())
}

/// Returns the maximum number of payload bytes written repeatedly.
fn max_repeated_bytes(arena: &Arena) -> usize {
    const BASE: usize = 16 << 20;
    const GROWTH: usize = 16;
    arena.payloads.distinct_len().saturating_mul(GROWTH).saturating_add(BASE)
}

struct Form<'g, W> {
    arena: &'g Arena,
    index: NodeIndex,
    /// The id of each reached compound value, by node index.
    ids: Vec<usize>,
    /// The long payloads that have been written.
    written: HashSet<Cell, RandomState>,
    repeated_left: usize,
    out: W,
}

impl<W: Write> Form<'_, W> {
    /// Counts a payload if it was written before.
    fn count_repeated(&mut self, cell: Cell) -> io::Result<()> {
        if let Tag::Global = cell.tag() {
            let global = self.arena.globals[cell];
            self.count_repeated(global.module)?;
            return self.count_repeated(global.name);
        }
        let len = match cell.tag() {
            Tag::Str | Tag::Bytes | Tag::ByteStr | Tag::BigInt => self.arena.payload(cell).len(),
            _ => 0,
        };
        // Only a payload that is in the set already is counted.
        if len < LONG_PAYLOAD || self.written.insert(cell) {
            return Ok(());
        }
        self.repeated_left = self.repeated_left.checked_sub(len).ok_or_else(|| {
            let max = max_repeated_bytes(self.arena);
            let expected = format!("expected at most {max} bytes of shared payloads written repeatedly, found more");
            io::Error::new(io::ErrorKind::FileTooLarge, expected)
        })?;
        Ok(())
    }

    fn value(&mut self, cell: Cell) -> io::Result<()> {
        self.count_repeated(cell)?;
        let out = &mut self.out;
        match Value::new(self.arena, cell).kind() {
            Kind::None => out.write_all(b"null"),
            Kind::Bool(value) => write!(out, "{value}"),
            Kind::Int(int) => {
                write!(out, "{{\"int\":\"{int:x}")?;
                out.write_all(b"\"}")
            }
            Kind::Float(value) => write!(out, "{{\"float\":\"{:016x}\"}}", value.to_bits()),
            Kind::Complex(re, im) => {
                write!(out, "{{\"complex\":[\"{:016x}\",\"{:016x}\"]}}", re.to_bits(), im.to_bits())
            }
            Kind::Str(text) => {
                out.write_all(b"{\"str\":")?;
                json_string(out, text.code_points())?;
                out.write_all(b"}")
            }
            Kind::Bytes(bytes) => hex(out, "{\"bytes\":\"", bytes, "\"}"),
            Kind::ByteStr(bytes) => hex(out, "{\"bytestr\":\"", bytes, "\"}"),
            Kind::Global(global) => {
                out.write_all(b"{\"global\":[")?;
                json_string(out, global.module().code_points())?;
                out.write_all(b",")?;
                json_string(out, global.name().code_points())?;
                out.write_all(b"]}")
            }
            Kind::Ext(code) => write!(out, "{{\"ext\":{code}}}"),
            Kind::Buffer(buffer) => {
                write!(out, "{{\"buffer\":{},\"readonly\":{}}}", buffer.index(), buffer.is_readonly())
            }
            Kind::Tuple(items) if items.is_empty() => out.write_all(b"{\"tuple\":[]}"),
            _ => write!(out, "{{\"ref\":{}}}", self.ids[self.index.of(cell)]),
        }
    }

    fn compound(&mut self, cell: Cell) -> io::Result<()> {
        let arena = self.arena;
        let kind = match cell.tag() {
            Tag::List => "list",
            Tag::Tuple => "tuple",
            Tag::Set => "set",
            Tag::FrozenSet => "frozenset",
            Tag::Dict => {
                self.out.write_all(b"\"dict\":")?;
                return self.pairs(arena.items(cell));
            }
            Tag::ByteArray => return hex(&mut self.out, "\"bytearray\":\"", arena.payload(cell), "\""),
            Tag::Persistent => {
                self.out.write_all(b"\"persid\":")?;
                return self.value(arena.persistents[cell]);
            }
            Tag::NativeObject => {
                self.out.write_all(b"\"live\":")?;
                let name = arena.native(cell).class_name();
                return json_string(&mut self.out, Text::from(name).code_points());
            }
            _ => return self.object(cell),
        };
        write!(self.out, "\"{kind}\":")?;
        self.list(arena.items(cell))
    }

    fn object(&mut self, cell: Cell) -> io::Result<()> {
        let arena = self.arena;
        let node = arena.objects[cell];
        write!(self.out, "\"object\":\"{}\",\"class\":", node.how.name())?;
        self.value(node.class)?;
        self.out.write_all(b",\"args\":")?;
        match (node.how, arena.items(node.args)) {
            (Construction::Inst | Construction::Obj, args) => self.list(args)?,
            (Construction::NewObjEx, [args, kwargs]) => {
                self.value(*args)?;
                self.out.write_all(b",\"kwargs\":")?;
                self.value(*kwargs)?;
            }
            _ => self.value(node.args)?,
        }
        self.out.write_all(b",\"ops\":[")?;
        for (n, (kind, value)) in arena.object_ops(node).enumerate() {
            let name = match kind {
                OpKind::Append => "append",
                OpKind::SetItem => "setitem",
                OpKind::Add => "add",
                OpKind::Build | OpKind::Nothing => "build",
                OpKind::Effect => "effect",
            };
            write!(self.out, "{}[\"{name}\",", if n > 0 { "," } else { "" })?;
            match kind {
                OpKind::Append | OpKind::Add => self.list(arena.items(value))?,
                OpKind::SetItem => self.pairs(arena.items(value))?,
                _ => self.value(value)?,
            }
            self.out.write_all(b"]")?;
        }
        self.out.write_all(b"]")
    }

    fn list(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.out.write_all(b"[")?;
        for (n, cell) in cells.iter().enumerate() {
            if n > 0 {
                self.out.write_all(b",")?;
            }
            self.value(*cell)?;
        }
        self.out.write_all(b"]")
    }

    fn pairs(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.out.write_all(b"[")?;
        for (n, pair) in cells.chunks_exact(2).enumerate() {
            if n > 0 {
                self.out.write_all(b",")?;
            }
            self.list(pair)?;
        }
        self.out.write_all(b"]")
    }
}

fn hex(out: &mut impl Write, before: &str, bytes: &[u8], after: &str) -> io::Result<()> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.write_all(before.as_bytes())?;
    let mut buffer = [0; 512];
    for chunk in bytes.chunks(256) {
        for (pair, byte) in buffer.as_chunks_mut::<2>().0.iter_mut().zip(chunk) {
            *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        }
        out.write_all(&buffer[..2 * chunk.len()])?;
    }
    out.write_all(after.as_bytes())
}

/// Writes a JSON string in ASCII; code points above U+FFFF become surrogate pairs.
fn json_string(out: &mut impl Write, code_points: impl Iterator<Item = u32>) -> io::Result<()> {
    out.write_all(b"\"")?;
    for code in code_points {
        match code {
            0x22 => out.write_all(b"\\\"")?,
            0x5c => out.write_all(b"\\\\")?,
            0x20..0x7f => out.write_all(&[code as u8])?,
            0x08 => out.write_all(b"\\b")?,
            0x09 => out.write_all(b"\\t")?,
            0x0a => out.write_all(b"\\n")?,
            0x0c => out.write_all(b"\\f")?,
            0x0d => out.write_all(b"\\r")?,
            0..0x10000 => write!(out, "\\u{code:04x}")?,
            _ => {
                let rest = code - 0x10000;
                write!(out, "\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff))?;
            }
        }
    }
    out.write_all(b"\"")
}
