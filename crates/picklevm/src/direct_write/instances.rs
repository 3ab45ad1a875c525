//! Writes instances of classes and members of enums. The emitter of graphs writes the classes.

use picklevm_ops::{Opcode, Sink};

use super::compound::After;
use super::names::{ClassIndex, ClassKey, ClassNames};
use super::{Cursor, Direct};
use crate::error::Result;
use crate::graph::{Arena, Cell, GlobalNode, Graph, Id, Tag};
use crate::protocol::Protocol;

const GETATTR: [&str; 2] = ["builtins", "getattr"];

impl<S: Sink, C> Direct<'_, S, C> {
    /// Returns the class for a key, if there is one. `find` returns the module and the name in it.
    #[inline(always)]
    pub(crate) fn class_named<'n>(
        &mut self,
        key: ClassKey,
        find: impl FnOnce() -> Option<(&'n str, &'n str)>,
    ) -> Result<Option<ClassIndex>> {
        match self.names.class_of_key(key) {
            Some(class) => Ok(class),
            None => self.new_class_named(key, find()),
        }
    }

    #[inline(never)]
    fn new_class_named(&mut self, key: ClassKey, names: Option<(&str, &str)>) -> Result<Option<ClassIndex>> {
        // Below, an instance is made by a call with its base.
        if names.is_some() && self.protocol < 2 {
            return Err(self.leave_to_graph());
        }
        let class = names.map(|(module, name)| self.own_class([module, name]));
        self.names.insert_key(key, class);
        Ok(class)
    }

    /// Returns the class of a definition.
    #[inline(always)]
    pub(crate) fn class_defined(&mut self, key: ClassKey, names: [&'static str; 2]) -> Result<ClassIndex> {
        match self.names.class_of_key(key) {
            Some(Some(class)) => Ok(class),
            _ => self.new_class_defined(key, names),
        }
    }

    #[inline(never)]
    fn new_class_defined(&mut self, key: ClassKey, names: [&'static str; 2]) -> Result<ClassIndex> {
        if self.protocol < 2 || !self.pickler.options.extensions.is_empty() {
            return Err(self.leave_to_graph());
        }
        let class = self.shared_class(names);
        self.names.insert_key(key, Some(class));
        Ok(class)
    }

    fn shared_class(&mut self, names: [&'static str; 2]) -> ClassIndex {
        let known = self.names.find_class(|known| matches!(known, ClassNames::Shared(known) if known == names));
        known.unwrap_or_else(|| self.names.insert_class(ClassNames::Shared(names)))
    }

    fn own_class(&mut self, names: [&str; 2]) -> ClassIndex {
        let side = self.side.get_or_insert_with(Graph::new);
        let known = self.names.find_class(|known| match known {
            ClassNames::Shared(_) => false,
            ClassNames::Own(class) => {
                let GlobalNode { module, name, .. } = side.globals[class];
                [module, name].map(|text| side.payload(text)) == names.map(str::as_bytes)
            }
        });
        known.unwrap_or_else(|| {
            let class = self.new_global(names);
            self.names.insert_class(ClassNames::Own(class))
        })
    }

    /// Makes a class in the graph.
    fn new_global(&mut self, names: [&str; 2]) -> Cell {
        let arena = self.side.get_or_insert_with(Graph::new).unique();
        let [module, name] = names.map(|text| arena.new_text(Tag::Str, text.as_bytes(), false));
        arena.new_global(module, name)
    }
}

impl<S: Sink, C> Cursor<'_, '_, S, C> {
    /// Writes a class. In an instance, its arguments and [`end_instance`](Self::end_instance) follow.
    #[inline(always)]
    pub(crate) fn class(&mut self, class: ClassIndex) -> Result<()> {
        match self.direct.names.class(class).number {
            Some(number) => self.get(number),
            None => self.call(|cursor| cursor.new_class(class)),
        }
    }

    /// Writes a class that is not in the memo.
    #[inline(never)]
    fn new_class(&mut self, class: ClassIndex) -> Result<()> {
        self.boundary()?;
        let number = match self.direct.names.class(class).names {
            ClassNames::Shared([module, name]) if self.direct.protocol >= 4 => {
                self.name(module)?;
                self.name(name)?;
                self.bare(Opcode::StackGlobal)?;
                Some(self.put()?)
            }
            ClassNames::Shared(names) => {
                let class = self.direct.new_global(names);
                self.global(class)?
            }
            ClassNames::Own(class) => self.global(class)?,
        };
        self.direct.names.class(class).number = number;
        Ok(())
    }

    /// Writes a class of the graph. Returns its memo index.
    fn global(&mut self, class: Cell) -> Result<Option<u32>> {
        let Some(side) = &self.direct.side else { return Err(self.direct.leave_to_graph()) };
        if self.direct.protocol < 4 && side.payload(side.globals[class].name).contains(&b'.') {
            return Err(self.direct.leave_to_graph());
        }
        self.part(class)?;
        Ok(self.direct.scratch.as_ref().and_then(|scratch| scratch.memo.number(class)))
    }

    /// Writes a value that is made in a graph, with the emitter of graphs.
    pub(crate) fn made(&mut self, make: impl FnOnce(&mut Arena, Protocol) -> Result<Id>) -> Result<()> {
        let protocol = self.direct.pickler.options.protocol;
        // Below, bytes are calls whose functions and texts are shared by content, and paths are calls.
        if protocol < Protocol::V4 {
            return Err(self.direct.leave_to_graph());
        }
        self.boundary()?;
        let side = self.direct.side.get_or_insert_with(Graph::new);
        let arena = side.unique();
        let made = make(arena, protocol)?;
        let cell = arena.checked(made);
        arena.settle_all();
        // Classes that the emitter writes here may be those of types.
        self.part(cell)
    }

    /// Writes NEWOBJ.
    #[inline(always)]
    pub(crate) fn end_instance(&mut self) -> Result<()> {
        self.bare(Opcode::NewObj)?;
        self.put().map(drop)
    }

    /// Writes an instance without arguments.
    #[inline(always)]
    pub(crate) fn empty_instance(&mut self, class: ClassIndex) -> Result<()> {
        self.class(class)?;
        if self.direct.memoizes && !self.is_full() {
            self.direct.skip();
            self.run(|run| run.first_of([Opcode::EmptyTuple, Opcode::NewObj, Opcode::Memoize], 3));
            return Ok(());
        }
        self.call(|cursor| {
            cursor.boundary()?;
            cursor.rare_tuple_end(0)?;
            cursor.end_instance()
        })
    }

    /// Writes an instance to which attributes are added.
    #[inline(always)]
    pub(crate) fn begin_attributes(&mut self, class: ClassIndex) -> Result<After> {
        self.empty_instance(class)?;
        Ok(After::Build)
    }

    /// Writes an enum member by name, as enums with `enum.pickle_by_enum_name` write it.
    pub(crate) fn member(&mut self, class: ClassIndex, name: &'static str) -> Result<()> {
        // Below protocol 4 it may be the path of a nested class.
        if self.direct.protocol < 4 {
            return Err(self.direct.leave_to_graph());
        }
        if let Some(number) = self.direct.names.member(class, name) {
            return self.get(number);
        }
        self.boundary()?;
        let getattr = match self.direct.names.class(class).names {
            ClassNames::Shared(_) => self.direct.shared_class(GETATTR),
            ClassNames::Own(_) => self.direct.own_class(GETATTR),
        };
        self.class(getattr)?;
        self.tuple_begin(2)?;
        self.class(class)?;
        self.name(name)?;
        self.end_member(class, name, 2)
    }

    /// Writes an enum member by value, which `write` writes.
    pub(crate) fn member_by_value(
        &mut self,
        class: ClassIndex,
        name: &'static str,
        write: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        if let Some(number) = self.direct.names.member(class, name) {
            return self.get(number);
        }
        self.class(class)?;
        self.tuple_begin(1)?;
        write(self)?;
        self.end_member(class, name, 1)
    }

    /// Ends the call that returns an enum member.
    fn end_member(&mut self, class: ClassIndex, name: &'static str, args: usize) -> Result<()> {
        self.tuple_end(args)?;
        self.bare(Opcode::Reduce)?;
        let number = self.put()?;
        self.direct.names.insert_member(class, name, number);
        Ok(())
    }
}
