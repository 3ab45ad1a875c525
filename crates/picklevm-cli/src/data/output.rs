//! Arrays, tables and tensors into the formats that are no pickles.

use std::collections::HashSet;
use std::path::Path;

use picklevm_data::files::Loaded;
use picklevm_data::numpy::{self, DTypeKind, Elements, NdArray, Widened};
use picklevm_data::pandas::{DataFrame, Values};
use picklevm_data::{Error, Found, Item, Reader, Source, table, torch};

use super::convert::Wanted;
use crate::failure::{Failure, note};
use crate::output::Output;
use crate::progress;

/// Why nothing was written.
pub(crate) enum Failed {
    /// Something about the data.
    Data(String),
    /// Something about the output.
    Other(Failure),
}

impl Failed {
    /// The failure of an input.
    pub(crate) fn of(self, name: &str) -> Failure {
        match self {
            Failed::Data(message) => Failure::Data(format!("{name}: {message}")),
            Failed::Other(failure) => failure,
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Data(error.to_string())
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Failed {
        Failed::Other(failure)
    }
}

type Done = Result<(), Failed>;

/// The formats of arrays by name.
const SEVERAL: &[&str] = &["npz", "safetensors", "pt", "pth"];
/// The formats of one table.
const TABLES: &[&str] = &["csv", "jsonl", "parquet", "arrow", "feather"];

fn unknown(format: &str) -> Failed {
    let all = ".npy, .npz, .csv, .jsonl, .parquet, .arrow, .safetensors, .json, .pkl, .pt";
    Failed::Other(Failure::Usage(format!("cannot write a file that ends in .{format}: choose one of {all}")))
}

/// Writes the contents of a pickle.
pub(super) fn write(loaded: &Loaded, wanted: Wanted<'_>, format: &str, out: &Path) -> Done {
    let whole = loaded.reader();
    let value = whole.at(wanted.at).ok_or_else(|| Failed::Data(format!("there is nothing at {}", wanted.at)))?;
    let reader = Reader::new(value, &*loaded.source).with_roots(loaded.graph.roots());
    match format {
        "json" => {
            let mut output = Output::create(out)?;
            wanted.plain.write(&reader, wanted.name, &mut output)?;
            Ok(output.finish()?)
        }
        "npy" => {
            let found = only(&reader, wanted, format, |item| !matches!(item, Item::Table(_)))?;
            let elements: Box<dyn Elements> = match item(&found)? {
                Item::Tensor(tensor) => npy_elements(&found, tensor, &*loaded.source)?,
                _ => Box::new(array_of(&found, wanted)?),
            };
            to_file(out, |out| numpy::write_npy(&elements, out))
        }
        _ if TABLES.contains(&format) => {
            let found = only(&reader, wanted, format, |item| matches!(item, Item::Table(_) | Item::Series(_)))?;
            let frame = match item(&found)? {
                Item::Table(frame) => frame.clone(),
                Item::Series(series) => series.to_frame(),
                item => return Err(at(&found, format!("a table is needed for .{format}, found a {}", item.kind()))),
            };
            frame_to_file(&frame, wanted, format, out)
        }
        _ if SEVERAL.contains(&format) => {
            let found = reader.find();
            let names = names(&found);
            let mut arrays = Vec::new();
            for (found, name) in found.iter().zip(names) {
                if found.alias_of.is_some() && format == "npz" {
                    continue;
                }
                match named(found, &name, wanted, format, &*loaded.source) {
                    Ok(more) => arrays.extend(more),
                    Err(Failed::Data(message)) if wanted.skip => note(&message),
                    Err(error) => return Err(error),
                }
            }
            if arrays.is_empty() {
                return Err(Failed::Data("there is no array or tensor".to_owned()));
            }
            arrays_to_file(&arrays, format, out)
        }
        _ => Err(unknown(format)),
    }
}

/// Writes arrays that have names.
pub(super) fn write_arrays(
    arrays: &[(String, NdArray<'static>)],
    wanted: Wanted<'_>,
    format: &str,
    out: &Path,
) -> Done {
    match format {
        "pkl" | "pickle" => super::python::write_arrays(arrays, wanted, out),
        "npy" => match arrays {
            [(_, array)] => to_file(out, |out| numpy::write_npy(array, out)),
            _ => Err(Failed::Data(format!("it holds {} arrays, and .npy one: use .npz", arrays.len()))),
        },
        _ if SEVERAL.contains(&format) => arrays_to_file(arrays, format, out),
        _ => Err(unknown(format)),
    }
}

/// Writes a table.
pub(super) fn write_frame(frame: &DataFrame<'_>, wanted: Wanted<'_>, format: &str, out: &Path) -> Done {
    if TABLES.contains(&format) { frame_to_file(frame, wanted, format, out) } else { Err(unknown(format)) }
}

fn frame_to_file(frame: &DataFrame<'_>, wanted: Wanted<'_>, format: &str, out: &Path) -> Done {
    let options = table::Options { index: wanted.index };
    to_file(out, |out| match format {
        "csv" => table::write_csv(frame, options, out),
        "jsonl" => table::write_jsonl(frame, options, out),
        #[cfg(feature = "tables")]
        "parquet" => table::write_parquet(frame, options, out),
        #[cfg(feature = "tables")]
        _ => table::write_ipc(frame, options, out),
        #[cfg(not(feature = "tables"))]
        _ => Err(Error::missing(format!("this program was built without the feature that writes .{format}"))),
    })
}

/// The item for a format that takes one: that at the path, or the only one in it.
fn only<'g>(
    reader: &Reader<'g, '_>,
    wanted: Wanted<'_>,
    format: &str,
    fits: impl Fn(&Item<'g>) -> bool,
) -> Result<Found<'g>, Failed> {
    let mut found = reader.find();
    if found.first().is_some_and(|first| first.path.is_root()) {
        return Ok(found.swap_remove(0));
    }
    found.retain(|found| found.alias_of.is_none() && found.item.as_ref().map_or(true, &fits));
    match (found.len(), found.pop()) {
        (1, Some(found)) => Ok(found),
        (count, _) => {
            let of = match (count, wanted.at) {
                (0, "") => {
                    return Err(Failed::Data(format!(
                        "nothing in it could become a .{format}; a .json takes any value"
                    )));
                }
                (0, at) => {
                    return Err(Failed::Data(format!(
                        "{at}: it could not become a .{format}; a .json takes any value"
                    )));
                }
                (_, "") => "choose one with --at".to_owned(),
                (_, at) => format!("--at {at} leads to all of them, give it the path of one"),
            };
            let message =
                format!("{count} things that could become a .{format}: {of} (`picklevm list` has their paths)");
            Err(Failed::Data(message))
        }
    }
}

fn at(found: &Found<'_>, message: String) -> Failed {
    let path = found.path.to_string();
    Failed::Data(if path.is_empty() { message } else { format!("{path}: {message}") })
}

fn item<'a, 'g>(found: &'a Found<'g>) -> Result<&'a Item<'g>, Failed> {
    found.item.as_ref().map_err(|error| at(found, error.to_string()))
}

/// An item as one array.
fn array_of<'g>(found: &Found<'g>, wanted: Wanted<'_>) -> Result<NdArray<'g>, Failed> {
    let array = match item(found)? {
        Item::Array(array) => array.clone(),
        Item::Scalar(scalar) => scalar.0.clone(),
        Item::Masked(masked) => {
            if masked.has_missing() {
                let message = "a masked array: the format has no place for what is masked";
                if !wanted.skip {
                    return Err(at(found, message.to_owned()));
                }
                note(&format!("{}: {message}", found.path));
            }
            masked.data().clone()
        }
        Item::Sparse(sparse) => sparse.to_dense().map_err(|error| at(found, error.to_string()))?,
        Item::Series(series) => column_array(found, series.column().values())?,
        Item::Index(index) => match index.levels() {
            [level] => column_array(found, level.values())?,
            _ => return Err(at(found, "a MultiIndex is no array".to_owned())),
        },
        other => return Err(at(found, format!("a {} is no array", other.kind()))),
    };
    match is_small(found, array.dtype()) {
        true => array.widened().map_err(|error| at(found, error.to_string())),
        false => Ok(array),
    }
}

/// Whether NumPy has no such floats, so that they are widened, which is said.
fn is_small(found: &Found<'_>, dtype: &numpy::DType) -> bool {
    let is_small = matches!(dtype.kind(), DTypeKind::Small(_));
    if is_small {
        note(&format!("{}: NumPy has no {}, every value is written as float32", found.path, dtype.name()));
    }
    is_small
}

fn column_array<'g>(found: &Found<'g>, values: &Values<'g>) -> Result<NdArray<'g>, Failed> {
    values.to_array().map_err(|error| at(found, error.to_string()))
}

/// The names of items: dotted, or where two would have one the path.
fn names(found: &[Found<'_>]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for item in found {
        let name = item.path.dotted();
        if !seen.insert(name.clone()) {
            twice.insert(name);
        }
    }
    let name = |found: &Found<'_>| match found.path.dotted() {
        _ if found.path.is_root() => "arr_0".to_owned(),
        name if twice.contains(&name) || name.is_empty() => found.path.to_string(),
        name => name,
    };
    found.iter().map(name).collect()
}

/// A name, and elements that may be read when they are written.
type Named<'a> = (String, Box<dyn Elements + 'a>);

/// The arrays that an item is written as: several of a quantized tensor and of a sparse matrix.
fn named<'a>(
    found: &'a Found<'a>,
    name: &str,
    wanted: Wanted<'_>,
    format: &str,
    source: &'a dyn Source,
) -> Result<Vec<Named<'a>>, Failed> {
    let fail = |error: Error| at(found, error.to_string());
    match item(found)? {
        Item::Tensor(tensor) => {
            if format == "safetensors"
                && let Some(parts) = tensor.quantized_parts()
            {
                let part = |(part, tensor): (&str, torch::Tensor<'a>)| {
                    (format!("{name}{part}"), Box::new(tensor.elements(source)) as Box<dyn Elements>)
                };
                return Ok(parts.into_iter().map(part).collect());
            }
            if format == "npz" {
                return Ok(vec![(name.to_owned(), npy_elements(found, tensor, source)?)]);
            }
            let elements = elements(found, tensor, source)?;
            if format == "safetensors" {
                torch::check_safetensors_type(elements.dtype()).map_err(fail)?;
            }
            Ok(vec![(name.to_owned(), Box::new(elements))])
        }
        Item::Sparse(sparse) if format == "npz" => {
            let mut all: Vec<Named<'_>> = Vec::new();
            let mut add = |part: &str, array: NdArray<'a>| all.push((format!("{name}.{part}"), Box::new(array)));
            for (part, array) in sparse.arrays().map_err(fail)? {
                add(part, array);
            }
            let shape = sparse.shape().iter().flat_map(|len| (*len as i64).to_le_bytes()).collect::<Vec<u8>>();
            let dtype = numpy::DType::parse("<i8").unwrap_or_else(|| sparse.dtype().clone());
            add("shape", NdArray::new(dtype, vec![sparse.shape().len()], shape).map_err(fail)?);
            let text = sparse.format().as_bytes().to_vec();
            let dtype = numpy::DType::parse("S3").unwrap_or_else(|| sparse.dtype().clone());
            add("format", NdArray::new(dtype, Vec::new(), text).map_err(fail)?);
            Ok(all)
        }
        Item::Sparse(_) => Err(at(found, format!("a sparse matrix has no form in .{format}"))),
        Item::Table(_) | Item::Series(_) | Item::Index(_) => {
            Err(at(found, format!("a {} has no form in .{format}", item(found)?.kind())))
        }
        _ if format == "npz" => {
            let array = array_of(found, wanted)?;
            numpy::check_npy_type(array.dtype()).map_err(fail)?;
            Ok(vec![(name.to_owned(), Box::new(array))])
        }
        other => {
            let array = match other {
                Item::Array(array) => array.clone(),
                Item::Scalar(scalar) => scalar.0.clone(),
                _ => array_of(found, wanted)?,
            };
            if format == "safetensors" {
                torch::check_safetensors_type(array.dtype()).map_err(fail)?;
            }
            Ok(vec![(name.to_owned(), Box::new(array))])
        }
    }
}

