//! Tensors as pickles have them: the functions that rebuild them, in every version of PyTorch.

use picklevm::{Items, Kind, Value};

use super::file::Checkpoint;
use super::{Place, Quantized, Scales, Storage, Tensor, storage_dtype};
use crate::error::{Error, Result};
use crate::item::{Item, Reader};
use crate::names::{Form, form, form_of, name_of};
use crate::numpy::{ByteOrder, DType, DTypeKind, NdArray, bytes_of, shape_of, text_of};
use crate::scipy::{Parts, Sparse};

/// Whether a value is a tensor, or a storage that stands for one.
pub(crate) fn is_tensor(value: Value<'_>, form: Form) -> bool {
    use Form::*;
    match form {
        Tensor1 | Tensor2 | Tensor3 | Parameter | Quantized | MetaTensor | Wrapper | FromNumpy | LoadFromBytes => true,
        TensorFromType => value.as_object().is_some_and(|object| object.args().get(0).and_then(form_of).is_some()),
        Storage => storage_of(value).is_some(),
        _ => false,
    }
}

/// The tensor that a value is.
pub(crate) fn tensor<'g>(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<Tensor<'g>> {
    nested(value, reader, 8)
}

fn nested<'g>(value: Value<'g>, reader: &Reader<'g, '_>, depth: usize) -> Result<Tensor<'g>> {
    let depth = depth.checked_sub(1).ok_or_else(|| Error::malformed("tensors nested more than eight deep"))?;
    if let Kind::Persistent(_) = value.kind() {
        return whole_storage(value);
    }
    let object = value.as_object().ok_or_else(|| Error::expected("a tensor", value))?;
    let kind = form(value).ok_or_else(|| Error::expected("a tensor", value))?;
    rebuild(kind, value, object.args(), reader, depth)
}

/// Calls the function of a form with these arguments.
fn rebuild<'g>(
    kind: Form,
    value: Value<'g>,
    args: Items<'g>,
    reader: &Reader<'g, '_>,
    depth: usize,
) -> Result<Tensor<'g>> {
    let arg = |at: usize| args.get(at).ok_or_else(|| Error::malformed("a tensor with too few arguments"));
    match kind {
        Form::Tensor1 | Form::Tensor2 => {
            let (place, dtype) = storage(arg(0)?)?;
            let mut tensor = placed(place, dtype, arg(1)?, arg(2)?, arg(3)?)?;
            apply(&mut tensor, args.get(6));
            Ok(tensor)
        }
        Form::Tensor3 => {
            let (place, _) = storage(arg(0)?)?;
            let mut tensor = placed(place, dtype_of(arg(6)?)?, arg(1)?, arg(2)?, arg(3)?)?;
            apply(&mut tensor, args.get(7));
            Ok(tensor)
        }
        Form::Parameter => nested(arg(0)?, reader, depth),
        Form::TensorFromType => {
            // `_rebuild_from_type(function, class, arguments, state)`.
            let (function, inner) = (arg(0)?, arg(2)?);
            let kind = form_of(function).ok_or_else(|| Error::expected("a function that makes a tensor", function))?;
            rebuild(kind, value, inner.items(), reader, depth)
        }
        Form::Quantized => {
            let (place, dtype) = storage(arg(0)?)?;
            let mut tensor = placed(place, dtype, arg(1)?, arg(2)?, arg(3)?)?;
            tensor.quantized = Some(quantized(&tensor.dtype, arg(4)?, reader, depth)?);
            Ok(tensor)
        }
        Form::MetaTensor | Form::Wrapper => {
            let first = usize::from(kind == Form::Wrapper);
            let why = match kind {
                Form::MetaTensor => "a tensor on the meta device has no elements",
                _ => "a tensor of a class whose elements are in another program",
            };
            let shape = shape_of(arg(first + 1)?)?;
            let strides = vec![0; shape.len()];
            let dtype = dtype_of(arg(first)?)?;
            Ok(Tensor {
                dtype,
                shape,
                strides,
                offset: 0,
                place: Place::Nowhere(why),
                quantized: None,
                conjugate: false,
                negative: false,
            })
        }
        Form::FromNumpy => {
            let array = match reader.item(arg(0)?) {
                Some((_, Ok(Item::Array(array)))) => array,
                Some((_, Ok(Item::Tensor(tensor)))) => return Ok(tensor),
                Some((_, Err(error))) => return Err(error),
                _ => return Err(Error::expected("an array of NumPy", arg(0)?)),
            };
            let wanted = args.get(1).and_then(|dtype| dtype_of(dtype).ok());
            if wanted.as_ref().is_some_and(|wanted| wanted.name() != array.dtype().name()) {
                return Err(Error::unsupported(format!("a tensor made of an array of {}", array.dtype().name())));
            }
            Ok(Tensor::of_array(array))
        }
        Form::Storage | Form::LoadFromBytes => whole_storage(value),
        _ => Err(Error::expected("a tensor", value)),
    }
}

