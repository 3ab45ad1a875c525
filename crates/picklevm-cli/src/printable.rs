//! Text from files and file names, made safe to print.

use std::fmt::{self, Write as _};

/// A text in which characters that move the cursor or hide or reorder others are escaped.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| if hides(c) { write!(f, "{}", c.escape_default()) } else { f.write_char(c) })
    }
}

/// Whether a character is a control, or one of those that reorder, join or hide others.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Bytes as text, with bytes that are not UTF-8 as `\xNN`.
pub(crate) fn escape_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text += chunk.valid();
        for byte in chunk.invalid() {
            // Writing to memory does not fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_is_escaped() {
        assert_eq!(Printable("a\x1b[2Jb\u{202e}c\n é").to_string(), "a\\u{1b}[2Jb\\u{202e}c\\n é");
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_escaped() {
        assert_eq!(escape_bytes(b"caf\xc3\xa9 \xff\xfe.pkl"), "café \\xff\\xfe.pkl");
    }
}
