//! The `Serializer`, which writes Rust types into a graph.

mod compound;
mod object;

use std::collections::HashMap;

use ::serde::ser::{Error as _, Serialize, Serializer};
use foldhash::fast::RandomState;

use self::compound::{Class, Compound, Form};
use self::object::Content;
use super::as_types::{MEMBER, container_of};
use super::config::{Config, Variants};
use super::error::{Error, Result, too_deep};
use super::{bigint, handover, instance, shared};
use crate::convert::Interner;
use crate::graph::{Arena, Cell, Graph, Tag};

/// Converts a value to a graph.
pub(super) fn to_graph<T: Serialize + ?Sized>(config: &Config, value: &T) -> Result<Graph> {
    let mut graph = Graph::new();
    let mut writer = Writer::new(graph.unique(), config);
    let root = value.serialize(&mut writer)?;
    let arena = graph.unique();
    arena.settle_all();
    arena.roots.push(root);
    Ok(graph)
}

/// Maximum calls of `Serialize` per level of the data. Options and newtypes are calls without a level.
const CALLS_PER_LEVEL: usize = 8;

/// Serializer that makes values in an arena.
struct Writer<'a> {
    arena: &'a mut Arena,
    config: &'a Config,
    /// Items and rows of unfinished containers, innermost last.
    stack: Vec<Cell>,
    /// Number of open values: the depth of the data.
    depth: usize,
    /// Number of open calls of `Serialize`, including options and newtypes.
    calls: usize,
    interner: Interner,
    /// Enum members, by class and name: one value each, as in Python.
    members: HashMap<(Cell, Cell), Cell, RandomState>,
    /// Enum members, by class and a value that is text.
    text_members: HashMap<(Cell, Box<[u8]>), Cell, RandomState>,
    /// Values of the `Arc`s of `Shared`, by address.
    shared: HashMap<usize, Cell, RandomState>,
}

impl<'a> Writer<'a> {
    fn new(arena: &'a mut Arena, config: &'a Config) -> Self {
        Writer {
            arena,
            config,
            stack: Vec::new(),
            depth: 0,
            calls: 0,
            interner: Interner::default(),
            members: HashMap::default(),
            text_members: HashMap::default(),
            shared: HashMap::default(),
        }
    }

    /// Returns the value of a name of a field or variant.
    fn name(&mut self, name: &str) -> Cell {
        self.interner.name(self.arena, Tag::Str, name.as_bytes())
    }

    /// Pops the cells from this stack index on, as a tuple.
    fn tuple_from(&mut self, from: usize) -> Cell {
        let tuple = self.arena.new_tuple(&self.stack[from..]);
        self.stack.truncate(from);
        tuple
    }

    /// Pops the rows from this stack index on, as a dict.
    fn dict_from(&mut self, from: usize) -> Result<Cell> {
        let dict = self.arena.new_dict();
        let added = self.arena.add_rows(dict, &self.stack[from..]);
        self.stack.truncate(from);
        match added {
            Ok(()) => Ok(dict),
            Err(unhashable) => Err(unhashable.error(self.arena).into()),
        }
    }

    /// Makes a variant in the configured form.
    fn variant(&mut self, name: Cell, content: Cell) -> Result<Cell> {
        let from = self.stack.len();
        self.stack.extend([name, content]);
        match self.config.variants {
            Variants::Dict => self.dict_from(from),
            Variants::Tuple => Ok(self.tuple_from(from)),
        }
    }

    /// Writes a part of a value, or the content of an option or newtype.
    fn inside<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<Cell> {
        let limit = self.config.depth_limit();
        self.calls += 1;
        if self.calls > limit.saturating_mul(CALLS_PER_LEVEL) {
            return Err(too_deep(limit));
        }
        let cell = value.serialize(&mut *self)?;
        self.calls -= 1;
        Ok(cell)
    }

    /// Writes the only value inside another one.
    fn inside_one<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<Cell> {
        self.enter()?;
        let cell = self.inside(value)?;
        self.depth -= 1;
        Ok(cell)
    }

    /// Starts a compound value. There is no `leave` after an error, which ends them all.
    fn enter(&mut self) -> Result<()> {
        let limit = self.config.depth_limit();
        if self.depth >= limit {
            return Err(too_deep(limit));
        }
        self.depth += 1;
        Ok(())
    }

    fn compound<'w>(&'w mut self, form: Form) -> Result<Compound<'w, 'a>> {
        self.enter()?;
        Ok(Compound::new(self, form))
    }
}

impl<'w, 'a> Serializer for &'w mut Writer<'a> {
    type Ok = Cell;
    type Error = Error;
    type SerializeSeq = Compound<'w, 'a>;
    type SerializeTuple = Compound<'w, 'a>;
    type SerializeTupleStruct = Compound<'w, 'a>;
    type SerializeTupleVariant = Compound<'w, 'a>;
    type SerializeMap = Compound<'w, 'a>;
    type SerializeStruct = Compound<'w, 'a>;
    type SerializeStructVariant = Compound<'w, 'a>;

