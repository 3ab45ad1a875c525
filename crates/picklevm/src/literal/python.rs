//! The parser of Python syntax: a stack of open brackets in the place of recursion.

mod calls;

use super::names::{self, Name};
use super::scanner::{Number, Prefix, Scanner};
use super::tree::{Child, Node, Tree};
use crate::error::Result;
use crate::graph::{Arena, Cell, IntoValue, OpKind, Tag};

/// What a text describes.
pub(super) struct Parsed {
    pub(super) tree: Tree,
    pub(super) root: Child,
    /// Calls for their effect that no object holds.
    pub(super) effects: Vec<Child>,
    /// Whether a string has the prefix `u`.
    pub(super) has_unicode: bool,
}

pub(super) struct Parser<'t, 'g> {
    scanner: Scanner<'t>,
    arena: &'g mut Arena,
    tree: Tree,
    open: Vec<Open>,
    effects: Vec<Child>,
    has_unicode: bool,
}

/// What has begun and waits for a value.
enum Open {
    List(Vec<Child>),
    /// Parentheses; whether a comma was in them.
    Parentheses(Vec<Child>, bool),
    /// A dict or set.
    Braces(Vec<Child>, Braces),
    Call(Box<Call>),
    /// `&1`, before the value.
    Label(u64),
    /// `with state` and the like, before the value.
    With(Child, Change),
    /// `a |` in parentheses, before the other value.
    Or(Child),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Braces {
    Empty,
    Set,
    /// A key came last.
    Key,
    Dict,
}

struct Call {
    callee: Callee,
    args: Vec<Child>,
    /// The tuple after `*`.
    spread: Option<Child>,
    /// Names and values in turn.
    keywords: Vec<Child>,
    /// The dict after `**`.
    keyword_dict: Option<Child>,
    pending: Pending,
}

enum Callee {
    /// What this module knows: `set`, `bytearray`, `persistent`, …
    Known(&'static str),
    Value(Child),
    /// `functools.partial`, which takes a spread tuple after its function.
    Partial(Child),
}

enum Pending {
    Positional,
    Spread,
    KeywordDict,
    Keyword(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Items,
    Members,
    State,
    Effect,
}

/// A value that was read, and whether it stood in parentheses by itself.
struct Value {
    child: Child,
    is_group: bool,
    is_name: bool,
}

impl Value {
    fn new(child: Child) -> Value {
        Value { child, is_group: false, is_name: false }
    }
}

const KNOWN: [&str; 8] = ["set", "frozenset", "bytearray", "persistent", "extension", "buffer", "global", "complex"];

impl<'t, 'g> Parser<'t, 'g> {
    pub(super) fn new(text: &'t str, arena: &'g mut Arena, byte_strings: bool) -> Self {
        Parser {
            scanner: Scanner::new(text, byte_strings),
            arena,
            tree: Tree::default(),
            open: Vec::new(),
            effects: Vec::new(),
            has_unicode: false,
        }
    }

    pub(super) fn read(mut self) -> Result<Parsed> {
        loop {
            let Some(mut value) = self.begin()? else { continue };
            // One value may close several brackets.
            loop {
                if self.suffix(&mut value)? {
                    break;
                }
                match self.close(value)? {
                    Closed::Value(outer) => value = outer,
                    Closed::Open => break,
                    Closed::End(root) => {
                        let Parser { tree, effects, has_unicode, .. } = self;
                        return Ok(Parsed { tree, root, effects, has_unicode });
                    }
                }
            }
        }
    }

