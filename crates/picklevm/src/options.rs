//! Load options.

use std::sync::Arc;

use bytes::Bytes;

use crate::encoding::{Codec, Encoding, ErrorHandler};
use crate::limits::Limits;
use crate::resolve::{Resolver, Standard};

/// Load options: the fields of an [`Unpickler`](crate::Unpickler), which documents them.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) limits: Limits,
    pub(crate) encoding: Encoding,
    pub(crate) errors: ErrorHandler,
    /// Replaces `encoding` and `errors`.
    pub(crate) codec: Option<Arc<Codec>>,
    pub(crate) fix_imports: bool,
    pub(crate) buffers: Option<Arc<[Bytes]>>,
}

impl Default for Options {
    fn default() -> Self {
        static STANDARD: std::sync::LazyLock<Arc<dyn Resolver>> = std::sync::LazyLock::new(|| Arc::new(Standard));
        Options {
            resolver: STANDARD.clone(),
            limits: Limits::default(),
            encoding: Encoding::default(),
            errors: ErrorHandler::default(),
            codec: None,
            fix_imports: true,
            buffers: None,
        }
    }
}

impl Options {
    /// Whether 8-bit strings of Python 2 are decoded.
    pub(crate) fn decodes(&self) -> bool {
        self.encoding != Encoding::Keep || self.codec.is_some()
    }
}
