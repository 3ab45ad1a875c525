//! Pickles whose line ends were converted from `\n` to `\r\n`, as Git and FTP do with what they take for text.

use memchr::{memchr_iter, memmem};
use picklevm_ops::{Decoder, Op, Opcode};

/// The bytes with every `\r\n` replaced by `\n`: the exact inverse of converting every line end.
///
/// ```
/// let repaired = picklevm_files::restore_line_ends(b"(lp0\r\nI1\r\na.");
/// assert_eq!(repaired, b"(lp0\nI1\na.");
/// ```
pub fn restore_line_ends(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut done = 0;
    for at in memmem::find_iter(data, b"\r\n") {
        out.extend_from_slice(&data[done..at]);
        done = at + 1;
    }
    out.extend_from_slice(&data[done..]);
    out
}

/// Whether bytes are a pickle whose line ends were converted, for certain: every `\n` follows a `\r`, the bytes are a
/// pickle without these, and with them they are none, or one in which numbers or names end with `\r`.
///
/// ```
/// use picklevm_files::has_converted_line_ends;
///
/// assert!(has_converted_line_ends(b"(lp0\r\nI1\r\na."));
/// // A carriage return at the end of a text is no damage.
/// assert!(!has_converted_line_ends(b"Vone\r\n."));
/// ```
pub fn has_converted_line_ends(data: &[u8]) -> bool {
    let mut newlines = memchr_iter(b'\n', data).peekable();
    if newlines.peek().is_none() || !newlines.all(|at| at > 0 && data[at - 1] == b'\r') {
        return false;
    }
    if !is_pickle(&restore_line_ends(data)) {
        return false;
    }
    let mut decoder = Decoder::new(data);
    loop {
        match decoder.next_op() {
            Ok(op) => {
                let is_converted = data[..decoder.offset()].ends_with(b"\r\n");
                if is_converted && cannot_end_with_cr(op.opcode()) {
                    return true;
                }
                if op == Op::Stop {
                    return false;
                }
            }
            Err(_) => return true,
        }
    }
}

/// Whether the bytes begin with a pickle.
fn is_pickle(data: &[u8]) -> bool {
    picklevm_ops::ops(data).all(|op| op.is_ok())
}

/// Whether an opcode ends with a line in which `\r` means nothing: numbers, memo indices, names, quoted strings.
fn cannot_end_with_cr(opcode: Opcode) -> bool {
    use Opcode::{Float, Get, Global, Inst, Int, Long, PersId, Put, String};
    matches!(opcode, Int | Long | Float | Get | Put | Global | Inst | String | PersId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_converted_is_restored_exactly() {
        let original = b"(dp0\nVone\r\np1\nI1\ns.";
        let converted = b"(dp0\r\nVone\r\r\np1\r\nI1\r\ns.";
        assert_eq!(restore_line_ends(converted), original);
    }

    #[test]
    fn line_ends_are_converted_if_all_are_and_one_tells() {
        assert!(has_converted_line_ends(b"S'a'\r\n."));
        assert!(has_converted_line_ends(b"(iClasses\r\nLoop\r\np0\r\n."));
        assert!(has_converted_line_ends(b"\x80\x02cm\r\nC\r\n)\x81."));
        assert!(!has_converted_line_ends(b"I1\n."), "no carriage return");
        assert!(!has_converted_line_ends(b"Vone\r\np1\n."), "one is not converted");
        assert!(!has_converted_line_ends(b"hello\r\nworld\r\n"), "no pickle either way");
        assert!(!has_converted_line_ends(b""));
    }
}
