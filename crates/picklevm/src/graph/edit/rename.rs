//! Renaming the globals of a graph.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use picklevm_ops::{RenameError, Renames};

use super::super::arena::{Arena, GlobalNode};
use super::super::cell::{Cell, Tag};
use super::super::instance::attribute;
use super::super::value::Value;
use super::super::{Graph, Walk};
use crate::error::{Error, Result};
use crate::python::{Names, python2_names};

/// Module and name.
type Name = (String, String);

impl Graph {
    /// Gives globals other names: classes and functions, those nested in classes too, wherever they are used. Returns how
    /// many distinct ones were renamed. Text of the same spelling stays.
    ///
    /// A rule is looked up by the names of the pickle; where these are Python 2's (`__builtin__`), by those of Python 3 too.
    ///
    /// ```
    /// use picklevm::{loads, dumps, ops::Renames};
    ///
    /// let mut graph = loads(b"\x80\x02cfruit\nApple\n)\x81.")?;
    /// assert_eq!(graph.rename_globals(&Renames::parse("fruit=veg").unwrap())?, 1);
    /// assert_eq!(format!("{:?}", graph.root()), "veg.Apple() by newobj");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If a rule makes a module of a class. Then nothing is renamed.
    pub fn rename_globals(&mut self, renames: &Renames) -> Result<usize> {
        let globals = self.renamed_globals(renames)?;
        let nested = self.renamed_attributes(renames)?;
        let count = globals.len() + nested.len();
        if count == 0 {
            return Ok(0);
        }
        let arena = self.unique();
        let mut texts = HashMap::default();
        for (cell, name) in globals {
            let node = arena.named(name, arena.globals[cell].is_one_name, &mut texts);
            arena.globals.set(cell, node);
        }
        let mut replaced: HashMap<Cell, Cell, RandomState> = HashMap::default();
        for (cell, name) in nested {
            let node = arena.named(name, false, &mut texts);
            let global = arena.new_global(node.module, node.name);
            replaced.insert(cell, global);
        }
        arena.replace_everywhere(&replaced);
        Ok(count)
    }
}

impl Arena {
    /// Returns the globals that have another name by the rules.
    fn renamed_globals(&self, renames: &Renames) -> Result<Vec<(Cell, Name)>> {
        let mut renamed = Vec::new();
        for (cell, node) in self.globals.cells(Tag::Global) {
            let (Some(module), Some(name)) = (self.text(node.module).as_str(), self.text(node.name).as_str()) else {
                continue;
            };
            if let Some(new) = self.renamed(renames, module, name)? {
                renamed.push((cell, new));
            }
        }
        Ok(renamed)
    }

    /// Returns the calls of `getattr` below protocol 4 whose name the rules change otherwise than that of its owner.
    fn renamed_attributes(&self, renames: &Renames) -> Result<Vec<(Cell, Name)>> {
        let mut renamed = Vec::new();
        let roots = self.roots.iter().chain(&self.effects).copied();
        for cell in Walk::new(self, roots).filter(|cell| cell.is(Tag::Object)) {
            let Some((owner, path)) = attribute_path(Value::new(self, cell)) else { continue };
            let Some(global) = owner.as_global() else { continue };
            let (Some(module), Some(name)) = (global.module().as_str(), global.name().as_str()) else { continue };
            let Some(new) = self.renamed(renames, module, &format!("{name}.{path}"))? else { continue };
            let owner = self.renamed(renames, module, name)?;
            if owner.is_none_or(|(module, name)| (module, format!("{name}.{path}")) != new) {
                renamed.push((cell, new));
            }
        }
        Ok(renamed)
    }

    fn renamed(&self, renames: &Renames, module: &str, name: &str) -> Result<Option<Name>> {
        let by_rule = |module, name| renames.rename(module, name).map_err(|error: RenameError| Error::other(error));
        if let Some(new) = by_rule(module, name)? {
            return Ok(Some(new));
        }
        if Names::of_protocol(self.protocol.unwrap_or(3)) == Names::Python3 {
            return Ok(None);
        }
        match python2_names::renamed(module, name, Names::Python3) {
            Some((module, name)) => by_rule(module, name),
            None => Ok(None),
        }
    }

    /// Returns the node of a name. Equal texts are one.
    fn named(&mut self, (module, name): Name, is_one_name: bool, texts: &mut HashMap<String, Cell>) -> GlobalNode {
        // A dot that the name did not have before leads into a class.
        let is_one_name = is_one_name && !name.contains('.');
        let [module, name] = [module, name]
            .map(|text| *texts.entry(text).or_insert_with_key(|text| self.new_text(Tag::Str, text.as_bytes(), false)));
        GlobalNode { module, name, is_one_name }
    }

    /// Replaces values wherever they are, and has dicts and sets look up keys whose names changed.
    fn replace_everywhere(&mut self, replaced: &HashMap<Cell, Cell, RandomState>) {
        let new = |cell: Cell| replaced.get(&cell).copied().unwrap_or(cell);
        let roots = self.roots.iter().chain(&self.effects).copied();
        let concerned: Vec<Cell> = Walk::new(self, roots)
            .filter(|cell| {
                let mut is_concerned = false;
                self.each_child(*cell, |child| {
                    let is_named_key = cell.is_from::<{ Tag::Dict as u8 }, { Tag::FrozenSet as u8 }>()
                        && matches!(child.tag(), Tag::Global | Tag::Tuple | Tag::FrozenSet);
                    is_concerned |= is_named_key || replaced.contains_key(&child);
                });
                is_concerned
            })
            .collect();
        for cell in concerned {
            self.map_children(cell, new);
        }
        self.roots.iter_mut().chain(&mut self.effects).for_each(|cell| *cell = new(*cell));
    }
}

/// Returns the global at the beginning of a chain of attributes, and their names: `A` and `B.C` of
/// `getattr(getattr(A, 'B'), 'C')`.
fn attribute_path(value: Value<'_>) -> Option<(Value<'_>, String)> {
    const MOST: usize = 100;
    let (mut owner, name) = attribute(value)?;
    let mut names = vec![name];
    while let Some((outer, name)) = attribute(owner) {
        if names.len() == MOST {
            return None;
        }
        names.push(name);
        owner = outer;
    }
    names.reverse();
    Some((owner, names.join(".")))
}
