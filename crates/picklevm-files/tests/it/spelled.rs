//! Bytes spelled in text, and what stands around pickles.

use picklevm_files::{Error, ErrorKind, Kind};

use crate::{bare, bytes, error, from, made, only, paths};

/// What a file becomes whose pickle is written back as it is.
fn written_back(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    from(data.to_vec()).rewrite::<Error>(&mut out, |_, _| Ok(Some(vec![bare()]))).unwrap();
    out
}

#[test]
fn hexadecimal_digits_are_read_as_databases_print_them() {
    let lower: String = picklevm_testing::hex(&bare());
    let upper = lower.to_uppercase();
    for text in [lower.clone(), format!("\\x{lower}\n"), format!("0x{upper}"), format!(" X'{upper}'\n")] {
        let file = from(text.clone());
        assert_eq!(only(&file).bytes().unwrap(), bare(), "{text}");
        assert_eq!(file.root().open().unwrap().kind(), Kind::Hex);
        assert_eq!(written_back(text.as_bytes()), text.as_bytes());
    }
}

#[test]
fn digits_that_are_no_pickle_are_text() {
    for text in ["deadbeefdeadbeef", "0123456789012345", "4e2e4e2e4e2e4e2", "b'hello world'"] {
        assert_eq!(error(&from(text)).kind(), ErrorKind::NoPickle, "{text}");
    }
}

#[test]
fn the_notation_of_python_is_read() {
    let text = picklevm_ops::repr::Bytes(&bare()).to_string();
    let file = from(format!("{text}\n"));
    assert_eq!(only(&file).bytes().unwrap(), bare());
    assert_eq!(file.root().open().unwrap().kind(), Kind::BytesLiteral);
    assert_eq!(written_back(text.as_bytes()), text.as_bytes());
}

#[test]
fn a_byte_order_mark_may_stand_before_base64() {
    let text = [b"\xef\xbb\xbf", &bytes("base64.txt")[..]].concat();
    assert_eq!(only(&from(text.clone())).bytes().unwrap(), bare());
    assert_eq!(written_back(&text), text);
}

#[test]
fn sessions_of_django_are_read_and_not_written() {
    // Up to 3.0: base64 of a hash and the pickle. Since: base64 of zlib, the time and the signature.
    let hashed = [&b"0123456789abcdef0123456789abcdef01234567:"[..], &bare()].concat();
    let signed = ".eJxrYJnqzgABtVM0epgyU6Z4a_Ww5CXmpk7pYYnKP7x6Sg9zQX7xFHf7HxBl7geg6tuACkoS04unxAI1MiZO6WFMmpJaqgcA42QZKw:1kXYZa:0iJ7pT2l5u9wQe-_abcDEF012345";
    assert_eq!(paths(&from(hashed.clone())), [""]);
    assert_eq!(only(&from(hashed.clone())).bytes().unwrap(), bare());
    assert_eq!(from(hashed.clone()).root().open().unwrap().kind(), Kind::DjangoSession);
    let written = from(hashed).rewrite::<Error>(&mut Vec::new(), |_, _| Ok(Some(vec![bare()])));
    assert_eq!(written.unwrap_err().kind(), ErrorKind::ReadOnly);
    assert_eq!(only(&from(signed)).bytes().unwrap(), bare());
}

#[test]
fn blanks_may_stand_between_pickles() {
    let pickles = [&bare()[..], b"\n", &bare(), b"\r\n  ", &bare(), b"\n"].concat();
    assert_eq!(paths(&from(pickles.clone())).len(), 3);
    // They stay where they are.
    let mut out = Vec::new();
    from(pickles).rewrite::<Error>(&mut out, |_, _| Ok(Some(vec!["N.".into(); 3]))).unwrap();
    assert_eq!(out, b"N.\nN.\r\n  N.\n");
}

#[test]
fn lengths_behind_minus_one_are_those_of_multiprocessing() {
    let data = [&[0xff; 4][..], &(bare().len() as u64).to_be_bytes(), &bare()].concat();
    assert_eq!(only(&from(data.clone())).bytes().unwrap(), bare());
    assert_eq!(written_back(&data), data);
}

#[test]
fn frames_that_zstd_skips_may_stand_before_its_own() {
    let skipped = [&b"\x50\x2a\x4d\x18\x04\0\0\0abcd"[..], b"\x5f\x2a\x4d\x18\0\0\0\0"].concat();
    let data = [&skipped[..], &bytes("zstd.pkl.zst"), &skipped].concat();
    let file = from(data);
    assert_eq!(only(&file).bytes().unwrap(), only(&made("zstd.pkl.zst")).bytes().unwrap());
    assert!(file.root().open().unwrap().problem().is_none());
}

#[test]
fn indexes_of_renpy_that_python_3_wrote_are_read() {
    // `b''` and `b'N'` below protocol 3: `bytes()`, and `_codecs.encode('N', 'latin1')`.
    let index = b"\x80\x02}(X\x05\0\0\0a.pkl](K(K\x02c__builtin__\nbytes\n)R\x87eX\x05\0\0\0b.pkl]\
        (K*K\x02c_codecs\nencode\nX\x01\0\0\0NX\x06\0\0\0latin1\x86R\x87eu.";
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packer, index).unwrap();
    let data = [&b"RPA-3.0 000000000000002b 00000000\n\0\0\0\0\0\0N.."[..], &packer.finish().unwrap()].concat();
    let file = from(data);
    let pickles: Vec<_> = file.pickles().filter_map(Result::ok).collect();
    let of = |name: &str| pickles.iter().find(|pickle| pickle.path() == name).map(|pickle| pickle.bytes().unwrap());
    assert_eq!(of("a.pkl").as_deref(), Some(&b"N."[..]));
    assert_eq!(of("b.pkl").as_deref(), Some(&b"N."[..]));
}
