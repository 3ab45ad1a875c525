//! .npy and .npz: NumPy's own files (NEP 1).

use std::io::{Seek, Write};

use bytes::Bytes;

use super::array::{Data, Layout, NdArray};
use super::descr::{Tuple, literal, npy_descr};
use super::dtype::DTypeKind;
use super::elements::{Elements, byte_len};
use crate::error::{Error, ErrorKind, Result};

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Writes an array or a tensor as a .npy file: its bytes as they lie in C or Fortran order, or in C order.
///
/// # Errors
///
/// If .npy has no such type: small floats of PyTorch, Python objects. Errors of the writer.
///
/// ```
/// use picklevm_data::numpy::{DType, NdArray, read_npy, write_npy};
///
/// let array = NdArray::new(DType::parse(">f8").unwrap(), vec![1, 2], vec![0; 16])?;
/// let mut file = Vec::new();
/// write_npy(&array, &mut file)?;
/// assert_eq!(read_npy(file.into())?.dtype().to_string(), ">f8");
/// # Ok::<(), picklevm_data::Error>(())
/// ```
pub fn write_npy(elements: &(impl Elements + ?Sized), mut out: impl Write) -> Result<()> {
    let dtype = elements.dtype();
    check_npy_type(dtype)?;
    let descr = npy_descr(dtype)?;
    elements.array().map_or(Ok(()), NdArray::check_expansion)?;
    // In Fortran order the bytes are those of the transposed array.
    let fortran = elements.array().filter(|array| !array.is_c_contiguous() && array.is_contiguous(Layout::Fortran));
    let order = if fortran.is_some() { "True" } else { "False" };
    let mut header = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {}, }}", Tuple(elements.shape()));
    // Version 1 is ASCII with a length of two bytes, version 3 UTF-8 with four.
    let long = !header.is_ascii() || header.len() > 60_000;
    let fixed = MAGIC.len() + if long { 6 } else { 4 };
    let padding = 63 - (fixed + header.len()) % 64;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    out.write_all(MAGIC)?;
    if long {
        let len = u32::try_from(header.len()).map_err(|_| Error::unsupported("a dtype of more than 4 GB of text"))?;
        out.write_all(&[3, 0])?;
        out.write_all(&len.to_le_bytes())?;
    } else {
        out.write_all(&[1, 0])?;
        out.write_all(&(header.len() as u16).to_le_bytes())?;
    }
    out.write_all(header.as_bytes())?;
    match fortran {
        Some(array) => {
            let axes: Vec<usize> = (0..array.shape.len()).rev().collect();
            array.clone().transposed(&axes)?.write_bytes(dtype.order, out)
        }
        None => elements.write(dtype.order, &mut out),
    }
}

/// Whether .npy has a type for elements.
///
/// # Errors
///
/// If it has none.
pub fn check_npy_type(dtype: &super::DType) -> Result<()> {
    match dtype.has_objects() {
        true => Err(Error::unsupported(format!("an array of {} has no bytes for .npy", dtype.name()))),
        false => npy_descr(dtype).map(drop),
    }
}

/// What the header of a .npy file says, and where the data begin.
pub(crate) struct Header {
    pub(crate) dtype: super::DType,
    pub(crate) shape: Vec<usize>,
    pub(crate) fortran: bool,
    pub(crate) end: usize,
}

/// Reads the header of a .npy file.
pub(crate) fn read_header(data: &[u8]) -> Result<Header> {
    let bad = || Error::malformed("the header of a .npy file cannot be read");
    let rest = data.strip_prefix(MAGIC).ok_or_else(bad)?;
    let (start, len) = match *rest {
        [1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([a, b]))),
        [2 | 3, _, a, b, c, d, ..] => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        _ => return Err(bad()),
    };
    let text = data.get(start..start + len).ok_or_else(bad)?;
    let text = crate::key::text_of_bytes(text);
    let header = literal(text.trim_end_matches(['\n', ' '])).ok_or_else(bad)?;
    let dtype = header.get("descr").and_then(|descr| descr.dtype());
    let shape = header.get("shape").and_then(|shape| shape.shape());
    let fortran = matches!(header.get("fortran_order"), Some(super::descr::Literal::Bool(true)));
    Ok(Header { dtype: dtype.ok_or_else(bad)?, shape: shape.ok_or_else(bad)?, fortran, end: start + len })
}

/// Reads a .npy file; the array shares its bytes.
///
/// # Errors
///
/// If it is none, or holds Python objects: these lie in it as a pickle.
pub fn read_npy(data: Bytes) -> Result<NdArray<'static>> {
    let header = read_header(&data)?;
    if matches!(header.dtype.kind, DTypeKind::Object) {
        return Err(Error::unsupported("a .npy file of Python objects holds a pickle"));
    }
    let layout = if header.fortran { Layout::Fortran } else { Layout::C };
    NdArray::contiguous(header.dtype, header.shape, Data::Bytes(data.slice(header.end..)), layout)
}

/// Writes arrays and tensors as a .npz file, a stored member each.
///
/// # Errors
///
/// Those of [`write_npy`], with the name of the array.
pub fn write_npz<'a, E: Elements + ?Sized + 'a>(
    arrays: impl IntoIterator<Item = (&'a str, &'a E)>,
    out: impl Write + Seek,
) -> Result<()> {
    let mut zip = zip::ZipWriter::new(out);
    for (name, elements) in arrays {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let large = byte_len(elements)? > u32::MAX as usize / 2;
        zip.start_file(format!("{name}.npy"), options.large_file(large)).map_err(zip_error)?;
        write_npy(elements, &mut zip).map_err(|error| error.at(name))?;
    }
    zip.finish().map_err(zip_error)?;
    Ok(())
}

pub(crate) fn zip_error(error: zip::result::ZipError) -> Error {
    Error::other(ErrorKind::Io, error)
}
