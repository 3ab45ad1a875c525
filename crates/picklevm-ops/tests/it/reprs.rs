//! Floats, text and bytes are written as Python writes them (`tests/data/make.py`), and the same bytes are valid text.

use picklevm_ops::{Escaped, RawUnicode, Text, repr};

use picklevm_testing::unhex;

/// Returns what is written for a value of a kind.
fn written(kind: &str, value: &[u8]) -> String {
    match kind {
        "float" => repr::Float(f64::from_be_bytes(value.try_into().unwrap())).to_string(),
        "str" => repr::Str(Text::new(value).unwrap()).to_string(),
        "bytes" => repr::Bytes(value).to_string(),
        "bytearray" => repr::ByteArray(value).to_string(),
        "latin1" => repr::Latin1(value).to_string(),
        kind => panic!("{kind}"),
    }
}

#[test]
fn every_value_is_written_as_python_writes_it() {
    let cases = include_str!("../data/reprs.txt");
    assert!(cases.lines().count() > 1000);
    for case in cases.lines() {
        let mut fields = case.split(' ');
        let (kind, value, expected) = (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap());
        assert_eq!(written(kind, &unhex(value)), String::from_utf8(unhex(expected)).unwrap(), "{case}");
    }
}

#[test]
fn strings_of_python_2_are_bytes_without_the_b() {
    assert_eq!(repr::EightBit(b"it's \xff").to_string(), r#""it's \xff""#);
}

#[test]
fn text_is_utf_8_that_may_contain_surrogates() {
    for sound in [
        &b""[..],
        b"abc",
        "é€😀".as_bytes(),
        b"\xed\xa0\x80",
        b"\xed\xa0\xbd\xed\xb8\x80x",
        b"0123456789abcdefX\xed\xbf\xbf",
    ] {
        assert_eq!(Text::new(sound).unwrap().as_bytes(), sound);
    }
    for broken in [
        &b"\x80"[..],
        b"\xc3",
        b"\xc0\x80",
        b"\xe2\x82",
        b"\xed\xa0",
        b"\xed\xc0\x80",
        b"\xf4\x90\x80\x80",
        b"abcdefgh\xff",
    ] {
        assert!(Text::new(broken).is_none(), "{broken:?}");
    }
}

#[test]
fn text_of_every_short_length_is_checked_to_its_last_byte() {
    for len in 1..40 {
        for at in 0..len {
            let mut bytes = vec![b'a'; len];
            bytes[at] = 0xff;
            assert!(Text::new(&bytes).is_none(), "{at} of {len}");
        }
    }
}

#[test]
fn text_knows_whether_it_is_utf_8() {
    assert_eq!(Text::new("naïve".as_bytes()).unwrap().as_str(), Some("naïve"));
    let lone = Text::new(b"a\xed\xb0\x80b").unwrap();
    assert!(!lone.is_utf8());
    assert_eq!(lone.as_str(), None);
    assert_eq!(lone.to_string(), "a\u{fffd}b");
    assert_eq!(format!("{lone:?}"), r"'a\udc00b'");
}

#[test]
fn escaped_text_reads_back() {
    let all: Vec<u8> = (0..=255).collect();
    let mut operand = Vec::new();
    Escaped::escape(&all, &mut operand);
    assert_eq!(*Escaped::new(&operand).unwrap().decode(), all[..]);

    let text = "\0\n\r\x1a\\u0041é€😀";
    for controls in [RawUnicode::CONTROLS, b""] {
        let mut operand = Vec::new();
        RawUnicode::escape(text.into(), controls, &mut operand);
        assert_eq!(*RawUnicode::new(&operand).unwrap().decode(), *text.as_bytes());
    }
}

#[test]
fn text_is_escaped_as_in_each_version_of_cpython_s_picklers() {
    let mut operand = Vec::new();
    RawUnicode::escape("\0\n\r\x1a\\é€😀".into(), RawUnicode::CONTROLS, &mut operand);
    assert_eq!(operand, b"\\u0000\\u000a\\u000d\\u001a\\u005c\xe9\\u20ac\\U0001f600");
    operand.clear();
    RawUnicode::escape("\0\n\r\x1a\\".into(), b"", &mut operand);
    assert_eq!(operand, b"\0\\u000a\r\x1a\\u005c");
}
