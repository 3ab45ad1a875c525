//! Shared values are visited once by every operation.

use picklevm::{ErrorKind, Graph, Symbolic, Unpickler, loads, same_graph};

use crate::{soon, text};

const MANY: usize = 200_000;

/// Returns a text of one megabyte.
fn long_text() -> Vec<u8> {
    text(&[b'x'; 1 << 20])
}

fn load(pickle: &[u8]) -> Graph {
    Unpickler::new().resolver(Symbolic).loads(pickle).expect("a sound pickle")
}

/// Runs every operation that reads a whole graph.
fn run_all_operations(pickle: &[u8]) {
    let (graph, other) = soon(|| (load(pickle), load(pickle)));
    soon(|| format!("{graph:?}"));
    assert!(soon(|| same_graph(graph.root(), other.root())));
    assert!(soon(|| graph == other || graph != other));
    assert!(soon(|| graph.root().detach()).node_count() <= graph.node_count());
    let written = soon(|| picklevm::dumps(graph.root())).expect("it can be written");
    assert!(soon(|| same_graph(load(&written).root(), graph.root())));
}

#[test]
fn a_long_text_is_hashed_once_however_often_it_is_a_key() {
    run_all_operations(&[&b"\x80\x02}"[..], &long_text(), b"q\x00Ns", &b"h\x00Ns".repeat(MANY), b"."].concat());
}

#[test]
fn equal_long_texts_are_compared_once_however_often_both_are_keys() {
    let texts = [&long_text()[..], b"q\x000", &long_text(), b"q\x010"].concat();
    run_all_operations(&[b"\x80\x02", &texts[..], b"}", &b"h\x00Nsh\x01Ns".repeat(MANY), b"."].concat());
    let dicts = b"}(h\x00Nh\x01Nu".repeat(MANY / 4);
    run_all_operations(&[b"\x80\x02", &texts[..], b"](", &dicts, b"e."].concat());
}

#[test]
fn equal_long_tuples_are_compared_once_however_often_both_are_keys() {
    let tuple = [b"(", &b"K\x01".repeat(MANY)[..], b"t"].concat();
    let tuples = [&tuple[..], b"q\x000", &tuple, b"q\x010"].concat();
    run_all_operations(&[b"\x80\x02", &tuples[..], b"}", &b"h\x00Nsh\x01Ns".repeat(MANY), b"."].concat());
}

#[test]
fn equal_frozensets_are_one_key() {
    let set = |members: std::ops::Range<u32>| {
        let ints: Vec<u8> = members.flat_map(|n| [&b"J"[..], &n.to_le_bytes()].concat()).collect();
        [b"(", &ints[..], b"\x91"].concat()
    };
    let pickle = [&b"\x80\x04}"[..], &set(0..5000), b"K\x01s", &set(0..5000), b"K\x02s."].concat();
    let graph = soon(|| load(&pickle));
    assert_eq!(graph.root().len(), 1);
    assert_eq!(graph.root().entries().next().and_then(|(_, value)| value.as_i64()), Some(2));
}

#[test]
fn hashing_a_key_doubled_at_every_level_is_linear() {
    run_all_operations(&[b"\x80\x02}", &b")"[..], &b"2\x86".repeat(60), b"Ns."].concat());
    run_all_operations(
        &[&b"\x80\x04}"[..], &[b")", &b"2\x86".repeat(60)[..], b"Ns"].concat().repeat(2), b"."].concat(),
    );
    run_all_operations(&[&b"\x80\x04\x8f("[..], b")", &b"2\x86".repeat(60), b"\x90."].concat());
}

#[test]
fn comparing_a_value_doubled_at_every_level_is_linear() {
    let level = |n: u8| [b"](h", &[n][..], b"h", &[n], b"eq", &[n + 1]].concat();
    let pickle: Vec<u8> = [b"\x80\x02]q\x00".to_vec()].into_iter().chain((0..60).map(level)).flatten().collect();
    run_all_operations(&[&pickle[..], b"."].concat());
}

#[test]
fn a_long_text_shared_by_many_items_is_compared_once() {
    run_all_operations(&[&b"\x80\x02]("[..], &long_text(), b"q\x00", &b"h\x00".repeat(MANY), b"e."].concat());
}

#[test]
fn a_long_name_from_the_stack_is_read_once() {
    let names = [&long_text()[..], b"q\x000", &long_text(), b"q\x010"].concat();
    run_all_operations(&[b"\x80\x04", &names[..], b"](", &b"h\x00h\x01\x93".repeat(MANY), b"e."].concat());
}

#[test]
fn a_shared_object_with_many_changes_is_visited_once() {
    let changes = b"(K\x01eNb".repeat(MANY);
    run_all_operations(&[b"\x80\x02](cm\nC\n)\x81q\x00", &changes[..], &b"h\x00".repeat(MANY), b"e."].concat());
}

#[test]
fn comparing_a_dropped_call_with_its_successor_takes_constant_time() {
    let call = [b"cm\nC\n(", &long_text()[..], b"tRq\x020"].concat();
    let args = [b"(", &long_text()[..], b"tq\x010"].concat();
    let drops = b"cm\nC\nh\x01R0h\x020".repeat(8 * MANY);
    soon(|| load(&[b"\x80\x02", &call[..], &args, &drops, b"N."].concat()));
}

