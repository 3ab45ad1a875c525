//! The values of a column: lazily, as pandas keeps them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::periods::Freq;
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::numpy::{DTypeKind, NdArray};
use crate::table::ArrowColumn;
use crate::time::{Instant, NAT};

/// A column: a name and values.
#[derive(Clone)]
pub struct Column<'g> {
    pub(crate) name: Cell<'g>,
    pub(crate) values: Values<'g>,
}

/// The values of a column, in the form in which they are kept.
#[derive(Clone)]
#[non_exhaustive]
pub enum Values<'g> {
    /// An array of NumPy.
    Array(NdArray<'g>),
    /// Points in time in UTC, and a zone.
    Zoned {
        /// The times.
        array: NdArray<'g>,
        /// The zone: `UTC`, `Europe/Berlin`, `+01:00`.
        zone: String,
    },
    /// Numbers, and which are missing: `Int64`, `boolean`.
    Masked {
        /// The numbers.
        array: NdArray<'g>,
        /// Booleans.
        mask: NdArray<'g>,
    },
    /// Text objects: `string`.
    Strings(NdArray<'g>),
    /// Numbers with one distance.
    Range {
        /// The first.
        start: i64,
        /// The distance.
        step: i64,
        /// How many.
        len: usize,
    },
    /// A category for each row.
    Category {
        /// Positions in the categories; -1 is missing.
        codes: NdArray<'g>,
        /// The categories.
        categories: Arc<Values<'g>>,
        /// Whether they have an order.
        ordered: bool,
        /// `false` of a level of a `MultiIndex`, which is kept so, and means its values.
        is_category: bool,
    },
    /// Periods.
    Period {
        /// Periods since 1970.
        array: NdArray<'g>,
        /// How long one is.
        freq: Freq,
    },
    /// Intervals.
    Interval {
        /// The left ends.
        left: Arc<Values<'g>>,
        /// The right ends.
        right: Arc<Values<'g>>,
        /// `left`, `right`, `both` or `neither`.
        closed: String,
    },
    /// Mostly one value.
    Sparse {
        /// How many.
        len: usize,
        /// Where others are, ascending.
        positions: Arc<[usize]>,
        /// The others.
        values: Arc<Values<'g>>,
        /// What is everywhere else.
        fill: Box<Cell<'g>>,
    },
    /// An array of Arrow.
    Arrow(ArrowColumn<'g>),
    /// Values one by one.
    Cells(Vec<Cell<'g>>),
}

impl<'g> Values<'g> {
    /// Points for each row at values.
    pub(crate) fn taken(codes: Values<'g>, level: Values<'g>) -> Result<Values<'g>> {
        let Values::Array(codes) = codes else { return Err(Error::malformed("codes that are no array of numbers")) };
        if !matches!(codes.dtype().kind(), DTypeKind::Int | DTypeKind::UInt) {
            return Err(Error::malformed(format!("codes of the type {}", codes.dtype())));
        }
        Ok(Values::Category { codes, categories: Arc::new(level), ordered: false, is_category: false })
    }

    pub(crate) fn category(codes: Values<'g>, categories: Values<'g>, is_ordered: bool) -> Result<Values<'g>> {
        let mut values = Values::taken(codes, categories)?;
        if let Values::Category { ordered, is_category, .. } = &mut values {
            (*ordered, *is_category) = (is_ordered, true);
        }
        Ok(values)
    }

    pub(crate) fn interval(left: Values<'g>, right: Values<'g>, closed: String) -> Values<'g> {
        Values::Interval { left: Arc::new(left), right: Arc::new(right), closed }
    }

    /// The array that the values are kept in, if they are kept in one.
    pub(crate) fn array(&self) -> Option<&NdArray<'g>> {
        match self {
            Values::Array(array) | Values::Strings(array) | Values::Zoned { array, .. } => Some(array),
            Values::Masked { array, .. } | Values::Period { array, .. } => Some(array),
            Values::Category { codes, .. } => Some(codes),
            _ => None,
        }
    }

    /// How many columns a block of these values has.
    pub(crate) fn width(&self) -> usize {
        match self.array().map(NdArray::shape) {
            Some([columns, _]) => *columns,
            _ => 1,
        }
    }

    /// One column of a block.
    pub(crate) fn column(&self, at: usize) -> Result<Values<'g>> {
        let row = |array: &NdArray<'g>| match array.shape().len() {
            2 => array.row(at).ok_or_else(|| Error::malformed("a block with too few columns")),
            _ => Ok(array.clone()),
        };
        Ok(match self {
            Values::Array(array) => Values::Array(row(array)?),
            Values::Strings(array) => Values::Strings(row(array)?),
            Values::Zoned { array, zone } => Values::Zoned { array: row(array)?, zone: zone.clone() },
            Values::Period { array, freq } => Values::Period { array: row(array)?, freq: freq.clone() },
            Values::Masked { array, mask } => Values::Masked { array: row(array)?, mask: row(mask)? },
            Values::Category { codes, categories, ordered, is_category } => Values::Category {
                codes: row(codes)?,
                categories: categories.clone(),
                ordered: *ordered,
                is_category: *is_category,
            },
            values => values.clone(),
        })
    }

    /// Some rows of numbers or times that are kept in an array.
    #[cfg(feature = "parquet")]
    pub(crate) fn rows(&self, start: usize, len: usize) -> Result<Values<'g>> {
        let part = |array: &NdArray<'g>| {
            array.rows(start, len).ok_or_else(|| Error::malformed("a column that is no array of one axis"))
        };
        Ok(match self {
            Values::Array(array) => Values::Array(part(array)?),
            Values::Zoned { array, zone } => Values::Zoned { array: part(array)?, zone: zone.clone() },
            Values::Masked { array, mask } => Values::Masked { array: part(array)?, mask: part(mask)? },
            values => return Err(Error::unsupported(format!("rows of {}", values.dtype()))),
        })
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        match self {
            Values::Range { len, .. } | Values::Sparse { len, .. } => *len,
            Values::Interval { left, .. } => left.len(),
            Values::Arrow(column) => column.len(),
            Values::Cells(cells) => cells.len(),
            values => values.array().and_then(|array| array.shape().last().copied()).unwrap_or(0),
        }
    }

    /// Returns whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type as pandas writes it: `int64`, `datetime64[ns, UTC]`, `category`.
    pub fn dtype(&self) -> String {
        match self {
            Values::Array(array) => match array.dtype().kind() {
                DTypeKind::Str | DTypeKind::Bytes => "object".to_owned(),
                _ => array.dtype().name(),
            },
            Values::Strings(_) => "string".to_owned(),
            Values::Zoned { array, zone } => {
                let name = array.dtype().name();
                format!("{}, {zone}]", name.trim_end_matches(']'))
            }
            Values::Masked { array, .. } => match array.dtype().kind() {
                DTypeKind::Bool => "boolean".to_owned(),
                DTypeKind::UInt => array.dtype().name().replace("uint", "UInt"),
                DTypeKind::Int => array.dtype().name().replace("int", "Int"),
                _ => array.dtype().name().replace("float", "Float"),
            },
            Values::Range { .. } => "int64".to_owned(),
            Values::Category { is_category: false, categories, .. } => categories.dtype(),
            Values::Category { .. } => "category".to_owned(),
            Values::Period { freq, .. } => format!("period[{freq}]"),
            Values::Interval { left, closed, .. } => format!("interval[{}, {closed}]", left.dtype()),
            Values::Sparse { values, fill, .. } => {
                format!("Sparse[{}, {}]", values.dtype(), crate::text::Shown(fill))
            }
            Values::Arrow(column) => column.dtype(),
            Values::Cells(_) => "object".to_owned(),
        }
    }

    /// The name that NumPy has for the type of the values, where it has one.
    pub(crate) fn numpy_name(&self) -> Option<String> {
        match self {
            Values::Array(array) | Values::Masked { array, .. } | Values::Zoned { array, .. } => {
                Some(array.dtype().name())
            }
            Values::Range { .. } => Some("int64".to_owned()),
            Values::Category { categories, .. } => categories.numpy_name(),
            Values::Sparse { values, .. } => values.numpy_name(),
            Values::Arrow(column) => column.arrow_type().numpy_name(),
            _ => None,
        }
    }

    /// The values as one array of NumPy, where they are kept as one without anything beside it.
    ///
    /// # Errors
    ///
    /// If they are text, have missing values beside them, or are of a type that NumPy does not have.
    pub fn to_array(&self) -> Result<NdArray<'g>> {
        match self {
            Values::Array(array) if !array.dtype().has_objects() => Ok(array.clone()),
            Values::Range { start, step, len } => {
                if *len > 1 << 27 {
                    return Err(Error::new(crate::ErrorKind::Limit, format!("a range of {len} numbers written out")));
                }
                let number = |at: usize| start.wrapping_add(step.wrapping_mul(at as i64)).to_le_bytes();
                let dtype = crate::numpy::DType::known("int64").with_order(crate::numpy::ByteOrder::Little);
                NdArray::new(dtype, vec![*len], (0..*len).flat_map(number).collect::<Vec<u8>>())
            }
            values => Err(Error::unsupported(format!("values of {} are no array of NumPy", values.dtype()))),
        }
    }

    /// The value of a row.
    ///
    /// # Errors
    ///
    /// If there is no such row, or it cannot be read.
    pub fn cell(&self, at: usize) -> Result<Cell<'_>> {
        Ok(match self {
            Values::Array(array) | Values::Strings(array) => match array.get(at)? {
                Cell::Object(value) => crate::text::resolve(value),
                cell => cell,
            },
            Values::Zoned { array, zone } => match array.get(at)? {
                Cell::Instant(time) => Cell::Instant(Instant { zone: Some(Cow::Borrowed(&zone[..])), ..time }),
                cell => cell,
            },
            Values::Masked { array, mask } => match mask.get(at)? {
                Cell::Bool(true) => Cell::Null,
                _ => array.get(at)?,
            },
            Values::Range { start, step, len } if at < *len => {
                Cell::Int(start.wrapping_add(step.wrapping_mul(at as i64)))
            }
            Values::Category { codes, categories, .. } => match codes.get(at)?.as_i64() {
                Some(code @ 0..) if (code as usize) < categories.len() => categories.cell(code as usize)?,
                Some(-1) => Cell::Null,
                _ => return Err(Error::malformed("a code without a category")),
            },
            Values::Period { array, freq } => match array.get(at)?.as_i64() {
                None | Some(NAT) => Cell::Null,
                Some(ordinal) => Cell::Period { text: freq.text(ordinal), ordinal },
            },
            Values::Interval { left, right, closed } => match (left.cell(at)?, right.cell(at)?) {
                (left, right) if left.is_missing() || right.is_missing() => Cell::Null,
                (left, right) => {
                    Cell::Interval { left: left.into(), right: right.into(), closed: Cow::Borrowed(closed) }
                }
            },
            Values::Sparse { len, positions, values, fill } if at < *len => match positions.binary_search(&at) {
                Ok(position) => values.cell(position)?,
                Err(_) => (**fill).clone(),
            },
            Values::Arrow(column) => column.cell(at)?,
            Values::Cells(cells) => cells.get(at).cloned().ok_or_else(|| Error::malformed("a row past the end"))?,
            Values::Range { .. } | Values::Sparse { .. } => return Err(Error::malformed("a row past the end")),
        })
    }
}

