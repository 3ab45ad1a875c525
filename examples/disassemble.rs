//! Shows a pickle and its opcodes: the example of the documentation of Python's pickletools module, with `genops` and
//! `optimize` of the same pickle.
//!
//!     cargo run --example disassemble [FILE]      as `python -m pickle` and `python -m pickletools`

use picklevm::ops::{self, Opcode};

/// `pickle.dumps((1, 2), 3)`: the file `x.pickle` of the documentation.
const X: &[u8] = b"\x80\x03K\x01K\x02\x86q\0.";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(path) = std::env::args_os().nth(1) {
        let pickle = std::fs::read(path)?;
        println!("{}", picklevm::loads(&pickle)?.root());
        ops::dis(&pickle, &mut std::io::stdout().lock())?;
        return Ok(());
    }
    // $ python -m pickle x.pickle
    let graph = picklevm::loads(X)?;
    println!("{}", graph.root());
    assert_eq!(graph.root().to_string(), "(1, 2)");

    // $ python -m pickletools x.pickle
    let mut shown = Vec::new();
    ops::dis(X, &mut shown)?;
    let shown = String::from_utf8(shown)?;
    print!("{shown}");
    assert_eq!(
        shown,
        r"    0: \x80 PROTO      3
    2: K    BININT1    1
    4: K    BININT1    2
    6: \x86 TUPLE2
    7: q    BINPUT     0
    9: .    STOP
highest protocol among opcodes = 2
"
    );

    // pickletools.genops(X), and what each opcode does.
    let opcodes: Vec<Opcode> = ops::ops(X).map(|op| op.map(|(_, op)| op.opcode())).collect::<Result<_, _>>()?;
    println!("{}: {}", opcodes[3], opcodes[3].doc());
    assert_eq!(opcodes[3], Opcode::Tuple2);

    // pickletools.optimize(X): no GET reads what the PUT wrote.
    let optimized = ops::optimize(X)?;
    println!("{}", optimized.escape_ascii());
    assert_eq!(optimized, b"\x80\x03K\x01K\x02\x86.");
    Ok(())
}
