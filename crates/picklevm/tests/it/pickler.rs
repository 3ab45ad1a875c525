//! Options and errors of `Pickler`.

use std::io;
use std::sync::mpsc;

use picklevm::{
    Construction, Error, ErrorKind, Extensions, Graph, Pickler, Protocol, StreamPickler, Symbolic, Unpickler, Value,
    write_graph_form,
};

/// Loads a pickle symbolically.
fn load(pickle: &[u8]) -> Graph {
    Unpickler::new().resolver(Symbolic).loads(pickle).expect("a pickle")
}

fn at(protocol: Protocol) -> Pickler {
    Pickler::new().protocol(protocol)
}

/// Loads a pickle and writes it at a protocol.
fn rewritten(pickle: &[u8], protocol: Protocol) -> Result<Vec<u8>, Error> {
    at(protocol).dumps(load(pickle).root())
}

fn graph_form(value: Value<'_>) -> String {
    let mut form = Vec::new();
    write_graph_form(value, &mut form).expect("memory");
    String::from_utf8(form).expect("ASCII")
}

#[track_caller]
fn assert_error(result: Result<Vec<u8>, Error>, kind: ErrorKind, message: &str) {
    let error = result.expect_err("an error");
    assert_eq!((error.kind(), &*error.to_string()), (kind, message));
}

#[test]
fn a_later_pickle_of_a_stream_refers_to_values_of_an_earlier_one() {
    let graph = load(b"]q\x00(]q\x01h\x01e.");
    let inner = graph.root().items().next().expect("an item");
    let mut dumper = at(Protocol::V2).stream(Vec::new());
    dumper.dump(inner).expect("is written");
    dumper.dump(graph.root()).expect("is written");
    dumper.clear_memo();
    dumper.dump(inner).expect("is written");
    assert_eq!(dumper.finish().expect("flushed"), b"\x80\x02]q\x00.\x80\x02]q\x01(h\x00h\x00e.\x80\x02]q\x00.");
}

#[test]
fn a_stream_of_several_graphs_has_one_memo_numbering() {
    let (one, other) = (load(b"]."), load(b"}."));
    let mut dumper = at(Protocol::V1).stream(Vec::new());
    for graph in [&one, &other, &one, &other] {
        dumper.dump(graph.root()).expect("is written");
    }
    assert_eq!(dumper.finish().expect("flushed"), b"]q\x00.}q\x01.h\x00.h\x01.");
}

#[test]
fn fast_mode_writes_shared_values_each_time_without_a_memo() {
    let graph = load(b"]q\x00(]q\x01h\x01X\x01\0\0\0aq\x02h\x02e.");
    assert_eq!(
        at(Protocol::V2).fast(true).dumps(graph.root()).expect("is written"),
        b"\x80\x02](]]X\x01\0\0\0aX\x01\0\0\0ae."
    );
}

#[test]
fn a_cycle_in_fast_mode_is_an_error() {
    for pickle in [&b"]q\x00h\x00a."[..], b"]q\x00(h\x00ta.", b"cgeometry\nPoint\n)\x81q\x00}X\x01\0\0\0ah\x00sb."] {
        let graph = load(pickle);
        assert_error(
            Pickler::new().fast(true).dumps(graph.root()),
            ErrorKind::Unrepresentable,
            "expected data without cycles in fast mode, which has no memo, found a value that contains itself",
        );
    }
}

#[test]
fn names_are_mapped_between_protocols_2_and_3() {
    let two = b"\x80\x02c__builtin__\nxrange\nq\x00.";
    let three = b"\x80\x03cbuiltins\nrange\nq\x00.";
    assert_eq!(rewritten(two, Protocol::V3).expect("is written"), three);
    assert_eq!(rewritten(three, Protocol::V2).expect("is written"), two);
    assert_eq!(rewritten(two, Protocol::V2).expect("is written"), two);
    // A Python 3 name at protocol 2 was written without the mapping, and is preserved.
    let unmapped = b"\x80\x02cbuiltins\nrange\nq\x00.";
    assert_eq!(rewritten(unmapped, Protocol::V2).expect("is written"), unmapped);
}

