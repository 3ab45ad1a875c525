//! Limits of the output of a dump.

use picklevm::{DumpLimits, ErrorKind, Graph, Pickler, Protocol, Symbolic, Unpickler, value};

fn load(pickle: &[u8]) -> Graph {
    Unpickler::new().resolver(Symbolic).loads(pickle).expect("a pickle")
}

/// Returns a pickle with a memoized text of 100 KB and `count` repetitions of `ops`.
fn shared_text(count: usize, ops: &[u8]) -> Vec<u8> {
    let text = vec![b'm'; 100_000];
    let head = [b"\x80\x04X", &100_000_u32.to_le_bytes()[..], &text, b"q\x000("].concat();
    [&head, &ops.repeat(count)[..], b"l."].concat()
}

fn assert_over_limit(pickle: &[u8], pickler: &Pickler) {
    let error = pickler.dumps(load(pickle).root()).expect_err("is too long");
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(error.to_string().contains("DumpLimits::growth"), "{error}");
    // The writer receives no more than the limit and one buffer.
    let mut out = Vec::new();
    assert!(pickler.dump(load(pickle).root(), &mut out).is_err());
    assert!(out.len() < 32 << 20, "{} bytes", out.len());
}

#[test]
fn growth_by_repeated_names_of_globals_is_limited() {
    let pickle = shared_text(4000, b"h\0\x8c\x01f\x93)R");
    for protocol in [Protocol::V0, Protocol::V2, Protocol::V3] {
        assert_over_limit(&pickle, &Pickler::new().protocol(protocol));
    }
    let at_4 = Pickler::new().dumps(load(&pickle).root()).expect("is written");
    assert!(at_4.len() < 200_000);
}

#[test]
fn growth_of_the_graph_form_by_repeated_names_is_limited() {
    let graph = load(&shared_text(4000, b"h\0\x8c\x01f\x93)R"));
    let mut out = Vec::new();
    let error = picklevm::write_graph_form(graph.root(), &mut out).expect_err("is too long");
    assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge, "{error}");
    assert!(out.len() < 32 << 20, "{} bytes", out.len());
}

#[test]
fn growth_by_names_of_old_style_and_nested_classes_is_limited() {
    assert_over_limit(&shared_text(4000, b"(h\0\x8c\x01f\x93o"), &Pickler::new().protocol(Protocol::V0));
    assert_over_limit(&shared_text(4000, b"h\0\x8c\x03f.g\x93"), &Pickler::new().protocol(Protocol::V2));
}

#[test]
fn growth_by_repeated_persistent_ids_is_limited() {
    assert_over_limit(&shared_text(4000, b"h\0Q"), &Pickler::new().protocol(Protocol::V0));
}

#[test]
fn growth_by_repeated_values_in_fast_mode_is_limited() {
    assert_over_limit(&shared_text(4000, b"h\0"), &Pickler::new().fast(true));
    let mut graph = Graph::new();
    let mut list = graph.list([1]);
    for _ in 0..60 {
        list = graph.list([list, list]);
    }
    graph.set_root(list);
    let error = Pickler::new().fast(true).dumps(graph.root()).expect_err("is too long");
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

#[test]
fn the_limit_is_proportional_to_the_graph_or_fixed_or_disabled() {
    let pickle = shared_text(1000, b"h\0\x8c\x01f\x93)R");
    let at_2 = Pickler::new().protocol(Protocol::V2);
    assert!(at_2.dumps(load(&pickle).root()).is_err());
    let written = at_2.clone().limits(DumpLimits::none()).dumps(load(&pickle).root()).expect("is written");
    assert!(written.len() > 100_000_000);
    let more = at_2.clone().limits(DumpLimits::default().growth(1000)).dumps(load(&pickle).root());
    assert_eq!(more.expect("is written"), written);
    assert!(at_2.limits(DumpLimits::none().output(1 << 20)).dumps(load(&pickle).root()).is_err());
}

#[test]
fn a_fixed_limit_applies_to_short_pickles_and_to_each_pickle_of_a_stream() {
    let graph = value!(["abc", {"n": [1, 2]}, "x".repeat(100)]);
    for protocol in (0..6).map(|protocol| Protocol::try_from(protocol).expect("there are six")) {
        let pickler = Pickler::new().protocol(protocol);
        let len = pickler.dumps(graph.root()).expect("is written").len() as u64;
        let exact = pickler.clone().limits(DumpLimits::default().output(len));
        assert!(exact.dumps(graph.root()).is_ok(), "{protocol}");
        let mut dumper = exact.stream(Vec::new());
        for _ in 0..3 {
            dumper.clear_memo();
            dumper.dump(graph.root()).expect("each is short enough");
        }
        let less = pickler.limits(DumpLimits::default().output(len - 1));
        let error = less.dumps(graph.root()).expect_err("is too long");
        assert_eq!(
            error.to_string(),
            format!("expected at most {} bytes of output (DumpLimits::output), found {len}", len - 1)
        );
    }
}
