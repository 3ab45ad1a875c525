//! Writes globals by name and by extension code, and nested classes.

use picklevm_ops::{Op, Sink, Text};

use super::memo::Synthetic;
use super::{Emitter, unrepresentable};
use crate::error::{Error, Result};
use crate::graph::{Cell, GlobalNode, Value};
use crate::python::{Names, is_builtins, python2_names};
use crate::resolve::Resolver;

/// Module and name of a global.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) module: Text<'a>,
    pub(super) name: Text<'a>,
}

impl<'g, S: Sink> Emitter<'g, '_, S> {
    /// Writes an extension code; below protocol 2, the registered global.
    pub(super) fn ext(&mut self, code: u32) -> Result<()> {
        if self.protocol < 2 {
            let known = i32::try_from(code).ok().and_then(|code| self.options.extensions.extension(code));
            let Some((module, name)) = known else {
                let found = format!("protocol {}", self.protocol);
                return Err(unrepresentable("protocol 2 for an extension code that is not registered", found));
            };
            return self.synthetic_global(module, name);
        }
        match (u8::try_from(code), u16::try_from(code), i32::try_from(code)) {
            (Ok(code), ..) => self.op(Op::Ext1(code)),
            (_, Ok(code), _) => self.op(Op::Ext2(code)),
            (.., Ok(code)) => self.op(Op::Ext4(code)),
            _ => Err(unrepresentable("an extension code of 31 bits", code.to_string())),
        }
    }

    /// Writes a global that is not in the memo.
    pub(super) fn global(&mut self, cell: Cell, slot: usize) -> Result<()> {
        let node = self.arena.globals[cell];
        if self.protocol >= 2
            && !self.options.extensions.is_empty()
            && let (Some(module), Some(name)) =
                (self.arena.text(node.module).as_str(), self.arena.text(node.name).as_str())
            && let Some(code) = self.options.extensions.code(module, name)
        {
            return self.ext(code as u32);
        }
        let renamed = self.renamed(cell);
        if self.protocol >= 4 {
            self.check_findable(cell)?;
            if self.has_shared_names() && renamed.is_none() {
                self.boundary()?;
                self.text(node.module)?;
                self.boundary()?;
                self.text(node.name)?;
            } else {
                let Name { module, name } = self.final_name(cell);
                self.synthetic_text(module)?;
                if name == module {
                    // Types written in C, such as `datetime.datetime`: only one of the two names is interned.
                    self.boundary()?;
                    self.write_text(name)?;
                    self.put_unread()?;
                } else {
                    self.synthetic_text(name)?;
                }
            }
            self.op(Op::StackGlobal)?;
            return self.put(slot);
        }
        if self.is_nested(cell) {
            return self.nested_global(cell, slot);
        }
        self.global_line(self.final_name(cell))?;
        self.put(slot)
    }

    /// Whether the names of globals are values that other places may share, as with STACK_GLOBAL.
    pub(super) fn has_shared_names(&self) -> bool {
        self.arena.protocol.is_some_and(|protocol| protocol >= 4)
    }

    /// Whether a global is nested in a class, where GLOBAL does not find it below protocol 4.
    pub(super) fn is_nested(&self, cell: Cell) -> bool {
        let node = self.arena.globals[cell];
        !node.is_one_name && self.has_dot(node)
    }

    /// Fails for a name with a dot that is not a path, at protocols where `find_class` takes every name for a path: from 4
    /// on.
    #[inline]
    pub(super) fn check_findable(&self, cell: Cell) -> Result<()> {
        let node = self.arena.globals[cell];
        if self.protocol >= 4 && node.is_one_name && self.has_dot(node) {
            return Err(self.not_findable(node));
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn not_findable(&self, node: GlobalNode) -> Error {
        let found = format!("{}.{}", self.arena.text(node.module), self.arena.text(node.name));
        unrepresentable("protocol 3 or lower for a global with a dot in its own name", found)
    }

    fn has_dot(&self, node: GlobalNode) -> bool {
        self.arena.payload(node.name).contains(&b'.')
    }

    /// Returns the name of a global in the Python that reads the pickle, if it differs. Below protocol 4, a nested class is
    /// looked up by its outermost class.
    fn renamed(&self, cell: Cell) -> Option<(&'g str, &'g str)> {
        let node = self.arena.globals[cell];
        let from = Names::of_protocol(self.arena.protocol.unwrap_or(3));
        if from == self.names() || !self.options.fix_imports {
            return None;
        }
        let mut name = self.arena.text(node.name).as_str()?;
        if self.protocol < 4 && self.is_nested(cell) {
            name = outermost(name);
        }
        python2_names::renamed(self.arena.text(node.module).as_str()?, name, self.names())
    }

    /// Returns the names under which a global is written, if it is not nested.
    pub(super) fn final_name(&self, cell: Cell) -> Name<'g> {
        if let Some((module, name)) = self.renamed(cell) {
            return Name { module: module.into(), name: name.into() };
        }
        let node = self.arena.globals[cell];
        Name { module: self.arena.text(node.module), name: self.arena.text(node.name) }
    }

    /// Writes GLOBAL without a PUT.
    pub(super) fn global_line(&mut self, name: Name<'_>) -> Result<()> {
        self.check_ascii(name)?;
        self.op(Op::Global(name.module, name.name))
    }

    /// Checks that names are ASCII below protocol 3.
    pub(super) fn check_ascii(&self, Name { module, name }: Name<'_>) -> Result<()> {
        if self.protocol < 3 && !(module.as_bytes().is_ascii() && name.as_bytes().is_ascii()) {
            return Err(unrepresentable("a global with an ASCII name below protocol 3", format!("{module}.{name}")));
        }
        Ok(())
    }

    /// Writes `A.B.C` below protocol 4: `getattr(getattr(A, 'B'), 'C')`.
    fn nested_global(&mut self, cell: Cell, slot: usize) -> Result<()> {
        let node = self.arena.globals[cell];
        let (module, path) = (self.arena.text(node.module), self.arena.text(node.name));
        let Some(path) = path.as_str() else {
            return Err(unrepresentable("a name without surrogates", path.to_string()));
        };
        let first = match self.renamed(cell) {
            Some((module, name)) => Name { module: module.into(), name: name.into() },
            None => Name { module, name: outermost(path).into() },
        };
        let attributes: Vec<_> = path.split('.').skip(1).collect();
        // The same as for a graph read from it: the parent of a called method is a path by itself.
        let has_bare = self.options.writer.quirks().bare_paths && !is_builtins(first.module.as_bytes());
        let is_called = attributes.last().is_some_and(|last| self.is_called_method(cell, last.as_bytes()));
        let last = attributes.len().saturating_sub(1);
        let is_bare = |step: usize| has_bare && !(is_called && step == last);
        for _ in &attributes {
            self.synthetic_global("builtins", "getattr")?;
            if self.protocol < 2 {
                self.op(Op::Mark)?;
            }
        }
        self.global_line(first)?;
        if !is_bare(0) {
            self.put_unread()?;
        }
        for (step, attribute) in attributes.into_iter().enumerate() {
            // Each attribute is a new text, split from the path.
            self.boundary()?;
            self.write_text(attribute.into())?;
            self.put_unread()?;
            self.tuple_end(2)?;
            if !is_bare(step) {
                self.put_unread()?;
            }
            self.op(Op::Reduce)?;
            if step < last && !(is_bare(step) && is_bare(step + 1)) {
                self.put_unread()?;
            }
        }
        self.put(slot)
    }

    /// Writes text that is not a node, memoized by content.
    pub(super) fn synthetic_text(&mut self, text: Text<'_>) -> Result<()> {
        self.boundary()?;
        let value = Synthetic::Text(text.as_bytes().into());
        if let Some(number) = self.memo.synthetic(&value) {
            return self.get(number);
        }
        if self.write_text(text)? { self.put_synthetic(value) } else { self.put_unread() }
    }

    /// Writes a global that is not a node, given its Python 3 names, memoized.
    pub(super) fn synthetic_global(&mut self, module: &str, name: &str) -> Result<()> {
        self.boundary()?;
        let value = Synthetic::Global(module.into(), name.into());
        if let Some(number) = self.memo.synthetic(&value) {
            return self.get(number);
        }
        if self.protocol >= 4 {
            self.synthetic_text(module.into())?;
            self.synthetic_text(name.into())?;
            self.op(Op::StackGlobal)?;
        } else {
            let renamed = match self.names() {
                Names::Python2 if self.options.fix_imports => python2_names::renamed(module, name, Names::Python2),
                _ => None,
            };
            let (module, name) = renamed.unwrap_or((module, name));
            self.op(Op::Global(module.into(), name.into()))?;
        }
        self.put_synthetic(value)
    }

    /// Whether a value is the global `getattr`, of either Python.
    pub(super) fn is_getattr(&self, cell: Cell) -> bool {
        Value::new(self.arena, cell).as_global().is_some_and(|global| global.is_builtin("getattr"))
    }
}

/// Returns the first part of a path of attributes.
fn outermost(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}
