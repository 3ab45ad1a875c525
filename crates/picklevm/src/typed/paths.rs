//! Paths of `pathlib`.
//!
//! Python up to 3.12 pickles the parts of a path. Python 3.13 pickles the strings that it was created from, under the
//! module name `pathlib._local`, which versions up to 3.12 do not have.

use std::fmt;
use std::path::PathBuf;

use super::Reduce;
use super::builtins::text;
use super::iterables::MAX_CALLS;
use super::reduce_helpers::typed;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::InstanceView;
use crate::graph::{Arena, Cell, Id, Items, Kind, Value};
use crate::protocol::Protocol;
use crate::python::{Class, Flavour};

/// View of a `pathlib` path. `PurePath(…)` and `Path(…)` are paths of the platform that this program runs on, as in
/// Python.
///
/// ```
/// use picklevm::typed::{Flavour, Path};
///
/// let graph = picklevm::loads(b"\x80\x04\x8c\x07pathlib\x8c\rPurePosixPath\x93\x8c\x01/\x8c\x03etc\x86R.")?;
/// let path: Path = graph.root().view()?;
/// assert_eq!(path.flavour(), Flavour::PurePosix);
/// assert_eq!(path.to_string(), "/etc");
///
/// let path = Path::new(Flavour::PureWindows, r"c:/a\b");
/// assert_eq!(path.to_string(), r"c:\a\b");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone)]
pub struct Path<'g> {
    flavour: Flavour,
    segments: Segments<'g>,
}

#[derive(Clone)]
enum Segments<'g> {
    Written(String),
    Pickled(Items<'g>),
    /// Those of a path that is made of other paths.
    Expanded(Vec<String>),
}

impl<'g> Path<'g> {
    /// Creates a path from text.
    pub fn new(flavour: Flavour, path: &str) -> Path<'g> {
        Path { flavour, segments: Segments::Written(path.to_owned()) }
    }

    /// Returns the class.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Returns the strings that the path is joined from: its parts, or whole paths. Invalid Unicode is replaced with
    /// U+FFFD.
    pub fn segments(&self) -> impl Iterator<Item = String> + '_ {
        let (written, pickled): (&[String], _) = match &self.segments {
            Segments::Written(path) => (std::slice::from_ref(path), None),
            Segments::Expanded(paths) => (paths, None),
            Segments::Pickled(items) => (&[], Some(*items)),
        };
        written.iter().cloned().chain(pickled.into_iter().flatten().map(segment))
    }

    /// Returns the path like Python's `str`, if it is valid Unicode. Python decodes other bytes of file names to lone
    /// surrogates (PEP 383), which [`to_string`](ToString::to_string) replaces with U+FFFD.
    pub fn to_str(&self) -> Option<String> {
        let is_unicode = match self.segments {
            Segments::Written(_) | Segments::Expanded(_) => true,
            Segments::Pickled(mut items) => items.all(|item| text(item).is_some()),
        };
        is_unicode.then(|| self.to_string())
    }

    /// Accepts texts and other paths.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Path<'g>> {
        let Class::Path(flavour) = instance.result_class() else { return None };
        let [segments, more] = segments(instance)?;
        let mut kinds = segments.map(Value::kind);
        if more.is_empty() && kinds.all(|kind| matches!(kind, Kind::Str(_) | Kind::ByteStr(_))) {
            return Some(Path { flavour, segments: Segments::Pickled(segments) });
        }
        let mut expansion = Expansion { inner: 0, len: 0 };
        let paths = expansion.expand(segments.chain(more), flavour.is_windows(), MAX_CALLS)?;
        Some(Path { flavour, segments: Segments::Expanded(paths) })
    }
}

/// Maximum number of paths inside a path, and of bytes in it if there are any.
const MAX_INNER: usize = 100;
const MAX_EXPANDED_BYTES: usize = 1 << 20;

/// The size of a path that is made of paths.
struct Expansion {
    inner: usize,
    len: usize,
}

impl Expansion {
    /// Replaces paths among segments by their segments, as `PurePath` does: one of the other syntax by its text.
    fn expand<'g>(
        &mut self,
        segments: impl Iterator<Item = Value<'g>>,
        is_windows: bool,
        calls: u8,
    ) -> Option<Vec<String>> {
        let mut expanded = Vec::new();
        for item in segments {
            if let Some(text) = text(item) {
                self.len += text.len();
                if self.len > MAX_EXPANDED_BYTES {
                    return None;
                }
                expanded.push(text.to_owned());
                continue;
            }
            let path = InstanceView::of(item)?;
            let Class::Path(flavour) = path.result_class() else { return None };
            self.inner += 1;
            let calls = calls.checked_sub(1).filter(|_| self.inner <= MAX_INNER)?;
            let [segments, more] = self::segments(&path)?;
            let inner = self.expand(segments.chain(more), flavour.is_windows(), calls)?;
            match (flavour.is_windows(), is_windows) {
                (true, false) => expanded.push(windows(inner.into_iter()).replace('\\', "/")),
                (false, true) => expanded.push(posix(inner.into_iter())),
                _ => expanded.extend(inner),
            }
        }
        Some(expanded)
    }
}

