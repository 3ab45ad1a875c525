//! Tests against the installed Pythons. Skipped with a message if there are none.

use std::fmt::Write as _;

use picklevm::{Protocol, Standard, Symbolic, Unpickler};

use super::objects::object;
use super::vectors::{expected_text, rebuilt};
use picklevm_testing::python;

use super::{Sample, samples};

#[test]
fn every_python_loads_objects_rebuilt_from_views() {
    if python::reference("every_python_loads_objects_rebuilt_from_views").is_none() {
        return;
    }
    // All versions, since standard libraries differ even where picklers do not.
    let pythons = python::of(&["2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"]);
    for python in &pythons {
        let output = python::run(python, "typed_objects.py", &["make".as_ref()]);
        let samples = samples(&String::from_utf8(output.stdout).expect("text"));
        let is_python_2 = samples.iter().all(|sample| sample.protocol <= Protocol::V2);
        let mut lines = String::new();
        for sample @ Sample { name, protocol, pickle } in &samples {
            // Python 3.11.2 pickles two members of a flag as a call of `operator.or_`, which has no view.
            if name == "enum-flag" && pickle.windows(9).any(|window| window == b"_operator") {
                continue;
            }
            for unpickler in [Unpickler::new().resolver(Symbolic), Unpickler::new().resolver(Standard)] {
                let graph = unpickler.loads(pickle).unwrap_or_else(|error| panic!("{name} {protocol}: {error}"));
                let text = (object(name).describe)(graph.root());
                let text = text.unwrap_or_else(|error| panic!("{} {name} {protocol}: {error}", python.display()));
                // Python 3.11.2 pickles members of enums by their names, later ones by their values.
                if name.starts_with("enum") && text.contains(" name ") {
                    continue;
                }
                // Python 2 has no bytes, and normalizes the stop of an `xrange`.
                if !(is_python_2 && matches!(&**name, "regex-bytes" | "range")) {
                    assert_eq!(text, expected_text(name, *protocol), "{} {name} {protocol}", python.display());
                }
            }
            if is_python_2 && name == "regex-bytes" {
                continue;
            }
            let hex = picklevm_testing::hex(&rebuilt(sample));
            writeln!(lines, "{name} {protocol} {hex}").expect("writing to a string");
        }
        // Each Python loads the objects of every other.
        for reader in &pythons {
            let report = python::run_reading(reader, "typed_objects.py", &["check".as_ref()], &lines);
            assert!(report.ends_with(", failed 0\n"), "{} of {}: {report}", reader.display(), python.display());
        }
    }
}
