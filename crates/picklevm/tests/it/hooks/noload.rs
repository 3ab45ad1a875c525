//! `noload`: persistent ids without values.

use picklevm::{ErrorKind, Unpickler};

use super::vectors::vectors;

fn ids(pickle: &[u8]) -> String {
    format!("{:?}", Unpickler::new().noload(pickle).unwrap().roots())
}

#[test]
fn noload_finds_the_same_ids_as_a_load() {
    for vector in vectors("persid-") {
        let graph = picklevm::loads(&vector.pickle).unwrap();
        let picklevm::Kind::Persistent(id) = graph.root().items().nth(1).unwrap().kind() else { panic!() };
        let found = Unpickler::new().noload(&vector.pickle).unwrap();
        assert_eq!(found.roots().len(), 2, "{}", vector.name);
        // Below protocol 3, bytes are a call, which noload does not execute.
        if !(vector.name.starts_with("persid-nested") && vector.name < "persid-nested-3") {
            assert!(found.roots().all(|root| root == id), "{}: {found:?}", vector.name);
        }
    }
}

#[test]
fn ids_are_returned_in_order_with_their_classes() {
    let pickle = b"\x80\x03}(K\x01C\x01acapp\nUser\nq\0\x86QK\x02C\x01bh\0\x86QK\x03K\x07Qu.";
    assert_eq!(ids(pickle), "[(b'a', app.User), (b'b', app.User), 7]");
}

#[test]
fn nested_ids_are_complete() {
    assert_eq!(ids(b"\x80\x02](X\x01\0\0\0w](K\x01K\x02\x86eeQ."), "[['w', [(1, 2)]]]");
    assert_eq!(ids(b"\x80\x02(K\x01K\x02K\x03K\x04K\x05tQ."), "[(1, 2, 3, 4, 5)]");
}

#[test]
fn every_form_of_a_zodb_reference_is_returned() {
    // An oid; an oid with its class; a weak reference; a reference to another database without and with its class.
    let pickle = b"\x80\x03(C\x01aQC\x01bcapp\nUser\nq\0\x86Q](X\x01\0\0\0wC\x01c\x85eQ\
        ](X\x01\0\0\0nX\x02\0\0\0dbq\x01C\x01d\x86eQ](X\x01\0\0\0mh\x01C\x01eh\0\x87eQt.";
    assert_eq!(
        ids(pickle),
        "[b'a', (b'b', app.User), ['w', (b'c',)], ['n', ('db', b'd')], ['m', ('db', b'e', app.User)]]"
    );
    // Ids of protocol 0 are text; Python 2 wrote oids as 8-bit strings.
    assert_eq!(ids(b"(P12\nU\x01acapp\nUser\n\x86Qt."), "[u'12', ('a', app.User)]");
}

#[test]
fn a_list_that_grows_after_an_id_is_updated_in_the_next() {
    assert_eq!(ids(b"\x80\x02]q\0K\x01ah\0Q0K\x02ah\0Q."), "[[1], [1, 2]]");
}

#[test]
fn values_that_ids_cannot_contain_are_none() {
    assert_eq!(ids(b"\x80\x02K\x01}\x86Q."), "[(1, None)]");
}

#[test]
fn a_cycle_in_an_id_terminates() {
    let graph = Unpickler::new().noload(b"\x80\x02]q\0h\0\x85q\x01a0h\x01Q.").unwrap();
    let tuple = graph.root();
    let list = tuple.items().next().unwrap();
    assert!(list.items().next().unwrap().is(tuple));
}

#[test]
fn a_shared_tuple_is_created_once() {
    // Forty levels of pairs of the level below.
    let mut pickle = b"\x80\x02K\x01\x85".to_vec();
    for _ in 0..40 {
        pickle.extend_from_slice(b"2\x86");
    }
    pickle.extend_from_slice(b"Q.");
    let graph = Unpickler::new().noload(pickle).unwrap();
    let [left, right] = graph.root().items().as_array().unwrap();
    assert!(left.is(right));
}

#[test]
fn a_long_list_in_an_id_is_an_error() {
    let pickle = [&b"\x80\x02]("[..], &b"N".repeat(65), b"eQ."].concat();
    assert_eq!(Unpickler::new().noload(pickle).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn a_long_tuple_is_an_error_only_in_an_id() {
    let tuple = [&b"\x80\x02("[..], &b"N".repeat(1 << 17), b"t"].concat();
    let found = Unpickler::new().noload([&tuple[..], b"0K\x01Q."].concat()).unwrap();
    assert_eq!(found.root(), 1);
    let error = Unpickler::new().noload([&tuple[..], b"K\x01\x86Q."].concat()).unwrap_err();
    assert_eq!((error.kind(), error.opcode()), (ErrorKind::Limit, Some(picklevm_ops::Opcode::BinPersId)));
}

#[test]
fn all_pickles_of_a_record_are_read_with_or_without_a_shared_memo() {
    let record = b"\x80\x03cm\nC\nq\0.\x80\x03C\x01ah\0\x86Q.";
    let found = Unpickler::new().shared_memo(true).noload_all(record).unwrap();
    assert_eq!(format!("{found:?}"), "(b'a', m.C)");
    assert_eq!(Unpickler::new().noload_all(record).unwrap_err().kind(), ErrorKind::Memo);
    assert_eq!(Unpickler::new().noload(record).unwrap().roots().len(), 0);
}

#[test]
fn broken_pickles_are_errors_with_an_offset() {
    let error = Unpickler::new().noload(b"\x80\x02K\x01a.").unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Stack, Some(4)));
}
