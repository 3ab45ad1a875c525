//! PyTorch: tensors of checkpoints, zip and legacy, as arrays.

mod file;
mod read;
#[cfg(feature = "safetensors")]
mod safetensors;
mod stored;
#[cfg(feature = "files")]
mod tar;
#[cfg(any(feature = "npy", feature = "safetensors"))]
mod write;

use picklevm::Value;

pub use file::Checkpoint;
#[cfg(feature = "safetensors")]
pub use safetensors::{check_safetensors_type, read_safetensors, write_safetensors};
pub use stored::StoredTensor;
#[cfg(any(feature = "npy", feature = "safetensors"))]
pub use write::write;

pub(crate) use read::{is_tensor, sparse, tensor};
#[cfg(feature = "files")]
pub(crate) use tar::TarArchive;

#[cfg(feature = "files")]
use read::parse_class;
use stored::stored_order;

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::item::{Reader, Source};
use crate::numpy::{ByteOrder, DType, Data, Element as _, Layout, NdArray, native_order};

/// A tensor: what its elements are, its shape and strides, and in which storage it lies.
///
/// The storage is read when it is asked for ([`to_array`](Tensor::to_array)), so that a checkpoint of any size can be
/// listed.
#[derive(Clone, Debug)]
pub struct Tensor<'g> {
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<usize>,
    /// In elements.
    pub(crate) strides: Vec<isize>,
    /// In elements.
    pub(crate) offset: usize,
    pub(crate) place: Place<'g>,
    pub(crate) quantized: Option<Quantized<'g>>,
    /// Whether the elements are the conjugates of those in the storage.
    pub(crate) conjugate: bool,
    /// Whether they are the negatives.
    pub(crate) negative: bool,
}

/// Where the elements of a tensor are.
#[derive(Clone, Debug)]
pub(crate) enum Place<'g> {
    /// In a storage of the file.
    Storage(Storage),
    /// In the pickle.
    Bytes { name: String, data: Bytes },
    /// In an array of NumPy.
    Array(NdArray<'g>),
    /// Nowhere, and why.
    Nowhere(&'static str),
}

/// A storage, as a persistent id names it.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) key: String,
    /// How many bytes it is said to have.
    pub(crate) len: usize,
    /// Where in the storage of this key it begins, in bytes.
    pub(crate) start: usize,
}

/// The mapping from integers to floats.
#[derive(Clone, Debug)]
pub struct Quantized<'g> {
    /// `qint8`, `quint8` or `qint32`.
    pub(crate) name: &'static str,
    pub(crate) scales: Scales<'g>,
}

#[derive(Clone, Debug)]
pub(crate) enum Scales<'g> {
    One { scale: f64, zero_point: i64 },
    Channels { scales: Box<Tensor<'g>>, zero_points: Box<Tensor<'g>>, axis: usize },
}

