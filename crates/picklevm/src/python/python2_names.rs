//! Mapping between Python 2 and Python 3 names of modules, classes and functions: CPython's `_compat_pickle`.
//!
//! Pickles of protocols 0 to 2 hold Python 2 names, whichever Python wrote them (unless `fix_imports` was off). Reading
//! maps them to Python 3 names, writing maps them back.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

/// The direction in which a row of the tables applies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// Reading and writing.
    Both,
    /// Only from Python 2 names to Python 3 names.
    Reading,
    /// Only from Python 3 names to Python 2 names.
    Writing,
}

use Direction::{Both, Reading, Writing};

/// Which Python's names a global has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Python 2 names, which protocols below 3 hold.
    Python2,
    /// Python 3 names.
    Python3,
}

impl Names {
    /// Returns which names pickles of a protocol hold.
    pub(crate) fn of_protocol(protocol: u8) -> Names {
        if protocol < 3 { Names::Python2 } else { Names::Python3 }
    }
}

/// Maps a global to the names of `to`; `None` if they are the same.
pub(crate) fn renamed<'a>(module: &'a str, name: &'a str, to: Names) -> Option<(&'a str, &'a str)> {
    let map = match to {
        Names::Python2 => &*TO_PYTHON_2,
        Names::Python3 => &*TO_PYTHON_3,
    };
    match map.names.get(&(module, name)) {
        Some(&(module, name)) => Some((module, name)),
        None => map.modules.get(module).map(|&module| (module, name)),
    }
}

/// Maps a Python 2 global to its Python 3 module and name, as unpickling a protocol below 3 does.
///
/// ```
/// assert_eq!(picklevm::python3_name("__builtin__", "xrange"), ("builtins", "range"));
/// assert_eq!(picklevm::python3_name("collections", "deque"), ("collections", "deque"));
/// ```
pub fn python3_name<'a>(module: &'a str, name: &'a str) -> (&'a str, &'a str) {
    renamed(module, name, Names::Python3).unwrap_or((module, name))
}

/// One direction of the mapping. An entry for module and name takes precedence over one for the module alone.
struct Map {
    names: HashMap<(&'static str, &'static str), (&'static str, &'static str), RandomState>,
    modules: HashMap<&'static str, &'static str, RandomState>,
}

static TO_PYTHON_3: LazyLock<Map> =
    LazyLock::new(|| Map { names: names(Writing).collect(), modules: modules(Writing).collect() });

static TO_PYTHON_2: LazyLock<Map> = LazyLock::new(|| Map {
    names: names(Reading).map(|(two, three)| (three, two)).collect(),
    modules: modules(Reading).map(|(two, three)| (three, two)).collect(),
});

/// Modules of Python 2 and 3, without the rows of one direction.
fn modules(without: Direction) -> impl Iterator<Item = (&'static str, &'static str)> {
    MODULES.iter().filter(move |row| row.2 != without).map(|row| (row.0, row.1))
}

type Pair = (&'static str, &'static str);

/// Modules and names of Python 2 and 3, without the rows of one direction.
fn names(without: Direction) -> impl Iterator<Item = (Pair, Pair)> {
    let exceptions = EXCEPTIONS.iter().map(|name| (("exceptions", *name), ("builtins", *name)));
    NAMES.iter().filter(move |row| row.2 != without).map(|row| (row.0, row.1)).chain(exceptions)
}

/// Modules: `IMPORT_MAPPING` and `REVERSE_IMPORT_MAPPING`.
#[rustfmt::skip]
const MODULES: &[(&str, &str, Direction)] = &[
    ("BaseHTTPServer", "http.server", Both),
    ("CGIHTTPServer", "http.server", Reading),
    ("ConfigParser", "configparser", Both),
    ("Cookie", "http.cookies", Both),
    ("Dialog", "tkinter.dialog", Both),
    ("DocXMLRPCServer", "xmlrpc.server", Reading),
    ("FileDialog", "tkinter.filedialog", Reading),
    ("HTMLParser", "html.parser", Both),
    ("Queue", "queue", Both),
    ("ScrolledText", "tkinter.scrolledtext", Both),
    ("SimpleDialog", "tkinter.simpledialog", Reading),
    ("SimpleHTTPServer", "http.server", Reading),
    ("SimpleXMLRPCServer", "xmlrpc.server", Both),
    ("SocketServer", "socketserver", Both),
    ("StringIO", "io", Reading),
    ("Tkconstants", "tkinter.constants", Both),
    ("Tkdnd", "tkinter.dnd", Both),
    ("Tkinter", "tkinter", Both),
    ("UserDict", "collections", Reading),
    ("UserList", "collections", Reading),
    ("UserString", "collections", Reading),
    ("__builtin__", "builtins", Both),
    ("_abcoll", "collections.abc", Both),
    ("_elementtree", "xml.etree.ElementTree", Reading),
    ("_winreg", "winreg", Both),
    ("anydbm", "dbm", Both),
    ("cPickle", "pickle", Reading),
    ("cStringIO", "io", Reading),
    ("commands", "subprocess", Both),
    ("cookielib", "http.cookiejar", Both),
    ("copy_reg", "copyreg", Both),
    ("dbhash", "dbm.bsd", Both),
    ("dbm", "dbm.ndbm", Both),
    ("dumbdbm", "dbm.dumb", Both),
    ("dummy_thread", "_dummy_thread", Both),
    ("gdbm", "dbm.gnu", Both),
    ("htmlentitydefs", "html.entities", Both),
    ("httplib", "http.client", Both),
    ("markupbase", "_markupbase", Both),
    ("repr", "reprlib", Both),
    ("robotparser", "urllib.robotparser", Both),
    ("test.test_support", "test.support", Both),
    ("thread", "_thread", Both),
    ("tkColorChooser", "tkinter.colorchooser", Both),
    ("tkCommonDialog", "tkinter.commondialog", Both),
    ("tkFileDialog", "tkinter.filedialog", Both),
    ("tkFont", "tkinter.font", Both),
    ("tkMessageBox", "tkinter.messagebox", Both),
    ("tkSimpleDialog", "tkinter.simpledialog", Both),
    ("ttk", "tkinter.ttk", Both),
    ("urllib2", "urllib.request", Both),
    ("urlparse", "urllib.parse", Both),
    ("whichdb", "dbm", Reading),
    ("xmlrpclib", "xmlrpc.client", Both),
    ("bz2", "_bz2", Writing),
    ("dbm", "_dbm", Writing),
    ("functools", "_functools", Writing),
    ("gdbm", "_gdbm", Writing),
    ("pickle", "_pickle", Writing),
];

