//! The eight-byte cell: an inline value, or the kind and id of a node.
//!
//! ```text
//! bit  63                              32 31            8 7    3 2 0
//!     [ integer of 61 bits, signed                             |000]
//!     [ float with an exponent of -127 to 128, rotated         |001]
//!     [ id of the node                   |fingerprint   |kind  |010]
//! ```
//!
//! Small integers, ordinary floats, `None`, the booleans, the empty tuple and zero are stored in the cell itself.
//! Everything else is an index into the arena of its kind. The fingerprint of a text (its length up to 255, first and
//! last byte) decides most comparisons of keys without reading the payload.

use std::fmt;

/// Payloads of at least this many bytes are long: fingerprints do not distinguish their lengths, and their hashes as
/// keys are cached.
pub(crate) const LONG_PAYLOAD: usize = 255;

/// A value in eight bytes. The module documentation shows the layout.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Cell(u64);

const TAG_BITS: u32 = 3;
const TAG_MASK: u64 = 7;
const TAG_INT: u64 = 0;
const TAG_FLOAT: u64 = 1;
const TAG_NODE: u64 = 2;

/// The type of a cell: the low byte of a node's cell, or one of the two inline numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Tag {
    /// An integer of at most 61 bits, inline.
    Int,
    /// A float whose exponent is small enough, inline.
    Float,
    /// No value, such as a hole in the memo.
    Hole,
    None,
    True,
    False,
    /// The empty tuple, of which Python has only one.
    EmptyTuple,
    /// The float 0.0, whose exponent does not fit inline.
    ZeroFloat,
    /// Any other float, by index.
    WideFloat,
    Complex,
    /// An integer of more than 61 bits, or a `long` of Python 2: a span of at least eight bytes in little-endian two's
    /// complement. The first tag with a payload.
    BigInt,
    Str,
    Bytes,
    ByteStr,
    ByteArray,
    Tuple,
    List,
    Dict,
    Set,
    FrozenSet,
    Global,
    Ext,
    Buffer,
    Persistent,
    Object,
    NativeObject,
}

/// Returns the tag of a node cell by the number in bits 3 to 7.
// Not a table: this way a `match` on the tag is one jump by the number itself.
#[inline(always)]
const fn node_tag(number: u8) -> Tag {
    macro_rules! numbered {
        ($($tag:ident)*) => {$(
            if number == Tag::$tag as u8 - Tag::Hole as u8 {
                return Tag::$tag;
            }
        )*};
    }
    numbered! {
        None True False EmptyTuple ZeroFloat WideFloat Complex BigInt Str Bytes ByteStr ByteArray Tuple List Dict Set
        FrozenSet Global Ext Buffer Persistent Object NativeObject
    }
    Tag::Hole
}

const fn low_byte(tag: Tag) -> u64 {
    ((tag as u64 - Tag::Hole as u64) << TAG_BITS) | TAG_NODE
}

/// Marks a short `long`. The bit is in the length of other fingerprints; the length of a big integer is at least eight.
const SHORT_LONG_PAYLOAD: u64 = 1 << 8;

/// Floats are inline when the four high bits of their exponent are 0111 or 1000.
const FLOAT_BIAS: u64 = 0x7000_0000_0000_0000;

impl Cell {
    pub(crate) const HOLE: Cell = Cell(low_byte(Tag::Hole));
    pub(crate) const NONE: Cell = Cell(low_byte(Tag::None));
    pub(crate) const TRUE: Cell = Cell(low_byte(Tag::True));
    pub(crate) const FALSE: Cell = Cell(low_byte(Tag::False));
    pub(crate) const EMPTY_TUPLE: Cell = Cell(low_byte(Tag::EmptyTuple));
    const ZERO_FLOAT: Cell = Cell(low_byte(Tag::ZeroFloat));

    /// The range of integers that fit inline.
    #[cfg(test)]
    pub(crate) const INT_RANGE: std::ops::RangeInclusive<i64> = -(1 << 60)..=(1 << 60) - 1;

    /// Returns the cell of an integer of at most 32 bits, which always fits.
    #[inline(always)]
    pub(crate) const fn small_int(value: i32) -> Cell {
        Cell(((value as i64) << TAG_BITS) as u64)
    }

    /// Returns the cell of an integer, if it fits inline.
    #[inline(always)]
    pub(crate) const fn int(value: i64) -> Option<Cell> {
        let shifted = value << TAG_BITS;
        if shifted >> TAG_BITS == value { Some(Cell(shifted as u64)) } else { None }
    }

    #[inline(always)]
    pub(crate) const fn bool(value: bool) -> Cell {
        if value { Cell::TRUE } else { Cell::FALSE }
    }