#[test]
fn dict_entries_set_between_calls_are_visited_once() {
    let row = |n: u32| [&b"J"[..], &n.to_le_bytes(), b"c__builtin__\nset\n)Rs"].concat();
    let rows: Vec<u8> = (0..50_000).flat_map(row).collect();
    let graph = soon(|| loads([b"\x80\x02}", &rows[..], b"."].concat())).expect("a sound pickle");
    assert_eq!(graph.root().len(), 50_000);
}

#[test]
fn a_duplicate_key_of_a_large_dict_keeps_its_position_and_takes_the_last_value() {
    const ROWS: u32 = 300_000;
    let row = |key: u32, value: u32| [&b"J"[..], &key.to_le_bytes(), b"J", &value.to_le_bytes()].concat();
    let rows = (0..ROWS).map(|key| row(key, key)).chain([row(7, ROWS)]).flatten().collect::<Vec<u8>>();
    let graph = soon(|| load(&[b"\x80\x02}(", &rows[..], b"u."].concat()));
    assert_eq!(graph.root().len(), ROWS as usize);
    let (key, value) = graph.root().entries().nth(7).expect("the eighth row");
    assert_eq!((key.as_i64(), value.as_i64()), (Some(7), Some(i64::from(ROWS))));
}

#[test]
fn keys_cannot_be_made_to_collide() {
    let mersenne = (1u128 << 61) - 1;
    let ints: Vec<u8> =
        (1..50_001).flat_map(|k| [&b"\x8a\x10"[..], &(k * mersenne).to_le_bytes(), b"N"].concat()).collect();
    let floats: Vec<u8> =
        (1..50_001u64).flat_map(|k| [&b"G"[..], &((k << 44) as f64).to_be_bytes(), b"N"].concat()).collect();
    for rows in [ints, floats] {
        let graph = soon(|| load(&[b"\x80\x02}(", &rows[..], b"u."].concat()));
        assert_eq!(graph.root().len(), 50_000);
    }
}

#[test]
fn a_frozenset_doubled_at_every_level_is_linear() {
    let level = |n: u8| [b"0(h", &[n][..], b"h", &[n], b"\x85\x91q", &[n + 1]].concat();
    let set: Vec<u8> = [b"(N\x91q\0".to_vec()].into_iter().chain((0..60).map(level)).flatten().collect();
    run_all_operations(&[b"\x80\x04}", &set[..], b"Ns", &set, b"Ns."].concat());
}

#[test]
fn a_state_doubled_at_every_level_is_linear() {
    let level = |n: u8| [b"0cm\nC\n)\x81(h", &[n][..], b"h", &[n], b"tbq", &[n + 1]].concat();
    let state: Vec<u8> = [b"}q\0".to_vec()].into_iter().chain((0..60).map(level)).flatten().collect();
    run_all_operations(&[b"\x80\x02", &state[..], b"."].concat());
}

#[test]
fn a_long_integer_shared_by_many_items_is_read_once() {
    let int = [b"\x8b\0\0\x10\0", &[1; 1 << 20][..], b"q\0"].concat();
    run_all_operations(&[b"\x80\x02", &int[..], b"0](", &b"h\0".repeat(MANY), b"e."].concat());
}

#[test]
fn distinct_nans_are_distinct_keys_and_a_repeated_nan_costs_no_more() {
    let nan = b"G\x7f\xf8\0\0\0\0\0\0";
    run_all_operations(&[&b"\x80\x02}("[..], &[&nan[..], b"\x85N"].concat().repeat(MANY / 4), b"u."].concat());
    run_all_operations(&[&b"\x80\x02}("[..], nan, b"\x85q\0N", &b"h\0N".repeat(MANY / 4), b"u."].concat());
}

#[test]
fn objects_that_recur_deep_inside_their_arguments_are_written_once_more() {
    const OBJECTS: u32 = 4000;
    let memo = |op: u8, n: u32| [&[op][..], &n.to_le_bytes()].concat();
    let mut pickle = [&b"\x80\x02]"[..], &memo(b'r', 0), b"0"].concat();
    for n in 1..OBJECTS {
        pickle.extend([&b"cm\nC\n]("[..], &memo(b'j', n - 1), b"e\x85R", &memo(b'r', n), b"0"].concat());
    }
    let all: Vec<u8> = (1..OBJECTS).flat_map(|n| memo(b'j', n)).collect();
    pickle.extend([&memo(b'j', 0)[..], b"(", &all, b"e0", &memo(b'j', OBJECTS - 1), b"."].concat());
    run_all_operations(&pickle);
}

#[test]
fn a_cycle_through_every_kind_is_visited_once() {
    run_all_operations(b"\x80\x02]q\x00(}q\x01(K\x01h\x00uh\x00\x85cm\nC\nh\x00\x85RNbe.");
    run_all_operations(&[&b"\x80\x02]("[..], &b"]q\x00h\x00a".repeat(MANY), b"e."].concat());
}

#[test]
fn copies_of_a_shared_argument_are_limited() {
    for call in ["c__builtin__\nset\n", "c__builtin__\nfrozenset\n", "c__builtin__\nbytearray\n"] {
        let argument = [b"](", &b"K\x01".repeat(MANY)[..], b"e\x85q\x000"].concat();
        let calls = [call.as_bytes(), b"h\x00R"].concat().repeat(MANY);
        let pickle = [b"\x80\x02", &argument[..], b"](", &calls, b"e."].concat();
        let error = soon(|| loads(&pickle)).expect_err("it would copy 40 thousand million items");
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(error.to_string().contains("(Limits::copies)"), "{error}");
    }
}