#[test]
fn names_are_not_mapped_without_fix_imports() {
    let graph = load(b"\x80\x03cbuiltins\nrange\n.");
    let pickle = at(Protocol::V2).fix_imports(false).dumps(graph.root()).expect("is written");
    assert_eq!(pickle, b"\x80\x02cbuiltins\nrange\nq\x00.");
}

#[test]
fn a_global_of_a_new_graph_has_python_3_names() {
    let mut graph = Graph::new();
    let set = graph.global("builtins", "set");
    graph.set_root(set);
    assert_eq!(at(Protocol::V1).dumps(graph.root()).expect("is written"), b"c__builtin__\nset\nq\x00.");
}

#[test]
fn equal_names_of_globals_are_written_once() {
    let graph = load(b"\x80\x03(cgeometry\nPoint\ncgeometry\nLine\nt.");
    assert_eq!(
        at(Protocol::V4).dumps(graph.root()).expect("is written"),
        b"\x80\x04\x95\x23\0\0\0\0\0\0\0\x8c\x08geometry\x94\x8c\x05Point\x94\x93\x94h\x00\x8c\x04Line\x94\x93\x94\x86\x94."
    );
}

#[test]
fn nested_classes_are_written_with_getattr_below_protocol_4() {
    let graph = load(b"\x80\x04\x8c\x01m\x8c\x05A.B.C\x93.");
    assert_eq!(
        at(Protocol::V3).dumps(graph.root()).expect("is written"),
        b"\x80\x03cbuiltins\ngetattr\nq\x00h\x00cm\nA\nX\x01\0\0\0Bq\x01\x86RX\x01\0\0\0Cq\x02\x86Rq\x03."
    );
    let old = at(Protocol::V3).writer("3.12-c".parse().expect("a writer"));
    assert_eq!(
        old.dumps(graph.root()).expect("is written"),
        b"\x80\x03cbuiltins\ngetattr\nq\x00h\x00cm\nA\nq\x01X\x01\0\0\0Bq\x02\x86q\x03Rq\x04X\x01\0\0\0Cq\x05\x86q\x06Rq\x07."
    );
}

#[test]
fn registered_globals_are_written_as_extension_codes() {
    let extensions = Extensions::new().add("geometry.Point", 0x1234).expect("a code");
    let graph = load(b"\x80\x03cgeometry\nPoint\n.");
    let pickle = at(Protocol::V2).extensions(extensions.clone()).dumps(graph.root()).expect("is written");
    assert_eq!(pickle, b"\x80\x02\x83\x34\x12.");
    let pickle = at(Protocol::V1).extensions(extensions).dumps(graph.root()).expect("is written");
    assert_eq!(pickle, b"cgeometry\nPoint\nq\x00.");
}

#[test]
fn extension_codes_become_globals_below_protocol_2() {
    let extensions = Extensions::new().add("geometry.Point", 9).expect("a code");
    let graph = load(b"\x80\x02\x82\x09.");
    assert_eq!(
        at(Protocol::V0).extensions(extensions).dumps(graph.root()).expect("is written"),
        b"cgeometry\nPoint\np0\n."
    );
    assert_error(
        at(Protocol::V1).dumps(graph.root()),
        ErrorKind::Unrepresentable,
        "expected protocol 2 for an extension code that is not registered, found protocol 1",
    );
}

#[test]
fn a_global_with_a_non_ascii_name_needs_protocol_3() {
    let pickle = [b"\x80\x03", "cgéométrie\nPoint\n.".as_bytes()].concat();
    assert!(rewritten(&pickle, Protocol::V3).is_ok());
    assert_error(
        rewritten(&pickle, Protocol::V2),
        ErrorKind::Unrepresentable,
        "expected a global with an ASCII name below protocol 3, found géométrie.Point",
    );
}