impl<'g> Column<'g> {
    /// A column of a name and values. The name of a column without one is [`Cell::Null`].
    pub fn new(name: Cell<'g>, values: Values<'g>) -> Column<'g> {
        Column { name, values }
    }

    /// The name as text: a number in digits, a tuple as Python writes it; `None` of a column without a name.
    pub fn name(&self) -> Option<String> {
        super::label_text(&self.name)
    }

    /// The name as it is: a text as a rule.
    pub fn key(&self) -> &Cell<'g> {
        &self.name
    }

    /// The name for messages.
    pub(crate) fn label(&self) -> String {
        self.name().unwrap_or_else(|| "without a name".to_owned())
    }

    /// The values.
    pub fn values(&self) -> &Values<'g> {
        &self.values
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a row.
    ///
    /// # Errors
    ///
    /// Those of [`Values::cell`].
    pub fn cell(&self, at: usize) -> Result<Cell<'_>> {
        self.values.cell(at)
    }

    /// The value of a row, which borrows only from the graph.
    pub(crate) fn owned_cell(&self, at: usize) -> Result<Cell<'g>> {
        let object = match &self.values {
            Values::Cells(cells) => {
                return cells.get(at).cloned().ok_or_else(|| Error::malformed("a row past the end"));
            }
            Values::Array(array) | Values::Strings(array) => match array.shape() {
                [_] => array.object(at),
                _ => None,
            },
            Values::Category { codes, categories, .. } => match codes.get(at)?.as_i64() {
                Some(code @ 0..) => {
                    let level = Column { name: Cell::Null, values: (**categories).clone() };
                    return level.owned_cell(code as usize);
                }
                _ => return Ok(Cell::Null),
            },
            _ => None,
        };
        match object {
            Some(value) => Ok(crate::text::resolve(value)),
            None => Ok(crate::text::to_owned(self.cell(at)?)),
        }
    }
}

impl fmt::Debug for Column<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.label(), self.values.dtype())
    }
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values of {}", self.len(), self.dtype())
    }
}
