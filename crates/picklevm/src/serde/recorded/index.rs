//! The recorded values by their plain forms.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use super::plain::Plain;
use crate::graph::Cell;

/// All recorded values and what they hold, each before its parts.
#[derive(Default)]
pub(super) struct Index {
    nodes: Vec<Node>,
    /// The first node of each recorded value.
    starts: Vec<usize>,
    forms: HashMap<u64, Form, RandomState>,
}

struct Node {
    cell: Option<Cell>,
    hash: u64,
    /// Number of nodes in it, with itself.
    len: usize,
    is_taken: bool,
}

/// The nodes of one plain form.
#[derive(Default)]
struct Form {
    nodes: SmallVec<[usize; 2]>,
    /// The first of them that may not be taken.
    next: usize,
}

impl Index {
    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Returns the number of recorded values in it.
    pub(super) fn roots(&self) -> usize {
        self.starts.len()
    }

    /// Returns the first node of a recorded value.
    pub(super) fn start_of(&self, root: usize) -> usize {
        self.starts.get(root).copied().unwrap_or(self.nodes.len())
    }

    /// Adds the next recorded value; `None` for one that has no plain form.
    pub(super) fn add(&mut self, plain: Option<Plain<'_>>) {
        self.starts.push(self.nodes.len());
        if let Some(plain) = plain {
            self.add_node(&plain);
        }
    }

    fn add_node(&mut self, plain: &Plain<'_>) {
        let at = self.nodes.len();
        self.nodes.push(Node { cell: plain.cell, hash: plain.hash, len: 1, is_taken: false });
        if plain.cell.is_some() {
            self.forms.entry(plain.hash).or_default().nodes.push(at);
        }
        for part in plain.parts() {
            self.add_node(part);
        }
        self.nodes[at].len = self.nodes.len() - at;
    }

    /// Removes all recorded values but the first `left`.
    pub(super) fn truncate(&mut self, left: usize) {
        let Some(end) = self.starts.get(left).copied() else { return };
        self.starts.truncate(left);
        for node in self.nodes.drain(end..).rev() {
            if node.cell.is_some()
                && let Some(form) = self.forms.get_mut(&node.hash)
            {
                form.nodes.pop();
                form.next = 0;
                if form.nodes.is_empty() {
                    self.forms.remove(&node.hash);
                }
            }
        }
    }

    /// Takes the first value of a plain form, from a node on, that is not taken yet. If all are, as when a second variant of
    /// an enum is tried, they are taken again.
    pub(super) fn take(&mut self, plain: &Plain<'_>, from: usize) -> Option<Cell> {
        let form = self.forms.get_mut(&plain.hash)?;
        let first = form.nodes.partition_point(|node| *node < from);
        let nodes = &mut self.nodes;
        let mut at = form.next.max(first);
        while form.nodes.get(at).is_some_and(|node| nodes[*node].is_taken) {
            at += 1;
        }
        if at == form.nodes.len() {
            for node in &form.nodes[first..] {
                nodes[*node].is_taken = false;
            }
            at = first;
        }
        let node = *form.nodes.get(at)?;
        form.next = at + 1;
        let end = node + nodes[node].len;
        for part in &mut nodes[node..end] {
            part.is_taken = true;
        }
        nodes[node].cell
    }
}