#[test]
fn a_shared_long_integer_is_written_once() {
    let long = [&b"\x80\x02\x8b\x00\x10\0\0"[..], &[1; 4096]].concat();
    let graph = load(&[&long[..], b"q\x000](", &b"h\x00".repeat(1000), b"e."].concat());
    for (protocol, max) in [(Protocol::V0, 20_000), (Protocol::V2, 8_000), (Protocol::V5, 8_000)] {
        let written = at(protocol).dumps(graph.root()).expect("is written");
        assert!(written.len() < max, "protocol {protocol}: {} bytes", written.len());
        assert_eq!(graph_form(load(&written).root()), graph_form(graph.root()), "protocol {protocol}");
    }
}

#[test]
fn integers_too_long_for_python_in_decimal_are_written_in_hexadecimal() {
    // 10**4300 - 1 has 4300 digits, 10**4300 has 4301.
    let [fits, over] = [-1, 0].map(|less| {
        let int = num_bigint::BigInt::from(10).pow(4300) + less;
        Graph::from(int)
    });
    let digits = format!("L{}L\n.", "9".repeat(4300));
    assert_eq!(at(Protocol::V0).dumps(fits.root()).expect("is written"), digits.as_bytes());
    let hexadecimal = at(Protocol::V0).dumps(over.root()).expect("is written");
    assert!(hexadecimal.starts_with(b"L0x") && hexadecimal.ends_with(b"L\n."), "{}", hexadecimal.escape_ascii());
    assert_eq!(load(&hexadecimal).root(), over.root());
    let old = Pickler::new().protocol(Protocol::V0).writer("3.6-c".parse().expect("a writer"));
    assert!(old.dumps(over.root()).expect("is written").starts_with(b"L10000000"));
}

#[test]
fn a_persistent_id_at_protocol_0_is_a_line_of_ascii_text() {
    assert_eq!(rewritten(b"Pid 1\n.", Protocol::V0).expect("is written"), b"Pid 1\n.");
    assert_eq!(rewritten(b"Pid 1\n.", Protocol::V1).expect("is written"), b"X\x04\0\0\0id 1q\x00Q.");
    for pid in [&b"K\x01Q."[..], b"X\x03\0\0\0a\nbQ.", "X\u{2}\0\0\0éQ.".as_bytes()] {
        assert_eq!(rewritten(pid, Protocol::V0).expect_err("an error").kind(), ErrorKind::Unrepresentable, "{pid:?}");
    }
}

#[test]
fn a_persistent_reference_is_written_each_time_unless_it_is_shared() {
    let twice = b"\x80\x02]q\x00(X\x01\0\0\0aq\x01Qh\x01Qe.";
    assert_eq!(rewritten(twice, Protocol::V2).expect("is written"), twice);
    let shared = b"\x80\x02]q\x00(X\x01\0\0\0aq\x01Qq\x02h\x02e.";
    assert_eq!(rewritten(shared, Protocol::V2).expect("is written"), shared);
    // The object refers to itself, but through a list that is memoized before its arguments are written.
    let cycle = b"\x80\x02]q\x00(cm\nC\nq\x01h\x00X\x01\0\0\0aq\x02Q\x86q\x03Rq\x04h\x04e.";
    assert_eq!(rewritten(cycle, Protocol::V2).expect("is written"), cycle);
}

#[test]
fn a_persistent_reference_is_written_in_each_pickle_of_a_stream() {
    let mut graph = Graph::new();
    let reference = graph.persistent("key");
    for (protocol, written) in [(Protocol::V0, &b"Pkey\n.Pkey\n."[..]), (Protocol::V1, b"X\x03\0\0\0keyq\0Q.h\0Q.")] {
        let mut stream = at(protocol).stream(Vec::new());
        stream.dump(graph.value(reference)).unwrap();
        stream.dump(graph.value(reference)).unwrap();
        assert_eq!(stream.finish().unwrap(), written);
    }
}