    /// Begins a value; returns it if it is complete.
    fn begin(&mut self) -> Result<Option<Value>> {
        self.scanner.skip_space();
        let scanner = &mut self.scanner;
        match scanner.peek() {
            Some('[') => {
                scanner.at += 1;
                self.open.push(Open::List(Vec::new()));
                Ok(self.close_empty("]").then(|| self.tree.add(Node::List(Vec::new()))).map(Value::new))
            }
            Some('(') => {
                scanner.at += 1;
                self.open.push(Open::Parentheses(Vec::new(), false));
                Ok(self.close_empty(")").then(|| Value::new(Child::Cell(Cell::EMPTY_TUPLE))))
            }
            Some('{') => {
                scanner.at += 1;
                self.open.push(Open::Braces(Vec::new(), Braces::Empty));
                Ok(self.close_empty("}").then(|| self.tree.add(Node::Dict(Vec::new()))).map(Value::new))
            }
            Some('&') => {
                scanner.at += 1;
                let label = scanner.digits()?;
                self.open.push(Open::Label(label));
                Ok(None)
            }
            Some('*') => {
                scanner.at += 1;
                Ok(Some(Value::new(Child::Label(scanner.digits()?))))
            }
            _ => self.atom(),
        }
    }

    /// Passes over a closing bracket right after the opening one.
    fn close_empty(&mut self, close: &str) -> bool {
        self.scanner.skip_space();
        let is_empty = self.scanner.eat(close);
        if is_empty {
            self.open.pop();
        }
        is_empty
    }

    /// Reads a value without brackets, or a name and the bracket of a call.
    fn atom(&mut self) -> Result<Option<Value>> {
        let start = self.scanner.at;
        if let Some(string) = self.scanner.string()? {
            self.has_unicode |= string.prefix == Prefix::Unicode;
            let tag = match string.prefix {
                Prefix::Bytes => Tag::Bytes,
                Prefix::None if self.scanner.byte_strings => Tag::ByteStr,
                _ => Tag::Str,
            };
            return Ok(Some(Value::new(self.tree.text(self.arena, tag, &string.payload, string.surrogates))));
        }
        if let Some(number) = self.scanner.number()? {
            return self.complex(number).map(|cell| Some(Value::new(Child::Cell(cell))));
        }
        let name = match self.scanner.peek() {
            Some(c) if (c.is_alphabetic() || "_<>".contains(c)) => self.scanner.name(),
            _ => return Err(self.scanner.expected("a value")),
        };
        let is_call = self.scanner.rest().starts_with('(');
        let constant = match name {
            "None" => Some(Cell::NONE),
            "True" => Some(Cell::bool(true)),
            "False" => Some(Cell::bool(false)),
            "Ellipsis" if !is_call => Some(self.arena.known_global("builtins", "Ellipsis")),
            _ => None,
        };
        if let Some(cell) = constant {
            return Ok(Some(Value::new(Child::Cell(cell))));
        }
        if is_call && let Some(known) = KNOWN.into_iter().find(|known| *known == name) {
            self.scanner.at += 1;
            self.open_call(Callee::Known(known));
            return Ok(self.end_empty_call()?.map(Value::new));
        }
        let child = match Name::of(name) {
            Name::Global("datetime.timezone", "utc") if !is_call => {
                let [zero, class] =
                    [self.arena.add(crate::typed::TimeDelta::ZERO).0, self.arena.known_global("datetime", "timezone")];
                self.call(Child::Cell(class), vec![Child::Cell(zero)])
            }
            Name::Global(module, global) if !module.is_empty() && !global.is_empty() => {
                Child::Cell(self.arena.global(module, global).0)
            }
            Name::Attribute([module, class], attribute) => {
                let owner = self.arena.global(module, class).0;
                self.attribute(Child::Cell(owner), attribute)
            }
            Name::Bare(name) if names::is_builtin(name) => Child::Cell(self.arena.known_global("builtins", name)),
            _ => {
                self.scanner.at = start;
                let what = "a value, or the full name of a class or function (`module.Name`)";
                return Err(self.scanner.expected(what));
            }
        };
        Ok(Some(Value { child, is_group: false, is_name: true }))
    }

    /// Makes a number; two of them are a complex one.
    fn complex(&mut self, number: Number) -> Result<Cell> {
        Ok(match number {
            Number::Imaginary(im) => self.arena.new_complex(0.0, im),
            Number::Int(..) | Number::Float(_) if self.scanner.rest().starts_with(['+', '-']) => {
                let start = self.scanner.at;
                match self.scanner.number()? {
                    Some(Number::Imaginary(im)) => self.arena.new_complex(real(&number), im),
                    _ => {
                        self.scanner.at = start;
                        return Err(self.scanner.expected("the end of the number"));
                    }
                }
            }
            Number::Int(int, _) => int.into_value(self.arena).0,
            Number::Float(float) => self.arena.new_float(float),
        })
    }