impl<'g> Tensor<'g> {
    /// The tensor that a value is, where it and its storages are in the pickle alone.
    ///
    /// # Errors
    ///
    /// If it is none, or contradicts itself.
    pub fn from_value(value: Value<'g>) -> Result<Tensor<'g>> {
        read::tensor(value, &Reader::new(value, &crate::SelfContained))
    }

    /// A tensor whose elements are those of an array.
    pub(crate) fn of_array(array: NdArray<'g>) -> Tensor<'g> {
        let (dtype, shape, strides) = (array.dtype.clone(), array.shape.clone(), vec![0; array.shape.len()]);
        let place = Place::Array(array);
        Tensor { dtype, shape, strides, offset: 0, place, quantized: None, conjugate: false, negative: false }
    }

    /// Returns the type of the elements; for quantized tensors, that of the integers.
    pub fn dtype(&self) -> &DType {
        &self.dtype
    }

    /// PyTorch's name of the type: `float32`, `qint8`.
    pub fn dtype_name(&self) -> String {
        self.quantized.as_ref().map_or_else(|| self.dtype.name(), |quantized| quantized.name.to_owned())
    }

    /// The lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the distance of elements on each axis, in elements.
    pub fn strides(&self) -> &[isize] {
        &self.strides
    }

    /// The key of the storage, which several tensors may share; `None` if it lies elsewhere.
    pub fn storage(&self) -> Option<&str> {
        match &self.place {
            Place::Storage(storage) => Some(&storage.key),
            Place::Bytes { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Why the tensor has no elements, if it has none: it is on the `meta` device, or another program's.
    pub fn missing(&self) -> Option<&'static str> {
        match &self.place {
            Place::Nowhere(why) => Some(why),
            _ => None,
        }
    }

    /// The elements: shared with the storage where that is in memory, but for conjugate and negative views. Of quantized
    /// tensors the floats.
    ///
    /// # Errors
    ///
    /// If the storage is not there or is too short, or the tensor has no elements.
    pub fn to_array(&self, source: &dyn Source) -> Result<NdArray<'g>> {
        let array = self.integers(source)?;
        match &self.quantized {
            Some(quantized) => quantized.dequantize(&array, source),
            None => self.resolved(array),
        }
    }

    /// The type of the elements of [`to_array`](Tensor::to_array): `float32` of quantized tensors.
    pub fn value_dtype(&self) -> DType {
        match self.quantized {
            Some(_) => DType::known(f32::NAME).with_order(ByteOrder::Little),
            None => self.dtype.clone(),
        }
    }

    /// Whether the elements repeat so few bytes so often that writing them out is refused.
    ///
    /// # Errors
    ///
    /// If they do.
    pub fn check_expansion(&self) -> Result<()> {
        let stored = match &self.place {
            Place::Storage(storage) => storage.len,
            Place::Bytes { data, .. } => data.len(),
            _ => return Ok(()),
        };
        crate::numpy::check_expansion(stored, crate::numpy::count(&self.shape)? as u128 * self.dtype.size as u128)
    }

    /// A quantized tensor as what it consists of, which loses nothing: the integers under its own name, and `.scale`,
    /// `.zero_point` and where there are several `.axis`. `None` of other tensors.
    pub fn quantized_parts(&self) -> Option<Vec<(&'static str, Tensor<'g>)>> {
        let quantized = self.quantized.as_ref()?;
        let number = |name: &str, bytes: [u8; 8]| {
            let dtype = DType::known(name).with_order(ByteOrder::Little);
            let data = Data::Bytes(Bytes::copy_from_slice(&bytes));
            Tensor::of_array(NdArray { dtype, shape: Vec::new(), strides: Vec::new(), offset: 0, len: 1, data })
        };
        let integers = Tensor { quantized: None, ..self.clone() };
        let mut parts = vec![("", integers)];
        match &quantized.scales {
            Scales::One { scale, zero_point } => {
                parts.push((".scale", number("float64", scale.to_le_bytes())));
                parts.push((".zero_point", number("int64", zero_point.to_le_bytes())));
            }
            Scales::Channels { scales, zero_points, axis } => {
                parts.push((".scale", (**scales).clone()));
                parts.push((".zero_point", (**zero_points).clone()));
                parts.push((".axis", number("int64", (*axis as i64).to_le_bytes())));
            }
        }
        Some(parts)
    }

    /// The elements as they lie in the storage: of quantized tensors the integers.
    pub(crate) fn integers(&self, source: &dyn Source) -> Result<NdArray<'g>> {
        let order = stored_order(source);
        let size = self.dtype.size;
        let strides = self.strides.iter().map(|stride| stride.saturating_mul(size as isize)).collect();
        let offset = self.offset.checked_mul(size).ok_or_else(|| Error::malformed("an offset beyond memory"))?;
        let (data, offset) = match &self.place {
            Place::Storage(storage) => {
                storage.check(source)?;
                let part = source.storage_part(&storage.key, self.span(storage)?);
                (part.map_err(|error| storage.named(error))?, 0)
            }
            Place::Bytes { data, .. } => (data.clone(), offset),
            Place::Array(array) => return Ok(array.clone()),
            Place::Nowhere(why) => return Err(Error::new(ErrorKind::Missing, *why)),
        };
        NdArray::strided(self.dtype.with_order(order), self.shape.clone(), strides, offset, data)
    }

    /// The elements with what the view does to them.
    fn resolved(&self, array: NdArray<'g>) -> Result<NdArray<'g>> {
        let Some(signs) = self.signs()? else { return Ok(array) };
        let mut bytes = array.to_bytes(ByteOrder::Little)?.to_vec();
        let dtype = self.dtype.with_order(ByteOrder::Little);
        signs.flip(&mut bytes);
        NdArray::contiguous(dtype, array.shape, Data::Bytes(bytes.into()), Layout::C)
    }
}

impl Quantized<'_> {
    /// `(q - zero_point) * scale`, in floats of 32 bits as PyTorch computes it.
    fn dequantize<'a>(&self, integers: &NdArray<'_>, source: &dyn Source) -> Result<NdArray<'a>> {
        integers.check_expansion()?;
        let (scales, zeros, channel) = match &self.scales {
            Scales::One { scale, zero_point } => (vec![*scale], vec![*zero_point], None),
            Scales::Channels { scales, zero_points, axis } => {
                let number = |cell: Result<crate::Cell<'_>>| {
                    cell?.as_f64().ok_or_else(|| Error::malformed("a scale that is no number"))
                };
                let scales = scales.to_array(source)?.cells().map(number).collect::<Result<Vec<_>>>()?;
                let zeros = zero_points.to_array(source)?;
                let zeros =
                    zeros.cells().map(|cell| number(cell).map(|zero| zero as i64)).collect::<Result<Vec<_>>>()?;
                let channels = integers.shape().get(*axis).copied();
                if channels != Some(scales.len()) || channels != Some(zeros.len()) {
                    return Err(Error::malformed("scales that do not fit the channels of a tensor"));
                }
                let inner: usize = integers.shape()[axis + 1..].iter().product();
                (scales, zeros, Some((inner.max(1), channels.unwrap_or(1).max(1))))
            }
        };
        let mut out = Vec::with_capacity(integers.len().saturating_mul(4));
        for (at, cell) in integers.cells().enumerate() {
            let index = channel.map_or(0, |(inner, channels)| at / inner % channels);
            let integer = cell?.as_i64().ok_or_else(|| Error::malformed("a quantized element that is no integer"))?;
            let float = integer.wrapping_sub(zeros[index]) as f32 * scales[index] as f32;
            out.extend_from_slice(&float.to_le_bytes());
        }
        let dtype = DType::known(f32::NAME).with_order(ByteOrder::Little);
        NdArray::contiguous(dtype, integers.shape.clone(), Data::Bytes(out.into()), Layout::C)
    }
}