#[test]
fn a_buffer_needs_protocol_5() {
    assert_error(
        rewritten(b"\x80\x05\x97.", Protocol::V4),
        ErrorKind::Unrepresentable,
        "expected protocol 5 for a buffer, found protocol 4",
    );
}

#[test]
fn a_buffer_with_unknown_bytes_stays_out_of_band() {
    let pickle = b"\x80\x05\x95\x06\0\0\0\0\0\0\0\x97\x97\x98\x86\x94.";
    assert_eq!(rewritten(pickle, Protocol::V5).expect("is written"), pickle);
}

#[test]
fn the_buffer_callback_decides_what_goes_out_of_band() {
    let mut graph = Graph::new();
    let buffers = [graph.buffer(&b"taken"[..]), graph.buffer(&b"left"[..]), graph.readonly_buffer(&b"bytes"[..])];
    graph.set_root(buffers);
    let (sender, taken) = mpsc::channel();
    let pickler = at(Protocol::V5).buffer_callback(move |buffer| {
        let data = buffer.data().cloned().unwrap_or_default();
        let takes = data == "taken";
        takes && sender.send(data).is_ok()
    });
    assert_eq!(
        pickler.dumps(graph.root()).expect("is written"),
        b"\x80\x05\x95\x1c\0\0\0\0\0\0\0]\x94(\x97\x96\x04\0\0\0\0\0\0\0left\x94C\x05bytes\x94e."
    );
    drop(pickler);
    assert_eq!(taken.iter().collect::<Vec<_>>(), ["taken"]);
}

#[test]
fn types_without_an_opcode_at_a_protocol_are_written_as_calls() {
    let mut graph = Graph::new();
    let bytes = graph.bytes(b"\x00\xe9");
    graph.set_root(bytes);
    assert_eq!(
        at(Protocol::V2).dumps(graph.root()).expect("is written"),
        b"\x80\x02c_codecs\nencode\nq\x00X\x03\0\0\0\x00\xc3\xa9q\x01X\x06\0\0\0latin1q\x02\x86q\x03Rq\x04."
    );
    let set = graph.set([1]).expect("hashable");
    graph.set_root(set);
    assert_eq!(
        at(Protocol::V3).dumps(graph.root()).expect("is written"),
        b"\x80\x03cbuiltins\nset\nq\x00]q\x01K\x01a\x85q\x02Rq\x03."
    );
    let complex = graph.complex(1.0, -2.0);
    graph.set_root(complex);
    assert_eq!(
        at(Protocol::V0).dumps(graph.root()).expect("is written"),
        b"c__builtin__\ncomplex\np0\n(F1.0\nF-2.0\ntp1\nRp2\n."
    );
    let bytearray = graph.bytearray(b"");
    graph.set_root(bytearray);
    assert_eq!(
        at(Protocol::V3).dumps(graph.root()).expect("is written"),
        b"\x80\x03cbuiltins\nbytearray\nq\x00)Rq\x01."
    );
}

#[test]
fn newobj_below_protocol_2_is_a_call_of_copyreg() {
    assert_eq!(
        rewritten(b"\x80\x02cgeometry\nPoint\nK\x01\x85\x81.", Protocol::V0).expect("is written"),
        b"ccopy_reg\n__newobj__\np0\n(cgeometry\nPoint\np1\nI1\ntp2\nRp3\n."
    );
}

#[test]
fn newobj_ex_below_protocol_4_is_a_call_of_partial() {
    let pickle = b"\x80\x04\x8c\x01m\x8c\x01A\x93)}\x92.";
    assert_eq!(
        rewritten(pickle, Protocol::V3).expect("is written"),
        b"\x80\x03cfunctools\npartial\nq\x00cbuiltins\ngetattr\nq\x01cm\nA\nq\x02X\x07\0\0\0__new__q\x03\x86q\x04Rq\x05\
          \x85q\x06Rq\x07(h\x05h\x02\x85q\x08}q\x09Ntq\x0ab)Rq\x0b."
    );
}

