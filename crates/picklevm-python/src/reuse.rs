//! Memory that a thread keeps for its next call: short pickles take less time to write and read than their memory to prepare.

use std::cell::Cell;

use picklevm::machine::Machine;
use pyo3::prelude::*;

use crate::dump::Memo;
use crate::value::Ref;

/// Maximum that is kept for reuse: bytes of a buffer, and capacity of a memo.
const KEPT_BUFFER: usize = 16 << 10;
const KEPT_MEMO: usize = 512;
/// Pickles up to this length are read by the machine that is kept, which cannot become large by them.
const SHORT: usize = 4 << 10;

thread_local! {
    // Absent while a call has it: a call inside of it takes new memory.
    static DUMP: Cell<Option<(Memo, Vec<u8>)>> = const { Cell::new(None) };
    static MACHINE: Cell<Option<Machine<Ref>>> = const { Cell::new(None) };
}

/// Runs a function with an empty memo and a buffer that may be written over, which it returns if all went well.
pub(crate) fn with_memo<T, E>(
    py: Python<'_>,
    run: impl FnOnce(&mut Memo, Vec<u8>) -> Result<(T, Vec<u8>), E>,
) -> Result<T, E> {
    let (mut memo, buffer) = DUMP.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let (result, buffer) = run(&mut memo, buffer)?;
    if memo.capacity() <= KEPT_MEMO && buffer.capacity() <= KEPT_BUFFER {
        memo.clear(py);
        // A thread that ends keeps nothing.
        let _ = DUMP.try_with(|kept| kept.set(Some((memo, buffer))));
    }
    Ok(result)
}

/// Runs a function with an empty machine, for a pickle of a length.
pub(crate) fn with_machine<T>(len: usize, run: impl FnOnce(&mut Machine<Ref>) -> T) -> T {
    if len > SHORT {
        return run(&mut Machine::new());
    }
    let mut machine = MACHINE.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let result = run(&mut machine);
    machine.clear();
    let _ = MACHINE.try_with(|kept| kept.set(Some(machine)));
    result
}
