//! Tests against the Python classes, with the Pythons of this machine. Prints a notice and skips if there is none.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use picklevm::class::{FromValueOwned, ToValue};
use picklevm::{Pickler, PicklerVersion, Protocol};
use picklevm_testing::{hex, python};

use super::types::{EachInstance, instances};
use super::vectors::{Against, vectors, writer};

const SCRIPT: &str = "class_objects.py";

/// Pickles of the instances that a Python version has, as input lines for its script.
struct Lines {
    /// Names of instances and protocols.
    known: BTreeSet<(String, Protocol)>,
    pickler: Pickler,
    lines: String,
}

impl EachInstance for Lines {
    fn instance<T: FromValueOwned + ToValue + PartialEq + std::fmt::Debug>(&mut self, name: &str, value: &T) {
        for protocol in 0..=5 {
            let protocol = Protocol::try_from(protocol).expect("a protocol");
            if self.known.contains(&(name.to_owned(), protocol)) {
                let pickle = self.pickler.clone().protocol(protocol).to_vec(value).expect("written");
                writeln!(self.lines, "{name} {protocol} {}", hex(&pickle)).expect("memory takes all");
            }
        }
    }
}

fn version(python: &Path) -> String {
    let code = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(python).args(["-c", code]).output().expect("it runs").stdout;
    String::from_utf8(output).expect("text").trim().to_owned()
}

#[test]
fn what_each_python_writes_of_its_classes_is_read_and_written_byte_for_byte() {
    for python in python::every("what_each_python_writes_of_its_classes_is_read_and_written_byte_for_byte") {
        let lines = python::run(&python, SCRIPT, &["write".as_ref()]).stdout;
        Against::new(&version(&python), std::str::from_utf8(&lines).expect("text")).check();
    }
}

#[test]
fn each_python_makes_its_own_instances_of_what_is_written() {
    for python in python::every("each_python_makes_its_own_instances_of_what_is_written") {
        let lines = python::run(&python, SCRIPT, &["write".as_ref()]).stdout;
        let vectors = vectors(std::str::from_utf8(&lines).expect("text"));
        let known = vectors.iter().filter(|vector| vector.pickle.is_some());
        let known: BTreeSet<_> = known.map(|vector| (vector.name.to_owned(), vector.protocol)).collect();
        // Emulate the pickler of that Python, and the newest.
        let its_own = writer(&version(&python));
        for writer in [its_own, PicklerVersion::default()] {
            let mut known = known.clone();
            if its_own.highest_protocol() < Protocol::V3 && writer != its_own {
                // A subclass of `int` in Python 3 would have to extend `long` in Python 2, if made from a `long`.
                known.retain(|(name, protocol)| name != "metres" || *protocol >= Protocol::V2);
            }
            let mut lines =
                Lines { known: known.clone(), pickler: Pickler::new().writer(writer), lines: String::new() };
            instances(&mut lines);
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(&file, &lines.lines).expect("written");
            let output = python::run(&python, SCRIPT, &["read".as_ref(), file.path().as_ref()]).stdout;
            let compared: usize = std::str::from_utf8(&output).expect("text").trim().parse().expect("a number");
            assert!(compared >= known.len(), "only {compared} of {}", known.len());
        }
    }
}
