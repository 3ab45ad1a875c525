//! Arrays, tables and tensors in Python pickles, read and written without Python.
//!
//! What is in real pickles is mostly NumPy, pandas, PyTorch, SciPy and scikit-learn. To [`picklevm`] they are calls with
//! arguments and states; this crate has *views* of them. A view reads type, shape and names out of the graph and checks
//! them; the numbers stay where they are until they are asked for.
//!
//! ```
//! use picklevm_data::{Item, Reader, SelfContained};
//!
//! let graph = picklevm::loads(include_bytes!("../../../tests/data/arrays/f4.pkl"))?;
//! for found in Reader::new(graph.root(), &SelfContained).find() {
//!     if let Ok(Item::Array(array)) = &found.item {
//!         assert_eq!((array.dtype().name(), array.shape()), ("float32".to_owned(), &[2, 3][..]));
//!         let floats: Option<&[f32]> = array.as_slice();   // no copy, where the bytes are aligned
//!         assert_eq!(array.to_vec::<f32>()?, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
//! #       let _ = floats;
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what it reads | what it writes |
//! | --- | --- | --- |
//! | [`numpy`] | arrays, scalars, masked arrays of NumPy 1.11 to 2.5 | .npy, .npz, arrays in pickles |
//! | [`pandas`] | frames, series and indexes of pandas 0.20 to 3.1, tables of pyarrow and Polars | frames in pickles |
//! | [`torch`] | tensors of PyTorch files, zip and legacy | .safetensors, .pt |
//! | [`scipy`] | sparse matrices and arrays | |
//! | [`table`] | | Arrow, Parquet, .csv, .jsonl |
//! | `files` | the pickles of a file with the storages and arrays that they refer to | |
//!
//! Every version's form of a type is read by the same code: names that libraries moved are rows of one table. What cannot
//! be read, or not be expressed in a format, is an [`Error`] that says where and why; nothing is dropped or rounded.
//!
//! # Features
//!
//! `npy` and `safetensors` (the default), `ndarray`, `arrow` (columns as Arrow arrays, .arrow, .csv, .jsonl), `parquet`, and
//! `files` (files of every format that holds pickles, by picklevm-files).

mod cell;
mod de;
mod error;
#[cfg(feature = "files")]
pub mod files;
mod item;
mod joblib;
pub mod json;
mod key;
mod names;
pub mod numpy;
pub mod pandas;
mod rewrite;
pub mod scipy;
pub mod show;
pub mod table;
mod text;
mod time;
pub mod torch;

pub use cell::Cell;
pub use de::{from_array, from_table};
pub use error::{Error, ErrorKind, Result};
pub use item::{Found, Item, Reader, SelfContained, Source};
pub use joblib::with_arrays;
pub use picklevm::{Path, Step};
pub use rewrite::rewrite_items;
pub use time::{Delta, Instant, TimeUnit};

/// The text of a name, or how Python writes what is none.
pub(crate) fn numpy_text(value: picklevm::Value<'_>) -> String {
    match value.kind() {
        picklevm::Kind::Str(text) => text.to_string(),
        picklevm::Kind::ByteStr(bytes) | picklevm::Kind::Bytes(bytes) => key::text_of_bytes(bytes),
        _ => key::repr(value),
    }
}

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// Compiles and runs the code of the chapter on data.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/data.md")]
pub struct DataChapter;