/// A tensor in a storage, checked against the length that the storage is said to have.
fn placed<'g>(
    place: Place<'g>,
    dtype: DType,
    offset: Value<'g>,
    shape: Value<'g>,
    strides: Value<'g>,
) -> Result<Tensor<'g>> {
    let shape = shape_of(shape)?;
    let offset = shape_of(offset)?.first().copied().unwrap_or(0);
    let strides: Option<Vec<isize>> =
        strides.items().map(|stride| stride.as_i64().and_then(|stride| isize::try_from(stride).ok())).collect();
    let strides = strides.ok_or_else(|| Error::malformed("strides that are no numbers"))?;
    // PyTorch itself has no negative strides.
    if strides.iter().any(|stride| *stride < 0) {
        return Err(Error::malformed(format!("negative strides {strides:?}")));
    }
    let bytes = match &place {
        Place::Storage(storage) => storage.len,
        Place::Bytes { data, .. } => data.len(),
        _ => usize::MAX,
    };
    let len = crate::numpy::count(&shape)?;
    if strides.len() != shape.len() {
        return Err(Error::malformed(format!("{} lengths and {} strides", shape.len(), strides.len())));
    }
    if len > 0 {
        let last = shape.iter().zip(&strides).try_fold(offset as i128, |at, (len, stride)| {
            at.checked_add((*len as i128 - 1).checked_mul(*stride as i128)?)
        });
        let end = last.and_then(|last| last.checked_add(1)?.checked_mul(dtype.size as i128));
        if end.is_none_or(|end| end > bytes as i128) {
            let message =
                format!("a tensor of the shape {shape:?} at {offset} reaches past the {bytes} bytes of its storage");
            return Err(Error::malformed(message));
        }
    }
    Ok(Tensor { dtype, shape, strides, offset, place, quantized: None, conjugate: false, negative: false })
}

/// The conj and neg bits.
fn apply(tensor: &mut Tensor<'_>, metadata: Option<Value<'_>>) {
    let is = |name: &str| metadata.and_then(|metadata| metadata.get(name)).and_then(Value::as_bool) == Some(true);
    (tensor.conjugate, tensor.negative) = (is("conj"), is("neg"));
}

/// `torch.float32`, or its text.
pub(super) fn dtype_of(value: Value<'_>) -> Result<DType> {
    let name = match value.kind() {
        Kind::Global(global) => global.name().to_string(),
        Kind::Object(object) => match object.args().get(0) {
            Some(name) => text_of(name)?,
            None => return Err(Error::expected("a dtype of PyTorch", value)),
        },
        _ => text_of(value)?,
    };
    let name = name.trim_start_matches("torch.");
    let name = match name {
        "float" => "float32",
        "double" => "float64",
        "half" => "float16",
        "long" => "int64",
        "int" => "int32",
        "short" => "int16",
        "cfloat" => "complex64",
        "cdouble" => "complex128",
        "qint8" => "int8",
        "quint8" => "uint8",
        "qint32" => "int32",
        name => name,
    };
    let dtype = DType::of_type_name(name).ok_or_else(|| Error::unsupported(format!("the dtype torch.{name}")))?;
    Ok(dtype.with_order(ByteOrder::Little))
}

/// The persistent id of a storage, through the classes that newer versions wrap around it.
fn storage_of<'g>(value: Value<'g>) -> Option<Value<'g>> {
    match value.kind() {
        Kind::Persistent(id) => Some(id),
        Kind::Object(object) => {
            let inner = crate::pandas::attr(value, &["_untyped_storage", "_storage"]).or(object.args().get(0))?;
            match inner.kind() {
                Kind::Persistent(id) => Some(id),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Where a storage is, and what its elements are.
fn storage<'g>(value: Value<'g>) -> Result<(Place<'g>, DType)> {
    if form(value) == Some(Form::LoadFromBytes) {
        let bytes = value.as_object().and_then(|object| object.args().get(0));
        let bytes = bytes_of(bytes.ok_or_else(|| Error::malformed("a storage without its file"))?)?;
        return Checkpoint::storage_of_file(bytes);
    }
    let id = storage_of(value).ok_or_else(|| Error::expected("a storage", value))?;
    let (storage, dtype) = parse_id(id)?;
    Ok((Place::Storage(storage), dtype))
}

/// `('storage', class, key, location, elements, view)`.
pub(super) fn parse_id(id: Value<'_>) -> Result<(Storage, DType)> {
    let parts = id.items();
    let bad = || Error::expected("the id of a storage", id);
    let word = parts.get(0).map(text_of).transpose()?;
    let (Some("storage"), Some(class), Some(key), Some(count)) =
        (word.as_deref(), parts.get(1), parts.get(2), parts.get(4))
    else {
        return Err(bad());
    };
    let class = parse_class(class).map_err(|_| bad())?;
    let dtype = storage_dtype(&class).ok_or_else(|| Error::unsupported(format!("a storage of the class {class}")))?;
    let bytes = |count: Value<'_>| {
        let count = count.as_i64().and_then(|count| usize::try_from(count).ok())?;
        count.checked_mul(dtype.size)
    };
    let (mut start, mut len) = (0, bytes(count).ok_or_else(bad)?);
    if let Some(view) = parts.get(5).filter(|view| !view.is_none()) {
        let Some([_, offset, size]) = view.items().as_array() else { return Err(bad()) };
        (start, len) = (bytes(offset).ok_or_else(bad)?, bytes(size).ok_or_else(bad)?);
    }
    let key = if key.as_i64().is_some() { crate::key::repr(key) } else { text_of(key)? };
    Ok((Storage { key, len, start }, dtype))
}

/// The name of a class of storages or tensors, without those of its module.
pub(super) fn parse_class(class: Value<'_>) -> Result<String> {
    let (_, name) = name_of(class).ok_or_else(|| Error::expected("a class of PyTorch", class))?;
    Ok(name.rsplit('.').next().unwrap_or(name).to_owned())
}

/// A storage by itself, as a tensor of one axis.
fn whole_storage<'g>(value: Value<'g>) -> Result<Tensor<'g>> {
    let (place, mut dtype) = storage(value)?;
    if let Some(typed) = crate::pandas::attr(value, &["dtype"]).map(dtype_of) {
        dtype = typed?;
    }
    let bytes = match &place {
        Place::Storage(storage) => storage.len,
        Place::Bytes { data, .. } => data.len(),
        _ => 0,
    };
    let shape = vec![bytes / dtype.size.max(1)];
    Ok(Tensor { dtype, shape, strides: vec![1], offset: 0, place, quantized: None, conjugate: false, negative: false })
}

