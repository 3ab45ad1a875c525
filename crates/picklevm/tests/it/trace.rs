//! `trace`: the machine op by op.

use std::fs;

use picklevm::{Id, MarkChange, Symbolic, Unpickler, loads, trace};
use picklevm_testing::root;

/// The pickles of the corpus, by name.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = root().join("tests/data/corpus");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let pickles = files.filter(|path| path.extension().is_some_and(|ending| ending == "pkl"));
    pickles.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

#[test]
fn what_each_op_takes_and_pushes_makes_up_the_stack() {
    let corpus = corpus();
    assert!(corpus.len() > 5);
    for (name, pickle) in corpus {
        let mut trace = trace(&pickle);
        let (mut stack, mut marks): (Vec<Id>, Vec<usize>) = (Vec::new(), Vec::new());
        let mut end = 0;
        while let Some(step) = trace.next() {
            let step = step.unwrap();
            assert_eq!(step.offset, end, "{name}");
            end = step.end;
            let rest = stack.split_off(stack.len() - step.popped.len());
            assert_eq!(rest, step.popped, "{name} at {}", step.offset);
            match step.mark {
                MarkChange::None => {}
                MarkChange::Pushed => marks.push(stack.len()),
                MarkChange::Popped => assert_eq!(marks.pop(), Some(stack.len()), "{name} at {}", step.offset),
            }
            if step.changed.is_some() {
                assert_eq!(step.changed.as_ref(), stack.last(), "{name} at {}", step.offset);
            } else {
                stack.extend(step.pushed);
            }
            if let Some((index, value)) = step.stored {
                assert_eq!(trace.memo_at(index), Some(value));
            }
            assert!(trace.stack().eq(stack.iter().copied()), "{name} at {}", step.offset);
            assert!(trace.marks().eq(marks.iter().copied()), "{name} at {}", step.offset);
            assert_eq!((step.stack_len, step.marks, step.memo_len), (stack.len(), marks.len(), trace.memo().count()));
        }
        assert!(trace.is_complete());
    }
}

#[test]
fn the_graph_of_a_trace_is_that_of_a_load() {
    for (name, pickle) in corpus() {
        let mut trace = trace(&pickle);
        let last = trace.by_ref().last().unwrap().unwrap();
        let graph = trace.into_graph();
        let loaded = loads(&pickle).unwrap();
        assert_eq!(last.popped, [graph.root().id()], "{name}");
        assert_eq!(graph.root().id(), loaded.root().id(), "{name}");
        assert_eq!(format!("{:?}", graph.root()), format!("{:?}", loaded.root()), "{name}");
        assert!(picklevm::same_graph(graph.root(), loaded.root()), "{name}");
    }
}

#[test]
fn a_pickle_that_breaks_leaves_the_values_on_the_stack() {
    let mut trace = trace(b"\x80\x04]K\x01}(K\x02K\x03h\x07u.");
    let steps: Vec<_> = trace.by_ref().collect();
    assert_eq!(steps.len(), 8);
    assert_eq!(steps[7].as_ref().unwrap_err().offset(), Some(11));
    assert!(trace.next().is_none() && !trace.is_complete());
    let graph = trace.into_graph();
    assert_eq!(graph.roots().map(|root| root.to_string()).collect::<Vec<_>>(), ["[]", "1", "{}", "2", "3"]);
}

#[test]
fn pop_takes_a_mark_where_nothing_is_above_it() {
    let steps: Vec<_> = trace(b"(0(K\x010K\x02.").collect::<Result<_, _>>().unwrap();
    let marks: Vec<_> = steps.iter().map(|step| (step.mark, step.popped.len(), step.marks)).collect();
    use MarkChange::{None, Popped, Pushed};
    let all = [(Pushed, 0, 1), (Popped, 0, 0), (Pushed, 0, 1), (None, 0, 1), (None, 1, 1), (None, 0, 1), (None, 1, 1)];
    assert_eq!(marks, all);
}

#[test]
fn a_trace_has_the_options_of_its_unpickler() {
    let pickle = b"\x80\x02c__builtin__\nset\n]K\x07a\x85R.";
    let mut trace = Unpickler::new().resolver(Symbolic).trace(pickle);
    assert!(trace.by_ref().all(|step| step.is_ok()));
    assert_eq!(trace.into_graph().root().to_string(), "__builtin__.set([7])");

    let limits = picklevm::Limits::default().memo(1);
    let mut few = Unpickler::new().limits(limits).trace(b"\x80\x04]\x94]\x94].");
    assert!(few.by_ref().any(|step| step.is_err_and(|error| error.kind() == picklevm::ErrorKind::Limit)));
}

#[test]
fn dropped_calls_are_effects_as_in_a_load() {
    let pickle = b"cm\nf\n)R0K\x01.";
    let mut trace = trace(pickle);
    assert!(trace.by_ref().all(|step| step.is_ok()));
    let (traced, loaded) = (trace.into_graph(), loads(pickle).unwrap());
    assert_eq!((traced.effects().len(), loaded.effects().len()), (1, 1));
}
