//! What a text describes: nodes that may refer to nodes around them, and how they become nodes of a graph.

use std::collections::HashMap;

use super::{known, names};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Construction, Id, OpKind, Tag, Value};

/// A value inside of a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Child {
    /// A value without parts.
    Cell(Cell),
    Node(usize),
    /// The value with this label.
    Label(u64),
}

/// A node with parts.
#[derive(Debug)]
pub(super) enum Node {
    List(Vec<Child>),
    Tuple(Vec<Child>),
    Set(Vec<Child>),
    FrozenSet(Vec<Child>),
    /// Keys and values in turn.
    Dict(Vec<Child>),
    Persistent(Child),
    Object(ObjectNode),
    /// Another node has its items.
    Taken,
}

#[derive(Debug)]
pub(super) struct ObjectNode {
    pub(super) class: Child,
    pub(super) args: Child,
    pub(super) kwargs: Option<Child>,
    /// `None` for a call as Python writes it, which may stand for an object of the standard library.
    pub(super) how: Option<Construction>,
    pub(super) changes: Vec<(OpKind, Vec<Child>)>,
}

/// All nodes of a text. The parts of a node come before it, but for labels.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    labels: HashMap<u64, Child>,
    texts: HashMap<(u8, Vec<u8>), Cell>,
}

impl Tree {
    pub(super) fn add(&mut self, node: Node) -> Child {
        self.nodes.push(node);
        Child::Node(self.nodes.len() - 1)
    }