/// `(scheme, scale, zero point)`, `(scheme, scales, zero points, axis)`.
fn quantized<'g>(dtype: &DType, params: Value<'g>, reader: &Reader<'g, '_>, depth: usize) -> Result<Quantized<'g>> {
    let parts = params.items();
    let bad = || Error::unsupported("a quantized tensor of an unknown scheme");
    let (Some(first), Some(second)) = (parts.get(1), parts.get(2)) else { return Err(bad()) };
    let scales = match (crate::text::resolve(first).as_f64(), crate::text::resolve(second).as_i64(), parts.get(3)) {
        (Some(scale), Some(zero_point), None) => Scales::One { scale, zero_point },
        (_, _, Some(axis)) => {
            let tensor = |value| nested(value, reader, depth).map(Box::new);
            let axis = axis.as_i64().and_then(|axis| usize::try_from(axis).ok()).ok_or_else(bad)?;
            Scales::Channels { scales: tensor(first)?, zero_points: tensor(second)?, axis }
        }
        _ => return Err(bad()),
    };
    let name = match (&dtype.kind, dtype.size) {
        (DTypeKind::Int, 1) => "qint8",
        (DTypeKind::UInt, 1) => "quint8",
        (DTypeKind::Int, 4) => "qint32",
        _ => return Err(bad()),
    };
    Ok(Quantized { name, scales })
}

/// The sparse tensor that `_rebuild_sparse_tensor(layout, parts)` makes.
pub(crate) fn sparse<'g>(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<Sparse<'g>> {
    let bad = || Error::malformed("a sparse tensor without its parts");
    let args = value.as_object().ok_or_else(bad)?.args();
    let (layout, parts) = (args.get(0).ok_or_else(bad)?, args.get(1).ok_or_else(bad)?.items());
    let layout = match layout.kind() {
        Kind::Object(object) => object.args().get(0).map(text_of).transpose()?.unwrap_or_default(),
        Kind::Global(global) => global.name().to_string(),
        _ => text_of(layout)?,
    };
    let array = |at: usize| -> Result<NdArray<'g>> {
        nested(parts.get(at).ok_or_else(bad)?, reader, 8)?.to_array(reader.source())
    };
    let shape = |at: usize| shape_of(parts.get(at).ok_or_else(bad)?);
    let layout = layout.trim_start_matches("torch.sparse_");
    let (format, shape, parts) = match layout {
        "coo" => {
            let (indices, data) = (array(0)?, array(1)?);
            let [axes, _] = *indices.shape() else { return Err(bad()) };
            let coords = (0..axes).map(|axis| indices.row(axis).ok_or_else(bad)).collect::<Result<_>>()?;
            ("coo", shape(2)?, Parts::Coordinates { coords, data })
        }
        "csr" | "csc" | "bsr" | "bsc" => {
            let by_rows = layout.ends_with('r');
            let format = match layout {
                "csr" => "csr",
                "csc" => "csc",
                "bsr" => "bsr",
                _ => return Err(Error::unsupported("a sparse tensor in the layout bsc")),
            };
            (format, shape(3)?, Parts::Compressed { by_rows, starts: array(0)?, indices: array(1)?, data: array(2)? })
        }
        layout => return Err(Error::unsupported(format!("a sparse tensor in the layout {layout}"))),
    };
    let dtype = match &parts {
        Parts::Coordinates { data, .. } | Parts::Compressed { data, .. } => data.dtype.clone(),
        _ => return Err(bad()),
    };
    Ok(Sparse { format, dtype, shape, parts, is_tensor: true })
}
