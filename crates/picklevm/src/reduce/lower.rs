//! A copy of a graph in which live objects, and what hooks claim, are replaced by what is written for them.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{Hooks, Reducing};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Cell, Graph, Id, OpKind, Tag, Value};
use crate::protocol::Protocol;

impl Hooks {
    /// A copy of the graph of `root` that holds nothing but what can be written, and the root in it.
    ///
    /// Values are visited in the order in which they are written, each once.
    pub(crate) fn lower(&self, root: Value<'_>, protocol: Protocol) -> Result<(Graph, Id)> {
        let mut graph = Graph::copy_of(root.arena());
        let arena = graph.unique();
        let mut lowering =
            Lowering { hooks: self, protocol, arena, replaced: HashMap::default(), seen: HashSet::default() };
        lowering.visit(root.cell())?;
        for effect in lowering.arena.effects.clone() {
            lowering.visit(effect)?;
        }
        let replaced = lowering.replaced;
        replace(arena, &replaced);
        let root = replaced.get(&root.cell()).copied().unwrap_or(root.cell());
        Ok((graph, Id(root)))
    }
}

struct Lowering<'h> {
    hooks: &'h Hooks,
    protocol: Protocol,
    arena: &'h mut Arena,
    replaced: HashMap<Cell, Cell, RandomState>,
    seen: HashSet<Cell, RandomState>,
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
    fn children(&self, cell: Cell, work: &mut Vec<Cell>) {
        let args = if cell.is(Tag::Object) { self.arena.objects[cell.id()].args } else { Cell::HOLE };
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
        if let (Some(hook), Tag::Object | Tag::Live | Tag::Global) = (&hooks.reducer_override, cell.tag())
            && let Some(made) = self.ask(cell, |value| hook(value))?
        {
            return Ok(Some(made));
        }
        let Some(class) = self.class_name(cell) else { return Ok(None) };
        if let Some(reducer) = hooks.dispatch_table.classes.get(&class) {
            return self.ask(cell, |value| reducer(value).map(Some));
        }
        if !cell.is(Tag::Live) {
            return Ok(None);
        }
        let live = self.arena.lives[cell.id()].clone();
        self.ask(cell, |value| live.reduce(value).map(Some))
    }

    fn class_name(&self, cell: Cell) -> Option<String> {
        let value = Value::new(self.arena, cell);
        match value.as_live() {
            Some(live) => Some(live.class_name().to_owned()),
            None => value.as_object()?.class().as_global().map(|global| global.to_string()),
        }
    }

    /// Asks code of the caller's about a value. Getting the value itself back is no answer.
    fn ask(&mut self, cell: Cell, code: impl FnOnce(&mut Reducing<'_>) -> Result<Option<Id>>) -> Result<Option<Cell>> {
        let before = self.arena.extent();
        let made = code(&mut Reducing { arena: self.arena, this: cell, protocol: self.protocol });
        self.arena.check_covers(&before)?;
        let class = || self.class_name(cell).unwrap_or_else(|| Value::new(self.arena, cell).type_name().to_owned());
        let made = made.map_err(|e| e.about(class))?.map(|id| self.arena.value(id).cell());
        match made {
            Some(made) if made.is(Tag::Live) && made != cell => {
                let error = Error::new(ErrorKind::Unrepresentable, "a reduction to what is not live", "a live object");
                Err(error.about(class))
            }
            made => Ok(made.filter(|made| *made != cell)),
        }
    }
}

/// Puts the new values in the place of the old ones, wherever these are referred to.
fn replace(arena: &mut Arena, replaced: &HashMap<Cell, Cell, RandomState>) {
    if replaced.is_empty() && arena.lives.is_empty() {
        return;
    }
    let renew = |cell: &mut Cell| match replaced.get(cell) {
        Some(new) => *cell = *new,
        // It was not visited: nothing that is written leads to it.
        None if cell.is(Tag::Live) => *cell = Cell::NONE,
        None => {}
    };
    arena.cells.iter_mut().for_each(renew);
    arena.roots.iter_mut().for_each(renew);
    arena.effects.iter_mut().for_each(renew);
    for object in &mut arena.objects {
        renew(&mut object.class);
        if matches!(object.first_kind, OpKind::Build | OpKind::Effect) {
            renew(&mut object.first);
        }
    }
    for op in &mut arena.ops {
        if matches!(op.kind, OpKind::Build | OpKind::Effect) {
            renew(&mut op.value);
        }
    }
    // An id that is a value elsewhere stays itself, unless it is live.
    arena.persistents.iter_mut().filter(|pid| pid.is(Tag::Live)).for_each(renew);
    arena.lives.clear();
    // New keys have other hashes: rows are searched one by one from now on.
    for keyed in arena.dicts.iter_mut().chain(&mut arena.sets) {
        keyed.table = 0;
    }
    arena.hashes.clear();
}
