//! The type of the elements of an array: NumPy's `dtype`.

use std::fmt;

use super::small_float::SmallFloat;
use crate::time::TimeUnit;

/// The type of the elements of an array: NumPy's `dtype`, and the types of PyTorch.
#[derive(Clone, Debug, PartialEq)]
pub struct DType {
    pub(crate) kind: DTypeKind,
    pub(crate) size: usize,
    pub(crate) order: ByteOrder,
}

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The least significant byte first: `<`.
    Little,
    /// The most significant byte first: `>`.
    Big,
    /// Of one byte, or no number: `|`.
    None,
}

/// The kind of a [`DType`]. Its size is beside it: `Int` of 8 bytes is `int64`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DTypeKind {
    /// A boolean of one byte.
    Bool,
    /// A signed integer.
    Int,
    /// An unsigned integer.
    UInt,
    /// A float of 2, 4 or 8 bytes; 12 and 16 hold the 80 bits of x87.
    Float,
    /// Two floats.
    Complex,
    /// Bytes, padded with zeros.
    Bytes,
    /// Text of 4 bytes a character, padded with zeros.
    Str,
    /// Bytes without a meaning.
    Void,
    /// A point in time.
    Instant {
        /// The unit.
        unit: TimeUnit,
        /// How many of it a count stands for.
        per: i64,
    },
    /// A span of time.
    Delta {
        /// The unit.
        unit: TimeUnit,
        /// How many of it a count stands for.
        per: i64,
    },
    /// Python objects.
    Object,
    /// Named fields.
    Record {
        /// The fields, in order.
        fields: Vec<Field>,
        /// Whether NumPy aligned them.
        aligned: bool,
    },
    /// Several elements of one type.
    Subarray {
        /// Their type.
        base: Box<DType>,
        /// How many.
        shape: Vec<usize>,
    },
    /// Text of any length, NumPy 2's `StringDType`, and the arguments that it was made with: `na_object=nan`.
    String(String),
    /// A small float of `ml_dtypes` or PyTorch.
    Small(SmallType),
}

/// A small float, compared by name.
#[derive(Clone, Copy, Debug)]
pub struct SmallType(pub &'static SmallFloat);

impl PartialEq for SmallType {
    fn eq(&self, other: &SmallType) -> bool {
        self.0.name == other.0.name
    }
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// NumPy's title, a second name.
    pub title: Option<String>,
    /// Its offset in the record.
    pub offset: usize,
    /// Its type.
    pub dtype: DType,
}

impl fmt::Display for ByteOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ByteOrder::Little => "<",
            ByteOrder::Big => ">",
            ByteOrder::None => "|",
        })
    }
}

/// Letter, what it stands for, sizes that there are (none: any).
const KINDS: &[(char, DTypeKind, &[usize])] = &[
    ('b', DTypeKind::Bool, &[1]),
    ('i', DTypeKind::Int, &[1, 2, 4, 8]),
    ('u', DTypeKind::UInt, &[1, 2, 4, 8]),
    ('f', DTypeKind::Float, &[2, 4, 8, 12, 16]),
    ('c', DTypeKind::Complex, &[8, 16, 24, 32]),
    ('S', DTypeKind::Bytes, &[]),
    ('a', DTypeKind::Bytes, &[]),
    ('U', DTypeKind::Str, &[]),
    ('V', DTypeKind::Void, &[]),
    ('O', DTypeKind::Object, &[4, 8]),
    ('M', DTypeKind::Instant { unit: TimeUnit::Generic, per: 1 }, &[8]),
    ('m', DTypeKind::Delta { unit: TimeUnit::Generic, per: 1 }, &[8]),
];

/// Names of types, and how NumPy writes them.
const NAMES: &[(&str, &str)] = &[
    ("bool", "b1"),
    ("bool_", "b1"),
    ("int8", "i1"),
    ("int16", "i2"),
    ("int32", "i4"),
    ("int64", "i8"),
    ("uint8", "u1"),
    ("uint16", "u2"),
    ("uint32", "u4"),
    ("uint64", "u8"),
    ("float16", "f2"),
    ("float32", "f4"),
    ("float64", "f8"),
    ("longdouble", "f16"),
    ("float128", "f16"),
    ("complex64", "c8"),
    ("complex128", "c16"),
    ("clongdouble", "c32"),
    ("complex256", "c32"),
    ("str_", "U0"),
    ("bytes_", "S0"),
    ("void", "V0"),
    ("object_", "O"),
    ("datetime64", "M8"),
    ("timedelta64", "m8"),
];

