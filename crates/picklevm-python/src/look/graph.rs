//! `picklevm.graph`: the symbolic graph of a pickle as a Python object.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use picklevm::literal::Strings;
use picklevm::ops::Renames;
use picklevm::{Encoding, Id, Path, Pickler, PicklerVersion, Protocol, Unpickler, Value};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::files;
use super::from_python::Plan;
use super::given::{graph_error, load_error, system_error};
use super::html;
use super::text::{self, Shown};
use super::to_python::{plain, to_object};

/// The symbolic graph of a pickle: its values, with globals as names and instances as what the pickle says of them.
///
/// Nothing is imported or called. `graph.root` is the value of the pickle: numbers, text and bytes are Python's own, all others are
/// nodes of the graph. A value in several places is one node. `graph[path]` reads, sets and deletes by path, as in
/// `graph["cart[0].price"]`. `graph.dumps()` writes the pickle again.
///
/// Graph(value) makes a new graph of a Python value.
#[pyclass(frozen, module = "picklevm")]
pub(crate) struct Graph {
    /// Never locked while Python code may run.
    graph: Arc<Mutex<picklevm::Graph>>,
    name: Arc<str>,
}

/// Read a pickle, given as bytes or as the path of a file, as a symbolic graph. Nothing is imported or called.
///
/// A file may be of any format that `picklevm.open` reads; of several pickles in a row it is the first. `encoding` decodes the
/// 8-bit strings of Python 2: "utf-8", "latin1", "ascii" or "bytes"; without it they are kept, and come out as bytes.
///
/// >>> graph = picklevm.graph("session.pkl")
/// >>> graph["user.name"]
/// 'Alice'
#[pyfunction]
#[pyo3(signature = (path_or_bytes, *, encoding = None))]
pub(crate) fn graph(py: Python<'_>, path_or_bytes: &Bound<'_, PyAny>, encoding: Option<&str>) -> PyResult<Graph> {
    files::main_pickle(py, path_or_bytes)?.graph(py, encoding)
}

impl Graph {
    pub(crate) fn new(graph: picklevm::Graph, name: &str) -> Graph {
        Graph { graph: Arc::new(Mutex::new(graph)), name: name.into() }
    }

    /// Loads a pickle that begins at this offset of its member.
    pub(crate) fn load(
        py: Python<'_>,
        data: Bytes,
        name: &str,
        offset: u64,
        encoding: Option<&str>,
    ) -> PyResult<Graph> {
        let unpickler = match encoding {
            None => Unpickler::new(),
            Some(name) => Unpickler::new().encoding(encoding_of(name)?),
        };
        let loaded = py.detach(|| unpickler.load_bytes(data));
        let graph = loaded.map_err(|error| load_error(py, name, &error.offset_by(offset)))?;
        Ok(Graph::new(graph, name))
    }

    /// A handle on the graph as it is now. A change while one is kept is made to a copy.
    pub(crate) fn read(&self) -> picklevm::Graph {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the graph. No Python code may run in `change`.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut picklevm::Graph) -> picklevm::Result<T>) -> PyResult<T> {
        let mut graph = self.graph.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut graph).map_err(|error| graph_error(&error))
    }

    /// A second Python object on the same graph, for its nodes.
    pub(crate) fn same(&self) -> Graph {
        Graph { graph: Arc::clone(&self.graph), name: Arc::clone(&self.name) }
    }

    /// Whether both are on the same graph.
    pub(crate) fn is_same(&self, other: &Graph) -> bool {
        Arc::ptr_eq(&self.graph, &other.graph)
    }

    /// Adds a Python value to the graph.
    pub(crate) fn add(&self, value: &Bound<'_, PyAny>) -> PyResult<Id> {
        let plan = Plan::new(value, self)?;
        self.change(|graph| plan.build(graph))
    }

    fn value_at<'g>(&self, graph: &'g picklevm::Graph, path: &str) -> PyResult<Value<'g>> {
        let path = parse(path)?;
        path.resolve(graph.root()).map_err(|error| graph_error(&error))
    }
}

fn encoding_of(name: &str) -> PyResult<Encoding> {
    match name.to_lowercase().replace(['-', '_'], "").as_str() {
        "utf8" => Ok(Encoding::Utf8),
        "latin1" | "iso88591" => Ok(Encoding::Latin1),
        "ascii" => Ok(Encoding::Ascii),
        "bytes" => Ok(Encoding::Bytes),
        _ => Err(PyValueError::new_err(format!("encoding: expected utf-8, latin1, ascii or bytes, found {name:?}"))),
    }
}

