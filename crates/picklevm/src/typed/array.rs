//! `array.array`.
//!
//! Below protocol 3 an array is pickled as a list of its items; from protocol 3 on as its memory, with a code for the
//! machine format (`_array_reconstructor` in CPython's `arraymodule.c`).

use super::Reduce;
use super::builtins::octets;
use super::iterables::{Detached, Elements, MAX_CALLS};
use super::reduce_helpers::typed;
use super::signature::{Signature, index, real};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::InstanceView;
use crate::graph::{Arena, Cell, Graph, Id, Items, Kind, Value};
use crate::protocol::Protocol;
use crate::python::Class;

/// View of an `array.array`: numbers or characters of one type.
///
/// ```
/// use picklevm::typed::{Array, ArrayItems};
///
/// // Two's complement, 16 bits, big endian.
/// let graph = picklevm::loads(b"\x80\x03carray\n_array_reconstructor\n(carray\narray\nX\x01\0\0\0hK\x05C\x04\0\x01\xff\xfetR.")?;
/// let array: Array = graph.root().view()?;
/// assert_eq!(array.typecode(), 'h');
/// assert_eq!(array.items(), &ArrayItems::Int(vec![1, -2]));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    typecode: char,
    items: ArrayItems,
}

/// The items of an [`Array`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ArrayItems {
    /// Type codes `b`, `h`, `i`, `l` and `q`.
    Int(Vec<i64>),
    /// Type codes `B`, `H`, `I`, `L` and `Q`.
    UInt(Vec<u64>),
    /// Type codes `f` and `d`; the items of `f` have 32 bits in Python.
    Float(Vec<f64>),
    /// Type codes `u` and `w`, and Python 2's `c`, with each byte as a character.
    Text(String),
}

impl ArrayItems {
    /// Returns the number of items.
    pub fn len(&self) -> usize {
        match self {
            ArrayItems::Int(items) => items.len(),
            ArrayItems::UInt(items) => items.len(),
            ArrayItems::Float(items) => items.len(),
            ArrayItems::Text(text) => text.chars().count(),
        }
    }

    /// Returns whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Memory layout of an item: its type and width in bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Int(usize),
    UInt(usize),
    Float(usize),
    Text(usize),
}

impl Layout {
    /// Layouts in the order of `enum machine_format_code`, each little endian and then big endian.
    const CODES: [Layout; 11] = [
        Layout::UInt(1),
        Layout::UInt(2),
        Layout::Int(2),
        Layout::UInt(4),
        Layout::Int(4),
        Layout::UInt(8),
        Layout::Int(8),
        Layout::Float(4),
        Layout::Float(8),
        Layout::Text(2),
        Layout::Text(4),
    ];

    /// Returns the layout of a machine format code and whether it is big endian. 0 and 1 are unsigned and signed bytes.
    fn of_code(code: i64) -> Option<(Layout, bool)> {
        match code {
            0 => Some((Layout::UInt(1), false)),
            1 => Some((Layout::Int(1), false)),
            _ => {
                let code = usize::try_from(code).ok()?;
                Some((*Layout::CODES.get(code / 2)?, code % 2 == 1))
            }
        }
    }

    /// Returns the little-endian machine format code.
    fn code(self) -> i64 {
        match self {
            Layout::Int(1) => 1,
            _ => Layout::CODES.iter().position(|layout| *layout == self).map_or(0, |at| 2 * at as i64),
        }
    }

    /// Returns the layout of a type code in 64-bit CPython on other systems than Windows.
    fn of_typecode(typecode: char) -> Option<Layout> {
        Some(match typecode {
            'b' => Layout::Int(1),
            'B' | 'c' => Layout::UInt(1),
            'h' => Layout::Int(2),
            'H' => Layout::UInt(2),
            'i' => Layout::Int(4),
            'I' => Layout::UInt(4),
            'l' | 'q' => Layout::Int(8),
            'L' | 'Q' => Layout::UInt(8),
            'f' => Layout::Float(4),
            'd' => Layout::Float(8),
            'u' | 'w' => Layout::Text(4),
            _ => return None,
        })
    }

    fn width(self) -> usize {
        match self {
            Layout::Int(width) | Layout::UInt(width) | Layout::Float(width) | Layout::Text(width) => width,
        }
    }

