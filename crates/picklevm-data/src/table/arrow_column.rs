//! Arrays of Arrow as pyarrow pickles them: a type, a length, and buffers.

use std::borrow::Cow;
#[cfg(feature = "arrow")]
use std::collections::HashMap;

use bytes::Bytes;
use picklevm::Value;

use super::arrow_type::ArrowType;
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::names::{Form, form};
use crate::numpy::bytes_of;
#[cfg(feature = "arrow")]
use crate::numpy::{ByteOrder, DType, NdArray};
#[cfg(feature = "arrow")]
use crate::pandas::Values;
use crate::time::{Delta, Instant, TimeUnit};

/// An array of Arrow, in chunks.
#[derive(Clone)]
pub struct ArrowColumn<'g> {
    pub(crate) kind: ArrowType,
    pub(crate) chunks: Vec<Chunk>,
    len: usize,
    /// What pandas calls its type where it is not the type of Arrow.
    pub(super) pandas_name: Option<Cow<'static, str>>,
    marker: std::marker::PhantomData<&'g ()>,
}

/// The parts of an array: those of Arrow's C data interface.
#[derive(Clone)]
pub(crate) struct Chunk {
    pub(crate) kind: ArrowType,
    pub(crate) len: usize,
    pub(crate) offset: usize,
    pub(crate) buffers: Vec<Option<Bytes>>,
    pub(crate) children: Vec<Chunk>,
    pub(crate) dictionary: Option<Box<Chunk>>,
}

const MAX_DEPTH: usize = 16;

impl<'g> ArrowColumn<'g> {
    /// The array that a `_restore_array(…)` or a `chunked_array([…])` is. `dtype` is what pandas has beside it.
    pub(crate) fn from_value(value: Value<'g>, dtype: Option<Value<'g>>) -> Result<ArrowColumn<'g>> {
        let args = value.as_object().map(|object| object.args());
        let first = args.and_then(|args| args.get(0)).ok_or_else(|| Error::expected("an array of Arrow", value))?;
        let (kind, chunks) = match form(value) {
            Some(Form::ArrowRestore) => {
                let chunk = Chunk::read(first, MAX_DEPTH)?;
                (chunk.kind.clone(), vec![chunk])
            }
            Some(Form::ArrowChunked) => {
                let chunks = first.items().map(|item| {
                    let state = item.as_object().filter(|_| form(item) == Some(Form::ArrowRestore));
                    let state = state.and_then(|object| object.args().get(0));
                    Chunk::read(state.ok_or_else(|| Error::expected("an array of Arrow", item))?, MAX_DEPTH)
                });
                let chunks: Vec<Chunk> = chunks.collect::<Result<_>>()?;
                let named = args.and_then(|args| args.get(1)).filter(|kind| !kind.is_none());
                let kind = match (named, chunks.first()) {
                    (Some(kind), _) => ArrowType::from_value(kind)?,
                    (None, Some(chunk)) => chunk.kind.clone(),
                    (None, None) => ArrowType::Null,
                };
                (kind, chunks)
            }
            _ => return Err(Error::expected("an array of Arrow", value)),
        };
        let pandas_name = dtype.filter(|dtype| form(*dtype) == Some(Form::StringPandasDType));
        let pandas_name = pandas_name.map(|dtype| string_name(dtype).into());
        ArrowColumn::new(kind, chunks, pandas_name)
    }

    pub(crate) fn new(
        kind: ArrowType,
        chunks: Vec<Chunk>,
        pandas_name: Option<Cow<'static, str>>,
    ) -> Result<ArrowColumn<'g>> {
        let len = chunks.iter().try_fold(0usize, |len, chunk| len.checked_add(chunk.len));
        let len = len.ok_or_else(|| Error::malformed("chunks longer than memory"))?;
        Ok(ArrowColumn { kind, chunks, len, pandas_name, marker: std::marker::PhantomData })
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The type of Arrow.
    pub fn arrow_type(&self) -> &ArrowType {
        &self.kind
    }

    /// The type as pandas writes it: `str`, `int64[pyarrow]`.
    pub(crate) fn dtype(&self) -> String {
        match &self.pandas_name {
            Some(name) => name.to_string(),
            None => format!("{}[pyarrow]", self.kind),
        }
    }

    /// The indices and the values of a dictionary as codes and categories, which all chunks share; another array as it is.
    #[cfg(feature = "arrow")]
    pub(crate) fn into_categories(self, ordered: bool) -> Result<Values<'g>> {
        let ArrowType::Dictionary(index, ..) = &self.kind else { return Ok(Values::Arrow(self)) };
        let bad = || Error::malformed("an index past the end of a dictionary of Arrow");
        let (mut places, mut categories, mut codes) = (HashMap::new(), Vec::new(), Vec::new());
        for chunk in &self.chunks {
            let dictionary = chunk.dictionary.as_deref().ok_or_else(bad)?;
            let mut code_of = Vec::new();
            for at in 0..dictionary.len {
                let next = categories.len();
                code_of.push(match crate::text::to_owned(dictionary.cell(at)?) {
                    Cell::Null => -1,
                    cell => match *places.entry(format!("{cell:?}")).or_insert(next) {
                        place if place < next => place as i32,
                        place => {
                            categories.push(cell);
                            i32::try_from(place).map_err(|_| Error::unsupported("more than 2^31 categories"))?
                        }
                    },
                });
            }
            let indices = Chunk { kind: (**index).clone(), dictionary: None, ..chunk.clone() };
            for at in 0..chunk.len {
                codes.push(match indices.cell(at)? {
                    Cell::Null => -1,
                    place => {
                        let place = place.as_i64().and_then(|place| usize::try_from(place).ok());
                        *place.and_then(|place| code_of.get(place)).ok_or_else(bad)?
                    }
                });
            }
        }
        // The width that pandas has for so many.
        let width = match categories.len() {
            0..=0x7f => 1,
            0x80..=0x7fff => 2,
            _ => 4,
        };
        let bytes: Vec<u8> = codes.iter().flat_map(|code: &i32| code.to_le_bytes().into_iter().take(width)).collect();
        let dtype = DType::known(&format!("int{}", width * 8)).with_order(ByteOrder::Little);
        let codes = NdArray::new(dtype, vec![codes.len()], bytes)?;
        Values::category(Values::Array(codes), Values::Cells(categories), ordered)
    }

    /// The value of a row.
    pub(crate) fn cell(&self, mut at: usize) -> Result<Cell<'_>> {
        for chunk in &self.chunks {
            if at < chunk.len {
                return chunk.cell(at);
            }
            at -= chunk.len;
        }
        Err(Error::malformed("a row past the end"))
    }
}

