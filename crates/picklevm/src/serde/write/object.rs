//! Makes instances of classes as CPython's picklers write them at each protocol.

use ::serde::ser::Error as _;

use super::Writer;
use super::compound::Class;
use crate::graph::{Cell, Construction, Id, OpKind, Tag};
use crate::protocol::Protocol;
use crate::python;
use crate::serde::as_types::Container;
use crate::serde::error::{Error, Result};

/// Content of an instance besides its attributes.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Nothing,
    /// The value of a newtype: the base value of a subclass of `int`, `str`, ….
    One(Cell),
    /// The items of a tuple subclass.
    Tuple(Cell),
}

impl Writer<'_> {
    /// Returns the global of a class or function.
    pub(super) fn global(&mut self, module: &str, name: &str) -> Cell {
        self.interner.global(self.arena, [module, name], |_| None)
    }

    /// Returns the class for a serde name, if it has one.
    pub(super) fn class_of(&mut self, name: &'static str) -> Option<Cell> {
        let (module, class) = self.config.class_of(name)?;
        Some(self.global(module, class))
    }

    /// Returns the class named by a variant's name, if the name has a dot.
    pub(super) fn class_of_variant(&mut self, variant: &'static str) -> Option<Cell> {
        if variant.contains(['.', ':']) { self.class_of(variant) } else { None }
    }

    /// Returns the owner of a variant's content.
    pub(super) fn variant_class(&mut self, variant: &'static str) -> Class {
        match self.class_of_variant(variant) {
            Some(class) => Class::Of(class),
            None => Class::Variant(self.name(variant)),
        }
    }

    /// Makes an instance without calling the class: by NEWOBJ from protocol 2 on, below by
    /// `copyreg._reconstructor(class, base, value)` (PEP 307). The content decides the base: `object`, `tuple` or the type of
    /// the value.
    pub(super) fn instance(&mut self, class: Cell, content: Content) -> Cell {
        if self.config.protocol() < Protocol::V2
            && let Some((base, value)) = self.base_and_value(content)
        {
            let callable = self.global("copyreg", "_reconstructor");
            let base = self.global("builtins", base);
            return self.arena.new_reconstructed(callable, class, base, value);
        }
        let args = match content {
            Content::Nothing => Cell::EMPTY_TUPLE,
            Content::One(value) => self.arena.new_tuple(&[value]),
            Content::Tuple(items) => items,
        };
        self.arena.new_object(Construction::NewObj, class, args)
    }

    /// Returns the builtin base type, and the base value.
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
                    // A class with an unknown base.
                    _ => return None,
                };
                (base, value)
            }
        };
        Some((base, value))
    }

    /// Makes an enum member by name, as enums with `enum.pickle_by_enum_name` write it.
    pub(super) fn member(&mut self, class: Cell, name: Cell) -> Cell {
        if let Some(known) = self.members.get(&(class, name)) {
            return *known;
        }
        let getattr = self.global("builtins", "getattr");
        let member = self.arena.new_attribute(getattr, class, name);
        self.members.insert((class, name), member);
        member
    }

    /// Makes an enum member by value, as other enums write it: `class(value)`.
    pub(super) fn member_of_value(&mut self, class: &'static str, value: Cell) -> Result<Cell> {
        let Some(class) = self.class_of(class) else {
            return Err(Error::custom(format!("the class {class:?} has no module")));
        };
        let text: Option<Box<[u8]>> = value.is(Tag::Str).then(|| self.arena.payload(value).into());
        let known = match &text {
            Some(text) => self.text_members.get(&(class, text.clone())),
            None => self.members.get(&(class, value)),
        };
        if let Some(known) = known {
            return Ok(*known);
        }
        let args = self.arena.new_tuple(&[value]);
        let member = self.arena.new_object(Construction::Reduce, class, args);
        match text {
            Some(text) => self.text_members.insert((class, text), member),
            None => self.members.insert((class, value), member),
        };
        Ok(member)
    }

    /// Makes a container of what was serialized as a sequence or bytes.
    pub(super) fn container(&mut self, container: Container, content: Cell) -> Result<Cell> {
        if container == Container::ByteArray {
            let bytes = self.arena.payload(content).to_vec();
            return Ok(self.arena.bytearray(bytes).0);
        }
        if !matches!(content.tag(), Tag::List | Tag::Tuple | Tag::EmptyTuple) {
            return Err(Error::custom("a set or deque must be a sequence"));
        }
        let items: Vec<_> = self.arena.items(content).iter().map(|item| Id(*item)).collect();
        Ok(match container {
            Container::Set => self.arena.set(items)?.0,
            Container::FrozenSet => self.arena.frozenset(items)?.0,
            _ => self.arena.deque(items, None).0,
        })
    }

    /// Sets the state of an instance, if there is one.
    pub(super) fn build(&mut self, object: Cell, state: Cell) {
        let nothing = state.is(Tag::None) || (state.is(Tag::Dict) && self.arena.items(state).is_empty());
        if !nothing {
            self.arena.object_op(object, OpKind::Build, &[state]);
        }
    }

    /// Makes an object of a class by name: a call if there are arguments, otherwise an instance.
    pub(super) fn instance_of_parts(&mut self, class: Cell, args: Cell, state: Cell) -> Result<Cell> {
        let name = self.arena.text(class).as_str().unwrap_or_default();
        let Some((module, name)) = python::split(name) else {
            return Err(Error::custom(format!("the class {name:?} has no module")));
        };
        let (module, name) = (module.to_owned(), name.to_owned());
        let global = self.global(&module, &name);
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
