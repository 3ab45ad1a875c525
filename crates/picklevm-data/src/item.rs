//! The arrays, tables and tensors in a pickle, with their paths.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use bytes::Bytes;
use picklevm::typed::{DefaultDict, InstanceView, OrderedDict};
use picklevm::{Change, Id, Items, Kind, Path, Step, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::names::{Form, form};
use crate::numpy::{MaskedArray, NdArray, Scalar};
use crate::pandas::{DataFrame, Index, Series};
use crate::scipy::Sparse;
use crate::torch::Tensor;

/// Source of the data that a pickle refers to but does not contain.
pub trait Source {
    /// The bytes of a storage of a PyTorch file: the member `data/KEY` of a zip, or the raw data behind a legacy file.
    ///
    /// # Errors
    ///
    /// If there is no such storage.
    fn storage(&self, key: &str) -> Result<Bytes> {
        Err(Error::missing(format!("the storage {key:?} is in another file")))
    }

    /// How many bytes a storage has.
    ///
    /// # Errors
    ///
    /// If there is no such storage.
    fn storage_len(&self, key: &str) -> Result<u64> {
        Ok(self.storage(key)?.len() as u64)
    }

    /// The bytes of a storage in a range.
    ///
    /// # Errors
    ///
    /// If they are not all there.
    fn storage_part(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        part_of(&self.storage(key)?, range)
    }

    /// The same in pieces that follow each other, for what is too large for the memory.
    ///
    /// # Errors
    ///
    /// If they are not all there; those of `each`.
    fn storage_pieces(&self, key: &str, range: Range<u64>, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        each(&self.storage_part(key, range)?)
    }

    /// Whether numbers of storages are big-endian.
    fn is_big_endian(&self) -> bool {
        false
    }

    /// The bytes of a file beside this one: old versions of joblib have one for each array.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn companion(&self, name: &str) -> Result<Bytes> {
        Err(Error::missing(format!("the file {name:?} beside this one")))
    }
}

/// The bytes of a storage in a range.
pub(crate) fn part_of(storage: &Bytes, range: Range<u64>) -> Result<Bytes> {
    let at = |at: u64| usize::try_from(at).ok().filter(|at| *at <= storage.len());
    match (at(range.start), at(range.end)) {
        (Some(start), Some(end)) if start <= end => Ok(storage.slice(start..end)),
        _ => Err(too_short(storage.len() as u64, range)),
    }
}

#[cold]
pub(crate) fn too_short(len: u64, range: Range<u64>) -> Error {
    Error::malformed(format!("it has {len} bytes, expected {}", range.end))
}

/// A pickle that holds all its data.
#[derive(Clone, Copy, Debug, Default)]
pub struct SelfContained;

impl Source for SelfContained {}

