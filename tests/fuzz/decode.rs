//! Bytes -> ops: slice and reader decoders agree, and written ops decode to the same ops.

use std::io::BufReader;

use picklevm::ops::{Decoder, Error, Op, Reader, Source, Writer};

/// Runs the target.
pub(crate) fn run(data: &[u8]) {
    let from_slice = collect(Decoder::new(data));
    for capacity in [1, 2, 7, 4096] {
        assert_eq!(from_slice, collect(Reader::new(BufReader::with_capacity(capacity, data))), "buffer of {capacity}");
    }
    let mut decoder = Decoder::new(data);
    let mut written = Writer::new();
    let mut ops = Vec::new();
    while let Ok(op) = decoder.next_op() {
        if !matches!(op, Op::Frame(_)) && written.op(op).is_ok() {
            ops.push(op);
        }
        if op == Op::Stop {
            break;
        }
    }
    let Ok(written) = written.into_vec() else { return };
    let mut again = Decoder::new(&written);
    for op in ops {
        assert_eq!(again.next_op().ok().map(|op| format!("{op:?}")), Some(format!("{op:?}")));
    }
}

/// Returns the ops up to STOP or an error, as text.
fn collect(mut source: impl Source) -> (Vec<String>, Option<String>) {
    let mut ops = Vec::new();
    loop {
        let next: Result<(bool, String), Error> = source.next_op().map(|op| (op == Op::Stop, format!("{op:?}")));
        match next {
            Ok((stop, op)) => {
                ops.push(format!("{} {op}", source.op_offset()));
                if stop {
                    return (ops, None);
                }
            }
            Err(error) => return (ops, Some(error.to_string())),
        }
    }
}