#[test]
fn the_new_method_of_a_class_is_shared_between_objects() {
    let pickle = b"\x80\x04](\x8c\x01m\x8c\x01A\x93\x94)}\x92h\x00)}\x92e.";
    let written = rewritten(pickle, Protocol::V2).expect("is written");
    assert!(
        written.ends_with(b"h\x01h\x06\x85q\x0dRq\x0e(h\x06h\x03\x85q\x0f}q\x10Ntq\x11b)Rq\x12e."),
        "{}",
        written.escape_ascii()
    );
}

#[test]
fn objects_created_for_their_effect_are_preserved() {
    for pickle in [
        &b"cm\nf\n(K\x01tR0N."[..],                         // of no object
        b"cm\nA\n)Rq\x00cm\nf\n(h\x00K\x01tR0.",            // of the root, its first argument
        b"cm\nA\n)Rq\x00cm\nf\n(h\x00K\x01K\x02tRK\x03b0.", // with a state of its own
        b"(cm\nf\n)Rq\x000h\x00cm\nf\n)Rq\x010K\x01t.",     // one that the root holds
    ] {
        let graph = load(pickle);
        for protocol in [Protocol::V0, Protocol::V1, Protocol::V2, Protocol::V4] {
            let again = load(&at(protocol).dumps(graph.root()).expect("is written"));
            assert_eq!(graph_form(again.root()), graph_form(graph.root()), "{pickle:?} at protocol {protocol}");
        }
    }
}

#[test]
fn an_effect_is_not_written_as_an_outer_call() {
    for pickle in [
        // The first call is of another list, and is dropped before a dict.
        &b"cm\nf\nq\x01(]q\x02}q\x03U\x01kh\x01(]h\x03atq\x04Rq\x05satq\x06R0}h\x05."[..],
        b"cm\nf\nq\x01(]q\x02}q\x03U\x01kh\x01(]h\x03atq\x04Rq\x05satq\x06R0}h\x05Q.", // in a persistent reference
        b"cm\nf\nq\x00)Rq\x010h\x00)R0K\x010h\x01.",                                   // equal to the root
    ] {
        let graph = load(pickle);
        assert_eq!(graph.effects().len(), 1);
        for protocol in [Protocol::V1, Protocol::V2, Protocol::V4] {
            let again = load(&at(protocol).dumps(graph.root()).expect("is written"));
            assert_eq!(graph_form(again.root()), graph_form(graph.root()), "{pickle:?} at protocol {protocol}");
        }
    }
}

#[test]
fn an_object_made_from_a_persistent_reference_may_be_inside_its_own_arguments() {
    // Like CPython, the writer starts a call outside of it with a persistent reference of its own, and pops it.
    for pickle in [
        &b"]q\x00(Pid\nh\x00\x85R\x85q\x01e0h\x01."[..], // in a tuple
        b"]q\x00Pid\nh\x00\x85Rq\x01a0h\x01.",           // alone
    ] {
        let graph = load(pickle);
        for protocol in [Protocol::V0, Protocol::V2, Protocol::V4] {
            let again = load(&at(protocol).dumps(graph.root()).expect("is written"));
            assert_eq!(graph_form(again.root()), graph_form(graph.root()), "{pickle:?} at protocol {protocol}");
        }
    }
}

#[test]
fn an_object_that_is_its_own_argument_is_an_error() {
    let mut graph = Graph::new();
    let object = graph.instance("geometry", "Point").construction(Construction::Reduce).build().expect("an object");
    graph.value_mut(object).set_args([object]).expect("arguments");
    graph.set_root(object);
    assert_eq!(Pickler::new().dumps(graph.root()).expect_err("an error").kind(), ErrorKind::Unrepresentable);
}

