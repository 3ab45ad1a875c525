//! joblib's arrays: raw data that lie in the pickle, behind the state of an object that stands for the array.
//!
//! Python's pickle knows nothing of that; joblib's unpickler reads the data when it meets the BUILD.

use crate::token::Token;
use crate::trace::Tracer;

/// What follows the state of joblib's stand-in for an array.
pub(crate) enum DataAfter {
    /// The array's memory, up to `end`.
    Raw { end: usize },
    /// For an array of objects: a pickle.
    Pickle { start: usize },
}

/// What joblib reads after the state that ends at `at`.
///
/// # Errors
///
/// Why that cannot be known.
pub(crate) fn data_after(tracer: &mut Tracer<'_>, state: Token, at: usize) -> Result<DataAfter, &'static str> {
    let dtype = tracer.entry(state, "dtype").and_then(|dtype| tracer.dtype_of(dtype));
    let Some((dtype, size)) = dtype.and_then(|dtype| Some((dtype, dtype.size?))) else {
        return Err("joblib reads an array here whose item type cannot be known");
    };
    if !tracer.entry(state, "subclass").is_some_and(|class| tracer.is_array_class(class)) {
        return Err("joblib makes an array here of a class that is none");
    }
    if dtype.objects {
        return Ok(DataAfter::Pickle { start: at });
    }
    let shape = tracer.entry(state, "shape");
    let count = shape.and_then(|shape| tracer.product(shape));
    let padding = match tracer.entry(state, "numpy_array_alignment_bytes") {
        None | Some(Token::None) => 0,
        // The byte tells how many follow it.
        Some(_) => 1 + usize::from(*tracer.data.get(at).ok_or("an array of joblib is missing")?),
    };
    let len = count.and_then(|count| usize::try_from(count.checked_mul(size)?).ok()?.checked_add(padding));
    let end = len.and_then(|len| at.checked_add(len)).filter(|&end| end <= tracer.data.len());
    end.map(|end| DataAfter::Raw { end }).ok_or("joblib reads an array here that is longer than the data")
}
