//! What CPython 2.7, 3.6 and 3.13 pickled: tests/data/typed, by tests/python/typed_objects.py.

use std::collections::HashMap;
use std::fs;

use picklevm::typed::{DateTime, Zone};
use picklevm::{Graph, Pickler, Protocol, Standard, Symbolic, Unpickler};

use super::objects::{OBJECTS, object};
use super::{Sample, root, samples};

/// The samples of a version.
fn of(version: &str) -> Vec<Sample> {
    let path = root().join("tests/data/typed").join(version).with_extension("txt");
    samples(&fs::read_to_string(path).expect("vectors"))
}

fn versions() -> impl Iterator<Item = (&'static str, Sample)> {
    ["2.7.", "3.6.", "3.13.", "3.14.", "3.15."]
        .into_iter()
        .flat_map(|version| of(version).into_iter().map(move |s| (version, s)))
}

/// Below protocol 4 Python itself leaves out the fold.
pub(crate) fn told(name: &str, protocol: Protocol) -> String {
    let told = object(name).told;
    if protocol < Protocol::V4 { told.replace("fold true", "fold false") } else { told.to_owned() }
}

/// What a sample is made of anew, written.
pub(crate) fn rewritten(Sample { name, protocol, pickle }: &Sample) -> Vec<u8> {
    let graph = Unpickler::new().resolver(Symbolic).loads(pickle).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut fresh = Graph::new();
    let made = (object(name).remake)(graph.root(), &mut fresh, *protocol);
    let made = made.unwrap_or_else(|error| panic!("{name}: {error}"));
    let pickle = Pickler::new().protocol(*protocol).dumps(fresh.value(made));
    pickle.unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn an_object_has_the_same_view_at_every_protocol_and_version() {
    for (version, Sample { name, protocol, pickle }) in versions() {
        for (resolver, graph) in [
            ("symbolic", Unpickler::new().resolver(Symbolic).loads(&pickle)),
            ("standard", Unpickler::new().resolver(Standard).loads(&pickle)),
        ] {
            let graph = graph.unwrap_or_else(|error| panic!("{version} {name} {protocol}: {error}"));
            let text = (object(&name).tell)(graph.root());
            let text = text.unwrap_or_else(|error| panic!("{version} {name} {protocol}, {resolver}: {error}"));
            let expected = match (version, &*name) {
                // Python 2 has no bytes, and counts the end of an `xrange` in steps.
                ("2.7.", "regex-bytes") => String::from("\"a+\" 0"),
                ("2.7.", "range") => String::from("range(0, 12, 3)"),
                _ => told(&name, protocol),
            };
            assert_eq!(text, expected, "{version} {name} {protocol}, {resolver}");
        }
    }
}

#[test]
fn every_object_of_the_table_is_among_the_vectors() {
    let names: Vec<String> = versions().map(|(_, sample)| sample.name).collect();
    for object in OBJECTS {
        assert!(names.iter().any(|name| name == object.name), "{}", object.name);
    }
}

#[test]
fn what_is_made_of_a_view_is_written_as_cpython_3_13_writes_it() {
    let expected: HashMap<_, _> =
        of("3.13.").into_iter().map(|sample| ((sample.name, sample.protocol), sample.pickle)).collect();
    let mut compared = 0;
    for (version, sample) in versions() {
        let written = rewritten(&sample);
        let Sample { name, protocol, .. } = &sample;
        // Paths go under a name that all versions know; Python 2's own 8-bit strings stay what they are.
        let is_bytes = ["instance", "partial", "exception", "array-c", "regex-bytes", "range"];
        if name.starts_with("path") || (version == "2.7." && is_bytes.iter().any(|start| name.starts_with(start))) {
            continue;
        }
        // The module of a function in C is a string of its own, which is written a second time.
        if name.starts_with("array") && *protocol > Protocol::V3 {
            continue;
        }
        // A pickle below protocol 4 does not tell an attribute that is reduced from a name that is nested.
        if name == "enum-named" && *protocol < Protocol::V4 {
            continue;
        }
        assert_eq!(
            written.escape_ascii().to_string(),
            expected[&(name.clone(), *protocol)].escape_ascii().to_string(),
            "{version} {name} {protocol}"
        );
        compared += 1;
    }
    assert!(compared > 800, "only {compared} pickles");
}

#[test]
fn what_is_made_of_a_view_has_the_same_view() {
    for (version, sample) in versions() {
        let Sample { name, protocol, pickle } = &sample;
        let [before, after] = [pickle, &rewritten(&sample)].map(|pickle| {
            let graph = picklevm::loads(pickle).unwrap_or_else(|error| panic!("{version} {name} {protocol}: {error}"));
            (object(name).tell)(graph.root()).unwrap_or_else(|error| panic!("{version} {name} {protocol}: {error}"))
        });
        assert_eq!(after, before, "{version} {name} {protocol}");
    }
}

/// The graph of a Python 2 pickle has the names of Python 2, and what is added to it gets these.
#[test]
fn what_is_added_to_a_graph_of_python_2_has_its_names() {
    let mut graph = picklevm::loads(b"]q\x00.").expect("a list");
    let range = graph.add(picklevm::typed::Range::from(0..3));
    let id = graph.add_for(Protocol::V1, picklevm::typed::Uuid::from(1));
    for made in [range, id] {
        graph.root_mut().push(made).expect("a list");
    }
    let pickle = Pickler::new().protocol(Protocol::V1).dumps(graph.root()).expect("it is written");
    let pickle = pickle.escape_ascii().to_string();
    assert!(pickle.contains(r"c__builtin__\nxrange\n"), "{pickle}");
    assert!(pickle.contains(r"ccopy_reg\n_reconstructor\n"), "{pickle}");
    let pickle = Pickler::new().dumps(graph.root()).expect("it is written").escape_ascii().to_string();
    assert!(pickle.contains("builtins"), "{pickle}");
    assert!(pickle.contains("copyreg"), "{pickle}");
}

/// A global that is copied between the graphs of two Pythons is called what the other calls it.
#[test]
fn what_is_copied_from_a_graph_of_python_2_has_the_names_of_python_3() {
    let old = picklevm::loads(b"ccollections\ndefaultdict\n(c__builtin__\nxrange\ntR.").expect("a defaultdict");
    let view = old.root().view::<picklevm::typed::DefaultDict<'_>>().expect("a defaultdict");
    let new = Graph::from(view);
    assert_eq!(format!("{:?}", new.root()), "collections.defaultdict(builtins.range)");
    // A copy of all that there is keeps the names that it has.
    assert_eq!(format!("{:?}", old.root().detach().root()), "collections.defaultdict(__builtin__.xrange)");
}

/// Beside a time, a zone of `pytz` stands for one of its offsets; what a view does not know is kept.
#[test]
fn zones_of_other_packages_tell_name_and_offset_and_are_kept() {
    let mut graph = Graph::new();
    let packed = b"\x07\xee\x01\x02\0\0\0\0\0\0";
    for (zone, suffix) in [
        (graph.call("pytz", "_p").args(["Europe/Berlin"]).arg(3600).arg(0).arg("CET").build(), "+01:00"),
        (graph.call("pytz", "_UTC").build(), "+00:00"),
        (graph.call("dateutil.tz.tz", "tzutc").build(), "+00:00"),
        (graph.call("shop", "Zone").arg("Mars/Olympus").build(), "[Mars/Olympus]"),
        (graph.instance("shop", "Zone").build(), ""),
    ] {
        let zone = zone.expect("a zone");
        let time = graph.call("datetime", "datetime").arg(packed).arg(zone).build().expect("a datetime");
        let view: DateTime<'_> = graph.value(time).view().expect("a datetime");
        assert_eq!(view.to_string(), format!("2030-01-02T00:00:00{suffix}"));
        assert_eq!(view.zone(), Some(Zone::Other(graph.value(zone))));
        let copy = Graph::from(view);
        assert!(picklevm::same_graph(copy.root(), graph.value(time)), "{:?}", copy.root());
    }
}