#[test]
fn an_argument_that_refers_to_its_object_is_a_memo_reference() {
    let mut graph = Graph::new();
    let list = graph.list([0; 0]);
    let object = graph.call("m", "f").arg(list).build().expect("an object");
    graph.value_mut(list).push(object).expect("a list");
    graph.set_root(object);
    assert_eq!(
        at(Protocol::V2).dumps(graph.root()).expect("is written"),
        b"\x80\x02cm\nf\nq\x00]q\x01h\x00h\x01\x85q\x02Rq\x03a\x85q\x04R0h\x03."
    );
}

#[test]
fn a_protocol_that_the_writer_does_not_support_is_an_error() {
    let graph = load(b"N.");
    assert_error(
        at(Protocol::V5).writer("3.7-c".parse().expect("a writer")).dumps(graph.root()),
        ErrorKind::Unrepresentable,
        "expected a protocol that 3.7-c supports, at most 4, found 5",
    );
}

/// A writer that counts bytes and fails after a limit.
struct Narrow {
    given: usize,
    max: usize,
}

impl io::Write for &mut Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.given + bytes.len() > self.max {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.given += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_is_written_after_an_error() {
    let graph = load(b"\x80\x05(K\x01\x97t.");
    let fine = load(b"N.");
    let mut out = Narrow { given: 0, max: usize::MAX };
    let mut dumper: StreamPickler<'_, _> = at(Protocol::V4).stream(&mut out);
    assert_eq!(dumper.dump(graph.root()).expect_err("a buffer").kind(), ErrorKind::Unrepresentable);
    assert_eq!(dumper.dump(fine.root()).expect_err("a broken stream").kind(), ErrorKind::Broken);
    assert_eq!(dumper.finish().err().map(|error| error.kind()), Some(ErrorKind::Broken));
    assert_eq!(out.given, 0);
}

#[test]
fn an_error_of_the_writer_is_returned() {
    let mut out = Narrow { given: 0, max: 100_000 };
    let graph = Graph::from(vec!["text"; 1_000_000]);
    let error = Pickler::new().dump(graph.root(), &mut out).expect_err("a full disk");
    assert_eq!(error.kind(), ErrorKind::Io);
}

#[test]
fn items_are_written_in_batches_of_a_thousand() {
    let nested = Graph::from((0..2001).map(|_| vec![7]).collect::<Vec<_>>());
    for (graph, item) in [(Graph::from(vec![7; 2001]), &b"K\x07"[..]), (nested, b"]\x94K\x07a")] {
        let batch = item.repeat(1000);
        let body = [b"]\x94(", &batch[..], b"e(", &batch, b"e", item, b"a."].concat();
        let head = [&b"\x80\x04\x95"[..], &(body.len() as u64).to_le_bytes()].concat();
        assert!(Pickler::new().dumps(graph.root()).expect("is written") == [head, body].concat());
    }
}

#[test]
fn a_short_pickle_has_no_excess_capacity() -> Result<(), Error> {
    for len in [0, 1, 100, 1000] {
        let pickle = picklevm::dumps(load(&dumped(len)).root())?;
        assert_eq!(pickle.capacity(), pickle.len(), "{len} integers");
    }
    Ok(())
}

#[test]
fn reused_buffers_do_not_leak_earlier_output() -> Result<(), Error> {
    for len in [3000, 1, 1000, 0, 700, 100_000, 2, 5000, 3] {
        let pickle = dumped(len);
        assert_eq!(at(Protocol::V2).dumps(load(&pickle).root())?, pickle, "{len} integers");
    }
    Ok(())
}

/// Returns a protocol 2 pickle of a list of one-byte integers.
fn dumped(len: usize) -> Vec<u8> {
    let mut pickle = b"\x80\x02]q\x00".to_vec();
    let numbers: Vec<u8> = (0..len).map(|number| number as u8).collect();
    for batch in numbers.chunks(1000) {
        let items = batch.iter().flat_map(|number| [b'K', *number]);
        match batch.len() {
            1 => pickle.extend(items.chain(*b"a")),
            _ => pickle.extend(b"(".iter().copied().chain(items).chain(*b"e")),
        }
    }
    pickle.push(b'.');
    pickle
}
