//! Against the Pythons of this machine, on pickles that they write now. Skipped, and said so, where there is none.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use picklevm::{Symbolic, Unpickler};
use picklevm_testing::{OneByte, python};

use crate::support::{graph_form, picklevm, sections};

/// Pickles of every Python there is, of random objects too, in a directory.
fn pickles() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    // Other objects in every run; a failure names the file, and the file its seed.
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("it is later");
    let seed = (now.as_secs() % 1_000_000).to_string();
    for python in python::all() {
        python::run(
            &python,
            "generate.py",
            &[dir.path().as_ref(), "--random".as_ref(), "10".as_ref(), "--seed".as_ref(), seed.as_ref()],
        );
    }
    dir
}

#[test]
fn loading_makes_the_graphs_that_python_makes() {
    let Some(reference) = python::reference("loading_makes_the_graphs_that_python_makes") else { return };
    let (pickles, graphs) = (pickles(), tempfile::tempdir().expect("a directory"));
    python::run(&reference, "oracle.py", &["--dir".as_ref(), pickles.path().as_ref(), graphs.path().as_ref()]);
    let unpickler = Unpickler::new().resolver(Symbolic);
    let mut compared = 0;
    for entry in fs::read_dir(&pickles).expect("a directory") {
        let path = entry.expect("a file").path();
        let pickle = fs::read(&path).expect("a pickle");
        let graph = graphs.path().join(path.file_name().expect("a name")).with_extension("graph");
        let graph = fs::read_to_string(graph).expect("Python loads what it wrote");
        let name = path.display();
        let whole = unpickler.loads(&pickle).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(graph_form(whole.root()) == graph, "{name}: not the graph that Python makes");
        let bytes = unpickler.load(OneByte(&pickle)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(graph_form(bytes.root()) == graph, "{name}: not the graph that Python makes, byte by byte");
        compared += 1;
    }
    assert!(compared > 100, "only {compared} pickles");
}

#[test]
fn python_evaluates_what_show_prints_of_the_standard_library_s_objects() {
    let test = "python_evaluates_what_show_prints_of_the_standard_library_s_objects";
    let Some(reference) = python::reference(test) else { return };
    for python in python::of(&["2.7"]).into_iter().chain([reference]) {
        let lines = shown_objects(&python);
        assert!(lines.lines().count() > 100, "only {} objects", lines.lines().count());
        let report = python::run_reading(&python, "typed_objects.py", &["shown".as_ref()], &lines);
        assert!(report.ends_with(", failed 0\n"), "{}: {report}", python.display());
    }
}

/// What `show` prints of the objects that a Python makes, as lines `NAME PROTOCOL TEXT`.
fn shown_objects(python: &Path) -> String {
    let made = python::run(python, "typed_objects.py", &["make".as_ref()]);
    let dir = tempfile::tempdir().expect("a directory");
    let mut names = Vec::new();
    for line in String::from_utf8(made.stdout).expect("text").lines() {
        let (name, hex) = line.rsplit_once(' ').expect("a name, a protocol and a pickle");
        fs::write(dir.path().join(name), picklevm_testing::unhex(hex)).expect("a file");
        names.push(dir.path().join(name).to_str().expect("a path").to_owned());
    }
    let args: Vec<&str> = ["show"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let shown = picklevm(&args);
    let mut lines = String::new();
    for (path, text) in sections(str::from_utf8(&shown.stdout).expect("text")) {
        let name = Path::new(path).file_name().and_then(|name| name.to_str()).expect("a name");
        // What a program's own instances were given is no expression.
        let is_own = ["instance", "exception-own"].iter().any(|own| name.starts_with(own));
        assert!(is_own || !text.contains(" with "), "{name}: {text}");
        if !is_own {
            lines += &format!("{name} {}\n", text.trim_end().replace('\n', " "));
        }
    }
    lines
}

#[test]
fn python_reads_back_what_show_prints_of_plain_data() {
    let Some(reference) = python::reference("python_reads_back_what_show_prints_of_plain_data") else { return };
    let pickles = tempfile::tempdir().expect("a directory");
    python::run(&reference, "generate.py", &[pickles.path().as_ref()]);
    let program = Path::new(env!("CARGO_BIN_EXE_picklevm"));
    let output = python::run(&reference, "read_back.py", &[program.as_ref(), pickles.path().as_ref()]);
    let compared = String::from_utf8(output.stdout).expect("text");
    let compared: usize = compared.split(' ').next().and_then(|count| count.parse().ok()).expect("a number");
    assert!(compared > 50, "only {compared} pickles");
}

#[test]
fn python_disassembles_every_pickle_of_a_file_as_dis_all_does() {
    let Some(reference) = python::reference("python_disassembles_every_pickle_of_a_file_as_dis_all_does") else {
        return;
    };
    for file in ["tests/data/two.pkl", "tests/data/corpus/3.13-c-p0.pkl", "tests/data/corpus/3.13-c-p4.pkl"] {
        let path = picklevm_testing::root().join(file);
        let expected = python::run(&reference, "dis_all.py", &[path.as_ref()]).stdout;
        assert!(picklevm(&["dis", "--all", file]).stdout == expected, "{file}: not what pickletools prints");
    }
}
