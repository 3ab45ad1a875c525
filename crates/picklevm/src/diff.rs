//! What differs between two values, by path.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::graph::{Cell, Kind, Value, is_compound, qualified_name, same_graph};
use crate::path::{Part, Path, Step, attribute_step, entries, object_items};
use crate::python::Class;
use crate::typed::InstanceView;

/// One difference between two values: returned by [`diff`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Difference<'a, 'b> {
    /// Where it is: in the second value if something was added, else in the first.
    pub path: Path,
    /// What differs.
    pub kind: DifferenceKind<'a, 'b>,
}

/// What differs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum DifferenceKind<'a, 'b> {
    /// Another value.
    Changed(Value<'a>, Value<'b>),
    /// An item, key, member or attribute that only the first value has.
    Removed(Value<'a>),
    /// One that only the second value has.
    Added(Value<'b>),
    /// The values are equal, but only one side has the same value in another place too.
    Sharing(Value<'a>, Value<'b>),
}

/// Compares two values, and returns what differs, by path.
///
/// Types count: `1`, `1.0` and `True` differ, and so do text and 8-bit strings of Python 2, except as keys. How a pickle makes an object does
/// not count where Python loads the same: another protocol is no difference. Nor is the order of dicts and sets. Which values
/// are the same value counts.
///
/// Items of lists that were inserted or removed are found if the items before and after them are the same.
///
/// ```
/// let old = picklevm::value!({"a": 1, "b": [1, 2, 3], "c": null});
/// let new = picklevm::value!({"a": 1, "b": [1, 3], "d": null});
/// let found = picklevm::diff(old.root(), new.root());
/// let paths: Vec<_> = found.iter().map(|difference| difference.path.to_string()).collect();
/// assert_eq!(paths, ["['c']", "['d']", "['b'][1]"]);
/// ```
pub fn diff<'a, 'b>(old: Value<'a>, new: Value<'b>) -> Vec<Difference<'a, 'b>> {
    let mut differ = Differ::default();
    differ.todo.push((old, new, NONE));
    while let Some((old, new, place)) = differ.todo.pop() {
        let before = differ.todo.len();
        differ.compare(old, new, place);
        differ.todo[before..].reverse();
    }
    let Differ { found, nodes, .. } = differ;
    found.into_iter().map(|(place, kind)| Difference { path: path_of(&nodes, place), kind }).collect()
}

/// The place of the root.
const NONE: usize = usize::MAX;

/// Values that are still to be compared. Paths share their beginnings.
#[derive(Default)]
struct Differ<'a, 'b> {
    nodes: Vec<(usize, Step)>,
    todo: Vec<(Value<'a>, Value<'b>, usize)>,
    found: Vec<(usize, DifferenceKind<'a, 'b>)>,
    compared: HashSet<(Cell, Cell), RandomState>,
    /// The value of the other side that each value was first compared with.
    of_old: HashMap<Cell, Cell, RandomState>,
    of_new: HashMap<Cell, Cell, RandomState>,
}

fn path_of(nodes: &[(usize, Step)], mut place: usize) -> Path {
    let mut steps = Vec::new();
    while let Some((parent, step)) = nodes.get(place) {
        steps.push(step.clone());
        place = *parent;
    }
    steps.reverse();
    steps.into()
}

impl<'a, 'b> Differ<'a, 'b> {
    fn at(&mut self, place: usize, step: Step) -> usize {
        self.nodes.push((place, step));
        self.nodes.len() - 1
    }

    fn push(&mut self, old: Value<'a>, new: Value<'b>, place: usize, step: impl FnOnce() -> Step) {
        // Most values are equal, and need no place.
        if !has_parts(old) && !has_parts(new) && is_same_atom(old, new) {
            return;
        }
        let place = self.at(place, step());
        self.todo.push((old, new, place));
    }

    fn report(&mut self, place: usize, kind: DifferenceKind<'a, 'b>) {
        self.found.push((place, kind));
    }

    fn removed(&mut self, place: usize, step: Step, value: Value<'a>) {
        let place = self.at(place, step);
        self.report(place, DifferenceKind::Removed(value));
    }

    fn added(&mut self, place: usize, step: Step, value: Value<'b>) {
        let place = self.at(place, step);
        self.report(place, DifferenceKind::Added(value));
    }

    fn compare(&mut self, old: Value<'a>, new: Value<'b>, place: usize) {
        if !has_parts(old) || !has_parts(new) {
            if has_parts(old) || has_parts(new) || !is_same_atom(old, new) {
                self.report(place, DifferenceKind::Changed(old, new));
            }
            return;
        }
        if !self.compared.insert((old.cell(), new.cell())) {
            return;
        }
        let first_of_old = *self.of_old.entry(old.cell()).or_insert(new.cell());
        let first_of_new = *self.of_new.entry(new.cell()).or_insert(old.cell());
        // A value that is new on both sides may still be compared with others: both of them must know each other.
        if first_of_old != new.cell() || first_of_new != old.cell() {
            self.report(place, DifferenceKind::Sharing(old, new));
        }
        match (old.kind(), new.kind()) {
            (Kind::List(olds), Kind::List(news)) | (Kind::Tuple(olds), Kind::Tuple(news)) => {
                self.compare_items(&olds.collect::<Vec<_>>(), &news.collect::<Vec<_>>(), place);
            }
            (Kind::Dict(_), Kind::Dict(_)) => {
                self.compare_entries(&old.entries().collect::<Vec<_>>(), &new.entries().collect::<Vec<_>>(), place)
            }
            (Kind::Set(_), Kind::Set(_)) | (Kind::FrozenSet(_), Kind::FrozenSet(_)) => {
                for member in old.items().filter(|member| !has_key(new, *member)) {
                    self.removed(place, Step::key(member), member);
                }
                for member in new.items().filter(|member| !has_key(old, *member)) {
                    self.added(place, Step::key(member), member);
                }
            }
            (Kind::Persistent(old), Kind::Persistent(new)) => {
                self.push(old, new, place, || Step::Name("id".to_owned()))
            }
            (Kind::Object(_), Kind::Object(_)) => self.compare_objects(old, new, place),
            _ => self.report(place, DifferenceKind::Changed(old, new)),
        }
    }

    fn compare_items(&mut self, olds: &[Value<'a>], news: &[Value<'b>], place: usize) {
        let (mut start, mut end) = (0, 0);
        if olds.len() != news.len() {
            let shorter = olds.len().min(news.len());
            let is_same = |old: &Value<'a>, new: &Value<'b>| same_graph(*old, *new);
            start = olds.iter().zip(news).take_while(|(old, new)| is_same(old, new)).count();
            let backwards = olds.iter().rev().zip(news.iter().rev()).take(shorter - start);
            end = backwards.take_while(|(old, new)| is_same(old, new)).count();
        }
        let same = olds.iter().zip(news).take(start);
        for (at, (old, new)) in same.enumerate() {
            self.push(*old, *new, place, || Step::Index(at as i64));
        }
        let (middle, new_middle) = (&olds[start..olds.len() - end], &news[start..news.len() - end]);
        for (at, (old, new)) in (start..).zip(middle.iter().zip(new_middle)) {
            self.push(*old, *new, place, || Step::Index(at as i64));
        }
        let paired = middle.len().min(new_middle.len());
        for (at, old) in (start + paired..).zip(&middle[paired..]) {
            self.removed(place, Step::Index(at as i64), *old);
        }
        for (at, new) in (start + paired..).zip(&new_middle[paired..]) {
            self.added(place, Step::Index(at as i64), *new);
        }
        let last = olds.len() - end;
        for (at, (old, new)) in (last..).zip(olds[last..].iter().zip(&news[news.len() - end..])) {
            self.push(*old, *new, place, || Step::Index(at as i64));
        }
    }

    fn compare_entries(&mut self, olds: &[(Value<'a>, Value<'a>)], news: &[(Value<'b>, Value<'b>)], place: usize) {
        let new_by_key = by_key(news);
        let old_by_key = by_key(olds);
        for (key, old) in olds {
            match find(&new_by_key, news, *key) {
                Some(new) => self.push(*old, new, place, || Step::key(*key)),
                None => self.removed(place, Step::key(*key), *old),
            }
        }
        for (key, new) in news {
            if find(&old_by_key, olds, *key).is_none() {
                self.added(place, Step::key(*key), *new);
            }
        }
    }

    fn compare_objects(&mut self, old: Value<'a>, new: Value<'b>, place: usize) {
        let (Some(old_view), Some(new_view)) = (InstanceView::of(old), InstanceView::of(new)) else { return };
        let is_value = !matches!(
            old_view.known,
            Class::Other
                | Class::OrderedDict
                | Class::DefaultDict
                | Class::Counter
                | Class::FrozenDict
                | Class::Deque
                | Class::Partial
                | Class::SimpleNamespace
                | Class::Exception
        );
        if old_view.known != new_view.known || is_value {
            // Objects of the standard library look the same in each protocol.
            if old.pretty().full().one_line().to_string() != new.pretty().full().one_line().to_string() {
                self.report(place, DifferenceKind::Changed(old, new));
            }
            return;
        }
        match (qualified_name(old_view.class()), qualified_name(new_view.class())) {
            (Some(old_name), Some(new_name)) if old_name == new_name => {}
            (None, None) => self.push(old_view.class(), new_view.class(), place, || Step::Name("class".to_owned())),
            _ => return self.report(place, DifferenceKind::Changed(old, new)),
        }
        let items = |value: Value<'a>| value.as_object().map(|object| object_items(value, object)).unwrap_or_default();
        let new_items =
            |value: Value<'b>| value.as_object().map(|object| object_items(value, object)).unwrap_or_default();
        self.compare_items(&items(old), &new_items(new), place);
        self.compare_entries(&entries(old), &entries(new), place);
        let olds: Vec<_> = old_view.attributes().collect();
        let news: Vec<_> = new_view.attributes().collect();
        let has_attributes = !olds.is_empty() || !news.is_empty();
        if has_attributes {
            let (new_names, old_names) = (by_key(&news), by_key(&olds));
            for (name, old) in &olds {
                match find(&new_names, &news, *name) {
                    Some(new) => self.push(*old, new, place, || attribute_step(*name)),
                    None => self.removed(place, attribute_step(*name), *old),
                }
            }
            for (name, new) in &news {
                if find(&old_names, &olds, *name).is_none() {
                    self.added(place, attribute_step(*name), *new);
                }
            }
        }
        match (old_view.state(), new_view.state()) {
            (Some(old), Some(new)) if !has_attributes => self.push(old, new, place, || Step::Name("state".to_owned())),
            (Some(old), None) if !has_attributes && !old.is_empty() => {
                self.removed(place, Step::Name("state".to_owned()), old);
            }
            (None, Some(new)) if !has_attributes && !new.is_empty() => {
                self.added(place, Step::Name("state".to_owned()), new);
            }
            _ => {}
        }
        if old_view.known == Class::Other || old_view.known == Class::Exception || old_view.known == Class::Partial {
            let args = self.at(place, Step::Name("args".to_owned()));
            // What is in a tuple was compared.
            if items(old).is_empty() {
                self.compare_items(&old_view.args().collect::<Vec<_>>(), &new_view.args().collect::<Vec<_>>(), args);
            }
            if let (Some(old), Some(new)) = (Part::Kwargs.of(old), Part::Kwargs.of(new)) {
                self.push(old, new, place, || Step::Name("kwargs".to_owned()));
            }
        }
    }
}

/// Whether a value has parts, or may change: it is compared once.
fn has_parts(value: Value<'_>) -> bool {
    is_compound(value.cell().tag())
        && !matches!(value.kind(), Kind::ByteArray(_))
        && !value.as_tuple().is_some_and(|items| items.is_empty())
}

/// Whether two values without parts are equal, type included.
fn is_same_atom(old: Value<'_>, new: Value<'_>) -> bool {
    match (old.kind(), new.kind()) {
        (Kind::Global(_), Kind::Global(_)) => qualified_name(old) == qualified_name(new),
        (Kind::NativeObject(_), _) | (_, Kind::NativeObject(_)) => false,
        _ => same_graph(old, new),
    }
}

/// A key as it is looked up: keys of other graphs hash alike, but instances do not.
type Keys = HashMap<String, usize, RandomState>;

fn key_name(key: Value<'_>) -> String {
    match key.kind() {
        Kind::Str(text) => format!("s{text}"),
        Kind::ByteStr(bytes) => format!("s{}", String::from_utf8_lossy(bytes)),
        _ => crate::path::key_text(key),
    }
}

fn by_key(pairs: &[(Value<'_>, Value<'_>)]) -> Keys {
    pairs.iter().enumerate().map(|(at, (key, _))| (key_name(*key), at)).collect()
}

fn find<'v>(keys: &Keys, pairs: &[(Value<'v>, Value<'v>)], key: Value<'_>) -> Option<Value<'v>> {
    keys.get(&key_name(key)).map(|at| pairs[*at].1)
}

/// Whether a set has a member; instances are compared by what they are made of.
fn has_key(set: Value<'_>, member: Value<'_>) -> bool {
    let is_atom = !has_parts(member);
    if is_atom { set.contains(member) } else { set.items().any(|other| same_graph(other, member)) }
}
