//! Elements one by one: the reader of all types, which every writer uses.

use std::borrow::Cow;
use std::fmt;

use super::array::{Data, NdArray, trim_zeros};
use super::dtype::{ByteOrder, DType, DTypeKind};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::time::{Delta, Instant, NAT};

impl<'g> NdArray<'g> {
    /// All elements in C order.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Result<Cell<'_>>> + '_ {
        self.offsets().map(|at| self.cell_at(at))
    }

    /// The element at a position of an array of one axis.
    pub fn get(&self, index: usize) -> Result<Cell<'_>> {
        match (self.shape.first(), self.strides.first()) {
            (Some(len), Some(stride)) if self.shape.len() == 1 && index < *len => {
                self.cell_at((self.offset as isize + stride * index as isize) as usize)
            }
            _ => Err(Error::malformed(format!("no element {index} in an array of the shape {:?}", self.shape))),
        }
    }

    /// The element that begins at an offset.
    pub(crate) fn cell_at(&self, at: usize) -> Result<Cell<'_>> {
        match &self.data {
            Data::Objects(items) => match items.get(at) {
                Some(value) => Ok(object_cell(&self.dtype, value)),
                None => Err(Error::malformed("an element that is not there")),
            },
            Data::Bytes(bytes) => match bytes.get(at..at + self.dtype.size) {
                Some(bytes) => read(&self.dtype, bytes),
                None => Err(Error::malformed("an element past the end of the data")),
            },
        }
    }
}

/// An item of a list in the place of bytes: an object, or a text of `StringDType`.
fn object_cell<'g>(dtype: &DType, value: picklevm::Value<'g>) -> Cell<'g> {
    match &dtype.kind {
        DTypeKind::String(_) => match value.as_str() {
            Some(text) => Cell::str(text),
            None => Cell::Null,
        },
        DTypeKind::Record { fields, .. } if value.items().len() == fields.len() => Cell::Record(
            fields
                .iter()
                .zip(value.items())
                .map(|(f, item)| (Cow::Owned(f.name.clone()), Cell::Object(item)))
                .collect(),
        ),
        _ => Cell::Object(value),
    }
}

/// The bytes of a number in little-endian order.
fn little<const N: usize>(dtype: &DType, bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    if bytes.len() == N {
        out.copy_from_slice(bytes);
    }
    if dtype.order == ByteOrder::Big {
        out.reverse();
    }
    out
}

/// Reads an element of exactly as many bytes as its type has.
pub(crate) fn read<'a>(dtype: &DType, bytes: &'a [u8]) -> Result<Cell<'a>> {
    Ok(match (&dtype.kind, dtype.size) {
        (DTypeKind::Bool, _) => Cell::Bool(bytes[0] != 0),
        (DTypeKind::Int, 1) => Cell::Int(i64::from(bytes[0] as i8)),
        (DTypeKind::Int, 2) => Cell::Int(i16::from_le_bytes(little(dtype, bytes)).into()),
        (DTypeKind::Int, 4) => Cell::Int(i32::from_le_bytes(little(dtype, bytes)).into()),
        (DTypeKind::Int, _) => Cell::Int(i64::from_le_bytes(little(dtype, bytes))),
        (DTypeKind::UInt, 1) => Cell::UInt(bytes[0].into()),
        (DTypeKind::UInt, 2) => Cell::UInt(u16::from_le_bytes(little(dtype, bytes)).into()),
        (DTypeKind::UInt, 4) => Cell::UInt(u32::from_le_bytes(little(dtype, bytes)).into()),
        (DTypeKind::UInt, _) => Cell::UInt(u64::from_le_bytes(little(dtype, bytes))),
        (DTypeKind::Float, 2) => Cell::Float32(half::f16::from_le_bytes(little(dtype, bytes)).to_f32()),
        (DTypeKind::Float, 4) => Cell::Float32(f32::from_le_bytes(little(dtype, bytes))),
        (DTypeKind::Float, _) => Cell::Float(float(dtype, bytes)?),
        (DTypeKind::Complex, size) => {
            let (re, im) = bytes.split_at(size / 2);
            Cell::Complex(float(dtype, re)?, float(dtype, im)?)
        }
        (DTypeKind::Bytes, _) => Cell::Bytes(trim_zeros(bytes)),
        (DTypeKind::Void, _) => Cell::Bytes(Cow::Borrowed(bytes)),
        (DTypeKind::Str, _) => Cell::Str(Cow::Owned(text(dtype, bytes)?)),
        (DTypeKind::Instant { unit, per }, _) => match i64::from_le_bytes(little(dtype, bytes)) {
            NAT => Cell::Null,
            ticks => Cell::Instant(Instant { per: *per, ..Instant::new(ticks, *unit) }),
        },
        (DTypeKind::Delta { unit, per }, _) => match i64::from_le_bytes(little(dtype, bytes)) {
            NAT => Cell::Null,
            ticks => Cell::Delta(Delta { ticks, unit: *unit, per: *per }),
        },
        (DTypeKind::Small(small), size) => {
            let bits = if size == 1 { u16::from(bytes[0]) } else { u16::from_le_bytes(little(dtype, bytes)) };
            match small.0.value(bits) {
                value if small.0.is_integer() => Cell::Int(value as i64),
                value => Cell::Float32(value),
            }
        }
        (DTypeKind::Record { fields, .. }, _) => {
            let mut cells = Vec::with_capacity(fields.len());
            for field in fields {
                let bytes = bytes.get(field.offset..field.offset + field.dtype.size);
                let bytes = bytes.ok_or_else(|| Error::malformed("a field past the end of its record"))?;
                cells.push((Cow::Owned(field.name.clone()), read(&field.dtype, bytes)?));
            }
            Cell::Record(cells)
        }
        (DTypeKind::Subarray { base, shape }, _) => nested(base, shape, bytes)?,
        (DTypeKind::Object | DTypeKind::String(_), _) => {
            return Err(Error::unsupported("a Python object inside of a record of bytes"));
        }
    })
}