/// Modules with names: `NAME_MAPPING` and `REVERSE_NAME_MAPPING`.
#[rustfmt::skip]
const NAMES: &[(Pair, Pair, Direction)] = &[
    (("UserDict", "IterableUserDict"), ("collections", "UserDict"), Both),
    (("UserDict", "UserDict"), ("collections", "UserDict"), Reading),
    (("UserList", "UserList"), ("collections", "UserList"), Both),
    (("UserString", "UserString"), ("collections", "UserString"), Both),
    (("__builtin__", "basestring"), ("builtins", "str"), Reading),
    (("__builtin__", "intern"), ("sys", "intern"), Both),
    (("__builtin__", "long"), ("builtins", "int"), Both),
    (("__builtin__", "reduce"), ("functools", "reduce"), Both),
    (("__builtin__", "unichr"), ("builtins", "chr"), Both),
    (("__builtin__", "unicode"), ("builtins", "str"), Both),
    (("__builtin__", "xrange"), ("builtins", "range"), Both),
    (("_multiprocessing", "Connection"), ("multiprocessing.connection", "Connection"), Both),
    (("_socket", "fromfd"), ("socket", "fromfd"), Both),
    (("exceptions", "StandardError"), ("builtins", "Exception"), Reading),
    (("itertools", "ifilter"), ("builtins", "filter"), Both),
    (("itertools", "ifilterfalse"), ("itertools", "filterfalse"), Both),
    (("itertools", "imap"), ("builtins", "map"), Both),
    (("itertools", "izip"), ("builtins", "zip"), Both),
    (("itertools", "izip_longest"), ("itertools", "zip_longest"), Both),
    (("multiprocessing", "AuthenticationError"), ("multiprocessing.context", "AuthenticationError"), Both),
    (("multiprocessing", "BufferTooShort"), ("multiprocessing.context", "BufferTooShort"), Both),
    (("multiprocessing", "ProcessError"), ("multiprocessing.context", "ProcessError"), Both),
    (("multiprocessing", "TimeoutError"), ("multiprocessing.context", "TimeoutError"), Both),
    (("multiprocessing.forking", "Popen"), ("multiprocessing.popen_fork", "Popen"), Both),
    (("multiprocessing.process", "Process"), ("multiprocessing.context", "Process"), Both),
    (("socket", "_socketobject"), ("socket", "SocketType"), Reading),
    (("urllib", "ContentTooShortError"), ("urllib.error", "ContentTooShortError"), Both),
    (("urllib", "getproxies"), ("urllib.request", "getproxies"), Both),
    (("urllib", "pathname2url"), ("urllib.request", "pathname2url"), Both),
    (("urllib", "quote"), ("urllib.parse", "quote"), Both),
    (("urllib", "quote_plus"), ("urllib.parse", "quote_plus"), Both),
    (("urllib", "unquote"), ("urllib.parse", "unquote"), Both),
    (("urllib", "unquote_plus"), ("urllib.parse", "unquote_plus"), Both),
    (("urllib", "url2pathname"), ("urllib.request", "url2pathname"), Both),
    (("urllib", "urlcleanup"), ("urllib.request", "urlcleanup"), Both),
    (("urllib", "urlencode"), ("urllib.parse", "urlencode"), Both),
    (("urllib", "urlopen"), ("urllib.request", "urlopen"), Both),
    (("urllib", "urlretrieve"), ("urllib.request", "urlretrieve"), Both),
    (("urllib2", "HTTPError"), ("urllib.error", "HTTPError"), Both),
    (("urllib2", "URLError"), ("urllib.error", "URLError"), Both),
    (("whichdb", "whichdb"), ("dbm", "whichdb"), Both),
    (("__builtin__", "reduce"), ("_functools", "reduce"), Writing),
    (("socket", "_socketobject"), ("_socket", "socket"), Writing),
    (("exceptions", "OSError"), ("builtins", "BrokenPipeError"), Writing),
    (("exceptions", "OSError"), ("builtins", "ChildProcessError"), Writing),
    (("exceptions", "OSError"), ("builtins", "ConnectionAbortedError"), Writing),
    (("exceptions", "OSError"), ("builtins", "ConnectionError"), Writing),
    (("exceptions", "OSError"), ("builtins", "ConnectionRefusedError"), Writing),
    (("exceptions", "OSError"), ("builtins", "ConnectionResetError"), Writing),
    (("exceptions", "OSError"), ("builtins", "FileExistsError"), Writing),
    (("exceptions", "OSError"), ("builtins", "FileNotFoundError"), Writing),
    (("exceptions", "OSError"), ("builtins", "InterruptedError"), Writing),
    (("exceptions", "OSError"), ("builtins", "IsADirectoryError"), Writing),
    (("exceptions", "ImportError"), ("builtins", "ModuleNotFoundError"), Writing),
    (("exceptions", "OSError"), ("builtins", "NotADirectoryError"), Writing),
    (("exceptions", "OSError"), ("builtins", "PermissionError"), Writing),
    (("exceptions", "OSError"), ("builtins", "ProcessLookupError"), Writing),
    (("exceptions", "OSError"), ("builtins", "TimeoutError"), Writing),
    (("CGIHTTPServer", "CGIHTTPRequestHandler"), ("http.server", "CGIHTTPRequestHandler"), Writing),
    (("SimpleHTTPServer", "SimpleHTTPRequestHandler"), ("http.server", "SimpleHTTPRequestHandler"), Writing),
    (("FileDialog", "FileDialog"), ("tkinter.filedialog", "FileDialog"), Writing),
    (("FileDialog", "LoadFileDialog"), ("tkinter.filedialog", "LoadFileDialog"), Writing),
    (("FileDialog", "SaveFileDialog"), ("tkinter.filedialog", "SaveFileDialog"), Writing),
    (("SimpleDialog", "SimpleDialog"), ("tkinter.simpledialog", "SimpleDialog"), Writing),
    (("DocXMLRPCServer", "DocCGIXMLRPCRequestHandler"), ("xmlrpc.server", "DocCGIXMLRPCRequestHandler"), Writing),
    (("DocXMLRPCServer", "DocXMLRPCRequestHandler"), ("xmlrpc.server", "DocXMLRPCRequestHandler"), Writing),
    (("DocXMLRPCServer", "DocXMLRPCServer"), ("xmlrpc.server", "DocXMLRPCServer"), Writing),
    (("DocXMLRPCServer", "ServerHTMLDoc"), ("xmlrpc.server", "ServerHTMLDoc"), Writing),
    (("DocXMLRPCServer", "XMLRPCDocGenerator"), ("xmlrpc.server", "XMLRPCDocGenerator"), Writing),
];

