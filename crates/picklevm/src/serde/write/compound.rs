//! Serializers of sequences, tuples, maps and structs.

use ::serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::Writer;
use super::object::Content;
use crate::graph::Cell;
use crate::serde::error::{Error, Result};

/// Kind of value made from the parts.
#[derive(Clone, Copy)]
pub(super) enum Form {
    List,
    /// A tuple, or the arguments of a namedtuple's class.
    Tuple(Class),
    /// A dict, or the attributes of an instance.
    Dict(Class),
    /// `Instance`: class name, arguments and state.
    Instance,
}

/// Owner of a tuple or dict.
#[derive(Clone, Copy)]
pub(super) enum Class {
    None,
    /// An instance of this class.
    Of(Cell),
    /// An enum variant with this name.
    Variant(Cell),
}

/// A compound value being written.
pub(super) struct Compound<'w, 'a> {
    writer: &'w mut Writer<'a>,
    form: Form,
    /// Start of its parts on the stack.
    from: usize,
}

impl<'w, 'a> Compound<'w, 'a> {
    pub(super) fn new(writer: &'w mut Writer<'a>, form: Form) -> Self {
        let from = writer.stack.len();
        Compound { writer, form, from }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let cell = self.writer.inside(value)?;
        self.writer.stack.push(cell);
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        let name = self.writer.name(name);
        self.writer.stack.push(name);
        self.push(value)
    }

    fn finish(self) -> Result<Cell> {
        let Compound { writer, form, from } = self;
        writer.depth -= 1;
        match form {
            Form::List => {
                let list = writer.arena.new_list(&writer.stack[from..]);
                writer.stack.truncate(from);
                Ok(list)
            }
            Form::Tuple(class) => {
                let tuple = writer.tuple_from(from);
                match class {
                    Class::None => Ok(tuple),
                    Class::Of(class) => Ok(writer.instance(class, Content::Tuple(tuple))),
                    Class::Variant(name) => writer.variant(name, tuple),
                }
            }
            Form::Dict(class) => {
                let dict = writer.dict_from(from)?;
                match class {
                    Class::None => Ok(dict),
                    Class::Of(class) => {
                        let object = writer.instance(class, Content::Nothing);
                        writer.build(object, dict);
                        Ok(object)
                    }
                    Class::Variant(name) => writer.variant(name, dict),
                }
            }
            Form::Instance => {
                let parts = writer.stack.split_off(from);
                match parts[..] {
                    [_, class, _, args, _, state] => writer.instance_of_parts(class, args, state),
                    _ => Err(Error::custom("an Instance must have the parts class, args and state")),
                }
            }
        }
    }
}

macro_rules! parts {
    ($($trait:ident::$method:ident)*) => {$(
        impl $trait for Compound<'_, '_> {
            type Ok = Cell;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.push(value)
            }

            fn end(self) -> Result<Cell> {
                self.finish()
            }
        }
    )*};
}
parts!(SerializeSeq::serialize_element SerializeTuple::serialize_element SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field);

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl $trait for Compound<'_, '_> {
            type Ok = Cell;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.field(name, value)
            }

            fn end(self) -> Result<Cell> {
                self.finish()
            }
        }
    )*};
}
fields!(SerializeStruct SerializeStructVariant);

impl SerializeMap for Compound<'_, '_> {
    type Ok = Cell;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.push(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<Cell> {
        self.finish()
    }
}
