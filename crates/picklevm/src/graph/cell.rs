//! The eight-byte cell: one value, or the kind and id of the node that holds it.
//!
//! ```text
//! bit  63                              32 31            8 7    3 2 0
//!     [ integer of 61 bits, signed                             |000]
//!     [ float with an exponent of -127 to 128, rotated         |001]
//!     [ id of the node                   |fingerprint   |kind  |010]
//! ```
//!
//! Small integers, ordinary floats, `None`, the booleans, the empty tuple and zero live in the cell itself.
//! Everything else is an index into the arena of its kind. The fingerprint of a text (its length up to 255, first and
//! last byte) lets most comparisons of keys end without touching memory.

use std::fmt;

/// Payloads of at least this many bytes are long: their fingerprints do not tell their lengths apart, and what is known
/// of them as keys is kept.
pub(crate) const LONG: usize = 255;

/// A value in eight bytes; see the module's documentation for the layout.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Cell(u64);

const TAG_BITS: u32 = 3;
const TAG_MASK: u64 = 7;
const TAG_INT: u64 = 0;
const TAG_FLOAT: u64 = 1;
const TAG_NODE: u64 = 2;

/// What a cell holds: the low byte of a node's cell, or one of the two inline numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Tag {
    /// An integer of at most 61 bits, inline.
    Int,
    /// A float whose exponent is small enough, inline.
    Float,
    /// No value: a hole in the memo.
    Hole,
    None,
    True,
    False,
    /// The empty tuple, which Python has only once.
    EmptyTuple,
    /// The float 0.0, whose exponent does not fit inline.
    ZeroFloat,
    /// Any other float, by index.
    WideFloat,
    Complex,
    /// An integer of more than 61 bits, or a `long` of Python 2: a span of little-endian two's complement, of eight bytes
    /// at least. The first of those with a payload.
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

/// The tag of a node cell, by the number that is stored in bits 3 to 7.
// No table: a `match` on the tag is then one jump by the number itself.
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

/// The mark of a short `long`, where the fingerprint of others has their length, which is eight at least.
const SHORT_LONG: u64 = 1 << 8;

/// Floats are inline when the four high bits of their exponent are 0111 or 1000.
const FLOAT_BIAS: u64 = 0x7000_0000_0000_0000;

impl Cell {
    pub(crate) const HOLE: Cell = Cell(low_byte(Tag::Hole));
    pub(crate) const NONE: Cell = Cell(low_byte(Tag::None));
    pub(crate) const TRUE: Cell = Cell(low_byte(Tag::True));
    pub(crate) const FALSE: Cell = Cell(low_byte(Tag::False));
    pub(crate) const EMPTY_TUPLE: Cell = Cell(low_byte(Tag::EmptyTuple));
    const ZERO_FLOAT: Cell = Cell(low_byte(Tag::ZeroFloat));

    /// The integers that fit inline.
    #[cfg(test)]
    pub(crate) const INT_RANGE: std::ops::RangeInclusive<i64> = -(1 << 60)..=(1 << 60) - 1;

    /// An integer that is known to fit 61 bits, such as any of 32.
    #[inline(always)]
    pub(crate) const fn small_int(value: i32) -> Cell {
        Cell(((value as i64) << TAG_BITS) as u64)
    }

    /// An integer, if it fits inline.
    #[inline(always)]
    pub(crate) const fn int(value: i64) -> Option<Cell> {
        let shifted = value << TAG_BITS;
        if shifted >> TAG_BITS == value { Some(Cell(shifted as u64)) } else { None }
    }

    #[inline(always)]
    pub(crate) const fn bool(value: bool) -> Cell {
        if value { Cell::TRUE } else { Cell::FALSE }
    }

    /// A float, if it fits inline.
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

    /// The cell of node `id` of an arena.
    #[inline(always)]
    pub(crate) const fn node(tag: Tag, id: u32) -> Cell {
        Cell(low_byte(tag) | (id as u64) << 32)
    }

    /// The cell of an integer node that is a `long` of Python 2, though 64 bits hold it: its span has eight bytes.
    #[inline(always)]
    pub(crate) const fn short_long(id: u32) -> Cell {
        Cell(Cell::node(Tag::BigInt, id).0 | SHORT_LONG)
    }

    /// Whether an integer node is a `long` of Python 2 that 64 bits hold.
    #[inline(always)]
    pub(crate) const fn is_short_long(self) -> bool {
        self.0 & (0xff << 8 | 0xff) == low_byte(Tag::BigInt) | SHORT_LONG
    }

    /// The cell of a text or bytes node, with its fingerprint.
    #[inline(always)]
    pub(crate) fn text(tag: Tag, id: u32, bytes: &[u8]) -> Cell {
        let print = match (bytes.first(), bytes.last()) {
            (Some(first), Some(last)) => {
                (bytes.len().min(LONG) as u64) << 8 | (*first as u64) << 16 | (*last as u64) << 24
            }
            _ => 0,
        };
        Cell(low_byte(tag) | print | (id as u64) << 32)
    }

    /// The cell of a node that has a payload: with its fingerprint, but for bytearrays, whose contents change.
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
        // The number of the tag lies above three bits, which are the same for all nodes.
        let above_first = (self.0 as u8).wrapping_sub(((FIRST - Tag::Hole as u8) << TAG_BITS) | TAG_NODE as u8);
        above_first.rotate_right(TAG_BITS) <= LAST - FIRST
    }

    /// What a node's cell is put together from again by [`Cell::node`], and an extension code; of other cells any number.
    /// Nothing is indexed by it: the arenas take cells, and look at their tags.
    #[inline(always)]
    pub(crate) const fn high(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Whether a text or bytes node has a long payload.
    #[inline(always)]
    pub(crate) const fn is_long(self) -> bool {
        self.0 >> 8 & 0xff == LONG as u64
    }

    /// Kind and fingerprint: texts that differ here differ.
    #[inline(always)]
    pub(crate) const fn print(self) -> u32 {
        self.0 as u32
    }

    /// The bits, for hashing by identity.
    #[inline(always)]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// The inline integer; meaningless for another tag.
    #[inline(always)]
    pub(crate) const fn as_int(self) -> i64 {
        self.0 as i64 >> TAG_BITS
    }

    /// The first four cells of a slice as integers, if each is one from 0 to 255.
    #[inline(always)]
    pub(crate) fn four_bytes(cells: &[Cell]) -> Option<[u8; 4]> {
        let four: &[Cell; 4] = cells.first_chunk()?;
        let all = four[0].0 | four[1].0 | four[2].0 | four[3].0;
        (all & !(0xff << TAG_BITS) == 0).then(|| four.map(|cell| (cell.0 >> TAG_BITS) as u8))
    }

    /// The inline float; meaningless for another tag.
    #[inline(always)]
    pub(crate) const fn as_float(self) -> f64 {
        f64::from_bits((self.0 >> TAG_BITS).wrapping_add(FLOAT_BIAS).rotate_right(1))
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
    fn the_fingerprint_tells_length_first_and_last_byte() {
        let print = |bytes: &[u8]| Cell::text(Tag::Str, 9, bytes).print();
        assert_ne!(print(b"ab"), print(b"ac"));
        assert_ne!(print(b"ab"), print(b"bb"));
        assert_ne!(print(b"ab"), print(b"aab"));
        assert_eq!(print(b"axb"), print(b"ayb"));
    }
}
