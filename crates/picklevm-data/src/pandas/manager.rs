//! Block managers: where a frame keeps its columns, in blocks of one type.

use picklevm::typed::{InstanceView, Slice};
use picklevm::{Items, Kind, Value};

use super::extension::values_of;
use super::index::Index;
use super::values::{Column, Values};
use super::{DataFrame, Series};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::item::Reader;
use crate::numpy::NdArray;

/// A block: values of several columns, and which columns these are.
struct Block<'g> {
    values: Value<'g>,
    placement: Value<'g>,
}

/// The axes and the blocks of a manager.
struct Manager<'g> {
    axes: Vec<Value<'g>>,
    blocks: Vec<Block<'g>>,
}

/// The attribute of one of several names that versions have for it.
pub(crate) fn attr<'g>(value: Value<'g>, names: &[&str]) -> Option<Value<'g>> {
    if let Ok(instance) = value.view::<InstanceView<'_>>() {
        return names.iter().find_map(|name| instance.attr(name));
    }
    names.iter().find_map(|name| value.attr(name))
}

pub(super) fn frame<'g>(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<DataFrame<'g>> {
    let manager = manager_of(value)?;
    let [columns, rows] = manager.axes[..] else {
        return Err(Error::malformed(format!("a frame with {} axes", manager.axes.len())));
    };
    let labels = Index::read(columns, reader).map_err(|error| error.inside("column labels"))?;
    let index = Index::read(rows, reader).map_err(|error| error.inside("index"))?;
    // An index may claim any length.
    reader.count_parts(labels.len())?;
    let mut columns: Vec<Option<Values<'g>>> = vec![None; labels.len()];
    for block in &manager.blocks {
        let values = values_of(block.values, reader)?;
        let places = placement(block.placement, columns.len())?;
        if values.width() != places.len() {
            let message = format!("a block of {} columns at {} places", values.width(), places.len());
            return Err(Error::malformed(message));
        }
        for (at, place) in places.into_iter().enumerate() {
            let column = columns.get_mut(place).filter(|column| column.is_none());
            let Some(column) = column else {
                return Err(Error::malformed(format!("two blocks or none for the column {place}")));
            };
            *column = Some(values.column(at)?);
        }
    }
    let named = columns.into_iter().enumerate().map(|(at, values)| {
        let name = labels.cell(at)?;
        let values = values.ok_or_else(|| Error::malformed(format!("no block has the column {at}")))?;
        Ok(Column::new(name, values))
    });
    let mut frame = DataFrame::new(named.collect::<Result<_>>()?, index)?;
    frame.label_names = labels.levels.into_iter().map(|level| level.name).collect();
    Ok(frame)
}

pub(super) fn series<'g>(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<Series<'g>> {
    let manager = manager_of(value)?;
    let ([axis], [block]) = (&manager.axes[..], &manager.blocks[..]) else {
        return Err(Error::malformed("a series that has not one axis and one block"));
    };
    let values = values_of(block.values, reader)?;
    let name = attr(value, &["_name", "name"]).map_or(Cell::Null, label);
    Series::new(Column::new(name, values), Index::read(*axis, reader)?)
}

