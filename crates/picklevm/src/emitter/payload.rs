//! Writes text, bytes and long integers in runs; short ones without a branch on their length.

use picklevm_ops::Opcode;
use picklevm_ops::internal::{OpRun, forms};

use crate::graph::{Arena, Cell, Span, Tag};

/// Texts and bytes up to this length are copied with this fixed width.
pub(super) const TEXT_WIDTH: usize = Span::HEAD;
/// Integers up to this length are copied with this fixed width.
pub(super) const INT_WIDTH: usize = 64;

/// The kind and the opcodes of a payload.
#[derive(Clone, Copy)]
pub(super) struct Form {
    tag: Tag,
    /// For up to 255 bytes.
    short: Opcode,
    /// For more bytes; if `None`, they are left to the steps.
    long: Option<Opcode>,
}

impl Form {
    pub(super) const BYTES: Form =
        Form { tag: Tag::Bytes, short: forms::bytes(3, 0).expect("bytes have an opcode"), long: forms::bytes(3, 256) };
    pub(super) const INT: Form = Form { tag: Tag::BigInt, short: forms::long(2, 0), long: None };

    /// Returns the opcodes of text.
    pub(super) const fn text<const PROTOCOL_4: bool>() -> Form {
        let protocol = if PROTOCOL_4 { 4 } else { 2 };
        let short = forms::text(protocol, 0).expect("text has an opcode");
        Form { tag: Tag::Str, short, long: forms::text(protocol, 256) }
    }
}

/// Parts of a graph's payloads for a run.
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

    /// Writes an op with a payload, copied with fixed width `N` if it is short. Returns false if there is no space, or no
    /// opcode for this length.
    #[inline(always)]
    pub(super) fn write<const N: usize>(&self, run: &mut OpRun<'_>, form: Form, cell: Cell) -> bool {
        let Arena { spans, payloads, .. } = self.arena;
        let Some(&span) = spans.get_of(form.tag, cell) else { return false };
        if let Some((head, len)) = span.head::<N>(self.text, self.input) {
            counted(run, form.short, head, len);
            return true;
        }
        // The end of the input, or of all text, is closer than `N` bytes.
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

/// Pads up to eight bytes to eight.
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