    /// Returns the cell of a float, if it fits inline.
    #[inline(always)]
    pub(crate) const fn float(value: f64) -> Option<Cell> {
        let bits = value.to_bits();
        let moved = bits.rotate_left(1).wrapping_sub(FLOAT_BIAS);
        if moved >> 61 == 0 {
            Some(Cell((moved << TAG_BITS) | TAG_FLOAT))
        } else if bits == 0 {
            Some(Cell::ZERO_FLOAT)
        } else {
            None
        }
    }

    /// Returns the cell of node `id` of an arena.
    #[inline(always)]
    pub(crate) const fn node(tag: Tag, id: u32) -> Cell {
        Cell(low_byte(tag) | (id as u64) << 32)
    }

    /// Returns the cell of a `long` of Python 2 that fits 64 bits: an integer node whose span has eight bytes.
    #[inline(always)]
    pub(crate) const fn short_long(id: u32) -> Cell {
        Cell(Cell::node(Tag::BigInt, id).0 | SHORT_LONG_PAYLOAD)
    }

    /// Whether an integer node is a `long` of Python 2 that fits 64 bits.
    #[inline(always)]
    pub(crate) const fn is_short_long(self) -> bool {
        self.0 & (0xff << 8 | 0xff) == low_byte(Tag::BigInt) | SHORT_LONG_PAYLOAD
    }

    /// Returns the cell of a text or bytes node, with its fingerprint.
    #[inline(always)]
    pub(crate) fn text(tag: Tag, id: u32, bytes: &[u8]) -> Cell {
        let fingerprint = match (bytes.first(), bytes.last()) {
            (Some(first), Some(last)) => {
                (bytes.len().min(LONG_PAYLOAD) as u64) << 8 | (*first as u64) << 16 | (*last as u64) << 24
            }
            _ => 0,
        };
        Cell(low_byte(tag) | fingerprint | (id as u64) << 32)
    }

    /// Returns the cell of a node with a payload. It has a fingerprint, except for bytearrays, whose contents can
    /// change.
    #[inline(always)]
    pub(crate) fn payload(tag: Tag, id: u32, bytes: &[u8]) -> Cell {
        match tag {
            Tag::ByteArray => Cell::node(tag, id),
            _ => Cell::text(tag, id, bytes),
        }
    }

    #[inline(always)]
    pub(crate) fn tag(self) -> Tag {
        match self.0 & TAG_MASK {
            TAG_INT => Tag::Int,
            TAG_FLOAT => Tag::Float,
            _ => node_tag((self.0 >> TAG_BITS) as u8 & 31),
        }
    }

    /// Whether the cell is a node (or constant) of this tag: one comparison of a byte.
    #[inline(always)]
    pub(crate) const fn is(self, tag: Tag) -> bool {
        match tag {
            Tag::Int => self.0 & TAG_MASK == TAG_INT,
            Tag::Float => self.0 & TAG_MASK == TAG_FLOAT,
            _ => self.0 & 0xff == low_byte(tag),
        }
    }

    /// Whether the cell is a node of one of the tags from `FIRST` to `LAST`: one comparison.
    #[inline(always)]
    pub(super) const fn is_from<const FIRST: u8, const LAST: u8>(self) -> bool {
        // The tag number is above three bits, which are the same for all nodes.
        let above_first = (self.0 as u8).wrapping_sub(((FIRST - Tag::Hole as u8) << TAG_BITS) | TAG_NODE as u8);
        above_first.rotate_right(TAG_BITS) <= LAST - FIRST
    }

