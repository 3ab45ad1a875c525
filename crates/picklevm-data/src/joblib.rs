//! joblib: arrays whose memory lies beside the pickle, or in the middle of it.

use bytes::Bytes;
use picklevm::{Change, Value};

use crate::error::{Error, Result};
use crate::item::Reader;
use crate::names::{Form, form};
use crate::numpy::{Data, Layout, NdArray, array_of_state, bytes_of, dtype_of, shape_of};
use crate::pandas::attr;

/// A pickle by joblib from which the memory of arrays was cut out, with out-of-band buffers in its place.
///
/// joblib writes the memory of an array behind the BUILD of an object that stands for it, where no pickle machine expects
/// it. `arrays` has for each where that BUILD ends in `pickle`, and the memory. Load the result with
/// [`buffers`](picklevm::Unpickler::buffers): nothing is copied, and [`Reader`] finds the arrays.
///
/// An array of objects is a pickle of its own instead. Load that, make it a [root](picklevm::Arena::add_root) of the
/// graph, and give as memory the number of that root, in 8 bytes in little-endian order.
///
/// ```
/// use bytes::Bytes;
///
/// let memory = Bytes::from_static(b"\x01\0\0\0");
/// let (pickle, buffers) = picklevm_data::with_arrays(b"]}b.", [(3, memory)]);
/// assert_eq!((&pickle[..], buffers.len()), (&b"]}b\x97b."[..], 1));
/// ```
pub fn with_arrays(pickle: &[u8], arrays: impl IntoIterator<Item = (usize, Bytes)>) -> (Bytes, Vec<Bytes>) {
    let mut out = Vec::with_capacity(pickle.len() + 64);
    let (mut buffers, mut from) = (Vec::new(), 0);
    for (after, memory) in arrays {
        let after = after.clamp(from, pickle.len());
        out.extend_from_slice(&pickle[from..after]);
        // NEXT_BUFFER and BUILD: the memory as a second state of the object.
        out.extend_from_slice(b"\x97b");
        buffers.push(memory);
        from = after;
    }
    out.extend_from_slice(&pickle[from..]);
    (out.into(), buffers)
}

/// The array that an object of joblib stands for.
pub(crate) fn array<'g>(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<NdArray<'g>> {
    let object = value.as_object().ok_or_else(|| Error::expected("an array of joblib", value))?;
    let states =
        object.changes().filter_map(|change| if let Change::Build(state) = change { Some(state) } else { None });
    let (mut attributes, mut memory) = (None, None);
    for state in states {
        if state.as_dict().is_some() { attributes = Some(state) } else { memory = Some(state) }
    }
    let attributes = attributes.ok_or_else(|| Error::malformed("an array of joblib without attributes"))?;
    let part = |name: &str| {
        attributes.get(name).ok_or_else(|| Error::malformed(format!("an array of joblib without the attribute {name}")))
    };
    match form(value) {
        Some(Form::JoblibArray) => {
            let memory = memory.ok_or_else(|| Error::missing("the memory of an array of joblib"))?;
            let layout = if crate::numpy_text(part("order")?) == "F" { Layout::Fortran } else { Layout::C };
            let (dtype, memory) = (dtype_of(part("dtype")?)?, bytes_of(memory)?);
            if dtype.has_objects() {
                let number = memory.first_chunk().and_then(|bytes| usize::try_from(u64::from_le_bytes(*bytes)).ok());
                let root = number.and_then(|number| reader.root_at(number));
                return NdArray::from_value(root.ok_or_else(|| Error::missing("an array of objects of joblib"))?);
            }
            NdArray::contiguous(dtype, shape_of(part("shape")?)?, Data::Bytes(memory), layout)
        }
        // Before 0.10: a .npy file beside the pickle, or the bytes of an array compressed, with its state in the pickle.
        Some(Form::JoblibOld) => {
            let name = crate::numpy_text(part("filename")?);
            companion_npy(reader.source().companion(&name)?)
        }
        _ => {
            let data = reader.source().companion(&crate::numpy_text(part("filename")?))?;
            let state =
                attr(value, &["state"]).ok_or_else(|| Error::malformed("an array of joblib without a state"))?;
            let array = array_of_state(state).ok();
            match array {
                Some(array) => Ok(array),
                None => {
                    // `(version, shape, dtype, is_fortran)`; the data are the file.
                    let items = state.items();
                    let first = usize::from(items.get(0).is_some_and(|first| first.as_i64().is_some()));
                    let (Some(shape), Some(dtype)) = (items.get(first), items.get(first + 1)) else {
                        return Err(Error::malformed("the state of an array of joblib"));
                    };
                    let fortran = items.get(first + 2).and_then(Value::as_bool) == Some(true);
                    let layout = if fortran { Layout::Fortran } else { Layout::C };
                    NdArray::contiguous(dtype_of(dtype)?, shape_of(shape)?, Data::Bytes(data), layout)
                }
            }
        }
    }
}

#[cfg(feature = "npy")]
fn companion_npy(data: Bytes) -> Result<NdArray<'static>> {
    crate::numpy::read_npy(data)
}

#[cfg(not(feature = "npy"))]
fn companion_npy(_: Bytes) -> Result<NdArray<'static>> {
    Err(Error::unsupported("arrays in .npy files take the feature `npy`"))
}
