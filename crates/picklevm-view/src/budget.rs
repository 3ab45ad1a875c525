//! Limits on what the page shows.

use std::fmt;
use std::sync::Arc;

/// Whether a member is shown, by its path.
type Choose = dyn Fn(&str) -> bool + Send + Sync;

/// Options for the page: what it shows, and limits. Cheap to clone.
///
/// ```
/// let options = picklevm_view::Options::default().max_items(50).member(|path| path.ends_with(".pkl"));
/// ```
#[derive(Clone)]
pub struct Options {
    pub(crate) values: usize,
    pub(crate) items: usize,
    pub(crate) bytes: usize,
    pub(crate) ops: usize,
    pub(crate) choose: Option<Arc<Choose>>,
}

impl Default for Options {
    /// 50,000 values, 1,000 items of each, 4 KiB of each text, 60,000 opcodes: a page of less than 20 MB.
    fn default() -> Self {
        Options { values: 50_000, items: 1_000, bytes: 4 << 10, ops: 60_000, choose: None }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("values", &self.values)
            .field("items", &self.items)
            .field("bytes", &self.bytes)
            .field("ops", &self.ops)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Sets how many values the page has; those with the shortest paths come first.
    #[must_use]
    pub fn max_values(self, values: usize) -> Options {
        Options { values, ..self }
    }

    /// Sets how many items of each value the page has.
    #[must_use]
    pub fn max_items(self, items: usize) -> Options {
        Options { items, ..self }
    }

    /// Sets how many bytes of each text, of bytes and of an integer the page has.
    #[must_use]
    pub fn max_bytes(self, bytes: usize) -> Options {
        Options { bytes, ..self }
    }

    /// Sets how many opcodes the page has: the first, the last, some around each finding of the scanner, and runs of ops in
    /// between.
    #[must_use]
    pub fn max_ops(self, ops: usize) -> Options {
        Options { ops, ..self }
    }

    /// Shows only the members whose paths `choose` accepts.
    #[must_use]
    pub fn member(self, choose: impl Fn(&str) -> bool + Send + Sync + 'static) -> Options {
        Options { choose: Some(Arc::new(choose)), ..self }
    }

    pub(crate) fn has(&self, member: &str) -> bool {
        self.choose.as_ref().is_none_or(|choose| choose(member))
    }
}

/// What is left of the limits, and what was left out.
#[derive(Debug)]
pub(crate) struct Budget<'o> {
    pub(crate) options: &'o Options,
    pub(crate) values: usize,
    pub(crate) ops: usize,
    /// Bytes of texts; after that each is cut to a few.
    pub(crate) text: usize,
    pub(crate) left: Left,
}

/// The number of each that were omitted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) values: bool,
    pub(crate) items: bool,
    pub(crate) bytes: bool,
    pub(crate) ops: u64,
    pub(crate) pickles: usize,
    pub(crate) members: usize,
}

/// Bytes of texts of a page.
const TEXT: usize = 4 << 20;

impl<'o> Budget<'o> {
    pub(crate) fn new(options: &'o Options) -> Budget<'o> {
        let text = TEXT.max(options.bytes);
        Budget { options, values: options.values, ops: options.ops, text, left: Left::default() }
    }

    /// Bytes of the next text.
    pub(crate) fn text_len(&self) -> usize {
        self.options.bytes.min(self.text.max(64))
    }

    /// Sentences on what is left out, each with the option that includes it.
    pub(crate) fn notes(&self) -> Vec<(String, String)> {
        let (left, options) = (&self.left, self.options);
        let all = [
            (
                left.values,
                "some values, those with long paths first".to_owned(),
                format!("--max-values {}", options.values * 10),
            ),
            (
                left.items,
                format!("items of values that have more than {}", options.items),
                format!("--max-items {}", options.items * 10),
            ),
            (left.bytes, "the rest of long texts and bytes".to_owned(), format!("--max-bytes {}", options.bytes * 10)),
            (left.ops > 0, format!("{} opcodes", left.ops), format!("--max-ops {}", options.ops * 10)),
            (left.pickles > 0, format!("{} pickles", left.pickles), "--member".to_owned()),
            (left.members > 0, format!("{} members", left.members), "--member".to_owned()),
        ];
        all.into_iter().filter(|(is_left, ..)| *is_left).map(|(_, what, option)| (what, option)).collect()
    }
}