/// The elements of a subarray, a list for each axis. At most 32 axes, as in NumPy.
fn nested<'a>(base: &DType, shape: &[usize], bytes: &'a [u8]) -> Result<Cell<'a>> {
    let Some((len, rest)) = shape.split_first() else { return read(base, bytes) };
    if shape.len() > super::descr::MAX_DEPTH {
        return Err(Error::malformed("a subarray of more than 32 axes"));
    }
    let size = bytes.len().checked_div(*len).unwrap_or(0);
    if size == 0 {
        return Ok(Cell::List(Vec::new()));
    }
    Ok(Cell::List(bytes.chunks_exact(size).map(|bytes| nested(base, rest, bytes)).collect::<Result<_>>()?))
}

/// A float of any size as 64 bits.
///
/// # Errors
///
/// If one of 80 bits has more digits than that.
fn float(dtype: &DType, bytes: &[u8]) -> Result<f64> {
    match bytes.len() {
        4 => Ok(f64::from(f32::from_le_bytes(little(dtype, bytes)))),
        8 => Ok(f64::from_le_bytes(little(dtype, bytes))),
        12 | 16 => {
            let mut bytes = bytes.to_vec();
            if dtype.order == ByteOrder::Big {
                bytes.reverse();
            }
            x87(bytes[..10].try_into().unwrap_or_default())
        }
        size => Err(Error::unsupported(format!("a float of {size} bytes"))),
    }
}

/// The 80 bits of x87: a sign, 15 bits of exponent, 64 bits of significand.
fn x87(bytes: [u8; 10]) -> Result<f64> {
    let significand = u64::from_le_bytes(bytes[..8].try_into().unwrap_or_default());
    let top = u16::from_le_bytes([bytes[8], bytes[9]]);
    let sign = if top >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(top & 0x7fff);
    if exponent == 0x7fff {
        return Ok(if significand << 1 == 0 { sign * f64::INFINITY } else { f64::NAN });
    }
    let float = significand as f64;
    // Two steps, as the power alone may be out of range.
    let shift = exponent - 16383 - 63;
    let value = float * 2f64.powi(shift / 2) * 2f64.powi(shift - shift / 2);
    if float as u64 != significand || (value == 0.0) != (significand == 0) || value.is_infinite() {
        return Err(Error::unsupported("a long double with more digits or a larger exponent than 64 bits have"));
    }
    Ok(sign * value)
}

/// Text of four bytes a character, without the zeros at its end.
fn text(dtype: &DType, bytes: &[u8]) -> Result<String> {
    let codes = bytes.chunks_exact(4).map(|chunk| u32::from_le_bytes(little(dtype, chunk)));
    let codes: Vec<u32> = codes.collect();
    let end = codes.iter().rposition(|code| *code != 0).map_or(0, |at| at + 1);
    let text: Option<String> = codes[..end].iter().map(|code| char::from_u32(*code)).collect();
    text.ok_or_else(|| Error::unsupported("text with a lone surrogate or a code above U+10FFFF"))
}

/// How many elements [`fmt::Display`] writes.
const SHOWN: usize = 1000;

/// `array(shape=(2,), dtype=int64, [0, 1])`; of more than a thousand elements the first and the last three of each axis.
impl fmt::Display for NdArray<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = super::descr::Tuple(&self.shape);
        write!(f, "array(shape={shape}, dtype={}, ", self.dtype.name())?;
        self.write_elements(f)?;
        f.write_str(")")
    }
}