    fn is_human_readable(&self) -> bool {
        handover::is_human_readable()
    }

    fn serialize_bool(self, value: bool) -> Result<Cell> {
        Ok(Cell::bool(value))
    }

    fn serialize_i8(self, value: i8) -> Result<Cell> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Cell> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Cell> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Cell> {
        Ok(self.arena.new_int(value))
    }

    fn serialize_i128(self, value: i128) -> Result<Cell> {
        Ok(self.arena.new_int_le(&value.to_le_bytes()))
    }

    fn serialize_u8(self, value: u8) -> Result<Cell> {
        self.serialize_i64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Cell> {
        self.serialize_i64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Cell> {
        self.serialize_i64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Cell> {
        self.serialize_i128(value.into())
    }

    fn serialize_u128(self, value: u128) -> Result<Cell> {
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(&value.to_le_bytes());
        Ok(self.arena.new_int_le(&bytes))
    }

    fn serialize_f32(self, value: f32) -> Result<Cell> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Cell> {
        Ok(self.arena.new_float(value))
    }

    fn serialize_char(self, value: char) -> Result<Cell> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<Cell> {
        Ok(self.interner.text(self.arena, value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Cell> {
        Ok(self.interner.bytes(self.arena, Tag::Bytes, value))
    }

    fn serialize_none(self) -> Result<Cell> {
        Ok(Cell::NONE)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Cell> {
        self.inside(value)
    }

    fn serialize_unit(self) -> Result<Cell> {
        Ok(Cell::NONE)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Cell> {
        if name == handover::NAME
            && let Some(make) = handover::take()
        {
            let made = make(self.arena, self.config.protocol())?;
            return Ok(self.arena.checked(made));
        }
        match self.class_of(name) {
            Some(class) => Ok(self.instance(class, Content::Nothing)),
            None => Ok(Cell::NONE),
        }
    }

    fn serialize_unit_variant(self, name: &'static str, _: u32, variant: &'static str) -> Result<Cell> {
        if let Some(class) = self.class_of_variant(variant) {
            return Ok(self.instance(class, Content::Nothing));
        }
        let label = self.name(variant);
        if let Some(class) = self.class_of(name) {
            return Ok(self.member(class, label));
        }
        match self.config.variants {
            Variants::Dict => Ok(label),
            Variants::Tuple => Ok(self.arena.new_tuple(&[label])),
        }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Cell> {
        match name {
            shared::NAME => {
                let address = shared::take_address();
                if let Some(known) = address.and_then(|address| self.shared.get(&address)) {
                    return Ok(*known);
                }
                let cell = self.inside(value)?;
                if let Some(address) = address {
                    self.shared.insert(address, cell);
                }
                Ok(cell)
            }
            bigint::NAME => {
                let digits = value.serialize(&mut *self)?;
                let integer = self.arena.text(digits).as_str().and_then(bigint::parse);
                let integer = integer.ok_or_else(|| Error::custom("an integer without digits"))?;
                Ok(self.arena.new_int_le(&integer.to_signed_bytes_le()))
            }
            _ => {
                if let Some(container) = container_of(name) {
                    let items = self.inside(value)?;
                    return self.container(container, items);
                }
                let Some(class) = self.class_of(name) else { return self.inside(value) };
                let cell = self.inside_one(value)?;
                Ok(self.instance(class, Content::One(cell)))
            }
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Cell> {
        if name == MEMBER {
            let value = self.inside_one(value)?;
            return self.member_of_value(variant, value);
        }
        if let Some(class) = self.class_of_variant(variant) {
            let cell = self.inside_one(value)?;
            return Ok(self.instance(class, Content::One(cell)));
        }
        let label = self.name(variant);
        let content = self.inside_one(value)?;
        self.variant(label, content)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'w, 'a>> {
        self.compound(Form::List)
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'w, 'a>> {
        self.compound(Form::Tuple(Class::None))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Compound<'w, 'a>> {
        let class = self.class_of(name).map_or(Class::None, Class::Of);
        self.compound(Form::Tuple(class))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'w, 'a>> {
        let class = self.variant_class(variant);
        self.compound(Form::Tuple(class))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'w, 'a>> {
        self.compound(Form::Dict(Class::None))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'w, 'a>> {
        if name == instance::NAME {
            return self.compound(Form::Instance);
        }
        let class = self.class_of(name).map_or(Class::None, Class::Of);
        self.compound(Form::Dict(class))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'w, 'a>> {
        let class = self.variant_class(variant);
        self.compound(Form::Dict(class))
    }
}
