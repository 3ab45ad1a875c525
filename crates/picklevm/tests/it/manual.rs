//! docs/python.md says of every name in Python's manuals what it is here, and what it says is so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use picklevm::{Registry, Unpickler};
use picklevm_testing::{python, root};

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of all tables, as cells.
fn rows(document: &str) -> Vec<Vec<&str>> {
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| Python |") && !line.starts_with("| --- ");
    document.lines().filter(is_row).map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// What stands between backticks.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The text and target of each link.
fn links(cell: &str) -> impl Iterator<Item = (&str, &str)> {
    cell.split('[').skip(1).filter_map(|rest| {
        let (text, rest) = rest.split_once("](")?;
        Some((text.trim_matches('`'), rest.split_once(')')?.0))
    })
}

/// The names that the modules and manuals of a Python have.
fn names(version: &str) -> BTreeSet<String> {
    read(format!("tests/data/manual/python{version}.txt")).lines().map(str::to_owned).collect()
}

fn all_names() -> BTreeSet<String> {
    ["2.7", "3.13", "3.15"].into_iter().flat_map(names).collect()
}

/// Whether an entry of a table, which may end with a star, stands for a name.
fn stands_for(entry: &str, name: &str) -> bool {
    entry.strip_suffix('*').map_or(entry == name, |start| name.starts_with(start))
}

#[test]
fn every_name_of_the_manuals_is_in_a_table() {
    let (document, opcodes) = (read("docs/python.md"), read("docs/opcodes.md"));
    let rows = rows(&document);
    let entries: Vec<&str> = rows.iter().flat_map(|row| code(row[0])).collect();
    let is_opcode = |name: &str| opcodes.contains(&format!("| {} |", name.strip_prefix("pickle.").unwrap_or(name)));
    let missing: Vec<_> = all_names()
        .into_iter()
        .filter(|name| !is_opcode(name) && !entries.iter().any(|entry| stands_for(entry, name)))
        .collect();
    assert!(missing.is_empty(), "not in docs/python.md: {missing:#?}");
}

#[test]
fn every_entry_of_the_tables_is_a_name_of_a_manual() {
    let (document, names) = (read("docs/python.md"), all_names());
    const MODULES: [&str; 9] =
        ["pickle.", "cPickle.", "copyreg.", "copy_reg.", "pickletools.", "shelve.", "copy.", "object.", "python "];
    for entry in rows(&document).iter().flat_map(|row| code(row[0])) {
        if MODULES.iter().any(|module| entry.starts_with(module)) {
            assert!(names.iter().any(|name| stands_for(entry, name)), "no manual has {entry}");
        }
    }
}

#[test]
fn every_row_has_a_tested_example_or_a_reason() {
    let document = read("docs/python.md");
    for row in rows(&document) {
        let [entry, here, shown] = row[..] else { continue };
        let has_reason = here.starts_with("Not here") || here.starts_with("Not in the program");
        assert!(has_reason || links(shown).next().is_some(), "nothing shows {entry}");
    }
}

#[test]
fn every_link_leads_to_what_it_names() {
    let document = read("docs/python.md");
    let (mut followed, mut wrong) = (0, Vec::new());
    for row in rows(&document) {
        for (text, target) in row.iter().flat_map(|cell| links(cell)) {
            wrong.extend(check(row[0], text, target).err().map(|why| format!("{text} in {target}: {why}")));
            followed += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(followed > 100, "only {followed} links");
}

/// Checks a link: to an example or a document by its name, to a test by its function, to an item of a library by its
/// definition, whose documentation must hold an example and name what it stands for.
fn check(entry: &str, text: &str, target: &str) -> Result<(), &'static str> {
    let path = Path::new("docs").join(target);
    let source = fs::read_to_string(root().join(&path)).map_err(|_| "no such file")?;
    if path.file_stem().is_some_and(|stem| stem == text) {
        return if !target.contains("examples/") || is_run(text) { Ok(()) } else { Err("Cargo does not know it") };
    }
    if target.contains("tests/") {
        let is_there = source.contains(&format!("#[test]\nfn {text}() {{"));
        return if is_there { Ok(()) } else { Err("no such test") };
    }
    let documentation = documentation(&source, text).ok_or("no definition with documentation")?;
    if !documentation.contains("```") {
        return Err("no example");
    }
    let mut names = code(entry).peekable();
    if names.peek().is_some() && !names.any(|name| documentation.contains(last_part(name))) {
        return Err("the documentation does not say that it stands for this");
    }
    Ok(())
}

#[test]
fn every_rust_path_in_the_tables_is_one_of_the_libraries() {
    let document = read("docs/python.md");
    let sources = sources(&root().join("crates"));
    let is_name = |part: &str| part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let (mut found, mut missing) = (0, Vec::new());
    for path in rows(&document).iter().filter_map(|row| row.get(1)).flat_map(|here| code(here)) {
        let path = path.strip_prefix("ops::").unwrap_or(path);
        let Some((holder, name)) = path.split_once("::") else { continue };
        if holder == "io" || !is_name(holder) || !is_name(name) {
            continue;
        }
        found += 1;
        let is_defined = |source: &String| {
            source.contains(holder)
                && source.lines().map(str::trim_start).any(|line| {
                    let line = ["pub ", "const ", "fn "].iter().fold(line, |l, word| l.strip_prefix(word).unwrap_or(l));
                    line.strip_prefix(name).is_some_and(|rest| rest.starts_with([',', '(', '<', ':', ' ']))
                })
        };
        if !sources.iter().any(is_defined) {
            missing.push(path.to_owned());
        }
    }
    assert!(missing.is_empty(), "not in the libraries: {missing:#?}");
    assert!(found > 60, "only {found} paths");
}

/// The text of the sources of all crates.
fn sources(directory: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources.extend(self::sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(fs::read_to_string(&path).expect("a source"));
        }
    }
    sources
}

/// Whether Cargo knows an example of this name.
fn is_run(example: &str) -> bool {
    let manifests = ["crates/picklevm/Cargo.toml", "crates/picklevm-shelf/Cargo.toml"];
    manifests.iter().any(|manifest| read(manifest).contains(&format!("path = \"../../examples/{example}.rs\"")))
}

/// The name or argument that a reader looks for: `protocol` of `pickle.dump(protocol)`, `load` of `pickle.load`.
fn last_part(entry: &str) -> &str {
    let entry = entry.trim_end_matches(')');
    entry.rsplit(['(', '.']).next().unwrap_or(entry)
}

/// The documentation of an item (`function`, `Type`, `Type::method`) in the source that defines it.
fn documentation(source: &str, item: &str) -> Option<String> {
    let (holder, name) = item.rsplit_once("::").map_or((None, item), |(holder, name)| (Some(holder), name));
    let is_word = |text: &str, word: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word);
    let mut documentation = String::new();
    // Whether the lines are those of the type that holds the item.
    let mut is_inside = holder.is_none();
    for line in source.lines() {
        let code = line.trim_start();
        let definition = code.strip_prefix("pub ").unwrap_or(code);
        let kind = ["fn ", "struct ", "enum ", "trait "].iter().find_map(|kind| definition.strip_prefix(kind));
        let head = kind.and_then(|rest| rest.split(['(', '<', ' ', ';', ':']).next());
        if is_inside && head == Some(name) && documentation.contains("///") {
            return Some(documentation);
        }
        if let Some(holder) = holder
            && (line.starts_with("impl") || line.starts_with("pub trait"))
        {
            is_inside = is_word(line, holder);
        }
        let is_above = ["///", "#[", "pub ", ")]"].iter().any(|start| code.starts_with(start));
        if is_above {
            documentation += code
        } else {
            documentation.clear()
        }
        documentation.push('\n');
    }
    None
}

