//! Pickles in streams that arrive in parts.

use bytes::BytesMut;
use picklevm::codec::{Framing, PickleCodec, PickleFrames};
use picklevm::{ErrorKind, Graph, value};
use proptest::prelude::*;
use tokio_util::codec::{Decoder, Encoder};

fn pickles() -> Vec<Vec<u8>> {
    let graphs = [value!([1, "two", 3.0]), value!({"a\n.": "."}), value!("x".repeat(70_000)), value!(None::<i32>)];
    graphs.iter().map(|graph| picklevm::dumps(graph.root()).expect("plain data")).collect()
}

/// Decodes `sent`, which arrives in parts of these lengths.
fn receive(mut frames: PickleFrames, sent: &[u8], lens: &[usize]) -> picklevm::Result<Vec<Vec<u8>>> {
    let (mut stream, mut received, mut rest) = (BytesMut::new(), Vec::new(), sent);
    for len in lens.iter().cycle() {
        let (part, after) = rest.split_at((*len).min(rest.len()));
        stream.extend_from_slice(part);
        rest = after;
        while let Some(pickle) = frames.decode(&mut stream)? {
            received.push(pickle.to_vec());
        }
        if rest.is_empty() {
            break;
        }
    }
    while let Some(pickle) = frames.decode_eof(&mut stream)? {
        received.push(pickle.to_vec());
    }
    Ok(received)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pickles_are_the_same_however_they_arrive(lens in prop::collection::vec(1usize..5000, 1..8), framed in any::<bool>()) {
        let framing = if framed { Framing::LengthPrefixed } else { Framing::EndToEnd };
        let (pickles, mut sent) = (pickles(), BytesMut::new());
        for pickle in &pickles {
            PickleFrames::new(framing).encode(pickle, &mut sent).expect("short pickles");
        }
        prop_assert_eq!(receive(PickleFrames::new(framing), &sent, &lens).expect("whole pickles"), pickles);
    }
}

#[test]
fn a_claimed_length_beyond_the_limit_is_an_error_before_anything_arrives() {
    let mut stream = BytesMut::from(&b"\xff\xff\xff\xff"[..]);
    let error = PickleFrames::length_prefixed().decode(&mut stream).expect_err("4 GiB");
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert_eq!(
        error.to_string(),
        "offset 0: expected a pickle of at most 8388608 bytes (PickleFrames::max_len), found a length of 4294967295 bytes"
    );
}

#[test]
fn a_pickle_without_an_end_is_an_error_at_the_limit() {
    for unending in [&b"NN"[..], b"cx", b"X\xff\xff\xff\x7f", b"\x8e\0\0\0\0\0\0\0\x80"] {
        let mut frames = PickleFrames::end_to_end().max_len(1000);
        let (mut stream, mut result) = (BytesMut::from(unending), Ok(None));
        for _ in 0..1000 {
            result = frames.decode(&mut stream);
            if result.is_err() {
                break;
            }
            let last = unending[1];
            stream.extend_from_slice(&[last]);
        }
        assert_eq!(result.expect_err("no end").kind(), ErrorKind::Limit, "{unending:?}");
        assert!(stream.len() <= 1001);
    }
}

#[test]
fn a_stream_that_ends_within_a_frame_is_truncated() {
    for (sent, message) in [
        (&b"\0\0"[..], "expected a length of four bytes, found 2 bytes of it"),
        (b"\0\0\0\x02N", "expected a pickle of 2 bytes, found 1 byte of it"),
    ] {
        let error = PickleFrames::length_prefixed().decode_eof(&mut BytesMut::from(sent)).expect_err("cut off");
        assert_eq!(error.kind(), ErrorKind::Truncated);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn offsets_count_from_the_beginning_of_the_stream() {
    let mut frames = PickleFrames::end_to_end();
    let mut stream = BytesMut::from(&b"N.N\xff"[..]);
    frames.decode(&mut stream).expect("a pickle");
    assert_eq!(frames.decode(&mut stream).expect_err("no opcode").offset(), Some(3));
}

#[test]
fn a_pickle_that_cannot_be_loaded_does_not_end_the_stream() {
    let mut stream = BytesMut::from(&b"0.N."[..]);
    let mut codec = PickleCodec::end_to_end();
    let refused = codec.decode(&mut stream).expect("whole pickles").expect("a pickle");
    assert_eq!(refused.expect_err("nothing to pop").kind(), ErrorKind::Stack);
    let none = codec.decode(&mut stream).expect("whole pickles").expect("a pickle").expect("None");
    assert!(none.root().is_none());
}

#[test]
fn graphs_and_values_are_written_with_the_options_of_the_codec() {
    let mut codec = PickleCodec::end_to_end().pickler(picklevm::Pickler::new().protocol(picklevm::Protocol::V0));
    let (graph, mut stream) = (Graph::from(vec![1]), BytesMut::new());
    codec.encode(&graph, &mut stream).expect("plain data");
    codec.encode(graph.root().at(0), &mut stream).expect("plain data");
    assert_eq!(&stream[..], b"(lp0\nI1\na.I1\n.");
}