/// A label: a value, or a tuple of them.
pub(super) fn label(value: Value<'_>) -> Cell<'_> {
    match value.as_tuple() {
        Some(items) => Cell::List(items.map(crate::text::resolve).collect()),
        None => crate::text::resolve(value),
    }
}

fn manager_of<'g>(value: Value<'g>) -> Result<Manager<'g>> {
    let manager = attr(value, &["_mgr", "_data"]);
    let manager = manager.ok_or_else(|| Error::malformed("a frame or series without a block manager"))?;
    let object = manager.as_object().ok_or_else(|| Error::expected("a block manager", manager))?;
    let bad = || Error::unsupported("a block manager of a form that pandas 0.20 to 3.1 does not have");
    // 0.14.1 to 1.2, and series to this day: a state with a dict of its form.
    if let Some(state) = object.state() {
        let form = state.items().get(3).and_then(|forms| forms.get("0.14.1"));
        let (axes, blocks) = match form {
            Some(form) => (form.get("axes").ok_or_else(bad)?, form.get("blocks").ok_or_else(bad)?),
            None => return Err(bad()),
        };
        let block = |block: Value<'g>| Some(Block { values: block.get("values")?, placement: block.get("mgr_locs")? });
        return Ok(Manager {
            axes: sequence(axes).collect(),
            blocks: sequence(blocks).map(|value| block(value).ok_or_else(bad)).collect::<Result<_>>()?,
        });
    }
    // Since 1.3: blocks and axes as arguments; each block is a call, with the values and the places first.
    let (Some(blocks), Some(axes)) = (object.args().get(0), object.args().get(1)) else { return Err(bad()) };
    let block = |value: Value<'g>| {
        let args = value.view::<InstanceView<'_>>().ok()?.args();
        Some(Block { values: args.get(0)?, placement: args.get(1)? })
    };
    let blocks: Vec<Value<'g>> = if blocks.as_object().is_some() { vec![blocks] } else { sequence(blocks).collect() };
    Ok(Manager {
        axes: sequence(axes).collect(),
        blocks: blocks.into_iter().map(|value| block(value).ok_or_else(bad)).collect::<Result<_>>()?,
    })
}

/// The items of a list, a tuple, or an object made of one: pandas' `FrozenList`.
pub(super) fn sequence<'g>(value: Value<'g>) -> Items<'g> {
    match value.kind() {
        Kind::Object(object) => match object.args().get(0) {
            Some(inner) if inner.as_list().is_some() || inner.as_tuple().is_some() => inner.items(),
            _ => value.view::<InstanceView<'_>>().map_or(value.items(), |instance| instance.items()),
        },
        _ => value.items(),
    }
}

/// The positions of a block's columns, of so many that there are.
fn placement(value: Value<'_>, columns: usize) -> Result<Vec<usize>> {
    let bad = || Error::malformed("the places of a block are no columns");
    if let Ok(slice) = value.view::<Slice<'_>>() {
        let number = |value: Value<'_>| if value.is_none() { None } else { value.as_i64() };
        let step = number(slice.step).unwrap_or(1);
        let (first, end) = (number(slice.start), number(slice.stop));
        let columns = i64::try_from(columns).unwrap_or(i64::MAX);
        let (mut at, end) = match step {
            1.. => (first.unwrap_or(0), end.unwrap_or(columns).min(columns)),
            ..0 => (first.unwrap_or(columns - 1), end.unwrap_or(-1).max(-1)),
            0 => return Err(bad()),
        };
        let mut places = Vec::new();
        while if step > 0 { at < end } else { at > end } {
            places.push(usize::try_from(at).ok().filter(|at| (*at as i64) < columns).ok_or_else(bad)?);
            at = at.checked_add(step).ok_or_else(bad)?;
        }
        return Ok(places);
    }
    let of_cell = |cell: Result<Cell<'_>>| cell?.as_i64().and_then(|at| usize::try_from(at).ok()).ok_or_else(bad);
    match value.kind() {
        Kind::List(items) | Kind::Tuple(items) => items.map(|item| of_cell(Ok(crate::text::resolve(item)))).collect(),
        Kind::Object(object) => match NdArray::from_value(value) {
            Ok(array) => array.cells().map(of_cell).collect(),
            // `BlockPlacement(slice)`.
            Err(error) => match object.args().get(0) {
                Some(inner) if inner.id() != value.id() && inner.as_object().is_some() && !is_placement(inner) => {
                    placement(inner, columns)
                }
                _ => Err(error),
            },
        },
        _ => Err(bad()),
    }
}

fn is_placement(value: Value<'_>) -> bool {
    value
        .as_object()
        .is_some_and(|object| object.class().as_global().is_some_and(|class| class.name() == "BlockPlacement"))
}
