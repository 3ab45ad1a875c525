//! `picklevm.open`: what a file holds. `picklevm.dis`: the ops of a pickle.

use picklevm_files::{Contents, Entry};
use picklevm_ops::Disassembler;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::given::{Given, file_error, unpickling};
use super::graph::Graph;
use super::html;

/// The column at which annotations begin, as in `python -m pickletools`.
const ANNOTATE_COLUMN: usize = 30;
/// Rows of a table in a notebook.
const ROWS: usize = 100;

/// A file that holds pickles: a pickle, an archive, a compressed file, a checkpoint.
///
/// Iterating over it yields its members. Only what is asked for is read.
#[pyclass(frozen, module = "picklevm")]
pub(crate) struct File {
    /// Its path, or "<bytes>".
    #[pyo3(get)]
    name: String,
    file: picklevm_files::File,
}

/// A part of a file: a member of an archive, what a compressed file holds, or the file itself.
#[pyclass(frozen, module = "picklevm")]
pub(crate) struct Member {
    member: picklevm_files::Member,
    file: String,
    kind: &'static str,
    /// The number of pickles in it.
    #[pyo3(get)]
    pickle_count: usize,
    /// Why it cannot be read, or not as a whole.
    #[pyo3(get)]
    problem: Option<String>,
}

/// One pickle of a file.
#[pyclass(frozen, module = "picklevm")]
pub(crate) struct Pickle {
    pickle: picklevm_files::Pickle,
    file: String,
}

/// Open a file that holds pickles, given by its path or as bytes, and list its members.
///
/// The format is recognised by its content: pickles, .npy, .npz, joblib, PyTorch, zip, tar, gzip, bzip2, xz, zstd and others.
/// Nothing is imported or called.
///
/// >>> for member in picklevm.open("model.pt"):
/// ...     print(member.path, member.kind, member.size)
#[pyfunction]
pub(crate) fn open(py: Python<'_>, path_or_bytes: &Bound<'_, PyAny>) -> PyResult<File> {
    let given = Given::new(path_or_bytes)?;
    let name = given.name();
    Ok(File { name, file: given.open(py)? })
}

/// Return the opcodes of a pickle as text, one a line, as `python -m pickletools` prints them.
///
/// The pickle is given as bytes, or the file by its path. `annotate` ends each line with a sentence on its opcode. If the
/// pickle breaks, the attribute `text` of the exception has the lines up to there.
#[pyfunction]
#[pyo3(signature = (path_or_bytes, *, annotate = false, indent = 4))]
pub(crate) fn dis(py: Python<'_>, path_or_bytes: &Bound<'_, PyAny>, annotate: bool, indent: usize) -> PyResult<String> {
    main_pickle(py, path_or_bytes)?.dis(py, annotate, indent)
}

/// The pickle that people mean of a file.
pub(crate) fn main_pickle(py: Python<'_>, path_or_bytes: &Bound<'_, PyAny>) -> PyResult<Pickle> {
    open(py, path_or_bytes)?.main(py)
}

impl File {
    /// Every member, with what is wrong with it.
    fn entries(&self, py: Python<'_>) -> Vec<(picklevm_files::Member, Result<Contents, picklevm_files::Error>)> {
        py.detach(|| self.file.walk().map(|Entry { member, contents, .. }| (member, contents)).collect())
    }
}

#[pymethods]
impl File {
    /// The members: the file itself, then what it holds, depth first.
    #[getter]
    fn members(&self, py: Python<'_>) -> Vec<Member> {
        let member = |(member, contents): (picklevm_files::Member, Result<Contents, picklevm_files::Error>)| {
            let (kind, pickle_count, problem) = match &contents {
                Ok(contents) => {
                    let inner = contents.pickles().iter().find_map(|pickle| pickle.problem());
                    let problem = inner.or(contents.problem()).map(ToString::to_string);
                    (contents.kind().name(), contents.pickles().len(), problem)
                }
                Err(error) => ("unreadable", 0, Some(error.to_string())),
            };
            Member { member, file: self.name.clone(), kind, pickle_count, problem }
        };
        self.entries(py).into_iter().map(member).collect()
    }

    /// Every pickle of every member.
    #[getter]
    fn pickles(&self, py: Python<'_>) -> Vec<Pickle> {
        let all = self.entries(py).into_iter().filter_map(|(_, contents)| contents.ok());
        all.flat_map(|contents| contents.pickles().to_vec())
            .map(|pickle| Pickle { pickle, file: self.name.clone() })
            .collect()
    }

