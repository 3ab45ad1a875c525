//! Python values into a graph.
//!
//! Containers of Python's own are made as values of the graph, nodes are used as they are, and any other object is pickled, so that
//! its own `__reduce__` decides. All of that happens before the graph is changed: Python code may run meanwhile.

use std::collections::HashMap;

use bytes::Bytes;
use picklevm::{Id, Unpickler};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};

use super::given::load_error;
use super::graph::Graph;
use super::node::Node;

/// The protocol for objects that are pickled.
const PROTOCOL: u8 = 5;

/// The plan of one value. Parts are positions in the plan.
enum Make {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(PyBackedStr),
    Bytes(PyBackedBytes),
    /// A value of the graph itself.
    Id(Id),
    /// A value of another graph, which is copied.
    Other(picklevm::Graph, Id),
    List(Vec<usize>),
    Dict(Vec<usize>),
    Set(Vec<usize>),
    Tuple(Vec<usize>),
    FrozenSet(Vec<usize>),
}

/// The plan for converting a Python value to one of a graph.
pub(crate) struct Plan {
    /// All values; the first is the whole.
    values: Vec<Make>,
    /// Tuples and frozensets, parts before what has them.
    order: Vec<usize>,
}

/// Whether a Python value is a container that a graph has too.
pub(crate) fn is_container(object: &Bound<'_, PyAny>) -> bool {
    object.is_exact_instance_of::<PyList>()
        || object.is_exact_instance_of::<PyTuple>()
        || object.is_exact_instance_of::<PyDict>()
        || object.is_exact_instance_of::<PySet>()
        || object.is_exact_instance_of::<PyFrozenSet>()
}

enum Task<'py> {
    Visit(Bound<'py, PyAny>, usize),
    /// All parts of a tuple or frozenset are there.
    Finish(usize),
}

impl Plan {
    /// Plans a value for a graph.
    pub(crate) fn new(value: &Bound<'_, PyAny>, graph: &Graph) -> PyResult<Plan> {
        Plan::of(value, Some(graph))
    }

    /// A graph of a value alone.
    pub(crate) fn graph_of(value: &Bound<'_, PyAny>) -> PyResult<picklevm::Graph> {
        let mut graph = picklevm::Graph::new();
        let root = Plan::of(value, None)?.build(&mut graph).map_err(|error| super::given::graph_error(&error))?;
        graph.set_root(root);
        Ok(graph)
    }

    fn of(value: &Bound<'_, PyAny>, graph: Option<&Graph>) -> PyResult<Plan> {
        let mut plan = Plan { values: vec![Make::None], order: Vec::new() };
        // Containers by their addresses; the objects are kept so that no other takes the place of one.
        let mut seen: HashMap<usize, usize> = HashMap::new();
        let mut kept: Vec<Bound<'_, PyAny>> = Vec::new();
        let mut tasks = vec![Task::Visit(value.clone(), 0)];
        while let Some(task) = tasks.pop() {
            let (object, at) = match task {
                Task::Finish(at) => {
                    plan.order.push(at);
                    continue;
                }
                Task::Visit(object, at) => (object, at),
            };
            if !is_container(&object) {
                plan.values[at] = leaf(&object, graph)?;
                continue;
            }
            // Where the parts are planned; a part that is planned already has its place.
            let mut parts = Vec::new();
            let mut visits = Vec::new();
            for part in parts_of(&object)? {
                let address = part.as_ptr() as usize;
                match seen.get(&address) {
                    Some(place) => parts.push(*place),
                    None => {
                        let place = plan.values.len();
                        plan.values.push(Make::None);
                        if is_container(&part) {
                            seen.insert(address, place);
                            kept.push(part.clone());
                        }
                        parts.push(place);
                        visits.push(Task::Visit(part, place));
                    }
                }
            }
            if at == 0 {
                seen.insert(object.as_ptr() as usize, 0);
                kept.push(object.clone());
                // The whole may be a part of itself: it was not known when its parts were planned.
                for (place, part) in parts.iter_mut().zip(parts_of(&object)?) {
                    if part.is(&object) {
                        *place = 0;
                    }
                }
            }
            let is_built_last =
                object.is_exact_instance_of::<PyTuple>() || object.is_exact_instance_of::<PyFrozenSet>();
            if is_built_last {
                tasks.push(Task::Finish(at));
            }
            tasks.extend(visits.into_iter().rev());
            plan.values[at] = if object.is_exact_instance_of::<PyList>() {
                Make::List(parts)
            } else if object.is_exact_instance_of::<PyDict>() {
                Make::Dict(parts)
            } else if object.is_exact_instance_of::<PySet>() {
                Make::Set(parts)
            } else if object.is_exact_instance_of::<PyTuple>() {
                Make::Tuple(parts)
            } else {
                Make::FrozenSet(parts)
            };
        }
        Ok(plan)
    }

