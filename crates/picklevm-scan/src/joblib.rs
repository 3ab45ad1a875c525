//! joblib's arrays: raw data that lie in the pickle, behind the state of an object that stands for the array.
//!
//! Python's pickle knows nothing of that; joblib's unpickler reads the data when it meets the BUILD.

use crate::shadow::{Token, Values};
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
pub(crate) fn data_after(tracer: &Tracer<'_>, state: Token, at: usize) -> Result<DataAfter, &'static str> {
    let values = &tracer.values;
    let attribute = |name: &str| {
        let pairs = values.items_of(state)?;
        pairs.chunks_exact(2).rev().find(|pair| values.bytes_of(pair[0]) == Some(name.as_bytes())).map(|pair| pair[1])
    };
    let dtype = attribute("dtype").and_then(|dtype| dtype_text(values, dtype));
    let Some((kind, size)) = dtype.as_deref().and_then(item_size) else {
        return Err("joblib reads an array here whose item type cannot be known");
    };
    if kind == 'O' {
        return Ok(DataAfter::Pickle { start: at });
    }
    let shape = attribute("shape").and_then(|shape| values.items_of(shape));
    let count = shape.and_then(|shape| {
        shape.iter().try_fold(1usize, |count, len| match len {
            Token::Int(len) => count.checked_mul(usize::try_from(*len).ok()?),
            _ => None,
        })
    });
    let padding = match attribute("numpy_array_alignment_bytes") {
        Some(Token::Int(_)) => 1 + usize::from(*tracer.data.get(at).ok_or("an array of joblib is missing")?),
        _ => 0,
    };
    let len = count.and_then(|count| count.checked_mul(size)?.checked_add(padding));
    let end = len.and_then(|len| at.checked_add(len)).filter(|&end| end <= tracer.data.len());
    end.map(|end| DataAfter::Raw { end }).ok_or("joblib reads an array here that is longer than the data")
}

/// What `numpy.dtype` was called with.
fn dtype_text(values: &Values<'_>, dtype: Token) -> Option<String> {
    let Token::Object(number) = dtype else { return None };
    let object = values.objects.get(number as usize)?;
    let first = *values.items_of(object.args)?.first()?;
    values.text_of(first).map(std::borrow::Cow::into_owned)
}

/// The kind and the bytes of an item, of a type such as `f8`.
fn item_size(dtype: &str) -> Option<(char, usize)> {
    let dtype = dtype.trim_start_matches(['<', '>', '|', '=']);
    let kind = dtype.chars().next()?;
    let number = dtype.get(1..)?.split('[').next()?;
    let size: usize = if number.is_empty() { 0 } else { number.parse().ok()? };
    Some((kind, if kind == 'U' { size.checked_mul(4)? } else { size }))
}

#[cfg(test)]
mod tests {
    use super::item_size;

    #[test]
    fn a_dtype_tells_the_size_of_an_item() {
        assert_eq!(item_size("f8"), Some(('f', 8)));
        assert_eq!(item_size("<U5"), Some(('U', 20)));
        assert_eq!(item_size("M8[ns]"), Some(('M', 8)));
        assert_eq!(item_size("O8"), Some(('O', 8)));
        assert_eq!(item_size(""), None);
    }
}
