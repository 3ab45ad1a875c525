//! Short texts, padded with zeros: one length is checked for UTF-8 and copied without branches that depend on the length,
//! which the branch predictor cannot know.

/// Length of the padded text.
const LEN: usize = 32;

/// Ones for the bytes of a text of each length.
const MASKS: [[u8; LEN]; LEN + 1] = {
    let mut masks = [[0; LEN]; LEN + 1];
    let mut len = 0;
    while len <= LEN {
        let mut at = 0;
        while at < len {
            masks[len][at] = 0xff;
            at += 1;
        }
        len += 1;
    }
    masks
};

/// Memory of a text. Aligned for the check of UTF-8, which reads words.
#[repr(align(16))]
pub(super) struct Padded([u8; LEN]);

impl Padded {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Padded([0; LEN])
    }

    /// Returns the text of the first `len` bytes. `None` if they are too many or not UTF-8.
    #[inline(always)]
    pub(super) fn text(&mut self, bytes: &[u8; LEN], len: usize) -> Option<&str> {
        let mask = MASKS.get(len)?;
        self.0 = std::array::from_fn(|at| bytes[at] & mask[at]);
        std::str::from_utf8(&self.0).ok()?.get(..len)
    }
}
