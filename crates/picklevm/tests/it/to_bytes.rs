//! `to_bytes`: pickles as shared bytes in allocated memory or huge pages.

use picklevm::{Error, Graph, Pickler, Protocol};

const PROTOCOLS: [Protocol; 6] = [Protocol::V0, Protocol::V1, Protocol::V2, Protocol::V3, Protocol::V4, Protocol::V5];

/// Asserts that `to_bytes` and `dumps` return the same bytes.
#[track_caller]
fn assert_like_dumps(pickler: &Pickler, graph: &Graph) {
    let bytes = pickler.to_bytes(graph.root()).expect("is written");
    assert!(bytes == pickler.dumps(graph.root()).expect("is written"));
}

#[test]
fn to_bytes_equals_dumps_at_every_protocol_and_length() {
    for protocol in PROTOCOLS {
        for len in [0, 1, 100, 5000, 200_000] {
            let mut graph = Graph::new();
            let list = graph.list(0..len);
            graph.set_root(list);
            assert_like_dumps(&Pickler::new().protocol(protocol), &graph);
        }
    }
}

#[test]
fn to_bytes_has_the_errors_of_dumps() {
    let mut graph = Graph::new();
    let code = graph.global("café", "x");
    graph.set_root(code);
    let pickler = Pickler::new().protocol(Protocol::V2);
    let [one, other] = [pickler.to_bytes(graph.root()).map(Vec::from), pickler.dumps(graph.root())].map(error_of);
    assert_eq!(one, other);
}

fn error_of(result: Result<Vec<u8>, Error>) -> String {
    result.expect_err("an error").to_string()
}

#[cfg(feature = "huge-pages")]
mod huge_pages {
    use std::sync::mpsc;

    use super::*;

    const MIB: usize = 1 << 20;

    /// Returns a list of pairs of a text of one MiB and a number.
    fn texts(count: usize) -> Graph {
        let mut graph = Graph::new();
        let items = (0..count).map(|at| ("abcdefgh".repeat(MIB / 8), at as i64));
        let list = graph.list(items);
        graph.set_root(list);
        graph
    }

    fn pickler() -> Pickler {
        Pickler::new().huge_pages(true)
    }

    #[test]
    fn a_long_pickle_equals_dumps_at_every_protocol() {
        let graph = texts(34);
        for protocol in PROTOCOLS {
            assert_like_dumps(&pickler().protocol(protocol), &graph);
        }
    }

    #[test]
    fn a_pickle_longer_than_its_graph_is_complete() {
        let mut graph = texts(34);
        let all = graph.root().id();
        let twice = graph.list([all, all, all]);
        graph.set_root(twice);
        assert_like_dumps(&pickler().fast(true), &graph);
    }

    #[test]
    fn a_short_value_of_a_large_graph_is_written() {
        let graph = texts(34);
        let pickle = pickler().to_bytes(graph.root().at(7).at(1)).expect("is written");
        assert_eq!(&pickle[..], b"\x80\x04K\x07.");
    }

    #[test]
    fn the_callback_is_called_once_for_each_buffer() {
        let mut graph = texts(33);
        let (large, buffer) = (graph.root().id(), graph.buffer(&b"taken"[..]));
        let pair = graph.list([large, buffer]);
        graph.set_root(pair);
        let (sender, asked) = mpsc::channel();
        let pickler =
            pickler().protocol(Protocol::V5).buffer_callback(move |buffer| sender.send(buffer.index()).is_ok());
        pickler.to_bytes(graph.root()).expect("is written");
        drop(pickler);
        assert_eq!(asked.iter().count(), 1);
    }
}