/// Storage classes and the types of their elements, beside the names of dtypes themselves.
const STORAGES: &[(&str, &str)] = &[
    ("FloatStorage", "float32"),
    ("DoubleStorage", "float64"),
    ("HalfStorage", "float16"),
    ("BFloat16Storage", "bfloat16"),
    ("LongStorage", "int64"),
    ("IntStorage", "int32"),
    ("ShortStorage", "int16"),
    ("CharStorage", "int8"),
    ("ByteStorage", "uint8"),
    ("BoolStorage", "bool"),
    ("ComplexFloatStorage", "complex64"),
    ("ComplexDoubleStorage", "complex128"),
    ("QInt8Storage", "int8"),
    ("QUInt8Storage", "uint8"),
    ("QInt32Storage", "int32"),
    ("UntypedStorage", "uint8"),
    ("_UntypedStorage", "uint8"),
];

/// The type of a storage class.
pub(crate) fn storage_dtype(class: &str) -> Option<DType> {
    let row = STORAGES.iter().find(|row| row.0 == class)?;
    Some(DType::known(row.1).with_order(native_order()))
}

/// The storage class of a type; `None` of those that PyTorch has no class for.
pub(crate) fn storage_class(dtype: &DType) -> Option<&'static str> {
    let name = dtype.name();
    STORAGES.iter().find(|row| row.1 == name).map(|row| row.0)
}
