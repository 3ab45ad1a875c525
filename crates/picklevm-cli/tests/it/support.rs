//! Runs the program, and reads the corpus.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use picklevm_testing::{assert_golden, root};

/// Each command that reads one pickle, as its arguments before the file.
pub(crate) const COMMANDS: [&[&str]; 8] = [
    &["show"],
    &["show", "--json"],
    &["graph"],
    &["dis"],
    &["optimize"],
    &["repickle"],
    &["time", "--repeat", "1"],
    &["time", "--json"],
];

/// Sessions, by Python 2 and 3.
pub(crate) const SESSIONS: [&str; 2] = ["examples/data/session-python2.7.pkl", "examples/data/session-python3.13.pkl"];

/// Runs `picklevm` at the root of the repository.
pub(crate) fn picklevm(args: &[&str]) -> Output {
    command(args).output().expect("picklevm starts")
}

/// Runs `picklevm` with standard input.
pub(crate) fn picklevm_reading(args: &[&str], input: &[u8]) -> Output {
    let mut child = command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("picklevm starts");
    match child.stdin.take().expect("piped").write_all(input) {
        // The program may end without reading, for example if its arguments are invalid.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        result => result.expect("standard input is written"),
    }
    child.wait_with_output().expect("picklevm ends")
}

/// Returns a command that runs `picklevm` at the root of the repository.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_picklevm"));
    command.args(args).current_dir(root());
    command
}

/// Decodes standard output or standard error.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// A pickle of tests/data/corpus with its expected result.
pub(crate) struct Sample {
    /// `VERSION-WRITER-pPROTOCOL NAME`.
    pub(crate) name: String,
    /// The pickle.
    pub(crate) pickle: Vec<u8>,
    /// Its graph form, computed by CPython.
    pub(crate) graph: String,
}

/// Returns the names and samples of the bundles in tests/data/corpus.
pub(crate) fn corpus() -> Vec<(String, Vec<Sample>)> {
    let mut bundles = Vec::new();
    let dir = root().join("tests/data/corpus");
    let mut paths: Vec<_> = fs::read_dir(dir).expect("the corpus").map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "pkl")) {
        let bundle = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let pickles = split(&fs::read(path).expect("a bundle"));
        let graphs = fs::read_to_string(path.with_extension("graph")).expect("graph forms");
        let graphs = sections(&graphs);
        assert_eq!(pickles.len(), graphs.len(), "{bundle}");
        let samples: Vec<_> = pickles
            .into_iter()
            .zip(graphs)
            .map(|(pickle, (name, graph))| Sample { name: format!("{bundle} {name}"), pickle, graph: graph.to_owned() })
            .collect();
        bundles.push((bundle, samples));
    }
    assert!(!bundles.is_empty(), "no corpus");
    bundles
}

/// Splits concatenated pickles.
fn split(mut data: &[u8]) -> Vec<Vec<u8>> {
    let mut pickles = Vec::new();
    while !data.is_empty() {
        let mut ops = picklevm_ops::ops(data);
        assert!(ops.by_ref().all(|op| op.is_ok()), "a broken pickle in the corpus");
        let (pickle, rest) = data.split_at(ops.offset());
        pickles.push(pickle.to_owned());
        data = rest;
    }
    pickles
}

/// Returns the name and body of each section with a heading `# NAME`.
pub(crate) fn sections(text: &str) -> Vec<(&str, &str)> {
    text.split("# ").skip(1).filter_map(|section| section.split_once('\n')).collect()
}

/// Compares each `console` block of a document that runs `picklevm` with its output: standard output, then standard
/// error.
pub(crate) fn assert_document(path: &str) {
    const BEGIN: &str = "```console\n$ picklevm ";
    let document = root().join(path);
    let text_of = fs::read_to_string(&document).expect("the document");
    let mut parts = text_of.split(BEGIN);
    let mut printed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (block, after) = part.split_once("```").expect("an end");
        let command = block.lines().next().unwrap_or_default();
        let output = picklevm(&command.split_whitespace().collect::<Vec<_>>());
        printed += &format!("{BEGIN}{command}\n{}{}```{after}", text(&output.stdout), text(&output.stderr));
    }
    assert_golden(&document, &printed);
}

/// Returns the graph form of a value.
pub(crate) fn graph_form(root: picklevm::Value<'_>) -> String {
    let mut out = Vec::new();
    picklevm::write_graph_form(root, &mut out).expect("writing to a vector");
    String::from_utf8(out).expect("ASCII")
}

/// Runs `test` in a thread with a stack of 256 KiB.
pub(crate) fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(test).expect("a thread");
    thread.join().expect("no overflow, no panic");
}