/// The elements of a tensor, if it has some.
fn elements<'a>(
    found: &Found<'_>,
    tensor: &torch::Tensor<'a>,
    source: &'a dyn Source,
) -> Result<torch::StoredTensor<'a, 'a>, Failed> {
    if let Some(why) = tensor.missing() {
        return Err(at(found, why.to_owned()));
    }
    tensor.check_expansion().map_err(|error| at(found, error.to_string()))?;
    Ok(tensor.elements(source))
}

/// The same in a type of NumPy.
fn npy_elements<'a>(
    found: &Found<'_>,
    tensor: &torch::Tensor<'a>,
    source: &'a dyn Source,
) -> Result<Box<dyn Elements + 'a>, Failed> {
    let fail = |error: Error| at(found, error.to_string());
    let elements = elements(found, tensor, source)?;
    if is_small(found, elements.dtype()) {
        return Ok(Box::new(Widened::new(elements).map_err(fail)?));
    }
    numpy::check_npy_type(elements.dtype()).map_err(fail)?;
    Ok(Box::new(elements))
}

fn arrays_to_file(arrays: &[(String, impl Elements)], format: &str, out: &Path) -> Done {
    let byte_len = |elements: &dyn Elements| {
        let size = elements.dtype().size() as u64;
        elements.shape().iter().fold(size, |len, axis| len.saturating_mul(*axis as u64))
    };
    progress::expect_bytes(arrays.iter().map(|(_, array)| byte_len(array)).fold(0, u64::saturating_add));
    to_file(out, |out| match format {
        "safetensors" => torch::write_safetensors(arrays, out),
        "npz" => numpy::write_npz(arrays.iter().map(|(name, array)| (&name[..], array)), out),
        _ => torch::write(arrays, out),
    })
}

/// Writes a file that appears when it is complete.
pub(super) fn to_file(path: &Path, write: impl FnOnce(&mut Output) -> Result<(), Error>) -> Done {
    let mut output = Output::create(path)?;
    write(&mut output)?;
    Ok(output.finish()?)
}
