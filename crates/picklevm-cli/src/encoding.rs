//! Encodings by Python's names: what the 8-bit strings of Python 2 become.

use std::str::FromStr;

use encoding_rs::{DecoderResult, Encoding as Codec};
use picklevm::{Encoding, ErrorHandler};
use picklevm_ops::Decoded;

/// A string in an encoding.
#[derive(Clone)]
pub(crate) enum StringCodec {
    /// Text where it is UTF-8 without control characters, else bytes.
    Auto,
    /// Bytes.
    Bytes,
    /// Text, by a codec of the library.
    Own(Encoding),
    /// Text, one character for each byte that has one.
    SingleByte(&'static str, Box<[Option<char>; 256]>),
    /// Text, in an encoding of several bytes a character.
    MultiByte(&'static str, &'static Codec),
}

/// Encodings that Python and the WHATWG's standard have in common, by Python's names without `-` and `_`; the first of each is
/// the one for messages. All strings of one and two bytes were compared with CPython 3.13: what is decoded is the same, and
/// what Python refuses is refused. KOI8-U, GB 18030 and EUC-JP differ and are left out; cp932 has no private characters here.
const CODECS: &[(&[&str], &Codec)] = &[
    (&["cp1250", "windows1250", "1250"], encoding_rs::WINDOWS_1250),
    (&["cp1251", "windows1251", "1251"], encoding_rs::WINDOWS_1251),
    (&["cp1252", "windows1252", "1252"], encoding_rs::WINDOWS_1252),
    (&["cp1253", "windows1253", "1253"], encoding_rs::WINDOWS_1253),
    (&["cp1254", "windows1254", "1254"], encoding_rs::WINDOWS_1254),
    (&["cp1255", "windows1255", "1255"], encoding_rs::WINDOWS_1255),
    (&["cp1256", "windows1256", "1256"], encoding_rs::WINDOWS_1256),
    (&["cp1257", "windows1257", "1257"], encoding_rs::WINDOWS_1257),
    (&["cp1258", "windows1258", "1258"], encoding_rs::WINDOWS_1258),
    (&["iso88592", "latin2", "l2"], encoding_rs::ISO_8859_2),
    (&["iso88593", "latin3", "l3"], encoding_rs::ISO_8859_3),
    (&["iso88594", "latin4", "l4"], encoding_rs::ISO_8859_4),
    (&["iso88595", "cyrillic"], encoding_rs::ISO_8859_5),
    (&["iso88596", "arabic"], encoding_rs::ISO_8859_6),
    (&["iso88597", "greek"], encoding_rs::ISO_8859_7),
    (&["iso88598", "hebrew"], encoding_rs::ISO_8859_8),
    (&["iso885910", "latin6", "l6"], encoding_rs::ISO_8859_10),
    (&["iso885913", "latin7", "l7"], encoding_rs::ISO_8859_13),
    (&["iso885914", "latin8", "l8"], encoding_rs::ISO_8859_14),
    (&["iso885915", "latin9", "l9"], encoding_rs::ISO_8859_15),
    (&["iso885916", "latin10", "l10"], encoding_rs::ISO_8859_16),
    (&["koi8r"], encoding_rs::KOI8_R),
    (&["macroman", "macintosh"], encoding_rs::MACINTOSH),
    (&["cp866", "ibm866", "866"], encoding_rs::IBM866),
    (&["cp932", "mskanji", "932"], encoding_rs::SHIFT_JIS),
    (&["cp949", "uhc", "949"], encoding_rs::EUC_KR),
];

impl FromStr for StringCodec {
    type Err = String;

