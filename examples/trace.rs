//! Runs pickles op by op and prints the heights of the machine's stacks: `cargo run --example trace -- FILE...`.
//!
//! One line an op: its offset and name, the values on each stack from the lowest on (a MARK begins a new one), the entries of the
//! memo.

use std::error::Error;

use picklevm::trace;

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        files.push(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/session-python3.13.pkl").to_owned());
    }
    for file in files {
        println!("# {file}");
        let bytes = std::fs::read(&file)?;
        let mut trace = trace(&bytes);
        while let Some(step) = trace.next() {
            let step = match step {
                Ok(step) => step,
                Err(error) => {
                    println!("{error}");
                    break;
                }
            };
            let mut heights = Vec::new();
            let mut below = 0;
            for end in trace.marks().chain([step.stack_len]) {
                heights.push((end - below).to_string());
                below = end;
            }
            println!("{} {} {} {}", step.offset, step.op.opcode(), heights.join(","), step.memo_len);
        }
    }
    Ok(())
}
