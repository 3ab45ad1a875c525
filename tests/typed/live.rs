//! Against the Pythons of this machine. Skipped, and said so, where there is none.

use std::fmt::Write as _;

use picklevm::{Protocol, Standard, Symbolic, Unpickler};

use super::objects::object;
use super::vectors::{rewritten, told};
use super::{Sample, python, samples};

#[test]
fn pythons_read_what_is_made_of_views_of_their_own_objects() {
    if python::reference("pythons_read_what_is_made_of_views_of_their_own_objects").is_none() {
        return;
    }
    // Their libraries differ where their picklers do not.
    let pythons = python::of(&["2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"]);
    for python in &pythons {
        let output = python::run(python, "typed_objects.py", &["make".as_ref()]);
        let samples = samples(&String::from_utf8(output.stdout).expect("text"));
        let is_python_2 = samples.iter().all(|sample| sample.protocol <= Protocol::V2);
        let mut lines = String::new();
        for sample @ Sample { name, protocol, pickle } in &samples {
            for unpickler in [Unpickler::new().resolver(Symbolic), Unpickler::new().resolver(Standard)] {
                let graph = unpickler.loads(pickle).unwrap_or_else(|error| panic!("{name} {protocol}: {error}"));
                let text = (object(name).tell)(graph.root());
                let text = text.unwrap_or_else(|error| panic!("{} {name} {protocol}: {error}", python.display()));
                // Python 2 has no bytes, and counts the end of an `xrange` in steps.
                if !(is_python_2 && matches!(&**name, "regex-bytes" | "range")) {
                    assert_eq!(text, told(name, *protocol), "{} {name} {protocol}", python.display());
                }
            }
            if is_python_2 && name == "regex-bytes" {
                continue;
            }
            let hex: String = rewritten(sample).iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(lines, "{name} {protocol} {hex}").expect("memory takes all");
        }
        // Each Python reads what the objects of any other were made into.
        for reader in &pythons {
            let report = python::run_reading(reader, "typed_objects.py", &["check".as_ref()], &lines);
            assert!(report.ends_with(", failed 0\n"), "{} of {}: {report}", reader.display(), python.display());
        }
    }
}