    /// Returns the object node of a child.
    pub(super) fn object(&mut self, child: Child) -> Option<&mut ObjectNode> {
        match child {
            Child::Node(at) => match self.nodes.get_mut(at) {
                Some(Node::Object(object)) => Some(object),
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes the items of a list, set or tuple, or the keys and values of a dict.
    pub(super) fn take_items(&mut self, child: Child) -> Option<Vec<Child>> {
        let Child::Node(at) = child else { return None };
        let node = self.nodes.get_mut(at)?;
        match std::mem::replace(node, Node::Taken) {
            Node::List(items) | Node::Tuple(items) | Node::Set(items) | Node::Dict(items) => Some(items),
            other => {
                *node = other;
                None
            }
        }
    }

    /// Labels a value. Returns whether the label is new.
    pub(super) fn label(&mut self, label: u64, value: Child) -> bool {
        self.labels.insert(label, value).is_none()
    }

    /// Adds a text, bytes or an 8-bit string. Equal ones are one value, as in code that Python compiles.
    pub(super) fn text(&mut self, arena: &mut Arena, tag: Tag, payload: &[u8], surrogates: bool) -> Child {
        if tag == Tag::ByteArray {
            return Child::Cell(arena.new_text(tag, payload, false));
        }
        if let Some(known) = self.texts.get(&(tag as u8, payload.to_vec())) {
            return Child::Cell(*known);
        }
        let cell = arena.new_text(tag, payload, surrogates);
        self.texts.insert((tag as u8, payload.to_vec()), cell);
        Child::Cell(cell)
    }

    /// Makes the nodes of the graph, and returns the root and what some other children became. `effects` are calls that
    /// nothing holds.
    pub(super) fn build(
        self,
        arena: &mut Arena,
        root: Child,
        effects: &[Child],
        others: &[Child],
    ) -> Result<(Cell, Vec<Cell>)> {
        let cells: Vec<Cell> = self.nodes.iter().map(|node| empty(arena, node)).collect();
        let builder = Builder { tree: &self, cells: &cells };
        for (node, cell) in self.nodes.iter().zip(&cells) {
            builder.fill(arena, node, *cell)?;
        }
        for effect in effects {
            let effect = builder.cell(*effect)?;
            arena.effects.push(effect);
        }
        Ok((builder.cell(root)?, builder.all(others)?))
    }
}

/// Adds a node whose parts are still to be set.
fn empty(arena: &mut Arena, node: &Node) -> Cell {
    match node {
        Node::List(items) => arena.new_list(&vec![Cell::HOLE; items.len()]),
        Node::Tuple(items) => arena.new_tuple(&vec![Cell::HOLE; items.len()]),
        Node::Set(_) => arena.new_set(Tag::Set),
        Node::FrozenSet(_) => arena.new_set(Tag::FrozenSet),
        Node::Dict(_) => arena.new_dict(),
        Node::Persistent(_) => arena.new_persistent(Cell::NONE),
        Node::Taken => Cell::NONE,
        Node::Object(_) => arena.new_object(Construction::Reduce, Cell::NONE, Cell::EMPTY_TUPLE),
    }
}

struct Builder<'t> {
    tree: &'t Tree,
    cells: &'t [Cell],
}

impl Builder<'_> {
    fn cell(&self, mut child: Child) -> Result<Cell> {
        // A label may name another one; a chain that does not end is refused.
        for _ in 0..=self.tree.labels.len() {
            child = match child {
                Child::Cell(cell) => return Ok(cell),
                Child::Node(at) => return Ok(self.cells[at]),
                Child::Label(label) => match self.tree.labels.get(&label) {
                    Some(value) => *value,
                    None => return Err(no_label(label, "no value with this label")),
                },
            };
        }
        Err(no_label(0, "one that names itself"))
    }

    fn all(&self, children: &[Child]) -> Result<Vec<Cell>> {
        children.iter().map(|child| self.cell(*child)).collect()
    }

    fn fill(&self, arena: &mut Arena, node: &Node, cell: Cell) -> Result<()> {
        match node {
            Node::List(items) | Node::Tuple(items) => {
                let items = self.all(items)?;
                let start = arena.item_range(cell).start as usize;
                if let Some(cells) = arena.cells.get_mut(start..start + items.len()) {
                    cells.copy_from_slice(&items);
                }
            }
            Node::Set(rows) | Node::FrozenSet(rows) | Node::Dict(rows) => {
                let rows = self.all(rows)?;
                arena.insert_rows(cell, &rows)?;
            }
            Node::Persistent(id) => {
                let id = self.cell(*id)?;
                arena.persistents.set(cell, id);
            }
            Node::Object(object) => self.fill_object(arena, object, cell)?,
            Node::Taken => {}
        }
        Ok(())
    }

    fn fill_object(&self, arena: &mut Arena, node: &ObjectNode, cell: Cell) -> Result<()> {
        let class = self.cell(node.class)?;
        arena.check_callable(class)?;
        let mut args = self.cell(node.args)?;
        if !matches!(args.tag(), Tag::Tuple | Tag::EmptyTuple) {
            return Err(Error::new(ErrorKind::Type, "a tuple of arguments", Value::new(arena, args).type_name()));
        }
        let kwargs = node.kwargs.map(|kwargs| self.cell(kwargs)).transpose()?;
        let how = node.how.unwrap_or_else(|| {
            let count = arena.items(args).len();
            names::default_construction(Value::new(arena, class), count, kwargs.is_some(), !node.changes.is_empty())
        });
        if how == Construction::NewObjEx {
            let kwargs = kwargs.unwrap_or_else(|| arena.new_dict());
            if !kwargs.is(Tag::Dict) {
                let found = Value::new(arena, kwargs).type_name();
                return Err(Error::new(ErrorKind::Type, "a dict of keyword arguments", found));
            }
            args = arena.new_tuple(&[args, kwargs]);
        }
        let made = match base_below_protocol_2(arena, how, args) {
            Some((base, value)) => arena.reconstructed(class, base, value),
            None => arena.new_object(how, class, args),
        };
        if let Some(object) = arena.objects.get(made).copied() {
            arena.objects.set(cell, object);
        }
        for (kind, cells) in &node.changes {
            let cells = self.all(cells)?;
            if !cells.is_empty() {
                arena.object_op(cell, *kind, &cells);
            }
        }
        if node.how.is_none()
            && node.changes.is_empty()
            && let Some(Id(known)) = known::canonical(arena, cell)
            && let Some(object) = arena.objects.get(known).copied()
        {
            arena.objects.set(cell, object);
        }
        Ok(())
    }
}

/// Returns the name and the value of the built-in base with which `copyreg._reconstructor` makes an instance in a pickle
/// below protocol 2, which has no NEWOBJ: `Pretty` writes the call as the instance.
fn base_below_protocol_2(arena: &Arena, how: Construction, args: Cell) -> Option<(&'static str, Cell)> {
    if how != Construction::NewObj || arena.protocol.is_none_or(|protocol| protocol >= 2) {
        return None;
    }
    // `Pretty` shows the items of a tuple as arguments, which is what a named tuple takes.
    Some(if arena.items(args).is_empty() { ("object", Cell::NONE) } else { ("tuple", args) })
}

#[cold]
fn no_label(label: u64, found: &'static str) -> Error {
    Error::new(ErrorKind::Malformed, format!("a value labelled &{label}"), found)
}
