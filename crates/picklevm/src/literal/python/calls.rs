//! Calls: their arguments, and what a call of a name without a module stands for.

use super::{Call, Callee, Open, Parser, Pending};
use crate::error::Result;
use crate::graph::{Arena, BufferNode, Cell, Construction, Id, OpKind, Tag};
use crate::literal::tree::{Child, Node, ObjectNode};

impl Parser<'_, '_> {
    pub(super) fn call(&mut self, class: Child, args: Vec<Child>) -> Child {
        let args = self.tree.add(Node::Tuple(args));
        self.tree.add(Node::Object(ObjectNode { class, args, kwargs: None, how: None, changes: Vec::new() }))
    }

    pub(super) fn attribute(&mut self, owner: Child, name: &str) -> Child {
        let getattr = Child::Cell(self.arena.known_global("builtins", "getattr"));
        let name = self.tree.text(self.arena, Tag::Str, name.as_bytes(), false);
        self.call(getattr, vec![owner, name])
    }

    pub(super) fn is_partial(&self, cell: Cell) -> bool {
        let value = crate::graph::Value::new(self.arena, cell);
        crate::python::Class::of(value) == crate::python::Class::Partial
    }

    pub(super) fn open_call(&mut self, callee: Callee) {
        self.open.push(Open::Call(Box::new(Call {
            callee,
            args: Vec::new(),
            spread: None,
            keywords: Vec::new(),
            keyword_dict: None,
            pending: Pending::Positional,
        })));
    }

    /// Ends a call without arguments; begins the first argument otherwise.
    pub(super) fn end_empty_call(&mut self) -> Result<Option<Child>> {
        self.scanner.skip_space();
        if !self.scanner.eat(")") {
            self.begin_argument()?;
            return Ok(None);
        }
        match self.open.pop() {
            Some(Open::Call(call)) => self.end_call(*call).map(Some),
            _ => Err(self.scanner.expected("a value")),
        }
    }

    /// Reads what comes before the value of an argument: `*`, `**` or `name=`.
    pub(super) fn begin_argument(&mut self) -> Result<()> {
        self.scanner.skip_space();
        let start = self.scanner.at;
        let stars = self.scanner.take_while(|c| c == '*').len();
        // The last of them belongs to a label.
        let is_label = self.scanner.peek().is_some_and(|c| c.is_ascii_digit());
        let stars = if is_label && stars > 0 { stars - 1 } else { stars };
        self.scanner.at = start + stars;
        let pending = match stars {
            0 => {
                let name = self.scanner.take_while(|c| c.is_alphanumeric() || c == '_').to_owned();
                if !name.is_empty() && self.scanner.rest().starts_with('=') {
                    self.scanner.at += 1;
                    Pending::Keyword(name)
                } else {
                    self.scanner.at = start;
                    Pending::Positional
                }
            }
            1 => Pending::Spread,
            2 => Pending::KeywordDict,
            _ => return Err(self.scanner.expected("an argument")),
        };
        if let Some(Open::Call(call)) = self.open.last_mut() {
            call.pending = pending;
        }
        Ok(())
    }

    pub(super) fn argument(&mut self, call: &mut Call, child: Child) -> Result<()> {
        match std::mem::replace(&mut call.pending, Pending::Positional) {
            Pending::Positional if call.spread.is_none() => call.args.push(child),
            Pending::Spread if call.spread.is_none() => call.spread = Some(child),
            Pending::KeywordDict if call.keyword_dict.is_none() => call.keyword_dict = Some(child),
            Pending::Keyword(name) => {
                let name = self.tree.text(self.arena, Tag::Str, name.as_bytes(), false);
                call.keywords.extend([name, child]);
            }
            _ => return Err(self.scanner.expected("at most one `*` and one `**`, and no argument after `*`")),
        }
        Ok(())
    }

