//! Instances of classes by name, as CPython's picklers write them at each protocol.

use std::borrow::Cow;

use ::serde::ser::Error as _;

use super::Writer;
use super::compound::Class;
use crate::graph::{Cell, Construction, OpKind, Tag};
use crate::protocol::Protocol;
use crate::serde::error::{Error, Result};

/// What an instance is made of, attributes apart.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Nothing,
    /// The one value of a newtype: what a subclass of `int`, `str`, … extends.
    One(Cell),
    /// The items of a tuple subclass.
    Tuple(Cell),
}

impl<'a> Writer<'a> {
    /// The global of a class or function.
    pub(super) fn global(&mut self, module: impl Into<Cow<'a, str>>, name: impl Into<Cow<'a, str>>) -> Cell {
        let (module, name) = (self.name(module), self.name(name));
        let arena = &mut *self.arena;
        *self.classes.entry((module, name)).or_insert_with(|| arena.new_global(module, name))
    }

    /// The global of the class that a serde name stands for, if it stands for one.
    pub(super) fn class_of(&mut self, name: &'static str) -> Option<Cell> {
        let (module, class) = self.config.class_of(name)?;
        Some(self.global(module, class))
    }

    /// The class of a variant: in its own name, or none.
    pub(super) fn class_of_variant(&mut self, variant: &'static str) -> Option<Cell> {
        if variant.contains(['.', ':']) { self.class_of(variant) } else { None }
    }

    /// What the content of a variant becomes.
    pub(super) fn variant_class(&mut self, variant: &'static str) -> Class {
        match self.class_of_variant(variant) {
            Some(class) => Class::Of(class),
            None => Class::Variant(self.name(variant)),
        }
    }

    /// An instance whose class is not called: NEWOBJ from protocol 2 on, below `copyreg._reconstructor(class, base, value)`
    /// (PEP 307). The base is what the content says: `object`, `tuple` or the type of the value.
    pub(super) fn instance(&mut self, class: Cell, content: Content) -> Cell {
        if self.config.protocol() < Protocol::V2
            && let Some((base, value)) = self.base_and_value(content)
        {
            let callable = self.global("copyreg", "_reconstructor");
            let base = self.global("builtins", base);
            let args = self.arena.new_tuple(&[class, base, value]);
            return self.arena.new_object(Construction::Reduce, callable, args);
        }
        let args = match content {
            Content::Nothing => Cell::EMPTY_TUPLE,
            Content::One(value) => self.arena.new_tuple(&[value]),
            Content::Tuple(items) => items,
        };
        self.arena.new_object(Construction::NewObj, class, args)
    }

    /// The builtin type that a class extends, and what that type makes of an instance.
    fn base_and_value(&self, content: Content) -> Option<(&'static str, Cell)> {
        let (base, value) = match content {
            Content::Nothing => ("object", Cell::NONE),
            Content::Tuple(items) => ("tuple", items),
            Content::One(value) => {
                let base = match value.tag() {
                    Tag::Int | Tag::BigInt => "int",
                    Tag::Float | Tag::ZeroFloat | Tag::WideFloat => "float",
                    Tag::Str => "str",
                    Tag::Bytes => "bytes",
                    // A class of its own making, of which nothing is known.
                    _ => return None,
                };
                (base, value)
            }
        };
        Some((base, value))
    }

    /// A member by its name, as enums write themselves that pickle by name (`enum.pickle_by_enum_name`).
    pub(super) fn member(&mut self, class: Cell, name: Cell) -> Cell {
        if let Some(known) = self.members.get(&(class, name)) {
            return *known;
        }
        let getattr = self.global("builtins", "getattr");
        let args = self.arena.new_tuple(&[class, name]);
        let member = self.arena.new_object(Construction::Reduce, getattr, args);
        self.members.insert((class, name), member);
        member
    }

    /// Sets the state of an instance, unless there is none.
    pub(super) fn build(&mut self, object: Cell, state: Cell) {
        let nothing = state.is(Tag::None) || (state.is(Tag::Dict) && self.arena.items(state).is_empty());
        if !nothing {
            self.arena.object_op(object, OpKind::Build, &[state]);
        }
    }

    /// An object of a class by name: of a call if there are arguments, an instance else.
    pub(super) fn instance_of_parts(&mut self, class: Cell, args: Cell, state: Cell) -> Result<Cell> {
        let name = self.arena.text(class).as_str().unwrap_or_default();
        let Some((module, name)) = name.split_once(':').or_else(|| name.rsplit_once('.')) else {
            return Err(Error::custom(format!("the class {name:?} has no module")));
        };
        let (module, name) = (module.to_owned(), name.to_owned());
        let global = self.global(module, name);
        let args = match args.tag() {
            Tag::Tuple | Tag::EmptyTuple => args,
            Tag::None => Cell::EMPTY_TUPLE,
            _ => {
                let items = self.arena.items(args).to_vec();
                self.arena.new_tuple(&items)
            }
        };
        let how = if args == Cell::EMPTY_TUPLE { Construction::NewObj } else { Construction::Reduce };
        let object = self.arena.new_object(how, global, args);
        self.build(object, state);
        Ok(object)
    }
}
