//! The README says what is so.

use std::fs;

use picklevm_testing::root;
use toml::Value;

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
fn its_table_has_every_command_of_the_program() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let output = crate::support::picklevm(&["--help"]);
    let help = crate::support::text(&output.stdout);
    let listed = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("commands");
    let names = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<_> = names.filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(names.len() > 10, "{names:?}");
    let rows: Vec<_> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    for name in names {
        assert!(rows.iter().any(|row| row.contains(&format!("`{name}`"))), "{name}");
    }
}

#[test]
fn its_test_command_runs_the_tests_of_all_features() {
    for (name, manifest) in manifests() {
        let Some(features) = manifest.get("features").and_then(Value::as_table) else { continue };
        let defaults = texts(&features.get("default"));
        let mut optional: Vec<_> =
            features.keys().map(String::as_str).filter(|it| *it != "default" && !defaults.contains(it)).collect();
        optional.sort_unstable();
        // The feature of the macro comes with that of `picklevm`, which its tests have.
        if optional.is_empty() || name == "picklevm-derive" {
            continue;
        }
        let own = manifest.get("dev-dependencies").and_then(|it| it.get(&name)).and_then(|it| it.get("features"));
        assert_eq!(texts(&own), optional, "{name} is its own dev-dependency with all features");
    }
}

#[test]
fn each_crate_has_what_its_registry_page_and_package_show() {
    for (name, manifest) in manifests() {
        let folder = root().join("crates").join(&name);
        let package = &manifest["package"];
        for key in
            ["description", "readme", "license", "repository", "categories", "keywords", "include", "rust-version"]
        {
            assert!(package.get(key).is_some(), "{name} has no {key}");
        }
        let all_features = &package["metadata"]["docs"]["rs"]["all-features"];
        assert_eq!(all_features.as_bool(), Some(true), "docs.rs shows all features of {name}");
        let readme = package["readme"].as_str().expect("a path");
        for file in [readme, "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(folder.join(file).is_file(), "{name} has no {file}");
        }
    }
}

/// The manifests of the crates that are published, by name.
fn manifests() -> Vec<(String, toml::Table)> {
    let crates = fs::read_dir(root().join("crates")).expect("the crates");
    let manifests = crates.map(|entry| {
        let folder = entry.expect("a crate").path();
        let text = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        (name, text.parse::<toml::Table>().expect("TOML"))
    });
    manifests
        .filter(|(_, manifest)| manifest["package"].get("publish").and_then(Value::as_bool) != Some(false))
        .collect()
}

/// The strings of an array.
fn texts<'a>(array: &Option<&'a Value>) -> Vec<&'a str> {
    array.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The pages of the folder `docs`, by their paths from the root.
fn pages() -> Vec<String> {
    let entries = fs::read_dir(root().join("docs")).expect("the documents");
    let names = entries.map(|entry| entry.expect("a document").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect()
}

#[test]
fn it_links_to_every_page_of_the_documentation() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let pages = pages();
    assert!(pages.len() > 10, "{pages:?}");
    for page in pages {
        assert!(readme.contains(&format!("]({page})")), "{page}");
    }
}

#[test]
fn the_files_that_it_and_the_documents_link_to_are_there() {
    let others = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(str::to_owned);
    for document in pages().into_iter().chain(others) {
        let path = root().join(&document);
        let text = fs::read_to_string(&path).expect("the document");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or(link);
            // Code may have the same brackets.
            if target.contains(['\\', '"']) {
                continue;
            }
            let there = target.contains("://") || path.with_file_name(target).exists();
            assert!(there, "{document} links to {link}");
        }
    }
}
