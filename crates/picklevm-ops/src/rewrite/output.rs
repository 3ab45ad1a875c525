//! Writing a pickle with its changes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::rc::Rc;

use crate::Text;
use crate::error::Error;
use crate::memo::Indices;
use crate::op::Op;
use crate::opcode::Opcode;
use crate::operand::RawUnicode;
use crate::renames::Renames;
use crate::undecoded::RawOp;

use super::analysis::Plan;
use super::frames::Frames;
use super::{Decode, Decoded, Rewritten, refused};

/// The memo where it holds other texts than before.
#[derive(Clone, Default)]
pub(super) struct Slots {
    indices: Indices,
    texts: HashMap<u64, Replaced>,
}

/// A text, and what stands in its place.
#[derive(Clone)]
struct Replaced {
    old: Rc<str>,
    new: Rc<str>,
}

pub(super) struct Output<'o> {
    out: &'o mut dyn Write,
    plan: &'o Plan,
    renames: &'o Renames,
    decode: Option<&'o Decode<'o>>,
    memo: &'o mut Slots,
    /// What the op before pushed, if it is another text than before.
    pushed: Option<Replaced>,
    strings: u64,
    protocol: u8,
    /// Bytes written.
    offset: u64,
    /// An op that was encoded anew.
    buffer: Vec<u8>,
    counts: Rewritten,
}

impl<'o> Output<'o> {
    pub(super) fn new(
        out: &'o mut dyn Write,
        plan: &'o Plan,
        renames: &'o Renames,
        decode: Option<&'o Decode<'o>>,
        memo: &'o mut Slots,
    ) -> Self {
        let counts = Rewritten { globals: plan.globals, ..Rewritten::default() };
        let (pushed, strings, protocol, offset, buffer) = (None, 0, 0, 0, Vec::new());
        Output { out, plan, renames, decode, memo, pushed, strings, protocol, offset, buffer, counts }
    }

    pub(super) fn into_counts(self) -> Rewritten {
        self.counts
    }

    /// Writes an op, or what stands in its place. Returns whether it is the last.
    pub(super) fn op(&mut self, op: RawOp<'_>, frames: &mut Frames) -> Result<bool, Error> {
        self.buffer.clear();
        let before = match op.opcode {
            Opcode::Frame => self.pushed.clone(),
            _ => self.pushed.take(),
        };
        let from = self.offset;
        match op.opcode {
            Opcode::Frame => {
                frames.pass(&op, from, from, false);
                if let Op::Frame(len) = op.decode()? {
                    let len = frames.begin(&op, len, from + op.bytes.len() as u64);
                    self.encode(&op, Op::Frame(len))?;
                }
                self.pushed = before;
            }
            Opcode::Proto => {
                if let Op::Proto(version) = op.decode()? {
                    self.protocol = version;
                }
            }
            Opcode::ShortBinUnicode | Opcode::BinUnicode | Opcode::BinUnicode8 | Opcode::Unicode => self.text(&op)?,
            Opcode::Get | Opcode::BinGet | Opcode::LongBinGet => {
                let held = op.memo_index()?.and_then(|index| self.memo.texts.get(&index)).cloned();
                self.get(&op, held)?;
            }
            Opcode::Dup => self.get(&op, before)?,
            Opcode::Put | Opcode::BinPut | Opcode::LongBinPut => {
                if let Some(index) = op.memo_index()? {
                    self.put(index, before);
                }
            }
            Opcode::Memoize => self.put(self.memo.indices.len(), before),
            Opcode::Global | Opcode::Inst => self.global(&op)?,
            Opcode::ShortBinString | Opcode::BinString | Opcode::String => self.string(&op)?,
            _ => {}
        }
        let written = if self.buffer.is_empty() { op.bytes } else { &self.buffer };
        self.out.write_all(written).map_err(|error| Error::from_io(op.offset, error))?;
        self.offset += written.len() as u64;
        let is_last = op.opcode == Opcode::Stop;
        if op.opcode != Opcode::Frame {
            frames.pass(&op, from, self.offset, is_last);
        }
        Ok(is_last)
    }

    /// Has `new` written in place of an op.
    fn encode(&mut self, op: &RawOp<'_>, new: Op<'_>) -> Result<(), Error> {
        new.encode(&mut self.buffer).map_err(|error| error.offset_by(op.offset))
    }

