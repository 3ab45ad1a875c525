//! One or more vectors for each opcode: an op and its encoding. Each runs through decoding, encoding, truncation and
//! the reader.

use picklevm_ops::{Decoder, ErrorKind, Escaped, Number, Op, Opcode, RawUnicode, Reader, Text, Writer, ops};

use picklevm_testing::OneByte;

/// Canonical ops: those that encode to the bytes they are decoded from.
fn vectors() -> Vec<(&'static [u8], Op<'static>)> {
    let lone = Text::new(b"\xed\xb3\xbf").unwrap();
    vec![
        (b"I42\n", Op::Int(Number::int(b"42").unwrap())),
        (b"I01\n", Op::Int(Number::int(b"01").unwrap())),
        (b"I0x_f \n", Op::Int(Number::int(b"0x_f ").unwrap())),
        (b"J\xfe\xff\xff\xff", Op::BinInt(-2)),
        (b"K\xff", Op::BinInt1(255)),
        (b"M\x00\x01", Op::BinInt2(256)),
        (b"L-170141183460469231731687303715884105728L\n", {
            Op::Long(Number::long(b"-170141183460469231731687303715884105728L").unwrap())
        }),
        (b"\x8a\x00", Op::Long1(b"")),
        (b"\x8a\x02\xff\x7f", Op::Long1(b"\xff\x7f")),
        (b"\x8b\x01\x00\x00\x00\x80", Op::Long4(b"\x80")),
        (b"N", Op::None),
        (b"\x88", Op::NewTrue),
        (b"\x89", Op::NewFalse),
        (b"S'a\\n\\'\"\xff'\n", Op::String(Escaped::new(b"'a\\n\\'\"\xff'").unwrap())),
        (b"T\x02\x00\x00\x00\x00\n", Op::BinString(b"\0\n")),
        (b"U\x01\xe9", Op::ShortBinString(b"\xe9")),
        (b"B\x03\x00\x00\x00abc", Op::BinBytes(b"abc")),
        (b"C\x00", Op::ShortBinBytes(b"")),
        (b"\x8e\x01\x00\x00\x00\x00\x00\x00\x00x", Op::BinBytes8(b"x")),
        (b"\x96\x01\x00\x00\x00\x00\x00\x00\x00y", Op::ByteArray8(b"y")),
        (b"\x97", Op::NextBuffer),
        (b"\x98", Op::ReadonlyBuffer),
        (b"Vna\xefve \\u20ac\n", Op::Unicode(RawUnicode::new(b"na\xefve \\u20ac").unwrap())),
        (b"\x8c\x03\xed\xb3\xbf", Op::ShortBinUnicode(lone)),
        (b"X\x05\x00\x00\x00caf\xc3\xa9", Op::BinUnicode("café".into())),
        (b"\x8d\x03\x00\x00\x00\x00\x00\x00\x00\xe2\x82\xac", Op::BinUnicode8("€".into())),
        (b"F-1.5\n", Op::Float(-1.5)),
        (b"F1e+16\n", Op::Float(1e16)),
        (b"F0.0001\n", Op::Float(0.0001)),
        (b"F1e-05\n", Op::Float(1e-5)),
        (b"Finf\n", Op::Float(f64::INFINITY)),
        (b"G\x3f\xf8\x00\x00\x00\x00\x00\x00", Op::BinFloat(1.5)),
        (b"]", Op::EmptyList),
        (b"a", Op::Append),
        (b"e", Op::Appends),
        (b"l", Op::List),
        (b")", Op::EmptyTuple),
        (b"t", Op::Tuple),
        (b"\x85", Op::Tuple1),
        (b"\x86", Op::Tuple2),
        (b"\x87", Op::Tuple3),
        (b"}", Op::EmptyDict),
        (b"d", Op::Dict),
        (b"s", Op::SetItem),
        (b"u", Op::SetItems),
        (b"\x8f", Op::EmptySet),
        (b"\x90", Op::AddItems),
        (b"\x91", Op::FrozenSet),
        (b"0", Op::Pop),
        (b"2", Op::Dup),
        (b"(", Op::Mark),
        (b"1", Op::PopMark),
        (b"g0\n", Op::Get(0)),
        (b"h\x07", Op::BinGet(7)),
        (b"j\x00\x01\x00\x00", Op::LongBinGet(256)),
        (b"p18446744073709551615\n", Op::Put(u64::MAX)),
        (b"q\x07", Op::BinPut(7)),
        (b"r\xff\xff\xff\xff", Op::LongBinPut(u32::MAX)),
        (b"\x94", Op::Memoize),
        (b"\x82\x01", Op::Ext1(1)),
        (b"\x83\x01\x02", Op::Ext2(513)),
        (b"\x84\xff\xff\xff\xff", Op::Ext4(-1)),
        (b"cos.path\njoin\n", Op::Global("os.path".into(), "join".into())),
        (b"cm\n\xc3\xa9\n", Op::Global("m".into(), "é".into())),
        (b"\x93", Op::StackGlobal),
        (b"R", Op::Reduce),
        (b"b", Op::Build),
        (b"im\nC\n", Op::Inst("m".into(), "C".into())),
        (b"o", Op::Obj),
        (b"\x81", Op::NewObj),
        (b"\x92", Op::NewObjEx),
        (b"\x80\x05", Op::Proto(5)),
        (b".", Op::Stop),
        (b"\x95\x00\x00\x00\x00\x00\x00\x00\x00", Op::Frame(0)),
        (b"Pid 7\n", Op::PersId("id 7")),
        (b"Q", Op::BinPersId),
    ]
}

