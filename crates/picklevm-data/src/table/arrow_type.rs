//! The types of Arrow, as pyarrow pickles them.

use std::fmt;

use picklevm::{Kind, Value};

use crate::error::{Error, Result};
use crate::numpy::text_of;
use crate::time::TimeUnit;

/// A type of Arrow.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ArrowType {
    /// No values but nulls.
    Null,
    /// A boolean.
    Bool,
    /// A signed integer of so many bits.
    Int(u8),
    /// An unsigned integer of so many bits.
    UInt(u8),
    /// A float of so many bits.
    Float(u8),
    /// Text with offsets of 32 bits.
    Utf8,
    /// Text with offsets of 64 bits.
    LargeUtf8,
    /// Text by views.
    Utf8View,
    /// Bytes with offsets of 32 bits.
    Binary,
    /// Bytes with offsets of 64 bits.
    LargeBinary,
    /// Bytes by views.
    BinaryView,
    /// Bytes, so many a value.
    FixedBinary(usize),
    /// Days since 1970, in 32 bits.
    Date32,
    /// Milliseconds since 1970, in 64 bits.
    Date64,
    /// Units since 1970, with the name of a time zone.
    Timestamp(TimeUnit, Option<String>),
    /// Units since midnight, in 32 bits.
    Time32(TimeUnit),
    /// Units since midnight, in 64 bits.
    Time64(TimeUnit),
    /// A number of units.
    Duration(TimeUnit),
    /// Bits, digits, digits after the point.
    Decimal(u16, u8, i8),
    /// Lists with offsets of 32 bits.
    List(Box<ArrowType>),
    /// Lists with offsets of 64 bits.
    LargeList(Box<ArrowType>),
    /// Lists of so many items each.
    FixedList(Box<ArrowType>, usize),
    /// Fields: name and type of each.
    Struct(Vec<(String, ArrowType)>),
    /// Indices of this type into values of that, and whether the values are ordered.
    Dictionary(Box<ArrowType>, Box<ArrowType>, bool),
}

/// The names of types without parameters.
const NAMES: &[(&str, ArrowType)] = &[
    ("null", ArrowType::Null),
    ("bool", ArrowType::Bool),
    ("int8", ArrowType::Int(8)),
    ("int16", ArrowType::Int(16)),
    ("int32", ArrowType::Int(32)),
    ("int64", ArrowType::Int(64)),
    ("uint8", ArrowType::UInt(8)),
    ("uint16", ArrowType::UInt(16)),
    ("uint32", ArrowType::UInt(32)),
    ("uint64", ArrowType::UInt(64)),
    ("halffloat", ArrowType::Float(16)),
    ("float", ArrowType::Float(32)),
    ("double", ArrowType::Float(64)),
    ("string", ArrowType::Utf8),
    ("large_string", ArrowType::LargeUtf8),
    ("string_view", ArrowType::Utf8View),
    ("binary", ArrowType::Binary),
    ("large_binary", ArrowType::LargeBinary),
    ("binary_view", ArrowType::BinaryView),
    ("date32[day]", ArrowType::Date32),
    ("date64[ms]", ArrowType::Date64),
    // Other names of the same.
    ("boolean", ArrowType::Bool),
    ("float16", ArrowType::Float(16)),
    ("float32", ArrowType::Float(32)),
    ("float64", ArrowType::Float(64)),
    ("utf8", ArrowType::Utf8),
    ("large_utf8", ArrowType::LargeUtf8),
    ("bool_", ArrowType::Bool),
    ("date32", ArrowType::Date32),
    ("date64", ArrowType::Date64),
];

/// How deep types may be nested.
const MAX_DEPTH: usize = 16;

impl ArrowType {
    /// The type that a value stands for.
    pub(crate) fn from_value(value: Value<'_>) -> Result<ArrowType> {
        read(value, MAX_DEPTH)
    }

    fn of_name(name: &str) -> Option<ArrowType> {
        if let Some(row) = NAMES.iter().find(|row| row.0 == name) {
            return Some(row.1.clone());
        }
        let (kind, unit) = name.strip_suffix(']')?.split_once('[')?;
        let unit = TimeUnit::parse(unit)?;
        match kind {
            "timestamp" => Some(ArrowType::Timestamp(unit, None)),
            "duration" => Some(ArrowType::Duration(unit)),
            "time32" => Some(ArrowType::Time32(unit)),
            "time64" => Some(ArrowType::Time64(unit)),
            _ => None,
        }
    }

    /// The name that NumPy has for the type, where it has one.
    pub(crate) fn numpy_name(&self) -> Option<String> {
        Some(match self {
            ArrowType::Bool => "bool".to_owned(),
            ArrowType::Int(bits) => format!("int{bits}"),
            ArrowType::UInt(bits) => format!("uint{bits}"),
            ArrowType::Float(bits) => format!("float{bits}"),
            ArrowType::Timestamp(unit, _) => format!("datetime64[{}]", unit.name()),
            ArrowType::Duration(unit) => format!("timedelta64[{}]", unit.name()),
            ArrowType::Dictionary(_, values, _) => return values.numpy_name(),
            _ => return None,
        })
    }

