//! Resolvers that fail, panic or edit the graph do not break the unpickler.

use std::panic::{AssertUnwindSafe, catch_unwind};

use picklevm::{Error, ErrorKind, Graph, Id, Registry, Unpickler, persistent_resolver};

/// A pickle that calls with a non-empty memo, mark stack and stack.
const PICKLE: &[u8] = b"\x80\x02]q\0(K\x01K\x02(capp\nact\n)Rte.";

fn act(act: impl Fn(&mut picklevm::Call<'_>) -> picklevm::Result<Option<Id>> + Send + Sync + 'static) -> Unpickler {
    let mut registry = Registry::new();
    registry.function("app.act", act);
    Unpickler::new().resolver(registry)
}

fn assert_usable(unpickler: &Unpickler) {
    let graph = unpickler.loads(b"\x80\x02]q\0K\x05a.").unwrap();
    assert_eq!(format!("{:?}", graph.root()), "[5]");
    // The memo of an earlier load is empty.
    assert_eq!(unpickler.loads(b"\x80\x02h\0.").unwrap_err().kind(), ErrorKind::Memo);
}

#[test]
fn the_unpickler_is_usable_after_a_panic() {
    let unpickler = act(|_| panic!("as asked"));
    assert!(catch_unwind(AssertUnwindSafe(|| unpickler.loads(PICKLE))).is_err());
    assert_usable(&unpickler);
}

#[test]
fn the_unpickler_is_usable_after_an_error() {
    let unpickler = act(|_| Err(Error::other("as asked")));
    assert_eq!(unpickler.loads(PICKLE).unwrap_err().to_string(), "offset 21: REDUCE: app.act: as asked");
    assert_usable(&unpickler);
}

#[test]
fn a_stream_is_broken_after_a_panic() {
    let unpickler = act(|_| panic!("as asked"));
    let pickles = [PICKLE, b"K\x01."].concat();
    let mut stream = unpickler.stream(&pickles[..]);
    assert!(catch_unwind(AssertUnwindSafe(|| stream.load())).is_err());
    assert_eq!(stream.load().unwrap_err().kind(), ErrorKind::Broken);
    assert!(stream.next().is_none());
}

#[test]
fn a_stream_reports_that_it_is_broken_after_an_error() {
    let pickles = [b"K\x01.", PICKLE, b"K\x01."].concat();
    let mut stream = act(|_| Err(Error::other("as asked"))).stream(&pickles[..]);
    assert!(stream.load().is_ok());
    assert_eq!(stream.load().unwrap_err().kind(), ErrorKind::Resolver);
    let error = stream.load().unwrap_err();
    assert_eq!(error.to_string(), "expected a stream without an earlier error, found a stream that failed before");
}

#[test]
fn the_end_of_a_stream_does_not_break_it() {
    let mut stream = Unpickler::new().stream(&b"K\x01."[..]);
    assert!(stream.load().is_ok());
    assert_eq!(stream.load().unwrap_err().kind(), ErrorKind::End);
    assert_eq!(stream.load().unwrap_err().kind(), ErrorKind::End);
}

#[test]
fn a_resolver_that_replaces_the_graph_is_an_error() {
    let unpickler = act(|call| {
        let mut other = Graph::new();
        std::mem::swap(&mut **call, &mut *other);
        Ok(None)
    });
    assert_eq!(unpickler.loads(PICKLE).unwrap_err().kind(), ErrorKind::Resolver);
    assert_usable(&unpickler);
}

#[test]
fn a_resolver_cannot_set_the_root_of_the_graph() {
    let unpickler = act(|call| {
        let list = call.list([1, 2, 3]);
        call.set_root(list);
        Ok(Some(list))
    });
    assert_eq!(format!("{:?}", unpickler.loads(PICKLE).unwrap().root()), "[1, 2, (<>)]".replace("<>", "[1, 2, 3],"));
    assert_usable(&unpickler);
}

#[test]
fn a_resolver_may_load_another_pickle() {
    let unpickler = act(|call| {
        let inner = picklevm::loads(b"\x80\x02]q\0(K\x07h\0e.").map_err(Error::other)?;
        let first = inner.root().items().next().and_then(|item| item.as_i64()).unwrap_or_default();
        Ok(Some(call.add(first)))
    });
    assert_eq!(format!("{:?}", unpickler.loads(PICKLE).unwrap().root()), "[1, 2, (7,)]");
}

#[test]
fn an_id_of_another_graph_is_harmless() {
    let unpickler = Unpickler::new().resolver(persistent_resolver(|_, _| {
        let mut other = Graph::new();
        Ok((0..100).map(|n| other.list([n])).last().unwrap_or_else(|| other.list([0])))
    }));
    assert!(unpickler.loads(b"K\x01Q.").unwrap().root().is_none());
}