    /// Reads what may follow a value and belongs to it. Returns whether it waits for another value.
    fn suffix(&mut self, value: &mut Value) -> Result<bool> {
        loop {
            if (value.is_group || value.is_name) && self.scanner.eat("(") {
                let callee = match value.child {
                    Child::Cell(cell) if self.is_partial(cell) => Callee::Partial(value.child),
                    child => Callee::Value(child),
                };
                self.open_call(callee);
                match self.end_empty_call()? {
                    Some(child) => *value = Value::new(child),
                    None => return Ok(true),
                }
                continue;
            }
            let rest = self.scanner.rest();
            if value.is_group && rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_alphabetic() || c == '_')
            {
                self.scanner.at += 1;
                let name = self.scanner.name();
                *value = Value { child: self.attribute(value.child, name), is_group: false, is_name: true };
                continue;
            }
            let start = self.scanner.at;
            self.scanner.skip_space();
            if self.scanner.eat("by ") {
                let how = names::construction_named(self.scanner.take_while(|c| c.is_alphanumeric() || c == '_'));
                match (self.tree.object(value.child), how) {
                    (Some(object), Some(how)) => object.how = Some(how),
                    _ => {
                        self.scanner.at = start;
                        return Err(self.scanner.expected("a way to make the instance"));
                    }
                }
                continue;
            }
            // What is behind a state belongs to the instance with that state.
            let inside = self.open.iter().rev().find(|open| !matches!(open, Open::Label(_)));
            if !matches!(inside, Some(Open::With(..))) && self.scanner.eat("with ") {
                return self.with(value.child, start).map(|()| true);
            }
            return Ok(false);
        }
    }

    fn with(&mut self, child: Child, start: usize) -> Result<()> {
        let word = self.scanner.take_while(|c| c.is_alphabetic());
        let change = match word {
            "items" => Change::Items,
            "members" => Change::Members,
            "state" => Change::State,
            "effect" => Change::Effect,
            _ => {
                self.scanner.at = start;
                return Err(self.scanner.expected("`with items`, `with members`, `with state` or `with effect`"));
            }
        };
        // A call for its effect may also follow the root, whatever that is.
        if self.tree.object(child).is_none() && (change != Change::Effect || !self.open.is_empty()) {
            self.scanner.at = start;
            return Err(self.scanner.expected("the end of a value that takes no items and no state"));
        }
        self.open.push(Open::With(child, change));
        Ok(())
    }

    /// Adds a value to what is open around it.
    fn close(&mut self, value: Value) -> Result<Closed> {
        let Some(open) = self.open.pop() else {
            self.scanner.skip_space();
            return match self.scanner.rest() {
                "" => Ok(Closed::End(value.child)),
                _ => Err(self.scanner.expected("the end")),
            };
        };
        let child = value.child;
        let closed = match open {
            Open::List(mut items) => {
                items.push(child);
                match self.separator("]")? {
                    Next::End(_) => Value::new(self.tree.add(Node::List(items))),
                    Next::Comma => return self.wait(Open::List(items)),
                }
            }
            Open::Parentheses(mut items, has_comma) => {
                self.scanner.skip_space();
                if items.is_empty() && !has_comma && self.scanner.eat("|") {
                    self.open.push(Open::Parentheses(items, false));
                    return self.wait(Open::Or(child));
                }
                items.push(child);
                match self.separator(")")? {
                    Next::End(false) if !has_comma => Value { child, is_group: true, is_name: false },
                    Next::End(_) => Value::new(self.tree.add(Node::Tuple(items))),
                    Next::Comma => return self.wait(Open::Parentheses(items, true)),
                }
            }
            Open::Braces(mut items, kind) => {
                items.push(child);
                self.scanner.skip_space();
                if matches!(kind, Braces::Empty | Braces::Dict) && self.scanner.eat(":") {
                    return self.wait(Open::Braces(items, Braces::Key));
                }
                let kind = match kind {
                    Braces::Dict => return Err(self.scanner.expected("`:`")),
                    Braces::Key => Braces::Dict,
                    Braces::Empty | Braces::Set => Braces::Set,
                };
                match self.separator("}")? {
                    Next::Comma => return self.wait(Open::Braces(items, kind)),
                    Next::End(_) if kind == Braces::Dict => Value::new(self.tree.add(Node::Dict(items))),
                    Next::End(_) => Value::new(self.tree.add(Node::Set(items))),
                }
            }
            Open::Call(mut call) => {
                self.argument(&mut call, child)?;
                match self.separator(")")? {
                    Next::End(_) => Value::new(self.end_call(*call)?),
                    Next::Comma => {
                        self.open.push(Open::Call(call));
                        self.begin_argument()?;
                        return Ok(Closed::Open);
                    }
                }
            }
            Open::Label(label) => {
                if !self.tree.label(label, child) {
                    return Err(self.scanner.expected(format!("one value with the label &{label}")));
                }
                value
            }
            Open::Or(first) => {
                let or = Child::Cell(self.arena.known_global("_operator", "or_"));
                Value::new(self.call(or, vec![first, child]))
            }
            Open::With(object, change) => {
                self.change(object, change, child)?;
                Value::new(object)
            }
        };
        Ok(Closed::Value(closed))
    }