/// An array, a table or a tensor.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Item<'g> {
    /// An array of NumPy.
    Array(NdArray<'g>),
    /// A scalar of NumPy.
    Scalar(Scalar<'g>),
    /// A masked array of NumPy.
    Masked(MaskedArray<'g>),
    /// A sparse matrix of SciPy or PyTorch.
    Sparse(Sparse<'g>),
    /// A frame of pandas, a table of Arrow or Polars.
    Table(DataFrame<'g>),
    /// A series of pandas, an array of Arrow.
    Series(Series<'g>),
    /// An index of pandas.
    Index(Index<'g>),
    /// A tensor of PyTorch.
    Tensor(Tensor<'g>),
}

impl Item<'_> {
    /// `array`, `scalar`, `masked`, `sparse`, `table`, `series`, `index` or `tensor`.
    pub fn kind(&self) -> &'static str {
        match self {
            Item::Array(_) => "array",
            Item::Scalar(_) => "scalar",
            Item::Masked(_) => "masked",
            Item::Sparse(_) => "sparse",
            Item::Table(_) => "table",
            Item::Series(_) => "series",
            Item::Index(_) => "index",
            Item::Tensor(_) => "tensor",
        }
    }
}

/// An item and where it was found.
#[derive(Debug)]
pub struct Found<'g> {
    /// Its path.
    pub path: Path,
    /// Its kind, even if it cannot be read.
    pub kind: &'static str,
    /// The item, or why it cannot be read.
    pub item: Result<Item<'g>>,
    /// The path of the same object, if it was found before.
    pub alias_of: Option<Path>,
    /// The value.
    pub id: Id,
}

/// Arrays of pandas that may lie inside each other: interval arrays of categories of indexes, and the like.
const MAX_DEPTH: u8 = 8;

/// Parts of arrays of pandas (levels, columns, ends of intervals) that may be read of a graph, and more for each value that it
/// has: a few bytes may say that very many share one.
const BASE_PARTS: u64 = 1 << 20;
const PARTS_PER_VALUE: u64 = 64;

/// A graph beside what it refers to.
#[derive(Clone)]
pub struct Reader<'g, 's> {
    root: Value<'g>,
    source: &'s dyn Source,
    roots: Option<Items<'g>>,
    /// How many levels of arrays inside each other may still be read: an index may be its own data.
    depth: u8,
    /// How many parts of arrays may still be read.
    parts: Rc<Cell<u64>>,
}

impl<'g, 's> Reader<'g, 's> {
    /// Reads a value and what it reaches.
    pub fn new(root: Value<'g>, source: &'s dyn Source) -> Reader<'g, 's> {
        Reader { root, source, roots: None, depth: MAX_DEPTH, parts: Rc::new(Cell::new(BASE_PARTS)) }
    }

    /// Says which roots the graph has: among them arrays of objects that joblib wrote; see
    /// [`with_arrays`](crate::with_arrays).
    #[must_use]
    pub fn with_roots(self, roots: Items<'g>) -> Reader<'g, 's> {
        Reader { roots: Some(roots), ..self }
    }

    /// The reader for what an array of pandas is made of.
    pub(crate) fn one_level_down(&self) -> Result<Reader<'g, 's>> {
        let too_deep = || Error::malformed("arrays nested more than eight deep");
        self.count_parts(1)?;
        Ok(Reader { depth: self.depth.checked_sub(1).ok_or_else(too_deep)?, ..self.clone() })
    }

    /// Counts parts of arrays that are read.
    pub(crate) fn count_parts(&self, count: usize) -> Result<()> {
        let left = self.parts.get().checked_sub(count as u64);
        let too_often = || Error::new(ErrorKind::Limit, "parts of arrays that are shared too often");
        self.parts.set(left.ok_or_else(too_often)?);
        Ok(())
    }

    /// A root of the graph.
    pub(crate) fn root_at(&self, at: usize) -> Option<Value<'g>> {
        self.roots?.get(at)
    }

    /// The value that is read.
    pub fn root(&self) -> Value<'g> {
        self.root
    }

    /// Returns the source of the data that the pickle refers to.
    pub fn source(&self) -> &'s dyn Source {
        self.source
    }

    /// Returns the kind of a value, and the item or why it cannot be read. `None` if it is not an item.
    pub fn item(&self, value: Value<'g>) -> Option<(&'static str, Result<Item<'g>>)> {
        let form = match value.kind() {
            Kind::Object(_) => form(value),
            // A storage of PyTorch by itself.
            Kind::Persistent(id) if id.items().get(0).is_some_and(|first| crate::numpy_text(first) == "storage") => {
                return Some(("tensor", crate::torch::tensor(value, self).map(Item::Tensor)));
            }
            _ => return None,
        };
        Some(match form {
            Some(Form::Reconstruct | Form::FromBuffer) => ("array", NdArray::from_value(value).map(Item::Array)),
            Some(Form::JoblibArray | Form::JoblibOld | Form::JoblibCompressed) => {
                ("array", crate::joblib::array(value, self).map(Item::Array))
            }
            Some(Form::Scalar) => ("scalar", Scalar::from_value(value).map(Item::Scalar)),
            Some(Form::MaskedReconstruct | Form::MaskedConstant) => {
                ("masked", MaskedArray::from_value(value).map(Item::Masked))
            }
            Some(Form::Sparse) => ("sparse", Sparse::from_value(value, self).map(Item::Sparse)),
            Some(Form::SparseTensor | Form::SparseCsr) => {
                ("sparse", crate::torch::sparse(value, self).map(Item::Sparse))
            }
            _ => {
                return self.tensor(value, form).or_else(|| self.table(value, form));
            }
        })
    }

    fn tensor(&self, value: Value<'g>, form: Option<Form>) -> Option<(&'static str, Result<Item<'g>>)> {
        let form = form?;
        if !crate::torch::is_tensor(value, form) {
            return None;
        }
        Some(match crate::torch::tensor(value, self) {
            Ok(tensor) => ("tensor", Ok(Item::Tensor(tensor))),
            Err(error) => ("tensor", Err(error)),
        })
    }

    fn table(&self, value: Value<'g>, form: Option<Form>) -> Option<(&'static str, Result<Item<'g>>)> {
        Some(match crate::pandas::container(value, form)? {
            crate::pandas::Container::Frame => ("table", DataFrame::read(value, self).map(Item::Table)),
            crate::pandas::Container::Series => ("series", Series::read(value, self).map(Item::Series)),
            crate::pandas::Container::Index => ("index", Index::read(value, self).map(Item::Index)),
        })
    }

    /// Returns every array, table and tensor, in the order of the pickle. Containers that several places share are looked into
    /// once.
    pub fn find(&self) -> Vec<Found<'g>> {
        let mut walk = Walk { nodes: Vec::new(), todo: vec![(self.root, NONE)], seen: HashSet::new() };
        let mut items: HashMap<Id, Path> = HashMap::new();
        let mut found = Vec::new();
        while let Some((value, node)) = walk.todo.pop() {
            self.parts.set(self.parts.get().saturating_add(PARTS_PER_VALUE));
            if let Some((kind, item)) = self.item(value) {
                let path = walk.path(node);
                let alias_of = if kind == "scalar" { None } else { items.get(&value.id()).cloned() };
                let first = alias_of.is_none();
                if first {
                    items.insert(value.id(), path.clone());
                }
                // The elements of an array of objects may be arrays.
                if let (true, Ok(Item::Array(array))) = (first, &item) {
                    walk.push_elements(array, node);
                }
                found.push(Found { path, kind, item, alias_of, id: value.id() });
            } else if walk.seen.insert(value.id()) {
                walk.push_children(value, node);
            }
        }
        found
    }

    /// The value at a path that [`find`](Reader::find) returns, or at any other [`Path`]: `['model'][0].weight`.
    pub fn at(&self, path: &str) -> Option<Value<'g>> {
        let path = Path::parse(path).ok()?;
        if let Some(value) = path.get(self.root) {
            return Some(value);
        }
        // Elements of arrays of objects are known here alone.
        let path = &*path.to_string();
        let mut walk = Walk { nodes: Vec::new(), todo: vec![(self.root, NONE)], seen: HashSet::new() };
        while let Some((value, node)) = walk.todo.pop() {
            let here = walk.path(node).to_string();
            if here == path {
                return Some(value);
            }
            // Only what the path begins with is looked into.
            if !path.starts_with(&here) || !walk.seen.insert(value.id()) {
                continue;
            }
            let before = walk.todo.len();
            walk.push_children(value, node);
            if let Some((_, Ok(Item::Array(array)))) = self.item(value) {
                walk.push_elements(&array, node);
            }
            let mut kept: Vec<_> = walk.todo.split_off(before);
            kept.retain(|(_, node)| path.starts_with(&walk.path(*node).to_string()));
            walk.todo.extend(kept);
        }
        None
    }
}

