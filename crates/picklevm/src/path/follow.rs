//! Following paths.

use super::{Part, Path, Step, key_text};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Change, Construction, Kind, Object, Value, describe};
use crate::literal;
use crate::python::Class;
use crate::typed::{Deque, InstanceView, View};

impl Path {
    /// Returns the value that the path leads to; `None` if there is none, or if the path has wildcards.
    ///
    /// ```
    /// let graph = picklevm::value!({"a b": [1, 2]});
    /// let path = picklevm::Path::parse("['a b'][-1]")?;
    /// assert_eq!(path.get(graph.root()).unwrap(), 2);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn get<'g>(&self, root: Value<'g>) -> Option<Value<'g>> {
        self.0.iter().try_fold(root, step_into)
    }

    /// Like [`get`](Path::get), with an error that says where the path ends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Missing`].
    ///
    /// ```
    /// let graph = picklevm::value!({"a": [1, 2]});
    /// let error = picklevm::Path::parse("a[5].b")?.resolve(graph.root()).unwrap_err();
    /// assert_eq!(error.to_string(), "a[5]: expected an item at this position, found a list of length 2");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn resolve<'g>(&self, root: Value<'g>) -> Result<Value<'g>> {
        let mut value = root;
        for (at, step) in self.0.iter().enumerate() {
            value = step_into(value, step).ok_or_else(|| self.missing(at, value))?;
        }
        Ok(value)
    }

    /// Returns the error for a step that leads nowhere.
    #[cold]
    pub(super) fn missing(&self, at: usize, value: Value<'_>) -> Error {
        let expected = match (&self.0[at], value.kind()) {
            (Step::Index(_), Kind::List(_) | Kind::Tuple(_)) => "an item at this position",
            (Step::Index(_) | Step::Key(_), _) => "a value with this key",
            (Step::Name(_), Kind::Object(_)) => "an attribute with this name",
            (Step::Name(_), _) => "an attribute or a key with this name",
            _ => "a part with this name",
        };
        Error::new(ErrorKind::Missing, expected, kind_text(value)).in_path(&Path(self.0[..=at].to_vec()))
    }

    /// Returns the values that a path with wildcards leads to, and the path of each.
    ///
    /// ```
    /// let graph = picklevm::value!([{"n": 1}, {"n": 2}, {}]);
    /// let found = picklevm::Path::parse("[*].n")?.find(graph.root());
    /// let found: Vec<_> = found.iter().map(|(path, value)| format!("{path} {value}")).collect();
    /// assert_eq!(found, ["[0].n 1", "[1].n 2"]);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn find<'g>(&self, root: Value<'g>) -> Vec<(Path, Value<'g>)> {
        let mut found = vec![(Path::root(), root)];
        let mut steps = self.0.iter().peekable();
        while let Some(step) = steps.next() {
            let mut next = Vec::new();
            for (path, value) in found {
                match step {
                    Step::Each => next.extend(each(value).into_iter().map(|(step, value)| (path.join(step), value))),
                    Step::Below => {
                        // The next step is taken at once: most places have no such value, and need no path.
                        let after = steps.peek().filter(|step| !matches!(step, Step::Each | Step::Below));
                        let places = value.walk();
                        for place in places.iter().filter(|place| !place.is_in_state()) {
                            let (value, step) = match after {
                                None => (Some(place.value()), None),
                                Some(step) => (step_into(place.value(), step), Some((*step).clone())),
                            };
                            if let Some(value) = value {
                                let mut steps = path.0.clone();
                                steps.extend(place.path().0);
                                steps.extend(step);
                                next.push((Path(steps), value));
                            }
                        }
                    }
                    step => next.extend(step_into(value, step).map(|value| (path.join(step.clone()), value))),
                }
            }
            if matches!(step, Step::Below) && steps.peek().is_some_and(|step| !matches!(step, Step::Each | Step::Below))
            {
                steps.next();
            }
            found = next;
        }
        found
    }
}

impl<'g> Value<'g> {
    /// Returns the value at a JSON Pointer (RFC 6901), as in `serde_json`. A token is a key, an attribute or a position.
    ///
    /// ```
    /// let graph = picklevm::value!({"cart": [{"price": 5}]});
    /// assert_eq!(graph.root().pointer("/cart/0/price").unwrap(), 5);
    /// assert!(graph.root().pointer("/cart/1").is_none());
    /// ```
    pub fn pointer(self, pointer: &str) -> Option<Value<'g>> {
        if pointer.is_empty() {
            return Some(self);
        }
        Path::parse(Some(pointer).filter(|pointer| pointer.starts_with('/'))?).ok()?.get(self)
    }
}

