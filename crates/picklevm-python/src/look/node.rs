//! A value of a graph that is no number, text or bytes.

use picklevm::{Id, Kind, Object, Value, same_contents};
use pyo3::IntoPyObjectExt;
use pyo3::class::basic::CompareOp;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::from_python::{Plan, is_container};
use super::graph::{Graph, missing, show};
use super::html;
use super::text::{self, Shown};
use super::to_python::{plain, to_object};

/// A value of a graph: a list, tuple, dict or set, an instance, a global, or another value that Python has no literal for.
///
/// It is used like the container that it stands for: node[key], len(node), iteration, node[key] = value, del node[key],
/// append(), insert(), add(). An instance has its class, arguments, state and attributes; node[key] and iteration are over what
/// it has as a subclass of list or dict. Two nodes are equal if their contents are; same_as() tells whether they are one value.
#[pyclass(frozen, module = "picklevm")]
pub(crate) struct Node {
    graph: Graph,
    id: Id,
}

impl Node {
    pub(crate) fn new(graph: &Graph, id: Id) -> Node {
        Node { graph: graph.same(), id }
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn id(&self) -> Id {
        self.id
    }

    fn object<'py>(&self, py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
        to_object(py, &self.graph, value)
    }

    fn objects<'py, 'g>(
        &self,
        py: Python<'py>,
        values: impl Iterator<Item = Value<'g>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for value in values {
            list.append(self.object(py, value)?)?;
        }
        Ok(list)
    }
}

/// A position that may count from the end.
fn position(key: &Bound<'_, PyAny>, len: usize) -> Option<PyResult<usize>> {
    let index: isize = key.extract().ok()?;
    let at = if index < 0 { index + len as isize } else { index };
    Some(usize::try_from(at).map_err(|_| PyIndexError::new_err("index out of range")))
}

