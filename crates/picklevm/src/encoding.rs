//! Decoding of 8-bit strings of Python 2: the `encoding` and `errors` of Python's `Unpickler`.

use crate::error::{Error, ErrorKind, Result};
use crate::graph::Tag;

/// How 8-bit strings of Python 2 (STRING, BINSTRING, SHORT_BINSTRING) are decoded: the `encoding` of Python's
/// `Unpickler`. For other encodings use [`decode_with`](crate::Unpickler::decode_with).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Not decoded: [`Kind::ByteStr`](crate::Kind::ByteStr). The default, since it is lossless.
    #[default]
    Keep,
    /// As bytes: Python's `encoding="bytes"`.
    Bytes,
    /// As ASCII text: Python's default.
    Ascii,
    /// As Latin-1 text, which never fails: what Python's documentation recommends for NumPy and datetimes.
    Latin1,
    /// As UTF-8 text.
    Utf8,
}

/// What happens to bytes that the [`Encoding`] cannot decode: the `errors` of Python's `Unpickler`, with its error
/// handlers of the same names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorHandler {
    /// Returns an error. The default.
    #[default]
    Strict,
    /// Drops them.
    Ignore,
    /// Writes U+FFFD for each invalid sequence.
    Replace,
    /// Writes a lone surrogate from U+DC80 to U+DCFF for each byte (PEP 383).
    SurrogateEscape,
    /// Writes `\xNN` for each byte.
    BackslashReplace,
    /// Accepts lone surrogates in UTF-8 (three bytes each); anything else is an error.
    SurrogatePass,
}

/// A caller's function that decodes 8-bit strings of Python 2.
pub(crate) type Codec = dyn Fn(&[u8]) -> Result<String> + Send + Sync;

/// A decoded 8-bit string: the kind of value, its payload, and whether the payload holds surrogates.
pub(crate) struct Decoded {
    pub(crate) tag: Tag,
    pub(crate) payload: Vec<u8>,
    pub(crate) surrogates: bool,
}

/// Decodes an 8-bit string.
#[cold]
pub(crate) fn decode(bytes: &[u8], encoding: Encoding, errors: ErrorHandler) -> Result<Decoded> {
    let mut out = Decoded { tag: Tag::Str, payload: Vec::with_capacity(bytes.len()), surrogates: false };
    match encoding {
        Encoding::Keep => out.tag = Tag::ByteStr,
        Encoding::Bytes => out.tag = Tag::Bytes,
        Encoding::Ascii | Encoding::Utf8 => {
            let mut rest = bytes;
            while let Some((valid, invalid, after)) = split(rest, encoding) {
                out.payload.extend_from_slice(valid);
                let unread = &rest[valid.len()..];
                rest = match unread {
                    [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..]
                        if (encoding, errors) == (Encoding::Utf8, ErrorHandler::SurrogatePass) =>
                    {
                        out.surrogates = true;
                        out.payload.extend_from_slice(&unread[..3]);
                        after
                    }
                    [] => after,
                    _ => {
                        out.handle(invalid, encoding, errors, bytes.len() - unread.len())?;
                        after
                    }
                };
            }
            return Ok(out);
        }
        Encoding::Latin1 => {
            let mut utf8 = [0; 2];
            for byte in bytes {
                out.payload.extend_from_slice(char::from(*byte).encode_utf8(&mut utf8).as_bytes());
            }
            return Ok(out);
        }
    }
    out.payload.extend_from_slice(bytes);
    Ok(out)
}

/// Returns the longest valid prefix, the invalid sequence after it, and the rest; `None` at the end.
fn split(bytes: &[u8], encoding: Encoding) -> Option<(&[u8], &[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let (valid, invalid) = match encoding {
        Encoding::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
            Some(at) => (at, 1),
            None => (bytes.len(), 0),
        },
        _ => {
            let chunk = bytes.utf8_chunks().next()?;
            (chunk.valid().len(), chunk.invalid().len())
        }
    };
    let (valid, rest) = bytes.split_at(valid);
    let (invalid, rest) = rest.split_at(invalid);
    Some((valid, invalid, rest))
}

impl Encoding {
    /// Decodes an 8-bit string. The result is UTF-8 in which surrogates take three bytes, as in [`Text`](crate::Text); the
    /// string itself for [`Keep`](Encoding::Keep) and [`Bytes`](Encoding::Bytes).
    ///
    /// ```
    /// use picklevm::{Encoding, ErrorHandler};
    ///
    /// assert_eq!(Encoding::Latin1.decode(b"caf\xe9", ErrorHandler::Strict)?, "caf\u{e9}".as_bytes());
    /// assert_eq!(Encoding::Utf8.decode(b"caf\xe9", ErrorHandler::Replace)?, "caf\u{fffd}".as_bytes());
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the string is not in this encoding and the handler does not accept that.
    pub fn decode(self, string: &[u8], errors: ErrorHandler) -> Result<Vec<u8>> {
        decode(string, self, errors).map(|decoded| decoded.payload)
    }
}

impl ErrorHandler {
    /// Writes what stands in place of bytes that cannot be decoded. Returns whether the handler accepts them at all.
    pub fn replace(self, invalid: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            ErrorHandler::Strict | ErrorHandler::SurrogatePass => return false,
            ErrorHandler::Ignore => {}
            ErrorHandler::Replace => out.extend_from_slice("\u{fffd}".as_bytes()),
            ErrorHandler::SurrogateEscape => {
                // U+DC80 to U+DCFF, each as three bytes.
                for byte in invalid {
                    out.extend_from_slice(&[0xed, 0xb0 | byte >> 6, 0x80 | byte & 0x3f]);
                }
            }
            ErrorHandler::BackslashReplace => {
                for byte in invalid {
                    out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
                }
            }
        }
        true
    }
}

/// Reads Python's names: `strict`, `ignore`, `replace`, `surrogateescape`, `backslashreplace`, `surrogatepass`.
impl std::str::FromStr for ErrorHandler {
    type Err = Error;

    fn from_str(name: &str) -> Result<ErrorHandler> {
        Ok(match name {
            "strict" => ErrorHandler::Strict,
            "ignore" => ErrorHandler::Ignore,
            "replace" => ErrorHandler::Replace,
            "surrogateescape" => ErrorHandler::SurrogateEscape,
            "backslashreplace" => ErrorHandler::BackslashReplace,
            "surrogatepass" => ErrorHandler::SurrogatePass,
            _ => {
                let expected = "strict, ignore, replace, surrogateescape, backslashreplace or surrogatepass";
                return Err(Error::new(ErrorKind::Malformed, expected, name.to_owned()));
            }
        })
    }
}

impl Decoded {
    fn handle(&mut self, invalid: &[u8], encoding: Encoding, errors: ErrorHandler, at: usize) -> Result<()> {
        self.surrogates |= errors == ErrorHandler::SurrogateEscape;
        if errors.replace(invalid, &mut self.payload) {
            return Ok(());
        }
        let name = if encoding == Encoding::Ascii { "ASCII" } else { "UTF-8" };
        Err(Error::new(
            ErrorKind::Malformed,
            format!("an 8-bit string in {name} (Unpickler::encoding)"),
            format!("byte 0x{:02x} at position {at}", invalid.first().unwrap_or(&0)),
        ))
    }
}