/// Exceptions, which moved from `exceptions` to `builtins`.
const EXCEPTIONS: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BufferError",
    "BytesWarning",
    "DeprecationWarning",
    "EOFError",
    "EnvironmentError",
    "Exception",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "NameError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "ReferenceError",
    "RuntimeError",
    "RuntimeWarning",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "UnicodeWarning",
    "UserWarning",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The mappings as CPython 3.13's `_compat_pickle` holds them: direction, then the names before and after.
    const GOLDEN: &str = include_str!("../../tests/data/compat_pickle.txt");

    #[test]
    fn the_tables_are_those_of_cpython() {
        let mut rows: Vec<String> = Vec::new();
        for (map, direction) in [(&TO_PYTHON_3, "reading"), (&TO_PYTHON_2, "writing")] {
            rows.extend(map.modules.iter().map(|(from, to)| format!("{direction} {from} -> {to}")));
            rows.extend(
                map.names.iter().map(|(from, to)| format!("{direction} {} {} -> {} {}", from.0, from.1, to.0, to.1)),
            );
        }
        rows.sort();
        assert_eq!(rows.join("\n"), GOLDEN.trim_end());
    }

    #[test]
    fn module_and_name_take_precedence_over_the_module() {
        assert_eq!(renamed("__builtin__", "xrange", Names::Python3), Some(("builtins", "range")));
        assert_eq!(renamed("__builtin__", "set", Names::Python3), Some(("builtins", "set")));
        assert_eq!(renamed("builtins", "FileNotFoundError", Names::Python2), Some(("exceptions", "OSError")));
        assert_eq!(renamed("collections", "OrderedDict", Names::Python2), None);
    }
}