/// The type and the length.
impl std::fmt::Debug for ArrowColumn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowColumn").field("type", &self.kind).field("len", &self.len).finish_non_exhaustive()
    }
}

/// `str` or `string`: pandas 3 has a type whose missing value is NaN, and one whose is `NA`.
fn string_name(dtype: Value<'_>) -> &'static str {
    let missing = dtype.as_object().and_then(|object| object.args().get(1));
    if missing.and_then(Value::as_f64).is_some() { "str" } else { "string" }
}

impl Chunk {
    /// `(type, length, nulls, offset, buffers, children, dictionary)`.
    fn read(state: Value<'_>, depth: usize) -> Result<Chunk> {
        let depth = depth.checked_sub(1).ok_or_else(|| Error::malformed("arrays of Arrow nested more than 16 deep"))?;
        let bad = || Error::malformed("the parts of an array of Arrow");
        let parts = state.items();
        let part = |at: usize| parts.get(at).ok_or_else(bad);
        let number = |at: usize| part(at)?.as_i64().and_then(|n| usize::try_from(n).ok()).ok_or_else(bad);
        let kind = ArrowType::from_value(part(0)?)?;
        let buffer = |value: Value<'_>| if value.is_none() { Ok(None) } else { bytes_of(value).map(Some) };
        let chunk = Chunk {
            kind,
            len: number(1)?,
            offset: number(3)?,
            buffers: part(4)?.items().map(buffer).collect::<Result<_>>()?,
            children: part(5)?.items().map(|child| Chunk::read(child, depth)).collect::<Result<_>>()?,
            dictionary: match parts.get(6).filter(|part| !part.is_none()) {
                Some(dictionary) => {
                    // The array itself, or its parts.
                    let state = dictionary.as_object().and_then(|object| object.args().get(0)).unwrap_or(dictionary);
                    Some(Box::new(Chunk::read(state, depth)?))
                }
                None => None,
            },
        };
        chunk.check()?;
        Ok(chunk)
    }

    /// Whether buffers are as long as the length says.
    fn check(&self) -> Result<()> {
        let bad = || Error::malformed(format!("a buffer of an array of {} is too short", self.kind));
        let end = self.offset.checked_add(self.len).ok_or_else(bad)?;
        let has = |at: usize, bytes: Option<usize>| match (self.buffers.get(at), bytes) {
            _ if self.len == 0 => true,
            (Some(Some(buffer)), Some(bytes)) => buffer.len() >= bytes,
            _ => false,
        };
        let fits = match &self.kind {
            ArrowType::Null | ArrowType::Struct(_) | ArrowType::FixedList(..) => true,
            ArrowType::Bool => has(1, Some(end.div_ceil(8))),
            ArrowType::Utf8 | ArrowType::Binary | ArrowType::List(_) => {
                has(1, end.checked_add(1).and_then(|n| n.checked_mul(4)))
            }
            ArrowType::LargeUtf8 | ArrowType::LargeBinary | ArrowType::LargeList(_) => {
                has(1, end.checked_add(1).and_then(|n| n.checked_mul(8)))
            }
            kind => has(1, kind.width().and_then(|width| end.checked_mul(width))),
        };
        let validity = self.buffers.first().is_none_or(|buffer| match buffer {
            Some(buffer) => buffer.len() >= end.div_ceil(8),
            None => true,
        });
        if fits && validity { Ok(()) } else { Err(bad()) }
    }

    fn bit(buffer: &[u8], at: usize) -> bool {
        buffer.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1)
    }

    /// The bytes of a value of fixed size.
    fn fixed<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        let buffer = self.buffers.get(1)?.as_ref()?;
        buffer.get(at * N..(at + 1) * N)?.try_into().ok()
    }

    /// Where a value of variable size begins and ends.
    fn range(&self, at: usize) -> Option<(usize, usize)> {
        let offset = |at: usize| match self.kind {
            ArrowType::LargeUtf8 | ArrowType::LargeBinary | ArrowType::LargeList(_) => {
                usize::try_from(i64::from_le_bytes(self.fixed(at)?)).ok()
            }
            _ => usize::try_from(i32::from_le_bytes(self.fixed(at)?)).ok(),
        };
        let (start, end) = (offset(at)?, offset(at + 1)?);
        (start <= end).then_some((start, end))
    }

    fn payload(&self, at: usize) -> Option<&[u8]> {
        let data = |index: usize| self.buffers.get(index)?.as_deref();
        match &self.kind {
            ArrowType::Utf8View | ArrowType::BinaryView => {
                let view = data(1)?.get(at * 16..(at + 1) * 16)?;
                let word = |at: usize| Some(u32::from_le_bytes(view.get(at..at + 4)?.try_into().ok()?) as usize);
                match word(0)? {
                    len @ 0..=12 => view.get(4..4 + len),
                    len => data(2 + word(8)?)?.get(word(12)?..)?.get(..len),
                }
            }
            ArrowType::FixedBinary(size) => data(1)?.get(at * size..(at + 1) * size),
            _ => {
                let (start, end) = self.range(at)?;
                if start == end { Some(&[]) } else { data(2)?.get(start..end) }
            }
        }
    }

    fn cell(&self, at: usize) -> Result<Cell<'_>> {
        let at = at + self.offset;
        let bad = || Error::malformed(format!("a value past the end of an array of {}", self.kind));
        if let Some(Some(validity)) = self.buffers.first().filter(|_| self.kind != ArrowType::Null)
            && !Chunk::bit(validity, at)
        {
            return Ok(Cell::Null);
        }
        let i64_at = || self.fixed(at).map(i64::from_le_bytes).ok_or_else(bad);
        let i32_at = || self.fixed(at).map(i32::from_le_bytes).ok_or_else(bad);
        Ok(match &self.kind {
            ArrowType::Null => Cell::Null,
            ArrowType::Bool => {
                let buffer = self.buffers.get(1).and_then(Option::as_ref).ok_or_else(bad)?;
                Cell::Bool(Chunk::bit(buffer, at))
            }
            ArrowType::Int(8) => Cell::Int(i64::from(i8::from_le_bytes(self.fixed(at).ok_or_else(bad)?))),
            ArrowType::Int(16) => Cell::Int(i16::from_le_bytes(self.fixed(at).ok_or_else(bad)?).into()),
            ArrowType::Int(32) => Cell::Int(i32_at()?.into()),
            ArrowType::Int(_) => Cell::Int(i64_at()?),
            ArrowType::UInt(8) => Cell::UInt(u8::from_le_bytes(self.fixed(at).ok_or_else(bad)?).into()),
            ArrowType::UInt(16) => Cell::UInt(u16::from_le_bytes(self.fixed(at).ok_or_else(bad)?).into()),
            ArrowType::UInt(32) => Cell::UInt(u32::from_le_bytes(self.fixed(at).ok_or_else(bad)?).into()),
            ArrowType::UInt(_) => Cell::UInt(u64::from_le_bytes(self.fixed(at).ok_or_else(bad)?)),
            ArrowType::Float(16) => Cell::Float32(half::f16::from_le_bytes(self.fixed(at).ok_or_else(bad)?).to_f32()),
            ArrowType::Float(32) => Cell::Float32(f32::from_le_bytes(self.fixed(at).ok_or_else(bad)?)),
            ArrowType::Float(_) => Cell::Float(f64::from_le_bytes(self.fixed(at).ok_or_else(bad)?)),
            ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => {
                let bytes = self.payload(at).ok_or_else(bad)?;
                Cell::str(std::str::from_utf8(bytes).map_err(|_| Error::malformed("text of Arrow that is not UTF-8"))?)
            }
            ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView | ArrowType::FixedBinary(_) => {
                Cell::Bytes(Cow::Borrowed(self.payload(at).ok_or_else(bad)?))
            }
            ArrowType::Date32 => {
                Cell::Instant(Instant { is_date: true, ..Instant::new(i32_at()?.into(), TimeUnit::Day) })
            }
            ArrowType::Date64 => Cell::Instant(Instant { is_date: true, ..Instant::new(i64_at()?, TimeUnit::Milli) }),
            ArrowType::Timestamp(unit, zone) => {
                Cell::Instant(Instant { zone: zone.as_deref().map(Cow::Borrowed), ..Instant::new(i64_at()?, *unit) })
            }
            ArrowType::Duration(unit) => Cell::Delta(Delta { ticks: i64_at()?, unit: *unit, per: 1 }),
            ArrowType::Time32(unit) => Cell::Str(Cow::Owned(clock(i32_at()?.into(), *unit))),
            ArrowType::Time64(unit) => Cell::Str(Cow::Owned(clock(i64_at()?, *unit))),
            ArrowType::Decimal(128, _, scale) => {
                Cell::Decimal(decimal(i128::from_le_bytes(self.fixed(at).ok_or_else(bad)?), *scale))
            }
            ArrowType::List(_) | ArrowType::LargeList(_) => {
                let (start, end) = self.range(at).ok_or_else(bad)?;
                self.items(start, end)?
            }
            ArrowType::FixedList(_, size) => {
                self.items(at.checked_mul(*size).ok_or_else(bad)?, (at + 1).checked_mul(*size).ok_or_else(bad)?)?
            }
            ArrowType::Struct(fields) => {
                let mut cells = Vec::with_capacity(fields.len());
                for ((name, _), child) in fields.iter().zip(&self.children) {
                    if at >= child.len {
                        return Err(bad());
                    }
                    cells.push((Cow::Borrowed(&name[..]), child.cell(at)?));
                }
                Cell::Record(cells)
            }
            ArrowType::Dictionary(index, ..) => {
                let code = Chunk { kind: (**index).clone(), dictionary: None, ..self.clone() }
                    .cell(at - self.offset)?
                    .as_i64();
                let values = self.dictionary.as_ref().ok_or_else(bad)?;
                match code.and_then(|code| usize::try_from(code).ok()) {
                    Some(code) if code < values.len => values.cell(code)?,
                    _ => return Err(bad()),
                }
            }
            kind => return Err(Error::unsupported(format!("values of the type {kind} of Arrow"))),
        })
    }

    fn items(&self, start: usize, end: usize) -> Result<Cell<'_>> {
        let child = self.children.first().filter(|child| end <= child.len);
        let child = child.ok_or_else(|| Error::malformed("a list of Arrow past the end of its items"))?;
        Ok(Cell::List((start..end).map(|at| child.cell(at)).collect::<Result<_>>()?))
    }
}

/// A time of day: `03:04:05.678`.
fn clock(ticks: i64, unit: TimeUnit) -> String {
    let text = Instant::new(ticks, unit).to_string();
    let clock = text.split_once('T').map_or(&text[..], |(_, clock)| clock);
    // As Python writes it: without a fraction where that is zero.
    match clock.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => clock.to_owned(),
    }
}

/// An integer with a point so many digits from its end.
pub(crate) fn decimal(value: i128, scale: i8) -> String {
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    match usize::try_from(scale) {
        Ok(0) => format!("{sign}{digits}"),
        Ok(scale) => {
            let digits = format!("{digits:0>width$}", width = scale + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            format!("{sign}{whole}.{fraction}")
        }
        Err(_) => format!("{sign}{digits}{}", "0".repeat(usize::from(scale.unsigned_abs()))),
    }
}
