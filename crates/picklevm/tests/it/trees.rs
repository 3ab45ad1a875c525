//! Graphs without memo references use a separate writer loop, with the same output.

use picklevm::{Graph, Id, Pickler, PicklerVersion, Protocol, Unpickler};

use picklevm_testing::Random;

const PROTOCOLS: [Protocol; 6] = [Protocol::V0, Protocol::V1, Protocol::V2, Protocol::V3, Protocol::V4, Protocol::V5];

/// Returns a loaded graph, and a copy that is not known to be a tree, since copies may be changed.
fn loaded_and_copied(pickle: &[u8]) -> (Graph, Graph) {
    let loaded = Unpickler::new().loads(pickle).expect("it was just written");
    let mut copied = loaded.clone();
    let root = copied.root().id();
    copied.set_root(root);
    (loaded, copied)
}

/// Asserts that both graphs are written the same, by each method of writing.
#[track_caller]
fn assert_written_alike(pickle: &[u8], what: &str) {
    let (loaded, copied) = loaded_and_copied(pickle);
    for protocol in PROTOCOLS {
        for writer in PicklerVersion::all().filter(|writer| writer.highest_protocol() >= protocol) {
            let pickler = Pickler::new().protocol(protocol).writer(writer);
            let expected = pickler.dumps(copied.root()).expect("it is written");
            let written = pickler.dumps(loaded.root()).expect("it is written");
            assert!(written == expected, "{what}, protocol {protocol}, writer {writer}");
            assert!(pickler.to_bytes(loaded.root()).expect("it is written") == expected, "{what}: as bytes");
            let mut streamed = Vec::new();
            pickler.dump(loaded.root(), &mut streamed).expect("it is written");
            assert!(streamed == expected, "{what}, protocol {protocol}, writer {writer}: streamed");
        }
    }
}

fn pickled(graph: &mut Graph, root: Id) -> Vec<u8> {
    graph.set_root(root);
    Pickler::new().protocol(Protocol::V4).dumps(graph.root()).expect("it is written")
}

/// Returns a tree of about `size` values, including some objects.
fn random_tree(graph: &mut Graph, random: &mut Random, size: usize) -> Id {
    let mut left = size;
    // Each container takes the most recent values.
    let mut ready: Vec<Id> = Vec::new();
    while left > 0 {
        left -= 1;
        let own = ready.len().saturating_sub(random.below(6));
        let id = match random.below(22) {
            0 => graph.add(random.below(256) as i64),
            1 => graph.add(-(random.below(1 << 20) as i64)),
            2 => graph.add(1i64 << random.below(63)),
            3 => graph.add(random.below(1000) as f64 / 7.0),
            4 => graph.add(0.0),
            5 => graph.add(f64::NAN),
            6 => graph.add(random.below(2) == 1),
            7 => graph.add(()),
            8 | 9 => graph.add("é".repeat(random.below(20)).as_str()),
            10 => graph.add("x".repeat(random.below(400)).as_str()),
            11 => graph.add("long".repeat(random.below(2) * 20_000).as_str()),
            12 => graph.bytes(vec![7; random.below(300)]),
            13 => graph.bytearray(vec![7; random.below(50)]),
            14 => graph.add(num_bigint::BigInt::from(7).pow(random.below(900) as u32)),
            15 | 16 => graph.list(ready.split_off(own)),
            17 | 18 => graph.tuple(ready.split_off(own)),
            19 => {
                let pairs = ready.split_off(own).into_iter().enumerate().map(|(n, value)| (n as i64, value));
                graph.dict(pairs).expect("numbers")
            }
            20 => graph.set(0..random.below(5) as i64).expect("numbers"),
            _ => graph.frozenset(0..random.below(5) as i64).expect("numbers"),
        };
        ready.push(id);
    }
    graph.list(ready)
}

#[test]
fn random_trees_are_written_like_their_copies() {
    for seed in 0..300 {
        let (mut graph, mut random) = (Graph::new(), Random::new(seed));
        let root = random_tree(&mut graph, &mut random, 1 + seed as usize % 60);
        assert_written_alike(&pickled(&mut graph, root), &format!("seed {seed}"));
    }
}

#[test]
fn trees_of_many_frames_are_written_like_their_copies() {
    let mut graph = Graph::new();
    let row = |graph: &mut Graph, n: i64| {
        let dict = graph.dict([("key", n)]).expect("a text");
        let list = graph.list([n, 300, 70_000]);
        graph.tuple([list, dict])
    };
    let rows: Vec<_> = (0..20_000).map(|n| row(&mut graph, n)).collect();
    let tables: Vec<_> = rows.chunks(700).map(|rows| graph.list(rows.to_vec())).collect();
    let root = graph.tuple(tables);
    assert_written_alike(&pickled(&mut graph, root), "tables of rows");
}

#[test]
fn containers_of_several_batches_are_written_like_their_copies() {
    for len in [999, 1000, 1001, 2000] {
        let mut graph = Graph::new();
        let list = graph.list(0..len);
        let dict = graph.dict((0..len).map(|n| (n, n))).expect("numbers");
        let set = graph.set(0..len).expect("numbers");
        let root = graph.list(vec![list, dict, set]);
        assert_written_alike(&pickled(&mut graph, root), &format!("{len} items"));
    }
}

#[test]
fn deep_trees_are_written_like_their_copies() {
    let mut pickle = b"\x80\x04".to_vec();
    pickle.extend([b"]\x94".repeat(30_000), b"a".repeat(29_999), b".".to_vec()].concat());
    assert_written_alike(&pickle, "lists in lists");
    let pickle = [b"\x80\x02)".to_vec(), b"\x85".repeat(30_000), b".".to_vec()].concat();
    assert_written_alike(&pickle, "tuples in tuples");
}

#[test]
fn values_shared_after_loading_are_written_as_shared() {
    let mut graph = picklevm::loads(b"\x80\x04]\x94]\x94a.").expect("it loads");
    let (list, inner) = (graph.root().id(), graph.root().at(0).id());
    graph.value_mut(list).push(inner).expect("a list");
    let pickle = Pickler::new().dumps(graph.root()).expect("it is written");
    assert!(pickle.ends_with(b"]\x94(]\x94h\x01e."), "{}", pickle.escape_ascii());
}

#[test]
fn memo_references_of_a_pickle_are_written_back() {
    for pickle in [&b"\x80\x04]\x94(]\x94h\x01e."[..], b"\x80\x04]\x94(]\x942e.", b"\x80\x02]q\x00(]q\x01h\x01e."] {
        let graph = picklevm::loads(pickle).expect("it loads");
        let written = Pickler::new().dumps(graph.root()).expect("it is written");
        assert!(written.ends_with(b"]\x94(]\x94h\x01e."), "{}", written.escape_ascii());
    }
}

#[test]
fn a_later_pickle_of_a_stream_refers_to_values_of_an_earlier_one() {
    let graph = picklevm::loads(b"\x80\x04]\x94K\x01a.").expect("it loads");
    let mut dumper = Pickler::new().stream(Vec::new());
    dumper.dump(graph.root()).expect("it is written");
    dumper.dump(graph.root()).expect("it is written");
    let written = dumper.finish().expect("it is written");
    assert!(written.ends_with(b"]\x94K\x01a.\x80\x04h\x00."), "{}", written.escape_ascii());
}
