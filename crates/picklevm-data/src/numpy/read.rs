//! Arrays, scalars and types as pickles have them: the calls of every version of NumPy.

use bytes::Bytes;
use picklevm::typed::View;
use picklevm::{Items, Kind, Value};

use super::array::{Data, Layout, NdArray, native_order};
use super::descr::{MAX_DEPTH, subarray};
use super::dtype::{ByteOrder, DType, DTypeKind, Field};
use super::masked::MaskedArray;
use crate::error::{Error, Result};
use crate::key::text_of_bytes;
use crate::names::{Form, form, name_of};
use crate::time::TimeUnit;

impl<'g> NdArray<'g> {
    /// The array that a value is.
    ///
    /// # Errors
    ///
    /// If it is none, contradicts itself, or needs data that are not in the pickle.
    ///
    /// ```
    /// use picklevm_data::numpy::NdArray;
    ///
    /// let graph = picklevm::loads(include_bytes!("../../../../tests/data/arrays/f4.pkl"))?;
    /// let array = NdArray::from_value(graph.root())?;
    /// assert_eq!(array.shape(), [2, 3]);
    /// assert_eq!(array.to_vec::<f32>()?, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_value(value: Value<'g>) -> Result<NdArray<'g>> {
        match form(value) {
            Some(Form::Reconstruct) => reconstructed(value),
            Some(Form::FromBuffer) => from_buffer(value),
            Some(Form::MaskedReconstruct) => Ok(MaskedArray::from_value(value)?.into_data()),
            _ => Err(Error::expected("an array of NumPy", value)),
        }
    }
}

/// The array, where `None` says nothing about the reason; see [`NdArray::from_value`].
impl<'g> View<'g> for NdArray<'g> {
    const EXPECTED: &'static str = "an array of NumPy";

    fn view(value: Value<'g>) -> Option<Self> {
        NdArray::from_value(value).ok()
    }
}

/// `_reconstruct(class, (0,), b'b')` and the state of an array, of a subclass perhaps inside of its own.
fn reconstructed<'g>(value: Value<'g>) -> Result<NdArray<'g>> {
    let state = value.as_object().and_then(|object| object.state());
    let state = state.ok_or_else(|| Error::malformed("an array without a state"))?;
    let state = match state.items().get(0) {
        Some(inner) if inner.as_tuple().is_some_and(|inner| inner.len() >= 4) && state.len() < 5 => inner,
        _ => state,
    };
    of_state(state)
}

/// An array of the state that `ndarray.__setstate__` takes.
pub(crate) fn of_state<'g>(state: Value<'g>) -> Result<NdArray<'g>> {
    let items = state.items();
    // The state of the first versions begins with the shape, without a number of the form.
    let first = usize::from(items.get(0).is_some_and(|first| first.as_i64().is_some()));
    let part =
        |at: usize| items.get(first + at).ok_or_else(|| Error::malformed("the state of an array with too few items"));
    let shape = shape_of(part(0)?)?;
    let dtype = dtype_of(part(1)?)?;
    let layout =
        if part(2)?.as_bool() == Some(true) || part(2)?.as_i64() == Some(1) { Layout::Fortran } else { Layout::C };
    of_parts(dtype, shape, layout, part(3)?)
}

/// An array of a type, a shape and data as `__setstate__` reads them: numbers become native.
pub(crate) fn of_parts<'g>(dtype: DType, shape: Vec<usize>, layout: Layout, data: Value<'g>) -> Result<NdArray<'g>> {
    if let Some(items) = data.as_list().or(data.as_tuple()) {
        // A list is in C order whatever the flag says.
        return NdArray::contiguous(dtype, shape, Data::Objects(items), Layout::C);
    }
    if dtype.has_objects() {
        return Err(Error::malformed(format!("objects expected in an array of {dtype}, found {}", data.type_name())));
    }
    native(NdArray::contiguous(dtype, shape, Data::Bytes(bytes_of(data)?), layout)?)
}

/// The same numbers in this machine's order. (`__setstate__` swaps numbers, but not those inside of records.)
fn native(array: NdArray<'_>) -> Result<NdArray<'_>> {
    if array.dtype.order == ByteOrder::None || array.dtype.order == native_order() {
        return Ok(array);
    }
    let dtype = array.dtype.with_order(native_order());
    let bytes = array.to_bytes(native_order())?;
    NdArray::contiguous(dtype, array.shape, Data::Bytes(bytes), Layout::C)
}

/// `_frombuffer(buffer, dtype, shape, order, axes)` of protocol 5.
fn from_buffer<'g>(value: Value<'g>) -> Result<NdArray<'g>> {
    let args = value.as_object().map(|object| object.args());
    let args = args.ok_or_else(|| Error::malformed("an array without arguments"))?;
    let arg = |at: usize| args.get(at).ok_or_else(|| Error::malformed("_frombuffer with too few arguments"));
    let (dtype, shape) = (dtype_of(arg(1)?)?, shape_of(arg(2)?)?);
    let order = args.get(3).map(text).transpose()?.unwrap_or_default();
    let data = Data::Bytes(bytes_of(arg(0)?)?);
    match (order.as_str(), args.get(4).filter(|axes| !axes.is_none())) {
        ("K", Some(axes)) => NdArray::contiguous(dtype, shape, data, Layout::C)?.transposed(&shape_of(axes)?),
        ("F", _) => NdArray::contiguous(dtype, shape, data, Layout::Fortran),
        ("C" | "", _) => NdArray::contiguous(dtype, shape, data, Layout::C),
        (order, _) => Err(Error::unsupported(format!("an array in the order {order:?}"))),
    }
}