/// Returns the arguments of a path, which a `functools.partial` may have in two parts.
fn segments<'g>(path: &InstanceView<'g>) -> Option<[Items<'g>; 2]> {
    match path.bound_call() {
        Some(call) => Some([call.bound, path.only_args(Class::Other).filter(|_| call.kwargs.is_none())?]),
        None => path.only_args(path.known).map(|args| [args, args.from(usize::MAX)]),
    }
}

fn segment(value: Value<'_>) -> String {
    match value.kind() {
        Kind::Str(text) => text.to_string(),
        _ => String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned(),
    }
}

impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", self.flavour.name(), self.to_string())
    }
}

/// Compares class and text.
impl PartialEq for Path<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.flavour == other.flavour && self.to_string() == other.to_string()
    }
}

/// Formats like Python's `str`: joined, without empty parts and `.`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.flavour.is_windows() { windows(self.segments()) } else { posix(self.segments()) };
        f.pad(&path)
    }
}

/// Joins segments like `posixpath.join` and `PurePath`: an absolute segment discards the previous ones.
fn posix(segments: impl Iterator<Item = String>) -> String {
    let mut joined = String::new();
    for segment in segments {
        if segment.starts_with('/') {
            joined.clear();
        } else if !joined.is_empty() && !joined.ends_with('/') {
            joined.push('/');
        }
        joined.push_str(&segment);
    }
    // Exactly two leading slashes are a distinct root, three or more are one slash (POSIX, 4.13).
    let root = match joined.len() - joined.trim_start_matches('/').len() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    push_parts(String::from(root), &joined, '/')
}

/// Appends the parts after the root, without empty parts and `.`.
fn push_parts(mut path: String, rest: &str, separator: char) -> String {
    for (n, part) in rest.split(separator).filter(|part| !matches!(*part, "" | ".")).enumerate() {
        if n > 0 {
            path.push(separator);
        }
        path.push_str(part);
    }
    if path.is_empty() { String::from(".") } else { path }
}

/// Joins segments like `ntpath.join` and `PureWindowsPath`.
fn windows(segments: impl Iterator<Item = String>) -> String {
    let (mut drive, mut root, mut rest) = (String::new(), "", String::new());
    for segment in segments {
        let segment = segment.replace('/', "\\");
        let (next_drive, next_root, next_rest) = split_root(&segment);
        let is_other = !next_drive.is_empty() && next_drive.to_lowercase() != drive.to_lowercase();
        if is_other || !next_root.is_empty() {
            rest.clear();
            root = if next_root.is_empty() { "" } else { "\\" };
        } else if !rest.is_empty() && !rest.ends_with('\\') {
            rest.push('\\');
        }
        if !next_drive.is_empty() {
            drive = next_drive.to_owned();
        }
        rest.push_str(next_rest);
    }
    // A share needs a separator before the rest.
    if !rest.is_empty() && root.is_empty() && !drive.is_empty() && !drive.ends_with([':', '\\']) {
        root = "\\";
    }
    let joined = drive + root + &rest;
    let (drive, mut root, rest) = split_root(&joined);
    if root.is_empty() && is_share(drive) {
        root = "\\";
    }
    let path = push_parts([drive, root].concat(), rest, '\\');
    // Prefix a relative part that looks like a drive.
    let is_relative = drive.is_empty() && root.is_empty();
    if is_relative && !split_root(&path).0.is_empty() { format!(".\\{path}") } else { path }
}

/// Returns whether a drive is a share, `\\host\share` or `\\?\UNC\host\share`, which always has a root.
fn is_share(drive: &str) -> bool {
    let parts: Vec<&str> = drive.split('\\').collect();
    match parts[..] {
        ["", "", host, share] => !share.is_empty() && !matches!(host, "" | "?" | "."),
        ["", "", _, _, _, share] => !share.is_empty(),
        _ => false,
    }
}