/// Describes what is where a step leads nowhere.
pub(super) fn kind_text(value: Value<'_>) -> String {
    match value.kind() {
        Kind::List(_) | Kind::Tuple(_) | Kind::Dict(_) | Kind::Set(_) => {
            format!("a {} of length {}", value.type_name(), value.len())
        }
        _ => describe(value.arena(), value.cell()),
    }
}

/// Returns the value that a step leads to.
pub(super) fn step_into<'g>(value: Value<'g>, step: &Step) -> Option<Value<'g>> {
    match step {
        Step::Name(name) => named(value, name),
        Step::Index(index) => indexed(value, *index).or_else(|| entry(value, Key::Int(*index))),
        Step::Key(key) => entry(value, Key::Literal(key)),
        Step::Part(part) => part.of(value),
        Step::Each | Step::Below => None,
    }
}

fn named<'g>(value: Value<'g>, name: &str) -> Option<Value<'g>> {
    let attribute = || value.attr(name).or_else(|| InstanceView::of(value)?.attr(name));
    let part = || match (name, value.kind()) {
        ("class", Kind::Object(_)) => Part::Class.of(value),
        ("args", Kind::Object(_)) => Part::Args.of(value),
        ("kwargs", Kind::Object(_)) => Part::Kwargs.of(value),
        ("state", Kind::Object(object)) => object.state(),
        ("id", Kind::Persistent(id)) => Some(id),
        _ => None,
    };
    attribute().or_else(|| entry(value, Key::Text(name))).or_else(part).or_else(|| {
        // A token of a JSON Pointer.
        let index = name.parse().ok()?;
        indexed(value, index).or_else(|| entry(value, Key::Int(index)))
    })
}

/// Returns an item by its position.
fn indexed(value: Value<'_>, index: i64) -> Option<Value<'_>> {
    let position = |len: usize| match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    };
    match value.kind() {
        Kind::List(items) | Kind::Tuple(items) => items.get(position(items.len())?),
        Kind::Object(object) => {
            let items = object_items(value, object);
            items.get(position(items.len())?).copied()
        }
        _ => None,
    }
}

/// Returns the number of items that positions count.
pub(super) fn indexed_len(value: Value<'_>) -> usize {
    value.as_object().map_or(value.len(), |object| object_items(value, object).len())
}

/// Returns the items of an object: those that were appended, or what a tuple was made of.
pub(crate) fn object_items<'g>(value: Value<'g>, object: Object<'g>) -> Vec<Value<'g>> {
    if let Some(deque) = Deque::view(value) {
        return deque.graph_items().unwrap_or_default();
    }
    let added: Vec<_> = object.items().collect();
    let Some(instance) = InstanceView::of(value).filter(|_| added.is_empty()) else { return added };
    match instance.items() {
        // `cls.__new__` of a tuple is given what is in it.
        items if items.is_empty() && instance.construction == Construction::NewObj => instance.args().collect(),
        items => items.collect(),
    }
}

