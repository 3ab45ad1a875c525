//! The reader of JSON, plain and tagged: a stack of open brackets in the place of recursion.
//!
//! The writer is `pretty/json.rs`; docs/cli.md documents the tags. Blanks before a string say which of several equal
//! strings it is: see [`Twins`]. Blanks behind a value say that it has no PUT: see [`UNMEMOIZED`].

mod tags;

use std::collections::HashMap;

use num_bigint::BigInt;

use super::marks::{LONG_MARK, NONE_IS_MEMOIZED, Twins, UNMEMOIZED, UNMEMOIZED_ARE_MARKED};
use super::scanner::{Number, Scanner};
use super::tree::{Child, Node, Tree};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Graph, Id, IntoValue, Memoized, OpKind, Tag};

pub(super) struct JsonReader<'t, 'g> {
    scanner: Scanner<'t>,
    arena: &'g mut Arena,
    tree: Tree,
    open: Vec<Open<'t>>,
    /// All different values of each text so far.
    twins: HashMap<(Tag, Vec<u8>), Vec<Cell>>,
    effects: Vec<Child>,
    /// The values behind which [`UNMEMOIZED`] stands.
    unmemoized: Vec<Child>,
}

/// What has begun.
enum Open<'t> {
    Array(Vec<Child>),
    /// A dict, with the key whose value comes next.
    Dict(Vec<Child>, Child),
    /// An object with a tag, and the name whose value comes next.
    Tagged(Tagged<'t>, String),
    /// The changes of an instance.
    Changes(Vec<(OpKind, Vec<Child>)>),
    Change(OpKind),
}

struct Tagged<'t> {
    /// Where it begins, and the blanks before it.
    at: usize,
    blanks: &'t str,
    members: Vec<Member<'t>>,
}

struct Member<'t> {
    name: String,
    value: Json<'t>,
    /// Whether [`UNMEMOIZED`] stands behind the value.
    is_unmemoized: bool,
}

/// A value, before what is around it says what it is for.
enum Json<'t> {
    Child(Child),
    /// The string of a tag, with the blanks before it.
    Text(String, &'t str),
    /// An array may be the items of any container.
    Array(Vec<Child>),
    Changes(Vec<(OpKind, Vec<Child>)>),
    /// One of these.
    Change(OpKind, Vec<Child>),
}

impl<'t, 'g> JsonReader<'t, 'g> {
    pub(super) fn new(text: &'t str, graph: &'g mut Graph) -> Self {
        JsonReader {
            scanner: Scanner::new(text, false),
            arena: graph,
            tree: Tree::default(),
            open: Vec::new(),
            twins: HashMap::new(),
            effects: Vec::new(),
            unmemoized: Vec::new(),
        }
    }

    /// Reads one document and makes it the root. Returns where it ends.
    pub(super) fn read(mut self) -> Result<usize> {
        loop {
            let mut value = self.begin()?;
            while let Some(complete) = value {
                value = match self.open.pop() {
                    Some(open) => self.close(open, complete)?,
                    None => {
                        let root = self.child(complete)?;
                        return self.end(root);
                    }
                };
            }
        }
    }

    /// Makes the graph. Returns where the document ends, with the marks behind it.
    fn end(mut self, root: Child) -> Result<usize> {
        let blanks = self.scanner.take_while(|c| matches!(c, ' ' | '\t'));
        if blanks.starts_with(UNMEMOIZED) {
            self.unmemoized.push(root);
        }
        let (root, unmemoized) = self.tree.build(self.arena, root, &self.effects, &self.unmemoized)?;
        self.arena.set_root(Id(root));
        self.arena.memoized = match blanks.trim_start_matches(UNMEMOIZED) {
            UNMEMOIZED_ARE_MARKED => Some(Box::new(Memoized::all_but(self.arena, &unmemoized))),
            NONE_IS_MEMOIZED => Some(Box::new(Memoized::none(self.arena))),
            _ => None,
        };
        Ok(self.scanner.at)
    }