/// Splits a path into drive, root and rest, like `ntpath.splitroot`.
fn split_root(path: &str) -> (&str, &str, &str) {
    if let Some(unc) = path.strip_prefix("\\\\") {
        let start = if path.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("\\\\?\\UNC\\")) { 6 } else { 0 };
        let share = unc[start..].find('\\').map(|at| start + at + 1);
        let end = share.and_then(|share| unc[share..].find('\\').map(|at| share + at));
        return match end {
            Some(end) => (&path[..2 + end], "\\", &path[3 + end..]),
            None => (path, "", ""),
        };
    }
    let (drive, rest) = match path.char_indices().nth(1) {
        Some((colon, ':')) => path.split_at(colon + 1),
        _ => ("", path),
    };
    match rest.strip_prefix('\\') {
        Some(rest) => (drive, "\\", rest),
        None => (drive, "", rest),
    }
}

/// Uses the module name `pathlib`, which every Python version has, and the original segments.
impl Reduce for Path<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let args: Vec<Cell> = match self.segments {
            Segments::Written(path) if path.is_empty() => Vec::new(),
            Segments::Written(path) => vec![arena.cell(path)],
            Segments::Expanded(paths) => paths.into_iter().map(|path| arena.cell(path)).collect(),
            Segments::Pickled(items) => arena.copy_each(items.arena(), items.cells().iter().copied()),
        };
        arena.known_call(["pathlib", self.flavour.name()], &args)
    }
}

/// # Errors
///
/// [`ErrorKind::Type`] for a Windows path on another system, or a POSIX path on Windows.
impl TryFrom<Path<'_>> for PathBuf {
    type Error = Error;

    fn try_from(path: Path<'_>) -> Result<PathBuf> {
        if path.flavour.is_windows() != cfg!(windows) {
            return Err(Error::new(ErrorKind::Type, "a path for this platform", format!("a {}", path.flavour.name())));
        }
        Ok(PathBuf::from(path.to_string()))
    }
}

typed! {
    Path<'g>, "a pathlib path";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(flavour: Flavour, segments: &[&str]) -> String {
        let segments = segments.iter().map(|segment| (*segment).to_owned());
        if flavour.is_windows() { windows(segments) } else { posix(segments) }
    }

    /// Expected values are from `str(PurePosixPath(…))`.
    #[test]
    fn posix_paths_are_joined_like_pathlib() {
        let cases: [(&[&str], &str); 16] = [
            (&[], "."),
            (&[""], "."),
            (&["."], "."),
            (&["a", ".", "b"], "a/b"),
            (&["a//b"], "a/b"),
            (&["//a", "b"], "//a/b"),
            (&["///a"], "/a"),
            (&["/", "a"], "/a"),
            (&["a", "/b"], "/b"),
            (&["a/"], "a"),
            (&["c:", "b"], "c:/b"),
            (&["c:/x", "c:y"], "c:/x/c:y"),
            (&["./a:b"], "a:b"),
            (&["c:/a", "\\b"], "c:/a/\\b"),
            (&["..", "a"], "../a"),
            (&["//"], "//"),
        ];
        for (segments, path) in cases {
            assert_eq!(joined(Flavour::PurePosix, segments), path, "{segments:?}");
        }
    }

    /// Expected values are from `str(PureWindowsPath(…))` of 3.13.
    #[test]
    fn windows_paths_are_joined_like_pathlib() {
        let cases: [(&[&str], &str); 22] = [
            (&[], "."),
            (&[""], "."),
            (&["a", ".", "b"], "a\\b"),
            (&["a//b"], "a\\b"),
            (&["//a", "b"], "\\\\a\\b\\"),
            (&["///a"], "\\\\\\a"),
            (&["/", "a"], "\\a"),
            (&["a", "/b"], "\\b"),
            (&["a/"], "a"),
            (&["c:/a", "b"], "c:\\a\\b"),
            (&["c:", "b"], "c:b"),
            (&["c:a", "/b"], "c:\\b"),
            (&["c:/a", "d:b"], "d:b"),
            (&["//h/s", "x"], "\\\\h\\s\\x"),
            (&["//h/s/"], "\\\\h\\s\\"),
            (&["\\\\?\\c:\\x"], "\\\\?\\c:\\x"),
            (&["c:/x", "c:y"], "c:\\x\\y"),
            (&["a:b"], "a:b"),
            (&["./a:b"], ".\\a:b"),
            (&["/x", "c:y"], "c:y"),
            (&["c:/a", "\\b"], "c:\\b"),
            (&["..", "a"], "..\\a"),
        ];
        for (segments, path) in cases {
            assert_eq!(joined(Flavour::PureWindows, segments), path, "{segments:?}");
        }
    }
}
