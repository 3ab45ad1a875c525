//! Views of arbitrary input do not panic, and objects with a view can be written.

use std::fs;

use picklevm::{Graph, Limits, Pickler, Protocol, Symbolic, Unpickler};

use super::objects::OBJECTS;
use picklevm_testing::root;

use super::{Sample, samples};

#[test]
fn views_of_pickles_with_a_changed_byte_can_be_written() {
    let path = root().join("tests/data/typed/3.13.txt");
    let samples = samples(&fs::read_to_string(path).expect("vectors"));
    let limits = Limits::default();
    let mut seen = 0;
    for Sample { pickle, .. } in samples.iter().filter(|sample| sample.protocol == Protocol::V4) {
        for at in 0..pickle.len() {
            for change in [1, 0x0c, 0x80, 0xff] {
                let mut changed = pickle.clone();
                changed[at] ^= change;
                let unpickler = Unpickler::new().limits(limits);
                for unpickler in [unpickler.clone(), unpickler.resolver(Symbolic)] {
                    let Ok(graph) = unpickler.loads(&changed) else { continue };
                    for object in OBJECTS {
                        if (object.describe)(graph.root()).is_err() {
                            continue;
                        }
                        seen += 1;
                        let mut fresh = Graph::new();
                        let made = (object.rebuild)(graph.root(), &mut fresh, Protocol::V4).expect("it has a view");
                        let again = Pickler::new().dumps(fresh.value(made));
                        let again = again.and_then(|pickle| Unpickler::new().resolver(Symbolic).loads(&pickle));
                        // The new object has the same description.
                        let texts =
                            [(object.describe)(graph.root()), again.and_then(|again| (object.describe)(again.root()))];
                        let [first, second] = texts.map(|text| text.expect("a view"));
                        assert_eq!(first, second, "{} {at} {}", object.name, changed.escape_ascii());
                    }
                }
            }
        }
    }
    assert!(seen > 1000, "only {seen} views");
}

/// A million nested calls, each of the result of the next.
#[test]
fn calls_of_calls_have_views_on_a_small_stack() {
    const LEVELS: usize = 1_000_000;
    let pickle = [b"cm\nC\n", &b")R".repeat(LEVELS)[..], b"."].concat();
    let run = move || {
        let graph = picklevm::loads(&pickle).expect("a pickle");
        for object in OBJECTS {
            let _ = (object.describe)(graph.root());
        }
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(run).expect("a thread");
    thread.join().expect("no overflow");
}