    pub(super) fn end_call(&mut self, call: Call) -> Result<Child> {
        let Call { callee, args, spread, keywords, keyword_dict, .. } = call;
        let kwargs = match (keyword_dict, keywords.is_empty()) {
            (None, true) => None,
            (Some(dict), true) => Some(dict),
            (None, false) => Some(self.tree.add(Node::Dict(keywords))),
            (Some(_), false) => return Err(self.scanner.expected("keyword arguments or `**`, not both")),
        };
        let only = if let [only] = args[..] { Some(only) } else { None };
        let class = match (callee, spread.zip(only)) {
            (Callee::Known(name), _) if spread.is_none() => return self.known(name, args, kwargs),
            (Callee::Partial(class), Some((spread, function))) => {
                let kwargs = kwargs.unwrap_or_else(|| self.tree.add(Node::Dict(Vec::new())));
                let state = vec![function, spread, kwargs, Child::Cell(Cell::NONE)];
                let state = self.tree.add(Node::Tuple(state));
                let args = self.tree.add(Node::Tuple(args));
                let changes = vec![(OpKind::Build, vec![state])];
                let how = Some(Construction::Reduce);
                return Ok(self.tree.add(Node::Object(ObjectNode { class, args, kwargs: None, how, changes })));
            }
            (Callee::Partial(class) | Callee::Value(class), _) => class,
            (Callee::Known(_), _) => return Err(self.scanner.expected("arguments without `*`")),
        };
        let args = match (spread, args.is_empty()) {
            (Some(tuple), true) => tuple,
            (Some(_), false) => return Err(self.scanner.expected("no argument before `*`")),
            (None, _) => self.tree.add(Node::Tuple(args)),
        };
        Ok(self.tree.add(Node::Object(ObjectNode { class, args, kwargs, how: None, changes: Vec::new() })))
    }

    /// Makes what a call of a name without a module stands for.
    fn known(&mut self, name: &'static str, args: Vec<Child>, kwargs: Option<Child>) -> Result<Child> {
        let wrong = |parser: &Self| parser.scanner.expected(format!("arguments of `{name}` before"));
        let readonly = match (name, kwargs) {
            (_, None) => false,
            ("buffer", Some(_)) => true,
            _ => return Err(wrong(self)),
        };
        let Parser { tree, arena, .. } = self;
        let number = |arena: &Arena, child: &Child| match child {
            Child::Cell(cell) => arena.small_int(*cell),
            _ => None,
        };
        let float = |arena: &Arena, child: &Child| match child {
            Child::Cell(cell) => crate::graph::Value::new(arena, *cell).as_f64(),
            _ => None,
        };
        Ok(match (name, &args[..]) {
            ("set", []) => tree.add(Node::Set(Vec::new())),
            ("frozenset", []) => tree.add(Node::FrozenSet(Vec::new())),
            ("set" | "frozenset", [items]) => {
                let Some(items) = tree.take_items(*items) else { return Err(wrong(self)) };
                tree.add(if name == "set" { Node::Set(items) } else { Node::FrozenSet(items) })
            }
            ("bytearray", []) => tree.text(arena, Tag::ByteArray, b"", false),
            ("bytearray", [Child::Cell(cell)]) if matches!(cell.tag(), Tag::Bytes | Tag::ByteStr) => {
                let bytes = arena.payload(*cell).to_vec();
                tree.text(arena, Tag::ByteArray, &bytes, false)
            }
            ("persistent", [id]) => tree.add(Node::Persistent(*id)),
            ("extension", [code]) => {
                let code = number(arena, code).and_then(|code| i32::try_from(code).ok()).unwrap_or(0);
                let Id(cell) = arena.ext(code)?;
                Child::Cell(cell)
            }
            ("buffer", [index]) => {
                let Some(index) = number(arena, index).and_then(|index| u32::try_from(index).ok()) else {
                    return Err(wrong(self));
                };
                Child::Cell(arena.new_buffer(BufferNode { index, readonly, data: None }))
            }
            ("global", [Child::Cell(module), Child::Cell(name)]) => {
                let names = [module, name].map(|name| match name.tag() {
                    Tag::ByteStr => {
                        let text = String::from_utf8(arena.payload(*name).to_vec()).ok()?;
                        Some(arena.add(text).0)
                    }
                    tag => (tag == Tag::Str).then_some(*name),
                });
                let [Some(module), Some(name)] = names else { return Err(wrong(self)) };
                Child::Cell(arena.new_global(module, name))
            }
            ("complex", [re, im]) => match (float(arena, re), float(arena, im)) {
                (Some(re), Some(im)) => Child::Cell(arena.new_complex(re, im)),
                _ => return Err(wrong(self)),
            },
            _ => return Err(wrong(self)),
        })
    }
}