    /// Returns the id of a node, for [`Cell::node`], or an extension code; meaningless for other cells. It is not used
    /// as an index: the arenas take cells and check their tags.
    #[inline(always)]
    pub(crate) const fn high(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Whether a text or bytes node has a long payload.
    #[inline(always)]
    pub(crate) const fn is_long(self) -> bool {
        self.0 >> 8 & 0xff == LONG_PAYLOAD as u64
    }

    /// Returns kind and fingerprint: texts are different if these differ.
    #[inline(always)]
    pub(crate) const fn fingerprint(self) -> u32 {
        self.0 as u32
    }

    /// Returns the bits, for hashing by identity.
    #[inline(always)]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// Returns the inline integer; meaningless for another tag.
    #[inline(always)]
    pub(crate) const fn as_int(self) -> i64 {
        self.0 as i64 >> TAG_BITS
    }

    /// Returns the first four cells of a slice, and all their bits.
    #[inline(always)]
    fn first_four(cells: &[Cell]) -> Option<(&[Cell; 4], u64)> {
        let four: &[Cell; 4] = cells.first_chunk()?;
        Some((four, four[0].0 | four[1].0 | four[2].0 | four[3].0))
    }

    /// Returns the first four cells of a slice as bytes, if each is an integer from 0 to 255.
    #[inline(always)]
    pub(crate) fn four_bytes(cells: &[Cell]) -> Option<[u8; 4]> {
        let (four, all) = Cell::first_four(cells)?;
        (all & !(0xff << TAG_BITS) == 0).then(|| four.map(|cell| (cell.0 >> TAG_BITS) as u8))
    }

    /// Returns whether a slice begins with four inline numbers.
    #[inline(always)]
    pub(crate) fn are_four_numbers(cells: &[Cell]) -> bool {
        const { assert!(TAG_INT == 0 && TAG_FLOAT == 1) };
        Cell::first_four(cells).is_some_and(|(_, all)| all & TAG_MASK <= TAG_FLOAT)
    }

    /// Returns the first four cells of a slice as integers, if each is an inline integer.
    #[inline(always)]
    pub(crate) fn four_ints(cells: &[Cell]) -> Option<[i64; 4]> {
        let (four, all) = Cell::first_four(cells)?;
        (all & TAG_MASK == TAG_INT).then(|| four.map(Cell::as_int))
    }

    /// Returns the inline float; meaningless for another tag.
    #[inline(always)]
    pub(crate) const fn as_float(self) -> f64 {
        f64::from_bits((self.0 >> TAG_BITS).wrapping_add(FLOAT_BIAS).rotate_right(1))
    }

    /// Returns the first four cells of a slice as floats, if each is an inline float.
    #[inline(always)]
    pub(crate) fn four_floats(cells: &[Cell]) -> Option<[f64; 4]> {
        let four: &[Cell; 4] = cells.first_chunk()?;
        four.iter().all(|cell| cell.is(Tag::Float)).then(|| four.map(Cell::as_float))
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag() {
            Tag::Int => write!(f, "{}", self.as_int()),
            Tag::Float => write!(f, "{:?}", self.as_float()),
            tag => write!(f, "{tag:?}#{}", self.high()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_61_bits_come_back() {
        for value in [0, 1, -1, 255, i32::MIN as i64, *Cell::INT_RANGE.start(), *Cell::INT_RANGE.end()] {
            let cell = Cell::int(value).expect("fits");
            assert_eq!((cell.tag(), cell.as_int()), (Tag::Int, value));
        }
        assert_eq!(Cell::int(Cell::INT_RANGE.end() + 1), None);
        assert_eq!(Cell::int(Cell::INT_RANGE.start() - 1), None);
    }

    #[test]
    fn floats_come_back_bit_for_bit_or_do_not_fit() {
        for value in [1.0, -1.5, 0.1, 1e30, -1e-30, std::f64::consts::PI, f64::from_bits(0x3800_0000_0000_0000)] {
            let cell = Cell::float(value).expect("fits");
            assert_eq!((cell.tag(), cell.as_float().to_bits()), (Tag::Float, value.to_bits()));
        }
        for value in [-0.0, f64::NAN, f64::INFINITY, 1e300, 5e-324] {
            assert_eq!(Cell::float(value), None);
        }
        assert!(Cell::float(0.0).is_some_and(|c| c.is(Tag::ZeroFloat)));
    }

    #[test]
    fn node_cells_keep_tag_and_id() {
        for number in 0..24 {
            let tag = node_tag(number);
            let cell = Cell::node(tag, u32::MAX);
            assert_eq!((tag as u8 - Tag::Hole as u8, cell.tag(), cell.high()), (number, tag, u32::MAX));
            assert!(cell.is(tag));
        }
    }

    #[test]
    fn a_range_of_tags_holds_their_nodes_and_no_other_cell() {
        const STR: u8 = Tag::Str as u8;
        const BYTE_ARRAY: u8 = Tag::ByteArray as u8;
        for number in 0..24 {
            let tag = node_tag(number);
            let cell = Cell::node(tag, 5);
            assert_eq!(cell.is_from::<STR, BYTE_ARRAY>(), (Tag::Str..=Tag::ByteArray).contains(&tag), "{tag:?}");
            assert_eq!(cell.is_from::<STR, STR>(), tag == Tag::Str, "{tag:?}");
        }
        for number in -5000..5000 {
            assert!(!Cell::small_int(number).is_from::<STR, BYTE_ARRAY>());
            assert!(Cell::float(number.into()).is_none_or(|cell| !cell.is_from::<STR, BYTE_ARRAY>()));
        }
    }

    #[test]
    fn the_fingerprint_holds_length_first_and_last_byte() {
        let fingerprint = |bytes: &[u8]| Cell::text(Tag::Str, 9, bytes).fingerprint();
        assert_ne!(fingerprint(b"ab"), fingerprint(b"ac"));
        assert_ne!(fingerprint(b"ab"), fingerprint(b"bb"));
        assert_ne!(fingerprint(b"ab"), fingerprint(b"aab"));
        assert_eq!(fingerprint(b"axb"), fingerprint(b"ayb"));
    }
}