    /// Adds the values to a graph, and returns the whole.
    pub(crate) fn build(self, graph: &mut picklevm::Graph) -> picklevm::Result<Id> {
        let none = graph.add(());
        let mut ids = vec![none; self.values.len()];
        for (id, make) in ids.iter_mut().zip(&self.values) {
            *id = match make {
                Make::None => none,
                Make::Bool(value) => graph.add(*value),
                Make::Int(value) => graph.add(*value),
                Make::Float(value) => graph.add(*value),
                Make::Str(text) => graph.add(text.as_str()),
                Make::Bytes(bytes) => graph.bytes(bytes),
                Make::Id(id) => *id,
                Make::Other(other, id) => graph.add(other.value(*id)),
                Make::List(_) => graph.list([none; 0]),
                Make::Dict(_) => graph.dict([(none, none); 0])?,
                Make::Set(_) => graph.set([none; 0])?,
                Make::Tuple(_) | Make::FrozenSet(_) => none,
            };
        }
        let all = |parts: &[usize], ids: &[Id]| parts.iter().map(|part| ids[*part]).collect::<Vec<_>>();
        for at in self.order {
            ids[at] = match &self.values[at] {
                Make::FrozenSet(parts) => graph.frozenset(all(parts, &ids))?,
                Make::Tuple(parts) => graph.tuple(all(parts, &ids)),
                _ => ids[at],
            };
        }
        for (at, make) in self.values.iter().enumerate() {
            match make {
                Make::List(parts) => graph.value_mut(ids[at]).extend(all(parts, &ids))?,
                Make::Dict(parts) => {
                    let pairs: Vec<_> = parts.chunks_exact(2).map(|pair| (ids[pair[0]], ids[pair[1]])).collect();
                    graph.value_mut(ids[at]).update(pairs)?;
                }
                Make::Set(parts) => {
                    for member in all(parts, &ids) {
                        graph.value_mut(ids[at]).add(member)?;
                    }
                }
                _ => {}
            }
        }
        Ok(ids[0])
    }
}

/// The items of a container, or the keys and values of a dict in turn.
fn parts_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    match object.cast::<PyDict>() {
        Ok(dict) => Ok(dict.iter().flat_map(|(key, value)| [key, value]).collect()),
        Err(_) => object.try_iter()?.collect(),
    }
}

/// A value without parts, a node, or an object that is pickled.
fn leaf(object: &Bound<'_, PyAny>, graph: Option<&Graph>) -> PyResult<Make> {
    let py = object.py();
    if object.is_none() {
        return Ok(Make::None);
    }
    if let Ok(node) = object.cast::<Node>() {
        let node = node.get();
        return Ok(match graph {
            Some(graph) if graph.is_same(node.graph()) => Make::Id(node.id()),
            _ => Make::Other(node.graph().read(), node.id()),
        });
    }
    if let Ok(value) = object.cast_exact::<PyBool>() {
        return Ok(Make::Bool(value.is_true()));
    }
    if object.is_exact_instance_of::<PyInt>()
        && let Ok(value) = object.extract()
    {
        return Ok(Make::Int(value));
    }
    if object.is_exact_instance_of::<PyFloat>() {
        return Ok(Make::Float(object.extract()?));
    }
    // Text with surrogates is pickled.
    if let Ok(text) = object.cast_exact::<PyString>()
        && let Ok(text) = PyBackedStr::try_from(text.clone())
    {
        return Ok(Make::Str(text));
    }
    if let Ok(bytes) = object.cast_exact::<PyBytes>() {
        return Ok(Make::Bytes(PyBackedBytes::from(bytes.clone())));
    }
    let protocol = PROTOCOL.into_pyobject(py)?.into_any();
    let data = crate::functions::dumps(object, Some(&protocol), true, None)?;
    let data = Bytes::copy_from_slice(data.as_bytes());
    let loaded = py.detach(|| Unpickler::new().load_bytes(data));
    let other = loaded.map_err(|error| load_error(py, "a pickled object", &error))?;
    let root = other.root().id();
    Ok(Make::Other(other, root))
}
