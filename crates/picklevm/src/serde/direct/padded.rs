//! Short texts, padded with zeros: a length is checked for UTF-8 and copied without branches that depend on the exact length,
//! which the branch predictor cannot know.

/// Maximum length of a text.
const LEN: usize = 32;

/// Length of most texts.
const HALF: usize = LEN / 2;

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
struct Padded<const N: usize>([u8; N]);

/// Copies the text of the first `len` bytes. `None` if they are too many or not UTF-8.
///
/// The padding is copied too, so that the length is constant, and cut off: the string has a capacity of 16 or 32 bytes.
#[inline(always)]
pub(super) fn string(bytes: &[u8; LEN], len: usize) -> Option<String> {
    let mask = MASKS.get(len)?;
    if len <= HALF {
        copy::<HALF>(bytes.first_chunk()?, mask.first_chunk()?, len)
    } else {
        copy::<LEN>(bytes, mask, len)
    }
}

#[inline(always)]
fn copy<const N: usize>(bytes: &[u8; N], mask: &[u8; N], len: usize) -> Option<String> {
    let mut padded = Padded([0; N]);
    for (to, (byte, mask)) in padded.0.iter_mut().zip(bytes.iter().zip(mask)) {
        *to = byte & mask;
    }
    let mut string = String::from(std::str::from_utf8(&padded.0).ok()?.get(..N)?);
    string.truncate(len);
    Some(string)
}
