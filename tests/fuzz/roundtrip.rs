//! Bytes -> graph -> pickle -> graph: the same graph, if the protocol has an opcode for every value.

use picklevm::{ErrorKind, Graph, Pickler, Protocol, same_graph};

use super::{form, generate, symbolic};

/// Runs the target. The first byte selects the protocol and whether names are mapped. The rest is used both as a pickle
/// and as the input of the generator.
pub(crate) fn run(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    round_trip(*choice, rest);
    round_trip(*choice, &generate::pickle(rest));
}

/// Writes a pickle twice. Below the protocol of its opcode, a value becomes a call; the second pass changes nothing.
fn round_trip(choice: u8, pickle: &[u8]) {
    let Ok(graph) = symbolic().loads(pickle) else { return };
    if drops_a_buffer(&graph) {
        return;
    }
    let protocol = Protocol::try_from(choice % 6).expect("there are six");
    let maps_names = choice >= 128;
    let pickler = Pickler::new().protocol(protocol).fix_imports(maps_names);
    let Some(once) = rewritten(&graph, &pickler) else { return };
    if !maps_names && protocol >= protocol_needed(&graph) {
        assert_same(&graph, &once);
    }
    let Some(twice) = rewritten(&once, &pickler) else { return };
    assert_same(&once, &twice);
}

/// Returns whether a buffer was read and dropped. No pickler writes this, and later buffers are renumbered when
/// written.
fn drops_a_buffer(graph: &Graph) -> bool {
    let form = String::from_utf8(form(graph)).expect("the form is ASCII");
    let mut numbers: Vec<&str> = form.split("{\"buffer\":").skip(1).filter_map(|rest| rest.split(',').next()).collect();
    numbers.sort_by_key(|number| (number.len(), *number));
    numbers.iter().enumerate().any(|(n, number)| n.to_string() != *number)
}

fn assert_same(before: &Graph, after: &Graph) {
    let same = same_graph(before.root(), after.root()) && form(before) == form(after);
    assert!(same, "{before:?} became {after:?}");
}

/// Returns the first protocol with opcodes for all values of a graph, from its graph form.
fn protocol_needed(graph: &Graph) -> Protocol {
    let form = String::from_utf8(form(graph)).expect("the form is ASCII");
    // Text floats support infinities and one NaN; other NaNs need a binary float.
    let form = ["7ff0000000000000", "fff0000000000000", "7ff8000000000000"]
        .iter()
        .fold(form, |form, in_text| form.replace(&format!("\"float\":\"{in_text}"), ""));
    // Quotes in texts are escaped, so these patterns do not occur in texts.
    let kinds = [
        (Protocol::V5, &["\"bytearray\":", "\"buffer\":"][..]),
        (Protocol::V4, &["\"set\":", "\"frozenset\":", "\"add\",", "\"newobj_ex\""]),
        (Protocol::V3, &["\"bytes\":"]),
        (Protocol::V2, &["\"newobj\"", "\"ext\":"]),
        (Protocol::V1, &["\"obj\"", "\"float\":\"7ff", "\"float\":\"fff"]),
    ];
    let of_kinds = kinds.iter().find(|(_, words)| words.iter().any(|word| form.contains(word)));
    // Below protocol 4, nested classes are written as calls of `getattr`.
    let names = form.split("{\"global\":[").skip(1).filter_map(|names| names.split("\",\"").nth(1)?.split('"').next());
    let of_names = names.map(|name| if name.contains('.') { Protocol::V4 } else { Protocol::V0 }).max();
    of_kinds.map(|(protocol, _)| *protocol).max(of_names).unwrap_or(Protocol::V0)
}

/// Writes and loads a graph; returns `None` if it cannot be written.
fn rewritten(graph: &Graph, pickler: &Pickler) -> Option<Graph> {
    match pickler.dumps(graph.root()) {
        Ok(written) => {
            Some(symbolic().loads(&written).unwrap_or_else(|error| panic!("{error}: {}", written.escape_ascii())))
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unrepresentable, "{error}");
            None
        }
    }
}
