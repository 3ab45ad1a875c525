//! A look at the depth of the stack alone: whether a run could call something before it breaks.
//!
//! Text is full of lines that begin like a GLOBAL, and a run of each would take longer than the scan.

use picklevm_ops::{ErrorKind, Opcode, StackObject};

/// Ops that are looked at; who writes more in a text may have the run.
const OPS: usize = 256;

/// Whether a run from the beginning of `data` may reach an op that uses a global, or STOP, before it breaks. Errs on the
/// side of yes.
pub(crate) fn may_do_something(data: &[u8]) -> bool {
    let mut depth = 0usize;
    let mut marks = Vec::new();
    let mut stores = false;
    for op in picklevm_ops::ops(data).take(OPS) {
        let opcode = match op {
            Ok((_, op)) => op.opcode(),
            // Operands that some readers take, and frames that some pass over.
            Err(error) => return matches!(error.kind(), ErrorKind::BadOperand | ErrorKind::Frame),
        };
        let before = opcode.stack_before();
        let taken = match before.iter().position(|&object| object == StackObject::Mark) {
            Some(below_mark) => match marks.pop() {
                Some(mark) => {
                    depth = depth.min(mark);
                    below_mark
                }
                None => return false,
            },
            // POP takes a mark where one is on top.
            None if opcode == Opcode::Pop && marks.last() == Some(&depth) => {
                marks.pop();
                0
            }
            None => before.len(),
        };
        let Some(left) = depth.checked_sub(taken) else { return false };
        depth = left;
        match opcode {
            Opcode::Reduce | Opcode::Build | Opcode::Obj | Opcode::Inst | Opcode::NewObj | Opcode::NewObjEx => {
                return true;
            }
            _ if opcode.is_put() => stores = true,
            _ if opcode.is_get() && !stores => return false,
            _ => {}
        }
        match opcode.stack_after() {
            [StackObject::Mark] => marks.push(depth),
            after => depth += after.len(),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::may_do_something;

    #[test]
    fn pickles_that_call_may() {
        for pickle in [
            &b"cos\nsystem\n(S'x'\ntR."[..],
            b"(S'x'\nios\nsystem\n.",
            b"(cos\nsystem\nS'x'\no.",
            b"\x80\x02cshop\nOrder\n)\x81}b.",
            b"cos\nsystem\n.",
            b"((0(1cos\nsystem\nq\x01h\x01)R.",
            b"I0x\n0cos\nsystem\n)R.",
        ] {
            assert!(may_do_something(pickle), "{}", pickle.escape_ascii());
        }
    }

    #[test]
    fn texts_that_begin_like_one_may_not() {
        for text in
            [&b"cat\nsat\nmat\n"[..], b"case\nword\nline 5\n", b"cos\ntan\n", b"in\nout\n", b"class\nname\nobject\n"]
        {
            assert!(!may_do_something(text), "{}", text.escape_ascii());
        }
    }
}