/// The value that is read.
impl std::fmt::Debug for Reader<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("root", &self.root).finish_non_exhaustive()
    }
}

const NONE: usize = usize::MAX;

/// Values still to be looked at. Paths share their beginnings, so that deep data take no more than their size.
struct Walk<'g> {
    nodes: Vec<(usize, Step)>,
    todo: Vec<(Value<'g>, usize)>,
    seen: HashSet<Id>,
}

impl<'g> Walk<'g> {
    fn path(&self, mut node: usize) -> Path {
        let mut steps = Vec::new();
        while let Some((parent, step)) = self.nodes.get(node) {
            steps.push(step.clone());
            node = *parent;
        }
        steps.reverse();
        steps.into()
    }

    fn push(&mut self, value: Value<'g>, parent: usize, step: impl FnOnce() -> Step) {
        if is_compound(value) {
            self.nodes.push((parent, step()));
            self.todo.push((value, self.nodes.len() - 1));
        }
    }

    /// Pushes an argument of a call: `.args[0]`.
    fn push_argument(&mut self, value: Value<'g>, parent: usize, at: usize) {
        if is_compound(value) {
            self.nodes.push((parent, Step::Name("args".to_owned())));
            let args = self.nodes.len() - 1;
            self.push(value, args, || Step::Index(at as i64));
        }
    }

