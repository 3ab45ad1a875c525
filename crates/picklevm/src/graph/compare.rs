//! Equality of values (Python's `==`, or with instances by their contents) and of graphs (shape, sharing and cycles).
//!
//! There is no recursion. Compound values that were compared are joined in equivalence classes, so that shared values
//! are compared once and cycles end.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::arena::Arena;
use super::cell::{Cell, LONG_PAYLOAD, Tag};
use super::object::OpKind;
use super::value::Value;

/// Python's `==` on plain data, a `frozendict` of CPython 3.15 included; other objects and persistent references are
/// equal only to themselves.
impl PartialEq for Value<'_> {
    fn eq(&self, other: &Value<'_>) -> bool {
        equal((self.arena(), self.cell()), (other.arena(), other.cell()))
    }
}

/// Equivalence classes of nodes that are assumed equal (union-find). The flag distinguishes the two graphs.
#[derive(Default)]
struct Classes {
    parent: HashMap<(bool, Cell), (bool, Cell), RandomState>,
}

impl Classes {
    fn find(&mut self, mut node: (bool, Cell)) -> (bool, Cell) {
        while let Some(&parent) = self.parent.get(&node) {
            if let Some(&above) = self.parent.get(&parent) {
                self.parent.insert(node, above);
            }
            node = parent;
        }
        node
    }

    /// Joins two classes. Returns whether they were different.
    fn join(&mut self, a: (bool, Cell), b: (bool, Cell)) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        if a != b {
            self.parent.insert(a, b);
        }
        a != b
    }
}

/// Returns one tag for all types of values that can be equal to each other.
fn family(tag: Tag) -> Tag {
    match tag {
        Tag::EmptyTuple => Tag::Tuple,
        Tag::FrozenSet => Tag::Set,
        Tag::ByteArray => Tag::Bytes,
        Tag::True | Tag::False | Tag::Float | Tag::ZeroFloat | Tag::WideFloat | Tag::BigInt | Tag::Complex => Tag::Int,
        tag => tag,
    }
}

/// Python's `==` of two values of one or two arenas.
pub(crate) fn equal((left, a): (&Arena, Cell), (right, b): (&Arena, Cell)) -> bool {
    all_equal(left, right, vec![(a, b)])
}

/// Whether Python's `==` holds for every pair. Shared values are compared once.
pub(crate) fn all_equal(left: &Arena, right: &Arena, work: Vec<(Cell, Cell)>) -> bool {
    pairs_equal(left, right, work, Instances::ByIdentity)
}

/// Returns whether two values have the same contents: Python's `==` on plain data, and instances that were made in the same
/// way of arguments, states and items with the same contents.
///
/// Values that hold themselves are compared too. A NaN equals only itself. Persistent references are compared by their ids,
/// out-of-band buffers of two graphs by their bytes, where both have them. Keys of dicts and members of sets are found
/// wherever they stand, but those that differ only in the instances in them are compared in the order of the two containers.
///
/// ```
/// let price = picklevm::loads(b"cdecimal\nDecimal\n(S'9.99'\ntR.")?;
/// let other = picklevm::loads(b"cdecimal\nDecimal\n(S'9.99'\ntR.")?;
/// assert!(picklevm::same_contents(price.root(), other.root()));
/// assert!(price.root() != other.root(), "Python's `==` would ask the class");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn same_contents(a: Value<'_>, b: Value<'_>) -> bool {
    pairs_equal(a.arena(), b.arena(), vec![(a.cell(), b.cell())], Instances::ByContents)
}

/// What makes two instances, persistent references or buffers equal.
#[derive(Clone, Copy, PartialEq)]
enum Instances {
    /// That they are the same, as keys are compared.
    ByIdentity,
    /// What they are made of.
    ByContents,
}

