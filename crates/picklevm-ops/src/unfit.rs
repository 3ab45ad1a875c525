//! Why an operand is invalid.

/// The reason why a complete operand is invalid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unfit<'a> {
    pub(crate) expected: &'static str,
    pub(crate) found: Found<'a>,
}

/// What was found instead.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'a> {
    Text(&'a [u8]),
    Number(i128),
}

impl<'a> Unfit<'a> {
    pub(crate) fn text(expected: &'static str, found: &'a [u8]) -> Self {
        Unfit { expected, found: Found::Text(found) }
    }

    pub(crate) fn number(expected: &'static str, found: impl Into<i128>) -> Self {
        Unfit { expected, found: Found::Number(found.into()) }
    }
}
