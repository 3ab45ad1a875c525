//! Writes instances of classes and members of enums. The emitter of graphs writes the classes.

use picklevm_ops::{Opcode, Sink};

use super::Direct;
use super::compound::After;
use super::names::ClassKey;
use crate::error::Result;
use crate::graph::{Arena, Graph, Id, Tag};
use crate::protocol::Protocol;

const GETATTR: [&str; 2] = ["builtins", "getattr"];

/// Index of a class in [`Names`](super::names::Names).
#[derive(Clone, Copy)]
pub(crate) struct ClassIndex(usize);

impl<S: Sink, C> Direct<'_, S, C> {
    /// Returns the class for a key, if there is one. `find` returns the module and the name in it.
    #[inline(always)]
    pub(crate) fn class_named<'n>(
        &mut self,
        key: ClassKey,
        find: impl FnOnce() -> Option<(&'n str, &'n str)>,
    ) -> Result<Option<ClassIndex>> {
        let at = match self.names.class_index(key) {
            Some(at) => at,
            None => self.new_class_named(key, find),
        };
        match at {
            None => Ok(None),
            // Below, an instance is made by a call with its base.
            Some(_) if self.protocol < 2 => Err(self.leave_to_graph()),
            Some(at) => Ok(Some(ClassIndex(at))),
        }
    }

    #[inline(never)]
    fn new_class_named<'n>(
        &mut self,
        key: ClassKey,
        find: impl FnOnce() -> Option<(&'n str, &'n str)>,
    ) -> Option<usize> {
        let class = find().map(|(module, name)| self.new_class(module, name, None));
        self.names.insert_key(key, class);
        class
    }

    /// Returns the class of a definition.
    #[inline(always)]
    pub(crate) fn class_defined(&mut self, key: ClassKey, names: [&'static str; 2]) -> Result<ClassIndex> {
        match self.names.class_index(key) {
            Some(Some(at)) => Ok(ClassIndex(at)),
            _ => self.new_class_defined(key, names),
        }
    }

    #[inline(never)]
    fn new_class_defined(&mut self, key: ClassKey, names @ [module, name]: [&'static str; 2]) -> Result<ClassIndex> {
        if self.protocol < 2 || !self.pickler.options.extensions.is_empty() {
            return Err(self.leave_to_graph());
        }
        let at = self.new_class(module, name, Some(names));
        self.names.insert_key(key, Some(at));
        Ok(ClassIndex(at))
    }

    /// Returns the index of a class for which no key was looked up before.
    fn new_class(&mut self, module: &str, name: &str, names: Option<[&'static str; 2]>) -> usize {
        let side = self.side.get_or_insert_with(Graph::new);
        let known = self.names.find_class(|known| {
            let node = side.globals[known];
            side.payload(node.module) == module.as_bytes() && side.payload(node.name) == name.as_bytes()
        });
        known.unwrap_or_else(|| {
            let arena = side.unique();
            let [module, name] = [module, name].map(|text| arena.new_text(Tag::Str, text.as_bytes(), false));
            self.names.insert_class(arena.new_global(module, name), names)
        })
    }

    /// Writes a class.
    fn class(&mut self, ClassIndex(at): ClassIndex) -> Result<()> {
        self.boundary()?;
        if let Some(number) = self.names.class(at).number {
            return self.get(number);
        }
        if self.protocol >= 4
            && let Some([module, name]) = self.names.class(at).names
        {
            self.by_cursor(|cursor| {
                cursor.name(module)?;
                cursor.name(name)
            })?;
            self.bare(Opcode::StackGlobal)?;
            self.names.class(at).number = Some(self.put()?);
            return Ok(());
        }
        let class = self.names.class(at).cell;
        let Some(side) = &self.side else { return Err(self.leave_to_graph()) };
        let name = side.globals[class].name;
        if self.protocol < 4 && side.payload(name).contains(&b'.') {
            return Err(self.leave_to_graph());
        }
        self.part(class)?;
        self.names.class(at).number = self.scratch.as_ref().and_then(|scratch| scratch.memo.number(class));
        Ok(())
    }

    /// Writes a value that is made in a graph, with the emitter of graphs.
    pub(crate) fn made(&mut self, make: impl FnOnce(&mut Arena, Protocol) -> Result<Id>) -> Result<()> {
        let protocol = self.pickler.options.protocol;
        // Below, bytes are calls whose functions and texts are shared by content, and paths are calls.
        if protocol < Protocol::V4 {
            return Err(self.leave_to_graph());
        }
        self.boundary()?;
        let side = self.side.get_or_insert_with(Graph::new);
        let arena = side.unique();
        let made = make(arena, protocol)?;
        let cell = arena.checked(made);
        arena.settle_all();
        // Classes that the emitter writes here may be those of types.
        self.part(cell)
    }

    /// Starts an instance: its class. Its arguments and [`end_instance`](Self::end_instance) follow.
    pub(crate) fn begin_instance(&mut self, class: ClassIndex) -> Result<()> {
        self.class(class)
    }

    /// Writes NEWOBJ.
    pub(crate) fn end_instance(&mut self) -> Result<()> {
        self.bare(Opcode::NewObj)?;
        self.put().map(drop)
    }

    /// Writes an instance without arguments.
    pub(crate) fn empty_instance(&mut self, class: ClassIndex) -> Result<()> {
        self.begin_instance(class)?;
        self.boundary()?;
        self.tuple_end(0)?;
        self.end_instance()
    }

    /// Writes an instance to which attributes are added.
    pub(crate) fn begin_attributes(&mut self, class: ClassIndex) -> Result<After> {
        self.empty_instance(class)?;
        Ok(After::Build)
    }

    /// Writes an enum member by name, as enums with `enum.pickle_by_enum_name` write it.
    pub(crate) fn member(&mut self, class: ClassIndex, name: &'static str) -> Result<()> {
        // Below protocol 4 it may be the path of a nested class.
        if self.protocol < 4 {
            return Err(self.leave_to_graph());
        }
        self.boundary()?;
        if let Some(number) = self.names.member(class.0, name) {
            return self.get(number);
        }
        let names = self.names.class(class.0).names.map(|_| GETATTR);
        let getattr = ClassIndex(self.new_class(GETATTR[0], GETATTR[1], names));
        self.class(getattr)?;
        self.boundary()?;
        self.tuple_mark(2)?;
        self.class(class)?;
        self.by_cursor(|cursor| cursor.name(name))?;
        self.end_member(class, name, 2)
    }

    /// Writes an enum member by value, which `write` writes.
    pub(crate) fn member_by_value(
        &mut self,
        class: ClassIndex,
        name: &'static str,
        write: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.boundary()?;
        if let Some(number) = self.names.member(class.0, name) {
            return self.get(number);
        }
        self.class(class)?;
        self.boundary()?;
        self.tuple_mark(1)?;
        write(self)?;
        self.end_member(class, name, 1)
    }

    /// Ends the call that returns an enum member.
    fn end_member(&mut self, class: ClassIndex, name: &'static str, args: usize) -> Result<()> {
        self.tuple_end(args)?;
        self.bare(Opcode::Reduce)?;
        let number = self.put()?;
        self.names.insert_member(class.0, name, number);
        Ok(())
    }
}
