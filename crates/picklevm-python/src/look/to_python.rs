//! Values of a graph as Python objects.

use std::collections::HashMap;

use picklevm::{Int, Kind, Text, Value};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyComplex, PyDict, PyFrozenSet, PyList, PySet, PyString, PyTuple};

use super::graph::Graph;
use super::node::Node;
use crate::load::big_int;

/// A number, text or bytes as Python's own; any other value as a node.
pub(crate) fn to_object<'py>(py: Python<'py>, graph: &Graph, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    match atom(py, value)? {
        Some(atom) => Ok(atom),
        None => Ok(Bound::new(py, Node::new(graph, value.id()))?.into_any()),
    }
}

/// A value without parts.
pub(crate) fn atom<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(Some(match value.kind() {
        Kind::None => py.None().into_bound(py),
        Kind::Bool(value) => value.into_bound_py_any(py)?,
        Kind::Int(value) => int(py, value)?,
        Kind::Float(value) => value.into_bound_py_any(py)?,
        Kind::Complex(re, im) => PyComplex::from_doubles(py, re, im).into_any(),
        Kind::Str(text) => string(py, text)?,
        Kind::Bytes(bytes) | Kind::ByteStr(bytes) => PyBytes::new(py, bytes).into_any(),
        Kind::ByteArray(bytes) => PyByteArray::new(py, bytes).into_any(),
        _ => return Ok(None),
    }))
}

fn int<'py>(py: Python<'py>, value: Int<'_>) -> PyResult<Bound<'py, PyAny>> {
    match value.as_i64() {
        Some(value) => value.into_bound_py_any(py),
        None => value.with_le_bytes(|bytes| big_int(py, bytes)),
    }
}

fn string<'py>(py: Python<'py>, text: Text<'_>) -> PyResult<Bound<'py, PyAny>> {
    match text.as_str() {
        Some(text) => Ok(PyString::new(py, text).into_any()),
        None => {
            let bytes = PyBytes::new(py, text.as_bytes());
            Ok(PyString::from_encoded_object(&bytes, Some(c"utf-8"), Some(c"surrogatepass"))?.into_any())
        }
    }
}

/// One step of building plain data. What is built lies on a stack.
enum Task<'g, 'py> {
    Visit(Value<'g>),
    /// The items of this list are the last on the stack.
    List(Bound<'py, PyList>, usize),
    Dict(Bound<'py, PyDict>, usize),
    Set(Bound<'py, PySet>, usize),
    Tuple(Value<'g>, usize),
    FrozenSet(Value<'g>, usize),
}

/// Lists, tuples, dicts and sets as Python's own, all other compound values as nodes. Shared values are shared.
pub(crate) fn plain<'py>(py: Python<'py>, graph: &Graph, root: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    // What a value has become; nothing while a tuple or frozenset is being built.
    let mut done: HashMap<picklevm::Id, Option<Bound<'py, PyAny>>> = HashMap::new();
    let (mut tasks, mut stack) = (vec![Task::Visit(root)], Vec::new());
    while let Some(task) = tasks.pop() {
        match task {
            Task::Visit(value) => {
                if let Some(atom) = atom(py, value)? {
                    stack.push(atom);
                    continue;
                }
                match done.get(&value.id()) {
                    Some(Some(object)) => {
                        stack.push(object.clone());
                        continue;
                    }
                    Some(None) => return Err(PyValueError::new_err("a tuple or frozenset that holds itself")),
                    None => {}
                }
                let first = tasks.len();
                let object = match value.kind() {
                    Kind::List(items) => {
                        let list = PyList::empty(py);
                        tasks.push(Task::List(list.clone(), items.len()));
                        tasks.extend(items.map(Task::Visit));
                        Some(list.into_any())
                    }
                    Kind::Dict(dict) => {
                        let object = PyDict::new(py);
                        tasks.push(Task::Dict(object.clone(), dict.len() * 2));
                        tasks.extend(dict.entries().flat_map(|(key, value)| [Task::Visit(key), Task::Visit(value)]));
                        Some(object.into_any())
                    }
                    Kind::Set(items) => {
                        let set = PySet::empty(py)?;
                        tasks.push(Task::Set(set.clone(), items.len()));
                        tasks.extend(items.map(Task::Visit));
                        Some(set.into_any())
                    }
                    Kind::Tuple(items) => {
                        tasks.push(Task::Tuple(value, items.len()));
                        tasks.extend(items.map(Task::Visit));
                        None
                    }
                    Kind::FrozenSet(items) => {
                        tasks.push(Task::FrozenSet(value, items.len()));
                        tasks.extend(items.map(Task::Visit));
                        None
                    }
                    _ => {
                        let node = Bound::new(py, Node::new(graph, value.id()))?.into_any();
                        stack.push(node.clone());
                        Some(node)
                    }
                };
                // The last is visited first: what is visited first is built first.
                if let Some(parts) = tasks.get_mut(first + 1..) {
                    parts.reverse();
                }
                done.insert(value.id(), object);
            }
            Task::List(list, len) => {
                for item in stack.drain(stack.len() - len..) {
                    list.append(item)?;
                }
                stack.push(list.into_any());
            }
            Task::Dict(dict, len) => {
                let mut parts = stack.drain(stack.len() - len..);
                while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
                    dict.set_item(key, value)?;
                }
                drop(parts);
                stack.push(dict.into_any());
            }
            Task::Set(set, len) => {
                for item in stack.drain(stack.len() - len..) {
                    set.add(item)?;
                }
                stack.push(set.into_any());
            }
            Task::Tuple(value, len) => {
                let tuple = PyTuple::new(py, stack.drain(stack.len() - len..).collect::<Vec<_>>())?.into_any();
                done.insert(value.id(), Some(tuple.clone()));
                stack.push(tuple);
            }
            Task::FrozenSet(value, len) => {
                let items: Vec<_> = stack.drain(stack.len() - len..).collect();
                let set = PyFrozenSet::new(py, items)?.into_any();
                done.insert(value.id(), Some(set.clone()));
                stack.push(set);
            }
        }
    }
    Ok(stack.pop().unwrap_or_else(|| py.None().into_bound(py)))
}