fn pairs_equal(left: &Arena, right: &Arena, mut work: Vec<(Cell, Cell)>, instances: Instances) -> bool {
    let by_contents = instances == Instances::ByContents;
    let is_other_graph = !std::ptr::eq(left, right);
    let mut classes = Classes::default();
    while let Some((a, b)) = work.pop() {
        if a == b && (!is_other_graph || a.is(Tag::Int) || a.is(Tag::Float)) {
            continue;
        }
        if let Some((dict, other)) = left.mapping(a).zip(right.mapping(b)) {
            let (rows, others) = (left.items(dict), right.items(other));
            if rows.len() != others.len() || !by_contents && hashes_differ((left, a), (right, b)) {
                return false;
            }
            if classes.join((false, dict), (is_other_graph, other)) {
                for (row, other) in by_hash(left, rows, 2, instances).zip(by_hash(right, others, 2, instances)) {
                    work.extend(rows[row..row + 2].iter().copied().zip(others[other..other + 2].iter().copied()));
                }
            }
            continue;
        }
        if family(a.tag()) != family(b.tag()) {
            return false;
        }
        if has_long_payload(left, a) && has_long_payload(right, b) && !classes.join((false, a), (is_other_graph, b)) {
            continue;
        }
        let same = match family(a.tag()) {
            Tag::Int => left.number(a).zip(right.number(b)).is_some_and(|(a, b)| a.equals(&b)),
            Tag::Str | Tag::Bytes | Tag::ByteStr => {
                let may_differ =
                    a.is(Tag::ByteArray) || b.is(Tag::ByteArray) || a.fingerprint() >> 8 == b.fingerprint() >> 8;
                may_differ && left.payload(a) == right.payload(b)
            }
            Tag::List | Tag::Tuple | Tag::Set => {
                let (items, others) = (left.items(a), right.items(b));
                if items.len() != others.len() || !by_contents && hashes_differ((left, a), (right, b)) {
                    return false;
                }
                if items.is_empty() || !classes.join((false, a), (is_other_graph, b)) {
                    continue;
                }
                match family(a.tag()) {
                    Tag::Set => {
                        let pairs = by_hash(left, items, 1, instances).zip(by_hash(right, others, 1, instances));
                        work.extend(pairs.map(|(item, other)| (items[item], others[other])));
                    }
                    _ => work.extend(items.iter().copied().zip(others.iter().copied())),
                }
                true
            }
            Tag::Global => {
                let (a, b) = (left.globals[a], right.globals[b]);
                left.payload(a.module) == right.payload(b.module) && left.payload(a.name) == right.payload(b.name)
            }
            Tag::None | Tag::Ext => a == b,
            Tag::NativeObject => natives_equal((left, a), (right, b)),
            Tag::Object if by_contents => {
                if classes.join((false, a), (is_other_graph, b)) {
                    if !same_atom(left, a, right, b) {
                        return false;
                    }
                    let first = work.len();
                    left.each_child(a, |child| work.push((child, child)));
                    let mut at = first;
                    right.each_child(b, |child| {
                        if let Some(pair) = work.get_mut(at) {
                            pair.1 = child;
                        }
                        at += 1;
                    });
                    if at != work.len() {
                        return false;
                    }
                }
                true
            }
            Tag::Persistent if by_contents => {
                work.push((left.persistents[a], right.persistents[b]));
                true
            }
            Tag::Buffer if by_contents => {
                let (x, y) = (&left.buffers[a], &right.buffers[b]);
                let is_one = !is_other_graph && (x.index, x.readonly) == (y.index, y.readonly);
                is_one || x.data.as_ref().zip(y.data.as_ref()).is_some_and(|(x, y)| x == y)
            }
            _ => !is_other_graph && a == b,
        };
        if !same {
            return false;
        }
    }
    true
}

/// Whether comparing a value takes so long that the result is cached.
fn has_long_payload(arena: &Arena, cell: Cell) -> bool {
    match cell.tag() {
        Tag::Str | Tag::Bytes | Tag::ByteStr => cell.is_long(),
        Tag::ByteArray | Tag::BigInt => arena.payload(cell).len() >= LONG_PAYLOAD,
        Tag::Global => {
            let global = arena.globals[cell];
            global.module.is_long() || global.name.is_long()
        }
        _ => false,
    }
}

/// Whether two keys have hashes that tell them apart.
fn hashes_differ((left, a): (&Arena, Cell), (right, b): (&Arena, Cell)) -> bool {
    left.known_hash(a).zip(right.known_hash(b)).is_some_and(|(a, b)| a != b)
}

/// Returns the positions of the rows of a dict or set, sorted by the hash of their keys: equal keys have equal hashes. Rows with the
/// same hash keep their order.
fn by_hash(arena: &Arena, items: &[Cell], stride: usize, instances: Instances) -> impl Iterator<Item = usize> + use<> {
    let hash = |key| match instances {
        Instances::ByIdentity => arena.known_hash(key),
        Instances::ByContents => arena.contents_hash(key),
    };
    let mut rows: Vec<_> = (0..items.len()).step_by(stride).map(|at| (hash(items[at]), at)).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, at)| at)
}

