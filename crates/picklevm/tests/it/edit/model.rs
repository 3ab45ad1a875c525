//! Random changes of dicts, sets and lists, compared with a model.

use indexmap::{IndexMap, IndexSet};
use picklevm::{Graph, Id, IntoValue, same_graph, value};
use proptest::prelude::*;

/// A key. Keys of different kinds may be equal.
#[derive(Clone, Debug)]
enum AnyKey {
    Int(u8),
    Float(u8),
    Text(u8),
    Pair(u8),
}

impl AnyKey {
    fn make(&self, graph: &mut Graph) -> Id {
        match *self {
            AnyKey::Int(n) => graph.add(n),
            AnyKey::Float(n) => graph.add(f64::from(n)),
            AnyKey::Text(n) => graph.add(format!("key {n}")),
            AnyKey::Pair(n) => graph.add((n, "pair")),
        }
    }

    /// Returns the identity of the key; equal integers and floats have the same one.
    fn identity(&self) -> (u8, u8) {
        match *self {
            AnyKey::Int(n) | AnyKey::Float(n) => (0, n),
            AnyKey::Text(n) => (1, n),
            AnyKey::Pair(n) => (2, n),
        }
    }
}

fn any_key() -> impl Strategy<Value = AnyKey> {
    (0..4, 0u8..12).prop_map(|(kind, n)| match kind {
        0 => AnyKey::Int(n),
        1 => AnyKey::Float(n),
        2 => AnyKey::Text(n),
        _ => AnyKey::Pair(n),
    })
}

#[derive(Clone, Debug)]
enum Change {
    Set(AnyKey, i32),
    Update(Vec<(AnyKey, i32)>),
    Remove(AnyKey),
    Retain(i32),
    Clear,
    Compact,
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        12 => (any_key(), any::<i32>()).prop_map(|(key, value)| Change::Set(key, value)),
        4 => prop::collection::vec((any_key(), any::<i32>()), 0..20).prop_map(Change::Update),
        8 => any_key().prop_map(Change::Remove),
        2 => (2..5).prop_map(Change::Retain),
        1 => Just(Change::Clear),
        1 => Just(Change::Compact),
    ]
}

type Model = IndexMap<(u8, u8), (AnyKey, i32)>;

/// Sets a value like Python: the first key and the last value remain.
fn set(model: &mut Model, key: &AnyKey, value: i32) {
    model.entry(key.identity()).or_insert_with(|| (key.clone(), value)).1 = value;
}