    /// Bytes of a value of fixed size.
    pub(crate) fn width(&self) -> Option<usize> {
        Some(match self {
            ArrowType::Int(bits) | ArrowType::UInt(bits) | ArrowType::Float(bits) => usize::from(*bits / 8),
            ArrowType::Date32 | ArrowType::Time32(_) => 4,
            ArrowType::Date64 | ArrowType::Time64(_) | ArrowType::Timestamp(..) | ArrowType::Duration(_) => 8,
            ArrowType::Decimal(bits, ..) => usize::from(*bits / 8),
            ArrowType::FixedBinary(size) => *size,
            ArrowType::BinaryView | ArrowType::Utf8View => 16,
            ArrowType::Dictionary(index, ..) => index.width()?,
            _ => return None,
        })
    }
}

fn read(value: Value<'_>, depth: usize) -> Result<ArrowType> {
    let depth = depth.checked_sub(1).ok_or_else(|| Error::malformed("types of Arrow nested more than 16 deep"))?;
    let unsupported = || Error::unsupported(format!("the type {} of Arrow", crate::key::repr(value)));
    let Kind::Object(object) = value.kind() else { return Err(Error::expected("a type of Arrow", value)) };
    let class = object.class().as_global().and_then(|class| class.name().as_str()).unwrap_or_default();
    let args = object.args();
    let arg = |at: usize| args.get(at).ok_or_else(unsupported);
    let unit = |at: usize| TimeUnit::parse(&text_of(arg(at)?)?).ok_or_else(unsupported);
    let number = |at: usize| arg(at)?.as_i64().ok_or_else(unsupported);
    let inner = |at: usize| read(field(arg(at)?).1, depth).map(Box::new);
    let decimal = |bits| -> Result<ArrowType> {
        let (precision, scale) = (u8::try_from(number(0)?), i8::try_from(number(1)?));
        Ok(ArrowType::Decimal(bits, precision.map_err(|_| unsupported())?, scale.map_err(|_| unsupported())?))
    };
    Ok(match class {
        "type_for_alias" => ArrowType::of_name(&text_of(arg(0)?)?).ok_or_else(unsupported)?,
        "timestamp" => {
            let zone = args.get(1).filter(|zone| !zone.is_none()).map(text_of).transpose()?;
            ArrowType::Timestamp(unit(0)?, zone)
        }
        "duration" => ArrowType::Duration(unit(0)?),
        "time32" => ArrowType::Time32(unit(0)?),
        "time64" => ArrowType::Time64(unit(0)?),
        "decimal32" => decimal(32)?,
        "decimal64" => decimal(64)?,
        "decimal128" => decimal(128)?,
        "decimal256" => decimal(256)?,
        "binary" if !args.is_empty() => ArrowType::FixedBinary(usize::try_from(number(0)?).map_err(|_| unsupported())?),
        "list_" if args.len() > 1 && number(1)? >= 0 => {
            ArrowType::FixedList(inner(0)?, usize::try_from(number(1)?).map_err(|_| unsupported())?)
        }
        "list_" => ArrowType::List(inner(0)?),
        "large_list" => ArrowType::LargeList(inner(0)?),
        "struct" => {
            let fields = arg(0)?.items().map(|value| {
                let (name, value) = field(value);
                Ok((name.map(text_of).transpose()?.unwrap_or_default(), read(value, depth)?))
            });
            ArrowType::Struct(fields.collect::<Result<_>>()?)
        }
        "dictionary" => {
            let ordered = args.get(2).and_then(Value::as_bool) == Some(true);
            ArrowType::Dictionary(inner(0)?, inner(1)?, ordered)
        }
        name => ArrowType::of_name(name).ok_or_else(unsupported)?,
    })
}

/// The name and the type of a `field(name, type, …)`, or a type alone.
pub(crate) fn field(value: Value<'_>) -> (Option<Value<'_>>, Value<'_>) {
    let parts = value.as_object().filter(|object| {
        object.class().as_global().is_some_and(|class| class.name() == "field") && object.args().len() >= 2
    });
    match parts.map(|object| object.args()) {
        Some(args) => (args.get(0), args.get(1).unwrap_or(value)),
        None => (None, value),
    }
}

/// As pyarrow writes it.
impl fmt::Display for ArrowType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = NAMES.iter().find(|row| row.1 == *self) {
            return f.write_str(row.0);
        }
        match self {
            ArrowType::Timestamp(unit, None) => write!(f, "timestamp[{}]", unit.name()),
            ArrowType::Timestamp(unit, Some(zone)) => write!(f, "timestamp[{}, tz={zone}]", unit.name()),
            ArrowType::Duration(unit) => write!(f, "duration[{}]", unit.name()),
            ArrowType::Time32(unit) => write!(f, "time32[{}]", unit.name()),
            ArrowType::Time64(unit) => write!(f, "time64[{}]", unit.name()),
            ArrowType::Decimal(bits, precision, scale) => write!(f, "decimal{bits}({precision}, {scale})"),
            ArrowType::FixedBinary(size) => write!(f, "fixed_size_binary[{size}]"),
            ArrowType::List(item) => write!(f, "list<item: {item}>"),
            ArrowType::LargeList(item) => write!(f, "large_list<item: {item}>"),
            ArrowType::FixedList(item, size) => write!(f, "fixed_size_list<item: {item}>[{size}]"),
            ArrowType::Struct(fields) => {
                f.write_str("struct<")?;
                for (at, (name, item)) in fields.iter().enumerate() {
                    write!(f, "{}{name}: {item}", if at > 0 { ", " } else { "" })?;
                }
                f.write_str(">")
            }
            ArrowType::Dictionary(index, value, ordered) => {
                write!(f, "dictionary<values={value}, indices={index}, ordered={}>", u8::from(*ordered))
            }
            other => write!(f, "{other:?}"),
        }
    }
}
