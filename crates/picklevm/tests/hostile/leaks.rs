//! A graph is freed with its last handle, including cycles and native objects.

use std::sync::Arc;

use picklevm::{Call, CallResult, Class, Error, Graph, NativeObject, Unpickler, loads};

/// Returns the resident memory of the process, if the system provides it.
pub(crate) fn resident_bytes() -> Option<usize> {
    let pages: usize = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// Repeats an action and asserts that memory does not grow after the first runs.
fn assert_no_growth(times: usize, mut once: impl FnMut()) {
    (0..times / 10).for_each(|_| once());
    let before = resident_bytes();
    (0..times).for_each(|_| once());
    if let Some((before, after)) = before.zip(resident_bytes()) {
        // Other tests run in parallel; a leak of one node per run would be several times this.
        assert!(after.saturating_sub(before) < 64 << 20, "{before} bytes became {after}");
    }
}

/// Returns the number of runs: a million with `PICKLEVM_FULL`.
fn times() -> usize {
    if std::env::var_os("PICKLEVM_FULL").is_some() { 1_000_000 } else { 100_000 }
}

#[test]
fn a_recursive_pickle_does_not_leak() {
    let pickle = [&b"\x80\x02]q\x00(h\x00}q\x01(K\x01h\x01uX\0\x04\0\0"[..], &[b'x'; 1024], b"e."].concat();
    assert_no_growth(times(), || drop(loads(&pickle).expect("a sound pickle")));
}

#[test]
fn a_failed_load_does_not_leak() {
    let pickle = [&b"\x80\x02]q\x00(h\x00X\0\x04\0\0"[..], &[b'x'; 1024], b"eR."].concat();
    assert_no_growth(times(), || drop(loads(&pickle).expect_err("a broken pickle")));
}

#[test]
fn a_thread_reuses_little_memory_of_a_large_load() {
    let large = [&b"(".repeat(1 << 20)[..], b"N."].concat();
    assert_no_growth(20, || drop(loads(&large).expect("a sound pickle")));
}

#[derive(Clone, Debug)]
struct Counted {
    _here: Arc<()>,
}

impl NativeObject for Counted {
    fn class_name(&self) -> &str {
        "module.Counted"
    }
}

#[test]
fn native_objects_are_dropped_with_the_last_handle_of_their_graph() {
    let count = Arc::new(());
    let here = count.clone();
    let unpickler = Unpickler::new().resolver(move |_: &str, _: &str| -> Result<Class, Error> {
        let here = here.clone();
        Ok(Class::Callable(Arc::new(Maker(here))))
    });
    let alive = || Arc::strong_count(&count);
    let before = alive();
    let graph: Graph = unpickler.loads(b"]q\x00(cm\nC\n)Rcm\nC\n)Rh\x00e.").expect("a sound pickle");
    // Two objects; the callables that the resolver returned were dropped after the load.
    assert_eq!(alive(), before + 2);
    let (clone, part) = (graph.clone(), graph.keep(graph.root().at(0)));
    drop(graph);
    drop(clone);
    assert_eq!(alive(), before + 2);
    drop(part);
    assert_eq!(alive(), before);
    assert!(unpickler.loads(b"]q\x00(cm\nC\n)Rh\x00eR.").is_err());
    assert_eq!(alive(), before);
}

struct Maker(Arc<()>);

impl picklevm::Callable for Maker {
    fn call(&self, _: &mut Call<'_>) -> Result<CallResult, Error> {
        Ok(Counted { _here: self.0.clone() }.into())
    }
}

#[test]
fn compact_frees_unreachable_nodes() {
    let texts: Vec<u8> = (0..1000).flat_map(|_| crate::text(&[b'x'; 200])).collect();
    let mut graph = loads([b"\x80\x02](", &texts[..], b"e."].concat()).expect("a sound pickle");
    let before = graph.node_count();
    graph.set_root(picklevm::Graph::from(vec![1, 2]).root());
    graph.compact();
    assert!(before > 1000 && graph.node_count() < 10, "{before} nodes became {}", graph.node_count());
}