impl fmt::Debug for NdArray<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl NdArray<'_> {
    /// Writes the elements as nested lists, cut if there are many.
    pub(crate) fn write_elements(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_axes(0, self.offset as isize, self.len > SHOWN, &mut { SHOWN }, f)
    }

    /// One axis; those below it by recursion, which NumPy bounds at 64 axes, and this at 32.
    fn write_axes(
        &self,
        axis: usize,
        at: isize,
        cut: bool,
        left: &mut usize,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        if *left == 0 {
            return f.write_str("...");
        }
        let (Some(len), Some(stride)) = (self.shape.get(axis), self.strides.get(axis)) else {
            *left -= 1;
            return match self.cell_at(at as usize) {
                Ok(cell) => write!(f, "{}", crate::text::Shown(&cell)),
                Err(error) => write!(f, "<{error}>"),
            };
        };
        if axis >= super::descr::MAX_DEPTH {
            return f.write_str("...");
        }
        f.write_str("[")?;
        let mut index = 0;
        while index < *len && self.len > 0 {
            if index > 0 {
                f.write_str(", ")?;
            }
            if cut && *len > 6 && index == 3 {
                f.write_str("..., ")?;
                index = len - 3;
            }
            self.write_axes(axis + 1, at + stride * index as isize, cut, left, f)?;
            index += 1;
            if *left == 0 && index < *len {
                f.write_str(", ...")?;
                break;
            }
        }
        f.write_str("]")
    }
}

/// Writes a number as an element of a type, in little-endian order.
///
/// # Errors
///
/// If the number is not one of that type.
pub(crate) fn encode(dtype: &DType, cell: &Cell<'_>, out: &mut Vec<u8>) -> Result<()> {
    let bad = || Error::unsupported(format!("{} as an element of {}", crate::text::Shown(cell), dtype.name()));
    let float = || match cell {
        Cell::Null => Some(f64::NAN),
        Cell::Bool(bool) => Some(f64::from(u8::from(*bool))),
        cell => cell.as_f64(),
    };
    match (&dtype.kind, dtype.size) {
        (DTypeKind::Bool, _) => match cell {
            Cell::Bool(bool) => out.push(u8::from(*bool)),
            cell => out.push(u8::from(cell.as_i64().ok_or_else(bad)? != 0)),
        },
        (DTypeKind::Int | DTypeKind::UInt, size) => {
            let number = match cell {
                Cell::UInt(number) => i128::from(*number),
                cell => i128::from(cell.as_i64().ok_or_else(bad)?),
            };
            let bits = 8 * size as u32;
            let (low, high) = match dtype.kind {
                DTypeKind::Int => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
                _ => (0, (1i128 << bits) - 1),
            };
            if number < low || number > high {
                return Err(bad());
            }
            out.extend_from_slice(&number.to_le_bytes()[..size]);
        }
        (DTypeKind::Float, 2) => {
            out.extend_from_slice(&half::f16::from_f64(float().ok_or_else(bad)?).to_le_bytes());
        }
        (DTypeKind::Float, 4) => out.extend_from_slice(&(float().ok_or_else(bad)? as f32).to_le_bytes()),
        (DTypeKind::Float, 8) => out.extend_from_slice(&float().ok_or_else(bad)?.to_le_bytes()),
        (DTypeKind::Complex, size @ (8 | 16)) => {
            let parts = match cell {
                Cell::Complex(re, im) => [*re, *im],
                _ => [float().ok_or_else(bad)?, 0.0],
            };
            for part in parts {
                match size {
                    8 => out.extend_from_slice(&(part as f32).to_le_bytes()),
                    _ => out.extend_from_slice(&part.to_le_bytes()),
                }
            }
        }
        (DTypeKind::Instant { unit, .. } | DTypeKind::Delta { unit, .. }, _) => {
            let ticks = match cell {
                Cell::Null => Some(NAT),
                Cell::Instant(time) if time.unit == *unit => Some(time.ticks),
                Cell::Delta(delta) if delta.unit == *unit => Some(delta.ticks),
                Cell::Instant(time) => rescaled(time.nanos(), *unit),
                Cell::Delta(delta) => rescaled(delta.nanos(), *unit),
                _ => None,
            };
            out.extend_from_slice(&ticks.ok_or_else(bad)?.to_le_bytes());
        }
        _ => return Err(bad()),
    }
    Ok(())
}

/// Nanoseconds in another unit, where that is a whole number.
pub(crate) fn rescaled(nanos: Option<i128>, unit: crate::time::TimeUnit) -> Option<i64> {
    let (nanos, per) = (nanos?, i128::from(unit.nanos()?));
    i64::try_from(nanos / per).ok().filter(|_| nanos % per == 0)
}

/// The sum of two numbers of one type, as NumPy adds them.
pub(crate) fn add<'a>(a: &Cell<'_>, b: &Cell<'_>) -> Option<Cell<'a>> {
    Some(match (a, b) {
        (Cell::Bool(a), Cell::Bool(b)) => Cell::Bool(*a || *b),
        (Cell::Int(a), Cell::Int(b)) => Cell::Int(a.wrapping_add(*b)),
        (Cell::UInt(a), Cell::UInt(b)) => Cell::UInt(a.wrapping_add(*b)),
        (Cell::Float32(a), Cell::Float32(b)) => Cell::Float32(a + b),
        (Cell::Float(a), Cell::Float(b)) => Cell::Float(a + b),
        (Cell::Complex(a, b), Cell::Complex(c, d)) => Cell::Complex(a + c, b + d),
        _ => return None,
    })
}