    /// Begins a value; returns it if it is complete.
    fn begin(&mut self) -> Result<Option<Json<'t>>> {
        let blanks = self.blanks();
        let at = self.scanner.at;
        match self.scanner.peek() {
            Some('[') => {
                self.scanner.at += 1;
                let start = self.scanner.at;
                self.blanks();
                let open = match self.open.last() {
                    Some(Open::Tagged(_, name)) if name == "changes" => Open::Changes(Vec::new()),
                    _ => Open::Array(Vec::new()),
                };
                if self.scanner.eat("]") {
                    return Ok(Some(open.empty()));
                }
                // The blanks belong to the first item.
                self.scanner.at = start;
                self.open.push(open);
                Ok(None)
            }
            Some('{') => {
                self.scanner.at += 1;
                let key_blanks = self.blanks();
                if self.scanner.eat("}") {
                    return Ok(Some(Json::Child(self.tree.add(Node::Dict(Vec::new())))));
                }
                let start = self.scanner.at;
                let (name, is_unmemoized) = self.name()?;
                let open = if let Some(Open::Changes(_)) = self.open.last() {
                    Open::Change(change_named(&name).ok_or_else(|| {
                        self.scanner.at = start;
                        self.scanner.expected("a change: `append`, `setitem`, `add`, `build` or `effect`")
                    })?)
                } else if name.starts_with('$') {
                    Open::Tagged(Tagged { at, blanks, members: Vec::new() }, name)
                } else {
                    Open::Dict(Vec::new(), self.key(&name, key_blanks, is_unmemoized))
                };
                self.open.push(open);
                Ok(None)
            }
            Some('"') => {
                let text = self.string()?;
                let is_of_tag = matches!(self.open.last(), Some(Open::Tagged(_, name)) if has_text(name));
                Ok(Some(match is_of_tag {
                    true => Json::Text(text, blanks),
                    false => Json::Child(self.text(Tag::Str, text.as_bytes(), blanks)),
                }))
            }
            Some('-' | '0'..='9') => {
                let cell = match self.scanner.number()? {
                    Some(Number::Int(int, _)) => self.int(int, blanks),
                    Some(Number::Float(float)) => self.arena.new_float(float),
                    _ => return Err(self.scanner.expected("a number")),
                };
                Ok(Some(Json::Child(Child::Cell(cell))))
            }
            _ => {
                for (word, cell) in [("null", Cell::NONE), ("true", Cell::bool(true)), ("false", Cell::bool(false))] {
                    if self.scanner.eat(word) {
                        return Ok(Some(Json::Child(Child::Cell(cell))));
                    }
                }
                Err(self.scanner.expected("a value of JSON"))
            }
        }
    }

    /// Adds a value to what is open around it. Returns that if it is complete.
    fn close(&mut self, open: Open<'t>, value: Json<'t>) -> Result<Option<Json<'t>>> {
        match open {
            Open::Array(mut items) => {
                items.push(self.marked_child(value)?);
                match self.ends_with("]")? {
                    true => return Ok(Some(Json::Array(items))),
                    false => self.open.push(Open::Array(items)),
                }
            }
            Open::Changes(mut changes) => {
                match value {
                    Json::Change(kind, children) => changes.push((kind, children)),
                    _ => return Err(self.scanner.expected("a change before")),
                }
                match self.ends_with("]")? {
                    true => return Ok(Some(Json::Changes(changes))),
                    false => self.open.push(Open::Changes(changes)),
                }
            }
            Open::Dict(mut rows, key) => {
                rows.extend([key, self.marked_child(value)?]);
                if self.ends_with("}")? {
                    return Ok(Some(Json::Child(self.tree.add(Node::Dict(rows)))));
                }
                let blanks = self.blanks();
                let (name, is_unmemoized) = self.name()?;
                let key = self.key(&name, blanks, is_unmemoized);
                self.open.push(Open::Dict(rows, key));
            }
            Open::Tagged(mut tagged, name) => {
                let is_unmemoized = self.blanks() == UNMEMOIZED;
                tagged.members.push(Member { name, value, is_unmemoized });
                if self.ends_with("}")? {
                    let at = tagged.at;
                    return self.tagged(tagged).map(Some).map_err(|error| match error.offset() {
                        Some(_) => error,
                        None => error.at(at as u64, None),
                    });
                }
                self.blanks();
                let (name, _) = self.name()?;
                self.open.push(Open::Tagged(tagged, name));
            }
            Open::Change(kind) => {
                let children = match (kind, value) {
                    (OpKind::Build | OpKind::Effect, value) => vec![self.marked_child(value)?],
                    (OpKind::SetItem, Json::Array(pairs)) => self.pairs(pairs)?,
                    (_, Json::Array(items)) => items,
                    _ => return Err(self.scanner.expected("an array before")),
                };
                if !self.ends_with("}")? {
                    return Err(self.scanner.expected("`}`"));
                }
                return Ok(Some(Json::Change(kind, children)));
            }
        }
        Ok(None)
    }

    /// Returns an integer, which is a `long` of Python 2 behind a mark.
    fn int(&mut self, int: BigInt, blanks: &str) -> Cell {
        match i64::try_from(&int) {
            Ok(value) if blanks == LONG_MARK => self.arena.new_short_long(value),
            _ => int.into_value(self.arena).0,
        }
    }

    fn blanks(&mut self) -> &'t str {
        self.scanner.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'))
    }

    /// Reads a comma, or the closing bracket. Returns whether it was the bracket.
    fn ends_with(&mut self, close: &'static str) -> Result<bool> {
        self.blanks();
        let is_end = self.scanner.eat(close);
        if is_end || self.scanner.eat(",") {
            return Ok(is_end);
        }
        Err(self.scanner.expected(format!("`,` or `{close}`")))
    }

    /// Reads a member name and its colon. Returns whether [`UNMEMOIZED`] stands behind the name, too.
    fn name(&mut self) -> Result<(String, bool)> {
        let name = self.string()?;
        let is_unmemoized = self.blanks() == UNMEMOIZED;
        if self.scanner.eat(":") { Ok((name, is_unmemoized)) } else { Err(self.scanner.expected("`:`")) }
    }

    /// Returns the value of a dict key.
    fn key(&mut self, name: &str, blanks: &str, is_unmemoized: bool) -> Child {
        let key = self.text(Tag::Str, name.as_bytes(), blanks);
        self.unmemoized.extend(Some(key).filter(|_| is_unmemoized));
        key
    }

    fn string(&mut self) -> Result<String> {
        if !self.scanner.eat("\"") {
            return Err(self.scanner.expected("a string"));
        }
        let mut text = String::new();
        loop {
            text += self.scanner.take_while(|c| !matches!(c, '"' | '\\' | '\0'..='\x1f'));
            if self.scanner.eat("\"") {
                return Ok(text);
            }
            if !self.scanner.eat("\\") {
                return Err(self.scanner.expected("`\"` at the end of a string"));
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char> {
        let Some(c) = self.scanner.peek() else { return Err(self.scanner.expected("an escape")) };
        self.scanner.at += c.len_utf8();
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.scanner.hex(4)?;
                let code = match high {
                    0xd800..0xdc00 if self.scanner.eat("\\u") => {
                        let low = self.scanner.hex(4)?.wrapping_sub(0xdc00);
                        if low < 0x400 { 0x1_0000 + ((high - 0xd800) << 10) + low } else { high }
                    }
                    code => code,
                };
                char::from_u32(code).ok_or_else(|| {
                    self.scanner.expected("a pair of surrogates before (`$codepoints` can hold others)")
                })?
            }
            _ => return Err(self.scanner.expected("an escape of JSON before")),
        })
    }

    /// Returns the value of a text: the one before that the blanks name, or a new one.
    fn text(&mut self, tag: Tag, payload: &[u8], blanks: &str) -> Child {
        if tag == Tag::ByteArray {
            return Child::Cell(self.arena.new_text(tag, payload, false));
        }
        self.twin((tag, payload.to_vec()), blanks, |arena| arena.new_text(tag, payload, false))
    }

    fn twin(&mut self, key: (Tag, Vec<u8>), blanks: &str, make: impl FnOnce(&mut Arena) -> Cell) -> Child {
        let known = self.twins.entry(key).or_default();
        let twin = Twins::decode(blanks).and_then(|back| known.get(known.len().saturating_sub(back)));
        let cell = twin.copied().unwrap_or_else(|| {
            let cell = make(self.arena);
            known.push(cell);
            cell
        });
        Child::Cell(cell)
    }

    /// Returns the child that a value is, and notes the mark behind it.
    fn marked_child(&mut self, value: Json<'_>) -> Result<Child> {
        let child = self.child(value)?;
        if self.blanks() == UNMEMOIZED {
            self.unmemoized.push(child);
        }
        Ok(child)
    }

    fn child(&mut self, value: Json<'_>) -> Result<Child> {
        match value {
            Json::Child(child) => Ok(child),
            Json::Array(items) => Ok(self.tree.add(Node::List(items))),
            Json::Text(..) | Json::Changes(_) | Json::Change(..) => Err(wrong("a value", "a part of one")),
        }
    }
}

impl Open<'_> {
    /// Returns the value of an array without items.
    fn empty<'t>(self) -> Json<'t> {
        match self {
            Open::Changes(_) => Json::Changes(Vec::new()),
            _ => Json::Array(Vec::new()),
        }
    }
}

/// Whether the string of a tag is not a value by itself.
fn has_text(tag: &str) -> bool {
    matches!(tag, "$int" | "$float" | "$bytes" | "$bytearray" | "$bytestr" | "$object" | "$str")
}

fn change_named(name: &str) -> Option<OpKind> {
    Some(match name {
        "append" => OpKind::Append,
        "setitem" => OpKind::SetItem,
        "add" => OpKind::Add,
        "build" => OpKind::Build,
        "effect" => OpKind::Effect,
        _ => return None,
    })
}

#[cold]
fn wrong(expected: &'static str, found: &str) -> Error {
    Error::new(ErrorKind::Malformed, expected, crate::graph::shorten(found))
}
