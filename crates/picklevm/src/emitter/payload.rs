//! Texts, bytes and long integers as runs write them: those of few bytes without a look at how many they are.

use picklevm_ops::{OpRun, Opcode};

use crate::graph::{Arena, Cell, Span};

/// Texts and bytes of up to so many bytes are copied by that width.
pub(super) const SHORT: usize = Span::HEAD;
/// Integers of up to so many bytes are.
pub(super) const WIDE: usize = 64;

/// The opcodes of a payload.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Of up to 255 bytes.
    short: Opcode,
    /// Of more bytes; if there is none, they are left to the steps.
    long: Option<Opcode>,
}

impl Form {
    pub(super) const BYTES: Form = Form { short: Opcode::ShortBinBytes, long: Some(Opcode::BinBytes) };
    pub(super) const INT: Form = Form { short: Opcode::Long1, long: None };

    /// Of texts.
    pub(super) const fn text<const PROTOCOL_4: bool>() -> Form {
        Form {
            short: if PROTOCOL_4 { Opcode::ShortBinUnicode } else { Opcode::BinUnicode },
            long: Some(Opcode::BinUnicode),
        }
    }
}

/// The payloads of a graph, with their parts in places of their own.
pub(super) struct Payloads<'e> {
    arena: &'e Arena,
    text: &'e [u8],
    input: &'e [u8],
}

impl<'e> Payloads<'e> {
    #[inline(always)]
    pub(super) fn of(arena: &'e Arena) -> Self {
        Payloads { arena, text: &arena.payloads.text, input: &arena.payloads.input }
    }

    /// Writes an op with a payload, from the first `N` bytes from where that begins or from itself; tells whether it did,
    /// which it does not where there is no room or no form for so many bytes.
    #[inline(always)]
    pub(super) fn write<const N: usize>(&self, run: &mut OpRun<'_>, form: Form, cell: Cell) -> bool {
        let Arena { spans, payloads, .. } = self.arena;
        let span = spans[cell];
        if let Some((head, len)) = span.head::<N>(self.text, self.input) {
            counted(run, form.short, head, len);
            return true;
        }
        // At the end of the input, or of all texts, are fewer bytes than that.
        let payload = payloads.get(span);
        if payload.len() <= 8 {
            counted(run, form.short, &word(payload), payload.len());
            return true;
        }
        let opcode = if payload.len() <= 255 { Some(form.short) } else { form.long };
        let Some(opcode) = opcode.filter(|_| run.has(payload.len())) else { return false };
        counted(run, opcode, payload, payload.len());
        true
    }
}

#[inline(always)]
fn counted(run: &mut OpRun<'_>, opcode: Opcode, head: &[u8], len: usize) {
    match opcode {
        Opcode::BinUnicode | Opcode::BinBytes => run.long(opcode, head, len as u32),
        _ => run.short(opcode, head, len as u8),
    }
}

/// Up to eight bytes as eight.
#[inline(always)]
fn word(bytes: &[u8]) -> [u8; 8] {
    let ends = |low: u64, high: u64, width: usize| low | high << ((8 * (bytes.len() - width)) & 63);
    let word = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        ends(u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into(), 4)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        ends(u16::from_le_bytes(*first).into(), u16::from_le_bytes(*last).into(), 2)
    } else {
        bytes.first().copied().unwrap_or_default().into()
    };
    word.to_le_bytes()
}
