//! Indexes: the labels of rows and columns.

use std::fmt;

use picklevm::Value;

use super::extension::{values_of, zone_text};
use super::manager::{label, sequence};
use super::values::{Column, Values};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::item::Reader;
use crate::names::{Form, form, form_of};

/// The labels of rows or columns.
#[derive(Clone)]
pub struct Index<'g> {
    pub(crate) kind: IndexKind,
    pub(crate) levels: Vec<Column<'g>>,
    pub(crate) len: usize,
}

/// The kind of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexKind {
    /// Numbers with one distance: pandas' `RangeIndex`.
    Range,
    /// Any values.
    Plain,
    /// Tuples of values: pandas' `MultiIndex`.
    Multi,
}

impl<'g> Index<'g> {
    /// The numbers from 0, without a name.
    pub fn range(len: usize) -> Index<'g> {
        let values = Values::Range { start: 0, step: 1, len };
        Index { kind: IndexKind::Range, levels: vec![Column::new(Cell::Null, values)], len }
    }

    /// An index of one or more levels.
    ///
    /// # Errors
    ///
    /// If there is none, or they are not of one length.
    pub fn new(levels: Vec<Column<'g>>) -> Result<Index<'g>> {
        let kind = match &levels[..] {
            [only] if matches!(only.values(), Values::Range { .. }) => IndexKind::Range,
            [_] => IndexKind::Plain,
            _ => IndexKind::Multi,
        };
        let len = levels.first().map(Column::len).ok_or_else(|| Error::malformed("an index without levels"))?;
        if levels.iter().any(|level| level.len() != len) {
            return Err(Error::malformed("an index whose levels are not of one length"));
        }
        Ok(Index { kind, levels, len })
    }

    /// Returns the kind.
    pub fn kind(&self) -> IndexKind {
        self.kind
    }

    /// The levels: one, but of a `MultiIndex`.
    pub fn levels(&self) -> &[Column<'g>] {
        &self.levels
    }

    /// Returns the number of labels.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns whether it is a range from 0 without a name: the default index of a frame.
    pub fn is_default(&self) -> bool {
        match &self.levels[..] {
            [level] => matches!(level.values(), Values::Range { start: 0, step: 1, .. }) && level.name().is_none(),
            _ => false,
        }
    }

    /// The label at a position: a list of several in a `MultiIndex`.
    pub fn cell(&self, at: usize) -> Result<Cell<'g>> {
        match (&self.levels[..], self.kind) {
            ([level], IndexKind::Range | IndexKind::Plain) => match level.owned_cell(at)? {
                // The missing text of pandas 3 is NaN.
                Cell::Null if level.values.dtype() == "str" => Ok(Cell::Float(f64::NAN)),
                cell => Ok(cell),
            },
            (levels, _) => Ok(Cell::List(levels.iter().map(|level| level.owned_cell(at)).collect::<Result<_>>()?)),
        }
    }

    /// The index that a value is.
    pub(crate) fn read(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<Index<'g>> {
        let args = value.as_object().map(|object| object.args());
        let (Some(Form::NewIndex | Form::NewDatetimeIndex | Form::NewPeriodIndex), Some(args)) = (form(value), args)
        else {
            return Err(Error::expected("an index of pandas", value));
        };
        let (Some(class), Some(parts)) = (args.get(0), args.get(1)) else {
            return Err(Error::malformed("an index without its parts"));
        };
        let part = |name: &str| parts.get(name).filter(|part| !part.is_none());
        let name = part("name").map_or(Cell::Null, label);
        let plain = |values: Values<'g>| Index::new(vec![Column::new(name.clone(), values)]);
        match form_of(class) {
            Some(Form::RangeIndex) => {
                let number = |key: &str| part(key).and_then(Value::as_i64);
                let (Some(start), Some(stop)) = (number("start"), number("stop")) else {
                    return Err(Error::malformed("a RangeIndex without its ends"));
                };
                plain(range(start, stop, number("step").unwrap_or(1))?)
            }
            Some(Form::MultiIndex) => multi(parts, reader),
            Some(Form::IntervalIndex) if part("left").is_some() => {
                let (Some(left), Some(right)) = (part("left"), part("right")) else {
                    return Err(Error::malformed("an IntervalIndex without its ends"));
                };
                let closed = part("closed").map_or("right".to_owned(), crate::numpy_text);
                plain(Values::interval(values_of(left, reader)?, values_of(right, reader)?, closed))
            }
            Some(Form::CategoricalIndex) if part("categories").is_some() && part("codes").is_some() => {
                let (Some(codes), Some(categories)) = (part("codes"), part("categories")) else { unreachable!() };
                let ordered = part("ordered").and_then(Value::as_bool) == Some(true);
                plain(Values::category(values_of(codes, reader)?, values_of(categories, reader)?, ordered)?)
            }
            Some(Form::PeriodIndex) if part("ordinal").is_some() || part("freq").is_some() => {
                let data =
                    part("ordinal").or(part("data")).ok_or_else(|| Error::malformed("a PeriodIndex without data"))?;
                let values = match values_of(data, reader)? {
                    Values::Array(array) => Values::Period { array, freq: super::periods::Freq::of(part("freq")) },
                    values => values,
                };
                plain(values)
            }
            class => {
                let data = part("data").ok_or_else(|| Error::malformed("an index without data"))?;
                let values = match (class, values_of(data, reader)?, part("tz")) {
                    (Some(Form::DatetimeIndex), Values::Array(array), Some(zone)) => {
                        Values::Zoned { array, zone: zone_text(zone)? }
                    }
                    (_, values, _) => values,
                };
                plain(values)
            }
        }
    }
}

