//! A small evaluation of ops: plain data and the names of classes, as far as openers need them.
//!
//! Some containers say in a pickle where the rest is: joblib's arrays in the state before a BUILD, Ren'Py's members in a
//! dict, PyTorch's storages in persistent ids. Everything that is not known is [`Value::Other`].

use std::borrow::Cow;
use std::collections::HashMap;

use picklevm_ops::{Literal, Op, StackObject};

use super::extent::JOBLIB_MODULE;
use super::latin1;

/// Text that is longer is not kept: names and codes of types are short, payloads are not needed.
const LONGEST_TEXT: usize = 4096;

/// What an op left on the stack. Compound values are nodes, so that nothing recurses and sharing costs nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// Something that openers need not know.
    Other,
    None,
    Int(i64),
    Node(u32),
}

/// A compound value, a text or a class.
#[derive(Debug, PartialEq)]
pub(crate) enum Node {
    /// Text, bytes and 8-bit strings alike.
    Text(Box<[u8]>),
    Global {
        module: Box<str>,
        name: Box<str>,
    },
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Set,
    Dict(Vec<(Value, Value)>),
    Object {
        class: Value,
        args: Value,
        state: Value,
    },
}

/// An op found fewer values on the stack than it takes, or no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Underflow;

/// The stack and the memo of the evaluation.
#[derive(Debug, Default)]
pub(crate) struct Evaluation {
    pub(crate) stack: Vec<Value>,
    /// Where the marks lie: how many values are below each.
    pub(crate) marks: Vec<usize>,
    memo: HashMap<u64, Value>,
    nodes: Vec<Node>,
    /// The persistent ids, in order.
    pub(crate) persistent: Vec<Value>,
}

impl Evaluation {
    /// Runs a pickle as far as it can be read.
    pub(crate) fn of(pickle: &[u8]) -> Evaluation {
        let mut evaluation = Evaluation::default();
        for op in picklevm_ops::ops(pickle) {
            if op.is_err() || op.is_ok_and(|(_, op)| evaluation.run(&op).is_err()) {
                break;
            }
        }
        evaluation
    }

    /// The node of a value, if it has one.
    pub(crate) fn node(&self, value: Value) -> Option<&Node> {
        match value {
            Value::Node(index) => self.nodes.get(index as usize),
            _ => None,
        }
    }

    pub(crate) fn text(&self, value: Value) -> Option<&[u8]> {
        match self.node(value)? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Text or bytes; also bytes as Python 3 pickles them below protocol 3: `_codecs.encode(text, 'latin1')`, `bytes()`.
    pub(crate) fn bytes(&self, value: Value) -> Option<Cow<'_, [u8]>> {
        let Some((class, args, _)) = self.object(value) else { return self.text(value).map(Cow::Borrowed) };
        match (self.global(class)?, self.items(args)?) {
            (("_codecs", "encode"), [text, encoding]) if self.text(*encoding) == Some(b"latin1") => {
                latin1::encode(self.text(*text)?).map(Cow::Owned)
            }
            (("builtins" | "__builtin__", "bytes"), []) => Some(Cow::Borrowed(b"")),
            _ => None,
        }
    }