    /// The pickle that people mean: the only one, the first of several in a row, or the `data.pkl` of a checkpoint.
    #[getter]
    pub(crate) fn main(&self, py: Python<'_>) -> PyResult<Pickle> {
        let mut mains: Vec<picklevm_files::Pickle> = Vec::new();
        let mut problem = None;
        for (member, contents) in self.entries(py) {
            match contents {
                Ok(contents) => {
                    let pickles = contents.pickles();
                    let main = pickles.iter().find(|pickle| pickle.is_main()).or(pickles.first());
                    // A member may be listed twice: as a file in an archive, and as what it holds.
                    mains.extend(main.filter(|main| !mains.iter().any(|other| other.path() == main.path())).cloned());
                }
                Err(error) if member.expects_pickle() => problem = problem.or(Some(error)),
                Err(_) => {}
            }
        }
        match mains.len() {
            0 => Err(match problem.map_or_else(|| self.file.root().explain(), Err) {
                Ok(error) | Err(error) => file_error(py, &self.name, &error),
            }),
            1 => Ok(Pickle { pickle: mains.swap_remove(0), file: self.name.clone() }),
            _ => {
                let members: Vec<_> = mains.iter().take(8).map(|pickle| format!("{:?}", pickle.path())).collect();
                let more = if mains.len() > 8 { ", ..." } else { "" };
                let message = "several members hold pickles, choose one: picklevm.open(...)[NAME].pickles[0]";
                Err(pyo3::exceptions::PyValueError::new_err(format!(
                    "{}: {message}; there are {}{more}",
                    self.name,
                    members.join(", ")
                )))
            }
        }
    }

    /// The graph of the pickle that people mean: see `picklevm.graph`.
    fn graph(&self, py: Python<'_>) -> PyResult<Graph> {
        self.main(py)?.graph(py, None)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        PyList::new(py, self.members(py))?.call_method0("__iter__")
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.entries(py).len()
    }

    /// The member with this path.
    fn __getitem__(&self, py: Python<'_>, path: &str) -> PyResult<Member> {
        let found = self.members(py).into_iter().rfind(|member| member.member.path() == path);
        found.ok_or_else(|| PyKeyError::new_err(path.to_owned()))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let lines = self.members(py).iter().map(|member| format!("\n  {}", member.line())).collect::<String>();
        format!("<picklevm.File {}>{lines}", self.name)
    }

    fn _repr_html_(&self, py: Python<'_>) -> String {
        let rows: Vec<Vec<String>> = self.members(py).iter().map(Member::row).collect();
        html::table(&self.name, &["member", "kind", "size", "offset", "pickles", "problem"], &rows, ROWS)
    }
}

impl Member {
    fn shown_path(&self) -> String {
        match self.member.path() {
            "" => self.file.clone(),
            path => path.to_owned(),
        }
    }

    fn row(&self) -> Vec<String> {
        let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        vec![
            "\u{2003}".repeat(self.member.depth() as usize) + &self.shown_path(),
            self.kind.to_owned(),
            number(self.size()),
            number(self.offset()),
            self.pickle_count.to_string(),
            self.problem.clone().unwrap_or_default(),
        ]
    }

    fn line(&self) -> String {
        let mut parts = vec![self.kind.to_owned()];
        parts.extend(self.size().map(|size| format!("{size} bytes")));
        parts.extend(self.offset().filter(|_| self.member.depth() > 0).map(|offset| format!("at {offset}")));
        match self.pickle_count {
            0 => {}
            1 => parts.push("1 pickle".to_owned()),
            count => parts.push(format!("{count} pickles")),
        }
        parts.extend(self.problem.as_ref().map(|problem| format!("[{problem}]")));
        let indent = "  ".repeat(self.member.depth() as usize);
        format!("{indent}{}: {}", self.shown_path().escape_debug(), parts.join(", "))
    }
}

#[pymethods]
impl Member {
    /// Its name in the archive that it lies in; empty for the file itself and for what a compressed file holds.
    #[getter]
    fn name(&self) -> &str {
        self.member.name()
    }

    /// The names of all archives down to it; empty for the file itself.
    #[getter]
    fn path(&self) -> &str {
        self.member.path()
    }