    /// Text: a name may have changed.
    fn text(&mut self, op: &RawOp<'_>) -> Result<(), Error> {
        let Some(new) = self.plan.texts.get(&op.offset) else { return Ok(()) };
        let old = op.text()?.unwrap_or_default();
        let replacement = match op.opcode {
            Opcode::BinUnicode => Op::BinUnicode((&**new).into()),
            Opcode::BinUnicode8 => Op::BinUnicode8((&**new).into()),
            _ if new.len() < 256 => Op::ShortBinUnicode((&**new).into()),
            _ => Op::BinUnicode((&**new).into()),
        };
        self.pushed = Some(Replaced { old: (&*old).into(), new: new.clone() });
        self.encode(op, replacement)
    }

    /// GET or DUP: what is found may differ from what is wanted here.
    fn get(&mut self, op: &RawOp<'_>, held: Option<Replaced>) -> Result<(), Error> {
        let wanted = self.plan.texts.get(&op.offset);
        let literal = match (&held, wanted) {
            (None, None) => return Ok(()),
            (Some(held), Some(wanted)) if held.new == *wanted => {
                self.pushed = Some(held.clone());
                return Ok(());
            }
            (_, Some(wanted)) => wanted.clone(),
            (Some(held), None) => held.old.clone(),
        };
        if literal.len() < 256 {
            return self.encode(op, Op::ShortBinUnicode((&*literal).into()));
        }
        self.encode(op, Op::BinUnicode((&*literal).into()))
    }

    fn put(&mut self, index: u64, pushed: Option<Replaced>) {
        self.memo.indices.insert(index);
        match &pushed {
            Some(replaced) => drop(self.memo.texts.insert(index, replaced.clone())),
            None => drop(self.memo.texts.remove(&index)),
        }
        // PUT leaves it on the stack.
        self.pushed = pushed;
    }

    /// GLOBAL or INST.
    fn global(&mut self, op: &RawOp<'_>) -> Result<(), Error> {
        let (module, name) = match op.decode()? {
            Op::Global(module, name) | Op::Inst(module, name) => (module, name),
            _ => return Ok(()),
        };
        let (Some(module), Some(name)) = (module.as_str(), name.as_str()) else { return Ok(()) };
        let renamed = self.renames.rename(module, name);
        let Some((module, new)) = renamed.map_err(|error| refused(op, "a new name", error.to_string()))? else {
            return Ok(());
        };
        if self.protocol < 4 && new.contains('.') && !name.contains('.') {
            let found = format!("{module}:{new}");
            return Err(refused(op, "a name without a dot below protocol 4", found));
        }
        self.counts.globals += 1;
        let (module, name): (Text<'_>, Text<'_>) = ((&*module).into(), (&*new).into());
        let replacement = if op.opcode == Opcode::Inst { Op::Inst(module, name) } else { Op::Global(module, name) };
        self.encode(op, replacement)
    }

    /// An 8-bit string.
    fn string(&mut self, op: &RawOp<'_>) -> Result<(), Error> {
        let number = self.strings;
        self.strings += 1;
        let Some(decode) = self.decode else { return Ok(()) };
        let string = match op.decode()? {
            Op::String(escaped) => escaped.decode(),
            other => Cow::Borrowed(other.payload().unwrap_or_default()),
        };
        let is_data = self.plan.data.contains(number);
        let decoded = if is_data { Ok(Decoded::Bytes) } else { decode(&string) };
        match decoded.map_err(|error| refused(op, "an 8-bit string in the encoding", error))? {
            Decoded::Keep => Ok(()),
            Decoded::Bytes => {
                match is_data {
                    true => self.counts.data += 1,
                    false => {
                        self.counts.bytes += 1;
                        self.counts.first_bytes.get_or_insert(op.offset);
                    }
                }
                let short = string.len() < 256;
                self.encode(op, if short { Op::ShortBinBytes(&string) } else { Op::BinBytes(&string) })
            }
            Decoded::Text(text) => {
                self.counts.texts += 1;
                let Some(text) = Text::new(&text) else {
                    return Err(refused(op, "text in UTF-8 from the decoder", "other bytes"));
                };
                if op.opcode != Opcode::String {
                    return self.encode(op, Op::BinUnicode(text));
                }
                let mut line = Vec::new();
                RawUnicode::escape(text, RawUnicode::CONTROLS, &mut line);
                match RawUnicode::new(&line) {
                    Some(line) => self.encode(op, Op::Unicode(line)),
                    None => self.encode(op, Op::BinUnicode(text)),
                }
            }
        }
    }
}