    /// Decodes items.
    fn read(self, bytes: &[u8], is_big: bool) -> Option<ArrayItems> {
        let width = self.width();
        if !bytes.len().is_multiple_of(width) {
            return None;
        }
        let words = bytes.chunks_exact(width).map(|word| {
            let mut wide = [0; 8];
            wide[..width].copy_from_slice(word);
            if is_big {
                wide[..width].reverse();
            }
            u64::from_le_bytes(wide)
        });
        Some(match self {
            Layout::UInt(_) => ArrayItems::UInt(words.collect()),
            Layout::Int(_) => {
                let shift = 64 - 8 * width as u32;
                ArrayItems::Int(words.map(|word| (word << shift) as i64 >> shift).collect())
            }
            Layout::Float(4) => ArrayItems::Float(words.map(|word| f32::from_bits(word as u32).into()).collect()),
            Layout::Float(_) => ArrayItems::Float(words.map(f64::from_bits).collect()),
            Layout::Text(2) => {
                let units = words.map(|word| word as u16);
                ArrayItems::Text(char::decode_utf16(units).collect::<Result<_, _>>().ok()?)
            }
            Layout::Text(_) => ArrayItems::Text(words.map(|word| char::from_u32(word as u32)).collect::<Option<_>>()?),
        })
    }
}

impl Array {
    /// Creates an array from a Python type code and matching items.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the type code is unknown or the items are of another type; [`ErrorKind::OutOfRange`] if
    /// an item does not fit.
    ///
    /// ```
    /// use picklevm::{ErrorKind, typed::{Array, ArrayItems}};
    ///
    /// assert!(Array::new('b', ArrayItems::Int(vec![-128, 127])).is_ok());
    /// let error = Array::new('b', ArrayItems::Int(vec![128])).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::OutOfRange);
    /// assert_eq!(error.to_string(), "expected an item of 8 bits, found 128");
    /// ```
    pub fn new(typecode: char, items: ArrayItems) -> Result<Array> {
        let layout = Layout::of_typecode(typecode);
        let out_of_range = match (&items, layout) {
            (ArrayItems::Int(items), Some(Layout::Int(width))) => {
                let shift = 64 - 8 * width as u32;
                items.iter().find(|item| **item << shift >> shift != **item).map(i64::to_string)
            }
            (ArrayItems::UInt(items), Some(Layout::UInt(width))) if typecode != 'c' => {
                let shift = 64 - 8 * width as u32;
                items.iter().find(|item| **item << shift >> shift != **item).map(u64::to_string)
            }
            (ArrayItems::Float(_), Some(Layout::Float(_))) | (ArrayItems::Text(_), Some(Layout::Text(_))) => None,
            (ArrayItems::Text(text), _) if typecode == 'c' => {
                text.chars().find(|c| u8::try_from(*c).is_err()).map(String::from)
            }
            _ => {
                let expected = "an array.array type code and items of that type";
                let variant = match &items {
                    ArrayItems::Int(_) => "Int",
                    ArrayItems::UInt(_) => "UInt",
                    ArrayItems::Float(_) => "Float",
                    ArrayItems::Text(_) => "Text",
                };
                return Err(Error::new(ErrorKind::Type, expected, format!("{typecode:?} and ArrayItems::{variant}")));
            }
        };
        match (out_of_range, layout) {
            (Some(item), Some(layout)) => {
                let expected = format!("an item of {} bits", 8 * layout.width());
                Err(Error::new(ErrorKind::OutOfRange, expected, item))
            }
            _ => Ok(Array { typecode, items }),
        }
    }

    /// Returns the type code, Python's name for the item type.
    pub fn typecode(&self) -> char {
        self.typecode
    }

    /// Returns the items.
    pub fn items(&self) -> &ArrayItems {
        &self.items
    }

    /// Converts the array into its items.
    pub fn into_items(self) -> ArrayItems {
        self.items
    }

    pub(crate) fn of(instance: &InstanceView<'_>) -> Option<Array> {
        Array::within(instance, MAX_CALLS)
    }

    /// The same, evaluating at most `calls` calls inside one another.
    fn within(instance: &InstanceView<'_>, calls: u8) -> Option<Array> {
        // `__reduce_ex__` returns a state of `None` for an array without attributes; the picklers write no BUILD for
        // it.
        const CALL: Signature<2> = Signature::new(["typecode", "initializer"], 1).positional_only(2);
        if let Some([typecode, items]) = instance.bind(Class::Array, &CALL) {
            let typecode = code_of(typecode?)?;
            let layout = Layout::of_typecode(typecode)?;
            let items = match items.map(|items| (items, items.kind())) {
                None => listed(layout, typecode, instance.args.from(usize::MAX))?,
                Some((_, Kind::List(items) | Kind::Tuple(items))) => listed(layout, typecode, items)?,
                Some((value, Kind::Dict(_) | Kind::Set(_) | Kind::FrozenSet(_))) => {
                    iterated(layout, typecode, Elements::of(value, calls)?, value.arena())?
                }
                Some((value, Kind::Object(_))) if octets(value).is_none() => {
                    let inner = InstanceView::of(value)?;
                    match inner.known {
                        Class::Array | Class::ArrayReconstructor => {
                            let mut graph = Graph::new();
                            let cells = Array::within(&inner, calls.checked_sub(1)?)?.cells(&mut graph);
                            listed(layout, typecode, Items::new(&graph, &cells))?
                        }
                        _ => iterated(layout, typecode, Elements::of(value, calls)?, value.arena())?,
                    }
                }
                Some((_, Kind::Str(text))) if typecode != 'c' => {
                    ArrayItems::Text(text.as_str().filter(|_| matches!(layout, Layout::Text(_)))?.to_owned())
                }
                // Native byte order: little endian on nearly all machines.
                Some((bytes, _)) if typecode != 'c' => layout.read(&octets(bytes)?, false)?,
                Some((bytes, _)) => ArrayItems::Text(octets(bytes)?.iter().map(|byte| char::from(*byte)).collect()),
            };
            return Array::new(typecode, items).ok();
        }
        let [class, typecode, format, bytes] = instance.only_args(Class::ArrayReconstructor)?.as_array()?;
        let typecode = code_of(typecode).filter(|_| Class::of(class) == Class::Array)?;
        let (layout, is_big) = Layout::of_code(format.as_i64()?)?;
        let items = layout.read(&octets(bytes)?, is_big)?;
        // The width of a type may differ on the machine that wrote it.
        Array::new(typecode, items).ok()
    }