    /// Its format: "pickle", "zip", "gzip", "data", …
    #[getter]
    fn kind(&self) -> &str {
        self.kind
    }

    /// Its length, if that is known without decompressing it.
    #[getter]
    fn size(&self) -> Option<u64> {
        self.member.len()
    }

    /// The offset in the file, if it is not compressed.
    #[getter]
    fn offset(&self) -> Option<u64> {
        self.member.place().map(|place| place.offset)
    }

    /// The number of archives around it.
    #[getter]
    fn depth(&self) -> u32 {
        self.member.depth()
    }

    /// Its bytes.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.member.bytes()).map_err(|error| file_error(py, &self.file, &error))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The pickles that it holds.
    #[getter]
    fn pickles(&self, py: Python<'_>) -> PyResult<Vec<Pickle>> {
        let contents = py.detach(|| self.member.open()).map_err(|error| file_error(py, &self.file, &error))?;
        Ok(contents.pickles().iter().map(|pickle| Pickle { pickle: pickle.clone(), file: self.file.clone() }).collect())
    }

    fn __repr__(&self) -> String {
        format!("<picklevm.Member {}>", self.line().trim_start())
    }
}

impl Pickle {
    /// The name of the pickle in messages.
    fn called(&self) -> String {
        match (self.pickle.path(), self.pickle.offset()) {
            ("", 0) => self.file.clone(),
            ("", offset) => format!("{} at {offset}", self.file),
            (path, 0) => format!("{}: {path}", self.file),
            (path, offset) => format!("{}: {path} at {offset}", self.file),
        }
    }

    pub(crate) fn bytes(&self, py: Python<'_>) -> PyResult<bytes::Bytes> {
        py.detach(|| self.pickle.bytes()).map_err(|error| file_error(py, &self.file, &error))
    }
}

#[pymethods]
impl Pickle {
    /// The path of its member; empty for the file itself.
    #[getter]
    fn member(&self) -> &str {
        self.pickle.path()
    }

    /// The offset in its member.
    #[getter]
    fn offset(&self) -> u64 {
        self.pickle.offset()
    }

    /// Its length.
    #[getter]
    fn size(&self) -> u64 {
        self.pickle.len()
    }

    /// Its protocol, or where it names none that of its newest opcode.
    #[getter]
    fn protocol(&self) -> u8 {
        self.pickle.protocol()
    }

    /// What it is in its file, where several belong together: "magic number", "storage keys", …
    #[getter]
    fn role(&self) -> Option<&'static str> {
        self.pickle.role()
    }

    /// Why no STOP can be reached.
    #[getter]
    fn problem(&self) -> Option<String> {
        self.pickle.problem().map(ToString::to_string)
    }

    /// Its bytes.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.bytes(py)?))
    }

    /// Its symbolic graph: see `picklevm.graph`.
    #[pyo3(signature = (*, encoding = None))]
    pub(crate) fn graph(&self, py: Python<'_>, encoding: Option<&str>) -> PyResult<Graph> {
        Graph::load(py, self.bytes(py)?, &self.called(), self.pickle.offset(), encoding)
    }

    /// Its opcodes: see `picklevm.dis`.
    #[pyo3(signature = (*, annotate = false, indent = 4))]
    pub(crate) fn dis(&self, py: Python<'_>, annotate: bool, indent: usize) -> PyResult<String> {
        let bytes = self.bytes(py)?;
        let base = usize::try_from(self.pickle.offset()).unwrap_or(usize::MAX);
        let (done, text) = py.detach(|| {
            let column = if annotate { ANNOTATE_COLUMN } else { 0 };
            let mut disassembler = Disassembler::new().indent_level(indent).annotate(column);
            disassembler.set_base(base);
            let mut out = Vec::new();
            let done = disassembler.dis(&bytes, &mut out).map(drop);
            (done, String::from_utf8_lossy(&out).into_owned())
        });
        match done {
            Ok(()) => Ok(text),
            Err(error) => {
                let error = unpickling(py, format!("{}: {error}", self.called()));
                error.value(py).setattr("text", text)?;
                Err(error)
            }
        }
    }

    fn __repr__(&self) -> String {
        let pickle = &self.pickle;
        let (called, size, protocol) = (self.called(), pickle.len(), pickle.protocol());
        format!("<picklevm.Pickle {}: {size} bytes, protocol {protocol}>", called.escape_debug())
    }
}
