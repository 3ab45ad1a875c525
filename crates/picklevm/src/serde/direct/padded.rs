//! Short texts, padded with zeros: a length is checked for UTF-8 and copied without branches that depend on the exact length,
//! which the branch predictor cannot know.

/// Maximum length of a text.
pub(super) const LEN: usize = 2 * BLOCK;

/// Length of most texts. Written as one number: the check of UTF-8 reads words, which would wait for the stores of bytes.
const BLOCK: usize = 16;

/// Ones for the bytes of a text of each length.
const MASKS: [[u128; 2]; LEN + 1] = {
    let mut masks = [[0; 2]; LEN + 1];
    let mut len = 0;
    while len <= LEN {
        let mut bytes = [[0; BLOCK]; 2];
        let mut at = 0;
        while at < len {
            bytes[at / BLOCK][at % BLOCK] = 0xff;
            at += 1;
        }
        masks[len] = [u128::from_ne_bytes(bytes[0]), u128::from_ne_bytes(bytes[1])];
        len += 1;
    }
    masks
};

/// Memory of a text. Aligned for the check of UTF-8.
#[repr(align(16))]
struct Padded<const BLOCKS: usize>([[u8; BLOCK]; BLOCKS]);

/// Copies the text of the first `len` bytes. `None` if they are too many or not UTF-8.
///
/// The padding is copied too, so that the length is constant, and cut off: the string has a capacity of 16 or 32 bytes.
#[inline(always)]
pub(super) fn string(bytes: &[u8; LEN], len: usize) -> Option<String> {
    let [first, second] = MASKS.get(len)?;
    let first = (u128::from_ne_bytes(*bytes.first_chunk()?) & first).to_ne_bytes();
    if len <= BLOCK {
        return Padded([first]).to_string(len);
    }
    let second = (u128::from_ne_bytes(*bytes.last_chunk()?) & second).to_ne_bytes();
    Padded([first, second]).to_string(len)
}

impl<const BLOCKS: usize> Padded<BLOCKS> {
    #[inline(always)]
    fn to_string(&self, len: usize) -> Option<String> {
        let mut string = String::from(std::str::from_utf8(self.0.as_flattened()).ok()?.get(..BLOCK * BLOCKS)?);
        string.truncate(len);
        Some(string)
    }
}