    fn from_str(name: &str) -> Result<StringCodec, String> {
        let plain: String = name.to_lowercase().chars().filter(|c| !matches!(c, '-' | '_' | ' ')).collect();
        Ok(match &*plain {
            "auto" => StringCodec::Auto,
            "bytes" => StringCodec::Bytes,
            "ascii" | "usascii" | "646" => StringCodec::Own(Encoding::Ascii),
            "latin1" | "latin" | "l1" | "iso88591" | "88591" | "cp819" => StringCodec::Own(Encoding::Latin1),
            "utf8" | "u8" => StringCodec::Own(Encoding::Utf8),
            plain => {
                let Some((names, codec)) = CODECS.iter().find(|row| row.0.contains(&plain)) else {
                    let names = CODECS.iter().map(|row| row.0[0]).collect::<Vec<_>>().join(", ");
                    return Err(format!("expected auto, bytes, ascii, latin1, utf-8 or one of {names}"));
                };
                match codec.is_single_byte() {
                    true => StringCodec::SingleByte(names[0], Box::new(characters(codec))),
                    false => StringCodec::MultiByte(names[0], codec),
                }
            }
        })
    }
}

/// The character of each byte, where there is one.
fn characters(codec: &'static Codec) -> [Option<char>; 256] {
    // The WHATWG makes control characters of bytes that Windows and Python leave undefined.
    let leaves_undefined = codec.name().starts_with("windows-");
    std::array::from_fn(|byte| {
        let decoded = codec.decode_without_bom_handling_and_without_replacement(&[byte as u8])?.chars().next()?;
        // And 0xCA of Hebrew is a point there which Python does not have.
        let is_undefined = matches!(decoded, '\u{80}'..='\u{9f}' | '\u{5ba}');
        (!(leaves_undefined && is_undefined)).then_some(decoded)
    })
}

impl StringCodec {
    /// What becomes of a string.
    ///
    /// # Errors
    ///
    /// If it is not in the encoding, and `errors` does not accept that.
    pub(crate) fn decode<'s>(&self, string: &'s [u8], errors: ErrorHandler) -> Result<Decoded<'s>, String> {
        Ok(match self {
            StringCodec::Bytes => Decoded::Bytes,
            StringCodec::Auto if is_text(string) => Decoded::Text(string.into()),
            StringCodec::Auto => Decoded::Bytes,
            StringCodec::Own(Encoding::Utf8) if std::str::from_utf8(string).is_ok() => Decoded::Text(string.into()),
            StringCodec::Own(encoding) => {
                let decoded = encoding.decode(string, errors);
                Decoded::Text(decoded.map_err(|_| self.refusal(string, first_invalid(*encoding, string)))?.into())
            }
            StringCodec::SingleByte(_, characters) => {
                let mut text = Vec::with_capacity(string.len());
                for (at, byte) in string.iter().enumerate() {
                    match characters[usize::from(*byte)] {
                        Some(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                        None if errors.replace(&[*byte], &mut text) => {}
                        None => return Err(self.refusal(string, at)),
                    }
                }
                Decoded::Text(text.into())
            }
            StringCodec::MultiByte(_, codec) => Decoded::Text(self.multi_byte(codec, string, errors)?.into()),
        })
    }

    fn multi_byte(&self, codec: &'static Codec, string: &[u8], errors: ErrorHandler) -> Result<Vec<u8>, String> {
        let mut decoder = codec.new_decoder_without_bom_handling();
        let (mut text, mut rest, mut piece) = (Vec::with_capacity(string.len()), string, [0; 1024]);
        loop {
            let (result, read, written) = decoder.decode_to_utf8_without_replacement(rest, &mut piece, true);
            text.extend_from_slice(&piece[..written]);
            rest = &rest[read..];
            let at = string.len() - rest.len();
            match result {
                DecoderResult::InputEmpty => return Ok(text),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(len, after) => {
                    let end = at.saturating_sub(after.into());
                    let start = end.saturating_sub(len.into());
                    if !errors.replace(&string[start..end], &mut text) {
                        return Err(self.refusal(string, start));
                    }
                }
            }
        }
    }

    /// The name for messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            StringCodec::Auto => "UTF-8",
            StringCodec::Bytes => "bytes",
            StringCodec::Own(Encoding::Ascii) => "ASCII",
            StringCodec::Own(Encoding::Latin1) => "Latin-1",
            StringCodec::Own(_) => "UTF-8",
            StringCodec::SingleByte(name, _) | StringCodec::MultiByte(name, _) => name,
        }
    }

    fn refusal(&self, string: &[u8], at: usize) -> String {
        let byte = string.get(at).copied().unwrap_or_default();
        format!("byte 0x{byte:02x} at position {at} of {}, which is not {}", shown(string), self.name())
    }
}

/// The place at which a string is not in an encoding.
fn first_invalid(encoding: Encoding, string: &[u8]) -> usize {
    match encoding {
        Encoding::Utf8 => std::str::from_utf8(string).map_or_else(|error| error.valid_up_to(), str::len),
        _ => string.iter().position(|byte| !byte.is_ascii()).unwrap_or(0),
    }
}

/// Whether a string is text in UTF-8: no control characters but those of a terminal.
fn is_text(string: &[u8]) -> bool {
    let is_of_text = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\x0b' | '\x0c' | '\x08' | '\x1b');
    std::str::from_utf8(string).is_ok_and(|text| text.chars().all(is_of_text))
}

/// The beginning of a string, as Python writes it.
fn shown(string: &[u8]) -> String {
    const MOST: usize = 40;
    let beginning = picklevm_ops::repr::Bytes(&string[..string.len().min(MOST)]).to_string();
    if string.len() > MOST { format!("{beginning}...") } else { beginning }
}
