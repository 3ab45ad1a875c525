//! A copy of a graph in which native objects, and what hooks claim, are replaced by what is written for them.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{Hooks, ReduceContext};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Graph, Id, Tag, Value};
use crate::protocol::Protocol;

/// The copies of graphs that are being written one after the other.
#[derive(Default)]
pub(crate) struct LoweredGraphs<'g>(Vec<(&'g Arena, Lowered)>);

impl<'g> LoweredGraphs<'g> {
    /// The copy of this graph, which is made unless it is there.
    pub(crate) fn of(&mut self, arena: &'g Arena) -> &mut Lowered {
        let known = self.0.iter().position(|(of, _)| std::ptr::eq(*of, arena));
        let at = known.unwrap_or_else(|| {
            self.0.push((arena, Lowered::new(arena)));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// What has been written in the place of a value, and in which graph.
    pub(crate) fn find<'r>(&'r self, value: Value<'r>) -> Value<'r> {
        let known = self.0.iter().find(|(of, _)| std::ptr::eq(*of, value.arena()));
        known.map_or(value, |(_, lowered)| Value::new(&lowered.graph, lowered.new_cell(value.cell())))
    }
}

/// A copy of a graph, and which of its values have been replaced so far.
pub(crate) struct Lowered {
    graph: Graph,
    /// Those of what is being written.
    effects: Vec<Cell>,
    replaced: HashMap<Cell, Cell, RandomState>,
    seen: HashSet<Cell, RandomState>,
}

impl Lowered {
    /// A copy in which nothing is replaced yet.
    fn new(arena: &Arena) -> Lowered {
        Lowered {
            graph: Graph::copy_of(arena),
            effects: Vec::new(),
            replaced: HashMap::default(),
            seen: HashSet::default(),
        }
    }

    /// What is written in the place of a value, which leads to nothing but what can be written, and of the effects.
    ///
    /// Values are visited in the order in which they are written, each once, in this call or an earlier one. Those of
    /// earlier ones stay where they are.
    pub(crate) fn take(&mut self, hooks: &Hooks, protocol: Protocol, root: Cell, effects: &[Cell]) -> Result<Root<'_>> {
        let Lowered { graph, replaced, seen, .. } = self;
        let mut lowering = Lowering { hooks, protocol, arena: graph.unique(), replaced, seen, visited: Vec::new() };
        lowering.visit(root)?;
        for effect in effects {
            lowering.visit(*effect)?;
        }
        lowering.replace();
        self.effects = effects.iter().map(|effect| self.new_cell(*effect)).collect();
        Ok(Root { value: Value::new(&self.graph, self.new_cell(root)), effects: &self.effects })
    }

    fn new_cell(&self, cell: Cell) -> Cell {
        self.replaced.get(&cell).copied().unwrap_or(cell)
    }
}

/// What is written as one pickle.
pub(crate) struct Root<'g> {
    pub(crate) value: Value<'g>,
    /// Made before, each dropped.
    pub(crate) effects: &'g [Cell],
}

impl<'g> Root<'g> {
    /// A value as it is. Effects belong to the first of a graph.
    pub(crate) fn of(value: Value<'g>) -> Self {
        let arena = value.arena();
        let is_first = arena.roots.first() == Some(&value.cell());
        Root { value, effects: if is_first { &arena.effects } else { &[] } }
    }
}

struct Lowering<'l> {
    hooks: &'l Hooks,
    protocol: Protocol,
    arena: &'l mut Arena,
    replaced: &'l mut HashMap<Cell, Cell, RandomState>,
    seen: &'l mut HashSet<Cell, RandomState>,
    /// Whose children may have to be replaced.
    visited: Vec<Cell>,
}

impl Lowering<'_> {
    fn visit(&mut self, root: Cell) -> Result<()> {
        let mut work = vec![root];
        while let Some(cell) = work.pop() {
            if !self.seen.insert(cell) {
                continue;
            }
            let from = work.len();
            if let Some(pid) = self.persistent_id(cell)? {
                let reference = self.arena.new_persistent(pid);
                self.replaced.insert(cell, reference);
                self.seen.insert(reference);
                // The id itself is not asked about, what it holds is.
                self.children(pid, &mut work);
            } else if let Some(made) = self.reduce(cell)? {
                self.replaced.insert(cell, made);
                self.seen.insert(made);
                self.children(made, &mut work);
            } else {
                self.children(cell, &mut work);
            }
            work[from..].reverse();
        }
        Ok(())
    }

    /// What a value holds. The tuple of an object's arguments is no value of its own.
    fn children(&mut self, cell: Cell, work: &mut Vec<Cell>) {
        self.visited.push(cell);
        let args = if cell.is(Tag::Object) { self.arena.objects[cell].args } else { Cell::HOLE };
        self.arena.each_child(
            cell,
            |child| {
                if child == args { work.extend(self.arena.items(args)) } else { work.push(child) }
            },
        );
    }

    fn persistent_id(&mut self, cell: Cell) -> Result<Option<Cell>> {
        let hooks = self.hooks;
        match &hooks.persistent_id {
            Some(hook) => self.ask(cell, |value| hook(value)),
            None => Ok(None),
        }
    }

    /// What is written in the place of an object: by `reducer_override`, the dispatch table, or itself.
    fn reduce(&mut self, cell: Cell) -> Result<Option<Cell>> {
        let hooks = self.hooks;
        if let (Some(hook), Tag::Object | Tag::NativeObject | Tag::Global) = (&hooks.reducer_override, cell.tag())
            && let Some(made) = self.ask(cell, |value| hook(value))?
        {
            return Ok(Some(made));
        }
        let Some(class) = self.class_name(cell) else { return Ok(None) };
        if let Some(reducer) = hooks.dispatch_table.classes.get(&class) {
            return self.ask(cell, |value| reducer(value).map(Some));
        }
        let Some(live) = self.arena.lives.get(cell).cloned() else { return Ok(None) };
        self.ask(cell, |value| live.reduce(value).map(Some))
    }

    fn class_name(&self, cell: Cell) -> Option<String> {
        let value = Value::new(self.arena, cell);
        match value.as_native() {
            Some(live) => Some(live.class_name().to_owned()),
            None => value.as_object()?.class().as_global().map(|global| global.to_string()),
        }
    }

    /// Asks code of the caller's about a value. Getting the value itself back is no answer.
    fn ask(
        &mut self,
        cell: Cell,
        code: impl FnOnce(&mut ReduceContext<'_>) -> Result<Option<Id>>,
    ) -> Result<Option<Cell>> {
        let before = self.arena.extent();
        let made = code(&mut ReduceContext { arena: self.arena, this: cell, protocol: self.protocol });
        self.arena.check_covers(&before)?;
        let class = || self.class_name(cell).unwrap_or_else(|| Value::new(self.arena, cell).type_name().to_owned());
        let made = made.map_err(|e| e.about(class))?.map(|id| self.arena.value(id).cell());
        match made {
            Some(made) if made.is(Tag::NativeObject) && made != cell => {
                let error =
                    Error::new(ErrorKind::Unrepresentable, "a reduction to what is not live", "a native object");
                Err(error.about(class))
            }
            made => Ok(made.filter(|made| *made != cell)),
        }
    }

    /// Puts the new values in the place of the old ones, in what was visited.
    fn replace(self) {
        let Lowering { arena, replaced, visited, .. } = self;
        if replaced.is_empty() {
            return;
        }
        for cell in visited {
            arena.map_children(cell, |child| replaced.get(&child).copied().unwrap_or(child));
        }
    }
}
