//! Payloads: the bytes of texts, bytes values and big integers.

use bytes::Bytes;

use super::nodes::DefaultNode;

/// The location of a payload in eight bytes: in the arena's own text, in the shared input, or in its own block.
///
/// Bits 0 to 23 hold the length, 24 and 25 the place, 26 whether the text holds surrogates, 27 to 63 the offset (for a
/// block its index; the block has its own length).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(u64);

const LEN_BITS: u32 = 24;
const MAX_LEN: usize = (1 << LEN_BITS) - 1;
const PLACE_SHIFT: u32 = LEN_BITS;
const SURROGATES: u64 = 1 << 26;
const OFFSET_SHIFT: u32 = 27;
/// More than fits a `usize` of 32 bits.
const MAX_OFFSET: u64 = (1 << (64 - OFFSET_SHIFT)) - 1;

const IN_TEXT: u64 = 0;
const IN_INPUT: u64 = 1;
const IN_BLOCK: u64 = 2;

/// Payloads of at least this many bytes are stored as slices of the input or in their own blocks, so that they are not
/// copied when the text grows.
const MIN_BLOCK_LEN: usize = 1 << 14;

/// The bytes of all payloads of an arena.
#[derive(Clone, Default)]
pub(crate) struct Payloads {
    pub(crate) text: Vec<u8>,
    pub(crate) input: Bytes,
    pub(crate) blocks: Vec<Bytes>,
    /// The number of bytes in blocks outside the input.
    outside_len: usize,
}

impl DefaultNode for Span {
    const DEFAULT: &'static Span = &Span::new(IN_TEXT, 0, 0);
}

impl Span {
    /// Number of bytes that are copied at once for a short payload, including bytes after its end.
    pub(crate) const HEAD: usize = 32;

    #[inline(always)]
    const fn new(place: u64, offset: usize, len: usize) -> Span {
        Span(len as u64 | place << PLACE_SHIFT | (offset as u64) << OFFSET_SHIFT)
    }

    /// Creates a span in the arena's own text.
    #[inline(always)]
    pub(crate) fn in_text(offset: usize, len: usize) -> Span {
        debug_assert!(offset as u64 <= MAX_OFFSET && len <= MAX_LEN);
        Span::new(IN_TEXT, offset, len)
    }

    #[inline(always)]
    fn len(self) -> usize {
        self.0 as usize & MAX_LEN
    }

    #[inline(always)]
    fn offset(self) -> usize {
        (self.0 >> OFFSET_SHIFT) as usize
    }

    /// Returns `N` bytes from the start of a payload in the text or the input, and the payload's length, if it is at
    /// most `N` and there are `N` bytes.
    #[inline(always)]
    pub(crate) fn head<'p, const N: usize>(self, text: &'p [u8], input: &'p [u8]) -> Option<(&'p [u8; N], usize)> {
        let place = match self.0 >> PLACE_SHIFT & 3 {
            IN_TEXT => text,
            IN_INPUT => input,
            _ => return None,
        };
        let head = place.get(self.offset()..)?.first_chunk()?;
        (self.len() <= N).then_some((head, self.len()))
    }

    /// Returns the index of the block that holds the payload, if any.
    fn block_index(self) -> Option<usize> {
        (self.0 >> PLACE_SHIFT & 3 == IN_BLOCK).then(|| self.offset())
    }

    /// Marks the text as holding surrogates.
    #[inline(always)]
    pub(crate) fn with_surrogates(self, surrogates: bool) -> Span {
        if surrogates { Span(self.0 | SURROGATES) } else { self }
    }

    #[inline(always)]
    pub(crate) fn has_surrogates(self) -> bool {
        self.0 & SURROGATES != 0
    }
}

impl Payloads {
    /// Stores a payload, without a copy if it is in the shared input.
    #[inline(always)]
    pub(crate) fn keep(&mut self, payload: &[u8]) -> Span {
        let len = payload.len();
        // Only a slice of the input has an address inside it.
        let at = payload.as_ptr().addr().wrapping_sub(self.input.as_ptr().addr());
        if at < self.input.len() && (at as u64) < MAX_OFFSET && len <= MAX_LEN {
            return Span::new(IN_INPUT, at, len);
        }
        let at = self.text.len();
        if len < MIN_BLOCK_LEN && (at as u64) < MAX_OFFSET {
            self.text.extend_from_slice(payload);
            return Span::new(IN_TEXT, at, len);
        }
        self.keep_block(payload)
    }

    #[cold]
    #[inline(never)]
    fn keep_block(&mut self, payload: &[u8]) -> Span {
        let at = payload.as_ptr().addr().wrapping_sub(self.input.as_ptr().addr());
        let shared = at.checked_add(payload.len()).is_some_and(|end| end <= self.input.len());
        self.push_block(if shared { self.input.slice(at..at + payload.len()) } else { Bytes::copy_from_slice(payload) })
    }