fn parse(path: &str) -> PyResult<Path> {
    Path::parse(path).map_err(|error| PyValueError::new_err(format!("the path {path:?}: {error}")))
}

/// The pickler for a protocol and a writer: those of the loaded pickle and of the newest CPython unless they are given.
fn pickler(graph: &picklevm::Graph, protocol: Option<u8>, writer: Option<&str>) -> PyResult<Pickler> {
    let protocol = match protocol {
        Some(number) => Protocol::try_from(number).map_err(|error| PyValueError::new_err(error.to_string()))?,
        None => graph.protocol().unwrap_or_default(),
    };
    let mut pickler = Pickler::new().protocol(protocol);
    if let Some(writer) = writer {
        let version = PicklerVersion::from_str(writer);
        pickler = pickler.writer(version.map_err(|error| PyValueError::new_err(error.to_string()))?);
    }
    Ok(pickler)
}

#[pymethods]
impl Graph {
    #[new]
    #[pyo3(signature = (value = None, /))]
    fn make(value: Option<&Bound<'_, PyAny>>) -> PyResult<Graph> {
        let graph = Graph::new(picklevm::Graph::new(), "<new>");
        if let Some(value) = value {
            let root = graph.add(value)?;
            graph.change(|graph| Ok(graph.set_root(root)))?;
        }
        Ok(graph)
    }

    /// What the pickle is called: the path of its file and where it is in it.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The value of the pickle.
    #[getter]
    fn root<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.read();
        to_object(py, self, graph.root())
    }

    #[setter]
    fn set_root(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let root = self.add(value)?;
        self.change(|graph| Ok(graph.set_root(root))).map(drop)
    }

    /// The protocol of the pickle; None of a new graph.
    #[getter]
    fn protocol(&self) -> Option<u8> {
        self.read().protocol().map(u8::from)
    }

    /// How many values the graph has that have a place of their own.
    #[getter]
    fn node_count(&self) -> usize {
        self.read().node_count()
    }

    /// The memory of the graph in bytes, without what it shares with the input.
    #[getter]
    fn memory(&self) -> usize {
        self.read().held_bytes()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.read();
        to_object(py, self, self.value_at(&graph, path)?)
    }

    fn __setitem__(&self, path: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let (path, value) = (parse(path)?, self.add(value)?);
        self.change(|graph| graph.set_at(&path, value))
    }

    fn __delitem__(&self, path: &str) -> PyResult<()> {
        let path = parse(path)?;
        self.change(|graph| graph.remove_at(&path))
    }

    fn __contains__(&self, path: &str) -> PyResult<bool> {
        let graph = self.read();
        Ok(parse(path)?.get(graph.root()).is_some())
    }

    /// Return the value at a path, or `default`.
    #[pyo3(signature = (path, default = None, /))]
    fn get<'py>(&self, py: Python<'py>, path: &str, default: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.read();
        match parse(path)?.get(graph.root()) {
            Some(value) => to_object(py, self, value),
            None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// Return all values that a path with wildcards leads to, as pairs of path and value: `[*]` is every item, `.**` everything
    /// below.
    fn find<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        let (graph, path) = (self.read(), parse(path)?);
        let found = py.detach(|| {
            let pair = |(path, value): (Path, Value<'_>)| (path.to_string(), value.id());
            path.find(graph.root()).into_iter().map(pair).collect::<Vec<_>>()
        });
        found.into_iter().map(|(path, id)| Ok((path, to_object(py, self, graph.value(id))?))).collect()
    }

    /// Return an iterator over every value and its path, as pairs: shortest paths first. A value in several places is there once,
    /// unless it is a number, text or bytes. The iterator is over the graph as it is now.
    fn walk(&self, py: Python<'_>) -> Walk {
        let graph = self.read();
        let places = py.detach(|| {
            graph.walk().iter().map(|place| (place.path().to_string().into(), place.value().id())).collect::<Vec<_>>()
        });
        Walk { graph: self.same(), handle: graph, places: Mutex::new(places.into_iter()) }
    }

    /// Append a value to the list at a path, or add it to the set there.
    fn append(&self, path: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let (path, value) = (parse(path)?, self.add(value)?);
        self.change(|graph| graph.append_at(&path, value))
    }

    /// Insert a value into a list before a path, which ends with a position.
    fn insert(&self, path: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let (path, value) = (parse(path)?, self.add(value)?);
        self.change(|graph| graph.insert_at(&path, value))
    }

    /// Give classes, functions and modules other names, and return how many globals were renamed.
    ///
    /// `names` maps old names to new ones: {"shop.Cart": "store.Basket", "oldpackage": "newpackage"}. The longest old name decides. A
    /// new name may have a colon where the name begins in its module: "package.module:Outer.Inner".
    fn rename(&self, names: &Bound<'_, PyDict>) -> PyResult<usize> {
        let mut lines = String::new();
        for (old, new) in names {
            lines.push_str(&format!("{}={}\n", old.extract::<String>()?, new.extract::<String>()?));
        }
        let renames = Renames::parse(&lines).map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.change(|graph| graph.rename_globals(&renames))
    }

    /// Read a value in Python's syntax, as `repr` prints it, and return it as a node of this graph: instances and dates too.
    ///
    /// >>> graph["price"] = graph.literal("decimal.Decimal('9.99')")
    fn literal<'py>(&self, py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
        let id = self.change(|graph| {
            let strings = if graph.has_byte_strings() { Strings::Bytes } else { Strings::Text };
            graph.add_literal(text, strings)
        });
        let id = id.map_err(|error| PyValueError::new_err(error.value(py).to_string()))?;
        let graph = self.read();
        to_object(py, self, graph.value(id))
    }

    /// Return the pickle of the graph as bytes.
    ///
    /// `protocol` is that of the loaded pickle unless it is given. `writer` names the pickler whose bytes are written, such as
    /// "3.8-c" or "2.7-py": of CPython 2.7 and 3.6 to 3.15.
    #[pyo3(signature = (protocol = None, *, writer = None))]
    fn dumps<'py>(&self, py: Python<'py>, protocol: Option<u8>, writer: Option<&str>) -> PyResult<Bound<'py, PyBytes>> {
        let graph = self.read();
        let pickler = pickler(&graph, protocol, writer)?;
        let data = py.detach(|| pickler.to_bytes(graph.root())).map_err(|error| graph_error(&error))?;
        Ok(PyBytes::new(py, &data))
    }

    /// Write the pickle of the graph to the file at a path: see `dumps`.
    #[pyo3(signature = (path, protocol = None, *, writer = None))]
    fn dump(&self, py: Python<'_>, path: PathBuf, protocol: Option<u8>, writer: Option<&str>) -> PyResult<()> {
        let graph = self.read();
        let pickler = pickler(&graph, protocol, writer)?;
        let data = py.detach(|| pickler.to_bytes(graph.root())).map_err(|error| graph_error(&error))?;
        let written = py.detach(|| std::fs::write(&path, &data));
        written.map_err(|error| system_error(&error, &path.display().to_string()))
    }

    /// Return the plain Python data of the graph: see `Node.to_python`.
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.read();
        plain(py, self, graph.root())
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
        let graph = self.read();
        py.detach(|| show(graph.root(), depth, max_items, max_bytes, full, raw))
    }

    fn __repr__(&self) -> String {
        text::show(self.read().root(), Shown::SHORT)
    }

    fn _repr_html_(&self) -> String {
        let graph = self.read();
        let title = format!("picklevm.Graph of {}: {} values", self.name, graph.node_count());
        html::pre(&title, &text::show(graph.root(), Shown::CELL))
    }
}

