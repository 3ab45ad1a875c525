//! Bytes -> disassembly and optimization: both terminate, and optimizing preserves the graph.

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
    let optimized = optimize(data).expect("a pickle that loads can be optimized");
    let again = symbolic().loads(&optimized).expect("an optimized pickle loads");
    if !has_effects(&graph) && !has_effects(&again) {
        let same = picklevm::same_graph(graph.root(), again.root());
        assert!(same, "optimizing changed the graph of {}", data.escape_ascii());
    }
}

/// Returns whether the graph has effects. To which object they belong depends on PUTs that optimizing removes.
fn has_effects(graph: &Graph) -> bool {
    let form = String::from_utf8(form(graph)).expect("the form is ASCII");
    form.contains("\"effects\":") || form.contains("[\"effect\",")
}
