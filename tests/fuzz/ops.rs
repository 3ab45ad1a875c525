//! Bytes -> disassembly and optimizing: both end, and optimizing keeps the graph.

use picklevm::Graph;
use picklevm::ops::{Disassembler, optimize};

use super::{form, symbolic};

/// Runs the target.
pub(crate) fn run(data: &[u8]) {
    let mut lines = Vec::new();
    let _ = Disassembler::new().annotate(30).max_indentation(1 << 22).dis(data, &mut lines);
    assert!(str::from_utf8(&lines).is_ok(), "a disassembly is text");
    let Ok(graph) = symbolic().loads(data) else {
        let _ = optimize(data);
        return;
    };
    let optimized = optimize(data).expect("what loads can be optimized");
    let again = symbolic().loads(&optimized).expect("what was optimized loads");
    if !drops_calls(&graph) && !drops_calls(&again) {
        let same = picklevm::same_graph(graph.root(), again.root());
        assert!(same, "optimizing keeps the graph of {}", data.escape_ascii());
    }
}

/// Whether calls were made for their effect: whose it is depends on PUTs that optimizing leaves out.
fn drops_calls(graph: &Graph) -> bool {
    let form = String::from_utf8(form(graph)).expect("the form is ASCII");
    form.contains("\"effects\":") || form.contains("[\"effect\",")
}