/// The items of a sequence; of an instance those that were appended to it.
fn sequence(value: Value<'_>) -> Option<Vec<Value<'_>>> {
    match value.kind() {
        Kind::List(items) | Kind::Tuple(items) => Some(items.collect()),
        Kind::Object(object) if object.items().next().is_some() => Some(object.items().collect()),
        _ => None,
    }
}

fn entries(value: Value<'_>) -> Vec<(Value<'_>, Value<'_>)> {
    match value.kind() {
        Kind::Object(object) => object.entries().collect(),
        _ => value.entries().collect(),
    }
}

#[pymethods]
impl Node {
    /// What it is: "list", "tuple", "dict", "set", "frozenset", "object", "global", "persistent", "buffer", "extension".
    #[getter]
    fn kind(&self) -> &'static str {
        match self.graph.read().value(self.id).kind() {
            Kind::Object(_) => "object",
            Kind::Global(_) => "global",
            Kind::Persistent(_) => "persistent",
            Kind::Buffer(_) => "buffer",
            Kind::Ext(_) => "extension",
            Kind::NativeObject(_) => "native",
            _ => self.graph.read().value(self.id).type_name(),
        }
    }

    /// The name of an instance's class, or of a global: "module.Name". None of other values.
    #[getter]
    fn class_name(&self) -> Option<String> {
        let graph = self.graph.read();
        let value = graph.value(self.id);
        let global = value.as_global().or_else(|| instance_class(value.as_object()?));
        global.map(|global| format!("{}.{}", global.module(), global.name()))
    }

    /// The module of a global; None of other values.
    #[getter]
    fn module(&self) -> Option<String> {
        self.graph.read().value(self.id).as_global().map(|global| global.module().to_string())
    }

    /// The name of a global in its module; None of other values.
    #[getter]
    fn name(&self) -> Option<String> {
        self.graph.read().value(self.id).as_global().map(|global| global.name().to_string())
    }

    /// What was called or made an instance of: the class, or a function. None of other values.
    #[getter]
    fn callable<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let graph = self.graph.read();
        graph.value(self.id).as_object().map(|object| self.object(py, object.class())).transpose()
    }

    /// How an instance was made: "reduce", "newobj", … None of other values.
    #[getter]
    fn construction(&self) -> Option<&'static str> {
        self.graph.read().value(self.id).as_object().map(|object| object.construction().name())
    }

    /// The arguments that an instance was made with; None of other values.
    #[getter]
    fn args<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let graph = self.graph.read();
        graph.value(self.id).as_object().map(|object| self.objects(py, object.args())).transpose()
    }

    /// The keyword arguments that an instance was made with, as a node; None if there are none.
    #[getter]
    fn kwargs<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let graph = self.graph.read();
        let kwargs = graph.value(self.id).as_object().and_then(|object| object.kwargs());
        kwargs.map(|kwargs| self.object(py, kwargs)).transpose()
    }

    /// The state that an instance was given, a dict of its attributes as a rule; None if it has none.
    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let graph = self.graph.read();
        let state = graph.value(self.id).as_object().and_then(|object| object.state());
        state.map(|state| self.object(py, state)).transpose()
    }

    #[setter]
    fn set_state(&self, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let state = self.graph.add(state)?;
        self.graph.change(|graph| graph.value_mut(self.id).set_state(state))
    }

    /// The attributes of an instance that its state has by name, as a new dict.
    #[getter]
    fn attrs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let graph = self.graph.read();
        let attrs = PyDict::new(py);
        let Some(object) = graph.value(self.id).as_object() else { return Ok(attrs) };
        let Some(state) = object.state() else { return Ok(attrs) };
        // A pair of two dicts: that of the instance, and its slots.
        let dicts = state.as_tuple().and_then(|both| both.as_array::<2>()).map_or(vec![state], |both| both.to_vec());
        for (name, value) in dicts.into_iter().flat_map(Value::entries) {
            attrs.set_item(self.object(py, name)?, self.object(py, value)?)?;
        }
        Ok(attrs)
    }

    /// Return the attribute of an instance, or `default`.
    #[pyo3(signature = (name, default = None, /))]
    fn attr<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.graph.read();
        match graph.value(self.id).attr(name) {
            Some(value) => self.object(py, value),
            None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// Set an attribute of an instance.
    fn set_attr(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = self.graph.add(value)?;
        self.graph.change(|graph| graph.value_mut(self.id).set_attr(name, value)).map(drop)
    }

    /// Remove an attribute of an instance.
    fn del_attr(&self, name: &str) -> PyResult<()> {
        self.graph.change(|graph| graph.value_mut(self.id).remove_attr(name)).map(drop)
    }

    fn __len__(&self) -> usize {
        let graph = self.graph.read();
        match graph.value(self.id).kind() {
            Kind::Object(object) => object.items().count() + object.entries().count(),
            _ => graph.value(self.id).len(),
        }
    }

    /// A node is a value: whether it has items does not make it true or false.
    fn __bool__(&self) -> bool {
        true
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.graph.read();
        let value = graph.value(self.id);
        if let Some(items) = sequence(value) {
            if let Some(at) = position(key, items.len()) {
                let item = items.get(at?).ok_or_else(|| PyIndexError::new_err("index out of range"))?;
                return self.object(py, *item);
            }
            let all = self.objects(py, items.into_iter())?;
            return all.into_any().get_item(key);
        }
        match value.kind() {
            Kind::Dict(_) | Kind::Object(_) => {
                let key_graph = Plan::graph_of(key)?;
                match value.get(key_graph.root()) {
                    Some(value) => self.object(py, value),
                    None => Err(missing(key)),
                }
            }
            _ => Err(PyTypeError::new_err(format!("a {} has no items by key", value.type_name()))),
        }
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let len = self.list_len();
        let value = self.graph.add(value)?;
        match len.and_then(|len| position(key, len)) {
            Some(at) => {
                let at = at?;
                self.graph.change(|graph| graph.value_mut(self.id).set(at, value)).map(drop)
            }
            None => {
                let key = self.graph.add(key)?;
                self.graph.change(|graph| graph.value_mut(self.id).set(key, value)).map(drop)
            }
        }
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.list_len().and_then(|len| position(key, len)) {
            Some(at) => {
                let at = at?;
                self.graph.change(|graph| graph.value_mut(self.id).remove(at)).map(drop)
            }
            None => {
                let key = self.graph.add(key)?;
                self.graph.change(|graph| graph.value_mut(self.id).remove(key)).map(drop)
            }
        }
    }

    /// Append an item to a list, or to an instance that has items.
    fn append(&self, item: &Bound<'_, PyAny>) -> PyResult<()> {
        let item = self.graph.add(item)?;
        self.graph.change(|graph| graph.value_mut(self.id).push(item))
    }

    /// Insert an item into a list.
    fn insert(&self, index: usize, item: &Bound<'_, PyAny>) -> PyResult<()> {
        let item = self.graph.add(item)?;
        self.graph.change(|graph| graph.value_mut(self.id).insert(index, item))
    }

    /// Add a member to a set.
    fn add(&self, member: &Bound<'_, PyAny>) -> PyResult<()> {
        let member = self.graph.add(member)?;
        self.graph.change(|graph| graph.value_mut(self.id).add(member)).map(drop)
    }

    /// Remove a member from a set; KeyError if it is not there.
    fn remove(&self, member: &Bound<'_, PyAny>) -> PyResult<()> {
        self.__delitem__(member)
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let key = Plan::graph_of(key)?;
        let graph = self.graph.read();
        let value = graph.value(self.id);
        Ok(match value.as_object() {
            Some(object) => {
                object.get(key.root()).is_some() || object.items().any(|item| same_contents(item, key.root()))
            }
            None => value.contains(key.root()),
        })
    }

    /// Iterates over the items of a list, tuple or set, or the keys of a dict.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.graph.read();
        let value = graph.value(self.id);
        let all = match value.kind() {
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => {
                self.objects(py, items)?
            }
            Kind::Dict(dict) => self.objects(py, dict.keys())?,
            Kind::Object(object) => self.objects(py, object.items().chain(object.entries().map(|(key, _)| key)))?,
            _ => return Err(PyTypeError::new_err(format!("a {} has no items", value.type_name()))),
        };
        Ok(all.try_iter()?.into_any())
    }

    /// Return the keys of a dict.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let graph = self.graph.read();
        self.objects(py, entries(graph.value(self.id)).into_iter().map(|(key, _)| key))
    }

    /// Return the values of a dict.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let graph = self.graph.read();
        self.objects(py, entries(graph.value(self.id)).into_iter().map(|(_, value)| value))
    }

    /// Return pairs of key and value of a dict.
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let graph = self.graph.read();
        let list = PyList::empty(py);
        for (key, value) in entries(graph.value(self.id)) {
            list.append((self.object(py, key)?, self.object(py, value)?))?;
        }
        Ok(list)
    }

    /// Return the value of a key, or `default`.
    #[pyo3(signature = (key, default = None, /))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.graph.read();
        let key = Plan::graph_of(key)?;
        match graph.value(self.id).get(key.root()) {
            Some(value) => self.object(py, value),
            None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// Return whether both are the same value of the same graph, as `is` does for objects.
    fn same_as(&self, other: &Node) -> bool {
        self.graph.is_same(&other.graph) && self.id == other.id
    }

    /// Return the value as plain Python data: lists, tuples, dicts and sets, with sharing and cycles as in the graph. Instances,
    /// globals and the like stay nodes.
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.graph.read();
        plain(py, &self.graph, graph.value(self.id))
    }

    /// Return the value as text, as `picklevm show` prints it.
    #[pyo3(signature = (*, depth = None, max_items = None, max_bytes = None, full = false, raw = false))]
    fn show(
        &self,
        py: Python<'_>,
        depth: Option<usize>,
        max_items: Option<usize>,
        max_bytes: Option<usize>,
        full: bool,
        raw: bool,
    ) -> String {
        let graph = self.graph.read();
        py.detach(|| show(graph.value(self.id), depth, max_items, max_bytes, full, raw))
    }

    fn __richcmp__<'py>(
        &self,
        py: Python<'py>,
        other: &Bound<'py, PyAny>,
        op: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        let not_implemented = || Ok(py.NotImplemented().into_bound(py));
        let equal = match (op, other.cast::<Node>()) {
            (CompareOp::Eq | CompareOp::Ne, Ok(other)) => {
                let other = other.get();
                let (mine, theirs) = (self.graph.read(), other.graph.read());
                py.detach(|| same_contents(mine.value(self.id), theirs.value(other.id)))
            }
            (CompareOp::Eq | CompareOp::Ne, Err(_)) if is_container(other) => {
                let (mine, theirs) = (self.graph.read(), Plan::graph_of(other)?);
                py.detach(|| same_contents(mine.value(self.id), theirs.root()))
            }
            _ => return not_implemented(),
        };
        (equal == matches!(op, CompareOp::Eq)).into_bound_py_any(py)
    }

    fn __repr__(&self) -> String {
        text::show(self.graph.read().value(self.id), Shown::SHORT)
    }

    fn _repr_html_(&self) -> String {
        let graph = self.graph.read();
        html::pre(&format!("picklevm.Node, {}", self.kind()), &text::show(graph.value(self.id), Shown::CELL))
    }
}

impl Node {
    /// How many items a list has.
    fn list_len(&self) -> Option<usize> {
        let graph = self.graph.read();
        sequence(graph.value(self.id)).map(|items| items.len())
    }
}

/// The class of an instance, also where another function makes it.
fn instance_class(object: Object<'_>) -> Option<picklevm::Global<'_>> {
    let view = object.value().view::<picklevm::typed::InstanceView<'_>>().ok();
    view.and_then(|view| view.class().as_global()).or_else(|| object.class().as_global())
}