/// Returns whether two values have the same graph: the same types, contents, order and sharing.
///
/// Atoms (numbers, text, bytes, globals) are compared by content. Whether two places share one string object does not
/// matter, since Python programs cannot rely on it.
pub fn same_graph(a: Value<'_>, b: Value<'_>) -> bool {
    let (left, right) = (a.arena(), b.arena());
    let mut forth: HashMap<Cell, Cell, RandomState> = HashMap::default();
    let mut back: HashMap<Cell, Cell, RandomState> = HashMap::default();
    let mut long_atoms = Classes::default();
    let mut work = vec![(a.cell(), b.cell())];
    let mut children = [Vec::new(), Vec::new()];
    while let Some((a, b)) = work.pop() {
        if is_compound(a.tag()) {
            match (forth.insert(a, b), back.insert(b, a)) {
                (None, None) => {}
                (Some(before), Some(_)) if before == b => continue,
                _ => return false,
            }
        } else if has_long_payload(left, a) && !long_atoms.join((false, a), (true, b)) {
            continue;
        }
        if !same_atom(left, a, right, b) {
            return false;
        }
        if !is_compound(a.tag()) {
            continue;
        }
        let [mine, others] = &mut children;
        left.each_child(a, |child| mine.push(child));
        right.each_child(b, |child| others.push(child));
        if mine.len() != others.len() {
            return false;
        }
        work.extend(mine.drain(..).zip(others.drain(..)));
    }
    true
}

/// Whether values of this type have an identity that Python programs can observe.
pub(crate) fn is_compound(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::ByteArray
            | Tag::Tuple
            | Tag::List
            | Tag::Dict
            | Tag::Set
            | Tag::FrozenSet
            | Tag::Persistent
            | Tag::Object
            | Tag::NativeObject
    )
}

/// Whether two values are the same, ignoring children.
fn same_atom(left: &Arena, a: Cell, right: &Arena, b: Cell) -> bool {
    let bits = |arena: &Arena, cell| arena.float(cell).map(f64::to_bits);
    match (a.tag(), b.tag()) {
        (Tag::Object, Tag::Object) => {
            let (x, y) = (left.objects[a], right.objects[b]);
            let shape = |arena: &Arena, kind, cell| match kind {
                OpKind::Append | OpKind::SetItem | OpKind::Add => (kind, arena.items(cell).len()),
                _ => (kind, 1),
            };
            x.how == y.how
                && left.items(x.args).len() == right.items(y.args).len()
                && left
                    .object_ops(x)
                    .map(|(kind, cell)| shape(left, kind, cell))
                    .eq(right.object_ops(y).map(|(kind, cell)| shape(right, kind, cell)))
        }
        (Tag::WideFloat, Tag::WideFloat) => bits(left, a) == bits(right, b),
        (Tag::Complex, Tag::Complex) => left.complexes[a].map(f64::to_bits) == right.complexes[b].map(f64::to_bits),
        (Tag::Buffer, Tag::Buffer) => {
            let (a, b) = (&left.buffers[a], &right.buffers[b]);
            (a.index, a.readonly) == (b.index, b.readonly)
        }
        (Tag::Global, Tag::Global) => equal((left, a), (right, b)),
        (Tag::NativeObject, Tag::NativeObject) => natives_equal((left, a), (right, b)),
        // A `long` of Python 2 differs from an `int` only in its opcode.
        (Tag::Int | Tag::BigInt, Tag::Int | Tag::BigInt) => {
            left.number(a).zip(right.number(b)).is_some_and(|(a, b)| a.equals(&b))
        }
        (x, y) if x != y => false,
        (Tag::Str | Tag::Bytes | Tag::ByteStr | Tag::ByteArray, _) => left.payload(a) == right.payload(b),
        (tag, _) => is_compound(tag) || a == b,
    }
}

/// Whether two native objects are the same or equal.
pub(super) fn natives_equal(a: (&Arena, Cell), b: (&Arena, Cell)) -> bool {
    let (x, y) = (a.0.native(a.1), b.0.native(b.1));
    std::ptr::addr_eq(x, y) || x.equals(y)
}
