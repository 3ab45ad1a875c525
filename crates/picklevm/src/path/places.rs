//! Every value of a graph, with the shortest path to it.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::follow::{attribute_step, step_into};
use super::{Part, Path, Step};
use crate::graph::{Arena, Cell, Change, Kind, Value, is_compound};

/// Every value that a value reaches, and where: returned by [`Value::walk`] and [`Arena::walk`].
///
/// Values with parts are there once, with a shortest path; values without parts are there in each place that holds them.
/// Those with the shortest paths come first.
///
/// ```
/// let graph = picklevm::value!({"a": [1, 2], "b": {"c": null}});
/// let places: Vec<_> = graph.walk().iter().map(|place| format!("{} {}", place.path(), place.value())).collect();
/// assert_eq!(places[1..], ["['a'] [1, 2]", "['b'] {'c': None}", "['a'][0] 1", "['a'][1] 2", "['b']['c'] None"]);
/// ```
pub struct Places<'g> {
    arena: &'g Arena,
    links: Vec<Link>,
}

/// How a place was reached.
#[derive(Clone, Copy)]
struct Link {
    cell: Cell,
    parent: u32,
    how: How,
    /// Whether it is the state of an instance that holds attributes, or a part of one: those are places of their own.
    is_in_state: bool,
}

#[derive(Clone, Copy)]
enum How {
    Part(Part),
    /// The attribute at this position.
    Attribute(u32),
}

/// A value in its place. See [`Places`].
#[derive(Clone, Copy)]
pub struct Place<'p, 'g> {
    places: &'p Places<'g>,
    at: usize,
}

impl<'g> Value<'g> {
    /// Finds every value that this one reaches, with a shortest path to each.
    pub fn walk(self) -> Places<'g> {
        let arena = self.arena();
        let root = Link { cell: self.cell(), parent: 0, how: How::Part(Part::Class), is_in_state: false };
        let mut places = Places { arena, links: vec![root] };
        let mut seen: HashSet<Cell, RandomState> = HashSet::default();
        // Dicts that hold attributes, whose values are those of the instance.
        let mut states: HashSet<Cell, RandomState> = HashSet::default();
        seen.insert(self.cell());
        let mut at = 0;
        while let Some(Link { cell, is_in_state, .. }) = places.links.get(at).copied() {
            // A graph has fewer values than that.
            let parent = u32::try_from(at).unwrap_or(u32::MAX);
            if !states.contains(&cell) {
                let value = Value::new(arena, cell);
                let dicts = attribute_dicts(value);
                let state = value.as_object().and_then(|object| object.state());
                let state = state.filter(|_| dicts.iter().any(Option::is_some));
                parts(value, &mut |how, child| {
                    let cell = child.cell();
                    let is_node = is_compound(cell.tag()) && !child.as_tuple().is_some_and(|items| items.is_empty());
                    if !is_node || seen.insert(cell) {
                        let is_state =
                            matches!(how, How::Part(Part::State(_))) && state.is_some_and(|state| state.is(child));
                        places.links.push(Link { cell, parent, how, is_in_state: is_in_state || is_state });
                    }
                });
                states.extend(dicts.into_iter().flatten().map(Value::cell));
            }
            at += 1;
        }
        places
    }
}

impl Arena {
    /// Finds every value that the root reaches, with a shortest path to each.
    pub fn walk(&self) -> Places<'_> {
        self.root().walk()
    }
}

/// Returns the dicts of attributes of an object: in its last state, as [`Object::attr`](crate::Object::attr) looks them up.
fn attribute_dicts(value: Value<'_>) -> [Option<Value<'_>>; 2] {
    let Some(state) = value.as_object().and_then(|object| object.state()) else { return [None; 2] };
    match state.as_tuple().and_then(|items| items.as_array::<2>()) {
        Some(both) => both.map(|value| Some(value).filter(|value| value.as_dict().is_some())),
        None => [Some(state).filter(|state| state.as_dict().is_some()), None],
    }
}