fn check_dict(graph: &mut Graph, model: &Model) -> Result<(), TestCaseError> {
    prop_assert_eq!(graph.root().len(), model.len());
    let entries: Vec<(Id, Option<i64>)> = graph.root().entries().map(|(k, v)| (k.id(), v.as_i64())).collect();
    for ((found, value), (key, expected)) in entries.into_iter().zip(model.values()) {
        let made = key.make(graph);
        let (found, made) = (graph.value(found), graph.value(made));
        prop_assert!(found == made && found.type_name() == made.type_name(), "{found:?} is not {made:?}");
        prop_assert_eq!(value, Some(i64::from(*expected)));
        prop_assert_eq!(graph.root().get(made).and_then(|v| v.as_i64()), value);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_dict_changes_like_its_model(changes in prop::collection::vec(any_change(), 1..60)) {
        let mut graph = value!({});
        let mut model = Model::new();
        for change in changes {
            match change {
                Change::Set(key, value) => {
                    let id = key.make(&mut graph);
                    let old = graph.root_mut().set(id, value).unwrap();
                    let old = old.and_then(|id| graph.value(id).as_i64());
                    prop_assert_eq!(old, model.get(&key.identity()).map(|(_, old)| i64::from(*old)));
                    set(&mut model, &key, value);
                }
                Change::Update(pairs) => {
                    let ids: Vec<(Id, i32)> = pairs.iter().map(|(k, v)| (k.make(&mut graph), *v)).collect();
                    graph.root_mut().update(ids).unwrap();
                    pairs.iter().for_each(|(key, value)| set(&mut model, key, *value));
                }
                Change::Remove(key) => {
                    let id = key.make(&mut graph);
                    let removed = graph.root_mut().remove(id).ok().and_then(|id| graph.value(id).as_i64());
                    prop_assert_eq!(removed, model.shift_remove(&key.identity()).map(|(_, value)| i64::from(value)));
                }
                Change::Retain(n) => {
                    graph.root_mut().retain_entries(|_, v| v.as_i64().unwrap() % i64::from(n) != 0).unwrap();
                    model.retain(|_, (_, value)| *value % n != 0);
                }
                Change::Clear => {
                    graph.root_mut().clear().unwrap();
                    model.clear();
                }
                Change::Compact => graph.compact(),
            }
            check_dict(&mut graph, &model)?;
        }
        let copy = graph.root().detach();
        prop_assert!(same_graph(copy.root(), graph.root()));
        prop_assert!(copy == graph);
    }

    #[test]
    fn a_set_changes_like_its_model(changes in prop::collection::vec((any_key(), 0..4), 1..80)) {
        let mut graph = Graph::new();
        let set = graph.set::<Id>([]).unwrap();
        graph.set_root(set);
        let mut model = IndexSet::new();
        for (key, change) in changes {
            let id = key.make(&mut graph);
            match change {
                0 => prop_assert_eq!(graph.root_mut().remove(id).is_ok(), model.shift_remove(&key.identity())),
                _ => prop_assert_eq!(graph.root_mut().add(id).unwrap(), model.insert(key.identity())),
            }
            prop_assert_eq!(graph.root().contains(id), change != 0);
            prop_assert_eq!(graph.root().len(), model.len());
        }
    }

    #[test]
    fn a_list_changes_like_a_vec(changes in prop::collection::vec((0..6, any::<u8>(), any::<i32>()), 1..60)) {
        // Alternate between two lists, so that their rows move.
        let mut graph = value!([[], []]);
        let mut models = [Vec::<i64>::new(), Vec::new()];
        for (n, (change, at, value)) in changes.into_iter().enumerate() {
            let model = &mut models[n % 2];
            let mut list = graph.root_mut().at(n % 2).unwrap();
            let at = usize::from(at) % (model.len() + 1);
            match change {
                0 => {
                    list.insert(at, value).unwrap();
                    model.insert(at, value.into());
                }
                1 if at < model.len() => {
                    list.remove(at).unwrap();
                    model.remove(at);
                }
                2 if at < model.len() => {
                    list.set(at, value).unwrap();
                    model[at] = value.into();
                }
                3 => prop_assert_eq!(list.pop().unwrap().is_some(), model.pop().is_some()),
                4 => {
                    list.retain(|item| item.as_i64().unwrap() % 3 != 0).unwrap();
                    model.retain(|item| item % 3 != 0);
                }
                _ => {
                    list.extend([value, 1]).unwrap();
                    model.extend([i64::from(value), 1]);
                }
            }
            for (list, model) in graph.root().items().zip(&models) {
                prop_assert_eq!(&Vec::<i64>::try_from(list).unwrap(), model);
            }
        }
    }

    #[test]
    fn a_number_is_found_by_each_of_its_types(n in any::<i64>()) {
        let mut graph = Graph::new();
        let ids: Vec<Id> = [n.wrapping_sub(1), n].map(|n| n.into_value(&mut graph)).into();
        let dict = graph.dict(ids.into_iter().zip(["less", "same"])).unwrap();
        graph.set_root(dict);
        prop_assert_eq!(graph.root().at(n).as_str(), Some("same"));
        prop_assert_eq!(graph.root().at(i128::from(n)).as_str(), Some("same"));
        if n as f64 as i128 == i128::from(n) {
            prop_assert_eq!(graph.root().at(n as f64).as_str(), Some("same"));
        }
    }
}
