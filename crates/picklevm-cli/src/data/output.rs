//! Arrays, tables and tensors into the formats that are no pickles.

use std::collections::HashSet;
use std::path::Path;

use picklevm_data::files::Loaded;
use picklevm_data::numpy::{self, DTypeKind, NdArray};
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
            let found = only(&reader, format, |item| !matches!(item, Item::Table(_)))?;
            let array = array_of(&found, wanted, &*loaded.source)?;
            to_file(out, |out| numpy::write_npy(&array, out))
        }
        _ if TABLES.contains(&format) => {
            let found = only(&reader, format, |item| matches!(item, Item::Table(_) | Item::Series(_)))?;
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
            lazy_arrays_to_file(&arrays, format, out)
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
        _ if SEVERAL.contains(&format) => {
            let lazy: Vec<_> = arrays.iter().map(|(name, array)| Named::ready(name.clone(), array.clone())).collect();
            lazy_arrays_to_file(&lazy, format, out)
        }
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
fn only<'g>(reader: &Reader<'g, '_>, format: &str, fits: impl Fn(&Item<'g>) -> bool) -> Result<Found<'g>, Failed> {
    let mut found = reader.find();
    if found.first().is_some_and(|first| first.path.is_root()) {
        return Ok(found.swap_remove(0));
    }
    found.retain(|found| found.alias_of.is_none() && found.item.as_ref().map_or(true, &fits));
    match (found.len(), found.pop()) {
        (1, Some(found)) => Ok(found),
        (count, _) => Err(Failed::Data(format!(
            "{count} things that could become a .{format}: choose one with --at (`picklevm list` has their paths)"
        ))),
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
fn array_of<'g>(found: &Found<'g>, wanted: Wanted<'_>, source: &dyn Source) -> Result<NdArray<'g>, Failed> {
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
        Item::Tensor(tensor) => tensor.to_array(source).map_err(|error| at(found, error.to_string()))?,
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

/// An array that is read when it is written.
struct Named<'a, 'g> {
    name: String,
    dtype: numpy::DType,
    shape: Vec<usize>,
    get: Box<dyn Fn() -> Result<NdArray<'g>, Error> + 'a>,
}

impl<'a, 'g: 'a> Named<'a, 'g> {
    fn ready(name: String, array: NdArray<'g>) -> Named<'a, 'g> {
        let (dtype, shape) = (array.dtype().clone(), array.shape().to_vec());
        Named { name, dtype, shape, get: Box::new(move || Ok(array.clone())) }
    }
}

/// The arrays that an item is written as: several of a quantized tensor and of a sparse matrix.
fn named<'a, 'g: 'a>(
    found: &'a Found<'g>,
    name: &str,
    wanted: Wanted<'_>,
    format: &str,
    source: &'a dyn Source,
) -> Result<Vec<Named<'a, 'g>>, Failed> {
    let fail = |error: Error| at(found, error.to_string());
    match item(found)? {
        Item::Tensor(tensor) => {
            if format == "safetensors"
                && let Some(parts) = tensor.quantized_parts(source).map_err(fail)?
            {
                return Ok(parts
                    .into_iter()
                    .map(|(part, array)| Named::ready(format!("{name}{part}"), array))
                    .collect());
            }
            if let Some(why) = tensor.missing() {
                return Err(at(found, why.to_owned()));
            }
            let dtype = tensor.value_dtype();
            let widens = format == "npz" && is_small(found, &dtype);
            match format {
                "safetensors" => torch::check_safetensors_type(&dtype).map_err(fail)?,
                "npz" if !widens => numpy::check_npy_type(&dtype).map_err(fail)?,
                _ => {}
            }
            tensor.check_expansion().map_err(fail)?;
            let get = Box::new(move || match tensor.to_array(source)? {
                array if widens => array.widened(),
                array => Ok(array),
            });
            Ok(vec![Named { name: name.to_owned(), dtype, shape: tensor.shape().to_vec(), get }])
        }
        Item::Sparse(sparse) if format == "npz" => {
            let mut all: Vec<_> = sparse
                .arrays()
                .map_err(fail)?
                .into_iter()
                .map(|(part, array)| Named::ready(format!("{name}.{part}"), array))
                .collect();
            let shape = sparse.shape().iter().flat_map(|len| (*len as i64).to_le_bytes()).collect::<Vec<u8>>();
            let dtype = numpy::DType::parse("<i8").unwrap_or_else(|| sparse.dtype().clone());
            all.push(Named::ready(
                format!("{name}.shape"),
                NdArray::new(dtype, vec![sparse.shape().len()], shape).map_err(fail)?,
            ));
            let text = sparse.format().as_bytes().to_vec();
            let dtype = numpy::DType::parse("S3").unwrap_or_else(|| sparse.dtype().clone());
            all.push(Named::ready(format!("{name}.format"), NdArray::new(dtype, Vec::new(), text).map_err(fail)?));
            Ok(all)
        }
        Item::Sparse(_) => Err(at(found, format!("a sparse matrix has no form in .{format}"))),
        Item::Table(_) | Item::Series(_) | Item::Index(_) => {
            Err(at(found, format!("a {} has no form in .{format}", item(found)?.kind())))
        }
        _ if format == "npz" => {
            let array = array_of(found, wanted, source)?;
            check_npy(&array).map_err(fail)?;
            Ok(vec![Named::ready(name.to_owned(), array)])
        }
        other => {
            let array = match other {
                Item::Array(array) => array.clone(),
                Item::Scalar(scalar) => scalar.0.clone(),
                _ => array_of(found, wanted, source)?,
            };
            if format == "safetensors" {
                torch::check_safetensors_type(array.dtype()).map_err(fail)?;
            }
            Ok(vec![Named::ready(name.to_owned(), array)])
        }
    }
}

fn check_npy(array: &NdArray<'_>) -> Result<(), Error> {
    numpy::check_npy_type(array.dtype())
}

fn lazy_arrays_to_file(arrays: &[Named<'_, '_>], format: &str, out: &Path) -> Done {
    let about: Vec<_> =
        arrays.iter().map(|named| (named.name.clone(), named.dtype.clone(), named.shape.clone())).collect();
    let get = |at: usize| (arrays[at].get)();
    let byte_len = |named: &Named<'_, '_>| {
        named.shape.iter().fold(named.dtype.size() as u64, |len, axis| len.saturating_mul(*axis as u64))
    };
    progress::expect_bytes(arrays.iter().map(byte_len).fold(0, u64::saturating_add));
    to_file(out, |out| match format {
        "safetensors" => torch::write_safetensors(&about, get, out),
        "npz" => numpy::write_npz_each(arrays.iter().map(|named| (&named.name[..], (named.get)())), out),
        _ => torch::write_each(&about, get, out),
    })
}

/// Writes a file that appears when it is complete.
pub(super) fn to_file(path: &Path, write: impl FnOnce(&mut Output) -> Result<(), Error>) -> Done {
    let mut output = Output::create(path)?;
    write(&mut output)?;
    Ok(output.finish()?)
}