/// A key that is looked for.
#[derive(Clone, Copy)]
enum Key<'k> {
    Text(&'k str),
    Int(i64),
    /// As Python writes it.
    Literal(&'k str),
}

/// Returns the value of a key, or a member of a set.
fn entry<'g>(value: Value<'g>, key: Key<'_>) -> Option<Value<'g>> {
    let Key::Literal(text) = key else {
        let key = match key {
            Key::Text(name) => crate::Key::from(name),
            Key::Int(index) => crate::Key::from(index),
            Key::Literal(_) => return None,
        };
        return lookup(value, key);
    };
    let graph = literal::parse(text).or_else(|_| literal::parse(&format!("({text})"))).ok();
    let found = graph.as_ref().and_then(|graph| match graph.root().kind() {
        Kind::Str(text) if text.is_utf8() => lookup(value, text.as_str()?.into()),
        Kind::Bytes(bytes) => lookup(value, bytes.into()),
        _ => lookup(value, graph.root().into()),
    });
    // Python compares instances by identity, and old strings are no text.
    found.or_else(|| match value.kind() {
        Kind::Set(members) | Kind::FrozenSet(members) => members.into_iter().find(|key| is_written(*key, text)),
        _ => entries(value).into_iter().find(|(key, _)| is_written(*key, text)).map(|(_, value)| value),
    })
}

fn is_written(key: Value<'_>, text: &str) -> bool {
    matches!(key.kind(), Kind::Object(_) | Kind::Tuple(_) | Kind::FrozenSet(_) | Kind::Str(_)) && key_text(key) == text
}

fn lookup<'g>(value: Value<'g>, key: crate::Key<'_>) -> Option<Value<'g>> {
    match value.kind() {
        Kind::Dict(dict) => dict.get(key),
        Kind::Set(members) | Kind::FrozenSet(members) => {
            value.contains(key).then(|| members.into_iter().find(|member| key.equals(*member)))?
        }
        Kind::Object(object) => object
            .get(key)
            .or_else(|| entries(value).into_iter().rev().find(|(other, _)| key.equals(*other)).map(|(_, value)| value)),
        _ => None,
    }
}

/// Returns the keys and values of a dict or of an instance of a dict.
pub(crate) fn entries(value: Value<'_>) -> Vec<(Value<'_>, Value<'_>)> {
    match value.kind() {
        Kind::Dict(dict) => dict.entries().collect(),
        Kind::Object(object) => {
            let mut all = Vec::new();
            if let Some(base) = base_of(value) {
                match base.kind() {
                    Kind::Dict(dict) => all.extend(dict.entries()),
                    // Python 2 pickles an ordered dict as a list of pairs.
                    Kind::List(items) if Class::of(object.class()) == Class::OrderedDict => {
                        all.extend(items.filter_map(|pair| pair.items().as_array().map(|[key, value]| (key, value))));
                    }
                    _ => {}
                }
            }
            all.extend(object.entries());
            all
        }
        _ => Vec::new(),
    }
}

/// Returns the list, dict or set that an instance is made of, if it has items: what `copyreg._reconstructor` is given, or
/// the first argument of a class of the standard library.
pub(super) fn base_of(object: Value<'_>) -> Option<Value<'_>> {
    let instance = InstanceView::of(object)?;
    let argument = match instance.known {
        Class::Counter | Class::OrderedDict | Class::FrozenDict | Class::Deque => instance.args().get(0),
        _ => None,
    };
    let base = instance.base.or(argument)?;
    matches!(base.kind(), Kind::List(_) | Kind::Dict(_) | Kind::Set(_)).then_some(base)
}

/// Returns every item, value or attribute of a value with the step to it.
pub(super) fn each(value: Value<'_>) -> Vec<(Step, Value<'_>)> {
    let numbered = |items: Vec<_>| (0i64..).map(Step::Index).zip(items).collect::<Vec<_>>();
    match value.kind() {
        Kind::List(items) | Kind::Tuple(items) => numbered(items.collect()),
        Kind::Set(members) | Kind::FrozenSet(members) => {
            members.into_iter().map(|member| (Step::key(member), member)).collect()
        }
        Kind::Dict(dict) => dict.entries().map(|(key, value)| (Step::key(key), value)).collect(),
        Kind::Object(object) => {
            let mut all = numbered(object_items(value, object));
            all.extend(entries(value).into_iter().map(|(key, value)| (Step::key(key), value)));
            if let Some(instance) = InstanceView::of(value) {
                all.extend(instance.attributes().map(|(name, value)| (attribute_step(name), value)));
            }
            all
        }
        _ => Vec::new(),
    }
}

/// Returns the step to an attribute.
pub(crate) fn attribute_step(name: Value<'_>) -> Step {
    match name.as_str().or_else(|| str::from_utf8(name.as_bytes()?).ok()) {
        Some(name) => Step::Name(name.to_owned()),
        None => Step::key(name),
    }
}

impl Part {
    /// Returns this part of a value.
    pub(crate) fn of(self, value: Value<'_>) -> Option<Value<'_>> {
        let object = value.as_object();
        let nth_change = |at: u32, wanted: fn(&Change<'_>) -> bool| {
            let change = object?.changes().filter(wanted).nth(at as usize)?;
            if let Change::Build(value) | Change::Effect(value) = change { Some(value) } else { None }
        };
        match self {
            Part::Class => object.map(Object::class),
            Part::Args => object.map(Object::args_tuple),
            Part::Kwargs => object?.kwargs(),
            Part::Id => match value.kind() {
                Kind::Persistent(id) => Some(id),
                _ => None,
            },
            Part::State(at) => nth_change(at, |change| matches!(change, Change::Build(_))),
            Part::Effect(at) => nth_change(at, |change| matches!(change, Change::Effect(_))),
            Part::Item(at) => match object {
                Some(object) => object.items().nth(at as usize),
                None => value.items().get(at as usize),
            },
            Part::Key(at) | Part::Value(at) => {
                let (key, value) = match object {
                    Some(object) => object.entries().nth(at as usize)?,
                    None => value.entries().nth(at as usize)?,
                };
                Some(if matches!(self, Part::Key(_)) { key } else { value })
            }
        }
    }
}
