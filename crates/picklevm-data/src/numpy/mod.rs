//! NumPy: dtypes, arrays, scalars and masked arrays.

mod array;
mod cells;
mod descr;
mod dtype;
mod elements;
mod masked;
#[cfg(feature = "npy")]
mod npy;
mod read;
mod rust_types;
mod small_float;
mod write;

pub use array::NdArray;
pub use dtype::{ByteOrder, DType, DTypeKind, Field};
pub use elements::{Elements, Widened};
pub use masked::MaskedArray;
#[cfg(feature = "npy")]
pub use npy::{check_npy_type, read_npy, write_npy, write_npz};
pub use read::Scalar;
pub use rust_types::Element;
pub use small_float::SmallFloat;
pub use write::{to_python, to_python_buffer};

pub(crate) use array::Layout;
pub(crate) use array::{Data, check_expansion, count, is_contiguous, native_order, swap_order};
pub(crate) use cells::{add, encode, read as read_cell};
pub(crate) use descr::Tuple as ShapeText;
#[cfg(feature = "arrow")]
pub(crate) use descr::{Literal, literal};
pub(crate) use elements::{WholeElements, byte_len};
pub(crate) use read::{bytes_of, dtype_of, of_state as array_of_state, shape_of, text as text_of};
pub(crate) use write::{build_error, objects_to_python};
