//! A pickle that was cut off, completed with the ops that close what was open.

use picklevm_ops::{Decoder, Op, Opcode, Text};

use super::evaluate::{Evaluation, Node, Value};

/// The readable part of a pickle that is not whole, as a pickle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completed {
    /// A whole pickle: the ops that could be read, without frames, and those that close what they left open.
    pub pickle: Vec<u8>,
    /// The same in a tuple, and behind it a list of all values that the memo holds, in the order of their indices: some may be
    /// in no other place.
    pub with_memo: Vec<u8>,
    /// Number of bytes that were read.
    pub read: usize,
    /// Number of values and marks on the stack there.
    pub open: usize,
}

/// Makes a pickle of the ops that can be read of one that is cut off or broken: containers that were being filled are
/// closed as they are, so that everything read so far is shown in its place. What is missing beside a key is `Ellipsis`.
///
/// ```
/// let cut = b"\x80\x04}(\x8c\x01a](K\x01K\x02\x8c\x05ab";
/// let completed = picklevm_files::complete(cut);
/// assert_eq!(completed.pickle, b"\x80\x04}(\x8c\x01a](K\x01K\x02eu.");
/// ```
pub fn complete(data: &[u8]) -> Completed {
    let mut closer = Closer { evaluation: Evaluation::default(), out: Vec::new() };
    let mut decoder = Decoder::new(data);
    let mut read = 0;
    while let Ok(op) = decoder.next_op() {
        if op == Op::Stop || closer.evaluation.run(&op).is_err() {
            break;
        }
        // Frames are left out: they would have to be as long as they say.
        if op.opcode() != Opcode::Frame {
            closer.out.extend_from_slice(&data[read..decoder.offset()]);
        }
        read = decoder.offset();
    }
    let open = closer.evaluation.stack.len() + closer.evaluation.marks.len();
    closer.close();
    let with_memo = closer.with_memo();
    closer.out.push(Opcode::Stop.byte());
    Completed { pickle: closer.out, with_memo, read, open }
}

struct Closer {
    evaluation: Evaluation,
    out: Vec<u8>,
}

impl Closer {
    fn emit(&mut self, op: Op<'static>) {
        // What is emitted finds on the stack what it takes.
        if self.evaluation.run(&op).is_ok() {
            self.out.push(op.opcode().byte());
        }
    }

    /// Stands for a value that was cut off.
    fn emit_missing(&mut self) {
        if self.evaluation.run(&Op::Global(Text::from("builtins"), Text::from("Ellipsis"))).is_ok() {
            self.out.extend_from_slice(b"cbuiltins\nEllipsis\n");
        }
    }

    /// What lies on the topmost mark.
    fn open_items(&self) -> &[Value] {
        let floor = self.evaluation.marks.last().copied().unwrap_or(0);
        self.evaluation.stack.get(floor..).unwrap_or_default()
    }

    fn node(&self, value: Value) -> Option<&Node> {
        self.evaluation.node(value)
    }

    fn close(&mut self) {
        while let Some(&mark) = self.evaluation.marks.last() {
            let below = mark.checked_sub(1).and_then(|at| self.evaluation.stack.get(at));
            // What lies below an outer mark is not what this mark belongs to.
            let outer = self.evaluation.marks.iter().rev().nth(1).copied().unwrap_or(0);
            let target = below.filter(|_| mark > outer).and_then(|value| self.node(*value));
            match target {
                Some(Node::List(_)) => self.emit(Op::Appends),
                Some(Node::Set) => self.emit(Op::AddItems),
                Some(Node::Dict(_)) => {
                    self.pair_up();
                    self.emit(if self.are_pairs() { Op::SetItems } else { Op::Tuple });
                }
                _ => self.emit(Op::Tuple),
            }
        }
        while self.open_items().len() > 1 {
            if !self.resolve() {
                self.emit(Op::Tuple2);
            }
        }
        if self.open_items().is_empty() {
            self.emit(Op::None);
        }
    }