    /// Stores a block without copying it.
    pub(crate) fn push_block(&mut self, block: Bytes) -> Span {
        if !self.is_in_input(&block) {
            self.outside_len += block.len();
        }
        self.blocks.push(block);
        Span::new(IN_BLOCK, self.blocks.len() - 1, 0)
    }

    /// Returns the bytes of a span.
    #[inline(always)]
    pub(crate) fn get(&self, span: Span) -> &[u8] {
        let (from, len) = (span.offset(), span.len());
        let place = match span.0 >> PLACE_SHIFT & 3 {
            IN_TEXT => &self.text[..],
            IN_INPUT => &self.input[..],
            _ => return self.blocks.get(from).map_or(&[], |b| &b[..]),
        };
        place.get(from..from + len).unwrap_or(&[])
    }

    /// Returns the block of a span, if it is one.
    pub(crate) fn block(&self, span: Span) -> Option<&Bytes> {
        self.blocks.get(span.block_index()?)
    }

    /// Whether a block is a slice of less than half of the input.
    pub(crate) fn is_small_part_of_input(&self, block: &Bytes) -> bool {
        self.is_in_input(block) && block.len() < self.input.len() / 2
    }

    /// Returns the bytes of a span, shared without a copy if they are in the input or a block.
    pub(crate) fn share(&self, span: Span) -> Bytes {
        match span.0 >> PLACE_SHIFT & 3 {
            IN_BLOCK => self.blocks.get(span.offset()).cloned().unwrap_or_default(),
            IN_INPUT => self.input.slice_ref(self.get(span)),
            _ => Bytes::copy_from_slice(self.get(span)),
        }
    }

    /// Returns the number of bytes of memory that blocks take, without slices of the input.
    pub(crate) fn held_in_blocks(&self) -> usize {
        self.outside_len + self.blocks.len() * size_of::<Bytes>()
    }

    /// Returns the number of payload bytes, including the whole shared input.
    pub(crate) fn len(&self) -> usize {
        self.text.len() + self.input.len() + self.blocks.iter().map(Bytes::len).sum::<usize>()
    }

    /// Returns the number of payload bytes, without counting blocks in the shared input twice.
    pub(crate) fn distinct_len(&self) -> usize {
        let outside = self.blocks.iter().filter(|block| !self.is_in_input(block)).map(Bytes::len).sum::<usize>();
        self.text.len() + self.input.len() + outside
    }

    /// Whether a block is a slice of the shared input.
    fn is_in_input(&self, block: &Bytes) -> bool {
        let at = block.as_ptr().addr().wrapping_sub(self.input.as_ptr().addr());
        at < self.input.len()
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        if !self.input.is_empty() {
            self.input = Bytes::new();
        }
        self.blocks.clear();
        self.outside_len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_payload_is_stored_in_the_text() {
        let mut payloads = Payloads::default();
        let (a, b) = (payloads.keep(b"abc"), payloads.keep(b""));
        assert_eq!((payloads.get(a), payloads.get(b)), (&b"abc"[..], &b""[..]));
        assert_eq!(payloads.blocks.len(), 0);
    }

    #[test]
    fn a_long_payload_has_its_own_block() {
        let mut payloads = Payloads::default();
        let long = vec![7; MIN_BLOCK_LEN];
        let span = payloads.keep(&long);
        assert_eq!(payloads.get(span), long);
        assert_eq!(payloads.text.len(), 0);
    }

    #[test]
    fn a_payload_of_the_shared_input_is_not_copied() {
        let input = Bytes::from(vec![1, 2, 3, 4]);
        let mut payloads = Payloads { input: input.clone(), ..Payloads::default() };
        let span = payloads.keep(&input[1..3]);
        assert_eq!(payloads.get(span).as_ptr(), input[1..].as_ptr());
        assert_eq!(payloads.share(span), input.slice(1..3));
    }

    #[test]
    fn a_block_of_the_shared_input_is_counted_once() {
        let input = Bytes::from(vec![7; 1000]);
        let mut payloads = Payloads { input: input.clone(), ..Payloads::default() };
        payloads.push_block(input.slice(100..900));
        payloads.push_block(Bytes::from_static(b"apart"));
        assert_eq!((payloads.len(), payloads.distinct_len()), (1805, 1005));
    }

    #[test]
    fn a_span_records_surrogates() {
        let mut payloads = Payloads::default();
        let span = payloads.keep(b"\xed\xa0\x80").with_surrogates(true);
        assert!(span.has_surrogates());
        assert_eq!(payloads.get(span), b"\xed\xa0\x80");
    }
}
