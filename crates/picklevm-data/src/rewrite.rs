//! A pickle with each array and table in the form that every version of its library reads.

use std::collections::HashMap;

use picklevm::{Graph, Id, Value};

use crate::error::Result;
use crate::item::{Item, Reader};
use crate::numpy::{self, MaskedArray, NdArray};
use crate::pandas;

/// Makes the arrays, scalars, masked arrays, frames, series and indexes that `reader` finds anew in `graph`, a clone of the
/// graph that it reads, in the oldest form that every version reads. Returns which value is to be written as which:
/// for [`Pickler::reducer_override`](picklevm::Pickler::reducer_override).
///
/// The cure for "No module named numpy._core", and for frames that another version of pandas wrote. Tensors stay as they
/// are. With `skip`, so does what cannot be made anew, which otherwise is an error.
///
/// # Errors
///
/// If an item has no such form, with its path.
pub fn rewrite_items(reader: &Reader<'_, '_>, graph: &mut Graph, skip: bool) -> Result<HashMap<Id, Id>> {
    let mut replaced = HashMap::new();
    for found in reader.find() {
        let id = found.id;
        if replaced.contains_key(&id) {
            continue;
        }
        let made = found.item.and_then(|item| match item {
            Item::Array(array) => numpy::to_python(&array, graph).map(Some),
            Item::Scalar(scalar) => scalar.0.to_scalar(graph).map(Some),
            Item::Masked(masked) => to_masked(&masked, graph).map(Some),
            Item::Table(frame) => pandas::frame_to_python(&frame, graph).map(Some),
            Item::Series(series) => pandas::series_to_python(&series, graph).map(Some),
            Item::Index(index) => pandas::index_to_python(&index, graph).map(Some),
            _ => Ok(None),
        });
        match made {
            Ok(Some(new)) => {
                replaced.insert(id, new);
            }
            Ok(None) => {}
            Err(_) if skip => {}
            Err(error) => return Err(error.at(&found.path)),
        }
    }
    Ok(replaced)
}

/// `numpy.ma.core._mareconstruct(MaskedArray, ndarray, (0,), b'b')` and its state of seven items.
fn to_masked(masked: &MaskedArray<'_>, graph: &mut Graph) -> Result<Id> {
    let data = numpy::to_python(masked.data(), graph)?;
    let mask = masked.mask().to_bytes(numpy::native_order())?;
    let fill = match masked.fill_value().map(|fill| (fill, NdArray::from_value(fill))) {
        Some((_, Ok(array))) => numpy::to_python(&array, graph)?,
        Some((value, Err(_))) => value.id(),
        None => graph.add(()),
    };
    let classes = [graph.global("numpy.ma.core", "MaskedArray"), graph.global("numpy", "ndarray")];
    let (empty, letter) = (graph.tuple([0]), graph.bytes(b"b"));
    let parts: Vec<Id> = graph
        .value(data)
        .as_object()
        .and_then(|object| object.state())
        .map(|state| state.items().map(Value::id).collect())
        .unwrap_or_default();
    let mask = graph.add(mask);
    let state = graph.tuple(parts.into_iter().chain([mask, fill]));
    let call = graph.call("numpy.ma.core", "_mareconstruct").args([classes[0], classes[1], empty, letter]);
    call.state(state).build().map_err(numpy::build_error)
}
