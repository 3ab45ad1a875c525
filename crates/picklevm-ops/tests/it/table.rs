//! The table of opcodes, compared with CPython's and with the page generated from it.

use std::fmt::Write;
use std::{env, fs};

use picklevm_ops::{Opcode, Operand, StackObject};

#[test]
fn there_are_68_opcodes() {
    assert_eq!(Opcode::ALL.len(), 68);
}

#[test]
fn bytes_and_opcodes_convert_to_each_other() {
    let opcodes = (0..=255).filter_map(|byte| Opcode::from_byte(byte).map(|opcode| (byte, opcode)));
    let mut count = 0;
    for (byte, opcode) in opcodes {
        assert_eq!(opcode.byte(), byte);
        count += 1;
    }
    assert_eq!(count, Opcode::ALL.len());
}

/// Returns a row as `tests/data/make.py` writes those of `pickletools.opcodes`.
fn golden_row(opcode: Opcode) -> String {
    let names = |objects: &[StackObject]| {
        let names: Vec<_> = objects.iter().map(|object| format!("\"{object}\"")).collect();
        format!("[{}]", names.join(", "))
    };
    format!(
        r#"{{"code": {}, "name": "{}", "arg": {}, "stack_before": {}, "stack_after": {}, "proto": {}, "doc": "{}"}}"#,
        opcode.byte(),
        opcode.name(),
        opcode.operand().map_or("null".into(), |operand| format!("\"{}\"", operand.name())),
        names(opcode.stack_before()),
        names(opcode.stack_after()),
        opcode.protocol(),
        opcode.doc(),
    )
}

#[test]
fn the_table_equals_that_of_pickletools() {
    let golden = include_str!("../data/pickletools.json");
    let mut expected: Vec<_> =
        golden.lines().map(|row| row.trim_end_matches(',')).filter(|row| row.len() > 1).collect();
    let mut rows: Vec<_> = Opcode::ALL.iter().map(|&opcode| golden_row(opcode)).collect();
    expected.sort_unstable();
    rows.sort_unstable();
    assert_eq!(rows, expected);
}

/// Returns docs/opcodes.md.
fn page() -> String {
    let mut page = String::from(
        "# Opcodes\n\n\
        Generated from the table in `crates/picklevm-ops/src/table.rs`; do not edit. To regenerate:\n\
        `UPDATE_GOLDEN=1 cargo test -p picklevm-ops --test it table`.\n\n\
        A pickle is a sequence of ops: the byte of an opcode, then its operand, if it has one. *Protocol* is the one that\n\
        introduced the opcode. The stack is shown with its top to the right; `mark` is the topmost mark, `stackslice`\n\
        everything above it.\n\n\
        | byte | opcode | protocol | operand | stack before | stack after | what it does |\n\
        | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut operands: Vec<Operand> = Vec::new();
    for &opcode in Opcode::ALL {
        let byte = match opcode.byte() {
            byte if byte.is_ascii_graphic() => format!("`{}`", char::from(byte)),
            byte => format!("`\\x{byte:02x}`"),
        };
        let operand = opcode.operand().map_or(String::new(), |operand| format!("[{0}](#{0})", operand.name()));
        let stack = |objects: &[StackObject]| objects.iter().map(|object| object.name()).collect::<Vec<_>>().join(" ");
        writeln!(
            page,
            "| {byte} | {opcode} | {} | {operand} | {} | {} | {} |",
            opcode.protocol(),
            stack(opcode.stack_before()),
            stack(opcode.stack_after()),
            opcode.doc(),
        )
        .unwrap();
        operands.extend(opcode.operand().filter(|operand| !operands.contains(operand)));
    }
    page.push_str("\n## Operands\n");
    for operand in operands {
        write!(page, "\n### {}\n\n{}\n", operand.name(), operand.doc()).unwrap();
    }
    page
}

#[test]
fn the_page_is_up_to_date() {
    let path = picklevm_testing::root().join("docs/opcodes.md");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == page(), "docs/opcodes.md is stale: UPDATE_GOLDEN=1 cargo test -p picklevm-ops --test it table");
}
