//! The options of `Unpickler`.

use bytes::Bytes;
use picklevm::{Class, Encoding, Error, ErrorHandler, ErrorKind, Kind, Symbolic, Unpickler};

use super::vectors::vectors;

fn encoding(name: &str) -> (Encoding, ErrorHandler) {
    let (encoding, errors) = name.strip_prefix("decode-").unwrap().rsplit_once('-').unwrap();
    let encoding = match encoding {
        "ASCII" => Encoding::Ascii,
        "latin-1" => Encoding::Latin1,
        "utf-8" => Encoding::Utf8,
        "bytes" => Encoding::Bytes,
        other => panic!("unknown encoding {other}"),
    };
    let errors = match errors {
        "strict" => ErrorHandler::Strict,
        "ignore" => ErrorHandler::Ignore,
        "replace" => ErrorHandler::Replace,
        "surrogateescape" => ErrorHandler::SurrogateEscape,
        "surrogatepass" => ErrorHandler::SurrogatePass,
        "backslashreplace" => ErrorHandler::BackslashReplace,
        other => panic!("unknown error handler {other}"),
    };
    (encoding, errors)
}

#[test]
fn eight_bit_strings_are_decoded_like_python() {
    for vector in vectors("decode-") {
        let (encoding, errors) = encoding(vector.name);
        let loaded = Unpickler::new().encoding(encoding).errors(errors).loads(&vector.pickle);
        match vector.buffers.first() {
            Some(expected) => assert_eq!(
                loaded.unwrap().root(),
                picklevm::loads(expected).unwrap().root(),
                "{} of {:?}",
                vector.name,
                vector.pickle
            ),
            None => assert_eq!(loaded.unwrap_err().kind(), ErrorKind::Malformed, "{}", vector.name),
        }
    }
}

#[test]
fn eight_bit_strings_are_not_decoded_by_default() {
    let graph = Unpickler::new().loads(b"U\x02\xff\xfe.").unwrap();
    assert!(matches!(graph.root().kind(), Kind::ByteStr(b"\xff\xfe")));
}

#[test]
fn an_undecodable_string_is_an_error_that_names_the_byte() {
    let error = Unpickler::new().encoding(Encoding::Ascii).loads(b"U\x04caf\xe9.").unwrap_err();
    assert_eq!(
        error.to_string(),
        "offset 0: SHORT_BINSTRING: expected an 8-bit string in ASCII (Unpickler::encoding), found byte 0xe9 at \
         position 3"
    );
}

#[test]
fn a_custom_codec_decodes_8_bit_strings_only() {
    let unpickler = Unpickler::new().encoding(Encoding::Ascii).decode_with(|bytes| match bytes {
        b"\xff" => Err(Error::other("no letter")),
        _ => Ok(bytes.iter().rev().map(|byte| char::from(*byte)).collect()),
    });
    let graph = unpickler.loads(b"\x80\x03(U\x03abcT\x02\0\0\0\xe9xS'de'\nC\x02fgX\x02\0\0\0hit.").unwrap();
    assert_eq!(format!("{:?}", graph.root()), "('cba', 'xé', 'ed', b'fg', 'hi')");
    let error = unpickler.loads(b"U\x01\xff.").unwrap_err();
    assert_eq!(error.to_string(), "offset 0: SHORT_BINSTRING: no letter");
}

#[test]
fn buffers_are_shared_not_copied() {
    for vector in vectors("buffers-outside") {
        let graph = Unpickler::new().buffers(vector.buffers.clone()).load_bytes(vector.pickle).unwrap();
        for (value, given) in graph.root().items().zip(&vector.buffers) {
            let Kind::Buffer(buffer) = value.kind() else { panic!("{value:?}") };
            assert_eq!(buffer.data().unwrap().as_ptr(), given.as_ptr());
            assert_eq!(buffer.data().unwrap(), given);
        }
    }
}

#[test]
fn buffers_stay_writable_or_read_only() {
    let vector = vectors("buffers-outside").remove(0);
    let graph = Unpickler::new().buffers(vector.buffers).loads(vector.pickle).unwrap();
    let readonly: Vec<bool> = graph
        .root()
        .items()
        .map(|value| if let Kind::Buffer(buffer) = value.kind() { buffer.is_readonly() } else { panic!("{value:?}") })
        .collect();
    assert_eq!(readonly, [false, true]);
}

