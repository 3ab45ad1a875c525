//! Values as text, as `picklevm show` prints them, up to a length.

use std::io::{self, Write};

use picklevm::Value;
use picklevm::pretty::Pretty;

/// Limits on the text of a value.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) levels: usize,
    pub(crate) items: usize,
    pub(crate) bytes: usize,
    pub(crate) output: usize,
}

impl Shown {
    /// A few screens: for `repr`.
    pub(crate) const SHORT: Shown = Shown { levels: 20, items: 100, bytes: 1 << 10, output: 1 << 16 };
    /// A cell of a notebook.
    pub(crate) const CELL: Shown = Shown { levels: 6, items: 30, bytes: 200, output: 1 << 14 };
}

/// Text of which only so much is kept.
struct Capped {
    text: Vec<u8>,
    most: usize,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.most - self.text.len();
        self.text.extend_from_slice(&bytes[..bytes.len().min(left)]);
        if bytes.len() > left { Err(io::Error::other("the text has its length")) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value in Python's syntax, with arrays, tables and tensors in short.
pub(crate) fn pretty<'g>(value: Value<'g>) -> Pretty<'g> {
    value.pretty().objects(picklevm_data::show::claims, picklevm_data::show::write)
}

/// A value as text; `...` ends one that is cut off.
pub(crate) fn show(value: Value<'_>, shown: Shown) -> String {
    write(&pretty(value).max_depth(shown.levels).max_items(shown.items).max_bytes(shown.bytes), shown.output)
}

/// Text up to a number of bytes.
pub(crate) fn write(pretty: &Pretty<'_>, most: usize) -> String {
    let mut out = Capped { text: Vec::new(), most };
    let is_cut = pretty.write_to(&mut out).is_err();
    // A cut may be inside of a character.
    let mut text = String::from_utf8_lossy(&out.text).into_owned();
    if is_cut {
        text.truncate(text.trim_end_matches('\u{fffd}').len());
        text.push_str("\n...");
    }
    text
}