#[test]
fn every_opcode_has_a_vector() {
    for &opcode in Opcode::ALL {
        assert!(vectors().iter().any(|(_, op)| op.opcode() == opcode), "{opcode}");
    }
}

#[test]
fn bytes_decode_to_their_op() {
    for (bytes, op) in vectors() {
        let mut decoder = Decoder::new(bytes);
        assert_eq!(decoder.next_op().unwrap(), op);
        assert_eq!((decoder.op_offset(), decoder.offset()), (0, bytes.len()));
    }
}

#[test]
fn ops_encode_to_their_bytes() {
    for (bytes, op) in vectors() {
        let mut out = b"before".to_vec();
        op.encode(&mut out).unwrap();
        assert_eq!(out, [b"before", bytes].concat(), "{op:?}");
    }
}

#[test]
fn a_nan_keeps_its_sign_in_text() {
    for text in [&b"Fnan\n"[..], b"F-nan\n"] {
        let Ok(Op::Float(value)) = Decoder::new(text).next_op() else { panic!("{}", text.escape_ascii()) };
        assert_eq!((value.is_nan(), value.is_sign_negative()), (true, text.contains(&b'-')));
        let mut out = Vec::new();
        Op::Float(value).encode(&mut out).unwrap();
        assert_eq!(out, text);
    }
}

#[test]
fn the_writer_writes_what_ops_encode_to() {
    let (mut writer, mut stream) = (Writer::new(), Writer::stream(Vec::new()));
    let mut expected = Vec::new();
    for (bytes, op) in vectors() {
        writer.op(op).unwrap();
        writer.boundary().unwrap();
        stream.op(op).unwrap();
        expected.extend_from_slice(bytes);
    }
    assert_eq!(writer.into_vec().unwrap(), expected);
    assert_eq!(stream.finish().unwrap(), expected);
}

#[test]
fn consecutive_ops_are_decoded_in_order() {
    let all: Vec<_> = vectors().into_iter().filter(|(_, op)| *op != Op::Stop && *op != Op::Frame(0)).collect();
    let mut pickle: Vec<u8> = all.iter().flat_map(|(bytes, _)| *bytes).copied().collect();
    pickle.push(b'.');
    let decoded: Vec<_> = ops(&pickle).map(|op| op.unwrap().1).collect();
    let expected: Vec<_> = all.iter().map(|(_, op)| *op).chain([Op::Stop]).collect();
    assert_eq!(decoded, expected);
}

#[test]
fn an_op_cut_off_anywhere_is_truncated() {
    for (bytes, op) in vectors() {
        for len in 1..bytes.len() {
            let error = Decoder::new(&bytes[..len]).next_op().unwrap_err();
            assert_eq!((error.kind(), error.offset()), (ErrorKind::Truncated, 0), "{op:?} {len}");
            assert_eq!(error.opcode(), Some(op.opcode()));
            let same = Reader::new(OneByte(&bytes[..len])).next_op().unwrap_err();
            assert_eq!(same.to_string(), error.to_string());
        }
    }
}

#[test]
fn a_reader_of_one_byte_at_a_time_reads_the_same() {
    for (bytes, op) in vectors() {
        let mut reader = Reader::new(OneByte(bytes));
        assert_eq!(reader.next_op().unwrap(), op);
        assert_eq!((reader.op_offset(), reader.offset()), (0, bytes.len() as u64));
    }
}