#[test]
fn a_buffer_that_the_callback_keeps_in_band_is_in_the_pickle() {
    let vector = vectors("buffers-first-inside").remove(0);
    let graph = Unpickler::new().buffers(vector.buffers).loads(vector.pickle).unwrap();
    let [inside, outside] = graph.root().items().as_array().unwrap();
    assert!(matches!(inside.kind(), Kind::ByteArray(b"writable")));
    assert!(matches!(outside.kind(), Kind::Buffer(buffer) if buffer.data().unwrap() == &b"readonly"[..]));
    let inside = vectors("buffers-inside").remove(0);
    let graph = Unpickler::new().buffers(inside.buffers).loads(inside.pickle).unwrap();
    let [writable, readonly] = graph.root().items().as_array().unwrap();
    assert!(matches!(writable.kind(), Kind::ByteArray(b"writable")));
    assert!(matches!(readonly.kind(), Kind::Bytes(b"readonly")));
}

#[test]
fn too_few_buffers_are_an_error() {
    let error = Unpickler::new().buffers([Bytes::from_static(b"only")]).loads(b"\x80\x05]\x94(\x97\x97e.").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Buffer);
    assert_eq!(
        error.to_string(),
        "offset 6: NEXT_BUFFER: expected another out-of-band buffer (Unpickler::buffers), found only 1"
    );
}

#[test]
fn too_many_buffers_are_an_error() {
    let buffers = [Bytes::from_static(b"a"), Bytes::from_static(b"b")];
    let error = Unpickler::new().buffers(buffers).loads(b"\x80\x05\x97.").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Buffer);
    assert_eq!(error.to_string(), "expected all 2 out-of-band buffers to be used (Unpickler::buffers), found 1 used");
}

#[test]
fn the_pickles_of_a_stream_consume_buffers_in_order() {
    let buffers = [Bytes::from_static(b"a"), Bytes::from_static(b"b"), Bytes::from_static(b"c")];
    let mut stream = Unpickler::new().buffers(buffers).stream(&b"\x80\x05\x97.\x80\x05\x97."[..]);
    for expected in [&b"a"[..], b"b"] {
        let graph = stream.load().unwrap();
        let Kind::Buffer(buffer) = graph.root().kind() else { panic!() };
        assert_eq!(buffer.data().unwrap(), expected);
    }
    assert_eq!(stream.load().unwrap_err().kind(), ErrorKind::Buffer);
}

#[test]
fn names_of_python_2_are_mapped_before_the_resolver_is_called() {
    let asked = |fix: bool, pickle: &[u8]| {
        let (sender, names) = std::sync::mpsc::channel();
        let sender = std::sync::Mutex::new(sender);
        let resolver = move |module: &str, name: &str| {
            sender.lock().unwrap().send(format!("{module}.{name}")).unwrap();
            Ok(Class::Symbolic)
        };
        let graph = Unpickler::new().resolver(resolver).fix_imports(fix).loads(pickle).unwrap();
        (names.recv().unwrap(), graph.root().as_global().unwrap().to_string())
    };
    let name = |asked: &str, kept: &str| (asked.to_owned(), kept.to_owned());
    assert_eq!(asked(true, b"ccopy_reg\n_reconstructor\n."), name("copyreg._reconstructor", "copy_reg._reconstructor"));
    assert_eq!(asked(true, b"c__builtin__\nunicode\n."), name("builtins.str", "__builtin__.unicode"));
    assert_eq!(asked(false, b"c__builtin__\nunicode\n."), name("__builtin__.unicode", "__builtin__.unicode"));
    assert_eq!(asked(true, b"\x80\x03c__builtin__\nunicode\n."), name("__builtin__.unicode", "__builtin__.unicode"));
}

#[test]
fn several_dumps_with_one_memo_load_into_one_graph() {
    for vector in vectors("one-memo-") {
        let unpickler = Unpickler::new().resolver(Symbolic).shared_memo(true);
        let graph = unpickler.stream(&vector.pickle[..]).last().unwrap().unwrap();
        let [shared, both, _] = graph.roots().as_array().unwrap();
        assert!(both.items().len() == 2 && both.items().all(|item| item.is(shared)), "{}", vector.name);
    }
}