    /// Adds the items to the arena one by one.
    fn cells(&self, arena: &mut Arena) -> Vec<Cell> {
        match &self.items {
            ArrayItems::Int(items) => items.iter().map(|item| arena.cell(*item)).collect(),
            ArrayItems::UInt(items) => items.iter().map(|item| arena.cell(*item)).collect(),
            ArrayItems::Float(items) => items.iter().map(|item| arena.cell(self.rounded(*item))).collect(),
            ArrayItems::Text(text) if self.typecode == 'c' => {
                text.chars().map(|c| arena.byte_str([c as u8]).0).collect()
            }
            ArrayItems::Text(text) => text.chars().map(|c| arena.cell(c)).collect(),
        }
    }

    /// Encodes the items in little endian.
    fn bytes(&self, layout: Layout) -> Vec<u8> {
        let words: Vec<u64> = match &self.items {
            ArrayItems::Int(items) => items.iter().map(|item| *item as u64).collect(),
            ArrayItems::UInt(items) => items.clone(),
            ArrayItems::Float(items) if layout == Layout::Float(4) => {
                items.iter().map(|item| (*item as f32).to_bits().into()).collect()
            }
            ArrayItems::Float(items) => items.iter().map(|item| item.to_bits()).collect(),
            ArrayItems::Text(text) => text.chars().map(u64::from).collect(),
        };
        words.iter().flat_map(|word| word.to_le_bytes().into_iter().take(layout.width())).collect()
    }

    fn rounded(&self, item: f64) -> f64 {
        if self.typecode == 'f' { f64::from(item as f32) } else { item }
    }
}

/// Returns a type code, which is one character.
fn code_of(typecode: Value<'_>) -> Option<char> {
    let code = super::builtins::text(typecode)?;
    let mut chars = code.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// Reads items from an iterable of values.
fn iterated(layout: Layout, typecode: char, elements: Elements<'_>, arena: &Arena) -> Option<ArrayItems> {
    let Detached::Values(cells) = elements.detach()? else { return None };
    listed(layout, typecode, Items::new(arena, &cells))
}

/// Reads items from a list.
fn listed(layout: Layout, typecode: char, mut items: Items<'_>) -> Option<ArrayItems> {
    Some(match layout {
        _ if typecode == 'c' => {
            let mut text = String::new();
            for item in items {
                let [byte] = octets(item)?.as_ref().try_into().ok()?;
                text.push(byte.into());
            }
            ArrayItems::Text(text)
        }
        Layout::Int(_) => ArrayItems::Int(items.map(index).collect::<Option<_>>()?),
        Layout::UInt(_) => ArrayItems::UInt(items.map(|item| item.as_u64()).collect::<Option<_>>()?),
        Layout::Float(_) => ArrayItems::Float(items.map(real).collect::<Option<_>>()?),
        Layout::Text(_) => {
            let is_text = items.clone().all(|item| matches!(item.kind(), Kind::Str(_)));
            let text = |text: String, item: Value<'_>| Some(text + item.as_str()?);
            ArrayItems::Text(items.try_fold(String::new(), text).filter(|_| is_text)?)
        }
    })
}

impl Reduce for &Array {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        let typecode = match self.typecode {
            'c' => arena.byte_str("c").0,
            typecode => arena.cell(typecode),
        };
        match Layout::of_typecode(self.typecode) {
            Some(layout) if protocol >= Protocol::V3 && self.typecode != 'c' => {
                let class = arena.known_global("array", "array");
                let args = [class, typecode, arena.cell(layout.code()), arena.cell(self.bytes(layout))];
                arena.known_call(["array", "_array_reconstructor"], &args)
            }
            _ => {
                let items = self.cells(arena);
                let items = arena.new_list(&items);
                arena.known_call(["array", "array"], &[typecode, items])
            }
        }
    }
}

impl Reduce for Array {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        (&self).reduce(arena, protocol)
    }
}

typed! {
    Array, "an array.array";
}
