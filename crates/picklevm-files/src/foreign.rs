//! Descriptions of files without pickles: one sentence, with advice if there is any.

use crate::error::{Error, ErrorKind};

/// How something is recognised.
enum Sign {
    /// Bytes at the beginning.
    Magic(&'static [u8]),
    /// Bytes at an offset.
    At(usize, &'static [u8]),
    /// Text that begins so, whatever its case, behind blanks.
    Text(&'static str),
    /// A look at the first bytes.
    Look(fn(&[u8]) -> bool),
}

/// A kind of file: how it is recognised, what it is called, what to do.
struct Foreign(Sign, &'static str, &'static str);

use Sign::{At, Look, Magic, Text};

const WEB_PAGE: &str = "a server sent a web page in place of the file: check the link, and whether it wants a login";
const NUMPY: &str = "";
/// What to do with databases of `dbm.ndbm`.
pub(crate) const NDBM: &str = "convert it where Python has dbm.ndbm: \
    python3 -c 'import dbm.ndbm, dbm.dumb, sys; a = dbm.ndbm.open(sys.argv[1]); b = dbm.dumb.open(sys.argv[2], \"n\"); \
    [b.__setitem__(k, a[k]) for k in a.keys()]; b.close()' OLD NEW (OLD without .db)";
const TENSORS: &str = "read it with its own library";

/// The first row that fits counts.
const KNOWN: &[Foreign] = &[
    Foreign(
        Text("version https://git-lfs.github.com/spec/"),
        "a Git LFS pointer",
        "fetch the file itself with `git lfs pull`",
    ),
    Foreign(Text("<!doctype html"), "an HTML page", WEB_PAGE),
    Foreign(Text("<html"), "an HTML page", WEB_PAGE),
    Foreign(Text("<?xml"), "an XML file", ""),
    Foreign(Look(is_html), "an HTML page", WEB_PAGE),
    Foreign(Look(is_xml), "an XML file", ""),
    Foreign(Magic(b"\x89PNG\r\n\x1a\n"), "a PNG image", ""),
    Foreign(Magic(b"\xff\xd8\xff"), "a JPEG image", ""),
    Foreign(Magic(b"GIF8"), "a GIF image", ""),
    Foreign(Look(|head| head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP")), "a WebP image", ""),
    Foreign(Magic(b"BM"), "a BMP image", ""),
    Foreign(Magic(b"II*\0"), "a TIFF image", ""),
    Foreign(Magic(b"MM\0*"), "a TIFF image", ""),
    Foreign(Magic(b"%PDF-"), "a PDF document", ""),
    Foreign(Magic(b"%!PS"), "a PostScript document", ""),
    Foreign(Magic(b"\x7fELF"), "an ELF program or library", ""),
    Foreign(Look(|head| head.starts_with(b"MZ") && head.len() > 63), "a Windows program", ""),
    Foreign(Magic(b"\xcf\xfa\xed\xfe"), "a macOS program or library", ""),
    Foreign(Magic(b"\xca\xfe\xba\xbe"), "a Java class or a macOS program", ""),
    Foreign(Magic(b"\0asm"), "a WebAssembly module", ""),
    Foreign(
        Look(is_pyc),
        "compiled Python (.pyc: bytecode in marshal's format)",
        "marshal is another format than pickle; decompile it",
    ),
    Foreign(Look(is_marshal), "data of Python's marshal module", "marshal is another format than pickle"),
    Foreign(
        Magic(b"\x89HDF\r\n\x1a\n"),
        "an HDF5 file, as Keras and pandas.HDFStore write",
        "read it with h5py or pandas.read_hdf",
    ),
    Foreign(Magic(b"PAR1"), "a Parquet file", "read it with pandas.read_parquet"),
    Foreign(Magic(b"PARE"), "an encrypted Parquet file", ""),
    Foreign(Magic(b"ARROW1"), "an Arrow file", "read it with pyarrow or pandas.read_feather"),
    Foreign(Magic(b"FEA1"), "a Feather file", "read it with pandas.read_feather"),
    Foreign(Look(is_arrow_stream), "an Arrow stream", "read it with pyarrow"),
    Foreign(Magic(b"ORC"), "an ORC file", "read it with pandas.read_orc"),
    Foreign(Magic(b"Obj\x01"), "an Avro file", ""),
    Foreign(Magic(b"GGUF"), "a GGUF model", TENSORS),
    Foreign(Magic(b"lmgg"), "a GGML model", TENSORS),
    Foreign(Look(is_safetensors), "a safetensors file", "it holds tensors alone: read it with safetensors"),
    Foreign(Look(is_onnx), "an ONNX model", "read it with onnx"),
    Foreign(At(4, b"TFL3"), "a TensorFlow Lite model", TENSORS),
    Foreign(Look(is_berkeley), "a Berkeley DB file, in which dbm.ndbm keeps shelves", NDBM),
    Foreign(Magic(b"SQLite format 3\0"), "an SQLite database", "open it with sqlite3; pickles may lie in its columns"),
    Foreign(Magic(b"MATLAB 5.0"), "a MATLAB file", "read it with scipy.io.loadmat"),
    Foreign(Magic(b"RDX"), "R data", ""),
    Foreign(Magic(b"\xce\x9a\x57\x13"), "a GNU dbm database, as shelve writes", ""),
    Foreign(Magic(b"\xcf\x9a\x57\x13"), "a GNU dbm database, as shelve writes", ""),
    Foreign(At(12, b"\x61\x15\x06\0"), "a Berkeley DB file, as shelve wrote on Python 2", ""),
    Foreign(At(12, b"\x62\x31\x05\0"), "a Berkeley DB file, as shelve wrote on Python 2", ""),
    Foreign(Magic(b"7z\xbc\xaf\x27\x1c"), "a 7z archive", "unpack it first"),
    Foreign(Magic(b"Rar!\x1a\x07"), "a RAR archive", "unpack it first"),
    Foreign(Magic(b"\x1f\x9d"), "a file compressed by compress (.Z)", "unpack it first"),
    Foreign(Magic(b"\xff\x06\0\0sNaPpY"), "a Snappy stream", "unpack it first"),
    Foreign(Magic(b"Salted__"), "a file that openssl encrypted", "decrypt it first"),
    Foreign(Magic(b"gAAAAA"), "a Fernet token: it is encrypted", "decrypt it with its key first"),
    Foreign(Magic(b"-----BEGIN "), "a PEM file", ""),
    Foreign(Magic(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "an old Microsoft Office document", ""),
    Foreign(Magic(b"\xac\xed\0\x05"), "serialized Java objects", ""),
    Foreign(Magic(b"\x93NUMPY"), "a NumPy array", NUMPY),
    Foreign(Look(is_json), "a JSON file", "read it with json.load"),
    Foreign(Look(is_utf_16), "text in UTF-16", ""),
    Foreign(Look(is_csv), "a text file of comma-separated values (CSV)", "read it with pandas.read_csv"),
    Foreign(Look(is_text), "a text file", ""),
];

impl Sign {
    fn fits(&self, head: &[u8]) -> bool {
        match self {
            Sign::Magic(magic) => head.starts_with(magic),
            Sign::At(offset, magic) => head.get(*offset..).is_some_and(|rest| rest.starts_with(magic)),
            Sign::Text(text) => {
                let text_start = without_mark(head).trim_ascii_start();
                text_start.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()))
            }
            Sign::Look(look) => look(head),
        }
    }
}

/// Whether a format is known that begins so.
pub(crate) fn is_known(head: &[u8]) -> bool {
    KNOWN.iter().any(|Foreign(sign, ..)| sign.fits(head))
}

/// What bytes of this length are that begin so and hold no pickle.
pub(crate) fn explain(head: &[u8], len: u64) -> Error {
    if len == 0 {
        return Error::new(ErrorKind::NoPickle, "the file is empty: there is no pickle in it");
    }
    if head.iter().all(|byte| *byte == 0) {
        return Error::new(
            ErrorKind::NoPickle,
            "the file begins with zeros: it is no pickle, and was perhaps never written",
        );
    }
    match KNOWN.iter().find(|Foreign(sign, ..)| sign.fits(head)) {
        Some(Foreign(_, what, advice)) => {
            let error = Error::new(ErrorKind::NoPickle, format!("this is {what}, not a pickle"));
            if advice.is_empty() { error } else { error.hint(*advice) }
        }
        None => {
            let start = picklevm_ops::repr::Bytes(&head[..head.len().min(8)]);
            Error::new(
                ErrorKind::NoPickle,
                format!("this is no pickle, and of no format that is known: it begins with {start}"),
            )
        }
    }
}

/// Text behind a byte order mark.
fn without_mark(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)
}

fn has_ignoring_case(head: &[u8], text: &str) -> bool {
    head.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}

fn begins_with_tag(head: &[u8]) -> bool {
    matches!(without_mark(head).trim_ascii_start(), [b'<', b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'?', ..])
}

/// Berkeley DB, hash or btree, of either byte order: a number behind the LSN and the number of its first page.
pub(crate) fn is_berkeley(head: &[u8]) -> bool {
    const MAGICS: [u32; 2] = [0x0006_1561, 0x0005_3162];
    let magic = head.get(12..16).and_then(|bytes| bytes.first_chunk());
    magic.is_some_and(|magic| {
        MAGICS.contains(&u32::from_le_bytes(*magic)) || MAGICS.contains(&u32::from_be_bytes(*magic))
    })
}

fn is_html(head: &[u8]) -> bool {
    const TAGS: &[&str] = &["<html", "<head", "<body", "<script", "<title", "<meta", "<div", "<!doctype html"];
    begins_with_tag(head) && TAGS.iter().any(|tag| has_ignoring_case(head, tag))
}

fn is_xml(head: &[u8]) -> bool {
    begins_with_tag(head) && is_text(head)
}

/// `importlib.util.MAGIC_NUMBER`: a number of the version, a carriage return and a newline.
fn is_pyc(head: &[u8]) -> bool {
    matches!(*head, [low, high, b'\r', b'\n', _, _, _, _, ..]
        if matches!(u16::from_le_bytes([low, high]), 3000..=4000 | 20_000..=20_999 | 50_000..=63_000))
}

/// A code object, with the flag of a reference or without it, and how many arguments it takes.
fn is_marshal(head: &[u8]) -> bool {
    head.len() > 16 && matches!(head, [0xe3 | b'c', 0..=32, 0, 0, 0, ..])
}

/// A mark, the length of the schema in whole words, and the schema: a table of flatbuffers, whose place stands first.
fn is_arrow_stream(head: &[u8]) -> bool {
    matches!(*head, [0xff, 0xff, 0xff, 0xff, a, b, c, 0, root, 0, 0, 0, ..]
        if a.is_multiple_of(8) && (a, b, c) != (0, 0, 0) && root < 64)
}

/// The length of a header, and JSON.
fn is_safetensors(head: &[u8]) -> bool {
    matches!(head.split_first_chunk::<8>(), Some((len, [b'{', b'"' | b' ' | b'}', ..])) if u64::from_le_bytes(*len) < 1 << 32)
}

/// `ModelProto` of onnx.proto: the version of the format, and the name of the producer.
fn is_onnx(head: &[u8]) -> bool {
    match *head {
        [0x08, 1..=20, 0x12, len, first, ..] => usize::from(len) < 64 && first.is_ascii_alphabetic(),
        [0x08, 3..=20, 0x3a, ..] => true,
        _ => false,
    }
}

fn is_json(head: &[u8]) -> bool {
    let text = without_mark(head).trim_ascii_start();
    match text {
        [b'{', rest @ ..] => matches!(rest.trim_ascii_start(), [b'"' | b'}', ..]),
        [b'[', rest @ ..] => {
            matches!(rest.trim_ascii_start(), [b'"' | b'{' | b'[' | b']' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n', ..])
        }
        _ => false,
    }
}

fn is_utf_16(head: &[u8]) -> bool {
    matches!(head, [0xff, 0xfe, _, 0, ..] | [0xfe, 0xff, 0, _, ..])
}

/// Lines with the same number of commas, semicolons or tabs.
fn is_csv(head: &[u8]) -> bool {
    let whole = head.len() < 1024;
    let mut lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
    if !whole || lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    let counts = |separator: u8| -> Option<usize> {
        let mut counts = lines.iter().map(|line| line.iter().filter(|byte| **byte == separator).count());
        let first = counts.next().filter(|count| *count > 0)?;
        counts.all(|count| count == first).then_some(first)
    };
    is_text(head) && lines.len() > 1 && [b',', b';', b'\t'].into_iter().any(|separator| counts(separator).is_some())
}

/// UTF-8 without control characters; it may be cut within a character.
fn is_text(head: &[u8]) -> bool {
    let valid = match str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && head.len() > 3,
    };
    valid && head.iter().all(|byte| *byte >= b' ' && *byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(head: &[u8], what: &str) {
        let message = explain(head, head.len() as u64).to_string();
        assert!(message.contains(what), "{message}");
    }

    #[test]
    fn a_file_that_holds_no_pickle_is_called_by_what_it_is() {
        is(b"", "empty");
        is(b"\0\0\0\0", "zeros");
        is(b"\n\n<!DOCTYPE html><html>", "an HTML page");
        is(b"<div>Not found</div>", "an HTML page");
        is(b"<?xml version='1.0'?><a/>", "an XML file");
        is(b"<Error><Code>NoSuchKey</Code></Error>", "an XML file");
        is(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "a Git LFS pointer");
        is(b"{\"a\": 1}", "a JSON file");
        is(b"[1, 2]", "a JSON file");
        is(b"\xef\xbb\xbf{ }", "a JSON file");
        is(b"id,name\n1,a\n2,b\n", "(CSV)");
        is("Grüße\n".as_bytes(), "a text file");
        is(b"\xff\xfea\0b\0", "UTF-16");
        is(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG image");
        is(b"\xf3\r\r\n\0\0\0\0\0\0\0\0\0\0\0\0\xe3", "compiled Python");
        is(b"\x03\xf3\r\n\0\0\0\0c\0\0\0\0", "compiled Python");
        is(b"\x40\0\0\0\0\0\0\0{\"a\":{\"dtype\"", "safetensors");
        is(b"\x08\x08\x12\x07pytorch", "ONNX");
        is(b"\xff\xff\xff\xff\x78\0\0\0\x10\0\0\0\0\0\x0a\0", "an Arrow stream");
        is(b"c\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0", "marshal");
        is(b"\xfe\xfe\xfe\xfe", "of no format that is known: it begins with b'\\xfe\\xfe\\xfe\\xfe'");
    }
}
