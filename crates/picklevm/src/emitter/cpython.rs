//! Differences between CPython's picklers: a set of quirks for each.

use std::fmt;
use std::str::FromStr;

use picklevm_ops::{Framing, RawUnicode};

use crate::error::{Error, ErrorKind};
use crate::protocol::Protocol;

/// CPython pickler to emulate byte for byte.
///
/// `VERSION-c` is the pickler in C, `VERSION-py` the one in Python, of 2.7 and 3.6 to 3.15. Default: the newest, `3.15-c`.
///
/// Pickles of `2.7-c` (`cPickle`) and `2.7-py` are rewritten byte for byte, as far as a pickle shows what they did: a value
/// without a PUT, since nothing else referred to it, gets none, and a `long` stays one. For values of other origin,
/// everything gets a PUT except texts of less than two characters and values newly made by a call of `__reduce_ex__`.
///
/// ```
/// use picklevm::{Pickler, Protocol, PicklerVersion};
///
/// let graph = picklevm::loads(b"K\x01.")?;
/// let old: PicklerVersion = "3.6-c".parse()?;
/// assert_eq!(Pickler::new().protocol(Protocol::V0).dumps(graph.root())?, b"I1\n.");
/// assert_eq!(Pickler::new().protocol(Protocol::V0).writer(old).dumps(graph.root())?, b"L1L\n.");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct PicklerVersion(&'static Quirks);

/// Behavior specific to one pickler.
pub(crate) struct Quirks {
    name: &'static str,
    /// Highest protocol.
    pub(crate) highest: Protocol,
    pub(crate) framing: Framing,
    /// Protocol 0: every integer is written by LONG.
    pub(crate) small_longs: bool,
    /// Python 2: an `int` has 64 bits and is written by INT if it exceeds 32 bits; a `long` is always written by LONG.
    pub(crate) wide_ints: bool,
    /// Below protocol 2: Python refuses integers of more than 4300 decimal digits, since 3.7.14. They are written in
    /// hexadecimal here, which every Python reads.
    pub(crate) limits_digits: bool,
    /// Protocol 0: characters escaped in addition to backslash and newline.
    pub(crate) controls: &'static [u8],
    /// Protocol 0: for text changed by escaping, the memo has the changed text, which is never fetched.
    pub(crate) forgets_escaped: bool,
    /// Lists, dicts, sets: the last of several batches has a MARK even for one item. Dicts and sets of a multiple of 1000
    /// items end with an empty batch. The pickler in C did so up to 3.14.
    pub(crate) exact_lists: bool,
    pub(crate) exact_dicts: bool,
    pub(crate) exact_sets: bool,
    /// An object found inside its own arguments gets items and state each time it is made.
    pub(crate) repeats_changes: bool,
    /// Protocol 5: bytearrays are put into the memo.
    pub(crate) memoizes_bytearrays: bool,
    /// Below protocol 3, bytearrays are made from Latin-1 text, as `bytearray.__reduce_ex__` does.
    pub(crate) bytearrays_of_text: bool,
    /// The pickler counts references: see [`OmittedPuts`](super::omitted_puts::OmittedPuts). Its memo starts at 1.
    pub(crate) counts_references: bool,
    /// Protocol 0: floats have 17 digits, as with `%.17g`.
    pub(crate) long_floats: bool,
    /// The first value returned by `__getinitargs__` or `__getstate__` of an old-style class takes a memo index:
    /// `_keep_alive`.
    pub(crate) keeps_alive: bool,
    /// Below protocol 4, for nested classes the parents and the tuples of the path are not memoized.
    pub(crate) bare_paths: bool,
}

const PYTHON_3_15_C: Quirks = Quirks {
    name: "3.15-c",
    highest: Protocol::V5,
    framing: Framing::Python37,
    small_longs: false,
    wide_ints: false,
    limits_digits: true,
    controls: RawUnicode::CONTROLS,
    forgets_escaped: false,
    exact_lists: false,
    exact_dicts: false,
    exact_sets: false,
    repeats_changes: false,
    memoizes_bytearrays: true,
    bytearrays_of_text: false,
    counts_references: false,
    long_floats: false,
    keeps_alive: false,
    bare_paths: true,
};
const PYTHON_3_14_C: Quirks =
    Quirks { name: "3.14-c", exact_lists: true, exact_dicts: true, exact_sets: true, ..PYTHON_3_15_C };
const PYTHON_3_13_C: Quirks = Quirks { name: "3.13-c", ..PYTHON_3_14_C };
const PYTHON_3_12_C: Quirks = Quirks { name: "3.12-c", bare_paths: false, ..PYTHON_3_13_C };
const PYTHON_3_11_C: Quirks = Quirks { name: "3.11-c", ..PYTHON_3_12_C };
const PYTHON_3_10_C: Quirks = Quirks { name: "3.10-c", ..PYTHON_3_11_C };
const PYTHON_3_9_C: Quirks = Quirks { name: "3.9-c", ..PYTHON_3_10_C };
const PYTHON_3_8_C: Quirks = Quirks { name: "3.8-c", ..PYTHON_3_9_C };
const PYTHON_3_7_C: Quirks = Quirks { name: "3.7-c", highest: Protocol::V4, bytearrays_of_text: true, ..PYTHON_3_8_C };
const PYTHON_3_6_C: Quirks = Quirks {
    name: "3.6-c",
    framing: Framing::Python34,
    small_longs: true,
    limits_digits: false,
    controls: b"",
    ..PYTHON_3_7_C
};
const PYTHON_2_7_C: Quirks = Quirks {
    name: "2.7-c",
    highest: Protocol::V2,
    small_longs: false,
    wide_ints: true,
    exact_lists: false,
    exact_sets: false,
    counts_references: true,
    long_floats: true,
    ..PYTHON_3_6_C
};

