//! Masked arrays: data, and which of them are missing.

use picklevm::Value;
use picklevm::typed::View;

use super::array::{Layout, NdArray};
use super::dtype::{ByteOrder, DType, DTypeKind, Field};
use super::read::{dtype_of, of_parts, shape_of};
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::names::{Form, form};

/// An array of `numpy.ma`: data, and a mask that says which are missing.
#[derive(Clone, Debug)]
pub struct MaskedArray<'g> {
    data: NdArray<'g>,
    mask: NdArray<'g>,
    fill_value: Option<Value<'g>>,
}

impl<'g> MaskedArray<'g> {
    /// The masked array that a value is.
    ///
    /// # Errors
    ///
    /// If it is none, or contradicts itself.
    pub fn from_value(value: Value<'g>) -> Result<MaskedArray<'g>> {
        match form(value) {
            Some(Form::MaskedReconstruct) => {}
            // `numpy.ma.masked`: one missing float.
            Some(Form::MaskedConstant) => {
                let data = NdArray::new(DType::known("float64"), Vec::new(), vec![0; 8])?;
                let mask = NdArray::new(DType::known("bool"), Vec::new(), vec![1])?;
                return Ok(MaskedArray { data, mask, fill_value: None });
            }
            _ => return Err(Error::expected("a masked array", value)),
        }
        let state = value.as_object().and_then(|object| object.state());
        // A subclass keeps the state inside of its own.
        let state = match state.map(|state| (state, state.items().get(0))) {
            Some((_, Some(inner))) if inner.as_tuple().is_some_and(|inner| inner.len() == 7) => Some(inner),
            _ => state,
        };
        let parts = state.and_then(|state| state.items().as_array());
        let Some([_, shape, dtype, fortran, data, mask, fill_value]) = parts else {
            return Err(Error::malformed("the state of a masked array has not seven items"));
        };
        let (shape, dtype) = (shape_of(shape)?, dtype_of(dtype)?);
        let layout = if fortran.as_bool() == Some(true) { Layout::Fortran } else { Layout::C };
        let mask = of_parts(mask_type(&dtype), shape.clone(), layout, mask).map_err(|error| error.inside("mask"))?;
        let data = of_parts(dtype, shape, layout, data)?;
        Ok(MaskedArray { data, mask, fill_value: Some(fill_value).filter(|fill| !fill.is_none()) })
    }

    /// All data, those that are masked too.
    pub fn data(&self) -> &NdArray<'g> {
        &self.data
    }

    /// For each element whether it is missing: booleans, or records of them.
    pub fn mask(&self) -> &NdArray<'g> {
        &self.mask
    }

    /// What stands for what is missing, if the array has a value of its own for that.
    pub fn fill_value(&self) -> Option<Value<'g>> {
        self.fill_value
    }

    pub(crate) fn into_data(self) -> NdArray<'g> {
        self.data
    }

    /// Whether anything is missing.
    pub fn has_missing(&self) -> bool {
        match self.mask.bytes() {
            Some(bytes) => bytes.iter().any(|byte| *byte != 0),
            None => self.mask.cells().any(|cell| cell.map_or(true, |cell| is_masked(&cell))),
        }
    }

    /// The elements in C order; those that are masked are null.
    pub fn cells(&self) -> impl Iterator<Item = Result<Cell<'_>>> + '_ {
        self.data.cells().zip(self.mask.cells()).map(|(cell, mask)| Ok(masked(cell?, &mask?)))
    }
}

fn is_masked(mask: &Cell<'_>) -> bool {
    match mask {
        Cell::Bool(mask) => *mask,
        Cell::Record(fields) => fields.iter().any(|(_, mask)| is_masked(mask)),
        Cell::List(items) => items.iter().any(is_masked),
        _ => false,
    }
}

/// A cell without what a mask of its form hides.
fn masked<'a>(cell: Cell<'a>, mask: &Cell<'_>) -> Cell<'a> {
    match (cell, mask) {
        (_, Cell::Bool(true)) => Cell::Null,
        (Cell::Record(fields), Cell::Record(masks)) => Cell::Record(
            fields.into_iter().zip(masks).map(|((name, cell), (_, mask))| (name, masked(cell, mask))).collect(),
        ),
        (Cell::List(items), Cell::List(masks)) => {
            Cell::List(items.into_iter().zip(masks).map(|(cell, mask)| masked(cell, mask)).collect())
        }
        (cell, _) => cell,
    }
}

/// The type of the mask of an array: a boolean in the place of each number.
fn mask_type(dtype: &DType) -> DType {
    match &dtype.kind {
        DTypeKind::Record { fields, .. } => {
            let mut size = 0;
            let fields = fields
                .iter()
                .map(|field| {
                    let dtype = mask_type(&field.dtype);
                    let offset = size;
                    size += dtype.size;
                    Field { name: field.name.clone(), title: field.title.clone(), offset, dtype }
                })
                .collect();
            DType { kind: DTypeKind::Record { fields, aligned: false }, size, order: ByteOrder::None }
        }
        DTypeKind::Subarray { base, shape } => {
            let base = mask_type(base);
            let size = shape.iter().product::<usize>() * base.size;
            let kind = DTypeKind::Subarray { base: Box::new(base), shape: shape.clone() };
            DType { kind, size, order: ByteOrder::None }
        }
        _ => DType::known("bool"),
    }
}

/// The masked array, where `None` says nothing about the reason; see [`MaskedArray::from_value`].
impl<'g> View<'g> for MaskedArray<'g> {
    const EXPECTED: &'static str = "a masked array of NumPy";

    fn view(value: Value<'g>) -> Option<Self> {
        MaskedArray::from_value(value).ok()
    }
}
