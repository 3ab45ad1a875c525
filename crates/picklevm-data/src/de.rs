//! Arrays and tables read into Rust types by serde: `Vec<f32>`, `Vec<Vec<f64>>`, structs of records and rows.

use serde::de::value::{MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::cell::Cell;
use crate::error::{Error, ErrorKind, Result};
use crate::numpy::NdArray;
use crate::pandas::{Column, DataFrame};

/// Reads an array: a list for each axis, numbers as any type that holds them, records as structs or maps.
///
/// # Errors
///
/// If an element is not of the type asked for.
///
/// ```
/// use picklevm_data::{from_array, numpy::NdArray};
///
/// let graph = picklevm::loads(include_bytes!("../../../tests/data/arrays/f4.pkl"))?;
/// let rows: Vec<Vec<f64>> = from_array(&NdArray::from_value(graph.root())?)?;
/// assert_eq!(rows, [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_array<T: DeserializeOwned>(array: &NdArray<'_>) -> Result<T> {
    T::deserialize(Axes { array, axis: 0, at: array.offset as isize })
}

/// Reads a table: a row each, as structs with the names of columns, maps or tuples. The index is no part of a row.
///
/// # Errors
///
/// If a value is not of the type asked for, with its column and row.
///
/// ```
/// use picklevm_data::{from_table, pandas::DataFrame};
///
/// #[derive(serde::Deserialize)]
/// struct Row { i: i64, f: Option<f64>, s: Option<String> }
///
/// let graph = picklevm::loads(include_bytes!("../../../tests/data/arrays/pd3.1-mixed-p5.pkl"))?;
/// let rows: Vec<Row> = from_table(&DataFrame::from_value(graph.root())?)?;
/// assert_eq!((rows[1].i, rows[1].f, rows[1].s.as_deref()), (2, None, Some("bé")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_table<T: DeserializeOwned>(frame: &DataFrame<'_>) -> Result<Vec<T>> {
    (0..frame.rows()).map(|row| T::deserialize(Row { columns: frame.columns(), row })).collect()
}

impl de::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Error {
        Error::new(ErrorKind::Type, message.to_string())
    }
}

/// An array from one of its axes on.
struct Axes<'a, 'g> {
    array: &'a NdArray<'g>,
    axis: usize,
    at: isize,
}

impl<'de> Deserializer<'de> for Axes<'_, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.array.shape.get(self.axis) {
            Some(len) => visitor.visit_seq(Items { axes: self, left: *len }),
            None => One(self.array.cell_at(self.at as usize)?, MAX_DEPTH).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.array.shape.get(self.axis) {
            Some(_) => visitor.visit_some(self),
            None => One(self.array.cell_at(self.at as usize)?, MAX_DEPTH).deserialize_option(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// The positions of an axis.
struct Items<'a, 'g> {
    axes: Axes<'a, 'g>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let Axes { array, axis, at } = self.axes;
        if left > 0 {
            self.axes.at += array.strides[axis];
        }
        seed.deserialize(Axes { array, axis: axis + 1, at }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// A row of a table.
struct Row<'a, 'g> {
    columns: &'a [Column<'g>],
    row: usize,
}

impl<'de> Deserializer<'de> for Row<'_, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(Fields { row: self, at: 0 })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(Fields { row: self, at: 0 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct map
        struct enum identifier ignored_any
    }
}

/// The columns of a row, one after the other.
struct Fields<'a, 'g> {
    row: Row<'a, 'g>,
    at: usize,
}

impl Fields<'_, '_> {
    fn value<'de, T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        let column = &self.row.columns[self.at];
        self.at += 1;
        // A NaN is what old versions of pandas have for a missing value of any type.
        let read = column.cell(self.row.row).and_then(|cell| match cell {
            cell if cell.is_missing()
                && !matches!(column.values().numpy_name(), Some(name) if name.starts_with("float")) =>
            {
                seed.deserialize(One(Cell::Null, MAX_DEPTH))
            }
            cell => seed.deserialize(One(cell, MAX_DEPTH)),
        });
        read.map_err(|error| error.inside(format!("column {:?}, row {}", column.label(), self.row.row)))
    }
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some(column) = self.row.columns.get(self.at) else { return Ok(None) };
        let key: StringDeserializer<Error> = column.name().unwrap_or_else(|| "0".to_owned()).into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        self.value(seed)
    }
}

impl<'de> SeqAccess<'de> for Fields<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.at >= self.row.columns.len() {
            return Ok(None);
        }
        self.value(seed).map(Some)
    }
}

/// Levels of lists in objects that are followed: the types that are read into may be recursive.
const MAX_DEPTH: u8 = 100;

/// One cell, and how many lists it may still hold in each other.
struct One<'a>(Cell<'a>, u8);

impl<'de> IntoDeserializer<'de, Error> for One<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for One<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let bad = || Error::unsupported("lists nested more than a hundred deep");
        let depth = self.1.checked_sub(1).ok_or_else(bad)?;
        match self.0 {
            Cell::Null => visitor.visit_unit(),
            Cell::Bool(value) => visitor.visit_bool(value),
            Cell::Int(value) => visitor.visit_i64(value),
            Cell::UInt(value) => visitor.visit_u64(value),
            Cell::Float32(value) => visitor.visit_f32(value),
            Cell::Float(value) => visitor.visit_f64(value),
            Cell::Complex(re, im) => visitor.visit_seq(SeqDeserializer::new([re, im].into_iter())),
            Cell::Bytes(bytes) => visitor.visit_byte_buf(bytes.into_owned()),
            Cell::Str(text) => visitor.visit_str(&text),
            Cell::List(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(|item| One(item, depth))))
            }
            Cell::Record(fields) => {
                let fields = fields.into_iter().map(|(name, cell)| (name.into_owned(), One(cell, depth)));
                visitor.visit_map(MapDeserializer::new(fields))
            }
            Cell::Object(value) => match crate::text::resolve(value) {
                Cell::Object(value) if value.as_list().is_some() || value.as_tuple().is_some() => {
                    let items = value.items().map(|item| One(Cell::Object(item), depth));
                    visitor.visit_seq(SeqDeserializer::new(items))
                }
                Cell::Object(value) => {
                    Err(Error::unsupported(format!("{} in an array", crate::error::describe(value))))
                }
                cell => One(cell, depth).deserialize_any(visitor),
            },
            cell => visitor.visit_string(crate::text::plain(&cell)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        // NaN is a missing value, where one may be.
        if self.0.is_missing() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}
