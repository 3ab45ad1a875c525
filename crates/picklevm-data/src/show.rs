//! Arrays, tables and tensors as text for people: for [`Pretty::objects`](picklevm::pretty::Pretty::objects).

use std::fmt::{self, Write};

use picklevm::Value;

use crate::item::{Item, Reader, SelfContained};
use crate::numpy::NdArray;

/// Whether a value is an array, a table or a tensor that can be read.
pub fn claims(value: Value<'_>) -> bool {
    matches!(Reader::new(value, &SelfContained).item(value), Some((_, Ok(_))))
}

/// Writes an array, a table or a tensor in short: `array(shape=(3, 4), dtype=int64, [[0, 1, …], …])`.
///
/// # Errors
///
/// Those of `out`.
///
/// ```
/// let graph = picklevm::loads(include_bytes!("../../../tests/data/arrays/f4.pkl"))?;
/// let pretty = graph.root().pretty().objects(picklevm_data::show::claims, picklevm_data::show::write);
/// assert_eq!(pretty.to_string(), "array(shape=(2, 3), dtype=float32, [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn write(value: Value<'_>, out: &mut dyn Write) -> fmt::Result {
    match Reader::new(value, &SelfContained).item(value) {
        Some((_, Ok(item))) => write!(out, "{item}"),
        _ => write!(out, "{value:?}"),
    }
}

struct Elements<'a, 'g>(&'a NdArray<'g>);

impl fmt::Display for Elements<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_elements(f)
    }
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = crate::numpy::ShapeText;
        match self {
            Item::Array(array) => write!(f, "{array}"),
            Item::Scalar(scalar) => write!(f, "{}({})", scalar.0.dtype().name(), Elements(&scalar.0)),
            Item::Masked(masked) => write!(
                f,
                "masked_array(shape={}, dtype={}, data={}, mask={})",
                shape(masked.data().shape()),
                masked.data().dtype().name(),
                Elements(masked.data()),
                Elements(masked.mask())
            ),
            Item::Sparse(sparse) => {
                write!(
                    f,
                    "{}_matrix(shape={}, dtype={})",
                    sparse.format(),
                    shape(sparse.shape()),
                    sparse.dtype().name()
                )
            }
            Item::Table(frame) => write!(f, "{frame}"),
            Item::Series(series) => write!(f, "{}", series.to_frame()),
            Item::Index(index) => {
                write!(f, "index(rows={}", index.len())?;
                for level in index.levels() {
                    write!(f, ", {level:?}")?;
                }
                f.write_str(")")
            }
            Item::Tensor(tensor) => {
                write!(f, "tensor(shape={}, dtype={}", shape(tensor.shape()), tensor.dtype_name())?;
                match tensor.storage() {
                    Some(storage) => write!(f, ", storage={storage:?})"),
                    None => f.write_str(")"),
                }
            }
        }
    }
}
