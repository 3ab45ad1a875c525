//! Writes instances of classes and members of enums. The emitter of graphs writes the classes.

use picklevm_ops::{Opcode, Sink};

use super::Direct;
use super::compound::After;
use crate::error::Result;
use crate::graph::{Arena, Graph, Id, Tag};
use crate::protocol::Protocol;

/// The name by which `getattr` is looked up like a class.
const GETATTR: &str = "builtins.getattr";

/// Index of a class in [`Names`](super::names::Names).
#[derive(Clone, Copy)]
pub(crate) struct ClassIndex(usize);

impl<S: Sink, C> Direct<'_, S, C> {
    /// Returns the class for a name, if it has one. `find` returns the module and the name in it.
    #[inline(always)]
    pub(crate) fn class_named<'n>(
        &mut self,
        name: &'static str,
        find: impl FnOnce() -> Option<(&'n str, &'n str)>,
    ) -> Result<Option<ClassIndex>> {
        let at = match self.names.class_index(name) {
            Some(at) => at,
            None => self.new_class(name, find()),
        };
        match at {
            None => Ok(None),
            // Below, an instance is made by a call with its base.
            Some(_) if self.protocol < 2 => Err(self.leave_to_graph()),
            Some(at) => Ok(Some(ClassIndex(at))),
        }
    }

    /// Returns the index of the class for a name that was not looked up before.
    #[inline(never)]
    fn new_class(&mut self, name: &'static str, class: Option<(&str, &str)>) -> Option<usize> {
        let class = class.map(|(module, class)| {
            let side = self.side.get_or_insert_with(Graph::new);
            let known = self.names.find_class(|known| {
                let node = side.globals[known];
                side.payload(node.module) == module.as_bytes() && side.payload(node.name) == class.as_bytes()
            });
            known.unwrap_or_else(|| {
                let arena = side.unique();
                let [module, class] = [module, class].map(|text| arena.new_text(Tag::Str, text.as_bytes(), false));
                self.names.insert_class(arena.new_global(module, class))
            })
        });
        self.names.name_class(name, class);
        class
    }

    /// Writes a class.
    fn class(&mut self, ClassIndex(at): ClassIndex) -> Result<()> {
        self.boundary()?;
        if let Some(number) = self.names.class(at).number {
            return self.get(number);
        }
        let class = self.names.class(at).cell;
        let Some(side) = &self.side else { return Err(self.leave_to_graph()) };
        let name = side.globals[class].name;
        if self.protocol < 4 && side.payload(name).contains(&b'.') {
            return Err(self.leave_to_graph());
        }
        self.part(class)?;
        self.names.class(at).number = self.scratch.memo.number(class);
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
        let cell = self.names.class(class.0).cell;
        self.boundary()?;
        let known = self.known_name(name).and_then(|label| self.names.member(cell, label));
        if let Some(number) = known {
            return self.get(number);
        }
        let getattr = match self.class_named(GETATTR, || Some(("builtins", "getattr")))? {
            Some(getattr) => getattr,
            None => return Err(self.leave_to_graph()),
        };
        self.class(getattr)?;
        self.boundary()?;
        self.tuple_mark(2)?;
        self.class(class)?;
        let label = self.new_name(name)?;
        self.tuple_end(2)?;
        self.bare(Opcode::Reduce)?;
        let number = self.put()?;
        if let Some(label) = label {
            self.names.insert_member(cell, label, number);
        }
        Ok(())
    }
}
