//! Named tuples and enum members of a program's own classes.

use ::serde::ser::{Error as _, Impossible, Serialize, SerializeStruct, SerializeTupleStruct, Serializer};

use super::with_type;

/// Serde name of an enum member, a newtype variant whose name is the class and whose content is the value.
pub(in crate::serde) const MEMBER: &str = "$picklevm::serde::member";

/// A Rust type that names the Python class of [`as_namedtuple`] or [`as_enum`].
pub trait PythonClass {
    /// Module and name of the class: `module.Class`, or `module:Outer.Inner`.
    const CLASS: &'static str;
}

with_type! {
    /// A field that is a named tuple: `#[serde(with = "picklevm::serde::as_namedtuple")]`, for a struct that implements
    /// [`PythonClass`](super::PythonClass).
    ///
    /// A type that is no struct is an error. In other formats the struct is what it always is.
    ///
    /// ```
    /// use picklevm::serde::PythonClass;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Point {
    ///     x: i64,
    ///     y: i64,
    /// }
    ///
    /// impl PythonClass for Point {
    ///     const CLASS: &'static str = "geometry.Point";
    /// }
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Shape {
    ///     #[serde(with = "picklevm::serde::as_namedtuple")]
    ///     center: Point,
    /// }
    ///
    /// let graph = picklevm::serde::to_graph(&Shape { center: Point { x: 1, y: 2 } })?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'center': geometry.Point(1, 2)}");
    /// assert_eq!(picklevm::serde::from_value::<Shape>(graph.root())?.center.y, 2);
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    as_namedtuple[T: Serialize + super::PythonClass]: |value, serializer| {
        value.serialize(super::NamedTuple { class: T::CLASS, serializer })
    }
}

with_type! {
    /// A field that is an enum member by its value: `#[serde(with = "picklevm::serde::as_enum")]`, for a type that serializes as
    /// the value and implements [`PythonClass`](super::PythonClass).
    ///
    /// ```
    /// use picklevm::serde::PythonClass;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    /// #[serde(into = "u8", try_from = "u8")]
    /// #[derive(Clone, Copy)]
    /// enum Color {
    ///     Red = 1,
    ///     Green = 2,
    /// }
    ///
    /// impl From<Color> for u8 {
    ///     fn from(color: Color) -> u8 {
    ///         color as u8
    ///     }
    /// }
    ///
    /// impl TryFrom<u8> for Color {
    ///     type Error = String;
    ///     fn try_from(value: u8) -> Result<Color, String> {
    ///         match value {
    ///             1 => Ok(Color::Red),
    ///             2 => Ok(Color::Green),
    ///             _ => Err(format!("no color {value}")),
    ///         }
    ///     }
    /// }
    ///
    /// impl PythonClass for Color {
    ///     const CLASS: &'static str = "paint.Color";
    /// }
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Wall {
    ///     #[serde(with = "picklevm::serde::as_enum")]
    ///     color: Color,
    /// }
    ///
    /// let graph = picklevm::serde::to_graph(&Wall { color: Color::Green })?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'color': paint.Color(2)}");
    /// assert_eq!(picklevm::serde::from_value::<Wall>(graph.root())?.color, Color::Green);
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    as_enum[T: Serialize + super::PythonClass]: |value, serializer| {
        serializer.serialize_newtype_variant(super::MEMBER, 0, T::CLASS, value)
    }
}

/// Serializer of a struct as a tuple struct.
struct NamedTuple<S> {
    class: &'static str,
    serializer: S,
}

struct Fields<T>(T);

impl<T: SerializeTupleStruct> SerializeStruct for Fields<T> {
    type Ok = T::Ok;
    type Error = T::Error;

    fn serialize_field<V: Serialize + ?Sized>(&mut self, _: &'static str, value: &V) -> Result<(), T::Error> {
        self.0.serialize_field(value)
    }

    fn end(self) -> Result<T::Ok, T::Error> {
        self.0.end()
    }
}

/// Methods of a serializer for everything but a struct.
macro_rules! no_struct {
    ($($method:ident($($arg:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self $(, _: $arg)*) -> Result<$ok, S::Error> {
            Err(S::Error::custom("a named tuple must be a struct"))
        }
    )*};
}

type No<S> = Impossible<<S as Serializer>::Ok, <S as Serializer>::Error>;

impl<S: Serializer> Serializer for NamedTuple<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = No<S>;
    type SerializeTuple = No<S>;
    type SerializeTupleStruct = S::SerializeTupleStruct;
    type SerializeTupleVariant = No<S>;
    type SerializeMap = No<S>;
    type SerializeStruct = Fields<S::SerializeTupleStruct>;
    type SerializeStructVariant = No<S>;

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.serializer.serialize_tuple_struct(self.class, len).map(Fields)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<S::SerializeTupleStruct, S::Error> {
        self.serializer.serialize_tuple_struct(self.class, len)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.serializer.serialize_none()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("a named tuple must be a struct"))
    }

    no_struct! {
        serialize_bool(bool) -> S::Ok;
        serialize_i8(i8) -> S::Ok;
        serialize_i16(i16) -> S::Ok;
        serialize_i32(i32) -> S::Ok;
        serialize_i64(i64) -> S::Ok;
        serialize_u8(u8) -> S::Ok;
        serialize_u16(u16) -> S::Ok;
        serialize_u32(u32) -> S::Ok;
        serialize_u64(u64) -> S::Ok;
        serialize_f32(f32) -> S::Ok;
        serialize_f64(f64) -> S::Ok;
        serialize_char(char) -> S::Ok;
        serialize_str(&str) -> S::Ok;
        serialize_bytes(&[u8]) -> S::Ok;
        serialize_unit() -> S::Ok;
        serialize_unit_struct(&'static str) -> S::Ok;
        serialize_unit_variant(&'static str, u32, &'static str) -> S::Ok;
        serialize_seq(Option<usize>) -> No<S>;
        serialize_tuple(usize) -> No<S>;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No<S>;
        serialize_map(Option<usize>) -> No<S>;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No<S>;
    }
}
