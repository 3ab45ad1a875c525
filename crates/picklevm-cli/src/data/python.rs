//! Arrays and tables into pickles that every version of NumPy and pandas reads.

use std::path::Path;

use picklevm::{Graph, Pickler, Protocol};
use picklevm_data::files::Loaded;
use picklevm_data::numpy::{self, NdArray};
use picklevm_data::pandas::{self, DataFrame};
use picklevm_data::{Error, Reader, rewrite_items};

use super::convert::Wanted;
use super::output::Failed;
use crate::failure::Failure;
use crate::output::Output;

type Done = Result<(), Failed>;

fn pickler(wanted: Wanted<'_>) -> Pickler {
    Pickler::new().protocol(wanted.protocol.unwrap_or(Protocol::V4))
}

fn dump(graph: &Graph, pickler: &Pickler, path: &Path) -> Done {
    let mut out = Output::create(path)?;
    pickler.dump(graph.root(), &mut out).map_err(|error| Failure::data(&path.display().to_string(), error))?;
    Ok(out.finish()?)
}

/// Writes a pickle again, with each array and table in the form that every version reads.
pub(super) fn rewrite(loaded: &Loaded, wanted: Wanted<'_>, path: &Path) -> Done {
    let value =
        loaded.reader().at(wanted.at).ok_or_else(|| Failed::Data(format!("there is nothing at {}", wanted.at)))?;
    let mut graph = loaded.graph.clone();
    let reader = Reader::new(value, &*loaded.source).with_roots(loaded.graph.roots());
    let replaced = rewrite_items(&reader, &mut graph, wanted.skip)?;
    graph.set_root(value.id());
    let pickler = pickler(wanted).reducer_override(move |value| Ok(replaced.get(&value.this().id()).copied()));
    dump(&graph, &pickler, path)
}

/// Writes a frame as a pickle.
pub(super) fn write_frame(frame: &DataFrame<'_>, wanted: Wanted<'_>, path: &Path) -> Done {
    let mut graph = Graph::new();
    let root = pandas::frame_to_python(frame, &mut graph)?;
    graph.set_root(root);
    dump(&graph, &pickler(wanted), path)
}

/// Writes arrays as a dict.
pub(super) fn write_arrays(arrays: &[(String, NdArray<'static>)], wanted: Wanted<'_>, path: &Path) -> Done {
    let mut graph = Graph::new();
    let mut pairs = Vec::with_capacity(arrays.len());
    for (name, array) in arrays {
        let array =
            numpy::to_python(array, &mut graph).map_err(|error: Error| Failed::Data(format!("{name}: {error}")))?;
        pairs.push((graph.add(&name[..]), array));
    }
    let root = graph.dict(pairs).map_err(|error| Failed::Data(error.to_string()))?;
    graph.set_root(root);
    dump(&graph, &pickler(wanted), path)
}
