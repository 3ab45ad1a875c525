//! .pt: a zip archive that `torch.load` of every version from 1.6 on reads, with `weights_only` too.

use std::io::{Seek, Write};

use picklevm::{Arena, Graph, Id, Pickler, Protocol};

use super::storage_class;
use crate::error::{Error, Result};
use crate::numpy::{ByteOrder, DType, Elements, build_error, byte_len};

/// Writes arrays or tensors by name as a .pt file: a dict of tensors, each in a storage of its own.
///
/// # Errors
///
/// If PyTorch has no such type, with the name of the tensor; errors of the writer.
///
/// ```
/// use picklevm_data::{numpy::{DType, NdArray}, torch};
///
/// let weight = NdArray::new(DType::parse("<f4").unwrap(), vec![2], vec![0; 8])?;
/// let mut file = std::io::Cursor::new(Vec::new());
/// torch::write(&[("weight".to_owned(), weight)], &mut file)?;
/// let file = torch::Checkpoint::open(file.into_inner().into())?;
/// assert_eq!(file.reader().find()[0].path.to_string(), "['weight']");
/// # Ok::<(), picklevm_data::Error>(())
/// ```
#[cfg(any(feature = "npy", feature = "safetensors"))]
pub fn write<E: Elements>(tensors: &[(String, E)], out: impl Write + Seek) -> Result<()> {
    use zip::write::SimpleFileOptions;

    let zip_error = |error| Error::other(crate::ErrorKind::Io, error);
    let mut graph = Graph::new();
    let mut pairs = Vec::with_capacity(tensors.len());
    for (at, (name, elements)) in tensors.iter().enumerate() {
        let tensor = tensor(at, elements.dtype(), elements.shape(), &mut graph).map_err(|error| error.at(name))?;
        pairs.push((graph.add(&name[..]), tensor));
    }
    let root = graph.dict(pairs).map_err(build_error)?;
    graph.set_root(root);
    let pickle = Pickler::new().protocol(Protocol::V2).dumps(graph.root()).map_err(build_error)?;

    let mut zip = zip::ZipWriter::new(out);
    // PyTorch aligns storages to 64 bytes, so that they can be mapped into memory.
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).with_alignment(64);
    for (name, bytes) in [("data.pkl", &pickle[..]), ("byteorder", b"little")] {
        zip.start_file(format!("archive/{name}"), options).map_err(zip_error)?;
        zip.write_all(bytes)?;
    }
    for (at, (name, elements)) in tensors.iter().enumerate() {
        let large = byte_len(elements)? > u32::MAX as usize / 2;
        zip.start_file(format!("archive/data/{at}"), options.large_file(large)).map_err(zip_error)?;
        elements.write(ByteOrder::Little, &mut zip).map_err(|error| error.at(name))?;
    }
    zip.start_file("archive/version", options).map_err(zip_error)?;
    zip.write_all(b"3\n")?;
    zip.finish().map_err(zip_error)?;
    Ok(())
}

/// `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`; `_v3` for types without a storage class.
fn tensor(at: usize, dtype: &DType, shape: &[usize], graph: &mut Graph) -> Result<Id> {
    let (word, cpu, key) = (graph.add("storage"), graph.add("cpu"), graph.add(at.to_string()));
    let (class, len) = (storage_class(dtype), crate::numpy::count(shape)?);
    let untyped = is_torch_only(dtype);
    let (class, count) = match class {
        Some(class) => (graph.global("torch", class), len),
        None if untyped => (graph.global("torch.storage", "UntypedStorage"), len.saturating_mul(dtype.size)),
        None => return Err(Error::unsupported(format!("PyTorch has no dtype for {}", dtype.name()))),
    };
    let count = graph.add(count as u64);
    let id = graph.tuple([word, class, key, cpu, count]);
    let storage = graph.persistent(id);
    let mut strides = vec![1u64; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis].max(1) as u64);
    }
    let shape: Vec<u64> = shape.iter().map(|len| *len as u64).collect();
    let dtype = if storage_class(dtype).is_some() { None } else { Some(dtype) };
    rebuild(graph, storage, 0, &shape, &strides, dtype).map_err(build_error)
}

/// A tensor in a storage; with a dtype that the class of the storage does not have.
pub(super) fn rebuild(
    graph: &mut Arena,
    storage: Id,
    offset: u64,
    shape: &[u64],
    strides: &[u64],
    dtype: Option<&DType>,
) -> picklevm::Result<Id> {
    let (shape, strides) = (graph.tuple(shape.iter().copied()), graph.tuple(strides.iter().copied()));
    let (offset, no) = (graph.add(offset), graph.add(false));
    let hooks = graph.call("collections", "OrderedDict").build()?;
    let mut args = vec![storage, offset, shape, strides, no, hooks];
    let function = match dtype {
        None => "_rebuild_tensor_v2",
        Some(dtype) => {
            args.push(graph.global("torch", &dtype.name()));
            "_rebuild_tensor_v3"
        }
    };
    graph.call("torch._utils", function).args(args).build()
}

/// Types that PyTorch 2 has without a storage class.
fn is_torch_only(dtype: &DType) -> bool {
    let name = dtype.name();
    matches!(name.as_str(), "uint16" | "uint32" | "uint64")
        || name.starts_with("float8_e") && !name.ends_with("e4m3") && !name.ends_with("e3m4")
}