impl DType {
    /// A type of a kind, a size and an order.
    pub(crate) fn new(kind: DTypeKind, size: usize, order: ByteOrder) -> DType {
        let order = match kind {
            DTypeKind::Int | DTypeKind::UInt | DTypeKind::Float if size > 1 => order,
            DTypeKind::Complex | DTypeKind::Str | DTypeKind::Instant { .. } | DTypeKind::Delta { .. } => order,
            DTypeKind::Small(small) if small.0.size > 1 => order,
            _ => ByteOrder::None,
        };
        DType { kind, size, order }
    }

    /// The type that NumPy writes so: `<f4`, `f4`, `|S5`, `M8[ns]`. What has no order is little-endian.
    ///
    /// ```
    /// use picklevm_data::numpy::DType;
    ///
    /// assert_eq!(DType::parse(">f4").unwrap().to_string(), ">f4");
    /// assert_eq!(DType::parse("i8").unwrap().name(), "int64");
    /// assert!(DType::parse("f3").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<DType> {
        let order = match text.chars().next()? {
            '>' => ByteOrder::Big,
            _ => ByteOrder::Little,
        };
        let text = text.trim_start_matches(['<', '>', '|', '=']);
        let mut letters = text.chars();
        let letter = letters.next()?;
        let (digits, unit) = match letters.as_str().split_once('[') {
            Some((digits, unit)) => (digits, Some(unit.strip_suffix(']')?)),
            None => (letters.as_str(), None),
        };
        let row = KINDS.iter().find(|row| row.0 == letter)?;
        let number: usize = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        let size = match (&row.1, number) {
            (DTypeKind::Object, 0) => 8,
            (DTypeKind::Bool, 0) => 1,
            (DTypeKind::Str, characters) => characters.checked_mul(4)?,
            (_, size) => size,
        };
        if !row.2.is_empty() && !row.2.contains(&size) {
            return None;
        }
        let mut kind = row.1.clone();
        if let Some(text) = unit {
            let letters = text.trim_start_matches(|c: char| c.is_ascii_digit());
            let count = &text[..text.len() - letters.len()];
            let count = if count.is_empty() { 1 } else { count.parse().ok()? };
            kind = kind.with_unit(TimeUnit::parse(letters)?, count)?;
        }
        Some(DType::new(kind, size, order))
    }

    /// The type of one of NumPy's or PyTorch's names: `float32`, `bfloat16`, `bool_`.
    pub fn of_type_name(name: &str) -> Option<DType> {
        match NAMES.iter().find(|row| row.0 == name) {
            Some(row) => DType::parse(row.1),
            None => SmallFloat::of_name(name).map(DType::small),
        }
    }

    /// A little-endian type of one of NumPy's names that is there.
    pub(crate) fn known(name: &str) -> DType {
        DType::of_type_name(name).unwrap_or(DType { kind: DTypeKind::Void, size: 0, order: ByteOrder::None })
    }

    /// The type of a small float.
    pub(crate) fn small(small: &'static SmallFloat) -> DType {
        DType::new(DTypeKind::Small(SmallType(small)), small.size, ByteOrder::Little)
    }

    /// Returns the kind.
    pub fn kind(&self) -> &DTypeKind {
        &self.kind
    }

    /// Returns the size of an element in bytes: NumPy's `itemsize`.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The order of the bytes.
    pub fn order(&self) -> ByteOrder {
        self.order
    }

    /// The fields of a record; none of anything else.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            DTypeKind::Record { fields, .. } => fields,
            _ => &[],
        }
    }

    /// Returns whether elements are or contain Python objects: then an array's data are a list.
    pub fn has_objects(&self) -> bool {
        match &self.kind {
            DTypeKind::Object | DTypeKind::String(_) => true,
            DTypeKind::Record { fields, .. } => fields.iter().any(|field| field.dtype.has_objects()),
            DTypeKind::Subarray { base, .. } => base.has_objects(),
            _ => false,
        }
    }

    /// The name that NumPy and PyTorch have for it: `float32`; for records and others its text.
    pub fn name(&self) -> String {
        match &self.kind {
            DTypeKind::Small(small) => small.0.name.to_owned(),
            DTypeKind::Bool => "bool".to_owned(),
            DTypeKind::Int => format!("int{}", self.size * 8),
            DTypeKind::UInt => format!("uint{}", self.size * 8),
            DTypeKind::Float => format!("float{}", self.size * 8),
            DTypeKind::Complex => format!("complex{}", self.size * 8),
            DTypeKind::Object => "object".to_owned(),
            DTypeKind::Instant { unit, per } => format!("datetime64[{}]", UnitText(*unit, *per)),
            DTypeKind::Delta { unit, per } => format!("timedelta64[{}]", UnitText(*unit, *per)),
            _ => self.to_string(),
        }
    }

    /// The same type with another order of bytes, in its fields too.
    pub(crate) fn with_order(&self, order: ByteOrder) -> DType {
        let kind = match &self.kind {
            DTypeKind::Record { fields, aligned } => DTypeKind::Record {
                fields: fields.iter().map(|f| Field { dtype: f.dtype.with_order(order), ..f.clone() }).collect(),
                aligned: *aligned,
            },
            DTypeKind::Subarray { base, shape } => {
                DTypeKind::Subarray { base: Box::new(base.with_order(order)), shape: shape.clone() }
            }
            kind => kind.clone(),
        };
        DType::new(kind, self.size, order)
    }

    /// Bytes of one number inside of an element, which change places between the orders; `None` where nothing does.
    pub(crate) fn swapped_width(&self) -> Option<usize> {
        match &self.kind {
            _ if self.order == ByteOrder::None => None,
            DTypeKind::Complex => Some(self.size / 2),
            DTypeKind::Str => Some(4),
            _ => Some(self.size),
        }
    }

    /// Whether bytes of an element change places to get into an order.
    pub(crate) fn differs_from(&self, order: ByteOrder) -> bool {
        match &self.kind {
            _ if order == ByteOrder::None => false,
            DTypeKind::Record { fields, .. } => fields.iter().any(|field| field.dtype.differs_from(order)),
            DTypeKind::Subarray { base, .. } => base.differs_from(order),
            _ => self.order != ByteOrder::None && self.order != order,
        }
    }

    /// The type that holds every value of a small float or integer.
    pub(crate) fn widened(&self) -> crate::Result<DType> {
        let DTypeKind::Small(small) = &self.kind else {
            return Err(crate::Error::unsupported(format!("{} has no wider type", self.name())));
        };
        Ok(DType::known(if small.0.is_integer() { "int8" } else { "float32" }).with_order(ByteOrder::Little))
    }

    /// The code letter of NumPy.
    pub(crate) fn letter(&self) -> char {
        match &self.kind {
            DTypeKind::Record { .. } | DTypeKind::Subarray { .. } | DTypeKind::Small(_) => 'V',
            DTypeKind::String(_) => 'T',
            kind => KINDS.iter().find(|row| row.1.same_letter(kind)).map_or('V', |row| row.0),
        }
    }
}

