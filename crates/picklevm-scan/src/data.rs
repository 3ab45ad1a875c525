//! Bytes that are scanned: the caller's, or shared with what they were read from.

use std::ops::{Deref, Range};

use bytes::Bytes;

/// Bytes, cheap to clone and to slice.
#[derive(Clone)]
pub(crate) enum Data<'d> {
    Borrowed(&'d [u8]),
    Shared(Bytes),
}

impl<'d> Data<'d> {
    /// A part of them.
    pub(crate) fn slice(&self, range: Range<usize>) -> Data<'d> {
        match self {
            Data::Borrowed(bytes) => Data::Borrowed(&bytes[range]),
            Data::Shared(bytes) => Data::Shared(bytes.slice(range)),
        }
    }

    /// The same bytes, shared: those of the caller are copied.
    pub(crate) fn to_shared(&self) -> Bytes {
        match self {
            Data::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
            Data::Shared(bytes) => bytes.clone(),
        }
    }
}

impl Deref for Data<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Data::Borrowed(bytes) => bytes,
            Data::Shared(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Data<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Data::Shared(bytes.into())
    }
}
