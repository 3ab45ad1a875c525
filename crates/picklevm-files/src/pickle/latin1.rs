//! Bytes as Python 3 pickles them below protocol 3: `_codecs.encode(text, 'latin1')`.

use std::collections::HashMap;

use picklevm_ops::Op;

/// Follows ops, and tells when a call of `_codecs.encode` is complete.
#[derive(Default)]
pub(crate) struct Latin1 {
    state: State,
    /// What the memo holds of such calls.
    memo: HashMap<u64, Part>,
}

#[derive(Clone, Copy)]
enum Part {
    Function,
    Encoding,
}

/// How much of a call lies on the stack.
#[derive(Default)]
enum State {
    #[default]
    Nothing,
    Function,
    Text(Vec<u8>),
    Encoding(Vec<u8>),
    Arguments(Vec<u8>),
}

impl Latin1 {
    /// The value on top of the stack was stored at this index.
    pub(crate) fn store(&mut self, index: u64) {
        match self.state {
            State::Function => drop(self.memo.insert(index, Part::Function)),
            State::Encoding(_) => drop(self.memo.insert(index, Part::Encoding)),
            _ => drop(self.memo.remove(&index)),
        }
    }

    /// Follows an op that is no PUT. Returns the bytes of a call that it completes.
    pub(crate) fn follow(&mut self, op: &Op<'_>) -> Option<Vec<u8>> {
        let fetched = match *op {
            Op::Get(index) => self.memo.get(&index),
            Op::BinGet(index) => self.memo.get(&index.into()),
            Op::LongBinGet(index) => self.memo.get(&index.into()),
            _ => None,
        };
        let is_function = match op {
            Op::Global(module, name) => (module.as_bytes(), name.as_bytes()) == (b"_codecs", b"encode"),
            _ => matches!(fetched, Some(Part::Function)),
        };
        let state = std::mem::take(&mut self.state);
        self.state = match (state, op) {
            _ if is_function => State::Function,
            // Protocols 0 and 1 have no other tuples than those behind a mark.
            (State::Function, Op::Mark) => State::Function,
            (State::Function, op) => text(op).and_then(|text| encode(&text)).map_or(State::Nothing, State::Text),
            (State::Text(bytes), _) if matches!(fetched, Some(Part::Encoding)) => State::Encoding(bytes),
            (State::Text(bytes), op) if text(op).is_some_and(|text| text == b"latin1") => State::Encoding(bytes),
            (State::Encoding(bytes), Op::Tuple | Op::Tuple2) => State::Arguments(bytes),
            (State::Arguments(bytes), Op::Reduce) => return Some(bytes),
            _ => State::Nothing,
        };
        None
    }
}

fn text(op: &Op<'_>) -> Option<Vec<u8>> {
    match op {
        Op::Unicode(text) => Some(text.decode().into_owned()),
        Op::BinUnicode(text) | Op::ShortBinUnicode(text) => Some(text.as_bytes().to_vec()),
        _ => None,
    }
}

/// UTF-8 in Latin-1.
pub(crate) fn encode(text: &[u8]) -> Option<Vec<u8>> {
    str::from_utf8(text).ok()?.chars().map(|c| u8::try_from(c).ok()).collect()
}