impl DTypeKind {
    fn with_unit(self, unit: TimeUnit, per: i64) -> Option<DTypeKind> {
        match self {
            DTypeKind::Instant { .. } => Some(DTypeKind::Instant { unit, per }),
            DTypeKind::Delta { .. } => Some(DTypeKind::Delta { unit, per }),
            _ => None,
        }
    }

    fn same_letter(&self, other: &DTypeKind) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// The unit of a time as NumPy writes it: `ns`, `15us`.
struct UnitText(TimeUnit, i64);

impl fmt::Display for UnitText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            1 => f.write_str(self.0.name()),
            count => write!(f, "{count}{}", self.0.name()),
        }
    }
}

/// NumPy's `dtype.str`, and for records the list or dict that makes the type, as `str(dtype)` has it.
impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = self.order;
        match &self.kind {
            DTypeKind::Object => f.write_str("O"),
            DTypeKind::Str => write!(f, "{order}U{}", self.size / 4),
            DTypeKind::Instant { unit: TimeUnit::Generic, .. } => write!(f, "{order}M8"),
            DTypeKind::Delta { unit: TimeUnit::Generic, .. } => write!(f, "{order}m8"),
            DTypeKind::Instant { unit, per } => write!(f, "{order}M8[{}]", UnitText(*unit, *per)),
            DTypeKind::Delta { unit, per } => write!(f, "{order}m8[{}]", UnitText(*unit, *per)),
            DTypeKind::String(args) => write!(f, "StringDType({args})"),
            DTypeKind::Small(small) => f.write_str(small.0.name),
            DTypeKind::Record { .. } | DTypeKind::Subarray { .. } => super::descr::write(self, f),
            _ => write!(f, "{order}{}{}", self.letter(), self.size),
        }
    }
}
