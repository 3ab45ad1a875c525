//! Adding items to lists, sets, dicts and objects that are used like them.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet};

use super::builder::PyBuilder;
use crate::value::Ref;

/// Number of keys added to a dict or set between two checks of the time.
const HASHED: usize = 512;

impl<'py> PyBuilder<'py> {
    pub(super) fn append_to(&self, target: &Bound<'py, PyAny>, items: &mut [Ref]) -> PyResult<()> {
        // Since 3.15 the target is looked at even if there are no items.
        if items.is_empty() && self.state.minor < 15 {
            return Ok(());
        }
        if let Ok(list) = target.cast_exact::<PyList>() {
            if let [item] = items {
                return list.append(self.bind(item));
            }
            let len = list.len();
            return list.set_slice(len, len, PyList::new(self.py, self.take(items))?.as_any());
        }
        if let Some(extend) = target.getattr_opt(intern!(self.py, "extend"))? {
            return extend.call1((PyList::new(self.py, self.take(items))?,)).map(drop);
        }
        let append = target.getattr(intern!(self.py, "append"))?;
        self.take(items).try_for_each(|item| append.call1((item,)).map(drop))
    }

    pub(super) fn add_to(&self, target: &Bound<'py, PyAny>, items: &[Ref]) -> PyResult<()> {
        if items.is_empty() && self.state.minor < 15 {
            return Ok(());
        }
        if let Ok(set) = target.cast::<PySet>() {
            return items.chunks(HASHED).try_for_each(|items| {
                self.check_time()?;
                items.iter().try_for_each(|item| set.add(self.bind(item)))
            });
        }
        let add = target.getattr(intern!(self.py, "add"))?;
        items.iter().try_for_each(|item| add.call1((self.bind(item),)).map(drop))
    }

    pub(super) fn store(&self, target: &Bound<'py, PyAny>, pairs: &[Ref]) -> PyResult<()> {
        if let Ok(dict) = target.cast_exact::<PyDict>() {
            return pairs.chunks(2 * HASHED).try_for_each(|pairs| {
                self.check_time()?;
                pairs.chunks_exact(2).try_for_each(|pair| dict.set_item(self.bind(&pair[0]), self.bind(&pair[1])))
            });
        }
        pairs.chunks_exact(2).try_for_each(|pair| target.set_item(self.bind(&pair[0]), self.bind(&pair[1])))
    }
}