    fn wait(&mut self, open: Open) -> Result<Closed> {
        self.open.push(open);
        Ok(Closed::Open)
    }

    /// Reads a comma or a closing bracket; a comma may stand before the bracket.
    fn separator(&mut self, close: &'static str) -> Result<Next> {
        self.scanner.skip_space();
        let has_comma = self.scanner.eat(",");
        self.scanner.skip_space();
        match self.scanner.eat(close) {
            true => Ok(Next::End(has_comma)),
            false if has_comma => Ok(Next::Comma),
            false => Err(self.scanner.expected(format!("`,` or `{close}`"))),
        }
    }

    /// Adds what followed `with` to an object.
    fn change(&mut self, object: Child, change: Change, child: Child) -> Result<()> {
        let is_dict = matches!(child, Child::Node(at) if matches!(self.tree.nodes[at], Node::Dict(_)));
        let kind = match change {
            Change::State => OpKind::Build,
            Change::Effect => OpKind::Effect,
            Change::Members => OpKind::Add,
            Change::Items if is_dict => OpKind::SetItem,
            Change::Items => OpKind::Append,
        };
        let cells = match change {
            Change::State | Change::Effect => Some(vec![child]),
            Change::Items | Change::Members => self.tree.take_items(child),
        };
        let cells = cells.ok_or_else(|| self.scanner.expected("items in brackets before"))?;
        if kind == OpKind::Effect && !self.is_effect_on(object, child) {
            self.effects.push(child);
        } else if let Some(object) = self.tree.object(object) {
            object.changes.push((kind, cells));
        }
        Ok(())
    }

    /// Whether the first argument of a call is the object, which has a label then. Only the root may be followed by a
    /// call that is for something else.
    fn is_effect_on(&mut self, object: Child, call: Child) -> bool {
        if self.tree.object(object).is_none() {
            return false;
        }
        let args = self.tree.object(call).map(|call| call.args);
        let first = match args {
            Some(Child::Node(at)) => match &self.tree.nodes[at] {
                Node::Tuple(items) => items.first().copied(),
                _ => None,
            },
            _ => None,
        };
        matches!(first, Some(Child::Label(_))) || !self.open.is_empty()
    }
}

/// What closing a value has led to.
enum Closed {
    /// A value around it is complete.
    Value(Value),
    /// Another value must come.
    Open,
    /// The text is at its end.
    End(Child),
}

/// What comes after a value in brackets.
enum Next {
    Comma,
    /// The closing bracket, and whether a comma stood before it.
    End(bool),
}

fn real(number: &Number) -> f64 {
    match number {
        Number::Int(int, true) if int.sign() == num_bigint::Sign::NoSign => -0.0,
        Number::Int(int, _) => int.to_string().parse().unwrap_or(f64::NAN),
        Number::Float(float) | Number::Imaginary(float) => *float,
    }
}
