//! Pickles that CPython wrote for each instance, in tests/data/classes, are read, and written byte for byte.

use picklevm::class::{FromValueOwned, ToValue};
use picklevm::{ErrorKind, Pickler, PicklerVersion, Protocol, Unpickler};
use picklevm_testing::unhex;

use super::types::{EachInstance, instances};

/// One instance, pickled by one Python at one protocol.
pub(crate) struct Vector<'d> {
    pub(crate) name: &'d str,
    pub(crate) protocol: Protocol,
    /// `None` if Python cannot pickle it.
    pub(crate) pickle: Option<Vec<u8>>,
}

/// The lines `NAME PROTOCOL PICKLE` that class_objects.py prints.
pub(crate) fn vectors(lines: &str) -> Vec<Vector<'_>> {
    let vectors: Vec<_> = lines
        .lines()
        .map(|line| {
            let [name, protocol, pickle] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let pickle = (pickle != "refused").then(|| unhex(pickle));
            Vector { name, protocol: protocol.parse().expect("a protocol"), pickle }
        })
        .collect();
    assert!(vectors.len() > 50, "only {} vectors", vectors.len());
    vectors
}

/// Returns the pickler version to emulate for a Python. For 2.7 it is the pickler in Python: the one in C omits PUTs
/// depending on the reference counts of objects.
pub(crate) fn writer(version: &str) -> PicklerVersion {
    let name = if version == "2.7" { "2.7-py".to_owned() } else { format!("{version}-c") };
    name.parse().unwrap_or_default()
}

/// Checks instances against the pickles of a Python.
pub(crate) struct Against<'d> {
    pub(crate) vectors: Vec<Vector<'d>>,
    pub(crate) writer: PicklerVersion,
    pub(crate) compared: usize,
}

impl<'d> Against<'d> {
    pub(crate) fn new(version: &str, lines: &'d str) -> Self {
        Against { vectors: vectors(lines), writer: writer(version), compared: 0 }
    }

    /// Checks all instances, and that no pickle is left over.
    pub(crate) fn check(mut self) {
        instances(&mut self);
        assert_eq!(self.compared, self.vectors.len(), "an instance of Python without one here");
    }
}

impl EachInstance for Against<'_> {
    fn instance<T: FromValueOwned + ToValue + PartialEq + std::fmt::Debug>(&mut self, name: &str, value: &T) {
        for vector in self.vectors.iter().filter(|vector| vector.name == name) {
            self.compared += 1;
            let at = format!("{name} at protocol {} by {}", vector.protocol, self.writer);
            let pickler = Pickler::new().writer(self.writer).protocol(vector.protocol);
            let written = pickler.to_vec(value);
            let Some(pickle) = &vector.pickle else {
                assert_eq!(written.expect_err(&at).kind(), ErrorKind::Unrepresentable, "{at}");
                continue;
            };
            let read: T = Unpickler::new().from_slice(pickle).unwrap_or_else(|error| panic!("{at}: {error}"));
            assert_eq!(&read, value, "{at}");
            let mut written = written.unwrap_or_else(|error| panic!("{at}: {error}"));
            let mut pickle = pickle.clone();
            if name == "account" {
                // `_keep_alive` of the pickler in Python takes a memo index, which shifts those after it.
                [written, pickle] = [written, pickle].map(|pickle| picklevm::ops::optimize(&pickle).expect("a pickle"));
            }
            assert_eq!(written.escape_ascii().to_string(), pickle.escape_ascii().to_string(), "{at}");
        }
    }
}

/// Reads each pickle with every byte changed, and truncated at every byte.
struct Broken<'d>(Vec<Vector<'d>>, usize);

impl EachInstance for Broken<'_> {
    fn instance<T: FromValueOwned + ToValue + PartialEq + std::fmt::Debug>(&mut self, name: &str, _: &T) {
        let pickles = self.0.iter().filter(|vector| vector.name == name).filter_map(|vector| vector.pickle.as_ref());
        for pickle in pickles {
            for at in 0..pickle.len() {
                let mut changed = pickle.clone();
                for change in [0x01, 0x20, 0x80] {
                    changed[at] ^= change;
                    let _ = Unpickler::new().from_slice::<T>(&changed);
                    changed[at] = pickle[at];
                }
                assert!(Unpickler::new().from_slice::<T>(&pickle[..at]).is_err());
                self.1 += 1;
            }
        }
    }
}

#[test]
fn a_changed_byte_never_panics() {
    let mut broken = Broken(vectors(include_str!("../../../../../tests/data/classes/3.13.txt")), 0);
    instances(&mut broken);
    assert!(broken.1 > 10_000, "only {} bytes", broken.1);
}

#[test]
fn what_python_2_7_wrote_is_read_and_written_byte_for_byte() {
    Against::new("2.7", include_str!("../../../../../tests/data/classes/2.7.txt")).check();
}

#[test]
fn what_python_3_6_wrote_is_read_and_written_byte_for_byte() {
    Against::new("3.6", include_str!("../../../../../tests/data/classes/3.6.txt")).check();
}

#[test]
fn what_python_3_13_wrote_is_read_and_written_byte_for_byte() {
    Against::new("3.13", include_str!("../../../../../tests/data/classes/3.13.txt")).check();
}
