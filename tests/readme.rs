//! The README says what is so.

mod support;

use std::fs;

use support::root;

#[test]
fn its_example_is_the_one_that_is_run() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let example = fs::read_to_string(root().join("examples/read_session.rs")).expect("the example");
    let code = &example[example.find("use picklevm").expect("code")..];
    assert!(readme.contains(&format!("```rust,no_run\n{code}```\n")));
}

#[test]
fn its_commands_are_those_of_ci() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let ci = fs::read_to_string(root().join(".ci/run")).expect("the script");
    let commands: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("cargo ")).collect();
    assert_eq!(commands.len(), 2);
    let steps: Vec<_> = ci.lines().filter_map(|line| line.strip_prefix("step cargo ")).map(without_options).collect();
    for command in commands {
        assert!(steps.contains(&without_options(command)), "{command}");
    }
}

/// A command of Cargo without what changes how it is carried out, and not what.
fn without_options(command: &str) -> String {
    command.replace(" --release", "").replace(" --quiet", "")
}

#[test]
fn its_test_command_runs_the_tests_of_all_features() {
    let manifest = fs::read_to_string(root().join("crates/picklevm/Cargo.toml")).expect("the manifest");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let features: Vec<_> = manifest["features"].as_table().expect("a table").keys().map(String::as_str).collect();
    let tested = manifest["dev-dependencies"]["picklevm"]["features"].as_array().expect("an array");
    assert_eq!(tested.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>(), features);
}

#[test]
fn the_files_that_it_and_the_documents_link_to_are_there() {
    for document in [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/cli.md",
        "docs/graph-form.md",
        "docs/python.md",
        "docs/scan.md",
    ] {
        let path = root().join(document);
        let text = fs::read_to_string(&path).expect("the document");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or(link);
            let there = target.contains("://") || path.with_file_name(target).exists();
            assert!(there, "{document} links to {link}");
        }
    }
}