    /// The pickle with a list of what the memo holds.
    fn with_memo(&self) -> Vec<u8> {
        let mut out = self.out.clone();
        out.push(Opcode::Mark.byte());
        // No pickler has indices of more than 32 bits.
        for index in self.evaluation.memo_indices().filter_map(|index| u32::try_from(index).ok()) {
            out.push(Opcode::LongBinGet.byte());
            out.extend_from_slice(&index.to_le_bytes());
        }
        out.extend([Opcode::List, Opcode::Tuple2, Opcode::Stop].map(Opcode::byte));
        out
    }

    /// Makes keys and values of what lies on the mark of a dict.
    fn pair_up(&mut self) {
        while !self.are_pairs() {
            if self.resolve() {
                continue;
            }
            let items = self.open_items();
            if !items.len().is_multiple_of(2) && items.last().is_some_and(|key| self.is_hashable(*key)) {
                self.emit_missing();
                continue;
            }
            return;
        }
    }

    fn are_pairs(&self) -> bool {
        let items = self.open_items();
        items.len().is_multiple_of(2) && items.iter().step_by(2).all(|key| self.is_hashable(*key))
    }

    fn is_hashable(&self, value: Value) -> bool {
        !matches!(self.node(value), Some(Node::List(_) | Node::Dict(_) | Node::Set))
    }

    /// Takes the next step that a pickler would have taken with the values on top; `false` if it is not clear which.
    fn resolve(&mut self) -> bool {
        let (third, second, top) = match *self.open_items() {
            [.., third, second, top] => (Some(third), second, top),
            [second, top] => (None, second, top),
            _ => return false,
        };
        let op = match (self.node(second), self.node(top)) {
            (Some(Node::Object { .. }), Some(Node::Dict(_))) => Op::Build,
            (Some(Node::Global { .. }), Some(Node::Tuple(_))) => Op::Reduce,
            (Some(Node::List(_)), _) => Op::Append,
            (Some(Node::Dict(_)), _) if self.is_hashable(top) => {
                self.emit_missing();
                Op::SetItem
            }
            _ if third.is_some_and(|third| matches!(self.node(third), Some(Node::Dict(_))))
                && self.is_hashable(second) =>
            {
                Op::SetItem
            }
            _ => return false,
        };
        self.emit(op);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[track_caller]
    fn closes(data: &[u8], ops: &[u8]) {
        let completed = complete(data);
        let closed = &completed.pickle[completed.pickle.len() - ops.len()..];
        assert_eq!(closed, ops, "{}", completed.pickle.escape_ascii());
    }

    #[test]
    fn containers_that_were_being_filled_are_closed_as_they_are() {
        closes(b"](K\x01", b"e.");
        closes(b"}(K\x01K\x02", b"u.");
        closes(b"\x8f(K\x01", b"\x90.");
        closes(b"(K\x01", b"t.");
    }

    #[test]
    fn a_key_without_a_value_gets_an_ellipsis() {
        closes(b"}(K\x01K\x02K\x03", b"cbuiltins\nEllipsis\nu.");
        closes(b"}K\x01", b"cbuiltins\nEllipsis\ns.");
    }

    #[test]
    fn a_state_is_given_to_its_object_and_arguments_to_their_class() {
        closes(b"}(K\x01cm\nC\n)\x81}K\x02", b"cbuiltins\nEllipsis\nsbu.");
        closes(b"}(K\x01cm\nC\nK\x02\x85", b"Ru.");
    }

    #[test]
    fn what_belongs_nowhere_is_shown_side_by_side() {
        closes(b"K\x01K\x02K\x03", b"\x86\x86.");
        closes(b"", b"N.");
    }

    #[test]
    fn what_only_the_memo_holds_is_listed() {
        // A list that was popped, and a text on the stack.
        let completed = complete(b"\x80\x02]q\x03K\x01a0X\x01\0\0\0aq\x00(");
        assert!(completed.pickle.ends_with(b"aq\0(t\x86."), "{}", completed.pickle.escape_ascii());
        assert!(completed.with_memo.ends_with(b"(j\0\0\0\0j\x03\0\0\0l\x86."));
    }

    #[test]
    fn protocol_0_fills_containers_item_by_item() {
        closes(b"(dp0\nS'a'\n(lp1\nI1\n", b"as.");
    }
}