/// Text of a value with the options of `picklevm show`.
pub(crate) fn show(
    value: Value<'_>,
    depth: Option<usize>,
    max_items: Option<usize>,
    max_bytes: Option<usize>,
    full: bool,
    raw: bool,
) -> String {
    let mut pretty = text::pretty(value);
    if full {
        pretty = pretty.full();
    }
    if raw {
        pretty = pretty.raw();
    }
    pretty = depth.map_or(pretty, |levels| pretty.max_depth(levels));
    pretty = max_items.map_or(pretty, |items| pretty.max_items(items));
    pretty = max_bytes.map_or(pretty, |bytes| pretty.max_bytes(bytes));
    text::write(&pretty, if full { usize::MAX } else { SHOWN })
}

/// Bytes that `show` returns unless all is wanted, as the program prints.
const SHOWN: usize = 16 << 20;

/// An iterator over the values of a graph and their paths.
#[pyclass(frozen, module = "picklevm")]
pub(crate) struct Walk {
    graph: Graph,
    handle: picklevm::Graph,
    places: Mutex<std::vec::IntoIter<(Box<str>, Id)>>,
}

#[pymethods]
impl Walk {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<(String, Bound<'py, PyAny>)>> {
        let next = self.places.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some((path, id)) = next else { return Ok(None) };
        Ok(Some((path.into(), to_object(py, &self.graph, self.handle.value(id))?)))
    }

    fn __length_hint__(&self) -> usize {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// A KeyError for what is not there.
pub(crate) fn missing(key: &Bound<'_, PyAny>) -> PyErr {
    PyKeyError::new_err(key.clone().unbind())
}