/// Calls `each` with the parts of a value.
fn parts<'g>(value: Value<'g>, each: &mut dyn FnMut(How, Value<'g>)) {
    let numbers = || 0u32..;
    match value.kind() {
        Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => {
            numbers().zip(items).for_each(|(at, item)| each(How::Part(Part::Item(at)), item));
        }
        Kind::Dict(dict) => {
            for (at, (key, value)) in numbers().zip(dict.entries()) {
                each(How::Part(Part::Value(at)), value);
                // A key without parts is no place of its own.
                if is_compound(key.cell().tag()) {
                    each(How::Part(Part::Key(at)), key);
                }
            }
        }
        Kind::Persistent(id) => each(How::Part(Part::Id), id),
        Kind::Object(object) => {
            for (at, item) in numbers().zip(object.items()) {
                each(How::Part(Part::Item(at)), item);
            }
            for (at, (key, value)) in numbers().zip(object.entries()) {
                each(How::Part(Part::Value(at)), value);
                if is_compound(key.cell().tag()) {
                    each(How::Part(Part::Key(at)), key);
                }
            }
            let attributes = attribute_dicts(value).into_iter().flatten().flat_map(Value::entries);
            numbers().zip(attributes).for_each(|(at, (_, value))| each(How::Attribute(at), value));
            if object.class().as_global().is_none() {
                each(How::Part(Part::Class), object.class());
            }
            each(How::Part(Part::Args), object.args_tuple());
            if let Some(kwargs) = object.kwargs() {
                each(How::Part(Part::Kwargs), kwargs);
            }
            let (mut states, mut effects) = (0, 0);
            for change in object.changes() {
                match change {
                    Change::Build(state) => {
                        each(How::Part(Part::State(states)), state);
                        states += 1;
                    }
                    Change::Effect(effect) => {
                        each(How::Part(Part::Effect(effects)), effect);
                        effects += 1;
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

impl<'g> Places<'g> {
    /// Returns the places.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Place<'_, 'g>> {
        (0..self.links.len()).map(|at| Place { places: self, at })
    }

    /// Returns the number of places.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Returns `false`: there is always the place of the value itself.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    fn value(&self, at: usize) -> Value<'g> {
        Value::new(self.arena, self.links[at].cell)
    }
}

impl std::fmt::Debug for Places<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Places").field("len", &self.links.len()).finish()
    }
}

impl<'g> Place<'_, 'g> {
    /// Returns the value.
    pub fn value(self) -> Value<'g> {
        self.places.value(self.at)
    }

    /// Whether it is the state of an instance that holds attributes, or a part of one. The attributes are places too.
    pub(super) fn is_in_state(self) -> bool {
        self.places.links[self.at].is_in_state
    }

    /// Returns a shortest path to the value.
    pub fn path(self) -> Path {
        let mut steps = Vec::new();
        let mut at = self.at;
        while at > 0 {
            let Link { parent, how, .. } = self.places.links[at];
            // Backwards.
            steps.extend(steps_of(self.places.value(parent as usize), how, self.places.value(at)).into_iter().rev());
            at = parent as usize;
        }
        steps.reverse();
        Path(steps)
    }
}

impl std::fmt::Debug for Place<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}", self.path(), self.value())
    }
}

/// Returns the steps from a value to a part of it: as Python writes it where that leads there.
fn steps_of(parent: Value<'_>, how: How, child: Value<'_>) -> Vec<Step> {
    let leads = |step: &Step| step_into(parent, step).is_some_and(|found| found.is(child));
    let key_at = |at: u32| Part::Key(at).of(parent).map(Step::key);
    let step = match how {
        How::Part(Part::Item(at)) => match parent.kind() {
            Kind::Set(_) | Kind::FrozenSet(_) => Some(Step::key(child)),
            _ => Some(Step::Index(at.into())),
        },
        How::Part(Part::Value(at)) => key_at(at),
        How::Part(Part::Class) => Some(Step::Name("class".to_owned())),
        How::Part(Part::Args) => Some(Step::Name("args".to_owned())),
        How::Part(Part::Kwargs) => Some(Step::Name("kwargs".to_owned())),
        How::Part(Part::Id) => Some(Step::Name("id".to_owned())),
        How::Part(Part::State(_)) => Some(Step::Name("state".to_owned())),
        How::Part(Part::Key(_) | Part::Effect(_)) => None,
        How::Attribute(at) => {
            let dicts = attribute_dicts(parent);
            let mut names = dicts.into_iter().flatten().flat_map(Value::entries);
            let name = names.nth(at as usize).map(|(name, _)| name);
            let step = name.map(attribute_step).filter(leads);
            if let (None, Some(name)) = (&step, name) {
                let states = parent.as_object().into_iter().flat_map(|object| object.changes());
                let last = states.filter(|change| matches!(change, Change::Build(_))).count().saturating_sub(1);
                return vec![Step::Part(Part::State(last as u32)), Step::key(name)];
            }
            step
        }
    };
    match (step.filter(leads), how) {
        (Some(step), _) => vec![step],
        (None, How::Part(part)) => vec![Step::Part(part)],
        (None, How::Attribute(_)) => Vec::new(),
    }
}
