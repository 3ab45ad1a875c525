//! Graphs are shared between threads: many read, and an editing thread gets a copy.

use std::thread;

use picklevm::{Graph, loads};

#[test]
fn many_threads_read_one_graph_while_others_edit_copies_of_it() {
    let rows: Vec<u8> = (0..1000u32).flat_map(|n| [&b"J"[..], &n.to_le_bytes(), b"K\x01"].concat()).collect();
    let graph = loads([b"\x80\x02}(", &rows[..], b"u."].concat()).expect("a sound pickle");
    thread::scope(|scope| {
        for _ in 0..4 {
            let graph = graph.clone();
            scope.spawn(move || {
                for n in 0..1000 {
                    assert_eq!(graph.root().get(n).and_then(|value| value.as_i64()), Some(1));
                }
                assert!(graph.root() == graph.clone().root());
            });
        }
        for n in 0..4 {
            let mut mine: Graph = graph.clone();
            scope.spawn(move || {
                mine.root_mut().set(n, 2).expect("a key");
                assert_eq!(mine.root().get(n).and_then(|value| value.as_i64()), Some(2));
            });
        }
    });
    assert_eq!(graph.root().get(0).and_then(|value| value.as_i64()), Some(1));
}

#[test]
fn the_last_handle_may_be_dropped_in_another_thread() {
    let graph = loads([&b"\x80\x02]"[..], &b"]".repeat(100_000), &b"a".repeat(100_000), b"."].concat())
        .expect("a sound pickle");
    let there = graph.keep(graph.root());
    drop(graph);
    thread::spawn(move || drop(there)).join().expect("it is freed there");
}