    /// The items of a tuple or a list.
    pub(crate) fn items(&self, value: Value) -> Option<&[Value]> {
        match self.node(value)? {
            Node::Tuple(items) | Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a dict.
    pub(crate) fn entries(&self, value: Value) -> Option<&[(Value, Value)]> {
        match self.node(value)? {
            Node::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a text key in a dict; the last one counts.
    pub(crate) fn get(&self, dict: Value, key: &str) -> Option<Value> {
        let found = self.entries(dict)?.iter().rev().find(|(k, _)| self.text(*k) == Some(key.as_bytes()));
        found.map(|(_, value)| *value)
    }

    /// The module and the name of a class.
    pub(crate) fn global(&self, value: Value) -> Option<(&str, &str)> {
        match self.node(value)? {
            Node::Global { module, name } => Some((module, name)),
            _ => None,
        }
    }

    /// Class, arguments and state of an object.
    pub(crate) fn object(&self, value: Value) -> Option<(Value, Value, Value)> {
        match self.node(value)? {
            Node::Object { class, args, state } => Some((*class, *args, *state)),
            _ => None,
        }
    }

    /// The file names in the wrappers of joblib 0.9 and older, whose arrays lie in files of their own.
    pub(crate) fn companions(&self) -> Vec<String> {
        let wrappers = self.nodes.iter().filter_map(|node| match node {
            Node::Object { class, state, .. } => Some((self.global(*class)?, *state)),
            _ => None,
        });
        let names = wrappers.filter_map(|((module, name), state)| {
            let is_wrapper = module.ends_with(JOBLIB_MODULE) && matches!(name, "NDArrayWrapper" | "ZNDArrayWrapper");
            let file = is_wrapper.then(|| self.text(self.get(state, "filename")?))??;
            String::from_utf8(file.to_vec()).ok()
        });
        names.collect()
    }

    /// The indices of the memo, in order.
    pub(crate) fn memo_indices(&self) -> impl Iterator<Item = u64> {
        let mut indices: Vec<u64> = self.memo.keys().copied().collect();
        indices.sort_unstable();
        indices.into_iter()
    }

    fn push_node(&mut self, node: Node) {
        let index = self.nodes.len() as u32;
        self.nodes.push(node);
        self.stack.push(Value::Node(index));
    }

    fn push_text(&mut self, text: &[u8]) {
        if text.len() <= LONGEST_TEXT {
            self.push_node(Node::Text(text.into()));
        } else {
            self.stack.push(Value::Other);
        }
    }

    fn push_literal(&mut self, literal: Literal<'_>) {
        let int = literal.as_i128().and_then(|value| i64::try_from(value).ok());
        match (literal, int, literal.as_bytes()) {
            (Literal::None, ..) => self.stack.push(Value::None),
            (_, Some(value), _) => self.stack.push(Value::Int(value)),
            (_, _, Some(bytes)) => self.push_text(&bytes),
            _ => self.stack.push(Value::Other),
        }
    }

    /// Takes a value above the topmost mark.
    fn pop(&mut self) -> Result<Value, Underflow> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(Underflow);
        }
        self.stack.pop().ok_or(Underflow)
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Value>, Underflow> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let at = self.stack.len().checked_sub(count).filter(|&at| at >= floor).ok_or(Underflow)?;
        Ok(self.stack.split_off(at))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, Underflow> {
        let mark = self.marks.pop().ok_or(Underflow)?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn top(&self) -> Result<Value, Underflow> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack.get(floor..).and_then(<[Value]>::last).copied().ok_or(Underflow)
    }

    /// Adds items to the list on top of the stack, or entries to the dict.
    fn add(&mut self, items: Vec<Value>) -> Result<(), Underflow> {
        let target = self.top()?;
        if let Value::Node(index) = target {
            match self.nodes.get_mut(index as usize) {
                Some(Node::List(list)) => list.extend(items),
                Some(Node::Dict(entries)) => entries.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
                _ => {}
            }
        }
        Ok(())
    }

    fn push_object(&mut self, class: Value, args: Value) {
        self.push_node(Node::Object { class, args, state: Value::None });
    }

    fn push_global(&mut self, module: &[u8], name: &[u8]) {
        match (str::from_utf8(module), str::from_utf8(name)) {
            (Ok(module), Ok(name)) => self.push_node(Node::Global { module: module.into(), name: name.into() }),
            _ => self.stack.push(Value::Other),
        }
    }

    /// Runs one op. A BUILD returns the object whose state it set.
    ///
    /// # Errors
    ///
    /// If the op does not find on the stack what it takes.
    pub(crate) fn run(&mut self, op: &Op<'_>) -> Result<Option<Value>, Underflow> {
        if let Some(literal) = op.literal() {
            self.push_literal(literal);
            return Ok(None);
        }
        match *op {
            Op::EmptyList => self.push_node(Node::List(Vec::new())),
            Op::EmptyTuple => self.push_node(Node::Tuple(Vec::new())),
            Op::EmptyDict => self.push_node(Node::Dict(Vec::new())),
            Op::EmptySet => self.push_node(Node::Set),
            Op::Mark => self.marks.push(self.stack.len()),
            Op::Tuple1 => self.take(1, Node::Tuple)?,
            Op::Tuple2 => self.take(2, Node::Tuple)?,
            Op::Tuple3 => self.take(3, Node::Tuple)?,
            Op::Tuple => {
                let items = self.pop_to_mark()?;
                self.push_node(Node::Tuple(items));
            }
            Op::List => {
                let items = self.pop_to_mark()?;
                self.push_node(Node::List(items));
            }
            Op::Dict => {
                let items = self.pop_to_mark()?;
                self.push_node(Node::Dict(Vec::new()));
                self.add(items)?;
            }
            Op::Append => {
                let items = self.pop_many(1)?;
                self.add(items)?;
            }
            Op::SetItem => {
                let items = self.pop_many(2)?;
                self.add(items)?;
            }
            Op::Appends | Op::SetItems | Op::AddItems => {
                let items = self.pop_to_mark()?;
                self.add(items)?;
            }
            Op::PopMark => drop(self.pop_to_mark()?),
            // POP takes a mark where nothing lies on it.
            Op::Pop => {
                if self.pop().is_err() {
                    self.marks.pop().ok_or(Underflow)?;
                }
            }
            Op::Dup => self.stack.push(self.top()?),
            Op::Get(index) => self.fetch(index),
            Op::BinGet(index) => self.fetch(index.into()),
            Op::LongBinGet(index) => self.fetch(index.into()),
            Op::Put(index) => self.store(index)?,
            Op::BinPut(index) => self.store(index.into())?,
            Op::LongBinPut(index) => self.store(index.into())?,
            Op::Memoize => self.store(self.memo.len() as u64)?,
            Op::Global(module, name) => self.push_global(module.as_bytes(), name.as_bytes()),
            Op::StackGlobal => {
                let names = self.pop_many(2)?;
                let texts = (self.text(names[0]).map(<[u8]>::to_vec), self.text(names[1]).map(<[u8]>::to_vec));
                match texts {
                    (Some(module), Some(name)) => self.push_global(&module, &name),
                    _ => self.stack.push(Value::Other),
                }
            }
            Op::Inst(module, name) => {
                self.take_marked_args()?;
                let args = self.pop()?;
                self.push_global(module.as_bytes(), name.as_bytes());
                let class = self.pop()?;
                self.push_object(class, args);
            }
            Op::Obj => {
                let mut items = self.pop_to_mark()?;
                if items.is_empty() {
                    return Err(Underflow);
                }
                let class = items.remove(0);
                self.push_node(Node::Tuple(items));
                let args = self.pop()?;
                self.push_object(class, args);
            }
            Op::Reduce | Op::NewObj => {
                let parts = self.pop_many(2)?;
                self.push_object(parts[0], parts[1]);
            }
            Op::NewObjEx => {
                let parts = self.pop_many(3)?;
                self.push_object(parts[0], parts[1]);
            }
            Op::Build => {
                let given = self.pop()?;
                let target = self.top()?;
                if let Value::Node(index) = target
                    && let Some(Node::Object { state, .. }) = self.nodes.get_mut(index as usize)
                {
                    *state = given;
                }
                return Ok(Some(target));
            }
            Op::PersId(id) => {
                self.push_text(id.as_bytes());
                let id = self.pop()?;
                self.persistent.push(id);
                self.stack.push(Value::Other);
            }
            Op::BinPersId => {
                let id = self.pop()?;
                self.persistent.push(id);
                self.stack.push(Value::Other);
            }
            Op::Stop => drop(self.top()?),
            _ => self.run_by_table(op)?,
        }
        Ok(None)
    }

    /// Runs an op of which only the number of values counts.
    fn run_by_table(&mut self, op: &Op<'_>) -> Result<(), Underflow> {
        let (before, after) = (op.opcode().stack_before(), op.opcode().stack_after());
        if before.contains(&StackObject::Mark) {
            self.pop_to_mark()?;
        } else {
            self.pop_many(before.len())?;
        }
        self.stack.extend(after.iter().map(|_| Value::Other));
        Ok(())
    }

    fn take(&mut self, count: usize, make: fn(Vec<Value>) -> Node) -> Result<(), Underflow> {
        let items = self.pop_many(count)?;
        self.push_node(make(items));
        Ok(())
    }

    fn take_marked_args(&mut self) -> Result<(), Underflow> {
        let items = self.pop_to_mark()?;
        self.push_node(Node::Tuple(items));
        Ok(())
    }

    fn fetch(&mut self, index: u64) {
        self.stack.push(self.memo.get(&index).copied().unwrap_or(Value::Other));
    }

    fn store(&mut self, index: u64) -> Result<(), Underflow> {
        // PUT behind a mark stores what lies below it: pickletools allows that, and no pickler writes it.
        let value = self.stack.last().copied().ok_or(Underflow)?;
        self.memo.insert(index, value);
        Ok(())
    }
}
