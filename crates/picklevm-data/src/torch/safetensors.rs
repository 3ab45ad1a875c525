//! .safetensors: a header of JSON, and the elements of each tensor one after the other.

use std::collections::BTreeMap;
use std::io::Write;

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::numpy::{ByteOrder, DType, DTypeKind, Elements, NdArray, SmallFloat, byte_len};

/// The names of types, beside those of small floats.
const TYPES: &[(&str, &str)] = &[
    ("BOOL", "bool"),
    ("U8", "uint8"),
    ("I8", "int8"),
    ("I16", "int16"),
    ("U16", "uint16"),
    ("F16", "float16"),
    ("I32", "int32"),
    ("U32", "uint32"),
    ("F32", "float32"),
    ("C64", "complex64"),
    ("F64", "float64"),
    ("I64", "int64"),
    ("U64", "uint64"),
];

fn type_name(dtype: &DType) -> Result<&'static str> {
    let name = match dtype.kind() {
        DTypeKind::Small(small) => small.0.safetensors,
        _ => {
            let name = dtype.name();
            TYPES.iter().find(|row| row.1 == name).map(|row| row.0)
        }
    };
    name.ok_or_else(|| Error::unsupported(format!(".safetensors has no type for {}", dtype.name())))
}

/// Whether .safetensors has a type for elements.
///
/// # Errors
///
/// If it has none.
pub fn check_safetensors_type(dtype: &DType) -> Result<()> {
    type_name(dtype).map(drop)
}

/// Writes arrays or tensors as a .safetensors file, one after the other.
///
/// # Errors
///
/// If a type is not one of the format's or elements cannot be read, with the name; errors of the writer.
pub fn write_safetensors<E: Elements>(arrays: &[(String, E)], mut out: impl Write) -> Result<()> {
    let mut rows = Vec::with_capacity(arrays.len());
    for (at, (name, elements)) in arrays.iter().enumerate() {
        let kind = type_name(elements.dtype()).map_err(|error| error.at(name))?;
        rows.push((std::cmp::Reverse(elements.dtype().size()), name, at, kind, byte_len(elements)?));
    }
    // The larger elements first, so that all are aligned; then by name.
    rows.sort();
    let mut header = String::from("{");
    let mut end = 0u64;
    for (number, (_, name, at, kind, len)) in rows.iter().enumerate() {
        if number > 0 {
            header.push(',');
            if rows[number - 1].1 == *name {
                return Err(Error::unsupported(format!("two tensors are called {name:?}")));
            }
        }
        crate::json::string(name, &mut header);
        let shape = arrays[*at].1.shape().iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let start = end;
        end += *len as u64;
        header.push_str(&format!(":{{\"dtype\":\"{kind}\",\"shape\":[{shape}],\"data_offsets\":[{start},{end}]}}"));
    }
    header.push('}');
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for (_, name, at, ..) in rows {
        arrays[at].1.write(ByteOrder::Little, &mut out).map_err(|error| error.at(name))?;
    }
    Ok(())
}

/// Reads a .safetensors file: names and arrays, which share its bytes.
///
/// # Errors
///
/// If the header is malformed, or an array lies outside of the file.
pub fn read_safetensors(data: &Bytes) -> Result<Vec<(String, NdArray<'static>)>> {
    let bad = |what: &str| Error::malformed(format!("the header of a .safetensors file: {what}"));
    let len = data.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)).ok_or_else(|| bad("too short"))?;
    let end = usize::try_from(len).ok().and_then(|len| len.checked_add(8)).filter(|end| *end <= data.len());
    let end = end.ok_or_else(|| bad("longer than the file"))?;
    let header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&data[8..end]).map_err(|error| Error::other(ErrorKind::Malformed, error))?;
    let body = data.slice(end..);
    let mut arrays = Vec::with_capacity(header.len().min(1 << 16));
    for (name, row) in header.into_iter().filter(|(name, _)| name != "__metadata__") {
        let numbers = |key: &str| -> Option<Vec<usize>> {
            row.get(key)?.as_array()?.iter().map(|n| usize::try_from(n.as_u64()?).ok()).collect()
        };
        let kind = row.get("dtype").and_then(serde_json::Value::as_str).ok_or_else(|| bad("no dtype"))?;
        let dtype = match TYPES.iter().find(|row| row.0 == kind) {
            Some(row) => DType::of_type_name(row.1),
            None => SmallFloat::of_safetensors(kind).map(DType::small),
        };
        let dtype = dtype.ok_or_else(|| Error::unsupported(format!("the type {kind}")).at(&name))?;
        let shape = numbers("shape").ok_or_else(|| bad("no shape"))?;
        let Some([from, to]) = numbers("data_offsets").and_then(|both| <[usize; 2]>::try_from(both).ok()) else {
            return Err(bad("no offsets"));
        };
        if from > to || to > body.len() {
            return Err(bad("offsets past the end").at(&name));
        }
        let array = NdArray::new(dtype, shape, body.slice(from..to)).map_err(|error| error.at(&name))?;
        arrays.push((name, array));
    }
    Ok(arrays)
}