#[test]
fn empty_data_are_the_end() {
    let error = Decoder::new(b"").next_op().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::End);
    assert_eq!(error.to_string(), "offset 0: expected a pickle, found the end of the data");
    assert_eq!(Reader::new(&b""[..]).next_op().unwrap_err().to_string(), error.to_string());
}

#[test]
fn a_pickle_without_stop_is_truncated() {
    let mut decoder = Decoder::new(b"N");
    decoder.next_op().unwrap();
    let error = decoder.next_op().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert_eq!(error.to_string(), "offset 1: expected an opcode, found the end of the data");
}

#[test]
fn other_bytes_are_not_opcodes() {
    for byte in (0..=255).filter(|&byte| Opcode::from_byte(byte).is_none()) {
        let pickle = [byte];
        let error = Decoder::new(&pickle).next_op().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOpcode);
        assert_eq!(error.to_string(), format!("offset 0: expected an opcode, found the byte {byte:#04x}"));
    }
}

#[test]
fn invalid_operands_are_refused_and_quoted() {
    for (bytes, message) in [
        (&b"\x80\x06"[..], "PROTO: expected a protocol from 0 to 5, found 6"),
        (b"I010\n", "INT: expected an integer literal, found b'010'"),
        (b"L\n", "LONG: expected an integer literal, found b''"),
        (b"F1.2.3\n", "FLOAT: expected a decimal float literal, found b'1.2.3'"),
        (b"Sbare\n", "STRING: expected a quoted string with valid escapes, found b'bare'"),
        (b"S'\\x4'\n", r#"STRING: expected a quoted string with valid escapes, found b"'\\x4'""#),
        (b"V\\u12\n", r"UNICODE: expected text in raw-unicode-escape, found b'\\u12'"),
        (b"X\x02\0\0\0\xc3\x28", r"BINUNICODE: expected UTF-8 (lone surrogates allowed), found b'\xc3('"),
        (b"g-1\n", "GET: expected a memo index from 0 to 2**64 - 1, found b'-1'"),
        (b"p18446744073709551616\n", "PUT: expected a memo index from 0 to 2**64 - 1, found b'18446744073709551616'"),
        (b"cm\n\xed\xa0\x80\n", r"GLOBAL: expected UTF-8 without surrogates, found b'\xed\xa0\x80'"),
        (b"im\n\xc3\xa9\n", r"INST: expected ASCII, found b'\xc3\xa9'"),
        (b"P\xff\n", r"PERSID: expected ASCII, found b'\xff'"),
        (b"T\xff\xff\xff\xff", "BINSTRING: expected a length of zero or more, found -1"),
        (b"\x8b\xff\xff\xff\xff", "LONG4: expected a length of zero or more, found -1"),
        (
            b"\x95\0\0\0\0\0\0\0\x80",
            "FRAME: expected a frame length of less than 2**63 bytes, found 9223372036854775808",
        ),
    ] {
        let error = Decoder::new(bytes).next_op().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadOperand);
        assert_eq!(error.to_string(), format!("offset 0: {message}"));
    }
}

#[test]
fn long_operands_are_quoted_in_part() {
    let mut pickle = b"I".to_vec();
    pickle.resize(1000, b'z');
    pickle.push(b'\n');
    let error = Decoder::new(&pickle).next_op().unwrap_err();
    assert_eq!(error.found(), format!("b'{}'... (999 bytes)", "z".repeat(40)));
}

#[test]
fn an_op_that_would_not_read_back_is_not_encoded() {
    let long = "x".repeat(256);
    for (op, message) in [
        (Op::ShortBinBytes(long.as_bytes()), "SHORT_BINBYTES: expected a length of at most 255, found 256"),
        (Op::ShortBinUnicode(long.as_str().into()), "SHORT_BINUNICODE: expected a length of at most 255, found 256"),
        (Op::Global("m".into(), "a\nb".into()), r"GLOBAL: expected one line in the opcode's encoding, found b'a\nb'"),
        (Op::Inst("é".into(), "C".into()), r"INST: expected one line in the opcode's encoding, found b'\xc3\xa9'"),
        (Op::PersId("a\n"), r"PERSID: expected one line in the opcode's encoding, found b'a\n'"),
        (Op::Proto(6), "PROTO: expected a protocol from 0 to 5, found 6"),
    ] {
        let mut out = b"..".to_vec();
        let error = op.encode(&mut out).unwrap_err();
        assert_eq!(error.to_string(), format!("offset 2: {message}"));
        assert_eq!(out, b"..");
    }
}