/// A scalar of NumPy: an array without axes.
#[derive(Clone, Debug)]
pub struct Scalar<'g>(pub NdArray<'g>);

impl<'g> Scalar<'g> {
    /// The scalar that a value is.
    ///
    /// # Errors
    ///
    /// If it is none, or contradicts itself.
    pub fn from_value(value: Value<'g>) -> Result<Scalar<'g>> {
        let Some(args) = value.as_object().map(|object| object.args()).filter(|_| form(value) == Some(Form::Scalar))
        else {
            return Err(Error::expected("a scalar of NumPy", value));
        };
        let dtype = dtype_of(args.get(0).ok_or_else(|| Error::malformed("a scalar without a type"))?)?;
        let data = match args.get(1) {
            _ if dtype.has_objects() => Data::Objects(args_from(args, 1)),
            Some(data) => Data::Bytes(bytes_of(data)?),
            None => Data::Bytes(vec![0; dtype.size.min(1 << 16)].into()),
        };
        Ok(Scalar(native(NdArray::contiguous(dtype, Vec::new(), data, Layout::C)?)?))
    }
}

fn args_from(mut args: Items<'_>, at: usize) -> Items<'_> {
    for _ in 0..at {
        args.next();
    }
    args
}

/// Bytes, a bytearray, an 8-bit string or a buffer: shared where the graph shares them.
///
/// # Errors
///
/// If the value is something else, or a buffer that was not given.
pub(crate) fn bytes_of(value: Value<'_>) -> Result<Bytes> {
    match value.kind() {
        Kind::Buffer(buffer) => {
            let data = buffer.data().cloned();
            data.ok_or_else(|| Error::missing(format!("the out-of-band buffer {} is not there", buffer.index())))
        }
        Kind::Bytes(_) | Kind::ByteStr(_) | Kind::ByteArray(_) => {
            Bytes::try_from(value).map_err(|error| Error::other(crate::ErrorKind::Type, error))
        }
        _ => match form(value) {
            Some(Form::ArrowBuffer) => bytes_of(value.as_object().and_then(|o| o.args().get(0)).unwrap_or(value)),
            _ => Err(Error::expected("bytes", value)),
        },
    }
}

/// A tuple of lengths, or one length.
pub(crate) fn shape_of(value: Value<'_>) -> Result<Vec<usize>> {
    let one = |value: Value<'_>| match value.as_i64().and_then(|len| usize::try_from(len).ok()) {
        Some(len) => Ok(len),
        None => Err(Error::expected("a length", value)),
    };
    match value.kind() {
        Kind::Int(_) => Ok(vec![one(value)?]),
        Kind::Tuple(items) | Kind::List(items) if items.len() <= 64 => items.map(one).collect(),
        // `torch.Size((2, 3))`.
        Kind::Object(object) if object.args().len() == 1 => match object.args().get(0) {
            Some(inner) if inner.as_tuple().is_some() || inner.as_list().is_some() => shape_of(inner),
            _ => Err(Error::expected("a shape", value)),
        },
        _ => Err(Error::expected("a shape", value)),
    }
}

/// Text, or the 8-bit string of Python 2 that stands for it.
pub(crate) fn text(value: Value<'_>) -> Result<String> {
    match value.kind() {
        Kind::Str(text) => Ok(text.to_string()),
        Kind::ByteStr(bytes) | Kind::Bytes(bytes) => Ok(text_of_bytes(bytes)),
        _ => Err(Error::expected("text", value)),
    }
}

/// The type that a `numpy.dtype(code, align, copy)` and its state stand for.
///
/// # Errors
///
/// If the value is no dtype, or one that contradicts itself.
pub(crate) fn dtype_of(value: Value<'_>) -> Result<DType> {
    dtype_at(value, MAX_DEPTH)
}

fn dtype_at(value: Value<'_>, depth: usize) -> Result<DType> {
    if let Kind::Global(_) = value.kind() {
        let (_, name) = name_of(value).unwrap_or_default();
        return DType::of_type_name(name).ok_or_else(|| Error::unsupported(format!("the type {name}")));
    }
    let Some(object) = value.as_object() else { return Err(Error::expected("a dtype", value)) };
    let args = object.args();
    match form(value) {
        Some(Form::StringDType) => {
            // Whether other objects become text, and what stands for missing ones, if anything does.
            let missing = args.get(1).map(|missing| format!("na_object={}", crate::key::repr(missing)));
            let strict =
                args.get(0).is_some_and(|coerce| coerce.as_bool() == Some(false) || coerce.as_i64() == Some(0));
            let args: Vec<String> = missing.into_iter().chain(strict.then(|| "coerce=False".to_owned())).collect();
            return Ok(DType { kind: DTypeKind::String(args.join(", ")), size: 16, order: ByteOrder::None });
        }
        Some(Form::DType) => {}
        _ => return Err(Error::expected("a dtype", value)),
    }
    let state = object.state().map(Value::items);
    let part = |at: usize| state.and_then(|state| state.get(at)).filter(|part| !part.is_none());
    let code = args.get(0).ok_or_else(|| Error::malformed("a dtype without a code"))?;
    let order = match part(1).map(text).transpose()?.as_deref() {
        Some(">") => ByteOrder::Big,
        Some("<") => ByteOrder::Little,
        _ => native_order(),
    };
    let stated = part(5).and_then(Value::as_i64).and_then(|size| usize::try_from(size).ok());
    let mut dtype = match code.kind() {
        Kind::Global(_) => match name_of(code) {
            Some(("numpy", "record" | "void")) => DType { kind: DTypeKind::Void, size: 0, order: ByteOrder::None },
            Some((_, name)) => {
                DType::of_type_name(name).ok_or_else(|| Error::unsupported(format!("the type {name}")))?
            }
            None => return Err(Error::expected("the code of a dtype", code)),
        },
        _ => {
            let code = text(code)?;
            DType::parse(&code).ok_or_else(|| Error::unsupported(format!("the dtype {code:?}")))?
        }
    };
    let depth = depth.checked_sub(1).ok_or_else(|| Error::malformed("records nested more than 32 deep"))?;
    if let Some(parts) = part(2) {
        let Some([base, shape]) = parts.items().as_array() else { return Err(Error::expected("a subarray", parts)) };
        return subarray(dtype_at(base, depth)?, shape_of(shape)?).ok_or_else(super::array::too_large);
    }
    if let (Some(names), Some(fields)) = (part(3), part(4)) {
        let aligned = part(7).and_then(Value::as_i64).is_some_and(|flags| flags & 0x80 != 0);
        let size = stated.unwrap_or(dtype.size);
        let fields = names.items().map(|name| field(name, fields, size, depth)).collect::<Result<_>>()?;
        return Ok(DType { kind: DTypeKind::Record { fields, aligned }, size, order: ByteOrder::None });
    }
    if let (DTypeKind::Bytes | DTypeKind::Str | DTypeKind::Void, Some(size)) = (&dtype.kind, stated) {
        dtype.size = size;
    }
    let mut kind = dtype.kind;
    if let Some(metadata) = part(8).and_then(|metadata| metadata.items().get(1)) {
        kind = with_unit(kind, metadata)?;
    }
    Ok(DType::new(kind, dtype.size, order))
}

/// The field of a name.
fn field(name: Value<'_>, fields: Value<'_>, size: usize, depth: usize) -> Result<Field> {
    let text_name = text(name)?;
    let parts = fields.get(name).map(Value::items);
    let parts = parts.ok_or_else(|| Error::malformed(format!("no field {text_name:?} in a record")))?;
    let (Some(dtype), Some(offset)) = (parts.get(0), parts.get(1).and_then(Value::as_u64)) else {
        return Err(Error::malformed(format!("the field {text_name:?} without a type and an offset")));
    };
    let dtype = dtype_at(dtype, depth)?;
    let offset = offset as usize;
    if offset.checked_add(dtype.size).is_none_or(|end| end > size) {
        return Err(Error::malformed(format!("the field {text_name:?} reaches past the {size} bytes of its record")));
    }
    let title = parts.get(2).map(text).transpose()?;
    Ok(Field { name: text_name, title, offset, dtype })
}

/// A time with the unit of `(b'ns', count, denominator, event)`.
fn with_unit(kind: DTypeKind, metadata: Value<'_>) -> Result<DTypeKind> {
    let parts = metadata.items();
    let name = parts.get(0).map(text).transpose()?.unwrap_or_default();
    let unit = TimeUnit::parse(&name).ok_or_else(|| Error::unsupported(format!("the time unit {name:?}")))?;
    let per = parts.get(1).and_then(Value::as_i64).unwrap_or(1);
    Ok(match kind {
        DTypeKind::Instant { .. } => DTypeKind::Instant { unit, per },
        DTypeKind::Delta { .. } => DTypeKind::Delta { unit, per },
        kind => kind,
    })
}
