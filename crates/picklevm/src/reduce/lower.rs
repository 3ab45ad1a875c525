//! A copy of a graph in which native objects, and values that hooks handle, are replaced by what is written for them.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::Hooks;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Graph, Id, ReduceContext, Tag, Value};
use crate::protocol::Protocol;

/// The lowered copies of the graphs that a stream writes.
#[derive(Default)]
pub(crate) struct LoweredGraphs<'g>(Vec<(&'g Arena, Lowered)>);

impl<'g> LoweredGraphs<'g> {
    /// Returns the copy of this graph, made on first use.
    pub(crate) fn of(&mut self, arena: &'g Arena) -> &mut Lowered {
        let known = self.0.iter().position(|(of, _)| std::ptr::eq(*of, arena));
        let at = known.unwrap_or_else(|| {
            self.0.push((arena, Lowered::new(arena)));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// Returns what has been written for a value, in the lowered graph.
    pub(crate) fn find<'r>(&'r self, value: Value<'r>) -> Value<'r> {
        let known = self.0.iter().find(|(of, _)| std::ptr::eq(*of, value.arena()));
        known.map_or(value, |(_, lowered)| Value::new(&lowered.graph, lowered.new_cell(value.cell())))
    }
}

/// A copy of a graph, and its values that have been replaced so far.
pub(crate) struct Lowered {
    graph: Graph,
    /// The effects of the pickle that is being written.
    effects: Vec<Cell>,
    replaced: HashMap<Cell, Cell, RandomState>,
    seen: HashSet<Cell, RandomState>,
}

impl Lowered {
    /// Creates a copy in which nothing is replaced yet.
    fn new(arena: &Arena) -> Lowered {
        Lowered {
            graph: Graph::copy_of(arena),
            effects: Vec::new(),
            replaced: HashMap::default(),
            seen: HashSet::default(),
        }
    }

    /// Replaces everything that a value and the effects reach and that cannot be written as it is. Returns what to
    /// write.
    ///
    /// Values are visited in the order in which they are written, each once, in this call or an earlier one. Values of
    /// earlier calls stay where they are.
    pub(crate) fn lower(
        &mut self,
        hooks: &Hooks,
        protocol: Protocol,
        root: Cell,
        effects: &[Cell],
    ) -> Result<Root<'_>> {
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

/// What is written as one pickle: a value and the effects before it.
pub(crate) struct Root<'g> {
    pub(crate) value: Value<'g>,
    /// Written first, each popped.
    pub(crate) effects: &'g [Cell],
}

impl<'g> Root<'g> {
    /// A value as it is. Effects belong to the first root of a graph.
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
    /// Values whose children may have to be replaced.
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
                // Hooks are not called for the id itself, but for what it holds.
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

    /// Pushes what a value holds. The tuple of an object's arguments does not count as a value.
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
            Some(hook) => self.call_hook(cell, |value| hook(value)),
            None => Ok(None),
        }
    }

    /// Returns the replacement of an object: by `reducer_override`, the dispatch table, or the native object itself.
    fn reduce(&mut self, cell: Cell) -> Result<Option<Cell>> {
        let hooks = self.hooks;
        if let (Some(hook), Tag::Object | Tag::NativeObject | Tag::Global) = (&hooks.reducer_override, cell.tag())
            && let Some(made) = self.call_hook(cell, |value| hook(value))?
        {
            return Ok(Some(made));
        }
        let Some(class) = self.class_name(cell) else { return Ok(None) };
        if let Some(reducer) = hooks.dispatch_table.classes.get(&class) {
            return self.call_hook(cell, |value| reducer(value).map(Some));
        }
        let Some(native) = self.arena.natives.get(cell).cloned() else { return Ok(None) };
        self.call_hook(cell, |value| native.reduce(value).map(Some))
    }

    fn class_name(&self, cell: Cell) -> Option<String> {
        let value = Value::new(self.arena, cell);
        match value.as_native() {
            Some(native) => Some(native.class_name().to_owned()),
            None => value.as_object()?.class().as_global().map(|global| global.to_string()),
        }
    }

    /// Calls caller code for a value. If it returns the value itself, nothing is replaced.
    fn call_hook(
        &mut self,
        cell: Cell,
        code: impl FnOnce(&mut ReduceContext<'_>) -> Result<Option<Id>>,
    ) -> Result<Option<Cell>> {
        let before = self.arena.extent();
        let made = code(&mut ReduceContext::new(self.arena, cell, self.protocol));
        self.arena.check_covers(&before)?;
        let class = || self.class_name(cell).unwrap_or_else(|| Value::new(self.arena, cell).type_name().to_owned());
        let made = made.map_err(|e| e.about(class))?.map(|id| self.arena.value(id).cell());
        match made {
            Some(made) if made.is(Tag::NativeObject) && made != cell => {
                let error = Error::new(
                    ErrorKind::Unrepresentable,
                    "a reduction to something other than a native object",
                    "a native object",
                );
                Err(error.about(class))
            }
            made => Ok(made.filter(|made| *made != cell)),
        }
    }

    /// Replaces the old values by the new ones in everything that was visited.
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
