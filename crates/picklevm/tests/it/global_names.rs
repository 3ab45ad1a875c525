//! Names of globals with dots are one name below protocol 4 and a path of attributes from protocol 4 on.

use picklevm::{ErrorKind, Graph, Pickler, Protocol, Symbolic, Unpickler, same_graph};

fn load(pickle: &[u8]) -> Graph {
    Unpickler::new().resolver(Symbolic).loads(pickle).expect("a pickle")
}

fn at(protocol: u8) -> Pickler {
    Pickler::new().protocol(Protocol::try_from(protocol).expect("a protocol")).fix_imports(false)
}

#[test]
fn a_dotted_name_of_global_or_inst_below_protocol_4_is_one_name() {
    for pickle in [&b"cm\nA.B\np0\n."[..], b"(im\nA.B\np0\n.", b"cm\nA.B\np0\n(tRp1\n."] {
        let graph = load(pickle);
        assert_eq!(at(0).dumps(graph.root()).unwrap(), pickle);
        let below_4 = load(&at(3).dumps(graph.root()).unwrap());
        assert!(same_graph(graph.root(), below_4.root()));
        for protocol in [4, 5] {
            // Every opcode interprets it as a path at these protocols.
            let error = at(protocol).dumps(graph.root()).expect_err("it cannot be represented");
            assert_eq!(error.kind(), ErrorKind::Unrepresentable);
            assert!(error.to_string().contains("m.A.B"), "{error}");
        }
    }
}

#[test]
fn a_dotted_name_of_every_opcode_from_protocol_4_on_is_a_path() {
    for pickle in [&b"\x80\x04cm\nA.B\n."[..], b"\x80\x04(im\nA.B\n.", b"\x80\x04\x8c\x01m\x8c\x03A.B\x93."] {
        let graph = load(pickle);
        let again = load(&at(4).dumps(graph.root()).unwrap());
        assert!(same_graph(graph.root(), again.root()), "{:?} became {:?}", graph.root(), again.root());
    }
    assert_eq!(
        at(2).dumps(load(b"\x80\x04cm\nA.B\n.").root()).unwrap(),
        at(2).dumps(load(b"\x80\x04\x8c\x01m\x8c\x03A.B\x93.").root()).unwrap()
    );
}

#[test]
fn a_new_dotted_name_in_a_graph_of_any_protocol_is_a_path() {
    for pickle in [&b"cm\nX\n."[..], b"\x80\x04cm\nX\n."] {
        let mut graph = load(pickle);
        let nested = graph.global("m", "A.B");
        graph.set_root(nested);
        assert_eq!(
            at(2).dumps(graph.root()).unwrap(),
            b"\x80\x02cbuiltins\ngetattr\nq\0cm\nA\nX\x01\0\0\0Bq\x01\x86Rq\x02."
        );
    }
}

#[test]
fn a_path_below_protocol_4_is_written_the_same_twice() {
    for name in ["f.g", "f.g.h", "f._g", "f._g.h", "f.g._h"] {
        for module in ["__builtin__", "builtins", "m"] {
            for end in [".", ")R."] {
                let pickle = [b"\x80\x04c", module.as_bytes(), b"\n", name.as_bytes(), b"\n", end.as_bytes()].concat();
                for writer in ["3.13-c", "3.13-py", "3.12-c", "3.6-py"] {
                    for protocol in 0..4 {
                        let pickler = at(protocol).writer(writer.parse().unwrap());
                        let once = pickler.dumps(load(&pickle).root()).unwrap();
                        let twice = pickler.dumps(load(&once).root()).unwrap();
                        assert_eq!(
                            once.escape_ascii().to_string(),
                            twice.escape_ascii().to_string(),
                            "{writer} {protocol}"
                        );
                    }
                }
            }
        }
    }
}