    fn push_elements(&mut self, array: &NdArray<'g>, node: usize) {
        let Some(objects) = array.objects() else { return };
        let before = self.todo.len();
        for (at, value) in objects.enumerate() {
            self.push(value, node, || {
                let mut index = vec![0; array.shape().len()];
                let mut left = at;
                for (axis, len) in array.shape().iter().enumerate().rev() {
                    (index[axis], left) = (left % len, left / len);
                }
                match index[..] {
                    [only] => Step::Index(only as i64),
                    [] => Step::Key("()".to_owned()),
                    _ => Step::Key(index.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
                }
            });
        }
        self.todo[before..].reverse();
    }

    fn push_children(&mut self, value: Value<'g>, node: usize) {
        let before = self.todo.len();
        match value.kind() {
            Kind::List(items) | Kind::Tuple(items) => {
                for (at, item) in items.enumerate() {
                    self.push(item, node, || Step::Index(at as i64));
                }
            }
            Kind::Dict(dict) => {
                for (key, value) in dict.entries() {
                    self.push(value, node, || Step::key(key));
                }
            }
            Kind::Object(_) => self.push_object(value, node),
            _ => {}
        }
        self.todo[before..].reverse();
    }

    fn push_object(&mut self, value: Value<'g>, node: usize) {
        if let Ok(ordered) = value.view::<OrderedDict<'_>>() {
            for (key, value) in ordered.entries() {
                self.push(value, node, || Step::key(key));
            }
            return;
        }
        if let Ok(dict) = value.view::<DefaultDict<'_>>() {
            for (key, value) in dict.entries() {
                self.push(value, node, || Step::key(key));
            }
            return;
        }
        let Ok(instance) = value.view::<InstanceView<'_>>() else { return self.push_changes(value, node) };
        for (at, item) in instance.items().enumerate() {
            self.push(item, node, || Step::Index(at as i64));
        }
        for (key, value) in instance.entries() {
            self.push(value, node, || Step::key(key));
        }
        for (at, arg) in instance.args().enumerate() {
            // What `cls.__new__` is given is the content of a tuple; what a function is given has no short path.
            match instance.is_called() {
                false => self.push(arg, node, || Step::Index(at as i64)),
                true => self.push_argument(arg, node, at),
            }
        }
        let mut has_attributes = false;
        for (name, value) in instance.attributes() {
            has_attributes = true;
            self.push(value, node, || match name.as_str() {
                Some(name) => Step::Name(name.to_owned()),
                None => Step::Name(name.as_bytes().map_or_else(|| crate::key::repr(name), crate::key::text_of_bytes)),
            });
        }
        if let (false, Some(state)) = (has_attributes, instance.state()) {
            self.push(state, node, || Step::Name("state".to_owned()));
        }
    }

    /// What happened to an object that an instance could not tell: several states, calls for their effect.
    fn push_changes(&mut self, value: Value<'g>, node: usize) {
        for change in value.as_object().into_iter().flat_map(|object| object.changes()) {
            match change {
                Change::Build(state) => {
                    for (name, value) in state.entries() {
                        self.push(value, node, || Step::Name(crate::numpy_text(name)));
                    }
                }
                Change::SetItem(pairs) => {
                    for (key, value) in pairs {
                        self.push(value, node, || Step::key(key));
                    }
                }
                Change::Append(items) | Change::Add(items) => {
                    for (at, item) in items.enumerate() {
                        self.push(item, node, || Step::Index(at as i64));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether a value may hold others.
fn is_compound(value: Value<'_>) -> bool {
    matches!(value.kind(), Kind::List(_) | Kind::Tuple(_) | Kind::Dict(_) | Kind::Object(_) | Kind::Persistent(_))
}