/// The values of a `RangeIndex`.
pub(crate) fn range<'g>(start: i64, stop: i64, step: i64) -> Result<Values<'g>> {
    let span = i128::from(stop) - i128::from(start);
    let len = match step {
        0 => return Err(Error::malformed("a RangeIndex with the step 0")),
        1.. => (span + i128::from(step) - 1).div_euclid(i128::from(step)).max(0),
        ..0 => (-span - i128::from(step) - 1).div_euclid(-i128::from(step)).max(0),
    };
    let len = usize::try_from(len).map_err(|_| Error::malformed("a RangeIndex longer than memory"))?;
    Ok(Values::Range { start, step, len })
}

/// A `MultiIndex`: distinct values for each level, and codes that say which.
fn multi<'g>(parts: Value<'g>, reader: &Reader<'g, '_>) -> Result<Index<'g>> {
    let bad = || Error::malformed("a MultiIndex without levels and codes");
    let levels = sequence(parts.get("levels").ok_or_else(bad)?);
    let codes = sequence(parts.get("codes").or(parts.get("labels")).ok_or_else(bad)?);
    let names = parts.get("names").map(sequence);
    if levels.len() != codes.len() {
        return Err(bad());
    }
    let mut columns = Vec::with_capacity(levels.len());
    for (at, (level, codes)) in levels.zip(codes).enumerate() {
        let class = level.as_object().and_then(|object| object.args().get(0)).and_then(form_of);
        if class == Some(Form::MultiIndex) {
            return Err(Error::malformed("a level of a MultiIndex that is one itself"));
        }
        reader.count_parts(1)?;
        let index = Index::read(level, reader)?;
        let [level] = &index.levels[..] else {
            return Err(Error::malformed("a level of a MultiIndex that is one itself"));
        };
        let name = names.and_then(|names| names.get(at)).map_or(level.name.clone(), label);
        columns.push(Column::new(name, Values::taken(values_of(codes, reader)?, level.values.clone())?));
    }
    let index = Index::new(columns)?;
    Ok(Index { kind: IndexKind::Multi, ..index })
}

impl fmt::Debug for Index<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("kind", &self.kind).field("levels", &self.levels).finish_non_exhaustive()
    }
}