#[test]
fn the_names_are_those_of_the_pythons_of_this_machine() {
    let test = "the_names_are_those_of_the_pythons_of_this_machine";
    let newest = python::reference(test).map(|python| (python, "3.13"));
    let python2 = python::all().into_iter().find(|python| python.to_string_lossy().ends_with("2.7"));
    for (python, version) in newest.into_iter().chain(python2.map(|python| (python, "2.7"))) {
        let printed = python::run(&python, "manual_names.py", &[]).stdout;
        let printed: BTreeSet<_> = String::from_utf8_lossy(&printed).lines().map(str::to_owned).collect();
        assert_eq!(printed, names(version), "{}", python.display());
    }
}

#[test]
fn a_union_of_types_is_a_call() {
    // pickle.dumps(int | str, 2)
    let graph = picklevm::loads(
        b"\x80\x02c_functools\nreduce\nq\0c_operator\nor_\nq\x01c__builtin__\nint\nq\x02c__builtin__\nunicode\n\
          q\x03\x86q\x04\x86q\x05Rq\x06.",
    )
    .unwrap();
    let shown = "_functools.reduce(_operator.or_, (__builtin__.int, __builtin__.unicode))";
    assert_eq!(format!("{:?}", graph.root()), shown);
}

#[test]
fn an_instance_of_protocol_0_is_a_call_of_reconstructor() {
    // class Point(object), with x = 1
    let pickle = b"ccopy_reg\n_reconstructor\np0\n(cgeometry\nPoint\np1\nc__builtin__\nobject\np2\nNtp3\nRp4\n(dp5\n\
                   S'x'\np6\nI1\nsb.";
    let graph = picklevm::loads(pickle).unwrap();
    assert_eq!(graph.root().attr("x").unwrap(), 1);

    let mut registry = Registry::new();
    registry.function("copyreg._reconstructor", |call| {
        let [class, _base, _state] = call.args_array()?;
        let class = class.id();
        call.instance_of(class).build()
    });
    let graph = Unpickler::new().resolver(registry).loads(pickle).unwrap();
    assert!(graph.root().as_object().unwrap().is_instance("geometry", "Point"));
    assert_eq!(graph.root().attr("x").unwrap(), 1);
}

#[test]
fn a_super_object_is_a_call() {
    // pickle.dumps(super(C, C()), 4) of 3.15, with the class C of a module m.
    let graph = picklevm::loads(b"\x80\x04cbuiltins\nsuper\ncm\nC\nq\0h\0)\x81\x86R.").unwrap();
    assert_eq!(graph.root().to_string(), "builtins.super(m.C, m.C() by newobj)");
}