/// Returns the quirks of the pickler in Python, given those of the pickler in C.
const fn pure(name: &'static str, c: Quirks) -> Quirks {
    Quirks {
        name,
        exact_lists: false,
        exact_dicts: false,
        exact_sets: false,
        repeats_changes: true,
        counts_references: false,
        long_floats: false,
        ..c
    }
}

const PYTHON_3_15_PY: Quirks = pure("3.15-py", PYTHON_3_15_C);
const PYTHON_3_14_PY: Quirks = pure("3.14-py", PYTHON_3_14_C);
const PYTHON_3_13_PY: Quirks = pure("3.13-py", PYTHON_3_13_C);
const PYTHON_3_12_PY: Quirks = Quirks { forgets_escaped: true, ..pure("3.12-py", PYTHON_3_12_C) };
const PYTHON_3_11_PY: Quirks = Quirks { forgets_escaped: true, ..pure("3.11-py", PYTHON_3_11_C) };
const PYTHON_3_10_PY: Quirks = Quirks { forgets_escaped: true, ..pure("3.10-py", PYTHON_3_10_C) };
const PYTHON_3_9_PY: Quirks =
    Quirks { forgets_escaped: true, memoizes_bytearrays: false, ..pure("3.9-py", PYTHON_3_9_C) };
const PYTHON_3_8_PY: Quirks =
    Quirks { forgets_escaped: true, memoizes_bytearrays: false, ..pure("3.8-py", PYTHON_3_8_C) };
const PYTHON_3_7_PY: Quirks = Quirks { forgets_escaped: true, ..pure("3.7-py", PYTHON_3_7_C) };
const PYTHON_3_6_PY: Quirks = Quirks { forgets_escaped: true, ..pure("3.6-py", PYTHON_3_6_C) };
const PYTHON_2_7_PY: Quirks = Quirks { forgets_escaped: true, keeps_alive: true, ..pure("2.7-py", PYTHON_2_7_C) };

static VERSIONS: [Quirks; 22] = [
    PYTHON_3_15_C,
    PYTHON_3_15_PY,
    PYTHON_3_14_C,
    PYTHON_3_14_PY,
    PYTHON_3_13_C,
    PYTHON_3_13_PY,
    PYTHON_3_12_C,
    PYTHON_3_12_PY,
    PYTHON_3_11_C,
    PYTHON_3_11_PY,
    PYTHON_3_10_C,
    PYTHON_3_10_PY,
    PYTHON_3_9_C,
    PYTHON_3_9_PY,
    PYTHON_3_8_C,
    PYTHON_3_8_PY,
    PYTHON_3_7_C,
    PYTHON_3_7_PY,
    PYTHON_3_6_C,
    PYTHON_3_6_PY,
    PYTHON_2_7_C,
    PYTHON_2_7_PY,
];

impl PicklerVersion {
    /// Returns all pickler versions, newest first.
    pub fn all() -> impl ExactSizeIterator<Item = PicklerVersion> + Clone {
        VERSIONS.iter().map(PicklerVersion)
    }

    /// Returns the name, such as `3.15-c`.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Returns the highest protocol: 5, or 4 before Python 3.8, or 2 for Python 2.7.
    pub fn highest_protocol(self) -> Protocol {
        self.0.highest
    }

    pub(crate) fn quirks(self) -> &'static Quirks {
        self.0
    }
}

impl Default for PicklerVersion {
    fn default() -> Self {
        PicklerVersion(&VERSIONS[0])
    }
}

/// Parses a name such as `3.15-c`.
///
/// # Errors
///
/// [`Unrepresentable`](ErrorKind::Unrepresentable) for an unknown name.
impl FromStr for PicklerVersion {
    type Err = Error;

    fn from_str(name: &str) -> Result<PicklerVersion, Error> {
        PicklerVersion::all().find(|writer| writer.name() == name).ok_or_else(|| {
            let names: Vec<_> = PicklerVersion::all().map(PicklerVersion::name).collect();
            let expected = format!("a pickler version: one of {}", names.join(", "));
            Error::new(ErrorKind::Unrepresentable, expected, format!("{name:?}"))
        })
    }
}

impl PartialEq for PicklerVersion {
    fn eq(&self, other: &PicklerVersion) -> bool {
        self.name() == other.name()
    }
}

impl Eq for PicklerVersion {}

/// Prints the name.
impl fmt::Display for PicklerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for PicklerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PicklerVersion({})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pickler_version_is_found_by_its_name() {
        for version in PicklerVersion::all() {
            assert_eq!(version.name().parse::<PicklerVersion>().expect("a name"), version);
        }
        assert!("3.5-c".parse::<PicklerVersion>().is_err());
    }
}
